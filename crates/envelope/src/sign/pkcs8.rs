//! PKCS#8 (RFC 5958; RFC 8410 for Ed25519, RFC 5915 for elliptic curves).

use alloc::vec::Vec;

use der::asn1::{AnyRef, BitStringRef, ContextSpecific, OctetStringRef};
use der::{Decode as _, Reader as _, SliceReader, Tag, TagNumber};
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use super::{PrivateKey, Signer as _};
use crate::key::{KeyAlgorithm, KeyError, PublicKey, spki as algorithms};

const MALFORMED: KeyError = KeyError::Malformed { what: "the DER is not a PKCS#8 private key" };
const MALFORMED_EC: KeyError = KeyError::Malformed { what: "the DER is not an elliptic curve private key" };
const OTHER_PUBLIC_KEY: KeyError = KeyError::Confused { what: "the file holds a public key that is not the private key's" };

/// What stands around the secret, and the public key for ECDSA, in what openssl writes.
const ED25519: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
const P256: &[u8] = b"\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\
    \x04\x6d\x30\x6b\x02\x01\x01\x04\x20";
const P256_PUBLIC: &[u8] = b"\xa1\x44\x03\x42\x00";
const P384: &[u8] = b"\x30\x81\xb6\x02\x01\x00\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\
    \x04\x81\x9e\x30\x81\x9b\x02\x01\x01\x04\x30";
const P384_PUBLIC: &[u8] = b"\xa1\x64\x03\x62\x00";

/// Whether `der` is an EncryptedPrivateKeyInfo: a SEQUENCE of a SEQUENCE and an OCTET STRING.
pub(super) fn is_encrypted(der: &[u8]) -> bool {
    let Ok(mut reader) = SliceReader::new(der) else { return false };
    reader.sequence(|reader| Ok::<_, der::Error>((AnyRef::decode(reader)?, AnyRef::decode(reader)?))).is_ok_and(|(first, second)| {
        use der::Tagged as _;
        first.tag() == Tag::Sequence && second.tag() == Tag::OctetString
    })
}

/// Whether `der` is a PrivateKeyInfo or OneAsymmetricKey, of whatever algorithm.
pub(super) fn is_plain(der: &[u8]) -> bool {
    one_asymmetric_key(der).is_ok()
}

/// The key in a PrivateKeyInfo or OneAsymmetricKey.
pub(super) fn parse(der: &[u8]) -> Result<PrivateKey, KeyError> {
    let Ok((identifier, secret, public)) = one_asymmetric_key(der) else { return parse_other(der) };
    let algorithm = algorithms::algorithm(&identifier)?;
    let key = match algorithm {
        KeyAlgorithm::Ed25519 => {
            let seed = <&OctetStringRef>::from_der(secret).map_err(|_| KeyError::Malformed { what: "not an Ed25519 private key" })?;
            PrivateKey::from_raw(algorithm, seed.as_bytes())?
        }
        KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 => parse_ec(secret, Some(algorithm))?,
        #[cfg(feature = "rsa")]
        KeyAlgorithm::RsaPssSha256 => return Err(KeyError::Unsupported { what: "an RSA key".into() }),
    };
    belongs(key, public)
}

/// The key in an ECPrivateKey (RFC 5915, section 3) on the curve that it names, or that is known from around it.
pub(super) fn parse_ec(der: &[u8], outer: Option<KeyAlgorithm>) -> Result<PrivateKey, KeyError> {
    let (secret, inner, public) = ec_private_key(der).map_err(|_| MALFORMED_EC)?;
    let algorithm = match (outer, inner.map(algorithms::curve).transpose()?) {
        (Some(outer), Some(inner)) if outer != inner => return Err(KeyError::Confused { what: "the file names two curves" }),
        (Some(algorithm), _) | (None, Some(algorithm)) => algorithm,
        (None, None) => return Err(KeyError::Malformed { what: "an elliptic curve key without a curve" }),
    };
    belongs(PrivateKey::from_raw(algorithm, secret)?, public)
}

