//! `touchmark trust init`: a new trust repository, with keys that are given or made.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use touchmark::UnixTime;
use touchmark::envelope::key::KeyAlgorithm;
use touchmark::envelope::sign::Signer;
use touchmark::tuf::edit::Appointment;
use touchmark::tuf::metadata::TopLevel;
use touchmark::tuf::repository::{Lifetimes, Publish, Repository, RepositoryError};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use super::keys::Opened;
use super::new_keys::{self, NewKeys};
use super::renewal::{self, OnlineKey};
use super::{Here, clock, failure, life, strings};
use crate::signers::{self, Passphrase};

/// Makes a trust repository, with keys that are given or made
///
/// Without any key given it makes one for each role, signs and publishes: a working repository in one command. With public keys alone the
/// root is staged, and whoever has a key signs it by `trust sign` on their own machine. Prints the file of the root, which is what clients
/// begin with. Keys that are made and the repository are both there afterwards, or neither.
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
    let failed = |error: RepositoryError| failure(&error);
    if Repository::open(dir).is_ok() {
        return Err(failed(RepositoryError::Exists { folder: dir.clone() }));
    }
    let mut lifetimes = Lifetimes::default();
    life::apply(&args.lifetimes, &mut lifetimes)?;
    if here.args.at.is_some() {
        assert_lives(lifetimes, here.now, clock()?)?;
    }
    let keys_to = args.keys_to.clone().unwrap_or_else(|| beside(dir, "-keys"));
    let named: Vec<OsString> = args.roles().iter().flat_map(|(_, keys, _)| keys.iter().cloned()).collect();
    let mut opened = Opened::new(args.passphrase.source(), &named);
    let (mut roles, mut new) = (BTreeMap::new(), NewKeys::default());
    for (role, keys, threshold) in args.roles() {
        let mut public = Vec::new();
        for key in keys {
            public.push(opened.open(key)?);
        }
        if keys.is_empty() {
            public.push(new.make(role, keys_to.join(role.name()), args.key_type)?);
        }
        roles.insert(role, Appointment { keys: public, threshold: threshold.unwrap_or(1) });
    }
    // What can be found wrong is found before a key is written.
    Repository::assert_creatable(dir, lifetimes, &roles, here.now).map_err(failed)?;
    new.assert_not_there()?;
    let made = new.write(args.no_passphrase, &args.passphrase)?;
    let repository = match Repository::create(dir, lifetimes, &roles, here.now) {
        Ok(repository) => repository,
        // Nobody has use for keys of a repository that is not there, or is another one that somebody made meanwhile.
        Err(error) if matches!(error, RepositoryError::Exists { .. }) || Repository::open(dir).is_err() => {
            return Err(new_keys::taken_back(&made, failed(error)));
        }
        Err(error) => return Err(new_keys::kept(dir, &made, failed(error))),
    };
    for key in new.into_signers() {
        opened.sign_by(key);
    }
    let published = first_publish(&repository, &opened.signers, here).map_err(|error| new_keys::kept(dir, &made, failure(&error)))?;
    let root = if published { dir.join("metadata").join("1.root.json") } else { dir.join("staged").join("root.json") };
    output.line(&root.display().to_string());
    let online = args.online_keys(&keys_to);
    let job = renewal::job(dir, &online);
    let (job_in_ci, variables) = renewal::job_in_ci(dir, &online);
    let private: Vec<PathBuf> = made.iter().map(|pair| pair.private.clone()).collect();
    explain_keys(&private, args.no_passphrase, output);
    match published {
        true => explain_renewal(&root, &job, &job_in_ci, &variables, output),
        false => explain_signing(output),
    }
    let mut members = Object::new();
    members.insert("dir", Value::from(dir.display().to_string()));
    members.insert("root", Value::from(root.display().to_string()));
    members.insert("published", published);
    members.insert("keys_made", strings(&private.iter().map(|file| file.display().to_string()).collect::<Vec<_>>()));
    members.insert("renewal_job", Value::from(job));
    members.insert("renewal_job_ci", Value::from(job_in_ci));
    output.result(Exit::Done, members);
    Ok(())
}

