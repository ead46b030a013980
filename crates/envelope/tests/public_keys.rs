//! Public keys that are damaged, confused or too large, and what a strict check of Ed25519 refuses.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use touchmark_envelope::key::{KeyAlgorithm, KeyError, MAX_KEY_BYTES, PemError, PublicKey};

const ED25519: &str = "302a300506032b65700321008a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c";
const P256: &str = "3059301306072a8648ce3d020106082a8648ce3d0301070342000460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn refused(hex: &str) -> KeyError {
    PublicKey::read(&bytes(hex)).unwrap_err()
}

#[test]
fn encodings_that_are_not_der_are_refused() {
    assert!(PublicKey::read(&bytes(ED25519)).is_ok() && PublicKey::read(&bytes(P256)).is_ok());
    // A byte after it, one missing, an indefinite length, a length in the long form, unused bits in the bit string.
    assert!(matches!(refused(&format!("{ED25519}00")), KeyError::Malformed { .. } | KeyError::NotAKey));
    assert!(matches!(refused(&ED25519[..ED25519.len() - 2]), KeyError::Malformed { .. } | KeyError::NotAKey));
    assert!(matches!(refused(&format!("{}0000", ED25519.replacen("302a", "3080", 1))), KeyError::Malformed { .. } | KeyError::NotAKey));
    assert!(matches!(refused(&ED25519.replacen("302a", "30812a", 1)), KeyError::Malformed { .. } | KeyError::NotAKey));
    assert!(matches!(refused(&ED25519.replacen("032100", "032101", 1)), KeyError::Malformed { .. }));
}

#[test]
fn every_damaged_header_byte_is_an_error() {
    for key in [ED25519, P256] {
        let der = bytes(key);
        let header = der.len() - if key == ED25519 { 32 } else { 64 };
        for at in 0..header {
            for change in [0x01, 0x80, 0xff] {
                let mut damaged = der.clone();
                damaged[at] ^= change;
                assert!(PublicKey::read(&damaged).is_err(), "byte {at} of {key}");
            }
        }
        for end in 0..der.len() {
            assert!(PublicKey::read(&der[..end]).is_err(), "cut at {end}");
        }
    }
}

#[test]
fn parameters_and_keys_must_fit_the_algorithm() {
    // RFC 8410: Ed25519 has no parameters, not even NULL.
    let null = ED25519.replacen("302a300506032b6570", "302c300706032b65700500", 1);
    assert_eq!(refused(&null), KeyError::Malformed { what: "an Ed25519 key has no parameters" });
    // An elliptic curve key without a curve, and a point of the other curve's size.
    let without = P256.replacen("3059301306072a8648ce3d020106082a8648ce3d030107", "304f300906072a8648ce3d0201", 1);
    assert_eq!(refused(&without), KeyError::Malformed { what: "an elliptic curve key without a curve" });
    let other = P256.replacen("3059301306072a8648ce3d020106082a8648ce3d030107", "3056301006072a8648ce3d020106052b81040022", 1);
    assert_eq!(refused(&other), KeyError::Malformed { what: "the point has not the curve's length" });
    // A point that is not on the curve.
    assert_eq!(refused(&P256.replacen("4462299", "4462298", 1)), KeyError::Malformed { what: "not a point on the curve" });
    assert!(matches!(PublicKey::from_raw(KeyAlgorithm::EcdsaP256, &[0]), Err(KeyError::Malformed { .. })), "infinity");
}

#[test]
fn size_is_bounded_before_anything_is_read() {
    let pem = PublicKey::read(&bytes(ED25519)).unwrap().to_pem();
    let padded = |length: usize| format!("{}{pem}", "\n".repeat(length - pem.len()));
    assert!(PublicKey::read(padded(MAX_KEY_BYTES).as_bytes()).is_ok());
    assert_eq!(PublicKey::read(padded(MAX_KEY_BYTES + 1).as_bytes()), Err(KeyError::TooLarge));
    assert_eq!(PublicKey::from_spki_der(&vec![0; MAX_KEY_BYTES + 1]), Err(KeyError::TooLarge));
}

#[test]
fn files_of_other_tools_are_named() {
    let what = |text: &str| match PublicKey::read(text.as_bytes()) {
        Err(KeyError::Unsupported { what }) => what,
        other => format!("{other:?}"),
    };
    assert!(what("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI me@host\n").starts_with("an OpenSSH public key"));
    assert!(what("untrusted comment: minisign public key\nRWQ\n").starts_with("a minisign"));
    assert_eq!(what("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n"), "an OpenPGP key");
    let long = format!("-----BEGIN {0}-----\nAAAA\n-----END {0}-----\n", "\u{1b}[31m".repeat(100));
    assert!(what(&long).len() < 400 && !what(&long).contains('\u{1b}'), "a label is shown in part and escaped");
    assert_eq!(PublicKey::read(b""), Err(KeyError::NotAKey));
    assert_eq!(PublicKey::read(b"hello"), Err(KeyError::NotAKey));
    assert_eq!(PublicKey::read(b"-----BEGIN PUBLIC KEY-----\n"), Err(KeyError::Pem(PemError::End)));
    for label in ["PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED SIGSTORE PRIVATE KEY"] {
        let text = format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        assert!(matches!(PublicKey::read(text.as_bytes()), Err(KeyError::Private { .. })), "{label}");
    }
}

/// A signer can make this signature with R of small order: it satisfies the equation, and a check that is not strict takes it.
#[test]
fn ed25519_with_r_of_small_order_is_not_valid() {
    let key =
        PublicKey::from_raw(KeyAlgorithm::Ed25519, &bytes("8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c")).unwrap();
    assert!(key.verify(b"message", &bytes("010000000000000000000000000000000000000000000000000000000000000095c0fdcc54fccad1f2b8bc9b96aa6837c82f86349e6576ad29ca3ece7b7ea905")).is_err());
}
