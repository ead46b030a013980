//! `touchmark in-toto run` and `record`: links, made while a step is done.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use touchmark::envelope::sign::Signer;
use touchmark::envelope::threshold::KeySet;
use touchmark::in_toto::{
    Artifacts, Byproducts, Envelopes, Exclusion, Limits, Recorder, SymbolicLinks, UnfinishedError, is_item_name, link, link_file,
    materials_of_unfinished, sign, unfinished,
};
use touchmark::keys::KeySource;
use touchmark::oci::files as durable;
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use crate::progress::Bar;
use crate::signers::{self, Passphrase};

use super::sign::{envelope, failure, name};
use super::{exclusion, record_failure};

/// What the reference implementation leaves out unless it is told what to leave out: links, what git and Python keep, and backups.
const USUAL: [&str; 4] = ["*.link*", ".git", "*.pyc", "*~"];

/// Does a step and signs a link of it
///
/// Hashes the materials, runs COMMAND, hashes the products, and writes STEP.KEYID.link, with the first 8 characters of the keyid. Names of
/// artifacts are paths from --base, with `/` between their parts. Links of the file system are followed, to folders too, as the reference
/// implementation follows them; what leads nowhere is left out and told. What COMMAND prints goes to standard error and into no link. If it
/// fails, nothing is signed. Prints the file.
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    #[command(flatten)]
    common: Common,
    /// A file or folder that is there before, from --base; may be repeated
    #[arg(long = "materials", value_name = "PATH")]
    materials: Vec<PathBuf>,
    /// A file or folder that is there afterwards, from --base; may be repeated
    #[arg(long = "products", value_name = "PATH")]
    products: Vec<PathBuf>,
    /// Signs a link also if COMMAND fails, and ends as if it had not; the link says what it returned
    #[arg(long)]
    allow_failure: bool,
    /// The command, with its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Signs a link of a step that is done by hand
#[derive(Debug, clap::Args)]
pub(crate) struct Record {
    #[command(subcommand)]
    pub(super) command: RecordCommand,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum RecordCommand {
    Start(Start),
    Stop(Stop),
}

/// Hashes the materials, and keeps them, signed, in .STEP.KEYID.link-unfinished
#[derive(Debug, clap::Args)]
pub(crate) struct Start {
    #[command(flatten)]
    common: Common,
    /// A file or folder that is there before, from --base; may be repeated
    #[arg(long = "materials", value_name = "PATH")]
    materials: Vec<PathBuf>,
}

/// Hashes the products, and signs the link of a step that was started with the same key
#[derive(Debug, clap::Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    common: Common,
    /// A file or folder that is there afterwards, from --base; may be repeated
    #[arg(long = "products", value_name = "PATH")]
    products: Vec<PathBuf>,
}

/// What all of them take.
#[derive(Debug, clap::Args)]
struct Common {
    /// The name of the step, as the in-toto layout has it
    #[arg(long, value_name = "STEP", value_parser = step_name)]
    step: String,
    /// The private key of who does it: a file, - (standard input), env:VARIABLE or exec:PROGRAM
    #[arg(long, value_name = "KEY")]
    key: OsString,
    #[command(flatten)]
    passphrase: Passphrase,
    /// Leaves files and folders out: a name, or with a slash a path from --base; * and ? are wild; may be repeated. Unless given, links,
    /// .git, *.pyc and *~ are left out
    #[arg(long = "exclude", value_name = "GLOB", value_parser = exclusion)]
    exclude: Vec<Exclusion>,
    /// The folder from which artifacts have their names
    #[arg(long, value_name = "DIR", default_value = ".")]
    base: PathBuf,
    /// How the link is signed: dsse, or legacy for tools that read no DSSE
    #[arg(long, value_name = "dsse|legacy", value_parser = envelope, default_value = "dsse")]
    envelope: Envelopes,
    /// The folder that the link is written to; one of an earlier run is replaced
    #[arg(long, value_name = "DIR", default_value = ".")]
    out_dir: PathBuf,
    /// Signs a link also if nothing is at one of the paths that are to be recorded
    #[arg(long)]
    allow_missing: bool,
}

fn step_name(text: &str) -> Result<String, String> {
    if is_item_name(text) { Ok(text.to_owned()) } else { Err("it is no name of a step: it is a part of a file's name".to_owned()) }
}

