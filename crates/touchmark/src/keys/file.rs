//! Key files: read by their owner only, and written whole or not at all, never over another file.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use touchmark_envelope::key::KeyAlgorithm;
use touchmark_envelope::sign::{PrivateKey, RandomFailed, Signer as _};
use zeroize::Zeroizing;

use super::{KeyFileError, platform, source};

/// Whether a new private key is encrypted in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption<'a> {
    /// By this passphrase.
    Passphrase(&'a [u8]),
    /// Not at all.
    None,
}

/// The two files of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    /// The private key: mode 0600.
    pub private: PathBuf,
    /// The public key: the same name with `.pub` after it.
    pub public: PathBuf,
}

/// A new key from the system's random numbers.
///
/// # Errors
/// The system has none.
pub fn new_key(algorithm: KeyAlgorithm) -> Result<PrivateKey, KeyFileError> {
    PrivateKey::generate(algorithm, &mut random).map_err(|error| KeyFileError::Key { from: "a new key".to_owned(), error })
}

/// Writes a key to `path`, and its public key beside it.
///
/// Both files are written under other names, synced, and then given theirs, if nobody has it: a file that exists is never
/// overwritten, and what a crash leaves behind is no part of a key.
///
/// # Errors
/// [`KeyFileError::Exists`], [`KeyFileError::Write`], or a passphrase that is empty.
pub fn write_key_pair(path: &Path, key: &PrivateKey, encryption: Encryption<'_>) -> Result<KeyPair, KeyFileError> {
    let public = public_path(path);
    for path in [path, &public] {
        if path.symlink_metadata().is_ok() {
            return Err(KeyFileError::Exists { path: path.to_owned() });
        }
    }
    let text = match encryption {
        Encryption::None => key.to_pem(),
        Encryption::Passphrase(passphrase) => {
            let text = key.to_encrypted_pem(passphrase, &mut random);
            Zeroizing::new(text.map_err(|error| KeyFileError::Key { from: path.display().to_string(), error })?)
        }
    };
    let private_file = Pending::write(path, text.as_bytes(), 0o600)?;
    let public_file = Pending::write(&public, key.public_key().to_pem().as_bytes(), 0o644)?;
    private_file.publish()?;
    if let Err(error) = public_file.publish() {
        // It was made a moment ago, and half a pair is none.
        let _ = std::fs::remove_file(path);
        return Err(error);
    }
    platform::sync_folder(path).map_err(|error| KeyFileError::Write { path: path.to_owned(), error })?;
    Ok(KeyPair { private: path.to_owned(), public })
}

/// What is in a key file, and who may read it.
pub(super) struct KeyFile {
    /// Its bytes; a little more than the largest key if it is larger.
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// Its mode, if it is one that a private key must not have.
    pub(super) unsafe_mode: Option<u32>,
}

/// Reads a key file, and its mode from the same open file.
pub(super) fn read(path: &Path) -> Result<KeyFile, KeyFileError> {
    let read = || {
        let file = File::open(path)?;
        let unsafe_mode = platform::unsafe_mode(&file)?;
        Ok(KeyFile { bytes: source::limited(file)?, unsafe_mode })
    };
    read().map_err(|error| KeyFileError::Read { from: path.display().to_string(), error })
}

fn public_path(path: &Path) -> PathBuf {
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    public.into()
}

/// A file that is written and synced and has not its name yet; removed when dropped.
struct Pending<'a> {
    target: &'a Path,
    temporary: PathBuf,
}

impl<'a> Pending<'a> {
    fn write(target: &'a Path, bytes: &[u8], mode: u32) -> Result<Self, KeyFileError> {
        let failed = |error| KeyFileError::Write { path: target.to_owned(), error };
        let mut suffix = [0; 8];
        random(&mut suffix).map_err(|error| failed(io::Error::other(error)))?;
        let mut temporary = target.as_os_str().to_owned();
        temporary.push(format!(".{}.tmp", touchmark_envelope::digest::hex(&suffix)));
        let temporary = PathBuf::from(temporary);
        let mut file = platform::create(&temporary, mode).map_err(failed)?;
        let pending = Self { target, temporary };
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
        Ok(pending)
    }

    /// Gives the file its name. A link, unlike a rename, fails if there is one of that name.
    fn publish(self) -> Result<(), KeyFileError> {
        match std::fs::hard_link(&self.temporary, self.target) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(KeyFileError::Exists { path: self.target.to_owned() }),
            // A file system without hard links: the name is free as of a moment ago, and a rename takes it.
            Err(_) if self.target.symlink_metadata().is_err() => {
                std::fs::rename(&self.temporary, self.target).map_err(|error| KeyFileError::Write { path: self.target.to_owned(), error })
            }
            Err(_) => Err(KeyFileError::Exists { path: self.target.to_owned() }),
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        // After a rename it is not there any more.
        let _ = std::fs::remove_file(&self.temporary);
    }
}

fn random(bytes: &mut [u8]) -> Result<(), RandomFailed> {
    getrandom::fill(bytes).map_err(|_| RandomFailed)
}
