//! Envelopes (DSSE): read, and verified by keys.

use std::sync::Arc;

use ::touchmark_envelope::dsse::{Envelope, Limits};
use ::touchmark_envelope::threshold::{Tally, ThresholdError};
use ::touchmark_envelope::{Unverified, Verified};

use crate::array::handle;
use crate::buffer::touchmark_buffer;
use crate::bytes::touchmark_bytes;
use crate::call;
use crate::error::touchmark_error;
use crate::failure::Failure;
use crate::public_key::{artifact_keys, touchmark_public_key};
use crate::status::{TOUCHMARK_STATUS_UNKNOWN, touchmark_status};

/// An envelope that was read, and that nothing vouches for yet. Immutable; any number of threads may use one.
pub struct touchmark_envelope(pub(crate) Arc<Envelope>);

/// What a threshold of keys has signed. There is one only after a verification that succeeded. Immutable; any number of threads may use one.
pub struct touchmark_verified_envelope {
    envelope: Verified<Arc<Envelope>>,
    ids: Vec<String>,
}

/// How large an envelope may be: as large as the decision takes one.
pub(crate) fn limits() -> Limits {
    let decision = touchmark_trust::Limits::default();
    Limits { bytes: usize::try_from(decision.attestation).unwrap_or(usize::MAX), signatures: decision.signatures }
}

/// Reads an envelope of at most 64 MiB and 128 signatures.
///
/// `TOUCHMARK_STATUS_MALFORMED_ENVELOPE` if it is none, `TOUCHMARK_STATUS_TOO_LARGE` beyond that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_envelope_parse(
    envelope: touchmark_bytes,
    out: *mut *mut touchmark_envelope,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about views and outs.
    unsafe {
        call::give(out, error, || {
            let parsed = Envelope::parse(envelope.read("envelope")?, limits())?;
            Ok(touchmark_envelope(Arc::new(parsed.into_untrusted())))
        })
    }
}

/// What the payload is said to be. A view of the envelope; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_envelope_payload_type(envelope: *const touchmark_envelope) -> touchmark_bytes {
    // SAFETY: the caller's promise about handles.
    unsafe { call::view(envelope, |envelope| envelope.0.payload_type.as_bytes()) }
}

/// The payload, which nothing vouches for: to find out what to verify it by, never to act upon. A view of the envelope; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_envelope_untrusted_payload(envelope: *const touchmark_envelope) -> touchmark_bytes {
    // SAFETY: the caller's promise about handles.
    unsafe { call::view(envelope, |envelope| &envelope.0.payload) }
}

/// How many signatures it has, valid or not; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_envelope_signature_count(envelope: *const touchmark_envelope) -> usize {
    // SAFETY: the caller's promise about handles.
    unsafe { call::look(envelope, 0, |envelope| envelope.0.signatures.len()) }
}

/// The key identifier of a signature, a hint that decides nothing; empty if it has none or there is no such signature. A view of the envelope.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_envelope_signature_keyid(envelope: *const touchmark_envelope, index: usize) -> touchmark_bytes {
    // SAFETY: the caller's promise about handles.
    unsafe {
        call::view(envelope, |envelope| {
            let keyid = envelope.0.signatures.get(index).and_then(|signature| signature.keyid.as_deref());
            keyid.unwrap_or_default().as_bytes()
        })
    }
}

/// The envelope as JSON.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_envelope_to_json(
    envelope: *const touchmark_envelope,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe { call::give(out, error, || Ok(touchmark_buffer::new(handle(envelope, "envelope")?.0.to_json()))) }
}

