//! Hostile repositories: each run ends by itself, with the right code, in little memory.

use std::path::Path;
use std::time::Duration;

use touchmark_test_registry::{Action, Fault, Site};
use touchmark_test_tuf_repository::{Delegation, Form, Key, Repository};

use super::Tuf;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Runs a program and prints its exit code and its peak memory in KiB, as the kernel knows them when it has ended.
const MEASURE: &str = "
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
";

/// Asserts how a command ends, that it says so with this code, and that it takes less than `memory` bytes.
#[track_caller]
fn ends_with(tuf: &Tuf, (code, name): (i32, &str), memory: u64, rest: &str) {
    let mut python = tuf.place.command(Path::new("python3"), "");
    python.args(["-c", MEASURE, env!("CARGO_BIN_EXE_touchmark")]).args(tuf.line(rest).split_whitespace());
    let measured = String::from_utf8(python.output().expect("python3 measures memory").stdout).unwrap();
    let (ended, kibibytes) = measured.trim().split_once(' ').unwrap_or_else(|| panic!("not measured: {measured:?}"));
    let used = kibibytes.parse::<u64>().unwrap() * 1024;
    assert_eq!(ended, code.to_string(), "{rest}");
    eprintln!("{name}: exit {ended}, {:.1} MiB", used as f64 / MIB as f64);
    assert!(used < memory, "{rest}: {} MiB", used / MIB);
    if code != 0 {
        assert_eq!(tuf.refused(code, rest), name);
    }
}

/// What a refresh may take that takes in nothing large.
const SMALL: u64 = 48 * MIB;

#[test]
fn endless_metadata_ends_at_the_limit_or_at_its_listed_length() {
    for (file, ending, option) in [
        ("2.root.json", (4, "tuf-fetch"), Some("--max-root-size")),
        ("timestamp.json", (4, "tuf-fetch"), Some("--max-timestamp-size")),
        // Of these the length is listed: more bytes are no question of a limit.
        ("2.snapshot.json", (5, "tuf-length"), None),
        ("2.targets.json", (5, "tuf-length"), None),
    ] {
        for length in [None, Some(GIB)] {
            let tuf = Tuf::new();
            tuf.site.fault(Fault::new(Action::Fill(b"{\"signed\":{".to_vec(), b' ', length)).path(file));
            ends_with(&tuf, ending, SMALL, "refresh");
            let ran = tuf.run("refresh").is(ending.0);
            assert_eq!(ran.stderr.contains("--max-"), option.is_some(), "{ran:?}");
            assert!(option.is_none_or(|option| ran.stderr.contains(option)), "{ran:?}");
        }
    }
}

/// A kilobyte that would be a megabyte of metadata, and so on: nothing is unpacked that was not asked for.
#[test]
fn general_a_gzip_bomb_is_not_unpacked() {
    let python = std::process::Command::new("python3")
        .args(["-c", "import gzip, sys; sys.stdout.buffer.write(gzip.compress(b' ' * (32 << 20)))"])
        .output()
        .expect("python3 packs it");
    let bomb = python.stdout;
    assert!(bomb.len() > 1000 && bomb.len() < 60_000, "{}", bomb.len());
    let tuf = Tuf::new();
    let packed = vec![("Content-Encoding".to_owned(), "gzip".to_owned())];
    tuf.site.fault(Fault::new(Action::Status(200, packed, bomb)).path("timestamp.json"));
    ends_with(&tuf, (5, "tuf-document"), 24 * MIB, "refresh");
}

#[test]
fn endless_metadata_without_a_listed_length_ends_at_the_limit() {
    for (file, option) in [("1.snapshot.json", "--max-snapshot-size"), ("1.targets.json", "--max-targets-size")] {
        let tuf = Tuf::of(Repository::new());
        tuf.site.fault(Fault::new(Action::Fill(b"{\"signed\":{".to_vec(), b' ', None)).path(file));
        ends_with(&tuf, (4, "tuf-fetch"), 192 * MIB, "refresh");
        ends_with(&tuf, (4, "tuf-fetch"), SMALL, &format!("{option} 100KiB refresh"));
        tuf.run(&format!("{option} 100KiB refresh")).is(4).says(option);
    }
}