/// The DER of an Ed25519 key, in memory that is wiped.
pub(super) fn encode_ed25519(secret: &[u8]) -> Zeroizing<Vec<u8>> {
    wiped(&[ED25519, secret])
}

/// The DER of a P-256 key, in memory that is wiped.
pub(super) fn encode_p256(secret: &[u8], point: &[u8]) -> Zeroizing<Vec<u8>> {
    wiped(&[P256, secret, P256_PUBLIC, point])
}

/// The DER of a P-384 key, in memory that is wiped.
pub(super) fn encode_p384(secret: &[u8], point: &[u8]) -> Zeroizing<Vec<u8>> {
    wiped(&[P384, secret, P384_PUBLIC, point])
}

/// `concat` allocates the whole length at once, so no copy is left behind.
fn wiped(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(parts.concat())
}

type Parts<'a> = (AlgorithmIdentifierRef<'a>, &'a [u8], Option<BitStringRef<'a>>);

fn one_asymmetric_key(der: &[u8]) -> der::Result<Parts<'_>> {
    let mut reader = SliceReader::new(der)?;
    let parts = reader.sequence(|reader| {
        let version = u8::decode(reader)?;
        let identifier = AlgorithmIdentifierRef::decode(reader)?;
        let secret = <&OctetStringRef>::decode(reader)?;
        // Attributes say nothing that is needed here.
        while matches!(Tag::peek(reader), Ok(tag) if tag.number() == TagNumber(0) && tag.is_context_specific()) {
            AnyRef::decode(reader)?;
        }
        let public = ContextSpecific::<BitStringRef<'_>>::decode_implicit(reader, TagNumber(1))?.map(|field| field.value);
        if version > 1 { Err(reader.error(Tag::Integer.value_error())) } else { Ok((identifier, secret.as_bytes(), public)) }
    })?;
    reader.finish()?;
    Ok(parts)
}

type EcParts<'a> = (&'a [u8], Option<AnyRef<'a>>, Option<BitStringRef<'a>>);

fn ec_private_key(der: &[u8]) -> der::Result<EcParts<'_>> {
    let mut reader = SliceReader::new(der)?;
    let parts = reader.sequence(|reader| {
        let version = u8::decode(reader)?;
        let secret = <&OctetStringRef>::decode(reader)?;
        let curve = ContextSpecific::<AnyRef<'_>>::decode_explicit(reader, TagNumber(0))?.map(|field| field.value);
        let public = ContextSpecific::<BitStringRef<'_>>::decode_explicit(reader, TagNumber(1))?.map(|field| field.value);
        if version == 1 { Ok((secret.as_bytes(), curve, public)) } else { Err(reader.error(Tag::Integer.value_error())) }
    })?;
    reader.finish()?;
    Ok(parts)
}

/// A public key beside the private one must be its own: who signs by one and is known by the other signs for nobody.
fn belongs(key: PrivateKey, public: Option<BitStringRef<'_>>) -> Result<PrivateKey, KeyError> {
    if let Some(public) = public {
        let bytes = public.as_bytes().ok_or(OTHER_PUBLIC_KEY)?;
        let public = PublicKey::from_raw(key.public_key().algorithm(), bytes).map_err(|_| OTHER_PUBLIC_KEY)?;
        if public != *key.public_key() {
            return Err(OTHER_PUBLIC_KEY);
        }
    }
    Ok(key)
}

/// The key in DER that is no PKCS#8, if it is an ECPrivateKey that names its curve, or what it is instead.
fn parse_other(der: &[u8]) -> Result<PrivateKey, KeyError> {
    if ec_private_key(der).is_ok() {
        return parse_ec(der, None);
    }
    match PublicKey::from_spki_der(der) {
        Ok(_) => Err(KeyError::Public),
        Err(error @ (KeyError::Unsupported { .. } | KeyError::NotAKey)) => Err(error),
        Err(_) => Err(MALFORMED),
    }
}
