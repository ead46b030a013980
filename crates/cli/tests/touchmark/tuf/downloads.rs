//! Target files: only what is listed, whole or not at all, in the folder that was named.

use std::time::Duration;

use touchmark_test_registry::{Action, Fault};
use touchmark_test_tuf_repository::{Repository, set};

use super::{Tuf, names};

impl Tuf {
    /// The error code of a download to `out` that ends so, after which no part of a file is left.
    #[track_caller]
    fn download_refused(&self, code: i32, target: &str) -> String {
        let before = names(&self.place, "out");
        let refusal = self.refused(code, &format!("--target-name {target} {} download", self.download_options()));
        assert_eq!(names(&self.place, "out"), before);
        refusal
    }

    fn downloaded(&self, target: &str) -> serde_json::Value {
        let line = self.line(&format!("--target-name {target} {} download", self.download_options()));
        self.place.json(&line, 0)["results"][0].clone()
    }
}

#[test]
fn other_content_of_the_same_length_is_refused() {
    let tuf = Tuf::new();
    tuf.site.fault(Fault::new(Action::Body(b"CONTENT OF A".to_vec())).path("/targets/"));
    assert_eq!(tuf.download_refused(6, "a.txt"), "target-hash");
}

#[test]
fn a_target_that_is_too_short_or_too_long_is_refused() {
    let tuf = Tuf::new();
    for content in [&b""[..], b"content of", b"content of a, and more"] {
        tuf.site.clear_faults();
        tuf.site.fault(Fault::new(Action::Body(content.to_vec())).path("/targets/"));
        assert_eq!(tuf.download_refused(6, "a.txt"), "target-length");
    }
}

#[test]
fn an_endless_target_ends_at_its_length() {
    let tuf = Tuf::new();
    tuf.site.fault(Fault::new(Action::Fill(b"content of a".to_vec(), b'x', None)).path("/targets/"));
    assert_eq!(tuf.download_refused(6, "a.txt"), "target-length");
}

#[test]
fn a_target_that_breaks_off_or_drips_is_could_not_find_out() {
    let tuf = Tuf::new();
    for action in [Action::Truncate(5), Action::ResetBody(5), Action::Reset, Action::status(500), Action::status(429)] {
        tuf.site.clear_faults();
        tuf.site.fault(Fault::new(action.clone()).path("/targets/"));
        assert_eq!(tuf.download_refused(4, "a.txt"), "target-fetch", "{action:?}");
    }
    tuf.site.clear_faults();
    tuf.site.fault(Fault::new(Action::Drip(Duration::from_millis(200))).path("/targets/"));
    let slow = format!("--timeout 500ms --target-name a.txt {} download", tuf.download_options());
    assert_eq!(tuf.refused(4, &slow), "target-fetch");
    assert!(names(&tuf.place, "out").is_empty());
}

#[test]
fn a_listed_target_that_is_not_there_is_could_not_find_out() {
    let tuf = Tuf::new();
    tuf.site.fault(Fault::new(Action::status(404)).path("/targets/"));
    assert_eq!(tuf.download_refused(4, "a.txt"), "target-missing");
}

#[test]
fn every_listed_hash_is_checked() {
    let mut repository = Repository::new();
    repository.add_target("targets", "a.txt", b"content of a");
    let sha512 = touchmark_test_registry::sha512(b"other content").trim_start_matches("sha512:").to_owned();
    repository.set("targets", "/targets/a.txt/hashes/sha512", sha512);
    repository.publish();
    let tuf = Tuf::of(repository);
    assert_eq!(tuf.download_refused(6, "a.txt"), "target-hash");
}

#[test]
fn with_consistent_snapshots_the_hash_stands_before_the_name_and_without_it_does_not() {
    for consistent in [true, false] {
        let mut repository = Repository::new();
        repository.set("root", "/consistent_snapshot", consistent);
        repository.add_target("targets", "dir/a.txt", b"content of a");
        repository.publish();
        let tuf = Tuf::of(repository);
        tuf.site.clear_log();
        assert_eq!(tuf.downloaded("dir/a.txt")["fetched"], true);
        let hash = touchmark_test_registry::sha256(b"content of a").trim_start_matches("sha256:").to_owned();
        let expected = if consistent { format!("/targets/dir/{hash}.a.txt") } else { "/targets/dir/a.txt".to_owned() };
        assert_eq!(tuf.site.log().last().unwrap().path, expected);
        assert_eq!(names(&tuf.place, "out"), ["dir%2Fa.txt"]);
    }
}

