//! Which rule decides.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use touchmark_envelope::json::{Object, Value};
use touchmark_envelope::name::Wanted;
use touchmark_envelope::sorted;

use super::document::PolicyDocument;
use super::error::{RuleError, RuleFault};
use super::host;
use super::pattern::Cover;
use super::rule::{Ground, Rule, Selector};
use super::template::Template;

/// Bytes of a reference.
const MAX_REFERENCE: usize = 8192;

/// A reference in its normal form, as it is shown (SPEC.md, "References"): what the caller typed, with the host in its one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalReference(String);

impl NormalReference {
    /// Takes what a reference is shown as.
    ///
    /// # Errors
    /// It cannot be one in normal form.
    pub fn new(text: &str) -> Result<Self, RuleError> {
        let fault = |what| Err(RuleError::new(RuleFault::Reference(what)));
        let scheme = ["oci:", "oci-archive:"].iter().any(|scheme| text.starts_with(scheme));
        let host = text.split('/').next().unwrap_or_default();
        match text {
            "" => fault("it is empty"),
            _ if text.len() > MAX_REFERENCE => fault("it is too long"),
            _ if text.chars().any(char::is_control) => fault("it has a control character"),
            _ if !scheme && host.len() == text.len() => fault("it has no host"),
            _ if !scheme && host.chars().any(|character| character.is_ascii_uppercase()) => fault("its host is not in lower case"),
            _ => match host::abnormal(host).filter(|_| !scheme) {
                Some(why) => fault(why),
                None => Ok(Self(text.to_owned())),
            },
        }
    }

    /// The reference.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NormalReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is asked of a policy: an artifact at a place, under a name, or both. Nothing of it comes from a registry.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// What the caller typed.
    pub reference: Option<&'q NormalReference>,
    /// The name that the caller wants.
    pub name: Option<&'q Wanted>,
}

/// The rule that decides, with what its captures are.
#[derive(Clone, Debug)]
pub struct Matched<'d> {
    /// Its place in the document, counted from 0.
    pub index: usize,
    /// The rule.
    pub rule: &'d Rule,
    /// The pattern of it that matched.
    pub pattern: &'d str,
    /// The name that the artifact must have.
    pub expected: Option<Wanted>,
    /// What `(*)` stands for, from the left.
    pub captures: Vec<String>,
    /// The parameters of the in-toto layout, with the captures in them; none without a layout.
    pub parameters: BTreeMap<String, String>,
}

impl Matched<'_> {
    /// What it says, as JSON: `{rule, pattern, expected_name, captures, parameters, demands}`, with the rule counted from 1, and as it is written
    /// under `demands`.
    pub fn to_json(&self) -> Object<'static> {
        let mut object = Object::new();
        object.insert("rule", Value::from(u64::try_from(self.index).map_or(u64::MAX, |index| index.saturating_add(1))));
        object.insert("pattern", Value::from(self.pattern.to_owned()));
        object.insert("expected_name", self.expected.as_ref().map_or(Value::Null, |name| Value::from(name.to_string())));
        object.insert("captures", Value::from(self.captures.iter().cloned().map(Value::from).collect::<Vec<_>>()));
        object.insert("parameters", Object::from_map(&self.parameters));
        object.insert("demands", self.rule.to_json());
        object
    }
}

impl PolicyDocument {
    /// The first rule that is for what is asked, which accepts by keys or by a trust repository; with none, nothing is accepted.
    ///
    /// # Errors
    /// [`RuleFault::Rejects`] if that rule rejects it. Otherwise a rule comes first that cannot decide this: it expects another name than is asked for, or none can be made of its captures, or it is
    /// for some of the versions that are asked for.
    pub fn decide(&self, question: &Question<'_>) -> Result<Option<Matched<'_>>, RuleError> {
        for (index, rule) in self.rules.iter().enumerate() {
            let matched = rule.matches(index, question).map_err(|error| error.within_item(index).within("rules"))?;
            if matched.is_some() {
                return Ok(matched);
            }
        }
        Ok(None)
    }
}

impl Rule {
    /// The rule with what its captures are, if it is for what is asked.
    fn matches(&self, index: usize, question: &Question<'_>) -> Result<Option<Matched<'_>>, RuleError> {
        let found = match &self.selector {
            Selector::Names(patterns) => {
                let Some(wanted) = question.name else { return Ok(None) };
                let best = patterns.iter().map(|pattern| (pattern.covers(wanted), pattern)).max_by_key(|(cover, _)| *cover);
                match best {
                    Some((Cover::All, pattern)) => Some((pattern.as_str(), Some(wanted.clone()), Vec::new())),
                    Some((Cover::Some, _)) => {
                        return Err(RuleError::new(RuleFault::SomeVersions { asked: wanted.to_string() }).within("names"));
                    }
                    _ => None,
                }
            }
            Selector::References { patterns, name } => {
                let Some(reference) = question.reference else { return Ok(None) };
                let tried = patterns.iter().map(|pattern| pattern.matches(reference.as_str()).map(|captures| Some((pattern, captures?))));
                // The first that is for it, or of which that is not sure.
                let found = tried.map(Result::transpose).find_map(|found| found).transpose();
                match found.map_err(|fault| RuleError::new(fault).within("reference"))? {
                    Some((pattern, captures)) => {
                        let expected = expected(name.as_ref(), &captures, question.name).map_err(|error| error.within("name"))?;
                        Some((pattern.as_str(), expected, captures))
                    }
                    None => None,
                }
            }
        };
        let Some((pattern, expected, captures)) = found else { return Ok(None) };
        if self.ground == Ground::Reject {
            return Err(RuleError::new(RuleFault::Rejects));
        }
        let parameters = self.in_toto.iter().flat_map(|in_toto| &in_toto.parameters);
        let filled = parameters.map(|(name, value)| match value.fill(&captures) {
            value if value.is_empty() => {
                let empty = RuleFault::Parameter(Box::new(touchmark_in_toto::Error::ParameterEmpty { name: name.clone() }));
                Err(RuleError::new(empty).within(name).within("parameters").within("in_toto"))
            }
            value => Ok((name.clone(), value)),
        });
        let parameters = sorted::try_map(filled)?;
        Ok(Some(Matched { index, rule: self, pattern, expected, captures, parameters }))
    }
}

/// The name that is expected: what the rule says, or that of it which the caller asks for.
fn expected(name: Option<&Template>, captures: &[String], asked: Option<&Wanted>) -> Result<Option<Wanted>, RuleError> {
    let Some(name) = name else { return Ok(asked.cloned()) };
    let text = name.fill(captures);
    // Whether any version will do is the rule's to say: no capture makes a `:*`.
    let read = if name.as_str().ends_with(":*") { text.parse() } else { text.parse().map(Wanted::Exact) };
    let expected = match read {
        Ok(expected) => expected,
        Err(error) => return Err(RuleError::new(RuleFault::Expected { name: text, error })),
    };
    match (&expected, asked) {
        (_, None) => Ok(Some(expected)),
        (Wanted::AnyVersion(_), Some(Wanted::Exact(one))) if expected.accepts(one) => Ok(Some(Wanted::Exact(one.clone()))),
        (Wanted::Exact(one), Some(asked)) if asked.accepts(one) => Ok(Some(expected)),
        (_, Some(asked)) if *asked == expected => Ok(Some(expected)),
        (_, Some(asked)) => Err(RuleError::new(RuleFault::OtherName { expected: format!("{expected}"), asked: asked.to_string() })),
    }
}
