//! What test harnesses rely on: the verbs, the options before them in any order, the files of the store, the exits.

use touchmark_test_registry::{Action, Fault, Site};
use touchmark_test_tuf_repository::{Delegation, Repository};

use super::{AT, Tuf};
use crate::harness::Place;

#[test]
fn init_copies_the_root_byte_for_byte_and_nothing_else() {
    let tuf = Tuf::new();
    assert_eq!(tuf.stored(), ["root.json"]);
    assert_eq!(tuf.place.read("store/root.json"), tuf.place.read("trusted.json"));
    assert!(tuf.asked().is_empty(), "nobody is asked");
}

#[test]
fn init_again_changes_nothing_and_another_root_is_refused() {
    let mut tuf = Tuf::new();
    tuf.run("refresh").is(0);
    tuf.run("init trusted.json").is(0);
    assert_eq!(tuf.stored(), ["root.json", "snapshot.json", "targets.json", "timestamp.json"]);
    tuf.repository.expire("root", "2031-01-01T00:00:00Z");
    tuf.publish();
    tuf.run("refresh").is(0);
    assert_eq!(tuf.refused(2, "init trusted.json"), "tuf-another-root");
    assert_eq!(tuf.place.read("store/root.json"), tuf.repository.file("2.root.json"));
}

#[test]
fn init_with_what_is_no_root_is_refused_and_makes_nothing() {
    let tuf = Tuf::new();
    let mut forged = tuf.repository.clone();
    forged.tamper("root", |document| touchmark_test_tuf_repository::set(document, "/signed/version", 7_u64));
    for (name, bytes, code) in [
        ("forged.json", forged.file("1.root.json").to_vec(), 5),
        ("targets.json", tuf.repository.file("2.targets.json").to_vec(), 5),
        ("empty.json", Vec::new(), 5),
        ("large.json", vec![b' '; 600 << 10], 2),
    ] {
        tuf.place.file(name, bytes);
        tuf.place.run(&format!("tuf --metadata-dir other init {name}")).is(code);
        assert!(!tuf.place.path("other").exists(), "{name}");
    }
    tuf.place.run("tuf --metadata-dir other init none.json").is(2);
}

#[test]
fn refresh_keeps_the_received_bytes_and_asks_in_the_order_of_the_specification() {
    let tuf = Tuf::new();
    let ran = tuf.run("refresh").is(0);
    assert_eq!(ran.stdout.lines().next(), Some("root 1 2030-01-01T00:00:00Z"));
    assert_eq!(tuf.asked(), ["2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"]);
    for (stored, published) in [("timestamp", "timestamp"), ("snapshot", "2.snapshot"), ("targets", "2.targets")] {
        assert_eq!(tuf.place.read(&format!("store/{stored}.json")), tuf.repository.file(&format!("{published}.json")));
    }
    tuf.run("refresh").is(0);
    assert_eq!(tuf.asked(), ["2.root.json", "timestamp.json"], "nothing changed");
}

#[test]
fn options_come_in_any_order_before_the_verb() {
    let tuf = Tuf::new();
    let url = tuf.site.url();
    let options = [
        "--metadata-dir store".to_owned(),
        format!("--metadata-url {url}metadata/"),
        "--target-name a.txt".to_owned(),
        "--target-name acme/b.txt".to_owned(),
        "--target-dir out".to_owned(),
        format!("--target-base-url {url}targets/"),
        format!("--at {AT}"),
    ];
    for turn in 0..options.len() {
        let mut turned = options.clone();
        turned.rotate_left(turn);
        let ran = tuf.place.run(&format!("tuf {} download", turned.join(" "))).is(0);
        let mut lines: Vec<&str> = ran.stdout.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["out/a.txt", "out/acme%2Fb.txt"], "in the order of the targets, which was turned too");
    }
}

#[test]
fn a_url_needs_no_slash_at_its_end_and_may_be_a_folder() {
    let tuf = Tuf::new();
    let folder = tuf.place.path("site").display().to_string();
    let bases = [
        (format!("{}metadata", tuf.site.url()), format!("{}targets", tuf.site.url())),
        ("site/metadata".to_owned(), "site/targets/".to_owned()),
        (format!("file://{folder}/metadata/"), format!("file://localhost{folder}/targets")),
    ];
    for (number, (metadata, targets)) in bases.iter().enumerate() {
        let store = format!("tuf --metadata-dir store-{number}");
        tuf.place.run(&format!("{store} init trusted.json")).is(0);
        let download = format!("--target-name acme/b.txt --target-dir out-{number} --target-base-url {targets} download");
        tuf.place.run(&format!("{store} --metadata-url {metadata} --at {AT} {download}")).is(0);
        assert_eq!(tuf.place.read(&format!("out-{number}/acme%2Fb.txt")), b"content of b");
    }
}

