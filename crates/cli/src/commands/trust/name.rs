//! `touchmark trust name`, `seal` and `revoke`: which artifact a name stands for, which it stood for, and which none may.

use std::collections::BTreeMap;

use touchmark::tuf::repository::{Listed, Repository};
use touchmark::{Digest, Name, UnixTime};
use touchmark_verify::exit::Exit;
use touchmark_verify::options;
use touchmark_verify::output::{Failure, Object, Output, Value};

use super::consequences::{self, Looking};
use super::known::Places;
use super::{Here, failure, seals, staged};
use crate::access::AccessArgs;

/// Which artifact a name stands for
///
/// A name that is set stands for one artifact, whoever signed what: clients refuse any other, and an older one. It is listed in the document
/// of the publisher that owns it, whose keys sign that.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Lets a name stand for an artifact
    Set(Box<Set>),
    /// Withdraws a name, so that nothing is accepted under it
    Remove {
        /// The name
        #[arg(value_name = "NAME[:VERSION]")]
        name: Name,
        /// Takes the entry away altogether: what was signed under the name counts again
        #[arg(long)]
        forget: bool,
        #[command(flatten)]
        looking: Box<Looking>,
    },
    /// Lists the names with what they stand for, and what is sealed under them
    List {
        /// Those of this role
        #[arg(long, value_name = "ROLE")]
        role: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Set {
    /// The name
    #[arg(value_name = "NAME[:VERSION]")]
    name: Name,
    /// The artifact
    #[arg(value_name = "REF")]
    reference: String,
    /// Lets it stand for this artifact, whatever it stood for
    #[arg(long)]
    replace: bool,
    /// From when on it is not accepted any more (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = UnixTime::parse_rfc3339)]
    expires: Option<UnixTime>,
    /// What is said of it besides; may be repeated
    #[arg(long = "annotation", value_name = "KEY=VALUE", value_parser = options::annotation)]
    annotations: Vec<(String, String)>,
    #[command(flatten)]
    looking: Looking,
}

/// Keeps an artifact accepted, whoever signs for its name later
///
/// It must be accepted under the name now, by what is published; so it stays when keys are exchanged. Sealed artifacts are no newer than others
/// of the name that are signed.
#[derive(Debug, clap::Args)]
pub(crate) struct Seal {
    /// The name that it was signed under
    #[arg(value_name = "NAME[:VERSION]")]
    name: Name,
    /// The artifact
    #[arg(value_name = "REF")]
    reference: String,
    #[command(flatten)]
    access: AccessArgs,
}

/// Lets an artifact not be accepted any more, under any name of a role
///
/// It takes effect with the next metadata that a client accepts.
#[derive(Debug, clap::Args)]
pub(crate) struct Revoke {
    /// The artifact: its digest, or where it is, which revokes it by all its digests
    #[arg(value_name = "DIGEST|REF")]
    artifact: String,
    /// Why, which clients tell
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// For the names of this role: a publisher, or targets for all names
    #[arg(long, value_name = "ROLE", default_value = "targets")]
    role: String,
    #[command(flatten)]
    looking: Looking,
}

impl Command {
    /// The name of the command, as the JSON document has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Set(_) => "trust name set",
            Self::Remove { .. } => "trust name remove",
            Self::List { .. } => "trust name list",
        }
    }
}

/// Does what the verb says.
pub(super) fn run(here: &Here<'_>, args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let repository = here.open()?;
    let failed = |error| failure(&error);
    match &args.command {
        Command::Set(set) => {
            let found = Places::of([set.reference.as_str()], &set.looking.access)?.find(&set.reference)?;
            let mut annotations = BTreeMap::new();
            for (key, value) in &set.annotations {
                if annotations.insert(key.clone(), value.clone()).is_some() {
                    return Err(Failure::usage(format!("--annotation {key} is given twice")));
                }
            }
            let mut claim = found.claim();
            claim.details.expires = set.expires;
            claim.details.annotations = annotations;
            output.note(&format!("{} is to stand for {}", set.name, found.descriptor.digest));
            let change = |repository: &Repository| Ok(vec![repository.set_name(&set.name, &claim, set.replace, here.now)?]);
            let also = [(set.name.clone(), found)];
            consequences::stage(here, (&set.looking.foresight, &set.looking.access), &also, output, &change)
        }
        Command::Remove { name, forget, looking } => {
            let change = |repository: &Repository| {
                let role = match forget {
                    true => repository.forget_name(name, here.now),
                    false => repository.withdraw_name(name, here.now),
                };
                Ok(vec![role?])
            };
            consequences::stage(here, (&looking.foresight, &looking.access), &[], output, &change)
        }
        Command::List { role } => {
            for one in repository.names(role.as_deref()).map_err(failed)? {
                output.line(&line(&one));
                output.result(Exit::Done, members(&one));
            }
            Ok(())
        }
    }
}

/// Seals an artifact that is accepted.
pub(super) fn seal(here: &Here<'_>, args: &Seal, output: &mut Output<'_>) -> Result<(), Failure> {
    let repository = here.open()?;
    let sealed = seals::accepted(&repository, &[(args.name.clone(), args.reference.clone())], &args.access, here.now)?;
    let roles = repository.seal(&sealed.claims, here.now).map_err(|error| failure(&error))?;
    staged(here, &roles.into_iter().collect::<Vec<_>>(), output)
}

/// Revokes an artifact.
pub(super) fn revoke(here: &Here<'_>, args: &Revoke, output: &mut Output<'_>) -> Result<(), Failure> {
    let digests = match args.artifact.parse::<Digest>() {
        Ok(digest) => vec![digest],
        Err(_) => Places::of([args.artifact.as_str()], &args.looking.access)?.find(&args.artifact)?.digests(),
    };
    let change = |repository: &Repository| {
        let changed = repository.revoke(&args.role, &digests, &args.reason, here.now)?;
        Ok(if changed { vec![args.role.clone()] } else { Vec::new() })
    };
    consequences::stage(here, (&args.looking.foresight, &args.looking.access), &[], output, &change)
}

pub(super) fn line(one: &Listed) -> String {
    let artifact = one.claim.hashes.first().map(ToString::to_string).unwrap_or_default();
    match (one.claim.length, one.is_seal) {
        (0, _) => format!("{} withdrawn", one.name),
        (_, true) => format!("{} sealed {artifact}", one.name),
        _ => format!("{} {artifact}", one.name),
    }
}

pub(super) fn members(one: &Listed) -> Object<'static> {
    let mut members = Object::new();
    members.insert("role", Value::from(one.role.clone()));
    members.insert("name", Value::from(one.name.to_string()));
    members.insert(
        "state",
        Value::from(if one.claim.length == 0 {
            "withdrawn"
        } else if one.is_seal {
            "sealed"
        } else {
            "set"
        }),
    );
    members.insert("size", Value::from(one.claim.length));
    members.insert("digests", Value::from(one.claim.hashes.iter().map(|digest| Value::from(digest.to_string())).collect::<Vec<_>>()));
    members
}
