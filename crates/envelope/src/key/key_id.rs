//! Key identifiers: hints that say which key to try first, and nothing else.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{KeyAlgorithm, PublicKey};
use crate::digest::{Algorithm, hex};

/// A key's identifier in one of the forms that signers write.
///
/// Nothing is decided by one: whoever makes an envelope writes any identifier into it that they like (DSSE v1: "unauthenticated hint").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PublicKey {
    /// Touchmark's identifier of the key: the lower-case hexadecimal SHA-256 of its SubjectPublicKeyInfo in DER, with the
    /// uncompressed point for ECDSA.
    pub fn key_id(&self) -> KeyId {
        KeyId(hex(Algorithm::Sha256.digest(&self.to_spki_der()).as_bytes()))
    }

    /// Every identifier that a signer may have written for this key, Touchmark's own first:
    /// - that of [`key_id`](Self::key_id), which is also what many tools print as the fingerprint;
    /// - cosign's hint, the base64 of the same hash;
    /// - `sha256(cjson({keytype, scheme, keyval}))` of TUF 1.0, section 4.2, and in-toto v1.0, section 4.2.1, over a PEM with
    ///   and without its last newline, for ECDSA also over the uncompressed point in hexadecimal, with and without
    ///   `keyid_hash_algorithms`, and with both `keytype`s in use for ECDSA.
    pub fn key_ids(&self) -> Vec<KeyId> {
        let digest = Algorithm::Sha256.digest(&self.to_spki_der());
        let mut ids = Vec::new();
        ids.push(KeyId(hex(digest.as_bytes())));
        ids.push(KeyId(STANDARD.encode(digest.as_bytes())));
        for document in self.tuf_documents() {
            ids.push(KeyId(hex(Algorithm::Sha256.digest(document.as_bytes()).as_bytes())));
        }
        ids
    }

    /// Whether `hint` is an identifier of this key in any of the forms of [`key_ids`](Self::key_ids).
    ///
    /// A `true` says that the key is worth trying first. A `false` says nothing: the key is tried all the same.
    pub fn is_hinted_by(&self, hint: &str) -> bool {
        // The form that Touchmark writes is nearly always it, and cheap.
        self.key_id().as_str() == hint || self.key_ids().iter().any(|id| id.as_str() == hint)
    }

    /// The canonical JSON of the key in the forms whose hashes securesystemslib (with and without `keyid_hash_algorithms`),
    /// go-tuf, tough, in-toto-golang and in-toto-rs take for identifiers. Nothing needs an escape: canonical JSON leaves
    /// newlines as they are. go-securesystemslib names the scheme of every ECDSA key after P-256.
    fn tuf_documents(&self) -> Vec<String> {
        let (types, schemes): (&[&str], &[&str]) = match self.algorithm() {
            KeyAlgorithm::Ed25519 => (&["ed25519"], &["ed25519"]),
            KeyAlgorithm::EcdsaP256 => (&["ecdsa", "ecdsa-sha2-nistp256"], &["ecdsa-sha2-nistp256"]),
            KeyAlgorithm::EcdsaP384 => (&["ecdsa", "ecdsa-sha2-nistp384"], &["ecdsa-sha2-nistp384", "ecdsa-sha2-nistp256"]),
            #[cfg(feature = "rsa")]
            KeyAlgorithm::RsaPssSha256 => (&["rsa"], &["rsassa-pss-sha256"]),
        };
        let values = match self.algorithm() {
            KeyAlgorithm::Ed25519 => alloc::vec![hex(self.as_raw())],
            #[cfg(feature = "rsa")]
            KeyAlgorithm::RsaPssSha256 => {
                let pem = self.to_pem();
                alloc::vec![pem.trim_end().to_string(), pem]
            }
            KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 => {
                let pem = self.to_pem();
                alloc::vec![pem.trim_end().to_string(), pem, hex(self.as_raw())]
            }
        };
        let mut documents = Vec::new();
        for hashes in ["", r#""keyid_hash_algorithms":["sha256","sha512"],"#] {
            for keytype in types {
                for scheme in schemes {
                    for value in &values {
                        documents.push(format!(r#"{{{hashes}"keytype":"{keytype}","keyval":{{"public":"{value}"}},"scheme":"{scheme}"}}"#));
                    }
                }
            }
        }
        documents
    }
}
