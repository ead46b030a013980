//! RSASSA-PSS with SHA-256, and MGF1 with SHA-256 (RFC 8017, section 8.1.2): `rsassa-pss-sha256` of TUF 1.0, section 4.2.2. Signatures are
//! checked; private keys are not even read.
//!
//! The salt may have any length, which the signature shows. TUF names none, and signers use several: securesystemslib and
//! go-securesystemslib the hash's 32 bytes, sigstore's signer for go-tuf as many as fit. Who cannot sign with the key cannot with another
//! length either, so that to insist on one would refuse honest signatures and no others.

use alloc::vec::Vec;
use core::fmt;

use der::asn1::UintRef;
use der::{Decode as _, Reader as _, SliceReader};
use rsa::BoxedUint;
use rsa::pss::{Signature, VerifyingKey};
use rsa::signature::Verifier as _;
use sha2::Sha256;

use super::{KeyError, SignatureError};

/// TUF 1.0, section 4.2.2: "All RSA keys MUST be at least 2048 bits."
const MIN_BITS: usize = 2048;
/// A check takes time with the square of the modulus, and a stranger chooses it.
const MAX_BITS: usize = 8192;
/// Bits of the public exponent. The usual ones have 2 and 17, and a check takes time with their number.
const MAX_EXPONENT_BITS: usize = 33;

/// What stands before the key in a SubjectPublicKeyInfo: rsaEncryption with the parameters NULL.
const ALGORITHM: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

/// An RSA public key of 2048 to 8192 bits.
#[derive(Clone)]
pub struct RsaKey {
    key: VerifyingKey<Sha256>,
    /// An RSAPublicKey in DER, of which a key has exactly one.
    der: Vec<u8>,
}

impl RsaKey {
    pub(super) fn decode(der: &[u8]) -> Result<Self, KeyError> {
        let (n, e) = numbers(der).map_err(|_| KeyError::Malformed { what: "not an RSAPublicKey" })?;
        let (n, e) = (n.as_bytes(), e.as_bytes());
        if bits(n) < MIN_BITS {
            return Err(KeyError::Weak { what: "an RSA key of less than 2048 bits" });
        }
        if bits(n) > MAX_BITS {
            return Err(KeyError::Unsupported { what: "an RSA key of more than 8192 bits".into() });
        }
        if is_even(n) || is_even(e) {
            return Err(KeyError::Malformed { what: "the modulus or the exponent of an RSA key is even" });
        }
        if bits(e) == 1 {
            return Err(KeyError::Weak { what: "an RSA key with the exponent 1, for which anybody can make signatures" });
        }
        if bits(e) > MAX_EXPONENT_BITS {
            return Err(KeyError::Unsupported { what: "an RSA key with an exponent of more than 33 bits".into() });
        }
        let number = BoxedUint::from_be_slice_vartime;
        let key = rsa::PublicKey::new_with_size_limits(number(n), number(e), MIN_BITS..=MAX_BITS)
            .map_err(|_| KeyError::Malformed { what: "not the numbers of an RSA key" })?;
        Ok(Self { key: VerifyingKey::new_with_auto_salt_len(key), der: der.to_vec() })
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        // Refuses another length than the modulus has, and a number that is not below it.
        let signature = Signature::try_from(signature).map_err(|_| SignatureError)?;
        self.key.verify(message, &signature).map_err(|_| SignatureError)
    }

    /// The modulus and the exponent: an RSAPublicKey in DER (RFC 8017, appendix A.1.1).
    pub fn as_bytes(&self) -> &[u8] {
        &self.der
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaKey {}", crate::digest::hex(&self.der))
    }
}

/// The SubjectPublicKeyInfo of a key that is an RSAPublicKey in DER.
pub(super) fn encode(key: &[u8]) -> Vec<u8> {
    let bits = element(0x03, &[&[0], key]);
    element(0x30, &[ALGORITHM, &bits])
}

/// Modulus and exponent: both positive, in as few bytes as they have.
fn numbers(der: &[u8]) -> der::Result<(UintRef<'_>, UintRef<'_>)> {
    let mut reader = SliceReader::new(der)?;
    let numbers = reader.sequence(|reader| Ok::<_, der::Error>((UintRef::decode(reader)?, UintRef::decode(reader)?)))?;
    reader.finish()?;
    Ok(numbers)
}

/// Bits of a big-endian number without leading zeros.
fn bits(number: &[u8]) -> usize {
    let leading = number.first().map_or(0, |first| first.leading_zeros());
    (number.len() * 8).saturating_sub(usize::try_from(leading).unwrap_or_default())
}

fn is_even(number: &[u8]) -> bool {
    number.last().is_none_or(|last| last % 2 == 0)
}

/// An element of DER.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let length = length.get(length.iter().take_while(|byte| **byte == 0).count()..).unwrap_or_default();
    let mut out = Vec::with_capacity(content.len() + 8);
    out.push(tag);
    match length {
        &[short @ ..=0x7f] => out.push(short),
        // A length is at most the eight bytes of a word.
        _ => {
            out.push(0x80 | u8::try_from(length.len()).unwrap_or_default());
            out.extend_from_slice(length);
        }
    }
    out.extend_from_slice(&content);
    out
}
