//! All that differs between operating systems: opening without following links, syncing folders, what kind of file something is.
//!
//! There is no unsafe code and no C library binding here, so the two open flags that the standard library has no name for are
//! written down with the system headers that they come from.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

use crate::error::Error;

/// `O_NOFOLLOW` and `O_NONBLOCK`: a link as the last component is an error, and a FIFO does not block.
#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    any(target_arch = "x86_64", target_arch = "x86", target_arch = "riscv64", target_arch = "s390x", target_arch = "loongarch64")
))]
const OPEN_FLAGS: i32 = 0o400_000 | 0o4_000; // asm-generic/fcntl.h
#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    any(target_arch = "aarch64", target_arch = "arm", target_arch = "powerpc64", target_arch = "powerpc")
))]
const OPEN_FLAGS: i32 = 0o100_000 | 0o4_000; // arch/{arm,arm64,powerpc}/include/uapi/asm/fcntl.h
#[cfg(target_vendor = "apple")]
const OPEN_FLAGS: i32 = 0x100 | 0x4; // sys/fcntl.h
/// Elsewhere the check before opening and the one after it are all there is.
#[cfg(all(
    unix,
    not(target_vendor = "apple"),
    not(all(
        any(target_os = "linux", target_os = "android"),
        any(
            target_arch = "x86_64",
            target_arch = "x86",
            target_arch = "riscv64",
            target_arch = "s390x",
            target_arch = "loongarch64",
            target_arch = "aarch64",
            target_arch = "arm",
            target_arch = "powerpc64",
            target_arch = "powerpc"
        )
    ))
))]
const OPEN_FLAGS: i32 = 0;
/// `FILE_FLAG_OPEN_REPARSE_POINT` (fileapi.h): open the link itself; the check after opening refuses it.
#[cfg(windows)]
const OPEN_FLAGS: u32 = 0x0020_0000;

/// Opens a regular file for reading. A link is not followed, and nothing but a regular file is opened.
///
/// # Errors
/// [`Error::Irregular`] inside of the [`io::Error`], or what the system says.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    regular(path, &std::fs::symlink_metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    let file = add_flags(&mut options).open(path)?;
    // What was checked above may have been exchanged since.
    regular(path, &file.metadata()?)?;
    Ok(file)
}

/// Opens a regular file to lock it, and makes it if it is not there.
///
/// # Errors
/// As for [`open`].
pub(crate) fn open_for_lock(path: &Path) -> io::Result<File> {
    if let Ok(metadata) = std::fs::symlink_metadata(path) {
        regular(path, &metadata)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = match add_flags(&mut options).open(path) {
        // Another user's lock file in a shared folder: a handle for reading can be locked too.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return open(path).map_err(|_| error),
        opened => opened?,
    };
    regular(path, &file.metadata()?)?;
    Ok(file)
}

/// Makes a new file for writing; something that is there already, be it a dangling link, is an error.
///
/// # Errors
/// What the system says.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).open(path)
}

