//! Public keys.

use touchmark_envelope::key::{KeyAlgorithm, KeyError, PublicKey};
use touchmark_envelope::threshold::KeySet;

use crate::array::{handle, handles};
use crate::buffer::touchmark_buffer;
use crate::bytes::touchmark_bytes;
use crate::call;
use crate::error::touchmark_error;
use crate::failure::Failure;
use crate::status::{TOUCHMARK_STATUS_BAD_SIGNATURE, TOUCHMARK_STATUS_INVALID_KEY, touchmark_status};

/// Ed25519 (RFC 8032).
pub const TOUCHMARK_KEY_ED25519: u32 = 1;
/// ECDSA over P-256 with SHA-256.
pub const TOUCHMARK_KEY_ECDSA_P256: u32 = 2;
/// ECDSA over P-384 with SHA-384.
pub const TOUCHMARK_KEY_ECDSA_P384: u32 = 3;
/// RSASSA-PSS with SHA-256: checked and never made; of TUF metadata and in-toto documents, never of artifacts.
pub const TOUCHMARK_KEY_RSA_PSS: u32 = 4;

/// A public key. Immutable; any number of threads may use one.
pub struct touchmark_public_key {
    pub(crate) key: PublicKey,
    id: String,
    /// The key by itself, with the identifiers that it may be known by, which take longer to compute than a signature to check.
    set: KeySet,
}

impl touchmark_public_key {
    pub(crate) fn new(key: PublicKey) -> Self {
        let (id, set) = (key.key_id().into_string(), KeySet::new([key.clone()]));
        Self { key, id, set }
    }
}

/// The algorithm of a number.
pub(crate) fn algorithm(number: u32) -> Result<KeyAlgorithm, Failure> {
    Ok(match number {
        TOUCHMARK_KEY_ED25519 => KeyAlgorithm::Ed25519,
        TOUCHMARK_KEY_ECDSA_P256 => KeyAlgorithm::EcdsaP256,
        TOUCHMARK_KEY_ECDSA_P384 => KeyAlgorithm::EcdsaP384,
        TOUCHMARK_KEY_RSA_PSS => KeyAlgorithm::RsaPssSha256,
        other => return Err(Failure::argument(format!("{other} names no algorithm: TOUCHMARK_KEY_..."))),
    })
}

/// The keys of an array, of any kind.
///
/// # Safety
/// The caller's promises about handles and views.
#[cfg(feature = "supply-chain")]
pub(crate) unsafe fn keys(first: *const *const touchmark_public_key, count: usize) -> Result<Vec<PublicKey>, Failure> {
    // SAFETY: the promise that this function asks for.
    Ok(unsafe { handles(first, count, "key")? }.iter().map(|key| key.key.clone()).collect())
}

/// The distinct keys of an array, if artifacts may be signed by all of them.
///
/// # Safety
/// The caller's promises about handles and views.
pub(crate) unsafe fn artifact_keys(first: *const *const touchmark_public_key, count: usize) -> Result<KeySet, Failure> {
    // SAFETY: the promise that this function asks for.
    let keys = unsafe { handles(first, count, "key")? };
    if keys.iter().any(|key| key.key.algorithm() == KeyAlgorithm::RsaPssSha256) {
        let message = "an RSA key, which artifacts are not signed by";
        return Err(Failure::new(TOUCHMARK_STATUS_INVALID_KEY, "key-unsupported", message));
    }
    Ok(KeySet::union(keys.iter().map(|key| &key.set)))
}

fn read(bytes: &[u8]) -> Result<PublicKey, KeyError> {
    match PublicKey::read(bytes) {
        // What says that this is another kind of key says it better than what says that it is no RSA key.
        Err(error @ KeyError::Unsupported { .. }) => match PublicKey::rsa_read(bytes) {
            Err(KeyError::Unsupported { .. }) => Err(error),
            read => read,
        },
        read => read,
    }
}

