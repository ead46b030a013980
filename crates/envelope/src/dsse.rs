//! DSSE v1 envelopes (secure-systems-lab/dsse, envelope.md and protocol.md).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::json::{self, Value};
use crate::threshold::Signature;
use crate::verified::Unverified;

/// The payload type of in-toto statements, links and layouts.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";
/// The media type of an envelope as an OCI layer.
pub const MEDIA_TYPE: &str = "application/vnd.dsse.envelope.v1+json";

const READ: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const READ_STANDARD: GeneralPurpose = GeneralPurpose::new(&STANDARD, READ);
const READ_URL_SAFE: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, READ);

/// So many JSON values for each signature that is allowed: an object, its two strings, and members that DSSE does not know.
const VALUES: usize = 16;

/// How large an envelope may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the envelope.
    pub bytes: usize,
    /// Signatures in it.
    pub signatures: usize,
}

impl Default for Limits {
    /// 1 MiB and 128 signatures.
    fn default() -> Self {
        Self { bytes: 1 << 20, signatures: 128 }
    }
}

/// A payload, its type, and signatures over both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The payload, decoded.
    pub payload: Vec<u8>,
    /// What the payload is, such as [`IN_TOTO`].
    pub payload_type: String,
    /// The signatures over [`Envelope::signed_bytes`].
    pub signatures: Vec<Signature>,
}

impl Envelope {
    /// Reads an envelope. Members that DSSE does not know are ignored; base64 may be standard or URL-safe.
    ///
    /// # Errors
    /// Larger than `limits`, not JSON, or not an envelope.
    pub fn parse(bytes: &[u8], limits: Limits) -> Result<Unverified<Self>, DsseError> {
        if bytes.len() > limits.bytes {
            return Err(DsseError::TooLarge { limit: limits.bytes, found: bytes.len() });
        }
        let members = json::members(bytes, limits.bytes)?;
        let value = |wanted: &'static str, values| {
            let (_, text) = members.iter().find(|(name, _)| name == wanted).ok_or(DsseError::Member(wanted))?;
            Ok::<_, DsseError>(json::parse_bounded(text.as_bytes(), text.len(), values)?)
        };
        let string = |wanted| match value(wanted, 1) {
            Ok(Value::String(text)) => Ok(text),
            Ok(_) | Err(DsseError::Json(_)) => Err(DsseError::Member(wanted)),
            Err(error) => Err(error),
        };
        let payload_type = string("payloadType")?.into_owned();
        let signatures = value("signatures", limits.signatures.saturating_mul(VALUES).saturating_add(VALUES))?;
        let listed = signatures.as_array().ok_or(DsseError::Member("signatures"))?;
        if listed.is_empty() {
            return Err(DsseError::NoSignature);
        }
        if listed.len() > limits.signatures {
            return Err(DsseError::TooManySignatures { limit: limits.signatures, found: listed.len() });
        }
        let payload = decode(&string("payload")?).ok_or(DsseError::Base64("payload"))?;
        let mut signatures = Vec::with_capacity(listed.len());
        for one in listed {
            let keyid = match one.get("keyid") {
                None | Some(Value::Null) => None,
                Some(Value::String(id)) if id.is_empty() => None,
                Some(Value::String(id)) => Some(id.as_ref().to_owned()),
                Some(_) => return Err(DsseError::Member("keyid")),
            };
            signatures.push(Signature { keyid, bytes: decode(text(one, "sig")?).ok_or(DsseError::Base64("sig"))? });
        }
        Ok(Unverified::new(Self { payload, payload_type, signatures }))
    }

    /// The bytes that are signed: the pre-authentication encoding of the payload and its type.
    pub fn signed_bytes(&self) -> Vec<u8> {
        pae(&self.payload_type, &self.payload)
    }

    /// The envelope as JSON, in standard base64.
    pub fn to_json(&self) -> Vec<u8> {
        let encode = |bytes: &[u8]| Value::from(base64::engine::general_purpose::STANDARD.encode(bytes));
        let signatures = self.signatures.iter().map(|signature| {
            let keyid = signature.keyid.as_ref().map(|id| ("keyid", Value::from(id.clone())));
            Value::object(keyid.into_iter().chain([("sig", encode(&signature.bytes))]))
        });
        let signatures: Vec<Value<'static>> = signatures.collect();
        Value::object([
            ("payloadType", Value::from(self.payload_type.clone())),
            ("payload", encode(&self.payload)),
            ("signatures", Value::from(signatures)),
        ])
        .to_vec()
    }
}

