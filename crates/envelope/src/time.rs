//! Points in time. The trust crates never ask a clock; the caller gives the time.

use alloc::format;
use core::fmt;

/// Seconds since 1970-01-01T00:00:00Z, without leap seconds. Shown in RFC 3339 form with `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i64);

/// 9999-12-31T23:59:59Z, the last time that RFC 3339 can write.
const LAST: i64 = 253_402_300_799;

impl UnixTime {
    /// The time this many seconds after 1970 began; `None` before that, and after the year 9999.
    pub const fn from_seconds(seconds: i64) -> Option<Self> {
        if seconds < 0 || seconds > LAST { None } else { Some(Self(seconds)) }
    }

    /// Seconds since 1970 began.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// This time and `seconds` more; `None` where that leaves the years 1970 to 9999.
    pub const fn plus(self, seconds: i64) -> Option<Self> {
        match self.0.checked_add(seconds) {
            Some(sum) => Self::from_seconds(sum),
            None => None,
        }
    }

    /// How long after `earlier` this is, in the largest whole unit: `3 days`, `1 hour`. `0 seconds` for what is not after it.
    pub fn after(self, earlier: Self) -> impl fmt::Display {
        let seconds = self.0.saturating_sub(earlier.0).max(0);
        let (count, unit) = match seconds {
            ..60 => (seconds, "second"),
            60..3_600 => (seconds / 60, "minute"),
            3_600..86_400 => (seconds / 3_600, "hour"),
            _ => (seconds / 86_400, "day"),
        };
        format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
    }

    /// Reads exactly `YYYY-MM-DDTHH:MM:SSZ`, the form that signed documents use (TUF 1.0, 4.2.1; RFC 3339 with `Z`).
    ///
    /// # Errors
    /// Any other form, and days that no calendar has. A leap second (`:60`) is refused.
    pub fn parse_signed(text: &str) -> Result<Self, TimeError> {
        if text.len() != 20 || !text.ends_with('Z') {
            return Err(TimeError);
        }
        Self::parse_rfc3339(text)
    }

    /// Reads any RFC 3339 time from 1970 on, such as a user types: an offset is applied, a fraction of a second dropped.
    ///
    /// # Errors
    /// Another form, a day that no calendar has, or a time outside the years 1970 to 9999.
    pub fn parse_rfc3339(text: &str) -> Result<Self, TimeError> {
        let bytes = text.as_bytes();
        let digits = |from: usize, to: usize| -> Result<i64, TimeError> {
            let mut value = 0;
            for byte in bytes.get(from..to).ok_or(TimeError)? {
                if !byte.is_ascii_digit() {
                    return Err(TimeError);
                }
                value = value * 10 + i64::from(byte - b'0');
            }
            Ok(value)
        };
        let expect = |at: usize, wanted: u8| match bytes.get(at) {
            Some(found) if *found == wanted => Ok(()),
            _ => Err(TimeError),
        };
        let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
        let (hour, minute, second) = (digits(11, 13)?, digits(14, 16)?, digits(17, 19)?);
        for (at, wanted) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
            expect(at, wanted)?;
        }
        let days_in_month = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            _ => return Err(TimeError),
        };
        if day < 1 || day > days_in_month || hour > 23 || minute > 59 || second > 59 {
            return Err(TimeError);
        }
        let mut at = 19;
        if bytes.get(at) == Some(&b'.') {
            let start = at + 1;
            at = start;
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            if at == start {
                return Err(TimeError);
            }
        }
        let offset = match bytes.get(at) {
            Some(b'Z') => {
                at += 1;
                0
            }
            Some(sign @ (b'+' | b'-')) => {
                let (hours, minutes) = (digits(at + 1, at + 3)?, digits(at + 4, at + 6)?);
                expect(at + 3, b':')?;
                if hours > 23 || minutes > 59 {
                    return Err(TimeError);
                }
                at += 6;
                let seconds = hours * 3600 + minutes * 60;
                if *sign == b'+' { seconds } else { -seconds }
            }
            _ => return Err(TimeError),
        };
        if at != bytes.len() {
            return Err(TimeError);
        }
        let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
        Self::from_seconds(seconds - offset).ok_or(TimeError)
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        f.pad(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
    }
}

/// A text that is no time in the asked form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time is written like 2026-11-30T12:00:00Z (RFC 3339)")]
pub struct TimeError;

// Both directions count in eras of 400 years (146,097 days) from March, so that the leap day comes last.

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_ago_is_told_in_the_largest_unit() {
        let time = |seconds| UnixTime::from_seconds(seconds).unwrap();
        let told = [
            (0, "0 seconds"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (7_199, "1 hour"),
            (172_799, "1 day"),
            (31_536_000, "365 days"),
        ];
        for (seconds, words) in told {
            assert_eq!(time(1_000_000 + seconds).after(time(1_000_000)).to_string(), words);
        }
        assert_eq!(time(1).after(time(9)).to_string(), "0 seconds");
    }

    use alloc::string::ToString;

    #[test]
    fn known_times() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2026-11-23T23:28:00Z", 1_795_476_480),
            ("9999-12-31T23:59:59Z", LAST),
        ] {
            let time = UnixTime::parse_signed(text).unwrap();
            assert_eq!(time.seconds(), seconds, "{text}");
            assert_eq!(time.to_string(), text);
        }
    }

    #[test]
    fn every_day_round_trips() {
        for day in (0..=LAST / 86_400).step_by(13) {
            let time = UnixTime::from_seconds(day * 86_400 + day % 86_400).unwrap();
            assert_eq!(UnixTime::parse_signed(&time.to_string()), Ok(time));
        }
    }

    #[test]
    fn offsets_and_fractions_are_for_people_only() {
        let offset = "2021-12-18T13:28:12.99008-06:00";
        assert_eq!(UnixTime::parse_rfc3339(offset).unwrap().to_string(), "2021-12-18T19:28:12Z");
        assert_eq!(UnixTime::parse_signed(offset), Err(TimeError));
    }

    #[test]
    fn malformed_times_are_refused() {
        for bad in [
            "",
            "2026",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00z",
            "2026-01-01T00:00:00Zx",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+2:00",
            "1969-12-31T23:59:59Z",
            "+026-01-01T00:00:00Z",
        ] {
            assert_eq!(UnixTime::parse_rfc3339(bad), Err(TimeError), "{bad}");
        }
    }
}
