use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::manifest::ManifestError;
use touchmark_envelope::{Digest, Name, UnixTime};

use super::AcceptedKind;
use super::accepted_by::listed;
use crate::need::Failure;
use crate::standing::{NoSigners, Unmet};

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
    #[error("the trust metadata of {role} expired at {expires}, and the time is {at}, {} later", at.after(*expires))]
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
    /// Something else decides than the policy takes.
    #[error("{found} would have to accept it, and the policy takes {} alone", listed(wanted))]
    AcceptedBy {
        /// What decides.
        found: AcceptedKind,
        /// What the policy takes.
        wanted: Vec<AcceptedKind>,
    },
    /// Another role decides than the one that the policy names.
    #[error("{}, and the policy wants {} to decide", match found { Some(role) => alloc::format!("the role {role} decides"), None => "no role of trust metadata decides".into() }, wanted.escape_debug())]
    OtherRole {
        /// The role that decides, if one does.
        found: Option<String>,
        /// The role that the policy names.
        wanted: String,
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
    /// The in-toto layout that the policy wants does not hold, or it could not be found out whether it does.
    #[error("the in-toto layout does not hold: {why}")]
    SupplyChain {
        /// Why, as far as a line holds it.
        why: String,
        /// What the source said, if something could not be had.
        cause: Option<Failure>,
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
            Fault::AcceptedBy { .. } => "accepted-by",
            Fault::OtherRole { .. } => "other-role",
            Fault::Unsigned { .. } => "unsigned",
            Fault::Threshold { .. } => "threshold",
            Fault::SupplyChain { .. } => "supply-chain",
            Fault::Incomplete { .. } => "incomplete",
        }
    }

    /// What the source said, if something could not be had.
    pub fn cause(&self) -> Option<&Failure> {
        match self {
            Fault::Unavailable { failure, .. } => Some(failure),
            Fault::Incomplete { cause, .. } | Fault::SupplyChain { cause, .. } => cause.as_ref(),
            _ => None,
        }
    }
}
