//! What differs between operating systems for key files: modes, and making the names in a folder durable.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// The mode of an open file, if others than its owner may read or change it. A pipe, such as a shell's `<(...)`, is nobody's file
/// and has no mode that counts.
#[cfg(unix)]
pub(super) fn unsafe_mode(file: &File) -> io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = file.metadata()?;
    let mode = metadata.permissions().mode() & 0o7777;
    Ok((metadata.is_file() && mode & 0o077 != 0).then_some(mode))
}

/// Windows has no mode: who may read a file there is decided by its folder, which is the user's own.
#[cfg(not(unix))]
pub(super) fn unsafe_mode(_file: &File) -> io::Result<Option<u32>> {
    Ok(None)
}

/// Makes a new file that has this mode from its beginning, less what the user's mask takes away.
#[cfg(unix)]
pub(super) fn create(path: &Path, mode: u32) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

/// As on Unix, without modes.
#[cfg(not(unix))]
pub(super) fn create(path: &Path, _mode: u32) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Makes the names in the folder of `path` durable. A file system that cannot do this for folders is no error.
#[cfg(unix)]
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match File::open(folder)?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Windows keeps the names of a folder in its own journal, and has no call for this.
#[cfg(not(unix))]
pub(super) fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}
