//! Documents with signatures beside them, read in one pass, against what the reader of values and the canonicaliser see.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod documents;
#[path = "oracles/signed.rs"]
mod oracle;

use documents::{Random, Strings, document};
use oracle::{MAX_SIGNATURES, check};
use touchmark_envelope::canonical;
use touchmark_envelope::json::{self, Kind};
use touchmark_envelope::signed::{Index, MAX_MEMBERS, Options, Signed, SignedError};

fn parse(document: impl Into<Vec<u8>>) -> Result<Signed, SignedError> {
    let options = Options { max_bytes: usize::MAX, max_signatures: MAX_SIGNATURES, index: Some("targets") };
    Signed::parse(document.into(), options).map(|signed| signed.into_untrusted())
}

/// A document whose `signed` is `value`.
fn around(value: &str) -> String {
    format!(r#"{{"signatures":[],"signed":{value}}}"#)
}

fn vectors() -> Vec<Vec<u8>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/cjson/vectors.json");
    let vectors: Vec<serde_json::Value> = serde_json::from_slice(&std::fs::read(path).expect("the vectors")).expect("an array");
    let hexadecimal = |hex: &str| (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).expect("hexadecimal")).collect();
    let bytes = |vector: &serde_json::Value| match vector["document"].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => hexadecimal(vector["document_hex"].as_str().expect("a document")),
    };
    vectors.iter().map(bytes).collect()
}

