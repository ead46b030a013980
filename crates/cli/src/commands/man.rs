//! `touchmark man`: the manual pages, one for each command.

use std::path::{Path, PathBuf};

use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use crate::cli;

/// Writes the manual pages
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder that the pages go to
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
}

/// Writes the pages and prints their paths, one a line.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    match pages(&args.directory) {
        Ok(paths) => {
            for path in &paths {
                output.line(path);
            }
            let mut members = Object::new();
            members.insert("files", Value::Array(paths.into_iter().map(Value::from).collect()));
            output.result(Exit::Done, members);
        }
        Err(error) => {
            let message = format!("{}: the manual pages cannot be written: {error}", args.directory.display());
            output.fail(None, &Failure::new(Exit::Unknown, "not-writable", message));
        }
    }
}

fn pages(directory: &Path) -> std::io::Result<Vec<String>> {
    std::fs::create_dir_all(directory)?;
    let mut command = cli::command();
    clap_mangen::generate_to(command.clone(), directory)?;
    command.build();
    let mut names = Vec::new();
    name(&command, "", &mut names);
    Ok(names.into_iter().map(|name| directory.join(name).display().to_string()).collect())
}

/// The page of a command, then those of its commands.
fn name(command: &clap::Command, above: &str, names: &mut Vec<String>) {
    let full = format!("{above}{}", command.get_name());
    names.push(format!("{full}.1"));
    for subcommand in command.get_subcommands() {
        name(subcommand, &format!("{full}-"), names);
    }
}
