//! Builds OCI layouts, envelopes and statements by hand, independently of the crates under test, so that they can be wrong in
//! any way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::Place;

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const SIGNATURE: &str = "application/vnd.touchmark.signature.v1+json";
pub const PREDICATE: &str = "urn:touchmark:predicate:signature:v1";
pub const STATEMENT: &str = "https://in-toto.io/Statement/v1";
pub const PAYLOAD: &str = "application/vnd.in-toto+json";
pub const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// `sha256:…` of these bytes.
pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes in a PEM file of one block.
pub fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).unwrap()
}

/// A PEM file of one block (RFC 7468).
pub fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A descriptor of these bytes.
pub fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": sha256(bytes), "size": bytes.len()})
}

/// The digest in a descriptor.
pub fn digest_of(descriptor: &Value) -> &str {
    descriptor["digest"].as_str().unwrap()
}

/// An Ed25519 key that signs whatever it is given.
pub struct Forger {
    key: SigningKey,
}

impl Forger {
    /// Reads the private key file NAME, as `key generate` writes it.
    pub fn read(place: &Place, name: &str) -> Self {
        let der = der(&String::from_utf8(place.read(name)).unwrap());
        // RFC 8410: the seed is the last of the 48 bytes, after OCTET STRING in OCTET STRING.
        let at = der.windows(4).position(|window| window == [0x04, 0x22, 0x04, 0x20]).unwrap() + 4;
        Self { key: SigningKey::from_bytes(der[at..at + 32].try_into().unwrap()) }
    }

    /// An envelope with this payload, signed. The signature covers payload and type as DSSE v1 says.
    pub fn envelope(&self, payload_type: &str, payload: &[u8]) -> Value {
        json!({"payload": STANDARD.encode(payload), "payloadType": payload_type, "signatures": [self.signature(payload_type, payload)]})
    }

    /// One entry of `signatures`.
    pub fn signature(&self, payload_type: &str, payload: &[u8]) -> Value {
        let mut message = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
        message.extend_from_slice(payload);
        json!({"keyid": self.keyid(), "sig": STANDARD.encode(self.key.sign(&message).to_bytes())})
    }

    /// An envelope with this statement.
    pub fn statement(&self, statement: &Value) -> Value {
        self.envelope(PAYLOAD, statement.to_string().as_bytes())
    }

    /// Lower-case hex SHA-256 of the SubjectPublicKeyInfo.
    pub fn keyid(&self) -> String {
        hex(&Sha256::digest(self.spki()))
    }

    pub fn spki(&self) -> Vec<u8> {
        let mut spki = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        spki.extend_from_slice(self.key.verifying_key().as_bytes());
        spki
    }
}

/// A sound signature statement for a manifest, to be made wrong by the test.
pub fn signature_statement(manifest: &Value, name: Option<&str>) -> Value {
    let (_, hex) = digest_of(manifest).split_once(':').unwrap();
    let mut subject = json!({"digest": {"sha256": hex}});
    if let Some(name) = name {
        subject["name"] = name.into();
    }
    json!({
        "_type": STATEMENT,
        "subject": [subject],
        "predicateType": PREDICATE,
        "predicate": {"mediaType": manifest["mediaType"], "size": manifest["size"], "issued": "2026-01-01T00:00:00Z"},
    })
}

/// An OCI layout in a folder of the place.
pub struct Folder<'a> {
    place: &'a Place,
    name: String,
}

impl<'a> Folder<'a> {
    /// A new one, empty.
    pub fn new(place: &'a Place, name: &str) -> Self {
        let folder = Self::open(place, name);
        place.file(&format!("{name}/oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#);
        place.file(&format!("{name}/blobs/sha256/.keep"), "");
        std::fs::remove_file(place.path(&format!("{name}/blobs/sha256/.keep"))).unwrap();
        folder.write_index(&json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}));
        folder
    }

    /// One that is there.
    pub fn open(place: &'a Place, name: &str) -> Self {
        Self { place, name: name.to_owned() }
    }

    pub fn index(&self) -> Value {
        serde_json::from_slice(&self.place.read(&format!("{}/index.json", self.name))).unwrap()
    }

    pub fn write_index(&self, index: &Value) {
        self.place.file(&format!("{}/index.json", self.name), index.to_string());
    }

    /// The path of a blob below the place.
    pub fn blob_path(&self, digest: &str) -> String {
        format!("{}/blobs/{}", self.name, digest.replace(':', "/"))
    }

    pub fn read(&self, digest: &str) -> Vec<u8> {
        self.place.read(&self.blob_path(digest))
    }

    pub fn read_json(&self, digest: &str) -> Value {
        serde_json::from_slice(&self.read(digest)).unwrap()
    }

    /// Writes a blob and gives its descriptor.
    pub fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        self.place.file(&self.blob_path(&sha256(bytes)), bytes);
        descriptor(media_type, bytes)
    }

    /// Adds an entry to `index.json`.
    pub fn list(&self, entry: Value) {
        let mut index = self.index();
        index["manifests"].as_array_mut().unwrap().push(entry);
        self.write_index(&index);
    }

    /// Lists a manifest under a tag.
    pub fn tag(&self, descriptor: &Value, tag: &str) {
        let mut entry = descriptor.clone();
        entry["annotations"]["org.opencontainers.image.ref.name"] = tag.into();
        self.list(entry);
    }

    /// An artifact with one blob of this content, tagged; gives the manifest's descriptor.
    pub fn artifact(&self, tag: &str, content: &str) -> Value {
        let config = self.blob(EMPTY, b"{}");
        let mut layer = self.blob("application/octet-stream", content.as_bytes());
        layer["annotations"] = json!({"org.opencontainers.image.title": "file"});
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd.example.test", "config": config, "layers": [layer]});
        let manifest = self.blob(MANIFEST, manifest.to_string().as_bytes());
        self.tag(&manifest, tag);
        manifest
    }

    /// A sound referrer with this envelope, listed. Gives its descriptor.
    pub fn attach(&self, subject: &Value, envelope: &Value) -> Value {
        self.attach_as(SIGNATURE, subject, envelope.to_string().as_bytes())
    }

    /// A referrer of any type with any bytes in place of the envelope, listed.
    pub fn attach_as(&self, artifact_type: &str, subject: &Value, envelope: &[u8]) -> Value {
        let manifest = self.referrer(artifact_type, subject, envelope);
        self.attach_manifest(artifact_type, &manifest)
    }

    /// Writes and lists a manifest of a referrer.
    pub fn attach_manifest(&self, artifact_type: &str, manifest: &Value) -> Value {
        self.attach_bytes(artifact_type, manifest.to_string().as_bytes())
    }

    /// Writes and lists any bytes as a referrer.
    pub fn attach_bytes(&self, artifact_type: &str, manifest: &[u8]) -> Value {
        let mut entry = self.blob(MANIFEST, manifest);
        entry["artifactType"] = artifact_type.into();
        self.list(entry.clone());
        entry
    }

    /// The manifest of a referrer, whose blobs are written; it is neither written nor listed.
    pub fn referrer(&self, artifact_type: &str, subject: &Value, envelope: &[u8]) -> Value {
        let config = self.blob(EMPTY, b"{}");
        let layer = self.blob(ENVELOPE, envelope);
        let subject = json!({"mediaType": subject["mediaType"], "digest": subject["digest"], "size": subject["size"]});
        json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": artifact_type, "config": config, "layers": [layer], "subject": subject})
    }
}
