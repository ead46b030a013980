//! KEY objects (TUF 1.0, 4.2.2): what a role's keys are listed as.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;

use touchmark_envelope::json::{Object, Value};
use touchmark_envelope::key::{KeyAlgorithm, PublicKey};

/// A key as metadata lists it. One of a type that is not known, or that does not decode, is no error: it can sign nothing that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its KEYTYPE.
    pub keytype: String,
    /// Its SCHEME.
    pub scheme: String,
    /// The key, if its type is known and the scheme is the type's.
    pub public: Option<PublicKey>,
}

impl Key {
    /// Reads a KEY object. `None` if it is no object with the strings `keytype` and `scheme` and an object `keyval`.
    pub(crate) fn read(value: &Value<'_>) -> Option<Self> {
        let text = |name| value.get(name).and_then(Value::as_str);
        let (keytype, scheme) = (text("keytype")?, text("scheme")?);
        let keyval = value.get("keyval").and_then(Value::as_object)?;
        let public = keyval.get("public").and_then(Value::as_str).and_then(|public| decode(keytype, scheme, public));
        Some(Self { keytype: keytype.to_owned(), scheme: scheme.to_owned(), public })
    }
}

/// The key that `public` is, in the forms that are about: hexadecimal for Ed25519; PEM for the others, and for ECDSA the uncompressed
/// point in hexadecimal too, as in the first roots of sigstore, whose key type is also the name of the scheme.
fn decode(keytype: &str, scheme: &str, public: &str) -> Option<PublicKey> {
    let algorithm = match (keytype, scheme) {
        ("ed25519", "ed25519") => return PublicKey::from_raw(KeyAlgorithm::Ed25519, &unhex(public)?).ok(),
        ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => KeyAlgorithm::EcdsaP256,
        ("ecdsa" | "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384") => KeyAlgorithm::EcdsaP384,
        #[cfg(feature = "rsa")]
        ("rsa", "rsassa-pss-sha256") => return PublicKey::rsa_from_pem(public.as_bytes()).ok(),
        _ => return None,
    };
    let key = match unhex(public) {
        Some(point) => PublicKey::from_raw(algorithm, &point),
        None => PublicKey::from_pem(public.as_bytes()),
    };
    key.ok().filter(|key| key.algorithm() == algorithm)
}

/// The bytes that `text` writes in hexadecimal, of either case.
fn unhex(text: &str) -> Option<alloc::vec::Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    if text.is_empty() { None } else { pairs.collect() }
}

/// The KEY objects of a document by their keyids, which are opaque (TAP 12): a keyid says which key is meant and nothing else.
///
/// A key is decoded when a role is looked at that lists it, so that ten thousand keys of other roles cost little. A clone shares them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(Arc<BTreeMap<String, Value<'static>>>);

impl Keys {
    /// Reads the member `keys` of a root or of delegations. `None` if it is no object of KEY objects.
    pub(crate) fn read(keys: &Object<'_>) -> Option<Self> {
        let mut read = BTreeMap::new();
        for (keyid, value) in keys.iter() {
            let text = |name| value.get(name).and_then(Value::as_str);
            (text("keytype").is_some() && text("scheme").is_some() && value.get("keyval").and_then(Value::as_object).is_some())
                .then_some(())?;
            read.insert(keyid.to_owned(), value.clone().into_owned());
        }
        Some(Self(Arc::new(read)))
    }

    /// The key that is listed under `keyid`.
    pub fn get(&self, keyid: &str) -> Option<Key> {
        self.0.get(keyid).and_then(Key::read)
    }

    /// The keyids.
    pub fn keyids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use touchmark_envelope::digest::hex;
    use touchmark_envelope::json::parse;
    use touchmark_envelope::sign::{PrivateKey, Signer as _};

    fn key(keytype: &str, scheme: &str, public: &str) -> Option<PublicKey> {
        let keyval = Value::object([("public", Value::from(public.to_string()))]);
        let value = Value::object([("keytype", Value::from(keytype)), ("scheme", Value::from(scheme)), ("keyval", keyval)]);
        Key::read(&value).unwrap().public
    }

