//! Paths of files and folders.

use std::path::PathBuf;

use crate::bytes::touchmark_bytes;
use crate::failure::Failure;

/// A path, as text that is UTF-8 on every platform. An empty one is none: it would be the working directory, or a file in it, which nobody named.
///
/// # Safety
/// The caller's promise about views.
pub(crate) unsafe fn path(path: touchmark_bytes, what: &'static str) -> Result<PathBuf, Failure> {
    // SAFETY: the promise that this function asks for.
    Ok(PathBuf::from(unsafe { text(path, what)? }))
}

/// As [`path`], the text.
///
/// # Safety
/// The caller's promise about views, for as long as the result is used.
pub(crate) unsafe fn text<'a>(path: touchmark_bytes, what: &'static str) -> Result<&'a str, Failure> {
    // SAFETY: the promise that this function asks for.
    match unsafe { path.text(what)? } {
        "" => Err(Failure::argument(format!("the {what} is empty"))),
        text if text.contains('\0') => Err(Failure::argument(format!("the {what} has a NUL in it, which no path has"))),
        text => Ok(text),
    }
}
