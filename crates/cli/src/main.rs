//! The command line of Touchmark: thin glue between `clap` and the libraries. See the README.

mod access;
mod claims;
mod cli;
mod commands;
mod files;

mod log;
mod places;
mod progress;
mod signers;
mod wants;
mod watch;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::FromArgMatches as _;
use clap::error::ErrorKind;
use touchmark_verify::output::{Failure, Format, Output};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let parsed = cli::command().try_get_matches_from(&arguments).and_then(|matches| cli::Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return unparsed(&error, &arguments),
    };
    log::start(cli.global.verbose);
    commands::run(cli).into()
}

/// Help and the version go to standard output and are no error; everything else is a usage error, also as JSON if that was asked for.
fn unparsed(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    let mut out = std::io::stdout().lock();
    let mut err = std::io::stderr().lock();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let written = write!(out, "{}", error.render()).and_then(|()| out.flush());
        return if written.is_ok() { ExitCode::SUCCESS } else { touchmark_verify::exit::Exit::Unknown.into() };
    }
    let text = error.render().to_string();
    if !asks_for_json(arguments) {
        // Talk that nobody takes changes no outcome.
        let _ = write!(err, "{text}");
        return touchmark_verify::exit::Exit::Usage.into();
    }
    let message = text.split("\n\n").next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let mut output = Output::new(commands::named_in(arguments), Format::Json, false, &mut out, &mut err);
    output.fail(None, &Failure::usage(message).hint("touchmark --help"));
    output.finish().into()
}

/// Whether `--format json` stands among arguments that could not be parsed.
fn asks_for_json(arguments: &[OsString]) -> bool {
    let before_files = arguments.iter().take_while(|argument| *argument != "--");
    let following = arguments.iter().skip(1);
    before_files
        .zip(following.map(Some).chain([None]))
        .any(|(argument, next)| argument == "--format=json" || (argument == "--format" && next.is_some_and(|value| value == "json")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_asked_for_in_both_spellings_and_not_after_two_dashes() {
        let ask = |words: &[&str]| asks_for_json(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert!(ask(&["touchmark", "x", "--format", "json"]));
        assert!(ask(&["touchmark", "--format=json"]));
        assert!(!ask(&["touchmark", "x", "--format", "text", "json"]));
        assert!(!ask(&["touchmark", "x", "--format"]));
        assert!(!ask(&["touchmark", "pack", "--", "--format=json"]));
    }
}
