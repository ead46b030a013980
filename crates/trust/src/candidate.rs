use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use touchmark_envelope::Digest;
use touchmark_envelope::dsse::DsseError;
use touchmark_envelope::json::{self, Object, Value};
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::manifest::ManifestError;
use touchmark_envelope::signature::Mismatch;
use touchmark_envelope::statement::StatementError;
use touchmark_in_toto::constraint::Unmet;

use crate::need::Failure;

/// A piece of evidence that was looked at, and what became of it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The digest of the referrer's manifest; `None` for an envelope that the caller gave.
    pub referrer: Option<Digest>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a candidate.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It counts, for these keys.
    Counted {
        /// The keys that signed it.
        keys: Vec<PublicKey>,
    },
    /// It does not count.
    Failed(Reason),
    /// It could not be had, or not be looked at within the limits; it might have counted.
    Unknown(Reason),
}

/// Why a candidate does not count, or could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The source did not give its manifest or its envelope.
    #[error("{0}")]
    Unavailable(Failure),
    /// Its manifest is malformed.
    #[error("its manifest is malformed: {}", in_our_words(.0))]
    Manifest(#[from] ManifestError),
    /// The manifest's subject is not the artifact, or missing.
    #[error("its manifest does not refer to this artifact")]
    OtherSubject,
    /// A signature's or attestation's manifest has one layer, the envelope.
    #[error("its manifest does not have exactly one layer of the envelope's media type")]
    Layers,
    /// An envelope that has not the digest or the size that its manifest says.
    #[error("its envelope is not of the digest and size that its manifest says")]
    OtherEnvelope,
    /// Its envelope is malformed.
    #[error("its envelope is malformed: {}", envelope_in_our_words(.0))]
    Envelope(DsseError),
    /// Too large, or with too many signatures, for the limits.
    #[error("{what} exceeds the limit of {limit}; raise it with {option}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// The command line's option.
        option: &'static str,
    },
    /// It has so many signatures without a keyid that helps that not every one was tried with every key.
    #[error("it has too many signatures without a keyid to try them all: {checks} checks found no given key; give fewer keys")]
    Untried {
        /// How many checks were made.
        checks: usize,
    },
    /// Its payload type is not in-toto's.
    #[error("its payload type is not {}", touchmark_envelope::dsse::IN_TOTO)]
    PayloadType,
    /// Its statement is malformed.
    #[error("{0}")]
    Statement(#[from] StatementError),
    /// None of the policy's keys signed it.
    #[error("none of the given keys signed it")]
    NoKey,
    /// A given key signed it, and it does not say what was asked.
    #[error("{mismatch}")]
    Mismatch {
        /// The keys that signed it.
        keys: Vec<PublicKey>,
        /// What it does not satisfy.
        mismatch: Box<Mismatch>,
    },
    /// A given key signed it, and its predicate does not say what was asked.
    #[error("its predicate does not meet what is asked: {}", unmet_in_a_line(.unmet))]
    Unmet {
        /// The keys that signed it.
        keys: Vec<PublicKey>,
        /// What its predicate does not meet.
        unmet: Vec<Unmet>,
    },
    /// A given key signed it, and its predicate cannot be held against what was asked.
    #[error("its predicate cannot be read: {error}")]
    Predicate {
        /// The keys that signed it.
        keys: Vec<PublicKey>,
        /// What is wrong with it.
        error: String,
    },
}

impl Reason {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Reason::Unavailable(failure) => failure.code(),
            Reason::Manifest(_) | Reason::Layers | Reason::OtherEnvelope | Reason::Envelope(_) | Reason::Statement(_) => "malformed",
            Reason::OtherSubject => "other-artifact",
            Reason::Limit { .. } | Reason::Untried { .. } => "limit",
            Reason::PayloadType => "payload-type",
            Reason::NoKey => "no-key",
            Reason::Mismatch { mismatch, .. } => mismatch.code(),
            Reason::Unmet { .. } => "unmet",
            Reason::Predicate { .. } => "malformed",
        }
    }

    /// The keys that signed a statement which does not say what was asked.
    pub fn keys(&self) -> &[PublicKey] {
        match self {
            Reason::Mismatch { keys, .. } | Reason::Unmet { keys, .. } | Reason::Predicate { keys, .. } => keys,
            _ => &[],
        }
    }
}

impl Candidate {
    /// The candidate as JSON: `{referrer, outcome, keys, reason: {code, message}}`. No text in it is from bytes that no given key
    /// signed; what a source says of its own failures is the source's.
    pub fn to_json(&self) -> Value<'static> {
        let (outcome, keys, reason) = match &self.outcome {
            Outcome::Counted { keys } => ("counted", keys.as_slice(), None),
            Outcome::Failed(reason) => ("rejected", reason.keys(), Some(reason)),
            Outcome::Unknown(reason) => ("unknown", reason.keys(), Some(reason)),
        };
        let mut object = Object::new();
        object.insert("referrer", self.referrer.map_or(Value::Null, |digest| Value::from(alloc::format!("{digest}"))));
        object.insert("outcome", Value::from(outcome));
        object.insert("keys", key_ids(keys));
        if let Some(reason) = reason {
            let message = alloc::format!("{reason}");
            object.insert("reason", Value::object([("code", Value::from(reason.code())), ("message", Value::from(message))]));
        }
        Value::from(object)
    }
}

/// What is not met, as far as a line holds it.
fn unmet_in_a_line(unmet: &[Unmet]) -> String {
    let told: Vec<String> = unmet.iter().take(3).map(ToString::to_string).collect();
    let more = unmet.len().saturating_sub(told.len());
    match more {
        0 => told.join("; "),
        more => alloc::format!("{}; and {more} more", told.join("; ")),
    }
}

/// What is wrong with a manifest that nobody vouches for, without a word of its own: reports must not carry a stranger's text.
pub(crate) fn in_our_words(error: &ManifestError) -> String {
    match error {
        ManifestError::Json(error) => json_in_our_words(error),
        ManifestError::MediaType { .. } => "its mediaType is unknown or contradicts its members".to_string(),
        // The others consist of our own words.
        error => error.to_string(),
    }
}

fn envelope_in_our_words(error: &DsseError) -> String {
    match error {
        DsseError::Json(error) => json_in_our_words(error),
        error => error.to_string(),
    }
}

fn json_in_our_words(error: &json::Error) -> String {
    alloc::format!("{} at byte {}", error.code(), error.offset)
}

/// The keys as the identifiers that Touchmark writes.
pub(crate) fn key_ids(keys: &[PublicKey]) -> Value<'static> {
    Value::from(keys.iter().map(|key| Value::from(key.key_id().into_string())).collect::<Vec<_>>())
}
