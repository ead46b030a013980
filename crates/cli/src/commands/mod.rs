//! One file for each command: its options, and the glue between them and the libraries.

pub(crate) mod attest;
pub(crate) mod completions;
pub(crate) mod copy;
pub(crate) mod index;
pub(crate) mod key;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod man;
pub(crate) mod pack;
pub(crate) mod repair;
pub(crate) mod resolve;
pub(crate) mod sign;
pub(crate) mod signature;
pub(crate) mod tree;
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
        Command::Key(args) => key::run(&args, &mut output),
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
        Command::Key(args) => args.command.name(),
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
    const NAMES: [&str; 25] = [
        "attest",
        "completions",
        "copy",
        "index",
        "key generate",
        "key public",
        "key show",
        "login",
        "logout",
        "man",
        "pack",
        "repair",
        "resolve",
        "sign",
        "signature attach",
        "signature delete",
        "signature export",
        "signature list",
        "tree",
        "tuf download",
        "tuf init",
        "tuf lookup",
        "tuf refresh",
        "unpack",
        "verify",
    ];
    let words = || arguments.iter().skip(1).filter_map(|argument| argument.to_str()).filter(|word| !word.starts_with('-'));
    let first = words().position(|word| NAMES.iter().any(|name| name.split(' ').next() == Some(word)));
    let Some(first) = first else { return "touchmark" };
    let Some(command) = words().nth(first) else { return "touchmark" };
    if let Some(name) = NAMES.into_iter().find(|name| *name == command) {
        return name;
    }
    // A verb may stand after options and their values.
    let mut verbs = words().skip(first).skip(1);
    verbs.find_map(|verb| NAMES.into_iter().find(|name| name.split_once(' ') == Some((command, verb)))).unwrap_or("touchmark")
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
        for (command, name) in crate::cli::command().get_subcommands().map(|command| (command, command.get_name())) {
            let line = command.get_subcommands().next().map_or(name.to_owned(), |below| format!("{name} {}", below.get_name()));
            assert_eq!(named(&format!("touchmark {line}")), line);
        }
    }
}
