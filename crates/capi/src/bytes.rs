//! Views of bytes, in and out.

use std::str;

use crate::failure::Failure;
use crate::status::{TOUCHMARK_STATUS_INVALID_LENGTH, TOUCHMARK_STATUS_INVALID_UTF8, TOUCHMARK_STATUS_NULL_POINTER};

/// Bytes that belong to somebody else, by value. Text is UTF-8 and need not end with a NUL.
///
/// As an argument: `ptr` may be NULL if `len` is 0; the bytes are read during the call and not kept.
/// As a result: a view of the handle that it came from, valid until that is freed or, where the function says so, used again.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct touchmark_bytes {
    /// The first byte; NULL if there is none.
    pub ptr: *const u8,
    /// How many there are.
    pub len: usize,
}

/// A key and its value, by value: annotations of a signature, parameters of a layout.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct touchmark_pair {
    /// The key, text.
    pub key: touchmark_bytes,
    /// The value, text.
    pub value: touchmark_bytes,
}

impl touchmark_bytes {
    /// No bytes.
    pub(crate) const EMPTY: Self = Self { ptr: std::ptr::null(), len: 0 };

    /// A view of `bytes`.
    pub(crate) const fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() { Self::EMPTY } else { Self { ptr: bytes.as_ptr(), len: bytes.len() } }
    }

    /// The bytes; `what` they are is for the message.
    ///
    /// # Safety
    /// The caller's promise about views, for as long as the result is used.
    pub(crate) unsafe fn read<'a>(self, what: &'static str) -> Result<&'a [u8], Failure> {
        // SAFETY: the promise that this function asks for.
        unsafe { slice(self.ptr, self.len, what) }
    }

    /// The bytes as text.
    ///
    /// # Safety
    /// The caller's promise about views, for as long as the result is used.
    pub(crate) unsafe fn text<'a>(self, what: &'static str) -> Result<&'a str, Failure> {
        // SAFETY: the promise that this function asks for.
        let bytes = unsafe { self.read(what)? };
        str::from_utf8(bytes).map_err(|error| {
            let message = format!("the {what} is not UTF-8 from byte {} on", error.valid_up_to());
            Failure::new(TOUCHMARK_STATUS_INVALID_UTF8, "invalid-utf8", message)
        })
    }

    /// The bytes as text, and nothing if there are none.
    ///
    /// # Safety
    /// The caller's promise about views, for as long as the result is used.
    pub(crate) unsafe fn optional_text<'a>(self, what: &'static str) -> Result<Option<&'a str>, Failure> {
        // SAFETY: the promise that this function asks for.
        let text = unsafe { self.text(what)? };
        Ok((!text.is_empty()).then_some(text))
    }
}

/// `count` elements from `first` on, once the length is found to be one that memory can have.
///
/// # Safety
/// The caller's promise about views, for as long as the result is used.
pub(crate) unsafe fn slice<'a, T>(first: *const T, count: usize, what: &'static str) -> Result<&'a [T], Failure> {
    if count == 0 {
        return Ok(&[]);
    }
    if first.is_null() {
        return Err(null(what));
    }
    let fits = count.checked_mul(size_of::<T>()).is_some_and(|size| isize::try_from(size).is_ok());
    if !fits {
        let message = format!("the {what} cannot have a length of {count}");
        return Err(Failure::new(TOUCHMARK_STATUS_INVALID_LENGTH, "invalid-length", message));
    }
    if !first.is_aligned() {
        return Err(Failure::argument(format!("the {what} is not aligned")));
    }
    // SAFETY: not NULL, aligned, and of a size that memory can have; that it can be read is the promise that this function asks for.
    Ok(unsafe { std::slice::from_raw_parts(first, count) })
}

/// The failure of a pointer that is NULL.
pub(crate) fn null(what: &str) -> Failure {
    Failure::new(TOUCHMARK_STATUS_NULL_POINTER, "null-pointer", format!("the {what} is NULL"))
}
