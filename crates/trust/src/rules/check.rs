//! What of a document is probably not meant: only what is sure is told.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use touchmark_envelope::json::{Object, Value};
use touchmark_envelope::name::Wanted;

use crate::report::AcceptedKind;

use super::document::PolicyDocument;
use super::error::escaped;
use super::pattern::{NamePattern, ReferencePattern};
use super::rule::{Ground, Rule, Selector};
use super::template::Template;

/// Work for comparing rules with those before them, in pairs of characters; what it does not suffice for is not told.
const MAX_WORK: usize = 1 << 26;

/// A weakness of a document, and the JSON pointer of its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The place.
    pub at: String,
    /// What is weak there.
    pub weakness: Weakness,
}

/// What can be weak in a document that is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Weakness {
    /// There is no rule.
    NoRule,
    /// A tag says which artifact is meant, and nothing says what it must have been signed as.
    Repointable {
        /// What is expected, if anything is.
        expected: Option<String>,
    },
    /// An older artifact of the same name would be accepted.
    Rollback {
        /// The name that newer artifacts get, too.
        name: String,
    },
    /// Whatever the rule is for, an earlier one is for.
    Unreachable {
        /// The pattern.
        pattern: String,
        /// The place of the rule that is for it, counted from 0.
        earlier: usize,
        /// The pattern of that rule.
        by: String,
    },
    /// A trust repository that no rule names.
    UnusedTrust,
    /// An older state of the trust repository would be accepted.
    NoStore,
    /// An attestation whose signers depend on how the artifact is accepted.
    PredicateSigners {
        /// The type of its predicate.
        predicate_type: String,
    },
}

impl Finding {
    /// The finding as JSON, `{level, at, code, message, hint}`: its level is `warning`.
    pub fn to_json(&self) -> Value<'static> {
        let mut object = Object::new();
        object.insert("level", "warning");
        object.insert("at", self.at.clone());
        object.insert("code", self.weakness.code());
        object.insert("message", self.weakness.to_string());
        object.insert("hint", self.weakness.hint());
        object.into()
    }
}

impl Weakness {
    /// The stable code of this weakness.
    pub const fn code(&self) -> &'static str {
        match self {
            Weakness::NoRule => "policy-no-rule",
            Weakness::Repointable { .. } => "policy-tag-can-be-repointed",
            Weakness::Rollback { .. } => "policy-rollback",
            Weakness::Unreachable { .. } => "policy-rule-unreachable",
            Weakness::UnusedTrust => "policy-trust-unused",
            Weakness::NoStore => "policy-no-store",
            Weakness::PredicateSigners { .. } => "policy-predicate-signers",
        }
    }

    /// What to try.
    pub const fn hint(&self) -> &'static str {
        match self {
            Weakness::NoRule => "nothing is accepted: add a rule",
            Weakness::Repointable { .. } => {
                "expect a name with a version, such as \"name\": \"acme/$1:$2\", or let the pattern ask for a digest"
            }
            Weakness::Rollback { .. } => "use `trust` with \"accepted_by\": \"entry\"",
            Weakness::Unreachable { .. } => "put the narrower rule first, or take it out",
            Weakness::UnusedTrust => "name it in a rule, or take it out",
            Weakness::NoStore => "leave `store` out for the user's own store, or name a folder",
            Weakness::PredicateSigners { .. } => "give the predicate `keys` of its own",
        }
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Weakness::NoRule => f.write_str("there is no rule"),
            Weakness::Repointable { expected: None } => {
                f.write_str("whoever sets a tag says which artifact is meant: anything that these keys ever signed is accepted under it")
            }
            Weakness::Repointable { expected: Some(name) } => {
                write!(f, "whoever sets a tag says which artifact is meant: anything that was ever signed as {name} is accepted under it")
            }
            Weakness::Rollback { name } => {
                write!(f, "envelopes say nothing of newer artifacts: an older one that was signed as {name} is accepted, too")
            }
            Weakness::Unreachable { pattern, earlier, by } => {
                write!(f, "is never reached: whatever {pattern} matches the rule /rules/{earlier} matches by {by}")
            }
            Weakness::UnusedTrust => f.write_str("no rule names it"),
            Weakness::NoStore => f.write_str("nothing is remembered: an older state of the trust repository is accepted until it expires"),
            Weakness::PredicateSigners { predicate_type } => write!(
                f,
                "attestations of type {predicate_type} have no signers of their own: those of the role's envelopes count, and where an entry decides there may be none"
            ),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.as_str() {
            "" => write!(f, "{}", self.weakness),
            at => write!(f, "`{}`: {}", at.escape_debug(), self.weakness),
        }
    }
}

