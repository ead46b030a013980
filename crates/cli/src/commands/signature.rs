//! `touchmark signature`: lists, exports, attaches and deletes signatures.

use std::path::{Path, PathBuf};

use touchmark::envelope::key::PublicKey;
use touchmark::envelope::threshold::KeySet;
use touchmark::oci::access::Access;
use touchmark::oci::source::{Finding, Source};
use touchmark::{AttachError, Attachments, Evidence, Reference, Unfit};
use touchmark_verify::exit::Exit;
use touchmark_verify::options::Input;
use touchmark_verify::output::{Failure, Object, Output, Value};

use crate::access::{AccessArgs, AnchorArgs, standard_inputs};
use crate::commands::repair;
use crate::files;
use crate::places::{self, Target};
use crate::wants::input;

/// Lists, exports, attaches and deletes signatures
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Lists the signatures and attestations of an artifact
    ///
    /// What is listed is what they say. Whether it is true, `verify` and `tree --key` answer.
    List {
        /// The artifact
        #[arg(value_name = "REF")]
        reference: String,
        /// Only those in which a signature by this public key is valid; may be repeated
        #[arg(long, value_name = "PUB", value_parser = input())]
        signed_by: Vec<Input>,
        #[command(flatten)]
        access: AccessArgs,
    },
    /// Writes the envelopes of an artifact to files
    ///
    /// Prints the names of the files, one a line. A file of that name with other content is kept, and is an error.
    Export {
        /// The artifact
        #[arg(value_name = "REF")]
        reference: String,
        /// The folder that the files go to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        #[command(flatten)]
        access: AccessArgs,
    },
    /// Attaches envelopes from files to an artifact
    ///
    /// Only well-formed envelopes whose subject is this artifact are attached. Prints the pin of the artifact.
    Attach {
        /// The artifact
        #[arg(value_name = "REF")]
        reference: String,
        /// An envelope, such as `sign --descriptor` writes
        #[arg(required = true, value_name = "ENVELOPE")]
        envelopes: Vec<PathBuf>,
        #[command(flatten)]
        anchors: AnchorArgs,
        #[command(flatten)]
        access: AccessArgs,
    },
    /// Deletes a signature, an attestation or attached in-toto links, in the lists and in the store
    ///
    /// Prints the pin of what was deleted, one a line. With --signed-by, what others signed too is kept, and that is an error.
    Delete {
        /// REF@DIGEST of the signature, or the artifact if --signed-by says which signatures
        #[arg(value_name = "REF")]
        reference: String,
        /// Deletes every signature of the artifact that this public key alone made; may be repeated
        #[arg(long, value_name = "PUB", value_parser = input())]
        signed_by: Vec<Input>,
        #[command(flatten)]
        access: AccessArgs,
    },
}

impl Command {
    /// The name of the command, as the JSON document has it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::List { .. } => "signature list",
            Self::Export { .. } => "signature export",
            Self::Attach { .. } => "signature attach",
            Self::Delete { .. } => "signature delete",
        }
    }
}

/// Runs the one that is asked for.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    let (reference, done) = match &args.command {
        Command::List { reference, signed_by, access } => (reference, list(reference, signed_by, access, output)),
        Command::Export { reference, out, access } => (reference, export(reference, out, access, output)),
        Command::Attach { reference, envelopes, anchors, access } => (reference, attach(reference, envelopes, *anchors, access, output)),
        Command::Delete { reference, signed_by, access } => (reference, delete(reference, signed_by, access, output)),
    };
    if let Err(failure) = done {
        output.fail(Some(reference), &failure);
    }
}

/// What is attached to an artifact, with a pin of the artifact.
fn read(reference: &Reference, access: &Access) -> Result<(Reference, Attachments), Failure> {
    let source = places::source(reference, access)?;
    let subject = places::resolve(source.as_ref(), reference)?;
    let attached = touchmark::attachments(source.as_ref(), &subject.digest).map_err(|error| Failure::from(&error))?;
    Ok((reference.pin(subject.digest), attached))
}

fn list(text: &str, signed_by: &[Input], access: &AccessArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    let reference = places::reference(text)?;
    let access = access.access([&reference], standard_inputs(signed_by))?;
    let keys = places::key_set(signed_by)?;
    let (pin, attached) = read(&reference, &access)?;
    let mut listed = Vec::new();
    for evidence in &attached.evidence {
        let signers = keys.as_ref().map(|keys| evidence.signed_by(keys));
        if signers.as_ref().is_some_and(Vec::is_empty) {
            continue;
        }
        let (line, members) = describe(&pin, evidence, signers);
        output.line(&line);
        listed.push(members);
    }
    tell(&attached.findings, output);
    let mut members = Object::new();
    members.insert("reference", Value::from(text.to_owned()));
    members.insert("pin", Value::from(pin.to_string()));
    members.insert("signatures", Value::Array(listed));
    members.insert("findings", repair::findings(&attached.findings));
    finish(attached.complete, members, text, output);
    Ok(())
}

