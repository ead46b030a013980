//! Signed metadata, in either of its envelopes (in-toto 1.0, 4.1; ITE-5).

use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::Unverified;
use touchmark_envelope::digest::{Algorithm, Digest};
use touchmark_envelope::dsse::{self, Envelope};
use touchmark_envelope::json::{self, Value};
use touchmark_envelope::signed::{Options, Signed};
use touchmark_envelope::threshold::{KeySet, Signature, Signers};

use crate::attestation;
use crate::error::{Error, cut};
use crate::layout::Layout;
use crate::limits::Limits;
use crate::link::Link;
use crate::parameters::Parameters;

/// At most so many bytes are hashed to check the signatures of one document, of which each check takes as many as the document has and
/// [`PER_CHECK`] more.
const MAX_WORK: u64 = 1 << 30;
/// What a check costs beside the bytes that are hashed, in bytes.
const PER_CHECK: u64 = 64 << 10;
/// So many JSON values are read for each signature that is allowed, where certificates are looked for.
const MAX_SIGNATURE_VALUES: usize = 16;
/// So many checks are made of a document of any length.
const LEAST_CHECKS: u64 = 16;

/// Metadata as it was received, with its signatures.
#[derive(Clone, Debug)]
pub struct Document {
    form: Form,
    /// What stands as `cert` beside signatures (ITE-7), each with the place of its signature.
    certificates: Vec<(usize, String)>,
}

#[derive(Clone, Debug)]
enum Form {
    /// `{signed, signatures}`: what is signed is the canonical JSON of what was received, not of what was understood of it.
    Legacy(Signed),
    /// What is signed is the payload's bytes.
    Dsse(Envelope),
}

/// What a document says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A layout.
    Layout,
    /// A layout over attestations.
    AttestationLayout,
    /// A link.
    Link,
    /// A Statement v1, which vouches for a step if its predicate is a link.
    Statement,
}

impl Document {
    /// Reads the envelope of a layout or a link.
    ///
    /// # Errors
    /// Larger than the limits, no strict JSON, neither or both of the two forms, a payload of another type.
    pub fn parse(bytes: Vec<u8>, limits: &Limits) -> Result<Unverified<Self>, Error> {
        let found = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if found > limits.file {
            return Err(Error::TooLarge { limit: limits.file, found });
        }
        let members = json::members(&bytes, bytes.len())?;
        let has = |wanted| members.iter().any(|(name, _)| name == wanted);
        let (dsse, legacy) = (has("payload"), has("signed"));
        let certificates = certificates(members.iter().find(|(name, _)| name == "signatures").map(|(_, text)| *text), limits);
        let form = match (dsse, legacy) {
            (true, false) => {
                let limits = dsse::Limits { bytes: bytes.len(), signatures: limits.signatures };
                let envelope = Envelope::parse(&bytes, limits)?.into_untrusted();
                if envelope.payload_type != dsse::IN_TOTO {
                    return Err(Error::PayloadType { found: cut(&envelope.payload_type, 128) });
                }
                Form::Dsse(envelope)
            }
            (false, true) => {
                let options = Options { max_bytes: bytes.len(), max_signatures: limits.signatures, index: None };
                Form::Legacy(Signed::parse(bytes, options)?.into_untrusted())
            }
            (both, _) => return Err(Error::Envelope { both }),
        };
        Ok(Unverified::new(Self { form, certificates }))
    }

    /// Which of `keys` signed it, found with a bounded number of checks.
    pub fn signers(&self, keys: &KeySet) -> Signers {
        let message = self.message();
        // A key is checked at the price of hashing the document, so that a large one with many hopeless signatures would keep a verifier
        // busy.
        let length = u64::try_from(message.len()).unwrap_or(u64::MAX);
        let most = (MAX_WORK / length.saturating_add(PER_CHECK)).max(LEAST_CHECKS);
        keys.signers_within(&message, self.signatures(), usize::try_from(most).unwrap_or(usize::MAX))
    }

    /// A digest of what is signed, whoever signs it and however it is written down.
    pub fn digest(&self) -> Digest {
        Algorithm::Sha256.digest(&self.message())
    }

