//! The chain of roots (TUF 1.0, 5.3).

use touchmark_envelope::json::Value;
use touchmark_test_tuf_repository::{Key, NOW, Repository, assemble, set};

use super::super::{Expect, Vectors, coded};
use super::{Updates, both, good, honest, renew};

pub(super) fn add(vectors: &mut Vectors) {
    rotations(vectors);
    refusals(vectors);
    fast_forward(vectors);
}

fn untrusted(code: &str) -> Expect {
    coded("UNTRUSTED_METADATA", code)
}

/// Keys a, b and c.
fn abc() -> [Key; 3] {
    ["a", "b", "c"].map(Key::ed25519)
}

fn rotations(vectors: &mut Vectors) {
    let mut updates = Updates::new("root-rotated", &honest());
    updates.update(vectors, &honest(), NOW, good(1, 2, 2, 2), both());
    let mut rotated = honest();
    rotated.set_keys("root", 2, &abc());
    renew(&mut rotated);
    updates.update(vectors, &rotated, NOW, good(2, 3, 3, 3), both());
    rotated.set_keys("root", 2, &["b", "c", "d"].map(Key::p256));
    renew(&mut rotated);
    rotated.set_keys("root", 1, &[Key::p384("root")]);
    renew(&mut rotated);
    updates.update(vectors, &rotated, NOW, good(4, 5, 5, 5), both());
    updates.finish(vectors, "other keys and thresholds, signed by the keys before and the new ones", "21.3");
    for role in ["timestamp", "snapshot", "targets"] {
        let mut updates = Updates::new(&format!("root-rotates-{role}"), &honest());
        updates.update(vectors, &honest(), NOW, good(1, 2, 2, 2), both());
        let mut rotated = honest();
        rotated.set_keys(role, 1, &[Key::ed25519("new")]);
        renew(&mut rotated);
        updates.update(vectors, &rotated, NOW, good(2, 3, 3, 3), both());
        // What the old key signs counts no more.
        let mut stolen = rotated.clone();
        stolen.set_signers(role, &[Key::ed25519(role)]);
        renew(&mut stolen);
        updates.update(vectors, &stolen, NOW, untrusted("tuf-threshold"), vec![]);
        updates.finish(vectors, "the role's key is another, and the old one counts no more", "21.3");
    }
    let mut updates = Updates::new("root-between-expired", &honest());
    let mut repository = honest();
    repository.expire("root", "2020-01-01T00:00:00Z");
    repository.publish();
    repository.expire("root", "2030-01-01T00:00:00Z");
    repository.publish();
    updates.update(vectors, &repository, NOW, good(3, 2, 2, 2), both());
    updates.finish(vectors, "that a root between has expired does not matter", "21.3");
    let mut first_expired = honest();
    let mut updates = Updates::new("root-first-expired", &first_expired);
    first_expired.expire("root", "2031-01-01T00:00:00Z");
    for role in ["timestamp", "snapshot", "targets", "acme"] {
        first_expired.expire(role, "2031-01-01T00:00:00Z");
    }
    first_expired.publish();
    updates.update(vectors, &first_expired, 1_893_456_000, good(2, 3, 3, 3), both());
    updates.finish(vectors, "that the trusted root has expired does not matter, if a newer one has not", "21.3");
}

