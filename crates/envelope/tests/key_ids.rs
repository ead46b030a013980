//! Key identifiers as peers compute them, and the identity of keys, which is another thing.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use touchmark_envelope::key::{KeyAlgorithm, PublicKey};

/// The public keys of RFC 8032, section 7.1, test 1, and of RFC 6979, appendices A.2.5 and A.2.6.
const KEYS: [(KeyAlgorithm, &str); 3] = [
    (
        KeyAlgorithm::Ed25519,
        "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
",
    ),
    (
        KeyAlgorithm::EcdsaP256,
        "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7
Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==
-----END PUBLIC KEY-----
",
    ),
    (
        KeyAlgorithm::EcdsaP384,
        "-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE7DpOQVtOGaRWhhgCn0J/pdqai8SukuAu
BqrlKGswDGTe+PDqkFWGYGSiVFFUgLwTgBXZty19VyROqO+awMYhiWcIpZNn+d+5
9UyoSz8cnbEoiyMcOuDU/nNE/SUzJkcg
-----END PUBLIC KEY-----
",
    ),
];

fn key(index: usize) -> PublicKey {
    let (algorithm, pem) = KEYS[index];
    let key = PublicKey::from_pem(pem.as_bytes()).unwrap();
    assert_eq!(key.algorithm(), algorithm);
    key
}

/// Asserts that every identifier is one of the key's, and none is another key's.
fn assert_ids(index: usize, ids: &[&str]) {
    for id in ids {
        for other in 0..KEYS.len() {
            assert_eq!(key(other).is_hinted_by(id), other == index, "{id}");
        }
    }
}

#[test]
fn ours_is_the_hash_of_the_subject_public_key_info() {
    // `openssl pkey -pubin -outform DER | sha256sum`.
    let ids = [
        "06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9",
        "5a7a78cca4a0f420d9bc62bb669c3c2759e39f723d3ae10dcbe0f0815a07ecd4",
        "2f95601fa82060b909bfc6b979dbd303d34d34e0afb27ea496beac362f242a4b",
    ];
    for (index, id) in ids.into_iter().enumerate() {
        assert_eq!(key(index).key_id().as_str(), id);
        assert_eq!(key(index).key_ids()[0], key(index).key_id());
        assert_ids(index, &[id]);
    }
}

#[test]
fn those_of_peers_are_hints() {
    // The base64 that cosign 3 writes as the hint; the keyids of securesystemslib 1.6.0 (SSlibKey.from_crypto), which are those
    // of TUF 1.0; and of go-securesystemslib 0.11.1 (LoadKey); for P-256 also that of in-toto-rs 0.4.0 (PublicKey::from_spki).
    assert_ids(
        0,
        &[
            "BuP9j9opu2CrWVV95h7bCuzbIxE0vjDnW0Vfjht5L6k=",
            "74c181c7ad8a0855d4b55e44d2ba87aabdddb196832571f15f92fece332e4916",
            "01e8764eedab63b3593451765fc337b2cc6d2c66923845da255f448c19e2afc5",
        ],
    );
    assert_ids(
        1,
        &[
            "Wnp4zKSg9CDZvGK7Zpw8J1njn3I9OuENy+DwgVoH7NQ=",
            "716d622ec609eff48475645919645bb30ef604f59a69c764608fb64272dd5fe5",
            "c65c4c54b002cf9067fea5023c49a36996ce0ef72f01df2f67ed5ecce39b1ba0",
            "f8cd40b71b4b1880a839bcf4d76b166bf944832469ebda8399392f8af3f68245",
        ],
    );
    assert_ids(
        2,
        &[
            "L5VgH6ggYLkJv8a5edvTA9NNNOCvsn6klr6sNi8kKks=",
            "0ab51ad0366a443f9ae4676ab9a221830128b415de871610ec8e7a7a547b7263",
            "5f8e608c1389ab1b3502c39ade273123070d83429b997c6eaa7d75fda53f4d4d",
        ],
    );
    assert!(!key(0).is_hinted_by(""));
    assert!(!key(0).is_hinted_by("06e3fd8f"), "no prefixes");
}

#[test]
fn identity_is_the_decoded_key() {
    let (p256, p384) = (key(1), key(2));
    for key in [&p256, &p384] {
        let raw = key.as_raw();
        let half = (raw.len() - 1) / 2;
        let compressed = [&[2 + (raw[raw.len() - 1] & 1)], &raw[1..=half]].concat();
        let again = PublicKey::from_raw(key.algorithm(), &compressed).unwrap();
        assert_eq!(&again, key);
        assert_eq!(again.key_ids(), key.key_ids());
        let other = [&[3 - (raw[raw.len() - 1] & 1)], &raw[1..=half]].concat();
        assert_ne!(&PublicKey::from_raw(key.algorithm(), &other).unwrap(), key);
    }
    let keys = std::collections::BTreeSet::from([key(0), key(1), key(2), key(1)]);
    assert_eq!(keys.len(), 3);
    let keys = std::collections::HashSet::from([key(0), key(1), key(2), key(1)]);
    assert_eq!(keys.len(), 3);
}
