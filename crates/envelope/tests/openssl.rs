//! Key files and signatures are interchangeable with openssl, in both directions, for each kind of key.
#![cfg(feature = "sign")]
#![allow(clippy::expect_used, clippy::panic, clippy::as_conversions, reason = "a test fails by panicking")]

mod command;

use std::path::Path;

use command::{Folder, openssl, text};
use touchmark_envelope::key::{KeyAlgorithm, KeyError, PublicKey};
use touchmark_envelope::sign::{PrivateKey, RandomFailed, Signer as _};

const MESSAGE: &[u8] = b"what openssl and touchmark both sign";

/// How openssl names the kinds of keys.
fn genpkey(algorithm: KeyAlgorithm) -> &'static [&'static str] {
    match algorithm {
        KeyAlgorithm::Ed25519 => &["-algorithm", "ED25519"],
        KeyAlgorithm::EcdsaP256 => &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        KeyAlgorithm::EcdsaP384 => &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
        other => panic!("how does openssl make a key of {other}?"),
    }
}

/// What openssl signs, in a file since Ed25519 is not streamed by it.
fn openssl_sign(folder: &Folder, algorithm: KeyAlgorithm, key: &Path) -> Vec<u8> {
    let message = folder.file("message", MESSAGE);
    match algorithm {
        KeyAlgorithm::Ed25519 => openssl(&["pkeyutl", "-sign", "-rawin", "-inkey", text(key), "-in", text(&message)], b""),
        KeyAlgorithm::EcdsaP256 => openssl(&["dgst", "-sha256", "-sign", text(key)], MESSAGE),
        _ => openssl(&["dgst", "-sha384", "-sign", text(key)], MESSAGE),
    }
}

fn openssl_verify(folder: &Folder, algorithm: KeyAlgorithm, public: &Path, signature: &[u8]) {
    let (message, signature) = (folder.file("message", MESSAGE), folder.file("signature", signature));
    match algorithm {
        KeyAlgorithm::Ed25519 => {
            let arguments =
                ["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", text(public), "-in", text(&message), "-sigfile", text(&signature)];
            openssl(&arguments, b"")
        }
        KeyAlgorithm::EcdsaP256 => openssl(&["dgst", "-sha256", "-verify", text(public), "-signature", text(&signature)], MESSAGE),
        _ => openssl(&["dgst", "-sha384", "-verify", text(public), "-signature", text(&signature)], MESSAGE),
    };
}

/// Different bytes at each call, the same in each run.
fn counter() -> impl FnMut(&mut [u8]) -> Result<(), RandomFailed> {
    let mut next = 0_u8;
    move |bytes| {
        for byte in bytes {
            next = next.wrapping_mul(5).wrapping_add(17);
            *byte = next;
        }
        Ok(())
    }
}

