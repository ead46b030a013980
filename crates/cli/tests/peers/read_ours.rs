//! Other tools read the OCI layouts that Touchmark writes.

use serde_json::Value;

use crate::harness::{Place, digest};
use crate::tool::{self, Registry, listed};

const SIGNATURE: &str = "application/vnd.touchmark.signature.v1+json";
const ATTESTATION: &str = "application/vnd.in-toto+json";

/// An index of two platforms, each of the three signed and attested; the pins of index, amd64 and arm64.
fn signed_index(place: &Place) -> [String; 3] {
    place.key("alice");
    place.file("sbom.json", r#"{"spdxVersion":"SPDX-2.3"}"#);
    let amd = place.pack("oci:lay:amd", "for amd64");
    let arm = place.pack("oci:lay:arm", "for arm64");
    let index = place.ok(&format!("index {amd} {arm} --to oci:lay:all --platform linux/amd64 --platform linux/arm64"));
    for pin in [&index, &amd, &arm] {
        place.ok(&format!("sign {pin} --key alice --name acme/app:1.0"));
        place.ok(&format!("attest {pin} --key alice --type spdx --predicate sbom.json"));
    }
    [index, amd, arm]
}

fn by_type(place: &Place, pin: &str) -> [Vec<String>; 2] {
    let list = place.json(&format!("signature list {pin}"), 0).to_string();
    assert!(list.contains("sha256:"), "{list}");
    let found = tool::json(place, "oras", &format!("discover --oci-layout lay@{} --format json --depth 1", digest(pin)));
    [SIGNATURE, ATTESTATION].map(|artifact_type| listed(&found["referrers"], artifact_type))
}

#[test]
fn oras_discovers_signatures_and_attestations() {
    tool::need!("oras");
    let place = Place::new();
    for pin in signed_index(&place) {
        let [signatures, attestations] = by_type(&place, &pin);
        assert_eq!((signatures.len(), attestations.len()), (1, 1), "{pin}");
    }
}

#[test]
fn oras_copies_the_graph_and_it_still_verifies() {
    tool::need!("oras");
    let place = Place::new();
    let [index, amd, arm] = signed_index(&place);
    tool::ok(&place, "oras", "copy --recursive --from-oci-layout lay:all --to-oci-layout far:all");
    for pin in [index, amd, arm] {
        place.verify_is(0, &format!("oci:far@{} --key alice.pub --name acme/app:1.0", digest(&pin)));
        place.verify_is(0, &format!("oci:far@{} --key alice.pub --type spdx", digest(&pin)));
    }
}

#[test]
fn regctl_lists_what_oras_lists() {
    tool::need!("oras", "regctl");
    let place = Place::new();
    for pin in signed_index(&place) {
        let line = format!("artifact list ocidir://lay@{} --format {{{{.Descriptors|json}}}}", digest(&pin));
        let found = tool::json(&place, "regctl", &line);
        let by_regctl = [SIGNATURE, ATTESTATION].map(|artifact_type| listed(&found, artifact_type));
        assert_eq!(by_regctl, by_type(&place, &pin), "{pin}");
    }
    let tree = tool::ok(&place, "regctl", "artifact tree ocidir://lay:all");
    assert_eq!(tree.matches(SIGNATURE).count(), 3, "{tree}");
}

#[test]
fn regctl_copies_the_graph_and_it_still_verifies() {
    tool::need!("regctl");
    let place = Place::new();
    let [index, amd, arm] = signed_index(&place);
    tool::ok(&place, "regctl", "image copy --referrers ocidir://lay:all ocidir://far:all");
    for pin in [index, amd, arm] {
        place.verify_is(0, &format!("oci:far@{} --key alice.pub --name acme/app:1.0", digest(&pin)));
    }
}

#[test]
fn skopeo_reads_the_artifact_byte_for_byte() {
    tool::need!("skopeo");
    let place = Place::new();
    let [index, amd, _] = signed_index(&place);
    for (tag, pin) in [("all", &index), ("amd", &amd)] {
        let raw = tool::ok(&place, "skopeo", &format!("inspect --raw oci:lay:{tag}"));
        let (_, hex) = digest(pin).split_once(':').unwrap();
        assert_eq!(raw.as_bytes(), place.read(&format!("lay/blobs/sha256/{hex}")), "{tag}");
    }
    // skopeo takes the image alone: its signature stays behind, and the answer says so.
    tool::ok(&place, "skopeo", "copy oci:lay:amd oci:far:amd");
    assert_eq!(digest(&place.ok("resolve oci:far:amd")), digest(&amd));
    place.verify_is(3, "oci:far:amd --key alice.pub");
    // Merged back in, it is the signed artifact that it was.
    place.ok("copy oci:lay:amd oci:far:amd");
    place.verify_is(0, "oci:far:amd --key alice.pub");
    // And into an archive, whose format we share.
    tool::ok(&place, "skopeo", "copy oci:lay:amd oci-archive:far.tar:amd");
    assert_eq!(digest(&place.ok("resolve oci-archive:far.tar:amd")), digest(&amd));
}

#[test]
fn crane_pushes_the_artifact_with_the_same_digest() {
    tool::need!("crane");
    let place = Place::new();
    place.key("alice");
    let pin = place.pack("oci:lay:v1", "content");
    let registry = Registry::start(&place);
    let there = format!("{}/app:v1", registry.address);
    tool::ok(&place, "crane", &format!("push lay {there}"));
    assert_eq!(tool::ok(&place, "crane", &format!("digest {there}")).trim(), digest(&pin));
    // With a signature there are several entries; crane then pushes index.json as an index of them.
    place.ok(&format!("sign {pin} --key alice"));
    let whole = format!("{}/whole:v1", registry.address);
    tool::ok(&place, "crane", &format!("push --index lay {whole}"));
    let manifest: Value = tool::json(&place, "crane", &format!("manifest {whole}"));
    let digests = manifest["manifests"].as_array().unwrap().iter().map(|entry| entry["digest"].as_str().unwrap());
    assert!(digests.collect::<Vec<_>>().contains(&digest(&pin)), "{manifest:#}");
}

#[test]
fn skopeo_oras_and_crane_read_the_image_of_a_program_and_what_is_in_it() {
    tool::need!("skopeo", "oras", "crane");
    let place = Place::new();
    place.program("tool", "#!/bin/sh\necho hello\n");
    let pin = place.ok("pack tool --image linux/amd64 --to oci:lay:v1");
    let config: Value = tool::json(&place, "skopeo", "inspect --config oci:lay:v1");
    assert_eq!((&config["os"], &config["architecture"]), (&"linux".into(), &"amd64".into()));
    assert_eq!(config["config"]["Entrypoint"], serde_json::json!(["/tool"]));
    // What docker loads: skopeo compares the layer with the config's digest of it.
    tool::ok(&place, "skopeo", "copy oci:lay:v1 docker-archive:docker.tar:acme/tool:1");
    let loaded: Value = tool::json(&place, "skopeo", "inspect --config docker-archive:docker.tar:acme/tool:1");
    assert_eq!(loaded["rootfs"], config["rootfs"]);

    let manifest: Value = tool::json(&place, "oras", "manifest fetch --oci-layout lay:v1");
    assert_eq!(config["rootfs"]["diff_ids"], serde_json::json!([manifest["layers"][0]["digest"]]));
    let read: Value = tool::json(&place, "oras", "manifest fetch-config --oci-layout lay:v1");
    assert_eq!(read["rootfs"], config["rootfs"]);

    let registry = Registry::start(&place);
    let there = format!("{}/tool:v1", registry.address);
    tool::ok(&place, "crane", &format!("push lay {there}"));
    assert_eq!(tool::ok(&place, "crane", &format!("digest {there}")).trim(), digest(&pin));
    // Without `--fast` it takes every layer for a compressed one.
    tool::ok(&place, "crane", &format!("validate --fast --remote {there}"));
    tool::ok(&place, "crane", &format!("export {there} files.tar"));
    std::fs::create_dir(place.path("root")).unwrap();
    tool::ok(&place, "tar", "-xpf files.tar -C root");
    let ran = std::process::Command::new(place.path("root/tool")).output().unwrap();
    assert_eq!((ran.status.code(), ran.stdout), (Some(0), b"hello\n".to_vec()));
}
