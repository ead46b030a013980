//! The vectors of `testdata/vectors` (SPEC.md, "Test vectors"): what [writes](make) them, and what [runs](run) them through the Rust crates.
//!
//! What a case expects is stated by hand where the case is made, and [`write_to`] refuses to write vectors with which the crates disagree. The
//! names of statuses are mapped here a second time, independently of the C interface, so that each checks the other.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

pub mod flat;
pub mod index;
pub mod make;
pub mod run;

/// Where the vectors are, as this package sees it.
pub fn committed() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/vectors")
}

/// The name of the file with the cases.
pub const INDEX: &str = "index.json";

/// Writes the vectors to `folder`, which is made anew. Returns how many cases there are.
///
/// # Errors
/// The crates disagree with a case, or a file cannot be written. The folder then holds what was made, to be looked at.
pub fn write_to(folder: &Path) -> Result<usize, String> {
    let made = make::vectors().into_files();
    let text = |error: io::Error| format!("{}: {error}", folder.display());
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(text(error)),
        _ => fs::create_dir_all(folder).map_err(text)?,
    }
    for (path, bytes) in made {
        let file = folder.join(path);
        file.parent().map_or(Ok(()), fs::create_dir_all).map_err(text)?;
        fs::write(file, bytes).map_err(text)?;
    }
    let outcome = run::run(folder)?;
    match outcome.failed.as_slice() {
        [] => Ok(outcome.passed),
        failed => Err(failed.join("\n")),
    }
}

/// The files below `folder`, by their paths from there.
///
/// # Errors
/// One cannot be read.
pub fn files(folder: &Path) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![String::new()];
    while let Some(prefix) = folders.pop() {
        for entry in fs::read_dir(folder.join(&prefix))? {
            let entry = entry?;
            let name = entry.file_name().into_string().map_err(|name| io::Error::other(format!("{} is no UTF-8", name.display())))?;
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else {
                found.insert(path, fs::read(entry.path())?);
            }
        }
    }
    Ok(found)
}

/// What is different between the vectors in two folders: a line for each file.
///
/// # Errors
/// One cannot be read.
pub fn differences(made: &Path, committed: &Path) -> io::Result<Vec<String>> {
    let (made, committed) = (files(made)?, files(committed)?);
    let mut lines = Vec::new();
    for (path, bytes) in &made {
        match committed.get(path) {
            None => lines.push(format!("{path} is missing")),
            Some(other) if other != bytes => lines.push(format!("{path} is not as it is made")),
            Some(_) => {}
        }
    }
    lines.extend(committed.keys().filter(|path| !made.contains_key(*path)).map(|path| format!("{path} is not made")));
    Ok(lines)
}
