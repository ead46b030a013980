//! TUF 1.0, 5.1 to 5.3: the trusted root and the chain from it.

use touchmark_test_tuf_repository::{Key, Repository, Served, assemble, remove, set};
use touchmark_tuf::Class;

use crate::attack::{accepted, honest, is, refused};
use crate::machine::Machine;

/// Publishes roots up to this version.
fn up_to(repository: &mut Repository, version: u64) {
    while repository.version("root") < version {
        repository.set("root", "/x-roots", repository.version("root"));
        repository.publish();
    }
}

/// A repository whose root needs two of three keys.
fn two_of_three() -> Repository {
    let mut repository = honest();
    repository.set_keys("root", 2, &["a", "b", "c"].map(Key::ed25519));
    repository.publish();
    repository
}

#[test]
fn s5_1_the_time_is_fixed_when_the_update_begins() {
    let mut repository = honest();
    for role in ["root", "timestamp", "snapshot", "targets", "acme"] {
        repository.expire(role, "2026-11-28T00:00:01Z");
    }
    repository.publish();
    let mut machine = Machine::new(&repository);
    let mut client = machine.refresh(&repository).unwrap();
    assert_eq!(client.at().seconds(), machine.at);
    // However long the caller takes, the client knows no other time.
    assert!(machine.look_up(&mut client, &repository, "acme/tool").unwrap().found.is_some());
    machine.at += 1;
    is(&machine.refresh(&repository).unwrap_err(), Class::Expired);
}

#[test]
fn s5_2_without_a_root_nothing_is_asked() {
    let repository = honest();
    let mut machine = Machine::new(&repository);
    machine.store.clear();
    let error = machine.refresh(&repository).unwrap_err();
    assert_eq!((error.code(), error.class()), ("tuf-no-root", Class::Store));
    assert_eq!(machine.steps, ["load root.json"]);
}

#[test]
fn s5_2_a_root_that_is_not_signed_by_its_own_keys_is_refused_before_any_request() {
    let mut repository = honest();
    let signed = repository.signed("root").clone();
    let stranger = [Key::ed25519("stranger")];
    for (document, code) in [
        (repository.written(&assemble(&signed, &stranger)), "tuf-threshold"),
        (repository.written(&assemble(&signed, &[])), "tuf-threshold"),
        (repository.file("timestamp.json").to_vec(), "tuf-malformed"),
        (b"{}".to_vec(), "tuf-document"),
        (Vec::new(), "tuf-document"),
    ] {
        let mut machine = Machine::trusting(&document);
        assert_eq!(machine.refresh(&repository).unwrap_err().code(), code);
        assert_eq!(machine.steps, ["load root.json"]);
    }
}

#[test]
fn s5_2_that_the_trusted_root_has_expired_does_not_matter() {
    let mut repository = honest();
    repository.expire("root", "2020-01-01T00:00:00Z");
    repository.publish();
    let expired = repository.file("2.root.json").to_vec();
    assert_eq!(Machine::trusting(&expired).refresh(&repository).unwrap_err().code(), "tuf-expired");
    repository.expire("root", "2030-01-01T00:00:00Z");
    repository.publish();
    Machine::trusting(&expired).refresh(&repository).unwrap();
}

#[test]
fn s5_3_3_the_next_root_is_asked_for_until_there_is_none() {
    let mut repository = honest();
    up_to(&mut repository, 4);
    let mut machine = Machine::new(&repository);
    machine.refresh(&repository).unwrap();
    assert_eq!(machine.fetched()[..5], ["2.root.json", "3.root.json", "4.root.json", "5.root.json", "timestamp.json"]);
    assert_eq!(machine.version("root.json"), Some(4));
    machine.refresh(&repository).unwrap();
    assert_eq!(machine.fetched(), ["5.root.json", "timestamp.json"]);
}

#[test]
fn s5_3_3_a_root_is_at_most_so_long() {
    let mut repository = honest();
    up_to(&mut repository, 2);
    let length = repository.file("2.root.json").len() as u64;
    let mut machine = Machine::new(&repository);
    machine.settings.limits.root = length;
    machine.refresh(&repository).unwrap();
    assert_eq!(machine.limits["fetch 2.root.json"], length);
    let mut machine = Machine::new(&repository);
    machine.settings.limits.root = length - 1;
    let error = machine.refresh(&repository).unwrap_err();
    assert_eq!((error.code(), error.class()), ("tuf-fetch", Class::Unknown));
}

