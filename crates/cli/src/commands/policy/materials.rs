//! The keys, roots and in-toto layouts that a policy names, as far as they are at hand.

use std::path::{Path, PathBuf};

use touchmark::envelope::json::{self, Value};
use touchmark::envelope::key::{KeyError, PublicKey};
use touchmark::in_toto::{Document, Limits, Parameters};
use touchmark::keys::{DEFAULT_TIMEOUT, KeySource};
use touchmark::trust::rules::{Ground, LayoutRule, MAX_BYTES, Material, PolicyDocument};
use touchmark::tuf::metadata::TopLevel;
use touchmark::tuf::{Answer, Client, Settings};
use touchmark::{Reference, UnixTime};

use super::check::{Found, Level};
use crate::places;

/// What is missing, malformed or weak among the materials of `document`, which was read from `bytes` of `file`. Targets of trust
/// repositories are not at hand.
pub(super) fn findings(document: &PolicyDocument, bytes: &[u8], file: &Path) -> Vec<Found> {
    let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
    // It was read once already.
    let written = json::parse(bytes, MAX_BYTES).unwrap_or(Value::Null);
    let mut look = Look { folder, written: &written, found: Vec::new() };
    for (name, place) in document.places() {
        let at = format!("/trust/{}", name.replace('~', "~0").replace('/', "~1"));
        look.root(&format!("{at}/root"), &place.root);
        if let Some(source) = &place.source {
            look.source(&format!("{at}/source"), source);
        }
    }
    for (index, rule) in document.rules().iter().enumerate() {
        let at = format!("/rules/{index}");
        if let Ground::Keys { keys, .. } = &rule.ground {
            look.keys(&format!("{at}/keys"), keys, Kind::Artifact);
        }
        if let Some(in_toto) = &rule.in_toto {
            look.in_toto(&format!("{at}/in_toto"), in_toto);
        }
        for (number, predicate) in rule.predicates.iter().enumerate() {
            if let Some(keys) = &predicate.keys {
                look.keys(&format!("{at}/predicates/{number}/keys"), keys, Kind::Artifact);
            }
        }
    }
    look.found
}

/// What a key signs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Statements about artifacts.
    Artifact,
    /// in-toto's metadata, which other kinds of keys sign, too.
    Metadata,
}

struct Look<'d> {
    /// Where the policy file is.
    folder: PathBuf,
    written: &'d Value<'d>,
    found: Vec<Found>,
}

