//! The document.

use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::json::{self, Value};

use super::error::{RuleError, RuleFault};
use super::material::{Allowed, Material, path};
use super::read::{MAX_TEXT, Result, comment, fault, items, known, member, object, text};
use super::rule::{Rule, Selector};

/// The version that is known.
pub const VERSION: u64 = 1;
/// Bytes of a document.
pub const MAX_BYTES: usize = 1 << 20;
/// JSON values of a document.
const MAX_VALUES: usize = 1 << 16;
/// Rules of a document.
pub const MAX_RULES: usize = 1024;
/// Patterns of all its rules.
pub const MAX_PATTERNS: usize = 4096;
/// Trust repositories that it names.
pub const MAX_TRUST: usize = 64;
/// The target that is a trust repository's own policy.
pub const SIGNED_TARGET: &str = "_touchmark/policy.json";
/// What a signed document calls the trust repository that it is of.
pub const SELF: &str = "self";

/// Whose word a document is, which says what it may refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The user's, on this machine.
    Local,
    /// A trust repository's, as its target [`SIGNED_TARGET`]: without patterns of references, files and other trust repositories.
    Signed,
}

/// A policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDocument {
    pub(crate) origin: Origin,
    pub(crate) comment: Option<String>,
    pub(crate) trust: Vec<(String, TrustPlace)>,
    pub(crate) rules: Vec<Rule>,
}

/// A trust repository, and how it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustPlace {
    /// A remark.
    pub comment: Option<String>,
    /// The root that is trusted: a file, or the text of one.
    pub root: Material,
    /// Where the repository is, as `--trust` takes it; a relative folder begins at that of the policy file. Without it the repository lies
    /// beside the artifact.
    pub source: Option<String>,
    /// The folder of the store, as `--store` takes it, or `none`.
    pub store: Option<String>,
    /// Whether what could not be refreshed is not good enough.
    pub require_fresh: bool,
}

impl PolicyDocument {
    /// Reads a document of at most [`MAX_BYTES`] bytes.
    ///
    /// # Errors
    /// What is wrong first, and where. A member that is not known is an error: it could be a demand.
    pub fn parse(bytes: &[u8], origin: Origin) -> Result<Self> {
        let value = json::parse_bounded(bytes, MAX_BYTES, MAX_VALUES).map_err(|error| RuleError::new(RuleFault::Json(error)))?;
        let object = object(&value)?;
        // Of another version nothing else can be said.
        match object.get("version") {
            None => return fault(RuleFault::Missing("version")),
            Some(version) if version.as_u64() != Some(VERSION) => return Err(RuleError::new(RuleFault::Version).within("version")),
            Some(_) => {}
        }
        known(object, &["version", "comment", "trust", "rules"])?;
        let trust = member(object, "trust", |value| trust(value, origin))?.unwrap_or_default();
        let places: Vec<&str> = trust.iter().map(|(name, _)| name.as_str()).collect();
        let rules = member(object, "rules", |value| match value {
            // Nothing is accepted then.
            Value::Array(items) if items.is_empty() => Ok(Vec::new()),
            value => items(value, MAX_RULES, "rules", |value| Rule::read(value, origin, &places)),
        })?;
        let rules = rules.ok_or_else(|| RuleError::new(RuleFault::Missing("rules")))?;
        let patterns = rules.iter().map(|rule| match &rule.selector {
            Selector::Names(patterns) => patterns.len(),
            Selector::References { patterns, .. } => patterns.len(),
        });
        if patterns.sum::<usize>() > MAX_PATTERNS {
            return Err(RuleError::new(RuleFault::Limit { what: "patterns", limit: MAX_PATTERNS }).within("rules"));
        }
        Ok(Self { origin, comment: comment(object)?, trust, rules })
    }

    /// Whose word it is.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The remark of the whole.
    pub fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// Its rules, in their order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The trust repository of this name.
    pub fn trust(&self, name: &str) -> Option<&TrustPlace> {
        self.trust.iter().find(|(known, _)| known == name).map(|(_, place)| place)
    }

    /// The trust repositories, by name, in their order.
    pub fn places(&self) -> impl Iterator<Item = (&str, &TrustPlace)> {
        self.trust.iter().map(|(name, place)| (name.as_str(), place))
    }
}

fn trust(value: &Value<'_>, origin: Origin) -> Result<Vec<(String, TrustPlace)>> {
    if origin == Origin::Signed {
        return fault(RuleFault::Signed("names trust repositories"));
    }
    let object = object(value)?;
    if object.len() > MAX_TRUST {
        return fault(RuleFault::Limit { what: "trust repositories", limit: MAX_TRUST });
    }
    let one = |(name, value): (&str, &Value<'_>)| {
        let place = match name {
            SELF => fault(RuleFault::Conflict("is the name of the repository that a signed policy is of")),
            "" => fault(RuleFault::Conflict("is an empty name")),
            _ if name.len() > MAX_TEXT => fault(RuleFault::Limit { what: "bytes", limit: MAX_TEXT }),
            _ => TrustPlace::read(value),
        };
        Ok((String::from(name), place.map_err(|error| error.within(name))?))
    };
    object.iter().map(one).collect()
}

impl TrustPlace {
    fn read(value: &Value<'_>) -> Result<Self> {
        let object = object(value)?;
        known(object, &["comment", "root", "source", "store", "require_fresh"])?;
        let here = Allowed { origin: Origin::Local, targets: false };
        let root = member(object, "root", |value| Material::read(value, here))?;
        let place = |value: &Value<'_>| path(text(value, MAX_TEXT, "a text")?);
        let truth = |value: &Value<'_>| value.as_bool().ok_or_else(|| RuleError::new(RuleFault::Value("true or false")));
        Ok(Self {
            comment: comment(object)?,
            root: root.ok_or_else(|| RuleError::new(RuleFault::Missing("root")))?,
            source: member(object, "source", place)?,
            store: member(object, "store", place)?,
            require_fresh: member(object, "require_fresh", truth)?.unwrap_or(false),
        })
    }
}
