//! A document as it is written: what is read from it again is the same.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use touchmark_envelope::json::{Object, Value};

use super::document::{PolicyDocument, TrustPlace, VERSION};
use super::material::Material;
use super::rule::{Children, Ground, LayoutRule, PredicateRule, Rule, Selector};

impl PolicyDocument {
    /// The document, with its members in the order of SPEC.md and without those that say what holds anyhow.
    pub fn to_json(&self) -> Value<'static> {
        let mut object = Object::new();
        object.insert("version", VERSION);
        put(&mut object, "comment", self.comment.as_ref());
        if !self.trust.is_empty() {
            object.insert("trust", Value::object(self.trust.iter().map(|(name, place)| (name.clone(), place.to_json()))));
        }
        object.insert("rules", Value::from(self.rules.iter().map(Rule::to_json).collect::<Vec<_>>()));
        object.into()
    }
}

impl TrustPlace {
    fn to_json(&self) -> Value<'static> {
        let mut object = Object::new();
        put(&mut object, "comment", self.comment.as_ref());
        object.insert("root", self.root.to_json());
        put(&mut object, "source", self.source.as_ref());
        put(&mut object, "store", self.store.as_ref());
        if self.require_fresh {
            object.insert("require_fresh", true);
        }
        object.into()
    }
}

impl Rule {
    /// The rule as it is written.
    pub fn to_json(&self) -> Value<'static> {
        let mut object = Object::new();
        put(&mut object, "comment", self.comment.as_ref());
        match &self.selector {
            Selector::Names(patterns) => object.insert("names", one_or_several(patterns, text)),
            Selector::References { patterns, name } => {
                object.insert("reference", one_or_several(patterns, text));
                put(&mut object, "name", name.as_ref().map(ToString::to_string).as_ref());
            }
        }
        match &self.ground {
            Ground::Keys { keys, threshold } => put_keys(&mut object, keys, *threshold),
            Ground::Trust { name, role } => {
                object.insert("trust", name.clone());
                put(&mut object, "role", role.as_ref());
            }
            Ground::Reject => object.insert("reject", true),
        }
        if self.children == Children::Allow {
            object.insert("children", "allow");
        }
        if let Some(kinds) = &self.accepted_by {
            object.insert("accepted_by", one_or_several(kinds, |kind| Value::from(kind.code())));
        }
        if !self.annotations.is_empty() {
            object.insert("annotations", Object::from_map(&self.annotations));
        }
        if let Some(in_toto) = &self.in_toto {
            object.insert("in_toto", in_toto.to_json());
        }
        if !self.predicates.is_empty() {
            object.insert("predicates", Value::from(self.predicates.iter().map(PredicateRule::to_json).collect::<Vec<_>>()));
        }
        object.into()
    }
}

impl LayoutRule {
    fn to_json(&self) -> Value<'static> {
        let mut object = Object::new();
        object.insert("layout", self.layout.to_json());
        object.insert("keys", one_or_several(&self.keys, Material::to_json));
        if !self.inspectors.is_empty() {
            object.insert("inspectors", one_or_several(&self.inspectors, Material::to_json));
        }
        if !self.parameters.is_empty() {
            object.insert("parameters", Value::object(self.parameters.iter().map(|(name, value)| (name.clone(), text(value)))));
        }
        object.into()
    }
}

impl PredicateRule {
    fn to_json(&self) -> Value<'static> {
        let mut object = Object::new();
        object.insert("type", self.predicate_type.clone());
        if let Some(keys) = &self.keys {
            put_keys(&mut object, keys, self.threshold);
        }
        if !self.constraints.is_empty() {
            object.insert("constraints", Value::from(self.constraints.iter().map(|one| one.to_json()).collect::<Vec<_>>()));
        }
        object.into()
    }
}

fn put(object: &mut Object<'static>, name: &'static str, value: Option<&String>) {
    if let Some(value) = value {
        object.insert(name, value.clone());
    }
}

fn put_keys(object: &mut Object<'static>, keys: &[Material], threshold: usize) {
    object.insert("keys", one_or_several(keys, Material::to_json));
    if threshold > 1 {
        object.insert("threshold", u64::try_from(threshold).unwrap_or(u64::MAX));
    }
}

fn text(shown: &impl ToString) -> Value<'static> {
    Value::from(shown.to_string())
}

fn one_or_several<T>(items: &[T], write: impl Fn(&T) -> Value<'static>) -> Value<'static> {
    match items {
        [one] => write(one),
        several => Value::from(several.iter().map(write).collect::<Vec<_>>()),
    }
}
