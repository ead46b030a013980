//! Functions of the caller that fetch bytes.

use std::ffi::c_void;

use crate::bytes::{null, touchmark_bytes};
use crate::failure::Failure;
use crate::sink::touchmark_sink;
use crate::status::{self, TOUCHMARK_STATUS_NOT_FOUND, TOUCHMARK_STATUS_OK, touchmark_status};

/// A function of the caller that fetches a file: appends its bytes, at most `limit`, to `bytes` and returns `TOUCHMARK_STATUS_OK`; returns
/// `TOUCHMARK_STATUS_NOT_FOUND` only if there surely is no such file; or any other status if it could not find out, with
/// `touchmark_sink_fail` saying why. It must not unwind or jump out, and a call out of it on the handle that called it is
/// `TOUCHMARK_STATUS_WRONG_STATE`.
pub type touchmark_fetch_fn =
    Option<unsafe extern "C" fn(userdata: *mut c_void, path: touchmark_bytes, limit: u64, bytes: *mut touchmark_sink) -> touchmark_status>;

/// Such a function with what it is called with.
#[derive(Clone, Copy)]
pub(crate) struct Fetcher {
    fetch: unsafe extern "C" fn(userdata: *mut c_void, path: touchmark_bytes, limit: u64, bytes: *mut touchmark_sink) -> touchmark_status,
    userdata: *mut c_void,
}

/// What came of asking one.
pub(crate) enum Fetched {
    Bytes(Vec<u8>),
    Absent,
    /// It gave more than it was asked for.
    TooLarge,
    /// It failed: its status, and why in words.
    Failed(touchmark_status, String),
}

impl Fetcher {
    /// # Safety
    /// The caller's promise about callbacks, for as long as this is used.
    pub(crate) unsafe fn new(fetch: touchmark_fetch_fn, userdata: *mut c_void, what: &'static str) -> Result<Self, Failure> {
        Ok(Self { fetch: fetch.ok_or_else(|| null(what))?, userdata })
    }

    pub(crate) fn ask(&self, path: &str, limit: u64) -> Fetched {
        let mut sink = touchmark_sink::new(limit);
        let Self { fetch, userdata } = *self;
        // SAFETY: the caller's promise about callbacks, which `new` asks for; the view and the sink live until it returns.
        let status = unsafe { fetch(userdata, touchmark_bytes::of(path.as_bytes()), limit, &raw mut sink) };
        let given = sink.finish();
        match (status, given.message) {
            (TOUCHMARK_STATUS_NOT_FOUND, _) if !given.overflowed => Fetched::Absent,
            // Whatever it returns; the documentation asks for TOUCHMARK_STATUS_TOO_LARGE.
            (_, None) if given.overflowed => Fetched::TooLarge,
            (TOUCHMARK_STATUS_OK, None) => Fetched::Bytes(given.bytes),
            // Who says why it fails has failed, whatever it returns.
            (status, message) => Fetched::Failed(status, message.unwrap_or_else(|| returned(status))),
        }
    }
}

/// What is said of a function that failed and said nothing.
pub(crate) fn returned(status: touchmark_status) -> String {
    match status::name(status) {
        "" => format!("the caller's function returned {status}"),
        name => format!("the caller's function returned {name}"),
    }
}