#[test]
fn an_unchanged_target_is_not_fetched_again_and_a_changed_one_is() {
    let tuf = Tuf::new();
    assert_eq!(tuf.downloaded("a.txt")["fetched"], true);
    tuf.site.clear_log();
    assert_eq!(tuf.downloaded("a.txt")["fetched"], false);
    assert!(tuf.site.log().iter().all(|logged| !logged.path.starts_with("/targets/")));
    for damaged in [&b"content of b"[..], b"", b"content of a, and more"] {
        tuf.place.file("out/a.txt", damaged);
        assert_eq!(tuf.downloaded("a.txt")["fetched"], true);
        assert_eq!(tuf.place.read("out/a.txt"), b"content of a");
    }
}

#[test]
fn a_download_that_fails_leaves_the_old_file() {
    let tuf = Tuf::new();
    tuf.place.file("out/a.txt", b"what the user has");
    tuf.site.fault(Fault::new(Action::Body(b"CONTENT OF A".to_vec())).path("/targets/"));
    assert_eq!(tuf.download_refused(6, "a.txt"), "target-hash");
    assert_eq!(tuf.place.read("out/a.txt"), b"what the user has");
}

#[test]
fn target_paths_never_lead_out_of_the_folder() {
    let tuf = Tuf::new();
    for path in ["../x", "/etc/passwd", "a/../../x", "a//b", "..", "."] {
        assert_eq!(tuf.download_refused(2, path), "usage", "{path}");
    }
    assert!(!tuf.place.path("x").exists());
}

/// What the metadata lists is anything; what becomes a file's name is encoded.
#[test]
fn odd_target_paths_are_one_file_each() {
    let mut repository = Repository::new();
    for (path, _) in ODD {
        repository.add_target("targets", path, b"content");
    }
    repository.publish();
    let tuf = Tuf::of(repository);
    for (path, file) in ODD {
        let mut command = tuf.place.touchmark(&format!("tuf {} {}", tuf.options(), tuf.download_options()));
        let ran = crate::harness::Ran::of(path, command.args(["--target-name", path, "download"]).output().unwrap()).is(0);
        assert_eq!(ran.stdout.trim_end(), format!("out/{file}"));
    }
    let mut expected: Vec<&str> = ODD.iter().map(|(_, file)| *file).collect();
    expected.sort_unstable();
    assert_eq!(names(&tuf.place, "out"), expected);
}

const ODD: [(&str, &str); 6] = [
    ("a b?c#d%e", "a%20b%3Fc%23d%25e"),
    ("back\\slash", "back%5Cslash"),
    ("C:x", "C%3Ax"),
    ("..hidden/..x", "..hidden%2F..x"),
    ("~/$(id)", "~%2F%24%28id%29"),
    ("größe", "gr%C3%B6%C3%9Fe"),
];

