//! Searches for evidence in a store.

use touchmark_envelope::json::Value;
use touchmark_test_tuf_repository::{Key, NOW};

use super::statements::{MANIFEST, digest};
use super::{Case, Vectors, coded, list};

pub(super) fn add(vectors: &mut Vectors) {
    let key = vectors.key("alice", &Key::ed25519("alice"));
    let manifest = vectors.file("manifests/image.json", MANIFEST);
    let store = Value::object([("manifests", Value::object([(digest(MANIFEST), manifest)]))]);
    let case =
        Case::new("search", "search-unsigned", "there are no referrers", "12").with("store", store).with("artifact", digest(MANIFEST));
    vectors.add(case.with("keys", list([key])).with("threshold", 1_u64).with("at", NOW).expect(coded("UNSIGNED", "unsigned")));
}
