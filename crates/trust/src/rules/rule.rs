//! A rule: what it is for, on whose word, and what else must be so.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use touchmark_envelope::json::{Object, Value};
use touchmark_envelope::key::{KeyError, PublicKey};
use touchmark_envelope::name::Wanted;
use touchmark_envelope::signature;
use touchmark_envelope::sorted;
use touchmark_in_toto::Parameters;
use touchmark_in_toto::constraint::Constraint;

use crate::report::AcceptedKind;

use super::document::{Origin, SELF};
use super::error::{RuleError, RuleFault};
use super::material::{Allowed, Material};
use super::pattern::{NamePattern, ReferencePattern};
use super::read::{MAX_TEXT, Result, comment, fault, items, known, member, object, several, text, texts};
use super::template::Template;

/// Keys, patterns, predicates, constraints and parameters in one list.
pub const MAX_LISTED: usize = 64;
/// Annotations that are asked for.
const MAX_ANNOTATIONS: usize = 256;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// A remark.
    pub comment: Option<String>,
    /// What it is for.
    pub selector: Selector,
    /// On whose word artifacts are accepted.
    pub ground: Ground,
    /// Whether an index's signatures are for its children too.
    pub children: Children,
    /// By what an artifact may be accepted, if not by each of the three.
    pub accepted_by: Option<Vec<AcceptedKind>>,
    /// What each signature, entry or seal that counts must have.
    pub annotations: BTreeMap<String, String>,
    /// The supply chain that must be as an in-toto layout says.
    pub in_toto: Option<LayoutRule>,
    /// Attestations that must be there.
    pub predicates: Vec<PredicateRule>,
}

/// What a rule is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// Wanted names that one of the patterns matches.
    Names(Vec<NamePattern>),
    /// References that one of the patterns matches; the first that does says what the captures are.
    References {
        /// The patterns.
        patterns: Vec<ReferencePattern>,
        /// The name that is expected: `NAME`, `NAME:VERSION` or `NAME:*` once the captures are filled in.
        name: Option<Template>,
    },
}

/// On whose word artifacts are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Of so many of these keys.
    Keys {
        /// The keys.
        keys: Vec<Material>,
        /// How many of them.
        threshold: usize,
    },
    /// Of a trust repository.
    Trust {
        /// The name of the place, or [`SELF`] in a signed document: the repository that it is of.
        name: String,
        /// The role that must be the one that decides.
        role: Option<String>,
    },
    /// Of nobody: what the rule is for is not accepted, whatever a later rule says.
    Reject,
}

/// Whether an index's signatures are for its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Children {
    /// An image may be decided for through an index that lists it.
    Allow,
    /// Each image has signatures, or an entry, of its own.
    Deny,
}

/// The in-toto layout that a rule demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutRule {
    /// The layout.
    pub layout: Material,
    /// The keys that all must have signed it.
    pub keys: Vec<Material>,
    /// The keys whose signed links of inspections count.
    pub inspectors: Vec<Material>,
    /// Values of its parameters.
    pub parameters: BTreeMap<String, Template>,
}

/// An attestation that a rule demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PredicateRule {
    /// The predicate's type.
    pub predicate_type: String,
    /// Who must have signed it, if not those who sign the artifact.
    pub keys: Option<Vec<Material>>,
    /// How many of these keys.
    pub threshold: usize,
    /// What must be so of the predicate; one statement meets all.
    pub constraints: Vec<Constraint>,
}

/// The members of a rule, in the order in which they are written.
pub(crate) const MEMBERS: [&str; 14] = [
    "comment",
    "names",
    "reference",
    "name",
    "keys",
    "threshold",
    "trust",
    "role",
    "reject",
    "children",
    "accepted_by",
    "annotations",
    "in_toto",
    "predicates",
];

/// The members that say what must be so, which mean nothing where nothing is accepted.
const DEMANDS: [&str; 10] =
    ["name", "keys", "threshold", "trust", "role", "children", "accepted_by", "annotations", "in_toto", "predicates"];

