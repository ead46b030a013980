//! Envelopes (DSSE v1): what is read, what is signed, and how signatures are counted.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use touchmark_envelope::dsse::{Envelope, IN_TOTO, pae};
use touchmark_envelope::json::Value;
use touchmark_envelope::sign::Signer;
use touchmark_envelope::threshold::Signature;
use touchmark_test_tuf_repository::Key;

use super::signatures::other_s;
use super::{Case, Expect, Vectors, list, ok, refused, testdata_file, unhex};

/// The type of the payloads here.
const TEXT: &str = "text/plain";
/// A payload whose base64 has characters of which the alphabets differ, and padding.
const PAYLOAD: &[u8] = b"hello \xfb\xff\xfe";

pub(super) fn add(vectors: &mut Vectors) {
    counting(vectors);
    forms(vectors);
    malformed(vectors);
    signed_bytes(vectors);
    hints(vectors);
    others(vectors);
}

/// A case with an envelope and keys.
fn case(vectors: &mut Vectors, id: &str, why: &str, envelope: &[u8], keys: &[&str], threshold: u64, expect: Expect) {
    let keys = keys.iter().map(|name| key_file(vectors, name)).collect::<Vec<_>>();
    let envelope = vectors.input(&format!("envelopes/{id}.json"), envelope);
    let case = Case::new("envelope", &format!("envelope-{id}"), why, "9").with("envelope", envelope);
    vectors.add(case.with("keys", list(keys)).with("threshold", threshold).expect(expect));
}

/// The key of this name: of P-256 if it is carol's or craig's, of P-384 if it is dave's.
pub(super) fn key(name: &str) -> Key {
    match name {
        "carol" | "craig" => Key::p256(name),
        "dave" => Key::p384(name),
        name => Key::ed25519(name),
    }
}

/// Its public key, as an input.
pub(super) fn key_file(vectors: &mut Vectors, name: &str) -> Value<'static> {
    vectors.key(name, &key(name))
}

/// It is accepted by these keys.
fn good(vectors: &mut Vectors, payload_type: &str, payload: &[u8], names: &[&str]) -> Expect {
    let payload = vectors.input("", payload);
    ok().with("payload", payload).with("payload_type", payload_type.to_owned()).with("keys", ids(names))
}

fn counting(vectors: &mut Vectors) {
    let of = |names: &[&str]| sign(TEXT, b"hello", names);
    let missed = || refused("THRESHOLD_NOT_REACHED");
    let one = good(vectors, TEXT, b"hello", &["alice"]);
    let both = good(vectors, TEXT, b"hello", &["alice", "bob"]);
    case(vectors, "one-of-two", "one of two keys signed", &of(&["alice"]).to_json(), &["alice", "bob"], 1, one.clone());
    case(vectors, "two-of-two", "both keys signed", &of(&["alice", "bob"]).to_json(), &["alice", "bob"], 2, both.clone());
    case(vectors, "two-of-two-order", "in another order", &of(&["bob", "alice"]).to_json(), &["alice", "bob"], 2, both.clone());
    case(vectors, "one-needed-two-signed", "both are named", &of(&["alice", "bob"]).to_json(), &["alice", "bob"], 1, both.clone());
    case(vectors, "two-of-two-missed", "two keys are needed, and one signed", &of(&["alice"]).to_json(), &["alice", "bob"], 2, missed());
    case(vectors, "nobody", "a stranger signed", &of(&["mallory"]).to_json(), &["alice", "bob"], 1, missed());
    case(vectors, "stranger-beside", "a stranger signed, too", &of(&["mallory", "alice"]).to_json(), &["alice", "bob"], 1, one.clone());
    let three = good(vectors, TEXT, b"hello", &["alice", "carol", "dave"]);
    let keys = ["alice", "carol", "dave"];
    case(vectors, "three-algorithms", "Ed25519, P-256 and P-384", &of(&keys).to_json(), &keys, 3, three);
    let mut twice = of(&["alice"]);
    twice.signatures.push(twice.signatures[0].clone());
    case(vectors, "signature-twice", "one signature twice is one key", &twice.to_json(), &["alice", "bob"], 2, missed());
    let mut malleable = of(&["carol"]);
    malleable.signatures.push(Signature { keyid: Some("other".to_owned()), bytes: other_s(&malleable.signatures[0].bytes) });
    case(vectors, "two-signatures-of-one-key", "(r, s) and (r, n - s) are one key", &malleable.to_json(), &["carol", "bob"], 2, missed());
    malleable.signatures.remove(0);
    let carol = good(vectors, TEXT, b"hello", &["carol"]);
    case(vectors, "other-s", "(r, n - s) is as valid as (r, s)", &malleable.to_json(), &["carol"], 1, carol);
    let signed = of(&["alice"]).to_json();
    for (id, keys, threshold, why) in [
        ("threshold-zero", vec!["alice"], 0, "a threshold of zero would accept anything"),
        ("threshold-above-keys", vec!["alice"], 2, "more than there are keys"),
        ("one-key-twice", vec!["alice", "alice"], 2, "one key twice is one key, and the threshold above it"),
        ("no-keys", vec![], 1, "no key"),
    ] {
        case(vectors, id, why, &signed, &keys, threshold, refused("INVALID_THRESHOLD"));
    }
    // One P-256 key in two encodings.
    let raw = key("carol").public().as_raw().to_vec();
    let compressed = [unhex("3039301306072a8648ce3d020106082a8648ce3d030107032200").as_slice(), &[2 | raw[64] & 1], &raw[1..33]].concat();
    let keys = list([key_file(vectors, "carol"), vectors.input("", compressed)]);
    let envelope = vectors.input("envelopes/carol.json", of(&["carol"]).to_json());
    let two =
        Case::new("envelope", "envelope-one-key-in-two-encodings", "one key in two encodings is one key", "11").with("envelope", envelope);
    vectors.add(two.with("keys", keys).with("threshold", 2_u64).expect(refused("INVALID_THRESHOLD")));
    let rsa = vectors.file("keys/wycheproof-rsa-pss-2048-1.pub", rsa_key());
    let envelope = vectors.input("envelopes/alice.json", of(&["alice"]).to_json());
    let case = Case::new("envelope", "envelope-rsa-key", "no envelope is signed by an RSA key", "7").with("envelope", envelope);
    vectors.add(case.with("keys", list([rsa])).with("threshold", 1_u64).expect(refused("INVALID_KEY")));
}

