//! The signature vectors of project Wycheproof (testdata/wycheproof).
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::Path;

use touchmark_envelope::json::{self, Value};
use touchmark_envelope::key::{KeyAlgorithm, KeyError, PublicKey};

fn hex(text: &Value<'_>) -> Vec<u8> {
    let text = text.as_str().expect("hexadecimal text");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal")).collect()
}

/// Whether a vector's signature is one that is accepted. What is "acceptable" in these files is not DER, and refused. That a signature has
/// a salt of another length than its file is about makes it invalid there, and not here (crates/envelope/src/key/rsa.rs).
fn accepted(vector: &Value<'_>) -> bool {
    let text = |name| vector.get(name).and_then(Value::as_str);
    match text("result") {
        Some("valid") => true,
        Some("invalid" | "acceptable") => text("comment").is_some_and(|comment| comment.starts_with("s_len changed to ")),
        _ => unreachable!("results are valid, invalid or acceptable"),
    }
}

/// A key in DER and in PEM. RSA keys are read by who asks for them.
fn read(algorithm: KeyAlgorithm, der: &[u8], pem: &[u8]) -> [Result<PublicKey, KeyError>; 2] {
    match algorithm {
        #[cfg(feature = "rsa")]
        KeyAlgorithm::RsaPssSha256 => [PublicKey::rsa_from_spki_der(der), PublicKey::rsa_from_pem(pem)],
        _ => [PublicKey::from_spki_der(der), PublicKey::from_pem(pem)],
    }
}

/// Checks every vector of a file, with the key as it is in PEM and in DER; returns how many were valid and invalid.
fn check(name: &str, algorithm: KeyAlgorithm) -> (usize, usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/wycheproof").join(name);
    let bytes = std::fs::read(&path).expect("the vectors");
    let document = json::parse(&bytes, bytes.len()).expect("strict JSON");
    let member = |value: &Value<'_>, name: &str| value.get(name).cloned().map(Value::into_owned).expect("a member");
    let (mut valid, mut invalid) = (0, 0);
    for group in member(&document, "testGroups").as_array().expect("groups") {
        let pem = member(group, "publicKeyPem");
        let [key, of_pem] = read(algorithm, &hex(&member(group, "publicKeyDer")), pem.as_str().expect("PEM").as_bytes());
        let key = key.expect("a sound key");
        assert_eq!(of_pem.as_ref(), Ok(&key));
        assert_eq!(key.algorithm(), algorithm);
        for vector in member(group, "tests").as_array().expect("tests") {
            let found = key.verify(&hex(&member(vector, "msg")), &hex(&member(vector, "sig"))).is_ok();
            let wanted = accepted(vector);
            assert_eq!(found, wanted, "{name}, test {:?}: {:?}", vector.get("tcId"), vector.get("comment"));
            if wanted {
                valid += 1;
            } else {
                invalid += 1;
            }
        }
    }
    assert_eq!(document.get("numberOfTests").and_then(Value::as_u64), u64::try_from(valid + invalid).ok());
    (valid, invalid)
}

#[test]
fn ed25519() {
    assert_eq!(check("ed25519_test.json", KeyAlgorithm::Ed25519), (88, 63));
}

#[test]
fn ecdsa_p256_sha256() {
    assert_eq!(check("ecdsa_secp256r1_sha256_test.json", KeyAlgorithm::EcdsaP256), (174, 310));
}

#[test]
fn ecdsa_p384_sha384() {
    assert_eq!(check("ecdsa_secp384r1_sha384_test.json", KeyAlgorithm::EcdsaP384), (194, 310));
}

#[cfg(feature = "rsa")]
#[test]
fn rsa_pss_sha256_of_every_size_and_salt() {
    for (file, counts) in [
        ("rsa_pss_2048_sha256_mgf1_0_test.json", (65, 38)),
        ("rsa_pss_2048_sha256_mgf1_32_test.json", (69, 39)),
        ("rsa_pss_3072_sha256_mgf1_32_test.json", (69, 39)),
        ("rsa_pss_4096_sha256_mgf1_32_test.json", (69, 39)),
    ] {
        assert_eq!(check(file, KeyAlgorithm::RsaPssSha256), counts, "{file}");
    }
}
