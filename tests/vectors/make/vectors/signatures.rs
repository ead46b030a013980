//! Signatures: our own edge cases, and those of project Wycheproof (`testdata/wycheproof`).

use std::collections::BTreeMap;

use touchmark_envelope::json::{Value, parse};
use touchmark_test_tuf_repository::Key;

use super::keys::element;
use super::{Case, Vectors, ok, refused, testdata_file, unhex};

pub(super) fn add(vectors: &mut Vectors) {
    for (algorithm, name, key) in [
        ("ed25519", "alice", Key::ed25519("alice")),
        ("ecdsa-p256", "carol", Key::p256("carol")),
        ("ecdsa-p384", "dave", Key::p384("dave")),
    ] {
        ours(vectors, algorithm, name, &key);
    }
    ed25519(vectors);
    p256_high_s(vectors);
    for (name, file, most) in [
        ("ed25519", "ed25519_test.json", 8),
        ("ecdsa-p256", "ecdsa_secp256r1_sha256_test.json", 6),
        ("ecdsa-p384", "ecdsa_secp384r1_sha384_test.json", 4),
        ("rsa-pss-2048", "rsa_pss_2048_sha256_mgf1_32_test.json", 4),
        ("rsa-pss-2048-salt-0", "rsa_pss_2048_sha256_mgf1_0_test.json", 3),
        ("rsa-pss-3072", "rsa_pss_3072_sha256_mgf1_32_test.json", 2),
        ("rsa-pss-4096", "rsa_pss_4096_sha256_mgf1_32_test.json", 2),
    ] {
        wycheproof(vectors, name, file, most);
    }
}

/// A signature that is valid, and small changes of it.
fn ours(vectors: &mut Vectors, algorithm: &str, name: &str, key: &Key) {
    let input = vectors.key(name, key);
    let signature = unhex(&key.sign(b"message"));
    let changed = |place: usize| {
        let mut changed = signature.clone();
        changed[place] ^= 1;
        changed
    };
    let bad = refused("BAD_SIGNATURE");
    for (id, message, signature, expect) in [
        ("good", "message", signature.clone(), ok()),
        ("other-message", "massage", signature.clone(), bad.clone()),
        ("empty-message", "", signature.clone(), bad.clone()),
        ("empty", "message", Vec::new(), bad.clone()),
        ("first-byte-changed", "message", changed(0), bad.clone()),
        ("last-byte-changed", "message", changed(signature.len() - 1), bad.clone()),
        ("byte-missing", "message", signature[..signature.len() - 1].to_vec(), bad.clone()),
        ("byte-more", "message", [signature.as_slice(), &[0]].concat(), bad.clone()),
        ("zeros", "message", vec![0; 64], bad.clone()),
    ] {
        let case = Case::new("signature", &format!("signature-{algorithm}-{id}"), "a signature over `message`, and changes of it", "7");
        let (message, signature) = (vectors.input("", message), vectors.input("", signature));
        vectors.add(case.with("key", input.clone()).with("message", message).with("signature", signature).expect(expect));
    }
}

/// What a check of Ed25519 that is not strict accepts.
fn ed25519(vectors: &mut Vectors) {
    let key = vectors.key("alice", &Key::ed25519("alice"));
    let signature = unhex(&Key::ed25519("alice").sign(b"message"));
    // S plus the order of the group, which is 2^252 + 27742317777372353535851937790883648493.
    let order = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut carry = 0_u16;
    let sum: Vec<u8> = signature[32..]
        .iter()
        .zip(&order)
        .map(|(one, other)| {
            carry += u16::from(*one) + u16::from(*other);
            let [high, low] = carry.to_be_bytes();
            carry = u16::from(high);
            low
        })
        .collect();
    let malleable = [&signature[..32], &sum].concat();
    let small_key = "302a300506032b65700321008a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c";
    let small =
        "010000000000000000000000000000000000000000000000000000000000000095c0fdcc54fccad1f2b8bc9b96aa6837c82f86349e6576ad29ca3ece7b7ea905";
    let small_key = vectors.input("", unhex(small_key));
    for (id, key, signature, why) in [
        ("s-not-reduced", key, malleable, "S plus the group's order"),
        ("small-order-r", small_key, unhex(small), "R of small order, by the key's owner: it satisfies the equation"),
    ] {
        let case = Case::new("signature", &format!("signature-ed25519-{id}"), why, "7").with("key", key);
        let (message, signature) = (vectors.input("", "message"), vectors.input("", signature));
        vectors.add(case.with("message", message).with("signature", signature).expect(refused("BAD_SIGNATURE")));
    }
}

