//! Why an update or a search ended.

use alloc::format;
use alloc::string::{String, ToString as _};

use touchmark_envelope::UnixTime;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::signed::SignedError;

use crate::client::Failure;

/// What kind of end it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// Metadata that must not be trusted: forged, rolled back, malformed, mixed.
    Untrusted,
    /// Metadata that was good once and has expired.
    Expired,
    /// It could not be found out: something was not to be had, or a limit was reached.
    Unknown,
    /// The local store could not be used.
    Store,
}

/// Why an update or a search ended. What was verified before it is stored and stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store has no root to begin with.
    #[error("there is no trusted root.json in the store")]
    NoRoot,
    /// Bytes that are no signed document.
    #[error("{file}: {source}")]
    Document {
        /// The file.
        file: String,
        /// What is wrong.
        source: SignedError,
    },
    /// A signed document that is not what its role's documents are.
    #[error("{file}: {shape}")]
    Malformed {
        /// The file.
        file: String,
        /// What is wrong.
        shape: Shape,
    },
    /// Fewer valid signatures than the role's threshold, by distinct keys.
    #[error("{role}: {valid} of {needed} required signatures are valid")]
    Threshold {
        /// The role.
        role: String,
        /// The threshold.
        needed: u64,
        /// How many distinct keys of the role signed.
        valid: usize,
    },
    /// The threshold is above the number of distinct keys that could sign, so that the role can never verify.
    #[error("{role}: {needed} signatures are required, and there are only {keys} usable distinct keys")]
    Unreachable {
        /// The role.
        role: String,
        /// The threshold.
        needed: u64,
        /// The distinct keys that decode.
        keys: usize,
    },
    /// Too few valid signatures were found with as much work as is spent on one document, and not all were tried.
    #[error("{role}: {valid} of {needed} required signatures were found valid before so much work was done that the rest was not tried")]
    TooMuchWork {
        /// The role.
        role: String,
        /// The threshold.
        needed: u64,
        /// How many distinct keys of the role were found to have signed.
        valid: usize,
    },
    /// A version other than the one that was announced or must follow.
    #[error("{file}: it is version {found}, and version {expected} is wanted")]
    Version {
        /// The file.
        file: String,
        /// The version that it must have.
        expected: u64,
        /// The version that it has.
        found: u64,
    },
    /// A version below one that was trusted before.
    #[error("{file}: version {found} is older than version {trusted}, which was trusted before: a rollback")]
    Rollback {
        /// The file.
        file: String,
        /// The version that was trusted before.
        trusted: u64,
        /// The version offered.
        found: u64,
    },
    /// A snapshot no longer lists a file that an earlier one listed.
    #[error("snapshot.json: it no longer lists {file}: a rollback")]
    Disappeared {
        /// The file that is gone.
        file: String,
    },
    /// A snapshot does not list the file of a role that is needed.
    #[error("snapshot.json: it does not list {file}")]
    Unlisted {
        /// The file.
        file: String,
    },
    /// Another length than the one listed.
    #[error("{file}: it has {} bytes, and {expected} are listed", length(.expected, .found))]
    Length {
        /// The file.
        file: String,
        /// The length listed.
        expected: u64,
        /// The length found; more bytes than were expected are not counted.
        found: u64,
    },
    /// Another digest than the one listed.
    #[error("{file}: its {algorithm} is not the one listed")]
    Hash {
        /// The file.
        file: String,
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// It expired by the time of the update.
    #[error("{file}: it expired at {expires}, and the time is {at}, {} later", at.after(*expires))]
    Expired {
        /// The file.
        file: String,
        /// When it expired.
        expires: UnixTime,
        /// The fixed time of the update.
        at: UnixTime,
    },
    /// A file that must be there is not.
    #[error("{path}: not found")]
    Missing {
        /// The path under the metadata URL, or the file of the store.
        path: String,
    },
    /// A file could not be had.
    #[error("{path}: {failure}")]
    Fetch {
        /// The path under the metadata URL.
        path: String,
        /// Why.
        failure: Failure,
    },
    /// The store could not be read or written.
    #[error("{file}: {failure}")]
    Store {
        /// The file.
        file: String,
        /// Why.
        failure: Failure,
    },
    /// More new roots than are taken in one update. The store has those that were, and the next update goes on from there.
    #[error("more than {limit} new roots; run it again to go on, or raise the limit")]
    TooManyRoots {
        /// The limit.
        limit: u32,
    },
    /// More roles than are visited in one search, and none of them lists the target.
    #[error("{limit} roles were visited and there are more; raise the limit of roles")]
    TooManyRoles {
        /// The limit.
        limit: u32,
    },
    /// The role's document would take more than what one client holds of all the roles that a search visits.
    #[error("{role}: with the roles visited before it, it has more than {limit} bytes; raise the limit of all of them")]
    TooMuchMetadata {
        /// The role.
        role: String,
        /// The limit.
        limit: u64,
    },
    /// The caller answered something else than was asked.
    #[error("the answer is not one to what was asked")]
    WrongAnswer,
    /// A search was begun before the update ended.
    #[error("no metadata is trusted yet")]
    NotReady,
}

