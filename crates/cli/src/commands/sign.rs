//! `touchmark sign`: signatures, attached or in a file.

use std::path::{Path, PathBuf};

use touchmark::Reference;
use touchmark::envelope::key::PublicKey;
use touchmark::oci::access::Access;
use touchmark::sign::{Claim, Repeat, Signed};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Format, Object, Output, Value};

use crate::access::{AccessArgs, AnchorArgs};
use crate::claims::Claims;
use crate::commands::repair;
use crate::files;
use crate::places::{self, Stores};
use crate::signers::{self, Signers};

/// Signs artifacts and attaches the signatures to them
///
/// Prints the pin of what was signed. Signing again with the same key and the same words changes nothing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// An artifact to sign; a digest says which one, a tag is resolved now
    #[arg(value_name = "REF", required_unless_present = "descriptor", conflicts_with = "descriptor")]
    pub(crate) references: Vec<String>,
    #[command(flatten)]
    pub(crate) signers: Signers,
    #[command(flatten)]
    pub(crate) claims: Claims,
    /// Signs the children of an index too, each under the same name
    #[arg(long, conflicts_with = "descriptor")]
    pub(crate) recursive: bool,
    /// Adds a signature although this key already has an equal one that counts
    #[arg(long, conflicts_with = "descriptor")]
    pub(crate) again: bool,
    /// Where the signatures go, if not beside the artifact: HOST/REPO or oci:PATH
    #[arg(long, value_name = "REPO", conflicts_with = "descriptor")]
    pub(crate) referrers_to: Option<String>,
    /// Signs what this descriptor names (from `resolve --descriptor`), without the artifact; - is standard input
    #[arg(long, value_name = "FILE", requires = "out", help_heading = "Without the artifact")]
    pub(crate) descriptor: Option<PathBuf>,
    /// The envelope to write, a new file or that of --add-to; - is standard output
    #[arg(long, value_name = "ENVELOPE", requires = "descriptor", help_heading = "Without the artifact")]
    pub(crate) out: Option<PathBuf>,
    /// Signs what this envelope already says, if that is what would be signed here, and keeps its signatures
    #[arg(long, value_name = "ENVELOPE", requires = "descriptor", help_heading = "Without the artifact")]
    pub(crate) add_to: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) anchors: AnchorArgs,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// Bytes of a descriptor.
const MAX_DESCRIPTOR: u64 = 64 << 10;

/// Signs each REF, or what the descriptor names.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    let done = match (&args.descriptor, &args.out) {
        (Some(descriptor), Some(out)) => offline(args, descriptor, out, output),
        _ => attached(args, output),
    };
    if let Err(failure) = done {
        output.fail(None, &failure);
    }
}

fn attached(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let claim = args.claims.claim();
    let beside = beside(args.referrers_to.as_deref())?;
    let references: Vec<_> = args.references.iter().map(|text| (text, places::reference(text))).collect();
    let named = references.iter().filter_map(|(_, reference)| reference.as_ref().ok());
    let access = args.access.access(named.chain(&beside), usize::from(args.signers.reads_standard_input()))?;
    let access = args.anchors.put_into(access);
    let signers = args.signers.open()?;
    let mut signing = Signing { args, claim, signers, beside, access, output };
    for (text, reference) in references {
        if let Err(failure) = reference.and_then(|reference| signing.sign(text, &reference)) {
            signing.output.fail(Some(text), &failure);
        }
    }
    Ok(())
}

/// What all REFs are signed with.
struct Signing<'a, 'b> {
    args: &'a Args,
    claim: Claim,
    signers: Vec<Box<dyn touchmark::envelope::sign::Signer>>,
    /// Where the signatures go, if not beside the artifacts.
    beside: Option<Reference>,
    access: Access,
    output: &'a mut Output<'b>,
}

impl Signing<'_, '_> {
    fn sign(&mut self, text: &str, reference: &Reference) -> Result<(), Failure> {
        let now = self.args.claims.issued()?;
        let failed = |error| signers::signing_failure(&error);
        let stores = Stores::open(reference, self.beside.as_ref(), &self.access)?;
        let found = places::resolve(stores.source(), reference)?;
        let pin = reference.pin(found.digest);
        if let (Some(tag), None) = (reference.tag(), reference.digest()) {
            self.output.warn(&format!("the tag {tag} can be moved; what is signed is {pin}"));
        }
        let digests = match self.args.recursive {
            true => touchmark::sign::with_children(stores.source(), &found.digest).map_err(failed)?,
            false => vec![found.digest],
        };
        let repeat = if self.args.again { Repeat::Again } else { Repeat::Skip };
        let mut signed = Vec::new();
        for digest in digests {
            tracing::info!(%digest, "sign");
            let one = stores.with(|store| touchmark::sign::sign(store, &digest, &self.signers, &self.claim, repeat, now));
            signed.push(one.map_err(failed)?);
        }
        stores.commit()?;
        self.tell(text, reference, &pin, &signed);
        Ok(())
    }

