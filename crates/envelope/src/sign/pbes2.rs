//! Encrypted PKCS#8: PBES2 (RFC 8018, section 6.2) with scrypt (RFC 7914, section 7) or PBKDF2, and AES in CBC mode.
//!
//! What a file asks for is bounded before it is done: a hostile one must not take the machine's memory or time.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use der::{Decode as _, Encode as _, Reader as _, SliceReader};
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use super::Random;
use crate::key::KeyError;

const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");
const SCRYPT: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11591.4.11");
const PBKDF2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.12");
const HMAC_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.7");
const HMAC_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.9");
const HMAC_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.11");
const AES128_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.2");
const AES192_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.22");
const AES256_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.42");

/// What is written. openssl refuses scrypt with more than 32 MiB; with N at 2^14 it takes 16, and p makes up for it.
const LOG_N: u8 = 14;
const BLOCK_SIZE: u32 = 8;
const PARALLEL: u32 = 5;

/// The most that a file may ask for. scrypt takes 128 * r * (N + p) bytes of memory.
const MAX_SCRYPT_BYTES: u64 = 256 << 20;
/// N * r * p: some 6 times what is written, and seconds.
const MAX_SCRYPT_WORK: u64 = 1 << 22;
/// Of PBKDF2: some ten seconds.
const MAX_ITERATIONS: u32 = 10_000_000;

const MALFORMED: KeyError = KeyError::Malformed { what: "the DER is not an encrypted PKCS#8 private key" };

