//! `touchmark trust publish`: what is staged becomes what clients get.

use touchmark::tuf::repository::{Publish, Scope};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use super::keys::MaybeSigners;
use super::{Here, clock, failure, strings};

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
    #[command(flatten)]
    signers: MaybeSigners,
}

/// Publishes.
pub(super) fn run(here: &Here<'_>, args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let repository = here.open()?;
    let scope = match (args.renew, args.ready) {
        (true, _) => Scope::Renewal,
        (_, true) => Scope::Ready,
        _ => Scope::All,
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
    output.result(Exit::Done, members);
    Ok(())
}
