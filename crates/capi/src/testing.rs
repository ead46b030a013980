//! What the tests of the exported functions share: arguments as C would give them, results as C would see them.

use std::ptr;

use crate::bytes::touchmark_bytes;
use crate::call;
use crate::error::{touchmark_error, touchmark_error_code, touchmark_error_json, touchmark_error_message, touchmark_error_status};
use crate::status::{self, touchmark_status};

/// A view of bytes of the test.
pub(crate) fn view(bytes: impl AsRef<[u8]>) -> touchmark_bytes {
    let bytes = bytes.as_ref();
    touchmark_bytes { ptr: bytes.as_ptr(), len: bytes.len() }
}

/// What a view shows.
pub(crate) fn shown(view: touchmark_bytes) -> Vec<u8> {
    // SAFETY: the view is one that the library gave and whose handle is not freed.
    unsafe { view.read("view") }.unwrap().to_vec()
}

/// What a view shows, as text.
pub(crate) fn text(view: touchmark_bytes) -> String {
    String::from_utf8(shown(view)).unwrap()
}

/// A handle that frees itself.
pub(crate) struct Owned<T>(pub(crate) *mut T);

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the library gave it, and this is its one owner.
        unsafe { call::free(self.0) }
    }
}

/// An error as a test sees it: the status's name, the code, the message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) status: &'static str,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) json: String,
}

/// What a call without a result came to.
pub(crate) fn done(call: impl FnOnce(*mut *mut touchmark_error) -> touchmark_status) -> Result<(), Seen> {
    let mut error = ptr::dangling_mut();
    let status = call(&raw mut error);
    seen(status, error)
}

/// What a call that gives a handle came to.
pub(crate) fn made<T>(call: impl FnOnce(*mut *mut T, *mut *mut touchmark_error) -> touchmark_status) -> Result<Owned<T>, Seen> {
    let (mut out, mut error) = (ptr::dangling_mut(), ptr::dangling_mut());
    let status = call(&raw mut out, &raw mut error);
    let result = seen(status, error);
    assert_eq!(out.is_null(), result.is_err(), "a result is there if and only if the call succeeded");
    result.map(|()| Owned(out))
}

fn seen(status: touchmark_status, error: *mut touchmark_error) -> Result<(), Seen> {
    assert_eq!(error.is_null(), status == 0, "an error is there if and only if the call failed");
    if error.is_null() {
        return Ok(());
    }
    let error = Owned(error);
    // SAFETY: the library gave the error, and it is freed after this.
    unsafe {
        assert_eq!(touchmark_error_status(error.0), status);
        let (code, message, json) = (touchmark_error_code(error.0), touchmark_error_message(error.0), touchmark_error_json(error.0));
        Err(Seen { status: status::name(status), code: text(code), message: text(message), json: text(json) })
    }
}

/// The failure of a call that must not succeed: the status's name and the code.
pub(crate) fn failed<T>(result: Result<T, Seen>) -> (&'static str, String) {
    match result {
        Ok(_) => panic!("it succeeded"),
        Err(seen) => (seen.status, seen.code),
    }
}
