//! Files that a command is told to write: there whole or not at all.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use touchmark_verify::exit::Exit;
use touchmark_verify::output::Failure;

/// At most this many files of one name are begun and left by crashes before this gives up.
const ATTEMPTS: u32 = 100;

/// Asserts that `path` can be written without a loss: nothing is there (`false`), or the regular file that `replaced` names
/// (`true`).
pub(crate) fn check_free(path: &Path, replaced: Option<&Path>) -> Result<bool, Failure> {
    let found = match path.symlink_metadata() {
        Ok(found) => found,
        // Whatever else there may be to say of it, writing it will.
        Err(_) => return Ok(false),
    };
    if !found.is_file() {
        return Err(Failure::usage(format!("{}: is there, and is no regular file", path.display())).hint("name a new file"));
    }
    let same = replaced.is_some_and(|replaced| matches!((replaced.canonicalize(), path.canonicalize()), (Ok(one), Ok(two)) if one == two));
    if same { Ok(true) } else { Err(exists(path)) }
}

/// Whether `path` is a regular file with exactly this content.
pub(crate) fn holds(path: &Path, content: &[u8]) -> bool {
    let size = u64::try_from(content.len()).ok();
    let alike = path.symlink_metadata().is_ok_and(|found| found.is_file() && Some(found.len()) == size);
    alike && std::fs::read(path).is_ok_and(|bytes| bytes == content)
}

/// Writes `content` to `path`, and makes the folder if there is none. What is there is kept, unless it is the regular file that
/// `replaced` names.
pub(crate) fn write(path: &Path, content: &[u8], replaced: Option<&Path>) -> Result<(), Failure> {
    let replace = check_free(path, replaced)?;
    put(path, content, replace).map_err(|error| {
        let failure = Failure::new(Exit::Unknown, "not-writable", format!("{}: cannot be written: {error}", path.display()));
        match error.kind() {
            std::io::ErrorKind::AlreadyExists => exists(path),
            std::io::ErrorKind::StorageFull => failure.hint("free some space and try again; nothing was lost"),
            _ => failure,
        }
    })
}

fn exists(path: &Path) -> Failure {
    Failure::new(Exit::Usage, "exists", format!("{}: is there already, and is not replaced", path.display())).hint("name a new file")
}

fn put(path: &Path, content: &[u8], replace: bool) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let (mut file, unfinished) = begin(folder)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    drop(file);
    let done = written.and_then(|()| if replace { std::fs::rename(&unfinished, path) } else { name_new(&unfinished, path) });
    // After a rename it is gone; what could not be finished is of no use to anybody.
    let _ = std::fs::remove_file(&unfinished);
    done
}

/// Gives the file a name that nothing has; a file that came to be there meanwhile is kept.
fn name_new(unfinished: &Path, path: &Path) -> std::io::Result<()> {
    match std::fs::hard_link(unfinished, path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists || path.symlink_metadata().is_ok() => {
            Err(std::io::ErrorKind::AlreadyExists.into())
        }
        // A file system without hard links.
        Err(_) => std::fs::rename(unfinished, path),
    }
}

/// A new file in `folder`.
fn begin(folder: &Path) -> std::io::Result<(std::fs::File, PathBuf)> {
    let mut last = None;
    for attempt in 0..ATTEMPTS {
        let path = folder.join(format!(".touchmark-{}-{attempt}.tmp", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or_else(|| std::io::ErrorKind::AlreadyExists.into()))
}
