//! `touchmark in-toto sign`: a layout, signed.

use std::path::PathBuf;

use touchmark::UnixTime;
use touchmark::envelope::key::PublicKey;
use touchmark::in_toto::lint::lint;
use touchmark::in_toto::{Envelopes, SignDocumentError};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use crate::files;
use crate::signers::Signers;

use super::{now, source};

/// Signs an in-toto layout
///
/// Reads a layout as its author writes it, or one that is signed already and gets one more signature; then its envelope and what is signed
/// stay as they are. Comments, lines that begin with //, are left out. A layout with a
/// private key is refused. Says what `touchmark in-toto lint` finds, and prints the file.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The in-toto layout; - is standard input
    #[arg(value_name = "FILE")]
    layout: PathBuf,
    #[command(flatten)]
    signers: Signers,
    /// How it is signed: dsse, or legacy for tools that read no DSSE
    #[arg(long, value_name = "dsse|legacy", value_parser = envelope)]
    envelope: Option<Envelopes>,
    /// The file that is written, a new one or FILE itself; otherwise FILE is replaced
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Judges expiry as of this time (RFC 3339) instead of now
    #[arg(long, value_name = "TIME", value_parser = UnixTime::parse_rfc3339)]
    at: Option<UnixTime>,
}

/// Reads the name of an envelope.
pub(super) fn envelope(text: &str) -> Result<Envelopes, String> {
    match text {
        "dsse" => Ok(Envelopes::Dsse),
        "legacy" => Ok(Envelopes::Legacy),
        _ => Err("it is dsse or legacy".to_owned()),
    }
}

/// Signs, and prints the file.
pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let from_input = args.layout.as_os_str() == "-";
    if from_input && args.signers.reads_standard_input() {
        return Err(Failure::usage("standard input (-) is named more than once"));
    }
    let file = source::read(&args.layout)?;
    let out = match &args.out {
        Some(out) => out,
        None if from_input => return Err(Failure::usage("a layout from standard input has no file to replace").hint("--out FILE")),
        None if file.has_comments() => {
            let message = format!("{}: has comments, which would be lost if it were replaced", args.layout.display());
            return Err(Failure::usage(message).hint("--out FILE"));
        }
        None => &args.layout,
    };
    let replaced = (!from_input).then_some(args.layout.as_path());
    // It is published, and whoever reads it could sign.
    if let Some(keyid) = file.layout().keys.private().next() {
        let message = format!("{}: it has the private key of {} too", args.layout.display(), keyid.escape_debug());
        let hint = "leave `private` out, list the public key alone, and replace a key that others have seen";
        return Err(Failure::new(Exit::Usage, "in-toto-private-key", message).hint(hint));
    }
    files::check_free(out, replaced)?;
    for finding in lint(file.layout(), now(args.at)?) {
        output.warn(&finding.to_string());
    }
    let signed = file.sign(args.envelope, &args.signers.open()?).map_err(|error| failure(&error))?;
    for key in &signed.already {
        output.note(&format!("key {} has signed it already", key.key_id()));
    }
    files::write(out, &signed.bytes, replaced)?;
    output.line(&out.display().to_string());
    let mut members = Object::new();
    members.insert("file", Value::from(out.display().to_string()));
    members.insert("envelope", Value::from(name(signed.envelope)));
    members.insert("signed_by", key_ids(&signed.signed_by));
    members.insert("already", key_ids(&signed.already));
    output.result(Exit::Done, members);
    Ok(())
}

/// Why a document is not signed.
pub(super) fn failure(error: &SignDocumentError) -> Failure {
    let exit = match error {
        SignDocumentError::Signer(_) => Exit::Unknown,
        SignDocumentError::OtherEnvelope | SignDocumentError::NotLegacy => Exit::Usage,
        _ => Exit::Malformed,
    };
    let failure = Failure::new(exit, error.code(), error.to_string());
    match error {
        SignDocumentError::OtherEnvelope | SignDocumentError::NotLegacy => failure.hint("leave --envelope out"),
        SignDocumentError::Signer(touchmark::envelope::sign::SignError::Refused { retryable: true, .. }) => failure.retryable(),
        _ => failure,
    }
}

/// The word for an envelope.
pub(super) fn name(envelope: Envelopes) -> &'static str {
    match envelope {
        Envelopes::Dsse => "dsse",
        Envelopes::Legacy => "legacy",
    }
}

pub(super) fn key_ids(keys: &[PublicKey]) -> Value<'static> {
    Value::Array(keys.iter().map(|key| Value::from(key.key_id().to_string())).collect())
}
