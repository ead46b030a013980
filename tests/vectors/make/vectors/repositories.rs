//! Repositories of The Update Framework: updates that are good, and attacks on each role.

use std::collections::BTreeMap;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::Value;
use touchmark_test_tuf_repository::{Delegation, EXPIRES_SECONDS, Form, Key, NOW, Repository, Served};

use super::{Case, Expect, Files, Vectors, coded, list, ok, refused, testdata};

mod attacks;
mod documents;
mod roots;
mod searches;

/// A target of the top-level role, and one of the role `acme`.
const TARGET: &str = "file";
const DELEGATED: &str = "acme/tool";

pub(super) fn add(vectors: &mut Vectors) {
    honest_ones(vectors);
    expiry(vectors);
    others(vectors);
    roots::add(vectors);
    attacks::add(vectors);
    documents::add(vectors);
    searches::add(vectors);
}

/// A case with several updates of one store.
struct Updates {
    id: String,
    root: Vec<u8>,
    updates: Vec<Value<'static>>,
}

impl Updates {
    /// A client that trusts the first root of this repository.
    fn new(id: &str, repository: &Repository) -> Self {
        Self { id: format!("tuf-{id}"), root: repository.file("1.root.json").to_vec(), updates: Vec::new() }
    }

    /// An update from a repository, and what is then expected of targets.
    fn update(&mut self, vectors: &mut Vectors, repository: &Repository, at: i64, expect: Expect, targets: Vec<Value<'static>>) {
        let folder = vectors.folder(&format!("tuf/{}/{}", self.id, self.updates.len() + 1), served(repository));
        let mut members = vec![("repository", Value::from(folder)), ("at", Value::from(at))];
        if !targets.is_empty() {
            members.push(("targets", list(targets)));
        }
        members.push(("expect", expect.into()));
        self.updates.push(Value::object(members));
    }

    /// The case.
    fn finish(self, vectors: &mut Vectors, why: &str, spec: &str) {
        let root = vectors.file(&format!("tuf/{}/root.json", self.id), self.root);
        vectors.add(Case::new("tuf", &self.id, why, spec).with("root", root).with("updates", list(self.updates)));
    }
}

/// An honest repository with a target of the top-level role and one of a delegated role: root 1, and 2 of all others but `acme`.
fn honest() -> Repository {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]));
    repository.add_target("targets", TARGET, b"content");
    repository.add_target("acme", DELEGATED, b"tool");
    repository.publish();
    repository
}

/// Publishes every role anew, one version higher.
fn renew(repository: &mut Repository) {
    for role in ["root", "targets", "acme"] {
        let version = repository.version("timestamp");
        repository.set(role, "/x-renewed", version);
    }
    repository.publish();
}

/// A target that is found.
fn found(path: &str, role: &str, content: &[u8]) -> Value<'static> {
    let length = u64::try_from(content.len()).expect("a short target");
    let expect = ok().with("length", length).with("sha256", Algorithm::Sha256.digest(content).hex()).with("role", role.to_owned());
    target(path, expect)
}

/// What is expected of a target.
fn target(path: &str, expect: Expect) -> Value<'static> {
    Value::object([("path", Value::from(path.to_owned())), ("expect", expect.into())])
}

/// Both targets of the honest repository.
fn both() -> Vec<Value<'static>> {
    vec![found(TARGET, "targets", b"content"), found(DELEGATED, "acme", b"tool")]
}

/// An update that comes to its end with these versions.
fn good(root: u64, timestamp: u64, snapshot: u64, targets: u64) -> Expect {
    ok().with("versions", Value::object([("root", root), ("timestamp", timestamp), ("snapshot", snapshot), ("targets", targets)]))
}

/// One update that is good.
fn one(vectors: &mut Vectors, id: &str, why: &str, spec: &str, repository: &Repository, expect: Expect, targets: Vec<Value<'static>>) {
    let mut updates = Updates::new(id, repository);
    updates.update(vectors, repository, NOW, expect, targets);
    updates.finish(vectors, why, spec);
}

/// What a repository serves of metadata: every root, and of each other role the highest version and those that are listed,
/// which a client that overlooks an attack would take.
pub(super) fn served(repository: &Repository) -> Files {
    let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
    for (version, role) in repository.metadata().keys().filter_map(|path| versioned(path)) {
        let newest = newest.entry(role).or_default();
        *newest = version.max(*newest);
    }
    let described = |path: &str| match repository.metadata().get(path) {
        Some(Served::File(bytes)) => listed(bytes),
        _ => Vec::new(),
    };
    let mut asked_for = described("timestamp.json");
    let snapshots = newest.get("snapshot.json").map(|version| format!("{version}.snapshot.json"));
    for snapshot in asked_for.clone().into_iter().chain(snapshots).chain(["snapshot.json".to_owned()]) {
        asked_for.extend(described(&snapshot));
    }
    let is_asked_for = |path: &String| match versioned(path) {
        Some((version, role)) => role == "root.json" || newest.get(role) == Some(&version) || asked_for.contains(path),
        None => true,
    };
    let file = |(path, served): (&String, &Served)| match served {
        Served::File(bytes) if is_asked_for(path) => Some((path.clone(), bytes.clone())),
        _ => None,
    };
    repository.metadata().iter().filter_map(file).collect()
}