impl Error {
    /// What kind of end it is.
    pub fn class(&self) -> Class {
        match self {
            Error::Expired { .. } => Class::Expired,
            Error::NoRoot | Error::Store { .. } => Class::Store,
            Error::Missing { .. }
            | Error::Fetch { .. }
            | Error::TooMuchWork { .. }
            | Error::TooManyRoots { .. }
            | Error::TooManyRoles { .. }
            | Error::TooMuchMetadata { .. }
            | Error::WrongAnswer
            | Error::NotReady => Class::Unknown,
            _ => Class::Untrusted,
        }
    }

    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Error::NoRoot => "tuf-no-root",
            Error::Document { .. } => "tuf-document",
            Error::Malformed { .. } => "tuf-malformed",
            Error::Threshold { .. } => "tuf-threshold",
            Error::Unreachable { .. } => "tuf-threshold-unreachable",
            Error::TooMuchWork { .. } => "tuf-too-much-work",
            Error::Version { .. } => "tuf-version",
            Error::Rollback { .. } => "tuf-rollback",
            Error::Disappeared { .. } => "tuf-role-disappeared",
            Error::Unlisted { .. } => "tuf-role-unlisted",
            Error::Length { .. } => "tuf-length",
            Error::Hash { .. } => "tuf-hash",
            Error::Expired { .. } => "tuf-expired",
            Error::Missing { .. } => "tuf-missing",
            Error::Fetch { .. } => "tuf-fetch",
            Error::Store { .. } => "tuf-store",
            Error::TooManyRoots { .. } => "tuf-too-many-roots",
            Error::TooManyRoles { .. } => "tuf-too-many-roles",
            Error::TooMuchMetadata { .. } => "tuf-too-much-metadata",
            Error::WrongAnswer => "tuf-wrong-answer",
            Error::NotReady => "tuf-not-ready",
        }
    }

    /// Whether trying again later may help.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::Fetch { failure: Failure::Unavailable(_), .. } | Error::TooManyRoots { .. })
    }
}

fn length(expected: &u64, found: &u64) -> String {
    if found > expected { format!("more than {expected}") } else { found.to_string() }
}

/// What a document of a role has, or lacks (TUF 1.0, section 4).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Shape {
    /// A member is missing or of another type.
    #[error("its `{0}` is missing or malformed")]
    Member(&'static str),
    /// `_type` is another role's.
    #[error("its `_type` is {found:?}, not {expected:?}")]
    Type {
        /// The role's.
        expected: &'static str,
        /// What it says.
        found: String,
    },
    /// A specification that is not known.
    #[error("its `spec_version` is {0:?}, and 1.x is known")]
    SpecVersion(String),
    /// A time in another form than `YYYY-MM-DDTHH:MM:SSZ`.
    #[error("its `expires` is {0:?}, and not of the form YYYY-MM-DDTHH:MM:SSZ")]
    Expires(String),
    /// A threshold that is not at least 1.
    #[error("the threshold of {role} is not a whole number of at least 1")]
    ZeroThreshold {
        /// The role.
        role: String,
    },
    /// A role with more keyids than are taken.
    #[error("{role} has more than {limit} keys")]
    TooManyKeys {
        /// The role.
        role: String,
        /// The limit.
        limit: usize,
    },
    /// A top-level role whose threshold is above the number of its distinct keys.
    #[error("the threshold of {role} is {needed}, and it has only {keys} distinct keys")]
    ThresholdAboveKeys {
        /// The role.
        role: String,
        /// The threshold.
        needed: u64,
        /// Its distinct keys.
        keys: usize,
    },
    /// An entry of `meta`.
    #[error("its entry for {0:?} is malformed")]
    Meta(String),
    /// A delegation.
    #[error("its delegation {0:?} is malformed, or has a name that no delegated role may have")]
    Delegation(String),
    /// Two delegations of one name.
    #[error("it delegates twice to {0:?}")]
    DelegatedTwice(String),
    /// An entry of `targets`.
    #[error("its entry for the target {0:?} is malformed")]
    Target(String),
    /// A part of it is no JSON that is taken.
    #[error("its `{member}` cannot be read: {source}")]
    Json {
        /// The member.
        member: &'static str,
        /// Why.
        source: touchmark_envelope::json::Error,
    },
}
