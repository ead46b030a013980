//! Which rule decides, and what it would demand, without the artifact.

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::{Object, Value};
use touchmark_envelope::key::{MAX_KEY_BYTES, PublicKey};
use touchmark_envelope::name::Wanted;
use touchmark_oci::reference::Reference;
use touchmark_trust::rules::{Ground, Matched, Material, PolicyDocument, Rule, Selector};
use touchmark_tuf::Settings;

use super::decide::matched;
use super::material::{Materials, in_toto_key, named};
use super::{PolicyError, PolicyFile};

/// A rule that is not for what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Its place in the document, counted from 1.
    pub rule: usize,
    /// Why not.
    pub why: String,
}

/// Which rule of a policy decides, and why those before it do not.
#[derive(Debug)]
pub struct Explanation<'p> {
    file: &'p PolicyFile,
    /// The rules before it; all of them, if none decides.
    pub passed_over: Vec<PassedOver>,
    /// The rule that decides, or that there is none, or why it cannot.
    pub matched: Result<Matched<'p>, PolicyError>,
}

/// A key that a rule names.
#[derive(Debug)]
struct NamedKey {
    what: String,
    read: Result<PublicKey, PolicyError>,
}

impl PolicyFile {
    /// Says which rule decides about a reference, as the user gave it, and a wanted name; nothing is fetched.
    pub fn explain(&self, reference: &Reference, name: Option<&Wanted>) -> Explanation<'_> {
        let matched = matched(self, reference, name);
        let before = match &matched {
            Ok(matched) => matched.index,
            Err(PolicyError::NoRule { .. }) => self.document.rules().len(),
            Err(PolicyError::Document { error, .. }) => place(&error.at),
            Err(_) => 0,
        };
        let passed_over = self.document.rules().iter().enumerate().take(before);
        let why = |rule: &Rule| match (&rule.selector, name) {
            (Selector::Names(_), None) => "it is for names, and none is asked for".to_owned(),
            (Selector::Names(patterns), Some(name)) => {
                let patterns: Vec<&str> = patterns.iter().map(|pattern| pattern.as_str()).collect();
                format!("{name} is not {}", patterns.join(" or "))
            }
            (Selector::References { patterns, .. }, _) => {
                let patterns: Vec<&str> = patterns.iter().map(|pattern| pattern.as_str()).collect();
                format!("{reference} is not {}", patterns.join(" or "))
            }
        };
        let passed_over = passed_over.map(|(index, rule)| PassedOver { rule: index + 1, why: why(rule) }).collect();
        Explanation { file: self, passed_over, matched }
    }
}

/// The index of the rule that an error's place is in.
fn place(at: &str) -> usize {
    at.strip_prefix("/rules/").and_then(|rest| rest.split('/').next()?.parse().ok()).unwrap_or_default()
}

