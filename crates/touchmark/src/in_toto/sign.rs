//! Signing layouts and links, in both envelopes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use touchmark_envelope::canonical;
use touchmark_envelope::digest::{Algorithm, hex};
use touchmark_envelope::dsse::{Envelope, IN_TOTO};
use touchmark_envelope::json::{self, Object, Value};
use touchmark_envelope::key::{KeyAlgorithm, PublicKey};
use touchmark_envelope::sign::{SignError, Signer};
use touchmark_envelope::threshold::Signature;

use touchmark_in_toto::attestation::LayoutForm;

use super::source::{Form, LayoutFile};

/// The envelopes of in-toto's metadata.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Envelopes {
    /// DSSE: what is signed are the bytes of the payload (ITE-5).
    #[default]
    Dsse,
    /// `{signed, signatures}`: what is signed is the canonical JSON of `signed` (in-toto 1.0, 4.1).
    Legacy,
}

/// Why nothing is signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignDocumentError {
    /// A key did not sign.
    #[error(transparent)]
    Signer(#[from] SignError),
    /// What is to be signed has no canonical form, such as a number with a fraction.
    #[error("what is to be signed has no canonical form: {0}")]
    Canonical(#[from] canonical::Error),
    /// What is signed already cannot be read again.
    #[error(transparent)]
    Json(#[from] json::Error),
    /// A layout over attestations is signed in DSSE alone.
    #[error("a layout over attestations is signed in a DSSE envelope and in no other")]
    NotLegacy,
    /// It is signed already in the other envelope.
    #[error("it is signed already, in the other envelope")]
    OtherEnvelope,
}

impl SignDocumentError {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            SignDocumentError::Signer(error) => error.code(),
            SignDocumentError::Canonical(error) => error.code(),
            SignDocumentError::Json(error) => error.code(),
            SignDocumentError::NotLegacy => "in-toto-not-legacy",
            SignDocumentError::OtherEnvelope => "in-toto-other-envelope",
        }
    }
}

/// A signed document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedDocument {
    /// What to write to its file.
    pub bytes: Vec<u8>,
    /// Its envelope.
    pub envelope: Envelopes,
    /// The keys that signed it now.
    pub signed_by: Vec<PublicKey>,
    /// The keys that had signed it before.
    pub already: Vec<PublicKey>,
}

/// The KEY object of a key (in-toto 1.0, 4.2.1): hexadecimal for Ed25519, PEM for the others.
pub fn key_object(key: &PublicKey) -> Value<'static> {
    let (keytype, scheme, public) = match key.algorithm() {
        KeyAlgorithm::Ed25519 => ("ed25519", "ed25519", hex(key.as_raw())),
        KeyAlgorithm::EcdsaP256 => ("ecdsa", "ecdsa-sha2-nistp256", key.to_pem()),
        KeyAlgorithm::EcdsaP384 => ("ecdsa", "ecdsa-sha2-nistp384", key.to_pem()),
        _ => ("rsa", "rsassa-pss-sha256", key.to_pem()),
    };
    // In the order of canonical JSON.
    let keyval = Value::object([("public", Value::from(public))]);
    Value::object([("keytype", Value::from(keytype)), ("keyval", keyval), ("scheme", Value::from(scheme))])
}

/// The keyid of a key: the SHA-256 of its KEY object in canonical JSON (in-toto 1.0, 4.2.1), as the reference implementation computes it.
/// Its readers look signatures and links up by it.
///
/// # Errors
/// None: every KEY object has a canonical form.
pub fn keyid(key: &PublicKey) -> Result<String, canonical::Error> {
    Ok(Algorithm::Sha256.digest(&canonical::write_unrestricted(&key_object(key))?).hex())
}

/// The KEY object of a key as a layout lists it: the reference implementation and in-toto-golang want its keyid in it, too.
///
/// # Errors
/// As for [`keyid`].
pub fn listed_key(key: &PublicKey) -> Result<Value<'static>, canonical::Error> {
    let mut object = Object::new();
    object.insert("keyid", Value::from(keyid(key)?));
    for (name, value) in key_object(key).as_object().into_iter().flat_map(Object::iter) {
        object.insert(name.to_owned(), value.clone().into_owned());
    }
    Ok(Value::Object(object))
}

impl LayoutFile {
    /// Signs the layout: one that is not signed yet in the envelope that is wanted, or DSSE; one that is keeps its envelope, its bytes and
    /// its signatures.
    ///
    /// # Errors
    /// See [`SignDocumentError`].
    pub fn sign(self, wanted: Option<Envelopes>, signers: &[Box<dyn Signer>]) -> Result<SignedDocument, SignDocumentError> {
        if self.layout.form == LayoutForm::Attestations && wanted == Some(Envelopes::Legacy) {
            return Err(SignDocumentError::NotLegacy);
        }
        match (self.form, wanted) {
            (Form::Plain(layout), wanted) => sign(&layout, wanted.unwrap_or_default(), signers),
            (Form::Dsse(envelope, text), None | Some(Envelopes::Dsse)) => {
                let added = signatures(&envelope.signed_bytes(), &envelope.signatures, signers)?;
                let new = added.new.iter().map(|(_, signature)| listed(signature, STANDARD.encode(&signature.bytes)));
                let bytes = with_signatures(&text, new)?;
                Ok(added.into_document(bytes, Envelopes::Dsse))
            }
            (Form::Legacy(signed), None | Some(Envelopes::Legacy)) => {
                let added = signatures(signed.signed_bytes(), signed.signatures(), signers)?;
                let new = added.new.iter().map(|(_, signature)| listed(signature, hex(&signature.bytes)));
                let bytes = with_signatures(signed.bytes(), new)?;
                Ok(added.into_document(bytes, Envelopes::Legacy))
            }
            _ => Err(SignDocumentError::OtherEnvelope),
        }
    }
}

