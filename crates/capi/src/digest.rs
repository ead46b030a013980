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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::touchmark_buffer_bytes;
    use crate::testing::{Owned, Seen, done, failed, made, text, view};

    fn finish(hasher: &Owned<touchmark_hasher>) -> Result<String, Seen> {
        // SAFETY: the hasher is not freed yet, nor is the buffer; the places are the test's.
        unsafe {
            let digest = made(|out, error| touchmark_hasher_finish(hasher.0, out, error))?;
            Ok(text(touchmark_buffer_bytes(digest.0)))
        }
    }

    fn hasher(algorithm: u32) -> Result<Owned<touchmark_hasher>, Seen> {
        // SAFETY: the places are the test's.
        made(|out, error| unsafe { touchmark_hasher_new(algorithm, out, error) })
    }

    #[test]
    fn pieces_have_the_digest_of_the_whole() {
        for algorithm in [TOUCHMARK_DIGEST_SHA256, TOUCHMARK_DIGEST_SHA512] {
            // SAFETY: the views and places are the test's, the handles are not freed yet.
            unsafe {
                let whole = made(|out, error| touchmark_digest(algorithm, view("abc"), out, error)).unwrap();
                let pieces = hasher(algorithm).unwrap();
                for piece in ["a", "", "bc"] {
                    done(|error| touchmark_hasher_update(pieces.0, view(piece), error)).unwrap();
                }
                assert_eq!(finish(&pieces).unwrap(), text(touchmark_buffer_bytes(whole.0)));
            }
        }
        let known = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let abc = hasher(TOUCHMARK_DIGEST_SHA256).unwrap();
        // SAFETY: the hasher is not freed yet, the view and the place are the test's.
        done(|error| unsafe { touchmark_hasher_update(abc.0, view("abc"), error) }).unwrap();
        assert_eq!(finish(&abc).unwrap(), known);
    }

    #[test]
    fn a_finished_hasher_takes_nothing_more() {
        let hasher = hasher(TOUCHMARK_DIGEST_SHA256).unwrap();
        finish(&hasher).unwrap();
        assert_eq!(failed(finish(&hasher)).0, "WRONG_STATE");
        // SAFETY: the hasher is not freed yet, the view and the place are the test's.
        let update = done(|error| unsafe { touchmark_hasher_update(hasher.0, view("a"), error) });
        assert_eq!(failed(update).0, "WRONG_STATE");
    }

    #[test]
    fn an_algorithm_that_is_none_is_refused() {
        for number in [0, 3, u32::MAX] {
            assert_eq!(failed(hasher(number)).0, "INVALID_ARGUMENT");
            // SAFETY: the view and the places are the test's.
            let digest = made(|out, error| unsafe { touchmark_digest(number, view("a"), out, error) });
            assert_eq!(failed(digest).0, "INVALID_ARGUMENT");
        }
        // SAFETY: NULL is refused.
        let null = done(|error| unsafe { touchmark_hasher_update(std::ptr::null_mut(), view("a"), error) });
        assert_eq!(failed(null).0, "NULL_POINTER");
    }
}