/// Asserts that what is made for the time `at`, which somebody chose, has not expired by the clock: no client would take it.
fn assert_lives(lifetimes: Lifetimes, at: UnixTime, clock: UnixTime) -> Result<(), Failure> {
    for role in [TopLevel::Root, TopLevel::Targets, TopLevel::Snapshot, TopLevel::Timestamp] {
        if let Some(expires) = lifetimes.of(role.name()).from(at).filter(|expires| *expires <= clock) {
            let error = RepositoryError::Expired { role: role.name().to_owned(), expires };
            return Err(failure(&error).hint(format!("leave --at out, or let it live longer: --lifetime {}=DAYSd", role.name())));
        }
    }
    Ok(())
}

/// Signs and publishes as far as the keys are there; gives whether clients get something.
fn first_publish(repository: &Repository, signers: &[Box<dyn Signer>], here: &Here<'_>) -> Result<bool, RepositoryError> {
    let signed = match repository.sign(signers, None, here.now) {
        Ok(signed) => signed,
        Err(RepositoryError::NothingToSign { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    if signed.len() < 2 || signed.iter().any(|role| role.missing > 0) {
        return Ok(false);
    }
    match repository.publish(signers, Publish::default(), here.now) {
        Ok(_) => Ok(true),
        Err(RepositoryError::Unsigned { .. }) => Ok(false),
        Err(error) => Err(error),
    }
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

    /// The keys that the renewal job needs.
    fn online_keys(&self, keys_to: &Path) -> Vec<OnlineKey> {
        let of = |role: TopLevel, keys: &[OsString]| match keys {
            [] => vec![OnlineKey::Made(keys_to.join(role.name()))],
            named => named.iter().cloned().map(OnlineKey::Named).collect(),
        };
        [of(TopLevel::Snapshot, &self.snapshot), of(TopLevel::Timestamp, &self.timestamp)].concat()
    }
}

/// The path with something after its last name.
fn beside(dir: &Path, suffix: &str) -> PathBuf {
    // `trust/` and `trust` are one folder.
    let mut name = dir.components().as_path().as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn explain_keys(made: &[PathBuf], plain: bool, output: &mut Output<'_>) {
    if made.is_empty() {
        return;
    }
    output.note("keys were made:");
    for file in made {
        let use_of = match file.file_name().and_then(|name| name.to_str()) {
            Some("root") => "changes who may sign; lock it away, and keep a copy",
            Some("targets") => "says which targets there are and whom you trust with which names; lock it away",
            Some("snapshot") => "is used by every publish and by the renewal job; give it to no publisher",
            _ => "is used by every publish and by the renewal job, every few days; give it to no publisher",
        };
        output.note(&format!("  {}: {use_of}", file.display()));
    }
    if plain {
        output.note("  none of them is encrypted: whoever reads them can sign");
    }
}

fn explain_renewal(root: &Path, job: &str, job_in_ci: &str, variables: &[String], output: &mut Output<'_>) {
    output.note(&format!("give {} to everybody who is to trust this repository; serve the folders metadata and targets", root.display()));
    output.note("every day, as a job (it does nothing until it is time): of cron, where touchmark is in its PATH,");
    output.note(&format!("  {}", renewal::cron(job)));
    let secrets = if variables.is_empty() {
        String::new()
    } else {
        format!(", with the texts of the private keys as the secrets {}", variables.join(", "))
    };
    output.note(&format!("or of CI, in a checkout of the folder{secrets}, before metadata and targets are served again,"));
    output.note(&format!("  {job_in_ci}"));
    output.note("if the keys are encrypted, by the passphrase in $TOUCHMARK_PASSPHRASE, or with --passphrase-file FILE, which only the job may read");
}

fn explain_signing(output: &mut Output<'_>) {
    output
        .note("signatures are missing: each holder of a key signs with `touchmark trust sign --key KEY`, here or in a copy of the folder,");
    output.note("  whose signatures `touchmark trust sign --from COPY` takes over; then `touchmark trust publish` with the online keys");
}
