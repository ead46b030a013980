//! Why bytes are no metadata that is taken, and parameters none that are.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use touchmark_envelope::dsse::DsseError;
use touchmark_envelope::json;
use touchmark_envelope::manifest::ManifestError;
use touchmark_envelope::signed::SignedError;

use crate::constraint::ConstraintFault;

/// What is wrong with a layout, a link or a parameter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not JSON as this library reads it.
    #[error("it is no JSON: {0}")]
    Json(#[from] json::Error),
    /// No DSSE envelope.
    #[error(transparent)]
    Dsse(#[from] DsseError),
    /// No document with signatures beside it.
    #[error(transparent)]
    Signed(#[from] SignedError),
    /// The final product is no OCI manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Larger than the limit.
    #[error("it has {found} bytes, more than {limit}")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
        /// The size, in bytes.
        found: u64,
    },
    /// Neither of the two forms that metadata is signed in, or both.
    #[error("it is {} a DSSE envelope {} a document with `signed` and `signatures`", if *both { "both" } else { "neither" }, if *both { "and" } else { "nor" })]
    Envelope {
        /// Whether it is both: readers would disagree about what was signed.
        both: bool,
    },
    /// A DSSE envelope of something else.
    #[error("the payload is of type `{}`, not application/vnd.in-toto+json", found.escape_debug())]
    PayloadType {
        /// What it says, at most 128 characters of it.
        found: String,
    },
    /// Neither a layout nor a link, or not the one of them that is wanted.
    #[error("its `_type` is `{}`, not {expected}", found.escape_debug())]
    Type {
        /// What is wanted.
        expected: &'static str,
        /// What it says, at most 128 characters of it.
        found: String,
    },
    /// A statement about something else than a step.
    #[error("its predicate is of type `{}`, and what vouches for a step is a link", found.escape_debug())]
    Predicate {
        /// What it says, at most 128 characters of it.
        found: String,
    },
    /// A member of a predicate, or of a statement's subjects, is missing or not what its specification says.
    #[error("its `{}` is missing or not {expected}", at.escape_debug())]
    PredicateMember {
        /// Where it is, as a JSON pointer (RFC 6901) of at most 256 bytes.
        at: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A member is missing or malformed.
    #[error("its `{0}` is missing or malformed")]
    Member(&'static str),
    /// A layout's `expires` is missing, empty or not `YYYY-MM-DDTHH:MM:SSZ`: it would never expire.
    #[error("its `expires` is no time of the form 2030-01-31T00:00:00Z")]
    Expires,
    /// There is nothing in the layout that could be verified.
    #[error("it has neither a step nor an inspection")]
    NoItem,
    /// The name of a step or an inspection that could lead out of the folder of links.
    #[error("the name `{}` of a step or an inspection is not that of a file", name.escape_debug())]
    ItemName {
        /// The name, at most 128 characters of it.
        name: String,
    },
    /// Two steps or inspections have one name (in-toto 1.0, 4.3.1 and 4.3.2).
    #[error("two steps or inspections have the name `{}`", name.escape_debug())]
    ItemTwice {
        /// The name.
        name: String,
    },
    /// A layout over attestations has a member that none has: it could be a demand.
    #[error("{}the member `{}` is not known", if item.is_empty() { String::new() } else { alloc::format!("`{}`: ", item.escape_debug()) }, member.escape_debug())]
    UnknownMember {
        /// The name of the step, the subject or the inspection; empty for the layout itself.
        item: String,
        /// The member, at most 128 characters of it.
        member: String,
    },
    /// A step or an inspection that is not what the specification says.
    #[error("`{}`: its {what} is missing or malformed", item.escape_debug())]
    Item {
        /// Its name.
        item: String,
        /// The member.
        what: &'static str,
    },
    /// A rule, or something else with words of the layout's author, of a step or an inspection.
    #[error("`{}`, {what}: {error}", item.escape_debug())]
    Within {
        /// The name of the step or the inspection.
        item: String,
        /// The member.
        what: &'static str,
        /// What is wrong.
        error: Box<Error>,
    },
    /// A rule that no implementation may skip.
    #[error("the rule {} {fault}", in_quotes(words))]
    Rule {
        /// Its words.
        words: Vec<String>,
        /// What is wrong with it.
        fault: RuleFault,
    },
    /// A constraint that no implementation may skip.
    #[error("the constraint `{text}` {fault}")]
    Constraint {
        /// The beginning of it, at most 128 bytes.
        text: String,
        /// What is wrong with it.
        fault: ConstraintFault,
    },
    /// An artifact whose name is not in the one form that names have.
    #[error("the artifact name `{}` is empty, absolute or has an empty, `.` or `..` part", name.escape_debug())]
    ArtifactName {
        /// The name, at most 256 characters of it.
        name: String,
    },
    /// An artifact without a digest, or with one that is no hexadecimal.
    #[error("the artifact `{}` has no digest, or one that is not hexadecimal", name.escape_debug())]
    ArtifactDigest {
        /// The artifact's name, at most 256 characters of it.
        name: String,
    },
    /// Two artifacts have one name.
    #[error("two artifacts have the name `{}`", name.escape_debug())]
    ArtifactTwice {
        /// The name, at most 256 characters of it.
        name: String,
    },
    /// More than is read.
    #[error("it has more than {limit} {what}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A name that no parameter can have.
    #[error("`{}` is no name of a parameter: letters, digits, `_` and `-`", name.escape_debug())]
    ParameterName {
        /// The name.
        name: String,
    },
    /// A parameter was given an empty value: a name for nothing, as a variable that is not set leaves it.
    #[error("the value of the parameter `{name}` is empty")]
    ParameterEmpty {
        /// Its name.
        name: String,
    },
    /// A parameter was given two values.
    #[error("the parameter `{name}` is given twice")]
    ParameterTwice {
        /// Its name.
        name: String,
    },
    /// The layout asks for a parameter that was not given.
    #[error("the parameter `{name}` is not given")]
    ParameterMissing {
        /// Its name.
        name: String,
    },
    /// Parameters are given, and a brace is not one of `{name}`.
    #[error("`{}` has a brace that is not of a parameter: with parameters, `{{name}}` is all that a brace may be of", text.escape_debug())]
    Braces {
        /// The text.
        text: String,
    },
}

/// What is wrong with a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleFault {
    /// Too few words, or too many for its key word.
    Length,
    /// The first word is no key word.
    Keyword,
    /// Not one of the four forms of a MATCH, or neither MATERIALS nor PRODUCTS.
    Match,
    /// A prefix that is no path in the one form that names have.
    Prefix,
    /// What follows FROM can be no name of a step.
    Item,
    /// What is required can be no name of an artifact.
    Name,
    /// A pattern that the name of no artifact can match.
    Pattern,
    /// A parameter stands within `[…]`, where its value would be part of a pattern.
    ParameterInSet,
}

impl fmt::Display for RuleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RuleFault::Length => "has not the number of words that its key word takes",
            RuleFault::Keyword => "begins with no key word",
            RuleFault::Match => "is not of the form MATCH pattern [IN path] WITH (MATERIALS|PRODUCTS) [IN path] FROM step",
            RuleFault::Prefix => "has an absolute path, or one with an empty, `.` or `..` part",
            RuleFault::Item => "names a step that can be none",
            RuleFault::Name => "requires what can be no artifact's name",
            RuleFault::Pattern => "has a pattern that matches no artifact's name: it ends in `/`, or a part of it is empty, `.` or `..`",
            RuleFault::ParameterInSet => "has a parameter within `[…]`",
        })
    }
}