/// Both of r, s and r, n - s are valid.
fn p256_high_s(vectors: &mut Vectors) {
    let key = vectors.key("carol", &Key::p256("carol"));
    for (id, signature) in
        [("as-made", unhex(&Key::p256("carol").sign(b"message"))), ("other-s", other_s(&unhex(&Key::p256("carol").sign(b"message"))))]
    {
        let why = "ECDSA is malleable: s and n - s are both valid, and nothing is told apart by a signature's bytes";
        let case = Case::new("signature", &format!("signature-ecdsa-p256-s-{id}"), why, "7").with("key", key.clone());
        let (message, signature) = (vectors.input("", "message"), vectors.input("", signature));
        vectors.add(case.with("message", message).with("signature", signature).expect(ok()));
    }
}

/// The P-256 signature with n - s in the place of s.
pub(super) fn other_s(signature: &[u8]) -> Vec<u8> {
    let order = unhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let length = usize::from(signature[3]);
    let (r, s) = (&signature[4..4 + length], &signature[6 + length..]);
    let padded: Vec<u8> =
        std::iter::repeat_n(0, 32_usize.saturating_sub(s.len())).chain(s.iter().copied().skip(s.len().saturating_sub(32))).collect();
    let mut borrow = 0_i16;
    let mut difference: Vec<u8> = order
        .iter()
        .zip(&padded)
        .rev()
        .map(|(n, s)| {
            let found = i16::from(*n) - i16::from(*s) - borrow;
            borrow = i16::from(found < 0);
            u8::try_from(found.rem_euclid(256)).unwrap_or_default()
        })
        .collect();
    difference.reverse();
    let zeros = difference.iter().take_while(|byte| **byte == 0).count();
    let mut s = difference[zeros..].to_vec();
    if s.first().is_some_and(|first| *first >= 0x80) {
        s.insert(0, 0);
    }
    element(0x30, &[element(2, r), element(2, &s)].concat())
}

/// At most so many vectors of each kind of a file.
fn wycheproof(vectors: &mut Vectors, name: &str, file: &str, most: u32) {
    let text = testdata_file(&format!("wycheproof/{file}"));
    let document = parse(&text, text.len()).expect("vectors of Wycheproof");
    let mut taken: BTreeMap<(String, bool), u32> = BTreeMap::new();
    for (number, group) in (1..).zip(document.get("testGroups").and_then(Value::as_array).expect("groups")) {
        let pem = group.get("publicKeyPem").and_then(Value::as_str).expect("a key");
        for test in group.get("tests").and_then(Value::as_array).expect("tests") {
            let text = |name| test.get(name).and_then(Value::as_str).expect("a text");
            // A salt of another length than the file is about is valid here: SPEC.md, "Keys and signatures" of TUF.
            let valid = text("result") == "valid" || text("comment").starts_with("s_len changed to ");
            let flags = test.get("flags").and_then(Value::as_array).expect("flags");
            let kind = flags.first().and_then(Value::as_str).unwrap_or_default().to_owned();
            let count = taken.entry((kind, valid)).or_default();
            *count += 1;
            if *count > most {
                continue;
            }
            let id = test.get("tcId").and_then(Value::as_u64).expect("a number");
            let key = vectors.file(&format!("keys/wycheproof-{name}-{number}.pub"), pem);
            let (message, signature) = (unhex(text("msg")), unhex(text("sig")));
            let message = vectors.input(&format!("signatures/wycheproof-{name}-{id}.message"), message);
            let signature = vectors.input(&format!("signatures/wycheproof-{name}-{id}"), signature);
            let why = format!("Wycheproof: {}", text("comment"));
            let case = Case::new("signature", &format!("signature-wycheproof-{name}-{id}"), why.trim_end(), "7").with("key", key);
            let expect = if valid { ok() } else { refused("BAD_SIGNATURE") };
            vectors.add(case.with("message", message).with("signature", signature).expect(expect));
        }
    }
}