impl Look<'_> {
    fn tell(&mut self, level: Level, at: &str, code: &str, message: String, hint: Option<String>) {
        self.found.push(Found { level, at: at.to_owned(), code: code.to_owned(), message, hint });
    }

    /// The place of an item: that of the list's member where one stands alone.
    fn item(&self, list: &str, index: usize) -> String {
        let steps = list.split('/').skip(1);
        let found = steps.into_iter().try_fold(self.written, |value, step| match value {
            Value::Array(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
            value => value.get(step),
        });
        if found.is_some_and(|value| value.as_array().is_some()) { format!("{list}/{index}") } else { list.to_owned() }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// The bytes of a material that is at hand; that it cannot be read is told.
    fn bytes(&mut self, at: &str, material: &Material, what: &str, limit: u64) -> Option<Vec<u8>> {
        match material {
            Material::Inline(text) => Some(text.clone().into_bytes()),
            Material::Target(_) => None,
            Material::File(path) => match places::read_file(&self.path(path), what, limit) {
                Ok(bytes) => Some(bytes),
                Err(failure) => {
                    self.tell(Level::Error, at, &failure.code, failure.message, None);
                    None
                }
            },
        }
    }

    /// Reads keys, and tells of those that are one.
    fn keys(&mut self, at: &str, keys: &[Material], kind: Kind) {
        let mut known: Vec<(usize, PublicKey)> = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let place = self.item(at, index);
            let read = match key {
                Material::Target(_) => continue,
                Material::File(path) => {
                    let source = KeySource::File(self.path(path));
                    let read =
                        if kind == Kind::Metadata { source.metadata_key(DEFAULT_TIMEOUT) } else { source.public_key(DEFAULT_TIMEOUT) };
                    read.map_err(|error| (error.code().to_owned(), error.to_string(), Some(error.hint().to_string())))
                }
                Material::Inline(text) => inline(text, kind).map_err(|error| (error.code().to_owned(), error.to_string(), None)),
            };
            match read {
                Ok(key) => match known.iter().find(|(_, other)| *other == key) {
                    Some((first, _)) => {
                        let message = format!("is the same key as item {first}: keys are counted once");
                        self.tell(Level::Error, &place, "policy-same-key", message, Some("list each key once".to_owned()));
                    }
                    None => known.push((index, key)),
                },
                Err((code, message, hint)) => self.tell(Level::Error, &place, &code, message, hint),
            }
        }
    }

    /// A root must hold by its own keys.
    fn root(&mut self, at: &str, material: &Material) {
        let limit = Settings::default().limits.root;
        let Some(bytes) = self.bytes(at, material, "the root", limit) else { return };
        // At any time: whether a root has expired matters only where there is no newer one.
        let Some(at_any_time) = UnixTime::from_seconds(0) else { return };
        let mut client = Client::new(Settings::default(), at_any_time);
        let _ = client.step();
        client.answer(Answer::Bytes(bytes));
        if let Err(error) = client.step() {
            let (code, message) = (error.code(), error.to_string());
            return self.tell(Level::Error, at, code, message, Some("take root.json as the publisher gives it".to_owned()));
        }
        let threshold = client.root().and_then(|root| root.get().role(TopLevel::Root)).map(|role| role.threshold);
        if threshold == Some(1) {
            let message = "one key alone replaces this root, and with it whom everything is accepted from".to_owned();
            self.tell(
                Level::Warning,
                at,
                "policy-root-one-key",
                message,
                Some("touchmark trust key threshold root 2, by whoever keeps it".to_owned()),
            );
        }
    }

    /// A folder that is not there; what is elsewhere is not asked.
    fn source(&mut self, at: &str, source: &str) {
        let elsewhere = source.contains("://") || source.parse::<Reference>().is_ok();
        if !elsewhere && !self.path(source).is_dir() {
            let message = format!("there is no folder {}, and it is neither a URL nor a REF", self.path(source).display());
            self.tell(Level::Warning, at, "policy-source-missing", message, None);
        }
    }

    fn in_toto(&mut self, at: &str, rule: &LayoutRule) {
        self.keys(&format!("{at}/keys"), &rule.keys, Kind::Metadata);
        self.keys(&format!("{at}/inspectors"), &rule.inspectors, Kind::Metadata);
        let limits = Limits::default();
        let place = format!("{at}/layout");
        let Some(bytes) = self.bytes(&place, &rule.layout, "the in-toto layout", limits.file) else { return };
        let mut parameters = Parameters::new();
        for (name, value) in &rule.parameters {
            // What a capture is shows when a reference is there.
            let value = if value.has_captures() { "x".to_owned() } else { value.fill(&[]) };
            // The names were looked at when the policy was read, and each is there once.
            let _ = parameters.insert(name, &value);
        }
        let layout = Document::parse(bytes, &limits).and_then(|document| document.untrusted().layout(&parameters));
        let now = touchmark::now().ok();
        match layout {
            Ok(layout) if now.is_some_and(|now| layout.expires <= now) => {
                let message = format!("the in-toto layout expired on {}: nothing is verified by it", layout.expires);
                self.tell(Level::Error, &place, "policy-layout-expired", message, None);
            }
            Ok(_) => {}
            Err(error) => self.tell(Level::Error, &place, error.code(), format!("no in-toto layout: {error}"), None),
        }
    }
}

fn inline(text: &str, kind: Kind) -> Result<PublicKey, KeyError> {
    match PublicKey::from_pem(text.as_bytes()) {
        Err(KeyError::Unsupported { .. }) if kind == Kind::Metadata => PublicKey::rsa_from_pem(text.as_bytes()),
        read => read,
    }
}
