//! Parts of paths that others wrote: what is the name of one file or folder, and leads nowhere else.

use std::path::{Path, PathBuf};

use touchmark_in_toto::name::is_segment;
use touchmark_oci::error::Error as StoreError;
use touchmark_oci::files;

/// Whether a segment of a path is the name of one file or folder here. Elsewhere than on Windows, `acme/nm:stable` is a fine one.
pub(crate) fn is_one_name(segment: &str) -> bool {
    if cfg!(windows) { is_segment(segment) } else { !matches!(segment, "" | "." | "..") && !segment.contains(['/', '\0']) }
}

/// Where `path` leads below `root`, if all folders on the way are there. It never leads out of it.
pub(crate) fn below(root: &Path, path: &str) -> Result<Option<PathBuf>, StoreError> {
    let mut place = root.to_owned();
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        if !is_one_name(segment) {
            return Ok(None);
        }
        place.push(segment);
        if segments.peek().is_some() && !files::is_folder(&place)? {
            return Ok(None);
        }
    }
    Ok(Some(place))
}
