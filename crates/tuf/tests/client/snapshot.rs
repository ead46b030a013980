//! TUF 1.0, 5.5: the snapshot.

use touchmark_envelope::digest::Algorithm;
use touchmark_test_tuf_repository::{Delegation, Key, Repository, Served, json, remove, set};
use touchmark_tuf::Class;

use crate::attack::{accepted, honest, honest_with_hashes, is, refused, renew};
use crate::machine::Machine;

/// A snapshot of whoever holds the snapshot's key, and the timestamp that follows it.
fn forged(repository: &mut Repository, pointer: &str, value: impl Into<touchmark_envelope::json::Value<'static>>) {
    repository.set("snapshot", pointer, value);
    repository.push("snapshot");
}

#[test]
fn s5_5_1_snapshot_is_asked_for_by_version_with_consistent_snapshots() {
    let mut repository = honest();
    let mut machine = Machine::refreshed(&repository);
    assert!(machine.fetched().contains(&"2.snapshot.json"));
    repository.set("root", "/consistent_snapshot", false);
    renew(&mut repository);
    machine.refresh(&repository).unwrap();
    assert!(machine.fetched().contains(&"snapshot.json"));
}

#[test]
fn s5_5_1_snapshot_has_the_length_that_the_timestamp_lists() {
    let repository = honest_with_hashes();
    let mut machine = Machine::refreshed(&repository);
    let path = repository.path("snapshot");
    machine.find(&repository, "acme/tool").unwrap();
    let mut machine = Machine::refreshed(&repository);
    assert_eq!(machine.limits[&format!("fetch {path}")], repository.file(&path).len() as u64);
    // However much a document without a listed length may have.
    machine.settings.limits.snapshot = 1;
    machine.store.remove("snapshot.json");
    machine.refresh(&repository).unwrap();
    // More bytes than are listed are not the ones that are listed, which no other try would change.
    let error = refused(&honest_with_hashes(), "tuf-length", |repository| {
        let path = repository.path("snapshot");
        let longer = [repository.file(&path), b" "].concat();
        repository.serve(&path, longer);
    });
    assert!(error.class() == Class::Untrusted && !error.is_retryable() && error.to_string().contains("more than"), "{error}");
    refused(&honest_with_hashes(), "tuf-length", |repository| repository.answer(&repository.path("snapshot"), Served::Endless));
    refused(&honest_with_hashes(), "tuf-length", |repository| {
        let length = repository.file(&repository.path("snapshot")).len() as u64 + 1;
        repository.forge("timestamp", |signed| set(signed, "/meta/snapshot.json/length", length));
    });
}

#[test]
fn s5_5_1_snapshot_without_a_listed_length_is_at_most_so_long() {
    let repository = honest();
    let length = repository.file("2.snapshot.json").len() as u64;
    let mut machine = Machine::new(&repository);
    machine.settings.limits.snapshot = length;
    machine.refresh(&repository).unwrap();
    assert_eq!(machine.limits["fetch 2.snapshot.json"], length);
    let mut machine = Machine::new(&repository);
    machine.settings.limits.snapshot = length - 1;
    let error = machine.refresh(&repository).unwrap_err();
    assert_eq!((error.code(), error.class()), ("tuf-fetch", Class::Unknown));
}

#[test]
fn s5_5_1_no_listed_length_is_believed_beyond_all_bounds() {
    let mut repository = honest_with_hashes();
    repository.set("timestamp", "/meta/snapshot.json/length", (1_u64 << 53) - 1);
    repository.bump("timestamp");
    repository.sign("timestamp");
    let mut machine = Machine::new(&repository);
    machine.settings.limits.listed = 10_000;
    assert_eq!(machine.refresh(&repository).unwrap_err().code(), "tuf-length");
    assert_eq!(machine.limits[&format!("fetch {}", repository.path("snapshot"))], 10_000);
}

#[test]
fn s5_5_1_endless_missing_or_failing_snapshot_is_refused() {
    for served in [Served::Endless, Served::Failure] {
        refused(&honest(), "tuf-fetch", |repository| repository.answer(&repository.path("snapshot"), served.clone()));
    }
    let error = refused(&honest(), "tuf-missing", |repository| repository.lose(&repository.path("snapshot")));
    is(&error, Class::Unknown);
}

#[test]
fn s5_5_2_snapshot_with_another_hash_than_the_timestamp_lists_is_refused() {
    // It is well signed and of the right version: a mix of two snapshots.
    let error = refused(&honest().with_hashes(), "tuf-hash", |repository| {
        repository.lengths = false;
        repository.bump("timestamp");
        repository.push("snapshot");
        repository.forge("snapshot", |signed| set(signed, "/x-other", true));
    });
    is(&error, Class::Untrusted);
}

