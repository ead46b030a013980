//! Times, which every call that decides is given.

use touchmark_envelope::UnixTime;

use crate::failure::Failure;
use crate::status::TOUCHMARK_STATUS_INVALID_TIME;

/// The time of a decision. Zero and less are refused, so that a forgotten clock decides nothing.
pub(crate) fn time(seconds: i64, what: &'static str) -> Result<UnixTime, Failure> {
    let time = if seconds > 0 { UnixTime::from_seconds(seconds) } else { None };
    time.ok_or_else(|| {
        let message = format!("the {what} is {seconds}; it is seconds since 1970, above 0 and not after the year 9999");
        Failure::new(TOUCHMARK_STATUS_INVALID_TIME, "invalid-time", message)
    })
}
