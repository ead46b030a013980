//! `touchmark resolve`: which digest a reference means.

use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Output};

use crate::access::AccessArgs;
use crate::places;

/// Prints the pin of an artifact
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The artifact
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// Prints the descriptor as JSON, for `sign --descriptor`
    #[arg(long)]
    pub(crate) descriptor: bool,
    /// Fails if the tag of a REF that has both tag and digest names another digest
    #[arg(long)]
    pub(crate) check_tag: bool,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// Prints the pin or the descriptor.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    match resolve(args, output) {
        Ok(()) => {}
        Err(failure) => output.fail(Some(&args.reference), &failure),
    }
}

fn resolve(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let reference = places::reference(&args.reference)?;
    let source = places::source(&reference, &args.access.access([&reference], 0)?)?;
    let found = places::resolve(source.as_ref(), &reference)?;
    if args.check_tag
        && let (Some(tag), Some(digest)) = (reference.tag(), reference.digest())
    {
        let tagged = source.resolve(Some(tag), None).map_err(|error| Failure::from(&error))?;
        if tagged.digest != *digest {
            let message = format!("the tag {tag} leads to {}, not to {digest}", tagged.digest);
            return Err(Failure::new(Exit::NotVerified, "tag-moved", message).hint("without --check-tag the digest decides"));
        }
    }
    let pin = reference.pin(found.digest);
    if args.descriptor {
        output.line(&String::from_utf8_lossy(&places::bare(&found).to_json().to_vec()));
    } else {
        output.line(&pin.to_string());
    }
    output.result(Exit::Done, places::members(&args.reference, &pin, &found));
    Ok(())
}
