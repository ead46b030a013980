//! `sign` and `attest`: whose keys, what is said, and what is not done twice.

use serde_json::json;

use crate::forge::{Folder, Forger, digest_of, signature_statement};
use crate::harness::{Place, digest};

fn place() -> (Place, String) {
    let place = Place::new();
    place.key("alice");
    place.key("bob");
    let pin = place.pack("oci:lay:v1", "content");
    (place, pin)
}

fn signatures(place: &Place, reference: &str) -> usize {
    place.json(&format!("signature list {reference}"), 0)["results"][0]["signatures"].as_array().unwrap().len()
}

#[test]
fn a_tag_is_signed_with_a_warning_and_the_pin() {
    let (place, pin) = place();
    let ran = place.run("sign oci:lay:v1 --key alice").is(0).says("the tag v1 can be moved").says(&pin);
    assert_eq!(ran.stdout.trim_end(), pin);
    let ran = place.run(&format!("sign {pin} --key bob")).is(0);
    assert!(!ran.stderr.contains("warning"), "{ran:?}");
}

#[test]
fn several_keys_make_one_signature_of_both() {
    let (place, pin) = place();
    place.ok("sign oci:lay:v1 --key alice --key bob --name acme/app:1.0 --annotation channel=stable");
    assert_eq!(signatures(&place, &pin), 1);
    place.verify_is(0, &format!("{pin} --key alice.pub --key bob.pub --threshold 2 --name acme/app:1.0 --annotation channel=stable"));
}

#[test]
fn with_the_time_given_two_builds_sign_alike() {
    let (place, _) = place();
    place.pack("oci:other:v1", "content");
    for layout in ["lay", "other"] {
        place.ok(&format!("sign oci:{layout}:v1 --key alice --name acme/app:1.0 --issued 2026-01-02T03:04:05Z"));
    }
    let listed = |layout: &str| place.json(&format!("signature list oci:{layout}:v1"), 0)["results"][0]["signatures"].clone();
    let (one, other) = (listed("lay"), listed("other"));
    assert_eq!(one[0]["claimed_issued"], "2026-01-02T03:04:05Z");
    assert_eq!(digest(one[0]["pin"].as_str().unwrap()), digest(other[0]["pin"].as_str().unwrap()));
}

#[test]
fn signing_again_changes_nothing_unless_asked() {
    let (place, pin) = place();
    // Signed some time ago, by the same key and in the same words.
    let folder = Folder::open(&place, "lay");
    let manifest = crate::forge::descriptor(crate::forge::MANIFEST, &folder.read(digest(&pin)));
    let before = folder.attach(&manifest, &Forger::read(&place, "alice").statement(&signature_statement(&manifest, Some("acme/app:1.0"))));
    let ran =
        place.run("sign oci:lay:v1 --key alice --name acme/app:1.0").is(0).says("has signed the same already").says(digest_of(&before));
    assert_eq!(ran.stdout.trim_end(), pin);
    assert_eq!(signatures(&place, &pin), 1);
    let again = place.json("sign oci:lay:v1 --key alice --name acme/app:1.0", 0);
    assert_eq!(again["results"][0]["signatures"][0]["pin"], json!(null));
    // Other words, another key, or --again: another signature.
    place.ok("sign oci:lay:v1 --key alice --name acme/app:1.1");
    place.ok("sign oci:lay:v1 --key bob --name acme/app:1.0");
    place.ok("sign oci:lay:v1 --key alice --name acme/app:1.0 --again");
    assert_eq!(signatures(&place, &pin), 4);
}

#[test]
fn expiry_is_a_duration_or_a_time() {
    let (place, pin) = place();
    place.ok("sign oci:lay:v1 --key alice --expires 90d");
    place.ok("sign oci:lay:v1 --key bob --expires 2030-01-01T00:00:00Z");
    place.verify_is(0, &format!("{pin} --key alice.pub --key bob.pub --threshold 2"));
    place.verify_is(0, &format!("{pin} --key bob.pub --at 2029-12-31T23:59:59Z"));
    place.verify_is(1, &format!("{pin} --key bob.pub --at 2030-01-01T00:00:00Z"));
    for bad in ["90", "soon", "-1d", "0d"] {
        place.run(&format!("sign oci:lay:v1 --key alice --expires={bad}")).is(2);
    }
}

