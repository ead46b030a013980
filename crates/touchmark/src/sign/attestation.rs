//! Attesting: an envelope over an in-toto statement of another predicate type than a signature's.

use touchmark_envelope::dsse::{self, Envelope};
use touchmark_envelope::json::{self, Value};
use touchmark_envelope::sign::Signer;
use touchmark_envelope::signature::PREDICATE_TYPE;
use touchmark_envelope::statement::{self, Statement};
use touchmark_envelope::{Digest, Name};
use touchmark_oci::referrer::{self, Role};
use touchmark_oci::source::Store;
use touchmark_trust::Limits;

use super::store::{Signed, check_size, subject};
use super::{Signers, SigningError};

/// Bytes of a predicate: the largest that fits into an envelope which verify reads.
pub const MAX_PREDICATE: usize = 48 << 20;

/// Signatures' predicate types of all versions.
const SIGNATURES: &str = "urn:touchmark:predicate:signature:";

/// Attests `predicate` (a JSON object, kept byte for byte) of an artifact of `store`, and attaches the attestation, read back.
///
/// The statement has no time in it: by keys that sign alike each time, the same attestation twice is stored once.
///
/// # Errors
/// The type is that of signatures or no URI, the predicate is no JSON object, the artifact cannot be read, a key does not sign, or
/// the attestation cannot be stored.
pub fn attest(
    store: &dyn Store,
    artifact: &Digest,
    signers: &Signers,
    predicate_type: &str,
    predicate: &[u8],
    name: Option<&Name>,
) -> Result<Signed, SigningError> {
    if signers.is_empty() {
        return Err(SigningError::NoSigner);
    }
    check_type(predicate_type)?;
    let predicate = check_predicate(predicate)?;
    let (subject, _) = subject(store, artifact)?;
    let payload = payload(artifact, predicate_type, predicate, name);
    // Read again as verify will: the predicate lies one level deeper in the statement than in its file.
    Statement::parse(&payload)?;
    let signers: Vec<&dyn Signer> = signers.iter().map(AsRef::as_ref).collect();
    let envelope = Envelope::sign(dsse::IN_TOTO, payload, &signers)?.to_json();
    check_size(&envelope, Limits::default().attestation)?;
    let role = Role::Attestation { predicate_type: predicate_type.to_owned() };
    let attached = referrer::attach(store, &subject, &envelope, &role)?;
    let signed_by = signers.iter().map(|signer| signer.public_key().clone()).collect();
    Ok(Signed { subject, attached: Some(attached), signed_by, already: Vec::new(), envelope: Some(envelope) })
}

/// RFC 3986, section 3: a scheme, a colon, and no spaces or controls.
fn check_type(predicate_type: &str) -> Result<(), SigningError> {
    if predicate_type.starts_with(SIGNATURES) || predicate_type == PREDICATE_TYPE {
        return Err(SigningError::SignatureType);
    }
    let scheme = predicate_type.split_once(':').filter(|(_, rest)| !rest.is_empty()).map(|(scheme, _)| scheme);
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    };
    if scheme.is_some_and(is_scheme) && predicate_type.len() <= 1024 && predicate_type.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(SigningError::PredicateType { found: predicate_type.chars().take(128).collect() })
    }
}

/// The text of the JSON object.
fn check_predicate(predicate: &[u8]) -> Result<&str, SigningError> {
    match json::parse(predicate, MAX_PREDICATE)? {
        Value::Object(object) if object.get("_type").and_then(Value::as_str) == Some(statement::TYPE) => Err(SigningError::WholeStatement),
        // It was read as JSON, so it is UTF-8.
        Value::Object(_) => core::str::from_utf8(predicate.trim_ascii()).map_err(|_| SigningError::PredicateNoObject),
        _ => Err(SigningError::PredicateNoObject),
    }
}

fn payload(artifact: &Digest, predicate_type: &str, predicate: &str, name: Option<&Name>) -> Vec<u8> {
    let digest = Value::object([(artifact.algorithm().name(), Value::from(artifact.hex()))]);
    let name = name.map(|name| ("name", Value::from(name.to_string())));
    let subject = Value::object(name.into_iter().chain([("digest", digest)]));
    let statement = Value::object([
        ("_type", Value::from(statement::TYPE)),
        ("subject", Value::from(vec![subject])),
        ("predicateType", Value::from(predicate_type.to_owned())),
    ]);
    let mut payload = statement.to_vec();
    // In place of the closing brace, so that the predicate keeps its bytes.
    payload.pop();
    payload.extend_from_slice(b",\"predicate\":");
    payload.extend_from_slice(predicate.as_bytes());
    payload.push(b'}');
    payload
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_envelope::digest::{Algorithm, Digests};

    #[test]
    fn a_predicate_keeps_its_bytes() {
        let predicate = b"\n{ \"score\" : 9.80, \"n\":1e400, \"text\":\"\\u00e9\" }\n";
        let text = check_predicate(predicate).unwrap();
        let name = "acme/x:1".parse().unwrap();
        let payload = payload(&Algorithm::Sha256.digest(b"x"), "https://example.com/score", text, Some(&name));
        let statement = Statement::parse(&payload).unwrap();
        assert_eq!(statement.predicate_type, "https://example.com/score");
        assert_eq!(statement.subjects[0].name.as_deref(), Some("acme/x:1"));
        assert!(statement.subjects[0].is_of(&Digests::of(b"x")));
        assert!(String::from_utf8(payload).unwrap().ends_with(r#","predicate":{ "score" : 9.80, "n":1e400, "text":"\u00e9" }}"#));
    }

    #[test]
    fn what_is_no_predicate_is_refused() {
        for (bad, code) in [
            ("", "bad-predicate"),
            ("[]", "bad-predicate"),
            (r#"{"a":1,"a":2}"#, "bad-predicate"),
            (r#"{"_type":"https://in-toto.io/Statement/v1","predicate":{}}"#, "bad-predicate"),
        ] {
            assert_eq!(check_predicate(bad.as_bytes()).unwrap_err().code(), code, "{bad}");
        }
    }

    #[test]
    fn types_are_uris_and_none_is_a_signatures() {
        for good in ["https://slsa.dev/provenance/v1", "urn:x", "https://spdx.dev/Document"] {
            assert!(check_type(good).is_ok(), "{good}");
        }
        for bad in ["", "slsa", ":x", "https:", "https://a b", "1http://x", "https://\u{e9}", "https://x\n"] {
            assert!(matches!(check_type(bad), Err(SigningError::PredicateType { .. })), "{bad}");
        }
        for signature in [PREDICATE_TYPE, "urn:touchmark:predicate:signature:v2"] {
            assert!(matches!(check_type(signature), Err(SigningError::SignatureType)));
        }
    }
}
