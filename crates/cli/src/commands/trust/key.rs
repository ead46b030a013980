//! `touchmark trust key`: who signs for a role.

use std::ffi::{OsStr, OsString};

use touchmark::keys::KeySource;
use touchmark::tuf::edit::{Change, KeyChoice};
use touchmark::tuf::repository::Repository;
use touchmark_verify::output::{Failure, Output};

use super::consequences::{self, Looking};
use super::keys::PublicKeys;
use super::{Here, keys};
use crate::signers::Passphrase;

/// Changes the keys and the threshold of a role
///
/// ROLE is root, targets, snapshot, timestamp, a delegated role, or the prefix of hash bins. Prints the roles that are staged for it: the
/// one that lists the keys, and the role itself where the new keys have to sign it anew.
///
/// When an online key goes, publish with the old one and the new one: without the old one, clients that come between the two files that
/// make the change, N.root.json and timestamp.json, are kept waiting.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Lets a key sign for a role
    Add {
        /// The role
        #[arg(value_name = "ROLE")]
        role: String,
        /// The key, public or private: a file, env:VARIABLE or exec:PROGRAM
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<OsString>,
        /// How many keys must sign from now on
        #[arg(long, value_name = "N")]
        threshold: Option<u64>,
        #[command(flatten)]
        passphrase: Passphrase,
        #[command(flatten)]
        looking: Box<Looking>,
    },
    /// Lets a key no longer sign for a role
    Remove {
        /// The role
        #[arg(value_name = "ROLE")]
        role: String,
        /// The key: a file, env:VARIABLE, exec:PROGRAM, or its key id or keyid as `trust status` shows it, which may be shortened
        #[arg(required = true, value_name = "KEY|KEYID")]
        keys: Vec<OsString>,
        /// How many keys must sign from now on
        #[arg(long, value_name = "N")]
        threshold: Option<u64>,
        #[command(flatten)]
        passphrase: Passphrase,
        #[command(flatten)]
        looking: Box<Looking>,
    },
    /// Puts a key in the place of another one
    Replace {
        /// The role
        #[arg(value_name = "ROLE")]
        role: String,
        /// The key that goes: a file, or its key id or keyid
        #[arg(value_name = "OLD")]
        old: OsString,
        /// The key that comes
        #[arg(value_name = "NEW")]
        new: OsString,
        #[command(flatten)]
        passphrase: Passphrase,
        #[command(flatten)]
        looking: Box<Looking>,
    },
    /// Sets how many keys must sign for a role
    Threshold {
        /// The role
        #[arg(value_name = "ROLE")]
        role: String,
        /// How many
        #[arg(value_name = "N")]
        threshold: u64,
        #[command(flatten)]
        looking: Box<Looking>,
    },
}

impl Command {
    /// The name of the command, as the JSON document has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Add { .. } => "trust key add",
            Self::Remove { .. } => "trust key remove",
            Self::Replace { .. } => "trust key replace",
            Self::Threshold { .. } => "trust key threshold",
        }
    }
}

/// Stages the change.
pub(super) fn run(here: &Here<'_>, args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut changes = Vec::new();
    let (role, threshold, looking) = match &args.command {
        Command::Add { role, keys, threshold, passphrase, looking } => {
            changes.extend(keys::public_keys(keys, passphrase.source())?.into_iter().map(Change::Add));
            (role, *threshold, looking)
        }
        Command::Remove { role, keys, threshold, passphrase, looking } => {
            let mut reader = PublicKeys::new(passphrase.source(), keys)?;
            for key in keys {
                changes.push(Change::Remove(choice(key, &mut reader)?));
            }
            (role, *threshold, looking)
        }
        Command::Replace { role, old, new, passphrase, looking } => {
            let mut reader = PublicKeys::new(passphrase.source(), &[old.clone(), new.clone()])?;
            changes.push(Change::Add(reader.read(new)?));
            changes.push(Change::Remove(choice(old, &mut reader)?));
            (role, None, looking)
        }
        Command::Threshold { role, threshold, looking } => (role, Some(*threshold), looking),
    };
    changes.extend(threshold.map(Change::Threshold));
    let change = |repository: &Repository| repository.change_keys(role, &changes, here.now);
    consequences::stage(here, (&looking.foresight, &looking.access), &[], output, &change)
}

/// A key file, or else a key id or keyid.
pub(super) fn choice(key: &OsStr, reader: &mut PublicKeys<'_>) -> Result<KeyChoice, Failure> {
    match (KeySource::from(key), key.to_str()) {
        (KeySource::File(path), Some(text)) if !path.exists() && text.len() >= 4 => Ok(KeyChoice::Id(text.to_owned())),
        _ => Ok(KeyChoice::Key(reader.read(key)?)),
    }
}
