//! When a document is renewed, and when its maintainers are warned.

use touchmark_envelope::UnixTime;

/// How long documents of a role live, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime(u64);

/// How a document stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Age {
    /// In the first half.
    Fresh,
    /// In the second half: whoever renews it by a job does so now, and has as long again to repair the job if it fails.
    Due,
    /// In the last quarter: whoever renews it by hand is warned.
    Late,
    /// It is over: no client takes it.
    Expired,
}

impl Lifetime {
    /// A day.
    pub const DAY: Self = Self(86_400);

    /// So many days; `None` for none, or for more than a hundred years.
    pub const fn days(days: u64) -> Option<Self> {
        if days == 0 || days > 36_525 { None } else { Some(Self(days * 86_400)) }
    }

    /// So many seconds; `None` for none.
    pub fn seconds(seconds: u64) -> Option<Self> {
        (seconds > 0).then_some(Self(seconds))
    }

    /// In seconds.
    pub fn as_seconds(self) -> u64 {
        self.0
    }

    /// When a document that is made `now` expires; `None` beyond the year 9999.
    pub fn from(self, now: UnixTime) -> Option<UnixTime> {
        now.plus(i64::try_from(self.0).ok()?)
    }

    /// How a document that `expires` then stands `now`.
    pub fn age(self, expires: UnixTime, now: UnixTime) -> Age {
        let left = u64::try_from(expires.seconds() - now.seconds()).unwrap_or(0);
        match left {
            0 => Age::Expired,
            left if left <= self.0 / 4 => Age::Late,
            left if left <= self.0 / 2 => Age::Due,
            _ => Age::Fresh,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_has_a_half_and_a_last_quarter() {
        let life = Lifetime::seconds(400).unwrap();
        let born = UnixTime::from_seconds(1000).unwrap();
        let expires = life.from(born).unwrap();
        for (after, age) in [
            (0, Age::Fresh),
            (199, Age::Fresh),
            (200, Age::Due),
            (299, Age::Due),
            (300, Age::Late),
            (399, Age::Late),
            (400, Age::Expired),
            (9000, Age::Expired),
        ] {
            assert_eq!(life.age(expires, born.plus(after).unwrap()), age, "{after}");
        }
        assert!(Lifetime::days(0).is_none() && Lifetime::seconds(0).is_none());
    }
}
