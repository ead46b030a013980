//! Ed25519 (RFC 8032), strictly.

use ed25519_dalek::{Signature, VerifyingKey};

use super::{KeyError, SignatureError};

/// The field's prime, 2^255 - 19, little-endian: a canonical y is smaller.
const PRIME: [u8; 32] = {
    let mut prime = [0xff; 32];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    prime
};

const WEAK: KeyError = KeyError::Weak { what: "a point of small order, for which anybody can make signatures" };

/// An Ed25519 public key: canonical, on the curve and not of small order. The point is decompressed once, here.
#[derive(Clone)]
pub struct Ed25519Key(VerifyingKey);

impl Ed25519Key {
    pub(super) fn decode(key: &[u8]) -> Result<Self, KeyError> {
        let bytes: [u8; 32] = key.try_into().map_err(|_| KeyError::Malformed { what: "an Ed25519 key has 32 bytes" })?;
        // RFC 8032, section 5.1.3, step 1. Without it one key would have several encodings, so several identities.
        if !is_canonical(&bytes) {
            return Err(KeyError::Malformed { what: "its y coordinate is not below the field's prime" });
        }
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Malformed { what: "not a point on the curve" })?;
        if key.is_weak() { Err(WEAK) } else { Ok(Self(key)) }
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let signature = Signature::from_slice(signature).map_err(|_| SignatureError)?;
        self.0.verify_strict(message, &signature).map_err(|_| SignatureError)
    }

    /// The key's 32 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Whether y, without the sign of x in its highest bit, is smaller than the prime.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let mut y = *bytes;
    if let Some(highest) = y.last_mut() {
        *highest &= 0x7f;
    }
    y.iter().rev().lt(PRIME.iter().rev())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_order_and_non_canonical_keys_are_refused() {
        // Every point of order 1, 2, 4 and 8, in its canonical encoding.
        for weak in [
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        ] {
            assert_eq!(Ed25519Key::decode(&bytes(weak)).err(), Some(WEAK), "{weak}");
        }
        // y = p to p + 18 and the sign bit: each names a point that has another encoding too.
        for low in 0xed..=0xff {
            for high in [0x7f, 0xff] {
                let mut key = [0xff; 32];
                key[0] = low;
                key[31] = high;
                assert!(matches!(Ed25519Key::decode(&key), Err(KeyError::Malformed { .. })), "{key:?}");
            }
        }
        // x = 0 with the sign bit set: not canonical, and weak whichever way a decoder takes it.
        for strange in [
            "0100000000000000000000000000000000000000000000000000000000000080",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        ] {
            assert!(Ed25519Key::decode(&bytes(strange)).is_err(), "{strange}");
        }
        assert!(Ed25519Key::decode(&[1; 31]).is_err());
        assert!(
            Ed25519Key::decode(&bytes("0200000000000000000000000000000000000000000000000000000000000000")).is_err(),
            "not on the curve"
        );
    }

    #[test]
    fn canonical_ends_below_the_prime() {
        let mut y = PRIME;
        assert!(!is_canonical(&y));
        y[0] -= 1;
        assert!(is_canonical(&y));
        y[31] |= 0x80;
        assert!(is_canonical(&y));
    }

    fn bytes(hex: &str) -> [u8; 32] {
        let digest = crate::Digest::from_hex(crate::digest::Algorithm::Sha256, hex).unwrap();
        digest.as_bytes().try_into().unwrap()
    }
}
