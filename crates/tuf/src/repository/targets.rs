//! Targets: what a role vouches for, added and removed in bulk.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use touchmark_envelope::json::{Object, Value};
use touchmark_envelope::{Digest, UnixTime, canonical, json};

use super::{Document, EditError, text};
use crate::path::TargetPath;

/// What is said of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTarget {
    /// Its length in bytes.
    pub length: u64,
    /// Its digests, at least one, each by another algorithm.
    pub hashes: Vec<Digest>,
    /// Its `custom`, a JSON object.
    pub custom: Option<Value<'static>>,
}

/// A set of changes of one role's targets, each path once: the last word on a path counts.
///
/// It holds texts and no values, so that a million of them fit.
#[derive(Clone, Debug, Default)]
pub struct TargetChanges(BTreeMap<String, Option<String>>);

/// An empty targets role, version 1.
///
/// # Errors
/// None.
pub fn new_targets(expires: UnixTime) -> Result<Document, EditError> {
    Document::new("targets", expires, &[("targets", Value::from(Object::new()))])
}

/// Whether a targets document lists a target of this path.
///
/// # Errors
/// None of a document that was opened.
pub fn lists_target(document: &Document, path: &TargetPath) -> Result<bool, EditError> {
    Ok(document.find("targets", path.as_str())?.is_some())
}

impl TargetChanges {
    /// No changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many paths are changed.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The paths.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Lists a target, in place of what is listed of it.
    ///
    /// # Errors
    /// A path that no client asks for, or of which implementations of canonical JSON make different bytes; no hash; a `custom` that is no
    /// object or not portable.
    pub fn add(&mut self, path: &TargetPath, target: &NewTarget) -> Result<(), EditError> {
        let refused = |reason: String| EditError::Target { path: path.as_str().to_owned(), reason };
        check_target_path(path)?;
        if target.length > canonical::MAX_INTEGER {
            return Err(refused("it is longer than can be written".into()));
        }
        let hashes = Value::object(target.hashes.iter().map(|digest| (digest.algorithm().name(), digest.hex())));
        if hashes.as_object().is_none_or(Object::is_empty) {
            return Err(refused("no hash is given".into()));
        }
        let mut object = Object::new();
        object.insert("hashes", hashes);
        object.insert("length", target.length);
        if let Some(custom) = &target.custom {
            if custom.as_object().is_none() {
                return Err(refused("its `custom` is no JSON object".into()));
            }
            object.insert("custom", custom.clone());
        }
        let text = text::of_value(&Value::Object(object)).map_err(|error| refused(error.to_string()))?;
        self.0.insert(path.as_str().to_owned(), Some(text));
        Ok(())
    }

    /// No longer lists a target.
    pub fn remove(&mut self, path: &str) {
        self.0.insert(path.to_owned(), None);
    }

    /// Each path, and what is said of it: the text of its entry, or that it is removed.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(path, change)| (path.as_str(), change.as_deref()))
    }

    /// Takes one change of another set over.
    pub fn take(&mut self, path: &str, other: &TargetChanges) {
        if let Some(change) = other.0.get(path) {
            self.0.insert(path.to_owned(), change.clone());
        }
    }

    /// Asserts that the changes can be made.
    ///
    /// # Errors
    /// A target that is to be removed is not listed.
    pub fn check(&self, document: &Document) -> Result<(), EditError> {
        document.expect("targets")?;
        for (path, _) in self.0.iter().filter(|(_, change)| change.is_none()) {
            if document.find("targets", path)?.is_none() {
                return Err(EditError::NoSuchTarget { path: path.clone() });
            }
        }
        Ok(())
    }

    /// Makes the changes.
    ///
    /// # Errors
    /// A target that is to be removed is not listed.
    pub fn apply(&self, document: &mut Document) -> Result<(), EditError> {
        self.check(document)?;
        document.merge("targets", &self.0)
    }
}

/// Asserts that a path can be written: names of members must be portable, and what refuses them says why.
///
/// # Errors
/// [`EditError::Target`].
pub fn check_target_path(path: &TargetPath) -> Result<(), EditError> {
    let refused = |error: canonical::Error| EditError::Target { path: path.as_str().to_owned(), reason: error.to_string() };
    canonical::write(&Value::object([(path.as_str(), Value::Null)])).map_err(refused).map(|_| ())
}

/// The text of a JSON object for `custom`, as a value.
///
/// # Errors
/// It is no strict JSON, or no object.
pub fn custom(text: &str) -> Result<Value<'static>, EditError> {
    let value = json::parse(text.as_bytes(), 1 << 20)?.into_owned();
    if value.as_object().is_none() {
        return Err(EditError::malformed("a JSON object"));
    }
    Ok(value)
}