/// The version of a file, and its name without it.
fn versioned(path: &str) -> Option<(u64, &str)> {
    let (version, role) = path.split_once('.')?;
    Some((version.parse().ok()?, role))
}

/// The files that a document describes, with their versions in their names.
fn listed(bytes: &[u8]) -> Vec<String> {
    let document = touchmark_envelope::json::parse(bytes, bytes.len()).ok();
    let meta = document.as_ref().and_then(|document| document.get("signed")?.get("meta")?.as_object());
    let file = |(name, described): (&str, &Value<'_>)| Some(format!("{}.{name}", described.get("version")?.as_u64()?));
    meta.map(|meta| meta.iter().filter_map(file).collect()).unwrap_or_default()
}

fn honest_ones(vectors: &mut Vectors) {
    let nobody = || target("none", refused("NOT_FOUND"));
    let with_nobody = || both().into_iter().chain([nobody()]).collect::<Vec<_>>();
    one(vectors, "honest", "a first update, and targets of two roles", "21.3", &honest(), good(1, 2, 2, 2), with_nobody());
    let mut updates = Updates::new("again", &honest());
    updates.update(vectors, &honest(), NOW, good(1, 2, 2, 2), both());
    updates.update(vectors, &honest(), NOW + 1, good(1, 2, 2, 2), both());
    let mut newer = honest();
    newer.add_target("acme", "acme/new", b"new");
    renew(&mut newer);
    updates.update(vectors, &newer, NOW + 2, good(2, 3, 3, 3), vec![found("acme/new", "acme", b"new"), found(DELEGATED, "acme", b"tool")]);
    updates.finish(vectors, "nothing new, and then something", "21.3");
    let mut hashes = honest().with_hashes();
    renew(&mut hashes);
    one(vectors, "hashes", "lengths and hashes are listed", "21.3", &hashes, good(2, 3, 3, 3), both());
    let mut sha512 = honest();
    sha512.hashes = vec![Algorithm::Sha256, Algorithm::Sha512];
    renew(&mut sha512);
    one(vectors, "two-hashes", "hashes by two algorithms", "21.3", &sha512, good(2, 3, 3, 3), both());
    let mut indented = honest();
    indented.form = Form::Indented;
    renew(&mut indented);
    one(
        vectors,
        "indented",
        "documents that are written for people: what is signed is the canonical form",
        "21.1",
        &indented,
        good(2, 3, 3, 3),
        both(),
    );
    let mut plain = honest();
    plain.set("root", "/consistent_snapshot", false);
    renew(&mut plain);
    one(
        vectors,
        "not-consistent",
        "without consistent snapshots files have no version in their names",
        "21.5",
        &plain,
        good(2, 3, 3, 3),
        both(),
    );
    type Make = fn(&str) -> Key;
    let keys: [(&str, Make); 5] = [
        ("ed25519", Key::ed25519),
        ("p256", Key::p256),
        ("p384", Key::p384),
        ("p256-old-type", Key::p256_old_type),
        ("p256-point", Key::p256_point),
    ];
    for (id, make) in keys {
        let mut repository = honest();
        for role in ["root", "timestamp", "snapshot", "targets"] {
            repository.set_keys(role, 2, &[make(&format!("{role} 1")), make(&format!("{role} 2"))]);
        }
        renew(&mut repository);
        let why = "every role by two keys of this type";
        one(vectors, &format!("keys-{id}"), why, "21.2", &repository, good(2, 3, 3, 3), both());
    }
    let mut sequence = honest();
    let mut updates = Updates::new("many-versions", &sequence);
    updates.update(vectors, &sequence, NOW, good(1, 2, 2, 2), both());
    for _ in 0..5 {
        renew(&mut sequence);
    }
    updates.update(vectors, &sequence, NOW, good(6, 7, 7, 7), both());
    updates.finish(vectors, "five versions later", "21.3");
}

/// The second at which each role expires.
fn expiry(vectors: &mut Vectors) {
    let expired = || coded("EXPIRED_METADATA", "tuf-expired");
    for role in ["root", "timestamp", "snapshot", "targets"] {
        let mut repository = honest();
        repository.expire(role, "2026-11-29T00:00:00Z");
        renew(&mut repository);
        let mut updates = Updates::new(&format!("expires-{role}"), &repository);
        updates.update(vectors, &repository, NOW + 86_399, good(2, 3, 3, 3), both());
        updates.update(vectors, &repository, NOW + 86_400, expired(), vec![]);
        updates.update(vectors, &repository, NOW + 86_399, good(2, 3, 3, 3), both());
        let mut later = repository.clone();
        later.expire(role, "2026-12-05T00:00:00Z");
        renew(&mut later);
        updates.update(vectors, &later, NOW + 86_400, good(3, 4, 4, 4), both());
        updates.finish(vectors, "good until the second before, expired at the second, and renewed", "21.3");
        let mut updates = Updates::new(&format!("expired-{role}-first"), &repository);
        updates.update(vectors, &repository, NOW + 86_400, expired(), vec![]);
        updates.finish(vectors, "expired when it is first seen: a freeze", "21.3");
    }
    let mut repository = honest();
    repository.expire("acme", "2026-11-29T00:00:00Z");
    renew(&mut repository);
    let mut updates = Updates::new("expires-delegated", &repository);
    updates.update(vectors, &repository, NOW + 86_399, good(2, 3, 3, 3), both());
    let targets = vec![found(TARGET, "targets", b"content"), target(DELEGATED, expired())];
    updates.update(vectors, &repository, NOW + 86_400, good(2, 3, 3, 3), targets);
    updates.finish(vectors, "a delegated role expires, and only its targets are not found", "21.4");
    let mut updates = Updates::new("expires-all", &honest());
    updates.update(vectors, &honest(), EXPIRES_SECONDS - 1, good(1, 2, 2, 2), both());
    updates.update(vectors, &honest(), EXPIRES_SECONDS, expired(), vec![]);
    updates.finish(vectors, "the last second of everything", "21.3");
    let mut updates = Updates::new("times", &honest());
    for at in [0, -1, 253_402_300_800] {
        updates.update(vectors, &honest(), at, refused("INVALID_TIME"), vec![]);
    }
    updates.finish(vectors, "a clock that says so is an error, and never \"not expired\"", "6");
}

/// What others made.
fn others(vectors: &mut Vectors) {
    let mut files = testdata("tuf/python");
    files.retain(|name, _| name.ends_with(".json"));
    let root = files.get("1.root.json").expect("a root").clone();
    let folder = vectors.folder("tuf/python", files);
    let length = |path: &str, length: u64| target(path, ok().with("length", length));
    let targets = list([length("file", 7), length("acme/tool", 4), length("x/y", 8), target("none", refused("NOT_FOUND"))]);
    let update = Value::object([("repository", Value::from(folder)), ("at", NOW.into()), ("targets", targets), ("expect", ok().into())]);
    let root = vectors.file("tuf/python.root.json", root);
    let case =
        Case::new("tuf", "tuf-python", "a repository by python-tuf 7.0.1, with RSA, ECDSA and Ed25519 keys, prefixes and bins", "21.2");
    vectors.add(case.with("root", root).with("updates", list([update])));
    // Roots of sigstore: they are taken, and then there is nothing.
    let nothing = vectors.folder("tuf/nothing", Files::from([("README".to_owned(), b"There is no metadata here.\n".to_vec())]));
    for (name, root) in testdata("tuf/sigstore").into_iter().filter(|(name, _)| name.ends_with(".json")) {
        let id = name.replace(".root.json", "");
        let expect = coded("UNKNOWN", "tuf-missing");
        let update =
            Value::object([("repository", Value::from(nothing.clone())), ("at", 1_660_000_000_i64.into()), ("expect", expect.into())]);
        let changed = String::from_utf8(root.clone()).expect("text").replacen("expires\": \"20", "expires\": \"21", 1).replacen(
            "expires\":\"20",
            "expires\":\"21",
            1,
        );
        let root = vectors.file(&format!("tuf/sigstore/{name}"), root);
        let case = Case::new("tuf", &format!("tuf-sigstore-{id}"), "a root of sigstore is trusted, and the repository has nothing", "21.2");
        vectors.add(case.with("root", root).with("updates", list([update])));
        let expect = coded("UNTRUSTED_METADATA", "tuf-threshold");
        let update =
            Value::object([("repository", Value::from(nothing.clone())), ("at", 1_660_000_000_i64.into()), ("expect", expect.into())]);
        let root = vectors.file(&format!("tuf/sigstore/changed.{name}"), changed);
        let case = Case::new("tuf", &format!("tuf-sigstore-{id}-changed"), "the same with another year of expiry", "21.2");
        vectors.add(case.with("root", root).with("updates", list([update])));
    }
}
