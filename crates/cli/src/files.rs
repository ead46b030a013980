//! Files that a command is told to write: there whole or not at all.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use touchmark_verify::exit::Exit;
use touchmark_verify::output::Failure;

/// At most this many files of one name are begun and left by crashes before this gives up.
const ATTEMPTS: u32 = 100;

/// Writes `content` to `path`, in the place of what was there, and makes the folder if there is none.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    replace(path, content).map_err(|error| {
        let failure = Failure::new(Exit::Unknown, "not-writable", format!("{}: cannot be written: {error}", path.display()));
        match error.kind() {
            std::io::ErrorKind::StorageFull => failure.hint("free some space and try again; nothing was lost"),
            _ => failure,
        }
    })
}

fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let (mut file, unfinished) = begin(folder)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    drop(file);
    let done = written.and_then(|()| std::fs::rename(&unfinished, path));
    if done.is_err() {
        // What could not be finished is of no use to anybody.
        let _ = std::fs::remove_file(&unfinished);
    }
    done
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
