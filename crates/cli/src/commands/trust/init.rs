//! `touchmark trust init`: a new trust repository, with keys that are given or made.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use touchmark::envelope::key::KeyAlgorithm;
use touchmark::envelope::sign::Signer as _;
use touchmark::keys::Encryption;
use touchmark::tuf::edit::Appointment;
use touchmark::tuf::metadata::TopLevel;
use touchmark::tuf::repository::{Lifetimes, Publish, Repository, RepositoryError};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use super::keys::Opened;
use super::{Here, failure, life, strings};
use crate::signers::{self, Passphrase};

/// Makes a trust repository, with keys that are given or made
///
/// Without any key given it makes one for each role, signs and publishes: a working repository in one command. With public keys alone the
/// root is staged, and whoever has a key signs it by `trust sign` on their own machine. Prints the file of the root, which is what clients
/// begin with.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A key of the root: of whom the repository belongs to. Public, or private to sign now: a file, env:VARIABLE or exec:PROGRAM; may be
    /// repeated
    #[arg(long = "root-key", value_name = "KEY")]
    root: Vec<OsString>,
    /// How many of them must sign, 1 unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    root_threshold: Option<u64>,
    /// A key that says which targets there are, and delegates; may be repeated
    #[arg(long = "targets-key", value_name = "KEY")]
    targets: Vec<OsString>,
    /// How many of them must sign, 1 unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    targets_threshold: Option<u64>,
    /// A key of snapshots, online; may be repeated
    #[arg(long = "snapshot-key", value_name = "KEY")]
    snapshot: Vec<OsString>,
    /// How many of them must sign, 1 unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    snapshot_threshold: Option<u64>,
    /// A key of timestamps, online; may be repeated
    #[arg(long = "timestamp-key", value_name = "KEY")]
    timestamp: Vec<OsString>,
    /// How many of them must sign, 1 unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    timestamp_threshold: Option<u64>,
    /// How long documents of a role live: root, targets and delegated 365d, snapshot 30d, timestamp 7d unless given; may be repeated
    #[arg(long = "lifetime", value_name = "ROLE=TIME", value_parser = life::lifetime)]
    lifetimes: Vec<life::Lifetime>,
    /// The folder that keys are written to which are made; DIR-keys unless given
    #[arg(long, value_name = "FOLDER", help_heading = "Keys that are made")]
    keys_to: Option<PathBuf>,
    /// The kind of key that is made
    #[arg(long = "type", value_name = "TYPE", value_parser = signers::key_type, default_value = "ed25519", help_heading = "Keys that are made")]
    key_type: KeyAlgorithm,
    /// Writes the private keys that are made without encrypting them
    #[arg(long, conflicts_with = "passphrase_file", help_heading = "Keys that are made")]
    no_passphrase: bool,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// Makes it; signs and publishes it, as far as the keys are there.
pub(super) fn run(here: &Here<'_>, args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let dir = &here.args.dir;
    let keys_to = args.keys_to.clone().unwrap_or_else(|| beside(dir, "-keys"));
    if Repository::open(dir).is_ok() {
        return Err(failure(&RepositoryError::Exists { folder: dir.clone() }));
    }
    let mut lifetimes = Lifetimes::default();
    life::apply(&args.lifetimes, &mut lifetimes)?;
    let named: Vec<OsString> = args.roles().iter().flat_map(|(_, keys, _)| keys.iter().cloned()).collect();
    let mut opened = Opened::new(args.passphrase.source(), &named);
    let (mut roles, mut made) = (BTreeMap::new(), Vec::new());
    for (role, keys, threshold) in args.roles() {
        let mut public = Vec::new();
        for key in keys {
            public.push(opened.open(key)?);
        }
        if keys.is_empty() {
            let file = keys_to.join(role.name());
            public.push(args.make(&file, &mut opened)?);
            made.push(file);
        }
        roles.insert(role, Appointment { keys: public, threshold: threshold.unwrap_or(1) });
    }
    let failed = |error: RepositoryError| failure(&error);
    let repository = Repository::create(dir, lifetimes, &roles, here.now).map_err(failed)?;
    let signed = match repository.sign(&opened.signers, None, here.now) {
        Ok(signed) => signed,
        Err(RepositoryError::NothingToSign { .. }) => Vec::new(),
        Err(error) => return Err(failure(&error)),
    };
    let complete = signed.len() == 2 && signed.iter().all(|role| role.missing == 0);
    let published = match complete {
        false => false,
        true => match repository.publish(&opened.signers, Publish::default(), here.now) {
            Ok(_) => true,
            Err(RepositoryError::Unsigned { .. }) => false,
            Err(error) => return Err(failure(&error)),
        },
    };
    let root = if published { dir.join("metadata").join("1.root.json") } else { dir.join("staged").join("root.json") };
    output.line(&root.display().to_string());
    let job = renewal_job(dir, &keys_to, args);
    explain(published, &root, &made, args.no_passphrase, &job, output);
    let mut members = Object::new();
    members.insert("dir", Value::from(dir.display().to_string()));
    members.insert("root", Value::from(root.display().to_string()));
    members.insert("published", published);
    members.insert("keys_made", strings(&made.iter().map(|file| file.display().to_string()).collect::<Vec<_>>()));
    members.insert("renewal_job", Value::from(job));
    output.result(Exit::Done, members);
    Ok(())
}

