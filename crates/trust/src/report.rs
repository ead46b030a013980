use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::fmt;

use touchmark_envelope::json::{Object, Value};
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::manifest::{Descriptor, ManifestError};
use touchmark_envelope::name::Wanted;
use touchmark_envelope::signature::Said;
use touchmark_envelope::{Digest, Name, UnixTime};

use crate::candidate::{Candidate, Outcome, key_ids};
use crate::need::Failure;
use crate::standing::{NoSigners, Standing, Unmet};

/// An artifact that a policy accepts, and how it came to. Only a [`Search`](crate::Search) makes one.
#[derive(Clone, Debug)]
pub struct Artifact {
    pub(crate) descriptor: Descriptor,
    pub(crate) covered_by: Option<Descriptor>,
    pub(crate) accepted: Vec<Accepted>,
    pub(crate) wanted: Option<Wanted>,
    pub(crate) needed: usize,
    pub(crate) at: UnixTime,
    pub(crate) hashed: Option<usize>,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) accepted_by: AcceptedBy,
    pub(crate) standing: Option<Standing>,
}

/// By what an artifact was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcceptedBy {
    /// Signatures of the keys that the caller gave.
    Keys,
    /// Signatures of the keys of a role that accepts by envelope. Which of several artifacts signed under one name is the newest, they do not
    /// say.
    Envelopes {
        /// The role.
        role: String,
    },
    /// An entry for the name, which is the newest as long as the metadata is.
    Entry {
        /// The role that lists it.
        role: String,
    },
    /// A seal: what was accepted by envelopes before keys were changed.
    Seal {
        /// The role that sealed it.
        role: String,
    },
}

impl AcceptedBy {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            AcceptedBy::Keys | AcceptedBy::Envelopes { .. } => "envelopes",
            AcceptedBy::Entry { .. } => "entry",
            AcceptedBy::Seal { .. } => "seal",
        }
    }

    /// The role of the trust metadata, if it decided.
    pub fn role(&self) -> Option<&str> {
        match self {
            AcceptedBy::Keys => None,
            AcceptedBy::Envelopes { role } | AcceptedBy::Entry { role } | AcceptedBy::Seal { role } => Some(role),
        }
    }

    /// Whether an older artifact of the name would have been refused.
    pub fn is_rollback_protected(&self) -> bool {
        matches!(self, AcceptedBy::Entry { .. })
    }
}

/// A statement that counted, and for a key that no earlier one had counted for.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub(crate) referrer: Option<Digest>,
    pub(crate) keys: Vec<PublicKey>,
    pub(crate) said: Said,
    pub(crate) statement: Vec<u8>,
}

impl Accepted {
    /// The referrer's manifest; `None` for an envelope that the caller gave.
    pub fn referrer(&self) -> Option<&Digest> {
        self.referrer.as_ref()
    }

    /// The keys that signed it.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// What it says.
    pub fn said(&self) -> &Said {
        &self.said
    }

    /// The statement itself, as it was signed.
    pub fn statement(&self) -> &[u8] {
        &self.statement
    }

    /// The statement as JSON: `{predicate_type, name, claimed_issued, expires, annotations, keys, referrer}`.
    pub fn to_json(&self) -> Value<'static> {
        let text = |value: Option<String>| value.map_or(Value::Null, Value::from);
        Value::object([
            ("predicate_type", Value::from(self.said.predicate_type.clone())),
            ("name", text(self.said.name.as_ref().map(ToString::to_string))),
            ("claimed_issued", text(self.said.issued.map(|time| time.to_string()))),
            ("expires", text(self.said.expires.map(|time| time.to_string()))),
            ("annotations", Value::from(Object::from_map(&self.said.annotations))),
            ("keys", key_ids(&self.keys)),
            ("referrer", text(self.referrer.map(|digest| digest.to_string()))),
        ])
    }
}

