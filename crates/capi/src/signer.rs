//! Signers: a private key, or a function of the caller.

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::Arc;

use touchmark_envelope::dsse::Envelope;
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::sign::{PrivateKey, SignError, Signer};

use crate::array::{handle, handles};
use crate::bytes::{null, touchmark_bytes};
use crate::call;
use crate::error::touchmark_error;
use crate::failure::Failure;
use crate::private_key::touchmark_private_key;
use crate::public_key::touchmark_public_key;
use crate::sink::touchmark_sink;
use crate::status::{TOUCHMARK_STATUS_CALLBACK_FAILED, TOUCHMARK_STATUS_OK, touchmark_status};

/// No signature that is made here is longer.
const MAX_SIGNATURE: u64 = 1024;

/// A function of the caller that signs: appends the signature of `message` to `signature`, raw for Ed25519, in DER for ECDSA (which hashes
/// the message by itself), and returns `TOUCHMARK_STATUS_OK`; any other status fails the call. It must not unwind or jump out.
pub type touchmark_sign_fn =
    Option<unsafe extern "C" fn(userdata: *mut c_void, message: touchmark_bytes, signature: *mut touchmark_sink) -> touchmark_status>;

/// Something that signs with one key. Any number of threads may use one; that of a function, if the function may be called so.
pub struct touchmark_signer(Kind);

enum Kind {
    Key(Arc<PrivateKey>),
    Function(Box<Function>),
}

struct Function {
    key: PublicKey,
    sign: unsafe extern "C" fn(userdata: *mut c_void, message: touchmark_bytes, signature: *mut touchmark_sink) -> touchmark_status,
    userdata: *mut c_void,
}

impl touchmark_signer {
    /// Adds a signature of this signer to `envelope`, unless its key has signed it.
    pub(crate) fn add_to(&self, envelope: &mut Envelope) -> Result<bool, Failure> {
        match &self.0 {
            Kind::Key(key) => Ok(envelope.add_signature(key.as_ref())?),
            Kind::Function(function) => {
                let asked = Asked { function, failure: Cell::new(None) };
                let added = envelope.add_signature(&asked);
                added.map_err(|error| asked.failure.take().unwrap_or_else(|| error.into()))
            }
        }
    }
}

/// A function of the caller while it is asked, and why it failed in its own words.
struct Asked<'a> {
    function: &'a Function,
    failure: Cell<Option<Failure>>,
}

impl Signer for Asked<'_> {
    fn public_key(&self) -> &PublicKey {
        &self.function.key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let mut sink = touchmark_sink::new(MAX_SIGNATURE);
        let Function { sign, userdata, .. } = *self.function;
        // SAFETY: the caller's promise about callbacks; the view and the sink live until it returns.
        let status = unsafe { sign(userdata, touchmark_bytes::of(message), &raw mut sink) };
        let given = sink.finish();
        // Who says why it fails has failed, whatever it returns.
        if status == TOUCHMARK_STATUS_OK && !given.overflowed && given.message.is_none() {
            return Ok(given.bytes);
        }
        let why = match (given.overflowed, given.message) {
            (true, _) => format!("it gave more than {MAX_SIGNATURE} bytes"),
            (false, Some(message)) => message,
            (false, None) => format!("it returned the status {status}"),
        };
        let failure = Failure::new(TOUCHMARK_STATUS_CALLBACK_FAILED, "signer-refused", format!("the signer did not sign: {why}"));
        self.failure.set(Some(failure.callback(status)));
        Err(SignError::Refused { reason: why, retryable: false })
    }
}

/// The signers of an array, of which there must be one.
///
/// # Safety
/// The caller's promises about handles and views, for as long as the result is used.
pub(crate) unsafe fn signers<'a>(first: *const *const touchmark_signer, count: usize) -> Result<Vec<&'a touchmark_signer>, Failure> {
    // SAFETY: the promise that this function asks for.
    let signers = unsafe { handles(first, count, "signer")? };
    if signers.is_empty() { Err(Failure::argument("there is no signer")) } else { Ok(signers) }
}

/// A signer by a private key, which may be freed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_signer_from_key(
    key: *const touchmark_private_key,
    out: *mut *mut touchmark_signer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe { call::give(out, error, || Ok(touchmark_signer(Kind::Key(handle(key, "private key")?.0.clone())))) }
}

/// A signer by a function of the caller, such as one that asks a hardware token or a server. What it gives is verified with `key` before it
/// is used: `TOUCHMARK_STATUS_BAD_SIGNATURE` where it is not valid. `userdata` is handed to each call, and must outlive the signer.
///
/// `TOUCHMARK_STATUS_UNSUPPORTED` for an RSA key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_signer_from_callback(
    key: *const touchmark_public_key,
    sign: touchmark_sign_fn,
    userdata: *mut c_void,
    out: *mut *mut touchmark_signer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, outs and callbacks.
    unsafe {
        call::give(out, error, || {
            let key = handle(key, "key")?.key.clone();
            let sign = sign.ok_or_else(|| null("function that signs"))?;
            if !touchmark_envelope::key::KeyAlgorithm::SIGNING.contains(&key.algorithm()) {
                return Err(touchmark_envelope::key::KeyError::Unsupported { what: "a signature by an RSA key".to_owned() }.into());
            }
            Ok(touchmark_signer(Kind::Function(Box::new(Function { key, sign, userdata }))))
        })
    }
}

/// Frees a signer. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_signer_free(signer: *mut touchmark_signer) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(signer) }
}
