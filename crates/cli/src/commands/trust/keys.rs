//! Keys on the command line of `trust`: public ones that are listed, private ones that sign too.

use std::ffi::{OsStr, OsString};

use touchmark::envelope::key::PublicKey;
use touchmark::envelope::sign::Signer;
use touchmark::keys::{DEFAULT_TIMEOUT, Held, KeyFileError, KeySource, Passphrases, ProgramSigner};
use touchmark_verify::output::Failure;

use crate::signers::{self, Passphrase};

/// Who signs, if anybody does.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Who signs")]
pub(super) struct MaybeSigners {
    /// A private key: a file, - (standard input), env:VARIABLE or exec:PROGRAM; may be repeated
    #[arg(long = "key", value_name = "KEY")]
    pub(super) keys: Vec<OsString>,
    #[command(flatten)]
    pub(super) passphrase: Passphrase,
}

impl MaybeSigners {
    /// Opens the keys, each once.
    pub(super) fn open(&self) -> Result<Vec<Box<dyn Signer>>, Failure> {
        let sources: Vec<KeySource> = self.keys.iter().map(|key| KeySource::from(key.as_os_str())).collect();
        let signers = touchmark::keys::open_signers(&sources, &mut self.passphrase.source(), DEFAULT_TIMEOUT);
        signers.map_err(|error| signers::failure(&error))
    }
}

/// Reads the public key of whatever key is named: a public key file, a private one, an external signer.
pub(super) fn public_keys(keys: &[OsString], passphrases: Passphrases<'_>) -> Result<Vec<PublicKey>, Failure> {
    let mut reader = PublicKeys::new(passphrases, keys)?;
    keys.iter().map(|key| reader.read(key)).collect()
}

/// Reads the public keys of one command.
pub(super) struct PublicKeys<'a> {
    passphrases: Passphrases<'a>,
    hidden: Vec<String>,
}

impl<'a> PublicKeys<'a> {
    /// `keys` are all that the command names.
    pub(super) fn new(passphrases: Passphrases<'a>, keys: &[OsString]) -> Result<Self, Failure> {
        one_standard_input(keys, &passphrases)?;
        Ok(Self { passphrases, hidden: variables(keys) })
    }

    /// The public key of one of them.
    pub(super) fn read(&mut self, key: &OsStr) -> Result<PublicKey, Failure> {
        let failed = |error: KeyFileError| signers::failure(&error);
        match KeySource::from(key) {
            KeySource::Program(program) => {
                let signer = ProgramSigner::start_without(&program, DEFAULT_TIMEOUT, &self.hidden).map_err(failed)?;
                Ok(signer.public_key().clone())
            }
            source => Ok(source.any_key(&mut self.passphrases, DEFAULT_TIMEOUT).map_err(failed)?.public_key().clone()),
        }
    }
}

/// The environment variables among these keys: an external signer gets to see nobody else's.
fn variables(keys: &[OsString]) -> Vec<String> {
    let named = keys.iter().filter_map(|key| match KeySource::from(key.as_os_str()) {
        KeySource::Environment(variable) => Some(variable),
        _ => None,
    });
    named.collect()
}

/// Asserts that standard input is named for one thing at most.
fn one_standard_input(keys: &[OsString], passphrases: &Passphrases<'_>) -> Result<(), Failure> {
    let named = keys.iter().filter(|key| key.as_os_str() == "-").count() + usize::from(passphrases.reads_standard_input());
    if named > 1 { Err(signers::failure(&KeyFileError::StandardInputTwice)) } else { Ok(()) }
}

/// Keys that were named for roles: each is opened once, however often it is named, and signs if it can.
pub(super) struct Opened<'a> {
    passphrases: Passphrases<'a>,
    hidden: Vec<String>,
    keys: Vec<(OsString, PublicKey)>,
    pub(super) signers: Vec<Box<dyn Signer>>,
}

impl<'a> Opened<'a> {
    /// `keys` are all that the command names.
    pub(super) fn new(passphrases: Passphrases<'a>, keys: &[OsString]) -> Self {
        Self { passphrases, hidden: variables(keys), keys: Vec::new(), signers: Vec::new() }
    }

    /// The public key that is named, which signs from now on if it is more than that.
    pub(super) fn open(&mut self, key: &OsStr) -> Result<PublicKey, Failure> {
        if let Some((_, public)) = self.keys.iter().find(|(known, _)| known == key) {
            return Ok(public.clone());
        }
        let failed = |error: KeyFileError| signers::failure(&error);
        let named: Vec<OsString> = self.keys.iter().map(|(known, _)| known.clone()).chain([key.to_owned()]).collect();
        one_standard_input(&named, &self.passphrases)?;
        let source = KeySource::from(key);
        let signer: Box<dyn Signer> = match &source {
            KeySource::Program(program) => Box::new(ProgramSigner::start_without(program, DEFAULT_TIMEOUT, &self.hidden).map_err(failed)?),
            _ => match source.any_key(&mut self.passphrases, DEFAULT_TIMEOUT).map_err(failed)? {
                Held::Private(private) => private,
                held => {
                    self.keys.push((key.to_owned(), held.public_key().clone()));
                    return Ok(held.public_key().clone());
                }
            },
        };
        let public = signer.public_key().clone();
        self.keys.push((key.to_owned(), public.clone()));
        self.sign_by(signer);
        Ok(public)
    }

    /// One more who signs.
    pub(super) fn sign_by(&mut self, signer: Box<dyn Signer>) {
        if !self.signers.iter().any(|known| known.public_key() == signer.public_key()) {
            self.signers.push(signer);
        }
    }
}
