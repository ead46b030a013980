//! Why a step's need could not be met, as the caller says it.

use crate::failure::Failure;

/// It is not there.
pub const TOUCHMARK_FAILURE_NOT_FOUND: u32 = 1;
/// It could not be read or reached.
pub const TOUCHMARK_FAILURE_UNAVAILABLE: u32 = 2;
/// Whoever has it refuses to give it.
pub const TOUCHMARK_FAILURE_DENIED: u32 = 3;
/// It has more bytes than were asked for.
pub const TOUCHMARK_FAILURE_TOO_LARGE: u32 = 4;
/// What is there is nothing that may be there.
pub const TOUCHMARK_FAILURE_MALFORMED: u32 = 5;

/// Bytes of a message of the caller that are kept.
const MAX_MESSAGE: usize = 4096;

/// What a number of the caller says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    NotFound,
    Unavailable,
    Denied,
    TooLarge,
    Malformed,
}

impl Missing {
    pub(crate) fn from_number(number: u32) -> Result<Self, Failure> {
        Ok(match number {
            TOUCHMARK_FAILURE_NOT_FOUND => Self::NotFound,
            TOUCHMARK_FAILURE_UNAVAILABLE => Self::Unavailable,
            TOUCHMARK_FAILURE_DENIED => Self::Denied,
            TOUCHMARK_FAILURE_TOO_LARGE => Self::TooLarge,
            TOUCHMARK_FAILURE_MALFORMED => Self::Malformed,
            other => return Err(Failure::argument(format!("{other} names no failure: TOUCHMARK_FAILURE_..."))),
        })
    }
}

/// What the caller says of it in words, as far as that is kept.
pub(crate) fn said(message: &[u8]) -> String {
    String::from_utf8_lossy(message.get(..MAX_MESSAGE).unwrap_or(message)).into_owned()
}

/// What was asked for, if the answer is one to that; `next` is the function that asks.
pub(crate) fn take<T>(asked: &mut Option<T>, is_for: impl FnOnce(&T) -> bool, next: &'static str) -> Result<T, Failure> {
    if asked.is_none() {
        return Err(Failure::state(format!("nothing was asked for; call {next} first")));
    }
    asked.take_if(|asked| is_for(asked)).ok_or_else(|| Failure::state("something else was asked for"))
}

/// A number that says yes or no.
pub(crate) fn flag(number: u32) -> Result<bool, Failure> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Failure::argument(format!("{other} is neither 0 nor 1"))),
    }
}