impl Artifact {
    /// The manifest: its media type, digest, size and artifact type, all from the bytes.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The signed index whose signatures decided, from its bytes, where the artifact's own did not.
    pub fn covered_by(&self) -> Option<&Descriptor> {
        self.covered_by.as_ref()
    }

    /// What was said and counted; the keys of all are at least as many as needed for each predicate type.
    pub fn accepted(&self) -> &[Accepted] {
        &self.accepted
    }

    /// The name that was asked for; `None` if the name was not checked.
    pub fn wanted(&self) -> Option<&Wanted> {
        self.wanted.as_ref()
    }

    /// How many keys were needed.
    pub fn needed(&self) -> usize {
        self.needed
    }

    /// By what it was accepted.
    pub fn accepted_by(&self) -> &AcceptedBy {
        &self.accepted_by
    }

    /// What trust metadata said of the name, if it decided.
    pub fn standing(&self) -> Option<&Standing> {
        self.standing.as_ref()
    }

    /// The time of the verification.
    pub fn at(&self) -> UnixTime {
        self.at
    }

    /// How many manifests and blobs below the artifact a deep verification hashed; `None` if it was not deep.
    pub fn hashed(&self) -> Option<usize> {
        self.hashed
    }

    /// All the evidence that was looked at, up to the point where it sufficed.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The artifact as JSON; the members are those of SPEC.md, "JSON output".
    pub fn to_json(&self) -> Object<'static> {
        let mut object = Object::new();
        object.insert("digest", Value::from(self.descriptor.digest.to_string()));
        object.insert("media_type", Value::from(self.descriptor.media_type.clone()));
        object.insert("size", Value::from(self.descriptor.size));
        object.insert("covered_by", self.covered_by.as_ref().map_or(Value::Null, |by| Value::from(by.digest.to_string())));
        object.insert("accepted_by", Value::from(self.accepted_by.code()));
        object.insert("rollback_protected", Value::from(self.accepted_by.is_rollback_protected()));
        if let Some(role) = self.accepted_by.role() {
            object.insert("role", Value::from(role.to_string()));
        }
        if let Some(standing) = &self.standing {
            object.insert("metadata", standing.to_json());
        }
        object.insert("name_checked", Value::from(self.wanted.is_some()));
        object.insert("threshold", Value::from(u64::try_from(self.needed).unwrap_or(u64::MAX)));
        object.insert("at", Value::from(self.at.to_string()));
        if let Some(hashed) = self.hashed {
            object.insert("hashed", Value::from(u64::try_from(hashed).unwrap_or(u64::MAX)));
        }
        object.insert("statements", Value::from(self.accepted.iter().map(Accepted::to_json).collect::<Vec<_>>()));
        object.insert("candidates", Value::from(self.candidates.iter().map(Candidate::to_json).collect::<Vec<_>>()));
        object
    }
}

/// The kinds of refusal. The command line's exit codes and C's statuses derive from it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// There is evidence, and it does not suffice.
    NotVerified,
    /// There is no evidence.
    Unsigned,
    /// It could not be found out.
    Unknown,
    /// The trust metadata is expired or not to be trusted.
    UntrustedMetadata,
    /// The artifact is malformed, or a source returned other bytes than asked for.
    Malformed,
}

impl Class {
    /// A stable word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Class::NotVerified => "not-verified",
            Class::Unsigned => "unsigned",
            Class::Unknown => "unknown",
            Class::UntrustedMetadata => "untrusted-metadata",
            Class::Malformed => "malformed",
        }
    }

    /// The class of several demands that must all be met: malformed, untrusted metadata, not verified, unsigned, unknown.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let rank = |class| match class {
            Class::Malformed => 0,
            Class::UntrustedMetadata => 1,
            Class::NotVerified => 2,
            Class::Unsigned => 3,
            Class::Unknown => 4,
        };
        if rank(other) < rank(self) { other } else { self }
    }
}

