//! Names that publishers own.

use touchmark_envelope::Name;

use crate::bytes::touchmark_bytes;
use crate::call;
use crate::error::touchmark_error;
use crate::failure::Failure;
use crate::status::touchmark_status;

/// Whether a text is a NAME or NAME:VERSION as publishers sign them (SPEC.md, "Names and versions"): `TOUCHMARK_STATUS_INVALID_NAME` if not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_name_check(name: touchmark_bytes, error: *mut *mut touchmark_error) -> touchmark_status {
    // SAFETY: the caller's promises about views and outs.
    unsafe { call::run(error, || read(name).map(|_| ())) }
}

/// A NAME or NAME:VERSION.
///
/// # Safety
/// The caller's promise about views.
pub(crate) unsafe fn read(name: touchmark_bytes) -> Result<Name, Failure> {
    // SAFETY: the promise that this function asks for.
    Ok(unsafe { name.text("name")? }.parse::<Name>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{done, failed, view};

    #[test]
    fn names_are_those_of_the_specification() {
        // SAFETY: the view and the place are the test's.
        let check = |name: &[u8]| done(|error| unsafe { touchmark_name_check(view(name), error) });
        assert!(check(b"acme/x").is_ok() && check(b"acme/x:1.0").is_ok());
        for bad in ["", "acme", "Acme/x", "acme/x:", "acme/x:*", "acme//x"] {
            assert_eq!(failed(check(bad.as_bytes())), ("INVALID_NAME", "name-invalid".to_owned()), "{bad}");
        }
        assert_eq!(failed(check(b"acme/\xff")).0, "INVALID_UTF8");
    }
}
