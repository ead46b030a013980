//! Why a layout is not verified, and why a file does not count.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use touchmark_envelope::UnixTime;
use touchmark_envelope::dsse::DsseError;
use touchmark_envelope::signed::SignedError;

use crate::certificates::Uncertified;
use crate::constraint::{MAX_UNMET, Unmet};
use crate::engine::RuleFailure;
use crate::error::Error;
use crate::rule::Side;

use super::need::Failure;

/// The kinds of refusal. The command line's exit codes derive from it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// What the caller gave does not fit: no key, or parameters that the layout does not go with.
    Usage,
    /// The layout is not signed by every key that was given, malformed or expired.
    UntrustedMetadata,
    /// There is not the evidence that the layout asks for.
    NotVerified,
    /// It could not be found out: something was not to be had, or a limit was reached.
    Unknown,
}

impl Class {
    /// A stable word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Class::Usage => "usage",
            Class::UntrustedMetadata => "untrusted-metadata",
            Class::NotVerified => "not-verified",
            Class::Unknown => "unknown",
        }
    }

    /// The class of several demands that must all be met: usage, untrusted metadata, not verified, unknown.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let rank = |class| match class {
            Class::Usage => 0,
            Class::UntrustedMetadata => 1,
            Class::NotVerified => 2,
            Class::Unknown => 3,
        };
        if rank(other) < rank(self) { other } else { self }
    }
}