impl Args {
    fn roles(&self) -> [(TopLevel, &[OsString], Option<u64>); 4] {
        [
            (TopLevel::Root, &self.root, self.root_threshold),
            (TopLevel::Targets, &self.targets, self.targets_threshold),
            (TopLevel::Snapshot, &self.snapshot, self.snapshot_threshold),
            (TopLevel::Timestamp, &self.timestamp, self.timestamp_threshold),
        ]
    }

    /// Makes a key and keeps it in files.
    fn make(&self, file: &Path, opened: &mut Opened<'_>) -> Result<touchmark::envelope::key::PublicKey, Failure> {
        let failed = |error| signers::failure(&error);
        if let Some(folder) = file.parent() {
            let failed = |error: touchmark::oci::Error| Failure::from(&error);
            touchmark::oci::files::create_folders(folder).map_err(failed)?;
        }
        let passphrase = match self.no_passphrase {
            true => None,
            false => Some(self.passphrase.source().for_new_key(&file.display().to_string()).map_err(failed)?),
        };
        let encryption = passphrase.as_ref().map_or(Encryption::None, |passphrase| Encryption::Passphrase(passphrase));
        let key = touchmark::keys::new_key(self.key_type).map_err(failed)?;
        touchmark::keys::write_key_pair(file, &key, encryption).map_err(failed)?;
        let public = key.public_key().clone();
        opened.sign_by(Box::new(key));
        Ok(public)
    }
}

/// The path with something after its last name.
fn beside(dir: &Path, suffix: &str) -> PathBuf {
    // `trust/` and `trust` are one folder.
    let mut name = dir.components().as_path().as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The command that renews snapshot and timestamp, to be run every day.
fn renewal_job(dir: &Path, keys_to: &Path, args: &Args) -> String {
    let key = |named: &[OsString], role: &str| match named.first() {
        // A public key says nothing of where the private one is.
        Some(named) => {
            named.to_str().and_then(|named| named.strip_suffix(".pub")).map_or_else(|| named.display().to_string(), str::to_owned)
        }
        None => keys_to.join(role).display().to_string(),
    };
    let (snapshot, timestamp) = (key(&args.snapshot, "snapshot"), key(&args.timestamp, "timestamp"));
    let keys = if snapshot == timestamp { format!("--key {snapshot}") } else { format!("--key {snapshot} --key {timestamp}") };
    format!("touchmark trust --dir {} publish --renew {keys}", dir.display())
}

fn explain(published: bool, root: &Path, made: &[PathBuf], plain: bool, job: &str, output: &mut Output<'_>) {
    if !made.is_empty() {
        output.note("keys were made:");
        for file in made {
            let use_of = match file.file_name().and_then(|name| name.to_str()) {
                Some("root") => "changes who may sign; lock it away, and keep a copy",
                Some("targets") => "says which targets there are and whom you trust with which names; lock it away",
                Some("snapshot") => "is used by every publish and by the renewal job",
                _ => "is used by every publish and by the renewal job, every few days",
            };
            output.note(&format!("  {}: {use_of}", file.display()));
        }
        if plain {
            output.note("  none of them is encrypted: whoever reads them can sign");
        }
    }
    if published {
        output
            .note(&format!("give {} to everybody who is to trust this repository; serve the folders metadata and targets", root.display()));
        output.note("every day, as a job of cron or CI (it does nothing until it is time; keys also as env:VARIABLE or exec:PROGRAM):");
        output.note(&format!("  17 3 * * *  {job}"));
    } else {
        output.note(
            "signatures are missing: each holder of a key signs with `touchmark trust sign --key KEY`, here or in a copy of the folder,",
        );
        output
            .note("  whose signatures `touchmark trust sign --from COPY` takes over; then `touchmark trust publish` with the online keys");
    }
}