#[test]
fn s5_5_2_every_listed_hash_must_match() {
    let mut repository = honest();
    repository.hashes = vec![Algorithm::Sha256, Algorithm::Sha512];
    renew(&mut repository);
    accepted(&repository, |_| ());
    for wrong in ["sha256", "sha512"] {
        refused(&repository, "tuf-hash", |repository| {
            let hash = Algorithm::from_name(wrong).unwrap().digest(b"other").hex();
            repository.forge("timestamp", |signed| set(signed, &format!("/meta/snapshot.json/hashes/{wrong}"), hash));
        });
    }
}

#[test]
fn s5_5_2_hashes_that_nobody_can_check_do_not_pass_for_checked() {
    let mut repository = honest_with_hashes();
    accepted(&repository, |repository| repository.forge("timestamp", |signed| set(signed, "/meta/snapshot.json/hashes/blake3", "00")));
    repository.hashes.clear();
    renew(&mut repository);
    for hashes in [r#"{"blake3":"00"}"#, "{}"] {
        refused(&repository, "tuf-malformed", |repository| {
            repository.forge("timestamp", |signed| set(signed, "/meta/snapshot.json/hashes", json(hashes)));
        });
    }
}

#[test]
fn s5_5_3_snapshot_by_other_keys_is_refused() {
    for key in ["stranger", "timestamp", "targets", "root"] {
        refused(&honest(), "tuf-threshold", |repository| repository.forge_by("snapshot", &[Key::ed25519(key)], |_| ()));
    }
    refused(&honest(), "tuf-threshold", |repository| repository.tamper("snapshot", |document| set(document, "/signed/x-other", 1_u64)));
}

#[test]
fn s5_5_3_snapshot_needs_its_threshold_of_distinct_keys() {
    let mut repository = honest();
    let [a, b] = ["a", "b"].map(Key::p256);
    repository.set_keys("snapshot", 2, &[a.clone(), b.clone()]);
    renew(&mut repository);
    for signing in [vec![a.clone()], vec![a.clone(), a.clone()], vec![a.clone(), a.clone().with_keyid(b.keyid())]] {
        refused(&repository, "tuf-threshold", |repository| repository.forge_by("snapshot", &signing, |_| ()));
    }
    accepted(&repository, |repository| repository.forge_by("snapshot", &[b.clone(), a.clone()], |_| ()));
}

#[test]
fn s5_5_4_snapshot_of_another_version_than_the_timestamp_lists_is_refused() {
    for version in [1_u64, 4, 1 << 50] {
        let error = refused(&honest(), "tuf-version", |repository| repository.forge("snapshot", |signed| set(signed, "/version", version)));
        is(&error, Class::Untrusted);
    }
}

#[test]
fn s5_5_5_snapshot_with_an_older_targets_is_a_rollback() {
    let error = refused(&honest(), "tuf-rollback", |repository| forged(repository, "/meta/targets.json/version", 1_u64));
    assert!(error.to_string().starts_with("targets.json"), "{error}");
}

#[test]
fn s5_5_5_snapshot_with_an_older_delegated_role_is_a_rollback() {
    let mut repository = honest();
    renew(&mut repository);
    let error = refused(&repository, "tuf-rollback", |repository| forged(repository, "/meta/acme.json/version", 1_u64));
    assert!(error.to_string().starts_with("acme.json"), "{error}");
}

