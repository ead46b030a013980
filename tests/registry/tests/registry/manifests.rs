//! Manifests: pushed, checked, pulled, deleted.

use serde_json::json;
use touchmark_test_registry::{Settings, TestRegistry, sha256, sha512};

use crate::client::{Client, INDEX, MANIFEST, location, manifest, subject};

fn start() -> (TestRegistry, Client) {
    let registry = TestRegistry::start(Settings::default());
    registry.put_blob("acme/app", b"{}");
    let client = Client::new(&registry.host());
    (registry, client)
}

fn path(reference: &str) -> String {
    format!("/v2/acme/app/manifests/{reference}")
}

#[test]
fn a_manifest_is_pulled_as_it_was_pushed_by_tag_and_by_digest() {
    let (registry, mut client) = start();
    let bytes = manifest(&json!({ "annotations": { "b": "1", "a": "2" } }));
    let digest = sha256(&bytes);
    let put = client.put(&path("1.0"), MANIFEST, &bytes).is(201);
    assert_eq!((location(&put), put.header("docker-content-digest")), (path(&digest), Some(digest.as_str())));
    for reference in ["1.0", &digest] {
        let got = client.get(&path(reference)).is(200);
        assert_eq!(got.body, bytes);
        assert_eq!(got.header("content-type"), Some(MANIFEST));
        assert_eq!(got.header("docker-content-digest"), Some(digest.as_str()));
        let head = client.send("HEAD", &path(reference), &[], b"").is(200);
        assert_eq!(head.header("content-length"), Some(bytes.len().to_string().as_str()));
    }
    assert_eq!(client.get(&path("2.0")).is(404).code(), "MANIFEST_UNKNOWN");
    assert_eq!(client.get("/v2/acme/none/manifests/1.0").is(404).code(), "NAME_UNKNOWN");
    assert_eq!(registry.tags("acme/app"), [("1.0".to_owned(), digest)]);
}

#[test]
fn a_manifest_is_pushed_by_digest_with_tags() {
    let (registry, mut client) = start();
    let bytes = manifest(&json!({}));
    for digest in [sha256(&bytes), sha512(&bytes)] {
        let put = client.put(&format!("{}?tag=1&tag=latest", path(&digest)), MANIFEST, &bytes).is(201);
        assert_eq!(put.header("oci-tag"), Some("1, latest"));
        assert_eq!(put.header("docker-content-digest"), Some(digest.as_str()));
        assert_eq!(registry.manifest("acme/app", "latest").unwrap().digest, digest);
    }
    assert_eq!(client.put(&path(&sha256(b"other")), MANIFEST, &bytes).is(400).code(), "DIGEST_INVALID");
    assert_eq!(client.put(&path("md5:00"), MANIFEST, &bytes).is(400).code(), "DIGEST_INVALID");
    client.put(&path("-tag"), MANIFEST, &bytes).is(400);
    client.put("/v2/ACME/app/manifests/1.0", MANIFEST, &bytes).is(400);
    registry.change(|settings| settings.sha512_manifests = false);
    client.put(&path(&sha512(&bytes)), MANIFEST, &bytes).is(400);
}

#[test]
fn what_a_manifest_names_must_be_there() {
    let (registry, mut client) = start();
    let layer = json!({ "mediaType": "x/y", "digest": sha256(b"layer"), "size": 5 });
    let with_layer = manifest(&json!({ "layers": [layer] }));
    assert_eq!(client.put(&path("1.0"), MANIFEST, &with_layer).is(400).code(), "MANIFEST_BLOB_UNKNOWN");
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [subject(&with_layer)] }).to_string();
    assert_eq!(client.put(&path("all"), INDEX, index.as_bytes()).is(400).code(), "MANIFEST_BLOB_UNKNOWN");
    registry.put_blob("acme/app", b"layer");
    client.put(&path("1.0"), MANIFEST, &with_layer).is(201);
    client.put(&path("all"), INDEX, index.as_bytes()).is(201);
    // A subject need not be.
    client.put(&path("2.0"), MANIFEST, &manifest(&json!({ "subject": subject(b"none") }))).is(201);

    registry.change(|settings| settings.accept_missing_blobs = true);
    let missing = manifest(&json!({ "layers": [{ "mediaType": "x/y", "digest": sha256(b"missing"), "size": 7 }] }));
    client.put(&path("3.0"), MANIFEST, &missing).is(201);
}

#[test]
fn what_is_no_manifest_is_refused() {
    let (registry, mut client) = start();
    assert_eq!(client.put(&path("1.0"), MANIFEST, b"not JSON").is(400).code(), "MANIFEST_INVALID");
    assert_eq!(client.put(&path("1.0"), MANIFEST, b"[]").is(400).code(), "MANIFEST_INVALID");
    assert_eq!(client.put(&path("1.0"), INDEX, &manifest(&json!({}))).is(400).code(), "MANIFEST_INVALID");
    client.put(&path("1.0"), &format!("{MANIFEST}; charset=utf-8"), &manifest(&json!({}))).is(201);
    registry.change(|settings| settings.manifest_limit = 1000);
    let padded = |length: usize| {
        let mut bytes = manifest(&json!({}));
        bytes.resize(length, b' ');
        bytes
    };
    client.put(&path("1.0"), MANIFEST, &padded(1000)).is(201);
    client.put(&path("1.0"), MANIFEST, &padded(1001)).is(413);
}

#[test]
fn a_subject_is_acknowledged() {
    let (registry, mut client) = start();
    let referrer = manifest(&json!({ "subject": subject(b"image") }));
    let put = client.put(&path(&sha256(&referrer)), MANIFEST, &referrer).is(201);
    assert_eq!(put.header("oci-subject"), Some(sha256(b"image").as_str()));
    assert_eq!(registry.referrers("acme/app", &sha256(b"image")), [sha256(&referrer)]);
    registry.change(|settings| settings.oci_subject = false);
    assert_eq!(client.put(&path("x"), MANIFEST, &referrer).is(201).header("oci-subject"), None);
    registry.change(|settings| (settings.oci_subject, settings.referrers_api) = (true, false));
    assert_eq!(client.put(&path("x"), MANIFEST, &referrer).is(201).header("oci-subject"), None);
}

#[test]
fn a_tag_is_deleted_alone_and_a_manifest_with_its_tags() {
    let (registry, mut client) = start();
    let bytes = manifest(&json!({ "subject": subject(b"image") }));
    let digest = sha256(&bytes);
    for tag in ["a", "b", "c"] {
        client.put(&path(tag), MANIFEST, &bytes).is(201);
    }
    client.send("DELETE", &path("a"), &[], b"").is(202);
    client.get(&path("a")).is(404);
    client.get(&path(&digest)).is(200);
    client.send("DELETE", &path("a"), &[], b"").is(404);
    client.send("DELETE", &path(&digest), &[], b"").is(202);
    client.get(&path("b")).is(404);
    client.send("DELETE", &path(&digest), &[], b"").is(404);
    client.send("DELETE", &format!("/v2/acme/none/manifests/{digest}"), &[], b"").is(404);
    assert_eq!(registry.referrers("acme/app", &sha256(b"image")), [""; 0]);

    client.put(&path("a"), MANIFEST, &bytes).is(201);
    registry.change(|settings| (settings.delete_tags, settings.delete_manifests) = (false, false));
    client.send("DELETE", &path("a"), &[], b"").is(400);
    client.send("DELETE", &path(&digest), &[], b"").is(405);
    client.get(&path("a")).is(200);
}
