//! Full disks and folders that cannot be written: a clear error, and nothing is lost.

use crate::harness::{Place, Ran};

const COMMANDS: [&str; 6] = [
    "sign oci:lay:v1 --key bob",
    "pack payload.txt --to oci:lay:v2",
    "copy oci:lay:v1 oci:far:v1",
    "copy oci:lay:v1 oci-archive:far.tar:v1",
    "signature delete oci:lay:v1 --signed-by carol.pub",
    "unpack oci:lay:v1 --out files --key alice.pub",
];

fn signed() -> Place {
    let place = Place::new();
    for name in ["alice", "bob", "carol"] {
        place.key(name);
    }
    place.pack("oci:lay:v1", "content");
    place.ok("sign oci:lay:v1 --key alice");
    place.ok("sign oci:lay:v1 --key carol");
    place
}

/// From some step on, no step that writes succeeds.
#[test]
fn a_disk_that_fills_up_at_any_step_is_said_and_loses_nothing() {
    for line in COMMANDS {
        let mut at = 1;
        loop {
            let place = signed();
            let mut command = place.touchmark(line);
            command.env("TOUCHMARK_FAILPOINT_ERROR", format!("{at}+:ENOSPC"));
            let ran = Ran::of(line, command.output().unwrap());
            place.run("verify oci:lay:v1 --key alice.pub --deep --quiet").is(0);
            if ran.code == 0 {
                // All steps lie before; or the last ones are not needed for the result.
                break;
            }
            let ran = ran.is(4).says("No space left on device");
            assert!(ran.stdout.is_empty(), "a pin of what is not there: {ran:#?}");
            // The tar and the files are there whole, if only the last sync failed, or not at all.
            if place.path("far.tar").exists() {
                place.run("verify oci-archive:far.tar:v1 --key alice.pub --key carol.pub --threshold 2 --deep --quiet").is(0);
            }
            if place.path("files").exists() {
                assert_eq!(place.read("files/payload.txt"), b"content");
            } else if !line.starts_with("signature delete") {
                place.ok(line);
            }
            at += 1;
        }
        assert!(at > 3, "{line} changes files in more than {at} steps");
    }
}

/// The same on a file system that is really full or read-only: a small tmpfs in a namespace of its own, with the layout in it.
/// Where the system allows no such namespace, the test says so, and the one above stands alone.
#[cfg(target_os = "linux")]
fn on_a_small_file_system(place: &Place, script: &str) -> Option<Ran> {
    let mount = "mkdir -p disk && mount -t tmpfs -o size=256k none disk && cp -r lay disk/lay";
    let mut command = std::process::Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &format!("{mount} || exit 99; {script}")]);
    command.env("TOUCHMARK", env!("CARGO_BIN_EXE_touchmark")).current_dir(place.path("."));
    match command.output() {
        Ok(output) if output.status.code() != Some(99) => Some(Ran::of(script, output)),
        other => {
            println!("not run, no namespace with a file system of its own: {other:?}");
            None
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_file_system_is_said_and_loses_nothing() {
    let place = signed();
    let fill = "head -c 600000 /dev/zero >disk/filler 2>/dev/null";
    let check = "$TOUCHMARK verify oci:disk/lay:v1 --key alice.pub --key carol.pub --threshold 2 --quiet || exit 98";
    for line in ["sign oci:disk/lay:v1 --key bob", "pack payload.txt --to oci:disk/lay:v2", "copy oci:lay:v1 oci-archive:disk/far.tar:v1"] {
        let script =
            format!("{fill}; $TOUCHMARK {line}; code=$?; {check}; rm disk/filler; $TOUCHMARK {line} >/dev/null || exit 97; exit $code");
        if let Some(ran) = on_a_small_file_system(&place, &script) {
            ran.is(4).says("No space left on device").says("free some space");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_folder_is_said_and_still_verifies() {
    let place = signed();
    let read_only = "mount -o remount,ro disk";
    let check = "$TOUCHMARK verify oci:disk/lay:v1 --key alice.pub --key carol.pub --threshold 2 --quiet || exit 98";
    for line in [
        "sign oci:disk/lay:v1 --key bob",
        "pack payload.txt --to oci:disk/lay:v2",
        "copy oci:lay:v1 oci:disk/far:v1",
        "signature delete oci:disk/lay:v1 --signed-by carol.pub",
        "unpack oci:disk/lay:v1 --out disk/files --key alice.pub",
        "key generate --no-passphrase --out disk/key",
        "signature export oci:disk/lay:v1 --out disk/files",
    ] {
        if let Some(ran) = on_a_small_file_system(&place, &format!("{read_only}; $TOUCHMARK {line}; code=$?; {check}; exit $code")) {
            ran.is(4).says("Read-only file system");
        }
    }
}

/// Permissions bind everybody but root, for whom the test above is.
#[cfg(unix)]
#[test]
fn a_folder_without_write_permission_is_said() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = signed();
    let folders = ["lay", "lay/blobs", "lay/blobs/sha256"];
    let set = |mode| {
        for folder in folders {
            std::fs::set_permissions(place.path(folder), std::fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    set(0o555);
    let bound = std::fs::write(place.path("lay/probe"), "").is_err();
    let ran = place.run("sign oci:lay:v1 --key bob");
    let verified = place.run("verify oci:lay:v1 --key alice.pub --quiet");
    set(0o755);
    if bound {
        ran.is(4).says("Permission denied").says("make the folder writable");
    }
    verified.is(0);
}