/// The plain PKCS#8 in `der`.
pub(super) fn decrypt(der: &[u8], passphrase: Option<&[u8]>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let (scheme, data) = sequence(der, |reader| Ok((reader.decode::<AlgorithmIdentifierRef<'_>>()?, octets(reader)?)))?;
    if scheme.oid != PBES2 {
        return Err(unsupported("an encryption of the time before PBES2"));
    }
    let (kdf, cipher) = parameters(&scheme, |reader| Ok((reader.decode()?, reader.decode()?)))?;
    let (cipher, iv) = Cipher::parse(&cipher)?;
    let kdf = Kdf::parse(&kdf, cipher)?;
    let key = kdf.derive(passphrase.ok_or(KeyError::PassphraseNeeded)?, cipher.key_length())?;
    let mut plain = Zeroizing::new(data.to_vec());
    let length = cipher.decrypt(&key, iv, &mut plain).ok_or(KeyError::WrongPassphrase)?;
    plain.truncate(length);
    Ok(plain)
}

/// An EncryptedPrivateKeyInfo over `plain`.
pub(super) fn encrypt(plain: &[u8], passphrase: &[u8], random: &mut Random<'_>) -> Result<Vec<u8>, KeyError> {
    if passphrase.is_empty() {
        return Err(KeyError::EmptyPassphrase);
    }
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    random(&mut salt)?;
    random(&mut iv)?;
    let kdf = Kdf::Scrypt { salt: &salt, log_n: LOG_N, r: BLOCK_SIZE, p: PARALLEL };
    let key = kdf.derive(passphrase, Cipher::Aes256.key_length())?;
    let mut data = Zeroizing::new(Vec::with_capacity(plain.len() + 16));
    data.extend_from_slice(plain);
    data.resize(plain.len() + 16, 0);
    let data = cbc::Encryptor::<aes::Aes256>::new_from_slices(&key, &iv)
        .ok()
        .and_then(|cipher| cipher.encrypt_padded::<Pkcs7>(&mut data, plain.len()).ok())
        .ok_or(MALFORMED)?;
    info(&salt, &iv, data).map_err(|_| MALFORMED)
}

/// The DER around the ciphertext.
fn info(salt: &[u8], iv: &[u8], data: &[u8]) -> der::Result<Vec<u8>> {
    let octets = |bytes: &[u8]| OctetStringRef::new(bytes)?.to_der();
    let cost = [octets(salt)?, (1_u64 << LOG_N).to_der()?, BLOCK_SIZE.to_der()?, PARALLEL.to_der()?];
    let kdf = tlv_sequence(&[SCRYPT.to_der()?, tlv_sequence(&cost)?])?;
    let cipher = tlv_sequence(&[AES256_CBC.to_der()?, octets(iv)?])?;
    let scheme = tlv_sequence(&[PBES2.to_der()?, tlv_sequence(&[kdf, cipher])?])?;
    tlv_sequence(&[scheme, octets(data)?])
}

fn tlv_sequence(parts: &[Vec<u8>]) -> der::Result<Vec<u8>> {
    AnyRef::new(der::Tag::Sequence, &parts.concat())?.to_der()
}

/// How a passphrase becomes a key; within the bounds, or it is not made.
enum Kdf<'a> {
    Scrypt { salt: &'a [u8], log_n: u8, r: u32, p: u32 },
    Pbkdf2 { salt: &'a [u8], iterations: u32, hash: Hash },
}

enum Hash {
    Sha256,
    Sha512,
}

impl<'a> Kdf<'a> {
    fn parse(identifier: &AlgorithmIdentifierRef<'a>, cipher: Cipher) -> Result<Self, KeyError> {
        let (kdf, length) = match identifier.oid {
            SCRYPT => Self::parse_scrypt(identifier)?,
            PBKDF2 => Self::parse_pbkdf2(identifier)?,
            _ => return Err(unsupported("an encryption with a key derivation that is neither scrypt nor PBKDF2")),
        };
        match length {
            Some(length) if usize::from(length) != cipher.key_length() => {
                Err(KeyError::Confused { what: "the key derivation and the cipher name two lengths of key" })
            }
            _ => Ok(kdf),
        }
    }

    /// RFC 7914, section 7.1.
    fn parse_scrypt(identifier: &AlgorithmIdentifierRef<'a>) -> Result<(Self, Option<u16>), KeyError> {
        let (salt, n, r, p, length) = parameters(identifier, |reader| {
            Ok((
                octets(reader)?,
                reader.decode::<u64>()?,
                reader.decode::<u32>()?,
                reader.decode::<u32>()?,
                reader.decode::<Option<u16>>()?,
            ))
        })?;
        if n < 2 || !n.is_power_of_two() || r == 0 || p == 0 {
            return Err(KeyError::Malformed { what: "scrypt parameters that make no sense" });
        }
        let (r_wide, p_wide) = (u64::from(r), u64::from(p));
        if n.saturating_add(p_wide).saturating_mul(r_wide).saturating_mul(128) > MAX_SCRYPT_BYTES {
            return Err(KeyError::Costly { what: "scrypt with more than 256 MiB" });
        }
        if n.saturating_mul(r_wide).saturating_mul(p_wide) > MAX_SCRYPT_WORK {
            return Err(KeyError::Costly { what: "scrypt with N * r * p above 2^22" });
        }
        let log_n = u8::try_from(n.trailing_zeros()).map_err(|_| MALFORMED)?;
        Ok((Kdf::Scrypt { salt, log_n, r, p }, length))
    }

    /// RFC 8018, appendix A.2.
    fn parse_pbkdf2(identifier: &AlgorithmIdentifierRef<'a>) -> Result<(Self, Option<u16>), KeyError> {
        let (salt, iterations, length, prf) = parameters(identifier, |reader| {
            Ok((
                octets(reader)?,
                reader.decode::<u32>()?,
                reader.decode::<Option<u16>>()?,
                reader.decode::<Option<AlgorithmIdentifierRef<'_>>>()?,
            ))
        })?;
        let hash = match prf.map_or(HMAC_SHA1, |prf| prf.oid) {
            HMAC_SHA256 => Hash::Sha256,
            HMAC_SHA512 => Hash::Sha512,
            HMAC_SHA1 => return Err(unsupported("an encryption by PBKDF2 with SHA-1")),
            _ => return Err(unsupported("an encryption by PBKDF2 with a hash that is neither SHA-256 nor SHA-512")),
        };
        match iterations {
            0 => Err(KeyError::Malformed { what: "PBKDF2 with no iteration" }),
            1..=MAX_ITERATIONS => Ok((Kdf::Pbkdf2 { salt, iterations, hash }, length)),
            _ => Err(KeyError::Costly { what: "PBKDF2 with more than 10,000,000 iterations" }),
        }
    }

    fn derive(&self, passphrase: &[u8], length: usize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let mut key = Zeroizing::new(alloc::vec![0; length]);
        match self {
            Kdf::Scrypt { salt, log_n, r, p } => {
                let params = scrypt::Params::new(*log_n, *r, *p).map_err(|_| MALFORMED)?;
                scrypt::scrypt(passphrase, salt, &params, &mut key).map_err(|_| MALFORMED)?;
            }
            Kdf::Pbkdf2 { salt, iterations, hash: Hash::Sha256 } => {
                pbkdf2::pbkdf2_hmac::<sha2::Sha256>(passphrase, salt, *iterations, &mut key);
            }
            Kdf::Pbkdf2 { salt, iterations, hash: Hash::Sha512 } => {
                pbkdf2::pbkdf2_hmac::<sha2::Sha512>(passphrase, salt, *iterations, &mut key);
            }
        }
        Ok(key)
    }
}

#[derive(Clone, Copy)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
}

impl Cipher {
    /// The cipher and its initialisation vector (RFC 8018, appendix B.2.5).
    fn parse<'a>(identifier: &AlgorithmIdentifierRef<'a>) -> Result<(Self, &'a [u8]), KeyError> {
        let cipher = match identifier.oid {
            AES128_CBC => Cipher::Aes128,
            AES192_CBC => Cipher::Aes192,
            AES256_CBC => Cipher::Aes256,
            _ => return Err(unsupported("an encryption with a cipher other than AES in CBC mode")),
        };
        let iv = identifier.parameters.and_then(|iv| iv.decode_as::<&OctetStringRef>().ok()).ok_or(MALFORMED)?.as_bytes();
        if iv.len() == 16 { Ok((cipher, iv)) } else { Err(MALFORMED) }
    }

    fn key_length(self) -> usize {
        match self {
            Cipher::Aes128 => 16,
            Cipher::Aes192 => 24,
            Cipher::Aes256 => 32,
        }
    }

    /// Decrypts in place; the length of what was encrypted, if the padding is right.
    fn decrypt(self, key: &[u8], iv: &[u8], data: &mut [u8]) -> Option<usize> {
        macro_rules! decrypt {
            ($cipher:ty) => {
                cbc::Decryptor::<$cipher>::new_from_slices(key, iv).ok()?.decrypt_padded::<Pkcs7>(data).ok()?.len()
            };
        }
        Some(match self {
            Cipher::Aes128 => decrypt!(aes::Aes128),
            Cipher::Aes192 => decrypt!(aes::Aes192),
            Cipher::Aes256 => decrypt!(aes::Aes256),
        })
    }
}

/// The elements of the one SEQUENCE that `der` is.
fn sequence<'a, T>(der: &'a [u8], read: impl FnOnce(&mut SliceReader<'a>) -> der::Result<T>) -> Result<T, KeyError> {
    let read = || {
        let mut reader = SliceReader::new(der)?;
        let value = reader.sequence(read)?;
        reader.finish()?;
        Ok::<_, der::Error>(value)
    };
    read().map_err(|_| MALFORMED)
}

/// The elements of an algorithm's parameters.
fn parameters<'a, T>(
    identifier: &AlgorithmIdentifierRef<'a>,
    read: impl FnOnce(&mut SliceReader<'a>) -> der::Result<T>,
) -> Result<T, KeyError> {
    let read = |parameters: AnyRef<'a>| {
        let mut reader = SliceReader::new(parameters.value())?;
        let value = read(&mut reader)?;
        reader.finish()?;
        Ok::<_, der::Error>(value)
    };
    identifier.parameters.and_then(|parameters| read(parameters).ok()).ok_or(MALFORMED)
}

fn octets<'a>(reader: &mut SliceReader<'a>) -> der::Result<&'a [u8]> {
    <&OctetStringRef>::decode(reader).map(OctetStringRef::as_bytes)
}

fn unsupported(what: &str) -> KeyError {
    let what: String = what.to_string();
    KeyError::Unsupported { what }
}
