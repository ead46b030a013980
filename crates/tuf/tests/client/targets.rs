//! TUF 1.0, 5.6.1 to 5.6.6: the top-level targets, and the same for every delegated role.

use touchmark_envelope::digest::Algorithm;
use touchmark_test_tuf_repository::{Delegation, Key, Repository, Served, file_name, set};
use touchmark_tuf::Class;

use crate::attack::{DELEGATED, TARGET, accepted, honest, honest_with_hashes, is, refused, renew};
use crate::machine::Machine;

/// Every check is made of the top-level role and of a delegated one.
const ROLES: [&str; 2] = ["targets", "acme"];

fn path(repository: &Repository, role: &str) -> String {
    repository.path(role)
}

#[test]
fn s5_6_1_targets_are_asked_for_by_version_with_consistent_snapshots() {
    let mut repository = honest();
    let mut machine = Machine::new(&repository);
    machine.find(&repository, DELEGATED).unwrap();
    assert!(machine.fetched().ends_with(&["2.targets.json", "1.acme.json"]));
    repository.set("root", "/consistent_snapshot", false);
    renew(&mut repository);
    machine.find(&repository, DELEGATED).unwrap();
    assert!(machine.fetched().ends_with(&["targets.json", "acme.json"]));
}

#[test]
fn s5_6_1_targets_have_the_length_that_the_snapshot_lists() {
    for role in ROLES {
        let repository = honest_with_hashes();
        let mut machine = Machine::new(&repository);
        machine.settings.limits.targets = 1;
        machine.find(&repository, DELEGATED).unwrap();
        assert_eq!(machine.limits[&format!("fetch {}", path(&repository, role))], repository.file(&path(&repository, role)).len() as u64);
        let error = refused(&repository, "tuf-length", |repository| {
            let longer = [repository.file(&path(repository, role)), b" "].concat();
            repository.serve(&path(repository, role), longer);
        });
        is(&error, Class::Untrusted);
        refused(&repository, "tuf-length", |repository| {
            let length = repository.file(&path(repository, role)).len() as u64 + 1;
            repository.set("snapshot", &format!("/meta/{role}.json/length"), length);
            repository.push("snapshot");
        });
    }
}

#[test]
fn s5_6_1_targets_without_a_listed_length_are_at_most_so_long() {
    let repository = honest();
    let longest = ROLES.map(|role| repository.file(&path(&repository, role)).len() as u64).into_iter().max().unwrap();
    let mut machine = Machine::new(&repository);
    machine.settings.limits.targets = longest;
    machine.find(&repository, DELEGATED).unwrap();
    let mut machine = Machine::new(&repository);
    machine.settings.limits.targets = longest - 1;
    let error = machine.find(&repository, DELEGATED).unwrap_err();
    assert_eq!((error.code(), error.class()), ("tuf-fetch", Class::Unknown));
}

#[test]
fn s5_6_1_endless_missing_or_failing_targets_are_refused() {
    for role in ROLES {
        for served in [Served::Endless, Served::Failure] {
            refused(&honest(), "tuf-fetch", |repository| repository.answer(&path(repository, role), served.clone()));
        }
        is(&refused(&honest(), "tuf-missing", |repository| repository.lose(&path(repository, role))), Class::Unknown);
    }
}

#[test]
fn s5_6_1_a_role_that_the_snapshot_does_not_list_is_refused() {
    let mut repository = honest();
    repository.delegate("targets", Delegation::new("unlisted").paths(&["unlisted"]));
    repository.push("targets");
    let mut machine = Machine::new(&repository);
    let error = machine.find(&repository, "unlisted").unwrap_err();
    assert_eq!((error.code(), error.class()), ("tuf-role-unlisted", Class::Untrusted));
    assert!(!machine.steps.iter().any(|step| step.contains("unlisted")));
    assert!(machine.find(&repository, DELEGATED).unwrap().found.is_some());
}

#[test]
fn s5_6_2_targets_with_another_hash_than_the_snapshot_lists_are_refused() {
    for role in ROLES {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let mut repository = honest();
            repository.hashes = vec![algorithm];
            renew(&mut repository);
            let error = refused(&repository, "tuf-hash", |repository| repository.forge(role, |signed| set(signed, "/x-other", true)));
            is(&error, Class::Untrusted);
        }
    }
}

#[test]
fn s5_6_3_targets_by_other_keys_are_refused() {
    for (role, others) in [("targets", ["acme", "snapshot", "root", "stranger"]), ("acme", ["targets", "snapshot", "root", "stranger"])] {
        for other in others {
            refused(&honest(), "tuf-threshold", |repository| repository.forge_by(role, &[Key::ed25519(other)], |_| ()));
        }
        refused(&honest(), "tuf-threshold", |repository| repository.tamper(role, |document| set(document, "/signed/x-other", 1_u64)));
    }
}

#[test]
fn s5_6_3_targets_need_their_threshold_of_distinct_keys() {
    for role in ROLES {
        let keys @ [a, b] = &["a", "b"].map(Key::ed25519);
        let mut repository = Repository::new();
        let acme = Delegation::new("acme").paths(&["acme/*"]);
        repository.delegate("targets", if role == "acme" { acme.keys(2, keys) } else { acme });
        if role == "targets" {
            repository.set_keys("targets", 2, keys);
        }
        repository.add_target("targets", TARGET, b"content");
        repository.add_target("acme", DELEGATED, b"tool");
        repository.publish();
        for signing in [vec![a.clone()], vec![b.clone(), b.clone()], vec![a.clone(), a.clone().with_keyid(b.keyid())]] {
            refused(&repository, "tuf-threshold", |repository| repository.forge_by(role, &signing, |_| ()));
        }
        accepted(&repository, |repository| repository.forge_by(role, &[b.clone(), a.clone()], |_| ()));
    }
}

