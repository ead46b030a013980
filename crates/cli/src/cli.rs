//! The command line as a whole. The options of a command stand beside what it does, in `commands`.

use clap::{Args, CommandFactory, Parser, Subcommand};
use touchmark_verify::output::Format;

use crate::commands::{
    attest, completions, copy, in_toto, index, key, login, logout, man, pack, policy, repair, resolve, sign, signature, tree, trust, tuf,
    unpack, verify,
};

/// Sign an OCI artifact once and verify it anywhere.
#[derive(Debug, Parser)]
#[command(name = "touchmark", version, arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// How results are written to standard output
    #[arg(long, global = true, value_name = "text|json", default_value = "text")]
    pub(crate) format: Format,
    /// Writes no notices to standard error; results and errors stay
    #[arg(long, short, global = true, overrides_with = "quiet")]
    pub(crate) quiet: bool,
    /// Says more on standard error: each step (-v), each read (-vv); see also TOUCHMARK_LOG
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Pack(pack::Args),
    Index(index::Args),
    Sign(sign::Args),
    Verify(verify::Args),
    Unpack(unpack::Args),
    Copy(Box<copy::Args>),
    Tree(tree::Args),
    Attest(attest::Args),
    Signature(signature::Args),
    InToto(in_toto::Args),
    Key(key::Args),
    Trust(trust::Args),
    Policy(policy::Args),
    Login(login::Args),
    Logout(logout::Args),
    Resolve(resolve::Args),
    Repair(repair::Args),
    Tuf(Box<tuf::Args>),
    Completions(completions::Args),
    Man(man::Args),
}

/// The commands in the order and the groups of `--help`. A test sees that none is missing.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Every day", &["pack", "index", "sign", "verify", "unpack", "copy", "tree"]),
    ("Evidence", &["attest", "signature", "in-toto"]),
    ("Trust", &["key", "trust", "policy"]),
    ("Registries", &["login", "logout"]),
    ("Plumbing", &["resolve", "repair", "completions", "man"]),
];

/// What is for other programs, and not listed: `touchmark COMMAND --help` and the manual pages have it.
#[cfg(test)]
const UNLISTED: [&str; 1] = ["tuf"];

/// The whole command, with its commands listed in groups.
pub(crate) fn command() -> clap::Command {
    use std::fmt::Write as _;
    let command = Cli::command();
    let mut listed = String::new();
    for (heading, names) in GROUPS {
        let _ = writeln!(listed, "{heading}:");
        for name in names {
            let about = command.find_subcommand(name).and_then(clap::Command::get_about);
            let _ = writeln!(listed, "  {name:<12} {}", about.map(ToString::to_string).unwrap_or_default());
        }
        listed.push('\n');
    }
    let template = format!(
        "{{about}}\n\n{{usage-heading}} {{usage}}\n\n{listed}Options:\n{{options}}\n\nA REF is `HOST[:PORT]/REPO`, `oci:PATH` or `oci-archive:FILE.tar`, with `:TAG`, `@DIGEST` or both; with both the\n\
         digest decides. In a registry no tag is assumed.\n\
         Exit status: 0 done or verified, 1 not verified, 2 usage, 3 no signature found, 4 could not find out,\n\
         5 untrusted trust metadata, 6 malformed artifact.\n"
    );
    command.help_template(template)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_command_stands_in_one_group_of_the_help_or_is_meant_to_be_unlisted() {
        let mut listed: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).chain(UNLISTED).collect();
        let command = command();
        let mut defined: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        listed.sort_unstable();
        defined.sort_unstable();
        assert_eq!(listed, defined);
    }

    #[test]
    fn no_option_takes_several_values() {
        fn check(command: &clap::Command) {
            for argument in command.get_opts() {
                let several = argument.get_num_args().is_some_and(|range| range.max_values() > 1);
                assert!(!several, "{} {}", command.get_name(), argument.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        check(&command());
    }
}
