//! Private keys.

use std::sync::Arc;

use touchmark_envelope::sign::{PrivateKey, RandomFailed, Signer as _};
use zeroize::Zeroizing;

use crate::array::handle;
use crate::buffer::touchmark_buffer;
use crate::bytes::touchmark_bytes;
use crate::call;
use crate::error::touchmark_error;
use crate::public_key::{algorithm, touchmark_public_key};
use crate::status::touchmark_status;

/// A private key, wiped from memory when the last handle that uses it is freed. Immutable; any number of threads may use one.
pub struct touchmark_private_key(pub(crate) Arc<PrivateKey>);

/// A new key by the operating system's random numbers: `TOUCHMARK_KEY_ED25519`, `TOUCHMARK_KEY_ECDSA_P256` or `TOUCHMARK_KEY_ECDSA_P384`.
///
/// `TOUCHMARK_STATUS_UNSUPPORTED` for `TOUCHMARK_KEY_RSA_PSS`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_private_key_generate(
    key_algorithm: u32,
    out: *mut *mut touchmark_private_key,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promise about outs.
    unsafe {
        call::give(out, error, || {
            let key = PrivateKey::generate(algorithm(key_algorithm)?, &mut random)?;
            Ok(touchmark_private_key(Arc::new(key)))
        })
    }
}

/// Reads a private key: PKCS#8, plain or encrypted, or the older `EC PRIVATE KEY`, in PEM or DER. An empty passphrase is none.
///
/// `TOUCHMARK_STATUS_WRONG_PASSPHRASE` if it is encrypted and the passphrase is none or not the right one; `TOUCHMARK_STATUS_INVALID_KEY` if
/// it is public, or asks for too much work; others as for `touchmark_public_key_read`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_private_key_read(
    pem_or_der: touchmark_bytes,
    passphrase: touchmark_bytes,
    out: *mut *mut touchmark_private_key,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about views and outs.
    unsafe {
        call::give(out, error, || {
            let (key, passphrase) = (pem_or_der.read("key")?, passphrase.read("passphrase")?);
            let passphrase = (!passphrase.is_empty()).then_some(passphrase);
            Ok(touchmark_private_key(Arc::new(PrivateKey::read(key, passphrase)?)))
        })
    }
}

/// The key as PEM (PKCS#8), not encrypted: a secret, which is wiped when the buffer is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_private_key_to_pem(
    key: *const touchmark_private_key,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::give(out, error, || {
            let mut pem = handle(key, "private key")?.0.to_pem();
            Ok(touchmark_buffer::secret(Zeroizing::new(std::mem::take(&mut *pem).into_bytes())))
        })
    }
}

/// The key as PEM (PKCS#8), encrypted by a passphrase: `TOUCHMARK_STATUS_INVALID_ARGUMENT` for an empty one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_private_key_to_encrypted_pem(
    key: *const touchmark_private_key,
    passphrase: touchmark_bytes,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::give(out, error, || {
            let pem = handle(key, "private key")?.0.to_encrypted_pem(passphrase.read("passphrase")?, &mut random)?;
            Ok(touchmark_buffer::new(pem))
        })
    }
}

/// The public key that belongs to it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_private_key_public(
    key: *const touchmark_private_key,
    out: *mut *mut touchmark_public_key,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe { call::give(out, error, || Ok(touchmark_public_key::new(handle(key, "private key")?.0.public_key().clone()))) }
}

/// Frees a private key. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_private_key_free(key: *mut touchmark_private_key) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(key) }
}

fn random(bytes: &mut [u8]) -> Result<(), RandomFailed> {
    getrandom::fill(bytes).map_err(|_| RandomFailed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::touchmark_buffer_bytes;
    use crate::public_key::{
        TOUCHMARK_KEY_ECDSA_P256, TOUCHMARK_KEY_ECDSA_P384, TOUCHMARK_KEY_ED25519, TOUCHMARK_KEY_RSA_PSS, touchmark_public_key_id,
    };
    use crate::testing::{Owned, Seen, failed, made, secret, shown, text, view};

    fn read(key: &[u8], passphrase: &str) -> Result<Owned<touchmark_private_key>, Seen> {
        // SAFETY: the views and the places are the test's.
        made(|out, error| unsafe { touchmark_private_key_read(view(key), view(passphrase), out, error) })
    }

    fn generate(algorithm: u32) -> Result<Owned<touchmark_private_key>, Seen> {
        // SAFETY: the places are the test's.
        made(|out, error| unsafe { touchmark_private_key_generate(algorithm, out, error) })
    }

    fn id(key: &Owned<touchmark_private_key>) -> String {
        // SAFETY: the handles are not freed yet, the places are the test's.
        unsafe {
            let public = made(|out, error| touchmark_private_key_public(key.0, out, error)).unwrap();
            text(touchmark_public_key_id(public.0))
        }
    }

    #[test]
    fn new_keys_are_written_and_read() {
        for algorithm in [TOUCHMARK_KEY_ED25519, TOUCHMARK_KEY_ECDSA_P256, TOUCHMARK_KEY_ECDSA_P384] {
            let key = generate(algorithm).unwrap();
            // SAFETY: the handles are not freed yet, the places are the test's.
            let pem =
                unsafe { shown(touchmark_buffer_bytes(made(|out, error| touchmark_private_key_to_pem(key.0, out, error)).unwrap().0)) };
            assert_eq!(id(&read(&pem, "").unwrap()), id(&key));
        }
        assert_ne!(id(&generate(TOUCHMARK_KEY_ED25519).unwrap()), id(&generate(TOUCHMARK_KEY_ED25519).unwrap()));
        assert_eq!(failed(generate(TOUCHMARK_KEY_RSA_PSS)).0, "UNSUPPORTED");
        assert_eq!(failed(generate(0)).0, "INVALID_ARGUMENT");
    }

    #[test]
    fn an_encrypted_key_needs_its_passphrase() {
        let key = read(secret(1).to_pem().as_bytes(), "").unwrap();
        // SAFETY: the handles are not freed yet, the views and the places are the test's.
        let encrypt = |passphrase: &str| unsafe {
            made(|out, error| touchmark_private_key_to_encrypted_pem(key.0, view(passphrase), out, error))
                .map(|pem| shown(touchmark_buffer_bytes(pem.0)))
        };
        let pem = encrypt("correct horse").unwrap();
        assert_eq!(id(&read(&pem, "correct horse").unwrap()), id(&key));
        assert_eq!(failed(read(&pem, "wrong horse")), ("WRONG_PASSPHRASE", "passphrase-wrong".to_owned()));
        assert_eq!(failed(read(&pem, "")), ("WRONG_PASSPHRASE", "passphrase-needed".to_owned()));
        assert_eq!(failed(encrypt("")).0, "INVALID_ARGUMENT");
        assert_eq!(failed(read(secret(1).public_key().to_pem().as_bytes(), "")), ("INVALID_KEY", "key-public".to_owned()));
    }
}
