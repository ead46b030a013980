//! An index of two images with referrers at several depths.
// Outside of test functions clippy takes a panic for a mistake.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing)]

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, IMAGE_INDEX, Platform};
use touchmark_oci::graph::{Graph, Limits};
use touchmark_oci::referrer::{self, Role};
use touchmark_oci::{Source, Store};

use crate::support::image;

/// What was made.
pub(crate) struct Family {
    /// Tagged `v1`.
    pub(crate) index: Descriptor,
    /// For amd64 and arm64.
    pub(crate) children: [Descriptor; 2],
    /// Signature of the index, of each child, an attestation of the first child, a signature of that one.
    pub(crate) referrers: Vec<Descriptor>,
}

/// Makes it: an index with two children, each signed; the first attested, the attestation signed, and that signature signed once
/// more; and what cosign ties to the second by a tag.
pub(crate) fn family(store: &dyn Store) -> Family {
    let children = ["amd64", "arm64"].map(|architecture| {
        let mut child = image(store, architecture, None);
        child.platform = Some(Platform { os: "linux".to_owned(), architecture: architecture.to_owned(), variant: None });
        child
    });
    let entries = children.each_ref().map(|child| String::from_utf8(child.to_json().to_vec()).unwrap()).join(",");
    let index = format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[{entries}]}}"#);
    let index = store.put_manifest(index.as_bytes(), IMAGE_INDEX, Some("v1")).unwrap();
    let attach =
        |subject: &Descriptor, envelope: &str, role: &Role| referrer::attach(store, subject, envelope.as_bytes(), role).unwrap().descriptor;
    let attestation = Role::Attestation { predicate_type: "https://example.com/test".to_owned() };
    let large = format!("{{\"large\":\"{}\"}}", "x".repeat(20_000));
    let mut referrers = vec![
        attach(&index, "{\"of\":\"index\"}", &Role::Signature),
        attach(&children[0], "{\"of\":\"amd64\"}", &Role::Signature),
        attach(&children[1], "{\"of\":\"arm64\"}", &Role::Signature),
        attach(&children[0], &large, &attestation),
    ];
    referrers.push(attach(&referrers[3], "{\"of\":\"attestation\"}", &Role::Signature));
    referrers.push(attach(&referrers[4], "{\"of\":\"signature\"}", &Role::Signature));
    image(store, "cosign", Some(&format!("sha256-{}.sig", children[1].digest.hex())));
    Family { index, children, referrers }
}

/// The tree of an artifact as text: depth, relation, digest.
pub(crate) fn tree(source: &dyn Source, root: &Descriptor) -> Vec<String> {
    let graph = Graph::walk(source, std::slice::from_ref(root), &Limits::default()).unwrap();
    assert!(graph.complete() && graph.findings().is_empty(), "{:?}", graph.findings());
    let mut lines = Vec::new();
    for line in graph.lines() {
        let node = graph.node(line.node);
        lines.push(format!("{} {:?} {} {:?}", line.depth, line.relation, node.descriptor.digest, node.descriptor.artifact_type));
    }
    lines
}

/// Bytes of any length that no two calls with different seeds share.
pub(crate) fn noise(seed: u8, length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length + 32);
    let mut block = Algorithm::Sha256.digest(&[seed]);
    while out.len() < length {
        out.extend_from_slice(block.as_bytes());
        block = Algorithm::Sha256.digest(block.as_bytes());
    }
    out.truncate(length);
    out
}
