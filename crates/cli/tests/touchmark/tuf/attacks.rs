//! What the client refuses is refused by the command with the right exit, and the store survives it.

use touchmark_test_tuf_repository::{Key, Repository, set};

use super::{AT, Tuf};

/// Serves `evil`, sees it refused with exit 5 and this code, and then that the honest repository, gone on, is accepted.
#[track_caller]
fn refused_and_recovered(tuf: &mut Tuf, evil: &Repository, code: &str) {
    let before = tuf.stored();
    evil.write_to(&tuf.place.path("site")).unwrap();
    assert_eq!(tuf.refused(5, "--target-name a.txt lookup"), code);
    assert!(before.iter().all(|file| tuf.stored().contains(file)));
    // What was accepted of the evil one may be newer; the honest one goes on from there.
    tuf.repository = evil.clone();
    for role in ["targets", "snapshot", "timestamp"] {
        tuf.repository.bump(role);
        tuf.repository.bump(role);
    }
    tuf.repository.expire("timestamp", "2030-01-02T00:00:00Z");
    tuf.repository.expire("targets", "2030-01-02T00:00:00Z");
    tuf.repository.expire("snapshot", "2030-01-02T00:00:00Z");
    tuf.publish();
    tuf.run("--target-name a.txt lookup").is(0);
}

#[test]
fn a_rollback_is_untrusted_metadata() {
    let mut tuf = Tuf::new();
    let old = tuf.repository.clone();
    tuf.repository.add_target("targets", "new.txt", b"new");
    tuf.publish();
    tuf.run("refresh").is(0);
    old.write_to(&tuf.place.path("site")).unwrap();
    assert_eq!(tuf.refused(5, "refresh"), "tuf-rollback");
    tuf.show();
    tuf.run("--target-name new.txt lookup").is(0);
}

#[test]
fn a_role_that_disappears_is_untrusted_metadata() {
    let mut tuf = Tuf::new();
    tuf.run("refresh").is(0);
    let mut evil = tuf.repository.clone();
    evil.unset("snapshot", "/meta/acme.json");
    evil.bump("snapshot");
    evil.push("snapshot");
    evil.write_to(&tuf.place.path("site")).unwrap();
    assert_eq!(tuf.refused(5, "refresh"), "tuf-role-disappeared");
    // The timestamp of version 3 was accepted, so that the snapshot goes on from there.
    tuf.repository.set("snapshot", "/version", 3_u64);
    tuf.repository.set("timestamp", "/version", 3_u64);
    tuf.publish();
    tuf.run("refresh").is(0);
}

#[test]
fn forged_targets_are_untrusted_metadata() {
    let mut tuf = Tuf::new();
    let mut evil = tuf.repository.clone();
    evil.hashes.clear();
    evil.lengths = false;
    evil.set("targets", "/targets/a.txt/length", 13_u64);
    evil.bump("targets");
    evil.set_signers("targets", &[Key::ed25519("another")]);
    evil.push("targets");
    evil.set_signers("targets", &[Key::ed25519("targets")]);
    refused_and_recovered(&mut tuf, &evil, "tuf-threshold");
}

#[test]
fn expired_metadata_is_refused_by_the_time_that_is_given() {
    let tuf = Tuf::new();
    tuf.run("refresh").is(0);
    let later = tuf.options().replace(AT, "2030-01-01T00:00:00Z");
    assert_eq!(tuf.place.json(&format!("tuf {later} refresh"), 5)["results"][0]["error"]["code"], "tuf-expired");
    // Judged by the first time again it is good: nothing was lost.
    tuf.run("refresh").is(0);
}

/// The clock of the system, which a library may fake, as test harnesses do.
#[test]
fn without_a_time_the_clock_of_the_system_counts() {
    let mut repository = Repository::new();
    for role in ["timestamp", "snapshot", "targets"] {
        repository.expire(role, "2001-01-01T00:00:00Z");
    }
    repository.publish();
    let tuf = Tuf::of(repository);
    let options = tuf.options().replace(&format!("--at {AT}"), "");
    assert_eq!(tuf.place.json(&format!("tuf {options} refresh"), 5)["results"][0]["error"]["code"], "tuf-expired");
    let Some(library) = fake_time() else { return };
    let mut faked = tuf.place.touchmark(&format!("tuf {options} refresh"));
    faked.env("LD_PRELOAD", library).env("FAKETIME", "2000-06-01 00:00:00");
    crate::harness::Ran::of("refresh in 2000", faked.output().unwrap()).is(0);
}

/// libfaketime, where it is installed.
fn fake_time() -> Option<std::path::PathBuf> {
    let found = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"]
        .iter()
        .map(|folder| std::path::Path::new(folder).join("faketime/libfaketime.so.1"))
        .find(|path| path.exists());
    if found.is_none() {
        eprintln!("libfaketime is not installed: a faked clock is not tried");
    }
    found
}

