//! Why a policy accepts nothing, or cannot be asked.

use std::path::PathBuf;
use std::sync::Arc;

use touchmark_envelope::key::KeyError;
use touchmark_envelope::name::Wanted;
use touchmark_envelope::threshold::ThresholdError;
use touchmark_oci::error::{Class as StoreClass, Error as StoreError};
use touchmark_oci::reference::ReferenceError;
use touchmark_trust::rules::{RuleError, RuleFault};
use touchmark_trust::{Class, Rejected, Scope};

use crate::trust_root::{MAX_BESIDE, TrustRootError};
use crate::tuf::UpdateClass;

/// What a refusal means to the caller: exit codes derive from this alone (SPEC.md, "Exit codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolicyClass {
    /// The question, the policy file or what it names is wrong.
    Usage,
    /// The artifact is refused.
    Refused(Class),
}

impl PolicyClass {
    /// The class of two demands that must both be met.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Usage, _) | (_, Self::Usage) => Self::Usage,
            (Self::Refused(one), Self::Refused(other)) => Self::Refused(one.and(other)),
        }
    }

    /// How much says that of several alternatives none is accepted: the most decides.
    fn weight(self) -> u8 {
        match self {
            Self::Usage => 5,
            Self::Refused(Class::Malformed) => 4,
            Self::Refused(Class::UntrustedMetadata) => 3,
            Self::Refused(Class::NotVerified) => 1,
            Self::Refused(Class::Unsigned) => 0,
            // A class that is not known here is no answer.
            Self::Refused(_) => 2,
        }
    }

    /// Whether this, of two refused alternatives, is the answer, and not `other`.
    pub(super) fn outweighs(self, other: Self) -> bool {
        self.weight() > other.weight()
    }
}

/// Why a policy accepts nothing, or cannot be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A policy file cannot be read, or whether it is there is not known.
    #[error("{}: the policy cannot be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The variable that names the policy has a path that depends on the working directory.
    #[error("${}: {} is not absolute, and the working directory says nothing of what to trust", super::VARIABLE, path.display())]
    Relative {
        /// The path.
        path: PathBuf,
    },
    /// Everybody may write a policy file that nobody named.
    #[error("{}: everybody may write this policy, or exchange it", path.display())]
    Writable {
        /// The file.
        path: PathBuf,
    },
    /// A policy is malformed, or has no answer to what is asked.
    #[error("{policy}: {error}")]
    Document {
        /// Which.
        policy: String,
        /// Whether a trust repository signed it.
        signed: bool,
        /// What is wrong, and where.
        error: RuleError,
    },
    /// Something that a rule names cannot be had or is not what it must be.
    #[error("{policy}: {what}: {reason}")]
    Material {
        /// Which policy.
        policy: String,
        /// Whether a trust repository signed it.
        signed: bool,
        /// What.
        what: String,
        /// Why not.
        reason: String,
    },
    /// A key that a rule names is none.
    #[error("{policy}: {what}: {error}")]
    Key {
        /// Which policy.
        policy: String,
        /// Whether a trust repository signed it.
        signed: bool,
        /// Which key.
        what: String,
        /// What is wrong with it.
        error: KeyError,
    },
    /// Fewer keys than are needed.
    #[error("{policy}: {error}")]
    Threshold {
        /// Which policy.
        policy: String,
        /// Whether a trust repository signed it.
        signed: bool,
        /// What is wrong.
        error: ThresholdError,
    },
    /// No rule is for what is asked: nothing is accepted.
    #[error("no rule of {policy} is for {asked}")]
    NoRule {
        /// Which policy.
        policy: String,
        /// Whether a trust repository signed it.
        signed: bool,
        /// What was asked.
        asked: String,
    },
    /// The rule lets no index decide for its images.
    #[error("rule {rule} of {policy} does not let an index decide for the images that it lists")]
    Children {
        /// Which policy.
        policy: String,
        /// The rule, counted from 1.
        rule: usize,
    },
    /// An annotation is asked for with two values.
    #[error("rule {rule} of {policy} asks for another value of the annotation {key:?}")]
    Annotation {
        /// Which policy.
        policy: String,
        /// The rule, counted from 1.
        rule: usize,
        /// The annotation.
        key: String,
    },
    /// A trust root is asked without a name.
    #[error("a trust root says who owns which names, and none is asked for")]
    NoName,
    /// A target that a rule names is not listed.
    #[error("{policy}: the top-level targets list no {path}")]
    NotListed {
        /// Which policy.
        policy: String,
        /// The target.
        path: String,
    },
    /// A text is no place of a trust repository.
    #[error("{text}: {}", error.as_ref().map_or_else(|| "not UTF-8".to_owned(), ToString::to_string))]
    BadTrustSource {
        /// The text.
        text: String,
        /// Why it is no reference.
        error: Option<Box<ReferenceError>>,
    },
    /// The trust root cannot be asked.
    #[error(transparent)]
    Trust(TrustRootError),
    /// A place cannot be read.
    #[error(transparent)]
    Store(StoreError),
    /// What lies beside the artifact cannot be listed.
    #[error("{error}")]
    Beside {
        /// The place.
        location: String,
        /// Why not.
        error: Box<StoreError>,
    },
    /// No trust repository is where the artifact is.
    #[error("{location}: no trust repository is there")]
    TrustNowhere {
        /// The place.
        location: String,
    },
    /// More trust repositories are where the artifact is than are looked at, and none of these is the root's.
    #[error(
        "{location}: none of the first {MAX_BESIDE} trust repositories there is one of the root, and there are more, which were not looked at"
    )]
    ManyBeside {
        /// The place.
        location: String,
    },
    /// The trust repository had other metadata each time that it was asked.
    #[error("the trust repository changed again and again while it was asked")]
    TrustChanging,
    /// Too many versions are claimed.
    #[error("it is said to be more than {limit} versions of {}", wanted.path())]
    ManyVersions {
        /// What is wanted.
        wanted: Wanted,
        /// The limit.
        limit: usize,
    },
    /// Which versions are claimed cannot be found out.
    #[error("not all that is attached could be looked at for versions of {wanted}")]
    VersionsUnknown {
        /// What is wanted.
        wanted: Wanted,
    },
    /// Nothing is attached, and no version listed.
    #[error("no version of {wanted} is listed for it, and no signature found")]
    Unsigned {
        /// What is wanted.
        wanted: Wanted,
    },
    /// Neither listed nor signed.
    #[error("it is neither listed nor signed as {wanted}")]
    NoVersion {
        /// What is wanted.
        wanted: Wanted,
    },
    /// A name leads to no artifact.
    #[error("no artifact is listed as {wanted}{}", if *withdrawn { ": the name was withdrawn" } else { "" })]
    NoEntry {
        /// The name.
        wanted: Wanted,
        /// Whether it was withdrawn.
        withdrawn: bool,
    },
    /// A name cannot lead to an artifact: it is any version, or keys decide.
    #[error("{reason}, so that no name leads to an artifact")]
    Unresolvable {
        /// Why.
        reason: &'static str,
    },
    /// The artifact is refused.
    #[error("{rejected}{}", rule.as_ref().map(|rule| format!(" ({rule})")).unwrap_or_default())]
    Rejected {
        /// Why.
        rejected: Box<Rejected>,
        /// By which rule of which policy, if by one.
        rule: Option<String>,
    },
    /// What holds for several names.
    #[error(transparent)]
    Shared(Arc<PolicyError>),
}

