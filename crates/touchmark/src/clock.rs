use std::time::{SystemTime, UNIX_EPOCH};

use touchmark_envelope::UnixTime;

/// The time by the system's clock.
///
/// # Errors
/// The clock stands before 1970 or after 9999: an unknown time is never "not expired".
pub fn now() -> Result<UnixTime, ClockError> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| ClockError)?;
    i64::try_from(since.as_secs()).ok().and_then(UnixTime::from_seconds).ok_or(ClockError)
}

/// The system's clock is not set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system's clock stands outside the years 1970 to 9999; set it, or give the time")]
pub struct ClockError;
