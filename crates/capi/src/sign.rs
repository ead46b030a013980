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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::touchmark_pair;
    use crate::envelope::{touchmark_envelope_signature_count, touchmark_envelope_untrusted_payload};
    use crate::private_key::{touchmark_private_key, touchmark_private_key_read};
    use crate::public_key::touchmark_public_key;
    use crate::signer::{touchmark_signer_from_callback, touchmark_signer_from_key};
    use crate::sink::{touchmark_sink, touchmark_sink_append, touchmark_sink_fail};
    use crate::testing::{MANIFEST, NOW, Owned, Seen, failed, made, pointers, public, secret, shown, view};
    use ::touchmark_envelope::UnixTime;
    use ::touchmark_envelope::sign::Signer as _;
    use ::touchmark_envelope::statement::Statement;
    use std::ffi::c_void;

    fn private(number: u8) -> Owned<touchmark_private_key> {
        let pem = secret(number).to_pem();
        // SAFETY: the views and the places are the test's.
        made(|out, error| unsafe { touchmark_private_key_read(view(pem.as_bytes()), touchmark_bytes::EMPTY, out, error) }).unwrap()
    }

    fn signer(number: u8) -> Owned<touchmark_signer> {
        let key = private(number);
        // SAFETY: the key is not freed yet, the places are the test's.
        made(|out, error| unsafe { touchmark_signer_from_key(key.0, out, error) }).unwrap()
    }

    fn sign(signers: &[Owned<touchmark_signer>]) -> Result<Owned<touchmark_envelope>, Seen> {
        let signers = pointers(signers);
        // SAFETY: the signers are not freed yet, the views, the array and the places are the test's.
        made(|out, error| unsafe {
            touchmark_envelope_sign(view("text/plain"), view("hello"), signers.as_ptr(), signers.len(), out, error)
        })
    }

    fn count(envelope: &Owned<touchmark_envelope>) -> usize {
        // SAFETY: the envelope is not freed yet.
        unsafe { touchmark_envelope_signature_count(envelope.0) }
    }

    #[test]
    fn each_key_signs_once() {
        let envelope = sign(&[signer(1), signer(2), signer(1)]).unwrap();
        assert_eq!(count(&envelope), 2);
        // SAFETY: the handles are not freed yet, the places are the test's.
        let add = |number| unsafe {
            let signer = signer(number);
            made(|out, error| touchmark_envelope_add_signature(envelope.0, signer.0, out, error)).unwrap()
        };
        assert_eq!((count(&add(2)), count(&add(3)), count(&envelope)), (2, 3, 2));
        assert_eq!(failed(sign(&[])).0, "INVALID_ARGUMENT");
    }

    /// What the function does when it is asked.
    enum Deed {
        Sign,
        SignWithAnother,
        Refuse,
        /// It signs, says why it fails, and returns success.
        SignAndRefuse,
        Flood,
        Nothing,
    }

    unsafe extern "C" fn asked(userdata: *mut c_void, message: touchmark_bytes, sink: *mut touchmark_sink) -> touchmark_status {
        // SAFETY: the test hands its own deed; the view and the sink are the library's and live during the call.
        unsafe {
            let by = |number: u8| touchmark_sink_append(sink, view(&secret(number).sign(message.read("message").unwrap()).unwrap()));
            match &*userdata.cast::<Deed>() {
                Deed::Sign => by(1),
                Deed::SignWithAnother => by(2),
                Deed::Refuse => {
                    touchmark_sink_fail(sink, view("the token is locked"));
                    77
                }
                Deed::SignAndRefuse => {
                    touchmark_sink_fail(sink, view("the user said no"));
                    by(1)
                }
                Deed::Flood => {
                    touchmark_sink_append(sink, view(&[0; 2000]));
                    0
                }
                Deed::Nothing => 0,
            }
        }
    }

    fn by_function(key: &Owned<touchmark_public_key>, deed: &Deed) -> Owned<touchmark_signer> {
        let userdata = std::ptr::from_ref(deed).cast_mut().cast();
        // SAFETY: the key is not freed yet, the deed lives longer than the signer, the places are the test's.
        made(|out, error| unsafe { touchmark_signer_from_callback(key.0, Some(asked), userdata, out, error) }).unwrap()
    }

    #[test]
    fn what_a_function_signs_is_verified_before_it_is_used() {
        let key = public(1);
        assert_eq!(count(&sign(&[by_function(&key, &Deed::Sign)]).unwrap()), 1);
        for (deed, status, code) in [
            (Deed::SignWithAnother, "BAD_SIGNATURE", "signer-wrong-signature"),
            (Deed::Nothing, "BAD_SIGNATURE", "signer-wrong-signature"),
            (Deed::Flood, "CALLBACK_FAILED", "signer-refused"),
            (Deed::Refuse, "CALLBACK_FAILED", "signer-refused"),
            (Deed::SignAndRefuse, "CALLBACK_FAILED", "signer-refused"),
        ] {
            assert_eq!(failed(sign(&[by_function(&key, &deed)])), (status, code.to_owned()));
        }
        let Err(seen) = sign(&[by_function(&key, &Deed::Refuse)]) else { panic!("it signed") };
        assert!(seen.message.contains("the token is locked") && seen.json.contains(r#""callback_status":77"#), "{seen:?}");
        // SAFETY: NULL is refused.
        let null = made(|out, error| unsafe { touchmark_signer_from_callback(key.0, None, std::ptr::null_mut(), out, error) });
        assert_eq!(failed(null).0, "NULL_POINTER");
    }

    fn sign_manifest(manifest: &[u8], media_type: &str, name: &str, pairs: &[(&str, &str)], expires: i64) -> Result<Signature, Seen> {
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| touchmark_pair { key: view(key), value: view(value) }).collect();
        let with = [signer(1)];
        let signers = pointers(&with);
        // SAFETY: the signers are not freed yet, the views, the arrays and the places are the test's; nor is the envelope when it is read.
        unsafe {
            let envelope = made(|out, error| {
                let (pairs, count) = (pairs.as_ptr(), pairs.len());
                let (manifest, media_type, name) = (view(manifest), view(media_type), view(name));
                touchmark_sign_manifest(manifest, media_type, name, pairs, count, NOW, expires, signers.as_ptr(), 1, out, error)
            })?;
            let payload = shown(touchmark_envelope_untrusted_payload(envelope.0));
            Ok(Signature::from_statement(&Statement::parse(&payload).unwrap()).unwrap())
        }
    }

    #[test]
    fn a_manifest_is_signed_by_what_it_says_of_itself() {
        let said = sign_manifest(MANIFEST, "", "acme/x:1", &[("a", "b"), ("c", "")], NOW + 1).unwrap();
        let mut expected = Signature::of(MANIFEST, ::touchmark_envelope::manifest::IMAGE_MANIFEST, UnixTime::from_seconds(NOW).unwrap());
        expected.name = Some("acme/x:1".parse().unwrap());
        expected.expires = UnixTime::from_seconds(NOW + 1);
        expected.annotations = [("a", "b"), ("c", "")].map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        assert_eq!(said, expected);
        let bare = sign_manifest(MANIFEST, &expected.media_type, "", &[], 0).unwrap();
        assert_eq!((bare.name, bare.expires), (None, None));
    }

    #[test]
    fn nothing_is_signed_that_could_not_be_verified() {
        let index = ::touchmark_envelope::manifest::IMAGE_INDEX;
        for (failure, status) in [
            (sign_manifest(b"{}", "", "", &[], 0), "MALFORMED"),
            (sign_manifest(MANIFEST, index, "", &[], 0), "INVALID_ARGUMENT"),
            (sign_manifest(MANIFEST, "", "acme", &[], 0), "INVALID_NAME"),
            (sign_manifest(MANIFEST, "", "", &[("a", "b"), ("a", "b")], 0), "INVALID_ARGUMENT"),
            (sign_manifest(MANIFEST, "", "", &[], NOW), "INVALID_TIME"),
            (sign_manifest(MANIFEST, "", "", &[], -1), "INVALID_TIME"),
            (sign_manifest(&[b' '; 5 << 20], "", "", &[], 0), "TOO_LARGE"),
        ] {
            assert_eq!(failed(failure).0, status);
        }
    }
}
