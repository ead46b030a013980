//! Bytes that the caller owns.

use zeroize::Zeroizing;

use crate::bytes::touchmark_bytes;
use crate::call;

/// Bytes that the caller owns: freed by it, read by any number of threads.
pub struct touchmark_buffer(Content);

enum Content {
    Plain(Vec<u8>),
    /// Wiped when freed.
    #[cfg_attr(not(feature = "sign"), allow(dead_code, reason = "without private keys there are no secrets"))]
    Secret(Zeroizing<Vec<u8>>),
}

impl touchmark_buffer {
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Content::Plain(bytes.into()))
    }

    #[cfg(feature = "sign")]
    pub(crate) fn secret(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(Content::Secret(bytes))
    }
}

/// The bytes. A view of the buffer; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_buffer_bytes(buffer: *const touchmark_buffer) -> touchmark_bytes {
    // SAFETY: the caller's promise about handles.
    unsafe {
        call::view(buffer, |buffer| match &buffer.0 {
            Content::Plain(bytes) => bytes,
            Content::Secret(bytes) => bytes,
        })
    }
}

/// Frees a buffer, and wipes it if it holds a secret. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_buffer_free(buffer: *mut touchmark_buffer) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(buffer) }
}
