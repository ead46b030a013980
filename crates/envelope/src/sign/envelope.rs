//! Making DSSE envelopes.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;

use super::{SignError, Signer};
use crate::dsse::Envelope;
use crate::threshold::Signature;

impl Envelope {
    /// Signs `payload` with each of `signers`, once with each key (DSSE v1, "Signature Definition").
    ///
    /// # Errors
    /// The first signer that fails.
    pub fn sign(payload_type: &str, payload: Vec<u8>, signers: &[&dyn Signer]) -> Result<Self, SignError> {
        let mut envelope = Self { payload, payload_type: payload_type.to_owned(), signatures: Vec::new() };
        for signer in signers {
            envelope.add_signature(*signer)?;
        }
        Ok(envelope)
    }

    /// Adds a signature over the same payload; whether there was none by this key yet.
    ///
    /// The new signature is checked before it is taken: a signer may be a device or a program that errs.
    ///
    /// # Errors
    /// What the signer says, or [`SignError::NotBySigner`].
    pub fn add_signature(&mut self, signer: &dyn Signer) -> Result<bool, SignError> {
        let signed = self.signed_bytes();
        let key = signer.public_key();
        if self.signatures.iter().any(|signature| key.verify(&signed, &signature.bytes).is_ok()) {
            return Ok(false);
        }
        let bytes = signer.sign(&signed)?;
        let _valid = key.verify(&signed, &bytes).map_err(|_| SignError::NotBySigner)?;
        self.signatures.push(Signature { keyid: Some(key.key_id().into()), bytes });
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{KeyAlgorithm, PublicKey};
    use crate::sign::PrivateKey;
    use crate::threshold::KeySet;

    fn key(algorithm: KeyAlgorithm, byte: u8) -> PrivateKey {
        let secret = [byte; 48];
        PrivateKey::from_raw(algorithm, &secret[..32]).or_else(|_| PrivateKey::from_raw(algorithm, &secret)).unwrap()
    }

    /// Says that it is one key and signs with another.
    struct Impostor(PrivateKey, PublicKey);

    impl Signer for Impostor {
        fn public_key(&self) -> &PublicKey {
            &self.1
        }

        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
            self.0.sign(message)
        }
    }

    #[test]
    fn each_key_signs_once() {
        let keys = KeyAlgorithm::SIGNING.map(|algorithm| key(algorithm, 3));
        let [a, b, c] = &keys;
        let mut envelope = Envelope::sign("type", b"payload".to_vec(), &[a, b, a]).unwrap();
        assert_eq!(envelope.signatures.len(), 2);
        assert_eq!(envelope.signatures[0].keyid.as_deref(), Some(a.public_key().key_id().as_str()));
        assert!(!envelope.add_signature(b).unwrap());
        assert!(envelope.add_signature(c).unwrap());
        let set = KeySet::new(keys.iter().map(|key| key.public_key().clone()));
        assert_eq!(set.signers(&envelope.signed_bytes(), &envelope.signatures).keys().len(), 3);
    }

    #[test]
    fn a_signature_that_is_not_by_the_announced_key_is_not_taken() {
        let (real, other) = (key(KeyAlgorithm::Ed25519, 1), key(KeyAlgorithm::Ed25519, 2));
        let impostor = Impostor(real, other.public_key().clone());
        assert_eq!(Envelope::sign("type", b"payload".to_vec(), &[&impostor]), Err(SignError::NotBySigner));
    }
}
