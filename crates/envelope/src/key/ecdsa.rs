//! ECDSA over P-256 and P-384 (FIPS 186-5), each with the hash of its size.

use der::asn1::UintRef;
use der::{Decode as _, Reader as _, SliceReader};

use super::{KeyError, SignatureError};

macro_rules! ecdsa_key {
    ($(#[$doc:meta])* $name:ident, $curve:ident, $field_bytes:literal, $point_bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            key: $curve::ecdsa::VerifyingKey,
            point: [u8; $point_bytes],
        }

        impl $name {
            pub(super) fn decode(point: &[u8]) -> Result<Self, KeyError> {
                check_form(point, $field_bytes)?;
                let key = $curve::ecdsa::VerifyingKey::from_sec1_bytes(point)
                    .map_err(|_| KeyError::Malformed { what: "not a point on the curve" })?;
                let point = key.to_sec1_point(false).as_bytes().try_into()
                    .map_err(|_| KeyError::Malformed { what: "the point at infinity" })?;
                Ok(Self { key, point })
            }

            pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
                use $curve::ecdsa::signature::Verifier as _;
                let [r, s] = scalars::<$field_bytes>(signature).ok_or(SignatureError)?;
                // Refuses r and s that are zero or not below the order.
                let signature = $curve::ecdsa::Signature::from_scalars(r, s).map_err(|_| SignatureError)?;
                self.key.verify(message, &signature).map_err(|_| SignatureError)
            }

            /// The uncompressed point (SEC 1, section 2.3.3).
            pub fn as_bytes(&self) -> &[u8] {
                &self.point
            }
        }
    };
}

ecdsa_key! {
    /// A public key on P-256, used with SHA-256.
    P256Key, p256, 32, 65
}

ecdsa_key! {
    /// A public key on P-384, used with SHA-384.
    P384Key, p384, 48, 97
}

/// SEC 1, section 2.3.3: a point is `04 x y`, `02 x` or `03 x`. The hybrid forms (06, 07) are of X9.62 and not allowed by RFC 5480.
fn check_form(point: &[u8], field_bytes: usize) -> Result<(), KeyError> {
    match (point.first(), point.len()) {
        (Some(4), length) if length == 1 + 2 * field_bytes => Ok(()),
        (Some(2 | 3), length) if length == 1 + field_bytes => Ok(()),
        (Some(2..=4), _) => Err(KeyError::Malformed { what: "the point has not the curve's length" }),
        _ => Err(KeyError::Malformed { what: "neither a compressed nor an uncompressed point" }),
    }
}

/// The two scalars of a DER signature, `SEQUENCE { r INTEGER, s INTEGER }` (RFC 3279, section 2.2.3), big-endian and
/// padded to the field's size. Only DER: one signature value has one encoding, with nothing before, within or after it.
fn scalars<const N: usize>(signature: &[u8]) -> Option<[[u8; N]; 2]> {
    let mut reader = SliceReader::new(signature).ok()?;
    let [r, s] = reader.sequence(|reader| Ok::<_, der::Error>([UintRef::decode(reader)?, UintRef::decode(reader)?])).ok()?;
    reader.finish().ok()?;
    Some([padded(r)?, padded(s)?])
}

fn padded<const N: usize>(value: UintRef<'_>) -> Option<[u8; N]> {
    let bytes = value.as_bytes();
    let mut out = [0; N];
    out.get_mut(N.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    #[test]
    fn signatures_are_der_only() {
        let good = [0x30, 6, 2, 1, 1, 2, 1, 2];
        let [r, s] = scalars::<32>(&good).unwrap();
        assert_eq!((r[31], s[31]), (1, 2));
        let bad: [&[u8]; 11] = [
            &[],
            &[0x30, 7, 2, 1, 1, 2, 1, 2],
            &[0x30, 6, 2, 1, 1, 2, 1, 2, 0],
            &[0x30, 0x81, 6, 2, 1, 1, 2, 1, 2],
            &[0x30, 0x80, 2, 1, 1, 2, 1, 2, 0, 0],
            &[0x30, 7, 2, 2, 0, 1, 2, 1, 2],
            &[0x30, 6, 2, 1, 0x81, 2, 1, 2],
            &[0x30, 9, 2, 1, 1, 2, 1, 2, 2, 1, 3],
            &[0x30, 3, 2, 1, 1],
            &[0x31, 6, 2, 1, 1, 2, 1, 2],
            &[0x30, 5, 2, 0, 2, 1, 2],
        ];
        for bytes in bad {
            assert!(scalars::<32>(bytes).is_none(), "{bytes:?}");
        }
        let mut long = vec![0x30, 39, 2, 34, 1];
        long.extend([0; 33]);
        long.extend([2, 1, 1]);
        assert!(scalars::<32>(&long).is_none(), "34 bytes");
        assert!(scalars::<48>(&long).is_some());
    }

    #[test]
    fn points_of_other_forms_are_refused() {
        // The generator of P-256.
        let x = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
        let y = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
        let bytes = |hex: &str| crate::Digest::from_hex(crate::digest::Algorithm::Sha256, hex).unwrap().as_bytes().to_vec();
        let point = |form: u8, parts: &[&str]| {
            let mut point = vec![form];
            parts.iter().for_each(|part| point.extend(bytes(part)));
            point
        };
        let full = P256Key::decode(&point(4, &[x, y])).unwrap();
        let compressed = P256Key::decode(&point(3, &[x])).unwrap();
        assert_eq!(full.as_bytes(), compressed.as_bytes());
        assert_ne!(full.as_bytes(), P256Key::decode(&point(2, &[x])).unwrap().as_bytes());
        for bad in [point(7, &[x, y]), point(6, &[x, y]), point(5, &[x]), point(4, &[x]), point(4, &[x, x]), point(0, &[]), Vec::new()] {
            assert!(matches!(P256Key::decode(&bad), Err(KeyError::Malformed { .. })), "{bad:?}");
        }
    }
}