impl Explanation<'_> {
    /// What the rule demands, as lines for people. What it names is read.
    pub fn lines(&self) -> Vec<String> {
        let Ok(matched) = &self.matched else { return Vec::new() };
        let rule = matched.rule;
        let mut lines = vec![match &matched.expected {
            Some(expected) => format!("as {expected}"),
            None => "under any name, or none".to_owned(),
        }];
        let key = |key: &NamedKey| match &key.read {
            Ok(read) => format!("  {} key {} ({})", read.algorithm(), read.key_id(), key.what),
            Err(error) => format!("  {error}"),
        };
        match &rule.ground {
            Ground::Keys { keys, threshold } => {
                lines.push(format!("signed by {threshold} of"));
                lines.extend(self.keys(keys).iter().map(key));
            }
            Ground::Trust { name, role } => {
                lines.push(format!("on the word of the trust root {name}: {}", self.root(name).unwrap_or_else(|error| error.to_string())));
                let from = self.document().trust(name).and_then(|place| place.source.as_deref()).unwrap_or("beside the artifact");
                lines.push(format!("  its metadata: {from}"));
                lines.extend(role.as_ref().map(|role| format!("  decided by the role {role}")));
            }
            // It is no rule that matched, but why none accepts.
            Ground::Reject => lines.push("nothing: it rejects".to_owned()),
        }
        if let Some(kinds) = &rule.accepted_by {
            let kinds: Vec<&str> = kinds.iter().map(|kind| kind.code()).collect();
            lines.push(format!("accepted by {}", kinds.join(" or ")));
        }
        lines.extend(rule.annotations.iter().map(|(key, value)| format!("with the annotation {key}={value}")));
        if let Some(in_toto) = &rule.in_toto {
            lines.push(format!("whose supply chain is as the in-toto layout {} says, signed by all of", named(&in_toto.layout)));
            lines.extend(self.keys(&in_toto.keys).iter().map(key));
            lines.extend(matched.parameters.iter().map(|(name, value)| format!("  with the parameter {name}={value}")));
        }
        for predicate in &rule.predicates {
            let constraints = match predicate.constraints.len() {
                0 => String::new(),
                count => format!(", with {count} constraints"),
            };
            lines.push(format!("with an attestation of the type {}{constraints}", predicate.predicate_type));
            if let Some(keys) = &predicate.keys {
                lines.push(format!("  signed by {} of", predicate.threshold));
                lines.extend(self.keys(keys).iter().map(key).map(|line| format!("  {line}")));
            }
        }
        lines
    }

    /// The explanation as JSON: `{file, rule, pattern, expected_name, captures, parameters, demands, keys, trust_root, passed_over}`.
    pub fn to_json(&self) -> Object<'static> {
        let mut object = Object::new();
        object.insert("file", Value::from(self.file.path.display().to_string()));
        if let Ok(matched) = &self.matched {
            for (name, value) in matched.to_json().iter() {
                object.insert(name.to_owned(), value.clone());
            }
            let keys = self.materials(matched.rule).into_iter().flat_map(|keys| self.keys(keys));
            let key = |key: NamedKey| {
                let id = key.read.as_ref().map_or(Value::Null, |read| Value::from(read.key_id().to_string()));
                let problem = key.read.as_ref().map_or_else(|error| Value::from(error.to_string()), |_| Value::Null);
                Value::object([("key", Value::from(key.what)), ("key_id", id), ("problem", problem)])
            };
            object.insert("keys", Value::from(keys.map(key).collect::<Vec<_>>()));
            if let Ground::Trust { name, .. } = &matched.rule.ground {
                let root = self.root(name);
                object.insert("trust_root", root.map_or(Value::Null, Value::from));
            }
        }
        let passed = self.passed_over.iter().map(|passed| {
            Value::object([("rule", Value::from(u64::try_from(passed.rule).unwrap_or(u64::MAX))), ("why", Value::from(passed.why.clone()))])
        });
        object.insert("passed_over", Value::from(passed.collect::<Vec<_>>()));
        object
    }

    fn document(&self) -> &PolicyDocument {
        &self.file.document
    }

    /// The lists of keys of a rule.
    fn materials<'r>(&self, rule: &'r Rule) -> Vec<&'r [Material]> {
        let own = match &rule.ground {
            Ground::Keys { keys, .. } => Some(keys.as_slice()),
            Ground::Trust { .. } | Ground::Reject => None,
        };
        let layout = rule.in_toto.iter().flat_map(|in_toto| [in_toto.keys.as_slice(), in_toto.inspectors.as_slice()]);
        let predicates = rule.predicates.iter().filter_map(|predicate| predicate.keys.as_deref());
        own.into_iter().chain(layout).chain(predicates).collect()
    }

    fn keys(&self, materials: &[Material]) -> Vec<NamedKey> {
        let policy = self.file.path.display().to_string();
        let here = Materials { policy: &policy, folder: Some(self.file.folder()), anchor: None };
        let one = |material: &Material| {
            let read = match material {
                Material::Target(_) => Err(PolicyError::Material {
                    policy: policy.clone(),
                    signed: false,
                    what: named(material),
                    reason: "it is not fetched to explain".to_owned(),
                }),
                material => here.bytes(material, u64::try_from(MAX_KEY_BYTES).unwrap_or(u64::MAX)).and_then(|bytes| {
                    let failed = |error| PolicyError::Key { policy: policy.clone(), signed: false, what: named(material), error };
                    in_toto_key(&bytes).map_err(failed)
                }),
            };
            NamedKey { what: named(material), read }
        };
        materials.iter().map(one).collect()
    }

    /// The root that is trusted under a name, by its digest.
    fn root(&self, name: &str) -> Result<String, PolicyError> {
        let policy = self.file.path.display().to_string();
        let here = Materials { policy: &policy, folder: Some(self.file.folder()), anchor: None };
        match self.document().trust(name) {
            Some(place) => {
                let bytes = here.bytes(&place.root, Settings::default().limits.root)?;
                Ok(Algorithm::Sha256.digest(&bytes).to_string())
            }
            None => Err(PolicyError::NoName),
        }
    }
}
