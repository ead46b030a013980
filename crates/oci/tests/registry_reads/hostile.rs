//! Registries that lie.

use touchmark_envelope::digest::Algorithm;
use touchmark_oci::Source;
use touchmark_oci::error::{Class, Error};
use touchmark_test_registry::{Action, Fault, Settings, sha256};

use super::*;

#[test]
fn other_bytes_under_a_digest_are_refused() {
    let (server, registry) = started(Settings::default());
    let artifact = put_artifact(&server);
    let other = server.put_manifest(REPOSITORY, None, &image("other"));
    server.fault(Fault::new(Action::Manifest(other)).path("/manifests/"));
    let error = registry.manifest(&artifact.digest, 1 << 20).unwrap_err();
    assert!(matches!(error, Error::WrongDigest { expected, .. } if expected == artifact.digest));
    // Nor are they kept under the name that they came by.
    server.clear_faults();
    assert_eq!(registry.manifest(&artifact.digest, 1 << 20).unwrap(), image("artifact"));
}

#[test]
fn a_digest_that_the_bytes_have_not_is_refused() {
    let (server, registry) = started(Settings::default());
    let artifact = put_artifact(&server);
    server.fault(Fault::new(Action::Header("Docker-Content-Digest".to_owned(), Some(sha256(b"other")))));
    for error in [registry.resolve(Some("v1"), None).unwrap_err(), registry.manifest(&artifact.digest, 1 << 20).unwrap_err()] {
        assert!(matches!(error, Error::WrongDigest { found, .. } if found == artifact.digest));
    }
    // Of another algorithm it is compared with the bytes too, and without one the bytes alone count.
    server.clear_faults();
    let sha512 = Algorithm::Sha512.digest(b"other").to_string();
    server.fault(Fault::new(Action::Header("Docker-Content-Digest".to_owned(), Some(sha512))));
    assert_eq!(registry.resolve(Some("v1"), None).unwrap_err().class(), Class::WrongDigest);
    for value in [None, Some("sha256:../../x".to_owned()), Some(String::new())] {
        server.clear_faults();
        server.fault(Fault::new(Action::Header("Docker-Content-Digest".to_owned(), value)));
        assert_eq!(registry.resolve(Some("v1"), None).unwrap(), artifact);
    }
}

#[test]
fn another_content_type_than_the_manifest_has_is_refused() {
    let (server, _) = started(Settings::default());
    let artifact = put_artifact(&server);
    for (value, taken) in [
        (Some(IMAGE_MANIFEST), true),
        (Some("application/vnd.oci.image.manifest.v1+json; charset=utf-8"), true),
        (Some("Application/vnd.OCI.image.manifest.v1+JSON"), true),
        (Some("application/json"), true),
        (Some("text/plain"), true),
        (None, true),
        (Some(IMAGE_INDEX), false),
        (Some("application/vnd.docker.distribution.manifest.v2+json"), false),
        (Some("application/vnd.docker.distribution.manifest.list.v2+json;charset=utf-8"), false),
    ] {
        server.clear_faults();
        server.fault(Fault::new(Action::Header("Content-Type".to_owned(), value.map(str::to_owned))));
        let registry = opened(&server);
        let read = [registry.resolve(Some("v1"), None).map(drop), opened(&server).manifest(&artifact.digest, 1 << 20).map(drop)];
        for read in read {
            let class = read.as_ref().err().map(Error::class);
            assert_eq!(class, if taken { None } else { Some(Class::Malformed) }, "{value:?}");
        }
    }
}

#[test]
fn another_artifact_under_the_tag_between_two_requests_changes_nothing() {
    let (server, registry) = started(Settings::default());
    let artifact = put_artifact(&server);
    let resolved = registry.resolve(Some("v1"), None).unwrap();
    server.put_manifest(REPOSITORY, Some("v1"), &image("other"));
    assert_eq!(registry.manifest(&resolved.digest, 1 << 20).unwrap(), image("artifact"));
    assert_eq!(resolved, artifact);
    assert_ne!(registry.resolve(Some("v1"), None).unwrap(), artifact);
}

#[test]
fn a_list_with_another_digest_than_its_head_says_is_refused() {
    let (server, registry) = started(Settings::without_referrers_api());
    let artifact = put_artifact(&server);
    put_list(&server, &artifact, &[]);
    server.fault(Fault::new(Action::Header("Docker-Content-Digest".to_owned(), Some(sha256(b"other")))).path("/manifests/sha256-"));
    assert_eq!(registry.quick_referrers(&artifact.digest, 10, 1 << 20).unwrap_err().class(), Class::WrongDigest);
}

#[test]
fn a_body_that_never_ends_is_cut_off_at_the_limit() {
    for path in ["/manifests/", "/referrers/", "/tags/list"] {
        let (server, registry) = started(Settings::default());
        let artifact = put_artifact(&server);
        server.fault(Fault::new(Action::Fill(br#"{"schemaVersion":2,"manifests":["#.to_vec(), b' ', None)).path(path));
        let (class, complete) = match path {
            "/manifests/" => (registry.manifest(&artifact.digest, 4 << 20).err().map(|error| error.class()), true),
            "/referrers/" => (None, registry.quick_referrers(&artifact.digest, 10, 16 << 20).unwrap().complete),
            _ => (registry.tag_names().err().map(|error| error.class()), true),
        };
        assert!(class == Some(Class::Cap) || !complete, "{path}: {class:?}");
    }
}
