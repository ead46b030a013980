//! Pushing manifests.

use touchmark_envelope::digest::Algorithm;
use touchmark_oci::{Class, Error, Source, Store};
use touchmark_test_registry::{Action, Fault, Settings};

use super::*;

#[test]
fn a_manifest_is_pushed_by_tag_and_by_digest() {
    let (server, registry) = started(Settings::default());
    registry.put_blob(None, &mut b"{}".as_slice()).unwrap();
    let bytes = image("one");
    let tagged = registry.put_manifest(&bytes, IMAGE_MANIFEST, Some("v1")).unwrap();
    assert_eq!(registry.resolve(Some("v1"), None).unwrap(), tagged);
    let other = registry.put_manifest(&image("two"), IMAGE_MANIFEST, None).unwrap();
    assert_eq!(registry.manifest(&other.digest, 1 << 20).unwrap(), image("two"));
    let by_sha512 = registry.put_manifest_as(Algorithm::Sha512, &bytes, IMAGE_MANIFEST, Some("v2")).unwrap();
    assert_eq!(by_sha512.digest, Algorithm::Sha512.digest(&bytes));
    assert!(server.manifest(REPOSITORY, &by_sha512.digest.to_string()).is_some());
    assert!(server.manifest(REPOSITORY, "v2").is_some_and(|manifest| *manifest.bytes == bytes));
}

#[test]
fn what_is_no_such_manifest_or_no_tag_is_not_sent() {
    let (server, registry) = started(Settings::default());
    let image = image("one");
    let refused = [
        registry.put_manifest(b"{}", IMAGE_MANIFEST, None),
        registry.put_manifest(&image, "application/vnd.oci.image.index.v1+json", None),
        registry.put_manifest(&[b' '; (4 << 20) + 1], IMAGE_MANIFEST, None),
        registry.put_manifest(&image, IMAGE_MANIFEST, Some("a b")),
        registry.put_manifest(&image, IMAGE_MANIFEST, Some(&format!("sha256-{}", "0".repeat(64)))),
    ];
    let classes = refused.map(|refused| refused.unwrap_err().class());
    assert_eq!(classes, [Class::Malformed, Class::Malformed, Class::Cap, Class::Usage, Class::Usage]);
    assert_eq!(server.log().len(), 0);
}

#[test]
fn a_missing_blob_is_named() {
    let (_server, registry) = started(Settings::default());
    let error = registry.put_manifest(&image("one"), IMAGE_MANIFEST, Some("v1")).unwrap_err();
    assert!(matches!(&error, Error::MissingBlob { blob, .. } if blob.matches(b"{}")), "{error:?}");
}

#[test]
fn a_registry_that_stored_something_else_is_not_believed() {
    let (server, registry) = started(Settings::default());
    registry.put_blob(None, &mut b"{}".as_slice()).unwrap();
    let other = Algorithm::Sha256.digest(b"other").to_string();
    server.fault(Fault::new(Action::Header("Docker-Content-Digest".to_owned(), Some(other))).method("PUT").path("manifests/"));
    let error = registry.put_manifest(&image("one"), IMAGE_MANIFEST, Some("v1")).unwrap_err();
    assert_eq!(error.class(), Class::WrongDigest, "{error:?}");
    // Without a word of the digest the manifest is looked for.
    server.clear_faults();
    server.fault(Fault::new(Action::Header("Docker-Content-Digest".to_owned(), None)).method("PUT").path("manifests/"));
    registry.put_manifest(&image("one"), IMAGE_MANIFEST, Some("v1")).unwrap();
    // What is stored under another algorithm's digest alone is not there.
    let (_server, naive) = started(Settings { sha512_manifests: false, ..Settings::naive() });
    naive.put_blob(None, &mut b"{}".as_slice()).unwrap();
    assert!(naive.put_manifest_as(Algorithm::Sha512, &image("one"), IMAGE_MANIFEST, None).is_err());
}