/// What decided a refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The artifact, the index or content below it could not be had.
    #[error("{what} {digest}: {failure}")]
    Unavailable {
        /// What it is: the artifact, the index, a blob.
        what: &'static str,
        /// Its digest.
        digest: Digest,
        /// What the source said.
        failure: Failure,
    },
    /// The reference leads to nothing that could be verified.
    #[error("{message}")]
    Unresolved {
        /// What the source said.
        message: String,
        /// A stable word for it.
        code: &'static str,
    },
    /// The artifact or the index is no manifest.
    #[error("{what} {digest} is malformed: {}", crate::candidate::in_our_words(error))]
    Malformed {
        /// What it is.
        what: &'static str,
        /// Its digest.
        digest: Digest,
        /// What is wrong with it.
        error: ManifestError,
    },
    /// The manifest named as the covering index is an image.
    #[error("{digest} is not an index")]
    NoIndex {
        /// Its digest.
        digest: Digest,
    },
    /// The index lists no image for the platform.
    #[error("the index lists no image for {platform}; it lists {listed}")]
    NoPlatform {
        /// The platform asked for.
        platform: String,
        /// The platforms that there are.
        listed: String,
    },
    /// The index lists several images for the platform.
    #[error("the index lists {found} images for {platform}; it lists {listed}")]
    ManyForPlatform {
        /// The platform asked for.
        platform: String,
        /// How many there are.
        found: usize,
        /// The platforms that there are.
        listed: String,
    },
    /// The index does not list the artifact with this media type and size, or it is no image manifest.
    #[error("the index {index} does not cover {artifact}: {why}")]
    NotCovered {
        /// The index.
        index: Digest,
        /// The artifact.
        artifact: Digest,
        /// What is missing.
        why: &'static str,
    },
    /// An index lists content of a type that is not known, so that what is below it cannot be hashed.
    #[error("the index lists {digest}, whose type is no manifest's; what is below it cannot be hashed")]
    UnknownChild {
        /// Its digest.
        digest: Digest,
    },
    /// There are more contents than a deep verification hashes.
    #[error("the artifact has more than {limit} manifests and blobs below it; raise the limit with --max-contents")]
    TooManyContents {
        /// The limit.
        limit: usize,
    },
    /// A document of the trust metadata has expired.
    #[error("the trust metadata of {role} expired at {expires}; the time is {at}")]
    ExpiredMetadata {
        /// Its role.
        role: String,
        /// When.
        expires: UnixTime,
        /// The time of the verification.
        at: UnixTime,
    },
    /// The artifact, an image that it lists, or the index that covers it is revoked.
    #[error("{role} has revoked {digest}: {}", reason.escape_debug())]
    Revoked {
        /// What is revoked.
        digest: Digest,
        /// The role that says so.
        role: String,
        /// The reason that it gives.
        reason: String,
    },
    /// There is an entry for the name, and it refuses the artifact.
    #[error("{role} lists {name}, and not so that it is this artifact: {unmet}")]
    Entry {
        /// The name.
        name: Name,
        /// The role that lists it.
        role: String,
        /// Why it is not this one.
        unmet: Unmet,
    },
    /// Nothing is listed or sealed, and nobody's signature would count.
    #[error("nothing is listed for {name}, and no signature can count: {why}")]
    NoSigners {
        /// The name.
        name: Name,
        /// Why.
        why: NoSigners,
    },
    /// No signature, or no attestation of the wanted type.
    #[error("no {what} found")]
    Unsigned {
        /// What was looked for.
        what: String,
    },
    /// Fewer keys than needed.
    #[error("{found} of {needed} required keys signed{}{why}", if why.is_empty() { "" } else { ": " })]
    Threshold {
        /// How many are needed.
        needed: usize,
        /// How many keys count.
        found: usize,
        /// Why the candidates do not count, as far as a line holds it.
        why: String,
    },
    /// The search ended at a limit, or could not see everything, before enough keys were found.
    #[error("{found} of {needed} required keys signed, and not all the evidence could be looked at: {why}")]
    Incomplete {
        /// How many are needed.
        needed: usize,
        /// How many keys count.
        found: usize,
        /// What could not be looked at.
        why: String,
        /// Why the first of it could not be had, if that is the reason.
        cause: Option<Failure>,
    },
}

