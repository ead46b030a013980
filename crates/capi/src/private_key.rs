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

/// The key as PEM (PKCS#8), encrypted by a passphrase, which is not empty.
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