impl Rule {
    pub(crate) fn read(value: &Value<'_>, origin: Origin, places: &[&str]) -> Result<Self> {
        let object = object(value)?;
        known(object, &MEMBERS)?;
        if let Some(demand) = DEMANDS.iter().find(|demand| object.contains("reject") && object.contains(demand)) {
            return Err(RuleError::new(RuleFault::Conflict("is a demand, and nothing is accepted by a rule with `reject`")).within(demand));
        }
        let selector = Selector::read(object, origin)?;
        let ground = Ground::read(object, origin, places)?;
        let by_trust = matches!(ground, Ground::Trust { .. });
        let allowed = Allowed { origin, targets: by_trust || origin == Origin::Signed };
        if let (Selector::References { name: None, .. }, true) = (&selector, by_trust) {
            return fault(RuleFault::Conflict("has `trust` and no `name`: trust metadata says of names which artifacts they are"));
        }
        let captures = selector.captures();
        let rule = Self {
            comment: comment(object)?,
            children: member(object, "children", children)?.unwrap_or(Children::Deny),
            accepted_by: member(object, "accepted_by", accepted_by)?,
            annotations: member(object, "annotations", |value| texts(value, MAX_ANNOTATIONS, "annotations"))?.unwrap_or_default(),
            in_toto: member(object, "in_toto", |value| match cfg!(feature = "supply-chain") {
                true => LayoutRule::read(value, allowed, captures),
                false => fault(RuleFault::NoSupplyChains),
            })?,
            predicates: member(object, "predicates", |value| {
                items(value, MAX_LISTED, "predicates", |value| PredicateRule::read(value, allowed))
            })?
            .unwrap_or_default(),
            selector,
            ground,
        };
        if rule.accepted_by.is_some() && !by_trust {
            let only = RuleError::new(RuleFault::Conflict("is for a rule with `trust`: by `keys` nothing but envelopes accepts"));
            return Err(only.within("accepted_by"));
        }
        for (index, predicate) in rule.predicates.iter().enumerate() {
            if rule.predicates.iter().take(index).any(|other| other.predicate_type == predicate.predicate_type) {
                let twice = RuleError::new(RuleFault::Conflict("is the type of another of the predicates"));
                return Err(twice.within("type").within_item(index).within("predicates"));
            }
        }
        Ok(rule)
    }
}

impl Selector {
    fn read(object: &Object<'_>, origin: Origin) -> Result<Self> {
        match (object.contains("names"), object.contains("reference")) {
            (true, false) => {
                let pattern = |value: &Value<'_>| pattern(value, NamePattern::new);
                let patterns = member(object, "names", |value| several(value, MAX_LISTED, "patterns", pattern))?;
                if object.contains("name") {
                    let same =
                        RuleError::new(RuleFault::Conflict("is for a rule with `reference`: one with `names` expects what was asked for"));
                    return Err(same.within("name"));
                }
                Ok(Selector::Names(patterns.unwrap_or_default()))
            }
            (false, true) if origin == Origin::Signed => {
                Err(RuleError::new(RuleFault::Signed("is a pattern of references")).within("reference"))
            }
            (false, true) => {
                let pattern = |value: &Value<'_>| pattern(value, ReferencePattern::new);
                let patterns = member(object, "reference", |value| several(value, MAX_LISTED, "patterns", pattern))?.unwrap_or_default();
                let captures = captures_of(&patterns);
                Ok(Selector::References { patterns, name: member(object, "name", |value| expected_name(value, captures))? })
            }
            _ => fault(RuleFault::Conflict("must have either `names` or `reference`")),
        }
    }

    /// How many captures there are, whichever pattern matches.
    pub(crate) fn captures(&self) -> usize {
        match self {
            Selector::Names(_) => 0,
            Selector::References { patterns, .. } => captures_of(patterns),
        }
    }
}

fn captures_of(patterns: &[ReferencePattern]) -> usize {
    patterns.iter().map(ReferencePattern::captures).min().unwrap_or(0)
}

fn pattern<T, F: Into<RuleFault>>(value: &Value<'_>, read: impl Fn(&str) -> core::result::Result<T, F>) -> Result<T> {
    read(&text(value, MAX_TEXT, "a pattern")?).map_err(RuleError::new)
}

/// A name with captures: one at least if every capture is a letter.
fn expected_name(value: &Value<'_>, captures: usize) -> Result<Template> {
    let template = template(value, captures)?;
    let sample: Vec<String> = (0..captures).map(|_| "x".to_string()).collect();
    match template.fill(&sample).parse::<Wanted>() {
        Ok(_) => Ok(template),
        Err(error) => fault(RuleFault::Name(error)),
    }
}

