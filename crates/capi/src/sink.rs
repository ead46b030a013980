//! How a function of the caller gives bytes to the library.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::bytes::touchmark_bytes;
use crate::failure::Failure;
use crate::status::{
    TOUCHMARK_STATUS_NULL_POINTER, TOUCHMARK_STATUS_OK, TOUCHMARK_STATUS_PANIC, TOUCHMARK_STATUS_TOO_LARGE, touchmark_status,
};

/// Where a function of the caller puts what it was asked for. Valid while that function runs, and only there.
pub struct touchmark_sink {
    bytes: Vec<u8>,
    /// At most so many bytes are taken.
    limit: u64,
    overflowed: bool,
    message: Option<String>,
}

/// What a function of the caller left behind.
pub(crate) struct Given {
    /// The bytes that it gave.
    pub(crate) bytes: Vec<u8>,
    /// Whether it gave more than was asked for.
    pub(crate) overflowed: bool,
    /// What it said of its failure.
    pub(crate) message: Option<String>,
}

/// At most so many bytes of a message are kept.
const MAX_MESSAGE: usize = 4096;

impl touchmark_sink {
    pub(crate) fn new(limit: u64) -> Self {
        Self { bytes: Vec::new(), limit, overflowed: false, message: None }
    }

    pub(crate) fn finish(self) -> Given {
        Given { bytes: self.bytes, overflowed: self.overflowed, message: self.message }
    }

    fn append(&mut self, more: &[u8]) -> touchmark_status {
        let total = self.bytes.len().checked_add(more.len()).and_then(|total| u64::try_from(total).ok());
        if self.overflowed || total.is_none_or(|total| total > self.limit) {
            self.overflowed = true;
            return TOUCHMARK_STATUS_TOO_LARGE;
        }
        self.bytes.extend_from_slice(more);
        TOUCHMARK_STATUS_OK
    }

    fn fail(&mut self, message: &[u8]) -> touchmark_status {
        let shown = message.get(..MAX_MESSAGE).unwrap_or(message);
        self.message = Some(String::from_utf8_lossy(shown).into_owned());
        TOUCHMARK_STATUS_OK
    }
}

/// Appends bytes. `TOUCHMARK_STATUS_TOO_LARGE` once there are more than were asked for: nothing of what was given is then used, and the
/// function should return that status.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_sink_append(sink: *mut touchmark_sink, bytes: touchmark_bytes) -> touchmark_status {
    // SAFETY: the caller's promises about handles and views; a sink is used by the one function that it was given to.
    unsafe { with(sink, bytes, touchmark_sink::append) }
}

/// Says why the function fails, in the caller's words; it then returns another status than `TOUCHMARK_STATUS_OK`. The last message counts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_sink_fail(sink: *mut touchmark_sink, message: touchmark_bytes) -> touchmark_status {
    // SAFETY: the caller's promises about handles and views; a sink is used by the one function that it was given to.
    unsafe { with(sink, message, touchmark_sink::fail) }
}

/// Hands the bytes of a view to a sink.
///
/// # Safety
/// The caller's promises about handles and views; and that nobody else uses the sink.
unsafe fn with(
    sink: *mut touchmark_sink,
    bytes: touchmark_bytes,
    put: impl FnOnce(&mut touchmark_sink, &[u8]) -> touchmark_status,
) -> touchmark_status {
    // SAFETY: the promises that this function asks for.
    let (sink, bytes) = unsafe { (sink.as_mut(), bytes.read("bytes")) };
    let Some(sink) = sink else { return TOUCHMARK_STATUS_NULL_POINTER };
    let put = |failure: Result<&[u8], Failure>| failure.map_or_else(|failure| failure.get().status, |bytes| put(sink, bytes));
    catch_unwind(AssertUnwindSafe(|| put(bytes))).unwrap_or(TOUCHMARK_STATUS_PANIC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::view;

    #[test]
    fn a_sink_takes_no_more_than_was_asked_for() {
        let mut sink = touchmark_sink::new(3);
        let mut append = |bytes: &str| {
            // SAFETY: the sink and the view are the test's.
            unsafe { touchmark_sink_append(&raw mut sink, view(bytes)) }
        };
        assert_eq!([append("ab"), append(""), append("c")], [TOUCHMARK_STATUS_OK; 3]);
        assert_eq!([append("d"), append("")], [TOUCHMARK_STATUS_TOO_LARGE; 2]);
        let given = sink.finish();
        assert!(given.overflowed && given.bytes == b"abc");
    }

    #[test]
    fn a_message_is_kept_up_to_a_length_and_as_text() {
        let mut sink = touchmark_sink::new(0);
        for message in [b"first".to_vec(), [b"\xffsecond".to_vec(), vec![b'x'; MAX_MESSAGE]].concat()] {
            // SAFETY: the sink and the view are the test's.
            assert_eq!(unsafe { touchmark_sink_fail(&raw mut sink, view(&message)) }, TOUCHMARK_STATUS_OK);
        }
        let message = sink.finish().message.unwrap();
        assert!(message.starts_with("\u{fffd}second") && message.len() == MAX_MESSAGE + 2);
        // SAFETY: NULL is refused.
        assert_eq!(unsafe { touchmark_sink_append(std::ptr::null_mut(), view("a")) }, TOUCHMARK_STATUS_NULL_POINTER);
    }
}