/// A root that was taken under a raised limit stays there, and the next run without it says which.
#[test]
fn a_stored_file_that_is_larger_than_the_limit_names_the_option() {
    let mut repository = Repository::new();
    repository.set("root", "/x-size", "x".repeat(600 << 10));
    repository.publish();
    let tuf = Tuf::new();
    tuf.place.file("large.json", repository.file("2.root.json"));
    repository.write_to(&tuf.place.path("site")).unwrap();
    let store = |rest: &str| tuf.line(rest).replace("--metadata-dir store", "--metadata-dir other");
    tuf.place.run(&store("--max-root-size 1MiB init large.json")).is(0);
    tuf.place.run(&store("--max-root-size 1MiB refresh")).is(0);
    for command in ["refresh", "--offline refresh"] {
        tuf.place.run(&store(command)).is(4).says("--max-root-size");
    }
    tuf.place.run(&store("--max-root-size 1MiB --offline refresh")).is(0);
    for (option, size) in [("--max-timestamp-size", 100), ("--max-snapshot-size", 100), ("--max-targets-size", 100)] {
        tuf.place
            .run(&store(&format!("--max-root-size 1MiB {option} {size} --max-listed-size 100 --offline refresh")))
            .is(4)
            .says("--max-");
    }
}

#[test]
fn roles_that_take_too_much_together_end_the_search_and_name_the_option() {
    let mut repository = Repository::new();
    for number in 0..20 {
        let name = format!("role{number}");
        repository.delegate("targets", Delegation::new(&name).paths(&["x"]));
        repository.set(&name, "/x-size", "x".repeat(1 << 20));
    }
    repository.publish();
    let tuf = Tuf::of(repository);
    ends_with(&tuf, (4, "tuf-too-much-metadata"), SMALL, "--max-total-size 4MiB --target-name x lookup");
    tuf.run("--max-total-size 4MiB --target-name x lookup").is(4).says("--max-total-size");
    assert_eq!(tuf.refused(4, "--target-name x lookup"), "no-such-target");
}

#[test]
fn metadata_that_drips_or_never_comes_is_could_not_find_out() {
    for action in [Action::Drip(Duration::from_millis(100)), Action::Hang] {
        for file in ["2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"] {
            let tuf = Tuf::new();
            if file == "2.root.json" {
                tuf.place.file("site/metadata/2.root.json", tuf.repository.file("1.root.json"));
            }
            tuf.site.fault(Fault::new(action.clone()).path(file));
            assert_eq!(tuf.refused(4, "--timeout 300ms refresh"), "tuf-fetch", "{file}");
        }
    }
}

#[test]
fn what_a_server_refuses_is_never_absent() {
    for file in ["2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json", "1.acme.json"] {
        for action in [
            Action::status(500),
            Action::status(429),
            Action::status(401),
            Action::status(410),
            Action::status(204),
            Action::Reset,
            Action::Truncate(3),
        ] {
            let tuf = Tuf::new();
            if file == "2.root.json" {
                tuf.place.file("site/metadata/2.root.json", tuf.repository.file("1.root.json"));
            }
            tuf.site.fault(Fault::new(action.clone()).path(file));
            assert_eq!(tuf.refused(4, "--target-name acme/b.txt lookup"), "tuf-fetch", "{file}: {action:?}");
        }
    }
}

#[test]
fn nobody_at_the_address_is_could_not_find_out() {
    let tuf = Tuf::new();
    let gone = Site::start(tuf.place.path("site")).url();
    let line = tuf.line("refresh").replace(&tuf.site.url(), &gone);
    assert_eq!(tuf.place.json(&line, 4)["results"][0]["error"]["code"], "tuf-fetch");
    for folder in ["none", "trusted.json"] {
        let line = format!("tuf --metadata-dir store --metadata-url {folder} --at {} refresh", super::AT);
        assert_eq!(tuf.place.json(&line, 4)["results"][0]["error"]["code"], "tuf-fetch", "a folder that is not there lacks no file");
    }
}

#[test]
fn an_object_store_that_forbids_what_is_not_there_has_no_newer_root() {
    let tuf = Tuf::new();
    tuf.site.fault(Fault::new(Action::status(403)).path("2.root.json"));
    tuf.run("refresh").is(0);
    for file in ["timestamp.json", "1.acme.json"] {
        tuf.site.fault(Fault::new(Action::status(403)).path(file));
        assert_eq!(tuf.refused(4, "--target-name acme/b.txt lookup"), "tuf-fetch", "{file}");
        tuf.site.clear_faults();
    }
}