    fn tell(&mut self, text: &str, reference: &Reference, pin: &Reference, signed: &[Signed]) {
        let mut signatures = Vec::new();
        let signatures_at = self.beside.as_ref().unwrap_or(reference);
        for one in signed {
            let subject = reference.pin(one.subject.digest).to_string();
            for (key, signature) in &one.already {
                self.output.note(&format!("key {} has signed the same already: {}", key.key_id(), signatures_at.pin(*signature)));
            }
            tell_notices(one, self.output);
            signatures.push(describe(reference, signatures_at, one));
            self.output.line(&subject);
        }
        let mut members = match signed.first() {
            Some(first) => places::members(text, pin, &first.subject),
            None => Object::new(),
        };
        members.insert("signatures", Value::Array(signatures));
        self.output.result(Exit::Done, members);
    }
}

/// The place that `--referrers-to` names.
pub(crate) fn beside(text: Option<&str>) -> Result<Option<Reference>, Failure> {
    text.map(|text| touchmark_verify::place("--referrers-to", text)).transpose()
}

/// Says what there is to know of how a signature is listed.
pub(crate) fn tell_notices(signed: &Signed, output: &mut Output<'_>) {
    for notice in signed.attached.iter().flat_map(|attached| &attached.notices) {
        output.note(&repair::sentence(notice));
    }
}

/// What was signed, by whom, and where the signatures are, in JSON output.
pub(crate) fn describe(artifact: &Reference, signatures: &Reference, signed: &Signed) -> Value<'static> {
    let attached = signed.attached.as_ref().map(|attached| signatures.pin(attached.descriptor.digest).to_string());
    let notices = signed.attached.as_ref().map_or(&[][..], |attached| &attached.notices);
    let already = signed.already.iter().map(|(key, signature)| {
        Value::object([("key_id", Value::from(key.key_id().to_string())), ("pin", Value::from(signatures.pin(*signature).to_string()))])
    });
    Value::object([
        ("subject", Value::from(artifact.pin(signed.subject.digest).to_string())),
        ("pin", attached.map_or(Value::Null, Value::from)),
        ("signed_by", key_ids(&signed.signed_by)),
        ("already", Value::Array(already.collect())),
        ("notices", repair::findings(notices)),
    ])
}

fn key_ids(keys: &[PublicKey]) -> Value<'static> {
    Value::Array(keys.iter().map(|key| Value::from(key.key_id().to_string())).collect())
}

/// Signs what a descriptor names, on a machine that has neither the artifact nor a network.
fn offline(args: &Args, descriptor: &Path, out: &Path, output: &mut Output<'_>) -> Result<(), Failure> {
    let failed = |error| signers::signing_failure(&error);
    let streams = [Some(descriptor), args.add_to.as_deref()].into_iter().flatten().filter(|path| path.as_os_str() == "-").count();
    if streams + usize::from(args.signers.reads_standard_input()) > 1 {
        return Err(Failure::usage(touchmark_verify::options::ONE_STDIN));
    }
    let printed = out.as_os_str() == "-";
    if printed && output.format() == Format::Json {
        return Err(Failure::usage("--out - and --format json both write to standard output").hint("name a file"));
    }
    if !printed {
        // Before anybody is asked for a passphrase.
        files::check_free(out, args.add_to.as_deref())?;
    }
    let now = args.claims.issued()?;
    let claim = args.claims.claim();
    let descriptor = places::read_file(descriptor, "--descriptor", MAX_DESCRIPTOR)?;
    let signed = match &args.add_to {
        None => {
            let signers = args.signers.open()?;
            let envelope = touchmark::sign::sign_descriptor(&descriptor, &signers, &claim, now).map_err(failed)?;
            let signed_by = signers.iter().map(|signer| signer.public_key().clone()).collect();
            touchmark::sign::CoSigned { envelope, signed_by, already: Vec::new() }
        }
        Some(before) => {
            let before = places::read_file(before, "--add-to", touchmark::trust::Limits::default().signature)?;
            touchmark::sign::co_sign(&before, &descriptor, &args.signers.open()?, &claim, now).map_err(failed)?
        }
    };
    if printed {
        output.raw(&signed.envelope);
    } else {
        files::write(out, &signed.envelope, args.add_to.as_deref())?;
        output.line(&out.display().to_string());
    }
    for key in &signed.already {
        output.note(&format!("key {} has signed this envelope already", key.key_id()));
    }
    let mut members = Object::new();
    members.insert("envelope_file", Value::from(out.display().to_string()));
    members.insert("signed_by", key_ids(&signed.signed_by));
    members.insert("already", key_ids(&signed.already));
    output.result(Exit::Done, members);
    Ok(())
}