#[test]
fn lookup_prints_length_and_digests_and_fetches_no_target() {
    let tuf = Tuf::new();
    let ran = tuf.run("--target-name acme/b.txt lookup").is(0);
    let hash = touchmark_test_registry::sha256(b"content of b");
    assert_eq!(ran.stdout, format!("12 {hash} acme/b.txt\n"));
    assert_eq!(tuf.asked().last().unwrap(), "1.acme.json");
    let document = tuf.place.json(&tuf.line("--target-name acme/b.txt lookup"), 0);
    let result = &document["results"][0];
    assert_eq!((result["role"].as_str(), result["length"].as_u64()), (Some("acme"), Some(12)));
    assert_eq!(format!("sha256:{}", result["hashes"]["sha256"].as_str().unwrap()), hash);
}

#[test]
fn refresh_says_versions_and_expiry_in_json() {
    let tuf = Tuf::new();
    let document = tuf.place.json(&tuf.line("refresh"), 0);
    let roles = document["results"][0]["roles"].as_array().unwrap();
    let versions: Vec<_> = roles.iter().map(|role| (role["role"].as_str().unwrap(), role["version"].as_u64().unwrap())).collect();
    assert_eq!(versions, [("root", 1), ("timestamp", 2), ("snapshot", 2), ("targets", 2)]);
    assert_eq!(document["results"][0]["at"], AT);
}

#[test]
fn a_target_that_no_role_lists_is_could_not_find_out_and_no_failure_is_taken_for_it() {
    let tuf = Tuf::new();
    assert_eq!(tuf.refused(4, "--target-name none lookup"), "no-such-target");
    // The role that might list it is not to be had.
    tuf.site.fault(Fault::new(Action::status(404)).path("acme.json"));
    assert_eq!(tuf.refused(4, "--target-name acme/none lookup"), "tuf-missing");
    tuf.site.clear_faults();
    tuf.site.fault(Fault::new(Action::status(500)).path("acme.json"));
    assert_eq!(tuf.refused(4, "--target-name acme/none lookup"), "tuf-fetch");
}

#[test]
fn each_target_is_answered_for_itself() {
    let tuf = Tuf::new();
    let ran = tuf.run(&format!("--target-name none --target-name a.txt {} download", tuf.download_options())).is(4);
    assert_eq!(ran.stdout, "out/a.txt\n");
    assert_eq!(tuf.place.read("out/a.txt"), b"content of a");
}

#[test]
fn what_is_missing_on_the_command_line_is_said() {
    let tuf = Tuf::new();
    for (line, missing) in [
        ("tuf refresh", "--metadata-dir"),
        ("tuf --metadata-dir store refresh", "--metadata-url"),
        ("tuf --metadata-dir store --metadata-url site/metadata lookup", "--target-name"),
        ("tuf --metadata-dir store --metadata-url site/metadata --target-name a.txt download", "--target-dir"),
        ("tuf --metadata-dir store --metadata-url site/metadata --target-name a.txt --target-dir out download", "--target-base-url"),
        ("tuf --metadata-dir store --metadata-url ftp://h/ refresh", "ftp://"),
        ("tuf --metadata-dir store --metadata-url http://h/?secret=1 refresh", "query"),
        ("tuf --metadata-dir store --metadata-url http://u:p@h/ refresh", "user name"),
        ("tuf --metadata-dir store --metadata-url site/metadata --target-name ../x lookup", "../x"),
        ("tuf --metadata-dir store --metadata-url site/metadata --plain-http refresh", "--plain-http"),
    ] {
        let ran = tuf.place.run(line).is(2).says(missing);
        assert!(!ran.stderr.contains("secret=1") && !ran.stderr.contains("u:p"), "{ran:?}");
    }
}

#[test]
fn without_a_trusted_root_nothing_is_asked() {
    let tuf = Tuf::new();
    let elsewhere = tuf.options().replace("store", "elsewhere");
    assert_eq!(tuf.place.json(&format!("tuf {elsewhere} refresh"), 2)["results"][0]["error"]["code"], "tuf-no-root");
    tuf.place.file("elsewhere/other", b"");
    assert_eq!(tuf.place.json(&format!("tuf {elsewhere} refresh"), 2)["results"][0]["error"]["code"], "tuf-no-root");
    assert!(tuf.asked().is_empty());
}

