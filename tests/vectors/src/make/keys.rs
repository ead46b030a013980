//! Public keys and their signatures.

use touchmark_test_tuf_repository::Key;

use super::{Case, Vectors, coded, ok, refused};

pub(super) fn add(vectors: &mut Vectors) {
    for (name, key, algorithm) in [
        ("alice", Key::ed25519("alice"), "ed25519"),
        ("carol", Key::p256("carol"), "ecdsa-p256"),
        ("dave", Key::p384("dave"), "ecdsa-p384"),
    ] {
        let input = vectors.key(name, &key);
        let expect = ok().with("algorithm", algorithm.to_owned()).with("key_id", key.public().key_id().into_string());
        vectors.add(
            Case::new("public-key", &format!("key-{algorithm}-pem"), "SubjectPublicKeyInfo in PEM", "7")
                .with("key", input.clone())
                .expect(expect),
        );
        let signature = super::unhex(&key.sign(b"message"));
        for (id, message, expect) in [("good", "message", ok()), ("other-message", "massage", refused("BAD_SIGNATURE"))] {
            let case = Case::new("signature", &format!("signature-{algorithm}-{id}"), "a signature over `message`", "7")
                .with("key", input.clone());
            let message = vectors.input("", message);
            let signature = vectors.input("", signature.clone());
            vectors.add(case.with("message", message).with("signature", signature).expect(expect));
        }
    }
    let input = vectors.input("keys/no-key", "this is no key");
    let case = Case::new("public-key", "key-no-key", "neither PEM nor DER", "7").with("key", input);
    vectors.add(case.expect(coded("MALFORMED_KEY", "key-not-a-key")));
}
