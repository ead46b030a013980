//! One file for each command: its options, and the glue between them and the libraries.

pub(crate) mod attest;
pub(crate) mod completions;
pub(crate) mod copy;
pub(crate) mod in_toto;
pub(crate) mod index;
pub(crate) mod key;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod man;
pub(crate) mod pack;
pub(crate) mod policy;
pub(crate) mod repair;
pub(crate) mod resolve;
pub(crate) mod sign;
pub(crate) mod signature;
pub(crate) mod tree;
pub(crate) mod trust;
pub(crate) mod tuf;
pub(crate) mod unpack;
pub(crate) mod verify;

use std::ffi::OsString;
use std::io::BufWriter;

use touchmark_verify::exit::Exit;
use touchmark_verify::output::Output;

use crate::cli::{Cli, Command, Global};

/// Runs the command and gives what the process ends with.
pub(crate) fn run(cli: Cli) -> Exit {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut err = std::io::stderr().lock();
    let Global { format, quiet, .. } = cli.global;
    let mut output = Output::new(name(&cli.command), format, quiet, &mut out, &mut err);
    match cli.command {
        // It has its own output, the same as the standalone verifier's.
        Command::Verify(args) => {
            drop(output);
            return verify::run(args, &cli.global, &mut out, &mut err);
        }
        Command::Pack(args) => pack::run(&args, &mut output),
        Command::Index(args) => index::run(&args, &mut output),
        Command::Sign(args) => sign::run(&args, &mut output),
        Command::Unpack(args) => unpack::run(args, &mut output),
        Command::Copy(args) => copy::run(*args, &mut output),
        Command::Tree(args) => tree::run(&args, &mut output),
        Command::Attest(args) => attest::run(&args, &mut output),
        Command::Signature(args) => signature::run(&args, &mut output),
        Command::InToto(args) => in_toto::run(&args, &mut output),
        Command::Key(args) => key::run(&args, &mut output),
        Command::Trust(args) => trust::run(&args, &mut output),
        Command::Policy(args) => policy::run(&args, &mut output),
        Command::Login(args) => login::run(&args, &mut output),
        Command::Logout(args) => logout::run(&args, &mut output),
        Command::Resolve(args) => resolve::run(&args, &mut output),
        Command::Repair(args) => repair::run(&args, &mut output),
        Command::Tuf(args) => tuf::run(&args, &mut output),
        Command::Completions(args) => completions::run(&args, &mut output),
        Command::Man(args) => man::run(&args, &mut output),
    }
    output.finish()
}

/// The name of a command, as the JSON document has it.
fn name(command: &Command) -> &'static str {
    match command {
        Command::Pack(_) => "pack",
        Command::Index(_) => "index",
        Command::Sign(_) => "sign",
        Command::Verify(_) => "verify",
        Command::Unpack(_) => "unpack",
        Command::Copy(_) => "copy",
        Command::Tree(_) => "tree",
        Command::Attest(_) => "attest",
        Command::Signature(args) => args.command.name(),
        Command::InToto(args) => args.command.name(),
        Command::Key(args) => args.command.name(),
        Command::Trust(args) => args.command.name(),
        Command::Policy(args) => args.command.name(),
        Command::Login(_) => "login",
        Command::Logout(_) => "logout",
        Command::Resolve(_) => "resolve",
        Command::Repair(_) => "repair",
        Command::Tuf(args) => args.command.name(),
        Command::Completions(_) => "completions",
        Command::Man(_) => "man",
    }
}

/// The command that stands in arguments which could not be read; `touchmark` if none does.
pub(crate) fn named_in(arguments: &[OsString]) -> &'static str {
    const NAMES: [&str; 51] = [
        "attest",
        "completions",
        "copy",
        "in-toto lint",
        "in-toto new",
        "in-toto record start",
        "in-toto record stop",
        "in-toto run",
        "in-toto sign",
        "in-toto verify",
        "index",
        "key generate",
        "key public",
        "key show",
        "login",
        "logout",
        "man",
        "pack",
        "policy check",
        "policy explain",
        "policy import",
        "repair",
        "resolve",
        "sign",
        "signature attach",
        "signature delete",
        "signature export",
        "signature list",
        "tree",
        "trust delegate",
        "trust discard",
        "trust init",
        "trust key add",
        "trust key remove",
        "trust key replace",
        "trust key threshold",
        "trust lifetime",
        "trust publish",
        "trust redelegate",
        "trust renew",
        "trust sign",
        "trust status",
        "trust target add",
        "trust target remove",
        "trust undelegate",
        "tuf download",
        "tuf init",
        "tuf lookup",
        "tuf refresh",
        "unpack",
        "verify",
    ];
    let words: Vec<&str> =
        arguments.iter().skip(1).filter_map(|argument| argument.to_str()).filter(|word| !word.starts_with('-')).collect();
    let Some(first) = words.iter().position(|word| NAMES.iter().any(|name| name.split(' ').next() == Some(word))) else {
        return "touchmark";
    };
    let words = words.get(first..).unwrap_or_default();
    // At once, or with values of options in between.
    let at_once = NAMES.into_iter().find(|name| {
        let count = name.split(' ').count();
        words.get(..count).is_some_and(|words| words.join(" ") == *name)
    });
    let spread = || {
        NAMES.into_iter().find(|name| {
            let mut ahead = words.iter();
            let first = name.split(' ').next() == words.first().copied();
            first && name.split(' ').all(|part| ahead.any(|word| *word == part))
        })
    };
    at_once.or_else(spread).unwrap_or("touchmark")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_found_in_a_wrong_line() {
        let named = |line: &str| named_in(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(named("touchmark --format json verify --keys x"), "verify");
        assert_eq!(named("touchmark key generate --type rsa"), "key generate");
        assert_eq!(named("touchmark key frobnicate"), "touchmark");
        assert_eq!(named("touchmark frobnicate"), "touchmark");
        assert_eq!(named("touchmark tuf --metadata-dir d --at never refresh"), "tuf refresh");
        assert_eq!(named("touchmark trust --dir x publish --key"), "trust publish");
        assert_eq!(named("touchmark trust --dir x key add root"), "trust key add");
        for (command, name) in crate::cli::command().get_subcommands().map(|command| (command, command.get_name())) {
            let mut line = name.to_owned();
            let mut command = command;
            while let Some(below) = command.get_subcommands().next() {
                line = format!("{line} {}", below.get_name());
                command = below;
            }
            assert_eq!(named(&format!("touchmark {line}")), line);
        }
    }
}
