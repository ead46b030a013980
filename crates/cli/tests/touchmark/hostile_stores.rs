//! OCI layouts and tars that lead elsewhere: links, `..`, names outside. Nothing outside is read as theirs, nothing is written there.

use crate::forge::{Folder, MANIFEST, digest_of};
use crate::harness::Place;

fn signed() -> Place {
    let place = Place::new();
    place.key("alice");
    place.pack("oci:lay:v1", "content");
    place.ok("sign oci:lay:v1 --key alice --quiet");
    place
}

/// The path of the artifact's manifest below the place.
fn manifest(place: &Place) -> String {
    let pin = place.ok("resolve oci:lay:v1");
    Folder::open(place, "lay").blob_path(crate::harness::digest(&pin))
}

#[cfg(unix)]
#[test]
fn symbolic_links_in_a_layout_are_not_followed() {
    use std::os::unix::fs::symlink;
    let place = signed();
    let at = manifest(&place);
    std::fs::rename(place.path(&at), place.path("outside")).unwrap();
    symlink(place.path("outside"), place.path(&at)).unwrap();
    place.verify_is(6, "oci:lay:v1 --key alice.pub");
    for link in ["index.json", "oci-layout", "blobs", "blobs/sha256"] {
        let place = signed();
        let pin = place.ok("resolve oci:lay:v1");
        std::fs::rename(place.path(&format!("lay/{link}")), place.path("outside")).unwrap();
        symlink(place.path("outside"), place.path(&format!("lay/{link}"))).unwrap();
        place.verify_is(6, &format!("{pin} --key alice.pub"));
        let before = std::fs::read_dir(place.path(".")).unwrap().count();
        assert_ne!(place.run("sign oci:lay:v1 --key alice --again").code, 0, "{link}");
        assert_eq!(std::fs::read_dir(place.path(".")).unwrap().count(), before);
    }
}

/// A tar member: name, type and content or link target.
fn member(name: &str, kind: u8, target: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[136..147].copy_from_slice(b"00000000000");
    header[148..156].copy_from_slice(b"        ");
    header[156] = kind;
    header[157..157 + target.len()].copy_from_slice(target.as_bytes());
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut bytes = header.to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// A tar of the layout, with `replace` in place of the artifact's manifest.
fn tar(place: &Place, replace: impl Fn(&str, &[u8]) -> Vec<u8>) {
    let special = manifest(place);
    let mut bytes = Vec::new();
    for file in ["oci-layout", "index.json"] {
        bytes.extend(member(file, b'0', "", &place.read(&format!("lay/{file}"))));
    }
    for entry in std::fs::read_dir(place.path("lay/blobs/sha256")).unwrap() {
        let name = format!("blobs/sha256/{}", entry.unwrap().file_name().to_str().unwrap());
        let content = place.read(&format!("lay/{name}"));
        bytes.extend(if special.ends_with(&name) { replace(&name, &content) } else { member(&name, b'0', "", &content) });
    }
    bytes.extend([0; 1024]);
    place.file("hostile.tar", bytes);
}

#[test]
fn a_plain_tar_of_the_same_files_verifies() {
    let place = signed();
    tar(&place, |name, content| member(name, b'0', "", content));
    place.verify_is(0, "oci-archive:hostile.tar:v1 --key alice.pub");
}

#[test]
fn links_and_devices_in_a_tar_are_not_followed() {
    let place = signed();
    place.file("outside", place.read(&manifest(&place)));
    for kind in [b'1', b'2', b'3', b'6'] {
        tar(&place, |name, _| member(name, kind, "../outside", b""));
        let verdict = place.verify("oci-archive:hostile.tar:v1 --key alice.pub");
        assert!([4, 6].contains(&verdict.code), "{}", verdict.stderr);
    }
}

#[test]
fn names_with_two_dots_or_a_root_in_a_tar_are_not_the_blobs_that_they_lead_to() {
    let place = signed();
    for prefix in ["x/../", "../lay/", "/", "./blobs/../"] {
        tar(&place, |name, content| member(&format!("{prefix}{name}"), b'0', "", content));
        let verdict = place.verify("oci-archive:hostile.tar:v1 --key alice.pub");
        assert!([4, 6].contains(&verdict.code), "{prefix}: {}", verdict.stderr);
    }
}

#[test]
fn one_name_twice_in_a_tar_is_malformed() {
    let place = signed();
    tar(&place, |name, content| [member(name, b'0', "", content), member(name, b'0', "", b"{}")].concat());
    place.verify_is(6, "oci-archive:hostile.tar:v1 --key alice.pub");
}

#[test]
fn a_truncated_tar_is_malformed() {
    let place = signed();
    tar(&place, |name, content| member(name, b'0', "", content));
    let whole = place.read("hostile.tar");
    for length in [0, 100, 512, 700, whole.len() / 2] {
        place.file("hostile.tar", &whole[..length]);
        let verdict = place.verify("oci-archive:hostile.tar:v1 --key alice.pub");
        assert!([4, 6].contains(&verdict.code), "{length}: {}", verdict.stderr);
    }
}

#[test]
fn unpack_writes_nothing_outside() {
    let place = signed();
    let folder = Folder::open(&place, "lay");
    let artifact = folder.read_json(crate::harness::digest(&place.ok("resolve oci:lay:v1")));
    let mut titles = vec!["../outside", "/outside", "a/../../outside", "..", ".", "", "a//b", "a\u{0}b"];
    // Elsewhere these are names of files like any other.
    if cfg!(windows) {
        titles.extend(["a\\..\\..\\outside", "C:\\outside"]);
    }
    for title in titles {
        let mut hostile = artifact.clone();
        hostile["layers"][0]["annotations"]["org.opencontainers.image.title"] = title.into();
        let hostile = folder.blob(MANIFEST, hostile.to_string().as_bytes());
        folder.list(hostile.clone());
        place.run(&format!("unpack oci:lay@{} --out files --unverified", digest_of(&hostile))).is(6);
        assert!(!place.path("outside").exists() && !place.path("files").exists(), "{title}");
    }
}

#[cfg(unix)]
#[test]
fn unpack_does_not_write_through_a_link() {
    let place = signed();
    std::fs::create_dir_all(place.path("outside")).unwrap();
    std::fs::create_dir_all(place.path("files")).unwrap();
    std::os::unix::fs::symlink(place.path("outside/payload.txt"), place.path("files/payload.txt")).unwrap();
    assert_ne!(place.run("unpack oci:lay:v1 --out files --key alice.pub").code, 0);
    assert!(!place.path("outside/payload.txt").exists());
}