fn template(value: &Value<'_>, captures: usize) -> Result<Template> {
    Template::new(&text(value, MAX_TEXT, "a text")?, captures).map_err(RuleError::new)
}

impl Ground {
    fn read(object: &Object<'_>, origin: Origin, places: &[&str]) -> Result<Self> {
        match (object.contains("keys"), object.contains("trust")) {
            (false, false) if object.contains("reject") => member(object, "reject", reject).map(|_| Ground::Reject),
            (true, false) => {
                if object.contains("role") {
                    return Err(RuleError::new(RuleFault::Conflict("is for a rule with `trust`")).within("role"));
                }
                let (keys, threshold) = keys(object, Allowed { origin, targets: origin == Origin::Signed })?;
                Ok(Ground::Keys { keys: keys.unwrap_or_default(), threshold })
            }
            (false, true) => {
                if object.contains("threshold") {
                    let theirs = RuleError::new(RuleFault::Conflict(
                        "is for a rule with `keys`: trust metadata says how many signatures a role needs",
                    ));
                    return Err(theirs.within("threshold"));
                }
                let name = member(object, "trust", |value| place(value, origin, places))?.unwrap_or_default();
                Ok(Ground::Trust { name, role: member(object, "role", role)? })
            }
            _ => fault(RuleFault::Conflict("must have one of `keys`, `trust` and `reject`")),
        }
    }
}

fn reject(value: &Value<'_>) -> Result<()> {
    match value {
        Value::Bool(true) => Ok(()),
        _ => fault(RuleFault::Value("true")),
    }
}

fn place(value: &Value<'_>, origin: Origin, places: &[&str]) -> Result<String> {
    let name = text(value, MAX_TEXT, "the name of a place of `trust`")?;
    match origin {
        Origin::Signed if name != SELF => fault(RuleFault::Signed("names a trust repository other than `self`")),
        Origin::Local if !places.contains(&name.as_str()) => fault(RuleFault::NoPlace { name }),
        _ => Ok(name),
    }
}

fn role(value: &Value<'_>) -> Result<String> {
    let role = text(value, MAX_TEXT, "the name of a role")?;
    if role.is_empty() { fault(RuleFault::Value("the name of a role")) } else { Ok(role) }
}

fn children(value: &Value<'_>) -> Result<Children> {
    match value.as_str() {
        Some("allow") => Ok(Children::Allow),
        Some("deny") => Ok(Children::Deny),
        _ => fault(RuleFault::Value("\"allow\" or \"deny\"")),
    }
}

fn accepted_by(value: &Value<'_>) -> Result<Vec<AcceptedKind>> {
    let kind = |value: &Value<'_>| match value.as_str() {
        Some("entry") => Ok(AcceptedKind::Entry),
        Some("seal") => Ok(AcceptedKind::Seal),
        Some("envelopes") => Ok(AcceptedKind::Envelopes),
        _ => fault(RuleFault::Value("\"entry\", \"seal\" or \"envelopes\"")),
    };
    let kinds = several(value, 3, "kinds", kind)?;
    for (index, kind) in kinds.iter().enumerate() {
        if kinds.iter().take(index).any(|other| other == kind) {
            return Err(RuleError::new(RuleFault::Conflict("is there twice")).within_item(index));
        }
    }
    Ok(kinds)
}

/// The members `keys` and `threshold`.
fn keys(object: &Object<'_>, allowed: Allowed) -> Result<(Option<Vec<Material>>, usize)> {
    let keys = member(object, "keys", |value| {
        let keys = several(value, MAX_LISTED, "keys", |value| key(value, allowed))?;
        distinct(&keys)?;
        Ok(keys)
    })?;
    let Some(listed) = &keys else {
        return match object.contains("threshold") {
            true => Err(RuleError::new(RuleFault::Conflict("is without `keys`")).within("threshold")),
            false => Ok((None, 1)),
        };
    };
    let threshold = member(object, "threshold", |value| {
        let threshold = value.as_u64().and_then(|number| usize::try_from(number).ok());
        match threshold.filter(|number| (1..=listed.len()).contains(number)) {
            Some(threshold) => Ok(threshold),
            None => fault(RuleFault::Threshold { keys: listed.len() }),
        }
    })?;
    Ok((keys, threshold.unwrap_or(1)))
}

/// A key. One that stands in the document must be one.
fn key(value: &Value<'_>, allowed: Allowed) -> Result<Material> {
    let key = Material::read(value, allowed)?;
    match decoded(&key) {
        Some(Err(error)) => fault(RuleFault::Key(error)),
        _ => Ok(key),
    }
}