/// A line and the JSON of one signature or attestation: what it says of itself, and whose keys it was checked with.
fn describe(artifact: &Reference, evidence: &Evidence, signers: Option<Vec<PublicKey>>) -> (String, Value<'static>) {
    let pin = artifact.pin(evidence.referrer.digest).to_string();
    let claims = evidence.claims.as_ref().map(touchmark::Unverified::untrusted);
    let text = |value: Option<String>| value.map_or(Value::Null, Value::from);
    let predicate_type = claims.map(|claims| claims.predicate_type.clone());
    let name = claims.and_then(|claims| claims.name.clone());
    let mut members = Object::new();
    members.insert("pin", Value::from(pin.clone()));
    members.insert("artifact_type", text(evidence.referrer.artifact_type.clone()));
    members.insert("claimed_predicate_type", text(predicate_type.clone()));
    members.insert("claimed_name", text(name.clone()));
    members.insert("claimed_issued", text(claims.and_then(|claims| claims.issued).map(|time| time.to_string())));
    members.insert("claimed_expires", text(claims.and_then(|claims| claims.expires).map(|time| time.to_string())));
    members.insert("claimed_key_ids", Value::Array(evidence.hints().into_iter().map(Value::from).collect()));
    let mut line = format!("{pin}  {}", predicate_type.as_deref().unwrap_or("(no statement)"));
    if let Some(name) = name {
        line.push_str(&format!("  says {name}"));
    }
    if let Some(signers) = signers {
        let signers: Vec<String> = signers.iter().map(|key| key.key_id().to_string()).collect();
        line.push_str(&format!("  signed by {}", signers.join(", ")));
        members.insert("signed_by", Value::Array(signers.into_iter().map(Value::from).collect()));
    }
    (line, Value::Object(members))
}

fn export(text: &str, folder: &Path, access: &AccessArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    if folder.as_os_str() == "-" {
        return Err(Failure::usage("--out is a folder, and standard output (-) is none").hint("./- if it has that name"));
    }
    let reference = places::reference(text)?;
    let (pin, attached) = read(&reference, &access.access([&reference], 0)?)?;
    tell(&attached.findings, output);
    if attached.evidence.is_empty() && attached.complete {
        return Err(Failure::new(Exit::Unsigned, "unsigned", "no signature or attestation found"));
    }
    let mut files = Vec::new();
    for evidence in &attached.evidence {
        let digest = evidence.referrer.digest;
        let path = folder.join(format!("{}-{}.dsse.json", digest.algorithm(), digest.hex()));
        if !files::holds(&path, &evidence.bytes) {
            files::write(&path, &evidence.bytes, None)?;
        }
        output.line(&path.display().to_string());
        files.push(Value::from(path.display().to_string()));
    }
    let mut members = Object::new();
    members.insert("reference", Value::from(text.to_owned()));
    members.insert("pin", Value::from(pin.to_string()));
    members.insert("files", Value::Array(files));
    finish(attached.complete, members, text, output);
    Ok(())
}

fn attach(text: &str, envelopes: &[PathBuf], anchors: AnchorArgs, access: &AccessArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    let reference = places::reference(text)?;
    let inputs = envelopes.iter().filter(|path| path.as_os_str() == "-").count();
    let access = anchors.put_into(access.access([&reference], inputs)?);
    let limit = touchmark::trust::Limits::default().attestation;
    let contents = envelopes.iter().map(|path| places::read_file(path, "ENVELOPE", limit)).collect::<Result<Vec<_>, _>>()?;
    let target = Target::existing(&reference, &access)?;
    let subject = places::resolve(target.store(), &reference)?;
    let done = touchmark::attach(target.store(), &subject.digest, &contents).map_err(|error| unfit(&error, envelopes))?;
    target.commit()?;
    let pin = reference.pin(subject.digest);
    let (mut attached, mut notices) = (Vec::new(), Vec::new());
    for manifest in done {
        attached.push(Value::from(reference.pin(manifest.descriptor.digest).to_string()));
        if manifest.already {
            output.note(&format!("{} was attached already", manifest.descriptor.digest));
        }
        notices.extend(manifest.notices);
    }
    notices.iter().for_each(|notice| output.note(&repair::sentence(notice)));
    output.line(&pin.to_string());
    let mut members = places::members(text, &pin, &subject);
    members.insert("attached", Value::Array(attached));
    members.insert("notices", repair::findings(&notices));
    output.result(Exit::Done, members);
    Ok(())
}

/// Why envelopes were not attached, with the name of the file.
fn unfit(error: &AttachError, envelopes: &[PathBuf]) -> Failure {
    match error {
        AttachError::Store(error) => Failure::from(error),
        AttachError::Unfit { place, why } => {
            let exit = match why {
                Unfit::OtherArtifact => Exit::NotVerified,
                Unfit::TooLarge { .. } => Exit::Usage,
                _ => Exit::Malformed,
            };
            let file = envelopes.get(*place).map(|path| format!("{}: ", path.display())).unwrap_or_default();
            Failure::new(exit, why.code(), format!("{file}{why}"))
        }
        _ => Failure::new(Exit::Malformed, "malformed", error.to_string()),
    }
}