#[test]
fn s5_3_3_endless_root_is_refused() {
    refused(&honest(), "tuf-fetch", |repository| repository.answer("2.root.json", Served::Endless));
}

#[test]
fn s5_3_3_only_not_found_ends_the_chain() {
    // What cannot be fetched may be the root that takes a stolen key away.
    let error = refused(&honest(), "tuf-fetch", |repository| repository.answer("2.root.json", Served::Failure));
    is(&error, Class::Unknown);
    assert!(error.is_retryable());
}

#[test]
fn s5_3_3_no_more_than_so_many_roots_in_one_run() {
    let mut repository = honest();
    up_to(&mut repository, 4);
    let mut machine = Machine::new(&repository);
    machine.settings.limits.roots = 3;
    machine.refresh(&repository).unwrap();
    up_to(&mut repository, 8);
    let mut machine = Machine::new(&repository);
    machine.settings.limits.roots = 3;
    for (version, last) in [(4, false), (7, false), (8, true)] {
        let outcome = machine.refresh(&repository).map(|_| ());
        assert_eq!(outcome.map_err(|error| error.code()), if last { Ok(()) } else { Err("tuf-too-many-roots") });
        assert_eq!(machine.version("root.json"), Some(version));
    }
}

#[test]
fn s5_3_3_ten_thousand_roots_end_at_the_default_limit() {
    let mut repository = honest();
    up_to(&mut repository, 300);
    let mut machine = Machine::new(&repository);
    let error = machine.refresh(&repository).unwrap_err();
    assert_eq!((error.code(), error.class()), ("tuf-too-many-roots", Class::Unknown));
    assert_eq!(machine.version("root.json"), Some(257));
    assert_eq!(machine.fetched().len(), 257);
    machine.refresh(&repository).unwrap();
    assert_eq!(machine.version("root.json"), Some(300));
}

#[test]
fn s5_3_4_root_without_a_threshold_of_the_old_keys_is_refused() {
    refused(&honest(), "tuf-threshold", |repository| {
        repository.set_keys("root", 1, &[Key::ed25519("thief")]);
        repository.sign_by("root", &[Key::ed25519("thief")]);
    });
    refused(&two_of_three(), "tuf-threshold", |repository| repository.sign_by("root", &[Key::ed25519("a"), Key::ed25519("thief")]));
    accepted(&two_of_three(), |repository| repository.sign_by("root", &["a", "c"].map(Key::ed25519)));
}

#[test]
fn s5_3_4_root_without_a_threshold_of_the_new_keys_is_refused() {
    let new = ["x", "y"].map(Key::ed25519);
    for signing in [vec![], vec![new[0].clone()]] {
        refused(&honest(), "tuf-threshold", |repository| {
            repository.set_keys("root", 2, &new);
            repository.sign_by("root", &[&[Key::ed25519("root")], signing.as_slice()].concat());
        });
    }
    accepted(&honest(), |repository| {
        repository.set_keys("root", 2, &new);
        repository.sign_by("root", &[Key::ed25519("root"), new[1].clone(), new[0].clone()]);
    });
}

#[test]
fn s5_3_4_one_old_key_that_signs_twice_is_refused() {
    let a = Key::ed25519("a");
    refused(&two_of_three(), "tuf-threshold", |repository| repository.sign_by("root", &[a.clone(), a.clone(), a.clone()]));
    // Nor under the keyid of another.
    let as_b = a.clone().with_keyid(Key::ed25519("b").keyid());
    refused(&two_of_three(), "tuf-threshold", |repository| repository.sign_by("root", &[a.clone(), as_b.clone()]));
}

#[test]
fn s5_3_4_one_new_key_that_signs_twice_is_refused() {
    let [x, y] = ["x", "y"].map(Key::ed25519);
    for signing in [[x.clone(), x.clone()], [x.clone(), x.clone().with_keyid(y.keyid())]] {
        refused(&honest(), "tuf-threshold", |repository| {
            repository.set_keys("root", 2, &[x.clone(), y.clone()]);
            repository.sign_by("root", &[&[Key::ed25519("root")], signing.as_slice()].concat());
        });
    }
}

#[test]
fn s5_3_4_root_changed_after_it_was_signed_is_refused() {
    refused(&honest(), "tuf-threshold", |repository| repository.tamper("root", |document| set(document, "/signed/x-renewed", "other")));
}

