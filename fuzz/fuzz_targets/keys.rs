//! Public and private keys, PEM and DER: a key that is read is the same when it is written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::sign::{PrivateKey, Signer as _};

fuzz_target!(|data: &[u8]| {
    if let Ok(key) = PublicKey::read(data) {
        assert_eq!(PublicKey::from_pem(key.to_pem().as_bytes()).as_ref(), Ok(&key));
        assert_eq!(PublicKey::from_spki_der(&key.to_spki_der()).as_ref(), Ok(&key));
        assert_eq!(PublicKey::from_raw(key.algorithm(), key.as_raw()).as_ref(), Ok(&key));
        assert!(key.verify(b"message", data).is_err());
        assert!(PrivateKey::read(data, None).is_err());
    }
    if let Ok(key) = PublicKey::rsa_from_pem(data).or_else(|_| PublicKey::rsa_from_spki_der(data)) {
        assert_eq!(PublicKey::rsa_from_pem(key.to_pem().as_bytes()).as_ref(), Ok(&key));
        assert_eq!(PublicKey::rsa_from_spki_der(&key.to_spki_der()).as_ref(), Ok(&key));
        assert_eq!(PublicKey::from_raw(key.algorithm(), key.as_raw()).as_ref(), Ok(&key));
        assert!(key.verify(b"message", data).is_err() && PublicKey::read(data).is_err());
    }
    // Without a passphrase, since making a key from one is slow on purpose.
    if let Ok(key) = PrivateKey::read(data, None) {
        let again = PrivateKey::from_pem(key.to_pem().as_bytes(), None).expect("a key");
        assert_eq!(again.public_key(), key.public_key());
        let signature = key.sign(b"message").expect("a signature");
        assert!(key.public_key().verify(b"message", &signature).is_ok());
        assert!(PublicKey::read(data).is_err());
    }
});