/// A key of in-toto's, which may also be of a kind that artifacts are not signed by.
fn in_toto_key(value: &Value<'_>, allowed: Allowed) -> Result<Material> {
    let key = Material::read(value, allowed)?;
    match decoded(&key) {
        Some(Err(KeyError::Unsupported { .. })) | Some(Ok(_)) | None => Ok(key),
        Some(Err(error)) => fault(RuleFault::Key(error)),
    }
}

fn decoded(key: &Material) -> Option<core::result::Result<PublicKey, KeyError>> {
    match key {
        Material::Inline(text) => Some(PublicKey::from_pem(text.as_bytes())),
        Material::File(_) | Material::Target(_) => None,
    }
}

/// Refuses a key that is listed twice: by the same path, or as the same key in whatever encoding.
fn distinct(keys: &[Material]) -> Result<()> {
    let read: Vec<Option<PublicKey>> = keys.iter().map(|key| decoded(key)?.ok()).collect();
    for (index, (key, public)) in keys.iter().zip(&read).enumerate() {
        let same = |(other, known): (&Material, &Option<PublicKey>)| other == key || known.is_some() && known == public;
        if let Some(first) = keys.iter().zip(&read).take(index).position(same) {
            return Err(RuleError::new(RuleFault::SameKey { first }).within_item(index));
        }
    }
    Ok(())
}

impl LayoutRule {
    fn read(value: &Value<'_>, allowed: Allowed, captures: usize) -> Result<Self> {
        let object = object(value)?;
        known(object, &["layout", "keys", "inspectors", "parameters"])?;
        let keys = |value: &Value<'_>| {
            let keys = several(value, MAX_LISTED, "keys", |value| in_toto_key(value, allowed))?;
            distinct(&keys)?;
            Ok(keys)
        };
        let layout = member(object, "layout", |value| Material::read(value, allowed))?;
        Ok(Self {
            layout: layout.ok_or_else(|| RuleError::new(RuleFault::Missing("layout")))?,
            keys: member(object, "keys", keys)?.ok_or_else(|| RuleError::new(RuleFault::Missing("keys")))?,
            inspectors: member(object, "inspectors", keys)?.unwrap_or_default(),
            parameters: member(object, "parameters", |value| parameters(value, captures))?.unwrap_or_default(),
        })
    }
}

fn parameters(value: &Value<'_>, captures: usize) -> Result<BTreeMap<String, Template>> {
    let object = object(value)?;
    if object.len() > MAX_LISTED {
        return fault(RuleFault::Limit { what: "parameters", limit: MAX_LISTED });
    }
    let one = |(name, value): (&str, &Value<'_>)| {
        let template = template(value, captures).map_err(|error| error.within(name))?;
        // A value that is a capture is none before it is there.
        let sample = if template.has_captures() { "x" } else { template.as_str() };
        match Parameters::new().insert(name, sample) {
            Ok(()) => Ok((name.to_string(), template)),
            Err(error) => Err(RuleError::new(RuleFault::Parameter(Box::new(error))).within(name)),
        }
    };
    sorted::try_map(object.iter().map(one))
}

impl PredicateRule {
    fn read(value: &Value<'_>, allowed: Allowed) -> Result<Self> {
        let object = object(value)?;
        known(object, &["type", "keys", "threshold", "constraints"])?;
        let predicate_type = member(object, "type", predicate_type)?.ok_or_else(|| RuleError::new(RuleFault::Missing("type")))?;
        let (keys, threshold) = keys(object, allowed)?;
        let constraints = member(object, "constraints", |value| {
            items(value, MAX_LISTED, "constraints", |value| {
                Constraint::read(value).map_err(|error| RuleError::new(RuleFault::Constraint(Box::new(error))))
            })
        })?;
        Ok(Self { predicate_type, keys, threshold, constraints: constraints.unwrap_or_default() })
    }
}

fn predicate_type(value: &Value<'_>) -> Result<String> {
    match text(value, MAX_TEXT, "the type of a predicate, which is a URI")? {
        text if text == signature::PREDICATE_TYPE => fault(RuleFault::Conflict("is the type of signatures, which are always asked for")),
        text if text.is_empty() => fault(RuleFault::Value("the type of a predicate, which is a URI")),
        text => Ok(text),
    }
}
