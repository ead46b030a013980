//! `kill -9` at every boundary of a refresh and of a download, at random moments, and a disk that fills: what was verified stays, and the
//! next run works.

use std::process::Stdio;
use std::time::{Duration, Instant};

use touchmark_test_tuf_repository::{Delegation, Key, Repository};

use super::{Tuf, names};
use crate::harness::{Place, Ran};

/// A client that knows the first state of a repository, whose second one has a new root with other keys for timestamp and snapshot, a new
/// target, and a new delegated role.
fn between_two_states() -> Tuf {
    let mut repository = Repository::new().with_hashes();
    repository.add_target("targets", "a.txt", b"content of a");
    repository.publish();
    let mut tuf = Tuf::of(repository);
    tuf.run(&format!("--target-name a.txt {} download", tuf.download_options())).is(0);
    tuf.repository.set_keys("timestamp", 1, &[Key::ed25519("new timestamp")]);
    tuf.repository.set_keys("snapshot", 1, &[Key::ed25519("new snapshot")]);
    tuf.repository.add_target("targets", "a.txt", b"other content of a");
    tuf.repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]));
    tuf.repository.add_target("acme", "acme/b.txt", b"content of b");
    tuf.repository.bump("snapshot");
    tuf.repository.bump("timestamp");
    tuf.publish();
    for folder in ["store", "out"] {
        copy(&tuf.place, folder, &format!("{folder}-before"));
    }
    tuf
}

/// The command whose interruptions are tried.
fn line(tuf: &Tuf) -> String {
    tuf.line(&format!("--target-name a.txt --target-name acme/b.txt {} download", tuf.download_options()))
}

fn reset(tuf: &Tuf) {
    for folder in ["store", "out"] {
        copy(&tuf.place, &format!("{folder}-before"), folder);
    }
}

fn copy(place: &Place, from: &str, to: &str) {
    let _ = std::fs::remove_dir_all(place.path(to));
    std::fs::create_dir(place.path(to)).unwrap();
    for name in names(place, from) {
        std::fs::copy(place.path(&format!("{from}/{name}")), place.path(&format!("{to}/{name}"))).unwrap();
    }
}

/// After an interruption: each file is one that was published, whole; a target is the old one or the new one; no version went back; and
/// the same command, run again, ends well and leaves nothing else.
fn assert_nothing_lost(tuf: &Tuf, when: &str) {
    for name in names(&tuf.place, "store").iter().filter(|name| name.ends_with(".json")) {
        let bytes = tuf.place.read(&format!("store/{name}"));
        let published =
            tuf.repository.metadata().values().any(|served| *served == touchmark_test_tuf_repository::Served::File(bytes.clone()));
        let before = std::fs::read(tuf.place.path(&format!("store-before/{name}"))).is_ok_and(|before| before == bytes);
        assert!(published || before, "{when}: {name} is neither the old file nor the new one");
    }
    assert!(names(&tuf.place, "store").contains(&"root.json".to_owned()), "{when}");
    let content = tuf.place.read("out/a.txt");
    assert!(content == b"content of a" || content == b"other content of a", "{when}");
    let again = tuf.place.run(&line(tuf));
    assert_eq!(again.code, 0, "{when}: {again:?}");
    assert_eq!(tuf.place.read("out/a.txt"), b"other content of a");
    assert_eq!(names(&tuf.place, "store"), ["acme.json", "root.json", "snapshot.json", "targets.json", "timestamp.json"], "{when}");
    assert_eq!(tuf.place.read("store/root.json"), tuf.repository.file("2.root.json"), "{when}");
    assert_eq!(names(&tuf.place, "out"), ["a.txt", "acme%2Fb.txt"], "{when}");
}

/// The boundaries that the command passes.
fn boundaries(tuf: &Tuf) -> Vec<String> {
    let mut command = tuf.place.touchmark(&line(tuf));
    Ran::of("counted", command.env("TOUCHMARK_FAILPOINT_COUNT", "boundaries").output().unwrap()).is(0);
    let lines = String::from_utf8(tuf.place.read("boundaries")).unwrap();
    std::fs::remove_file(tuf.place.path("boundaries")).unwrap();
    lines.lines().map(str::to_owned).collect()
}

