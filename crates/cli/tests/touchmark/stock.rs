//! A registry with an artifact, and with whatever a test puts beside it.

use serde_json::{Value, json};
use touchmark_test_registry::{Settings, TestRegistry};

use crate::forge::{ENVELOPE, Forger, INDEX, MANIFEST, SIGNATURE, descriptor, digest_of, signature_statement};
use crate::harness::Place;

/// The repository of all tests.
pub const REPOSITORY: &str = "acme/app";

/// A registry with the artifact `v1`, unsigned, and a place with the key `alice`.
pub struct Stock {
    pub place: Place,
    pub server: TestRegistry,
    pub alice: Forger,
    /// The descriptor of the artifact.
    pub artifact: Value,
}

impl Stock {
    pub fn new(settings: Settings) -> Self {
        let place = Place::new();
        place.key("alice");
        let alice = Forger::read(&place, "alice");
        let server = TestRegistry::start(settings);
        let layer = descriptor("application/octet-stream", b"content");
        server.put_blob(REPOSITORY, b"content");
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": empty(), "layers": [layer]}).to_string();
        server.put_blob(REPOSITORY, b"{}");
        server.put_manifest(REPOSITORY, Some("v1"), manifest.as_bytes());
        Self { artifact: descriptor(MANIFEST, manifest.as_bytes()), place, server, alice }
    }

    /// The artifact as the command line names it.
    pub fn reference(&self) -> String {
        format!("{}/{REPOSITORY}:v1", self.server.host())
    }

    /// A sound envelope by alice.
    pub fn envelope(&self) -> Vec<u8> {
        self.alice.statement(&signature_statement(&self.artifact, Some("acme/app:1"))).to_string().into_bytes()
    }

    /// Puts a referrer with this envelope, not inlined, and gives its descriptor.
    pub fn put_envelope(&self, envelope: &[u8]) -> Value {
        self.server.put_blob(REPOSITORY, envelope);
        self.put_referrer(&descriptor(ENVELOPE, envelope))
    }

    /// Puts a referrer with this layer, and gives its descriptor.
    pub fn put_referrer(&self, layer: &Value) -> Value {
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": SIGNATURE, "config": empty(), "layers": [layer], "subject": self.artifact}).to_string();
        self.server.put_manifest(REPOSITORY, None, manifest.as_bytes());
        descriptor(MANIFEST, manifest.as_bytes())
    }

    /// Puts a list of these referrers under the fallback tag.
    pub fn put_list(&self, entries: &[Value]) {
        let tag = digest_of(&self.artifact).replace(':', "-");
        self.server.put_manifest(REPOSITORY, Some(&tag), &list(entries));
    }
}

/// A list of referrers.
pub fn list(entries: &[Value]) -> Vec<u8> {
    json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).to_string().into_bytes()
}

fn empty() -> Value {
    descriptor("application/vnd.oci.empty.v1+json", b"{}")
}
