//! TUF 1.0, 5.4: the timestamp.

use touchmark_test_tuf_repository::{Key, Served, json, set};
use touchmark_tuf::Class;

use crate::attack::{accepted, honest, honest_with_hashes, is, refused, renew};
use crate::machine::Machine;

#[test]
fn s5_4_1_timestamp_is_at_most_so_long_and_has_a_fixed_name() {
    let repository = honest();
    let length = repository.file("timestamp.json").len() as u64;
    let mut machine = Machine::new(&repository);
    machine.settings.limits.timestamp = length;
    machine.refresh(&repository).unwrap();
    assert_eq!(machine.limits["fetch timestamp.json"], length);
    let mut machine = Machine::new(&repository);
    machine.settings.limits.timestamp = length - 1;
    let error = machine.refresh(&repository).unwrap_err();
    assert_eq!((error.code(), error.class()), ("tuf-fetch", Class::Unknown));
}

#[test]
fn s5_4_1_endless_missing_or_failing_timestamp_is_refused() {
    refused(&honest(), "tuf-fetch", |repository| repository.answer("timestamp.json", Served::Endless));
    refused(&honest(), "tuf-fetch", |repository| repository.answer("timestamp.json", Served::Failure));
    let error = refused(&honest(), "tuf-missing", |repository| repository.lose("timestamp.json"));
    is(&error, Class::Unknown);
}

#[test]
fn s5_4_2_timestamp_by_other_keys_is_refused() {
    for key in ["stranger", "snapshot", "targets", "root"] {
        let error = refused(&honest(), "tuf-threshold", |repository| repository.forge_by("timestamp", &[Key::ed25519(key)], |_| ()));
        is(&error, Class::Untrusted);
    }
    refused(&honest(), "tuf-threshold", |repository| repository.forge_by("timestamp", &[], |_| ()));
}

#[test]
fn s5_4_2_timestamp_changed_after_it_was_signed_is_refused() {
    refused(&honest(), "tuf-threshold", |repository| {
        repository.tamper("timestamp", |document| set(document, "/signed/meta/snapshot.json/version", 9_u64));
    });
}

#[test]
fn s5_4_2_timestamp_needs_its_threshold_of_distinct_keys() {
    let mut repository = honest();
    let [a, b, c] = ["a", "b", "c"].map(Key::ed25519);
    repository.set_keys("timestamp", 2, &[a.clone(), b.clone(), c.clone()]);
    renew(&mut repository);
    for signing in
        [vec![a.clone()], vec![a.clone(), a.clone()], vec![a.clone(), a.clone().with_keyid(b.keyid())], vec![a.clone(), Key::ed25519("x")]]
    {
        refused(&repository, "tuf-threshold", |repository| repository.forge_by("timestamp", &signing, |_| ()));
    }
    accepted(&repository, |repository| repository.forge_by("timestamp", &[c.clone(), b.clone()], |_| ()));
}

#[test]
fn s5_4_3_1_older_timestamp_is_a_rollback() {
    let error = refused(&honest(), "tuf-rollback", |repository| repository.forge("timestamp", |signed| set(signed, "/version", 1_u64)));
    is(&error, Class::Untrusted);
}

#[test]
fn s5_4_3_1_a_replayed_timestamp_is_a_rollback() {
    let old = honest();
    let mut machine = Machine::refreshed(&old);
    let mut new = old.clone();
    renew(&mut new);
    machine.refresh(&new).unwrap();
    let kept = machine.store.clone();
    let mut replayed = new.clone();
    replayed.serve("timestamp.json", old.file("timestamp.json").to_vec());
    assert_eq!(machine.refresh(&replayed).unwrap_err().code(), "tuf-rollback");
    assert_eq!(machine.store, kept);
    machine.refresh(&new).unwrap();
}

#[test]
fn s5_4_3_1_a_stored_timestamp_that_has_expired_still_shows_a_rollback() {
    let old = honest();
    let mut new = old.clone();
    new.expire("timestamp", "2026-11-29T00:00:00Z");
    renew(&mut new);
    let mut machine = Machine::refreshed(&old);
    machine.refresh(&new).unwrap();
    machine.at += 2 * 86_400;
    assert_eq!(machine.refresh(&new).unwrap_err().code(), "tuf-expired");
    let mut replayed = new.clone();
    replayed.serve("timestamp.json", old.file("timestamp.json").to_vec());
    assert_eq!(machine.refresh(&replayed).unwrap_err().code(), "tuf-rollback");
    let mut later = new.clone();
    later.expire("timestamp", "2030-01-01T00:00:00Z");
    later.publish();
    machine.refresh(&later).unwrap();
}

#[test]
fn s5_4_3_1_timestamp_of_the_same_version_is_discarded_and_ends_the_update() {
    let repository = honest();
    let mut machine = Machine::refreshed(&repository);
    let kept = machine.store.clone();
    machine.refresh(&repository).unwrap();
    assert_eq!(machine.fetched(), ["2.root.json", "timestamp.json"]);
    assert!(machine.stored().is_empty());
    // Even if it says something else.
    let mut other = repository.clone();
    other.forge("timestamp", |signed| {
        set(signed, "/meta/snapshot.json/version", 9_u64);
        set(signed, "/expires", "2040-01-01T00:00:00Z");
    });
    let client = machine.refresh(&other).unwrap();
    assert_eq!(client.timestamp().unwrap().get().snapshot().version, 2);
    assert_eq!(machine.fetched(), ["2.root.json", "timestamp.json"]);
    assert_eq!(machine.store, kept);
}