fn refusals(vectors: &mut Vectors) {
    // Each is an attack on the next root of a repository whose root needs two of three keys.
    let mut base = honest();
    base.set_keys("root", 2, &abc());
    renew(&mut base);
    let [a, b, _] = abc();
    let mut next = base.clone();
    next.set_keys("root", 2, &["x", "y"].map(Key::ed25519));
    renew(&mut next);
    let [x, y] = ["x", "y"].map(Key::ed25519);
    let signed_by = |keys: &[Key]| {
        let mut evil = next.clone();
        let signed = evil.signed("root").clone();
        let document = evil.written(&assemble(&signed, keys));
        evil.serve("3.root.json", document);
        evil
    };
    let versioned = |version: u64| {
        let mut evil = next.clone();
        set(evil.signed("root"), "/version", version);
        let signed = evil.signed("root").clone();
        let document = evil.written(&assemble(&signed, &[a.clone(), b.clone(), x.clone(), y.clone()]));
        evil.serve("3.root.json", document);
        evil
    };
    let replaced = |bytes: Vec<u8>| {
        let mut evil = next.clone();
        evil.serve("3.root.json", bytes);
        evil
    };
    for (id, evil, expect, why) in [
        ("old-keys-alone", signed_by(&[a.clone(), b.clone()]), untrusted("tuf-threshold"), "without the new keys"),
        ("new-keys-alone", signed_by(&[x.clone(), y.clone()]), untrusted("tuf-threshold"), "without the old keys"),
        ("one-old-key", signed_by(&[a.clone(), x.clone(), y.clone()]), untrusted("tuf-threshold"), "by one old key of two"),
        ("one-old-key-twice", signed_by(&[a.clone(), a.clone(), x.clone(), y.clone()]), untrusted("tuf-threshold"), "by one old key twice"),
        ("one-new-key", signed_by(&[a.clone(), b.clone(), x.clone()]), untrusted("tuf-threshold"), "by one new key of two"),
        (
            "one-new-key-as-two",
            signed_by(&[a.clone(), b.clone(), x.clone(), x.clone().with_keyid(y.keyid())]),
            untrusted("tuf-threshold"),
            "by one new key under two keyids",
        ),
        ("nobody", signed_by(&[]), untrusted("tuf-threshold"), "by nobody"),
        ("version-skipped", versioned(4), untrusted("tuf-version"), "version 4 in the place of 3 (CVE-2025-2885)"),
        ("version-same", versioned(2), untrusted("tuf-version"), "version 2 in the place of 3"),
        ("version-1", versioned(1), untrusted("tuf-version"), "version 1 in the place of 3"),
        ("replayed", replaced(base.file("2.root.json").to_vec()), untrusted("tuf-version"), "an old root in the place of the next"),
        ("no-json", replaced(b"<html>".to_vec()), untrusted("tuf-document"), "no JSON"),
        (
            "other-document",
            replaced(base.file("timestamp.json").to_vec()),
            untrusted("tuf-threshold"),
            "a timestamp in the place of a root",
        ),
    ] {
        let mut updates = Updates::new(&format!("root-{id}"), &honest());
        updates.update(vectors, &base, NOW, good(2, 3, 3, 3), both());
        updates.update(vectors, &evil, NOW, expect, vec![]);
        updates.update(vectors, &next, NOW, good(3, 4, 4, 4), both());
        updates.finish(vectors, &format!("the next root, {why}; and then the honest one (CVE-2020-15163)"), "21.3");
    }
    let mut changed = honest();
    renew(&mut changed);
    let mut evil = changed.clone();
    evil.tamper("root", |document| set(document, "/signed/expires", "2040-01-01T00:00:00Z".to_owned()));
    let mut updates = Updates::new("root-changed", &honest());
    updates.update(vectors, &evil, NOW, untrusted("tuf-threshold"), vec![]);
    updates.update(vectors, &changed, NOW, good(2, 3, 3, 3), both());
    updates.finish(vectors, "a root that was changed after it was signed", "21.3");
    // The root that the client begins with.
    for (id, document, expect, why) in [
        (
            "stranger",
            assemble(&honest().signed("root").clone(), &[Key::ed25519("stranger")]).to_vec(),
            untrusted("tuf-threshold"),
            "a root that strangers signed",
        ),
        ("unsigned", assemble(&honest().signed("root").clone(), &[]).to_vec(), untrusted("tuf-threshold"), "a root that nobody signed"),
        ("empty", b"{}".to_vec(), untrusted("tuf-document"), "no document"),
        ("timestamp", honest().file("timestamp.json").to_vec(), untrusted("tuf-malformed"), "a timestamp"),
    ] {
        let mut updates = Updates::new(&format!("root-first-{id}"), &honest());
        updates.root = document;
        updates.update(vectors, &honest(), NOW, expect, vec![]);
        updates.finish(vectors, &format!("the client begins with {why}"), "21.3");
    }
    for (id, pointer, value, why) in [
        ("threshold-0", "/roles/timestamp/threshold", Value::from(0_u64), "a threshold of zero disables nothing (CVE-2026-23992)"),
        ("threshold-negative", "/roles/timestamp/threshold", Value::from(-1_i64), "a negative threshold"),
        ("threshold-above-keys", "/roles/timestamp/threshold", Value::from(2_u64), "a threshold above the number of keys"),
        ("threshold-text", "/roles/timestamp/threshold", Value::from("1".to_owned()), "a threshold that is a text"),
        ("keys-list", "/keys", super::list([]), "keys that are a list (CVE-2026-23991)"),
        ("roles-null", "/roles", Value::Null, "roles that are null"),
        ("consistent-text", "/consistent_snapshot", Value::from("true".to_owned()), "a truth value that is a text"),
    ] {
        let mut repository = honest();
        let mut evil = repository.clone();
        set(evil.signed("root"), pointer, value);
        evil.bump("root");
        evil.sign("root");
        let mut updates = Updates::new(&format!("root-shape-{id}"), &repository);
        updates.update(vectors, &evil, NOW, untrusted("tuf-malformed"), vec![]);
        renew(&mut repository);
        updates.update(vectors, &repository, NOW, good(2, 3, 3, 3), both());
        updates.finish(vectors, why, "21.1");
    }
    same_key_twice(vectors);
}

