//! RSA public keys and RSASSA-PSS signatures, made by openssl and made up.
#![cfg(feature = "rsa")]
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions, reason = "a test fails by panicking")]

mod command;

use command::{Folder, openssl, text};
use touchmark_envelope::digest::{Algorithm, hex};
use touchmark_envelope::key::{KeyAlgorithm, KeyError, PublicKey};
use touchmark_envelope::threshold::{KeySet, Signature};

const MESSAGE: &[u8] = b"what openssl signs";

fn private_key(bits: &str) -> Vec<u8> {
    openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", &format!("rsa_keygen_bits:{bits}")], b"")
}

fn public_key(private: &[u8]) -> PublicKey {
    PublicKey::rsa_from_pem(&openssl(&["pkey", "-pubout"], private)).expect("a public key of openssl")
}

fn sign(folder: &Folder, private: &[u8], options: &[&str]) -> Vec<u8> {
    let key = folder.file("key.pem", private);
    openssl(&[&["dgst", "-sign", text(&key)], options].concat(), MESSAGE)
}

const PSS: &[&str] = &["-sha256", "-sigopt", "rsa_padding_mode:pss"];

/// An element of DER of at most 65535 bytes.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match length {
        [0, short @ ..0x80] => vec![tag, short],
        [0, one] => vec![tag, 0x81, one],
        [two, one] => vec![tag, 0x82, two, one],
    };
    [head.as_slice(), content].concat()
}

/// An RSAPublicKey of two big-endian numbers.
fn rsa_public_key(n: &[u8], e: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| element(2, &[if number[0] >= 0x80 { &[0_u8] as &[u8] } else { &[] }, number].concat());
    element(0x30, &[integer(n), integer(e)].concat())
}

/// An odd number of so many bits.
fn number(bits: usize) -> Vec<u8> {
    let mut number = vec![0x5a; bits.div_ceil(8)];
    number[0] = 1 << ((bits - 1) % 8);
    *number.last_mut().unwrap() |= 1;
    number
}

fn read(n: &[u8], e: &[u8]) -> Result<PublicKey, KeyError> {
    PublicKey::from_raw(KeyAlgorithm::RsaPssSha256, &rsa_public_key(n, e))
}

#[test]
fn keys_of_openssl_are_read_and_written_alike() {
    for bits in ["2048", "2056", "3072"] {
        let private = private_key(bits);
        let key = public_key(&private);
        assert_eq!(key.algorithm(), KeyAlgorithm::RsaPssSha256);
        let der = openssl(&["pkey", "-pubout", "-outform", "DER"], &private);
        assert_eq!(PublicKey::rsa_from_spki_der(&der).as_ref(), Ok(&key));
        assert_eq!(key.to_spki_der(), der);
        assert_eq!(key.to_pem().as_bytes(), openssl(&["pkey", "-pubout"], &private));
        assert_eq!(key.key_id().as_str(), hex(Algorithm::Sha256.digest(&der).as_bytes()));
        // What identifies it is the RSAPublicKey of PKCS#1, which has no encoding but one.
        assert_eq!(key.as_raw(), openssl(&["rsa", "-RSAPublicKey_out", "-outform", "DER"], &private));
        assert_eq!(PublicKey::from_raw(KeyAlgorithm::RsaPssSha256, key.as_raw()).as_ref(), Ok(&key));
        assert_ne!(public_key(&private_key(bits)), key);
    }
}