#[test]
fn s5_4_3_1_timestamp_of_the_same_version_does_not_prolong_the_trusted_one() {
    let repository = honest();
    let mut machine = Machine::refreshed(&repository);
    let mut longer = repository.clone();
    longer.forge("timestamp", |signed| set(signed, "/expires", "2040-01-01T00:00:00Z"));
    machine.at = touchmark_test_tuf_repository::EXPIRES_SECONDS - 1;
    machine.refresh(&longer).unwrap();
    machine.at += 1;
    let mut long_root = longer.clone();
    long_root.expire("root", "2040-01-01T00:00:00Z");
    long_root.bump("root");
    long_root.sign("root");
    let error = machine.refresh(&long_root).unwrap_err();
    assert_eq!((error.code(), error.to_string().starts_with("timestamp.json")), ("tuf-expired", true), "{error}");
}

#[test]
fn s5_4_3_2_timestamp_with_an_older_snapshot_is_a_rollback() {
    let error = refused(&honest(), "tuf-rollback", |repository| {
        repository.forge("timestamp", |signed| set(signed, "/meta/snapshot.json/version", 1_u64));
    });
    assert!(error.to_string().starts_with("snapshot.json"), "{error}");
    // It is noticed before the snapshot is asked for, and the timestamp is not stored.
    let mut machine = Machine::refreshed(&honest());
    let kept = machine.store.clone();
    let mut evil = honest();
    evil.bump("timestamp");
    evil.set("timestamp", "/meta/snapshot.json/version", 1_u64);
    evil.sign("timestamp");
    assert_eq!(machine.refresh(&evil).unwrap_err().code(), "tuf-rollback");
    assert_eq!((machine.fetched().last(), &machine.store), (Some(&"timestamp.json"), &kept));
}

#[test]
fn s5_4_3_2_timestamp_with_the_same_snapshot_asks_for_nothing_more() {
    for mut repository in [honest(), honest_with_hashes()] {
        let mut machine = Machine::refreshed(&repository);
        repository.bump("timestamp");
        repository.sign("timestamp");
        machine.refresh(&repository).unwrap();
        assert_eq!(machine.fetched().last(), Some(&"timestamp.json"));
        assert_eq!(machine.stored(), ["timestamp.json"]);
    }
}

#[test]
fn s5_4_4_expired_timestamp_is_a_freeze_and_is_not_stored() {
    let error = refused(&honest(), "tuf-expired", |repository| {
        repository.forge("timestamp", |signed| set(signed, "/expires", "2026-11-28T00:00:00Z"));
    });
    is(&error, Class::Expired);
    accepted(&honest(), |repository| repository.forge("timestamp", |signed| set(signed, "/expires", "2026-11-28T00:00:01Z")));
    let mut machine = Machine::refreshed(&honest());
    let kept = machine.store.clone();
    let mut expired = honest();
    expired.expire("timestamp", "2026-11-27T00:00:00Z");
    expired.publish();
    assert_eq!(machine.refresh(&expired).unwrap_err().code(), "tuf-expired");
    assert_eq!(machine.store, kept);
}

#[test]
fn s5_4_5_timestamp_is_stored_as_received_before_the_snapshot_is_asked_for() {
    let mut repository = honest();
    repository.form = touchmark_test_tuf_repository::Form::Indented;
    renew(&mut repository);
    let mut machine = Machine::new(&repository);
    machine.refresh(&repository).unwrap();
    let steps = machine.steps.iter().map(String::as_str).skip_while(|step| *step != "fetch timestamp.json");
    assert_eq!(
        steps.take(4).collect::<Vec<_>>(),
        ["fetch timestamp.json", "store timestamp.json", "load snapshot.json", "fetch 3.snapshot.json"]
    );
    assert_eq!(machine.store["timestamp.json"], repository.file("timestamp.json"));
}

#[test]
fn s4_6_timestamp_describes_the_snapshot_and_nothing_else() {
    for meta in [r#"{}"#, r#"{"targets.json":{"version":1}}"#, r#"{"snapshot.json":{"version":3},"targets.json":{"version":3}}"#] {
        refused(&honest(), "tuf-malformed", |repository| repository.forge("timestamp", |signed| set(signed, "/meta", json(meta))));
    }
}

#[test]
fn s5_4_3_1_a_lost_snapshot_does_not_void_the_timestamp() {
    // Only one that is there, by other keys than the root's, does: nobody but a rotation that was interrupted leaves that.
    let old = honest();
    let mut new = old.clone();
    renew(&mut new);
    let machine = Machine::refreshed(&new);
    let damaged = [None, Some(Vec::new()), Some(b"{}".to_vec()), Some(old.file(&old.path("snapshot")).to_vec())];
    for damaged in damaged {
        let mut machine = machine.clone();
        match damaged {
            Some(bytes) => machine.store.insert("snapshot.json".to_owned(), bytes),
            None => machine.store.remove("snapshot.json"),
        };
        let mut replayed = new.clone();
        replayed.serve("timestamp.json", old.file("timestamp.json").to_vec());
        assert_eq!(machine.refresh(&replayed).unwrap_err().code(), "tuf-rollback");
        assert_eq!(machine.store["timestamp.json"], new.file("timestamp.json"));
    }
}