#[test]
fn every_vector_of_canonical_json_is_read_alike_wherever_it_stands() {
    for vector in vectors() {
        for (before, behind) in [
            (r#"{"signatures":[],"signed":"#, "}"),
            (r#"{"signed":{"targets":"#, r#"},"signatures":[]}"#),
            (r#"{"signed":{"targets":{"a":"#, r#"}},"signatures":[]}"#),
            (r#"{"signed":{"a":["#, r#"]},"signatures":[]}"#),
            (r#"{"signatures":[{"x":"#, r#"}],"signed":{}}"#),
            (r#"{"a":"#, r#","signatures":[],"signed":{}}"#),
            (r#"{"signatures":"#, r#","signed":{}}"#),
        ] {
            check(&[before.as_bytes(), &vector, behind.as_bytes()].concat(), "targets");
        }
        check(&vector, "targets");
    }
}

#[test]
fn made_up_documents_are_read_alike() {
    let mut taken = 0;
    for seed in 0..4_000 {
        let mut random = Random::new(seed);
        let [targets, other, last] = [(); 3].map(|()| document(&mut random, Strings::Any));
        let text = match random.below(3) {
            0 => format!(
                r#"{{"signed":{{"b":{other},"targets":{targets}}},"x":{last},"signatures":[{{"keyid":"","sig":"aF","y":{other}}}]}}"#
            ),
            1 => format!(r#"{{"signatures":[{{"sig":{last}}},{{}}], "signed" : {targets}}}"#),
            _ => format!(r#"{{"signatures":[],"signed":{{"targets":{targets},"z":[{last}]}} }}"#),
        };
        taken += usize::from(check(text.as_bytes(), "targets"));
    }
    assert!(taken > 2000, "{taken}");
}

#[test]
fn what_is_canonical_already_is_read_alike_and_one_wrong_byte_of_it_too() {
    let mut taken = 0;
    for seed in 0..1_000 {
        let mut random = Random::new(seed);
        let targets = document(&mut random, Strings::Portable);
        let canonical = canonical::to_vec(targets.as_bytes(), usize::MAX).expect("canonical");
        // Control characters stand in canonical JSON as they do not in any document.
        let canonical = String::from_utf8(canonical).expect("UTF-8").replace(|character: char| character < ' ', "?");
        let mut text = around(&format!(r#"{{"_type":"targets","targets":{canonical}}}"#)).into_bytes();
        assert!(check(&text, "targets"), "{seed}");
        for _ in 0..20 {
            let place = random.below(text.len());
            let byte = core::mem::replace(&mut text[place], *b"\"\\{}[]:,-0 1ae.\n".get(random.below(17)).unwrap_or(&0xff));
            taken += usize::from(check(&text, "targets"));
            text[place] = byte;
        }
    }
    assert!(taken > 500, "{taken}");
}

#[test]
fn signed_text_in_canonical_form_is_not_copied() {
    let text = around(r#"{"_type":"a\"\\é/","n":[-1,0,{"a":1,"b":null}],"targets":{"":true,"a":{},"a!":1,"a/":2}}"#);
    let signed = parse(text.as_str()).unwrap();
    assert!(signed.bytes().as_ptr_range().contains(&signed.signed_bytes().as_ptr()));
    assert_eq!(signed.signed_bytes(), &text.as_bytes()[r#"{"signatures":[],"signed":"#.len()..text.len() - 1]);
    for other in [
        r#"{ }"#,
        r#"{"a":1 }"#,
        r#"{"a":[1, 2]}"#,
        r#"{"a" :1}"#,
        r#"{"a":"\/"}"#,
        r#"{"a":"\u0022"}"#,
        r#"{"\u005c":1}"#,
        r#"{"a":"\n"}"#,
        r#"{"a":"\u00e9"}"#,
        r#"{"b":1,"a":2}"#,
        r#"{"a":{"b":1,"a":2}}"#,
        r#"{"a\"":1,"aA":2,"a!":3}"#,
    ] {
        let text = around(other);
        let mut signed = parse(text.as_str()).unwrap();
        assert!(!signed.bytes().as_ptr_range().contains(&signed.signed_bytes().as_ptr()), "{other}");
        signed.forget_canonical();
        assert_eq!(signed.signed_bytes(), other.as_bytes());
    }
    // `"` is written as `\"`, and yet stands before `A`.
    let text = around(r#"{"a\"":1,"aA":2}"#);
    assert!(parse(text.as_str()).unwrap().signed_bytes().ends_with(br#""aA":2}"#));
}

#[test]
fn duplicates_are_refused_at_any_depth_and_however_escaped() {
    let many: Vec<String> = (0..1000).map(|i| format!("\"{}\":1", i * 7 % 1000)).collect();
    let many = many.join(",");
    for document in [
        r#"{"signed":{},"signatures":[],"\u0073igned":{}}"#,
        r#"{"signed":{},"signatures":[],"signatures":[]}"#,
        r#"{"signed":{},"signatures":[],"a":1,"a":1}"#,
        r#"{"signed":{},"signatures":[],"a":[{"b":1,"b":1}]}"#,
        r#"{"signed":{},"signatures":[{"sig":"","sig":"00"}]}"#,
        r#"{"signed":{},"signatures":[{"keyid":"","a":1,"keyi\u0064":""}]}"#,
        r#"{"signed":{},"signatures":[{"x":{"a":1,"a":1}}]}"#,
        r#"{"signed":{"a":1,"a":1},"signatures":[]}"#,
        r#"{"signed":{"b":1,"a":1,"b":1},"signatures":[]}"#,
        r#"{"signed":{"targets":{"a":1,"\u0061":1}},"signatures":[]}"#,
        r#"{"signed":{"targets":{"b":1,"a":1,"b":1}},"signatures":[]}"#,
        r#"{"signed":{"targets":{"a":{"b":1,"a":1,"b":1}}},"signatures":[]}"#,
        r#"{"signed":{"targets":{},"a":1,"targets":{}},"signatures":[]}"#,
        &around(&format!(r#"{{"targets":{{{many},"500":1}}}}"#)),
        &around(&format!(r#"{{"targets":{{"\u0035\u0030\u0030":1,{many}}}}}"#)),
        &around(&format!(r#"{{"x":{{{many},"500":1}}}}"#)),
    ] {
        let error = parse(document).unwrap_err();
        assert!(matches!(&error, SignedError::Json(error) if matches!(error.kind, Kind::Duplicate(_))), "{document}: {error}");
        assert!(!check(document.as_bytes(), "targets"));
    }
}

#[test]
fn what_is_no_such_document_is_refused() {
    for (document, code) in [
        ("", "json-truncated"),
        ("\u{feff}{}", "json-byte-order-mark"),
        ("[]", "signed-malformed"),
        ("{}", "signed-malformed"),
        (r#"{"signed":{}}"#, "signed-malformed"),
        (r#"{"signatures":[]}"#, "signed-malformed"),
        (r#"{"signed":[],"signatures":[]}"#, "signed-malformed"),
        (r#"{"signed":"","signatures":[]}"#, "signed-malformed"),
        (r#"{"signed":{},"signatures":{}}"#, "signed-malformed"),
        (r#"{"signed":{},"signatures":null}"#, "signed-malformed"),
        (r#"{"signed":{},"signatures":[null]}"#, "signed-malformed"),
        (r#"{"signed":{},"signatures":["00"]}"#, "signed-malformed"),
        (r#"{"signed":{},"signatures":[{"keyid":1,"sig":""}]}"#, "signed-malformed"),
        (r#"{"signed":{},"signatures":[{"keyid":"","sig":null}]}"#, "signed-malformed"),
        (r#"{"signed":{},"signatures":[]}x"#, "json-trailing-bytes"),
        (r#"{"signed":{},"signatures":[]}{}"#, "json-trailing-bytes"),
        (r#"{"signed":{"a":"\ud800"},"signatures":[]}"#, "json-lone-surrogate"),
        (r#"{"signed":{"a":"\n"},"signatures":[],"a":"\udc00"}"#, "json-lone-surrogate"),
        ("{\"signed\":{\"a\":\"\n\"},\"signatures\":[]}", "json-control-character"),
        (r#"{"signed":{"a":01},"signatures":[]}"#, "json-bad-number"),
        (r#"{"signed":{"a":1.0},"signatures":[]}"#, "canonical-not-integer"),
        (r#"{"signed":{"a":[1e3]},"signatures":[]}"#, "canonical-not-integer"),
        (r#"{"signed":{"targets":{"a":-0}},"signatures":[]}"#, "canonical-negative-zero"),
        (r#"{"signed":{"a":9007199254740992},"signatures":[]}"#, "canonical-integer-range"),
    ] {
        assert_eq!(parse(document).unwrap_err().code(), code, "{document}");
        assert!(!check(document.as_bytes(), "targets"));
    }
    assert_eq!(parse(&b"{\"signed\":{\"a\":\"\xff\"},\"signatures\":[]}"[..]).unwrap_err().code(), "json-not-utf8");
    // What nobody signed may hold any number.
    assert!(parse(r#"{"signed":{},"signatures":[{"x":-0}],"x":1.5e3}"#).is_ok());
}

#[test]
fn limits_hold() {
    let text = around(r#"{"a":1}"#);
    let options = Options { max_bytes: text.len() - 1, max_signatures: 1, index: None };
    let error = Signed::parse(text.clone().into_bytes(), options).unwrap_err();
    assert_eq!(error, SignedError::TooLarge { limit: text.len() - 1, found: text.len() });

    let signatures = |count| format!(r#"{{"signed":{{}},"signatures":[{}]}}"#, vec!["{}"; count].join(","));
    assert_eq!(parse(signatures(MAX_SIGNATURES)).unwrap().signatures().len(), MAX_SIGNATURES);
    assert_eq!(parse(signatures(MAX_SIGNATURES + 1)).unwrap_err(), SignedError::TooManySignatures { limit: MAX_SIGNATURES });

    let members = |count| (0..count).map(|i| format!("\"{i}\":0")).collect::<Vec<_>>().join(",");
    assert_eq!(parse(around(&format!("{{{}}}", members(MAX_MEMBERS)))).unwrap().members().count(), MAX_MEMBERS);
    assert!(parse(around(&format!(r#"{{"a":{{{}}}}}"#, members(MAX_MEMBERS + 1)))).is_ok());
    for document in [
        around(&format!("{{{}}}", members(MAX_MEMBERS + 1))),
        format!(r#"{{"signed":{{}},"signatures":[],{}}}"#, members(MAX_MEMBERS - 1)),
        format!(r#"{{"signed":{{}},"signatures":[{{{}}}]}}"#, members(MAX_MEMBERS + 1)),
    ] {
        assert_eq!(parse(document.as_str()).unwrap_err(), SignedError::TooManyMembers);
        assert!(!check(document.as_bytes(), "targets"));
    }

    // The document and `signed` are two of the levels.
    let deep = |depth: usize| around(&format!(r#"{{"targets":{}{}}}"#, "[".repeat(depth), "]".repeat(depth)));
    assert!(check(deep(json::MAX_DEPTH - 2).as_bytes(), "targets"));
    assert!(!check(deep(json::MAX_DEPTH - 1).as_bytes(), "targets"));
    assert_eq!(parse(deep(json::MAX_DEPTH - 1)).unwrap_err().code(), "json-too-deep");
}

#[test]
fn signatures_that_are_malformed_are_kept_beside_good_ones_and_have_no_bytes() {
    let text = r#"{"signed":{},"signatures":[{"keyid":"a","sig":""},{"keyid":"b","sig":"0"},{"keyid":"c","sig":"0g"},{"keyid":"d"},{"sig":"0A"},
        {"keyid":"e","sig":"00ff","method":"ed25519"},{"keyid":"e","sig":" 00"}]}"#;
    let signed = parse(text).unwrap();
    let found: Vec<(Option<&str>, &[u8])> = signed.signatures().iter().map(|one| (one.keyid.as_deref(), one.bytes.as_slice())).collect();
    let none: &[u8] = &[];
    assert_eq!(
        found,
        [
            (Some("a"), none),
            (Some("b"), none),
            (Some("c"), none),
            (Some("d"), none),
            (None, &[0x0a]),
            (Some("e"), &[0x00, 0xff]),
            (Some("e"), none)
        ]
    );
}

/// Names that begin alike, of which some are escaped, in an order that looks random.
fn shuffled(count: usize) -> (String, Vec<(String, usize)>) {
    let mut expected = Vec::new();
    let mut text = String::from("{");
    for i in 0..count {
        let number = i.wrapping_mul(0x9e37_79b1) % 0xffff_ffff;
        let name = format!("packages/{:03}/{number}{}", number % 50, if i % 3 == 0 { "é\"" } else { "" });
        let written = match i % 5 {
            0 => name.replace('"', "\\u0022").replace('p', "\\u0070"),
            1 => name.replace('"', "\\\"").replace('/', "\\/"),
            _ => name.replace('"', "\\\""),
        };
        text.push_str(&format!("{}\"{written}\":{{\"length\": {i}}}", if i == 0 { "" } else { "," }));
        expected.push((name, i));
    }
    text.push('}');
    expected.sort_unstable();
    (text, expected)
}

#[test]
fn large_objects_out_of_order_are_indexed_in_order() {
    for count in [0, 1, 2, 15, 16, 17, 18, 1000, 100_000] {
        let (targets, expected) = shuffled(count);
        let text = around(&format!(r#"{{"_type":"x","targets":{targets},"version":1}}"#));
        let signed = parse(text.as_str()).unwrap();
        let inner = |text: &str| json::parse(text.as_bytes(), 100).unwrap().get("length").and_then(|length| length.as_u64());
        let found: Vec<_> =
            signed.indexed().map(|(name, value)| (name.into_owned(), usize::try_from(inner(value).unwrap()).unwrap())).collect();
        assert!(found == expected, "{count}");
        for (name, number) in expected.iter().step_by(1 + count / 1000) {
            assert_eq!(signed.find(name), Some(format!("{{\"length\": {number}}}").as_str()));
            assert_eq!(signed.find(&format!("{name} ")), None);
        }
        assert_eq!(signed.find(""), None);
        let value = signed.member("targets").unwrap();
        assert_eq!(value, targets);
        let whole = &text[r#"{"signatures":[],"signed":"#.len()..text.len() - 1];
        assert!(signed.signed_bytes() == canonical::to_vec(whole.as_bytes(), usize::MAX).unwrap());
    }
}

#[test]
fn only_the_named_member_of_signed_is_indexed_and_only_an_object() {
    assert!(parse(around("{}")).unwrap().index().is_none());
    assert!(parse(around(r#"{"targets":[]}"#)).unwrap().index().is_none());
    assert!(parse(around(r#"{"x":{"targets":{"a":1}}}"#)).unwrap().index().is_none());
    assert!(parse(r#"{"signed":{},"signatures":[],"targets":{"a":1}}"#).unwrap().find("a").is_none());
    assert_eq!(parse(around(r#"{"target\u0073":{"a":1}}"#)).unwrap().find("a"), Some("1"));
    let options = Options { max_bytes: 100, max_signatures: 1, index: None };
    let signed = Signed::parse(around(r#"{"targets":{"a":1}}"#).into_bytes(), options).unwrap().into_untrusted();
    assert!(signed.index().is_none() && signed.find("a").is_none() && signed.indexed().next().is_none());
}

#[test]
fn a_stored_index_finds_what_the_text_has_and_nothing_else() {
    let text = around(r#"{"targets":{"a":{"length":1},"b\"c\":2":{"length":2},"d":[3]}}"#);
    let signed = parse(text.as_str()).unwrap();
    let stored = Index::from_starts(signed.index().unwrap().starts().to_vec());
    assert_eq!(Some(&stored), signed.index());
    for name in ["a", "b\"c\":2", "d", "", "c"] {
        assert_eq!(stored.find(&text, name), Ok(signed.find(name)), "{name}");
    }
    for start in 0..u32::try_from(text.len()).unwrap() + 2 {
        // Whatever a damaged index says, what it finds is a strictly read member of the text, or an error.
        let damaged = Index::from_starts(vec![start]);
        for found in damaged.iter(&text) {
            let (name, value) = match found {
                Ok(found) => found,
                Err(error) => {
                    assert!(error.offset >= usize::try_from(start).unwrap());
                    continue;
                }
            };
            assert!(json::parse(value.as_bytes(), 100).is_ok() && damaged.find(&text, &name) == Ok(Some(value)), "{start}");
        }
    }
    assert!(stored.find(&text[..text.len() - 20], "d").is_err());
    assert!(Index::from_starts(vec![u32::MAX]).find(&text, "a").is_err());
}

#[test]
fn a_member_is_read_as_strictly_as_a_document() {
    let text = r#"{"é": {"a":[1]} , "b\n":1.5}"#;
    assert_eq!(json::member_at(text, 1), Ok(("é".into(), r#"{"a":[1]}"#)));
    assert_eq!(json::member_at(text, text.find("\"b").unwrap()), Ok(("b\n".into(), "1.5")));
    for (text, start) in
        [(text, 0), (text, 3), (text, 1000), (text, usize::MAX), (r#""a""#, 0), (r#""a":"#, 0), (r#""a":{"b":1,"b":2}"#, 0)]
    {
        assert!(json::member_at(text, start).is_err(), "{start} {text}");
    }
    let deep = |depth: usize| format!("\"a\":{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(json::member_at(&deep(json::MAX_DEPTH), 0).is_ok());
    assert!(json::member_at(&deep(json::MAX_DEPTH + 1), 0).is_err());
}