#[test]
fn killed_at_every_boundary_nothing_verified_is_lost() {
    let tuf = between_two_states();
    let boundaries = boundaries(&tuf);
    for (number, step) in boundaries.iter().enumerate() {
        reset(&tuf);
        let mut command = tuf.place.touchmark(&line(&tuf));
        let killed = command.env("TOUCHMARK_FAILPOINT", (number + 1).to_string()).output().unwrap();
        assert_eq!(killed.status.code(), None, "not killed at {step}");
        assert_nothing_lost(&tuf, &format!("killed at {step}"));
    }
    // Seven files, each made, written in two halves, synced and renamed in its folder, and two removed before.
    assert!(boundaries.len() >= 7 * 6 + 2, "{boundaries:#?}");
    // What a rotation voids must not be there again after a loss of power.
    let removed: Vec<_> = boundaries.windows(2).filter(|pair| pair[0].contains(" Remove ")).collect();
    assert!(removed.len() == 2 && removed.iter().all(|pair| pair[1].contains(" SyncFolder ")), "{removed:?}");
}

#[test]
fn a_disk_that_is_full_from_some_boundary_on_loses_nothing_and_says_so() {
    let tuf = between_two_states();
    let count = boundaries(&tuf).len();
    for number in 1..=count {
        for code in ["ENOSPC", "EIO"] {
            reset(&tuf);
            let mut command = tuf.place.touchmark(&line(&tuf));
            let ran = Ran::of("full", command.env("TOUCHMARK_FAILPOINT_ERROR", format!("{number}+:{code}")).output().unwrap());
            assert_eq!(ran.code, 4, "{code} from boundary {number} on: {ran:?}");
            assert_nothing_lost(&tuf, &format!("{code} from boundary {number} on"));
        }
    }
}

/// 40 kills at moments that nobody chose.
#[test]
fn killed_at_random_moments_nothing_verified_is_lost() {
    let tuf = between_two_states();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::from(std::process::id());
    let mut in_between = 0;
    for _ in 0..40 {
        reset(&tuf);
        let begin = Instant::now();
        let all = boundaries(&tuf).len();
        let whole = begin.elapsed();
        reset(&tuf);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let wait = Duration::from_nanos(u64::try_from(whole.as_nanos()).unwrap() * (random >> 33) / (1 << 31));
        let mut command = tuf.place.touchmark(&line(&tuf));
        command.env("TOUCHMARK_FAILPOINT_COUNT", "boundaries").stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // The moment of the kill is what is random here; nothing waits for anything.
        std::thread::sleep(wait);
        child.kill().unwrap();
        child.wait().unwrap();
        let passed = std::fs::read_to_string(tuf.place.path("boundaries")).map_or(0, |lines| lines.lines().count());
        let _ = std::fs::remove_file(tuf.place.path("boundaries"));
        in_between += usize::from(0 < passed && passed < all);
        assert_nothing_lost(&tuf, &format!("killed after {passed} of {all} boundaries"));
    }
    assert!(in_between > 0, "no kill hit while files were being changed");
}

#[test]
fn init_killed_at_every_boundary_can_be_run_again() {
    let tuf = Tuf::new();
    let init = "tuf --metadata-dir fresh init trusted.json";
    for number in 1.. {
        let _ = std::fs::remove_dir_all(tuf.place.path("fresh"));
        let mut command = tuf.place.touchmark(init);
        let ran = command.env("TOUCHMARK_FAILPOINT", number.to_string()).output().unwrap();
        if ran.status.success() {
            assert!(number > 5, "there are boundaries");
            return;
        }
        assert_eq!(ran.status.code(), None);
        tuf.place.run(init).is(0);
        assert_eq!(tuf.place.read("fresh/root.json"), tuf.place.read("trusted.json"));
        assert_eq!(names(&tuf.place, "fresh"), ["root.json"]);
    }
}
