//! The verify command against `testdata/layouts/signed`, which openssl and a script made without any of this code.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::ffi::OsString;
use std::path::Path;

use touchmark::envelope::json::{self, Value};
use touchmark_verify::args::{self, Command};

struct Ran {
    code: u8,
    out: String,
    err: String,
}

/// Runs verify with these words, in which LAYOUT, ALICE and BOB stand for the test data.
fn verify(line: &str) -> Ran {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/layouts");
    let file = |name: &str| data.join(name).display().to_string();
    let line =
        line.replace("LAYOUT", &format!("oci:{}", file("signed"))).replace("ALICE", &file("alice.pub")).replace("BOB", &file("bob.pub"));
    let command = args::parse(line.split_whitespace().map(OsString::from));
    let Ok(Command::Verify(options)) = command else { panic!("{line}: {command:?}") };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = touchmark_verify::run(&options, &mut out, &mut err).code();
    Ran { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

#[track_caller]
fn is(code: u8, line: &str) -> Ran {
    let ran = verify(line);
    assert_eq!(ran.code, code, "{line}: {}", ran.err);
    ran
}

#[test]
fn both_kinds_of_key_verify() {
    for line in [
        "LAYOUT:v1 --key ALICE --name acme/x:1",
        "LAYOUT:v1 --key BOB --name acme/x:*",
        "LAYOUT:v1 --key BOB --name acme/x --any-version",
        "LAYOUT:v1 --key ALICE --key BOB --threshold 2 --name acme/x:1 --deep",
        "LAYOUT:v1 --key ALICE --at 2026-11-30T12:00:00+01:00",
        "LAYOUT:v1 --key ALICE --type slsa-v1",
        "LAYOUT:v1 --key ALICE --type slsa-v1 --type urn:touchmark:predicate:signature:v1",
        "LAYOUT:multi --key ALICE --name acme/multi:1",
        // The one artifact that is neither a referrer nor a child.
        "LAYOUT --key ALICE --name acme/multi:1",
    ] {
        let ran = is(0, line);
        assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
        let (place, digest) = ran.out.trim_end().rsplit_once('@').unwrap();
        assert!(place.starts_with("oci:") && place.ends_with("signed") && digest.starts_with("sha256:"), "{}", ran.out);
    }
}

#[test]
fn what_is_not_there_is_refused() {
    for (code, line) in [
        (1, "LAYOUT:v1 --key ALICE --name acme/x:2"),
        (1, "LAYOUT:v1 --key ALICE --name acme/x"),
        (1, "LAYOUT:v1 --key ALICE --name acme/y:1"),
        (1, "LAYOUT:v1 --key ALICE --annotation stage=release"),
        (1, "LAYOUT:multi --key BOB"),
        (1, "LAYOUT:multi --key ALICE --key BOB --threshold 2"),
        (3, "LAYOUT:unsigned --key ALICE"),
        (3, "LAYOUT:v1 --key ALICE --type spdx"),
        (4, "LAYOUT:nothing --key ALICE"),
        (2, "LAYOUT:v1 --key ALICE --key ALICE --threshold 2"),
        (2, "LAYOUT:v1 --key LAYOUT"),
        (2, "nowhere:v1 --key ALICE"),
        (2, "LAYOUT:v1 --key ALICE --platform linux"),
        (2, "LAYOUT:v1 --key ALICE --annotation a=1 --annotation a=2"),
        (4, "LAYOUT:v1 --key ALICE --max-envelope-size 64"),
        (4, "LAYOUT:v1 --key ALICE --max-manifest-size 64"),
    ] {
        let ran = is(code, line);
        assert!(ran.out.is_empty() && ran.err.starts_with("error: "), "{line}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn a_signed_index_covers_its_children_only_when_it_is_named() {
    let by_platform = is(0, "LAYOUT:multi --key ALICE --platform linux/arm64");
    let by_index = is(0, "LAYOUT:unsigned --key ALICE --covered-by LAYOUT:multi");
    assert_eq!(by_platform.out, by_index.out);
    assert!(by_index.err.contains("covered by the signed index sha256:"), "{}", by_index.err);
    is(3, "LAYOUT:unsigned --key ALICE");
    is(4, "LAYOUT:multi --key ALICE --platform linux/s390x");
    is(1, "LAYOUT:multi --key ALICE --covered-by LAYOUT:v1");
    let elsewhere = is(2, "LAYOUT:unsigned --key ALICE --covered-by oci:elsewhere:multi");
    assert!(elsewhere.err.contains("must be where the artifact is"), "{}", elsewhere.err);
}

#[test]
fn a_tag_beside_a_digest_is_looked_at_only_when_asked() {
    let pin = is(0, "LAYOUT:v1 --key ALICE").out;
    let digest = pin.trim_end().rsplit_once('@').unwrap().1;
    is(0, &format!("LAYOUT:v1@{digest} --key ALICE --check-tag"));
    is(0, &format!("LAYOUT:unsigned@{digest} --key ALICE"));
    let moved = is(1, &format!("LAYOUT:unsigned@{digest} --key ALICE --check-tag"));
    assert!(moved.err.contains("the tag unsigned leads to sha256:"), "{}", moved.err);
}

#[test]
fn talk_says_what_was_not_asked() {
    let loose = is(0, "LAYOUT:v1 --key ALICE --key BOB");
    assert!(loose.err.contains("1 of 2 keys suffices"), "{}", loose.err);
    assert!(loose.err.contains("signed as acme/x:1, name not checked"), "{}", loose.err);
    let strict = is(0, "LAYOUT:v1 --key ALICE --key BOB --threshold 1 --name acme/x:1");
    assert!(!strict.err.contains("suffices") && !strict.err.contains("not checked"), "{}", strict.err);
    let doubled = is(0, "LAYOUT:v1 --key ALICE --key ALICE");
    assert!(doubled.err.contains("2 keys were given, 1 of them distinct"), "{}", doubled.err);
    assert!(is(0, "LAYOUT:v1 --key ALICE --at 2026-12-01T00:00:00Z").err.contains("as of 2026-12-01T00:00:00Z"));
    let other = is(1, "LAYOUT:v1 --key ALICE --name acme/x");
    assert!(other.err.contains("signed as acme/x:1, wanted acme/x; try --any-version"), "{}", other.err);
    assert_eq!(is(0, "LAYOUT:v1 --key ALICE --quiet").err, "");
}

#[test]
fn print_replaces_the_pin_and_keeps_numbers_as_they_were_signed() {
    let predicate = is(0, "LAYOUT:v1 --key ALICE --type slsa-v1 --print predicate");
    assert_eq!(predicate.out, "{\"buildDefinition\":{\"buildType\":\"https://example.com/build\"},\"score\":9.80}\n");
    let statement = is(0, "LAYOUT:v1 --key ALICE --print statement");
    let document = json::parse(statement.out.trim_end().as_bytes(), statement.out.len()).unwrap();
    assert_eq!(document.get("predicateType").and_then(Value::as_str), Some("urn:touchmark:predicate:signature:v1"));
}

#[test]
fn several_references_end_as_the_worst_of_them() {
    let ran = is(3, "LAYOUT:v1 LAYOUT:unsigned LAYOUT:nothing --key ALICE");
    assert_eq!(ran.out.lines().count(), 1);
    is(1, "LAYOUT:unsigned LAYOUT:v1 --key ALICE --name acme/y:1 LAYOUT:v1");
    let document = is(3, "LAYOUT:v1 LAYOUT:unsigned LAYOUT:nothing --key ALICE --format json").out;
    let document = json::parse(document.as_bytes(), document.len()).unwrap();
    let results = document.get("results").and_then(Value::as_array).unwrap();
    let codes: Vec<Option<u64>> = results.iter().map(|result| result.get("exit_code").and_then(Value::as_u64)).collect();
    assert_eq!(codes, [Some(0), Some(3), Some(4)]);
}

#[test]
fn references_come_from_a_file_too() {
    let list = Path::new(env!("CARGO_TARGET_TMPDIR")).join("references");
    let layout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/layouts/signed");
    std::fs::write(&list, format!("# a comment\n\n  oci:{0}:v1  \r\noci:{0}:multi", layout.display())).unwrap();
    let line = format!("--refs-from {} --key ALICE", list.display());
    assert_eq!(is(0, &line).out.lines().count(), 2);
    std::fs::write(&list, "# nothing\n").unwrap();
    is(2, &line);
    is(2, "--refs-from no-such-file --key ALICE");
}

#[test]
fn a_private_key_is_a_usage_error() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("private.pem");
    // RFC 8410, 10.3: the example of a private key.
    let text = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    std::fs::write(&file, text).unwrap();
    let ran = is(2, &format!("LAYOUT:v1 --key {}", file.display()));
    assert!(ran.err.contains("private key") && !ran.err.contains("MC4C"), "{}", ran.err);
}