#[test]
fn a_target_path_that_no_file_can_have_is_refused_before_it_is_fetched() {
    let long = format!("dir/{}", "x".repeat(251));
    let mut repository = Repository::new();
    for path in [long.as_str(), ".touchmark.lock", ".touchmark-0123456789abcdef.tmp"] {
        set(
            repository.signed("targets"),
            &format!("/targets/{}", path.replace('/', "~1")),
            touchmark_test_tuf_repository::json(&format!(r#"{{"length":1,"hashes":{{"sha256":"{}"}}}}"#, "0".repeat(64))),
        );
    }
    repository.publish();
    let tuf = Tuf::of(repository);
    for path in [long.as_str(), ".touchmark.lock", ".touchmark-0123456789abcdef.tmp"] {
        assert_eq!(tuf.download_refused(2, path), "bad-target-name");
    }
    assert!(tuf.site.log().iter().all(|logged| !logged.path.starts_with("/targets/")));
}

/// A target called `root.json`, by the repository's own keys, must not become the root that the next run trusts.
#[test]
fn targets_are_not_downloaded_into_the_store() {
    let mut repository = Repository::new();
    repository.add_target("targets", "root.json", b"evil");
    repository.publish();
    let tuf = Tuf::of(repository);
    let trusted = tuf.place.read("store/root.json");
    let before = names(&tuf.place, "store");
    for folder in ["store", "./store/", "store/new", "other/../store"] {
        let download = tuf.download_options().replace("--target-dir out", &format!("--target-dir {folder}"));
        assert_eq!(tuf.refused(2, &format!("--target-name root.json {download} download")), "target-dir-in-store", "{folder}");
    }
    assert_eq!(tuf.place.read("store/root.json"), trusted);
    assert_eq!(names(&tuf.place, "store"), before);
    assert!(tuf.asked().is_empty(), "nobody is asked");
    // A folder around the store is none in which a target could reach it.
    let around = tuf.download_options().replace("--target-dir out", "--target-dir .");
    tuf.run(&format!("--target-name root.json {around} download")).is(0);
    assert_eq!((tuf.place.read("store/root.json"), tuf.place.read("root.json")), (trusted, b"evil".to_vec()));
}

#[test]
fn two_targets_that_differ_in_case_alone_do_not_replace_each_other() {
    let mut repository = Repository::new();
    repository.add_target("targets", "a.txt", b"one");
    repository.add_target("targets", "A.txt", b"two");
    repository.publish();
    let tuf = Tuf::of(repository);
    let ran = tuf.run(&format!("--target-name a.txt --target-name A.txt {} download", tuf.download_options())).is(2);
    assert_eq!(ran.stdout, "out/a.txt\n");
    assert_eq!(names(&tuf.place, "out"), ["a.txt"]);
    assert_eq!(tuf.downloaded("A.txt")["fetched"], true, "by itself it is no other than before");
}

#[test]
fn a_target_that_is_listed_as_too_large_is_not_asked_for_and_the_option_is_named() {
    let mut repository = Repository::new();
    repository.add_target("targets", "huge", b"x");
    repository.set("targets", "/targets/huge/length", 1_u64 << 50);
    repository.add_target("targets", "a.txt", b"content of a");
    repository.publish();
    let tuf = Tuf::of(repository);
    assert_eq!(tuf.download_refused(4, "huge"), "target-too-large");
    tuf.run(&format!("--target-name huge {} download", tuf.download_options())).is(4).says("--max-target-size");
    let at_most = |size: u64| format!("--max-target-size {size} --target-name a.txt {} download", tuf.download_options());
    assert_eq!(tuf.refused(4, &at_most(11)), "target-too-large");
    assert!(tuf.asked().iter().all(|path| !path.starts_with("/targets/")));
    tuf.run(&at_most(12)).is(0);
}

#[cfg(unix)]
#[test]
fn cve_2026_6968_a_link_in_the_target_folder_is_neither_followed_nor_replaced() {
    let tuf = Tuf::new();
    tuf.place.file("secret", b"what the user has");
    std::fs::create_dir(tuf.place.path("out")).unwrap();
    for (number, to) in ["secret", "nothing", "."].iter().enumerate() {
        let _ = std::fs::remove_file(tuf.place.path("out/a.txt"));
        std::os::unix::fs::symlink(tuf.place.path(to), tuf.place.path("out/a.txt")).unwrap();
        assert_eq!(tuf.download_refused(4, "a.txt"), "irregular-file", "{number}");
        assert!(std::fs::symlink_metadata(tuf.place.path("out/a.txt")).unwrap().file_type().is_symlink());
    }
    assert_eq!(tuf.place.read("secret"), b"what the user has");
    assert!(!tuf.place.path("nothing").exists());
}

#[test]
fn a_folder_in_the_place_of_a_target_is_an_error() {
    let tuf = Tuf::new();
    tuf.place.file("out/a.txt/mine", b"x");
    assert_eq!(tuf.download_refused(4, "a.txt"), "irregular-file");
    tuf.place.file("file", b"x");
    let ran = tuf.run(&format!("--target-name a.txt {} download", tuf.download_options().replace("out", "file")));
    assert!(ran.code == 2 || ran.code == 4, "{ran:?}");
}