#[test]
fn a_store_of_another_repository_trusts_none_of_this_one() {
    let tuf = Tuf::new();
    let mut other = Repository::new();
    for role in ["root", "timestamp", "snapshot", "targets"] {
        other.set_keys(role, 1, &[Key::ed25519(&format!("other {role}"))]);
        set(other.signed("root"), "/version", 1_u64);
    }
    other.set_signers("root", &[Key::ed25519("other root")]);
    other.sign("root");
    tuf.place.file("other.json", other.file("1.root.json"));
    tuf.place.run("tuf --metadata-dir other init other.json").is(0);
    let options = tuf.options().replace("--metadata-dir store", "--metadata-dir other");
    assert_eq!(tuf.place.json(&format!("tuf {options} refresh"), 5)["results"][0]["error"]["code"], "tuf-threshold");
    // And its leftovers in a store of this one are as good as none.
    tuf.run("refresh").is(0);
    let mut honest = other.clone();
    honest.sign("timestamp");
    for file in ["timestamp", "snapshot", "targets"] {
        let path = if file == "timestamp" { "timestamp.json".to_owned() } else { format!("1.{file}.json") };
        tuf.place.file(&format!("store/{file}.json"), honest.file(&path));
    }
    tuf.run("--target-name acme/b.txt lookup").is(0);
}

#[test]
fn a_store_that_is_newer_than_the_repository_refuses_it_and_stays() {
    let mut tuf = Tuf::new();
    let old = tuf.repository.clone();
    for _ in 0..3 {
        tuf.repository.bump("timestamp");
        tuf.publish();
    }
    tuf.run("refresh").is(0);
    let stored: Vec<Vec<u8>> = tuf.stored().iter().map(|file| tuf.place.read(&format!("store/{file}"))).collect();
    old.write_to(&tuf.place.path("site")).unwrap();
    assert_eq!(tuf.refused(5, "refresh"), "tuf-rollback");
    let still: Vec<Vec<u8>> = tuf.stored().iter().map(|file| tuf.place.read(&format!("store/{file}"))).collect();
    assert_eq!(still, stored);
}

#[test]
fn damaged_files_of_the_store_are_fetched_again_and_a_damaged_root_is_not_trusted() {
    let tuf = Tuf::new();
    for file in ["timestamp.json", "snapshot.json", "targets.json", "acme.json"] {
        for damage in [&b""[..], b"{}", b"not JSON"] {
            tuf.run("--target-name acme/b.txt lookup").is(0);
            tuf.place.file(&format!("store/{file}"), damage);
            tuf.run("--target-name acme/b.txt lookup").is(0);
            assert_ne!(tuf.place.read(&format!("store/{file}")), damage, "{file}");
        }
    }
    tuf.place.file("store/root.json", b"{}");
    tuf.run("refresh").is(5);
}

#[cfg(unix)]
#[test]
fn cve_2026_6968_links_in_the_store_are_not_followed() {
    let tuf = Tuf::new();
    tuf.run("refresh").is(0);
    tuf.place.file("mine", b"precious");
    std::fs::remove_file(tuf.place.path("store/timestamp.json")).unwrap();
    std::os::unix::fs::symlink(tuf.place.path("mine"), tuf.place.path("store/timestamp.json")).unwrap();
    let ran = tuf.run("refresh");
    assert_ne!(ran.code, 0, "{ran:?}");
    assert_eq!(tuf.place.read("mine"), b"precious");
}

/// What can be made read-only for whoever runs this test.
#[cfg(unix)]
#[test]
fn a_store_that_cannot_be_written_is_an_error() {
    let tuf = Tuf::new();
    let mut full = tuf.place.touchmark(&tuf.line("refresh"));
    full.env("TOUCHMARK_FAILPOINT_ERROR", "1+:ENOSPC");
    crate::harness::Ran::of("refresh on a full disk", full.output().unwrap()).is(4);
    assert_eq!(tuf.stored(), ["root.json"]);
    tuf.run("refresh").is(0);
}

#[test]
fn role_names_that_lead_elsewhere_stay_in_the_store() {
    let names = ["../x", "/abs", "a\\b", "C:", "..", "CON", "ROOT", "timestamp.json"];
    let mut repository = Repository::new();
    for (number, name) in names.iter().enumerate() {
        let pattern = format!("{number}/*");
        repository.delegate("targets", touchmark_test_tuf_repository::Delegation::new(name).paths(&[&pattern]));
        repository.add_target(name, &format!("{number}/x"), name.as_bytes());
    }
    repository.publish();
    let tuf = Tuf::of(repository);
    let words: Vec<String> = (0..names.len()).map(|number| format!("--target-name {number}/x")).collect();
    tuf.run(&format!("{} {} download", words.join(" "), tuf.download_options())).is(0);
    let stored = tuf.stored();
    assert_eq!(stored.len(), 4 + names.len(), "{stored:?}");
    for (number, name) in names.iter().enumerate() {
        assert_eq!(tuf.place.read(&format!("out/{number}%2Fx")), name.as_bytes());
    }
    assert!(!tuf.place.path("x.json").exists());
}