/// Why a layout is not verified. Each is one of what may be several.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// There is no key to verify it by (in-toto 1.0, 5.2, item 1).
    #[error("no key was given to verify the layout by")]
    NoKey,
    /// It is no layout.
    #[error("the layout cannot be read: {0}")]
    Layout(Error),
    /// A key that was given has not signed it (5.2, item 1).
    #[error("the layout is not signed by the key {key}")]
    Unsigned {
        /// Touchmark's identifier of the key.
        key: String,
    },
    /// It has expired (5.2, item 2).
    #[error("the layout expired at {expires}; the time is {at}")]
    Expired {
        /// When it expired.
        expires: UnixTime,
        /// The time of the verification.
        at: UnixTime,
    },
    /// Fewer distinct keys vouch for a step than its threshold (5.2, item 4; 4.3.1).
    #[error("step `{}`: {found} of {needed} required keys vouch for it{}{why}", step.escape_debug(), if why.is_empty() { "" } else { ": " })]
    Threshold {
        /// The step.
        step: String,
        /// The threshold.
        needed: u64,
        /// How many do.
        found: usize,
        /// Whether something that might count could not be had.
        unavailable: bool,
        /// Why nothing more counts, as far as a line holds it.
        why: String,
    },
    /// A step's threshold is above the number of its distinct usable keys, so that it can never verify.
    #[error("step `{}`: {needed} keys are required, and only {keys} distinct ones may and can sign{}{why}", step.escape_debug(), if why.is_empty() { "" } else { ": " })]
    Unreachable {
        /// The step.
        step: String,
        /// The threshold.
        needed: u64,
        /// The distinct keys.
        keys: usize,
        /// Why others cannot sign, as far as a line holds it.
        why: String,
    },
    /// Fewer distinct keys vouch for a step or a subject than one of its predicates needs.
    #[error("`{}`{}: {found} of {needed} required keys vouch for it with `{}`{}{why}", item.escape_debug(), of(artifact.as_deref(), *more), predicate_type.escape_debug(), if why.is_empty() { "" } else { ": " })]
    Predicate {
        /// The step or the subject.
        item: String,
        /// Of a subject, the artifact that too few vouch for, cut to 256 bytes.
        artifact: Option<String>,
        /// How many artifacts besides too few vouch for.
        more: usize,
        /// The type of the predicate, cut to 256 bytes.
        predicate_type: String,
        /// The threshold.
        needed: u64,
        /// How many do.
        found: usize,
        /// Whether something that might count could not be had.
        unavailable: bool,
        /// Why nothing more counts, as far as a line holds it.
        why: String,
    },
    /// The threshold of a predicate is above the number of its distinct usable keys, so that it can never verify.
    #[error("`{}`: {needed} keys are required for `{}`, and only {keys} distinct ones may and can sign{}{why}", item.escape_debug(), predicate_type.escape_debug(), if why.is_empty() { "" } else { ": " })]
    PredicateUnreachable {
        /// The step or the subject.
        item: String,
        /// The type of the predicate, cut to 256 bytes.
        predicate_type: String,
        /// The threshold.
        needed: u64,
        /// The distinct keys.
        keys: usize,
        /// Why others cannot sign, as far as a line holds it.
        why: String,
    },
    /// A key signed two statements of one type for a step, which do not say which is meant.
    #[error("step `{}`: {first} and {other} are two statements of {key} with `{}`", step.escape_debug(), predicate_type.escape_debug())]
    Twice {
        /// The step.
        step: String,
        /// The type of the predicate, cut to 256 bytes.
        predicate_type: String,
        /// Touchmark's identifier of the key.
        key: String,
        /// The first statement.
        first: String,
        /// One that differs from it.
        other: String,
    },
    /// There is no final product that subjects could be held against.
    #[error("subject `{}`: there is no final product to hold it against", subject.escape_debug())]
    SubjectWithoutProduct {
        /// The subject.
        subject: String,
    },
    /// Nothing of the final product is what a subject is about.
    #[error("subject `{}`: nothing of the final product is matched by its patterns", subject.escape_debug())]
    SubjectEmpty {
        /// The subject.
        subject: String,
    },
    /// An artifact of the final product is no product of the steps that a subject names.
    #[error("subject `{}`{}: it is no product of {}", subject.escape_debug(), of(Some(artifact), *more), steps.join(", ").escape_debug())]
    SubjectUnproduced {
        /// The subject.
        subject: String,
        /// The first such artifact, cut to 256 bytes.
        artifact: String,
        /// How many there are besides.
        more: usize,
        /// The steps.
        steps: Vec<String>,
    },
    /// Links that count report different materials or products (4.3.1), whatever the threshold.
    #[error("`{}`: {first} and {other} report different materials or products", item.escape_debug())]
    Disagreement {
        /// The step or the inspection.
        item: String,
        /// The first file.
        first: String,
        /// A file that differs from it.
        other: String,
    },
    /// A rule failed (5.2, items 5 and 7).
    #[error("`{}`, {side}, rule {}, {rule}: {failure}", item.escape_debug(), number + 1)]
    Rule {
        /// The step or the inspection.
        item: String,
        /// Whether it is one for its materials or for its products.
        side: Side,
        /// Which of these rules it is, counted from 0.
        number: usize,
        /// The rule, as one line.
        rule: String,
        /// Why.
        failure: RuleFailure,
    },
    /// Nobody says what came of an inspection (5.2, item 6).
    #[error("inspection `{}`: it was not run, and no link of a key that may answer it was found", inspection.escape_debug())]
    Unanswered {
        /// The inspection.
        inspection: String,
    },
    /// An inspection was not asked for, since something had failed before.
    #[error("inspection `{}`: it was not asked for after what failed before", inspection.escape_debug())]
    NotReached {
        /// The inspection.
        inspection: String,
    },
    /// An inspection could not be run.
    #[error("inspection `{}`: {failure}", inspection.escape_debug())]
    NotRun {
        /// The inspection.
        inspection: String,
        /// Why.
        failure: Failure,
    },
    /// The command of an inspection returned something else than 0 (4.3.2.1).
    #[error("inspection `{}`: its command returned {return_value}", inspection.escape_debug())]
    Inspection {
        /// The inspection.
        inspection: String,
        /// What it returned.
        return_value: i64,
    },
    /// No inspection looks at the final product, so that nothing ties it to the supply chain.
    #[error("no inspection of the layout looks at the final product: one with the command `true` would")]
    ProductIgnored,
    /// The manifest of the final product is no product of a step: no MATCH against the products of one consumed it.
    #[error("no MATCH WITH PRODUCTS of a step consumed {manifest}, the manifest of the final product")]
    ProductUnmatched {
        /// The name under which it was offered.
        manifest: String,
    },
    /// No file of the final product is one of a step's products: no MATCH against those of one consumed any.
    #[error("no MATCH WITH PRODUCTS of a step consumed any file of the final product")]
    ProductUntied,
    /// One sublayout, or one statement, is in the place of the evidence for two steps.
    #[error("{first} and {second} are one document, which stands for one step only")]
    OneForTwo {
        /// The file that was looked at first.
        first: String,
        /// The other one.
        second: String,
    },
    /// A sublayout without a step, which has neither materials nor products (4.5.1).
    #[error("the sublayout has no step")]
    NoStep,
    /// More files would have to be asked for.
    #[error("more than {limit} files would have to be looked for")]
    TooManyFiles {
        /// The limit.
        limit: u32,
    },
    /// The files have more bytes together.
    #[error("the files have more than {limit} bytes together")]
    TooManyBytes {
        /// The limit.
        limit: u64,
    },
    /// Rules take more work.
    #[error("the rules of `{}` take more work than is allowed", item.escape_debug())]
    TooMuchWork {
        /// The step or the inspection.
        item: String,
    },
    /// The verification was given up before its end.
    #[error("the verification was not carried to its end")]
    Unfinished,
}

