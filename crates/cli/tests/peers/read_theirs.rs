//! Touchmark reads, signs and verifies in the OCI layouts that other tools write.

use crate::harness::{Place, digest};
use crate::tool::{self, Registry};

/// Signs and verifies the one artifact that is tagged v1 in the folder, whose manifest has this digest.
fn sign_and_verify(place: &Place, folder: &str, expected: &str) {
    let pin = place.ok(&format!("resolve oci:{folder}:v1"));
    assert_eq!(digest(&pin), expected);
    place.verify_is(3, &format!("oci:{folder}:v1 --key alice.pub"));
    place.ok(&format!("sign {pin} --key alice --name acme/x:1"));
    place.verify_is(0, &format!("oci:{folder}:v1 --key alice.pub --name acme/x:1"));
    place.ok(&format!("tree oci:{folder}:v1"));
}

/// An artifact that oras wrote, tagged v1; its digest.
fn by_oras(place: &Place, folder: &str) -> String {
    place.key("alice");
    place.file("content.txt", "content\n");
    tool::ok(place, "oras", &format!("push --oci-layout {folder}:v1 --artifact-type application/vnd.example.test content.txt"));
    let found = tool::json(place, "oras", &format!("discover --oci-layout {folder}:v1 --format json"));
    found["digest"].as_str().unwrap().to_owned()
}

#[test]
fn what_oras_wrote() {
    tool::need!("oras");
    let place = Place::new();
    let expected = by_oras(&place, "lay");
    sign_and_verify(&place, "lay", &expected);
    // oras goes on with it: it keeps what we listed, and lists what it attaches.
    tool::ok(&place, "oras", "attach --oci-layout lay:v1 --artifact-type application/vnd.example.note content.txt");
    place.verify_is(0, "oci:lay:v1 --key alice.pub --name acme/x:1");
    let tree = place.json("tree oci:lay:v1", 0).to_string();
    assert!(tree.contains("application/vnd.example.note"), "{tree}");
}

#[test]
fn what_regctl_wrote() {
    tool::need!("oras", "regctl");
    let place = Place::new();
    let expected = by_oras(&place, "start");
    tool::ok(&place, "regctl", "image copy ocidir://start:v1 ocidir://lay:v1");
    sign_and_verify(&place, "lay", &expected);
    let line = "artifact put --subject ocidir://lay:v1 --artifact-type application/vnd.example.note --file content.txt --file-media-type text/plain";
    tool::ok(&place, "regctl", line);
    place.verify_is(0, "oci:lay:v1 --key alice.pub --name acme/x:1");
    let tree = place.json("tree oci:lay:v1", 0).to_string();
    assert!(tree.contains("application/vnd.example.note"), "{tree}");
}

#[test]
fn what_skopeo_wrote() {
    tool::need!("oras", "skopeo");
    let place = Place::new();
    let expected = by_oras(&place, "start");
    tool::ok(&place, "skopeo", "copy oci:start:v1 oci:lay:v1");
    sign_and_verify(&place, "lay", &expected);
}

#[test]
fn what_crane_wrote() {
    tool::need!("oras", "crane");
    let place = Place::new();
    let expected = by_oras(&place, "start");
    let registry = Registry::start(&place);
    let there = format!("{}/app:v1", registry.address);
    tool::ok(&place, "crane", &format!("push start {there}"));
    tool::ok(&place, "crane", &format!("pull --format=oci {there} lay"));
    // crane tags nothing: the artifact is the layout's only one.
    let pin = place.ok("resolve oci:lay");
    assert_eq!(digest(&pin), expected);
    place.ok(&format!("sign {pin} --key alice --name acme/x:1"));
    place.verify_is(0, "oci:lay --key alice.pub --name acme/x:1");
}

#[test]
fn a_signature_that_oras_or_regctl_attached() {
    tool::need!("oras", "regctl");
    let place = Place::new();
    let expected = by_oras(&place, "start");
    place.ok("copy oci:start:v1 oci:signed:v1");
    place.ok(&format!("sign oci:signed@{expected} --key alice --name acme/x:1"));
    place.ok("signature export oci:signed:v1 --out envelopes");
    let envelope = std::fs::read_dir(place.path("envelopes")).unwrap().next().unwrap().unwrap().file_name().into_string().unwrap();
    for attach in [
        format!(
            "oras attach --disable-path-validation --oci-layout FOLDER:v1 --artifact-type application/vnd.touchmark.signature.v1+json envelopes/{envelope}:application/vnd.dsse.envelope.v1+json"
        ),
        format!(
            "regctl artifact put --subject ocidir://FOLDER:v1 --artifact-type application/vnd.touchmark.signature.v1+json --file envelopes/{envelope} --file-media-type application/vnd.dsse.envelope.v1+json"
        ),
    ] {
        let (name, line) = attach.split_once(' ').unwrap();
        let folder = format!("by-{name}");
        place.ok(&format!("copy oci:start:v1 oci:{folder}:v1"));
        place.verify_is(3, &format!("oci:{folder}:v1 --key alice.pub"));
        tool::ok(&place, name, &line.replace("FOLDER", &folder));
        place.verify_is(0, &format!("oci:{folder}:v1 --key alice.pub --name acme/x:1"));
    }
}
