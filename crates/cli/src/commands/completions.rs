//! `touchmark completions`: what a shell needs to complete command lines.

use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Object, Output, Value};

use crate::cli;

/// Prints the completions of a shell
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// Prints the completions; in JSON they are `text`.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "touchmark", &mut text);
    output.raw(&text);
    let mut members = Object::new();
    members.insert("shell", Value::from(args.shell.to_string()));
    members.insert("text", Value::from(String::from_utf8_lossy(&text).into_owned()));
    output.result(Exit::Done, members);
}
