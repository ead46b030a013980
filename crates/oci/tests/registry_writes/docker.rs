//! The same on the real docker-registry, which has no referrers API.

use touchmark_envelope::digest::Algorithm;
use touchmark_oci::access::Anchors;
use touchmark_oci::{Error, Source, Store, Upkeep};
use touchmark_test_registry::{Action, DockerRegistry, DockerSettings, Fault, Proxy, Untagged, When};

use super::*;

fn docker() -> Option<(DockerRegistry, Registry)> {
    let server = DockerRegistry::start(DockerSettings::default())?;
    let registry = opened(&server.host(), Anchors::Written);
    Some((server, registry))
}

#[test]
fn what_is_attached_to_docker_registry_is_listed_and_removed_for_good() {
    let Some((server, registry)) = docker() else { return };
    let subject = put_artifact(&registry, "subject");
    let digests: Vec<Digest> = (0..5).map(|mark| sign(&registry, &subject, &mark.to_string())).collect();
    let fresh = || opened(&server.host(), Anchors::Written);
    assert_eq!(referrers(&fresh(), &subject), sorted(digests.clone()));
    assert_eq!(fresh().quick_referrers(&subject.digest, 100, 1 << 20).unwrap().entries.len(), 5);
    for digest in &digests {
        registry.detach(&subject.digest, digest).unwrap();
        assert!(!referrers(&fresh(), &subject).contains(digest));
        assert!(matches!(fresh().manifest(digest, 1 << 20), Err(Error::NoSuchBlob { .. })));
    }
    assert_eq!(referrers(&fresh(), &subject), []);
    assert!(fresh().repair(false, None).unwrap().is_clean());
    assert_eq!(sign(&registry, &subject, "0"), digests[0]);
    assert_eq!(referrers(&fresh(), &subject), [digests[0]]);
}

/// Another tool deletes a manifest and leaves its entry: from then on docker-registry refuses every list that has it.
#[test]
fn docker_registry_gets_a_list_without_what_is_not_there() {
    let Some((server, registry)) = docker() else { return };
    let subject = put_artifact(&registry, "subject");
    let (one, two) = (sign(&registry, &subject, "1"), sign(&registry, &subject, "2"));
    let path = format!("/v2/{REPOSITORY}/manifests/{one}");
    assert_eq!(delete(&server.host(), &path), "202");
    let three = sign(&registry, &subject, "3");
    let found = opened(&server.host(), Anchors::Written).quick_referrers(&subject.digest, 100, 1 << 20).unwrap();
    assert_eq!(sorted(found.entries.iter().map(|entry| entry.digest)), sorted([two, three]));
}

/// As another tool does it; the status of the answer.
fn delete(host: &str, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    write!(stream, "DELETE {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().to_owned()
}

/// What only the list names is garbage to docker-registry 2.8; what has an anchor is not.
#[test]
fn anchors_keep_referrers_from_being_collected_as_garbage() {
    let Some((server, registry)) = docker() else { return };
    let bare = opened(&server.host(), Anchors::Omitted);
    registry.put_blob(None, &mut b"{}".as_slice()).unwrap();
    let subject = registry.put_manifest(&image("subject"), IMAGE_MANIFEST, Some("v1")).unwrap();
    let (anchored, unanchored) = (sign(&registry, &subject, "1"), sign(&bare, &subject, "2"));
    server.collect_garbage(Untagged::Deleted);
    let after = opened(&server.host(), Anchors::Written);
    assert!(after.manifest(&anchored, 1 << 20).is_ok());
    let lost = after.manifest(&unanchored, 1 << 20);
    assert!(matches!(lost, Err(Error::NoSuchBlob { .. })), "docker-registry keeps more than is known of it: {lost:?}");
    // The list names what is gone; the next writer, or `repair`, takes it out.
    assert_eq!(after.repair(false, Some(&subject.digest)).unwrap().removed, [unanchored]);
    assert_eq!(referrers(&after, &subject), [anchored]);
}

/// The address of an upload at docker-registry has a seal of how far it is, and another leads nowhere. So a chunk that did not arrive
/// goes on; after an answer that was lost, only the first can begin anew, and later ones are a failure that may pass.
#[test]
fn chunks_go_on_where_docker_registry_has_them() {
    let Some((server, _)) = docker() else { return };
    let proxy = Proxy::start(&server.host());
    let registry = opened(&proxy.host(), Anchors::Written);
    for (number, action) in [Action::status(500), Action::Reset, Action::Lost, Action::Carried(502)].into_iter().enumerate() {
        for nth in 1..=3 {
            proxy.clear_faults();
            proxy.fault(Fault::new(action.clone()).method("PATCH").when(When::Nth(nth)));
            let bytes = format!("{number}{nth}").repeat(10 << 20);
            let expected = Descriptor::new("x", Algorithm::Sha256.digest(bytes.as_bytes()), 20 << 20);
            let stored = registry.put_blob(Some(&expected), &mut bytes.as_bytes());
            if nth > 1 && matches!(action, Action::Lost | Action::Carried(_)) {
                assert!(stored.unwrap_err().is_retryable());
                registry.put_blob(Some(&expected), &mut bytes.as_bytes()).unwrap();
            } else {
                stored.unwrap();
            }
            let (size, mut reader) = registry.blob(&expected.digest).unwrap();
            let mut read = String::new();
            std::io::Read::read_to_string(&mut reader, &mut read).unwrap();
            assert!(size == expected.size && read == bytes, "{action:?} {nth}");
        }
    }
}

#[test]
fn docker_registry_mounts_blobs_of_other_repositories() {
    let Some((server, registry)) = docker() else { return };
    let base = format!("{}/acme/base", server.host()).parse().unwrap();
    let there = Registry::new(base, &touchmark_oci::Access::default()).unwrap();
    let blob = there.put_blob(None, &mut b"mounted".as_slice()).unwrap();
    assert_eq!(registry.size(&blob.digest).unwrap(), None);
    assert!(registry.mount(&blob, there.repository().unwrap()).unwrap());
    assert_eq!(registry.size(&blob.digest).unwrap(), Some(7));
    assert!(!registry.mount(&Descriptor::new("x", Algorithm::Sha256.digest(b"missing"), 7), there.repository().unwrap()).unwrap());
}
