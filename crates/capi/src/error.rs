//! Errors as handles.

use std::sync::OnceLock;

use crate::bytes::touchmark_bytes;
use crate::call;
use crate::failure::Failure;
use crate::status::{TOUCHMARK_STATUS_OK, touchmark_status};

/// Why a call failed. Immutable; any number of threads may look at one.
pub struct touchmark_error {
    failure: Failure,
    /// Made when it is first asked for.
    json: OnceLock<Vec<u8>>,
}

impl touchmark_error {
    pub(crate) fn new(failure: Failure) -> Self {
        Self { failure, json: OnceLock::new() }
    }
}

/// The status that the call returned; `TOUCHMARK_STATUS_OK` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_error_status(error: *const touchmark_error) -> touchmark_status {
    // SAFETY: the caller's promise about handles.
    unsafe { call::look(error, TOUCHMARK_STATUS_OK, |error| error.failure.get().status) }
}

/// A stable word for the reason, finer than the status, as in the command line's JSON: `tuf-expired`. A view of the error; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_error_code(error: *const touchmark_error) -> touchmark_bytes {
    // SAFETY: the caller's promise about handles.
    unsafe { call::view(error, |error| error.failure.get().code.as_bytes()) }
}

/// What failed, for people, in one line. It may quote what came from outside, without its control characters. A view of the error; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_error_message(error: *const touchmark_error) -> touchmark_bytes {
    // SAFETY: the caller's promise about handles.
    unsafe { call::view(error, |error| error.failure.get().message.as_bytes()) }
}

/// The error as a JSON object: `{"status", "code", "message", "hint", "retryable"}`; `hint` is null where there is none. `callback_status`
/// is the status that a function of the caller returned, where that is the reason; `report` is all that was found, where a decision
/// refused. A view of the error; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_error_json(error: *const touchmark_error) -> touchmark_bytes {
    // SAFETY: the caller's promise about handles.
    unsafe { call::view(error, |error| error.json.get_or_init(|| error.failure.to_json().to_vec())) }
}

/// Frees an error. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_error_free(error: *mut touchmark_error) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(error) }
}
