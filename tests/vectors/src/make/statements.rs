//! Decisions about a manifest by envelopes and keys.

use touchmark_envelope::UnixTime;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::dsse::IN_TOTO;
use touchmark_envelope::manifest::IMAGE_MANIFEST;
use touchmark_envelope::signature::Signature;
use touchmark_test_tuf_repository::{Key, NOW};

use super::envelopes::sign;
use super::{Case, Vectors, coded, list, ok};

/// An image of one layer, whose manifest is this.
pub(super) const MANIFEST: &[u8] = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","size":3}]}"#;

pub(super) fn add(vectors: &mut Vectors) {
    let alice = Key::ed25519("alice");
    let envelope = sign(IN_TOTO, &statement(MANIFEST, Some("acme/x:1")).to_json(), &["alice"]);
    let (manifest, key) = (vectors.file("manifests/image.json", MANIFEST), vectors.key("alice", &alice));
    let envelopes = list([vectors.file("envelopes/acme-x-1.alice.json", envelope.to_json())]);
    for (id, name, expect) in [
        ("named", "acme/x:1", ok().with("digest", digest(MANIFEST)).with("name", "acme/x:1".to_owned())),
        ("other-name", "acme/x:2", coded("NOT_VERIFIED", "threshold")),
    ] {
        let case = Case::new("verify", &format!("verify-{id}"), "signed as acme/x:1", "10");
        let case = case.with("manifest", manifest.clone()).with("envelopes", envelopes.clone()).with("keys", list([key.clone()]));
        vectors.add(case.with("threshold", 1_u64).with("name", name.to_owned()).with("at", NOW).expect(expect));
    }
}

/// The statement of a signature about a manifest of an image.
pub(super) fn statement(manifest: &[u8], name: Option<&str>) -> Signature {
    let issued = UnixTime::from_seconds(NOW - 86_400).expect("a time");
    let name = name.map(|name| name.parse().expect("a name"));
    Signature { name, ..Signature::of(manifest, IMAGE_MANIFEST, issued) }
}

/// The SHA-256 digest of bytes.
pub(super) fn digest(bytes: &[u8]) -> String {
    Algorithm::Sha256.digest(bytes).to_string()
}