#[test]
fn recursive_signs_the_children_too() {
    let (place, amd) = place();
    let arm = place.pack("oci:lay:arm", "for arm64");
    let index = place.ok(&format!("index {amd} {arm} --to oci:lay:all --platform linux/amd64 --platform linux/arm64"));
    let signed = place.ok(&format!("sign {index} --key alice --name acme/app:1.0 --recursive"));
    assert_eq!(signed.lines().collect::<Vec<_>>(), [index.as_str(), amd.as_str(), arm.as_str()]);
    for pin in [&index, &amd, &arm] {
        place.verify_is(0, &format!("{pin} --key alice.pub --name acme/app:1.0"));
    }
}

#[test]
fn several_references_are_signed_and_a_missing_one_fails() {
    let (place, one) = place();
    let two = place.pack("oci:other:v1", "other");
    let ran = place.run("sign oci:lay:v1 oci:other:v1 oci:lay:nothing --key alice").is(4).says("nothing");
    assert_eq!(ran.stdout.lines().collect::<Vec<_>>(), [one.as_str(), two.as_str()]);
    place.verify_is(0, &format!("{one} {two} --key alice.pub"));
}

#[test]
fn a_tar_is_signed_in_place() {
    let (place, pin) = place();
    place.ok("copy oci:lay:v1 oci-archive:all.tar:v1");
    place.ok("sign oci-archive:all.tar:v1 --key alice");
    place.verify_is(0, "oci-archive:all.tar:v1 --key alice.pub");
    place.verify_is(3, &format!("{pin} --key alice.pub"));
    place.run("sign oci-archive:none.tar:v1 --key alice").is(4);
    assert!(!place.path("none.tar").exists());
}

#[test]
fn a_co_signer_needs_neither_artifact_nor_trust_in_the_envelope() {
    let (place, pin) = place();
    let descriptor = place.ok("resolve oci:lay:v1 --descriptor");
    place.file("vault/descriptor.json", &descriptor);
    let vault = "--descriptor vault/descriptor.json --name acme/app:1.0";
    place.ok(&format!("sign {vault} --key alice --out one.json"));
    place.ok(&format!("sign {vault} --key bob --add-to one.json --out both.json"));
    let policy = "--key alice.pub --key bob.pub --threshold 2 --name acme/app:1.0";
    place.verify_is(1, &format!("{pin} {policy} --envelope one.json"));
    place.verify_is(0, &format!("{pin} {policy} --envelope both.json"));
    place.verify_is(3, &format!("{pin} {policy}"));
    place.ok("signature attach oci:lay:v1 both.json");
    place.verify_is(0, &format!("{pin} {policy}"));
    // What the first signer says and the second does not is not co-signed.
    for other in ["--name acme/app:1.1", "--name acme/app:1.0 --annotation a=b", "--name acme/app:1.0 --expires 1d", ""] {
        let line = format!("sign --descriptor vault/descriptor.json --key bob --add-to one.json --out other.json {other}");
        place.run(&line).is(1).says("not co-signed");
        assert!(!place.path("other.json").exists());
    }
    place.file("vault/other.json", descriptor.replace(digest(&pin), &format!("sha256:{}", "1".repeat(64))));
    place.run("sign --descriptor vault/other.json --name acme/app:1.0 --key bob --add-to one.json --out other.json").is(1);
}

