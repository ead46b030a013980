//! The vectors of `testdata/vectors` (SPEC.md, "Test vectors"): what writes them to a folder, and what [runs](run) them through the Rust
//! crates. What makes them is in `make`.
//!
//! What a case expects is stated by hand where the case is made, and [`write_to`] refuses to write vectors with which the crates disagree. The
//! names of statuses are mapped here a second time, independently of the C interface, so that each checks the other.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

pub mod flat;
pub mod index;
pub mod run;

/// Where the vectors are, as this package sees it.
pub fn committed() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/vectors")
}

/// The name of the file with the cases.
pub const INDEX: &str = "index.json";

/// Files of a folder, by their paths in it.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Writes the vectors that were made to `folder`, which is made anew. Returns how many cases there are.
///
/// # Errors
/// The crates disagree with a case, or a file cannot be written. The folder then holds what was made, to be looked at.
pub fn write_to(folder: &Path, made: Files) -> Result<usize, String> {
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
pub fn files(folder: &Path) -> io::Result<Files> {
    let mut found = Files::new();
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

/// The files in `folder` that no case names: neither a file, nor one in a folder, a layout or beside a policy that a case names.
///
/// # Errors
/// The folder or its index cannot be read.
pub fn unreferenced(folder: &Path) -> Result<Vec<String>, String> {
    let text = index::read(folder).map_err(|error| error.to_string())?;
    let mut named = Vec::new();
    for case in index::cases(&text, folder)? {
        names(&touchmark_envelope::json::Value::Object(case.object().clone()), "", &mut named);
    }
    let is_named = |path: &String| {
        let mut above = path.match_indices('/').map(|(end, _)| path.get(..end).unwrap_or_default());
        path == INDEX || named.contains(path) || above.any(|above| named.iter().any(|name| name == above))
    };
    let all = files(folder).map_err(|error| error.to_string())?;
    Ok(all.into_keys().filter(|path| !is_named(path)).collect())
}

/// The files and folders that a value names.
fn names(value: &touchmark_envelope::json::Value<'_>, member: &str, found: &mut Vec<String>) {
    use touchmark_envelope::json::Value;
    match (member, value) {
        ("file" | "repository" | "links", Value::String(path)) => found.push(path.to_string()),
        // What a policy names lies beside it.
        ("policy", Value::String(path)) => found.extend(path.rsplit_once('/').map(|(above, _)| above.to_owned())),
        ("reference", Value::String(reference)) => {
            let place = reference.trim_start_matches("oci:").trim_start_matches("oci-archive:");
            let ends = place.match_indices([':', '@']).filter_map(|(end, _)| place.get(..end));
            found.extend(ends.chain([place]).map(str::to_owned));
        }
        (_, Value::Object(object)) => object.iter().for_each(|(name, value)| names(value, name, found)),
        (_, Value::Array(items)) => items.iter().for_each(|item| names(item, member, found)),
        _ => {}
    }
}
