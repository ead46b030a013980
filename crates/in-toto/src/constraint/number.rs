//! Numbers of JSON, compared as the numbers that they are: exactly, whatever they are written like.

use core::cmp::Ordering;

use touchmark_envelope::json::Number;

/// A decimal number: 0.DIGITS times ten to the power of `exponent`. Zero has no digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exact<'a> {
    negative: bool,
    exponent: i64,
    /// The digits before the point and those behind it, the first and the last of all of which are not zero.
    digits: [&'a str; 2],
}

impl<'a> Exact<'a> {
    /// `None` if its exponent is beyond what anybody means.
    pub(super) fn of(number: &'a Number<'_>) -> Option<Self> {
        let text = number.as_str();
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
        let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let power: i64 = power.strip_prefix('+').unwrap_or(power).parse().ok()?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let length = |text: &str| i64::try_from(text.len()).ok();
        let (digits, shift) = match (whole, fraction) {
            ("", "") => return Some(Self { negative: false, exponent: 0, digits: ["", ""] }),
            ("", fraction) => {
                let digits = fraction.trim_start_matches('0');
                (["", digits], length(digits)? - length(fraction)?)
            }
            (whole, "") => ([whole.trim_end_matches('0'), ""], length(whole)?),
            (whole, fraction) => ([whole, fraction], length(whole)?),
        };
        Some(Self { negative, exponent: power.checked_add(shift)?, digits })
    }

    fn is_zero(&self) -> bool {
        self.digits == ["", ""]
    }

    fn signum(&self) -> i8 {
        match (self.is_zero(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let all = |number: &Self| {
            let [whole, fraction] = number.digits;
            whole.bytes().chain(fraction.bytes())
        };
        // What is longer is greater, since no number ends in a zero.
        let magnitude = || self.exponent.cmp(&other.exponent).then_with(|| all(self).cmp(all(other)));
        self.signum().cmp(&other.signum()).then_with(|| match self.signum() {
            0 => Ordering::Equal,
            1 => magnitude(),
            _ => magnitude().reverse(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_envelope::json::{Value, parse};

    fn compare(one: &str, other: &str) -> Option<Ordering> {
        let number = |text: &'static str| match parse(text.as_bytes(), 1000).unwrap() {
            Value::Number(number) => number,
            _ => panic!("{text}"),
        };
        let leak = |text: &str| -> &'static str { alloc::boxed::Box::leak(text.to_owned().into_boxed_str()) };
        let (one, other) = (number(leak(one)), number(leak(other)));
        Some(Exact::of(&one)?.compare(&Exact::of(&other)?))
    }

    use alloc::borrow::ToOwned;

    #[test]
    fn numbers_are_what_they_are_and_not_what_they_are_written_like() {
        for (one, other) in [
            ("1", "1.0"),
            ("1", "10e-1"),
            ("100", "1E2"),
            ("0.001", "1e-3"),
            ("12.50", "1250e-2"),
            ("0", "-0"),
            ("0", "0.00e99"),
            ("-0.10", "-1e-1"),
            ("9007199254740993", "9007199254740993.0"),
        ] {
            assert_eq!(compare(one, other), Some(Ordering::Equal), "{one} {other}");
        }
        for (less, greater) in [
            ("1", "2"),
            ("9", "10"),
            ("-10", "-9"),
            ("-1", "0"),
            ("-1", "1"),
            ("0", "1e-300"),
            ("0.1", "0.11"),
            ("99", "100"),
            ("9007199254740992", "9007199254740993"),
            ("1e-2", "0.1"),
            ("7.05", "7.5"),
            ("18446744073709551616", "18446744073709551617"),
        ] {
            assert_eq!(compare(less, greater), Some(Ordering::Less), "{less} {greater}");
            assert_eq!(compare(greater, less), Some(Ordering::Greater), "{greater} {less}");
        }
        assert_eq!(compare("1e99999999999999999999", "1"), None);
        assert_eq!(compare("1e9223372036854775807", "1"), None);
    }
}