#[test]
fn a_redirect_to_another_host_is_followed_and_what_it_gives_is_verified() {
    let tuf = Tuf::new();
    let mut evil = tuf.repository.clone();
    evil.forge_by("timestamp", &[Key::ed25519("another")], |_| {});
    evil.write_to(&tuf.place.path("evil")).unwrap();
    let other = Site::start(tuf.place.path("evil"));
    tuf.site.fault(Fault::new(Action::Redirect(format!("{}metadata/timestamp.json", other.url()))).path("timestamp.json"));
    assert_eq!(tuf.refused(5, "refresh"), "tuf-threshold");
    tuf.repository.write_to(&tuf.place.path("evil")).unwrap();
    tuf.run("refresh").is(0);
    assert!(!other.log().is_empty());
}

#[test]
fn redirects_without_an_end_are_could_not_find_out() {
    let tuf = Tuf::new();
    tuf.site.fault(Fault::new(Action::Redirect("/metadata/timestamp.json".to_owned())).path("timestamp.json"));
    assert_eq!(tuf.refused(4, "refresh"), "tuf-fetch");
    assert!(tuf.site.log().len() < 40);
}

/// Ten thousand roots, each rightly signed.
#[test]
fn ten_thousand_roots_are_taken_as_many_at_a_time_as_the_limit_says() {
    let mut repository = Repository::new();
    let first = repository.clone();
    for _ in 0..10_000 {
        repository.bump("root");
        repository.sign("root");
    }
    let tuf = Tuf::of(first);
    repository.write_to(&tuf.place.path("site")).unwrap();
    ends_with(&tuf, (4, "tuf-too-many-roots"), SMALL, "refresh");
    // Both runs kept what they took.
    let version = |tuf: &Tuf| -> u64 {
        let root: serde_json::Value = serde_json::from_slice(&tuf.place.read("store/root.json")).unwrap();
        root["signed"]["version"].as_u64().unwrap()
    };
    assert_eq!(version(&tuf), 1 + 2 * 256);
    tuf.run("--max-roots 20000 refresh").is(0);
    assert_eq!(version(&tuf), 10_001);
}

