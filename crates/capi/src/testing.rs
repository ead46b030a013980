//! What the tests of the exported functions share: arguments as C would give them, results as C would see them.

use std::ptr;

use touchmark_envelope::UnixTime;
use touchmark_envelope::dsse::{self, Envelope};
use touchmark_envelope::key::KeyAlgorithm;
use touchmark_envelope::manifest::IMAGE_MANIFEST;
use touchmark_envelope::sign::{PrivateKey, Signer};
use touchmark_envelope::signature::Signature;

use crate::bytes::touchmark_bytes;
use crate::call;
use crate::error::{touchmark_error, touchmark_error_code, touchmark_error_json, touchmark_error_message, touchmark_error_status};
use crate::public_key::{touchmark_public_key, touchmark_public_key_read};
use crate::status::{self, touchmark_status};

/// The time at which the tests decide.
pub(crate) const NOW: i64 = 1_800_000_000;

/// A manifest.
pub(crate) const MANIFEST: &[u8] = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;

/// A view of bytes of the test, which must live as long.
pub(crate) fn view(bytes: &(impl AsRef<[u8]> + ?Sized)) -> touchmark_bytes {
    let bytes = bytes.as_ref();
    touchmark_bytes { ptr: bytes.as_ptr(), len: bytes.len() }
}

/// What a view shows.
pub(crate) fn shown(view: touchmark_bytes) -> Vec<u8> {
    // SAFETY: the view is one that the library gave and whose handle is not freed.
    unsafe { view.read("view") }.unwrap().to_vec()
}

/// What a view shows, as text.
pub(crate) fn text(view: touchmark_bytes) -> String {
    String::from_utf8(shown(view)).unwrap()
}

/// A handle that frees itself.
pub(crate) struct Owned<T>(pub(crate) *mut T);

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the library gave it, and this is its one owner.
        unsafe { call::free(self.0) }
    }
}

/// An error as a test sees it: the status's name, the code, the message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) status: &'static str,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) json: String,
}

/// What a call without a result came to.
pub(crate) fn done(call: impl FnOnce(*mut *mut touchmark_error) -> touchmark_status) -> Result<(), Seen> {
    let mut error = ptr::dangling_mut();
    let status = call(&raw mut error);
    seen(status, error)
}

/// What a call that gives a handle came to.
pub(crate) fn made<T>(call: impl FnOnce(*mut *mut T, *mut *mut touchmark_error) -> touchmark_status) -> Result<Owned<T>, Seen> {
    let (mut out, mut error) = (ptr::dangling_mut(), ptr::dangling_mut());
    let status = call(&raw mut out, &raw mut error);
    let result = seen(status, error);
    assert_eq!(out.is_null(), result.is_err(), "a result is there if and only if the call succeeded");
    result.map(|()| Owned(out))
}

fn seen(status: touchmark_status, error: *mut touchmark_error) -> Result<(), Seen> {
    assert_eq!(error.is_null(), status == 0, "an error is there if and only if the call failed");
    if error.is_null() {
        return Ok(());
    }
    let error = Owned(error);
    // SAFETY: the library gave the error, and it is freed after this.
    unsafe {
        assert_eq!(touchmark_error_status(error.0), status);
        let (code, message, json) = (touchmark_error_code(error.0), touchmark_error_message(error.0), touchmark_error_json(error.0));
        Err(Seen { status: status::name(status), code: text(code), message: text(message), json: text(json) })
    }
}

/// The failure of a call that must not succeed: the status's name and the code.
pub(crate) fn failed<T>(result: Result<T, Seen>) -> (&'static str, String) {
    match result {
        Ok(_) => panic!("it succeeded"),
        Err(seen) => (seen.status, seen.code),
    }
}

/// A private key; the same for the same number.
pub(crate) fn secret(number: u8) -> PrivateKey {
    PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[number; 32]).unwrap()
}

/// Its public key, as a handle.
pub(crate) fn public(number: u8) -> Owned<touchmark_public_key> {
    let pem = secret(number).public_key().to_pem();
    // SAFETY: the view and the places are the test's.
    made(|out, error| unsafe { touchmark_public_key_read(view(&pem), out, error) }).unwrap()
}

/// The pointers of an array of handles.
pub(crate) fn pointers<T>(handles: &[Owned<T>]) -> Vec<*const T> {
    handles.iter().map(|handle| handle.0.cast_const()).collect()
}

/// An envelope over the statement about [`MANIFEST`] under this name, by the keys of these numbers, issued and expired at these times.
pub(crate) fn signed(name: Option<&str>, numbers: &[u8], expires: Option<i64>) -> Vec<u8> {
    let mut signature = Signature::of(MANIFEST, IMAGE_MANIFEST, UnixTime::from_seconds(NOW - 10).unwrap());
    signature.name = name.map(|name| name.parse().unwrap());
    signature.expires = expires.and_then(UnixTime::from_seconds);
    signature.annotations.insert("stage".to_owned(), "release".to_owned());
    let keys: Vec<PrivateKey> = numbers.iter().map(|number| secret(*number)).collect();
    let signers: Vec<&dyn Signer> = keys.iter().map(|key| -> &dyn Signer { key }).collect();
    Envelope::sign(dsse::IN_TOTO, signature.to_json(), &signers).unwrap().to_json()
}
