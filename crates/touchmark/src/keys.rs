//! Where keys and passphrases come from, and how keys are kept in files (feature `sign`).
//!
//! - [`KeySource`] is what `--key` takes: a file, `-`, `env:VAR`, or `exec:PROGRAM` for a [`ProgramSigner`].
//! - [`KeySource::signer`] opens it for signing, [`KeySource::public_key`] reads a public key of it.
//! - [`write_key_pair`] keeps a new key in files; [`Passphrases`] says where passphrases come from.

mod error;
mod file;
mod passphrase;
mod platform;
mod program;
mod source;

pub use self::error::KeyFileError;
pub use self::file::{Encryption, KeyPair, new_key, write_key_pair};
pub use self::passphrase::{PASSPHRASE_VARIABLE, PassphraseFile, Passphrases};
pub use self::program::{DEFAULT_TIMEOUT, PROTOCOL, ProgramSigner};
pub use self::source::{Held, KeySource, open_signers};
