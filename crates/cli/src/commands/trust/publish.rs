//! `touchmark trust publish`: what is staged becomes what clients get.

use touchmark::Reference;
use touchmark::oci::access::Access;
use touchmark::oci::reference::Scheme;
use touchmark::trust_root::{TrustArtifact, TrustFiles};
use touchmark::tuf::repository::{Publish, Repository, Scope as What};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};
use touchmark_verify::root;

use super::keys::MaybeSigners;
use super::{Here, clock, failure, strings};
use crate::access::AccessArgs;
use crate::places::{self, Target};

/// Publishes what is staged, with a new snapshot and timestamp
///
/// The keys are those of snapshot and timestamp. A client is run over the outcome first, and what it would refuse is not published; with
/// --at, clients of that time and of now. Prints what was published: role, version, expiry. An interrupted publish leaves what was published
/// before, and the next one completes it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Publishes nothing that is staged, and renews snapshot and timestamp only where half of their life is over
    #[arg(long, conflicts_with = "ready")]
    renew: bool,
    /// Publishes what has all its signatures, and leaves the rest staged
    #[arg(long)]
    ready: bool,
    /// Says what would be published, and writes nothing
    #[arg(long)]
    dry_run: bool,
    /// Also pushes what is published as an OCI artifact to this tag, and to one of its own: HOST/REPO:TAG or oci:PATH:TAG
    #[arg(long, value_name = "REF", conflicts_with = "dry_run")]
    to: Option<String>,
    #[command(flatten)]
    signers: MaybeSigners,
    #[command(flatten)]
    access: AccessArgs,
}

/// Publishes.
pub(super) fn run(here: &Here<'_>, args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let repository = here.open()?;
    let to = args.to.as_deref().map(|text| Push::new(text, args)).transpose()?;
    let scope = match (args.renew, args.ready) {
        (true, _) => What::Renewal,
        (_, true) => What::Ready,
        _ => What::All,
    };
    let signers = args.signers.open()?;
    let clock = here.args.at.map(|_| clock()).transpose()?;
    let published =
        repository.publish(&signers, Publish { scope, dry_run: args.dry_run, clock }, here.now).map_err(|error| failure(&error))?;
    let mut documents = Vec::new();
    for one in &published.documents {
        output.line(&format!("{} {} {}", one.role, one.version, one.expires));
        documents.push(Value::object([
            ("role", Value::from(one.role.clone())),
            ("version", Value::from(one.version)),
            ("expires", Value::from(one.expires.to_string())),
        ]));
    }
    for role in &published.waiting {
        match args.renew {
            true => {
                output.warn(&format!("{role} is due and was not renewed: signatures are missing; touchmark trust publish, with its keys"))
            }
            false => output.note(&format!("{role} stays staged: signatures are missing")),
        }
    }
    if published.unbridged {
        output
            .note("keys were exchanged: clients that find the new root without the new timestamp wait, so copy both to a server together");
    }
    if published.documents.is_empty() {
        output.note(if args.renew { "nothing is due" } else { "nothing is staged, and nothing is due" });
    }
    let mut members = Object::new();
    members.insert("dir", Value::from(here.args.dir.display().to_string()));
    members.insert("dry_run", args.dry_run);
    members.insert("published", Value::Array(documents));
    members.insert("waiting", strings(&published.waiting));
    members.insert("unbridged", published.unbridged);
    if let Some(to) = to {
        let pins = to.push(&repository, output)?;
        members.insert("pushed", strings(&pins));
    }
    output.result(Exit::Done, members);
    Ok(())
}

/// Where what is published is pushed.
struct Push {
    to: Reference,
    tag: String,
    access: Access,
}

impl Push {
    fn new(text: &str, args: &Args) -> Result<Self, Failure> {
        let to = places::destination(text)?;
        let Some(tag) = to.tag().map(str::to_owned) else {
            return Err(
                Failure::usage(format!("--to {text}: the tag that clients follow is missing")).hint(format!("{}:trust", to.place()))
            );
        };
        let access = args.access.access([&to], 0)?;
        Ok(Self { to, tag, access })
    }

    /// Pushes to a tag that stays and to the one that moves, and reads that back: whoever else pushed meanwhile is not overwritten unnoticed.
    fn push(&self, repository: &Repository, output: &mut Output<'_>) -> Result<Vec<String>, Failure> {
        let files = TrustFiles::read(repository.served().as_ref()).map_err(|error| root::failure(&error))?;
        let own = format!("{}-{}.{}", self.tag, files.root, files.timestamp);
        let before = self.newer(&files)?;
        if let Some(before) = before {
            return Err(lost(&self.to, &before));
        }
        let target = Target::new(&self.to.place(), &self.access)?;
        let put = files.put(target.store(), &[&own, &self.tag]).map_err(|error| root::failure(&error))?;
        target.commit()?;
        let source = places::source(&self.to, &self.access)?;
        let found = source.resolve(Some(&self.tag), None).map_err(|error| Failure::from(&error))?.digest;
        if found != put.digest {
            return Err(lost(&self.to, &format!("it leads to {found}, not to {}", put.digest)));
        }
        let pin = self.to.pin(put.digest).to_string();
        output.line(&pin);
        output.note(&format!("pushed as {own} and as {}", self.tag));
        Ok(vec![pin])
    }

    /// What is there already, if that is newer than `files`.
    fn newer(&self, files: &TrustFiles) -> Result<Option<String>, Failure> {
        let source = match places::source(&self.to, &self.access) {
            Ok(source) => source,
            // A folder that is to be made.
            Err(_) if self.to.scheme() != Scheme::Registry && !self.to.path().exists() => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let digest = match source.resolve(Some(&self.tag), None) {
            Ok(found) => found.digest,
            Err(error) if error.class() == touchmark::oci::Class::NotFound => return Ok(None),
            Err(error) => return Err(Failure::from(&error)),
        };
        let artifact = TrustArtifact::open(source.as_ref(), digest).map_err(|error| root::failure(&error))?;
        let there = TrustFiles::read(&artifact).map_err(|error| root::failure(&error))?;
        let newer = (there.root, there.timestamp) > (files.root, files.timestamp);
        Ok(newer.then(|| format!("it has root {} and timestamp {}, newer than what is here", there.root, there.timestamp)))
    }
}

fn lost(to: &Reference, why: &str) -> Failure {
    Failure::new(Exit::Unknown, "push-lost", format!("{to}: somebody else published: {why}"))
        .hint("bring this folder up to what is there, stage the change again, and publish")
}