impl PolicyDocument {
    /// What is weak in it, in the order of the document.
    pub fn check(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut tell = |at: String, weakness| findings.push(Finding { at, weakness });
        for (name, place) in &self.trust {
            let at = format!("/trust/{}", escaped(name));
            let uses = |rule: &Rule| matches!(&rule.ground, Ground::Trust { name: used, .. } if used == name);
            if !self.rules.iter().any(uses) {
                tell(at.clone(), Weakness::UnusedTrust);
            }
            if place.store.as_deref() == Some("none") {
                tell(format!("{at}/store"), Weakness::NoStore);
            }
        }
        if self.rules.is_empty() {
            tell("/rules".into(), Weakness::NoRule);
        }
        let mut work = MAX_WORK;
        for (index, rule) in self.rules.iter().enumerate() {
            if let Some(unreachable) = self.unreachable(index, rule, &mut work) {
                tell(format!("/rules/{index}"), unreachable);
            }
            if rule.ground == Ground::Reject {
                continue;
            }
            if let Some(weakness) = rule.repointable() {
                tell(format!("/rules/{index}/{}", if rule.name().is_some() { "name" } else { "reference" }), weakness);
            }
            if let Some(name) = rule.channel().filter(|_| rule.accepts_by(AcceptedKind::Envelopes)) {
                tell(format!("/rules/{index}"), Weakness::Rollback { name });
            }
            if matches!(rule.ground, Ground::Trust { .. }) && rule.accepts_by(AcceptedKind::Entry) {
                for (number, predicate) in rule.predicates.iter().enumerate().filter(|(_, predicate)| predicate.keys.is_none()) {
                    let predicate_type = predicate.predicate_type.clone();
                    tell(format!("/rules/{index}/predicates/{number}"), Weakness::PredicateSigners { predicate_type });
                }
            }
        }
        findings
    }

    /// What of the rules before it is for all that a rule is for: each of its patterns matches only what one of theirs matches.
    fn unreachable(&self, index: usize, rule: &Rule, work: &mut usize) -> Option<Weakness> {
        let mut last = None;
        for pattern in rule.patterns() {
            let earlier = self.rules.iter().take(index).enumerate();
            let mut others = earlier.flat_map(|(place, rule)| rule.patterns().map(move |other| (place, other)));
            let (earlier, by) = others.find(|(_, other)| other.includes(pattern, work))?;
            last = Some(Weakness::Unreachable { pattern: pattern.text().to_string(), earlier, by: by.text().to_string() });
        }
        last
    }
}

impl Rule {
    fn name(&self) -> Option<&Template> {
        match &self.selector {
            Selector::References { name, .. } => name.as_ref(),
            Selector::Names(_) => None,
        }
    }

    fn accepts_by(&self, kind: AcceptedKind) -> bool {
        self.accepted_by.as_ref().is_none_or(|kinds| kinds.contains(&kind))
    }

    /// Whether a tag could be set to another artifact that is accepted: nothing ties what was signed to what was typed.
    fn repointable(&self) -> Option<Weakness> {
        let Selector::References { patterns, name } = &self.selector else { return None };
        if !patterns.iter().any(ReferencePattern::leaves_digests_out) {
            return None;
        }
        let expected = name.as_ref().map(ToString::to_string);
        let version = expected.as_deref().and_then(|name| name.split_once(':')).map(|(_, version)| version);
        match version {
            Some(version) if version != "*" => None,
            _ => Some(Weakness::Repointable { expected }),
        }
    }

    /// The one name that newer artifacts surely get too, if there is one: it has no version, or a version without a digit (`stable`).
    fn channel(&self) -> Option<String> {
        let name = match &self.selector {
            Selector::References { name, .. } => name.as_ref().filter(|name| !name.has_captures())?.to_string(),
            Selector::Names(patterns) => patterns.iter().map(ToString::to_string).find(|text| is_channel(text))?,
        };
        is_channel(&name).then_some(name)
    }

    fn patterns(&self) -> impl Iterator<Item = Pattern<'_>> {
        let (names, references): (&[NamePattern], &[ReferencePattern]) = match &self.selector {
            Selector::Names(patterns) => (patterns, &[]),
            Selector::References { patterns, .. } => (&[], patterns),
        };
        names.iter().map(Pattern::Name).chain(references.iter().map(Pattern::Reference))
    }
}

fn is_channel(name: &str) -> bool {
    match name.parse() {
        Ok(Wanted::Exact(name)) => name.version().is_none_or(|version| !version.bytes().any(|byte| byte.is_ascii_digit())),
        _ => false,
    }
}

#[derive(Clone, Copy)]
enum Pattern<'r> {
    Name(&'r NamePattern),
    Reference(&'r ReferencePattern),
}

impl Pattern<'_> {
    fn text(&self) -> &str {
        match self {
            Pattern::Name(pattern) => pattern.as_str(),
            Pattern::Reference(pattern) => pattern.as_str(),
        }
    }

    fn includes(&self, other: Pattern<'_>, work: &mut usize) -> bool {
        let cost = self.text().len().saturating_mul(other.text().len());
        let Some(left) = work.checked_sub(cost) else { return false };
        *work = left;
        match (self, other) {
            (Pattern::Name(one), Pattern::Name(other)) => one.includes(other),
            (Pattern::Reference(one), Pattern::Reference(other)) => one.includes(other),
            _ => false,
        }
    }
}
