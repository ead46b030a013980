//! The repository itself.

use std::collections::BTreeMap;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::Value;

use crate::document::sorted;
use crate::serving::{Fetched, Served, file_name, path_of};
use crate::{Delegation, EXPIRES, Key, assemble, has, json, remove, set};

/// The roles that root names.
const TOP_LEVEL: [&str; 4] = ["root", "timestamp", "snapshot", "targets"];

/// How documents are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Members sorted, and no white space: canonical JSON, but for the escapes of control characters, which make it JSON.
    #[default]
    Sorted,
    /// Indented, for people, with members in the order in which they were set.
    Indented,
}

/// A TUF repository in memory.
///
/// A role is named as in its delegation; what is said of `signed` documents takes JSON pointers (RFC 6901).
#[derive(Clone, Debug)]
pub struct Repository {
    /// How documents are written from now on.
    pub form: Form,
    /// Whether snapshot and timestamp list the length of what they describe.
    pub lengths: bool,
    /// The algorithms of the hashes that snapshot and timestamp list.
    pub hashes: Vec<Algorithm>,
    signed: BTreeMap<String, Value<'static>>,
    published: BTreeMap<String, Value<'static>>,
    signers: BTreeMap<String, Vec<Key>>,
    /// Root keys of the last published root, which sign the next one too.
    old_root_signers: Vec<Key>,
    metadata: BTreeMap<String, Served>,
    targets: BTreeMap<String, Served>,
}

impl Default for Repository {
    fn default() -> Self {
        Self::new()
    }
}