#[test]
fn s5_5_5_snapshot_with_an_older_role_that_was_never_loaded_is_a_rollback() {
    let mut repository = honest();
    repository.set("snapshot", "/meta/unseen.json", json(r#"{"version":7}"#));
    repository.publish();
    refused(&repository, "tuf-rollback", |repository| forged(repository, "/meta/unseen.json/version", 6_u64));
    accepted(&repository, |repository| forged(repository, "/meta/unseen.json/version", 7_u64));
    accepted(&repository, |repository| forged(repository, "/meta/unseen.json/version", 8_u64));
}

#[test]
fn s5_5_5_snapshot_that_lists_a_role_no_more_is_a_rollback() {
    let error = refused(&honest(), "tuf-role-disappeared", |repository| {
        repository.unset("snapshot", "/meta/acme.json");
        repository.push("snapshot");
    });
    is(&error, Class::Untrusted);
    // It must list the top-level targets in any case.
    refused(&honest(), "tuf-malformed", |repository| {
        repository.unset("snapshot", "/meta/targets.json");
        repository.push("snapshot");
    });
}

#[test]
fn s5_5_5_a_stored_snapshot_that_has_expired_still_shows_a_rollback() {
    let mut repository = honest();
    repository.expire("snapshot", "2026-11-29T00:00:00Z");
    renew(&mut repository);
    let mut machine = Machine::refreshed(&repository);
    machine.at += 2 * 86_400;
    let mut evil = repository.clone();
    evil.expire("snapshot", "2030-01-01T00:00:00Z");
    evil.set("snapshot", "/meta/acme.json/version", 1_u64);
    evil.bump("snapshot");
    evil.push("snapshot");
    assert_eq!(machine.refresh(&evil).unwrap_err().code(), "tuf-rollback");
}

#[test]
fn s5_5_5_a_role_may_be_new_in_a_snapshot() {
    accepted(&honest(), |repository| {
        repository.delegate("targets", Delegation::new("new").paths(&["new/*"]));
        repository.publish();
    });
}

#[test]
fn s5_5_5_the_trusted_snapshot_counts_even_if_a_newer_timestamp_is_stored() {
    // An update that ended between the two: the timestamp is the newer one, the snapshot still the older.
    let old = honest();
    let mut machine = Machine::refreshed(&old);
    let mut new = old.clone();
    renew(&mut new);
    let mut lost = new.clone();
    lost.lose(&new.path("snapshot"));
    assert_eq!(machine.refresh(&lost).unwrap_err().code(), "tuf-missing");
    assert_eq!((machine.version("timestamp.json"), machine.version("snapshot.json")), (Some(3), Some(2)));
    let mut evil = new.clone();
    evil.unset("snapshot", "/meta/acme.json");
    evil.push("snapshot");
    assert_eq!(machine.refresh(&evil).unwrap_err().code(), "tuf-role-disappeared");
    let mut later = new.clone();
    later.bump("timestamp");
    renew(&mut later);
    machine.refresh(&later).unwrap();
}

#[test]
fn s5_5_6_expired_snapshot_is_a_freeze_and_is_not_stored() {
    let error = refused(&honest(), "tuf-expired", |repository| forged(repository, "/expires", "2026-11-28T00:00:00Z"));
    is(&error, Class::Expired);
    accepted(&honest(), |repository| forged(repository, "/expires", "2026-11-28T00:00:01Z"));
    let mut machine = Machine::refreshed(&honest());
    let mut expired = honest();
    expired.expire("snapshot", "2026-11-27T00:00:00Z");
    expired.publish();
    assert_eq!(machine.refresh(&expired).unwrap_err().code(), "tuf-expired");
    assert_eq!(machine.version("snapshot.json"), Some(2));
}

#[test]
fn s5_5_6_a_stored_snapshot_expires_too() {
    let mut repository = honest();
    repository.expire("snapshot", "2026-11-29T00:00:00Z");
    repository.publish();
    let mut machine = Machine::refreshed(&repository);
    machine.at += 86_400;
    let error = machine.refresh(&repository).unwrap_err();
    assert_eq!((error.code(), error.to_string().starts_with("snapshot.json")), ("tuf-expired", true), "{error}");
    // A new one is taken.
    repository.expire("snapshot", "2030-01-01T00:00:00Z");
    repository.publish();
    machine.refresh(&repository).unwrap();
}

#[test]
fn s5_5_6_an_expired_stored_snapshot_of_which_no_digest_is_listed_is_asked_for_again() {
    // The owner signed the same version anew, with another time. Where the timestamp lists a digest, it cannot be another document.
    for (repository, again) in [(honest(), true), (honest_with_hashes(), false)] {
        let mut repository = repository;
        repository.expire("snapshot", "2026-11-29T00:00:00Z");
        repository.publish();
        let mut machine = Machine::refreshed(&repository);
        machine.at += 86_400;
        repository.expire("snapshot", "2030-01-01T00:00:00Z");
        repository.sign("snapshot");
        assert_eq!(machine.refresh(&repository).is_ok(), again);
        assert_eq!(machine.fetched().len(), if again { 3 } else { 2 });
    }
}

#[test]
fn s5_5_7_snapshot_is_stored_as_received_before_targets_are_asked_for() {
    let repository = honest_with_hashes();
    let mut machine = Machine::refreshed(&repository);
    machine.store.remove("snapshot.json");
    machine.store.remove("targets.json");
    machine.refresh(&repository).unwrap();
    let fetch = format!("fetch {}", repository.path("snapshot"));
    let steps = machine.steps.iter().map(String::as_str).skip_while(|step| *step != fetch);
    assert_eq!(steps.skip(1).take(2).collect::<Vec<_>>(), ["store snapshot.json", "load targets.json"]);
    assert_eq!(machine.store["snapshot.json"], repository.file(&repository.path("snapshot")));
}

#[test]
fn s4_4_lengths_and_hashes_may_be_listed_of_some_files_only() {
    let mut repository = honest_with_hashes();
    renew(&mut repository);
    for pointer in ["/meta/acme.json/hashes", "/meta/targets.json/length"] {
        remove(repository.signed("snapshot"), pointer);
    }
    repository.bump("snapshot");
    repository.push("snapshot");
    let mut machine = Machine::new(&repository);
    assert!(machine.find(&repository, "acme/tool").unwrap().found.is_some());
    let targets = repository.path("targets");
    assert_eq!(machine.limits[&format!("fetch {targets}")], machine.settings.limits.targets);
}
