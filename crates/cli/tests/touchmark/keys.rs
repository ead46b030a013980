//! Where keys come from, and how they are kept.

use std::process::Stdio;

use crate::harness::{Place, Ran};

fn place() -> Place {
    let place = Place::new();
    place.key("alice");
    place.pack("oci:lay:v1", "content");
    place
}

#[test]
fn both_kinds_sign_and_verify() {
    let place = place();
    for kind in ["ed25519", "ecdsa-p256"] {
        place.ok(&format!("key generate --type {kind} --no-passphrase --out {kind}"));
        place.ok(&format!("sign oci:lay:v1 --key {kind}"));
        place.verify_is(0, &format!("oci:lay:v1 --key {kind}.pub"));
        let shown = place.ok(&format!("key show {kind}.pub"));
        assert!(shown.starts_with(&format!("public {kind} ")), "{shown}");
        assert_eq!(place.ok(&format!("key show {kind}")), shown.replace("public", "private"));
        assert_eq!(place.ok(&format!("key public {kind}")) + "\n", String::from_utf8(place.read(&format!("{kind}.pub"))).unwrap());
    }
    place.run("key generate --type rsa --no-passphrase --out rsa").is(2);
}

#[cfg(unix)]
#[test]
fn a_private_key_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = place();
    let mode = |name: &str| std::fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("alice"), 0o600);
    for unsafe_mode in [0o640, 0o604, 0o660, 0o644] {
        std::fs::set_permissions(place.path("alice"), std::fs::Permissions::from_mode(unsafe_mode)).unwrap();
        place.run("sign oci:lay:v1 --key alice").is(2).says("chmod 600");
    }
}

#[test]
fn an_existing_key_is_never_overwritten() {
    let place = place();
    let before = place.read("alice");
    place.run("key generate --no-passphrase --out alice").is(2).says("exists");
    std::fs::remove_file(place.path("alice")).unwrap();
    place.run("key generate --no-passphrase --out alice").is(2).says("alice.pub");
    assert!(!place.path("alice").exists() && before.starts_with(b"-----BEGIN PRIVATE KEY-----"));
}

#[test]
fn a_missing_folder_and_a_missing_key_are_said_with_what_to_do() {
    let place = place();
    place.run("key generate --no-passphrase --out nodir/carol").is(4).says("the folder nodir is missing");
    assert!(!place.path("nodir").exists());
    assert!(place.verify_is(2, "oci:lay:v1").stderr.contains("try: --key PUB"));
    let hint = place.json("verify oci:lay:v1", 2)["results"][0]["error"]["hint"].clone();
    assert!(hint.as_str().unwrap().starts_with("--key PUB"), "{hint}");
}

/// From a file, the environment and standard input; never asked for without a terminal.
#[test]
fn an_encrypted_key_is_opened_by_its_passphrase_from_anywhere() {
    let place = place();
    place.file("passphrase", "correct horse\n");
    place.ok("key generate --out locked --passphrase-file passphrase");
    assert!(place.read("locked").starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let line = "sign oci:lay:v1 --key locked --quiet";
    place.run(&format!("{line} --passphrase-file passphrase")).is(0);
    place.run_with_input(&format!("{line} --passphrase-file - --again"), b"correct horse\n").is(0);
    let by_environment = |passphrase: &str| Ran::of(line, place.touchmark(line).env("TOUCHMARK_PASSPHRASE", passphrase).output().unwrap());
    by_environment("correct horse").is(0);
    by_environment("battery staple").is(2);
    place.run(line).is(2).says("passphrase");
    place.verify_is(0, "oci:lay:v1 --key locked.pub");
}

#[test]
fn keys_come_from_standard_input_and_the_environment() {
    let place = place();
    place.key("bob");
    place.run_with_input("sign oci:lay:v1 --key -", &place.read("alice")).is(0);
    let bob = String::from_utf8(place.read("bob")).unwrap();
    let line = "sign oci:lay:v1 --key env:SIGNING_KEY";
    Ran::of(line, place.touchmark(line).env("SIGNING_KEY", &bob).output().unwrap()).is(0);
    place.run(line).is(2).says("SIGNING_KEY");
    let verdict = place.verify_with_input("oci:lay:v1 --key - --key bob.pub --threshold 2", &place.read("alice.pub"));
    assert_eq!(verdict.code, 0, "{}", verdict.stderr);
    place.run_with_input("sign oci:lay:v1 --key - --key -", b"").is(2).says("standard input");
}

#[cfg(unix)]
#[test]
fn an_external_program_signs() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = place();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/external-signer/openssl-signer.py");
    let wrapper = place.file("signer", format!("#!/bin/sh\nSIGNER_KEY={} exec python3 {example}\n", place.path("alice").display()));
    std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let key = format!("exec:{}", wrapper.display());
    place.run(&format!("key public {key}")).is(0);
    place.run(&format!("sign oci:lay:v1 --key {key}")).is(0);
    place.verify_is(0, "oci:lay:v1 --key alice.pub");
    // It is a program for private keys: verify takes it as a file that is not there.
    place.verify_is(2, &format!("oci:lay:v1 --key {key}"));
    place.run("sign oci:lay:v1 --key exec:./nothing").is(4);
    place.file("liar", "#!/bin/sh\necho '{}'\n");
    std::fs::set_permissions(place.path("liar"), std::fs::Permissions::from_mode(0o755)).unwrap();
    place.run("sign oci:lay:v1 --key exec:./liar").is(4);
}

/// A program signs with a key of its own, and does not see those of the others.
#[cfg(unix)]
#[test]
fn an_external_program_does_not_see_the_keys_in_variables() {
    let place = place();
    place.key("bob");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/external-signer/openssl-signer.py");
    let script =
        format!("#!/bin/sh\necho \"$OTHER_KEY$VISIBLE\" >>seen\nSIGNER_KEY={} exec python3 {example}\n", place.path("alice").display());
    let program = place.program("signer", &script);
    let bob = String::from_utf8(place.read("bob")).unwrap();
    let line = format!("sign oci:lay:v1 --key env:OTHER_KEY --key exec:{}", program.display());
    Ran::of(&line, place.touchmark(&line).env("OTHER_KEY", &bob).env("VISIBLE", "seen").output().unwrap()).is(0);
    let seen = String::from_utf8(place.read("seen")).unwrap();
    assert!(seen.lines().count() >= 2 && seen.lines().all(|line| line == "seen"), "{seen}");
    place.verify_is(0, "oci:lay:v1 --key alice.pub --key bob.pub --threshold 2");
}

#[test]
fn several_keys_without_a_threshold_say_that_one_suffices() {
    let place = place();
    place.key("bob");
    place.ok("sign oci:lay:v1 --key alice");
    place.run("verify oci:lay:v1 --key alice.pub --key bob.pub").is(0).says("1 of 2 keys suffices");
    place.verify_is(1, "oci:lay:v1 --key alice.pub --key bob.pub --threshold 2");
}

#[test]
fn nothing_is_asked_without_a_terminal() {
    let place = place();
    let mut command = place.touchmark("key generate --out fresh");
    let output = command.stdin(Stdio::null()).output().unwrap();
    Ran::of("key generate", output).is(2).says("passphrase");
    assert!(!place.path("fresh").exists() && !place.path("fresh.pub").exists());
}
