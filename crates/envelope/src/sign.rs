//! Private keys and signing (feature `sign`).
//!
//! [`Signer`] is the seam: a [`PrivateKey`] from a file is one, a hardware or remote key is another.
//!
//! ```
//! use touchmark_envelope::key::KeyAlgorithm;
//! use touchmark_envelope::sign::{PrivateKey, Signer as _};
//!
//! let key = PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[7; 32])?;
//! let signature = key.sign(b"message")?;
//! assert!(key.public_key().verify(b"message", &signature).is_ok());
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod envelope;
mod pbes2;
mod pkcs8;
mod private_key;

use alloc::string::String;
use alloc::vec::Vec;

pub use self::private_key::PrivateKey;
use crate::key::PublicKey;

/// Something that signs with one key.
pub trait Signer {
    /// The key that checks its signatures.
    fn public_key(&self) -> &PublicKey;

    /// The signature over `message`, in the form that [`PublicKey::verify`] takes.
    ///
    /// # Errors
    /// When the key cannot be used: a file key never fails, a remote one may.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// A source of random bytes: fills the slice, or fails.
pub type Random<'a> = dyn FnMut(&mut [u8]) -> Result<(), RandomFailed> + 'a;

/// The source of random bytes failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no usable random bytes")]
pub struct RandomFailed;

/// Why there is no signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The signer did not sign.
    #[error("the signer did not sign: {reason}")]
    Refused {
        /// What it said.
        reason: String,
        /// Whether trying again may help.
        retryable: bool,
    },
    /// The signer answered with something that is not a valid signature by the key that it announced.
    #[error("the signer's answer is not a valid signature by the key that it announced")]
    NotBySigner,
}

impl SignError {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            SignError::Refused { .. } => "signer-refused",
            SignError::NotBySigner => "signer-wrong-signature",
        }
    }
}