/// Signs a layout or a link.
///
/// # Errors
/// See [`SignDocumentError`].
pub fn sign(document: &Value<'_>, envelope: Envelopes, signers: &[Box<dyn Signer>]) -> Result<SignedDocument, SignDocumentError> {
    match envelope {
        Envelopes::Dsse => {
            let mut envelope = Envelope { payload: document.to_vec(), payload_type: IN_TOTO.to_owned(), signatures: Vec::new() };
            let added = signatures(&envelope.signed_bytes(), &[], signers)?;
            envelope.signatures.extend(added.new.iter().map(|(_, signature)| signature.clone()));
            Ok(added.into_document(envelope.to_json(), Envelopes::Dsse))
        }
        Envelopes::Legacy => {
            // In the dialect that in-toto's implementations have, whatever characters artifacts' names have.
            let (text, message) = (document.to_vec(), canonical::write_unrestricted(document)?);
            let added = signatures(&message, &[], signers)?;
            let new = added.new.iter().map(|(_, signature)| listed(signature, hex(&signature.bytes)));
            let unsigned = [br#"{"signatures":[],"signed":"#, text.as_slice(), b"}"].concat();
            let bytes = with_signatures(&unsigned, new)?;
            Ok(added.into_document(bytes, Envelopes::Legacy))
        }
    }
}

/// A signature as it is listed.
fn listed(signature: &Signature, text: String) -> Value<'static> {
    let keyid = signature.keyid.clone().unwrap_or_default();
    Value::object([("keyid", Value::from(keyid)), ("sig", Value::from(text))])
}

/// The document with more signatures. All else in it stays byte for byte, members of others included: a certificate beside a signature
/// is what lets it count.
fn with_signatures(document: &[u8], new: impl Iterator<Item = Value<'static>>) -> Result<Vec<u8>, json::Error> {
    let new: Vec<Value<'static>> = new.collect();
    let mut bytes = b"{".to_vec();
    for (place, (name, text)) in json::members(document, document.len())?.iter().enumerate() {
        if place > 0 {
            bytes.push(b',');
        }
        bytes.extend(Value::from(name.clone().into_owned()).to_vec());
        bytes.push(b':');
        let text = text.trim_ascii_end();
        match text.strip_suffix(']').filter(|_| name == "signatures") {
            None => bytes.extend(text.as_bytes()),
            Some(listed) => {
                bytes.extend(listed.trim_ascii_end().as_bytes());
                for signature in &new {
                    if bytes.last() != Some(&b'[') {
                        bytes.push(b',');
                    }
                    bytes.extend(signature.to_vec());
                }
                bytes.push(b']');
            }
        }
    }
    bytes.push(b'}');
    Ok(bytes)
}

/// What signers add.
struct Added {
    new: Vec<(PublicKey, Signature)>,
    already: Vec<PublicKey>,
}

impl Added {
    fn into_document(self, mut bytes: Vec<u8>, envelope: Envelopes) -> SignedDocument {
        bytes.push(b'\n');
        SignedDocument { bytes, envelope, signed_by: self.new.into_iter().map(|(key, _)| key).collect(), already: self.already }
    }
}