#[test]
fn s5_6_4_targets_of_another_version_than_the_snapshot_lists_are_refused() {
    for role in ROLES {
        for version in [1_u64, 9, 1 << 50] {
            let error = refused(&honest(), "tuf-version", |repository| repository.forge(role, |signed| set(signed, "/version", version)));
            is(&error, Class::Untrusted);
        }
    }
}

#[test]
fn s5_6_5_expired_targets_are_a_freeze_and_are_not_stored() {
    for role in ROLES {
        let expire = |repository: &mut Repository, at: &str| {
            repository.expire(role, at);
            repository.publish();
        };
        is(&refused(&honest(), "tuf-expired", |repository| expire(repository, "2026-11-28T00:00:00Z")), Class::Expired);
        accepted(&honest(), |repository| expire(repository, "2026-11-28T00:00:01Z"));
        let mut repository = honest();
        let mut machine = Machine::new(&repository);
        machine.find(&repository, DELEGATED).unwrap();
        let before = machine.version(&file_name(role));
        expire(&mut repository, "2026-11-27T00:00:00Z");
        assert_eq!(machine.find(&repository, DELEGATED).unwrap_err().code(), "tuf-expired");
        assert_eq!(machine.version(&file_name(role)), before);
    }
}

#[test]
fn s5_6_5_stored_targets_expire_too() {
    for role in ROLES {
        let mut repository = honest();
        repository.expire(role, "2026-11-29T00:00:00Z");
        repository.publish();
        let mut machine = Machine::new(&repository);
        machine.find(&repository, DELEGATED).unwrap();
        machine.at += 86_399;
        machine.find(&repository, DELEGATED).unwrap();
        machine.at += 1;
        assert_eq!(machine.find(&repository, DELEGATED).unwrap_err().code(), "tuf-expired", "{role}");
        repository.expire(role, "2030-01-01T00:00:00Z");
        repository.publish();
        machine.find(&repository, DELEGATED).unwrap();
    }
}

#[test]
fn s5_6_5_expired_stored_targets_of_which_no_digest_is_listed_are_asked_for_again() {
    for role in ROLES {
        for (repository, again) in [(honest(), true), (honest_with_hashes(), false)] {
            let mut repository = repository;
            repository.expire(role, "2026-11-29T00:00:00Z");
            repository.publish();
            let mut machine = Machine::new(&repository);
            machine.find(&repository, DELEGATED).unwrap();
            machine.at += 86_400;
            repository.expire(role, "2030-01-01T00:00:00Z");
            repository.sign(role);
            assert_eq!(machine.find(&repository, DELEGATED).is_ok(), again, "{role}");
            assert_eq!(machine.fetched().len(), if again { 3 } else { 2 }, "{role}");
        }
    }
}

#[test]
fn s5_6_6_targets_are_stored_as_received() {
    let mut repository = honest();
    repository.form = touchmark_test_tuf_repository::Form::Indented;
    renew(&mut repository);
    let mut machine = Machine::new(&repository);
    machine.find(&repository, DELEGATED).unwrap();
    for role in ROLES {
        assert_eq!(machine.store[&file_name(role)], repository.file(&path(&repository, role)));
    }
    assert_eq!(machine.stored(), ["root.json", "timestamp.json", "snapshot.json", "targets.json", "acme.json"]);
}

#[test]
fn s5_6_unchanged_roles_are_not_asked_for_again() {
    for mut repository in [honest(), honest_with_hashes()] {
        let mut machine = Machine::new(&repository);
        machine.find(&repository, DELEGATED).unwrap();
        machine.find(&repository, DELEGATED).unwrap();
        assert_eq!(machine.fetched().last(), Some(&"timestamp.json"));
        repository.add_target("acme", "acme/other", b"other");
        repository.publish();
        machine.find(&repository, DELEGATED).unwrap();
        let [snapshot, acme] = ["snapshot", "acme"].map(|role| path(&repository, role));
        assert!(machine.fetched().ends_with(&["timestamp.json", &snapshot, &acme]), "{:?}", machine.fetched());
        repository.add_target("targets", "other", b"other");
        repository.publish();
        machine.find(&repository, DELEGATED).unwrap();
        let [snapshot, targets] = ["snapshot", "targets"].map(|role| path(&repository, role));
        assert!(machine.fetched().ends_with(&["timestamp.json", &snapshot, &targets]), "{:?}", machine.fetched());
    }
}

#[test]
fn s5_6_a_shorter_file_than_the_stored_one_is_accepted() {
    // The store has more bytes of the role, of the snapshot, of the timestamp than are asked for now.
    for role in ["targets", "acme", "snapshot", "timestamp"] {
        let mut repository = honest_with_hashes();
        repository.set(role, "/x-long", "x".repeat(1_000));
        repository.publish();
        let mut machine = Machine::new(&repository);
        machine.find(&repository, DELEGATED).unwrap();
        repository.unset(role, "/x-long");
        repository.publish();
        assert!(machine.find(&repository, DELEGATED).unwrap_or_else(|error| panic!("{role}: {error}")).found.is_some());
    }
}
