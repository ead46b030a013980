//! A trust repository as it is served: metadata in one folder, and the files of targets in the one beside it or below it.

use std::path::PathBuf;

use touchmark_oci::access::Access;
use touchmark_tuf::Failure;

use super::target::TARGETS;
use crate::tuf::{self, Fetch, FolderSource, UpdateError};

/// Metadata from one place, and what is below `targets/` from another.
struct Served {
    metadata: Box<dyn Fetch>,
    targets: Box<dyn Fetch>,
}

impl Fetch for Served {
    fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        match path.strip_prefix(TARGETS) {
            Some(below) => self.targets.fetch(below, limit),
            None => self.metadata.fetch(path, limit),
        }
    }

    fn location(&self) -> String {
        self.metadata.location()
    }
}

/// The source of a trust repository whose metadata is at `text`, a folder or a URL as for [`tuf::source`]. The files of its targets are in
/// `targets` beside it if it is called `metadata`, and otherwise below it.
///
/// # Errors
/// As for [`tuf::source`].
pub fn source(text: &str, access: &Access) -> Result<Box<dyn Fetch>, UpdateError> {
    let metadata = tuf::source(text, access)?;
    let targets = tuf::source(&targets_of(text), access)?;
    Ok(Box::new(Served { metadata, targets }))
}

/// The source of a trust repository whose metadata is in this folder, whatever its path looks like, with targets as for [`source`].
pub fn folder(metadata: &str) -> Box<dyn Fetch> {
    folders(metadata, targets_of(metadata))
}

/// The source of a trust repository in these folders.
pub fn folders(metadata: impl Into<PathBuf>, targets: impl Into<PathBuf>) -> Box<dyn Fetch> {
    Box::new(Served { metadata: Box::new(FolderSource::new(metadata)), targets: Box::new(FolderSource::new(targets)) })
}

fn targets_of(text: &str) -> String {
    let separators: &[char] = if cfg!(windows) { &['/', '\\'] } else { &['/'] };
    let text = text.trim_end_matches(separators);
    match text.strip_suffix("metadata") {
        Some("") => "targets".to_owned(),
        Some(above) if above.ends_with(separators) => format!("{above}targets"),
        _ => format!("{text}/targets"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_targets_are_beside_the_metadata_or_below_it() {
        for (metadata, targets) in [
            ("trust/metadata", "trust/targets"),
            ("trust/metadata//", "trust/targets"),
            ("metadata", "targets"),
            ("/metadata", "/targets"),
            ("https://host/a/metadata/", "https://host/a/targets"),
            ("https://host/a/", "https://host/a/targets"),
            ("./served", "./served/targets"),
            ("./mymetadata", "./mymetadata/targets"),
            ("file:///a/metadata", "file:///a/targets"),
        ] {
            assert_eq!(targets_of(metadata), targets, "{metadata}");
        }
    }
}
