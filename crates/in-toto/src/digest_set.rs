//! Digest sets of the attestation framework (digest_set.md), and what it means that two of them match.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use touchmark_envelope::Digest;
use touchmark_envelope::json::Value;
use touchmark_envelope::sorted;

use crate::artifacts::{Digests, is_strong};

/// Digests of one thing, by algorithm: at least one.
///
/// Algorithms that are not known are kept, since a set with another value by the same algorithm is of something else, and are no evidence
/// that two things are one.
#[derive(Clone, PartialEq, Eq)]
pub struct DigestSet {
    /// As [`Digests`] has it.
    text: String,
}

impl DigestSet {
    /// Of pairs of an algorithm and a digest. `None` if there is none, two are by one algorithm, a text is empty or has a NUL, or a digest
    /// by an algorithm that the framework names is not in lower-case hexadecimal.
    pub fn new<'a>(digests: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        let mut pairs: Vec<(&str, &str)> = digests.into_iter().collect();
        sorted::sort(&mut pairs);
        let is_text = |text: &str| !text.is_empty() && !text.contains('\0');
        let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
        let good = |(name, digest): &(&str, &str)| is_text(name) && is_text(digest) && (!is_hexadecimal(name) || is_hex(digest));
        let twice = pairs.windows(2).any(|pair| matches!(pair, [(first, _), (second, _)] if first == second));
        if pairs.is_empty() || twice || !pairs.iter().all(good) {
            return None;
        }
        Some(Self { text: pairs.into_iter().flat_map(|(name, digest)| [name, "\0", digest, "\0"]).collect() })
    }

    /// Of one digest.
    pub fn of(digest: &Digest) -> Self {
        let text = [digest.algorithm().name(), "\0", &digest.hex(), "\0"].concat();
        Self { text }
    }

    /// Reads one, as [`new`](Self::new) wants it.
    pub(crate) fn read(value: &Value<'_>) -> Option<Self> {
        let pairs = value.as_object()?.iter().map(|(name, digest)| Some((name, digest.as_str()?)));
        Self::new(pairs.collect::<Option<Vec<_>>>()?)
    }

    /// The digests.
    pub fn digests(&self) -> Digests<'_> {
        Digests::of_text(&self.text)
    }

    /// Whether both are of one thing: every algorithm that both have has the same digest in both, and at least one of these is strong.
    pub fn matches(&self, other: &Self) -> bool {
        self.digests().match_as_sets(other.digests())
    }

    /// What it could be called by, if nothing else does: `algorithm:digest`, by sha256 if it has that, else by the first strong one.
    pub(crate) fn name(&self) -> Option<String> {
        let strong = || self.digests().iter().filter(|(algorithm, _)| is_strong(algorithm));
        let (algorithm, digest) = strong().find(|(algorithm, _)| *algorithm == "sha256").or_else(|| strong().next())?;
        Some([algorithm, ":", digest].concat())
    }

    /// As it is written.
    pub(crate) fn to_json(&self) -> Value<'static> {
        Value::object(self.digests().iter().map(|(algorithm, digest)| (algorithm.to_owned(), Value::from(digest.to_string()))))
    }
}

impl fmt::Debug for DigestSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.digests().iter()).finish()
    }
}

/// Whether the framework names this algorithm, and says that its digests are in lower-case hexadecimal.
fn is_hexadecimal(algorithm: &str) -> bool {
    let others = ["sha224", "sha512_224", "sha3_224", "shake128", "shake256", "ripemd160", "sm3", "gost", "sha1", "md5"];
    is_strong(algorithm) || others.contains(&algorithm)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(digests: &[(&str, &str)]) -> DigestSet {
        DigestSet::new(digests.iter().copied()).unwrap()
    }

    /// The examples of digest_set.md, and what they leave open.
    #[test]
    fn sets_match_by_what_both_have_and_one_strong_digest_at_least() {
        let both = set(&[("sha512", "1234"), ("sha256", "abcd")]);
        assert!(both.matches(&set(&[("sha256", "abcd")])));
        assert!(!set(&[("sha256", "abcd")]).matches(&set(&[("sha256", "fedb"), ("sha512", "abcd")])));
        assert!(!both.matches(&set(&[("sha256", "abcd"), ("sha512", "1235")])));
        let arn = set(&[("arn", "arn:aws:ec2:region:123:image/ami-123abcd")]);
        assert!(!arn.matches(&arn), "nobody can recompute it");
        let md5 = set(&[("md5", "00")]);
        assert!(!md5.matches(&md5));
    }

    #[test]
    fn what_is_no_set_of_digests_is_refused() {
        for bad in [&[][..], &[("sha256", "")], &[("", "00")], &[("sha256", "AB")], &[("sha256", "xy")], &[("md5", "x")], &[("a\0", "b")]] {
            assert!(DigestSet::new(bad.iter().copied()).is_none(), "{bad:?}");
        }
        assert!(DigestSet::new([("sha256", "00"), ("sha256", "01")]).is_none());
        assert!(DigestSet::new([("somecoolhash", "ABCD")]).is_some());
        assert!(DigestSet::read(&Value::object([("sha256", 1_u64)])).is_none());
    }

    #[test]
    fn a_thing_without_a_name_is_called_by_its_digest() {
        assert_eq!(set(&[("gitCommit", "0a"), ("sha256", "0b")]).name().unwrap(), "sha256:0b");
        assert_eq!(set(&[("gitCommit", "0a"), ("md5", "0b")]).name().unwrap(), "gitCommit:0a");
        assert_eq!(set(&[("md5", "0b")]).name(), None);
    }
}
