//! What every exported function does around its work: results are zeroed first, panics stop here, failures become errors.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use crate::bytes::{null, touchmark_bytes};
use crate::error::touchmark_error;
use crate::failure::Failure;
use crate::status::{TOUCHMARK_STATUS_OK, TOUCHMARK_STATUS_PANIC, touchmark_status};

/// Does `body`, which has no result.
///
/// # Safety
/// The caller's promise about outs.
pub(crate) unsafe fn run(error: *mut *mut touchmark_error, body: impl FnOnce() -> Result<(), Failure>) -> touchmark_status {
    // SAFETY: the promise that this function asks for.
    unsafe {
        zero(error);
        finish(error, caught(body))
    }
}

/// Does `body` and hands its result to the caller as a handle.
///
/// # Safety
/// The caller's promise about outs.
pub(crate) unsafe fn give<T>(
    out: *mut *mut T,
    error: *mut *mut touchmark_error,
    body: impl FnOnce() -> Result<T, Failure>,
) -> touchmark_status {
    // SAFETY: the promise that this function asks for.
    unsafe {
        zero(error);
        zero(out);
        if out.is_null() {
            return finish(error, Err(null("place for the result")));
        }
        finish(error, caught(|| body().map(Box::new)).map(|made| out.write(Box::into_raw(made))))
    }
}

/// Does `body` and writes its result, a structure by value; `zeroed` is what stands there if it fails.
///
/// # Safety
/// The caller's promise about outs.
pub(crate) unsafe fn fill<T>(
    out: *mut T,
    zeroed: T,
    error: *mut *mut touchmark_error,
    body: impl FnOnce() -> Result<T, Failure>,
) -> touchmark_status {
    // SAFETY: the promise that this function asks for.
    unsafe {
        zero(error);
        if out.is_null() {
            return finish(error, Err(null("place for the result")));
        }
        out.write(zeroed);
        finish(error, caught(body).map(|made| out.write(made)))
    }
}

/// What `read` finds in a handle; `otherwise` for NULL.
///
/// # Safety
/// The caller's promise about handles.
pub(crate) unsafe fn look<T, R: Copy>(handle: *const T, otherwise: R, read: impl FnOnce(&T) -> R) -> R {
    // SAFETY: the promise that this function asks for.
    let handle = unsafe { handle.as_ref() };
    handle.map_or(otherwise, |handle| catch_unwind(AssertUnwindSafe(|| read(handle))).unwrap_or(otherwise))
}

/// A view of what `read` finds in a handle; empty for NULL.
///
/// # Safety
/// The caller's promise about handles.
pub(crate) unsafe fn view<T>(handle: *const T, read: impl FnOnce(&T) -> &[u8]) -> touchmark_bytes {
    // SAFETY: the promise that this function asks for.
    unsafe { look(handle, touchmark_bytes::EMPTY, |handle| touchmark_bytes::of(read(handle))) }
}

/// Frees a handle that [`give`] made. NULL is nothing to free.
///
/// # Safety
/// The caller's promise about handles; and that this is the last use of it.
pub(crate) unsafe fn free<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: every handle was made by `Box::into_raw` in `give`; that it was not freed is the promise that this function asks for.
        let handle = unsafe { Box::from_raw(handle) };
        // Nothing that is dropped panics; if it did, there would be nobody to tell.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(handle)));
    }
}

/// Writes NULL where there is a place for it.
///
/// # Safety
/// The caller's promise about outs.
unsafe fn zero<T>(out: *mut *mut T) {
    if !out.is_null() {
        // SAFETY: the promise that this function asks for.
        unsafe { out.write(ptr::null_mut()) }
    }
}

fn caught<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // What a panic leaves half done is behind a lock, which it poisons (`Exclusive`); all else is not changed by calls.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(panicked(payload.as_ref())))
}

/// The failure that a panic becomes.
fn panicked(payload: &(dyn Any + Send)) -> Failure {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = format!("the library panicked: {}", text.unwrap_or("without a text"));
    Failure::new(TOUCHMARK_STATUS_PANIC, "panic", message).hint("report it; nothing was decided")
}

/// The status of a result, whose failure becomes an error if the caller has a place for one.
///
/// # Safety
/// The caller's promise about outs.
unsafe fn finish(error: *mut *mut touchmark_error, result: Result<(), Failure>) -> touchmark_status {
    let Err(failure) = result else { return TOUCHMARK_STATUS_OK };
    let status = failure.get().status;
    if !error.is_null() {
        let made = Box::into_raw(Box::new(touchmark_error::new(failure)));
        // SAFETY: the promise that this function asks for.
        unsafe { error.write(made) }
    }
    status
}
