//! A multi-platform index with signatures and evidence travels: OCI layout, tar, OCI layout.

use crate::graph::{count, graph, signed_index};
use crate::harness::{Place, digest};

#[test]
fn an_index_with_two_platforms_signed_and_attested_at_depth_2_travels_whole() {
    let place = Place::new();
    let [index, amd, arm] = signed_index(&place, "oci:lay");
    let at_home = graph(&place, "oci:lay:all");
    // 3 manifests, each with a signature, an attestation, and an attestation of the signature.
    assert_eq!(count(&at_home, &|members| members.contains_key("artifact_type")), 12, "{at_home:#}");

    let stops = ["oci:lay", "oci-archive:way.tar", "oci:far"];
    place.ok("copy oci:lay:all oci-archive:way.tar:all");
    place.ok("copy oci-archive:way.tar:all oci:far:all");
    for stop in stops {
        let at = |pin: &str| format!("{stop}@{}", digest(pin));
        for pin in [&index, &amd, &arm] {
            let pin = at(pin);
            place.verify_is(0, &format!("{pin} --key alice.pub --name acme/app:1.0"));
            place.verify_is(0, &format!("{pin} --key bob.pub --type spdx"));
            place.verify_is(1, &format!("{pin} --key bob.pub"));
        }
        place.verify_is(0, &format!("{stop}:all --key alice.pub --platform linux/arm64"));
        assert_eq!(graph(&place, &format!("{stop}:all")), at_home, "{stop}");
    }
    // Nothing is left to do: copying again merges.
    place.ok("copy oci-archive:way.tar:all oci:far:all");
    assert_eq!(graph(&place, "oci:far:all"), at_home);
}

#[test]
fn signatures_made_at_both_ends_are_merged() {
    let place = Place::new();
    place.key("alice");
    place.key("bob");
    let pin = place.pack("oci:lay:v1", "content");
    place.ok("copy oci:lay:v1 oci:far:v1");
    place.ok(&format!("sign {pin} --key alice"));
    place.ok(&format!("sign oci:far@{} --key bob", digest(&pin)));
    place.ok("copy oci:lay:v1 oci:far:v1");
    place.verify_is(0, "oci:far:v1 --key alice.pub --key bob.pub --threshold 2");
    place.verify_is(1, "oci:lay:v1 --key alice.pub --key bob.pub --threshold 2");
    place.ok("copy oci:far:v1 oci:lay:v1");
    place.verify_is(0, "oci:lay:v1 --key alice.pub --key bob.pub --threshold 2");
}

#[test]
fn a_tar_is_merged_too() {
    let place = Place::new();
    place.key("alice");
    let one = place.pack("oci:lay:one", "one");
    let two = place.pack("oci:lay:two", "two");
    place.ok("copy oci:lay:one oci-archive:all.tar:one");
    place.ok(&format!("sign {two} --key alice"));
    place.ok("copy oci:lay:two oci-archive:all.tar:two");
    assert_eq!(place.ok("resolve oci-archive:all.tar:one"), format!("oci-archive:all.tar@{}", digest(&one)));
    place.verify_is(0, "oci-archive:all.tar:two --key alice.pub");
    place.verify_is(3, "oci-archive:all.tar:one --key alice.pub");
}
