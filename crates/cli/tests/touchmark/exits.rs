//! The table of SPEC.md, "Exit codes": each row is a test of its name, and the code is the one that the table has.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use touchmark_test_registry::{Action, Authority, Fault, Immutable, Settings, TestRegistry, Tls};

use crate::forge::{Folder, Forger, MANIFEST, SIGNATURE, digest_of, sha256, signature_statement};
use crate::harness::{Place, Ran, digest};
use crate::remote::{REPOSITORY, filled};

/// The command and the code of each row.
pub(crate) fn table() -> BTreeMap<String, (String, i32)> {
    let text = include_str!("../../../../SPEC.md");
    let section = text.split(". Exit codes\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix("| `")?.split('|').map(str::trim).collect();
        let [name, _, command, code, _] = cells.as_slice() else { return None };
        Some((name.trim_matches('`').to_owned(), (command.trim_matches('`').to_owned(), code.parse().ok()?)))
    });
    rows.collect()
}

/// Runs what a row's situation ends in. Of `verify` both binaries and both formats are run, of the others the JSON form.
pub(crate) fn row(name: &str, place: &Place, line: &str) {
    let (command, code) = table().remove(name).unwrap_or_else(|| panic!("no row {name} in SPEC.md"));
    if command == "verify" {
        place.verify_is(code, line);
        return;
    }
    assert!(command == "any" || line.starts_with(&command), "{name}: {line}");
    let document = place.json(line, code);
    let worst = document["results"].as_array().unwrap().iter().any(|result| result["exit_code"] == code);
    assert!(worst, "{document:#}");
}

macro_rules! rows {
    ($($name:ident: |$place:ident| $line:expr;)*) => {
        $(#[test] fn $name() {
            let $place = situation();
            let line: String = { $line }.into();
            row(stringify!($name), &$place, &line);
        })*
        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

/// Rows whose end is not a plain run.
const OTHERS: [&str; 8] = [
    "closed_output",
    "help",
    "login_denied",
    "login_done",
    "login_unreachable",
    "no_command",
    "sign_to_full_disk",
    "trust_sign_to_full_disk",
];

#[test]
fn every_row_of_the_table_is_a_test() {
    let elsewhere = crate::tuf::exits::NAMES.iter().chain(crate::in_toto_exits::NAMES).chain(&crate::in_toto_exits::RUNS);
    let elsewhere = elsewhere.chain(crate::trust_exits::NAMES);
    let mut tests: Vec<&str> = NAMES.iter().chain(&OTHERS).chain(elsewhere).copied().collect();
    tests.sort_unstable();
    let table = table();
    assert_eq!(table.keys().map(String::as_str).collect::<Vec<_>>(), tests);
}

#[test]
fn closed_output() {
    let place = situation();
    place.ok("sign oci:lay:v1 --key alice");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    for line in ["verify oci:lay:v1 --key alice.pub", "tree oci:lay:v1", "--help", "key show alice.pub --format json", "completions bash"] {
        let status = place.touchmark(line).stdout(writer.try_clone().unwrap()).stderr(std::process::Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(table()["closed_output"].1), "{line}");
    }
}

#[test]
fn help() {
    let place = Place::new();
    for line in ["--help", "sign --help", "signature delete --help", "--version"] {
        let ran = place.run(line).is(table()["help"].1);
        assert!(!ran.stdout.is_empty() && ran.stderr.is_empty(), "{ran:?}");
    }
}

#[test]
fn no_command() {
    let ran = Place::new().run("").is(table()["no_command"].1);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("Usage"), "{ran:?}");
}

#[test]
fn sign_to_full_disk() {
    let place = situation();
    let line = "sign oci:lay:v1 --key alice";
    let output = place.touchmark(line).env("TOUCHMARK_FAILPOINT_ERROR", "1+:ENOSPC").output().unwrap();
    Ran::of(line, output).is(table()["sign_to_full_disk"].1).says("No space left on device");
}

#[test]
fn trust_sign_to_full_disk() {
    let place = situation();
    trusted(&place);
    let line = "trust sign --key trust-keys/targets";
    let output = place.touchmark(line).env("TOUCHMARK_FAILPOINT_ERROR", "1+:ENOSPC").output().unwrap();
    Ran::of(line, output).is(table()["trust_sign_to_full_disk"].1).says("No space left on device");
}

/// A trust repository with a new version of its targets staged.
fn trusted(place: &Place) {
    place.ok("trust init --no-passphrase --quiet");
    place.ok("trust renew targets --quiet");
}

/// Logs in as alice with this password, at `registry`.
fn login(row: &str, registry: &str, password: &str) {
    let line = format!("login {registry} --username alice --password-stdin --retries 0 --format json");
    let document = Place::new().run_with_input(&line, password.as_bytes()).is(table()[row].1).json();
    assert_eq!(document["results"][0]["exit_code"], table()[row].1, "{document:#}");
}

#[test]
fn login_done() {
    login("login_done", &crate::logins::basic().host(), "secret");
}

#[test]
fn login_denied() {
    login("login_denied", &crate::logins::basic().host(), "wrong");
}

#[test]
fn login_unreachable() {
    let host = crate::logins::basic().host();
    login("login_unreachable", &host, "secret");
}

/// The keys alice and bob, the unsigned artifact `oci:lay:v1`, and a predicate.
fn situation() -> Place {
    let place = Place::new();
    place.key("alice");
    place.key("bob");
    place.file("predicate.json", r#"{"tests": "passed"}"#);
    place.pack("oci:lay:v1", "the artifact");
    place
}

fn sign(place: &Place, options: &str) {
    place.ok(&format!("sign oci:lay:v1 --quiet {options}"));
}

fn artifact(place: &Place) -> serde_json::Value {
    let folder = Folder::open(place, "lay");
    let pin = place.ok("resolve oci:lay:v1");
    let bytes = folder.read(digest(&pin));
    crate::forge::descriptor(MANIFEST, &bytes)
}

/// The digest of the artifact's layer.
fn layer(place: &Place) -> String {
    let folder = Folder::open(place, "lay");
    folder.read_json(digest_of(&artifact(place)))["layers"][0]["digest"].as_str().unwrap().to_owned()
}

/// The digest of the only signature of `oci:lay:v1`.
fn signature(place: &Place) -> String {
    let document = place.json("signature list oci:lay:v1", 0);
    digest(document["results"][0]["signatures"][0]["pin"].as_str().unwrap()).to_owned()
}

/// Something tagged `bad` that is no manifest.
fn malformed(place: &Place) {
    let folder = Folder::open(place, "lay");
    let bad = folder.blob(MANIFEST, b"{\"schemaVersion\":2,\"layers\":7}");
    folder.tag(&bad, "bad");
}

/// An artifact `oci:lay:path` whose file is named by a path.
fn with_path(place: &Place) {
    let folder = Folder::open(place, "lay");
    let mut manifest = folder.read_json(digest_of(&artifact(place)));
    manifest["layers"][0]["annotations"]["org.opencontainers.image.title"] = "../outside".into();
    let manifest = folder.blob(MANIFEST, manifest.to_string().as_bytes());
    folder.tag(&manifest, "path");
}

fn zeros() -> String {
    format!("sha256:{}", "0".repeat(64))
}

/// A tag `v1` that leads to another artifact, and the digest of the first.
fn moved(place: &Place) -> String {
    let first = digest(&place.ok("resolve oci:lay:v1")).to_owned();
    place.pack("oci:lay:v1", "another artifact");
    first
}

fn signed_index(place: &Place) {
    place.pack("oci:lay:other", "for another platform");
    place.ok("index oci:lay:other --to oci:lay:all --platform linux/arm64");
    place.ok("sign oci:lay:all --key alice --quiet");
}

/// The descriptor of `oci:lay:v1` in a file, and an envelope by alice for it.
fn offline(place: &Place) {
    let descriptor = place.ok("resolve oci:lay:v1 --descriptor");
    place.file("descriptor.json", descriptor);
    place.ok("sign --descriptor descriptor.json --key alice --name acme/app:1.0 --out envelope.json");
}

/// Alice's private key, encrypted.
fn encrypted(place: &Place) {
    place.file("passphrase", "correct horse\n");
    place.ok("key generate --out locked --passphrase-file passphrase --quiet");
}

/// Two referrers that come before the good one.
fn crowd(place: &Place) {
    let folder = Folder::open(place, "lay");
    let artifact = artifact(place);
    for number in 0..3 {
        folder.attach_as(SIGNATURE, &artifact, format!("{{\"number\":{number}}}").as_bytes());
    }
}

rows! {
    signed_as_asked: |place| { sign(&place, "--key alice --name acme/app:1.0"); "oci:lay:v1 --key alice.pub --name acme/app:1.0" };
    threshold_reached: |place| { sign(&place, "--key alice --key bob"); "oci:lay:v1 --key alice.pub --key bob.pub --threshold 2" };
    good_among_bad: |place| { crowd(&place); sign(&place, "--key alice"); "oci:lay:v1 --key alice.pub" };
    any_of_several_references_counts_worst: |place| {
        sign(&place, "--key alice");
        place.pack("oci:lay:v2", "unsigned");
        "oci:lay:v1 oci:lay:v2 --key alice.pub"
    };
    other_key: |place| { sign(&place, "--key alice"); "oci:lay:v1 --key bob.pub" };
    other_name: |place| { sign(&place, "--key alice --name acme/app:1.0"); "oci:lay:v1 --key alice.pub --name acme/app:1.1" };
    below_threshold: |place| { sign(&place, "--key alice"); "oci:lay:v1 --key alice.pub --key bob.pub --threshold 2" };
    expired: |place| { sign(&place, "--key alice --expires 1d"); "oci:lay:v1 --key alice.pub --at 2099-01-01T00:00:00Z" };
    all_candidates_malformed: |place| { crowd(&place); "oci:lay:v1 --key alice.pub" };
    attestation_missing: |place| { sign(&place, "--key alice"); "oci:lay:v1 --key alice.pub --type spdx" };
    tag_moved: |place| {
        sign(&place, "--key alice");
        let first = moved(&place);
        format!("oci:lay:v1@{first} --key alice.pub --check-tag")
    };
    not_covered: |place| { signed_index(&place); "oci:lay:v1 --covered-by oci:lay:all --key alice.pub" };
    no_key_given: |place| { sign(&place, "--key alice"); "oci:lay:v1" };
    private_key_given: |place| { sign(&place, "--key alice"); "oci:lay:v1 --key alice" };
    weak_key_given: |place| {
        let mut spki = Forger::read(&place, "alice").spki();
        spki.truncate(12);
        spki.extend([0; 32]);
        place.file("weak.pub", crate::forge::pem("PUBLIC KEY", &spki));
        "oci:lay:v1 --key weak.pub"
    };
    rsa_key_given: |place| {
        sign(&place, "--key alice");
        let vectors = include_str!("../../../../testdata/wycheproof/rsa_pss_2048_sha256_mgf1_32_test.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        place.file("rsa.pub", vectors["testGroups"][0]["publicKeyPem"].as_str().unwrap());
        "oci:lay:v1 --key rsa.pub"
    };
    no_key_file: |place| { sign(&place, "--key alice"); "oci:lay:v1 --key nobody.pub" };
    threshold_above_keys: |place| { sign(&place, "--key alice"); "oci:lay:v1 --key alice.pub --threshold 2" };
    bad_reference: |place| "lay:v1 --key alice.pub";
    bad_name: |place| "oci:lay:v1 --key alice.pub --name App";
    ambiguous_reference: |place| { place.pack("oci:lay:v2", "another"); "oci:lay --key alice.pub" };
    unknown_option: |place| "oci:lay:v1 --keys alice.pub";
    unsigned: |place| "oci:lay:v1 --key alice.pub";
    no_such_tag: |place| "oci:lay:v2 --key alice.pub";
    no_such_digest: |place| format!("oci:lay@{} --key alice.pub", zeros());
    no_such_folder: |place| "oci:nowhere:v1 --key alice.pub";
    referrers_cap: |place| { crowd(&place); sign(&place, "--key alice"); "oci:lay:v1 --key bob.pub --max-referrers 2" };
    envelope_cap: |place| { sign(&place, "--key alice"); "oci:lay:v1 --key alice.pub --max-envelope-size 100" };
    missing_envelope: |place| { no_envelope(&place); "oci:lay:v1 --key alice.pub" };
    malformed_manifest: |place| { malformed(&place); "oci:lay:bad --key alice.pub" };
    wrong_digest: |place| {
        let folder = Folder::open(&place, "lay");
        let at = digest_of(&artifact(&place)).to_owned();
        let text = String::from_utf8(folder.read(&at)).unwrap();
        place.file(&folder.blob_path(&at), text.replace("payload", "PAYLOAD"));
        "oci:lay:v1 --key alice.pub"
    };
    damaged_layer: |place| {
        sign(&place, "--key alice");
        place.file(&Folder::open(&place, "lay").blob_path(&layer(&place)), "the artefact");
        "oci:lay:v1 --key alice.pub --deep"
    };
    missing_layer: |place| {
        sign(&place, "--key alice");
        std::fs::remove_file(place.path(&Folder::open(&place, "lay").blob_path(&layer(&place)))).unwrap();
        "oci:lay:v1 --key alice.pub --deep"
    };
    malformed_and_unsigned: |place| { malformed(&place); "oci:lay:v1 oci:lay:bad --key alice.pub" };
    usage_and_malformed: |place| { malformed(&place); "oci:lay:bad lay:v1 --key alice.pub" };
    unsigned_and_unknown: |place| "oci:lay:v2 oci:lay:v1 --key alice.pub";
    refs_from_empty: |place| { place.file("list", "\n# nothing\n"); "--refs-from list --key alice.pub" };

    registry_signed: |place| { let (_, name) = in_registry(&place, Settings::default()); format!("{name}:v1 --key alice.pub") };
    registry_signed_without_api: |place| { let (_, name) = in_registry(&place, Settings::docker_registry()); format!("{name}:v1 --key alice.pub") };
    registry_unsigned: |place| { let (_, name) = in_registry(&place, Settings::default()); format!("{name}:v2 --key alice.pub") };
    registry_unsigned_without_api: |place| { let (_, name) = in_registry(&place, Settings::docker_registry()); format!("{name}:v2 --key alice.pub") };
    registry_no_tag: |place| { let (_, name) = in_registry(&place, Settings::default()); format!("{name} --key alice.pub") };
    registry_short_name: |place| "docker.io/alpine:3 --key alice.pub";
    registry_no_such_tag: |place| { let (_, name) = in_registry(&place, Settings::default()); format!("{name}:v3 --key alice.pub") };
    registry_no_such_repository: |place| { let (registry, _) = in_registry(&place, Settings::default()); format!("{}/acme/none:v1 --key alice.pub", registry.host()) };
    registry_not_there: |place| { let (registry, _) = in_registry(&place, Settings::default()); let host = registry.host(); drop(registry); place.stop_registries(); format!("{host}/acme/app:v1 --key alice.pub --retries 0") };
    registry_denied: |place| { let name = failing(&place, Settings::default(), Fault::new(Action::status(403))); format!("{name}:v1 --key alice.pub") };
    registry_busy: |place| { let name = failing(&place, Settings::default(), Fault::new(Action::status(429)).path("/referrers/")); format!("{name}:v1 --key alice.pub --retries 0") };
    registry_failing: |place| { let name = failing(&place, Settings::default(), Fault::new(Action::status(500)).path("/referrers/")); format!("{name}:v1 --key alice.pub --retries 0") };
    registry_tags_refused: |place| { let (_, name) = in_registry(&place, Settings { tags_refused: Some(403), ..Settings::docker_registry() }); format!("{name}:v2 --key alice.pub") };
    registry_unknown_authority: |place| { let (_, name) = in_registry(&place, Settings { tls: Some(Tls::new(&Authority::new())), ..Settings::default() }); format!("{name}:v1 --key alice.pub --retries 0") };
    registry_wrong_bytes: |place| { let pin = place.ok("resolve oci:lay:v1"); let name = failing(&place, Settings::default(), Fault::new(Action::Manifest("v2".to_owned())).path(digest(&pin))); format!("{name}@{} --key alice.pub", digest(&pin)) };
    registry_wrong_header: |place| { let header = Action::Header("Docker-Content-Digest".to_owned(), Some(zeros())); let name = failing(&place, Settings::default(), Fault::new(header)); format!("{name}:v1 --key alice.pub") };
    password_without_user: |place| "r.example/x:1 --key alice.pub --password-stdin";
    password_for_two: |place| "r.example/x:1 other.example/x:1 --key alice.pub --username u --password-stdin";
    plain_http_with_authority: |place| "r.example/x:1 --key alice.pub --plain-http --ca-file alice.pub";
    no_such_authority_file: |place| "127.0.0.1/x:1 --key alice.pub --ca-file nothing.pem";
    referrers_from_elsewhere: |place| { let (registry, name) = in_registry(&place, Settings::default()); let beside = format!("{}/mine/sigs", registry.host()); place.ok(&format!("sign {name}:v2 --key bob --referrers-to {beside} --quiet")); format!("{name}:v2 --key bob.pub --referrers-from {beside}") };
    referrers_from_artifact: |place| "oci:lay:v1 --key alice.pub --referrers-from oci:lay:v1";

    unpack_verified: |place| { sign(&place, "--key alice"); "unpack oci:lay:v1 --out files --key alice.pub" };
    unpack_unverified: |place| "unpack oci:lay:v1 --out files --unverified";
    unpack_not_verified: |place| { sign(&place, "--key alice"); "unpack oci:lay:v1 --out files --key bob.pub" };
    unpack_without_key: |place| { sign(&place, "--key alice"); "unpack oci:lay:v1 --out files" };
    unpack_unsigned: |place| "unpack oci:lay:v1 --out files --key alice.pub";
    unpack_exists: |place| { place.file("files/payload.txt", "mine"); "unpack oci:lay:v1 --out files --unverified" };
    unpack_damaged: |place| {
        sign(&place, "--key alice");
        place.file(&Folder::open(&place, "lay").blob_path(&layer(&place)), "the artefact");
        "unpack oci:lay:v1 --out files --key alice.pub"
    };
    unpack_bad_name: |place| { with_path(&place); "unpack oci:lay:path --out files --unverified" };

    pack_done: |place| "pack payload.txt --to oci:new:v1";
    pack_missing_file: |place| "pack nothing.txt --to oci:new:v1";
    pack_same_names: |place| { place.file("other/payload.txt", "x"); "pack payload.txt other/payload.txt --to oci:new:v1" };
    pack_image: |place| { place.program("tool", "#!/bin/sh"); "pack tool --image linux/amd64 --to oci:new:v1" };
    pack_image_of_no_program: |place| "pack payload.txt --image linux/amd64 --to oci:new:v1";
    pack_to_digest: |place| format!("pack payload.txt --to oci:new@{}", zeros());

    index_done: |place| { place.pack("oci:lay:v2", "x"); "index oci:lay:v1 oci:lay:v2 --to oci:lay:all --platform linux/amd64 --platform linux/arm64" };
    index_platforms: |place| { place.pack("oci:lay:v2", "x"); "index oci:lay:v1 oci:lay:v2 --to oci:lay:all --platform linux/amd64" };
    index_missing: |place| "index oci:lay:v2 --to oci:lay:all";

    resolve_done: |place| "resolve oci:lay:v1";
    resolve_no_such_tag: |place| "resolve oci:lay:v2";
    resolve_tag_moved: |place| { let first = moved(&place); format!("resolve oci:lay:v1@{first} --check-tag") };

    login_no_password: |place| "login localhost:5000 --username alice";
    login_no_registry: |place| "login https://localhost:5000 --username alice --password-stdin";
    logout_done: |place| {
        place.file(".docker/config.json", r#"{"auths":{"localhost:5000":{"auth":"YTpi"}}}"#);
        "logout localhost:5000"
    };
    logout_none: |place| "logout localhost:5000";
    logout_broken_file: |place| { place.file(".docker/config.json", "{"); "logout localhost:5000" };

    sign_done: |place| "sign oci:lay:v1 --key alice";
    sign_again: |place| { sign(&place, "--key alice"); "sign oci:lay:v1 --key alice" };
    sign_public_key: |place| "sign oci:lay:v1 --key alice.pub";
    sign_wrong_passphrase: |place| { encrypted(&place); place.file("wrong", "battery staple"); "sign oci:lay:v1 --key locked --passphrase-file wrong" };
    sign_no_passphrase: |place| { encrypted(&place); "sign oci:lay:v1 --key locked" };
    sign_unsafe_mode: |place| { open_to_all(&place); "sign oci:lay:v1 --key alice" };
    sign_bad_expiry: |place| "sign oci:lay:v1 --key alice --expires 2020-01-01T00:00:00Z";
    sign_issued: |place| "sign oci:lay:v1 --key alice --issued 2020-01-01T00:00:00Z";
    sign_issued_ahead: |place| "sign oci:lay:v1 --key alice --issued 2999-01-01T00:00:00Z";
    sign_no_artifact: |place| "sign oci:lay:v2 --key alice";
    sign_malformed: |place| { malformed(&place); "sign oci:lay:bad --key alice" };
    cosign_same: |place| { offline(&place); "sign --descriptor descriptor.json --key bob --name acme/app:1.0 --add-to envelope.json --out both.json" };
    cosign_differs: |place| { offline(&place); "sign --descriptor descriptor.json --key bob --name acme/app:1.1 --add-to envelope.json --out both.json" };
    sign_out_exists: |place| { offline(&place); "sign --descriptor descriptor.json --key alice --out alice" };
    sign_out_no_file: |place| { offline(&place); std::fs::create_dir(place.path("folder")).unwrap(); "sign --descriptor descriptor.json --key alice --out folder" };
    cosign_in_place: |place| { offline(&place); "sign --descriptor descriptor.json --key bob --name acme/app:1.0 --add-to envelope.json --out ./envelope.json" };

    attest_done: |place| "attest oci:lay:v1 --key alice --type https://example.com/tests/v1 --predicate predicate.json";
    attest_signature_type: |place| "attest oci:lay:v1 --key alice --type urn:touchmark:predicate:signature:v1 --predicate predicate.json";
    attest_bad_predicate: |place| { place.file("bad.json", "[1,"); "attest oci:lay:v1 --key alice --type spdx --predicate bad.json" };
    attest_no_artifact: |place| "attest oci:lay:v2 --key alice --type spdx --predicate predicate.json";

    tree_done: |place| { sign(&place, "--key alice"); "tree oci:lay:v1 --key alice.pub" };
    tree_not_verified: |place| { sign(&place, "--key alice"); "tree oci:lay:v1 --key bob.pub" };
    tree_no_artifact: |place| "tree oci:lay:v2";
    tree_malformed: |place| { malformed(&place); "tree oci:lay:bad" };

    copy_done: |place| { sign(&place, "--key alice"); "copy oci:lay:v1 oci:far:v1" };
    copy_again: |place| { place.ok("copy oci:lay:v1 oci:far:v1"); "copy oci:lay:v1 oci:far:v1" };
    copy_not_verified: |place| { sign(&place, "--key alice"); "copy oci:lay:v1 oci:far:v1 --verify --key bob.pub" };
    copy_unsigned: |place| "copy oci:lay:v1 oci:far:v1 --verify --key alice.pub";
    copy_one_of_two: |place| { sign(&place, "--key alice"); place.pack("oci:lay:v2", "x"); "copy oci:lay:v1 oci:lay:v2 oci:far --verify --key alice.pub" };
    copy_missing_blob: |place| {
        std::fs::remove_file(place.path(&Folder::open(&place, "lay").blob_path(&layer(&place)))).unwrap();
        "copy oci:lay:v1 oci:far:v1"
    };
    copy_wrong_digest: |place| {
        place.file(&Folder::open(&place, "lay").blob_path(&layer(&place)), "the artefact");
        "copy oci:lay:v1 oci:far:v1"
    };
    copy_no_artifact: |place| "copy oci:lay:v2 oci:far:v2";
    copy_verify_without_key: |place| "copy oci:lay:v1 oci:far:v1 --verify";

    repair_done: |place| { unlisted(&place); "repair oci:lay" };
    repair_dry_run: |place| { unlisted(&place); "repair oci:lay --dry-run" };
    repair_no_folder: |place| "repair oci:nowhere";

    list_done: |place| { sign(&place, "--key alice"); "signature list oci:lay:v1" };
    list_unsigned: |place| "signature list oci:lay:v1";
    list_incomplete: |place| { no_envelope(&place); "signature list oci:lay:v1" };
    list_no_artifact: |place| "signature list oci:lay:v2";
    export_done: |place| { sign(&place, "--key alice"); "signature export oci:lay:v1 --out files" };
    export_unsigned: |place| "signature export oci:lay:v1 --out files";
    export_incomplete: |place| {
        sign(&place, "--key alice");
        let folder = Folder::open(&place, "lay");
        let artifact = artifact(&place);
        let envelope = Forger::read(&place, "bob").statement(&signature_statement(&artifact, None)).to_string();
        folder.attach_as(SIGNATURE, &artifact, envelope.as_bytes());
        place.file(&folder.blob_path(&sha256(envelope.as_bytes())), envelope.to_uppercase());
        "signature export oci:lay:v1 --out files"
    };
    export_exists: |place| {
        sign(&place, "--key alice");
        let file = place.ok("signature export oci:lay:v1 --out files");
        place.file(&file, "mine");
        "signature export oci:lay:v1 --out files"
    };
    attach_done: |place| { offline(&place); "signature attach oci:lay:v1 envelope.json" };
    attach_other: |place| { offline(&place); place.pack("oci:lay:v2", "other"); "signature attach oci:lay:v2 envelope.json" };
    attach_malformed: |place| "signature attach oci:lay:v1 predicate.json";
    attach_no_file: |place| "signature attach oci:lay:v1 nothing.json";
    attach_too_large: |place| {
        let envelope = Forger::read(&place, "alice").statement(&signature_statement(&artifact(&place), None)).to_string();
        place.file("large.json", envelope + &" ".repeat(1 << 20));
        "signature attach oci:lay:v1 large.json"
    };
    delete_done: |place| { sign(&place, "--key alice"); format!("signature delete oci:lay@{}", signature(&place)) };
    delete_by_key: |place| { sign(&place, "--key alice"); "signature delete oci:lay:v1 --signed-by alice.pub" };
    delete_other_key: |place| { sign(&place, "--key alice"); "signature delete oci:lay:v1 --signed-by bob.pub" };
    delete_incomplete: |place| { no_envelope(&place); sign(&place, "--key alice"); "signature delete oci:lay:v1 --signed-by alice.pub" };
    delete_kept: |place| { sign(&place, "--key alice --key bob"); "signature delete oci:lay:v1 --signed-by alice.pub" };
    delete_kept_junk: |place| {
        let artifact = artifact(&place);
        let mut envelope = Forger::read(&place, "alice").statement(&signature_statement(&artifact, None));
        envelope["signatures"].as_array_mut().unwrap().push(json!({"keyid": "0".repeat(64), "sig": "AAAA"}));
        Folder::open(&place, "lay").attach(&artifact, &envelope);
        "signature delete oci:lay:v1 --signed-by alice.pub"
    };
    delete_artifact: |place| { let artifact = artifact(&place); format!("signature delete oci:lay@{}", digest_of(&artifact)) };
    delete_no_digest: |place| { sign(&place, "--key alice"); "signature delete oci:lay:v1" };
    delete_missing: |place| format!("signature delete oci:lay@{}", zeros());

    unpack_from_registry: |place| { let (_, name) = in_registry(&place, Settings::default()); format!("unpack {name}:v1 --out files --key alice.pub") };
    unpack_to_link: |place| { std::fs::create_dir(place.path("folder")).unwrap(); link("folder", &place.path("files")); "unpack oci:lay:v1 --out files --unverified" };
    pack_to_registry: |place| { let (_, name) = in_registry(&place, Settings::default()); format!("pack predicate.json --to {name}:v3") };
    pack_moves_no_tag: |place| { let (_, name) = in_registry(&place, Settings { immutable_tags: Immutable::All, ..Settings::default() }); format!("pack predicate.json --to {name}:v1") };
    pack_bad_type: |place| "pack predicate.json --to oci:lay:v3 --artifact-type nonsense";
    index_in_registry: |place| { let (_, name) = in_registry(&place, Settings::docker_registry()); format!("index {name}:v1 {name}:v2 --to {name}:all --platform linux/amd64 --platform linux/arm64") };
    resolve_no_tag: |place| { let (_, name) = in_registry(&place, Settings::default()); format!("resolve {name}") };
    sign_in_registry: |place| { let (_, name) = in_registry(&place, Settings::docker_registry()); format!("sign {name}:v2 --key bob") };
    sign_unconfirmed: |place| { let (_, name) = in_registry(&place, Settings { tags_refused: Some(403), ..Settings::docker_registry() }); format!("sign {name}:v2 --key bob") };
    sign_denied: |place| { let name = failing(&place, Settings::default(), Fault::new(Action::status(403)).method("PUT")); format!("sign {name}:v2 --key bob") };
    sign_referrers_to: |place| "sign oci:lay:v1 --key alice --referrers-to oci:sigs";
    attest_in_registry: |place| { let (_, name) = in_registry(&place, Settings::default()); format!("attest {name}:v1 --key alice --type spdx --predicate predicate.json") };
    tree_in_registry: |place| { let (_, name) = in_registry(&place, Settings::docker_registry()); format!("tree {name} --key alice.pub") };
    tree_no_tags: |place| { let (_, name) = in_registry(&place, Settings { tags_refused: Some(403), ..Settings::default() }); format!("tree {name}") };
    copy_to_registry: |place| { let (registry, _) = in_registry(&place, Settings::docker_registry()); format!("copy oci:lay:v1 {}/far/app:v1", registry.host()) };
    copy_from_registry: |place| { let (_, name) = in_registry(&place, Settings::default()); format!("copy {name}:v1 oci:far:v1") };
    copy_between_registries: |place| { let (_, name) = in_registry(&place, Settings::docker_registry()); let other = place.registry(Settings::default()); format!("copy {name}:v1 {}/far/app:v1", other.host()) };
    copy_sides: |place| "copy r.example/x:1 other.example/x:1 --plain-http";
    copy_referrers_to_nothing: |place| "copy oci:lay:v1 oci:far --referrers-only";
    copy_denied: |place| { let name = failing(&place, Settings::default(), Fault::new(Action::status(403)).method("PUT")); format!("copy oci:lay:v1 {name}:v3") };
    repair_in_registry: |place| {
        let (registry, name) = in_registry(&place, Settings::docker_registry());
        let pin = place.ok(&format!("sign {name}:v2 --key bob --quiet"));
        registry.lose_tag(REPOSITORY, &digest(&pin).replace(':', "-"));
        format!("repair {name}:v2")
    };
    list_in_registry: |place| { let (_, name) = in_registry(&place, Settings::default()); format!("signature list {name}:v1") };
    delete_in_registry: |place| { let (_, name) = in_registry(&place, Settings::docker_registry()); format!("signature delete {name}:v1 --signed-by alice.pub") };
    delete_refused: |place| { let (_, name) = in_registry(&place, Settings { delete_manifests: false, delete_tags: false, ..Settings::default() }); format!("signature delete {name}:v1 --signed-by alice.pub") };

    trust_init_done: |place| "trust init --no-passphrase";
    trust_init_exists: |place| { place.file("trust/file", ""); "trust init --no-passphrase" };
    trust_init_keys_exist: |place| { place.file("trust-keys/root", ""); "trust init --no-passphrase" };
    trust_status_done: |place| { trusted(&place); "trust status" };
    trust_status_nothing: |place| "trust status";
    trust_status_bad_staged: |place| { trusted(&place); place.file("trust/staged/targets.json", "{}"); "trust status" };
    trust_sign_done: |place| { trusted(&place); "trust sign --key trust-keys/targets" };
    trust_sign_other_key: |place| { trusted(&place); "trust sign --key alice" };
    trust_sign_stale: |place| {
        trusted(&place);
        let staged = String::from_utf8(place.read("trust/staged/targets.json")).unwrap();
        place.file("trust/staged/targets.json", staged.replace("\"version\":2", "\"version\":9"));
        "trust sign --key trust-keys/targets"
    };
    trust_sign_not_expected: |place| {
        trusted(&place);
        format!("trust sign --key trust-keys/targets --expect sha256:{}", "00".repeat(32))
    };
    trust_sign_from_other: |place| { trusted(&place); "trust sign --from trust/metadata/1.targets.json" };
    trust_sign_alone: |place| { trusted(&place); "trust sign --key alice --alone trust/staged/targets.json" };
    trust_publish_done: |place| {
        trusted(&place);
        place.ok("trust sign --key trust-keys/targets");
        format!("trust publish {}", crate::trust::ONLINE)
    };
    trust_publish_unsigned: |place| { trusted(&place); format!("trust publish {}", crate::trust::ONLINE) };
    trust_publish_expired: |place| {
        trusted(&place);
        place.ok("trust sign --key trust-keys/targets");
        format!("trust publish --at 2099-01-01T00:00:00Z {}", crate::trust::ONLINE)
    };
    trust_discard_nothing: |place| { trusted(&place); "trust discard root" };
    trust_target_not_delegated: |place| {
        trusted(&place);
        place.ok("trust delegate acme --key alice.pub --path acme/*");
        "trust target add predicate.json --role acme"
    };
    generate_done: |place| "key generate --no-passphrase --out carol";
    generate_exists: |place| "key generate --no-passphrase --out alice";
    generate_no_passphrase: |place| "key generate --out carol";
    show_done: |place| "key show alice.pub";
    show_not_a_key: |place| "key show predicate.json";
    public_done: |place| "key public alice";
    public_of_public: |place| "key public alice.pub";

    completions_done: |place| "completions bash";
    completions_unknown: |place| "completions csh";
    man_done: |place| "man pages";
}

/// A registry with the signed artifact `v1` and the unsigned `v2`, and the name of their repository.
fn in_registry(place: &Place, settings: Settings) -> (Arc<TestRegistry>, String) {
    sign(place, "--key alice");
    place.pack("oci:lay:v2", "unsigned");
    filled(place, settings)
}

/// The same, where something goes wrong.
fn failing(place: &Place, settings: Settings, fault: Fault) -> String {
    let (registry, name) = in_registry(place, settings);
    registry.fault(fault);
    name
}

fn link(to: &str, path: &std::path::Path) {
    #[cfg(unix)]
    std::os::unix::fs::symlink(to, path).unwrap();
    #[cfg(windows)]
    std::os::windows::fs::symlink_dir(to, path).unwrap();
}

/// A signature of `oci:lay:v1` by alice whose envelope is not there.
fn no_envelope(place: &Place) {
    let folder = Folder::open(place, "lay");
    let artifact = artifact(place);
    let envelope = Forger::read(place, "alice").statement(&signature_statement(&artifact, None)).to_string();
    folder.attach_as(SIGNATURE, &artifact, envelope.as_bytes());
    std::fs::remove_file(place.path(&folder.blob_path(&sha256(envelope.as_bytes())))).unwrap();
}

/// Takes the signatures of `oci:lay:v1` out of every list.
fn unlisted(place: &Place) {
    sign(place, "--key alice");
    let folder = Folder::open(place, "lay");
    let mut index = folder.index();
    index["manifests"].as_array_mut().unwrap().retain(|entry| entry["annotations"]["org.opencontainers.image.ref.name"] == json!("v1"));
    folder.write_index(&index);
}

#[cfg(unix)]
fn open_to_all(place: &Place) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(place.path("alice"), std::fs::Permissions::from_mode(0o644)).unwrap();
}
