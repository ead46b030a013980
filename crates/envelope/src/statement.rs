//! in-toto Statement v1 (in-toto/attestation, spec/v1/statement.md).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::digest::{Algorithm, Digest, DigestError, Digests};
use crate::json::{self, Value};

/// The `_type` of a Statement v1.
pub const TYPE: &str = "https://in-toto.io/Statement/v1";

/// A statement about subjects: a predicate and its type.
#[derive(Clone, Debug)]
pub struct Statement<'a> {
    /// What the predicate means.
    pub predicate_type: String,
    /// What it is said about; at least one.
    pub subjects: Vec<Subject>,
    /// What is said: the text of a JSON object, found well-formed but not built, since it may be large.
    pub predicate: Option<&'a str>,
}

/// One subject of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its name, uninterpreted.
    pub name: Option<String>,
    /// Its digests of supported algorithms. Others are no evidence of anything and are left out.
    pub digests: Vec<Digest>,
}

impl Subject {
    /// Whether at least one supported digest is listed and every one listed is among `digests`.
    pub fn is_of(&self, digests: &Digests) -> bool {
        !self.digests.is_empty() && self.digests.iter().all(|digest| digests.contain(digest))
    }
}

impl<'a> Statement<'a> {
    /// Reads a statement from an envelope's payload. Members that the framework does not know are ignored.
    ///
    /// # Errors
    /// Not JSON, another `_type`, or a required member missing or malformed.
    pub fn parse(payload: &'a [u8]) -> Result<Self, StatementError> {
        let members = json::members(payload, payload.len())?;
        let text = |wanted: &str| members.iter().find(|(name, _)| name == wanted).map(|(_, text)| *text);
        let value = |wanted| text(wanted).map(|text| json::parse(text.as_bytes(), text.len())).transpose();
        match value("_type")?.as_ref().and_then(Value::as_str) {
            Some(TYPE) => {}
            Some(found) => return Err(StatementError::Type { found: found.chars().take(128).collect() }),
            None => return Err(StatementError::Member("_type")),
        }
        let predicate_type = value("predicateType")?;
        let predicate_type = predicate_type.as_ref().and_then(Value::as_str).ok_or(StatementError::Member("predicateType"))?.to_owned();
        let listed = value("subject")?;
        let listed = listed.as_ref().and_then(Value::as_array).ok_or(StatementError::Member("subject"))?;
        if listed.is_empty() {
            return Err(StatementError::Member("subject"));
        }
        let subjects = listed.iter().map(subject).collect::<Result<_, _>>()?;
        let predicate = match text("predicate") {
            None => None,
            Some(object) if object.starts_with('{') => Some(object),
            Some(_) => return Err(StatementError::Member("predicate")),
        };
        Ok(Self { predicate_type, subjects, predicate })
    }
}

fn subject(value: &Value<'_>) -> Result<Subject, StatementError> {
    let name = match value.get("name") {
        None => None,
        Some(Value::String(name)) if name.is_empty() => None,
        Some(Value::String(name)) => Some(name.as_ref().to_owned()),
        Some(_) => return Err(StatementError::Member("subject name")),
    };
    let listed = value.get("digest").and_then(Value::as_object).ok_or(StatementError::Member("subject digest"))?;
    let mut digests = Vec::new();
    for (algorithm, hex) in listed.iter() {
        let hex = hex.as_str().ok_or(StatementError::Member("subject digest"))?;
        if let Some(algorithm) = Algorithm::from_name(algorithm) {
            digests.push(Digest::from_hex(algorithm, hex)?);
        }
    }
    Ok(Subject { name, digests })
}

/// Why a payload is no Statement v1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// Not JSON as this library reads it.
    #[error("the statement is no JSON: {0}")]
    Json(#[from] json::Error),
    /// Another type than Statement v1.
    #[error("the payload is of type `{}`, not {TYPE}", found.escape_debug())]
    Type {
        /// What `_type` says, at most 128 characters of it.
        found: String,
    },
    /// A member is missing or malformed.
    #[error("the statement's {0} is missing or malformed")]
    Member(&'static str),
    /// A sha256 or sha512 that is none.
    #[error("the statement's subject digest is malformed: {0}")]
    Digest(#[from] DigestError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn with_subject(subject: &str) -> String {
        format!(r#"{{"_type":"{TYPE}","predicateType":"p","subject":[{subject}],"predicate":{{"score":9.80}}}}"#)
    }

    #[test]
    fn predicates_keep_their_text() {
        let text = with_subject(r#"{"digest":{"gitCommit":"abc"}}"#);
        let statement = Statement::parse(text.as_bytes()).unwrap();
        assert_eq!(statement.predicate, Some(r#"{"score":9.80}"#));
        assert_eq!(statement.subjects[0].digests, []);
    }

    #[test]
    fn a_subject_is_of_bytes_if_every_supported_digest_is() {
        let (good, other) = (Algorithm::Sha256.digest(b"x").hex(), Algorithm::Sha512.digest(b"y").hex());
        let is_of_x = |digests: &str| {
            let text = with_subject(&format!(r#"{{"digest":{{{digests}}}}}"#));
            Statement::parse(text.as_bytes()).unwrap().subjects[0].is_of(&Digests::of(b"x"))
        };
        assert!(is_of_x(&format!(r#""sha256":"{good}","md5":"00""#)));
        assert!(!is_of_x(&format!(r#""sha256":"{good}","sha512":"{other}""#)));
        assert!(!is_of_x(r#""md5":"9dd4e461268c8034f5c8564e155c67a6""#));
        assert!(!is_of_x(""));
    }

    #[test]
    fn what_is_no_statement_is_refused() {
        for bad in [
            "[]".to_owned(),
            "{}".to_owned(),
            r#"{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"p","subject":[{"digest":{}}]}"#.to_owned(),
            format!(r#"{{"_type":"{TYPE}","subject":[{{"digest":{{}}}}]}}"#),
            format!(r#"{{"_type":"{TYPE}","predicateType":"p","subject":[]}}"#),
            with_subject(r#"{"name":"x"}"#),
            with_subject(r#"{"digest":{"sha256":"00"}}"#),
            with_subject(r#"{"digest":{"sha256":1}}"#),
            with_subject(r#"{"name":1,"digest":{}}"#),
            with_subject(r#"{"name":null,"digest":{}}"#),
            with_subject(r#"{"digest":{}}"#).replace(r#"{"score":9.80}"#, "[]"),
            with_subject(r#"{"digest":{}}"#).replace(r#"{"score":9.80}"#, "null"),
            with_subject(r#"{"digest":{}}"#).replace("9.80", "9.80,\"score\":1"),
        ] {
            assert!(Statement::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