#[test]
fn offline_the_store_alone_is_used_and_expiry_still_counts() {
    let tuf = Tuf::new();
    let offline = |at: &str| format!("tuf --metadata-dir store --offline --at {at} --target-name a.txt lookup");
    tuf.place.run(&offline(AT)).is(4);
    tuf.run("--target-name acme/b.txt lookup").is(0);
    tuf.asked();
    tuf.place.run(&offline(AT)).is(0);
    assert_eq!(tuf.place.json(&offline("2031-01-01T00:00:00Z"), 5)["results"][0]["error"]["code"], "tuf-expired");
    assert!(tuf.asked().is_empty());
}

/// As from a medium that cannot be written, and whoever else has the lock.
#[test]
fn offline_nothing_is_written_and_nobody_waited_for() {
    let tuf = Tuf::new();
    tuf.run("--target-name acme/b.txt lookup").is(0);
    std::fs::remove_file(tuf.place.path("store/.touchmark.lock")).unwrap();
    let before = tuf.stored();
    let offline = format!("tuf --metadata-dir store --offline --at {AT} --target-name acme/b.txt lookup");
    tuf.place.run(&offline).is(0);
    assert!(tuf.stored() == before && !tuf.place.path("store/.touchmark.lock").exists(), "not even a lock");
    let lock = std::fs::File::create(tuf.place.path("store/.touchmark.lock")).unwrap();
    lock.lock().unwrap();
    tuf.place.run(&offline).is(0);
}

#[test]
fn a_failed_step_keeps_what_was_verified_before_it() {
    let mut tuf = Tuf::new();
    tuf.run("refresh").is(0);
    tuf.repository.expire("root", "2031-01-01T00:00:00Z");
    tuf.repository.expire("targets", "2031-01-01T00:00:00Z");
    tuf.publish();
    tuf.site.fault(Fault::new(Action::status(503)).path("targets.json"));
    assert_eq!(tuf.refused(4, "refresh"), "tuf-fetch");
    for (stored, published) in [("root", "2.root"), ("timestamp", "timestamp"), ("snapshot", "3.snapshot"), ("targets", "2.targets")] {
        assert_eq!(tuf.place.read(&format!("store/{stored}.json")), tuf.repository.file(&format!("{published}.json")), "{stored}");
    }
    tuf.site.clear_faults();
    tuf.asked();
    tuf.run("refresh").is(0);
    assert_eq!(tuf.asked(), ["3.root.json", "timestamp.json", "3.targets.json"]);
}

#[test]
fn help_has_the_verbs_and_the_short_list_of_commands_does_not_have_it() {
    let place = Place::new();
    let help = place.ok("tuf --help");
    for verb in ["init", "refresh", "lookup", "download"] {
        assert!(help.contains(verb), "{help}");
    }
    assert!(!help.contains("--plain-http"), "{help}");
    assert!(!place.ok("--help").contains("tuf "));
}

#[test]
fn a_succinct_bin_ends_the_search_only_if_that_is_asked_for() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("binned").paths(&["*"]));
    repository.delegate("binned", Delegation::bins("bin", 1));
    repository.delegate("targets", Delegation::new("after").paths(&["*"]));
    repository.add_target("after", "x", b"content");
    repository.publish();
    let tuf = Tuf::of(repository);
    tuf.run("--target-name x lookup").is(0);
    assert_eq!(tuf.refused(4, "--succinct-terminating --target-name x lookup"), "no-such-target");
}

#[test]
fn a_password_answers_the_server_that_asks_for_it_and_no_other() {
    let tuf = Tuf::new();
    tuf.site.ask_for("alice", "secret");
    let other = Site::start(tuf.place.path("site"));
    other.ask_for("alice", "secret");
    assert_eq!(tuf.refused(4, "refresh"), "tuf-fetch");
    tuf.run("refresh").is(4).says("touchmark login");
    let line = tuf.line("--username alice --password-stdin refresh");
    tuf.place.run_with_input(&line, b"secret").is(0);
    assert!(tuf.site.log().iter().any(|logged| logged.authorization.is_some()));
    // Led elsewhere it is shown to nobody.
    tuf.site.fault(Fault::new(Action::Redirect(format!("{}metadata/timestamp.json", other.url()))).path("timestamp.json"));
    tuf.place.run_with_input(&line, b"secret").is(4);
    assert!(!other.log().is_empty() && other.log().iter().all(|logged| logged.authorization.is_none()));
    // Nor is it taken for two.
    let two = format!(
        "--username alice --password-stdin --target-name a.txt --target-dir out --target-base-url {}targets/ download",
        other.url()
    );
    tuf.place.run_with_input(&tuf.line(&two), b"secret").is(2).says("--username is for one server");
}
