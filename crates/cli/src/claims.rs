//! The options that say what is signed besides the digest.

use touchmark::sign::{Claim, Lifetime};
use touchmark::{Name, UnixTime};
use touchmark_verify::exit::Exit;
use touchmark_verify::options;
use touchmark_verify::output::Failure;

/// What a signature says besides the artifact's digest.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What is signed")]
pub(crate) struct Claims {
    /// The name that the publisher owns, such as `acme/net-monitor:1.2.0`
    #[arg(long, value_name = "NAME[:VERSION]")]
    pub(crate) name: Option<Name>,
    /// When the signature stops counting: a time (RFC 3339) or a duration such as 90d, 12h, 30m, 2w
    #[arg(long, value_name = "TIME|DURATION", value_parser = lifetime)]
    pub(crate) expires: Option<Lifetime>,
    /// The time that the signature says it was made, if not now: builds that are to give the same bytes need it
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "add_to")]
    pub(crate) issued: Option<UnixTime>,
    /// A signed annotation; may be repeated
    #[arg(long = "annotation", value_name = "KEY=VALUE", value_parser = options::annotation)]
    pub(crate) annotations: Vec<(String, String)>,
}

impl Claims {
    /// The claim for the library.
    pub(crate) fn claim(&self) -> Claim {
        Claim { name: self.name.clone(), lifetime: self.expires, annotations: self.annotations.iter().cloned().collect() }
    }

    /// When the signature says that it was made.
    ///
    /// # Errors
    /// The clock is unusable, or the time that was given lies ahead of it.
    pub(crate) fn issued(&self) -> Result<UnixTime, Failure> {
        let now = touchmark::now().map_err(|error| Failure::new(Exit::Unknown, "clock", error.to_string()))?;
        match self.issued {
            Some(issued) if issued > now => Err(Failure::usage(format!("--issued {issued} is later than now, {now}"))),
            Some(issued) => Ok(issued),
            None => Ok(now),
        }
    }
}

/// Reads a time.
fn time(text: &str) -> Result<UnixTime, String> {
    UnixTime::parse_rfc3339(text).map_err(|_| "it is a time such as 2026-11-30T12:00:00Z".to_owned())
}

/// Reads a time or a duration.
fn lifetime(text: &str) -> Result<Lifetime, String> {
    if let Ok(time) = UnixTime::parse_rfc3339(text) {
        return Ok(Lifetime::Until(time));
    }
    let wrong = || "it is a time such as 2026-11-30T12:00:00Z, or a duration: a whole number and m, h, d or w".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let factor = match unit {
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(wrong()),
    };
    let digits = text.strip_suffix(unit).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit())).ok_or_else(wrong)?;
    let seconds = digits.parse::<i64>().ok().and_then(|count| count.checked_mul(factor)).filter(|seconds| *seconds > 0);
    seconds.map(Lifetime::Seconds).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_durations() {
        assert_eq!(lifetime("90d"), Ok(Lifetime::Seconds(7_776_000)));
        assert_eq!(lifetime("30m"), Ok(Lifetime::Seconds(1_800)));
        assert_eq!(lifetime("2w"), Ok(Lifetime::Seconds(1_209_600)));
        assert!(matches!(lifetime("2099-01-01T00:00:00Z"), Ok(Lifetime::Until(_))));
        for bad in
            ["", "d", "90", "0d", "-1d", "+1d", "1.5d", "90 d", "90s", "1y", "99999999999999999999d", "9223372036854775807w", "2099-01-01"]
        {
            assert!(lifetime(bad).is_err(), "{bad}");
        }
    }
}
