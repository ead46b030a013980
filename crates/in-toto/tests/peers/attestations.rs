//! Statements that are written here, and those that are refused, beside the attestation framework's own bindings.

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::{Value, parse};
use touchmark_envelope::statement::Statement;
use touchmark_envelope::{Digest, UnixTime};
use touchmark_in_toto::predicate::{self, Predicate, ResourceDescriptor, svr, vsa};

use crate::python::Peer;

fn digest() -> Digest {
    Algorithm::Sha256.digest(b"x")
}

/// Whether the bindings take it.
fn is_valid(peer: &mut Peer, text: &str) -> bool {
    let answer = peer.ask(&Value::object([("op", Value::from("statement")), ("text", Value::from(text.to_owned()))]));
    answer.get("valid").and_then(Value::as_bool).unwrap_or_else(|| panic!("{answer:?}"))
}

/// Whether it is taken here.
fn is_read(text: &str) -> bool {
    let Ok(statement) = Statement::parse(text.as_bytes()) else { return false };
    let subjects = predicate::subjects(&parse(text.as_bytes(), text.len()).unwrap());
    subjects.is_ok() && Predicate::parse(&statement.predicate_type, statement.predicate).is_ok()
}

fn summary() -> String {
    let at = UnixTime::parse_signed("2030-01-01T00:00:00Z").unwrap();
    let policy = ResourceDescriptor::at("https://example.com/policy", Some(&digest()));
    let new = |policy| {
        vsa::Summary::new(vsa::Outcome::Passed, "https://example.com/verifier", "pkg:oci/x@1", policy, at, &["SLSA_BUILD_LEVEL_3"])
    };
    let mut summary = new(policy).unwrap();
    // The bindings have no other members than these two.
    summary.input_attestations.push(ResourceDescriptor::at("https://example.com/build.json", Some(&digest())));
    summary.dependency_levels.insert("SLSA_BUILD_LEVEL_1".into(), 3);
    summary.slsa_version = Some("1.0".into());
    String::from_utf8(summary.statement(&[ResourceDescriptor::of(Some("x"), &digest())]).unwrap()).unwrap()
}

#[test]
fn what_is_written_here_is_read_by_the_framework_s_bindings() {
    let Some(mut peer) = Peer::start() else { return };
    let at = UnixTime::parse_signed("2030-01-01T00:00:00Z").unwrap();
    let result = svr::Result::new("https://example.com/verifier", Vec::new(), at, &["A"]).unwrap();
    let result = result.statement(&[ResourceDescriptor::of(None, &digest())]).unwrap();
    for text in [summary(), String::from_utf8(result).unwrap()] {
        assert!(is_read(&text) && is_valid(&mut peer, &text), "{text}");
    }
}

#[test]
fn what_the_framework_s_bindings_refuse_is_refused_here() {
    let Some(mut peer) = Peer::start() else { return };
    let text = summary();
    let hex = digest().hex();
    for (from, to) in [
        ("Statement/v1", "Statement/v0.1"),
        (&*format!(r#""digest":{{"sha256":"{hex}"}}}}],"predicateType""#), r#""uri":"x:y"}],"predicateType""#),
        (&*format!(r#"[{{"name":"x","digest":{{"sha256":"{hex}"}}}}]"#), "[]"),
        (r#""predicateType":"https://slsa.dev/verification_summary/v1""#, r#""predicateType":1"#),
        (r#""timeVerified":"2030-01-01T00:00:00Z""#, r#""timeVerified":"yesterday""#),
        (r#""verifier":{"#, r#""verifier":[],"other":{"#),
    ] {
        let bad = text.replacen(from, to, 1);
        assert_ne!(bad, text, "{from}");
        assert!(!is_valid(&mut peer, &bad) && !is_read(&bad), "{bad}");
    }
}
