//! Why a key cannot be used, or not be kept.

use std::io;
use std::path::PathBuf;

use touchmark_envelope::key::KeyError;

/// Why a key cannot be read, used or written. Each is a mistake on the command line or of its surroundings: exit 2.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// What was read is not the key that is needed.
    #[error("{from}: {error}")]
    Key {
        /// Where it was read.
        from: String,
        /// What is wrong with it.
        error: KeyError,
    },
    /// It cannot be read.
    #[error("{from}: cannot be read: {error}")]
    Read {
        /// The file, or `standard input`.
        from: String,
        /// What the system says.
        error: io::Error,
    },
    /// It cannot be written.
    #[error("{}: cannot be written: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// There is a file of that name already; a key is never overwritten.
    #[error("{}: exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may read or change the private key.
    #[error("{}: unsafe mode {mode:04o}: others than its owner have access to the private key", path.display())]
    UnsafeMode {
        /// The file.
        path: PathBuf,
        /// Its mode bits.
        mode: u32,
    },
    /// The environment variable is not set, or not UTF-8.
    #[error("the environment variable {variable} is not set")]
    NoVariable {
        /// Its name.
        variable: String,
    },
    /// Standard input holds one thing, and it was named for several.
    #[error("standard input (-) is named more than once")]
    StandardInputTwice,
    /// An external signer where a key itself is needed.
    #[error("exec:{program}: an external signer has a public key, but gives no private key away")]
    NotAKeyFile {
        /// The program.
        program: String,
    },
    /// The two passphrases that were typed differ.
    #[error("the two passphrases differ")]
    PassphrasesDiffer,
    /// The external signer failed.
    #[error("exec:{program}: {reason}")]
    Program {
        /// The program.
        program: String,
        /// What went wrong.
        reason: String,
    },
}

impl KeyFileError {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            KeyFileError::Key { error, .. } => error.code(),
            KeyFileError::Read { .. } => "key-unreadable",
            KeyFileError::Write { .. } => "key-not-writable",
            KeyFileError::Exists { .. } => "key-exists",
            KeyFileError::UnsafeMode { .. } => "key-unsafe-mode",
            KeyFileError::NoVariable { .. } => "no-variable",
            KeyFileError::StandardInputTwice => "standard-input-twice",
            KeyFileError::NotAKeyFile { .. } => "key-external",
            KeyFileError::PassphrasesDiffer => "passphrases-differ",
            KeyFileError::Program { .. } => "signer-failed",
        }
    }

    /// What to try.
    pub fn hint(&self) -> String {
        match self {
            KeyFileError::Key { error, .. } => error.hint().to_owned(),
            KeyFileError::Read { .. } => "check the name of the file and its permissions".to_owned(),
            KeyFileError::Write { path, error } if error.kind() == io::ErrorKind::NotFound => match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => format!("the folder {} is missing: make it first", folder.display()),
                _ => "the folder is missing: make it first".to_owned(),
            },
            KeyFileError::Write { .. } => "check the folder's permissions and the space left".to_owned(),
            KeyFileError::Exists { .. } => "choose another name, or remove the file if the key is no longer needed".to_owned(),
            KeyFileError::UnsafeMode { path, .. } => format!("chmod 600 {}", path.display()),
            KeyFileError::NoVariable { variable } => format!("set {variable} to the text of the key"),
            KeyFileError::StandardInputTwice => "give the other one as a file or as env:VAR".to_owned(),
            KeyFileError::NotAKeyFile { .. } => "`touchmark key public exec:PROGRAM` prints its public key".to_owned(),
            KeyFileError::PassphrasesDiffer => "type the same passphrase twice".to_owned(),
            KeyFileError::Program { .. } => "run the program by hand with a request of SPEC.md, section 8".to_owned(),
        }
    }
}