    #[test]
    fn every_form_of_a_key_is_the_same_key() {
        let p256 = PrivateKey::from_raw(KeyAlgorithm::EcdsaP256, &[5; 32]).unwrap().public_key().clone();
        for keytype in ["ecdsa", "ecdsa-sha2-nistp256"] {
            assert_eq!(key(keytype, "ecdsa-sha2-nistp256", &p256.to_pem()), Some(p256.clone()));
            assert_eq!(key(keytype, "ecdsa-sha2-nistp256", &hex(p256.as_raw())), Some(p256.clone()));
            // A P-256 key under the scheme of another curve.
            assert_eq!(key(keytype, "ecdsa-sha2-nistp384", &p256.to_pem()), None);
        }
        let p384 = PrivateKey::from_raw(KeyAlgorithm::EcdsaP384, &[5; 48]).unwrap().public_key().clone();
        assert_eq!(key("ecdsa", "ecdsa-sha2-nistp384", &p384.to_pem()), Some(p384.clone()));
        assert_eq!(key("ecdsa", "ecdsa-sha2-nistp256", &p384.to_pem()), None);
        let ed25519 = PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[5; 32]).unwrap().public_key().clone();
        assert_eq!(key("ed25519", "ed25519", &hex(ed25519.as_raw())), Some(ed25519.clone()));
        assert_eq!(key("ed25519", "ed25519", &hex(ed25519.as_raw()).to_uppercase()), Some(ed25519.clone()));
        for (keytype, scheme, public) in [
            ("ed25519", "ed25519", ed25519.to_pem().as_str()),
            ("ed25519", "ed25519ph", &hex(ed25519.as_raw())),
            ("ecdsa", "ecdsa-sha2-nistp256", &ed25519.to_pem()),
            ("mldsa", "ml-dsa-65/1", &hex(ed25519.as_raw())),
            ("ed25519", "ed25519", &hex(&[0; 32])),
            ("ed25519", "ed25519", "abc"),
            ("ed25519", "ed25519", ""),
        ] {
            assert_eq!(key(keytype, scheme, public), None, "{keytype} {scheme} {public}");
        }
    }

    #[test]
    fn a_key_of_type_rsa_is_one_with_the_feature_only() {
        let vectors = include_bytes!("../../../testdata/wycheproof/rsa_pss_2048_sha256_mgf1_32_test.json");
        let vectors = parse(vectors, vectors.len()).unwrap();
        let group = &vectors.get("testGroups").and_then(Value::as_array).unwrap()[0];
        let pem = group.get("publicKeyPem").and_then(Value::as_str).unwrap();
        let found = key("rsa", "rsassa-pss-sha256", pem);
        assert_eq!(found.is_some(), cfg!(feature = "rsa"));
        assert_eq!(found.map(|key| key.to_pem()).as_deref(), Some(pem).filter(|_| cfg!(feature = "rsa")));
        // Under another scheme, and in hexadecimal, it is none.
        let hexadecimal = group.get("publicKeyDer").and_then(Value::as_str).unwrap();
        for (keytype, scheme, public) in [
            ("rsa", "rsa-pkcs1v15-sha256", pem),
            ("rsa", "rsassa-pss-sha512", pem),
            ("rsa", "ecdsa-sha2-nistp256", pem),
            ("ecdsa", "rsassa-pss-sha256", pem),
            ("ecdsa", "ecdsa-sha2-nistp256", pem),
            ("rsa", "rsassa-pss-sha256", hexadecimal),
        ] {
            assert_eq!(key(keytype, scheme, public), None, "{keytype} {scheme}");
        }
    }

    #[test]
    fn what_is_no_key_object_is_refused() {
        for bad in [
            "1",
            "{}",
            r#"{"keytype":"x","scheme":"y"}"#,
            r#"{"keytype":"x","scheme":1,"keyval":{}}"#,
            r#"{"keytype":"x","scheme":"y","keyval":[]}"#,
        ] {
            assert_eq!(Key::read(&parse(bad.as_bytes(), 100).unwrap()), None, "{bad}");
            let keys = Value::object([("id", parse(bad.as_bytes(), 100).unwrap())]);
            assert_eq!(Keys::read(keys.as_object().unwrap()), None, "{bad}");
        }
    }
}