/// Reads a public key: a PEM file with one `PUBLIC KEY` block, or a SubjectPublicKeyInfo in DER (SPEC.md, "Keys and key identifiers").
///
/// `TOUCHMARK_STATUS_MALFORMED_KEY` if it is damaged or no key; `TOUCHMARK_STATUS_INVALID_KEY` if it is weak or private;
/// `TOUCHMARK_STATUS_UNSUPPORTED` if it is a key of another kind, a certificate and the like; `TOUCHMARK_STATUS_TOO_LARGE` above 64 KiB.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_public_key_read(
    pem_or_der: touchmark_bytes,
    out: *mut *mut touchmark_public_key,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about views and outs.
    unsafe { call::give(out, error, || Ok(touchmark_public_key::new(read(pem_or_der.read("key")?)?))) }
}

/// The key with this value: 32 bytes for Ed25519, a point (SEC 1, compressed or not) for ECDSA, an RSAPublicKey in DER (RFC 8017) for RSA.
/// Statuses are those of `touchmark_public_key_read`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_public_key_from_raw(
    key_algorithm: u32,
    bytes: touchmark_bytes,
    out: *mut *mut touchmark_public_key,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about views and outs.
    unsafe {
        call::give(out, error, || {
            let key = PublicKey::from_raw(algorithm(key_algorithm)?, bytes.read("key")?)?;
            Ok(touchmark_public_key::new(key))
        })
    }
}

/// The key's algorithm, `TOUCHMARK_KEY_...`; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_public_key_algorithm(key: *const touchmark_public_key) -> u32 {
    // SAFETY: the caller's promise about handles.
    unsafe {
        call::look(key, 0, |key| match key.key.algorithm() {
            KeyAlgorithm::Ed25519 => TOUCHMARK_KEY_ED25519,
            KeyAlgorithm::EcdsaP256 => TOUCHMARK_KEY_ECDSA_P256,
            KeyAlgorithm::EcdsaP384 => TOUCHMARK_KEY_ECDSA_P384,
            KeyAlgorithm::RsaPssSha256 => TOUCHMARK_KEY_RSA_PSS,
            _ => 0,
        })
    }
}

/// The key's value: 32 bytes for Ed25519, the uncompressed point for ECDSA, an RSAPublicKey in DER for RSA. With the algorithm it is the
/// key's identity. A view of the key; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_public_key_raw(key: *const touchmark_public_key) -> touchmark_bytes {
    // SAFETY: the caller's promise about handles.
    unsafe { call::view(key, |key| key.key.as_raw()) }
}

/// Touchmark's identifier of the key: the hexadecimal SHA-256 of its SubjectPublicKeyInfo. A view of the key; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_public_key_id(key: *const touchmark_public_key) -> touchmark_bytes {
    // SAFETY: the caller's promise about handles.
    unsafe { call::view(key, |key| key.id.as_bytes()) }
}

/// The key as a PEM file, as `openssl pkey -pubout` writes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_public_key_to_pem(
    key: *const touchmark_public_key,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe { call::give(out, error, || Ok(touchmark_buffer::new(handle(key, "key")?.key.to_pem()))) }
}

/// Checks a signature over a message: `TOUCHMARK_STATUS_BAD_SIGNATURE` if it is not valid. Raw for Ed25519, DER for ECDSA.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_public_key_verify(
    key: *const touchmark_public_key,
    message: touchmark_bytes,
    signature: touchmark_bytes,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::run(error, || {
            let key = handle(key, "key")?;
            let valid = key.key.verify(message.read("message")?, signature.read("signature")?);
            let bad = |error: touchmark_envelope::key::SignatureError| {
                Failure::new(TOUCHMARK_STATUS_BAD_SIGNATURE, "bad-signature", error.to_string())
            };
            let _counted_by_the_caller = valid.map_err(bad)?;
            Ok(())
        })
    }
}

