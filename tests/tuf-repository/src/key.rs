//! Keys that are the same in every run.

use std::fmt;
use std::sync::Arc;

use touchmark_envelope::canonical;
use touchmark_envelope::digest::{Algorithm, hex};
use touchmark_envelope::json::Value;
use touchmark_envelope::key::{KeyAlgorithm, PublicKey};
use touchmark_envelope::sign::{PrivateKey, Signer as _};

/// A key pair with what metadata says of it. A clone is the same key.
#[derive(Clone)]
pub struct Key {
    private: Arc<PrivateKey>,
    keyid: String,
    json: Value<'static>,
}

impl Key {
    /// The Ed25519 key of this name.
    pub fn ed25519(name: &str) -> Self {
        Self::new(KeyAlgorithm::Ed25519, name, "ed25519", "ed25519", |key| hex(key.as_raw()))
    }

    /// The ECDSA P-256 key of this name, with a PEM.
    pub fn p256(name: &str) -> Self {
        Self::new(KeyAlgorithm::EcdsaP256, name, "ecdsa", "ecdsa-sha2-nistp256", PublicKey::to_pem)
    }

    /// The ECDSA P-384 key of this name, with a PEM.
    pub fn p384(name: &str) -> Self {
        Self::new(KeyAlgorithm::EcdsaP384, name, "ecdsa", "ecdsa-sha2-nistp384", PublicKey::to_pem)
    }

    /// The P-256 key of this name with the key type of older securesystemslib, and a PEM: sigstore's roots 5 to 8.
    pub fn p256_old_type(name: &str) -> Self {
        Self::new(KeyAlgorithm::EcdsaP256, name, "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", PublicKey::to_pem)
    }

    /// The P-256 key of this name with the key type of older securesystemslib, and the uncompressed point in hex: sigstore's roots 1 to 4.
    pub fn p256_point(name: &str) -> Self {
        Self::new(KeyAlgorithm::EcdsaP256, name, "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", |key| hex(key.as_raw()))
    }

    /// The same key, under another keyid.
    #[must_use]
    pub fn with_keyid(mut self, keyid: &str) -> Self {
        keyid.clone_into(&mut self.keyid);
        self
    }

    /// The same key, otherwise described, under the same keyid.
    #[must_use]
    pub fn with_json(mut self, json: Value<'static>) -> Self {
        self.json = json;
        self
    }

    /// The keyid: the hash of the canonical description unless [`with_keyid`](Self::with_keyid) says otherwise.
    pub fn keyid(&self) -> &str {
        &self.keyid
    }

    /// What metadata says of it: `keytype`, `scheme`, `keyval`.
    pub fn json(&self) -> &Value<'static> {
        &self.json
    }

    /// Its public key.
    pub fn public(&self) -> &PublicKey {
        self.private.public_key()
    }

    /// Its private key.
    pub fn private(&self) -> &PrivateKey {
        &self.private
    }

    /// Its signature over `message`, in hex.
    ///
    /// # Panics
    /// Never: such a key always signs.
    pub fn sign(&self, message: &[u8]) -> String {
        hex(&self.private.sign(message).expect("a signature"))
    }

    fn new(algorithm: KeyAlgorithm, name: &str, keytype: &str, scheme: &str, public: impl FnOnce(&PublicKey) -> String) -> Self {
        let mut secret = Algorithm::Sha512.digest(name.as_bytes()).as_bytes().to_vec();
        secret.truncate(if algorithm == KeyAlgorithm::EcdsaP384 { 48 } else { 32 });
        let private = PrivateKey::from_raw(algorithm, &secret).expect("a secret in the range of the algorithm");
        let json = Value::object([
            ("keytype", Value::from(keytype)),
            ("keyval", Value::object([("public", public(private.public_key()))])),
            ("scheme", Value::from(scheme)),
        ])
        .into_owned();
        let canonical = canonical::write_unrestricted(&json).expect("strings only");
        let keyid = hex(Algorithm::Sha256.digest(&canonical).as_bytes());
        Self { private: Arc::new(private), keyid, json }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.keyid).finish()
    }
}
