//! Reading from registries, as the specification has them and as they are.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod anchors;
mod blobs;
mod hostile;
mod manifests;
mod referrers;
mod tags;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, IMAGE_INDEX, IMAGE_MANIFEST};
use touchmark_oci::referrer::{self, Role};
use touchmark_oci::{Access, Registry};
use touchmark_test_registry::{Settings, TestRegistry};

/// The repository of all tests.
const REPOSITORY: &str = "acme/app";

/// A registry, and the repository in it.
fn started(settings: Settings) -> (TestRegistry, Registry) {
    let server = TestRegistry::start(settings);
    let registry = opened(&server);
    (server, registry)
}

/// The repository, of which nothing is known yet. What fails is tried once more.
fn opened(server: &TestRegistry) -> Registry {
    let access = Access { retries: Some(1), ..Access::default() };
    Registry::new(format!("{}/{REPOSITORY}", server.host()).parse().unwrap(), &access).unwrap()
}

/// An image manifest without layers; `mark` makes it another one.
fn image(mark: &str) -> Vec<u8> {
    let config = Algorithm::Sha256.digest(b"{}");
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE_MANIFEST}","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2}},"layers":[],"annotations":{{"mark":"{mark}"}}}}"#
    )
    .into_bytes()
}

/// An index.
fn index(entries: &[Descriptor]) -> Vec<u8> {
    let entries: Vec<String> = entries.iter().map(|entry| String::from_utf8(entry.to_json().to_vec()).unwrap()).collect();
    format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[{}]}}"#, entries.join(",")).into_bytes()
}

/// The manifest of a signature; `mark` makes it another one.
fn signature(subject: &Descriptor, mark: &str) -> Vec<u8> {
    referrer::manifest(subject, mark.as_bytes(), &Role::Signature)
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Descriptor {
    Descriptor::new(media_type, Algorithm::Sha256.digest(bytes), u64::try_from(bytes.len()).unwrap())
}

/// Puts an image under the tag `v1`, and gives its descriptor.
fn put_artifact(server: &TestRegistry) -> Descriptor {
    let bytes = image("artifact");
    server.put_manifest(REPOSITORY, Some("v1"), &bytes);
    descriptor(IMAGE_MANIFEST, &bytes)
}

/// Puts a signature where the referrers API lists it, and gives its digest.
fn put_signature(server: &TestRegistry, subject: &Descriptor, mark: &str) -> Digest {
    server.put_manifest(REPOSITORY, None, &signature(subject, mark)).parse().unwrap()
}

/// The tag of the list of an artifact's referrers.
fn fallback_tag(subject: &Digest) -> String {
    format!("{}-{}", subject.algorithm(), &subject.hex()[..64])
}

/// The tag that anchors a referrer.
fn anchor_tag(subject: &Digest, referrer: &Digest) -> String {
    format!("{}.{}", fallback_tag(subject), &referrer.hex()[..12])
}

/// Puts a list of these referrers under the fallback tag.
fn put_list(server: &TestRegistry, subject: &Descriptor, referrers: &[Digest]) {
    let entries: Vec<Descriptor> = referrers.iter().map(|digest| Descriptor::new(IMAGE_MANIFEST, *digest, 1)).collect();
    server.put_manifest(REPOSITORY, Some(&fallback_tag(&subject.digest)), &index(&entries));
}

/// What was asked since the log was cleared: method and path without the repository's.
fn asked(server: &TestRegistry) -> Vec<String> {
    let short = |path: &str| path.strip_prefix("/v2/acme/app/").unwrap_or(path).to_owned();
    server.log().iter().map(|logged| format!("{} {}", logged.method, short(&logged.path))).collect()
}