#[test]
fn s5_3_4_root_without_signatures_is_refused() {
    refused(&honest(), "tuf-threshold", |repository| repository.tamper("root", |document| set(document, "/signatures", vec![])));
    refused(&honest(), "tuf-document", |repository| {
        repository.tamper("root", |document| {
            remove(document, "/signatures");
        });
    });
}

#[test]
fn s5_3_5_root_version_must_be_next() {
    for version in [1_u64, 3, 4, 1 << 40, (1 << 53) - 1] {
        let error = refused(&honest(), "tuf-version", |repository| repository.forge("root", |signed| set(signed, "/version", version)));
        is(&error, Class::Untrusted);
    }
}

#[test]
fn s5_3_5_an_old_root_in_the_place_of_the_next_is_refused() {
    refused(&honest(), "tuf-version", |repository| {
        let old = repository.file("1.root.json").to_vec();
        repository.serve("2.root.json", old);
    });
}

#[test]
fn s5_3_6_that_a_root_between_has_expired_does_not_matter() {
    let mut repository = honest();
    repository.expire("root", "2020-01-01T00:00:00Z");
    repository.publish();
    repository.expire("root", "2030-01-01T00:00:00Z");
    repository.publish();
    let mut machine = Machine::new(&repository);
    machine.refresh(&repository).unwrap();
    assert_eq!(machine.version("root.json"), Some(3));
}

#[test]
fn s5_3_8_each_root_is_stored_before_the_next_is_asked_for() {
    let mut repository = honest();
    up_to(&mut repository, 3);
    let mut machine = Machine::new(&repository);
    machine.refresh(&repository).unwrap();
    let begin = ["load root.json", "fetch 2.root.json", "store root.json", "fetch 3.root.json", "store root.json", "fetch 4.root.json"];
    assert_eq!(machine.steps[..6], begin);
    assert_eq!(machine.store["root.json"], repository.file("3.root.json"));
}

#[test]
fn s5_3_8_roots_before_a_bad_one_stay() {
    let mut repository = honest();
    up_to(&mut repository, 3);
    let mut evil = repository.clone();
    evil.tamper("root", |document| set(document, "/signed/x-roots", "evil"));
    let mut machine = Machine::new(&repository);
    assert_eq!(machine.refresh(&evil).unwrap_err().code(), "tuf-threshold");
    assert_eq!(machine.store["root.json"], repository.file("2.root.json"));
    machine.refresh(&repository).unwrap();
    assert_eq!(machine.fetched()[0], "3.root.json");
}

#[test]
fn s5_3_10_an_expired_last_root_is_a_freeze_and_is_stored() {
    let mut repository = honest();
    repository.expire("root", "2026-11-28T00:00:00Z");
    repository.publish();
    let mut machine = Machine::new(&repository);
    let error = machine.refresh(&repository).unwrap_err();
    assert_eq!((error.code(), error.class()), ("tuf-expired", Class::Expired));
    assert_eq!(machine.steps, ["load root.json", "fetch 2.root.json", "store root.json", "fetch 3.root.json"]);
    assert_eq!(machine.version("root.json"), Some(2));
    machine.at -= 1;
    machine.refresh(&repository).unwrap();
    machine.at += 1;
    repository.expire("root", "2026-11-28T00:00:01Z");
    repository.publish();
    machine.refresh(&repository).unwrap();
}

#[test]
fn s5_3_11_rotated_timestamp_or_snapshot_keys_drop_both_files() {
    for role in ["timestamp", "snapshot"] {
        let repository = honest();
        let mut machine = Machine::refreshed(&repository);
        let mut next = repository.clone();
        next.set_keys(role, 1, &[Key::ed25519("new")]);
        next.publish();
        for role in ["snapshot", "timestamp"] {
            next.bump(role);
        }
        next.push("snapshot");
        machine.refresh(&next).unwrap();
        // The one by the old keys goes last.
        let (first, last) = if role == "snapshot" { ("timestamp", "snapshot") } else { ("snapshot", "timestamp") };
        let (first, last) = (format!("remove {first}.json"), format!("remove {last}.json"));
        assert_eq!(machine.steps[..6], ["load root.json", "fetch 2.root.json", "store root.json", &first, &last, "fetch 3.root.json"]);
        assert_eq!(machine.fetched(), ["2.root.json", "3.root.json", "timestamp.json", next.path("snapshot").as_str()], "{role}");
    }
}