/// The key of a file of Wycheproof.
fn rsa_key() -> Vec<u8> {
    let text = testdata_file("wycheproof/rsa_pss_2048_sha256_mgf1_32_test.json");
    let document = touchmark_envelope::json::parse(&text, text.len()).expect("vectors of Wycheproof");
    let group = document.get("testGroups").and_then(Value::as_array).and_then(|groups| groups.first());
    group.and_then(|group| group.get("publicKeyPem")).and_then(Value::as_str).expect("a key").as_bytes().to_vec()
}

/// The forms of base64, and of the document around it.
fn forms(vectors: &mut Vectors) {
    let envelope = sign(TEXT, PAYLOAD, &["alice"]);
    let sig = &envelope.signatures[0].bytes;
    let expect = good(vectors, TEXT, PAYLOAD, &["alice"]);
    let write =
        |payload: &str, sig: &str| format!(r#"{{"payloadType":"text/plain","payload":"{payload}","signatures":[{{"sig":"{sig}"}}]}}"#);
    for (id, payload, sig, why) in [
        ("standard", STANDARD.encode(PAYLOAD), STANDARD.encode(sig), "standard base64"),
        ("standard-no-padding", STANDARD_NO_PAD.encode(PAYLOAD), STANDARD_NO_PAD.encode(sig), "without padding"),
        ("url-safe", URL_SAFE.encode(PAYLOAD), URL_SAFE.encode(sig), "the alphabet for URLs"),
        ("url-safe-no-padding", URL_SAFE_NO_PAD.encode(PAYLOAD), URL_SAFE_NO_PAD.encode(sig), "the alphabet for URLs, without padding"),
        ("one-of-each", STANDARD.encode(PAYLOAD), URL_SAFE_NO_PAD.encode(sig), "the payload in one, the signature in the other"),
        ("part-of-padding", STANDARD.encode(PAYLOAD), format!("{}=", STANDARD_NO_PAD.encode(sig)), "one of two padding characters"),
    ] {
        case(vectors, &format!("base64-{id}"), why, write(&payload, &sig).as_bytes(), &["alice"], 1, expect.clone());
    }
    let (payload, sig) = (STANDARD.encode(PAYLOAD), STANDARD.encode(sig));
    for (id, text, why) in [
        (
            "pretty",
            format!(
                "{{\n  \"signatures\": [ {{ \"sig\": \"{sig}\" }} ],\n\t\"payload\": \"{payload}\",\r\n  \"payloadType\": \"text/plain\"\n}}\n"
            ),
            "white space and another order",
        ),
        (
            "more-members",
            format!(r#"{{"x":[1.5e3,null],"payloadType":"text/plain","payload":"{payload}","signatures":[{{"sig":"{sig}","cert":"?"}}]}}"#),
            "members that DSSE does not know are ignored",
        ),
        ("escaped", write(&payload, &sig).replacen("text/plain", "text\\/\\u0070lain", 1), "escapes in strings"),
        ("keyid-null", write(&payload, &sig).replacen("\"sig\"", "\"keyid\":null,\"sig\"", 1), "`null` as keyid is none"),
        ("keyid-empty", write(&payload, &sig).replacen("\"sig\"", "\"keyid\":\"\",\"sig\"", 1), "an empty keyid is none"),
    ] {
        case(vectors, id, why, text.as_bytes(), &["alice"], 1, expect.clone());
    }
    let unreadable = refused("MALFORMED_ENVELOPE");
    for (id, payload, sig, why) in [
        ("mixed-alphabets", "+_8=".to_owned(), sig.clone(), "characters of both alphabets in one text"),
        ("white-space", format!("{}\\n{}", &payload[..4], &payload[4..]), sig.clone(), "a line end in base64"),
        ("trailing-bits", "aGVsbG9=".to_owned(), sig.clone(), "bits that are set behind the last byte"),
        ("too-much-padding", format!("{payload}="), sig.clone(), "more padding than there is"),
        ("no-base64", "aGVs*G8=".to_owned(), sig.clone(), "a character that is no base64"),
        ("one-character", "a".to_owned(), sig.clone(), "one character is no byte"),
        ("signature-no-base64", payload.clone(), "*".to_owned(), "a signature that is no base64"),
    ] {
        case(vectors, &format!("base64-{id}"), why, write(&payload, &sig).as_bytes(), &["alice"], 1, unreadable.clone());
    }
}

/// Documents that are no envelope.
fn malformed(vectors: &mut Vectors) {
    let good = String::from_utf8(sign(TEXT, b"hello", &["alice"]).to_json()).expect("text");
    let sigs = r#""signatures":[{"sig":"AA=="}]"#;
    for (id, text, why) in [
        ("empty", String::new(), "nothing"),
        ("no-json", "envelope".to_owned(), "no JSON"),
        ("array", "[]".to_owned(), "an array"),
        ("no-type", format!(r#"{{"payload":"",{sigs}}}"#), "without a payload type"),
        ("no-payload", format!(r#"{{"payloadType":"t",{sigs}}}"#), "without a payload"),
        ("no-signatures", r#"{"payloadType":"t","payload":""}"#.to_owned(), "without signatures"),
        ("empty-signatures", r#"{"payloadType":"t","payload":"","signatures":[]}"#.to_owned(), "an empty list of signatures"),
        ("type-null", format!(r#"{{"payloadType":null,"payload":"",{sigs}}}"#), "a payload type that is no text"),
        ("payload-object", format!(r#"{{"payloadType":"t","payload":{{}},{sigs}}}"#), "a payload that is no text"),
        ("signatures-object", r#"{"payloadType":"t","payload":"","signatures":{"sig":"AA=="}}"#.to_owned(), "signatures that are no list"),
        ("signature-text", r#"{"payloadType":"t","payload":"","signatures":["AA=="]}"#.to_owned(), "a signature that is no object"),
        (
            "signature-without-sig",
            r#"{"payloadType":"t","payload":"","signatures":[{"keyid":"a"}]}"#.to_owned(),
            "a signature without `sig`",
        ),
        (
            "keyid-number",
            r#"{"payloadType":"t","payload":"","signatures":[{"keyid":1,"sig":"AA=="}]}"#.to_owned(),
            "a keyid that is no text",
        ),
        ("trailing-bytes", format!("{good}x"), "something after the document"),
        ("trailing-null", format!("{good}\0"), "a character NUL after the document"),
        ("byte-order-mark", format!("\u{feff}{good}"), "a byte order mark"),
        ("duplicate-payload", good.replacen('{', r#"{"payload":"ZXZpbA==","#, 1), "two payloads: readers disagree on which counts"),
        ("duplicate-escaped", good.replacen('{', r#"{"p\u0061yload":"ZXZpbA==","#, 1), "two payloads, one with an escape in its name"),
        ("duplicate-sig", good.replacen(r#""sig":"#, r#""sig":"AA==","sig":"#, 1), "two signatures under one name"),
        ("truncated", good[..good.len() - 1].to_owned(), "the end is missing"),
        ("lone-surrogate", good.replacen("text/plain", "text\\ud800", 1), "a lone surrogate"),
        (
            "legacy",
            r#"{"signed":{"_type":"link"},"signatures":[{"keyid":"a","sig":"00"}]}"#.to_owned(),
            "in-toto's older envelope is none of DSSE",
        ),
    ] {
        case(vectors, &format!("malformed-{id}"), why, text.as_bytes(), &["alice"], 1, refused("MALFORMED_ENVELOPE"));
    }
    let bytes = [br#"{"payloadType":"t"#.as_slice(), &[0xff], format!(r#"","payload":"",{sigs}}}"#).as_bytes()].concat();
    case(vectors, "malformed-not-utf8", "a byte that is no UTF-8", &bytes, &["alice"], 1, refused("MALFORMED_ENVELOPE"));
    let deep = format!(r#"{{"x":{}{},"payloadType":"t","payload":"",{sigs}}}"#, "[".repeat(32), "]".repeat(32));
    case(vectors, "malformed-deep", "33 levels", deep.as_bytes(), &["alice"], 1, refused("MALFORMED_ENVELOPE"));
    let many = format!(r#"{{"payloadType":"t","payload":"","signatures":[{}]}}"#, [r#"{"sig":"AA=="}"#; 129].join(","));
    case(vectors, "129-signatures", "more than 128 signatures", many.as_bytes(), &["alice"], 1, refused("TOO_LARGE"));
}

/// What is signed is the type and the decoded payload, with their lengths.
fn signed_bytes(vectors: &mut Vectors) {
    let missed = || refused("THRESHOLD_NOT_REACHED");
    let signed = sign(TEXT, b"hello", &["alice"]);
    let with = |change: &dyn Fn(&mut Envelope)| {
        let mut changed = signed.clone();
        change(&mut changed);
        changed.to_json()
    };
    for (id, envelope, why) in [
        ("other-payload", with(&|envelope| envelope.payload = b"hellp".to_vec()), "a payload that was changed"),
        ("other-type", with(&|envelope| envelope.payload_type = "text/html".to_owned()), "a type that was changed"),
        ("type-in-upper-case", with(&|envelope| envelope.payload_type = "Text/plain".to_owned()), "a type in other case"),
        ("empty-type", with(&|envelope| envelope.payload_type.clear()), "no type"),
        (
            "moved-border",
            with(&|envelope| (envelope.payload_type, envelope.payload) = ("text/plain 5 hello".to_owned(), Vec::new())),
            "the border between type and payload moved",
        ),
    ] {
        case(vectors, id, why, &envelope, &["alice"], 1, missed());
    }
    // Signatures over something else than the encoding.
    for (id, message, why) in [
        ("signed-payload", b"hello".to_vec(), "a signature over the payload alone"),
        ("signed-base64", b"aGVsbG8=".to_vec(), "a signature over the base64"),
        ("signed-hash", unhex("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"), "a signature over the payload's hash"),
        ("signed-without-lengths", b"DSSEv1 text/plain hello".to_vec(), "a signature over an encoding without lengths"),
        (
            "signed-version-2",
            pae(TEXT, b"hello").iter().map(|byte| if *byte == b'1' { b'2' } else { *byte }).collect(),
            "another version of the encoding",
        ),
    ] {
        let mut envelope = signed.clone();
        envelope.signatures[0].bytes = unhex(&key("alice").sign(&message));
        case(vectors, id, why, &envelope.to_json(), &["alice"], 1, missed());
    }
    for (id, payload_type, payload, why) in [
        ("empty-payload", TEXT, b"".as_slice(), "an empty payload"),
        ("empty-type-signed", "", b"hello", "an empty type"),
        ("type-outside-ascii", "text/\u{e9}", b"hello", "lengths are of bytes, not of characters"),
        ("payload-not-utf8", "application/octet-stream", &[0xff, 0x00, 0x80], "a payload that is no text"),
        ("type-with-space", "a 1 b", b" 1 c ", "spaces in the type and the payload"),
    ] {
        let expect = good(vectors, payload_type, payload, &["alice"]);
        case(vectors, id, why, &sign(payload_type, payload, &["alice"]).to_json(), &["alice"], 1, expect);
    }
}

/// Keyids decide nothing.
fn hints(vectors: &mut Vectors) {
    let signed = sign(TEXT, b"hello", &["alice"]);
    let alice = good(vectors, TEXT, b"hello", &["alice"]);
    let with = |keyid: Option<&str>| {
        let mut changed = signed.clone();
        changed.signatures[0].keyid = keyid.map(str::to_owned);
        changed.to_json()
    };
    let bob = key("bob").public().key_id().into_string();
    for (id, envelope, why) in [
        ("none", with(None), "no keyid"),
        ("unknown", with(Some("0000")), "a keyid of nobody"),
        ("of-another", with(Some(&bob)), "the keyid of another key that is trusted"),
        ("path", with(Some("../../etc/passwd")), "a keyid that looks like a path"),
        ("outside-ascii", with(Some("\u{1f511}")), "a keyid outside of ASCII"),
    ] {
        case(vectors, &format!("keyid-{id}"), why, &envelope, &["alice", "bob"], 1, alice.clone());
    }
    let mut swapped = sign(TEXT, b"hello", &["alice", "bob"]);
    let (one, other) = (swapped.signatures[0].keyid.clone(), swapped.signatures[1].keyid.clone());
    (swapped.signatures[0].keyid, swapped.signatures[1].keyid) = (other, one);
    let both = good(vectors, TEXT, b"hello", &["alice", "bob"]);
    case(vectors, "keyids-swapped", "each signature has the other's keyid", &swapped.to_json(), &["alice", "bob"], 2, both);
    // Signatures that no key explains, before and behind the good one.
    let bad = Signature { keyid: None, bytes: vec![1; 64] };
    let mut many = signed.clone();
    let (before, behind) = (vec![bad.clone(); 60], vec![bad.clone(); 67]);
    many.signatures = [before, many.signatures, behind].concat();
    case(
        vectors,
        "good-among-127-bad",
        "no number of bad signatures hides one with its key's keyid",
        &many.to_json(),
        &["alice", "bob"],
        1,
        alice,
    );
    let mut hopeless = signed;
    hopeless.signatures = vec![bad; 128];
    let keys = ["alice", "bob", "carol"];
    let why = "128 signatures and three keys are more than 131 checks: it could not be found out";
    case(vectors, "too-many-checks", why, &hopeless.to_json(), &keys, 1, refused("UNKNOWN"));
}

/// Envelopes of other tools.
fn others(vectors: &mut Vectors) {
    let bundle = testdata_file("cosign/bundle.json");
    let bundle = touchmark_envelope::json::parse(&bundle, bundle.len()).expect("a bundle of cosign");
    let Some(envelope) = bundle.get("dsseEnvelope") else { panic!("the bundle of cosign has an envelope") };
    let payload = envelope.get("payload").and_then(Value::as_str).expect("a payload");
    let payload = STANDARD.decode(payload).expect("base64");
    let public = testdata_file("cosign/cosign.pub");
    let id = touchmark_envelope::key::PublicKey::read(&public).expect("a key of cosign").key_id().into_string();
    let payload = vectors.input("envelopes/cosign.payload.json", payload);
    let expect = ok().with("payload", payload).with("payload_type", IN_TOTO.to_owned()).with("keys", list([Value::from(id)]));
    let (input, keys) = (vectors.file("envelopes/cosign.json", envelope.to_vec()), list([vectors.file("keys/cosign.pub", public)]));
    let case = Case::new("envelope", "envelope-cosign", "an attestation by cosign 3", "9").with("envelope", input);
    vectors.add(case.with("keys", keys).with("threshold", 1_u64).expect(expect));
}

/// An envelope that the keys of these names signed, in their order.
pub(super) fn sign(payload_type: &str, payload: &[u8], names: &[&str]) -> Envelope {
    let keys: Vec<Key> = names.iter().map(|name| key(name)).collect();
    let signers: Vec<&dyn Signer> = keys.iter().map(|key| -> &dyn Signer { key.private() }).collect();
    Envelope::sign(payload_type, payload.to_vec(), &signers).expect("an envelope")
}

/// The identifiers of keys, sorted.
fn ids(names: &[&str]) -> Value<'static> {
    let mut ids: Vec<String> = names.iter().map(|name| key(name).public().key_id().into_string()).collect();
    ids.sort();
    list(ids.into_iter().map(Value::from))
}