/// The pre-authentication encoding (DSSE protocol, "Signature Definition").
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    let mut out = Vec::with_capacity(head.len() + payload.len());
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(payload);
    out
}

fn text<'a>(object: &'a Value<'_>, member: &'static str) -> Result<&'a str, DsseError> {
    object.get(member).and_then(Value::as_str).ok_or(DsseError::Member(member))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let url_safe = text.bytes().any(|byte| byte == b'-' || byte == b'_');
    let engine = if url_safe { &READ_URL_SAFE } else { &READ_STANDARD };
    engine.decode(text).ok()
}

/// Why bytes are no envelope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DsseError {
    /// Larger than the limit.
    #[error("the envelope has {found} bytes, more than {limit}")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
        /// The size, in bytes.
        found: usize,
    },
    /// Not JSON as this library reads it.
    #[error("the envelope is no JSON: {0}")]
    Json(#[from] json::Error),
    /// A member is missing or of another type.
    #[error("the envelope's `{0}` is missing or malformed")]
    Member(&'static str),
    /// A member is no base64.
    #[error("the envelope's `{0}` is not base64")]
    Base64(&'static str),
    /// The list of signatures is empty.
    #[error("the envelope has no signature")]
    NoSignature,
    /// More signatures than the limit.
    #[error("the envelope has {found} signatures, more than {limit}")]
    TooManySignatures {
        /// The limit.
        limit: usize,
        /// How many there are.
        found: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Envelope, DsseError> {
        Envelope::parse(text.as_bytes(), Limits::default()).map(Unverified::into_untrusted)
    }

    #[test]
    fn pae_is_the_protocol_s_example() {
        assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn both_alphabets_are_read_and_a_mix_is_not() {
        for payload in ["-_-_", "+/+/"] {
            let text = format!(r#"{{"payloadType":"t","payload":"{payload}","signatures":[{{"sig":"AA=="}},{{"keyid":"","sig":"AA"}}]}}"#);
            let envelope = parse(&text).unwrap();
            assert_eq!(envelope.payload, [0xfb, 0xff, 0xbf]);
            assert_eq!(envelope.signatures[1], Signature { keyid: None, bytes: alloc::vec![0] });
        }
        let mixed = r#"{"payloadType":"t","payload":"-/+_","signatures":[{"sig":"AA"}]}"#;
        assert_eq!(parse(mixed), Err(DsseError::Base64("payload")));
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        assert_eq!(parse(r#"{"payloadType":"t","payload":"","signatures":[]}"#), Err(DsseError::NoSignature));
        assert_eq!(parse(r#"{"payload":"","signatures":[{"sig":""}]}"#), Err(DsseError::Member("payloadType")));
        assert_eq!(parse(r#"{"payloadType":"t","payload":1,"signatures":[{"sig":""}]}"#), Err(DsseError::Member("payload")));
        assert_eq!(parse(r#"{"payloadType":"t","payload":"","signatures":[{"keyid":"a"}]}"#), Err(DsseError::Member("sig")));
        assert_eq!(parse(r#"{"payloadType":"t","payload":"","signatures":{"sig":""}}"#), Err(DsseError::Member("signatures")));
        assert_eq!(parse(r#"{"payloadType":"t","payload":"A\n","signatures":[{"sig":""}]}"#), Err(DsseError::Base64("payload")));
        let twice = r#"{"payloadType":"t","payload":"","payload":"","signatures":[{"sig":""}]}"#;
        assert!(matches!(parse(twice), Err(DsseError::Json(_))));
    }

    #[test]
    fn limits_hold() {
        let text = br#"{"payloadType":"t","payload":"","signatures":[{"sig":""},{"sig":""}]}"#;
        let small = Limits { bytes: text.len() - 1, ..Limits::default() };
        assert!(matches!(Envelope::parse(text, small), Err(DsseError::TooLarge { .. })));
        let few = Limits { signatures: 1, ..Limits::default() };
        assert!(matches!(Envelope::parse(text, few), Err(DsseError::TooManySignatures { limit: 1, found: 2 })));
    }

    #[test]
    fn writing_and_reading_round_trips() {
        let envelope = Envelope {
            payload: (0..=255).collect(),
            payload_type: IN_TOTO.to_owned(),
            signatures: alloc::vec![
                Signature { keyid: Some("k\"1".to_owned()), bytes: alloc::vec![1, 2, 3] },
                Signature { keyid: None, bytes: alloc::vec![] },
            ],
        };
        let read = Envelope::parse(&envelope.to_json(), Limits::default()).unwrap().into_untrusted();
        assert_eq!(read, envelope);
    }
}