impl Reason {
    /// The same, of so many artifacts more.
    pub(super) fn and_more(mut self, artifacts: usize) -> Self {
        if let Reason::Predicate { more, .. } | Reason::SubjectUnproduced { more, .. } = &mut self {
            *more = artifacts;
        }
        self
    }

    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Reason::NoKey => "in-toto-no-key",
            Reason::Layout(error) => error.code(),
            Reason::Unsigned { .. } => "in-toto-layout-signature",
            Reason::Expired { .. } => "in-toto-expired",
            Reason::Threshold { .. } => "in-toto-threshold",
            Reason::Unreachable { .. } => "in-toto-unreachable-threshold",
            Reason::Predicate { .. } => "in-toto-predicate-threshold",
            Reason::PredicateUnreachable { .. } => "in-toto-unreachable-threshold",
            Reason::Twice { .. } => "in-toto-twice",
            Reason::SubjectWithoutProduct { .. } => "in-toto-no-product",
            Reason::SubjectEmpty { .. } => "in-toto-subject-empty",
            Reason::SubjectUnproduced { .. } => "in-toto-subject-unproduced",
            Reason::Disagreement { .. } => "in-toto-disagreement",
            Reason::Rule { failure: RuleFailure::Disallowed { .. }, .. } => "in-toto-disallowed",
            Reason::Rule { failure: RuleFailure::Required { .. }, .. } => "in-toto-required",
            Reason::Unanswered { .. } => "in-toto-inspection-unanswered",
            Reason::NotReached { .. } => "in-toto-inspection-not-reached",
            Reason::NotRun { .. } => "in-toto-inspection-not-run",
            Reason::Inspection { .. } => "in-toto-inspection-failed",
            Reason::ProductIgnored => "in-toto-product-ignored",
            Reason::ProductUnmatched { .. } | Reason::ProductUntied => "in-toto-product-unmatched",
            Reason::OneForTwo { .. } => "in-toto-one-for-two",
            Reason::NoStep => "in-toto-no-step",
            Reason::TooManyFiles { .. } | Reason::TooManyBytes { .. } | Reason::TooMuchWork { .. } => "in-toto-limit",
            Reason::Unfinished => "in-toto-unfinished",
        }
    }

    /// What kind of refusal it is.
    pub fn class(&self) -> Class {
        match self {
            Reason::NoKey => Class::Usage,
            Reason::Layout(error) if is_of_parameters(error) => Class::Usage,
            Reason::Layout(_) | Reason::Unsigned { .. } | Reason::Expired { .. } => Class::UntrustedMetadata,
            Reason::Threshold { unavailable: true, .. }
            | Reason::Predicate { unavailable: true, .. }
            | Reason::TooManyFiles { .. }
            | Reason::TooManyBytes { .. }
            | Reason::TooMuchWork { .. }
            | Reason::NotRun { failure: Failure::Unavailable(_), .. }
            // What came before it says more.
            | Reason::NotReached { .. }
            | Reason::Unfinished => Class::Unknown,
            _ => Class::NotVerified,
        }
    }
}

/// The artifact that a reason is about, and how many there are besides.
fn of(artifact: Option<&str>, more: usize) -> String {
    match (artifact, more) {
        (None, _) => String::new(),
        (Some(artifact), 0) => alloc::format!(", `{}`", artifact.escape_debug()),
        (Some(artifact), more) => alloc::format!(", `{}` and {more} more", artifact.escape_debug()),
    }
}

fn is_of_parameters(error: &Error) -> bool {
    match error {
        Error::Within { error, .. } => is_of_parameters(error),
        Error::ParameterMissing { .. } | Error::Braces { .. } => true,
        _ => false,
    }
}

/// Reasons in one line.
fn listed(all: &[Unmet]) -> String {
    let mut out = String::new();
    for (place, unmet) in all.iter().take(MAX_UNMET).enumerate() {
        // Writing to a text does not fail.
        let _ = write!(out, "{}{unmet}", if place == 0 { "" } else { "; " });
    }
    out
}

