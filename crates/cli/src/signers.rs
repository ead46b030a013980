//! The options that name private keys, and the keys that they lead to.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use touchmark::envelope::key::KeyAlgorithm;
use touchmark::envelope::sign::Signer;
use touchmark::keys::{DEFAULT_TIMEOUT, KeyFileError, KeySource, PassphraseFile, Passphrases};
use touchmark::oci::error::Class;
use touchmark::sign::SigningError;
use touchmark_verify::exit::Exit;
use touchmark_verify::output::Failure;

/// Who signs.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Who signs")]
pub(crate) struct Signers {
    /// A private key: a file, - (standard input), env:VARIABLE or exec:PROGRAM; may be repeated
    #[arg(long = "key", required = true, value_name = "KEY")]
    pub(crate) keys: Vec<OsString>,
    #[command(flatten)]
    pub(crate) passphrase: Passphrase,
}

/// How an encrypted private key is opened.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Passphrase {
    /// A file whose first line is the passphrase, - is standard input; otherwise $TOUCHMARK_PASSPHRASE, otherwise a terminal is asked
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

impl Signers {
    /// Opens the keys, each once.
    pub(crate) fn open(&self) -> Result<Vec<Box<dyn Signer>>, Failure> {
        let sources: Vec<KeySource> = self.keys.iter().map(|key| KeySource::from(key.as_os_str())).collect();
        let signers = touchmark::keys::open_signers(&sources, &mut self.passphrase.source(), DEFAULT_TIMEOUT);
        signers.map_err(|error| failure(&error))
    }

    /// Whether standard input is read for a key or a passphrase.
    pub(crate) fn reads_standard_input(&self) -> bool {
        self.keys.iter().any(|key| key == "-") || self.passphrase.source().reads_standard_input()
    }
}

impl Passphrase {
    /// Where passphrases come from.
    pub(crate) fn source(&self) -> Passphrases<'static> {
        let surroundings = Passphrases::from_surroundings();
        match &self.passphrase_file {
            None => surroundings,
            Some(path) if path.as_os_str() == OsStr::new("-") => surroundings.file(PassphraseFile::StandardInput),
            Some(path) => surroundings.file(PassphraseFile::File(path.clone())),
        }
    }
}

/// A kind of key that can be made.
pub(crate) fn key_type(text: &str) -> Result<KeyAlgorithm, String> {
    match KeyAlgorithm::from_name(text) {
        Some(made @ (KeyAlgorithm::Ed25519 | KeyAlgorithm::EcdsaP256)) => Ok(made),
        _ => Err("it is ed25519 or ecdsa-p256".to_owned()),
    }
}

/// What is wrong with a key file. A full disk and an external signer that fails are no mistakes on the command line.
pub(crate) fn failure(error: &KeyFileError) -> Failure {
    let exit = match error {
        KeyFileError::Write { .. } | KeyFileError::Program { .. } => Exit::Unknown,
        _ => Exit::Usage,
    };
    Failure::new(exit, error.code(), error.to_string()).hint(error.hint())
}

/// Why nothing was signed. An envelope that says something else than asked is refused, and no mistake of the command line's form.
pub(crate) fn signing_failure(error: &SigningError) -> Failure {
    let exit = match (error, error.class()) {
        (SigningError::Differs { .. } | SigningError::IssuedInFuture { .. }, _) => Exit::NotVerified,
        (_, Class::Usage) => Exit::Usage,
        (_, Class::WrongDigest | Class::Malformed) => Exit::Malformed,
        _ => Exit::Unknown,
    };
    let mut failure = Failure::new(exit, error.code(), error.to_string());
    failure.hint = error.hint();
    failure.retryable = error.is_retryable();
    failure
}
