//! Encrypted private keys: what they ask for is bounded, and wrong passphrases and damage are told apart.
#![cfg(feature = "sign")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use touchmark_envelope::key::{KeyAlgorithm, KeyError};
use touchmark_envelope::sign::{PrivateKey, RandomFailed, Signer as _};

const SCRYPT: &[u8] = &[0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b];
const PBKDF2: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
const PBES2: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
const HMAC_SHA1: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x07];
const HMAC_SHA256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09];
const AES256_CBC: &[u8] = &[0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u8::try_from(content.len()).expect("short");
    let header: &[u8] = if length < 128 { &[tag, length] } else { &[tag, 0x81, length] };
    [header, &content].concat()
}

fn integer(value: u64) -> Vec<u8> {
    let mut bytes: Vec<u8> = value.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    if bytes.first().is_none_or(|byte| byte & 0x80 != 0) {
        bytes.insert(0, 0);
    }
    tlv(2, &[&bytes])
}

/// An encrypted key with this key derivation and nothing that could be decrypted.
fn encrypted(kdf: &[u8], cipher: &[u8]) -> Vec<u8> {
    let scheme = tlv(0x30, &[PBES2, &tlv(0x30, &[kdf, cipher])]);
    tlv(0x30, &[&scheme, &tlv(4, &[&[7; 48]])])
}

fn aes() -> Vec<u8> {
    tlv(0x30, &[AES256_CBC, &tlv(4, &[&[0; 16]])])
}

fn scrypt(n: u64, r: u64, p: u64) -> Vec<u8> {
    let parameters = tlv(0x30, &[&tlv(4, &[b"salt"]), &integer(n), &integer(r), &integer(p)]);
    encrypted(&tlv(0x30, &[SCRYPT, &parameters]), &aes())
}

fn pbkdf2(iterations: u64, more: &[&[u8]]) -> Vec<u8> {
    let (salt, iterations) = (tlv(4, &[b"salt"]), integer(iterations));
    let parameters = tlv(0x30, &[&[salt.as_slice(), &iterations], more].concat());
    encrypted(&tlv(0x30, &[PBKDF2, &parameters]), &aes())
}

fn prf(oid: &[u8]) -> Vec<u8> {
    tlv(0x30, &[oid, &[5, 0]])
}

fn read(der: &[u8]) -> KeyError {
    PrivateKey::read(der, Some(b"passphrase")).expect_err("no key")
}

#[test]
fn hostile_scrypt_is_refused_before_it_runs() {
    for (n, r, p) in [(1 << 40, 8, 1), (1 << 22, 8, 1), (2, 1 << 20, 1), (2, 1, 1 << 30), (1 << 63, 0x7fff_ffff, 0x7fff_ffff)] {
        assert_eq!(read(&scrypt(n, r, p)), KeyError::Costly { what: "scrypt with more than 256 MiB" }, "{n} {r} {p}");
    }
    assert_eq!(read(&scrypt(1 << 14, 8, 1 << 10)), KeyError::Costly { what: "scrypt with N * r * p above 2^22" });
    for (n, r, p) in [(0, 8, 1), (1, 8, 1), (3, 8, 1), ((1 << 14) + 1, 8, 1), (1 << 14, 0, 1), (1 << 14, 8, 0)] {
        assert!(matches!(read(&scrypt(n, r, p)), KeyError::Malformed { .. }), "{n} {r} {p}");
    }
    assert_eq!(read(&scrypt(16, 8, 1)), KeyError::WrongPassphrase);
}

#[test]
fn hostile_pbkdf2_is_refused_before_it_runs() {
    let sha256 = prf(HMAC_SHA256);
    assert_eq!(read(&pbkdf2(1, &[&sha256])), KeyError::WrongPassphrase);
    for iterations in [10_000_001, 0xffff_ffff] {
        assert!(matches!(read(&pbkdf2(iterations, &[&sha256])), KeyError::Costly { .. }));
    }
    assert!(matches!(read(&pbkdf2(0, &[&sha256])), KeyError::Malformed { .. }));
    assert!(matches!(read(&pbkdf2(1 << 40, &[&sha256])), KeyError::Malformed { .. }));
}

#[test]
fn old_and_confused_schemes_are_named() {
    let sha1 = KeyError::Unsupported { what: "an encryption by PBKDF2 with SHA-1".into() };
    assert_eq!(read(&pbkdf2(1, &[])), sha1, "SHA-1 is what is meant where no hash is named");
    assert_eq!(read(&pbkdf2(1, &[&prf(HMAC_SHA1)])), sha1);
    assert!(matches!(read(&pbkdf2(1, &[&integer(16), &prf(HMAC_SHA256)])), KeyError::Confused { .. }));
    assert_eq!(read(&pbkdf2(1, &[&integer(32), &prf(HMAC_SHA256)])), KeyError::WrongPassphrase);
    // A short initialisation vector, and one with something after it.
    let salt = tlv(0x30, &[&tlv(4, &[b"salt"]), &integer(1), &prf(HMAC_SHA256)]);
    let kdf = tlv(0x30, &[PBKDF2, &salt]);
    for cipher in [tlv(0x30, &[AES256_CBC, &tlv(4, &[&[0; 8]])]), tlv(0x30, &[AES256_CBC])] {
        assert!(matches!(read(&encrypted(&kdf, &cipher)), KeyError::Malformed { .. }));
    }
}

