//! `touchmark attest`: a signed statement about an artifact.

use std::path::PathBuf;

use touchmark::Name;
use touchmark_verify::exit::Exit;
use touchmark_verify::options;
use touchmark_verify::output::{Failure, Output, Value};

use crate::commands::sign;
use crate::places::{self, Target};
use crate::signers::{self, Signers};

/// Signs a statement about an artifact: provenance, an SBOM, a test result
///
/// Prints the pin of what was attested.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The artifact
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) signers: Signers,
    /// The type of the predicate: a URI, or slsa-v1, spdx, cyclonedx, vex
    #[arg(long = "type", value_name = "TYPE", value_parser = options::predicate_type)]
    pub(crate) predicate_type: String,
    /// The predicate, a JSON document; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) predicate: PathBuf,
    /// The name that the publisher owns, such as `acme/net-monitor:1.2.0`
    #[arg(long, value_name = "NAME[:VERSION]")]
    pub(crate) name: Option<Name>,
}

/// Attests, and prints the pin of the artifact.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    if let Err(failure) = attest(args, output) {
        output.fail(Some(&args.reference), &failure);
    }
}

fn attest(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    if args.predicate.as_os_str() == "-" && args.signers.reads_standard_input() {
        return Err(Failure::usage("standard input (-) can be read for one option only"));
    }
    let limit = u64::try_from(touchmark::sign::MAX_PREDICATE).unwrap_or(u64::MAX);
    let predicate = places::read_file(&args.predicate, "--predicate", limit)?;
    let signers = args.signers.open()?;
    let reference = places::reference(&args.reference)?;
    let target = Target::existing(&reference)?;
    let found = places::resolve(target.store(), &reference)?;
    let pin = reference.pin(found.digest);
    if let (Some(tag), None) = (reference.tag(), reference.digest()) {
        output.warn(&format!("the tag {tag} can be moved; what is attested is {pin}"));
    }
    let name = args.name.as_ref();
    let signed = touchmark::sign::attest(target.store(), &found.digest, &signers, &args.predicate_type, &predicate, name);
    let signed = signed.map_err(|error| signers::signing_failure(&error))?;
    target.commit()?;
    output.line(&pin.to_string());
    let mut members = places::members(&args.reference, &pin, &signed.subject);
    members.insert("predicate_type", Value::from(args.predicate_type.clone()));
    members.insert("attestation", sign::describe(&reference, &signed));
    output.result(Exit::Done, members);
    Ok(())
}