#[test]
fn signatures_with_salts_of_every_length_are_valid() {
    let folder = Folder::new("rsa-salts");
    let private = private_key("2048");
    let key = public_key(&private);
    // 32: securesystemslib, go-securesystemslib, tough. max: sigstore's signer, for go-tuf.
    for salt in ["0", "20", "32", "digest", "max", "auto"] {
        let signature = sign(&folder, &private, &[PSS, &["-sigopt", &format!("rsa_pss_saltlen:{salt}")]].concat());
        assert!(key.verify(MESSAGE, &signature).is_ok(), "{salt}");
        assert!(key.verify(b"another message", &signature).is_err(), "{salt}");
        for (place, bit) in [(0, 0x01), (1, 0x80), (100, 0x10), (254, 0x04), (255, 0x01)] {
            let mut damaged = signature.clone();
            damaged[place] ^= bit;
            assert!(key.verify(MESSAGE, &damaged).is_err(), "{salt} {place}");
        }
        for other in
            [&signature[1..], &signature[..255], &[&[0], signature.as_slice()].concat(), &[&signature, [0].as_slice()].concat(), &[]]
        {
            assert!(key.verify(MESSAGE, other).is_err(), "{salt}, {} bytes", other.len());
        }
    }
}

#[test]
fn other_hashes_other_paddings_and_other_keys_are_not_valid() {
    let folder = Folder::new("rsa-others");
    let private = private_key("2048");
    let key = public_key(&private);
    for options in [
        &["-sha512", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] as &[&str],
        &["-sha1", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"],
        &["-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_mgf1_md:sha1"],
        &["-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_mgf1_md:sha512"],
        &["-sha512", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_mgf1_md:sha256"],
        // PKCS#1 v1.5.
        &["-sha256"],
        &["-sha512"],
    ] {
        assert!(key.verify(MESSAGE, &sign(&folder, &private, options)).is_err(), "{options:?}");
    }
    let other = private_key("2048");
    assert!(key.verify(MESSAGE, &sign(&folder, &other, PSS)).is_err());
    // By the same modulus with another exponent.
    let numbers = key.as_raw();
    let three = [&numbers[..numbers.len() - 5], &[2, 1, 3]].concat();
    let three = element(0x30, &three[4..]);
    let three = PublicKey::from_raw(KeyAlgorithm::RsaPssSha256, &three).expect("another key");
    assert_ne!(three, key);
    assert!(three.verify(MESSAGE, &sign(&folder, &private, PSS)).is_err());
}

#[test]
fn a_modulus_whose_bits_fill_no_byte_is_checked() {
    // The encoded message is a byte shorter than the modulus if that has a multiple of eight bits and one more.
    let folder = Folder::new("rsa-bits");
    for bits in ["2049", "2050", "2055"] {
        let private = private_key(bits);
        for salt in ["0", "32", "max"] {
            let signature = sign(&folder, &private, &[PSS, &["-sigopt", &format!("rsa_pss_saltlen:{salt}")]].concat());
            assert!(public_key(&private).verify(MESSAGE, &signature).is_ok(), "{bits} {salt}");
        }
        for number in [vec![0; 257], vec![0xff; 257], [vec![0; 256], vec![1]].concat(), [vec![1], vec![0; 256]].concat()] {
            assert!(public_key(&private).verify(MESSAGE, &number).is_err(), "{bits}");
        }
    }
}

#[test]
fn a_key_of_1024_bits_is_weak() {
    for bits in ["1024", "2040"] {
        let public = openssl(&["pkey", "-pubout"], &private_key(bits));
        assert!(matches!(PublicKey::rsa_from_pem(&public), Err(KeyError::Weak { .. })), "{bits}");
    }
}

#[test]
fn modulus_and_exponent_are_bounded_both_ways() {
    let usual = [1, 0, 1];
    for (bits, taken) in [(2048, true), (4097, true), (8192, true)] {
        assert_eq!(read(&number(bits), &usual).is_ok(), taken, "{bits}");
    }
    for bits in [8, 512, 1024, 2040, 2047] {
        assert!(matches!(read(&number(bits), &usual), Err(KeyError::Weak { .. })), "{bits}");
    }
    for bits in [8193, 16384, 400_000] {
        assert!(matches!(read(&number(bits), &usual), Err(KeyError::Unsupported { .. })), "{bits}");
    }
    let n = number(2048);
    for exponent in [&[3_u8] as &[u8], &[5], &[17], &usual, &[0x7f, 0xff, 0xff, 0xff], &[1, 0xff, 0xff, 0xff, 0xff]] {
        assert!(read(&n, exponent).is_ok(), "{exponent:?}");
    }
    // With the exponent 1 every encoded message is its own signature.
    assert!(matches!(read(&n, &[1]), Err(KeyError::Weak { .. })));
    for exponent in [&[0_u8] as &[u8], &[2], &[1, 0], &[1, 0, 0, 0, 0]] {
        assert!(matches!(read(&n, exponent), Err(KeyError::Malformed { .. })), "{exponent:?}");
    }
    for exponent in [&[2_u8, 0, 0, 0, 1] as &[u8], &[0xff; 9], &n, &number(4096)] {
        assert!(matches!(read(&n, exponent), Err(KeyError::Unsupported { .. })), "{exponent:?}");
    }
    let mut even = n.clone();
    *even.last_mut().unwrap() &= 0xfe;
    assert!(matches!(read(&even, &usual), Err(KeyError::Malformed { .. })));
}

#[test]
fn a_key_has_one_encoding() {
    let (n, e) = (number(2048), [1, 0, 1]);
    let good = rsa_public_key(&n, &e);
    let key = PublicKey::from_raw(KeyAlgorithm::RsaPssSha256, &good).unwrap();
    let integer = |bytes: &[u8]| element(2, bytes);
    let zero_and = |bytes: &[u8]| [&[0], bytes].concat();
    for bad in [
        element(0x30, &[integer(&zero_and(&zero_and(&n))), integer(&e)].concat()),
        element(0x30, &[integer(&zero_and(&n)), integer(&zero_and(&e))].concat()),
        // Without the zero that makes it positive.
        element(0x30, &[integer(&n), integer(&e)].concat()),
        element(0x30, &[integer(&zero_and(&n)), integer(&e), integer(&[1])].concat()),
        element(0x30, &integer(&zero_and(&n))),
        element(0x31, &good[4..]),
        zero_and(&good),
        [good.as_slice(), &[0]].concat(),
        good[..good.len() - 1].to_vec(),
        Vec::new(),
    ] {
        assert!(matches!(PublicKey::from_raw(KeyAlgorithm::RsaPssSha256, &bad), Err(KeyError::Malformed { .. })), "{}", hex(&bad));
    }

    const OID: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
    let info = |algorithm: &[u8], key: &[u8]| element(0x30, &[element(0x30, algorithm), element(3, &zero_and(key))].concat());
    assert_eq!(PublicKey::rsa_from_spki_der(&info(&[OID, &[5, 0]].concat(), &good)).as_ref(), Ok(&key));
    // Without parameters, with others, and with bytes after the key.
    assert!(matches!(PublicKey::rsa_from_spki_der(&info(OID, &good)), Err(KeyError::Malformed { .. })));
    assert!(matches!(PublicKey::rsa_from_spki_der(&info(&[OID, &[5, 1, 0]].concat(), &good)), Err(KeyError::Malformed { .. })));
    assert!(matches!(PublicKey::rsa_from_spki_der(&info(&[OID, &[0x30, 0]].concat(), &good)), Err(KeyError::Malformed { .. })));
    assert!(PublicKey::rsa_from_spki_der(&info(&[OID, &[5, 0]].concat(), &[good.as_slice(), &[0]].concat())).is_err());
    // A key that its owner bound to one salt or another hash.
    let bound = info(&[b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", &[0x30_u8, 0] as &[u8]].concat(), &good);
    assert_eq!(PublicKey::rsa_from_spki_der(&bound), Err(KeyError::Unsupported { what: "an RSA-PSS key".into() }));
}

/// Whoever does not ask for them, as those who verify artifacts do not, reads none, whatever features the program was built with.
#[test]
fn an_rsa_key_is_no_key_to_who_does_not_ask_for_one() {
    let private = private_key("2048");
    let refused = Err(KeyError::Unsupported { what: "an RSA key".into() });
    let (pem, der) = (openssl(&["pkey", "-pubout"], &private), openssl(&["pkey", "-pubout", "-outform", "DER"], &private));
    for read in [PublicKey::read(&pem), PublicKey::read(&der), PublicKey::from_pem(&pem), PublicKey::from_spki_der(&der)] {
        assert_eq!(read, refused);
    }
    // Nor is another key one that is asked for so.
    let ed25519 = openssl(&["pkey", "-pubout"], &openssl(&["genpkey", "-algorithm", "ED25519"], b""));
    let other = PublicKey::rsa_from_pem(&ed25519);
    assert_eq!(other, Err(KeyError::Unsupported { what: "a key of another kind than RSA".into() }));
    assert!(matches!(PublicKey::rsa_from_pem(&private), Err(KeyError::Private { .. })));
}

#[test]
fn private_keys_are_not_read() {
    let pem = private_key("2048");
    assert!(matches!(PublicKey::read(&pem), Err(KeyError::Private { .. })));
    let traditional = openssl(&["rsa", "-traditional"], &pem);
    assert!(matches!(PublicKey::read(&traditional), Err(KeyError::Private { .. })));
    #[cfg(feature = "sign")]
    {
        use touchmark_envelope::sign::PrivateKey;
        let der = openssl(&["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], &pem);
        for bytes in [&pem, &traditional, &der] {
            assert_eq!(PrivateKey::read(bytes, None).err(), Some(KeyError::Unsupported { what: "an RSA key".into() }));
        }
        assert!(matches!(PrivateKey::from_raw(KeyAlgorithm::RsaPssSha256, &[7; 32]), Err(KeyError::Unsupported { .. })));
        let generated = PrivateKey::generate(KeyAlgorithm::RsaPssSha256, &mut |_| Ok(()));
        assert!(matches!(generated, Err(KeyError::Unsupported { .. })));
        assert!(!KeyAlgorithm::SIGNING.contains(&KeyAlgorithm::RsaPssSha256));
    }
}

#[test]
fn identifiers_are_those_that_peers_compute() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/wycheproof/rsa_pss_2048_sha256_mgf1_32_test.json");
    let vectors: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let key = PublicKey::rsa_from_pem(vectors["testGroups"][0]["publicKeyPem"].as_str().unwrap().as_bytes()).unwrap();
    // SHA-256 of the SubjectPublicKeyInfo; securesystemslib 1.6 and go-tuf 2.4; go-securesystemslib 0.11.
    assert_eq!(key.key_id().as_str(), "c963778ab59460a32e2e78aed3deddd8ab2358812381ad455c675f907444a6d6");
    assert!(key.is_hinted_by("abae25d8487aa9446b7fa13c9c503d352959573b2dc9d3793ef3002fb33ba64d"));
    assert!(key.is_hinted_by("7a43357509112ab3c1346086110f02d2145ab519c1cc509a9a13dda624e9dc17"));
    assert_eq!(KeyAlgorithm::from_name("rsassa-pss-sha256"), Some(KeyAlgorithm::RsaPssSha256));
}

#[test]
fn one_key_in_several_files_signs_once() {
    let folder = Folder::new("rsa-counting");
    let private = private_key("2048");
    let key = public_key(&private);
    let keys = KeySet::new([key.clone(), PublicKey::rsa_from_spki_der(&key.to_spki_der()).unwrap()]);
    assert_eq!(keys.len(), 1);
    let signatures = ["0", "32"].map(|salt| {
        let bytes = sign(&folder, &private, &[PSS, &["-sigopt", &format!("rsa_pss_saltlen:{salt}")]].concat());
        Signature { keyid: Some(salt.into()), bytes }
    });
    assert_eq!(keys.signers(MESSAGE, &signatures).keys(), [key]);
}
