//! SLSA verification summaries (predicates/vsa.md; slsa.dev/verification_summary/v1).

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use touchmark_envelope::UnixTime;
use touchmark_envelope::json::Value;
use touchmark_envelope::sorted;

use crate::error::Error;

use super::field::Field;
use super::resource::ResourceDescriptor;

/// The type of the predicate.
pub const TYPE: &str = "https://slsa.dev/verification_summary/v1";

/// That somebody verified the subjects, as what, and by which policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// `verifier.id`: who verified. Whoever signs may do so for particular verifiers only, so that a consumer asks for both together.
    pub verifier: String,
    /// `timeVerified`: when, as the verifier says. Nothing is decided by it.
    pub time_verified: UnixTime,
    /// `resourceUri`: as what the subjects were verified, so that a summary for one package or environment is none for another.
    pub resource_uri: String,
    /// `policy`: what they were held against. It has a `uri`.
    pub policy: ResourceDescriptor,
    /// `inputAttestations`: what was looked at. Each has a `digest`.
    pub input_attestations: Vec<ResourceDescriptor>,
    /// `verificationResult`.
    pub outcome: Outcome,
    /// `verifiedLevels`: the highest level of each track, at most one of each.
    pub verified_levels: Vec<String>,
    /// `dependencyLevels`: how many dependencies there are of each level.
    pub dependency_levels: BTreeMap<String, u64>,
    /// `slsaVersion`: `MAJOR.MINOR`.
    pub slsa_version: Option<String>,
}

/// What came of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `PASSED`.
    Passed,
    /// `FAILED`.
    Failed,
}

impl Outcome {
    /// The word in a summary.
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::Passed => "PASSED",
            Outcome::Failed => "FAILED",
        }
    }
}

/// The level that a failed verification has.
const FAILED: &str = "FAILED";

impl Summary {
    /// One without input attestations, levels of dependencies and a version of SLSA. Levels of a failed verification are `FAILED`.
    ///
    /// # Errors
    /// What would not be read again: an identifier that is no URI, two levels of one track, levels that do not go with the outcome.
    pub fn new(
        outcome: Outcome,
        verifier: &str,
        resource_uri: &str,
        policy: ResourceDescriptor,
        time_verified: UnixTime,
        levels: &[&str],
    ) -> Result<Self, Error> {
        let verified_levels = match outcome {
            Outcome::Failed if levels.is_empty() => alloc::vec![FAILED.to_owned()],
            _ => levels.iter().map(|level| (*level).to_owned()).collect(),
        };
        let (verifier, resource_uri) = (verifier.to_owned(), resource_uri.to_owned());
        let (input_attestations, dependency_levels, slsa_version) = (Vec::new(), BTreeMap::new(), None);
        Self {
            verifier,
            time_verified,
            resource_uri,
            policy,
            input_attestations,
            outcome,
            verified_levels,
            dependency_levels,
            slsa_version,
        }
        .checked()
    }

    /// The statement that says this of `subjects`, as the JSON that is signed: the same bytes for the same summary.
    ///
    /// # Errors
    /// What would not be read again, such as no subject, or one without a digest.
    pub fn statement(&self, subjects: &[ResourceDescriptor]) -> Result<Vec<u8>, Error> {
        super::statement(TYPE, subjects, self.clone().checked()?.to_json())
    }

    /// The same, if it is one that is read.
    fn checked(self) -> Result<Self, Error> {
        let value = self.to_json();
        Self::read(&Field::root(&value))
    }

    pub(super) fn read(field: &Field<'_>) -> Result<Self, Error> {
        let policy = |field: &Field<'_>| match ResourceDescriptor::read(field)? {
            policy if policy.uri.is_some() => Ok(policy),
            _ => Err(field.malformed("a descriptor with a `uri`")),
        };
        let input = |field: &Field<'_>| match ResourceDescriptor::read(field)? {
            input if input.digest.is_some() => Ok(input),
            _ => Err(field.malformed("a descriptor with a `digest`")),
        };
        let outcome = field.member("verificationResult");
        let levels = field.member("verifiedLevels");
        let dependencies = field.member("dependencyLevels");
        let summary = Self {
            verifier: field.member("verifier").member("id").uri()?,
            time_verified: field.member("timeVerified").time()?,
            resource_uri: field.member("resourceUri").uri()?,
            policy: policy(&field.member("policy"))?,
            input_attestations: field.member("inputAttestations").optional_list(input)?,
            outcome: match outcome.string()? {
                "PASSED" => Outcome::Passed,
                "FAILED" => Outcome::Failed,
                _ => return Err(outcome.malformed("PASSED or FAILED")),
            },
            verified_levels: levels.strings()?,
            dependency_levels: dependencies.optional(counts)?.unwrap_or_default(),
            slsa_version: field.member("slsaVersion").optional(version)?,
        };
        let mut tracks = BTreeSet::new();
        let mut track = |level: &str| level.split_once("_LEVEL_").is_none_or(|(track, _)| tracks.insert(track.to_owned()));
        if !summary.verified_levels.iter().all(|level| track(level)) {
            return Err(levels.malformed("a list with at most one level of each track"));
        }
        if summary.outcome == Outcome::Passed && summary.verified_levels.iter().any(|level| level == FAILED) {
            return Err(levels.malformed("a list without FAILED, since the verification passed"));
        }
        Ok(summary)
    }

    fn to_json(&self) -> Value<'static> {
        let list = |all: &[ResourceDescriptor]| Value::from(all.iter().map(ResourceDescriptor::to_json).collect::<Vec<_>>());
        let inputs = (!self.input_attestations.is_empty()).then(|| ("inputAttestations", list(&self.input_attestations)));
        let counts = self.dependency_levels.iter().map(|(level, count)| (level.clone(), Value::from(*count)));
        let counts = (!self.dependency_levels.is_empty()).then(|| ("dependencyLevels", Value::object(counts)));
        let levels: Vec<Value<'static>> = self.verified_levels.iter().cloned().map(Value::from).collect();
        let members = [
            Some(("verifier", Value::object([("id", Value::from(self.verifier.clone()))]))),
            Some(("timeVerified", Value::from(self.time_verified.to_string()))),
            Some(("resourceUri", Value::from(self.resource_uri.clone()))),
            Some(("policy", self.policy.to_json())),
            inputs,
            Some(("verificationResult", Value::from(self.outcome.word()))),
            Some(("verifiedLevels", Value::from(levels))),
            counts,
            self.slsa_version.clone().map(|version| ("slsaVersion", Value::from(version))),
        ];
        Value::object(members.into_iter().flatten())
    }
}

fn counts(field: &Field<'_>) -> Result<BTreeMap<String, u64>, Error> {
    sorted::try_map(field.object()?.iter().map(|(level, _)| Ok((level.to_owned(), field.member(level).number()?))))
}

fn version(field: &Field<'_>) -> Result<String, Error> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match field.string()?.split_once('.') {
        Some((major, minor)) if is_number(major) && is_number(minor) => Ok([major, ".", minor].concat()),
        _ => Err(field.malformed("a version of the form 1.0")),
    }
}