    /// The bytes that the signatures are over.
    pub(crate) fn message(&self) -> Cow<'_, [u8]> {
        match &self.form {
            Form::Legacy(signed) => Cow::Borrowed(signed.signed_bytes()),
            Form::Dsse(envelope) => Cow::Owned(envelope.signed_bytes()),
        }
    }

    /// The certificates that stand beside signatures, each with its signature. Nothing vouches for either.
    pub(crate) fn certificates(&self) -> impl Iterator<Item = (&Signature, &str)> {
        self.certificates.iter().filter_map(|(place, text)| Some((self.signatures().get(*place)?, text.as_str())))
    }

    /// Its signatures, which nothing vouches for.
    pub fn signatures(&self) -> &[Signature] {
        match &self.form {
            Form::Legacy(signed) => signed.signatures(),
            Form::Dsse(envelope) => &envelope.signatures,
        }
    }

    /// Whether a signature is one of GnuPG, which none is checked of: only the form without an envelope of its own has them.
    pub fn is_signed_by_gpg(&self) -> bool {
        let Form::Legacy(signed) = &self.form else { return false };
        let Ok(members) = json::members(signed.bytes(), signed.bytes().len()) else { return false };
        let signatures = members.iter().find(|(name, _)| name == "signatures").map(|(_, text)| *text).unwrap_or_default();
        let signatures = json::parse(signatures.as_bytes(), signatures.len());
        let gpg = |signature: &Value<'_>| signature.get("other_headers").is_some();
        signatures.is_ok_and(|signatures| signatures.as_array().is_some_and(|all| all.iter().any(gpg)))
    }

    /// What it says it is.
    ///
    /// # Errors
    /// No strict JSON, or neither a layout nor a link.
    pub fn kind(&self) -> Result<Kind, Error> {
        let text = self.text()?;
        let members = json::members(text.as_bytes(), text.len())?;
        let found = members.iter().find(|(name, _)| name == "_type").map(|(_, text)| *text).ok_or(Error::Member("_type"))?;
        match json::parse_bounded(found.as_bytes(), found.len(), 1).as_ref().map(Value::as_str) {
            Ok(Some("layout")) => Ok(Kind::Layout),
            Ok(Some("link")) => Ok(Kind::Link),
            Ok(Some(attestation::LAYOUT_TYPE)) if matches!(self.form, Form::Dsse(_)) => Ok(Kind::AttestationLayout),
            // A statement is signed in a DSSE envelope and in nothing else.
            Ok(Some(found)) if Link::is_statement(found) && matches!(self.form, Form::Dsse(_)) => Ok(Kind::Statement),
            Ok(Some(found)) => Err(Error::Type { expected: "layout or link", found: cut(found, 128) }),
            _ => Err(Error::Member("_type")),
        }
    }

    /// The link that it is.
    ///
    /// # Errors
    /// It is none, or a malformed one.
    pub fn link(&self) -> Result<Link, Error> {
        match self.kind()? {
            Kind::Link => Link::read(self.text()?),
            Kind::Statement => Link::read_statement(self.text()?),
            Kind::Layout | Kind::AttestationLayout => Err(Error::Type { expected: "link", found: "layout".into() }),
        }
    }

    /// The layout that it is, with the values of `parameters` in it.
    ///
    /// # Errors
    /// It is none, or a malformed one.
    pub fn layout(&self, parameters: &Parameters) -> Result<Layout, Error> {
        match self.kind()? {
            Kind::Layout => Layout::read(self.text()?, parameters),
            Kind::AttestationLayout => attestation::layout(self.text()?, parameters),
            Kind::Link => Err(Error::Type { expected: "layout", found: "link".into() }),
            Kind::Statement => Err(Error::Type { expected: "layout", found: "statement".into() }),
        }
    }

    /// The statement that it is, as text.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn statement(&self) -> Result<&str, Error> {
        let found = match self.kind()? {
            Kind::Statement => return self.text(),
            Kind::Link => "link",
            Kind::Layout | Kind::AttestationLayout => "layout",
        };
        Err(Error::Type { expected: "statement", found: found.into() })
    }

    /// What is signed, as text: for the form with canonical JSON what was received, which has the same members.
    fn text(&self) -> Result<&str, Error> {
        match &self.form {
            Form::Legacy(signed) => Ok(signed.signed_text()),
            Form::Dsse(envelope) => core::str::from_utf8(&envelope.payload).map_err(|error| {
                let offset = error.valid_up_to();
                Error::Json(json::Error { kind: json::Kind::Utf8, offset })
            }),
        }
    }
}

/// What stands as `cert` beside signatures, and where. Envelopes are read without it: only here anybody asks.
fn certificates(signatures: Option<&str>, limits: &Limits) -> Vec<(usize, String)> {
    let values = limits.signatures.saturating_mul(MAX_SIGNATURE_VALUES).saturating_add(1);
    let signatures = signatures.and_then(|text| json::parse_bounded(text.as_bytes(), text.len(), values).ok());
    let listed = signatures.as_ref().and_then(Value::as_array).unwrap_or_default();
    let text = |one: &Value<'_>| one.get("cert").and_then(Value::as_str).filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    listed.iter().enumerate().filter_map(|(place, one)| Some((place, text(one)?))).collect()
}
