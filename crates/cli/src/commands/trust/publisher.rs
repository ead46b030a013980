//! `touchmark trust publisher`: who owns which names.

use std::ffi::OsString;

use touchmark::tuf::edit::{Appointment, NewDelegation};
use touchmark::tuf::metadata::Paths;
use touchmark::tuf::repository::{Publisher, Repository};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use super::consequences::{self, Looking};
use super::delegate::depths;
use super::rotate::{self, Rotate};
use super::{Here, failure, keys, show, strings};
use crate::signers::Passphrase;

/// Who owns which names
///
/// A publisher is a role that names are delegated to, and to nobody after it. Its keys sign its names' entries and, unless it is told otherwise,
/// its artifacts.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Makes a publisher
    ///
    /// A publisher of a publisher is named PARENT+NAME and given with --from PARENT. Prints the roles that are staged, all of which are to be
    /// signed.
    Add(Box<Add>),
    /// Lists the publishers, as staged
    List,
    /// Shows a publisher, as staged: its keys and names, what it lists, seals and revokes, and what is staged of it
    Show {
        /// The publisher
        #[arg(value_name = "PUBLISHER")]
        role: String,
    },
    /// Exchanges a publisher's keys, and seals what they signed
    ///
    /// What the old keys signed is not accepted any more, whenever it says that it was signed, unless it is listed, or sealed here: only what is
    /// accepted now can be. Seals, new keys and the old ones' end are published together. Prints the roles that are staged.
    Rotate(Box<Rotate>),
    /// Takes a publisher away; what it revoked stays revoked
    Remove {
        /// The publisher
        #[arg(value_name = "PUBLISHER")]
        role: String,
        #[command(flatten)]
        looking: Box<Looking>,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// The publisher, such as acme, or acme+edge for one below acme
    #[arg(value_name = "PUBLISHER")]
    role: String,
    /// A key of it, public or private: a file, env:VARIABLE or exec:PROGRAM; may be repeated
    #[arg(long = "key", required = true, value_name = "KEY")]
    keys: Vec<OsString>,
    /// How many of them must sign
    #[arg(long, value_name = "N", default_value_t = 1)]
    threshold: u64,
    /// The names, such as `acme/**`, which is written as one pattern for each depth; may be repeated
    #[arg(long = "names", required = true, value_name = "PATTERN")]
    names: Vec<String>,
    /// Artifacts are accepted by what it lists and seals alone, and not by their signatures
    #[arg(long)]
    entries_only: bool,
    /// Who delegates to it: targets, or a publisher
    #[arg(long, value_name = "ROLE", default_value = "targets")]
    from: String,
    #[command(flatten)]
    passphrase: Passphrase,
    #[command(flatten)]
    looking: Looking,
}

impl Command {
    /// The name of the command, as the JSON document has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Add(_) => "trust publisher add",
            Self::List => "trust publisher list",
            Self::Show { .. } => "trust publisher show",
            Self::Rotate(_) => "trust publisher rotate",
            Self::Remove { .. } => "trust publisher remove",
        }
    }
}

/// Does what the verb says.
pub(super) fn run(here: &Here<'_>, args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let repository = here.open()?;
    match &args.command {
        Command::Add(args) => add(here, args, output),
        Command::List => {
            for publisher in repository.publishers().map_err(|error| failure(&error))? {
                output.line(&format!("{} {}", publisher.role, publisher.names.join(" ")));
                output.result(Exit::Done, members(&publisher));
            }
            Ok(())
        }
        Command::Show { role } => show::run(here, role, output),
        Command::Rotate(args) => rotate::run(here, args, output),
        Command::Remove { role, looking } => {
            consequences::stage_loss(here, looking, output, &|repository| repository.remove_publisher(role, here.now))
        }
    }
}

fn add(here: &Here<'_>, args: &Add, output: &mut Output<'_>) -> Result<(), Failure> {
    if args.from != "targets" && !args.role.starts_with(&format!("{}+", args.from)) {
        let message = format!("{}: a publisher below {} has a name that begins with `{}+`", args.role, args.from, args.from);
        return Err(Failure::usage(message).hint(format!("{}+{}", args.from, args.role)));
    }
    if args.from == "targets" && args.role.contains('+') {
        return Err(Failure::usage(format!("{}: a name with `+` is for a publisher below another", args.role)).hint("--from PARENT"));
    }
    let repository = here.open()?;
    let names: Vec<String> = args.names.iter().flat_map(|pattern| depths(pattern)).collect();
    for other in repository.publishers().map_err(|error| failure(&error))?.iter().filter(|other| other.by == args.from) {
        if let Some(pattern) = other.names.iter().find(|pattern| names.iter().any(|name| overlap(pattern, name))) {
            output.warn(&format!("{} comes before it, and owns what is of {pattern} too", other.role));
        }
    }
    let signers = Appointment { keys: keys::public_keys(&args.keys, args.passphrase.source())?, threshold: args.threshold };
    let new = NewDelegation { name: args.role.clone(), signers, paths: Paths::Patterns(names), terminating: true };
    let change = |repository: &Repository| repository.add_publisher(&args.from, new.clone(), !args.entries_only, here.now);
    consequences::stage(here, (&args.looking.foresight, &args.looking.access), &[], output, &change)
}

/// Whether one path may be of both patterns: each segment of one may be that of the other.
fn overlap(one: &str, other: &str) -> bool {
    let segments = |pattern: &str| pattern.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (one, other) = (segments(one), segments(other));
    let wild = |segment: &str| segment.contains(['*', '?', '[']);
    one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| one == other || wild(one) || wild(other))
}

pub(super) fn members(publisher: &Publisher) -> Object<'static> {
    let mut members = Object::new();
    members.insert("role", Value::from(publisher.role.clone()));
    members.insert("by", Value::from(publisher.by.clone()));
    members.insert("names", strings(&publisher.names));
    members.insert("keyids", strings(&publisher.keyids));
    members.insert("threshold", Value::from(publisher.threshold));
    members.insert("envelopes", Value::from(publisher.envelopes));
    members
}

#[cfg(test)]
mod tests {
    use super::overlap;

    #[test]
    fn patterns_overlap_where_one_path_may_be_of_both() {
        assert!(overlap("acme/*", "acme/x") && overlap("*/x", "acme/*") && overlap("a?/x", "ab/*"));
        assert!(!overlap("acme/*", "acme/*/*") && !overlap("acme/*", "other/*") && !overlap("acme/x", "acme/y"));
    }
}