impl Error {
    /// A stable name for this kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Json(error) => error.code(),
            Error::Dsse(_) => "in-toto-dsse",
            Error::Signed(error) => error.code(),
            Error::Manifest(_) => "in-toto-manifest",
            Error::TooLarge { .. } => "in-toto-too-large",
            Error::Envelope { .. } => "in-toto-envelope",
            Error::PayloadType { .. } => "in-toto-payload-type",
            Error::Type { .. } => "in-toto-type",
            Error::Predicate { .. } => "in-toto-predicate",
            Error::PredicateMember { .. } => "in-toto-predicate-malformed",
            Error::Member(_) => "in-toto-malformed",
            Error::Expires => "in-toto-no-expiry",
            Error::NoItem => "in-toto-empty-layout",
            Error::ItemName { .. } => "in-toto-item-name",
            Error::ItemTwice { .. } => "in-toto-item-twice",
            Error::UnknownMember { .. } => "in-toto-unknown-member",
            Error::Item { .. } => "in-toto-item",
            Error::Within { error, .. } => error.code(),
            Error::Rule { .. } => "in-toto-rule",
            Error::Constraint { .. } => "in-toto-constraint",
            Error::ArtifactName { .. } => "in-toto-artifact-name",
            Error::ArtifactDigest { .. } => "in-toto-artifact-digest",
            Error::ArtifactTwice { .. } => "in-toto-artifact-twice",
            Error::TooMany { .. } => "in-toto-too-many",
            Error::ParameterName { .. } => "in-toto-parameter-name",
            Error::ParameterEmpty { .. } => "in-toto-parameter-empty",
            Error::ParameterTwice { .. } => "in-toto-parameter-twice",
            Error::ParameterMissing { .. } => "in-toto-parameter-missing",
            Error::Braces { .. } => "in-toto-parameter-braces",
        }
    }
}

/// At most `limit` characters of `text`.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}

/// `text`, or if it is longer as much of it as `limit` bytes hold with the ellipsis that then ends it.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.into();
    }
    let most = limit.saturating_sub('…'.len_utf8());
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let mut short = String::from(text.get(..end).unwrap_or_default());
    short.push('…');
    short
}

fn in_quotes(words: &[String]) -> String {
    let mut out = String::from("`");
    for (place, word) in words.iter().enumerate() {
        if place > 0 {
            out.push(' ');
        }
        out.extend(word.chars().take(128).flat_map(char::escape_debug));
    }
    out.push('`');
    out
}