#[test]
fn s5_3_11_a_fast_forward_is_recovered_from() {
    // Whoever stole the keys used up version numbers: of the timestamp, of the snapshot, of a role in the snapshot.
    let honest = honest();
    let mut attacked = honest.clone();
    attacked.set("targets", "/version", 1_u64 << 50);
    attacked.push("targets");
    for role in ["snapshot", "timestamp"] {
        attacked.set(role, "/version", 1_u64 << 50);
    }
    attacked.push("snapshot");
    let mut machine = Machine::refreshed(&attacked);
    assert_eq!(machine.version("targets.json"), Some(1 << 50));
    let mut machine_without_root = machine.clone();
    assert_eq!(machine_without_root.refresh(&honest).unwrap_err().code(), "tuf-rollback");
    // The owners rotate both keys and begin anew.
    let mut recovered = honest.clone();
    for role in ["timestamp", "snapshot"] {
        recovered.set_keys(role, 1, &[Key::ed25519(&format!("new {role}"))]);
    }
    recovered.publish();
    recovered.push("snapshot");
    assert!(machine.find(&recovered, "acme/tool").unwrap().found.is_some());
    assert!(machine.version("timestamp.json") < Some(10) && machine.version("targets.json") < Some(10));
}

#[test]
fn s5_3_11_a_fast_forward_is_recovered_from_when_one_of_the_keys_stays() {
    for rotated in ["timestamp", "snapshot"] {
        let honest = honest();
        let mut attacked = honest.clone();
        for role in ["snapshot", "timestamp"] {
            attacked.set(role, "/version", 1_u64 << 50);
        }
        attacked.push("snapshot");
        let mut machine = Machine::refreshed(&attacked);
        let mut recovered = honest.clone();
        recovered.set_keys(rotated, 1, &[Key::ed25519("new")]);
        recovered.publish();
        recovered.push("snapshot");
        machine.refresh(&recovered).unwrap_or_else(|error| panic!("{rotated}: {error}"));
        assert!(machine.version("timestamp.json") < Some(10));
    }
}

/// The old files are there with the new root: those of an attacker who has the old keys of a role, and used up version numbers of both.
#[test]
fn s5_3_11_interrupted_before_the_removal_the_next_run_is_not_stuck_and_the_old_keys_count_for_nothing() {
    for rotated in [&["timestamp"][..], &["snapshot"], &["timestamp", "snapshot"]] {
        for interrupted in ["remove timestamp.json", "remove snapshot.json"] {
            let honest = honest();
            let mut attacked = honest.clone();
            for role in ["snapshot", "timestamp"] {
                attacked.set(role, "/version", 1_u64 << 50);
            }
            attacked.push("snapshot");
            let mut machine = Machine::refreshed(&attacked);
            let mut recovered = honest.clone();
            for role in rotated {
                recovered.set_keys(role, 1, &[Key::ed25519(&format!("new {role}"))]);
            }
            recovered.publish();
            recovered.push("snapshot");
            machine.failing.insert(interrupted.to_owned());
            assert_eq!(machine.refresh(&recovered).unwrap_err().class(), Class::Store);
            assert_eq!(machine.version("root.json"), Some(2));
            assert!(machine.store.contains_key(&interrupted["remove ".len()..]), "the new root is there, and so is an old file");
            machine.failing.clear();
            // Whoever has the old keys alone is not believed, whatever version it is.
            for version in [1_u64 << 50, (1 << 50) + 2, 3] {
                let mut evil = recovered.clone();
                for role in ["snapshot", "timestamp"] {
                    evil.set(role, "/version", version);
                }
                // Both by the keys that the first root has.
                for role in ["snapshot", "timestamp"] {
                    evil.set_signers(role, &[Key::ed25519(role)]);
                    evil.sign(role);
                    evil.describe(role);
                }
                let error = machine.clone().refresh(&evil).unwrap_err();
                assert_eq!(error.code(), "tuf-threshold", "{rotated:?} {interrupted} {version}: {error}");
            }
            // Nor is what is left of them in the store, without anybody to ask.
            let mut offline = machine.clone();
            offline.settings.mode = touchmark_tuf::Mode::StoreOnly;
            assert!(offline.refresh(&recovered).is_err(), "{rotated:?} {interrupted}");
            assert!(machine.find(&recovered, "acme/tool").unwrap().found.is_some(), "{rotated:?} {interrupted}");
            for role in ["timestamp", "snapshot"] {
                assert_eq!(machine.store[&format!("{role}.json")], recovered.file(&recovered.path(role)));
            }
        }
    }
}

