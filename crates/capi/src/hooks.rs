//! What tests need, in no header and no release.

use crate::call;
use crate::error::touchmark_error;
use crate::status::touchmark_status;

/// Panics inside the library.
///
/// cbindgen:ignore
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_test_panic(error: *mut *mut touchmark_error) -> touchmark_status {
    // SAFETY: the caller's promise about outs.
    unsafe { call::run(error, || panic_here()) }
}

#[expect(clippy::panic, reason = "it is what the hook is for")]
fn panic_here() -> ! {
    panic!("a test asked for it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{done, failed};

    #[test]
    fn a_panic_becomes_a_status() {
        // SAFETY: the place is the test's.
        let panicked = done(|error| unsafe { touchmark_test_panic(error) });
        assert_eq!(failed(panicked), ("PANIC", "panic".to_owned()));
        // SAFETY: NULL is allowed.
        assert_eq!(unsafe { touchmark_test_panic(std::ptr::null_mut()) }, crate::status::TOUCHMARK_STATUS_PANIC);
    }
}
