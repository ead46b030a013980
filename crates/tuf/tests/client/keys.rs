//! Keys and signatures as they come: every type for every role, and what counts for nothing beside what counts.

use touchmark_envelope::digest::hex;
use touchmark_test_tuf_repository::{Delegation, Key, Repository, json, remove, set, signature};

use crate::attack::{DELEGATED, TARGET, accepted, by_two_keys, honest, refused, renew};
use crate::machine::Machine;

#[test]
fn every_type_of_key_signs_for_every_role() {
    for keys in [[Key::ed25519 as fn(&str) -> Key, Key::p256], [Key::p384, Key::p256_old_type], [Key::p256_point, Key::ed25519]] {
        let repository = by_two_keys(|role| keys.map(|key| key(role)));
        for role in ["root", "timestamp", "snapshot", "targets", "acme"] {
            for one in repository.signers(role).to_vec() {
                let mut evil = repository.clone();
                // The first root is the one that is trusted; it is the next one that is looked at.
                evil.sign_by(role, &[one]);
                assert_eq!(Machine::new(&repository).find(&evil, DELEGATED).unwrap_err().code(), "tuf-threshold", "{role}");
            }
        }
        assert!(Machine::new(&repository).find(&repository, DELEGATED).unwrap().found.is_some());
    }
}

#[test]
fn empty_and_malformed_signatures_beside_good_ones_are_ignored() {
    for role in ["root", "timestamp", "snapshot", "targets", "acme"] {
        for bad in ["", "0", "zz", "00", "ABCDEF", "0x00", "é", &"00".repeat(10_000)] {
            for keyid in [Key::ed25519(role).keyid(), "unknown", ""] {
                // Before the good one, and after it.
                for place in ["first", "last"] {
                    let change = |repository: &mut Repository| {
                        repository.tamper(role, |document| {
                            let good = document.get("signatures").and_then(|list| list.as_array()).unwrap().to_vec();
                            let bad = vec![signature(keyid, bad)];
                            let all = if place == "first" { [bad, good].concat() } else { [good, bad].concat() };
                            set(document, "/signatures", all);
                        });
                    };
                    let mut repository = honest();
                    renew(&mut repository);
                    change(&mut repository);
                    let mut machine = Machine::new(&repository);
                    assert!(machine.find(&repository, DELEGATED).unwrap().found.is_some(), "{role}: {bad:.20} {place}");
                }
            }
        }
    }
}

#[test]
fn signatures_in_upper_case_hexadecimal_or_with_more_members_count() {
    accepted(&honest(), |repository| {
        repository.tamper("targets", |document| {
            let sig = document.get("signatures").unwrap().as_array().unwrap()[0].get("sig").unwrap().as_str().unwrap().to_uppercase();
            set(document, "/signatures/0/sig", sig);
            set(document, "/signatures/0/method", "something");
        });
    });
}

#[test]
fn more_signatures_than_keys_are_accepted_and_more_than_the_limit_are_not() {
    let strangers: Vec<Key> = (0..255).map(|number| Key::ed25519(&format!("stranger {number}"))).collect();
    accepted(&honest(), |repository| {
        let good = repository.signers("targets").to_vec();
        repository.forge_by("targets", &[&strangers, good.as_slice()].concat(), |_| ());
    });
    refused(&honest(), "tuf-document", |repository| {
        let good = repository.signers("targets").to_vec();
        repository.forge_by("targets", &[good.as_slice(), &strangers, &good].concat(), |_| ());
    });
}

#[test]
fn no_number_of_bad_signatures_hides_the_good_ones() {
    let mut repository = Repository::new();
    let keys: Vec<Key> = (0..20).map(|number| Key::ed25519(&format!("key {number}"))).collect();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(20, &keys));
    repository.add_target("targets", TARGET, b"content");
    repository.add_target("acme", DELEGATED, b"tool");
    repository.publish();
    accepted(&repository, |repository| {
        repository.tamper("acme", |document| {
            let good = document.get("signatures").and_then(|list| list.as_array()).unwrap().to_vec();
            let wrong = hex(&[7; 64]);
            let bad = keys.iter().cycle().take(200).map(|key| signature(key.keyid(), &wrong));
            set(document, "/signatures", bad.chain(good).collect::<Vec<_>>());
        });
    });
}

#[test]
fn a_keyid_that_is_another_key_s_changes_no_key_s_authority() {
    // The thief's key is listed under the keyid that the snapshot's key has elsewhere; each document's keyids are its own.
    let mut repository = honest();
    let stolen = Key::ed25519("thief").with_keyid(Key::ed25519("snapshot").keyid());
    repository.delegate("targets", Delegation::new("thief").paths(&["thief"]).keys(1, std::slice::from_ref(&stolen)));
    repository.publish();
    refused(&repository, "tuf-threshold", |repository| repository.forge_by("snapshot", std::slice::from_ref(&stolen), |_| ()));
}