/// Frees a key. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_public_key_free(key: *mut touchmark_public_key) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(key) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::touchmark_buffer_bytes;
    use crate::testing::{Owned, Seen, done, failed, made, public, secret, shown, text, view};
    use touchmark_envelope::sign::{PrivateKey, Signer as _};

    fn from_raw(algorithm: u32, bytes: &[u8]) -> Result<Owned<touchmark_public_key>, Seen> {
        // SAFETY: the view and the places are the test's.
        made(|out, error| unsafe { touchmark_public_key_from_raw(algorithm, view(bytes), out, error) })
    }

    fn read(bytes: &[u8]) -> Result<Owned<touchmark_public_key>, Seen> {
        // SAFETY: the view and the places are the test's.
        made(|out, error| unsafe { touchmark_public_key_read(view(bytes), out, error) })
    }

    #[test]
    fn a_key_is_its_algorithm_and_value_in_every_form() {
        let kinds = [
            (TOUCHMARK_KEY_ED25519, KeyAlgorithm::Ed25519, 32),
            (TOUCHMARK_KEY_ECDSA_P256, KeyAlgorithm::EcdsaP256, 32),
            (TOUCHMARK_KEY_ECDSA_P384, KeyAlgorithm::EcdsaP384, 48),
        ];
        for (number, algorithm, length) in kinds {
            let secret = PrivateKey::from_raw(algorithm, &vec![7; length]).unwrap();
            let expected = secret.public_key();
            for key in [read(expected.to_pem().as_bytes()), read(&expected.to_spki_der()), from_raw(number, expected.as_raw())] {
                let key = key.unwrap();
                // SAFETY: the key is not freed yet, nor is the buffer; the places are the test's.
                unsafe {
                    assert_eq!(touchmark_public_key_algorithm(key.0), number);
                    assert_eq!(shown(touchmark_public_key_raw(key.0)), expected.as_raw());
                    assert_eq!(text(touchmark_public_key_id(key.0)), expected.key_id().as_str());
                    let pem = made(|out, error| touchmark_public_key_to_pem(key.0, out, error)).unwrap();
                    assert_eq!(text(touchmark_buffer_bytes(pem.0)), expected.to_pem());
                }
            }
        }
    }

    #[test]
    fn what_is_no_public_key_says_what_it_is() {
        let private = secret(1).to_pem();
        let cases: [(&[u8], &str, &str); 5] = [
            (b"", "MALFORMED_KEY", "key-not-a-key"),
            (b"-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n", "MALFORMED_KEY", "key-malformed"),
            (private.as_bytes(), "INVALID_KEY", "key-private"),
            (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "UNSUPPORTED", "key-unsupported"),
            (&[b'x'; 70_000], "TOO_LARGE", "key-too-large"),
        ];
        for (bytes, status, code) in cases {
            assert_eq!(failed(read(bytes)), (status, code.to_owned()));
        }
        // The neutral element, by which anything is signed.
        let mut weak = [0; 32];
        weak[0] = 1;
        assert_eq!(failed(from_raw(TOUCHMARK_KEY_ED25519, &weak)), ("INVALID_KEY", "key-weak".to_owned()));
        assert_eq!(failed(from_raw(9, &weak)).0, "INVALID_ARGUMENT");
    }

    #[test]
    fn a_signature_is_valid_or_bad() {
        let (key, signature) = (public(1), secret(1).sign(b"message").unwrap());
        let verify = |message: &[u8], signature: &[u8]| {
            // SAFETY: the key is not freed yet, the views and the place are the test's.
            done(|error| unsafe { touchmark_public_key_verify(key.0, view(message), view(signature), error) })
        };
        assert!(verify(b"message", &signature).is_ok());
        assert_eq!(failed(verify(b"massage", &signature)).0, "BAD_SIGNATURE");
        assert_eq!(failed(verify(b"message", b"")).0, "BAD_SIGNATURE");
    }

    #[test]
    fn nothing_is_nothing() {
        // SAFETY: NULL is allowed.
        unsafe {
            assert_eq!(touchmark_public_key_algorithm(std::ptr::null()), 0);
            assert_eq!(touchmark_public_key_raw(std::ptr::null()).len, 0);
            assert_eq!(touchmark_public_key_id(std::ptr::null()).len, 0);
            touchmark_public_key_free(std::ptr::null_mut());
        }
    }
}