/// Why a file that was found does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It could not be had.
    #[error("{0}")]
    Unavailable(Failure),
    /// It is no metadata, or malformed.
    #[error("{0}")]
    Malformed(Error),
    /// It has no valid signature by a key that may sign it.
    #[error("it has no valid signature by a key that may sign it")]
    Signature,
    /// It is signed with GnuPG, which is not checked.
    #[error("it is signed with GPG, and such signatures are not checked")]
    Gpg,
    /// Its signature is that of a certificate which does not count (ITE-7).
    #[error("it is signed by a certificate that does not count: {0}")]
    Certificate(Uncertified),
    /// There are more files than were looked at.
    #[error("more than {limit} files have such a name, and not all were looked at")]
    TooManyNames {
        /// The limit.
        limit: usize,
    },
    /// So many signatures would have to be checked by so many keys, or over so many bytes, that not all were tried.
    #[error("its signatures take more checks than are made of one document, and not all were tried")]
    TooManyChecks,
    /// It is the link of another step: whoever names files could pass one step's evidence off as another's.
    #[error("it is a link of `{}`", found.escape_debug())]
    OtherName {
        /// What it says that it is of, at most 128 characters of it.
        found: String,
    },
    /// Its predicate is none that is expected.
    #[error("its predicate is of type `{}`, which is not expected", found.escape_debug())]
    OtherPredicate {
        /// What it says, at most 128 characters of it.
        found: String,
    },
    /// Its predicate is not what is asked.
    #[error("its predicate is not as it must be: {}", listed(.0))]
    Unmet(Vec<Unmet>),
    /// What it says something of is not what the step made, or not the final product.
    #[error("it is about something else")]
    OtherSubject,
    /// It answers an inspection of something else than the final product.
    #[error("what it inspected is not the final product")]
    OtherProduct,
    /// A sublayout deeper than the limit.
    #[error("it is a sublayout at a depth of more than {limit}")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// A sublayout that is not verified; its own report says why.
    #[error("it is a sublayout that is not verified")]
    Sublayout(Class),
    /// A sublayout, or a statement, that is evidence for another step, too.
    #[error("it is what {other} is, which is of another step")]
    OtherStep {
        /// The other file.
        other: String,
    },
    /// A sublayout of which each signer left an inspection to another (4.5.3).
    #[error("it is a sublayout, and no key that signed it answered all its inspections")]
    Inspections,
}

impl Refusal {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Unavailable(failure) => failure.code(),
            Refusal::Malformed(error) => error.code(),
            Refusal::Signature => "in-toto-link-signature",
            Refusal::Gpg => "in-toto-gpg",
            Refusal::Certificate(why) => why.code(),
            Refusal::TooManyNames { .. } => "in-toto-too-many-names",
            Refusal::TooManyChecks => "in-toto-too-many-checks",
            Refusal::OtherName { .. } => "in-toto-link-name",
            Refusal::OtherPredicate { .. } => "in-toto-predicate",
            Refusal::Unmet(_) => "in-toto-unmet",
            Refusal::OtherSubject => "in-toto-other-subject",
            Refusal::OtherProduct => "in-toto-other-product",
            Refusal::TooDeep { .. } => "in-toto-too-deep",
            Refusal::Sublayout(_) => "in-toto-sublayout",
            Refusal::OtherStep { .. } => "in-toto-one-for-two",
            Refusal::Inspections => "in-toto-sublayout-inspections",
        }
    }

    /// Whether it might count if it could be had, or if a limit were higher.
    pub fn is_unknown(&self) -> bool {
        match self {
            Refusal::Unavailable(Failure::NoFile(_)) => false,
            Refusal::Certificate(why) => why.is_unknown(),
            Refusal::Unavailable(_)
            | Refusal::TooManyNames { .. }
            | Refusal::TooManyChecks
            | Refusal::TooDeep { .. }
            | Refusal::Sublayout(Class::Unknown) => true,
            Refusal::Malformed(error) => match error {
                Error::TooLarge { .. } | Error::TooMany { .. } => true,
                Error::Dsse(error) => matches!(error, DsseError::TooManySignatures { .. }),
                Error::Signed(error) => matches!(error, SignedError::TooManySignatures { .. }),
                _ => false,
            },
            _ => false,
        }
    }
}