/// Whether `path` is a folder. A link to one is none.
///
/// # Errors
/// [`Error::Irregular`] inside of the [`io::Error`] if something else is there, or what the system says.
pub(crate) fn is_folder(path: &Path) -> io::Result<bool> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if is_link(&metadata) || !metadata.is_dir() => Err(irregular(path, &metadata, "a folder")),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The size in bytes of a regular file; `None` if nothing is there.
///
/// # Errors
/// As for [`is_folder`].
pub(crate) fn file_size(path: &Path) -> io::Result<Option<u64>> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) => {
            regular(path, &metadata)?;
            Ok(Some(metadata.len()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes the names in a folder durable: a rename in it then survives a loss of power.
///
/// # Errors
/// What the system says; a file system that cannot do this for folders is no error.
#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Windows keeps the names of a folder in its own journal, and has no call for this.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Reads at a position of the file, without one of its own in between: any number of readers share one handle.
///
/// # Errors
/// What the system says.
#[cfg(unix)]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

/// As above; the handle's own position moves, and nobody uses it.
#[cfg(windows)]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

/// Elsewhere there is no such call.
#[cfg(not(any(unix, windows)))]
pub(crate) fn read_at(_file: &File, _buffer: &mut [u8], _offset: u64) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether a locked file can be removed, so that a lock leaves nothing behind.
pub(crate) const CAN_REMOVE_LOCKED: bool = cfg!(unix);

/// Whether `path` still names the open `file`.
///
/// # Errors
/// What the system says.
#[cfg(unix)]
pub(crate) fn is_same_file(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let open = file.metadata()?;
    match std::fs::symlink_metadata(path) {
        Ok(named) => Ok((open.dev(), open.ino()) == (named.dev(), named.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Where locked files are not removed, it does.
#[cfg(not(unix))]
pub(crate) fn is_same_file(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(unix)]
fn add_flags(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(OPEN_FLAGS)
}

#[cfg(windows)]
fn add_flags(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::windows::fs::OpenOptionsExt;
    options.custom_flags(OPEN_FLAGS)
}

#[cfg(not(any(unix, windows)))]
fn add_flags(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

fn regular(path: &Path, metadata: &Metadata) -> io::Result<()> {
    if is_link(metadata) || !metadata.is_file() { Err(irregular(path, metadata, "a file")) } else { Ok(()) }
}

fn irregular(path: &Path, metadata: &Metadata, wanted: &'static str) -> io::Error {
    let found = if is_link(metadata) {
        "a link"
    } else if metadata.is_dir() {
        "a folder"
    } else if metadata.is_file() {
        "a file"
    } else {
        "a device, pipe or socket"
    };
    Error::Irregular { path: path.to_owned(), found, wanted }.into()
}

#[cfg(not(windows))]
fn is_link(metadata: &Metadata) -> bool {
    metadata.file_type().is_symlink()
}

/// Every reparse point counts as a link: symbolic links, junctions, mount points.
#[cfg(windows)]
fn is_link(metadata: &Metadata) -> bool {
    use std::os::windows::fs::MetadataExt;
    const FILE_ATTRIBUTE_REPARSE_POINT: u32 = 0x400; // winnt.h
    metadata.file_type().is_symlink() || metadata.file_attributes() & FILE_ATTRIBUTE_REPARSE_POINT != 0
}

/// The variable that says where the user's files are.
#[cfg(feature = "registry")]
pub(crate) const HOME_VARIABLE: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };

/// As [`create`], for nobody but its owner to read and write, where the system can; Windows gives a new file what its folder has.
///
/// # Errors
/// What the system says.
#[cfg(feature = "registry")]
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a folder and those above it, as far as they are not there, that nobody else may look into, where the system can.
///
/// # Errors
/// What the system says.
#[cfg(feature = "registry")]
pub(crate) fn create_private_folders(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Gives a file the owner and the group that `metadata` has, if this process may.
#[cfg(all(unix, feature = "registry"))]
pub(crate) fn give_to_owner(file: &File, metadata: &Metadata) {
    use std::os::unix::fs::MetadataExt;
    // Only the superuser may give files away, and only it needs to.
    let _ = std::os::unix::fs::fchown(file, Some(metadata.uid()), Some(metadata.gid()));
}

/// Elsewhere owners are inherited from the folder.
#[cfg(all(not(unix), feature = "registry"))]
pub(crate) fn give_to_owner(_file: &File, _metadata: &Metadata) {}

/// Makes a folder that nobody else may look into, where the system can.
pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    #[test]
    fn only_regular_files_are_opened() {
        let folder = Folder::new();
        std::fs::write(folder.path("file"), b"x").unwrap();
        assert!(open(&folder.path("file")).is_ok());
        assert_eq!(file_size(&folder.path("file")).unwrap(), Some(1));
        assert_eq!(file_size(&folder.path("none")).unwrap(), None);
        let error = open(folder.root()).unwrap_err();
        assert!(matches!(Error::carried(error), Ok(Error::Irregular { found: "a folder", .. })));
        assert!(is_folder(folder.root()).unwrap());
        assert!(!is_folder(&folder.path("none")).unwrap());
        assert!(is_folder(&folder.path("file")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_and_pipes_are_refused_without_waiting() {
        let folder = Folder::new();
        std::fs::write(folder.path("file"), b"x").unwrap();
        std::os::unix::fs::symlink(folder.path("file"), folder.path("link")).unwrap();
        std::os::unix::fs::symlink(folder.root(), folder.path("folder")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(folder.path("pipe")).status().unwrap().success());
        for name in ["link", "pipe", "folder"] {
            let path = folder.path(name);
            assert!(matches!(Error::carried(open(&path).unwrap_err()), Ok(Error::Irregular { .. })), "{name}");
            assert!(matches!(Error::carried(open_for_lock(&path).unwrap_err()), Ok(Error::Irregular { .. })), "{name}");
            assert!(is_folder(&path).is_err(), "{name}");
        }
        assert!(create(&folder.path("link")).is_err());
    }

    /// The flag itself, without the checks around it.
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    #[test]
    fn the_open_flag_refuses_a_link() {
        let folder = Folder::new();
        std::fs::write(folder.path("file"), b"x").unwrap();
        std::os::unix::fs::symlink(folder.path("file"), folder.path("link")).unwrap();
        let mut options = OpenOptions::new();
        options.read(true);
        assert!(add_flags(&mut options).open(folder.path("link")).is_err());
        assert!(add_flags(&mut options).open(folder.path("file")).is_ok());
    }
}
