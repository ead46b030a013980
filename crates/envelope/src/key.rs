//! Public keys and the signatures that they check (RFC 8032, FIPS 186-5, and RFC 8017 with the feature `rsa`).
//!
//! A key is identified by its algorithm and its decoded value, never by the bytes it came in: one P-256 key has
//! two encodings. Key identifiers are hints. A signature's bytes identify nothing, since ECDSA signatures are malleable.
//!
//! ```
//! use touchmark_envelope::key::{KeyAlgorithm, PublicKey};
//!
//! let key = PublicKey::from_pem(
//!     b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n",
//! )?;
//! assert_eq!(key.algorithm(), KeyAlgorithm::Ed25519);
//! assert!(key.verify(b"message", &[0; 64]).is_err());
//! # Ok::<(), touchmark_envelope::key::KeyError>(())
//! ```

mod ecdsa;
mod ed25519;
mod error;
mod key_id;
#[cfg(feature = "rsa")]
mod rsa;
pub(crate) mod spki;

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

use zeroize::Zeroizing;

pub use self::ecdsa::{P256Key, P384Key};
pub use self::ed25519::Ed25519Key;
pub use self::error::{KeyError, SignatureError};
pub use self::key_id::KeyId;
#[cfg(feature = "rsa")]
pub use self::rsa::RsaKey;
use crate::pem;
pub use crate::pem::PemError;

/// Files and values larger than this are no keys.
pub const MAX_KEY_BYTES: usize = 64 * 1024;

/// The algorithms of keys, each with its one way of signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// Ed25519 (RFC 8032), pure, over the message itself.
    Ed25519,
    /// ECDSA over P-256 with SHA-256 (FIPS 186-5).
    EcdsaP256,
    /// ECDSA over P-384 with SHA-384 (FIPS 186-5).
    EcdsaP384,
    /// RSASSA-PSS with SHA-256 (RFC 8017), which is checked and never made.
    #[cfg(feature = "rsa")]
    RsaPssSha256,
}

impl KeyAlgorithm {
    /// Every supported algorithm.
    pub const ALL: &'static [KeyAlgorithm] = &[
        KeyAlgorithm::Ed25519,
        KeyAlgorithm::EcdsaP256,
        KeyAlgorithm::EcdsaP384,
        #[cfg(feature = "rsa")]
        KeyAlgorithm::RsaPssSha256,
    ];

    /// Those that private keys are made of. Signatures of the others are only checked.
    pub const SIGNING: [KeyAlgorithm; 3] = [KeyAlgorithm::Ed25519, KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384];

    /// The name on the command line and in JSON output.
    pub const fn name(self) -> &'static str {
        match self {
            KeyAlgorithm::Ed25519 => "ed25519",
            KeyAlgorithm::EcdsaP256 => "ecdsa-p256",
            KeyAlgorithm::EcdsaP384 => "ecdsa-p384",
            #[cfg(feature = "rsa")]
            KeyAlgorithm::RsaPssSha256 => "rsassa-pss-sha256",
        }
    }

    /// The algorithm of this exact name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.name() == name)
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A public key that was decoded and found sound.
///
/// Two are equal when their algorithm and decoded key are, whatever encodings they were read from.
#[derive(Clone)]
#[non_exhaustive]
pub enum PublicKey {
    /// An Ed25519 key.
    Ed25519(Ed25519Key),
    /// A P-256 key.
    EcdsaP256(P256Key),
    /// A P-384 key.
    EcdsaP384(P384Key),
    /// An RSA key.
    #[cfg(feature = "rsa")]
    RsaPss(RsaKey),
}

/// Proof that a signature was checked and is valid. Only [`PublicKey::verify`] makes one.
#[derive(Debug)]
#[must_use = "a signature that nobody counts proves nothing"]
pub struct SignatureValid(());

impl PublicKey {
    /// Reads a key in either form: PEM if there is a `BEGIN` line, else DER.
    ///
    /// # Errors
    /// Those of [`from_pem`](Self::from_pem) and [`from_spki_der`](Self::from_spki_der).
    pub fn read(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() <= MAX_KEY_BYTES && pem::is_pem(bytes) { Self::from_pem(bytes) } else { Self::from_spki_der(bytes) }
    }

