//! `touchmark trust publisher`: who owns which names.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use touchmark::Name;
use touchmark::tuf::edit::{Appointment, Change, NewDelegation};
use touchmark::tuf::metadata::Paths;
use touchmark::tuf::repository::Publisher;
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use super::delegate::depths;
use super::name::accepted;
use super::{Here, failure, keys, staged, strings};
use crate::access::AccessArgs;
use crate::places;
use crate::signers::Passphrase;

/// Bytes of a list of what is to be sealed.
const MAX_LIST: u64 = 64 << 20;

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
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rotate {
    /// The publisher
    #[arg(value_name = "PUBLISHER")]
    role: String,
    /// A key that comes, public or private: a file, env:VARIABLE or exec:PROGRAM; may be repeated
    #[arg(long = "add", value_name = "KEY")]
    add: Vec<OsString>,
    /// A key that goes: a file, env:VARIABLE, exec:PROGRAM, or its key id or keyid; may be repeated
    #[arg(long = "remove", required = true, value_name = "KEY|KEYID")]
    remove: Vec<OsString>,
    /// How many keys must sign from now on
    #[arg(long, value_name = "N")]
    threshold: Option<u64>,
    /// Seals an artifact under a name, both from the publisher's own records; may be repeated
    #[arg(long = "seal", value_name = "NAME=REF", value_parser = pair)]
    seals: Vec<(Name, String)>,
    /// Seals what this file lists in lines of NAME REF
    #[arg(long, value_name = "FILE")]
    seal_list: Option<PathBuf>,
    /// Seals nothing on purpose
    #[arg(long, conflicts_with_all = ["seals", "seal_list"])]
    seal_nothing: bool,
    #[command(flatten)]
    passphrase: Passphrase,
    #[command(flatten)]
    access: AccessArgs,
}

/// Reads NAME=REF.
fn pair(text: &str) -> Result<(Name, String), String> {
    let (name, reference) = text.split_once('=').ok_or_else(|| format!("`{text}` is not NAME=REF"))?;
    Ok((name.parse().map_err(|error: touchmark::envelope::name::NameError| error.to_string())?, reference.to_owned()))
}

impl Command {
    /// The name of the command, as the JSON document has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Add(_) => "trust publisher add",
            Self::List => "trust publisher list",
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
        Command::Rotate(args) => rotate(here, args, output),
        Command::Remove { role } => {
            let by = repository.remove_publisher(role, here.now).map_err(|error| failure(&error))?;
            staged(here, &[by], output)
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
    let roles = repository.add_publisher(&args.from, new, !args.entries_only, here.now).map_err(|error| failure(&error))?;
    staged(here, &roles, output)
}

fn rotate(here: &Here<'_>, args: &Rotate, output: &mut Output<'_>) -> Result<(), Failure> {
    let repository = here.open()?;
    let failed = |error| failure(&error);
    let publisher = repository.publishers().map_err(failed)?.into_iter().find(|publisher| publisher.role == args.role);
    let Some(publisher) = publisher else {
        return Err(Failure::usage(format!("{}: no publisher of that name", args.role)).hint("touchmark trust publisher list"));
    };
    let mut wanted = args.seals.clone();
    if let Some(list) = &args.seal_list {
        wanted.extend(read_list(list)?);
    }
    if wanted.is_empty() && !args.seal_nothing && publisher.envelopes {
        let message = format!("{}: what the old keys signed would not be accepted any more, and nothing is to be sealed", args.role);
        return Err(Failure::usage(message).hint("--seal NAME=REF or --seal-list FILE for what is to stay; --seal-nothing if nothing is"));
    }
    let all: Vec<OsString> = args.add.iter().chain(&args.remove).cloned().collect();
    let mut reader = keys::PublicKeys::new(args.passphrase.source(), &all)?;
    let mut changes = Vec::new();
    for key in &args.add {
        changes.push(Change::Add(reader.read(key)?));
    }
    for key in &args.remove {
        changes.push(Change::Remove(super::key::choice(key, &mut reader)?));
    }
    changes.extend(args.threshold.map(Change::Threshold));
    // Before anything is staged.
    let seals = accepted(&repository, &wanted, &args.access, here.now)?;
    for (name, _) in &seals {
        let owner = repository.owner(name).map_err(failed)?;
        if owner != args.role {
            return Err(Failure::usage(format!("{name}: {owner} owns it, and not {}", args.role)));
        }
    }
    let mut roles = repository.seal(&seals, here.now).map_err(failed)?;
    roles.extend(repository.change_keys(&args.role, &changes, here.now).map_err(failed)?);
    let what = "what the keys that go have signed is accepted no more";
    match seals.len() {
        0 => output.warn(what),
        sealed => output.note(&format!("{sealed} artifacts are sealed, and stay; else {what}")),
    }
    staged(here, &roles.into_iter().collect::<Vec<_>>(), output)
}

/// Reads lines of NAME REF; empty ones and those that begin with # are passed over.
fn read_list(list: &Path) -> Result<Vec<(Name, String)>, Failure> {
    let bytes = places::read_file(list, "list", MAX_LIST)?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::usage(format!("{}: not UTF-8", list.display())))?;
    let mut read = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(number, line)| (number + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |reason: String| Failure::usage(format!("{}: line {number}: {reason}", list.display())).hint("a line is NAME REF");
        let (name, reference) = line.split_once(char::is_whitespace).ok_or_else(|| wrong("no REF".to_owned()))?;
        let name = name.parse().map_err(|error: touchmark::envelope::name::NameError| wrong(error.to_string()))?;
        read.push((name, reference.trim().to_owned()));
    }
    Ok(read)
}

/// Whether one path may be of both patterns: each segment of one may be that of the other.
fn overlap(one: &str, other: &str) -> bool {
    let segments = |pattern: &str| pattern.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (one, other) = (segments(one), segments(other));
    let wild = |segment: &str| segment.contains(['*', '?', '[']);
    one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| one == other || wild(one) || wild(other))
}

fn members(publisher: &Publisher) -> Object<'static> {
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
