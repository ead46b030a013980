//! `touchmark key`: makes and shows keys.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use touchmark::envelope::key::{KeyAlgorithm, PublicKey};
use touchmark::envelope::sign::Signer as _;
use touchmark::keys::{DEFAULT_TIMEOUT, Encryption, Held, KeySource};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use crate::signers::{self, Passphrase};

/// Makes and shows keys
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Makes a key pair: KEY, for its owner alone, and KEY.pub
    Generate {
        /// The kind of key
        #[arg(long = "type", value_name = "TYPE", value_parser = signers::key_type, default_value = "ed25519")]
        key_type: KeyAlgorithm,
        /// The file of the private key; that of the public key has .pub added
        #[arg(long, value_name = "KEY")]
        out: PathBuf,
        /// Writes the private key without encrypting it
        #[arg(long, conflicts_with = "passphrase_file")]
        no_passphrase: bool,
        #[command(flatten)]
        passphrase: Passphrase,
    },
    /// Shows kind and key id of a public or private key
    Show {
        /// The key: a file, - (standard input) or env:VARIABLE
        #[arg(value_name = "FILE")]
        key: OsString,
        #[command(flatten)]
        passphrase: Passphrase,
    },
    /// Prints the public key of a private key
    Public {
        /// The private key: a file, - (standard input), env:VARIABLE or exec:PROGRAM
        #[arg(value_name = "KEY")]
        key: OsString,
        #[command(flatten)]
        passphrase: Passphrase,
    },
}

impl Command {
    /// The name of the command, as the JSON document has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Generate { .. } => "key generate",
            Self::Show { .. } => "key show",
            Self::Public { .. } => "key public",
        }
    }
}

/// Runs the one that is asked for.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    let done = match &args.command {
        Command::Generate { key_type, out, no_passphrase, passphrase } => generate(*key_type, out, *no_passphrase, passphrase, output),
        Command::Show { key, passphrase } => show(key, passphrase, output),
        Command::Public { key, passphrase } => public(key, passphrase, output),
    };
    if let Err(failure) = done {
        output.fail(None, &failure);
    }
}

fn generate(
    algorithm: KeyAlgorithm,
    out: &Path,
    no_passphrase: bool,
    passphrase: &Passphrase,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let failed = |error| signers::failure(&error);
    let passphrase = match no_passphrase {
        true => None,
        false => Some(passphrase.source().for_new_key(&out.display().to_string()).map_err(failed)?),
    };
    let encryption = passphrase.as_ref().map_or(Encryption::None, |passphrase| Encryption::Passphrase(passphrase));
    let key = touchmark::keys::new_key(algorithm).map_err(failed)?;
    let files = touchmark::keys::write_key_pair(out, &key, encryption).map_err(failed)?;
    output.line(&files.public.display().to_string());
    if no_passphrase {
        output.note(&format!("{} is not encrypted: whoever reads it can sign", files.private.display()));
    }
    let mut members = describe(key.public_key());
    members.insert("private_key_file", Value::from(files.private.display().to_string()));
    members.insert("public_key_file", Value::from(files.public.display().to_string()));
    output.result(Exit::Done, members);
    Ok(())
}

fn show(key: &OsStr, passphrase: &Passphrase, output: &mut Output<'_>) -> Result<(), Failure> {
    let held = KeySource::from(key).any_key(&mut passphrase.source(), DEFAULT_TIMEOUT).map_err(|error| signers::failure(&error))?;
    let kind = match &held {
        Held::Public(_) => "public",
        Held::Private(_) => "private",
        _ => "external",
    };
    let public = held.public_key();
    output.line(&format!("{kind} {} {}", public.algorithm(), public.key_id()));
    let mut members = describe(public);
    members.insert("kind", Value::from(kind));
    output.result(Exit::Done, members);
    Ok(())
}

fn public(key: &OsStr, passphrase: &Passphrase, output: &mut Output<'_>) -> Result<(), Failure> {
    let signer = KeySource::from(key).signer(&mut passphrase.source(), DEFAULT_TIMEOUT).map_err(|error| signers::failure(&error))?;
    output.raw(signer.public_key().to_pem().as_bytes());
    output.result(Exit::Done, describe(signer.public_key()));
    Ok(())
}

/// A public key in JSON output.
fn describe(key: &PublicKey) -> Object<'static> {
    let mut members = Object::new();
    members.insert("algorithm", Value::from(key.algorithm().name()));
    members.insert("key_id", Value::from(key.key_id().to_string()));
    members.insert("public_key", Value::from(key.to_pem()));
    members
}
