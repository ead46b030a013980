//! Attacks on timestamp, snapshot and targets by whoever serves them, with and without keys: each is refused, and what follows is accepted.

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::Value;
use touchmark_test_tuf_repository::{Key, NOW, Repository, json, set};

use super::super::{Expect, Vectors, coded};
use super::{DELEGATED, TARGET, Updates, both, found, good, honest, renew, target};

pub(super) fn add(vectors: &mut Vectors) {
    rollbacks(vectors);
    signatures(vectors);
    hints(vectors);
    mixes(vectors);
    lost(vectors);
    thresholds(vectors);
    delegated(vectors);
}

fn untrusted(code: &str) -> Expect {
    coded("UNTRUSTED_METADATA", code)
}

/// An attack on a client that has the version before.
fn attack(vectors: &mut Vectors, id: &str, why: &str, before: &Repository, expect: Expect, change: impl Fn(&mut Repository)) {
    let mut next = before.clone();
    renew(&mut next);
    let mut evil = next.clone();
    change(&mut evil);
    let mut updates = Updates::new(id, before);
    updates.update(
        vectors,
        before,
        NOW,
        good(before.version("root"), before.version("timestamp"), before.version("snapshot"), before.version("targets")),
        both(),
    );
    updates.update(vectors, &evil, NOW, expect, vec![]);
    // An attacker who holds keys may have used up version numbers.
    for role in ["acme", "targets", "snapshot", "timestamp"] {
        let theirs = evil.version(role).max(next.version(role));
        next.set(role, "/version", theirs);
    }
    renew(&mut next);
    let versions = ["root", "timestamp", "snapshot", "targets"].map(|role| next.version(role));
    let [root, timestamp, snapshot, targets] = versions;
    updates.update(vectors, &next, NOW, good(root, timestamp, snapshot, targets), both());
    updates.finish(vectors, why, "21.3");
}

/// A snapshot of whoever holds the snapshot's key and the timestamp's.
fn forged(repository: &mut Repository, pointer: &str, value: impl Into<Value<'static>>) {
    repository.bump("snapshot");
    repository.set("snapshot", pointer, value);
    repository.push("snapshot");
}

fn rollbacks(vectors: &mut Vectors) {
    let rollback = || coded("ROLLBACK", "tuf-rollback");
    let mut second = honest();
    renew(&mut second);
    attack(vectors, "rollback-timestamp", "a replayed timestamp", &second, rollback(), |evil| {
        let old = honest().file("timestamp.json").to_vec();
        evil.serve("timestamp.json", old);
    });
    attack(vectors, "rollback-timestamp-signed", "a timestamp of an older version that is signed anew", &second, rollback(), |evil| {
        evil.forge("timestamp", |signed| set(signed, "/version", 1_u64));
    });
    attack(vectors, "rollback-snapshot", "a new timestamp of an old snapshot", &second, rollback(), |evil| {
        evil.forge("timestamp", |signed| set(signed, "/meta/snapshot.json/version", 2_u64));
    });
    attack(vectors, "rollback-targets", "a new snapshot of old targets (CVE-2025-2887)", &second, rollback(), |evil| {
        forged(evil, "/meta/targets.json/version", 2_u64);
    });
    attack(vectors, "rollback-delegated", "a new snapshot of an old delegated role", &second, rollback(), |evil| {
        forged(evil, "/meta/acme.json/version", 1_u64);
    });
    attack(
        vectors,
        "role-disappeared",
        "a new snapshot without a delegated role",
        &second,
        coded("ROLLBACK", "tuf-role-disappeared"),
        |evil| {
            evil.bump("snapshot");
            evil.unset("snapshot", "/meta/acme.json");
            evil.push("snapshot");
        },
    );
    attack(vectors, "targets-disappeared", "a new snapshot without the top-level targets", &second, untrusted("tuf-malformed"), |evil| {
        evil.bump("snapshot");
        evil.unset("snapshot", "/meta/targets.json");
        evil.push("snapshot");
    });
    // A timestamp of the same version is discarded, whatever it says (5.4.3.1).
    let mut updates = Updates::new("same-version-is-discarded", &honest());
    updates.update(vectors, &honest(), NOW, good(1, 2, 2, 2), both());
    let mut other = honest();
    other.forge("timestamp", |signed| {
        set(signed, "/meta/snapshot.json/version", 9_u64);
        set(signed, "/expires", "2040-01-01T00:00:00Z".to_owned());
    });
    updates.update(vectors, &other, NOW, good(1, 2, 2, 2), both());
    updates.finish(vectors, "a timestamp of the version that is trusted is discarded, whatever it says", "21.3");
    // One that has expired still shows what is older than it.
    let mut short = honest();
    short.expire("timestamp", "2026-11-29T00:00:00Z");
    renew(&mut short);
    let mut updates = Updates::new("expired-store-shows-rollback", &honest());
    updates.update(vectors, &short, NOW, good(2, 3, 3, 3), both());
    updates.update(vectors, &honest(), NOW + 2 * 86_400, rollback(), vec![]);
    updates.finish(vectors, "a stored timestamp that has expired still shows a rollback", "21.3");
}