/// One role delegates to ten thousand, each of which matches.
#[test]
fn ten_thousand_delegations_end_at_the_limit_of_roles() {
    let mut repository = Repository::new();
    let key = Key::ed25519("all");
    let roles: Vec<String> = (0..10_000)
        .map(|number| format!(r#"{{"keyids":["{}"],"name":"r{number}","paths":["*"],"terminating":false,"threshold":1}}"#, key.keyid()))
        .collect();
    let delegations =
        format!(r#"{{"keys":{{"{}":{}}},"roles":[{}]}}"#, key.keyid(), String::from_utf8(key.json().to_vec()).unwrap(), roles.join(","));
    // Some of them are there, more than are visited.
    for number in 0..200 {
        repository.delegate("targets", Delegation::new(&format!("r{number}")).paths(&["*"]).keys(1, std::slice::from_ref(&key)));
    }
    repository.set("targets", "/delegations", touchmark_test_tuf_repository::json(&delegations));
    repository.publish();
    let tuf = Tuf::of(repository);
    ends_with(&tuf, (4, "tuf-too-many-roles"), 64 * MIB, "--target-name x lookup");
    tuf.site.clear_log();
    assert_eq!(tuf.refused(4, "--max-roles 10 --target-name x lookup"), "tuf-too-many-roles");
    assert!(tuf.site.log().len() < 20);
    tuf.run("--max-roles 10 --target-name x lookup").is(4).says("--max-roles");
}

#[test]
fn a_cycle_of_delegations_ends() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("a").paths(&["*"]));
    repository.delegate("a", Delegation::new("b").paths(&["*"]));
    repository.delegate("b", Delegation::new("a").paths(&["*"]));
    repository.delegate("b", Delegation::new("b").paths(&["*"]));
    repository.publish();
    let tuf = Tuf::of(repository);
    ends_with(&tuf, (4, "no-such-target"), SMALL, "--target-name x lookup");
    let asked = tuf.asked();
    assert_eq!(asked.iter().filter(|path| path.ends_with(".a.json")).count(), 1, "{asked:?}");
}

/// No request takes too long; there are too many.
#[test]
fn an_update_that_takes_too_long_in_all_is_could_not_find_out_and_keeps_what_it_took() {
    let mut repository = Repository::new();
    let first = repository.clone();
    for _ in 0..20 {
        repository.bump("root");
        repository.sign("root");
    }
    let tuf = Tuf::of(first);
    repository.write_to(&tuf.place.path("site")).unwrap();
    tuf.site.fault(Fault::new(Action::Late(Duration::from_millis(300))).path("root.json"));
    assert_eq!(tuf.refused(4, "--max-time 2s refresh"), "tuf-out-of-time");
    let root: serde_json::Value = serde_json::from_slice(&tuf.place.read("store/root.json")).unwrap();
    assert!((2..21).contains(&root["signed"]["version"].as_u64().unwrap()), "{}", root["signed"]["version"]);
    tuf.run("--max-time 1s refresh").is(4).says("--max-time");
    tuf.site.clear_faults();
    tuf.run("--max-time 1h refresh").is(0);
    // A server that answers nothing is not waited for longer either.
    tuf.site.fault(Fault::new(Action::Hang).path("timestamp.json"));
    assert_eq!(tuf.refused(4, "--max-time 300ms refresh"), "tuf-out-of-time");
}

/// A byte now and then is below the least pace only once a whole timeout is over, and each of five tries could take as long.
#[test]
fn a_request_that_drips_or_hangs_ends_with_the_time_of_the_update_and_is_not_sent_again() {
    for action in [Action::Drip(Duration::from_millis(200)), Action::Hang] {
        let tuf = Tuf::new();
        tuf.site.fault(Fault::new(action.clone()).path("timestamp.json"));
        tuf.site.clear_log();
        let line = tuf.line("--max-time 2s refresh").replace("--retries 0", "--retries 4");
        let said = tuf.place.json(&line, 4);
        assert_eq!(said["results"][0]["error"]["code"], "tuf-out-of-time", "{said:#}");
        assert_eq!(tuf.asked().iter().filter(|path| *path == "timestamp.json").count(), 1, "{action:?}");
    }
}

#[test]
fn a_pause_that_a_server_asks_for_beyond_the_time_of_the_update_is_not_waited_for() {
    let tuf = Tuf::new();
    tuf.site.fault(Fault::new(Action::status(503).with("Retry-After", "29")).path("timestamp.json"));
    tuf.site.clear_log();
    let line = tuf.line("--max-time 20s refresh").replace("--retries 0", "--retries 4");
    let said = tuf.place.json(&line, 4);
    assert_eq!(said["results"][0]["error"]["code"], "tuf-fetch", "the server's own words are told: {said:#}");
    assert_eq!(tuf.asked().iter().filter(|path| *path == "timestamp.json").count(), 1);
}

/// A million bytes of spaces, of nesting, of members: malformed or well formed, it ends soon.
#[test]
fn large_documents_of_little_content_are_bounded() {
    let deep = "[".repeat(900_000);
    let wide = format!(
        r#"{{"signed":{{{}}},"signatures":[]}}"#,
        (0..60_000).map(|number| format!(r#""{number}":0"#)).collect::<Vec<_>>().join(",")
    );
    for bytes in [" ".repeat(1_000_000), deep, wide] {
        let mut repository = Repository::new();
        repository.serve("1.targets.json", bytes.into_bytes());
        repository.describe("targets");
        repository.push("snapshot");
        let tuf = Tuf::of(repository);
        let mut python = tuf.place.command(Path::new("python3"), "");
        python.args(["-c", MEASURE, env!("CARGO_BIN_EXE_touchmark")]).args(tuf.line("refresh").split_whitespace());
        let measured = String::from_utf8(python.output().unwrap().stdout).unwrap();
        let (ended, kibibytes) = measured.trim().split_once(' ').unwrap();
        assert_eq!(ended, "5");
        assert!(kibibytes.parse::<u64>().unwrap() * 1024 < 128 * MIB, "{measured}");
    }
}

#[test]
fn indented_metadata_is_taken_too() {
    let mut repository = Repository::new();
    repository.form = Form::Indented;
    repository.add_target("targets", "a.txt", b"content of a");
    repository.publish();
    Tuf::of(repository).run("--target-name a.txt lookup").is(0);
}