#[test]
fn an_attestation_is_verified_by_its_type_and_printed() {
    let (place, pin) = place();
    place.file("predicate.json", r#"{"score": 9.80, "big": 12345678901234567890, "é": null}"#);
    for (alias, uri) in [
        ("slsa-v1", "https://slsa.dev/provenance/v1"),
        ("spdx", "https://spdx.dev/Document"),
        ("cyclonedx", "https://cyclonedx.org/bom"),
        ("https://example.com/tests/v1", "https://example.com/tests/v1"),
    ] {
        place.ok(&format!("attest oci:lay:v1 --key alice --type {alias} --predicate predicate.json"));
        place.verify_is(0, &format!("{pin} --key alice.pub --type {alias}"));
        place.verify_is(0, &format!("{pin} --key alice.pub --type {uri}"));
        let verdict = place.verify_is(0, &format!("{pin} --key alice.pub --type {alias} --print predicate"));
        // Numbers keep their text.
        assert_eq!(verdict.stdout.trim_end(), r#"{"score":9.80,"big":12345678901234567890,"é":null}"#);
    }
    place.verify_is(3, &format!("{pin} --key alice.pub --type vex"));
    // It is no signature; and both types at once are both demanded.
    place.verify_is(3, &format!("{pin} --key alice.pub"));
    place.verify_is(0, &format!("{pin} --key alice.pub --type spdx --type slsa-v1"));
    place.verify_is(3, &format!("{pin} --key alice.pub --type spdx --type vex"));
    let verdict = place.verify_is(0, &format!("{pin} --key alice.pub --type spdx --print statement"));
    let statement: serde_json::Value = serde_json::from_str(&verdict.stdout).unwrap();
    assert_eq!(statement["predicateType"], "https://spdx.dev/Document");
}

#[test]
fn a_predicate_comes_from_standard_input_too() {
    let (place, pin) = place();
    place.run_with_input("attest oci:lay:v1 --key alice --type spdx --predicate -", b"{}").is(0);
    place.verify_is(0, &format!("{pin} --key alice.pub --type spdx"));
    place.run_with_input("attest oci:lay:v1 --key - --type spdx --predicate -", b"{}").is(2);
}

#[test]
fn an_envelope_replaces_nothing_but_the_one_it_is_added_to() {
    let (place, pin) = place();
    let descriptor = place.ok("resolve oci:lay:v1 --descriptor");
    place.file("descriptor.json", &descriptor);
    place.file("notes", "mine");
    let sign = "sign --descriptor descriptor.json --key alice --name acme/app:1.0";
    let key = place.read("alice");
    for taken in ["alice", "alice.pub", "descriptor.json", "notes", "./notes"] {
        let before = place.read(taken);
        place.run(&format!("{sign} --out {taken}")).is(2).says("is there already");
        assert_eq!(place.read(taken), before, "{taken}");
    }
    assert_eq!(place.read("alice"), key);
    // No other existing file becomes free by --add-to, and the same one does under any spelling.
    place.ok(&format!("{sign} --out one.json"));
    let add = "sign --descriptor descriptor.json --key bob --name acme/app:1.0 --add-to one.json";
    place.run(&format!("{add} --out notes")).is(2);
    place.ok(&format!("{add} --out ./one.json"));
    place.verify_is(0, &format!("{pin} --key alice.pub --key bob.pub --threshold 2 --envelope one.json"));
    let leftover =
        std::fs::read_dir(place.path(".")).unwrap().filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".tmp"));
    assert_eq!(leftover.count(), 0);
}

#[cfg(unix)]
#[test]
fn an_envelope_is_not_written_to_links_or_devices() {
    let (place, _) = place();
    place.file("descriptor.json", place.ok("resolve oci:lay:v1 --descriptor"));
    std::os::unix::fs::symlink("elsewhere", place.path("dangling")).unwrap();
    std::os::unix::fs::symlink("alice", place.path("link")).unwrap();
    let key = place.read("alice");
    for taken in ["dangling", "link", "/dev/null", "."] {
        place.run(&format!("sign --descriptor descriptor.json --key alice --out {taken}")).is(2).says("no regular file");
    }
    assert_eq!(place.read("alice"), key);
    assert!(!place.path("elsewhere").exists() && place.path("dangling").is_symlink());
}

#[test]
fn an_envelope_goes_to_standard_output_too() {
    let (place, pin) = place();
    place.file("descriptor.json", place.ok("resolve oci:lay:v1 --descriptor"));
    let envelope = place.run("sign --descriptor descriptor.json --key alice --out -").is(0).stdout;
    place.file("one.json", &envelope);
    place.verify_is(0, &format!("{pin} --key alice.pub --envelope one.json"));
    place.run("sign --descriptor descriptor.json --key alice --out - --format json").is(2);
    assert!(!place.path("-").exists());
    place.run("signature export oci:lay:v1 --out -").is(2);
    assert!(!place.path("-").exists());
}
