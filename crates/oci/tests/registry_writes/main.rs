//! Writing to registries, as the specification has them and as they are.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod attaching;
mod docker;
mod manifests;
mod removing;
mod uploads;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, IMAGE_MANIFEST};
use touchmark_oci::access::Anchors;
use touchmark_oci::referrer::{self, Role};
use touchmark_oci::{Access, Registry, Source, Store};
use touchmark_test_registry::{Settings, TestRegistry};

/// The repository of all tests.
const REPOSITORY: &str = "acme/app";

/// A registry, and the repository in it.
fn started(settings: Settings) -> (TestRegistry, Registry) {
    let server = TestRegistry::start(settings);
    let registry = opened(&server.host(), Anchors::Written);
    (server, registry)
}

/// The repository, of which nothing is known yet. What fails is tried once more.
fn opened(host: &str, anchors: Anchors) -> Registry {
    let access = Access { retries: Some(1), anchors, ..Access::default() };
    Registry::new(format!("{host}/{REPOSITORY}").parse().unwrap(), &access).unwrap()
}

/// An image manifest without layers, whose config is `{}`; `mark` makes it another one.
fn image(mark: &str) -> Vec<u8> {
    let config = Algorithm::Sha256.digest(b"{}");
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE_MANIFEST}","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2}},"layers":[],"annotations":{{"mark":"{mark}"}}}}"#
    )
    .into_bytes()
}

/// Stores an image.
fn put_artifact(registry: &Registry, mark: &str) -> Descriptor {
    registry.put_blob(None, &mut b"{}".as_slice()).unwrap();
    registry.put_manifest(&image(mark), IMAGE_MANIFEST, None).unwrap()
}

/// The manifest of a signature whose blobs are stored; `mark` makes it another one.
fn signature(registry: &Registry, subject: &Descriptor, mark: &str) -> Vec<u8> {
    registry.put_blob(None, &mut mark.as_bytes()).unwrap();
    referrer::manifest(subject, mark.as_bytes(), &Role::Signature)
}

/// Attaches a signature, and gives its digest.
fn sign(registry: &Registry, subject: &Descriptor, mark: &str) -> Digest {
    let manifest = signature(registry, subject, mark);
    registry.attach(&manifest).unwrap().descriptor.digest
}

/// Everything that the repository lists for `subject`, in order.
fn referrers(registry: &Registry, subject: &Descriptor) -> Vec<Digest> {
    let found = registry.referrers(&subject.digest, 10_000, 16 << 20).unwrap();
    assert!(found.complete, "{:?}", found.findings);
    sorted(found.entries.iter().map(|entry| entry.digest))
}

fn sorted(digests: impl IntoIterator<Item = Digest>) -> Vec<Digest> {
    let mut digests: Vec<Digest> = digests.into_iter().collect();
    digests.sort_unstable();
    digests
}

/// The tag of the list of an artifact's referrers.
fn fallback_tag(subject: &Descriptor) -> String {
    format!("{}-{}", subject.digest.algorithm(), &subject.digest.hex()[..64])
}

/// The tag that anchors a referrer.
fn anchor_tag(subject: &Descriptor, referrer: &Digest) -> String {
    format!("{}.{}", fallback_tag(subject), &referrer.hex()[..12])
}

/// The list under the fallback tag, as text; empty if there is none.
fn list(server: &TestRegistry, subject: &Descriptor) -> String {
    let list = server.manifest(REPOSITORY, &fallback_tag(subject));
    list.map_or_else(String::new, |list| String::from_utf8(list.bytes.to_vec()).unwrap())
}

/// The digests in the list under the fallback tag, in order.
fn listed(server: &TestRegistry, subject: &Descriptor) -> Vec<Digest> {
    let list = list(server, subject);
    let entries = list.split("\"digest\":\"").skip(1).map(|rest| rest.split('"').next().unwrap().parse().unwrap());
    sorted(entries)
}

/// Puts a list of entries, which are JSON text, under the fallback tag.
fn put_list(server: &TestRegistry, subject: &Descriptor, entries: &[&str]) {
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","x":[ 1 ],"manifests":[{}],"y": 2}}"#,
        entries.join(",")
    );
    server.put_manifest(REPOSITORY, Some(&fallback_tag(subject)), index.as_bytes());
}

/// The requests since the log was cleared: methods and paths after the repository's name, without queries and upload numbers.
fn requests(server: &TestRegistry) -> Vec<String> {
    let log = server.log();
    let paths = log.iter().map(|request| {
        let path = request.path.split('?').next().unwrap().split(&format!("/v2/{REPOSITORY}/")).last().unwrap().to_owned();
        let path = if path.starts_with("blobs/uploads/") && path.len() > 14 { "blobs/uploads/..." } else { &path };
        format!("{} {path}", request.method)
    });
    paths.collect()
}
