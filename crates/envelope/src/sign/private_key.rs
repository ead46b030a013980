//! A private key in memory.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use der::Encode as _;
use der::asn1::UintRef;
use zeroize::Zeroizing;

use super::{Random, RandomFailed, SignError, Signer, pbes2, pkcs8};
use crate::key::{KeyAlgorithm, KeyError, MAX_KEY_BYTES, PublicKey, spki};
use crate::pem;

/// How often random bytes are asked for anew when they are no scalar. Each time has a chance below 2^-32.
const ATTEMPTS: usize = 8;

/// A private key with its public key. It is wiped from memory when dropped, and never printed.
pub struct PrivateKey {
    secret: Secret,
    public: PublicKey,
}

// Each of the three wipes itself when dropped.
enum Secret {
    Ed25519(ed25519_dalek::SigningKey),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
}

impl PrivateKey {
    /// A new key from random bytes.
    ///
    /// # Errors
    /// [`KeyError::Random`] if there are none, or none that make a key; [`KeyError::Unsupported`] if nothing is signed by this algorithm.
    pub fn generate(algorithm: KeyAlgorithm, random: &mut Random<'_>) -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; 48]);
        let length = secret_length(algorithm).ok_or_else(|| unsupported(algorithm))?;
        let bytes = bytes.get_mut(..length).ok_or(RandomFailed)?;
        for _ in 0..ATTEMPTS {
            random(bytes)?;
            if let Ok(key) = Self::from_raw(algorithm, bytes) {
                return Ok(key);
            }
        }
        Err(RandomFailed.into())
    }

    /// The key with this secret: the 32 bytes of an Ed25519 seed, or a scalar of 32 (P-256) or 48 (P-384) bytes, big-endian.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] for another length, or a scalar that is zero or not below the order; [`KeyError::Unsupported`] if nothing
    /// is signed by this algorithm.
    pub fn from_raw(algorithm: KeyAlgorithm, secret: &[u8]) -> Result<Self, KeyError> {
        let malformed = KeyError::Malformed { what: "the secret is not in the range of the algorithm" };
        if secret_length(algorithm).is_some_and(|length| secret.len() != length) {
            return Err(malformed);
        }
        let (secret, public) = match algorithm {
            KeyAlgorithm::Ed25519 => {
                let key = ed25519_dalek::SigningKey::try_from(secret).map_err(|_| malformed)?;
                let public = key.verifying_key().to_bytes();
                (Secret::Ed25519(key), PublicKey::from_raw(algorithm, &public)?)
            }
            KeyAlgorithm::EcdsaP256 => {
                let key = p256::ecdsa::SigningKey::from_slice(secret).map_err(|_| malformed)?;
                let point = key.verifying_key().to_sec1_point(false);
                (Secret::P256(key), PublicKey::from_raw(algorithm, point.as_bytes())?)
            }
            KeyAlgorithm::EcdsaP384 => {
                let key = p384::ecdsa::SigningKey::from_slice(secret).map_err(|_| malformed)?;
                let point = key.verifying_key().to_sec1_point(false);
                (Secret::P384(key), PublicKey::from_raw(algorithm, point.as_bytes())?)
            }
            #[cfg(feature = "rsa")]
            KeyAlgorithm::RsaPssSha256 => return Err(unsupported(algorithm)),
        };
        Ok(Self { secret, public })
    }

    /// Reads a private key in any supported form: PEM if there is a `BEGIN` line, else DER.
    ///
    /// # Errors
    /// Those of [`from_pem`](Self::from_pem) and [`from_der`](Self::from_der).
    pub fn read(bytes: &[u8], passphrase: Option<&[u8]>) -> Result<Self, KeyError> {
        if bytes.len() <= MAX_KEY_BYTES && pem::is_pem(bytes) {
            Self::from_pem(bytes, passphrase)
        } else {
            Self::from_der(bytes, passphrase)
        }
    }

    /// Reads a PEM file: PKCS#8, plain or encrypted (RFC 7468, sections 10 and 11), or the older `EC PRIVATE KEY` of RFC 5915.
    /// The passphrase is not looked at if the key is not encrypted.
    ///
    /// # Errors
    /// [`KeyError::PassphraseNeeded`] and [`KeyError::WrongPassphrase`] for an encrypted key; [`KeyError::Public`] and
    /// [`KeyError::Unsupported`] say what else was given.
    pub fn from_pem(text: &[u8], passphrase: Option<&[u8]>) -> Result<Self, KeyError> {
        limit(text)?;
        let mut blocks = pem::blocks(text)?;
        // `openssl ecparam -genkey` writes the curve in a block of its own before the key.
        blocks.retain(|block| block.label != "EC PARAMETERS");
        let block = match blocks.as_slice() {
            [] => return Err(spki::not_a_key(text)),
            [block] => block,
            _ => return Err(KeyError::Confused { what: "there are several PEM blocks and a key file has one" }),
        };
        match block.label {
            "PRIVATE KEY" => pkcs8::parse(&block.decode()?),
            "ENCRYPTED PRIVATE KEY" => Self::decrypt(&block.decode()?, passphrase),
            "EC PRIVATE KEY" => pkcs8::parse_ec(&block.decode()?, None),
            "PUBLIC KEY" => Err(KeyError::Public),
            "RSA PRIVATE KEY" => Err(KeyError::Unsupported { what: "an RSA key".into() }),
            "OPENSSH PRIVATE KEY" => Err(KeyError::Unsupported { what: "an OpenSSH private key".into() }),
            "ENCRYPTED SIGSTORE PRIVATE KEY" | "ENCRYPTED COSIGN PRIVATE KEY" => {
                Err(KeyError::Unsupported { what: "a cosign private key".into() })
            }
            label => Err(spki::other_label(label)),
        }
    }

