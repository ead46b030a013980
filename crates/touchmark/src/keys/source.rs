//! The sources of keys that a command line names.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use touchmark_envelope::key::{KeyError, MAX_KEY_BYTES, PublicKey};
use touchmark_envelope::sign::{PrivateKey, Signer};
use zeroize::Zeroizing;

use super::file::{self, KeyFile};
use super::{KeyFileError, Passphrases, ProgramSigner};

/// Where a key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// `-`: standard input.
    StandardInput,
    /// `env:VAR`: the text of the key in an environment variable.
    Environment(String),
    /// `exec:PROGRAM`: an external signer (SPEC.md, section 8).
    Program(OsString),
    /// Anything else: a file.
    File(PathBuf),
}

/// A key, as its file has it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Held {
    /// A public key.
    Public(PublicKey),
    /// A private key, with its public key.
    Private(Box<PrivateKey>),
    /// The key of an external signer.
    External(PublicKey),
}

impl Held {
    /// The public key, whichever was held.
    pub fn public_key(&self) -> &PublicKey {
        match self {
            Held::Public(key) | Held::External(key) => key,
            Held::Private(key) => key.public_key(),
        }
    }
}

impl From<&OsStr> for KeySource {
    fn from(text: &OsStr) -> Self {
        match text.to_str() {
            Some("-") => KeySource::StandardInput,
            Some(text) => match text.split_once(':') {
                Some(("env", variable)) => KeySource::Environment(variable.to_owned()),
                Some(("exec", program)) => KeySource::Program(program.into()),
                _ => KeySource::File(text.into()),
            },
            None => KeySource::File(text.into()),
        }
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeySource::StandardInput => f.write_str("standard input"),
            KeySource::Environment(variable) => write!(f, "env:{variable}"),
            KeySource::Program(program) => write!(f, "exec:{}", program.display()),
            KeySource::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl KeySource {
    /// Reads the private key, asking for its passphrase if it is encrypted.
    ///
    /// # Errors
    /// See [`KeyFileError`]. A key file that others may read is refused.
    pub fn private_key(&self, passphrases: &mut Passphrases<'_>) -> Result<PrivateKey, KeyFileError> {
        self.decrypted(&self.read()?, passphrases)
    }

    /// Opens the key for signing.
    ///
    /// # Errors
    /// As for [`private_key`](Self::private_key), or what the external signer says.
    pub fn signer(&self, passphrases: &mut Passphrases<'_>, timeout: Duration) -> Result<Box<dyn Signer>, KeyFileError> {
        Ok(match self {
            KeySource::Program(program) => Box::new(ProgramSigner::start(program, timeout)?),
            _ => Box::new(self.private_key(passphrases)?),
        })
    }

    /// Reads a public key.
    ///
    /// # Errors
    /// See [`KeyFileError`]; a private key is [`KeyError::Private`].
    pub fn public_key(&self, timeout: Duration) -> Result<PublicKey, KeyFileError> {
        match self {
            KeySource::Program(program) => Ok(ProgramSigner::start(program, timeout)?.public_key().clone()),
            _ => PublicKey::read(&self.read()?.bytes).map_err(|error| self.error(error)),
        }
    }

    /// Reads a public key of any kind that in-toto's metadata is signed with: of PEM files RSA keys too, which nothing else takes.
    ///
    /// # Errors
    /// As for [`public_key`](Self::public_key).
    #[cfg(feature = "in-toto")]
    pub fn metadata_key(&self, timeout: Duration) -> Result<PublicKey, KeyFileError> {
        if let KeySource::Program(_) = self {
            return self.public_key(timeout);
        }
        let read = self.read()?;
        PublicKey::read(&read.bytes)
            .or_else(|error| match error {
                KeyError::Unsupported { .. } => PublicKey::rsa_from_pem(&read.bytes),
                error => Err(error),
            })
            .map_err(|error| self.error(error))
    }

    /// Reads whatever key is there, as `touchmark key show` does.
    ///
    /// # Errors
    /// See [`KeyFileError`].
    pub fn any_key(&self, passphrases: &mut Passphrases<'_>, timeout: Duration) -> Result<Held, KeyFileError> {
        if let KeySource::Program(program) = self {
            return Ok(Held::External(ProgramSigner::start(program, timeout)?.public_key().clone()));
        }
        let read = self.read()?;
        match PublicKey::read(&read.bytes) {
            Err(KeyError::Private { .. }) => Ok(Held::Private(Box::new(self.decrypted(&read, passphrases)?))),
            Err(error) => Err(self.error(error)),
            Ok(key) => Ok(Held::Public(key)),
        }
    }

    /// The private key in what was read; what is none says so before its mode is looked at.
    fn decrypted(&self, read: &KeyFile, passphrases: &mut Passphrases<'_>) -> Result<PrivateKey, KeyFileError> {
        let key = PrivateKey::read(&read.bytes, None);
        if let (KeySource::File(path), Some(mode), Ok(_) | Err(KeyError::PassphraseNeeded)) = (self, read.unsafe_mode, &key) {
            return Err(KeyFileError::UnsafeMode { path: path.clone(), mode });
        }
        match key {
            Err(KeyError::PassphraseNeeded) => {
                let passphrase = passphrases.to_open(&self.to_string())?;
                PrivateKey::read(&read.bytes, Some(&passphrase)).map_err(|error| self.error(error))
            }
            read => read.map_err(|error| self.error(error)),
        }
    }

    fn read(&self) -> Result<KeyFile, KeyFileError> {
        let bytes = match self {
            KeySource::StandardInput => limited(std::io::stdin().lock()).map_err(|error| self.unreadable(error))?,
            KeySource::Environment(variable) => match std::env::var(variable) {
                Ok(text) => Zeroizing::new(text.into_bytes()),
                Err(_) => return Err(KeyFileError::NoVariable { variable: variable.clone() }),
            },
            KeySource::Program(program) => return Err(KeyFileError::NotAKeyFile { program: program.display().to_string() }),
            KeySource::File(path) => return file::read(path),
        };
        Ok(KeyFile { bytes, unsafe_mode: None })
    }

    fn error(&self, error: KeyError) -> KeyFileError {
        KeyFileError::Key { from: self.to_string(), error }
    }

    fn unreadable(&self, error: std::io::Error) -> KeyFileError {
        KeyFileError::Read { from: self.to_string(), error }
    }
}

/// Opens several keys for signing, each once: two sources of one key are one signer.
///
/// # Errors
/// Of the first that cannot be opened; [`KeyFileError::StandardInputTwice`].
pub fn open_signers(
    sources: &[KeySource],
    passphrases: &mut Passphrases<'_>,
    timeout: Duration,
) -> Result<Vec<Box<dyn Signer>>, KeyFileError> {
    let input = sources.iter().filter(|source| **source == KeySource::StandardInput).count();
    if input + usize::from(passphrases.reads_standard_input()) > 1 {
        return Err(KeyFileError::StandardInputTwice);
    }
    // What a program signs with is its own; it does not see the keys of the others.
    let named = sources.iter().filter_map(|source| match source {
        KeySource::Environment(variable) => Some(variable.clone()),
        _ => None,
    });
    let hidden: Vec<String> = named.collect();
    let mut signers: Vec<Box<dyn Signer>> = Vec::with_capacity(sources.len());
    for source in sources {
        let signer = match source {
            KeySource::Program(program) => Box::new(ProgramSigner::start_without(program, timeout, &hidden)?),
            _ => source.signer(passphrases, timeout)?,
        };
        if !signers.iter().any(|known| known.public_key() == signer.public_key()) {
            signers.push(signer);
        }
    }
    Ok(signers)
}

/// All that `reader` gives, if that is no more than a key can be; a little more if it is, so that it is found too large.
pub(super) fn limited(reader: impl Read) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let most = MAX_KEY_BYTES + 1;
    // In one piece, so that no copy is left behind while it grows.
    let mut bytes = Zeroizing::new(Vec::with_capacity(most + 1));
    reader.take(u64::try_from(most).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_apart() {
        let source = |text: &str| KeySource::from(OsStr::new(text));
        assert_eq!(source("-"), KeySource::StandardInput);
        assert_eq!(source("env:KEY"), KeySource::Environment("KEY".to_owned()));
        assert_eq!(source("exec:./kms sign"), KeySource::Program("./kms sign".into()));
        for file in ["key", "./-", "./env:KEY", "C:\\key", "environment:KEY"] {
            assert_eq!(source(file), KeySource::File(file.into()));
            assert_eq!(source(file).to_string(), file);
        }
    }

    #[test]
    fn standard_input_holds_one_thing() {
        let twice = [KeySource::StandardInput, KeySource::StandardInput];
        let refused = open_signers(&twice, &mut Passphrases::none(), Duration::from_secs(1));
        assert!(matches!(refused, Err(KeyFileError::StandardInputTwice)));
        let mut passphrases = Passphrases::none().file(super::super::PassphraseFile::StandardInput);
        let refused = open_signers(&[KeySource::StandardInput], &mut passphrases, Duration::from_secs(1));
        assert!(matches!(refused, Err(KeyFileError::StandardInputTwice)));
    }
}
