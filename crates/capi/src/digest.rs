//! Digests, at once and streamed.

use touchmark_envelope::digest::{Algorithm, Hasher};

use crate::array::handle;
use crate::buffer::touchmark_buffer;
use crate::bytes::touchmark_bytes;
use crate::call;
use crate::error::touchmark_error;
use crate::exclusive::Exclusive;
use crate::failure::Failure;
use crate::status::touchmark_status;

/// SHA-256.
pub const TOUCHMARK_DIGEST_SHA256: u32 = 1;
/// SHA-512.
pub const TOUCHMARK_DIGEST_SHA512: u32 = 2;

/// Computes a digest piece by piece. One call at a time.
pub struct touchmark_hasher(Exclusive<Option<Hasher>>);

fn algorithm(number: u32) -> Result<Algorithm, Failure> {
    match number {
        TOUCHMARK_DIGEST_SHA256 => Ok(Algorithm::Sha256),
        TOUCHMARK_DIGEST_SHA512 => Ok(Algorithm::Sha512),
        other => Err(Failure::argument(format!("{other} names no algorithm: TOUCHMARK_DIGEST_..."))),
    }
}

/// The digest of bytes as text: `sha256:` and lower-case hexadecimal.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_digest(
    digest_algorithm: u32,
    bytes: touchmark_bytes,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about views and outs.
    unsafe {
        call::give(out, error, || {
            let digest = algorithm(digest_algorithm)?.digest(bytes.read("bytes")?);
            Ok(touchmark_buffer::new(digest.to_string()))
        })
    }
}

/// A hasher that has seen nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_hasher_new(
    digest_algorithm: u32,
    out: *mut *mut touchmark_hasher,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promise about outs.
    unsafe { call::give(out, error, || Ok(touchmark_hasher(Exclusive::new(Some(Hasher::new(algorithm(digest_algorithm)?)))))) }
}

/// Takes in the next bytes. `TOUCHMARK_STATUS_WRONG_STATE` once it has been finished.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_hasher_update(
    hasher: *mut touchmark_hasher,
    bytes: touchmark_bytes,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::run(error, || {
            let mut state = handle(hasher, "hasher")?.0.enter()?;
            let bytes = bytes.read("bytes")?;
            state.as_mut().ok_or_else(finished)?.update(bytes);
            Ok(())
        })
    }
}

/// The digest of all that was taken in, as text. `TOUCHMARK_STATUS_WRONG_STATE` the second time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_hasher_finish(
    hasher: *mut touchmark_hasher,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::give(out, error, || {
            let state = handle(hasher, "hasher")?.0.enter()?.take();
            Ok(touchmark_buffer::new(state.ok_or_else(finished)?.finish().to_string()))
        })
    }
}

/// Frees a hasher. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_hasher_free(hasher: *mut touchmark_hasher) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(hasher) }
}

fn finished() -> Failure {
    Failure::state("the hasher has been finished")
}
