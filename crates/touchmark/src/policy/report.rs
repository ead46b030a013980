//! How a policy came to its answer.

use std::path::PathBuf;

use touchmark_envelope::Verified;
use touchmark_envelope::json::{Object, Value};
use touchmark_trust::Artifact;

use super::PolicyError;

/// A rule that decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleUsed {
    /// Its place in the document, counted from 1.
    pub rule: usize,
    /// The pattern of it that matched.
    pub pattern: String,
}

/// Which policies decided, and which rules of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecidedBy {
    /// The policy file; none if the caller said whom to trust.
    pub file: Option<PathBuf>,
    /// Its rule.
    pub rule: Option<RuleUsed>,
    /// Whether the trust repository has a policy of its own.
    pub signed: bool,
    /// The rule of that.
    pub signed_rule: Option<RuleUsed>,
}

/// An artifact that every policy accepts.
#[derive(Clone, Debug)]
pub struct Decided {
    /// What was verified, as the policy file or the caller demanded.
    pub artifact: Verified<Artifact>,
    /// What was verified as the trust repository's own policy demanded, if it has one.
    pub signed: Option<Verified<Artifact>>,
    /// By which policies.
    pub by: DecidedBy,
}

/// A refusal.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Refusal {
    /// Why.
    #[source]
    pub error: Box<PolicyError>,
    /// By which policies, as far as they were asked.
    pub by: Box<DecidedBy>,
}

impl Refusal {
    pub(super) fn new(error: PolicyError, by: &DecidedBy) -> Self {
        Self { error: Box::new(error), by: Box::new(by.clone()) }
    }
}

impl From<PolicyError> for Refusal {
    fn from(error: PolicyError) -> Self {
        Self::new(error, &DecidedBy::default())
    }
}

impl RuleUsed {
    fn to_json(&self) -> Object<'static> {
        let mut object = Object::new();
        object.insert("rule", Value::from(u64::try_from(self.rule).unwrap_or(u64::MAX)));
        object.insert("pattern", Value::from(self.pattern.clone()));
        object
    }
}

impl DecidedBy {
    /// The members `policy`, `{file, rule, pattern}`, and `signed_policy`, `{rule, pattern, verification}`, as far as there are such policies:
    /// SPEC.md, "JSON output". `signed` is what the second verified.
    pub fn to_json(&self, signed: Option<&Artifact>) -> Object<'static> {
        let mut members = Object::new();
        if let Some(file) = &self.file {
            let mut policy = Object::new();
            policy.insert("file", Value::from(file.display().to_string()));
            extend(&mut policy, self.rule.as_ref());
            members.insert("policy", Value::Object(policy));
        }
        if self.signed {
            let mut policy = Object::new();
            extend(&mut policy, self.signed_rule.as_ref());
            if let Some(artifact) = signed {
                policy.insert("verification", Value::Object(artifact.to_json()));
            }
            members.insert("signed_policy", Value::Object(policy));
        }
        members
    }

    /// The policies, as lines for people.
    pub fn lines(&self) -> Vec<String> {
        let of = |rule: &RuleUsed| format!("rule {} ({})", rule.rule, rule.pattern);
        let local = self.file.as_ref().zip(self.rule.as_ref()).map(|(file, rule)| format!("by {} of {}", of(rule), file.display()));
        let signed = self.signed_rule.as_ref().map(|rule| format!("by {} of the trust repository's own policy, too", of(rule)));
        local.into_iter().chain(signed).collect()
    }
}

fn extend(object: &mut Object<'static>, rule: Option<&RuleUsed>) {
    for (name, value) in rule.map(RuleUsed::to_json).iter().flat_map(Object::iter) {
        object.insert(name.to_owned(), value.clone());
    }
}
