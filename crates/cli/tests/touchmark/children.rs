//! Indexes: what a signature of an index says of its children, and what it does not.

use serde_json::{Value, json};

use crate::forge::{Folder, Forger, INDEX, MANIFEST, digest_of, signature_statement};
use crate::harness::Place;

/// A place with the keys `alice` and `bob`, and the signed index `oci:lay:all` of `oci:lay:amd` and `oci:lay:arm`, which are not signed.
struct Family {
    place: Place,
    alice: Forger,
    amd: Value,
    arm: Value,
}

impl Family {
    fn new() -> Self {
        let place = Place::new();
        place.key("alice");
        place.key("bob");
        let alice = Forger::read(&place, "alice");
        let folder = Folder::new(&place, "lay");
        let amd = folder.artifact("amd", "for amd64");
        let arm = folder.artifact("arm", "for arm64");
        let family = Self { amd, arm, alice, place };
        family.index("all", family.listed());
        family
    }

    fn folder(&self) -> Folder<'_> {
        Folder::open(&self.place, "lay")
    }

    fn listed(&self) -> Value {
        let (mut amd, mut arm) = (self.amd.clone(), self.arm.clone());
        amd["platform"] = json!({"os": "linux", "architecture": "amd64"});
        arm["platform"] = json!({"os": "linux", "architecture": "arm64", "variant": "v8"});
        json!([amd, arm])
    }

    /// A signed index with these entries.
    fn index(&self, tag: &str, manifests: Value) -> Value {
        let folder = self.folder();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        let index = folder.blob(INDEX, index.to_string().as_bytes());
        folder.tag(&index, tag);
        folder.attach(&index, &self.alice.statement(&signature_statement(&index, Some("acme/app:1.0"))));
        index
    }
}

#[test]
fn a_signature_of_an_index_says_nothing_of_its_child_alone() {
    let family = Family::new();
    family.place.verify_is(0, "oci:lay:all --key alice.pub");
    family.place.verify_is(3, "oci:lay:amd --key alice.pub");
}

#[test]
fn a_child_is_covered_when_the_caller_names_the_index() {
    let family = Family::new();
    let verdict = family.place.verify_is(0, "oci:lay:amd --covered-by oci:lay:all --key alice.pub --name acme/app:1.0");
    assert_eq!(verdict.stdout.trim_end(), format!("oci:lay@{}", digest_of(&family.amd)));
    assert!(verdict.stderr.contains("covered by the signed index"), "{}", verdict.stderr);
}

#[test]
fn a_platform_of_a_signed_index_is_its_child() {
    let family = Family::new();
    let verdict = family.place.verify_is(0, "oci:lay:all --platform linux/amd64 --key alice.pub");
    assert_eq!(verdict.stdout.trim_end(), format!("oci:lay@{}", digest_of(&family.amd)));
    let verdict = family.place.verify_is(0, "oci:lay:all --platform linux/arm64/v8 --key alice.pub");
    assert_eq!(verdict.stdout.trim_end(), format!("oci:lay@{}", digest_of(&family.arm)));
    let missing = family.place.verify("oci:lay:all --platform windows/amd64 --key alice.pub");
    assert!([2, 4].contains(&missing.code), "{}", missing.stderr);
}

#[test]
fn a_child_of_an_index_by_another_key_is_not_verified() {
    let family = Family::new();
    family.place.verify_is(1, "oci:lay:amd --covered-by oci:lay:all --key bob.pub");
    family.place.verify_is(1, "oci:lay:all --platform linux/amd64 --key bob.pub");
}

#[test]
fn an_index_that_does_not_list_the_child_does_not_cover_it() {
    let family = Family::new();
    let mut arm = family.arm.clone();
    arm["platform"] = json!({"os": "linux", "architecture": "arm64"});
    family.index("some", json!([arm]));
    family.place.verify_is(1, "oci:lay:amd --covered-by oci:lay:some --key alice.pub");
}

#[test]
fn a_child_that_is_listed_with_another_media_type_is_not_covered() {
    let family = Family::new();
    let mut listed = family.listed();
    listed[0]["mediaType"] = "application/vnd.docker.distribution.manifest.v2+json".into();
    family.index("lying", listed);
    family.place.verify_is(1, "oci:lay:amd --covered-by oci:lay:lying --key alice.pub");
    family.place.verify_is(1, "oci:lay:lying --platform linux/amd64 --key alice.pub");
}

#[test]
fn a_child_that_is_listed_with_another_size_is_not_covered() {
    let family = Family::new();
    let mut listed = family.listed();
    listed[0]["size"] = (family.amd["size"].as_u64().unwrap() + 1).into();
    family.index("lying", listed);
    family.place.verify_is(1, "oci:lay:amd --covered-by oci:lay:lying --key alice.pub");
    family.place.verify_is(1, "oci:lay:lying --platform linux/amd64 --key alice.pub");
}

/// One level: an index in an index is no image manifest.
#[test]
fn an_index_inside_an_index_is_not_covered() {
    let family = Family::new();
    let folder = family.folder();
    let inner = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": family.listed()});
    let inner = folder.blob(INDEX, inner.to_string().as_bytes());
    folder.tag(&inner, "inner");
    family.index("outer", json!([inner]));
    family.place.verify_is(1, "oci:lay:inner --covered-by oci:lay:outer --key alice.pub");
    family.place.verify_is(1, "oci:lay:amd --covered-by oci:lay:outer --key alice.pub");
}

#[test]
fn an_image_manifest_covers_nothing() {
    let family = Family::new();
    let folder = family.folder();
    folder.attach(&family.arm, &family.alice.statement(&signature_statement(&family.arm, None)));
    let verdict = family.place.verify("oci:lay:amd --covered-by oci:lay:arm --key alice.pub");
    assert!([1, 2].contains(&verdict.code), "{}", verdict.stderr);
    assert_eq!(family.arm["mediaType"], MANIFEST);
}

#[test]
fn an_unsigned_index_covers_nothing() {
    let family = Family::new();
    let folder = family.folder();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "annotations": {"un": "signed"}, "manifests": family.listed()});
    let index = folder.blob(INDEX, index.to_string().as_bytes());
    folder.tag(&index, "unsigned");
    family.place.verify_is(3, "oci:lay:amd --covered-by oci:lay:unsigned --key alice.pub");
}