#[test]
fn every_damaged_byte_is_an_error_and_none_a_panic() {
    let key = PrivateKey::from_raw(KeyAlgorithm::EcdsaP256, &[5; 32]).unwrap();
    let plain = key.to_pkcs8_der();
    for at in 0..plain.len() {
        assert!(PrivateKey::read(plain.get(..at).unwrap(), None).is_err(), "cut at {at}");
        let mut damaged = plain.to_vec();
        *damaged.get_mut(at).unwrap() ^= 0x11;
        // The file says the public key too, so that a damaged secret is found out.
        assert!(PrivateKey::read(&damaged, None).is_err(), "damaged at {at}");
    }
}

#[test]
fn what_is_encrypted_is_read_again() {
    let fill = |value: u8| {
        move |bytes: &mut [u8]| {
            bytes.fill(value);
            Ok::<_, RandomFailed>(())
        }
    };
    let key = PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[5; 32]).unwrap();
    let first = key.to_encrypted_pem(b"\xffnot UTF-8\0", &mut fill(1)).unwrap();
    let second = key.to_encrypted_pem(b"\xffnot UTF-8\0", &mut fill(2)).unwrap();
    assert_ne!(first, second);
    let again = PrivateKey::read(first.as_bytes(), Some(b"\xffnot UTF-8\0")).unwrap();
    assert_eq!(again.public_key(), key.public_key());
    assert_eq!(PrivateKey::read(first.as_bytes(), Some(b"")).err(), Some(KeyError::WrongPassphrase));
    assert_eq!(PrivateKey::read(first.as_bytes(), None).err(), Some(KeyError::PassphraseNeeded));
    assert_eq!(key.to_encrypted_pem(b"", &mut fill(1)).err(), Some(KeyError::EmptyPassphrase));
    assert_eq!(key.to_encrypted_pem(b"x", &mut |_| Err(RandomFailed)).err(), Some(KeyError::Random(RandomFailed)));
}

#[test]
fn private_keys_that_contradict_themselves_are_refused() {
    let key = PrivateKey::from_raw(KeyAlgorithm::EcdsaP256, &[5; 32]).unwrap();
    let (version, secret) = (integer(1), tlv(4, &[&[5; 32]]));
    let curve = |oid: &[u8]| tlv(0xa0, &[oid]);
    let (p256, p384): (&[u8], &[u8]) =
        (&[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22]);
    let algorithm = tlv(0x30, &[&[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01], p256]);
    let pkcs8 = |inner: &[u8]| tlv(0x30, &[&integer(0), &algorithm, &tlv(4, &[inner])]);
    let ec = |parts: &[&[u8]]| tlv(0x30, &[&[version.as_slice(), &secret], parts].concat());
    let read_ec = |parts: &[&[u8]]| PrivateKey::read(&pkcs8(&ec(parts)), None);
    assert_eq!(read_ec(&[]).unwrap().public_key(), key.public_key());
    assert_eq!(read_ec(&[&curve(p256)]).unwrap().public_key(), key.public_key());
    assert_eq!(read_ec(&[&curve(p384)]).unwrap_err(), KeyError::Confused { what: "the file names two curves" });
    let public = |point: &[u8]| tlv(0xa1, &[&tlv(3, &[&[0], point])]);
    assert!(read_ec(&[&public(key.public_key().as_raw())]).is_ok());
    let other = PrivateKey::from_raw(KeyAlgorithm::EcdsaP256, &[6; 32]).unwrap();
    assert!(matches!(read_ec(&[&public(other.public_key().as_raw())]), Err(KeyError::Confused { .. })));
    // Version 2 of PKCS#8 has the public key outside (RFC 5958).
    let ed25519 = PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[5; 32]).unwrap();
    let algorithm = tlv(0x30, &[&[0x06, 0x03, 0x2b, 0x65, 0x70]]);
    let version_2 = |public: &[u8]| {
        let field = tlv(0x81, &[&[0], public]);
        PrivateKey::read(&tlv(0x30, &[&integer(1), &algorithm, &tlv(4, &[&secret]), &field]), None)
    };
    assert_eq!(version_2(ed25519.public_key().as_raw()).unwrap().public_key(), ed25519.public_key());
    let other = PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[6; 32]).unwrap();
    assert!(matches!(version_2(other.public_key().as_raw()), Err(KeyError::Confused { .. })));
    // An ECPrivateKey alone, with its curve and without.
    assert_eq!(PrivateKey::read(&ec(&[&curve(p256)]), None).unwrap().public_key(), key.public_key());
    assert!(matches!(PrivateKey::read(&ec(&[]), None), Err(KeyError::Malformed { .. })));
}
