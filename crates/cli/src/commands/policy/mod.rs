//! `touchmark policy`: which artifacts are accepted on whose word.

mod check;
mod explain;
mod import;
mod materials;

use touchmark_verify::output::Output;

/// Looks at policies: documents that say which artifacts are accepted on whose word
///
/// A policy is a list of rules, by name or by reference; the first that is for an artifact decides, and with none it is not accepted. Where
/// --policy names no file, it is that of $TOUCHMARK_POLICY, the user's (~/.config/touchmark/policy.json) or the machine's
/// (/etc/touchmark/policy.json); never one of the working directory.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Check(check::Args),
    Explain(explain::Args),
    Import(import::Args),
}

impl Command {
    /// The name of the command, as the JSON document has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Check(_) => "policy check",
            Self::Explain(_) => "policy explain",
            Self::Import(_) => "policy import",
        }
    }
}

/// Runs the one that is asked for.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    let done = match &args.command {
        Command::Check(args) => check::run(args, output),
        Command::Explain(args) => {
            explain::run(args, output);
            Ok(())
        }
        Command::Import(args) => import::run(args, output),
    };
    if let Err(failure) = done {
        output.fail(None, &failure);
    }
}
