//! What known clients of 2026 get wrong or right, one test each: hash bins, key types, keyids, strictness, versions of the specification.

use touchmark_envelope::digest::Algorithm;
use touchmark_test_tuf_repository::{Delegation, Key, Repository, json, set};
use touchmark_tuf::{Class, Error};

use crate::attack::{DELEGATED, TARGET, accepted, honest, is, refused, renew};
use crate::machine::Machine;

#[test]
fn path_hash_prefixes_lookup_is_found() {
    let mut repository = Repository::new();
    let hash = Algorithm::Sha256.digest(TARGET.as_bytes()).hex();
    repository.delegate("targets", Delegation::new("bin").prefixes(&[&hash[..2]]));
    repository.add_target("bin", TARGET, b"content");
    repository.publish();
    assert_eq!(Machine::new(&repository).find(&repository, TARGET).unwrap().found.unwrap().role.as_str(), "bin");
}

#[test]
fn succinct_roles_lookup_is_found() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::bins("bin", 8));
    let hash = Algorithm::Sha256.digest(TARGET.as_bytes()).hex();
    let bin = format!("bin-{}", &hash[..2]);
    repository.add_target(&bin, TARGET, b"content");
    repository.publish();
    let mut machine = Machine::new(&repository);
    assert_eq!(machine.find(&repository, TARGET).unwrap().found.unwrap().role.as_str(), bin);
    assert_eq!(machine.fetched().len(), 5, "one bin of 256 is loaded: {:?}", machine.fetched());
}

#[test]
fn unknown_keytype_beside_a_known_one_is_tolerated() {
    let unknown = Key::ed25519("unknown").with_json(json(r#"{"keytype":"mldsa","scheme":"ml-dsa-65/1","keyval":{"public":"00"},"x":[1]}"#));
    for role in ["root", "timestamp", "snapshot", "targets"] {
        accepted(&honest(), |repository| {
            repository.set_keys(role, 1, &[unknown.clone(), Key::ed25519(role)]);
            renew(repository);
            repository.bump("snapshot");
            repository.push("snapshot");
            repository.bump("targets");
            repository.push("targets");
        });
    }
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(1, &[unknown.clone(), Key::ed25519("acme")]));
    repository.add_target("acme", DELEGATED, b"tool");
    repository.publish();
    assert!(Machine::new(&repository).find(&repository, DELEGATED).unwrap().found.is_some());
    // But it counts for nothing.
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(2, &[unknown, Key::ed25519("acme")]));
    repository.publish();
    is(&Machine::new(&repository).find(&repository, DELEGATED).unwrap_err(), Class::Untrusted);
}

#[test]
fn threshold_zero_in_a_delegation_is_refused() {
    for threshold in ["0", "-1", "0.5", "\"1\"", "null", "9223372036854775808"] {
        refused(&honest(), if threshold.contains('.') || threshold.len() > 15 { "tuf-document" } else { "tuf-malformed" }, |repository| {
            repository.forge("targets", |signed| set(signed, "/delegations/roles/0/threshold", json(threshold)));
        });
    }
}

#[test]
fn same_key_under_two_keyids_is_not_counted_twice() {
    let key = Key::ed25519("one");
    let keys = [key.clone().with_keyid("1"), key.with_keyid("2")];
    // A top-level role: its threshold can never be reached.
    for role in ["root", "timestamp", "snapshot", "targets"] {
        refused(&honest(), "tuf-malformed", |repository| {
            repository.set_keys(role, 2, &keys);
            repository.sign("root");
        });
    }
    // A delegated one: it can never be verified, and others can.
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(2, &keys));
    repository.delegate("targets", Delegation::new("other").paths(&["other"]));
    repository.add_target("other", "other", b"content");
    repository.publish();
    let mut machine = Machine::new(&repository);
    let error = machine.find(&repository, DELEGATED).unwrap_err();
    assert!(matches!(error, Error::Unreachable { needed: 2, keys: 1, .. }), "{error}");
    assert!(machine.find(&repository, "other").unwrap().found.is_some());
    // With another key beside it, it still counts once.
    let mut repository = Repository::new();
    let all = [&keys[..], &[Key::ed25519("another")]].concat();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(2, &all));
    repository.add_target("acme", DELEGATED, b"tool");
    repository.publish();
    let mut twice = repository.clone();
    twice.forge_by("acme", &keys, |_| ());
    assert_eq!(Machine::new(&twice).find(&twice, DELEGATED).unwrap_err().code(), "tuf-threshold");
    assert!(Machine::new(&repository).find(&repository, DELEGATED).unwrap().found.is_some());
}

#[test]
fn one_p256_key_in_three_descriptions_is_not_counted_twice() {
    let keys = [Key::p256("one"), Key::p256_old_type("one"), Key::p256_point("one")];
    assert_eq!(keys.iter().map(Key::keyid).collect::<std::collections::BTreeSet<_>>().len(), 3);
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(2, &keys));
    repository.publish();
    let error = Machine::new(&repository).find(&repository, DELEGATED).unwrap_err();
    assert!(matches!(error, Error::Unreachable { needed: 2, keys: 1, .. }), "{error}");
}

