use super::*;
use crate::buffer::touchmark_buffer_bytes;
use crate::testing::{Owned, Seen, failed, made, text, view};

#[cfg(feature = "supply-chain")]
const VECTORS: &[u8] = include_bytes!("../../../../testdata/policy/vectors.json");
const KEY: &str = "-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEAdHWg71WUougEwCFtPqamYxPvcN8QwPngjwApknsAIkU=\\n-----END PUBLIC KEY-----\\n";

fn read(document: &[u8], origin: u32) -> Result<Owned<touchmark_policy_document>, Seen> {
    // SAFETY: the view and the places are the test's.
    made(|out, error| unsafe { touchmark_policy_document_read(view(document), origin, out, error) })
}

fn shown(buffer: Result<Owned<touchmark_buffer>, Seen>) -> Result<String, Seen> {
    // SAFETY: the library gave the buffer, and it is freed after this.
    buffer.map(|buffer| text(unsafe { touchmark_buffer_bytes(buffer.0) }))
}

fn decide(document: &Owned<touchmark_policy_document>, reference: &str, name: &str) -> Result<String, Seen> {
    // SAFETY: the handle, the views and the places are the test's.
    shown(made(|out, error| unsafe { touchmark_policy_document_decide(document.0, view(reference), view(name), out, error) }))
}

fn check(document: &Owned<touchmark_policy_document>) -> Result<String, Seen> {
    // SAFETY: the handle and the places are the test's.
    shown(made(|out, error| unsafe { touchmark_policy_document_check(document.0, out, error) }))
}

#[test]
#[cfg(feature = "supply-chain")]
fn documents_and_questions_are_as_the_vectors_say() {
    let vectors = touchmark_envelope::json::parse(VECTORS, VECTORS.len()).unwrap();
    let text = |value: &Value<'_>, name: &str| value.get(name).map(|value| value.as_str().unwrap().to_owned());
    let bytes = |vector: &Value<'_>| match text(vector, "text") {
        Some(text) => text.into_bytes(),
        None => vector.get("document").unwrap().to_vec(),
    };
    let mut documents = 0;
    for vector in vectors.get("documents").and_then(Value::as_array).unwrap() {
        for (origin, member) in [(TOUCHMARK_ORIGIN_LOCAL, "local"), (TOUCHMARK_ORIGIN_SIGNED, "signed")] {
            let expected = vector.get(member).unwrap();
            match read(&bytes(vector), origin) {
                Ok(_) => assert_eq!(expected.as_str(), Some("ok")),
                Err(seen) => assert_eq!((seen.status, Some(seen.code)), ("MALFORMED_POLICY", text(expected, "code"))),
            }
            documents += 1;
        }
    }
    let mut questions = 0;
    for vector in vectors.get("questions").and_then(Value::as_array).unwrap() {
        let signed = text(vector, "origin").as_deref() == Some("signed");
        let document = read(&bytes(vector), if signed { TOUCHMARK_ORIGIN_SIGNED } else { TOUCHMARK_ORIGIN_LOCAL }).unwrap();
        let (reference, name) = (text(vector, "reference").unwrap_or_default(), text(vector, "name").unwrap_or_default());
        let outcome = vector.get("outcome").unwrap();
        let error = outcome.get("error").map(|error| text(error, "code").unwrap());
        match (decide(&document, &reference, &name), error) {
            (Ok(json), None) => {
                let told = touchmark_envelope::json::parse(json.as_bytes(), json.len()).unwrap();
                assert_eq!(told.get("rule").and_then(Value::as_u64), outcome.get("rule").and_then(Value::as_u64).map(|rule| rule + 1));
                assert_eq!(told.get("pattern"), outcome.get("pattern"));
                assert!(told.get("demands").is_some_and(|rule| rule.as_object().is_some()));
            }
            (Err(seen), None) => {
                assert!(outcome.get("rejected").is_some());
                assert_eq!((seen.status, seen.code.as_str()), ("POLICY_REJECTED", "no-rule"));
            }
            (Err(seen), Some(code)) => {
                let status = if code == "policy-rejects" { "POLICY_REJECTED" } else { "INVALID_ARGUMENT" };
                assert_eq!((seen.status, seen.code), (status, code));
            }
            (Ok(json), Some(code)) => panic!("{json} and not {code}"),
        }
        questions += 1;
    }
    assert!(documents > 200 && questions > 50, "{documents} {questions}");
}