impl RecordCommand {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Start(_) => "in-toto record start",
            Self::Stop(_) => "in-toto record stop",
        }
    }
}

/// Does the step, and prints the link's file.
pub(super) fn run(args: &Run, output: &mut Output<'_>) -> Result<(), Failure> {
    let here = args.common.open()?;
    let command = words(&args.command)?;
    // What the command did could not be undone.
    Recorder::assert_below(&args.products).map_err(|error| record_failure(&error))?;
    here.assert_writable(&here.path("", "")?)?;
    let materials = here.record(&args.materials, output)?;
    let returned = here.perform(&args.command)?;
    if returned != 0 && !args.allow_failure {
        let message = format!("{}: returned {returned}, and nothing is signed", command.first().map_or("", |word| word));
        return Err(Failure::new(Exit::NotVerified, "in-toto-command-failed", message).hint("--allow-failure"));
    }
    let products = here.record(&args.products, output)?;
    let byproducts = Byproducts { return_value: Some(returned) };
    let link = link(&here.common.step, &command, &materials, &products, &byproducts);
    here.finish(&link, &materials, &products, output)
}

/// Keeps the materials.
pub(super) fn start(args: &Start, output: &mut Output<'_>) -> Result<(), Failure> {
    let here = args.common.open()?;
    let path = here.unfinished()?;
    here.assert_writable(&path)?;
    let materials = here.record(&args.materials, output)?;
    here.write(&path, &unfinished(&here.common.step, &materials))?;
    here.say(&path, &materials, &Artifacts::default(), output);
    Ok(())
}

/// Adds the products to what was kept.
pub(super) fn stop(args: &Stop, output: &mut Output<'_>) -> Result<(), Failure> {
    let here = args.common.open()?;
    let path = here.unfinished()?;
    let kept = here.kept(&path)?;
    here.assert_writable(&here.path("", "")?)?;
    let products = here.record(&args.products, output)?;
    let link = link(&here.common.step, &[], &kept, &products, &Byproducts::default());
    here.finish(&link, &kept, &products, output)?;
    durable::remove(&path).map_err(|error| Failure::new(Exit::Unknown, error.code(), error.to_string()))
}

/// A step that is being recorded.
struct Here<'a> {
    common: &'a Common,
    signers: Vec<Box<dyn Signer>>,
    recorder: Recorder,
}

impl Common {
    fn open(&self) -> Result<Here<'_>, Failure> {
        let signers = signers::Signers { keys: vec![self.key.clone()], passphrase: self.passphrase.clone() }.open()?;
        let usual = || USUAL.into_iter().filter_map(Exclusion::new).collect();
        let exclusions: Vec<Exclusion> = if self.exclude.is_empty() { usual() } else { self.exclude.clone() };
        let secrets = [KeySource::from(self.key.as_os_str())].into_iter().filter_map(|source| match source {
            KeySource::File(path) => Some(path),
            _ => None,
        });
        let secrets = secrets.chain(self.passphrase.passphrase_file.clone());
        let recorder = Recorder::new(&self.base, SymbolicLinks::Followed).without(exclusions).without_secrets(secrets);
        Ok(Here { common: self, signers, recorder })
    }
}