/// One key under two keyids is one key.
fn same_key_twice(vectors: &mut Vectors) {
    let key = Key::ed25519("one");
    for role in ["root", "timestamp", "snapshot", "targets"] {
        let mut repository = honest();
        repository.set_keys(role, 2, &[key.clone().with_keyid("1"), key.clone().with_keyid("2")]);
        repository.bump("root");
        repository.sign("root");
        let mut updates = Updates::new(&format!("root-one-key-as-two-{role}"), &honest());
        updates.update(vectors, &repository, NOW, untrusted("tuf-malformed"), vec![]);
        updates.finish(vectors, "one key under two keyids can reach no threshold of two", "21.2");
    }
    let mut unknown = honest();
    let other = Key::ed25519("unknown")
        .with_json(touchmark_test_tuf_repository::json(r#"{"keytype":"mldsa","scheme":"ml-dsa-65/1","keyval":{"public":"00"}}"#));
    for role in ["root", "timestamp", "snapshot", "targets"] {
        unknown.set_keys(role, 1, &[other.clone(), Key::ed25519(role)]);
    }
    renew(&mut unknown);
    super::one(
        vectors,
        "unknown-keytype",
        "a key of a type that is not known, beside one that is",
        "21.2",
        &unknown,
        good(2, 3, 3, 3),
        both(),
    );
    let mut opaque = honest();
    for role in ["root", "timestamp", "snapshot", "targets"] {
        opaque.set_keys(role, 1, &[Key::ed25519(role).with_keyid(&format!("no hash: {role}"))]);
    }
    renew(&mut opaque);
    super::one(vectors, "keyids-opaque", "keyids that are no hashes (TAP 12)", "21.2", &opaque, good(2, 3, 3, 3), both());
}

/// Version numbers that were used up are recovered from by other keys (5.3.11).
fn fast_forward(vectors: &mut Vectors) {
    let far = 1_u64 << 50;
    let mut attacked: Repository = honest();
    for role in ["snapshot", "timestamp"] {
        attacked.set(role, "/version", far);
    }
    attacked.push("snapshot");
    // `push` takes one version more of the timestamp.
    for rotated in [["timestamp"].as_slice(), &["snapshot"], &["timestamp", "snapshot"]] {
        let mut updates = Updates::new(&format!("fast-forward-{}", rotated.join("-")), &honest());
        updates.update(vectors, &attacked, NOW, good(1, far + 1, far, 2), both());
        updates.update(vectors, &honest(), NOW, coded("ROLLBACK", "tuf-rollback"), vec![]);
        let mut recovered = honest();
        for role in rotated {
            recovered.set_keys(role, 1, &[Key::ed25519(&format!("new {role}"))]);
        }
        renew(&mut recovered);
        updates.update(vectors, &recovered, NOW, good(2, 3, 3, 3), both());
        updates.finish(vectors, "the holder of keys used up version numbers; the owners rotate keys and begin anew", "21.3");
    }
}