#[test]
#[cfg(feature = "supply-chain")]
fn the_rule_that_decides_is_told_with_what_its_captures_are() {
    let document = format!(
        r#"{{"version":1,"rules":[{{"names":"other/*","reject":true}},{{"reference":"r.example/acme/(*):(*)","name":"acme/$1:$2","keys":"{KEY}","in_toto":{{"layout":{{"inline":"{{}}"}},"keys":"{KEY}","parameters":{{"VERSION":"v$2"}}}}}}]}}"#
    );
    let document = read(document.as_bytes(), TOUCHMARK_ORIGIN_LOCAL).unwrap();
    let told = decide(&document, "r.example/acme/tool:1.0", "").unwrap();
    let begin = r#"{"rule":2,"pattern":"r.example/acme/(*):(*)","expected_name":"acme/tool:1.0","captures":["tool","1.0"],"parameters":{"VERSION":"v1.0"},"demands":{"reference":"r.example/acme/(*):(*)","name":"acme/$1:$2","keys":"#;
    assert!(told.starts_with(begin), "{told}");
    let code = |reference, name| failed(decide(&document, reference, name));
    assert_eq!(code("", ""), ("POLICY_REJECTED", "no-rule".into()));
    assert_eq!(code("r.example/other/tool:1.0", ""), ("POLICY_REJECTED", "no-rule".into()));
    assert_eq!(code("", "other/x"), ("POLICY_REJECTED", "policy-rejects".into()));
    assert_eq!(code("r.example/acme/tool:1.0", "acme/tool:2.0"), ("INVALID_ARGUMENT", "policy-other-name".into()));
    assert_eq!(code("no reference", ""), ("INVALID_REFERENCE", "policy-reference".into()));
    assert_eq!(code("", "No Name"), ("INVALID_NAME", "name-invalid".into()));
    // SAFETY: the views and the places are the test's.
    let utf8 = made(|out, error| unsafe { touchmark_policy_document_decide(document.0, view(b"\xff"), view(""), out, error) });
    assert_eq!(failed(utf8).0, "INVALID_UTF8");
}

#[test]
fn what_is_probably_not_meant_is_told() {
    let nothing = read(br#"{"version":1,"rules":[]}"#, TOUCHMARK_ORIGIN_LOCAL).unwrap();
    let found = check(&nothing).unwrap();
    assert!(found.starts_with(r#"[{"level":"warning","at":"/rules","code":"policy-no-rule","message":"#), "{found}");
    let fine = format!(r#"{{"version":1,"rules":[{{"names":"acme/x:1","keys":"{KEY}"}}]}}"#);
    assert_eq!(check(&read(fine.as_bytes(), TOUCHMARK_ORIGIN_LOCAL).unwrap()).unwrap(), "[]");
}

#[test]
fn what_is_no_document_is_refused() {
    for garbage in [&b""[..], b"{", b"[]", b"{\"version\":2}", b"\xff\xfe", &[b' '; (1 << 20) + 1]] {
        assert_eq!(failed(read(garbage, TOUCHMARK_ORIGIN_LOCAL)).0, "MALFORMED_POLICY");
    }
    assert_eq!(failed(read(br#"{"version":1,"rules":[]}"#, 3)), ("INVALID_ARGUMENT", "invalid-argument".into()));
    let none = Owned(std::ptr::null_mut::<touchmark_policy_document>());
    assert_eq!(failed(decide(&none, "", "acme/x")).0, "NULL_POINTER");
    assert_eq!(failed(check(&none)).0, "NULL_POINTER");
}

#[test]
#[cfg(not(feature = "supply-chain"))]
fn what_this_build_cannot_verify_it_does_not_read() {
    let document = br#"{"version":1,"rules":[{"names":"acme/x","keys":"acme.pub","in_toto":{"layout":"l","keys":"k"}}]}"#;
    for origin in [TOUCHMARK_ORIGIN_LOCAL, TOUCHMARK_ORIGIN_SIGNED] {
        // SAFETY: the view and the places are the test's.
        let read = made(|out, error| unsafe { touchmark_policy_document_read(view(document), origin, out, error) });
        let expected = if origin == TOUCHMARK_ORIGIN_LOCAL { "UNSUPPORTED" } else { "MALFORMED_POLICY" };
        assert_eq!(failed(read).0, expected);
    }
}
