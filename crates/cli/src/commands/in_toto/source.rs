//! Layouts that their authors work on.

use std::path::Path;

use touchmark::in_toto::{LayoutFile, Limits};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::Failure;

use crate::places;

/// Reads a layout, signed or not.
pub(super) fn read(path: &Path) -> Result<LayoutFile, Failure> {
    let bytes = places::read_file(path, "the in-toto layout", Limits::default().file)?;
    LayoutFile::parse(&bytes)
        .map_err(|error| Failure::new(Exit::Malformed, error.code(), format!("{}: no in-toto layout: {error}", path.display())))
}