/// A signature by each signer that has not signed yet. Each is checked before it is taken: a signer may be a device that errs.
fn signatures(message: &[u8], known: &[Signature], signers: &[Box<dyn Signer>]) -> Result<Added, SignDocumentError> {
    let mut added = Added { new: Vec::new(), already: Vec::new() };
    for signer in signers {
        let key = signer.public_key();
        if added.new.iter().any(|(other, _)| other == key) {
            continue;
        }
        if known.iter().any(|signature| key.verify(message, &signature.bytes).is_ok()) {
            added.already.push(key.clone());
            continue;
        }
        let bytes = signer.sign(message)?;
        let _valid = key.verify(message, &bytes).map_err(|_| SignError::NotBySigner)?;
        added.new.push((key.clone(), Signature { keyid: Some(keyid(key)?), bytes }));
    }
    Ok(added)
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_envelope::sign::PrivateKey;
    use touchmark_envelope::threshold::KeySet;
    use touchmark_in_toto::{Document, Limits};

    const LAYOUT: &str = r#"{"_type": "layout", "expires": "2030-01-01T00:00:00Z", "readme": "é\n\"\u0001", "keys": {}, "inspect": [], "z": 1,
        "steps": [{"_type": "step", "name": "s", "threshold": 1, "pubkeys": [], "expected_materials": [], "expected_products": []}]}"#;

    fn signer(algorithm: KeyAlgorithm, byte: u8) -> Box<dyn Signer> {
        let secret = [byte; 48];
        let key = PrivateKey::from_raw(algorithm, &secret[..32]).or_else(|_| PrivateKey::from_raw(algorithm, &secret));
        Box::new(key.unwrap())
    }

    fn signed_by(bytes: &[u8], keys: &[&PublicKey]) -> usize {
        let keys = KeySet::new(keys.iter().map(|key| (*key).clone()));
        Document::parse(bytes.to_vec(), &Limits::default()).unwrap().untrusted().signers(&keys).keys().len()
    }

    #[test]
    fn a_layout_is_signed_and_signed_again_in_either_envelope() {
        let signers = KeyAlgorithm::SIGNING.map(|algorithm| signer(algorithm, 7));
        let keys: Vec<&PublicKey> = signers.iter().map(|signer| signer.public_key()).collect();
        for envelope in [Envelopes::Dsse, Envelopes::Legacy] {
            let first = LayoutFile::parse(LAYOUT.as_bytes()).unwrap().sign(Some(envelope), &signers[..1]).unwrap();
            assert_eq!((first.signed_by.len(), first.already.len(), first.envelope), (1, 0, envelope));
            let all = LayoutFile::parse(&first.bytes).unwrap().sign(None, &signers).unwrap();
            assert_eq!((all.signed_by.len(), all.already.len(), all.envelope), (2, 1, envelope));
            assert_eq!(signed_by(&all.bytes, &keys), 3);
            assert_eq!(LayoutFile::parse(&all.bytes).unwrap().layout().readme, "é\n\"\u{1}");
            let other = if envelope == Envelopes::Dsse { Envelopes::Legacy } else { Envelopes::Dsse };
            let refused = LayoutFile::parse(&all.bytes).unwrap().sign(Some(other), &signers);
            assert_eq!(refused, Err(SignDocumentError::OtherEnvelope));
        }
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
    fn a_signature_that_is_not_by_the_announced_key_is_not_taken() {
        let key = |byte| PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[byte; 32]).unwrap();
        let impostor: [Box<dyn Signer>; 1] = [Box::new(Impostor(key(1), key(2).public_key().clone()))];
        for envelope in [Envelopes::Dsse, Envelopes::Legacy] {
            let refused = LayoutFile::parse(LAYOUT.as_bytes()).unwrap().sign(Some(envelope), &impostor);
            assert_eq!(refused, Err(SignDocumentError::Signer(SignError::NotBySigner)));
        }
    }

    #[test]
    fn members_of_envelopes_and_signatures_that_are_not_known_stay_as_they_are() {
        let dsse = LayoutFile::parse(LAYOUT.as_bytes()).unwrap().sign(None, &[signer(KeyAlgorithm::Ed25519, 1)]).unwrap().bytes;
        let text = String::from_utf8(dsse).unwrap().replace(r#"{"keyid""#, r#"{"cert": "PEM\n\u0041", "keyid""#);
        let text = text.replacen('{', r#"{"extra" : [1 , 2.50],"#, 1);
        assert!(text.contains("cert"));
        let again = LayoutFile::parse(text.as_bytes()).unwrap().sign(None, &[signer(KeyAlgorithm::Ed25519, 2)]).unwrap();
        let signed = String::from_utf8(again.bytes.clone()).unwrap();
        assert!(signed.contains(r#"{"cert": "PEM\n\u0041", "keyid""#) && signed.contains(r#""extra":[1 , 2.50],"#), "{signed}");
        let [one, two] = [1, 2].map(|byte| signer(KeyAlgorithm::Ed25519, byte));
        assert_eq!(signed_by(&again.bytes, &[one.public_key(), two.public_key()]), 2);
        // Signed again by the same, nothing changes.
        let same = LayoutFile::parse(&again.bytes).unwrap().sign(None, &[signer(KeyAlgorithm::Ed25519, 2)]).unwrap();
        assert_eq!((same.bytes, same.already.len()), (again.bytes, 1));
    }

    #[test]
    fn other_members_of_signatures_stay() {
        let text = format!(r#"{{"signed": {LAYOUT}, "signatures": [{{"keyid": "k", "sig": "", "other_headers": "00"}}]}}"#);
        let signed = LayoutFile::parse(text.as_bytes()).unwrap().sign(None, &[signer(KeyAlgorithm::Ed25519, 1)]).unwrap();
        assert!(String::from_utf8(signed.bytes).unwrap().contains(r#"{"keyid": "k", "sig": "", "other_headers": "00"}"#));
    }

    #[test]
    fn keyids_are_those_of_the_reference_implementation() {
        for algorithm in KeyAlgorithm::SIGNING {
            let signer = signer(algorithm, 3);
            let known: Vec<String> = signer.public_key().key_ids().into_iter().map(|id| id.into_string()).collect();
            assert!(known.contains(&keyid(signer.public_key()).unwrap()), "{algorithm}");
        }
    }
}
