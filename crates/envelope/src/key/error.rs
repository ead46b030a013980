//! Why something is no key, or a signature not valid.

use alloc::string::String;

use crate::pem::PemError;

/// Why bytes are not the key that was asked for. All of them are mistakes of the caller, never of an artifact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// More than [`MAX_KEY_BYTES`](crate::key::MAX_KEY_BYTES).
    #[error("larger than 64 KiB, which no key is")]
    TooLarge,
    /// Nothing in it looks like a key.
    #[error("neither PEM nor DER of a key")]
    NotAKey,
    /// The PEM around the key is damaged.
    #[error("damaged PEM: {0}")]
    Pem(#[from] PemError),
    /// The structure or the value of the key is damaged.
    #[error("damaged key: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// Two parts of it say different things.
    #[error("confused key: {what}")]
    Confused {
        /// What contradicts what.
        what: &'static str,
    },
    /// Signatures by it prove nothing, or too little.
    #[error("weak key: {what}")]
    Weak {
        /// What makes it weak.
        what: &'static str,
    },
    /// A private key was given where a public key is needed.
    #[error("{what}, and a public key is needed")]
    Private {
        /// What it is.
        what: &'static str,
    },
    /// A public key was given where a private key is needed.
    #[error("a public key, and a private key is needed")]
    Public,
    /// A kind of key, or a file that holds keys, that is not supported.
    #[error("{what}, which is not supported")]
    Unsupported {
        /// What it is.
        what: String,
    },
    /// The private key is encrypted and no passphrase was given.
    #[error("the private key is encrypted and no passphrase was given")]
    PassphraseNeeded,
    /// The passphrase does not decrypt the private key.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// A private key is not encrypted by nothing.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// There are no random numbers to make a key or to encrypt one.
    #[cfg(feature = "sign")]
    #[error(transparent)]
    Random(#[from] crate::sign::RandomFailed),
    /// The file asks for more work or memory to check the passphrase than is allowed.
    #[error("its passphrase takes more work to check than is allowed: {what}")]
    Costly {
        /// Which limit is exceeded.
        what: &'static str,
    },
}

impl KeyError {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            KeyError::TooLarge => "key-too-large",
            KeyError::NotAKey => "key-not-a-key",
            KeyError::Pem(_) | KeyError::Malformed { .. } => "key-malformed",
            KeyError::Confused { .. } => "key-confused",
            KeyError::Weak { .. } => "key-weak",
            KeyError::Private { .. } => "key-private",
            KeyError::Public => "key-public",
            KeyError::Unsupported { .. } => "key-unsupported",
            KeyError::PassphraseNeeded => "passphrase-needed",
            KeyError::WrongPassphrase => "passphrase-wrong",
            KeyError::EmptyPassphrase => "passphrase-empty",
            #[cfg(feature = "sign")]
            KeyError::Random(_) => "random-failed",
            KeyError::Costly { .. } => "key-costly",
        }
    }

    /// What to try.
    pub fn hint(&self) -> &'static str {
        match self {
            KeyError::TooLarge | KeyError::NotAKey | KeyError::Malformed { .. } | KeyError::Confused { .. } => {
                "a key file is PEM as `touchmark key generate` or `openssl pkey` write it"
            }
            KeyError::Pem(PemError::Headers) => "convert it: openssl pkcs8 -topk8 -in OLD -out NEW",
            KeyError::Pem(_) => "the file must hold the whole block, from its BEGIN to its END line",
            KeyError::Weak { .. } => "the key's owner must make another one",
            KeyError::Private { .. } => "give the public key; `touchmark key public KEY` prints it",
            KeyError::Public => "give the private key that belongs to it",
            KeyError::Unsupported { .. } => "supported are Ed25519, ECDSA P-256 and ECDSA P-384 as SubjectPublicKeyInfo or PKCS#8",
            KeyError::PassphraseNeeded => "use --passphrase-file FILE or $TOUCHMARK_PASSPHRASE, or run on a terminal",
            KeyError::WrongPassphrase => "check the passphrase; a newline at its end is not part of it",
            KeyError::EmptyPassphrase => "give a passphrase, or say that there is none: --no-passphrase",
            #[cfg(feature = "sign")]
            KeyError::Random(_) => "check the system's random number device",
            KeyError::Costly { .. } => "encrypt it anew: openssl pkcs8 -topk8 -in OLD -out NEW",
        }
    }
}

/// The signature is not a valid one by this key over this message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not valid")]
pub struct SignatureError;
