//! Links of steps that are begun and not finished: signed, and taken by no verifier as the link of a step that was done.
//!
//! python's in-toto-record keeps the materials in a link without products, which verifies as soon as somebody gives its file another name.
//! Here it has one product, whose name leads out of its folder and so is no artifact's (SPEC.md, 22.1): a link with it is refused. Whoever
//! finishes the step, python too, puts the products in its place.

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::dsse::{self, Envelope};
use touchmark_envelope::json::{self, Object, Value};
use touchmark_envelope::signed::{Options, Signed};
use touchmark_envelope::threshold::KeySet;
use touchmark_in_toto::{Artifacts, Document, Error, Limits};

/// The product of what is not finished.
const MARK: &str = "../unfinished";

/// Why what was kept cannot be gone on with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnfinishedError {
    /// It is no link.
    #[error(transparent)]
    Malformed(#[from] Error),
    /// Its signature is not by this key.
    #[error("is not signed by this key")]
    Signature,
    /// It is of another step.
    #[error("is of another step")]
    OtherStep,
    /// It has products, or a command: it is finished.
    #[error("is the link of a step that is finished")]
    Finished,
}

/// The link of `step`, begun with these materials.
pub fn unfinished(step: &str, materials: &Artifacts) -> Value<'static> {
    let none = Artifacts::default();
    let link = super::link(step, &[], materials, &none, &super::Byproducts::default());
    let digest = Value::object([(Algorithm::Sha256.name(), Value::from("0".repeat(64)))]);
    let members = link.as_object().into_iter().flat_map(Object::iter).map(|(name, value)| match name {
        "products" => (name.to_owned(), Value::object([(MARK, digest.clone())])),
        _ => (name.to_owned(), value.clone().into_owned()),
    });
    Value::object(members)
}

/// The materials of the link of `step` that one of `keys` signed and did not finish, ours or python's.
///
/// # Errors
/// See [`UnfinishedError`].
pub fn materials_of_unfinished(bytes: Vec<u8>, step: &str, keys: &KeySet) -> Result<Artifacts, UnfinishedError> {
    let limits = Limits::default();
    let signed = Document::parse(bytes.clone(), &limits)?.into_untrusted();
    if signed.signers(keys).keys().is_empty() {
        return Err(UnfinishedError::Signature);
    }
    let text = payload(bytes, &limits)?;
    let link = json::parse(&text, text.len()).map_err(Error::Json)?;
    let link = link.as_object().ok_or(Error::Member("_type"))?;
    let text = |member| link.get(member).and_then(Value::as_str);
    if text("_type") != Some("link") {
        return Err(Error::Member("_type").into());
    }
    if text("name") != Some(step) {
        return Err(UnfinishedError::OtherStep);
    }
    let products = link.get("products").and_then(Value::as_object).ok_or(Error::Member("products"))?;
    let has_command = link.get("command").and_then(Value::as_array).is_some_and(|words| !words.is_empty());
    if has_command || products.iter().any(|(name, _)| name != MARK) {
        return Err(UnfinishedError::Finished);
    }
    let materials = link.get("materials").and_then(Value::as_object).ok_or(Error::Member("materials"))?;
    let mut list: Vec<(&str, Vec<(&str, &str)>)> = Vec::new();
    for (name, digests) in materials.iter() {
        let digests = digests.as_object().ok_or(Error::Member("materials"))?;
        let digests = digests.iter().map(|(algorithm, digest)| Some((algorithm, digest.as_str()?))).collect::<Option<Vec<_>>>();
        list.push((name, digests.ok_or(Error::Member("materials"))?));
    }
    Ok(Artifacts::new(list)?)
}

/// What is signed, as JSON.
fn payload(bytes: Vec<u8>, limits: &Limits) -> Result<Vec<u8>, Error> {
    let is_dsse = json::members(&bytes, bytes.len())?.iter().any(|(name, _)| name == "payload");
    if is_dsse {
        let limits = dsse::Limits { bytes: bytes.len(), signatures: limits.signatures };
        return Ok(Envelope::parse(&bytes, limits)?.into_untrusted().payload);
    }
    let options = Options { max_bytes: bytes.len(), max_signatures: limits.signatures, index: None };
    Ok(Signed::parse(bytes, options)?.into_untrusted().signed_text().as_bytes().to_vec())
}