impl From<TrustRootError> for PolicyError {
    fn from(error: TrustRootError) -> Self {
        Self::Trust(error)
    }
}

impl PolicyError {
    /// A rule rejects what it is for.
    pub(super) fn rejects(policy: &str, signed: bool, index: usize) -> Self {
        let error = RuleError { at: format!("/rules/{index}"), fault: RuleFault::Rejects };
        Self::Document { policy: policy.to_owned(), signed, error }
    }

    /// What it means to the caller.
    pub fn class(&self) -> PolicyClass {
        use PolicyClass::{Refused, Usage};
        match self {
            Self::Unreadable { .. }
            | Self::Relative { .. }
            | Self::Writable { .. }
            | Self::Annotation { .. }
            | Self::NoName
            | Self::BadTrustSource { .. }
            | Self::Unresolvable { .. } => Usage,
            // The policy is fine, and its answer is no.
            Self::Document { error: RuleError { fault: RuleFault::Rejects, .. }, .. } => Refused(Class::NotVerified),
            // What a trust repository signed and nobody can follow is as metadata that is malformed.
            Self::Document { signed, .. } | Self::Material { signed, .. } | Self::Key { signed, .. } | Self::Threshold { signed, .. } => {
                if *signed {
                    Refused(Class::UntrustedMetadata)
                } else {
                    Usage
                }
            }
            Self::NoRule { .. } | Self::Children { .. } | Self::NotListed { .. } | Self::NoVersion { .. } | Self::NoEntry { .. } => {
                Refused(Class::NotVerified)
            }
            Self::Unsigned { .. } => Refused(Class::Unsigned),
            Self::ManyVersions { .. }
            | Self::VersionsUnknown { .. }
            | Self::TrustNowhere { .. }
            | Self::ManyBeside { .. }
            | Self::TrustChanging => Refused(Class::Unknown),
            Self::Trust(error) => match error.class() {
                UpdateClass::Usage => Usage,
                UpdateClass::Untrusted => Refused(Class::UntrustedMetadata),
                UpdateClass::WrongContent => Refused(Class::Malformed),
                UpdateClass::Unknown => Refused(Class::Unknown),
            },
            Self::Store(error) => of_store(error),
            Self::Beside { error, .. } => of_store(error),
            Self::Rejected { rejected, .. } => Refused(rejected.class()),
            Self::Shared(error) => error.class(),
        }
    }

