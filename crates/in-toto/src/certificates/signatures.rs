//! The signatures that certificates are signed by. More of them are taken than of links: which ones is not the functionary's choice, but
//! that of an authority, and PKCS #1 v1.5 is what most of them use.

use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::pkcs1v15;
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use touchmark_envelope::key::{KeyAlgorithm, PublicKey};

/// All of them.
pub(super) static ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    &Algorithm { key: alg_id::ED25519, signature: alg_id::ED25519, check: ed25519 },
    &Algorithm { key: alg_id::ECDSA_P256, signature: alg_id::ECDSA_SHA256, check: p256_sha256 },
    &Algorithm { key: alg_id::ECDSA_P256, signature: alg_id::ECDSA_SHA384, check: p256_sha384 },
    &Algorithm { key: alg_id::ECDSA_P384, signature: alg_id::ECDSA_SHA384, check: p384_sha384 },
    &Algorithm { key: alg_id::ECDSA_P384, signature: alg_id::ECDSA_SHA256, check: p384_sha256 },
    &Algorithm { key: alg_id::RSA_ENCRYPTION, signature: alg_id::RSA_PSS_SHA256, check: rsa_pss },
    &Algorithm { key: alg_id::RSA_ENCRYPTION, signature: alg_id::RSA_PKCS1_SHA256, check: rsa_sha256 },
    &Algorithm { key: alg_id::RSA_ENCRYPTION, signature: alg_id::RSA_PKCS1_SHA384, check: rsa_sha384 },
    &Algorithm { key: alg_id::RSA_ENCRYPTION, signature: alg_id::RSA_PKCS1_SHA512, check: rsa_sha512 },
];

/// One of them: of a key, as it stands in a certificate, over a message.
#[derive(Debug)]
struct Algorithm {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    check: Check,
}

/// Whether a key validly signed a message: something if it did. It is given the key, the message and the signature.
type Check = fn(&[u8], &[u8], &[u8]) -> Option<()>;

impl SignatureVerificationAlgorithm for Algorithm {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        (self.check)(key, message, signature).ok_or(InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

/// By the checks of links.
fn by_key(algorithm: KeyAlgorithm, key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let _valid = PublicKey::from_raw(algorithm, key).ok()?.verify(message, signature).ok()?;
    Some(())
}

fn ed25519(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    by_key(KeyAlgorithm::Ed25519, key, message, signature)
}

fn p256_sha256(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    by_key(KeyAlgorithm::EcdsaP256, key, message, signature)
}

fn p384_sha384(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    by_key(KeyAlgorithm::EcdsaP384, key, message, signature)
}

fn rsa_pss(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    by_key(KeyAlgorithm::RsaPssSha256, key, message, signature)
}

fn p256_sha384(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?;
    let signature = p256::ecdsa::Signature::from_der(signature).ok()?;
    key.verify_prehash(&Sha384::digest(message), &signature).ok()
}

fn p384_sha256(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?;
    let signature = p384::ecdsa::Signature::from_der(signature).ok()?;
    key.verify_prehash(&Sha256::digest(message), &signature).ok()
}

/// An RSA key of a size that is checked.
fn rsa_key(key: &[u8]) -> Option<rsa::PublicKey> {
    use der::asn1::UintRef;
    use der::{Decode as _, Reader as _, SliceReader};
    let sound = PublicKey::from_raw(KeyAlgorithm::RsaPssSha256, key).ok()?;
    let mut reader = SliceReader::new(sound.as_raw()).ok()?;
    let numbers = reader.sequence(|reader| Ok::<_, der::Error>((UintRef::decode(reader)?, UintRef::decode(reader)?)));
    let (n, e) = numbers.ok()?;
    let number = |uint: UintRef<'_>| rsa::BoxedUint::from_be_slice_vartime(uint.as_bytes());
    // The sizes were looked at above.
    rsa::PublicKey::new_with_size_limits(number(n), number(e), 2048..=8192).ok()
}

fn rsa_sha256(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let signature = pkcs1v15::Signature::try_from(signature).ok()?;
    pkcs1v15::VerifyingKey::<Sha256>::new(rsa_key(key)?).verify(message, &signature).ok()
}

fn rsa_sha384(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let signature = pkcs1v15::Signature::try_from(signature).ok()?;
    pkcs1v15::VerifyingKey::<Sha384>::new(rsa_key(key)?).verify(message, &signature).ok()
}

fn rsa_sha512(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let signature = pkcs1v15::Signature::try_from(signature).ok()?;
    pkcs1v15::VerifyingKey::<Sha512>::new(rsa_key(key)?).verify(message, &signature).ok()
}