/// Verifies an envelope: so many distinct ones of these keys have signed it (SPEC.md, "Counting"). What the payload means is not looked at.
///
/// `TOUCHMARK_STATUS_THRESHOLD_NOT_REACHED` if fewer have; `TOUCHMARK_STATUS_INVALID_THRESHOLD` if the threshold is zero or above the number
/// of distinct keys; `TOUCHMARK_STATUS_INVALID_KEY` for an RSA key; `TOUCHMARK_STATUS_UNKNOWN` if it has so many signatures that no key
/// identifier explains that not all of them were tried.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_envelope_verify(
    envelope: *const touchmark_envelope,
    keys: *const *const touchmark_public_key,
    count: usize,
    threshold: usize,
    out: *mut *mut touchmark_verified_envelope,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::give(out, error, || {
            let envelope = &handle(envelope, "envelope")?.0;
            let keys = artifact_keys(keys, count)?;
            let mut tally = Tally::new(keys.clone(), threshold)?;
            let signers = keys.signers(&envelope.signed_bytes(), &envelope.signatures);
            tally.count(&signers, || Unverified::new(envelope.clone()));
            let verified = tally.finish().map_err(|missed| missing(missed, signers.gave_up()))?;
            let ids = verified.evidence().keys().iter().map(|key| key.key_id().into_string()).collect();
            Ok(touchmark_verified_envelope { envelope: verified.map(|_| envelope.clone()), ids })
        })
    }
}

fn missing(missed: ThresholdError, gave_up: bool) -> Failure {
    match gave_up {
        true => Failure::new(TOUCHMARK_STATUS_UNKNOWN, "untried", format!("{missed}, and not every signature was tried with every key")),
        false => missed.into(),
    }
}

/// Frees an envelope. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_envelope_free(envelope: *mut touchmark_envelope) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(envelope) }
}

/// The payload, which the keys have signed. A view of the verified envelope; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_verified_envelope_payload(envelope: *const touchmark_verified_envelope) -> touchmark_bytes {
    // SAFETY: the caller's promise about handles.
    unsafe { call::view(envelope, |envelope| &envelope.envelope.get().payload) }
}

/// What the payload is, which the keys have signed too. A view of the verified envelope; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_verified_envelope_payload_type(envelope: *const touchmark_verified_envelope) -> touchmark_bytes {
    // SAFETY: the caller's promise about handles.
    unsafe { call::view(envelope, |envelope| envelope.envelope.get().payload_type.as_bytes()) }
}

/// How many of the keys have signed it, at least the threshold; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_verified_envelope_key_count(envelope: *const touchmark_verified_envelope) -> usize {
    // SAFETY: the caller's promise about handles.
    unsafe { call::look(envelope, 0, |envelope| envelope.ids.len()) }
}

/// The identifier of one of the keys that have signed it, as `touchmark_public_key_id` gives it; empty out of range. A view of the verified
/// envelope.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_verified_envelope_key_id(envelope: *const touchmark_verified_envelope, index: usize) -> touchmark_bytes {
    // SAFETY: the caller's promise about handles.
    unsafe { call::view(envelope, |envelope| envelope.ids.get(index).map(String::as_bytes).unwrap_or_default()) }
}