impl Here<'_> {
    fn record(&self, paths: &[PathBuf], output: &mut Output<'_>) -> Result<Artifacts, Failure> {
        let bar = Bar::counter("hashing", output.is_quiet());
        let recorded = self.recorder.record(paths, &|bytes| bar.add(bytes)).map_err(|error| record_failure(&error))?;
        drop(bar);
        if let Some(missing) = recorded.left_out.iter().find(|left_out| left_out.is_missing && !self.common.allow_missing) {
            let message = format!("{}: {}, and nothing is signed", missing.path.display(), missing.why);
            return Err(Failure::new(Exit::Usage, "in-toto-missing", message).hint("--allow-missing"));
        }
        for left_out in &recorded.left_out {
            output.warn(&format!("{}: not recorded: {}", left_out.path.display(), left_out.why));
        }
        Ok(recorded.artifacts)
    }

    /// Runs the command, and gives what it returned. Its standard output is none of ours.
    fn perform(&self, command: &[OsString]) -> Result<i32, Failure> {
        let Some((program, arguments)) = command.split_first() else { return Err(Failure::usage("there is no command")) };
        let mut process = Process::new(program);
        process.args(arguments).stdout(Stdio::from(std::io::stderr()));
        // What opens the key is not the command's.
        process.env_remove(touchmark::keys::PASSPHRASE_VARIABLE);
        if let Some(variable) = self.common.key.to_str().and_then(|key| key.strip_prefix("env:")) {
            process.env_remove(variable);
        }
        let failed = |error: std::io::Error| {
            Failure::new(Exit::Usage, "in-toto-no-command", format!("{}: cannot be run: {error}", Path::new(program).display()))
        };
        // One that a signal ended returned nothing.
        Ok(process.status().map_err(failed)?.code().unwrap_or(-1))
    }

    fn finish(&self, link: &Value<'_>, materials: &Artifacts, products: &Artifacts, output: &mut Output<'_>) -> Result<(), Failure> {
        let path = self.path("", "")?;
        self.write(&path, link)?;
        self.say(&path, materials, products, output);
        Ok(())
    }

    fn write(&self, path: &Path, link: &Value<'_>) -> Result<(), Failure> {
        let signed = sign(link, self.common.envelope, &self.signers).map_err(|error| failure(&error))?;
        durable::write(path, &signed.bytes).map_err(|error| unwritable(&error))
    }

    /// Asserts that the link can be written: its folder, which may be reached by a link, takes a file, and nothing else has its name.
    fn assert_writable(&self, path: &Path) -> Result<(), Failure> {
        if !self.common.out_dir.is_dir() {
            durable::create_folders(&self.common.out_dir).map_err(|error| unwritable(&error))?;
        }
        durable::size(path).map_err(|error| unwritable(&error))?;
        durable::Pending::create(path).map(drop).map_err(|error| unwritable(&error))
    }

    fn say(&self, path: &Path, materials: &Artifacts, products: &Artifacts, output: &mut Output<'_>) {
        let count = |artifacts: &Artifacts| Value::from(u64::try_from(artifacts.len()).unwrap_or(u64::MAX));
        output.line(&path.display().to_string());
        let mut members = Object::new();
        members.insert("step", Value::from(self.common.step.clone()));
        members.insert("file", Value::from(path.display().to_string()));
        members.insert("envelope", Value::from(name(self.common.envelope)));
        members.insert("materials", count(materials));
        members.insert("products", count(products));
        output.result(Exit::Done, members);
    }

    /// Where the link is, or with a head and a tail what is kept of it.
    fn path(&self, head: &str, tail: &str) -> Result<PathBuf, Failure> {
        let key = self.signers.first().map(|signer| signer.public_key()).ok_or_else(|| Failure::usage("there is no key"))?;
        let file = link_file(&self.common.step, key).map_err(|error| Failure::new(Exit::Unknown, error.code(), error.to_string()))?;
        Ok(self.common.out_dir.join(format!("{head}{file}{tail}")))
    }

    fn unfinished(&self) -> Result<PathBuf, Failure> {
        self.path(".", "-unfinished")
    }

    /// The materials that `start` kept, which nobody may have changed since.
    fn kept(&self, path: &Path) -> Result<Artifacts, Failure> {
        let limits = Limits::default();
        let bytes = durable::read(path, limits.file).map_err(|error| Failure::new(Exit::Unknown, error.code(), error.to_string()))?;
        let none = || Failure::usage(format!("{}: is not there: the step was not started", path.display()));
        let bytes = bytes.ok_or_else(|| none().hint("touchmark in-toto record start"))?;
        let keys = KeySet::new(self.signers.iter().map(|signer| signer.public_key().clone()));
        let changed =
            |why: UnfinishedError| Failure::new(Exit::NotVerified, "in-toto-unfinished-changed", format!("{}: {why}", path.display()));
        materials_of_unfinished(bytes, &self.common.step, &keys).map_err(changed)
    }
}

fn unwritable(error: &touchmark::oci::error::Error) -> Failure {
    Failure::new(Exit::Unknown, error.code(), error.to_string())
}

/// A command as a link has it, which is Unicode.
fn words(command: &[OsString]) -> Result<Vec<String>, Failure> {
    let word = |word: &OsString| word.to_str().map(ToOwned::to_owned);
    let words: Option<Vec<String>> = command.iter().map(word).collect();
    words.ok_or_else(|| Failure::usage("the command is not Unicode, and a link cannot say it"))
}
