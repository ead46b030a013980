//! Signatures: the vectors of the RFCs, and what a signature does not identify.
#![cfg(feature = "sign")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use touchmark_envelope::key::{KeyAlgorithm, KeyError, PublicKey};
use touchmark_envelope::sign::{PrivateKey, RandomFailed, Signer as _};
use touchmark_envelope::threshold::{KeySet, Signature};

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// `SEQUENCE { r, s }` in DER.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |value: &[u8]| {
        let value: Vec<u8> = value.iter().copied().skip_while(|byte| *byte == 0).collect();
        let pad: &[u8] = if value[0] & 0x80 == 0 { &[] } else { &[0] };
        [&[2, u8::try_from(pad.len() + value.len()).unwrap()], pad, &value].concat()
    };
    let content = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(content.len()).unwrap()], content.as_slice()].concat()
}

#[test]
fn rfc_8032_section_7_1() {
    let vectors = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ];
    for (seed, public, message, signature) in vectors {
        let key = PrivateKey::from_raw(KeyAlgorithm::Ed25519, &bytes(seed)).unwrap();
        assert_eq!(key.public_key().as_raw(), bytes(public));
        assert_eq!(key.sign(&bytes(message)).unwrap(), bytes(signature));
        assert!(key.public_key().verify(&bytes(message), &bytes(signature)).is_ok());
    }
}

#[test]
fn rfc_6979_appendices_a_2_5_and_a_2_6() {
    let vectors = [
        (
            KeyAlgorithm::EcdsaP256,
            "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
            [
                (
                    "sample",
                    "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
                    "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
                ),
                (
                    "test",
                    "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
                    "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
                ),
            ],
        ),
        (
            KeyAlgorithm::EcdsaP384,
            "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5",
            [
                (
                    "sample",
                    "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46",
                    "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8",
                ),
                (
                    "test",
                    "8203B63D3C853E8D77227FB377BCF7B7B772E97892A80F36AB775D509D7A5FEB0542A7F0812998DA8F1DD3CA3CF023DB",
                    "DDD0760448D42D8A43AF45AF836FCE4DE8BE06B485E9B61B827C2F13173923E06A739F040649A667BF3B828246BAA5A5",
                ),
            ],
        ),
    ];
    for (algorithm, secret, signatures) in vectors {
        let key = PrivateKey::from_raw(algorithm, &bytes(secret)).unwrap();
        for (message, r, s) in signatures {
            let signature = der(&bytes(r), &bytes(s));
            assert_eq!(key.sign(message.as_bytes()).unwrap(), signature, "{algorithm} {message}");
            assert!(key.public_key().verify(message.as_bytes(), &signature).is_ok());
        }
    }
}

/// Whoever sees an ECDSA signature can make a second one of it without the key. So no signature's bytes name anything.
#[test]
fn an_ecdsa_signature_has_a_twin_and_both_are_valid() {
    // FIPS 186-5: the orders of the two curves.
    let orders = [
        (KeyAlgorithm::EcdsaP256, 32, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
        (KeyAlgorithm::EcdsaP384, 48, "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"),
    ];
    for (algorithm, size, order) in orders {
        let key = PrivateKey::from_raw(algorithm, &vec![9; size]).unwrap();
        for message in [b"one".as_slice(), b"two", b"three", b"four"] {
            let signature = key.sign(message).unwrap();
            let (r, s) = parts(&signature, size);
            let twin = der(&r, &minus(&bytes(order), &s));
            assert_ne!(twin, signature);
            assert!(key.public_key().verify(message, &twin).is_ok());
            // Both in one envelope are one key.
            let both = [&signature, &twin].map(|bytes| Signature { keyid: None, bytes: bytes.clone() });
            assert_eq!(KeySet::new([key.public_key().clone()]).signers(message, &both).keys().len(), 1);
            // The twin of zero, and one that is not reduced, are none.
            assert!(key.public_key().verify(message, &der(&r, &bytes(order))).is_err());
        }
    }
}

fn parts(signature: &[u8], size: usize) -> (Vec<u8>, Vec<u8>) {
    let scalar = |at: usize| {
        let length = usize::from(signature[at + 1]);
        let value = &signature[at + 2..at + 2 + length];
        let value: Vec<u8> = value.iter().copied().skip_while(|byte| *byte == 0).collect();
        (at + 2 + length, [vec![0; size - value.len()], value].concat())
    };
    let (next, r) = scalar(2);
    (r, scalar(next).1)
}

fn minus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = false;
    let mut out: Vec<u8> = a
        .iter()
        .zip(b)
        .rev()
        .map(|(a, b)| {
            let (value, first) = a.overflowing_sub(*b);
            let (value, second) = value.overflowing_sub(borrow.into());
            borrow = first || second;
            value
        })
        .collect();
    out.reverse();
    out
}

#[test]
fn the_signature_of_the_identity_key_is_not_accepted() {
    // The identity point as key and as R, with S zero, satisfies the lax equation for every message.
    let mut identity = [0; 32];
    identity[0] = 1;
    assert!(matches!(PublicKey::from_raw(KeyAlgorithm::Ed25519, &identity), Err(KeyError::Weak { .. })));
    let key = PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[1; 32]).unwrap();
    assert!(key.public_key().verify(b"any", &[identity, [0; 32]].concat()).is_err());
}

#[test]
fn secrets_that_are_none_are_refused() {
    for (algorithm, size) in [(KeyAlgorithm::EcdsaP256, 32), (KeyAlgorithm::EcdsaP384, 48)] {
        for secret in [vec![0; size], vec![0xff; size], vec![1; size - 1], vec![1; size + 1]] {
            assert!(matches!(PrivateKey::from_raw(algorithm, &secret), Err(KeyError::Malformed { .. })));
        }
    }
    assert!(PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[1; 33]).is_err());
}

#[test]
fn a_key_needs_random_bytes() {
    for algorithm in KeyAlgorithm::SIGNING {
        assert_eq!(PrivateKey::generate(algorithm, &mut |_| Err(RandomFailed)).err(), Some(KeyError::Random(RandomFailed)));
    }
    // A source that gives the same unusable bytes for ever is not asked for ever.
    let stuck = &mut |bytes: &mut [u8]| {
        bytes.fill(0xff);
        Ok(())
    };
    assert_eq!(PrivateKey::generate(KeyAlgorithm::EcdsaP256, stuck).err(), Some(KeyError::Random(RandomFailed)));
}

#[test]
fn what_is_printed_of_a_key_is_public() {
    let key = PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[0xab; 32]).unwrap();
    let shown = format!("{key:?}");
    assert!(!shown.contains("abab") && !shown.contains("171"), "{shown}");
    assert!(shown.contains(&format!("{:?}", key.public_key())));
}
