//! Targets that a TUF client found.

use touchmark_envelope::json::Value;
use touchmark_tuf::{Found, TargetPath};

use crate::array::handle;
use crate::buffer::touchmark_buffer;
use crate::bytes::touchmark_bytes;
use crate::call;
use crate::error::touchmark_error;
use crate::failure::Failure;
use crate::status::{TOUCHMARK_STATUS_INVALID_NAME, TOUCHMARK_STATUS_NOT_VERIFIED, touchmark_status};

/// What a TUF repository says of a target. Immutable; any number of threads may use one.
pub struct touchmark_tuf_target {
    pub(crate) target: TargetPath,
    pub(crate) found: Found,
    /// Whether its file has its digest in its name.
    pub(crate) consistent: bool,
}

impl touchmark_tuf_target {
    /// TUF 1.0, 5.7: the length, and every digest that is listed.
    fn check(&self, bytes: &[u8]) -> Result<(), Failure> {
        let (target, listed) = (&self.target, &self.found.target);
        let other = |code, what: String| Err(Failure::new(TOUCHMARK_STATUS_NOT_VERIFIED, code, format!("{target}: {what}")));
        if u64::try_from(bytes.len()) != Ok(listed.length) {
            return other("target-length", format!("it has {} bytes, and {} are listed", bytes.len(), listed.length));
        }
        if listed.hashes.is_empty() {
            return other("target-no-digest", "no digest of it is listed".to_owned());
        }
        match listed.hashes.iter().find(|digest| digest.algorithm().digest(bytes) != **digest) {
            Some(digest) => other("target-hash", format!("its {} is not the one listed", digest.algorithm())),
            None => Ok(()),
        }
    }
}

/// The path of a target.
///
/// # Safety
/// The caller's promise about views.
pub(crate) unsafe fn path(path: touchmark_bytes) -> Result<TargetPath, Failure> {
    // SAFETY: the promise that this function asks for.
    let text = unsafe { path.text("path of a target")? };
    TargetPath::new(text).map_err(|error| Failure::new(TOUCHMARK_STATUS_INVALID_NAME, "target-path-invalid", error.to_string()))
}

/// Its length in bytes; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_tuf_target_length(target: *const touchmark_tuf_target) -> u64 {
    // SAFETY: the caller's promise about handles.
    unsafe { call::look(target, 0, |target| target.found.target.length) }
}

/// The role that lists it. A view of the target; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_tuf_target_role(target: *const touchmark_tuf_target) -> touchmark_bytes {
    // SAFETY: the caller's promise about handles.
    unsafe { call::view(target, |target| target.found.role.as_str().as_bytes()) }
}

/// Where its file is below the URL of the targets: segments, percent-encoded, with slashes between them; with consistent snapshots the name of
/// the file begins with its first digest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_tuf_target_fetch_path(
    target: *const touchmark_tuf_target,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::give(out, error, || {
            let target = handle(target, "target")?;
            let digest = target.found.target.hashes.first().filter(|_| target.consistent);
            Ok(touchmark_buffer::new(target.target.fetch_path(digest)))
        })
    }
}

/// Whether these are its bytes, by the length and every digest that is listed: `TOUCHMARK_STATUS_NOT_VERIFIED` if not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_tuf_target_check(
    target: *const touchmark_tuf_target,
    bytes: touchmark_bytes,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe { call::run(error, || handle(target, "target")?.check(bytes.read("bytes")?)) }
}

/// The target as JSON: `{"target", "role", "length", "hashes"}`, the hashes in hexadecimal by their algorithms.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_tuf_target_to_json(
    target: *const touchmark_tuf_target,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::give(out, error, || {
            let target = handle(target, "target")?;
            Ok(touchmark_buffer::new(Value::Object(target.found.to_json(&target.target)).to_vec()))
        })
    }
}

/// Frees a target. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_tuf_target_free(target: *mut touchmark_tuf_target) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(target) }
}