fn signatures(vectors: &mut Vectors) {
    let bad = || untrusted("tuf-threshold");
    for role in ["timestamp", "snapshot", "targets"] {
        for other in ["stranger", "root", "acme"] {
            attack(vectors, &format!("{role}-by-{other}"), "signed by a key that is not the role's", &honest(), bad(), |evil| {
                evil.forge_by(role, &[Key::ed25519(other)], |_| ());
            });
        }
        attack(vectors, &format!("{role}-unsigned"), "signed by nobody", &honest(), bad(), |evil| evil.forge_by(role, &[], |_| ()));
        attack(vectors, &format!("{role}-changed"), "changed after it was signed", &honest(), bad(), |evil| {
            evil.tamper(role, |document| set(document, "/signed/x-changed", 1_u64));
        });
        attack(vectors, &format!("{role}-signature-empty"), "an empty signature", &honest(), bad(), |evil| {
            evil.tamper(role, |document| set(document, "/signatures/0/sig", String::new()));
        });
        attack(
            vectors,
            &format!("{role}-keyid-of-another"),
            "a signature by a stranger under the role's keyid",
            &honest(),
            bad(),
            |evil| {
                let keyid = Key::ed25519(role).keyid().to_owned();
                evil.forge_by(role, &[Key::ed25519("stranger").with_keyid(&keyid)], |_| ());
            },
        );
    }
}

/// A keyid is a hint, and decides nothing.
fn hints(vectors: &mut Vectors) {
    let mut hinted = honest();
    for role in ["timestamp", "snapshot", "targets", "acme"] {
        hinted.forge_by(role, &[Key::ed25519(role).with_keyid("00")], |_| ());
    }
    let mut updates = Updates::new("keyids-of-nobody", &honest());
    updates.update(vectors, &hinted, NOW, good(1, 2, 2, 2), both());
    updates.finish(vectors, "signatures under keyids that nobody lists count by the keys that they are valid for", "21.2");
}

