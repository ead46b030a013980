//! Why a document cannot be read for editing, or an edit not be made.

use alloc::string::String;

use touchmark_envelope::sign::SignError;
use touchmark_envelope::{canonical, json};

/// Why an edit was not made. The document is then as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The document is no strict JSON.
    #[error(transparent)]
    Json(#[from] json::Error),
    /// What would be written has no canonical form, or one of which implementations make different bytes.
    #[error(transparent)]
    Canonical(#[from] canonical::Error),
    /// The document has not the form of TUF metadata (TUF 1.0, 4.2).
    #[error("{what} is missing or malformed")]
    Malformed {
        /// The member, or what should be there.
        what: String,
    },
    /// A document of another type than the edit is for.
    #[error("this is metadata of type {found:?}, and not {expected:?}")]
    WrongType {
        /// The `_type` that the edit is for.
        expected: &'static str,
        /// The `_type` of the document.
        found: String,
    },
    /// A threshold of zero, which nothing would be needed for.
    #[error("{role}: a threshold is at least 1")]
    ThresholdZero {
        /// The role.
        role: String,
    },
    /// A threshold that the role's keys can never reach.
    #[error("{role}: a threshold of {threshold} can never be reached by {keys} distinct keys")]
    ThresholdTooHigh {
        /// The role.
        role: String,
        /// The threshold.
        threshold: u64,
        /// The distinct keys that can be used.
        keys: usize,
    },
    /// The role has no such key.
    #[error("{role}: has no key {key}")]
    NoSuchKey {
        /// The role.
        role: String,
        /// The key, as it was asked for.
        key: String,
    },
    /// A key that a change adds and takes away.
    #[error("{role}: key {key} is to come and to go in one change")]
    AddedAndRemoved {
        /// The role.
        role: String,
        /// The key's keyid.
        key: String,
    },
    /// Another key, or one of a kind that is not known, is listed under the keyid that is computed of a new one.
    #[error("another key is listed under keyid {keyid}, which is that of the new one")]
    KeyidTaken {
        /// The keyid.
        keyid: String,
    },
    /// No such role is delegated here.
    #[error("no role {role:?} is delegated here")]
    NoSuchRole {
        /// The role asked for.
        role: String,
    },
    /// A role of that name is there already.
    #[error("a role {role:?} is there already")]
    RoleExists {
        /// The role.
        role: String,
    },
    /// A name that no role is given.
    #[error("{role:?} cannot be the name of a role: {reason}")]
    RoleName {
        /// The name.
        role: String,
        /// Why not.
        reason: &'static str,
    },
    /// A path pattern or hash prefix that no client would match as it is meant.
    #[error("{pattern:?} cannot be delegated: {reason}")]
    Pattern {
        /// The pattern or prefix.
        pattern: String,
        /// Why not.
        reason: &'static str,
    },
    /// Something that cannot be listed as a target.
    #[error("{path:?} cannot be a target: {reason}")]
    Target {
        /// The target's path.
        path: String,
        /// Why not.
        reason: String,
    },
    /// A target that is not listed.
    #[error("{path:?} is no target of this role")]
    NoSuchTarget {
        /// The target's path.
        path: String,
    },
    /// A number of bins that is not offered.
    #[error("hash bins are 2 to the power of {least} to {most}, and not of {found}")]
    Bins {
        /// The smallest exponent.
        least: u32,
        /// The largest exponent.
        most: u32,
        /// The exponent asked for.
        found: u32,
    },
    /// A version that no JSON number of canonical form holds.
    #[error("the version {version} cannot be followed by another")]
    Version {
        /// The version.
        version: u64,
    },
    /// A time that cannot be written.
    #[error("the time of expiry is beyond the year 9999")]
    Expiry,
    /// The signer did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl EditError {
    /// A stable name for this kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            EditError::Json(error) => error.code(),
            EditError::Canonical(error) => error.code(),
            EditError::Malformed { .. } => "metadata-malformed",
            EditError::WrongType { .. } => "metadata-type",
            EditError::ThresholdZero { .. } => "threshold-zero",
            EditError::ThresholdTooHigh { .. } => "threshold-too-high",
            EditError::NoSuchKey { .. } => "no-such-key",
            EditError::AddedAndRemoved { .. } => "key-added-and-removed",
            EditError::KeyidTaken { .. } => "keyid-taken",
            EditError::NoSuchRole { .. } => "no-such-role",
            EditError::RoleExists { .. } => "role-exists",
            EditError::RoleName { .. } => "bad-role-name",
            EditError::Pattern { .. } => "bad-pattern",
            EditError::Target { .. } => "bad-target",
            EditError::NoSuchTarget { .. } => "no-such-target",
            EditError::Bins { .. } => "bad-bins",
            EditError::Version { .. } => "version-range",
            EditError::Expiry => "expiry-range",
            EditError::Sign(error) => error.code(),
        }
    }

    /// The member `what`, or what should be there, is missing or malformed.
    pub(super) fn malformed(what: impl Into<String>) -> Self {
        EditError::Malformed { what: what.into() }
    }
}
