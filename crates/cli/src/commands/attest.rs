//! `touchmark attest`: a signed statement about an artifact.

use std::path::PathBuf;

use touchmark::Name;
use touchmark_verify::exit::Exit;
use touchmark_verify::options;
use touchmark_verify::output::{Failure, Output, Value};

use crate::access::{AccessArgs, AnchorArgs};
use crate::commands::sign;
use crate::places::{self, Stores};
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
    /// Where the attestation goes, if not beside the artifact: HOST/REPO or oci:PATH
    #[arg(long, value_name = "REPO")]
    pub(crate) referrers_to: Option<String>,
    #[command(flatten)]
    pub(crate) anchors: AnchorArgs,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// Attests, and prints the pin of the artifact.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    if let Err(failure) = attest(args, output) {
        output.fail(Some(&args.reference), &failure);
    }
}

fn attest(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let reference = places::reference(&args.reference)?;
    let beside = sign::beside(args.referrers_to.as_deref())?;
    let inputs = usize::from(args.predicate.as_os_str() == "-") + usize::from(args.signers.reads_standard_input());
    let access = args.anchors.put_into(args.access.access([&reference].into_iter().chain(&beside), inputs)?);
    let limit = u64::try_from(touchmark::sign::MAX_PREDICATE).unwrap_or(u64::MAX);
    let predicate = places::read_file(&args.predicate, "--predicate", limit)?;
    let signers = args.signers.open()?;
    let stores = Stores::open(&reference, beside.as_ref(), &access)?;
    let found = places::resolve(stores.source(), &reference)?;
    let pin = reference.pin(found.digest);
    if let (Some(tag), None) = (reference.tag(), reference.digest()) {
        output.warn(&format!("the tag {tag} can be moved; what is attested is {pin}"));
    }
    let name = args.name.as_ref();
    let signed = stores.with(|store| touchmark::sign::attest(store, &found.digest, &signers, &args.predicate_type, &predicate, name));
    let signed = signed.map_err(|error| signers::signing_failure(&error))?;
    stores.commit()?;
    sign::tell_notices(&signed, output);
    output.line(&pin.to_string());
    let mut members = places::members(&args.reference, &pin, &signed.subject);
    members.insert("predicate_type", Value::from(args.predicate_type.clone()));
    members.insert("attestation", sign::describe(&reference, beside.as_ref().unwrap_or(&reference), &signed));
    output.result(Exit::Done, members);
    Ok(())
}
