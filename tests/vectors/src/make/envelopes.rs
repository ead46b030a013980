//! Envelopes.

use touchmark_envelope::dsse::Envelope;
use touchmark_envelope::json::Value;
use touchmark_envelope::sign::Signer;
use touchmark_test_tuf_repository::Key;

use super::{Case, Vectors, list, ok, refused};

/// The type of the payloads here.
const TEXT: &str = "text/plain";

pub(super) fn add(vectors: &mut Vectors) {
    let (alice, bob) = (Key::ed25519("alice"), Key::ed25519("bob"));
    let envelope = sign(TEXT, b"hello", &[&alice]);
    let input = vectors.input("envelopes/alice.json", envelope.to_json());
    let keys = list([vectors.key("alice", &alice), vectors.key("bob", &bob)]);
    let payload = vectors.input("", "hello");
    let case = |id: &str, why: &str| Case::new("envelope", &format!("envelope-{id}"), why, "9");
    vectors.add(
        case("one-of-two", "one of two keys signed")
            .with("envelope", input.clone())
            .with("keys", keys.clone())
            .with("threshold", 1_u64)
            .expect(ok().with("payload", payload).with("payload_type", TEXT.to_owned()).with("keys", ids(&[&alice]))),
    );
    vectors.add(
        case("two-of-two-missed", "two keys are needed, and one signed")
            .with("envelope", input)
            .with("keys", keys)
            .with("threshold", 2_u64)
            .expect(refused("THRESHOLD_NOT_REACHED")),
    );
}

/// An envelope that these keys signed, in their order.
pub(super) fn sign(payload_type: &str, payload: &[u8], keys: &[&Key]) -> Envelope {
    let signers: Vec<&dyn Signer> = keys.iter().map(|key| -> &dyn Signer { key.private() }).collect();
    Envelope::sign(payload_type, payload.to_vec(), &signers).expect("an envelope")
}

/// The identifiers of keys, sorted.
pub(super) fn ids(keys: &[&Key]) -> Value<'static> {
    let mut ids: Vec<String> = keys.iter().map(|key| key.public().key_id().into_string()).collect();
    ids.sort();
    list(ids.into_iter().map(Value::from))
}