    /// Reads DER: PKCS#8, plain or encrypted (RFC 5958, versions 1 and 2), or the older form of RFC 5915 if it names its curve.
    ///
    /// # Errors
    /// As for [`from_pem`](Self::from_pem).
    pub fn from_der(der: &[u8], passphrase: Option<&[u8]>) -> Result<Self, KeyError> {
        limit(der)?;
        if pkcs8::is_encrypted(der) { Self::decrypt(der, passphrase) } else { pkcs8::parse(der) }
    }

    /// The key as PKCS#8 in DER, byte for byte as openssl writes it.
    pub fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        // In arrays of their own, so that they are wiped.
        match &self.secret {
            Secret::Ed25519(key) => pkcs8::encode_ed25519(&*Zeroizing::new(key.to_bytes())),
            Secret::P256(key) => pkcs8::encode_p256(&Zeroizing::new(key.to_bytes())[..], self.public.as_raw()),
            Secret::P384(key) => pkcs8::encode_p384(&Zeroizing::new(key.to_bytes())[..], self.public.as_raw()),
        }
    }

    /// The key as PEM, not encrypted.
    pub fn to_pem(&self) -> Zeroizing<String> {
        pem::encode("PRIVATE KEY", &self.to_pkcs8_der())
    }

    /// The key as PEM, encrypted by the passphrase: PBES2 with scrypt (N 2^14, r 8, p 5) and AES-256-CBC, which openssl 1.1 and
    /// later read. The random bytes are the salt and the initialisation vector.
    ///
    /// # Errors
    /// [`KeyError::EmptyPassphrase`]; [`KeyError::Random`].
    pub fn to_encrypted_pem(&self, passphrase: &[u8], random: &mut Random<'_>) -> Result<String, KeyError> {
        let der = pbes2::encrypt(&self.to_pkcs8_der(), passphrase, random)?;
        Ok(core::mem::take(&mut *pem::encode("ENCRYPTED PRIVATE KEY", &der)))
    }

    fn decrypt(der: &[u8], passphrase: Option<&[u8]>) -> Result<Self, KeyError> {
        let plain = pbes2::decrypt(der, passphrase)?;
        // One wrong passphrase in 256 leaves a valid padding, and bytes that are no key.
        if pkcs8::is_plain(&plain) { pkcs8::parse(&plain) } else { Err(KeyError::WrongPassphrase) }
    }
}

impl Signer for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Ed25519 (RFC 8032) and ECDSA with the nonce of RFC 6979 need no random numbers: the same message has the same signature.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        use p256::ecdsa::signature::Signer as _;
        match &self.secret {
            Secret::Ed25519(key) => Ok(key.sign(message).to_bytes().to_vec()),
            Secret::P256(key) => {
                let signature: p256::ecdsa::Signature = key.try_sign(message).map_err(refused)?;
                der_signature(&signature.r().to_bytes(), &signature.s().to_bytes())
            }
            Secret::P384(key) => {
                let signature: p384::ecdsa::Signature = key.try_sign(message).map_err(refused)?;
                der_signature(&signature.r().to_bytes(), &signature.s().to_bytes())
            }
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey of {:?}", self.public)
    }
}

/// Bytes in the secret of a key; none if nothing is signed by the algorithm.
fn secret_length(algorithm: KeyAlgorithm) -> Option<usize> {
    match algorithm {
        KeyAlgorithm::Ed25519 | KeyAlgorithm::EcdsaP256 => Some(32),
        KeyAlgorithm::EcdsaP384 => Some(48),
        #[cfg(feature = "rsa")]
        KeyAlgorithm::RsaPssSha256 => None,
    }
}

fn unsupported(algorithm: KeyAlgorithm) -> KeyError {
    KeyError::Unsupported { what: alloc::format!("a private key of {algorithm}") }
}

/// RFC 3279, section 2.2.3.
fn der_signature(r: &[u8], s: &[u8]) -> Result<Vec<u8>, SignError> {
    let encode = || {
        let scalars = [UintRef::new(r)?.to_der()?, UintRef::new(s)?.to_der()?].concat();
        let length = u8::try_from(scalars.len())?;
        Ok::<_, der::Error>([&[0x30, length], scalars.as_slice()].concat())
    };
    encode().map_err(refused)
}

fn refused(error: impl fmt::Display) -> SignError {
    SignError::Refused { reason: alloc::format!("{error}"), retryable: false }
}

fn limit(bytes: &[u8]) -> Result<(), KeyError> {
    if bytes.len() > MAX_KEY_BYTES { Err(KeyError::TooLarge) } else { Ok(()) }
}
