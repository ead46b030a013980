//! The rows of `touchmark tuf` in the table of SPEC.md, "Exit codes", each with the error that it is about.

use std::time::Duration;

use touchmark_test_registry::{Action, Fault, Site};
use touchmark_test_tuf_repository::{Delegation, Key, Repository};

use super::{AT, Tuf};
use crate::exits;

/// Runs a row's command, and asserts that the last result has this error code, or none where it is `done`.
fn row(name: &str, tuf: &Tuf, error: &str, line: &str) {
    exits::row(name, &tuf.place, line);
    let ran = tuf.place.run(&format!("{line} --format json")).json();
    let result = ran["results"].as_array().unwrap().last().unwrap();
    assert_eq!(result["error"]["code"].as_str().unwrap_or("done"), error, "{ran:#}");
}

macro_rules! rows {
    ($($name:ident: $error:literal, |$tuf:ident| $line:expr;)*) => {
        $(#[test] fn $name() {
            let $tuf = situation();
            let line: String = { $line }.into();
            row(stringify!($name), &$tuf, $error, &line);
        })*
        /// Their names.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

/// A repository with `a.txt` of the top-level role and `acme/b.txt` of the role `acme`, some targets that are listed oddly, a server for
/// it, and a client that trusts its first root.
fn situation() -> Tuf {
    let mut repository = Repository::new().with_hashes();
    repository.add_target("targets", "a.txt", b"content of a");
    repository.add_target("targets", "A.txt", b"another content");
    repository.add_target("targets", ".touchmark.lock", b"");
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]));
    repository.add_target("acme", "acme/b.txt", b"content of b");
    repository.publish();
    Tuf::of(repository)
}

/// Serves what the repository becomes by this.
fn serve(tuf: &Tuf, change: impl FnOnce(&mut Repository)) {
    let mut changed = tuf.repository.clone();
    change(&mut changed);
    changed.write_to(&tuf.place.path("site")).unwrap();
}

/// A download of a target whose file is answered so.
fn download(tuf: &Tuf, target: &str, action: Option<Action>) -> String {
    if let Some(action) = action {
        tuf.site.fault(Fault::new(action).path("/targets/"));
    }
    tuf.line(&format!("--target-name {target} {} download", tuf.download_options()))
}

