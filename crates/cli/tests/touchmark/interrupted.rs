//! `kill -9` between any two steps that change files, and at random moments: what was there before is there after, and the next
//! command works.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::harness::{Place, Ran};

/// Every command that writes, on a layout in which `oci:lay:v1` is signed by alice. Each can be run again after it was killed.
const COMMANDS: [(&str, &str); 6] = [
    ("sign", "sign oci:lay:v1 --key bob --name acme/app:2"),
    ("pack", "pack payload.txt --to oci:lay:v2"),
    ("copy", "copy oci:lay:v1 oci:far:v1"),
    ("copy to a tar", "copy oci:lay:v1 oci-archive:far.tar:v1"),
    ("signature delete", "signature delete oci:lay:v1 --signed-by carol.pub"),
    ("repair", "repair oci:torn"),
];

/// What every run begins with: `oci:lay:v1` is signed by alice and carol; `oci:torn:v1` too, and no list says so.
fn template() -> Place {
    let place = Place::new();
    for name in ["alice", "bob", "carol"] {
        place.key(name);
    }
    place.pack("oci:lay:v1", "content");
    place.ok("sign oci:lay:v1 --key alice --name acme/app:1");
    place.ok("sign oci:lay:v1 --key carol --name acme/app:1");
    // Another tool wrote this index and dropped what it did not know: repair has something to do.
    place.ok("copy oci:lay:v1 oci:torn:v1");
    let mut index: serde_json::Value = serde_json::from_slice(&place.read("torn/index.json")).unwrap();
    index["manifests"].as_array_mut().unwrap().retain(|entry| entry["annotations"]["org.opencontainers.image.ref.name"] == "v1");
    place.file("torn/index.json", index.to_string());
    place
}

/// Puts the template's files into `place` anew.
pub fn reset(template: &Place, place: &Place) {
    let _ = std::fs::remove_dir_all(place.path("."));
    copy_folder(&template.path("."), &place.path("."));
}

pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// After a kill: every earlier signature verifies, the command works when it is run again, and so does the next one.
fn assert_nothing_lost(place: &Place, name: &str, line: &str, when: &str) {
    let run = |line: &str| {
        let ran = place.run(line);
        assert_eq!(ran.code, 0, "{name}, {when}: {ran:#?}");
    };
    run("verify oci:lay:v1 --key alice.pub --name acme/app:1 --deep --quiet");
    if name != "signature delete" {
        run("verify oci:lay:v1 --key carol.pub --quiet");
        run(line);
    } else {
        // Killed after its last step it has nothing left to delete, which is no success and loses nothing.
        let again = place.run(line);
        assert!([0, 3].contains(&again.code), "{name}, {when}: {again:#?}");
        let gone = place.run("verify oci:lay:v1 --key carol.pub --quiet");
        assert_eq!(gone.code, 1, "{name}, {when}: {gone:#?}");
    }
    run("sign oci:lay:v1 --key bob --name acme/app:3 --quiet");
    run("verify oci:lay:v1 --key alice.pub --key bob.pub --threshold 2 --quiet");
    match name {
        "copy" => run("verify oci:far:v1 --key alice.pub --key carol.pub --threshold 2 --deep --quiet"),
        "copy to a tar" => run("verify oci-archive:far.tar:v1 --key alice.pub --key carol.pub --threshold 2 --deep --quiet"),
        "pack" => run("resolve oci:lay:v2"),
        "repair" => {
            run("verify oci:torn:v1 --key alice.pub --key carol.pub --threshold 2 --deep --quiet");
            let index = String::from_utf8(place.read("torn/index.json")).unwrap();
            assert!(index.matches("application/vnd.touchmark.signature.v1+json").count() >= 2, "{when}: {index}");
        }
        _ => {}
    }
    run("repair oci:lay --quiet");
    run("verify oci:lay:v1 --key alice.pub --name acme/app:1 --quiet");
}

/// The boundaries that the command passes.
pub fn boundaries(place: &Place, line: &str) -> Vec<String> {
    let ran = Ran::of(line, place.touchmark(line).env("TOUCHMARK_FAILPOINT_COUNT", "boundaries").output().unwrap()).is(0);
    let lines = String::from_utf8(place.read("boundaries")).unwrap();
    std::fs::remove_file(place.path("boundaries")).unwrap();
    assert!(!lines.is_empty(), "{ran:#?}");
    lines.lines().map(str::to_owned).collect()
}

