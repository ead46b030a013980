//! What an entry or a seal says of one artifact, and whether that is this one.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::digest::Digests;
use touchmark_envelope::{Digest, UnixTime};

/// What a role vouches for under a name: one artifact by its digests, and what else must hold for it (SPEC.md, "Entries and seals").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The manifest's size in bytes. Nothing has 0 of them: that is a name which was withdrawn.
    pub length: u64,
    /// The manifest's digests, at least one; every one must be that of the bytes.
    pub hashes: Vec<Digest>,
    /// What it says of them.
    pub details: Details,
}

/// What `x-touchmark` says of an artifact that an entry or a seal names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The manifest's media type, if one is demanded.
    pub media_type: Option<String>,
    /// From when on it no longer counts. It can only restrict.
    pub expires: Option<UnixTime>,
    /// What else the publisher says.
    pub annotations: BTreeMap<String, String>,
}

/// What is held against a claim.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) digests: &'a Digests,
    pub(crate) media_type: &'a str,
    /// Annotations that the caller asks for.
    pub(crate) annotations: &'a BTreeMap<String, String>,
    pub(crate) at: UnixTime,
}

/// Why a claim is not for this artifact, or not any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unmet {
    /// The name was withdrawn.
    #[error("the name was withdrawn")]
    Withdrawn,
    /// It names another artifact.
    #[error("it is for the artifact {listed}")]
    Other {
        /// The artifact that it names.
        listed: Digest,
    },
    /// It has this digest, and other digests or another length beside it.
    #[error("one of its digests, or its length, is not the artifact's")]
    Contradiction,
    /// Another media type.
    #[error("it is for the media type {listed:?}, not {found:?}")]
    MediaType {
        /// What it says.
        listed: String,
        /// The artifact's.
        found: String,
    },
    /// It has expired.
    #[error("it expired at {expires}, and the time is {at}, {} later", at.after(*expires))]
    Expired {
        /// When.
        expires: UnixTime,
        /// The time of the verification.
        at: UnixTime,
    },
    /// An annotation that was asked for is missing, or has another value.
    #[error("it does not have the annotation {key:?} with the value that was asked for")]
    Annotation {
        /// The annotation.
        key: String,
    },
}

impl Unmet {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Unmet::Withdrawn => "withdrawn",
            Unmet::Other { .. } | Unmet::Contradiction => "other-artifact",
            Unmet::MediaType { .. } => "media-type",
            Unmet::Expired { .. } => "expired",
            Unmet::Annotation { .. } => "annotation",
        }
    }
}

impl Claim {
    /// Whether it is for what was found, all of it.
    pub(crate) fn check(&self, found: Found<'_>) -> Result<(), Unmet> {
        let Some(first) = self.hashes.first().copied().filter(|_| self.length > 0) else { return Err(Unmet::Withdrawn) };
        let same = |digest: &Digest| found.digests.contain(digest);
        if !self.hashes.iter().any(same) {
            return Err(Unmet::Other { listed: first });
        }
        if !self.hashes.iter().all(same) || self.length != found.digests.size() {
            return Err(Unmet::Contradiction);
        }
        if let Some(listed) = self.details.media_type.as_ref().filter(|listed| *listed != found.media_type) {
            return Err(Unmet::MediaType { listed: listed.clone(), found: found.media_type.into() });
        }
        match self.details.expires {
            Some(expires) if found.at >= expires => return Err(Unmet::Expired { expires, at: found.at }),
            _ => {}
        }
        match found.annotations.iter().find(|(key, value)| self.details.annotations.get(*key) != Some(value)) {
            Some((key, _)) => Err(Unmet::Annotation { key: key.clone() }),
            None => Ok(()),
        }
    }

