//! When a request is sent again, and after how long (RFC 9110, 10.2.3 and 15.5; RFC 6585, 4).

use std::time::{Duration, Instant, SystemTime};

use touchmark_envelope::UnixTime;

use super::authorization::Patience;
use super::response::Response;
use crate::error::Error;

/// The longest pause that a server may ask for; when it asks for a longer one the request has failed.
const LONGEST: Duration = Duration::from_secs(30);

/// The first pause that the client makes of its own; each next one is twice as long.
pub(super) const FIRST: Duration = Duration::from_millis(250);

/// A request that failed, and whether another try may help.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) again: Again,
    /// Whether something else than HTTP came back, or the end of the connection: the server may speak TLS.
    pub(super) garbled: bool,
    /// Whether the server speaks TLS with a certificate that is not trusted.
    pub(super) certificate: bool,
}

/// When to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// Not: it would fail in the same way.
    Never,
    /// After a pause.
    Later,
    /// After at least this time: the server said so.
    After(Duration),
}

impl Failure {
    pub(super) fn new(error: Error, again: Again) -> Self {
        Self { error, again, garbled: false, certificate: false }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(error, Again::Never)
    }
}

/// An answer that is a failure.
pub(super) fn refused(response: Response) -> Failure {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
    let now = now.and_then(|since| UnixTime::from_seconds(i64::try_from(since.as_secs()).ok()?));
    let again = match response.header("retry-after").and_then(|value| after(value, now)) {
        _ if !passes(response.status()) => Again::Never,
        Some(pause) => Again::After(pause),
        None => Again::Later,
    };
    Failure::new(response.into_error(), again)
}

/// The pauses between the tries of one request.
#[derive(Debug)]
pub(super) struct Tries {
    left: u32,
    pause: Duration,
    /// No try begins then any more.
    until: Option<Instant>,
}

impl Tries {
    pub(super) fn of(patience: Patience) -> Self {
        Self { left: patience.retries, pause: patience.pause, until: patience.until }
    }

    /// How long to pause before the next try, or the error if there is none.
    pub(super) fn next(&mut self, failure: Failure) -> Result<Duration, Error> {
        let asked = match failure.again {
            Again::Never => return Err(failure.error),
            Again::Later => Duration::ZERO,
            Again::After(asked) if asked > LONGEST => return Err(with_advice(failure.error, asked)),
            Again::After(asked) => asked,
        };
        let Some(left) = self.left.checked_sub(1) else { return Err(failure.error) };
        self.left = left;
        let pause = self.pause;
        self.pause = pause.saturating_mul(2).min(LONGEST);
        // Clients that failed together do not come back together.
        let pause = asked.max(pause).saturating_add(jitter(pause));
        match self.until {
            // Nothing comes of waiting for a try that cannot begin.
            Some(until) if until.saturating_duration_since(Instant::now()) <= pause => Err(failure.error),
            _ => Ok(pause),
        }
    }
}

/// Up to half of `pause`, at random.
fn jitter(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(0);
    pause.saturating_mul(random >> 24) / 512
}

fn with_advice(error: Error, asked: Duration) -> Error {
    let advice = format!("try again in {} s", asked.as_secs());
    match error {
        Error::Status { url, status, code, message } => {
            let message = Some(message.map_or_else(|| advice.clone(), |message| format!("{message}; {advice}")));
            Error::Status { url, status, code, message }
        }
        other => other,
    }
}

/// Whether a status may be another one soon.
fn passes(status: u16) -> bool {
    matches!(status, 429 | 500 | 502 | 503 | 504)
}

/// What `Retry-After` says (RFC 9110, 10.2.3): seconds, or a date, which is compared with `now`.
fn after(value: &str, now: Option<UnixTime>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let seconds = http_date(value)?.seconds().checked_sub(now?.seconds())?;
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// RFC 9110, 5.6.7: the form that is written, `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<UnixTime> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = text.split_once(", ")?;
    let mut parts = rest.split(' ');
    let (day, month, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if parts.next() != Some("GMT") || parts.next().is_some() {
        return None;
    }
    let month = MONTHS.iter().position(|known| *known == month)?.checked_add(1)?;
    UnixTime::parse_signed(&format!("{year}-{month:02}-{day}T{time}Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn four() -> Tries {
        Tries { left: 4, pause: FIRST, until: None }
    }

    fn failure(again: Again) -> Failure {
        Failure::new(Error::Status { url: "GET x".to_owned(), status: 429, code: None, message: None }, again)
    }

    #[test]
    fn pauses_grow_and_end() {
        let mut tries = four();
        let pauses: Vec<Duration> = (0..4).map(|_| tries.next(failure(Again::Later)).unwrap()).collect();
        for (number, pause) in (0..).zip(&pauses) {
            let least = FIRST * 2_u32.pow(number);
            assert!(*pause >= least && *pause < least * 3 / 2, "{pauses:?}");
        }
        assert!(tries.next(failure(Again::Later)).is_err());
        assert!(four().next(failure(Again::Never)).is_err());
    }

    #[test]
    fn nobody_waits_for_a_try_that_would_begin_too_late() {
        let within = |seconds| Tries { until: Instant::now().checked_add(Duration::from_secs(seconds)), ..four() };
        let asked = || failure(Again::After(Duration::from_secs(20)));
        assert!(within(0).next(failure(Again::Later)).is_err());
        assert!(within(10).next(asked()).is_err());
        assert!(within(3600).next(asked()).is_ok());
    }

    #[test]
    fn the_server_names_the_pause_within_bounds() {
        let mut tries = four();
        let pause = tries.next(failure(Again::After(Duration::from_secs(30)))).unwrap();
        assert!(pause >= LONGEST && pause <= LONGEST + FIRST / 2);
        let error = tries.next(failure(Again::After(Duration::from_secs(31)))).unwrap_err();
        assert_eq!(error.to_string(), "GET x: 429: try again in 31 s");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = UnixTime::parse_signed("1994-11-06T08:49:30Z").ok();
        let seconds = |value| after(value, now).map(|pause| pause.as_secs());
        assert_eq!(seconds("7"), Some(7));
        assert_eq!(seconds(" 0 "), Some(0));
        assert_eq!(seconds("99999999999999999999999999"), Some(u64::MAX));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(7));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:17 GMT"), Some(0));
        for wrong in
            ["", "-1", "1.5", "soon", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT"]
        {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
