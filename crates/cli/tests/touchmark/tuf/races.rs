//! Several clients of one store at the same time.

use std::process::Stdio;

use touchmark_test_registry::{Action, Fault};
use touchmark_test_tuf_repository::Repository;

use super::{Tuf, names};
use crate::harness::Ran;

#[test]
fn concurrent_refreshes_of_one_store_all_end_well() {
    let mut repository = Repository::new().with_hashes();
    let first = repository.clone();
    for _ in 0..20 {
        repository.bump("root");
        repository.sign("root");
    }
    repository.add_target("targets", "a.txt", b"content of a");
    repository.publish();
    let tuf = Tuf::of(first);
    repository.write_to(&tuf.place.path("site")).unwrap();
    let line = tuf.line(&format!("--target-name a.txt {} download", tuf.download_options()));
    let children: Vec<_> =
        (0..12).map(|_| tuf.place.touchmark(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()).collect();
    for child in children {
        Ran::of(&line, child.wait_with_output().unwrap()).is(0);
    }
    assert_eq!(names(&tuf.place, "store"), ["root.json", "snapshot.json", "targets.json", "timestamp.json"]);
    assert_eq!(tuf.place.read("store/root.json"), repository.file("21.root.json"));
    assert_eq!(tuf.place.read("out/a.txt"), b"content of a");
    assert_eq!(names(&tuf.place, "out"), ["a.txt"]);
}

/// The lock is given back before targets come: a slow download keeps nobody from updating.
#[test]
fn an_update_does_not_wait_for_a_download() {
    let tuf = Tuf::new();
    tuf.site.fault(Fault::new(Action::Hang).path("/targets/"));
    let line = tuf.line(&format!("--timeout 1h --target-name a.txt {} download", tuf.download_options()));
    let mut hanging = tuf.place.touchmark(&line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !tuf.site.log().iter().any(|logged| logged.path.starts_with("/targets/")) {
        std::thread::yield_now();
        assert!(hanging.try_wait().unwrap().is_none(), "the download waits");
    }
    tuf.run("refresh").is(0);
    assert!(hanging.try_wait().unwrap().is_none());
    hanging.kill().unwrap();
    hanging.wait().unwrap();
}