    /// Reads a PEM file with one `PUBLIC KEY` block (RFC 7468, section 13). Text outside of the block is skipped.
    ///
    /// # Errors
    /// [`KeyError::Private`] if any block is a private key; [`KeyError::Unsupported`] for certificates and keys of
    /// other kinds, by name, RSA among them; [`KeyError::Confused`] if there are several keys; otherwise what is wrong with the one key.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        Self::from_spki_der(&one_block(text)?)
    }

    /// Reads a SubjectPublicKeyInfo in DER (RFC 5280, section 4.1.2.7; RFC 3279, section 2.3.1; RFC 5480; RFC 8410).
    ///
    /// # Errors
    /// As for [`from_pem`](Self::from_pem).
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        limit(der)?;
        let (algorithm, key) = spki::parse(der)?;
        Self::from_raw(algorithm, key)
    }

    /// Reads an RSA key as [`from_pem`](Self::from_pem) reads others. It has a function of its own because artifacts are not signed by
    /// such keys: who takes them, as TUF metadata must (TUF 1.0, section 4.2.2), asks for them, and nobody else comes to take them when
    /// another crate of the same program switches the feature on.
    ///
    /// # Errors
    /// As for `from_pem`; [`KeyError::Unsupported`] for a key of another kind.
    #[cfg(feature = "rsa")]
    pub fn rsa_from_pem(text: &[u8]) -> Result<Self, KeyError> {
        Self::rsa_from_spki_der(&one_block(text)?)
    }

    /// The same of a SubjectPublicKeyInfo in DER.
    ///
    /// # Errors
    /// As for [`rsa_from_pem`](Self::rsa_from_pem).
    #[cfg(feature = "rsa")]
    pub fn rsa_from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        limit(der)?;
        Self::from_raw(KeyAlgorithm::RsaPssSha256, spki::parse_rsa(der)?)
    }

    /// Reads an RSA key in either form, as [`read`](Self::read) does others.
    ///
    /// # Errors
    /// As for [`rsa_from_pem`](Self::rsa_from_pem).
    #[cfg(feature = "rsa")]
    pub fn rsa_read(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() <= MAX_KEY_BYTES && pem::is_pem(bytes) { Self::rsa_from_pem(bytes) } else { Self::rsa_from_spki_der(bytes) }
    }

    /// Decodes the key itself: 32 bytes for Ed25519, a point (SEC 1, section 2.3.3, compressed or not) for ECDSA, an RSAPublicKey in DER
    /// (RFC 8017, appendix A.1.1) for RSA.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] if the bytes are no such key, [`KeyError::Weak`] for an Ed25519 key of small order, an RSA key of less than
    /// 2048 bits or with the exponent 1, [`KeyError::Unsupported`] for an RSA key with a larger modulus or exponent than is checked.
    pub fn from_raw(algorithm: KeyAlgorithm, key: &[u8]) -> Result<Self, KeyError> {
        Ok(match algorithm {
            KeyAlgorithm::Ed25519 => PublicKey::Ed25519(Ed25519Key::decode(key)?),
            KeyAlgorithm::EcdsaP256 => PublicKey::EcdsaP256(P256Key::decode(key)?),
            KeyAlgorithm::EcdsaP384 => PublicKey::EcdsaP384(P384Key::decode(key)?),
            #[cfg(feature = "rsa")]
            KeyAlgorithm::RsaPssSha256 => PublicKey::RsaPss(RsaKey::decode(key)?),
        })
    }

    /// Its algorithm.
    pub fn algorithm(&self) -> KeyAlgorithm {
        match self {
            PublicKey::Ed25519(_) => KeyAlgorithm::Ed25519,
            PublicKey::EcdsaP256(_) => KeyAlgorithm::EcdsaP256,
            PublicKey::EcdsaP384(_) => KeyAlgorithm::EcdsaP384,
            #[cfg(feature = "rsa")]
            PublicKey::RsaPss(_) => KeyAlgorithm::RsaPssSha256,
        }
    }

    /// The decoded key: 32 bytes for Ed25519, the uncompressed point for ECDSA, n and e for RSA as the one DER that they have as an
    /// RSAPublicKey. With the algorithm it is the key's identity.
    pub fn as_raw(&self) -> &[u8] {
        match self {
            PublicKey::Ed25519(key) => key.as_bytes(),
            PublicKey::EcdsaP256(key) => key.as_bytes(),
            PublicKey::EcdsaP384(key) => key.as_bytes(),
            #[cfg(feature = "rsa")]
            PublicKey::RsaPss(key) => key.as_bytes(),
        }
    }

    /// Checks `signature` over `message`.
    ///
    /// Ed25519 is checked strictly: a canonical S, an R and a key that are not of small order, and the equation
    /// without the cofactor. ECDSA takes the DER form of RFC 3279, section 2.2.3, and no other. RSASSA-PSS takes a salt of any length.
    ///
    /// # Errors
    /// [`SignatureError`], which does not say more than that the signature is not valid.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<SignatureValid, SignatureError> {
        match self {
            PublicKey::Ed25519(key) => key.verify(message, signature),
            PublicKey::EcdsaP256(key) => key.verify(message, signature),
            PublicKey::EcdsaP384(key) => key.verify(message, signature),
            #[cfg(feature = "rsa")]
            PublicKey::RsaPss(key) => key.verify(message, signature),
        }
        .map(|()| SignatureValid(()))
    }

    /// The key as a SubjectPublicKeyInfo in DER, with the uncompressed point for ECDSA.
    pub fn to_spki_der(&self) -> Vec<u8> {
        spki::encode(self.algorithm(), self.as_raw())
    }

    /// The key as a PEM file, byte for byte as `openssl pkey -pubout` writes it.
    pub fn to_pem(&self) -> String {
        core::mem::take(&mut *pem::encode("PUBLIC KEY", &self.to_spki_der()))
    }
}

/// What the one block of a PEM file with a public key holds.
fn one_block(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    limit(text)?;
    let blocks = pem::blocks(text)?;
    if let Some(private) = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")) {
        return Err(KeyError::Private { what: spki::private_label(private.label) });
    }
    match blocks.as_slice() {
        [] => Err(spki::not_a_key(text)),
        [block] if block.label == "PUBLIC KEY" => Ok(block.decode()?),
        [block] => Err(spki::other_label(block.label)),
        _ => Err(KeyError::Confused { what: "there are several PEM blocks and a key file has one" }),
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.algorithm() == other.algorithm() && self.as_raw() == other.as_raw()
    }
}

impl Eq for PublicKey {}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.algorithm(), self.as_raw()).cmp(&(other.algorithm(), other.as_raw()))
    }
}

impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.algorithm(), self.as_raw()).hash(state);
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm(), crate::digest::hex(self.as_raw()))
    }
}

fn limit(bytes: &[u8]) -> Result<(), KeyError> {
    if bytes.len() > MAX_KEY_BYTES { Err(KeyError::TooLarge) } else { Ok(()) }
}