/// Frees a verified envelope. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_verified_envelope_free(envelope: *mut touchmark_verified_envelope) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(envelope) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::touchmark_buffer_bytes;
    use crate::testing::{Owned, Seen, failed, made, pointers, public, secret, shown, signed, text, view};
    use ::touchmark_envelope::sign::Signer as _;

    fn parse(bytes: &[u8]) -> Result<Owned<touchmark_envelope>, Seen> {
        // SAFETY: the view and the places are the test's.
        made(|out, error| unsafe { touchmark_envelope_parse(view(bytes), out, error) })
    }

    fn verify(envelope: &Owned<touchmark_envelope>, keys: &[u8], threshold: usize) -> Result<Owned<touchmark_verified_envelope>, Seen> {
        let keys: Vec<_> = keys.iter().map(|number| public(*number)).collect();
        let keys = pointers(&keys);
        // SAFETY: the handles are not freed yet, the array and the places are the test's.
        made(|out, error| unsafe { touchmark_envelope_verify(envelope.0, keys.as_ptr(), keys.len(), threshold, out, error) })
    }

    #[test]
    fn an_envelope_is_read_and_written() {
        let bytes = signed(None, &[1, 2], None);
        let envelope = parse(&bytes).unwrap();
        // SAFETY: the handles are not freed yet, the places are the test's.
        unsafe {
            assert_eq!(text(touchmark_envelope_payload_type(envelope.0)), "application/vnd.in-toto+json");
            assert!(text(touchmark_envelope_untrusted_payload(envelope.0)).contains("predicate"));
            assert_eq!(touchmark_envelope_signature_count(envelope.0), 2);
            let keyid = text(touchmark_envelope_signature_keyid(envelope.0, 1));
            assert_eq!(keyid, secret(2).public_key().key_id().as_str());
            assert_eq!(touchmark_envelope_signature_keyid(envelope.0, 2).len, 0);
            let json = made(|out, error| touchmark_envelope_to_json(envelope.0, out, error)).unwrap();
            assert_eq!(shown(touchmark_buffer_bytes(json.0)), bytes);
        }
        for bad in [&b"{}"[..], b"", br#"{"payloadType":"t","payload":"","signatures":[]}"#] {
            assert_eq!(failed(parse(bad)).0, "MALFORMED_ENVELOPE");
        }
    }

    #[test]
    fn distinct_keys_are_counted() {
        let envelope = parse(&signed(None, &[1, 2], None)).unwrap();
        let verified = verify(&envelope, &[3, 2, 1, 2], 2).unwrap();
        drop(envelope);
        // SAFETY: the handle is not freed yet, and what it came from may be.
        unsafe {
            assert!(text(touchmark_verified_envelope_payload(verified.0)).contains("predicate"));
            assert_eq!(text(touchmark_verified_envelope_payload_type(verified.0)), "application/vnd.in-toto+json");
            assert_eq!(touchmark_verified_envelope_key_count(verified.0), 2);
            assert_eq!(text(touchmark_verified_envelope_key_id(verified.0, 0)), secret(2).public_key().key_id().as_str());
            assert_eq!(touchmark_verified_envelope_key_id(verified.0, 2).len, 0);
        }
    }

    #[test]
    fn too_few_keys_and_thresholds_that_cannot_be_are_refused() {
        let envelope = parse(&signed(None, &[1], None)).unwrap();
        assert_eq!(failed(verify(&envelope, &[1, 2], 2)).0, "THRESHOLD_NOT_REACHED");
        assert_eq!(failed(verify(&envelope, &[3], 1)).0, "THRESHOLD_NOT_REACHED");
        for (keys, threshold) in [(&[1][..], 0), (&[1, 1], 2), (&[], 1), (&[1], usize::MAX)] {
            assert_eq!(failed(verify(&envelope, keys, threshold)).0, "INVALID_THRESHOLD");
        }
        let null = std::ptr::null();
        // SAFETY: NULL is refused, in the array too; the places are the test's.
        let verify = |keys, count| made(|out, error| unsafe { touchmark_envelope_verify(envelope.0, keys, count, 1, out, error) });
        assert_eq!(failed(verify(&raw const null, 1)).0, "NULL_POINTER");
        assert_eq!(failed(verify(std::ptr::null(), 1)).0, "NULL_POINTER");
        assert_eq!(failed(verify(&raw const null, usize::MAX)).0, "INVALID_LENGTH");
    }

    #[test]
    fn signatures_that_were_not_all_tried_are_not_known() {
        let mut envelope = Envelope::parse(&signed(None, &[1], None), limits()).unwrap().into_untrusted();
        let hopeless = ::touchmark_envelope::threshold::Signature { keyid: None, bytes: vec![0; 64] };
        envelope.signatures = vec![hopeless; 100];
        let envelope = parse(&envelope.to_json()).unwrap();
        assert_eq!(failed(verify(&envelope, &[2, 3, 4, 5], 1)), ("UNKNOWN", "untried".to_owned()));
    }
}
