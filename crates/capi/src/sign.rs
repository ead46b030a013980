//! Signing: envelopes over a payload, or over the statement about a manifest.

use std::sync::Arc;

use ::touchmark_envelope::dsse::{self, DsseError, Envelope};
use ::touchmark_envelope::manifest::Manifest;
use ::touchmark_envelope::name::NameError;
use ::touchmark_envelope::signature::{MAX_ANNOTATIONS, Signature};
use touchmark_trust::Limits;

use crate::array::{handle, pairs};
use crate::bytes::{touchmark_bytes, touchmark_pair};
use crate::call;
use crate::envelope::{limits, touchmark_envelope};
use crate::error::touchmark_error;
use crate::failure::Failure;
use crate::signer::{signers, touchmark_signer};
use crate::status::{TOUCHMARK_STATUS_INVALID_TIME, TOUCHMARK_STATUS_TOO_LARGE, touchmark_status};
use crate::time::time;

/// Signs a payload with each of the signers, once with each key.
///
/// `TOUCHMARK_STATUS_CALLBACK_FAILED` if a function of the caller does not sign, with its status in the error's JSON;
/// `TOUCHMARK_STATUS_BAD_SIGNATURE` if what it gives is no signature by its key; `TOUCHMARK_STATUS_TOO_LARGE` for an envelope that no
/// verifier would read; `TOUCHMARK_STATUS_INVALID_ARGUMENT` without a signer or a payload type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_envelope_sign(
    payload_type: touchmark_bytes,
    payload: touchmark_bytes,
    with: *const *const touchmark_signer,
    count: usize,
    out: *mut *mut touchmark_envelope,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views, outs and callbacks.
    unsafe {
        call::give(out, error, || {
            let (payload_type, payload) = (payload_type.text("payload type")?, payload.read("payload")?);
            if payload_type.is_empty() {
                return Err(Failure::argument("the payload type is empty"));
            }
            signed(payload_type, payload.to_vec(), &signers(with, count)?, limits())
        })
    }
}

/// The same envelope with one more signature, over the same payload; the same signatures if the key has signed it already. Nothing of the
/// payload is looked at: a program that signs what others made reads it first. Statuses are those of `touchmark_envelope_sign`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_envelope_add_signature(
    envelope: *const touchmark_envelope,
    with: *const touchmark_signer,
    out: *mut *mut touchmark_envelope,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, outs and callbacks.
    unsafe {
        call::give(out, error, || {
            let mut envelope = handle(envelope, "envelope")?.0.as_ref().clone();
            handle(with, "signer")?.add_to(&mut envelope)?;
            checked(envelope, limits())
        })
    }
}

/// Signs a manifest: an envelope over Touchmark's statement about it (SPEC.md, "Statements and the signature predicate").
///
/// `media_type` is empty, or what the manifest itself says. `name` is empty, or the NAME or NAME:VERSION that the signer gives it.
/// `issued` is now; from `expires` on the signature does not count, 0 for never.
///
/// `TOUCHMARK_STATUS_MALFORMED` if it is no manifest; `TOUCHMARK_STATUS_INVALID_ARGUMENT` for another media type than the manifest's, a key
/// of an annotation twice, or more than 256 of them; `TOUCHMARK_STATUS_INVALID_TIME` if it would expire before it was issued; others as for
/// `touchmark_envelope_sign`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_sign_manifest(
    manifest: touchmark_bytes,
    media_type: touchmark_bytes,
    name: touchmark_bytes,
    annotations: *const touchmark_pair,
    annotation_count: usize,
    issued: i64,
    expires: i64,
    with: *const *const touchmark_signer,
    count: usize,
    out: *mut *mut touchmark_envelope,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views, outs and callbacks.
    unsafe {
        call::give(out, error, || {
            let with = signers(with, count)?;
            let manifest = manifest.read("manifest")?;
            let media_type = described(manifest, media_type.optional_text("media type")?)?;
            let mut signature = Signature::of(manifest, &media_type, time(issued, "time of issue")?);
            if let Some(name) = name.optional_text("name")? {
                signature.name = Some(name.parse().map_err(|error: NameError| Failure::from(error))?);
            }
            if expires != 0 {
                let expires = time(expires, "time of expiry")?;
                if expires <= signature.issued {
                    let message = format!("the signature would expire at {expires}, and is issued at {}", signature.issued);
                    return Err(Failure::new(TOUCHMARK_STATUS_INVALID_TIME, "expires-before-issue", message));
                }
                signature.expires = Some(expires);
            }
            for (key, value) in pairs(annotations, annotation_count, "annotation")? {
                if signature.annotations.insert(key.to_owned(), value.to_owned()).is_some() {
                    return Err(Failure::argument(format!("the annotation {key} is given twice")));
                }
            }
            if signature.annotations.len() > MAX_ANNOTATIONS {
                return Err(Failure::argument(format!("there are more than {MAX_ANNOTATIONS} annotations")));
            }
            signed(dsse::IN_TOTO, signature.to_json(), &with, dsse::Limits::default())
        })
    }
}

/// The media type of a manifest, which must be the given one.
fn described(manifest: &[u8], given: Option<&str>) -> Result<String, Failure> {
    let limit = Limits::default().manifest;
    if u64::try_from(manifest.len()).is_ok_and(|size| size > limit) {
        return Err(Failure::new(TOUCHMARK_STATUS_TOO_LARGE, "limit", format!("the manifest has more than {limit} bytes")));
    }
    let found = Manifest::parse(manifest)?.media_type;
    match given {
        Some(given) if given != found => Err(Failure::argument(format!("the manifest is of type {found}, and {given} was given"))),
        _ => Ok(found),
    }
}

fn signed(
    payload_type: &str,
    payload: Vec<u8>,
    signers: &[&touchmark_signer],
    limits: dsse::Limits,
) -> Result<touchmark_envelope, Failure> {
    let mut envelope = Envelope { payload, payload_type: payload_type.to_owned(), signatures: Vec::new() };
    for signer in signers {
        signer.add_to(&mut envelope)?;
    }
    checked(envelope, limits)
}

/// The envelope, if a verifier reads one of its size.
fn checked(envelope: Envelope, limits: dsse::Limits) -> Result<touchmark_envelope, Failure> {
    let (found, signatures) = (envelope.to_json().len(), envelope.signatures.len());
    if found > limits.bytes {
        return Err(DsseError::TooLarge { limit: limits.bytes, found }.into());
    }
    if signatures > limits.signatures {
        return Err(DsseError::TooManySignatures { limit: limits.signatures, found: signatures }.into());
    }
    Ok(touchmark_envelope(Arc::new(envelope)))
}
