//! One file for each command: its options, and the glue between them and the libraries.

pub(crate) mod attest;
pub(crate) mod completions;
pub(crate) mod copy;
pub(crate) mod index;
pub(crate) mod key;
pub(crate) mod man;
pub(crate) mod pack;
pub(crate) mod repair;
pub(crate) mod resolve;
pub(crate) mod sign;
pub(crate) mod signature;
pub(crate) mod tree;
pub(crate) mod unpack;
pub(crate) mod verify;

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
        Command::Copy(args) => copy::run(args, &mut output),
        Command::Tree(args) => tree::run(&args, &mut output),
        Command::Attest(args) => attest::run(&args, &mut output),
        Command::Signature(args) => signature::run(&args, &mut output),
        Command::Key(args) => key::run(&args, &mut output),
        Command::Resolve(args) => resolve::run(&args, &mut output),
        Command::Repair(args) => repair::run(&args, &mut output),
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
        Command::Resolve(_) => "resolve",
        Command::Repair(_) => "repair",
        Command::Completions(_) => "completions",
        Command::Man(_) => "man",
    }
}