#[test]
fn keyid_that_is_no_hash_is_accepted() {
    // TAP 12: a keyid is opaque.
    for keyid in ["1", "not a hash", "é", "a/b", &"x".repeat(1_000)] {
        let mut repository = honest();
        for role in ["root", "timestamp", "snapshot", "targets"] {
            repository.set_keys(role, 1, &[Key::ed25519(role).with_keyid(&format!("{keyid} {role}"))]);
        }
        repository.publish();
        repository.bump("targets");
        repository.push("targets");
        assert!(Machine::new(&repository).find(&repository, DELEGATED).unwrap().found.is_some(), "{keyid}");
    }
}

#[test]
fn duplicate_json_member_is_refused() {
    let twice = |bytes: &[u8], text: &str| {
        let document = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(document.contains(text), "{document}");
        document.replacen(text, &format!("{text},{text}"), 1).into_bytes()
    };
    for (role, member) in [
        ("root", "\"version\":2"),
        ("timestamp", "\"version\":3"),
        ("snapshot", "\"_type\":\"snapshot\""),
        ("snapshot", "\"acme.json\":{\"version\":2}"),
        ("targets", "\"spec_version\":\"1.0.34\""),
        ("targets", "\"length\":7"),
        ("acme", "\"_type\":\"targets\""),
    ] {
        refused(&honest(), "tuf-document", |repository| {
            let path = repository.path(role);
            let bytes = twice(repository.file(&path), member);
            repository.serve(&path, bytes);
        });
    }
}

#[test]
fn duplicate_json_member_written_with_an_escape_is_refused() {
    refused(&honest(), "tuf-document", |repository| {
        let document = String::from_utf8(repository.file("timestamp.json").to_vec()).unwrap();
        repository.serve("timestamp.json", document.replacen("\"_type\"", "\"\\u0076ersion\":4,\"_type\"", 1).into_bytes());
    });
}

#[test]
fn float_version_is_refused() {
    for role in ["root", "timestamp", "snapshot", "targets", "acme"] {
        for version in ["2.0", "3.0", "2e0", "20e-1"] {
            refused(&honest(), "tuf-document", |repository| repository.forge(role, |signed| set(signed, "/version", json(version))));
        }
    }
}

#[test]
fn trailing_garbage_is_refused() {
    for role in ["root", "timestamp", "snapshot", "targets", "acme"] {
        for garbage in ["x", "{}", "\0", "\u{feff}", ","] {
            refused(&honest(), "tuf-document", |repository| {
                let path = repository.path(role);
                let bytes = [repository.file(&path), garbage.as_bytes()].concat();
                repository.serve(&path, bytes);
            });
        }
    }
}

#[test]
fn spec_version_2_is_refused() {
    for role in ["root", "timestamp", "snapshot", "targets", "acme"] {
        for version in ["2.0.0", "2.0", "0.9.0", "10.0.0", "", "1", "one", "1.0.0.0"] {
            refused(&honest(), "tuf-malformed", |repository| repository.forge(role, |signed| set(signed, "/spec_version", version)));
        }
    }
}

#[test]
fn spec_versions_1_0_and_1_1_are_accepted() {
    for version in ["1.0", "1.0.0", "1.0.34", "1.1.0", "1.99.99"] {
        accepted(&honest(), |repository| {
            for role in ["root", "targets", "acme", "snapshot", "timestamp"] {
                repository.set(role, "/spec_version", version);
            }
            repository.publish();
        });
    }
}

#[test]
fn delegated_role_named_timestamp_is_harmless() {
    // The document that delegates to it is refused, before any file of that name is asked for or stored.
    for name in ["timestamp", "snapshot", "targets", "root"] {
        let mut machine = Machine::refreshed(&honest());
        let mut evil = honest();
        evil.set("targets", "/delegations/roles/0/name", name);
        evil.publish();
        let error = machine.find(&evil, DELEGATED).unwrap_err();
        assert_eq!(error.code(), "tuf-malformed", "{name}");
        for role in ["timestamp", "snapshot"] {
            assert_eq!(machine.store[&format!("{role}.json")], evil.file(&evil.path(role)));
        }
        // Once its owner has mended it, it is taken.
        let mut mended = evil.clone();
        mended.set("targets", "/delegations/roles/0/name", "acme");
        mended.publish();
        assert!(machine.find(&mended, DELEGATED).unwrap().found.is_some());
    }
}

#[test]
fn delegated_role_that_differs_from_a_top_level_one_in_case_has_a_file_of_its_own() {
    for name in ["Timestamp", "ROOT", "Snapshot", "TARGETS"] {
        let mut repository = Repository::new();
        repository.delegate("targets", Delegation::new(name).paths(&["x"]));
        repository.add_target(name, "x", b"x");
        repository.publish();
        let mut machine = Machine::new(&repository);
        assert!(machine.find(&repository, "x").unwrap().found.is_some());
        let names: Vec<String> = machine.store.keys().map(|file| file.to_lowercase()).collect();
        let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!((distinct.len(), names.len()), (5, 5), "{names:?}");
    }
}

#[test]
fn three_mebibytes_of_padded_timestamp_are_refused() {
    refused(&honest(), "tuf-fetch", |repository| {
        repository.forge("timestamp", |signed| set(signed, "/x-padding", "x".repeat(3 << 20)));
    });
    refused(&honest(), "tuf-fetch", |repository| {
        let padded = [repository.file("timestamp.json"), " ".repeat(3 << 20).as_bytes()].concat();
        repository.serve("timestamp.json", padded);
    });
}