fn delete(text: &str, signed_by: &[Input], access: &AccessArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    let reference = places::reference(text)?;
    let access = access.access([&reference], standard_inputs(signed_by))?;
    let keys = places::key_set(signed_by)?;
    let target = Target::existing(&reference, &access)?;
    let store = target.store();
    let named = places::resolve(store, &reference)?;
    let found = match &keys {
        None => {
            let subject = subject_of(store, &reference, &named.digest)?;
            Doomed { referrers: vec![(subject, named.digest)], kept: Vec::new(), complete: true }
        }
        Some(keys) => evidence_by(store, &named.digest, keys, output)?,
    };
    let mut deleted = Vec::new();
    for (subject, digest) in found.referrers {
        store.detach(&subject, &digest).map_err(|error| Failure::from(&error))?;
        deleted.push(reference.pin(digest).to_string());
    }
    if !deleted.is_empty() {
        target.commit()?;
    }
    deleted.iter().for_each(|pin| output.line(pin));
    let kept: Vec<_> = found.kept.iter().map(|digest| reference.pin(*digest).to_string()).collect();
    let failure = if !found.complete {
        let message = "not everything could be looked at; there may be more signatures by this key";
        Some(Failure::new(Exit::Unknown, "incomplete", message))
    } else if !kept.is_empty() {
        let message = format!("kept, as it is not by this key alone: {}", kept.join(", "));
        Some(Failure::new(Exit::NotVerified, "kept", message).hint("name it by its digest to delete it with all that it holds"))
    } else if deleted.is_empty() {
        Some(Failure::new(Exit::Unsigned, "unsigned", "no signature by this key found"))
    } else {
        None
    };
    let pins = |pins: Vec<String>| Value::Array(pins.into_iter().map(Value::from).collect());
    let mut members = Object::new();
    members.insert("deleted", pins(deleted));
    members.insert("kept", pins(kept));
    match failure {
        Some(failure) => output.fail_with(Some(text), &failure, members),
        None => {
            members.insert("reference", Value::from(text.to_owned()));
            output.result(Exit::Done, members);
        }
    }
    Ok(())
}

fn count(signatures: usize) -> String {
    if signatures == 1 { "1 signature".to_owned() } else { format!("{signatures} signatures") }
}

/// What `--signed-by` is about to delete.
struct Doomed {
    /// What is by these keys and nobody else: its subject and its own digest.
    referrers: Vec<(touchmark::Digest, touchmark::Digest)>,
    /// By these keys, with signatures beside theirs that none of them made.
    kept: Vec<touchmark::Digest>,
    /// Whether there is no more.
    complete: bool,
}

/// What the signature, or the set of in-toto links, that REF@DIGEST names is attached to. A tag or an artifact is not taken for one.
fn subject_of(source: &dyn Source, reference: &Reference, digest: &touchmark::Digest) -> Result<touchmark::Digest, Failure> {
    let hint = "name it by the digest that `signature list` shows, or say which with --signed-by";
    if reference.digest().is_none() {
        return Err(Failure::usage("which signature is meant? REF has no digest").hint(hint));
    }
    let found = touchmark::evidence(source, digest).map_err(|error| Failure::from(&error))?;
    if let Some(evidence) = found {
        return Ok(evidence.subject);
    }
    let set = touchmark::in_toto::attached::subject_of(source, digest).map_err(|error| Failure::from(&error))?;
    set.ok_or_else(|| Failure::usage(format!("{digest} is neither a signature nor an attestation")).hint(hint))
}

/// The signatures and attestations by these keys.
fn evidence_by(source: &dyn Source, subject: &touchmark::Digest, keys: &KeySet, output: &mut Output<'_>) -> Result<Doomed, Failure> {
    let attached = touchmark::attachments(source, subject).map_err(|error| Failure::from(&error))?;
    tell(&attached.findings, output);
    let mut found = Doomed { referrers: Vec::new(), kept: Vec::new(), complete: attached.complete };
    for evidence in attached.evidence {
        if evidence.signed_by(keys).is_empty() {
            continue;
        }
        match evidence.signatures_by_others(keys) {
            0 => found.referrers.push((evidence.subject, evidence.referrer.digest)),
            others => {
                let digest = evidence.referrer.digest;
                output.warn(&format!("{digest} is kept: beside this key's, it holds {} by others, or by nobody", count(others)));
                found.kept.push(digest);
            }
        }
    }
    Ok(found)
}

fn tell(findings: &[Finding], output: &mut Output<'_>) {
    for finding in findings {
        output.warn(&repair::sentence(finding));
    }
}

/// Ends with 4 if the search was not complete: what was found may not be all.
fn finish(complete: bool, members: Object<'static>, text: &str, output: &mut Output<'_>) {
    if complete {
        output.result(Exit::Done, members);
    } else {
        let failure = Failure::new(Exit::Unknown, "incomplete", "not everything could be looked at; there may be more");
        output.fail_with(Some(text), &failure, members);
    }
}
