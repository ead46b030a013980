//! Canonical JSON.

use touchmark_envelope::canonical;

use crate::buffer::touchmark_buffer;
use crate::bytes::touchmark_bytes;
use crate::call;
use crate::error::touchmark_error;
use crate::status::touchmark_status;

/// The canonical form of a JSON document: what TUF and in-toto sign (SPEC.md, "Canonical JSON").
///
/// `TOUCHMARK_STATUS_MALFORMED_JSON` if it is no JSON, or has no canonical form: a number that is no integer, two members of one name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_canonical_json(
    document: touchmark_bytes,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about views and outs.
    unsafe {
        call::give(out, error, || {
            let document = document.read("document")?;
            Ok(touchmark_buffer::new(canonical::to_vec(document, document.len())?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::touchmark_buffer_bytes;
    use crate::testing::{Seen, failed, made, text, view};

    fn canonical(document: &[u8]) -> Result<String, Seen> {
        // SAFETY: the view and the places are the test's.
        let buffer = made(|out, error| unsafe { touchmark_canonical_json(view(document), out, error) })?;
        // SAFETY: the buffer is not freed yet.
        Ok(text(unsafe { touchmark_buffer_bytes(buffer.0) }))
    }

    #[test]
    fn what_has_a_canonical_form_is_written_and_the_rest_is_refused() {
        assert_eq!(canonical(br#" {"b": 1, "a": "\u00e9"} "#).unwrap(), "{\"a\":\"\u{e9}\",\"b\":1}");
        for (document, code) in
            [(r#"{"a":1.0}"#, "canonical-not-integer"), (r#"{"a":1,"a":2}"#, "json-duplicate-member"), ("", "json-truncated")]
        {
            let (status, found) = failed(canonical(document.as_bytes()));
            assert_eq!((status, found.as_str()), ("MALFORMED_JSON", code), "{document}");
        }
    }

    #[test]
    fn lengths_that_no_memory_has_are_refused_without_a_look() {
        for (document, status) in [
            (touchmark_bytes { ptr: std::ptr::null(), len: 1 }, "NULL_POINTER"),
            (touchmark_bytes { ptr: b"1".as_ptr(), len: usize::MAX }, "INVALID_LENGTH"),
            (touchmark_bytes { ptr: std::ptr::null(), len: 0 }, "MALFORMED_JSON"),
        ] {
            // SAFETY: the places are the test's; what is not to be read is not.
            let refused = made(|out, error| unsafe { touchmark_canonical_json(document, out, error) });
            assert_eq!(failed(refused).0, status);
        }
        // SAFETY: NULL is allowed as a place for the error, and refused for the result.
        let status = unsafe { touchmark_canonical_json(view("1"), std::ptr::null_mut(), std::ptr::null_mut()) };
        assert_eq!(status, crate::status::TOUCHMARK_STATUS_NULL_POINTER);
    }
}
