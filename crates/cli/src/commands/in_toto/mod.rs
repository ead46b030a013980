//! `touchmark in-toto`: supply chains.

mod explain;
mod verify;

use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Output};

use touchmark::UnixTime;
use touchmark::in_toto::{RecordClass, RecordError};

/// Verifies supply chains: who did which step, and what went from one to the next
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
}

impl Command {
    /// The name of the command, as the JSON document has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Verify(_) => "in-toto verify",
        }
    }
}

/// Runs the one that is asked for.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    match &args.command {
        Command::Verify(args) => verify::run(args, output),
    }
}

/// The time that was given, or that of the clock.
fn now(at: Option<UnixTime>) -> Result<UnixTime, Failure> {
    match at {
        Some(at) => Ok(at),
        None => touchmark::now().map_err(|error| Failure::new(Exit::Unknown, "no-clock", error.to_string()).hint("--at TIME")),
    }
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

/// A pattern of what is not recorded.
fn exclusion(text: &str) -> Result<touchmark::in_toto::Exclusion, String> {
    touchmark::in_toto::Exclusion::new(text).ok_or_else(|| "it matches nothing".to_owned())
}