fn mixes(vectors: &mut Vectors) {
    let mut hashes = honest().with_hashes();
    renew(&mut hashes);
    for (role, describer) in [("snapshot", "timestamp"), ("targets", "snapshot")] {
        for version in [1_u64, 9] {
            attack(
                vectors,
                &format!("{role}-version-{version}"),
                "another version than is listed: mix and match",
                &honest(),
                untrusted("tuf-version"),
                |evil| {
                    evil.forge(role, |signed| set(signed, "/version", version));
                },
            );
        }
        attack(
            vectors,
            &format!("{role}-hash"),
            "another document of the version and length that are listed",
            &hashes,
            untrusted("tuf-hash"),
            |evil| {
                // As long as the honest one: one letter of a member that nobody reads is another.
                evil.forge(role, |signed| set(signed, "/spec_version", "1.0.33".to_owned()));
            },
        );
        attack(vectors, &format!("{role}-longer"), "a byte more than is listed", &hashes, untrusted("tuf-length"), |evil| {
            let path = evil.path(role);
            let longer = [evil.file(&path), b" "].concat();
            evil.serve(&path, longer);
        });
        attack(vectors, &format!("{role}-shorter"), "a byte less than is listed", &hashes, untrusted("tuf-length"), |evil| {
            let path = evil.path(role);
            let length = u64::try_from(evil.file(&path).len()).expect("a short file") + 1;
            if describer == "timestamp" {
                evil.forge("timestamp", |signed| set(signed, "/meta/snapshot.json/length", length));
            } else {
                forged(evil, "/meta/targets.json/length", length);
            }
        });
        attack(
            vectors,
            &format!("{role}-other-role"),
            "another role's document in its place",
            &honest(),
            untrusted("tuf-threshold"),
            |evil| {
                let (path, other) =
                    (evil.path(role), evil.file(if role == "snapshot" { "timestamp.json" } else { "1.root.json" }).to_vec());
                evil.serve(&path, other);
            },
        );
    }
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let mut both = honest();
        both.hashes = vec![Algorithm::Sha256, Algorithm::Sha512];
        renew(&mut both);
        let (name, wrong) = (algorithm.name(), algorithm.digest(b"other").hex());
        attack(vectors, &format!("snapshot-hash-{name}"), "one of two listed hashes is another's", &both, untrusted("tuf-hash"), |evil| {
            evil.forge("timestamp", |signed| set(signed, &format!("/meta/snapshot.json/hashes/{name}"), wrong.clone()));
        });
    }
    for (id, meta, why) in [
        ("empty", r#"{}"#, "a timestamp that describes nothing"),
        ("other", r#"{"targets.json":{"version":1}}"#, "a timestamp that describes the targets"),
        ("two", r#"{"snapshot.json":{"version":3},"targets.json":{"version":3}}"#, "a timestamp that describes two files"),
    ] {
        attack(vectors, &format!("timestamp-meta-{id}"), why, &honest(), untrusted("tuf-malformed"), |evil| {
            evil.forge("timestamp", |signed| set(signed, "/meta", json(meta)));
        });
    }
}

/// What is not there is unknown, and takes nothing back.
fn lost(vectors: &mut Vectors) {
    for role in ["timestamp", "snapshot", "targets"] {
        attack(vectors, &format!("{role}-missing"), "it is not there", &honest(), coded("UNKNOWN", "tuf-missing"), |evil| {
            let path = evil.path(role);
            evil.lose(&path);
        });
    }
}

fn thresholds(vectors: &mut Vectors) {
    let [a, b, c] = ["a", "b", "c"].map(Key::ed25519);
    for role in ["timestamp", "snapshot", "targets"] {
        let mut repository = honest();
        repository.set_keys(role, 2, &[a.clone(), b.clone(), c.clone()]);
        renew(&mut repository);
        for (id, signing, why) in [
            ("one-key", vec![a.clone()], "one key of two"),
            ("one-key-twice", vec![a.clone(), a.clone()], "one key twice (CVE-2020-6174, CVE-2026-6966)"),
            ("one-key-as-two", vec![a.clone(), a.clone().with_keyid(b.keyid())], "one key under two keyids"),
            ("one-key-and-stranger", vec![a.clone(), Key::ed25519("x")], "one key and a stranger"),
        ] {
            let mut updates = Updates::new(&format!("{role}-threshold-{id}"), &honest());
            let mut evil = repository.clone();
            evil.forge_by(role, &signing, |_| ());
            updates.update(vectors, &evil, NOW, untrusted("tuf-threshold"), vec![]);
            let mut other = repository.clone();
            other.forge_by(role, &[c.clone(), b.clone()], |_| ());
            updates.update(vectors, &other, NOW, good(2, 3, 3, 3), both());
            updates.finish(vectors, why, "21.2");
        }
    }
}

/// Attacks on a delegated role: only its targets are not found.
fn delegated(vectors: &mut Vectors) {
    let mut hashes = honest().with_hashes();
    renew(&mut hashes);
    let role_attack =
        |vectors: &mut Vectors, id: &str, why: &str, before: &Repository, expect: Expect, change: &dyn Fn(&mut Repository)| {
            let mut updates = Updates::new(&format!("delegated-{id}"), before);
            let mut next = before.clone();
            renew(&mut next);
            let mut evil = next.clone();
            change(&mut evil);
            let versions = ["root", "timestamp", "snapshot", "targets"].map(|role| next.version(role));
            let [root, timestamp, snapshot, targets] = versions;
            let expected = vec![found(TARGET, "targets", b"content"), target(DELEGATED, expect)];
            updates.update(vectors, &evil, NOW, good(root, timestamp, snapshot, targets), expected);
            updates.update(vectors, &next, NOW, good(root, timestamp, snapshot, targets), both());
            updates.finish(vectors, why, "21.4");
        };
    for other in ["stranger", "targets", "root"] {
        role_attack(
            vectors,
            &format!("by-{other}"),
            "signed by a key that is not the role's",
            &honest(),
            untrusted("tuf-threshold"),
            &|evil| {
                evil.forge_by("acme", &[Key::ed25519(other)], |_| ());
            },
        );
    }
    role_attack(vectors, "changed", "changed after it was signed", &honest(), untrusted("tuf-threshold"), &|evil| {
        evil.tamper("acme", |document| set(document, "/signed/x-changed", 1_u64));
    });
    role_attack(vectors, "version", "another version than is listed", &honest(), untrusted("tuf-version"), &|evil| {
        evil.forge("acme", |signed| set(signed, "/version", 1_u64));
    });
    role_attack(
        vectors,
        "hash",
        "another document of the version that is listed (CVE-2026-6967)",
        &hashes,
        untrusted("tuf-hash"),
        &|evil| {
            evil.forge("acme", |signed| set(signed, "/spec_version", "1.0.33".to_owned()));
        },
    );
    role_attack(vectors, "longer", "a byte more than is listed", &hashes, untrusted("tuf-length"), &|evil| {
        let path = evil.path("acme");
        let longer = [evil.file(&path), b" "].concat();
        evil.serve(&path, longer);
    });
    role_attack(
        vectors,
        "missing",
        "it is not there: that it lists nothing is not known",
        &honest(),
        coded("UNKNOWN", "tuf-missing"),
        &|evil| {
            let path = evil.path("acme");
            evil.lose(&path);
        },
    );
    role_attack(vectors, "other-type", "a snapshot in its place", &honest(), untrusted("tuf-threshold"), &|evil| {
        let (path, other) = (evil.path("acme"), evil.file(&evil.path("snapshot")).to_vec());
        evil.serve(&path, other);
    });
}
