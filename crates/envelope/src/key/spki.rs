//! SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7), and telling what else a file may be.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode as _, Reader as _, SliceReader, Tag, Tagged as _};
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::{KeyAlgorithm, KeyError};

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// What comes before the 32 bytes, or the uncompressed point, in the DER of each kind of key.
const ED25519_PREFIX: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
const P256_PREFIX: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
const P384_PREFIX: &[u8] = b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00";

/// What a key in the older form of PKCS#1 is called.
const PKCS1: &str = "an RSA key as PKCS#1 (convert it: openssl rsa -RSAPublicKey_in -pubout)";

/// The algorithm and the raw key in `der`.
pub(super) fn parse(der: &[u8]) -> Result<(KeyAlgorithm, &[u8]), KeyError> {
    let Ok(info) = SubjectPublicKeyInfoRef::from_der(der) else { return Err(not_spki(der)) };
    Ok((algorithm(&info.algorithm)?, raw(&info)?))
}

/// The RSAPublicKey in `der`.
#[cfg(feature = "rsa")]
pub(super) fn parse_rsa(der: &[u8]) -> Result<&[u8], KeyError> {
    let Ok(info) = SubjectPublicKeyInfoRef::from_der(der) else { return Err(not_spki(der)) };
    match (info.algorithm.oid, info.algorithm.parameters) {
        // RFC 3279, section 2.3.1: the parameters must be NULL.
        (RSA_ENCRYPTION, Some(parameters)) if parameters.is_null() => raw(&info),
        (RSA_ENCRYPTION, _) => Err(KeyError::Malformed { what: "an RSA key has the parameters NULL" }),
        _ => Err(algorithm(&info.algorithm).err().unwrap_or(KeyError::Unsupported { what: "a key of another kind than RSA".to_string() })),
    }
}

fn raw<'d>(info: &SubjectPublicKeyInfoRef<'d>) -> Result<&'d [u8], KeyError> {
    info.subject_public_key.as_bytes().ok_or(KeyError::Malformed { what: "the key is not a whole number of bytes" })
}

/// The kind of key that an AlgorithmIdentifier names, in a public and in a private key file alike.
pub(crate) fn algorithm(identifier: &AlgorithmIdentifierRef<'_>) -> Result<KeyAlgorithm, KeyError> {
    match (identifier.oid, identifier.parameters) {
        (ED25519, None) => Ok(KeyAlgorithm::Ed25519),
        // RFC 8410, section 3: the parameters must be absent.
        (ED25519, Some(_)) => Err(KeyError::Malformed { what: "an Ed25519 key has no parameters" }),
        (EC_PUBLIC_KEY, Some(parameters)) => curve(parameters),
        (EC_PUBLIC_KEY, None) => Err(KeyError::Malformed { what: "an elliptic curve key without a curve" }),
        (other, _) => Err(KeyError::Unsupported { what: key_kind(&other) }),
    }
}

/// The curve of an elliptic curve key (RFC 5480, section 2.1.1: by name and in no other way).
pub(crate) fn curve(parameters: AnyRef<'_>) -> Result<KeyAlgorithm, KeyError> {
    let Ok(oid) = parameters.decode_as::<ObjectIdentifier>() else {
        return Err(KeyError::Unsupported { what: "an elliptic curve key with explicit parameters".to_string() });
    };
    match oid {
        P256 => Ok(KeyAlgorithm::EcdsaP256),
        P384 => Ok(KeyAlgorithm::EcdsaP384),
        other => {
            let name = match other.to_string().as_str() {
                "1.3.132.0.35" => "P-521".to_string(),
                "1.3.132.0.33" => "P-224".to_string(),
                "1.3.132.0.10" => "secp256k1".to_string(),
                oid => format!("the curve {oid}"),
            };
            Err(KeyError::Unsupported { what: format!("an elliptic curve key on {name}") })
        }
    }
}

/// The DER of a key whose raw form is `key`: 32 bytes, the uncompressed point, or an RSAPublicKey.
pub(super) fn encode(algorithm: KeyAlgorithm, key: &[u8]) -> Vec<u8> {
    let prefix = match algorithm {
        KeyAlgorithm::Ed25519 => ED25519_PREFIX,
        KeyAlgorithm::EcdsaP256 => P256_PREFIX,
        KeyAlgorithm::EcdsaP384 => P384_PREFIX,
        #[cfg(feature = "rsa")]
        KeyAlgorithm::RsaPssSha256 => return super::rsa::encode(key),
    };
    [prefix, key].concat()
}

