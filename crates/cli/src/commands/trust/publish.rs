//! `touchmark trust publish`: what is staged becomes what clients get.

use touchmark::tuf::Fetch;
use touchmark::tuf::repository::{Publish, RepositoryError, Scope as What};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use super::keys::MaybeSigners;
use super::push::Push;
use super::{Here, clock, failure, strings};
use crate::access::AccessArgs;

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
    let to = args.to.as_deref().map(|text| Push::new(text, &args.access)).transpose()?;
    let scope = match (args.renew, args.ready) {
        (true, _) => What::Renewal,
        (_, true) => What::Ready,
        _ => What::All,
    };
    let signers = args.signers.open()?;
    let clock = here.args.at.map(|_| clock()).transpose()?;
    let how = Publish { scope, dry_run: args.dry_run, clock };
    let mut pushed = Vec::new();
    // Where others publish too it is decided who was first, before anything is published here.
    let first = |served: &dyn Fetch| -> Result<(), Refused> {
        if let Some(to) = &to {
            pushed = to.push(served, repository.served().as_ref())?;
        }
        Ok(())
    };
    let published = repository.publish_after(&signers, how, here.now, first).map_err(|Refused(failure)| failure)?;
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
        for (pin, own) in &pushed {
            output.line(pin);
            output.note(&format!("pushed as {own} and as {}", to.tag));
        }
        members.insert("pushed", strings(&pushed.into_iter().map(|(pin, _)| pin).collect::<Vec<_>>()));
    }
    output.result(Exit::Done, members);
    Ok(())
}

/// Why nothing was published.
struct Refused(Failure);

impl From<RepositoryError> for Refused {
    fn from(error: RepositoryError) -> Self {
        Self(failure(&error))
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}