    /// Whether it is for the artifact that `other` describes, as far as both say: no digest, length or media type of the one is another in the
    /// other, and they share a digest.
    pub(crate) fn describes(&self, other: &Claim, at: UnixTime) -> Result<(), Unmet> {
        let Some(first) = self.hashes.first().copied().filter(|_| self.length > 0) else { return Err(Unmet::Withdrawn) };
        if other.length == 0 || !self.hashes.iter().any(|hash| other.hashes.contains(hash)) {
            return Err(Unmet::Other { listed: first });
        }
        let differs = |hash: &Digest| other.hashes.iter().any(|known| known.algorithm() == hash.algorithm() && known != hash);
        if self.length != other.length || self.hashes.iter().any(differs) {
            return Err(Unmet::Contradiction);
        }
        match (&self.details.media_type, &other.details.media_type) {
            (Some(listed), Some(found)) if listed != found => {
                return Err(Unmet::MediaType { listed: listed.clone(), found: found.clone() });
            }
            _ => {}
        }
        match self.details.expires {
            Some(expires) if at >= expires => Err(Unmet::Expired { expires, at }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_envelope::digest::Algorithm;

    const TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_seconds(seconds).unwrap()
    }

    fn claim(bytes: &[u8]) -> Claim {
        let hashes = Algorithm::ALL.map(|algorithm| algorithm.digest(bytes)).to_vec();
        let annotations = BTreeMap::from([("channel".into(), "stable".into())]);
        Claim { length: 4, hashes, details: Details { media_type: Some(TYPE.into()), expires: Some(at(100)), annotations } }
    }

    fn check(claim: &Claim, bytes: &[u8], asked: &[(&str, &str)], seconds: i64) -> Result<(), &'static str> {
        let annotations = asked.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let found = Found { digests: &Digests::of(bytes), media_type: TYPE, annotations: &annotations, at: at(seconds) };
        claim.check(found).map_err(|unmet| unmet.code())
    }

    #[test]
    fn a_claim_is_for_the_artifact_that_has_every_digest_and_the_length() {
        let honest = claim(b"good");
        assert_eq!(check(&honest, b"good", &[], 99), Ok(()));
        assert_eq!(check(&honest, b"evil", &[], 99), Err("other-artifact"));
        let mut one_false = honest.clone();
        one_false.hashes[1] = Algorithm::Sha512.digest(b"evil");
        assert_eq!(check(&one_false, b"good", &[], 99), Err("other-artifact"));
        let mut one = honest.clone();
        one.hashes.truncate(1);
        assert_eq!(check(&one, b"good", &[], 99), Ok(()));
        let longer = Claim { length: 5, ..honest };
        assert_eq!(check(&longer, b"good", &[], 99), Err("other-artifact"));
    }

    #[test]
    fn a_claim_is_for_what_another_describes_if_nothing_of_it_differs() {
        let describes = |one: &Claim, other: &Claim| one.describes(other, at(99)).map_err(|unmet| unmet.code());
        let honest = claim(b"good");
        assert_eq!(describes(&honest, &honest), Ok(()));
        let mut one = honest.clone();
        one.hashes.truncate(1);
        assert_eq!((describes(&one, &honest), describes(&honest, &one)), (Ok(()), Ok(())));
        let mut other_hash = honest.clone();
        other_hash.hashes[1] = Algorithm::Sha512.digest(b"evil");
        let longer = Claim { length: 5, ..honest.clone() };
        let withdrawn = Claim { length: 0, ..honest.clone() };
        for other in [&claim(b"evil"), &other_hash, &longer] {
            assert_eq!(describes(&honest, other), Err("other-artifact"));
        }
        assert_eq!((describes(&withdrawn, &honest), describes(&honest, &withdrawn)), (Err("withdrawn"), Err("other-artifact")));
        let mut other_type = honest.clone();
        other_type.details.media_type = Some("application/vnd.oci.image.index.v1+json".into());
        assert_eq!(describes(&honest, &other_type), Err("media-type"));
        assert_eq!(honest.describes(&honest, at(100)).map_err(|unmet| unmet.code()), Err("expired"));
    }

    #[test]
    fn nothing_is_the_artifact_of_a_withdrawn_name() {
        let hashes = Algorithm::ALL.map(|algorithm| algorithm.digest(b"")).to_vec();
        let withdrawn = Claim { length: 0, hashes, details: Details::default() };
        assert_eq!(check(&withdrawn, b"", &[], 0), Err("withdrawn"));
        assert_eq!(check(&withdrawn, b"good", &[], 0), Err("withdrawn"));
        let hashless = Claim { hashes: Vec::new(), ..claim(b"good") };
        assert_eq!(check(&hashless, b"good", &[], 0), Err("withdrawn"));
    }

    #[test]
    fn media_type_expiry_and_annotations_restrict() {
        let honest = claim(b"good");
        assert_eq!(check(&honest, b"good", &[], 100), Err("expired"));
        assert_eq!(check(&honest, b"good", &[("channel", "stable")], 99), Ok(()));
        assert_eq!(check(&honest, b"good", &[("channel", "beta")], 99), Err("annotation"));
        assert_eq!(check(&honest, b"good", &[("other", "stable")], 99), Err("annotation"));
        let mut other_type = honest;
        other_type.details.media_type = Some("application/vnd.oci.image.index.v1+json".into());
        assert_eq!(check(&other_type, b"good", &[], 99), Err("media-type"));
    }
}