#[test]
fn a_keyid_that_is_not_in_the_list_of_keys_counts_for_nothing() {
    refused(&honest(), "tuf-malformed", |repository| {
        let keyid = Key::ed25519("targets").keyid().to_owned();
        repository.unset("root", &format!("/keys/{keyid}"));
        repository.sign("root");
    });
    // Beside one that is, it does no harm.
    accepted(&honest(), |repository| {
        repository.set("root", "/roles/targets/keyids/-", "not listed");
        repository.publish();
    });
}

#[test]
fn a_key_of_one_role_that_is_listed_in_root_signs_for_no_other() {
    for (role, other) in [("timestamp", "snapshot"), ("snapshot", "timestamp"), ("targets", "root"), ("root", "targets")] {
        refused(&honest(), "tuf-threshold", |repository| repository.sign_by(role, &[Key::ed25519(other)]));
    }
}

#[test]
fn one_key_may_sign_for_several_roles() {
    let mut repository = Repository::new();
    let one = [Key::p256("one")];
    for role in ["root", "timestamp", "snapshot", "targets"] {
        repository.set_keys(role, 1, &one);
    }
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(1, &one));
    repository.add_target("targets", TARGET, b"content");
    repository.add_target("acme", DELEGATED, b"tool");
    repository.publish();
    repository.bump("snapshot");
    repository.push("snapshot");
    accepted(&repository, |_| ());
}

#[test]
fn keys_that_cannot_be_used_are_ignored_beside_good_ones() {
    let good = Key::ed25519("good");
    for bad in [
        r#"{"keytype":"ed25519","scheme":"ed25519","keyval":{"public":""}}"#,
        r#"{"keytype":"ed25519","scheme":"ed25519","keyval":{"public":"00"}}"#,
        // A point of small order, whose signatures hold for any message.
        r#"{"keytype":"ed25519","scheme":"ed25519","keyval":{"public":"0100000000000000000000000000000000000000000000000000000000000000"}}"#,
        r#"{"keytype":"ed25519","scheme":"ed25519","keyval":{"public":7}}"#,
        r#"{"keytype":"ed25519","scheme":"ed25519","keyval":{}}"#,
        r#"{"keytype":"ed25519","scheme":"rsassa-pss-sha256","keyval":{"public":"00"}}"#,
        r#"{"keytype":"ecdsa","scheme":"ecdsa-sha2-nistp256","keyval":{"public":"-----BEGIN PUBLIC KEY-----"}}"#,
        r#"{"keytype":"ecdsa","scheme":"ecdsa-sha2-nistp256","keyval":{"public":"04"}}"#,
        r#"{"keytype":"rsa","scheme":"rsassa-pss-sha256","keyval":{"public":"none"}}"#,
        r#"{"keytype":"rsa","scheme":"rsa-pkcs1v15-sha1","keyval":{"public":"none"}}"#,
        r#"{"keytype":"","scheme":"","keyval":{"private":[null]}}"#,
    ] {
        let mut repository = Repository::new();
        let bad = Key::ed25519("bad").with_json(json(bad));
        for role in ["root", "timestamp", "snapshot", "targets"] {
            repository.set_keys(role, 1, &[bad.clone(), good.clone()]);
        }
        repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(1, &[bad.clone(), good.clone()]));
        repository.add_target("targets", TARGET, b"content");
        repository.add_target("acme", DELEGATED, b"tool");
        repository.publish();
        repository.bump("snapshot");
        repository.push("snapshot");
        accepted(&repository, |_| ());
        refused(&repository, "tuf-threshold", |repository| repository.forge_by("acme", std::slice::from_ref(&bad), |_| ()));
    }
}

#[test]
fn a_public_key_in_upper_case_hexadecimal_is_the_same_key() {
    let key = Key::ed25519("one");
    let upper = hex(key.public().as_raw()).to_uppercase();
    let shouted = key
        .clone()
        .with_keyid("shouted")
        .with_json(json(&format!(r#"{{"keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{upper}"}}}}"#)));
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(2, &[key, shouted]));
    repository.publish();
    let error = Machine::new(&repository).find(&repository, DELEGATED).unwrap_err();
    assert_eq!(error.code(), "tuf-threshold-unreachable", "{error}");
}

#[test]
fn key_objects_without_their_members_are_malformed() {
    for pointer in ["keytype", "scheme", "keyval"] {
        refused(&honest(), "tuf-malformed", |repository| {
            let keyid = Key::ed25519("acme").keyid().to_owned();
            repository.forge("targets", |signed| {
                remove(signed, &format!("/delegations/keys/{keyid}/{pointer}"));
            });
        });
    }
}

#[test]
fn members_of_keys_that_nobody_knows_are_kept_under_the_signature() {
    let key = Key::ed25519("acme");
    let more = r#"{"keyid_hash_algorithms":["sha256","sha512"],"keytype":"ed25519","keyval":{"private":"","public":"PUBLIC"},"scheme":"ed25519","x-tuf-on-ci-keyowner":"@someone"}"#;
    let key = key.clone().with_json(json(&more.replace("PUBLIC", &hex(key.public().as_raw()))));
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(1, &[key]));
    repository.add_target("targets", TARGET, b"content");
    repository.add_target("acme", DELEGATED, b"tool");
    repository.publish();
    accepted(&repository, |_| ());
}