/// What a private key's PEM label says.
pub(super) fn private_label(label: &str) -> &'static str {
    match label {
        "ENCRYPTED PRIVATE KEY" => "this is an encrypted private key",
        "OPENSSH PRIVATE KEY" => "this is an OpenSSH private key",
        "ENCRYPTED SIGSTORE PRIVATE KEY" | "ENCRYPTED COSIGN PRIVATE KEY" => "this is a cosign private key",
        _ => "this is a private key",
    }
}

/// What a PEM block that holds no key, or one that is not supported, is.
pub(crate) fn other_label(label: &str) -> KeyError {
    let what = match label {
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => "a certificate".to_string(),
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => "a certificate request".to_string(),
        "RSA PUBLIC KEY" => PKCS1.to_string(),
        "PGP PUBLIC KEY BLOCK" | "PGP PRIVATE KEY BLOCK" => "an OpenPGP key".to_string(),
        // A label is the file's own text: shown in quotes, and no more of it than fits a line.
        other => format!("a PEM block {:?}", other.chars().take(40).collect::<String>()),
    };
    KeyError::Unsupported { what }
}

/// What a text without PEM blocks is.
pub(crate) fn not_a_key(text: &[u8]) -> KeyError {
    let what = if text.starts_with(b"ssh-") || text.starts_with(b"ecdsa-sha2-") {
        "an OpenSSH public key (convert it: ssh-keygen -e -m PKCS8 -f FILE)"
    } else if text.starts_with(b"untrusted comment:") {
        "a minisign or signify key"
    } else if text.starts_with(b"{") {
        "a JSON document"
    } else {
        return KeyError::NotAKey;
    };
    KeyError::Unsupported { what: what.to_string() }
}

/// What DER that is no SubjectPublicKeyInfo is.
fn not_spki(der: &[u8]) -> KeyError {
    use Tag::{BitString, Integer, OctetString, Sequence};
    let private = |what| KeyError::Private { what };
    let unsupported = |what: &str| KeyError::Unsupported { what: what.to_string() };
    match outer_tags(der).as_slice() {
        [] => not_a_key(der),
        [Integer, Sequence, OctetString, ..] => private("this is a private key"),
        [Integer, OctetString, ..] => private("this is an EC private key"),
        [Integer, Integer] => unsupported(PKCS1),
        [Integer, Integer, Integer, ..] => private("this is an RSA or DSA private key"),
        [Sequence, OctetString] => private("this is an encrypted private key"),
        [Sequence, Sequence, BitString] => unsupported("a certificate or a certificate request"),
        _ => KeyError::Malformed { what: "the DER is not a SubjectPublicKeyInfo" },
    }
}

/// The tags of the elements of the one outer SEQUENCE; nothing if there is none.
fn outer_tags(der: &[u8]) -> Vec<Tag> {
    let Ok(mut reader) = SliceReader::new(der) else { return Vec::new() };
    let tags = reader.sequence(|reader| {
        let mut tags = Vec::new();
        while !reader.is_finished() && tags.len() < 4 {
            tags.push(AnyRef::decode(reader)?.tag());
        }
        let _ = reader.drain(reader.remaining_len());
        Ok::<_, der::Error>(tags)
    });
    tags.unwrap_or_default()
}

fn key_kind(oid: &ObjectIdentifier) -> String {
    if *oid == RSA_ENCRYPTION {
        return "an RSA key".to_string();
    }
    let kind = match oid.to_string().as_str() {
        "1.2.840.113549.1.1.10" => "an RSA-PSS key",
        "1.2.840.10040.4.1" => "a DSA key",
        "1.3.101.110" => "an X25519 key",
        "1.3.101.111" => "an X448 key",
        "1.3.101.113" => "an Ed448 key",
        "2.16.840.1.101.3.4.3.17" | "2.16.840.1.101.3.4.3.18" | "2.16.840.1.101.3.4.3.19" => "an ML-DSA key",
        oid => return format!("a key of the algorithm {oid}"),
    };
    kind.to_string()
}