/// With more signatures wanted than the stored files have, they are still what a rollback shows by: nobody has rotated a key.
#[test]
fn s5_3_11_a_raised_threshold_voids_nothing() {
    // A timestamp that lists a snapshot that cannot be had is stored beside a snapshot with one signature; an older one is replayed.
    let mut machine = Machine::refreshed(&honest());
    let mut older = honest();
    older.set_keys("snapshot", 2, &[Key::ed25519("snapshot"), Key::ed25519("new")]);
    older.publish();
    older.push("targets");
    let mut newer = older.clone();
    newer.push("targets");
    machine.failing.insert(format!("fetch {}", newer.path("snapshot")));
    assert!(machine.refresh(&newer).is_err());
    machine.failing.clear();
    assert_eq!(machine.store["timestamp.json"], newer.file("timestamp.json"));
    assert_eq!(machine.refresh(&older).unwrap_err().code(), "tuf-rollback");
    machine.refresh(&newer).unwrap();

    // Whoever has the timestamp's keys alone takes no snapshot back, where the threshold was raised, and where the stored file is damaged.
    let old = honest();
    let mut new = honest();
    for _ in 0..3 {
        new.push("targets");
    }
    let mut raised = old.clone();
    raised.set_keys("timestamp", 2, &[Key::ed25519("timestamp"), Key::ed25519("new")]);
    raised.publish();
    raised.push("timestamp");
    let mut machine = Machine::refreshed(&new);
    assert_eq!(machine.clone().refresh(&raised).unwrap_err().code(), "tuf-rollback");
    let stored = String::from_utf8(machine.store["timestamp.json"].clone()).unwrap();
    let damaged = stored.replacen("\"version\":", "\"version\":1", 1);
    assert_ne!(stored, damaged);
    machine.store.insert("timestamp.json".into(), damaged.into_bytes());
    assert_eq!(machine.refresh(&old).unwrap_err().code(), "tuf-rollback");
}

#[test]
fn s5_3_11_other_changes_of_root_forget_nothing() {
    let changes: [fn(&mut Repository); 4] = [
        |repository| repository.set_keys("targets", 1, &[Key::ed25519("new")]),
        |repository| repository.set_keys("root", 1, &[Key::ed25519("new")]),
        // One key more, and none less.
        |repository| repository.set_keys("timestamp", 1, &[Key::ed25519("timestamp"), Key::ed25519("new")]),
        // The same key under another keyid.
        |repository| repository.set_keys("snapshot", 1, &[Key::ed25519("snapshot").with_keyid("other")]),
    ];
    for change in changes {
        let mut machine = Machine::refreshed(&honest());
        let mut older = honest();
        change(&mut older);
        older.publish();
        older.push("targets");
        let mut newer = older.clone();
        newer.push("snapshot");
        machine.refresh(&newer).unwrap();
        assert!(!machine.steps.iter().any(|step| step.starts_with("remove")));
        assert_eq!(machine.refresh(&older).unwrap_err().code(), "tuf-rollback");
    }
}

#[test]
fn s5_3_12_consistent_snapshots_are_what_the_last_root_says() {
    let mut repository = honest();
    let mut machine = Machine::new(&repository);
    for (consistent, names) in
        [(false, ["snapshot.json", "targets.json", "acme.json"]), (true, ["4.snapshot.json", "4.targets.json", "3.acme.json"])]
    {
        repository.set("root", "/consistent_snapshot", consistent);
        crate::attack::renew(&mut repository);
        machine.find(&repository, "acme/tool").unwrap();
        assert_eq!(machine.fetched()[3..], names);
    }
    // Roots keep their versions in any case.
    assert_eq!(machine.fetched()[..3], ["3.root.json", "4.root.json", "timestamp.json"]);
}

#[test]
fn s5_3_12_a_root_without_consistent_snapshot_has_none() {
    let mut repository = honest();
    repository.unset("root", "/consistent_snapshot");
    repository.publish();
    crate::attack::renew(&mut repository);
    let mut machine = Machine::new(&repository);
    machine.refresh(&repository).unwrap();
    assert!(machine.fetched().ends_with(&["timestamp.json", "snapshot.json", "targets.json"]));
}