fn killed_everywhere(name: &str) {
    let (_, line) = COMMANDS.iter().find(|(listed, _)| *listed == name).unwrap();
    let template = template();
    let place = Place::new();
    reset(&template, &place);
    let boundaries = boundaries(&place, line);
    for (number, step) in boundaries.iter().enumerate() {
        reset(&template, &place);
        let number = (number + 1).to_string();
        let killed = place.touchmark(line).env("TOUCHMARK_FAILPOINT", &number).output().unwrap();
        assert_eq!(killed.status.code(), None, "{name} was not killed at {step}: {:?}", Ran::of(line, killed));
        assert_nothing_lost(&place, name, line, &format!("killed at {step}"));
    }
    let halfway = boundaries.iter().filter(|step| step.contains("HalfWritten")).count();
    println!("{name}: killed at each of {} boundaries, {halfway} of them in the middle of a write", boundaries.len());
}

#[test]
fn sign_killed_at_every_boundary_loses_nothing() {
    killed_everywhere("sign");
}

#[test]
fn pack_killed_at_every_boundary_loses_nothing() {
    killed_everywhere("pack");
}

#[test]
fn copy_killed_at_every_boundary_loses_nothing() {
    killed_everywhere("copy");
}

#[test]
fn copy_to_a_tar_killed_at_every_boundary_loses_nothing() {
    killed_everywhere("copy to a tar");
}

#[test]
fn signature_delete_killed_at_every_boundary_loses_nothing() {
    killed_everywhere("signature delete");
}

#[test]
fn repair_killed_at_every_boundary_loses_nothing() {
    killed_everywhere("repair");
}

/// 50 kills at moments that nobody chose.
#[test]
fn random_kills_lose_nothing() {
    let template = template();
    let place = Place::new();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::from(std::process::id());
    let mut in_mid_write = 0;
    for round in 0..50_usize {
        let (name, line) = COMMANDS[round % COMMANDS.len()];
        reset(&template, &place);
        let begin = Instant::now();
        let all = boundaries(&place, line).len();
        let whole = begin.elapsed();
        reset(&template, &place);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let wait = Duration::from_nanos(u64::try_from(whole.as_nanos()).unwrap() * (random >> 33) / (1 << 31));
        let mut command = place.touchmark(line);
        command.env("TOUCHMARK_FAILPOINT_COUNT", "boundaries").stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // The moment of the kill is what is random here; nothing waits for anything.
        std::thread::sleep(wait);
        child.kill().unwrap();
        child.wait().unwrap();
        let passed = std::fs::read_to_string(place.path("boundaries")).map_or(0, |lines| lines.lines().count());
        if 0 < passed && passed < all {
            in_mid_write += 1;
        }
        assert_nothing_lost(&place, name, line, &format!("killed after {wait:?} at {passed} of {all} boundaries"));
    }
    println!("50 random kills, {in_mid_write} of them hit in mid-write");
    assert!(in_mid_write > 0, "no kill hit while files were being changed");
}

/// A file that appears while others are unpacked beside it is somebody's, and stays.
#[test]
fn unpack_replaces_no_file_that_appears_meanwhile() {
    let mut met = 0;
    for boundary in 1..40 {
        let place = Place::new();
        place.file("a", "content of a");
        place.file("b", "content of b");
        place.ok("pack a b --to oci:lay:v1");
        place.file("out/other", "here before");
        place.file("appear.sh", "if test -e out/a && ! test -e out/b; then printf precious > out/b; fi\n");
        let mut unpack = place.touchmark("unpack oci:lay:v1 --out out --unverified");
        let ran = Ran::of("unpack", unpack.env("TOUCHMARK_FAILPOINT_RUN", format!("{boundary}:sh appear.sh")).output().unwrap());
        if place.read("out/b") == b"precious" {
            met += 1;
            assert_ne!(ran.code, 0, "{ran:?}");
            assert!(!place.path("out/a").exists(), "what was written before is taken back");
        }
    }
    assert!(met > 0, "the file never appeared in between");
}
