//! What is wrong with a policy document, and where.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use touchmark_envelope::json;
use touchmark_envelope::key::KeyError;
use touchmark_envelope::name::NameError;

use super::pattern::PatternFault;
use super::template::TemplateFault;

/// What is wrong, and the JSON pointer (RFC 6901) of the place in the document, `""` being the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The place.
    pub at: String,
    /// What is wrong there.
    pub fault: RuleFault,
}

/// What can be wrong with a policy document, or with what it is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleFault {
    /// Not JSON as this library reads it.
    #[error("is no JSON: {0}")]
    Json(json::Error),
    /// A value is of another kind than it must be.
    #[error("must be {0}")]
    Value(&'static str),
    /// A member that must be there is not.
    #[error("has no member `{0}`")]
    Missing(&'static str),
    /// A member that no reader of the version knows; it could be a demand.
    #[error("is an unknown member; known here are {known}")]
    Unknown {
        /// Those that are known.
        known: String,
    },
    /// The document is of a version that is not known.
    #[error("must be 1, the only version that is known")]
    Version,
    /// More than is taken.
    #[error("has more than {limit} {what}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many are taken.
        limit: usize,
    },
    /// Two members that exclude each other, or one where it means nothing.
    #[error("{0}")]
    Conflict(&'static str),
    /// Not what a document that a trust repository signs may have.
    #[error("{0}, which a signed policy cannot have: whoever signed it does not know the reader's machine")]
    Signed(&'static str),
    /// No pattern.
    #[error(transparent)]
    Pattern(#[from] PatternFault),
    /// No text with captures.
    #[error(transparent)]
    Template(#[from] TemplateFault),
    /// No name, whatever the captures are.
    #[error("is no name: {0}")]
    Name(NameError),
    /// A key that is written in the document is none.
    #[error("is no key: {0}")]
    Key(KeyError),
    /// One key listed twice.
    #[error("is the same key as item {first}: keys are counted once")]
    SameKey {
        /// The place of the other in the list, counted from 0.
        first: usize,
    },
    /// More keys are needed than there are.
    #[error("must be from 1 to {keys}, the number of keys")]
    Threshold {
        /// How many keys there are.
        keys: usize,
    },
    /// No place of this name under `trust`.
    #[error("names `{name}`, which is not among the places of `trust`")]
    NoPlace {
        /// The name.
        name: String,
    },
    /// No path of a file, or of a target.
    #[error("is no path: {0}")]
    Path(&'static str),
    /// No constraint.
    #[error("{0}")]
    Constraint(Box<touchmark_in_toto::Error>),
    /// A demand for a supply chain, and this build of the library verifies none.
    #[error("is an in-toto layout, and this build of the library verifies none")]
    NoSupplyChains,
    /// No parameter of an in-toto layout.
    #[error("{0}")]
    Parameter(Box<touchmark_in_toto::Error>),
    /// No reference.
    #[error("is no normalised reference: {0}")]
    Reference(&'static str),
    /// What the captures make of the expected name is none.
    #[error("expects the name `{name}` here, which is none: {error}")]
    Expected {
        /// The text.
        name: String,
        /// Why it is none.
        error: NameError,
    },
    /// The caller wants another name than the rule expects.
    #[error("expects the name {expected}, and {asked} was asked for")]
    OtherName {
        /// What the rule expects.
        expected: String,
        /// What the caller wants.
        asked: String,
    },
    /// The rule rejects what it is for.
    #[error("rejects what it is for")]
    Rejects,
    /// Any version was asked for, and the rule is for some of the versions.
    #[error("is for some versions of {asked} and not for others")]
    SomeVersions {
        /// What the caller wants.
        asked: String,
    },
}

impl RuleError {
    pub(crate) fn new(fault: impl Into<RuleFault>) -> Self {
        Self { at: String::new(), fault: fault.into() }
    }

    /// The same of a value that is the member `name` of what was read.
    #[must_use]
    pub(crate) fn within(self, name: &str) -> Self {
        Self { at: format!("/{}{}", escaped(name), self.at), fault: self.fault }
    }

    /// The same of a value that is an item of what was read.
    #[must_use]
    pub(crate) fn within_item(self, index: usize) -> Self {
        Self { at: format!("/{index}{}", self.at), fault: self.fault }
    }

    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        self.fault.code()
    }

    /// What to try.
    pub fn hint(&self) -> Option<String> {
        self.fault.hint()
    }
}

/// A member's name as a step of a JSON pointer.
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.as_str() {
            "" => write!(f, "the policy {}", self.fault),
            at => write!(f, "the policy's `{}` {}", at.escape_debug(), self.fault),
        }
    }
}

impl core::error::Error for RuleError {}

impl RuleFault {
    /// The stable code of this fault.
    pub const fn code(&self) -> &'static str {
        match self {
            RuleFault::Json(_) => "policy-json",
            RuleFault::Value(_) => "policy-value",
            RuleFault::Missing(_) => "policy-member-missing",
            RuleFault::Unknown { .. } => "policy-member-unknown",
            RuleFault::Version => "policy-version",
            RuleFault::Limit { .. } => "policy-limit",
            RuleFault::Conflict(_) => "policy-conflict",
            RuleFault::Signed(_) => "policy-signed",
            RuleFault::Pattern(_) => "policy-pattern",
            RuleFault::Template(_) => "policy-capture",
            RuleFault::Name(_) => "policy-name",
            RuleFault::Key(_) => "policy-key",
            RuleFault::SameKey { .. } => "policy-same-key",
            RuleFault::Threshold { .. } => "policy-threshold",
            RuleFault::NoPlace { .. } => "policy-trust-unknown",
            RuleFault::Path(_) => "policy-path",
            RuleFault::Constraint(_) => "policy-constraint",
            RuleFault::NoSupplyChains => "policy-no-supply-chains",
            RuleFault::Parameter(_) => "policy-parameter",
            RuleFault::Reference(_) => "policy-reference",
            RuleFault::Expected { .. } => "policy-expected-name",
            RuleFault::OtherName { .. } => "policy-other-name",
            RuleFault::SomeVersions { .. } => "policy-some-versions",
            RuleFault::Rejects => "policy-rejects",
        }
    }

    /// What to try.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            RuleFault::Unknown { .. } => "is it misspelt? A remark goes into a member `comment`",
            RuleFault::Version => "write \"version\": 1",
            RuleFault::Pattern(fault) => return fault.hint().map(ToString::to_string),
            RuleFault::Template(_) => "$1 to $9 stand for what each `(*)` of `reference` matched, counted from the left",
            RuleFault::Key(_) => "a key is the path of a PEM file, or the PEM text itself",
            RuleFault::SameKey { .. } => "list each key once",
            RuleFault::NoPlace { name } => return Some(format!("add \"{name}\": {{\"root\": \"root.json\"}} to `trust`")),
            RuleFault::SomeVersions { .. } => "ask for one version",
            RuleFault::OtherName { .. } => "leave --name out, or ask for what the rule expects",
            RuleFault::Expected { .. } => "does the pattern match more than it should?",
            _ => return None,
        };
        Some(hint.into())
    }
}
