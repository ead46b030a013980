//! `touchmark in-toto attach`: links as referrers of an artifact.

use std::path::PathBuf;

use touchmark::in_toto::attached::{AttachLinksError, attach_links, attachable};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use crate::access::{AccessArgs, AnchorArgs};
use crate::commands::repair;
use crate::places::{self, Target};

use super::record_failure;

/// Attaches the links of a folder, and an in-toto layout, to an artifact
///
/// Sublayouts and their folders are links too. They become one referrer, which is copied with the artifact; `touchmark in-toto verify --links
/// REF` finds them there, and `touchmark signature delete REF@DIGEST` deletes them. Whose signatures they have is not looked at. Prints the
/// pin of the referrer.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The artifact
    #[arg(value_name = "REF")]
    pub(super) reference: String,
    /// The folder with the links. What is in it and ends otherwise than in .link is left out and told
    #[arg(long, value_name = "DIR")]
    links: PathBuf,
    /// The signed in-toto layout, which then need not be given to verify
    #[arg(long, value_name = "FILE")]
    layout: Option<PathBuf>,
    #[command(flatten)]
    anchors: AnchorArgs,
    #[command(flatten)]
    access: AccessArgs,
}

/// Attaches them, and prints the pin of what holds them.
pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let reference = places::reference(&args.reference)?;
    let access = args.anchors.put_into(args.access.access([&reference], 0)?);
    let set = attachable(&args.links, args.layout.as_deref()).map_err(|error| failure(&error))?;
    for path in &set.left_out {
        output.warn(&format!("{}: is no link, and is left out", path.display()));
    }
    let target = Target::existing(&reference, &access)?;
    let subject = places::resolve(target.store(), &reference)?;
    let attached = attach_links(target.store(), &subject.digest, &set).map_err(|error| failure(&error))?;
    target.commit()?;
    if attached.already {
        output.note(&format!("{} was attached already", attached.descriptor.digest));
    }
    attached.notices.iter().for_each(|notice| output.note(&repair::sentence(notice)));
    let referrer = reference.pin(attached.descriptor.digest).to_string();
    output.line(&referrer);
    let mut members: Object<'static> = places::members(&args.reference, &reference.pin(subject.digest), &subject);
    members.insert("attached", Value::from(vec![Value::from(referrer)]));
    members.insert("files", Value::from(set.files.keys().cloned().map(Value::from).collect::<Vec<_>>()));
    members.insert("notices", repair::findings(&attached.notices));
    output.result(Exit::Done, members);
    Ok(())
}

fn failure(error: &AttachLinksError) -> Failure {
    match error {
        AttachLinksError::Folder(error) => {
            let mut failure = record_failure(error);
            // Nothing is excluded here.
            failure.hint = failure.hint.map(|_| "name a folder that has links alone".to_owned());
            failure
        }
        AttachLinksError::Store(error) => Failure::from(error),
        AttachLinksError::Malformed { error: inner, .. } => Failure::new(Exit::Malformed, inner.code(), error.to_string()),
        AttachLinksError::Empty { .. } => Failure::new(Exit::Usage, "in-toto-no-link", error.to_string()),
        AttachLinksError::TooMuch { .. } => Failure::new(Exit::Usage, "too-large", error.to_string()),
        _ => Failure::new(Exit::Malformed, "malformed", error.to_string()),
    }
}