impl Fault {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Fault::Unavailable { failure, .. } => failure.code(),
            Fault::Unresolved { code, .. } => code,
            Fault::Malformed { .. } => "malformed",
            Fault::NoIndex { .. } => "no-index",
            Fault::NoPlatform { .. } => "no-platform",
            Fault::ManyForPlatform { .. } => "many-for-platform",
            Fault::NotCovered { .. } => "not-covered",
            Fault::TooManyContents { .. } => "limit",
            Fault::UnknownChild { .. } => "unknown-child",
            Fault::ExpiredMetadata { .. } => "metadata-expired",
            Fault::Revoked { .. } => "revoked",
            Fault::Entry { .. } => "entry",
            Fault::NoSigners { .. } => "no-signers",
            Fault::Unsigned { .. } => "unsigned",
            Fault::Threshold { .. } => "threshold",
            Fault::Incomplete { .. } => "incomplete",
        }
    }

    /// What the source said, if something could not be had.
    pub fn cause(&self) -> Option<&Failure> {
        match self {
            Fault::Unavailable { failure, .. } => Some(failure),
            Fault::Incomplete { cause, .. } => cause.as_ref(),
            _ => None,
        }
    }
}

/// A refusal, with every reason for it.
#[derive(Clone, Debug)]
pub struct Rejected {
    pub(crate) inner: Box<Inner>,
}

#[derive(Clone, Debug)]
pub(crate) struct Inner {
    pub(crate) class: Class,
    pub(crate) fault: Fault,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) at: UnixTime,
}

impl Rejected {
    pub(crate) fn new(class: Class, fault: Fault, candidates: Vec<Candidate>, at: UnixTime) -> Self {
        Self { inner: Box::new(Inner { class, fault, candidates, at }) }
    }

    /// The refusal of a reference that a source could not resolve.
    pub fn unresolved(class: Class, code: &'static str, message: String, at: UnixTime) -> Self {
        Self::new(class, Fault::Unresolved { message, code }, Vec::new(), at)
    }

    /// The kind of refusal.
    pub fn class(&self) -> Class {
        self.inner.class
    }

    /// What decided it.
    pub fn fault(&self) -> &Fault {
        &self.inner.fault
    }

    /// All the evidence that was looked at.
    pub fn candidates(&self) -> &[Candidate] {
        &self.inner.candidates
    }

    /// The refusal as JSON: `{at, candidates}`; class and fault are the error's `code` and `message`.
    pub fn to_json(&self) -> Object<'static> {
        let mut object = Object::new();
        object.insert("at", Value::from(self.inner.at.to_string()));
        object.insert("candidates", Value::from(self.inner.candidates.iter().map(Candidate::to_json).collect::<Vec<_>>()));
        object
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner.fault, f)
    }
}

impl core::error::Error for Rejected {}

/// Why the candidates do not count, in a line: the distinct reasons, the three most frequent ones.
pub(crate) fn reasons(candidates: &[Candidate], unknown: bool) -> String {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for candidate in candidates {
        let reason = match &candidate.outcome {
            Outcome::Failed(reason) if !unknown => reason,
            Outcome::Unknown(reason) if unknown => reason,
            _ => continue,
        };
        *counted.entry(reason.to_string()).or_default() += 1;
    }
    let mut counted: Vec<(String, usize)> = counted.into_iter().collect();
    counted.sort_by_key(|(_, times)| Reverse(*times));
    let line = |(text, times): &(String, usize)| match times {
        1 => text.clone(),
        _ => alloc::format!("{text} ({times} times)"),
    };
    let lines: Vec<String> = counted.iter().take(3).map(line).collect();
    lines.join("; ")
}