    /// A stable word for it.
    pub fn code(&self) -> &str {
        match self {
            Self::Unreadable { .. } => "policy-unreadable",
            Self::Relative { .. } => "policy-relative",
            Self::Writable { .. } => "policy-writable",
            Self::Document { error, .. } => error.code(),
            Self::Material { .. } => "policy-material",
            Self::Key { error, .. } => error.code(),
            Self::Threshold { .. } => "policy-threshold",
            Self::NoRule { .. } => "no-rule",
            Self::Children { .. } => "children-denied",
            Self::Annotation { .. } => "policy-annotation",
            Self::NoName => "no-name",
            Self::NotListed { .. } => "target-not-listed",
            Self::BadTrustSource { .. } => "usage",
            Self::Trust(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Beside { error, .. } => error.code(),
            Self::TrustNowhere { .. } => "trust-nowhere",
            Self::ManyBeside { .. } => "trust-many",
            Self::TrustChanging => "trust-changing",
            Self::ManyVersions { .. } => "versions",
            Self::VersionsUnknown { .. } => "incomplete",
            Self::Unsigned { .. } => "unsigned",
            Self::NoVersion { .. } => "no-version",
            Self::NoEntry { .. } => "no-entry",
            Self::Unresolvable { .. } => "usage",
            Self::Rejected { rejected, .. } => rejected.fault().code(),
            Self::Shared(error) => error.code(),
        }
    }

    /// What to try, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        let nowhere = "--trust DIR|URL|REF says where it is";
        Some(match self {
            Self::Relative { .. } => format!("export {}=\"$PWD/policy.json\"", super::VARIABLE),
            Self::Writable { path } => format!("chmod go-w {}, and its folder; or name it with --policy", path.display()),
            Self::Document { error, .. } => return error.hint(),
            Self::Key { error, .. } => error.hint().to_owned(),
            Self::NoRule { signed: true, .. } => {
                "the trust repository's own policy must accept it too; its owners sign _touchmark/policy.json".to_owned()
            }
            Self::NoRule { .. } => "`touchmark policy explain REF` says why none of them is".to_owned(),
            Self::Children { .. } => "verify the index itself, or let the rule have \"children\": \"allow\"".to_owned(),
            Self::NoName => "--name NAME".to_owned(),
            Self::BadTrustSource { .. } => "a folder (./DIR), a URL, or the REF of a trust repository".to_owned(),
            Self::Trust(TrustRootError::Update(error)) => return error.hint(),
            Self::Store(error) => return error.hint(),
            Self::Beside { error, .. } => error.hint().unwrap_or_else(|| nowhere.to_owned()),
            Self::TrustNowhere { .. } | Self::ManyBeside { .. } => nowhere.to_owned(),
            Self::ManyVersions { .. } => "--name with the version".to_owned(),
            Self::NoEntry { .. } => {
                "its publisher lists it by `touchmark trust name set NAME REF`; REF:TAG or REF@DIGEST needs no entry".to_owned()
            }
            Self::Unresolvable { .. } => "REF:TAG or REF@DIGEST".to_owned(),
            Self::Shared(error) => return error.hint(),
            _ => return None,
        })
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Trust(TrustRootError::Update(error)) => error.is_retryable(),
            Self::Store(error) => error.class() == StoreClass::Unavailable,
            Self::Beside { error, .. } => error.class() == StoreClass::Unavailable,
            Self::Rejected { rejected, .. } => {
                rejected.class() == Class::Unknown && rejected.fault().cause().is_some_and(touchmark_trust::Failure::is_retryable)
            }
            Self::TrustChanging => true,
            Self::Shared(error) => error.is_retryable(),
            _ => false,
        }
    }
}

fn of_store(error: &StoreError) -> PolicyClass {
    match error.class() {
        StoreClass::Usage => PolicyClass::Usage,
        StoreClass::WrongDigest | StoreClass::Malformed => PolicyClass::Refused(Class::Malformed),
        _ => PolicyClass::Refused(Class::Unknown),
    }
}

/// Whether an index decides for an image.
pub(super) fn is_by_index(scope: &Scope) -> bool {
    !matches!(scope, Scope::Itself)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_refused_versions_the_answer_is_what_says_most() {
        let refused = PolicyClass::Refused;
        let order = [
            PolicyClass::Usage,
            refused(Class::Malformed),
            refused(Class::UntrustedMetadata),
            refused(Class::Unknown),
            refused(Class::NotVerified),
            refused(Class::Unsigned),
        ];
        for (place, one) in order.iter().enumerate() {
            for (other_place, other) in order.iter().enumerate() {
                assert_eq!(one.outweighs(*other), place < other_place, "{one:?} {other:?}");
            }
        }
    }
}
