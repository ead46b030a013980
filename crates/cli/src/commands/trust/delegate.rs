//! `touchmark trust delegate`, `redelegate` and `undelegate`: which roles vouch for which names.

use std::ffi::OsString;

use touchmark::tuf::edit::{Appointment, NewDelegation, Place, hash_bins};
use touchmark::tuf::metadata::Paths;
use touchmark::tuf::repository::{Delegate, Repository};
use touchmark_verify::output::{Failure, Output};

use super::consequences::{self, Looking};
use super::{Here, failure, keys};
use crate::signers::Passphrase;

/// How many components a name has at most: `acme/**` is written to this depth.
const MAX_COMPONENTS: usize = 8;

/// What a role may vouch for.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct PathArgs {
    /// A pattern of paths, such as `acme/*` (a `*` does not cross a `/`) or `acme/**`, which is written as one pattern for each depth; may
    /// be repeated
    #[arg(long = "path", value_name = "PATTERN", conflicts_with_all = ["hash_prefixes"])]
    patterns: Vec<String>,
    /// Hexadecimal digits that the SHA-256 of a path begins with; may be repeated
    #[arg(long = "hash-prefix", value_name = "HEX")]
    hash_prefixes: Vec<String>,
}

/// Delegates names to a new role and its keys
///
/// Prints the roles that are staged for it: the delegator, and an empty document of each new role. Both are to be signed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The new role; with --bins and --succinct-bins what the names of the roles begin with
    #[arg(value_name = "ROLE")]
    role: String,
    /// A key of the role, public or private: a file, env:VARIABLE or exec:PROGRAM; may be repeated
    #[arg(long = "key", required = true, value_name = "KEY")]
    keys: Vec<OsString>,
    /// How many of them must sign
    #[arg(long, value_name = "N", default_value_t = 1)]
    threshold: u64,
    /// A pattern of paths, such as `acme/*` (a `*` does not cross a `/`) or `acme/**`, which is written as one pattern for each depth; may
    /// be repeated
    #[arg(long = "path", value_name = "PATTERN", required_unless_present_any = ["hash_prefixes", "bins", "succinct_bins"], conflicts_with_all = ["hash_prefixes", "bins", "succinct_bins"])]
    patterns: Vec<String>,
    /// Hexadecimal digits that the SHA-256 of a path begins with; may be repeated
    #[arg(long = "hash-prefix", value_name = "HEX", conflicts_with_all = ["bins", "succinct_bins"])]
    hash_prefixes: Vec<String>,
    /// Makes 2^N roles that share all paths by their hash
    #[arg(long, value_name = "N", conflicts_with = "succinct_bins")]
    bins: Option<u32>,
    /// The same in one short description (TAP 15), beside which there is no other delegation
    #[arg(long, value_name = "N")]
    succinct_bins: Option<u32>,
    /// A search that comes to the role ends with it
    #[arg(long, conflicts_with_all = ["bins", "succinct_bins"])]
    terminating: bool,
    /// The delegator
    #[arg(long, value_name = "ROLE", default_value = "targets")]
    from: String,
    /// Puts it before this role in the search, which goes by the order
    #[arg(long, value_name = "ROLE", conflicts_with = "first")]
    before: Option<String>,
    /// Puts it before all others
    #[arg(long)]
    first: bool,
    #[command(flatten)]
    passphrase: Passphrase,
    #[command(flatten)]
    looking: Looking,
}

/// Stages the delegation.
pub(super) fn run(here: &Here<'_>, args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let signers = Appointment { keys: keys::public_keys(&args.keys, args.passphrase.source())?, threshold: args.threshold };
    let place = match (&args.before, args.first) {
        (Some(role), _) => Place::Before(role.clone()),
        (None, true) => Place::First,
        (None, false) => Place::Last,
    };
    let delegate = match (args.bins, args.succinct_bins) {
        (Some(bits), _) => Delegate::Roles(hash_bins(&args.role, bits, &signers).map_err(|error| failure(&error.into()))?, place),
        (None, Some(bit_length)) => Delegate::Succinct { name_prefix: args.role.clone(), bit_length, signers },
        (None, None) => {
            let paths = paths(&args.patterns, &args.hash_prefixes);
            let new = NewDelegation { name: args.role.clone(), signers, paths, terminating: args.terminating };
            Delegate::Roles(vec![new], place)
        }
    };
    let change = |repository: &Repository| repository.delegate(&args.from, &delegate, here.now);
    consequences::stage(here, (&args.looking.foresight, &args.looking.access), &[], output, &change)
}

/// Changes which names a role vouches for
#[derive(Debug, clap::Args)]
pub(crate) struct Redelegate {
    /// The role
    #[arg(value_name = "ROLE")]
    role: String,
    #[command(flatten)]
    paths: PathArgs,
    /// A search that comes to the role ends with it
    #[arg(long)]
    terminating: bool,
    #[command(flatten)]
    looking: Looking,
}

/// Stages the change.
pub(super) fn redelegate(here: &Here<'_>, args: &Redelegate, output: &mut Output<'_>) -> Result<(), Failure> {
    let paths = paths(&args.paths.patterns, &args.paths.hash_prefixes);
    let change = |repository: &Repository| repository.change_paths(&args.role, &paths, args.terminating, here.now);
    consequences::stage_loss(here, &args.looking, output, &change)
}

/// Takes a delegation away, or that to hash bins by their prefix
#[derive(Debug, clap::Args)]
pub(crate) struct Undelegate {
    /// The role
    #[arg(value_name = "ROLE")]
    role: String,
    #[command(flatten)]
    looking: Looking,
}

/// Stages the change.
pub(super) fn undelegate(here: &Here<'_>, args: &Undelegate, output: &mut Output<'_>) -> Result<(), Failure> {
    consequences::stage_loss(here, &args.looking, output, &|repository| repository.undelegate(&args.role, here.now))
}

fn paths(patterns: &[String], hash_prefixes: &[String]) -> Paths {
    if patterns.is_empty() {
        Paths::HashPrefixes(hash_prefixes.to_vec())
    } else {
        Paths::Patterns(patterns.iter().flat_map(|one| depths(one)).collect())
    }
}

/// `acme/**` as TUF has it: one pattern for each depth, as deep as names go. Any other pattern is one.
pub(super) fn depths(pattern: &str) -> Vec<String> {
    let above = match pattern.strip_suffix("**") {
        Some("") => "",
        Some(above) if above.ends_with('/') => above,
        _ => return vec![pattern.to_owned()],
    };
    let components = above.matches('/').count();
    (1..=MAX_COMPONENTS.saturating_sub(components).max(1)).map(|depth| format!("{above}{}", vec!["*"; depth].join("/"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_stars_are_one_pattern_for_each_depth() {
        assert_eq!(depths("acme/**").len(), 7);
        assert_eq!(depths("acme/**")[..2], ["acme/*", "acme/*/*"]);
        assert_eq!(depths("**")[7], "*/*/*/*/*/*/*/*");
        assert_eq!(depths("a/b/c/d/e/f/g/**"), ["a/b/c/d/e/f/g/*"]);
        for one in ["acme/*", "acme/x", "acme**", "**/x"] {
            assert_eq!(depths(one), [one]);
        }
    }
}
