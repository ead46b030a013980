//! `touchmark trust publisher rotate`: a publisher's keys are exchanged, and what they signed is sealed.

use std::ffi::OsString;
use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::PathBuf;

use touchmark::Name;
use touchmark::tuf::edit::Change;
use touchmark::tuf::repository::Repository;
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Format, Object, Output, Value, printable};

use super::consequences::{self, Foresight};
use super::seals::{self, List, Proposal};
use super::{Here, failure, key, keys, strings};
use crate::access::AccessArgs;
use crate::signers::Passphrase;

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
    /// Proposes what this place has that the publisher's keys have signed, as such a list; a person at a terminal is asked whether to seal it,
    /// and otherwise nothing is staged
    #[arg(long, value_name = "REPO", conflicts_with_all = ["seals", "seal_list", "seal_nothing"])]
    propose_from: Option<String>,
    /// The file that the proposal is written to, and not to standard output
    #[arg(long, value_name = "FILE", requires = "propose_from")]
    proposal: Option<PathBuf>,
    /// A key that goes is in other hands: what it signed is the publisher's only if the publisher's own records say so
    #[arg(long)]
    compromised: bool,
    /// Seals nothing on purpose
    #[arg(long, conflicts_with_all = ["seals", "seal_list"])]
    seal_nothing: bool,
    #[command(flatten)]
    passphrase: Passphrase,
    #[command(flatten)]
    foresight: Foresight,
    #[command(flatten)]
    access: AccessArgs,
}

/// Reads NAME=REF.
fn pair(text: &str) -> Result<(Name, String), String> {
    let (name, reference) = text.split_once('=').ok_or_else(|| format!("`{text}` is not NAME=REF"))?;
    Ok((name.parse().map_err(|error: touchmark::envelope::name::NameError| error.to_string())?, reference.to_owned()))
}

/// Stages it, all or nothing.
pub(super) fn run(here: &Here<'_>, args: &Rotate, output: &mut Output<'_>) -> Result<(), Failure> {
    let repository = here.open()?;
    let failed = |error| failure(&error);
    let publisher = repository.publishers().map_err(failed)?.into_iter().find(|publisher| publisher.role == args.role);
    let Some(publisher) = publisher else {
        return Err(Failure::usage(format!("{}: no publisher of that name", args.role)).hint("touchmark trust publisher list"));
    };
    let wanted = match wanted(here, args, &repository, output)? {
        Some(wanted) => wanted,
        None => return Ok(()),
    };
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
        changes.push(Change::Remove(key::choice(key, &mut reader)?));
    }
    changes.extend(args.threshold.map(Change::Threshold));
    // Before anything is staged.
    let sealed = seals::accepted(&repository, &wanted, &args.access, here.now)?;
    for (name, owner) in repository.owners(sealed.claims.iter().map(|(name, _)| name)).map_err(failed)? {
        if owner != args.role {
            return Err(Failure::usage(format!("{name}: {owner} owns it, and not {}", args.role)));
        }
    }
    if args.compromised {
        for (name, found) in &sealed.artifacts {
            output.warn(&format!("{name} {}: is sealed on the word of your list; whoever has the key could have signed it too", found.pin));
        }
    }
    let what = "what the keys that go have signed is accepted no more";
    match sealed.claims.len() {
        0 => output.warn(what),
        count if args.foresight.dry_run => output.note(&format!("{count} artifacts would be sealed, and stay; else {what}")),
        count => output.note(&format!("{count} artifacts are sealed, and stay; else {what}")),
    }
    let change = |repository: &Repository| {
        let roles = repository.rotate(&args.role, &sealed.claims, &changes, here.now)?;
        Ok(roles.into_iter().collect())
    };
    consequences::stage(here, (&args.foresight, &args.access), &sealed.artifacts, output, &change)
}

/// What is to be sealed; `None` if it is only proposed.
fn wanted(
    here: &Here<'_>,
    args: &Rotate,
    repository: &Repository,
    output: &mut Output<'_>,
) -> Result<Option<Vec<(Name, String)>>, Failure> {
    if let Some(from) = &args.propose_from {
        if args.compromised {
            let message = format!(
                "--propose-from {from} with --compromised: whoever has the key may have put artifacts of their own there, signed by it, and \
                 nothing tells them from the publisher's"
            );
            return Err(Failure::usage(message).hint("--seal-list FILE, from the publisher's own records"));
        }
        return propose(here, args, from, repository, output);
    }
    let mut wanted = args.seals.clone();
    if let Some(list) = &args.seal_list {
        let read = List::read(list)?;
        if read.is_proposal && args.compromised {
            let message = format!("{}: was proposed from what a place has, where whoever has the key may have put more", list.display());
            return Err(Failure::usage(message).hint("--seal-list FILE, from the publisher's own records"));
        }
        wanted.extend(read.lines);
    }
    Ok(Some(wanted))
}

/// Shows what could be sealed, and asks whether it is to be, if somebody is there to ask.
fn propose(
    here: &Here<'_>,
    args: &Rotate,
    from: &str,
    repository: &Repository,
    output: &mut Output<'_>,
) -> Result<Option<Vec<(Name, String)>>, Failure> {
    let proposal = Proposal::draw(repository, &args.role, from, &args.access, here.now)?;
    let lines = proposal.text(&args.role);
    match &args.proposal {
        Some(file) => {
            let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
            touchmark::oci::files::write(file, text.as_bytes()).map_err(|error| Failure::from(&error))?;
        }
        None => lines.iter().for_each(|line| output.line(line)),
    }
    if proposal.left_out > 0 {
        let count = proposal.left_out;
        output
            .note(&format!("{count} more are said to be {}'s, and its keys have not signed them so that they are accepted now", args.role));
    }
    let asks = output.format() == Format::Text && !args.foresight.dry_run && !proposal.lines.is_empty();
    if asks && std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        let question = question(&args.role, proposal.lines.len());
        let unreadable = |error: std::io::Error| Failure::new(Exit::Usage, "unreadable", format!("the terminal: {error}"));
        if is_confirmed(&question).map_err(unreadable)? {
            return Ok(Some(proposal.lines));
        }
    }
    output.note("nothing was staged: look through the list, and give it back with --seal-list");
    let mut members = Object::new();
    members.insert("dir", Value::from(here.args.dir.display().to_string()));
    members.insert("dry_run", args.foresight.dry_run);
    members.insert("staged", strings(&[]));
    let line = |(name, reference): &(Name, String)| {
        Value::object([("name", Value::from(name.to_string())), ("pin", Value::from(reference.clone()))])
    };
    members.insert("proposed", Value::Array(proposal.lines.iter().map(line).collect()));
    output.result(Exit::Done, members);
    Ok(None)
}

/// What is asked at a terminal, which the name of a role does not steer.
fn question(role: &str, count: usize) -> String {
    printable(&format!("Is all of this {role}'s own, and are these {count} artifacts to be sealed? [y/N] "))
}

fn is_confirmed(question: &str) -> std::io::Result<bool> {
    let mut err = std::io::stderr().lock();
    err.write_all(question.as_bytes())?;
    err.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().take(64).read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::question;

    #[test]
    fn the_name_of_a_role_does_not_steer_the_terminal_that_is_asked() {
        let asked = question("acme\u{1b}[2K\r\u{202e}", 2);
        assert!(asked.starts_with("Is all of this acme\\u{1b}[2K\\u{d}\\u{202e}'s own, and are these 2 "), "{asked}");
        assert!(asked.ends_with("? [y/N] "), "{asked}");
    }
}