impl Repository {
    /// A repository with consistent snapshots, whose roles have one Ed25519 key of their own name each, published as version 1.
    /// Snapshot and timestamp list versions only.
    pub fn new() -> Self {
        let mut repository = Self {
            form: Form::default(),
            lengths: false,
            hashes: Vec::new(),
            signed: BTreeMap::new(),
            published: BTreeMap::new(),
            signers: BTreeMap::new(),
            old_root_signers: Vec::new(),
            metadata: BTreeMap::new(),
            targets: BTreeMap::new(),
        };
        for (role, extra) in [
            ("root", r#"{"consistent_snapshot":true,"keys":{},"roles":{}}"#),
            ("timestamp", r#"{"meta":{}}"#),
            ("snapshot", r#"{"meta":{}}"#),
            ("targets", r#"{"targets":{}}"#),
        ] {
            repository.signed.insert(role.to_owned(), document(role, extra));
        }
        for role in TOP_LEVEL {
            repository.set_keys(role, 1, &[Key::ed25519(role)]);
        }
        repository.publish();
        repository
    }

    /// Lists lengths and SHA-256 hashes in snapshot and timestamp from now on.
    #[must_use]
    pub fn with_hashes(mut self) -> Self {
        self.lengths = true;
        self.hashes = vec![Algorithm::Sha256];
        self
    }

    // What the documents say.

    /// The `signed` part of a role's document, as it will be published.
    ///
    /// # Panics
    /// When there is no such role.
    pub fn signed(&mut self, role: &str) -> &mut Value<'static> {
        self.signed.get_mut(role).unwrap_or_else(|| panic!("no role {role}"))
    }

    /// Sets a place in the `signed` part of a role's document.
    pub fn set(&mut self, role: &str, pointer: &str, value: impl Into<Value<'static>>) {
        set(self.signed(role), pointer, value);
    }

    /// Takes a place away from the `signed` part of a role's document.
    pub fn unset(&mut self, role: &str, pointer: &str) {
        remove(self.signed(role), pointer);
    }

    /// The version of a role's document.
    ///
    /// # Panics
    /// When it is not a number.
    pub fn version(&self, role: &str) -> u64 {
        self.signed.get(role).and_then(|signed| signed.get("version")?.as_u64()).unwrap_or_else(|| panic!("{role} has no version"))
    }

    /// Makes a role's document one version higher.
    pub fn bump(&mut self, role: &str) {
        let version = self.version(role) + 1;
        self.set(role, "/version", version);
    }

    /// When a role's document expires.
    pub fn expire(&mut self, role: &str, at: &str) {
        self.set(role, "/expires", at.to_owned());
    }

    /// Whether root says that there are consistent snapshots.
    pub fn is_consistent(&self) -> bool {
        self.signed.get("root").and_then(|root| root.get("consistent_snapshot")?.as_bool()).unwrap_or(false)
    }

    // Keys and delegations.

    /// Gives a top-level role these keys and this threshold, in root. The next root is signed by those of the last one too.
    pub fn set_keys(&mut self, role: &str, threshold: u64, keys: &[Key]) {
        for key in keys {
            self.set("root", &format!("/keys/{}", escape(key.keyid())), key.json().clone());
        }
        let keyids: Vec<Value<'static>> = keys.iter().map(|key| Value::from(key.keyid().to_owned())).collect();
        let listed = Value::object([("keyids", Value::from(keyids)), ("threshold", Value::from(threshold))]);
        self.set("root", &format!("/roles/{role}"), listed);
        self.set_signers(role, keys);
    }

    /// Signs a role with these keys from now on, whatever its delegator says.
    pub fn set_signers(&mut self, role: &str, keys: &[Key]) {
        self.signers.insert(role.to_owned(), keys.to_vec());
    }

    /// The keys that a role is signed with.
    pub fn signers(&self, role: &str) -> &[Key] {
        self.signers.get(role).map(Vec::as_slice).unwrap_or_default()
    }

    /// Delegates from `delegator`, after its other delegations. A role that is new gets a document without targets, and is signed with the
    /// keys of all its delegations.
    pub fn delegate(&mut self, delegator: &str, delegation: Delegation) {
        let signed = self.signed(delegator);
        if !has(signed, "/delegations") {
            set(signed, "/delegations", json(if delegation.is_succinct() { r#"{"keys":{}}"# } else { r#"{"keys":{},"roles":[]}"# }));
        }
        for key in &delegation.keys {
            set(signed, &format!("/delegations/keys/{}", escape(key.keyid())), key.json().clone());
        }
        let place = if delegation.is_succinct() { "/delegations/succinct_roles" } else { "/delegations/roles/-" };
        set(signed, place, delegation.json());
        for role in delegation.roles() {
            self.signed.entry(role.clone()).or_insert_with(|| document("targets", r#"{"targets":{}}"#));
            let signers = self.signers.entry(role).or_default();
            for key in &delegation.keys {
                if !signers.iter().any(|signer| signer.keyid() == key.keyid() && signer.public() == key.public()) {
                    signers.push(key.clone());
                }
            }
        }
    }

    /// Lists a target in a role, with its length and SHA-256, and serves its content.
    pub fn add_target(&mut self, role: &str, path: &str, content: &[u8]) {
        let hash = Algorithm::Sha256.digest(content).hex();
        let length = u64::try_from(content.len()).unwrap_or(u64::MAX);
        let listed = Value::object([("hashes", Value::object([("sha256", hash.clone())])), ("length", Value::from(length))]);
        set(self.signed(role), &format!("/targets/{}", escape(path)), listed);
        self.targets.insert(path_of(path, None), Served::File(content.to_vec()));
        self.targets.insert(path_of(path, Some(&hash)), Served::File(content.to_vec()));
    }

    // Publishing.

    /// Publishes what changed, each document one version higher than before: root, signed by the keys of the last one too; the targets
    /// roles; snapshot and timestamp, which describe them.
    pub fn publish(&mut self) {
        if self.changed("root") {
            self.next("root");
        }
        for role in self.targets_roles() {
            if self.changed(&role) {
                self.next(&role);
                self.describe(&role);
            }
        }
        if self.changed("snapshot") {
            self.next("snapshot");
            self.describe("snapshot");
        }
        if self.changed("timestamp") {
            self.next("timestamp");
        }
    }

    /// Signs a role's document as it is, and publishes what describes it, each one version higher.
    pub fn push(&mut self, role: &str) {
        self.sign(role);
        self.describe(role);
        match role {
            "root" | "timestamp" => {}
            "snapshot" => {
                self.bump("timestamp");
                self.sign("timestamp");
            }
            _ => {
                self.bump("snapshot");
                self.push("snapshot");
            }
        }
    }

    /// Signs a role's document as it is, and serves it.
    pub fn sign(&mut self, role: &str) {
        let signed = self.signed(role).clone();
        let bytes = self.written(&assemble(&signed, &self.signing(role)));
        let path = self.path(role);
        self.serve(&path, bytes);
        self.published.insert(role.to_owned(), signed);
        if role == "root" {
            self.old_root_signers = self.signers("root").to_vec();
        }
    }

    /// Enters what is served of a role into the document that describes it, if there is one.
    pub fn describe(&mut self, role: &str) {
        let describer = match role {
            "root" | "timestamp" => return,
            "snapshot" => "timestamp",
            _ => "snapshot",
        };
        let mut listed = Value::object([("version", self.version(role))]);
        let Fetched::File(bytes) = self.fetch(&self.path(role), u64::MAX) else { panic!("{role} is not served") };
        if self.lengths {
            set(&mut listed, "/length", u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        }
        if !self.hashes.is_empty() {
            let hashes = self.hashes.iter().map(|algorithm| (algorithm.name(), algorithm.digest(&bytes).hex()));
            set(&mut listed, "/hashes", Value::object(hashes));
        }
        self.set(describer, &format!("/meta/{}.json", escape(role)), listed);
    }

    // What an honest repository never serves.

    /// Serves a changed copy of a role's published document, signed by the role's keys, in the place of the honest one.
    pub fn forge(&mut self, role: &str, change: impl FnOnce(&mut Value<'static>)) {
        self.forge_by(role, &self.signing(role), change);
    }

    /// As [`forge`](Self::forge), signed by these keys.
    pub fn forge_by(&mut self, role: &str, keys: &[Key], change: impl FnOnce(&mut Value<'static>)) {
        let mut signed = self.published(role);
        change(&mut signed);
        let bytes = self.written(&assemble(&signed, keys));
        let path = self.path_published(role);
        self.serve(&path, bytes);
    }

    /// Serves a role's document as it is now, whatever version it says, signed by these keys and no others, in the place of the honest one.
    pub fn sign_by(&mut self, role: &str, keys: &[Key]) {
        let signed = self.signed(role).clone();
        let bytes = self.written(&assemble(&signed, keys));
        let path = self.path_published(role);
        self.serve(&path, bytes);
    }

    /// Serves a role's published document, changed after it was signed: `/signed` and `/signatures`.
    pub fn tamper(&mut self, role: &str, change: impl FnOnce(&mut Value<'static>)) {
        let mut document = assemble(&self.published(role), &self.signing(role));
        change(&mut document);
        let bytes = self.written(&document);
        let path = self.path_published(role);
        self.serve(&path, bytes);
    }

    /// Serves these bytes of metadata.
    pub fn serve(&mut self, path: &str, bytes: Vec<u8>) {
        self.metadata.insert(path.to_owned(), Served::File(bytes));
    }

    /// Serves something else than a file.
    pub fn answer(&mut self, path: &str, served: Served) {
        self.metadata.insert(path.to_owned(), served);
    }

    /// Serves a metadata file no more.
    pub fn lose(&mut self, path: &str) {
        self.metadata.remove(path);
    }

    /// Serves these bytes in the place of a target file, at its path and at the one with its hash.
    pub fn serve_target(&mut self, path: &str, served: Served) {
        self.targets.insert(path.to_owned(), served);
    }

    // What is served.

    /// The path of a role's document at the version that it has now.
    pub fn path(&self, role: &str) -> String {
        let name = file_name(role);
        let versioned = role == "root" || (role != "timestamp" && self.is_consistent());
        let version = || self.signed.get(role).and_then(|signed| signed.get("version")?.as_u64()).unwrap_or(0);
        if versioned { format!("{}.{name}", version()) } else { name }
    }

    /// What a client gets that asks for a metadata file.
    pub fn fetch(&self, path: &str, limit: u64) -> Fetched {
        fetched(self.metadata.get(path), limit)
    }

    /// What a client gets that asks for a target file.
    pub fn fetch_target(&self, path: &str, limit: u64) -> Fetched {
        fetched(self.targets.get(path), limit)
    }

    /// The bytes of a metadata file.
    ///
    /// # Panics
    /// When there is none.
    pub fn file(&self, path: &str) -> &[u8] {
        match self.metadata.get(path) {
            Some(Served::File(bytes)) => bytes,
            other => panic!("{path}: {other:?}"),
        }
    }

    /// Everything that is served of metadata, by path.
    pub fn metadata(&self) -> &BTreeMap<String, Served> {
        &self.metadata
    }

    /// Everything that is served of targets, by path.
    pub fn targets(&self) -> &BTreeMap<String, Served> {
        &self.targets
    }

    /// `document` in the chosen form.
    pub fn written(&self, document: &Value<'static>) -> Vec<u8> {
        match self.form {
            Form::Sorted => sorted(document).to_vec(),
            Form::Indented => document.to_pretty(),
        }
    }

    fn targets_roles(&self) -> Vec<String> {
        self.signed.keys().filter(|role| !matches!(role.as_str(), "root" | "timestamp" | "snapshot")).cloned().collect()
    }

    fn changed(&self, role: &str) -> bool {
        self.published.get(role) != self.signed.get(role)
    }

    /// Signs and serves the next version of a role, or the first.
    fn next(&mut self, role: &str) {
        if self.published.contains_key(role) {
            self.bump(role);
        }
        self.sign(role);
    }

    fn published(&self, role: &str) -> Value<'static> {
        self.published.get(role).unwrap_or_else(|| panic!("{role} was never published")).clone()
    }

    /// The path at which the published document of a role is served.
    fn path_published(&self, role: &str) -> String {
        let mut then = self.clone();
        then.signed.insert(role.to_owned(), self.published(role));
        then.path(role)
    }

    /// The keys that sign a role's next document.
    fn signing(&self, role: &str) -> Vec<Key> {
        let mut keys = self.signers(role).to_vec();
        if role == "root" {
            keys.extend(
                self.old_root_signers.iter().filter(|old| !keys.iter().any(|key| key.keyid() == old.keyid())).cloned().collect::<Vec<_>>(),
            );
        }
        keys
    }
}

/// The document of a new role, version 1, with what the type has besides.
fn document(kind: &str, extra: &str) -> Value<'static> {
    let mut signed = json(extra);
    for (name, value) in [("_type", kind), ("expires", EXPIRES), ("spec_version", "1.0.34")] {
        set(&mut signed, &format!("/{name}"), value.to_owned());
    }
    set(&mut signed, "/version", 1_u64);
    signed
}

fn fetched(served: Option<&Served>, limit: u64) -> Fetched {
    match served {
        None => Fetched::Absent,
        Some(Served::Failure) => Fetched::Failed,
        Some(Served::Endless) => Fetched::TooLong,
        Some(Served::File(bytes)) if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) => Fetched::TooLong,
        Some(Served::File(bytes)) => Fetched::File(bytes.clone()),
    }
}

/// A name as a part of a JSON pointer.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(repository: &Repository) -> Vec<&str> {
        repository.metadata().keys().map(String::as_str).collect()
    }

    #[test]
    fn only_what_changed_is_published() {
        let mut repository = Repository::new();
        assert_eq!(paths(&repository), ["1.root.json", "1.snapshot.json", "1.targets.json", "timestamp.json"]);
        repository.publish();
        assert_eq!(repository.version("timestamp"), 1);
        repository.delegate("targets", Delegation::new("a/b").paths(&["*"]));
        repository.publish();
        assert_eq!(["targets", "snapshot", "timestamp", "a/b", "root"].map(|role| repository.version(role)), [2, 2, 2, 1, 1]);
        assert!(paths(&repository).contains(&"1.a%2Fb.json"));
    }

    #[test]
    fn keys_are_the_same_in_every_run() {
        assert_eq!(Key::ed25519("root").keyid(), Key::ed25519("root").keyid());
        assert_ne!(Key::ed25519("root").keyid(), Key::ed25519("targets").keyid());
        for key in [Key::p256("x"), Key::p384("x"), Key::p256_old_type("x"), Key::p256_point("x")] {
            assert_eq!(key.clone().with_keyid("1").public(), key.public());
        }
    }

    #[test]
    fn a_clone_is_attacked_and_the_original_is_not() {
        let honest = Repository::new();
        let mut evil = honest.clone();
        evil.forge("targets", |signed| set(signed, "/version", 7_u64));
        evil.lose("timestamp.json");
        assert_ne!(evil.file("1.targets.json"), honest.file("1.targets.json"));
        assert_eq!(evil.fetch("timestamp.json", 1), Fetched::Absent);
        assert_eq!(honest.fetch("timestamp.json", 1), Fetched::TooLong);
    }
}