#[test]
fn keys_of_openssl_are_read_and_its_signatures_are_valid() {
    let folder = Folder::new("read");
    for algorithm in KeyAlgorithm::SIGNING {
        let pem = openssl(&[&["genpkey"], genpkey(algorithm)].concat(), b"");
        let key = PrivateKey::from_pem(&pem, None).expect("a private key of openssl");
        assert_eq!(key.public_key().algorithm(), algorithm);
        // Byte for byte what openssl writes.
        assert_eq!(key.to_pem().as_bytes(), pem);

        let public_pem = openssl(&["pkey", "-pubout"], &pem);
        let public = PublicKey::from_pem(&public_pem).expect("a public key of openssl");
        assert_eq!(public, *key.public_key());
        assert_eq!(public.to_pem().as_bytes(), public_pem);
        let public_der = openssl(&["pkey", "-pubout", "-outform", "DER"], &pem);
        assert_eq!(PublicKey::read(&public_der).as_ref(), Ok(&public));
        assert_eq!(public.to_spki_der(), public_der);

        let der = openssl(&["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], &pem);
        assert_eq!(PrivateKey::read(&der, None).expect("PKCS#8 in DER").public_key(), &public);
        assert_eq!(key.to_pkcs8_der().as_slice(), der);

        let signature = openssl_sign(&folder, algorithm, &folder.file("key.pem", &pem));
        assert!(public.verify(MESSAGE, &signature).is_ok(), "{algorithm}");
        assert!(public.verify(b"another message", &signature).is_err(), "{algorithm}");
    }
}

#[test]
fn our_keys_and_signatures_are_read_by_openssl() {
    let folder = Folder::new("write");
    for algorithm in KeyAlgorithm::SIGNING {
        let key = PrivateKey::generate(algorithm, &mut counter()).expect("a key");
        let public = folder.file("key.pub", key.public_key().to_pem().as_bytes());
        openssl_verify(&folder, algorithm, &public, &key.sign(MESSAGE).expect("a signature"));
        // openssl signs with our key, plain and encrypted.
        let plain = folder.file("key.pem", key.to_pem().as_bytes());
        assert!(key.public_key().verify(MESSAGE, &openssl_sign(&folder, algorithm, &plain)).is_ok());
        let encrypted = key.to_encrypted_pem(b"a passphrase", &mut counter()).expect("an encrypted key");
        let plain = openssl(&["pkcs8", "-passin", "pass:a passphrase"], encrypted.as_bytes());
        assert_eq!(plain, key.to_pem().as_bytes(), "{algorithm}");
    }
}

#[test]
fn encrypted_keys_of_openssl_are_read() {
    for algorithm in KeyAlgorithm::SIGNING {
        let pem = openssl(&[&["genpkey"], genpkey(algorithm)].concat(), b"");
        let key = PrivateKey::from_pem(&pem, None).expect("a private key of openssl");
        let forms: [&[&str]; 7] = [
            &[],
            &["-scrypt"],
            &["-v2", "aes-128-cbc"],
            &["-v2", "aes-192-cbc"],
            &["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512"],
            &["-iter", "100000"],
            &["-scrypt", "-scrypt_N", "1024", "-scrypt_r", "4", "-scrypt_p", "3"],
        ];
        for form in forms {
            let arguments = [&["pkcs8", "-topk8", "-passout", "pass:geheim"], form].concat();
            let encrypted = openssl(&arguments, &pem);
            let read = |passphrase| PrivateKey::from_pem(&encrypted, passphrase);
            assert_eq!(read(Some(b"geheim".as_slice())).expect("an encrypted key of openssl").public_key(), key.public_key(), "{form:?}");
            assert_eq!(read(Some(b"Geheim".as_slice())).err(), Some(KeyError::WrongPassphrase), "{form:?}");
            assert_eq!(read(None).err(), Some(KeyError::PassphraseNeeded), "{form:?}");
            let der = openssl(&[arguments.as_slice(), &["-outform", "DER"]].concat(), &pem);
            assert_eq!(PrivateKey::read(&der, Some(b"geheim")).expect("encrypted DER").public_key(), key.public_key(), "{form:?}");
        }
    }
}

#[test]
fn other_files_of_openssl_are_named() {
    let named = |what: &str| KeyError::Unsupported { what: what.into() };
    let unsupported = |what: &str| Err(named(what));
    let rsa = openssl(&["genpkey", "-algorithm", "RSA"], b"");
    let public = |arguments: &[&str], input: &[u8]| PublicKey::read(&openssl(arguments, input));
    assert_eq!(public(&["pkey", "-pubout"], &rsa), unsupported("an RSA key"));
    assert_eq!(public(&["pkey", "-pubout", "-outform", "DER"], &rsa), unsupported("an RSA key"));
    for form in ["PEM", "DER"] {
        let read = public(&["rsa", "-RSAPublicKey_out", "-outform", form], &rsa);
        assert!(matches!(&read, Err(KeyError::Unsupported { what }) if what.starts_with("an RSA key as PKCS#1")), "{read:?}");
    }
    assert!(matches!(PublicKey::read(&rsa), Err(KeyError::Private { .. })));
    assert_eq!(PrivateKey::read(&rsa, None).err(), Some(named("an RSA key")));
    for (curve, name) in [("P-521", "P-521"), ("secp256k1", "secp256k1"), ("P-224", "P-224")] {
        let key = openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", &format!("ec_paramgen_curve:{curve}")], b"");
        let what = format!("an elliptic curve key on {name}");
        assert_eq!(public(&["pkey", "-pubout"], &key), unsupported(&what));
        assert_eq!(PrivateKey::read(&key, None).err(), Some(named(&what)));
    }
    for (name, what) in [("X25519", "an X25519 key"), ("ED448", "an Ed448 key")] {
        let key = openssl(&["genpkey", "-algorithm", name], b"");
        assert_eq!(public(&["pkey", "-pubout"], &key), unsupported(what));
    }
    let explicit = openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-param_enc", "explicit", "-noout"], b"");
    assert_eq!(public(&["pkey", "-pubout"], &explicit), unsupported("an elliptic curve key with explicit parameters"));
}

#[test]
fn private_keys_and_certificates_are_no_public_keys() {
    let folder = Folder::new("private");
    for algorithm in KeyAlgorithm::SIGNING {
        let pem = openssl(&[&["genpkey"], genpkey(algorithm)].concat(), b"");
        let key = folder.file("key.pem", &pem);
        let refused = |bytes: &[u8]| assert!(matches!(PublicKey::read(bytes), Err(KeyError::Private { .. })), "{algorithm}");
        refused(&pem);
        refused(&openssl(&["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], &pem));
        refused(&openssl(&["pkcs8", "-topk8", "-passout", "pass:geheim"], &pem));
        refused(&openssl(&["pkcs8", "-topk8", "-passout", "pass:geheim", "-outform", "DER"], &pem));
        // Hidden behind a public key, or under its label.
        let public = openssl(&["pkey", "-pubout"], &pem);
        refused(&[public.as_slice(), &pem].concat());
        refused(String::from_utf8_lossy(&pem).replace("PRIVATE", "PUBLIC").as_bytes());
        assert_eq!(PrivateKey::read(&public, None).err(), Some(KeyError::Public));
        assert!(matches!(PublicKey::read(&[public.as_slice(), &public].concat()), Err(KeyError::Confused { .. })));
        for form in ["PEM", "DER"] {
            let request = ["req", "-x509", "-new", "-subj", "/CN=x", "-outform", form, "-key", text(&key)];
            let certificate = openssl(&request, b"");
            assert!(
                matches!(PublicKey::read(&certificate), Err(KeyError::Unsupported { what }) if what.starts_with("a certificate")),
                "{algorithm} {form}"
            );
            assert!(matches!(PrivateKey::read(&certificate, None), Err(KeyError::Unsupported { .. })));
        }
    }
}

#[test]
fn older_forms_of_elliptic_curve_keys_are_read() {
    for (curve, algorithm) in [("prime256v1", KeyAlgorithm::EcdsaP256), ("secp384r1", KeyAlgorithm::EcdsaP384)] {
        // With the block of parameters before it, and without.
        for arguments in [&["ecparam", "-genkey", "-name", curve] as &[&str], &["ecparam", "-genkey", "-noout", "-name", curve]] {
            let pem = openssl(arguments, b"");
            assert!(String::from_utf8_lossy(&pem).contains("BEGIN EC PRIVATE KEY"));
            let key = PrivateKey::read(&pem, None).expect("an EC PRIVATE KEY");
            assert_eq!(key.public_key().algorithm(), algorithm);
            assert_eq!(key.to_pem().as_bytes(), openssl(&["pkcs8", "-topk8", "-nocrypt"], &pem));
            let der = openssl(&["ec", "-outform", "DER"], &pem);
            assert_eq!(PrivateKey::read(&der, None).expect("an ECPrivateKey").public_key(), key.public_key());
            assert!(matches!(PublicKey::read(&der), Err(KeyError::Private { .. })));
            // One key in two encodings is one key.
            let compressed = openssl(&["ec", "-pubout", "-conv_form", "compressed"], &pem);
            assert_ne!(compressed, key.public_key().to_pem().as_bytes());
            let public = PublicKey::read(&compressed).expect("a compressed point");
            assert_eq!(&public, key.public_key());
            assert_eq!(public.key_ids(), key.public_key().key_ids());
            let old = openssl(&["ec", "-aes128", "-passout", "pass:geheim"], &pem);
            assert!(matches!(PrivateKey::read(&old, Some(b"geheim")), Err(KeyError::Pem(_))), "OpenSSL's own encryption");
        }
    }
}