rows! {
    tuf_init_done: "done", |tuf| "tuf --metadata-dir new init trusted.json";
    tuf_init_again: "done", |tuf| tuf.line("init trusted.json");
    tuf_refresh_done: "done", |tuf| tuf.line("refresh");
    tuf_lookup_done: "done", |tuf| tuf.line("--target-name acme/b.txt lookup");
    tuf_download_done: "done", |tuf| download(&tuf, "a.txt", None);
    tuf_offline_done: "done", |tuf| {
        tuf.run("refresh").is(0);
        format!("tuf --metadata-dir store --offline --at {AT} refresh")
    };

    tuf_no_root: "tuf-no-root", |tuf| tuf.line("refresh").replace("store", "none");
    tuf_another_root: "tuf-another-root", |tuf| {
        let mut other = Repository::new();
        other.set("root", "/x", "another");
        other.publish();
        tuf.place.file("other.json", other.file("2.root.json"));
        tuf.line("init other.json")
    };
    tuf_no_url: "usage", |tuf| format!("tuf --metadata-dir store --at {AT} refresh");
    tuf_bad_url: "tuf-no-source", |tuf| format!("tuf --metadata-dir store --metadata-url ftp://h/ --at {AT} refresh");
    tuf_bad_target_path: "usage", |tuf| tuf.line("--target-name ../a.txt lookup");
    tuf_bad_target_name: "bad-target-name", |tuf| download(&tuf, ".touchmark.lock", None);
    tuf_target_dir_in_store: "target-dir-in-store", |tuf| download(&tuf, "a.txt", None).replace("--target-dir out", "--target-dir store");
    tuf_target_same_file: "target-same-file", |tuf| download(&tuf, "a.txt --target-name A.txt", None);

    tuf_not_there: "tuf-fetch", |tuf| {
        let gone = Site::start(tuf.place.path("site")).url();
        tuf.line("refresh").replace(&tuf.site.url(), &gone)
    };
    tuf_failing: "tuf-fetch", |tuf| {
        tuf.site.fault(Fault::new(Action::status(500)).path("timestamp.json"));
        tuf.line("refresh")
    };
    tuf_missing: "tuf-missing", |tuf| {
        tuf.site.fault(Fault::new(Action::status(404)).path("acme.json"));
        tuf.line("--target-name acme/b.txt lookup")
    };
    tuf_offline_missing: "tuf-missing", |tuf| format!("tuf --metadata-dir store --offline --at {AT} refresh");
    tuf_size_cap: "tuf-fetch", |tuf| tuf.line("--max-timestamp-size 10 refresh");
    tuf_roots_cap: "tuf-too-many-roots", |tuf| {
        // Each run takes two, and there are more for both of them.
        serve(&tuf, |repository| (0..8).for_each(|_| { repository.bump("root"); repository.sign("root"); }));
        tuf.line("--max-roots 2 refresh")
    };
    tuf_roles_cap: "tuf-too-many-roles", |tuf| tuf.line("--max-roles 1 --target-name acme/b.txt lookup");
    tuf_total_cap: "tuf-too-much-metadata", |tuf| tuf.line("--max-total-size 100 refresh");
    tuf_out_of_time: "tuf-out-of-time", |tuf| {
        serve(&tuf, |repository| (0..20).for_each(|_| { repository.bump("root"); repository.sign("root"); }));
        tuf.site.fault(Fault::new(Action::Late(Duration::from_millis(200))).path("root.json"));
        tuf.line("--max-time 1s refresh")
    };
    tuf_store_in_use: "locked", |tuf| {
        // Until this process ends.
        let lock = std::fs::File::create(tuf.place.path("store/.touchmark.lock")).unwrap();
        lock.lock().unwrap();
        std::mem::forget(lock);
        tuf.line("--max-time 100ms refresh")
    };
    tuf_no_such_target: "no-such-target", |tuf| tuf.line("--target-name acme/none lookup");
    tuf_target_missing: "target-missing", |tuf| download(&tuf, "a.txt", Some(Action::status(404)));
    tuf_target_failing: "target-fetch", |tuf| download(&tuf, "a.txt", Some(Action::status(500)));
    tuf_target_cap: "target-too-large", |tuf| download(&tuf, "a.txt --max-target-size 11", None);
    tuf_one_of_two: "done", |tuf| download(&tuf, "none --target-name a.txt", None);

    tuf_init_no_root: "tuf-malformed", |tuf| {
        tuf.place.file("targets.json", tuf.repository.file("2.targets.json"));
        "tuf --metadata-dir new init targets.json"
    };
    tuf_untrusted: "tuf-threshold", |tuf| {
        serve(&tuf, |repository| repository.forge_by("timestamp", &[Key::ed25519("another")], |_| {}));
        tuf.line("refresh")
    };
    tuf_rollback: "tuf-rollback", |tuf| {
        tuf.run("refresh").is(0);
        tuf.place.file("site/metadata/timestamp.json", Repository::new().file("timestamp.json"));
        tuf.line("refresh")
    };
    tuf_expired: "tuf-expired", |tuf| tuf.line("refresh").replace(AT, "2031-01-01T00:00:00Z");
    tuf_wrong_length: "tuf-length", |tuf| {
        tuf.site.fault(Fault::new(Action::Fill(b"{".to_vec(), b' ', None)).path("targets.json"));
        tuf.line("refresh")
    };
    tuf_offline_expired: "tuf-expired", |tuf| {
        tuf.run("refresh").is(0);
        "tuf --metadata-dir store --offline --at 2031-01-01T00:00:00Z refresh"
    };

    tuf_target_length: "target-length", |tuf| download(&tuf, "a.txt", Some(Action::Body(b"content of a, and more".to_vec())));
    tuf_target_hash: "target-hash", |tuf| download(&tuf, "a.txt", Some(Action::Body(b"CONTENT OF A".to_vec())));
    tuf_worst_of_two: "no-such-target", |tuf| download(&tuf, "a.txt --target-name none", Some(Action::Body(b"CONTENT OF A".to_vec())));
}
