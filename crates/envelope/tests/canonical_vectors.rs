//! The vectors of testdata/cjson: what we make of each document, and what olpc-cjson does.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use serde::Serialize as _;
use serde_json::Value;
use touchmark_envelope::canonical;

fn vectors() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/cjson/vectors.json");
    serde_json::from_slice(&std::fs::read(path).expect("the vectors")).expect("an array")
}

fn document(vector: &Value) -> Vec<u8> {
    match (&vector["document"], &vector["document_hex"]) {
        (Value::String(text), Value::Null) => text.clone().into_bytes(),
        (Value::Null, Value::String(hex)) => {
            let byte = |i| u8::from_str_radix(&hex[i..i + 2], 16).expect("hexadecimal");
            (0..hex.len()).step_by(2).map(byte).collect()
        }
        _ => panic!("no document: {vector}"),
    }
}

#[test]
fn every_vector_has_its_canonical_form_or_its_error() {
    let vectors = vectors();
    assert!(vectors.len() > 40);
    for vector in vectors {
        match canonical::to_vec(&document(&vector), 1000) {
            Ok(bytes) => assert_eq!(vector["canonical"].as_str(), String::from_utf8(bytes).ok().as_deref(), "{vector}"),
            Err(error) => assert_eq!(vector["error"].as_str(), Some(error.code()), "{vector}"),
        }
    }
}

#[test]
fn what_has_a_canonical_form_has_the_same_one_in_securesystemslib() {
    for vector in vectors().iter().filter(|vector| vector["canonical"].is_string()) {
        for peer in ["securesystemslib", "go-securesystemslib"] {
            assert_eq!(vector["peers"][peer], vector["canonical"], "{vector}");
        }
    }
}

#[test]
fn what_olpc_cjson_makes_of_every_vector_is_recorded() {
    for vector in vectors() {
        let theirs = serde_json::from_slice::<Value>(&document(&vector)).ok().and_then(|value| {
            let mut out = Vec::new();
            value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, olpc_cjson::CanonicalFormatter::new())).ok()?;
            String::from_utf8(out).ok()
        });
        assert_eq!(vector["peers"]["olpc-cjson"].as_str(), theirs.as_deref(), "{vector}");
    }
}

#[test]
fn what_is_portable_is_what_olpc_cjson_agrees_on() {
    for vector in vectors().iter().filter(|vector| vector["canonical"].is_string()) {
        let document = document(vector);
        let value = touchmark_envelope::json::parse(&document, 1000).expect("valid");
        if canonical::write(&value).is_ok() {
            assert_eq!(vector["peers"]["olpc-cjson"], vector["canonical"], "{vector}");
        }
        if vector["peers"]["olpc-cjson"] != vector["canonical"] {
            assert!(matches!(canonical::write(&value), Err(canonical::Error::NotPortable { .. })), "{vector}");
        }
    }
}

#[cfg(feature = "olpc-dialect")]
#[test]
fn the_dialect_of_olpc_cjson_is_what_is_recorded_of_it() {
    let mut compared = 0;
    for vector in vectors() {
        let recorded = vector["peers"]["olpc-cjson"].as_str();
        match canonical::olpc::to_vec(&document(&vector), 1000) {
            Ok(bytes) => {
                compared += 1;
                assert_eq!(String::from_utf8(bytes).ok().as_deref(), recorded, "{vector}");
            }
            // It drops one of two members, or takes integers that others do not.
            Err(canonical::Error::NfcEqual { .. } | canonical::Error::Range { .. }) => {}
            Err(canonical::Error::Json(error)) if error.code() == "json-too-deep" => {}
            Err(error) => assert_eq!(recorded, None, "{error}: {vector}"),
        }
    }
    assert!(compared >= 20, "{compared}");
}
