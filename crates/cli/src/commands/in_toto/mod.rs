//! `touchmark in-toto`: supply chains.

mod attach;
mod explain;
mod lint;
mod new;
mod record;
mod sign;
mod source;
mod verify;

use std::ffi::OsString;

use touchmark::UnixTime;
use touchmark::envelope::key::PublicKey;
use touchmark::in_toto::{RecordClass, RecordError};
use touchmark::keys::{DEFAULT_TIMEOUT, KeySource};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Output};

use crate::signers;

/// Writes, signs and verifies supply chains: who did which step, and what went from one to the next
///
/// An in-toto layout says who may do which step, and what may go in and come out of it; links are the signed evidence of the steps.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Verify(Box<verify::Args>),
    Attach(attach::Args),
    New(new::Args),
    Lint(lint::Args),
    Sign(sign::Args),
    Run(Box<record::Run>),
    Record(Box<record::Record>),
}

impl Command {
    /// The name of the command, as the JSON document has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Verify(_) => "in-toto verify",
            Self::Attach(_) => "in-toto attach",
            Self::New(_) => "in-toto new",
            Self::Lint(_) => "in-toto lint",
            Self::Sign(_) => "in-toto sign",
            Self::Run(_) => "in-toto run",
            Self::Record(args) => args.command.name(),
        }
    }
}

/// Runs the one that is asked for.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    let done = match &args.command {
        Command::Verify(args) => verify::run(args, output),
        Command::Attach(args) => attach::run(args, output),
        Command::New(args) => new::run(args, output),
        Command::Lint(args) => lint::run(args, output),
        Command::Sign(args) => sign::run(args, output),
        Command::Run(args) => record::run(args, output),
        Command::Record(args) => match &args.command {
            record::RecordCommand::Start(args) => record::start(args, output),
            record::RecordCommand::Stop(args) => record::stop(args, output),
        },
    };
    if let Err(failure) = done {
        let reference = match &args.command {
            Command::Attach(args) => Some(args.reference.as_str()),
            _ => None,
        };
        output.fail(reference, &failure);
    }
}

/// The time that was given, or that of the clock.
fn now(at: Option<UnixTime>) -> Result<UnixTime, Failure> {
    match at {
        Some(at) => Ok(at),
        None => touchmark::now().map_err(|error| Failure::new(Exit::Unknown, "no-clock", error.to_string()).hint("--at TIME")),
    }
}

/// The public keys that options name.
fn public_keys(sources: &[OsString]) -> Result<Vec<PublicKey>, Failure> {
    let read = |source: &OsString| KeySource::from(source.as_os_str()).metadata_key(DEFAULT_TIMEOUT);
    sources.iter().map(read).collect::<Result<Vec<_>, _>>().map_err(|error| signers::failure(&error))
}

/// What files that cannot be recorded, or links that cannot be looked for, end the command with.
fn record_failure(error: &RecordError) -> Failure {
    let exit = match error.class() {
        RecordClass::Usage => Exit::Usage,
        RecordClass::Malformed => Exit::Malformed,
        _ => Exit::Unknown,
    };
    let failure = Failure::new(exit, error.code(), error.to_string());
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// As [`record_failure`], where files are the product that is verified: whoever leaves out what is refused makes a pass of a refusal.
fn product_failure(error: &RecordError) -> Failure {
    let failure = record_failure(error);
    match error {
        RecordError::Irregular { .. } => failure.hint("remove it: whoever takes the product would take it too"),
        RecordError::Name { .. } => {
            failure.hint("remove it, or rename it: names of artifacts are Unicode, so that no link and no rule has this one")
        }
        _ => failure,
    }
}

/// A pattern of what is not recorded.
fn exclusion(text: &str) -> Result<touchmark::in_toto::Exclusion, String> {
    touchmark::in_toto::Exclusion::new(text).ok_or_else(|| "it matches nothing".to_owned())
}
