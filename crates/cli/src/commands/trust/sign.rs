//! `touchmark trust sign`: one person's signatures on what is staged.

use std::path::PathBuf;

use touchmark::envelope::Digest;
use touchmark::envelope::digest::Algorithm;
use touchmark::envelope::key::PublicKey;
use touchmark::tuf::repository::{LoneDocument, RepositoryError};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use super::keys::MaybeSigners;
use super::{Here, failure, status, strings};

/// Signs what is staged, or takes over signatures that were made elsewhere
///
/// Signs every staged document that a key signs for, or that of one role. Before that it says of each what it changes, and the digest of
/// what is signed; --expect refuses another. A copy of the folder can be signed on any machine, or one document with --alone; --from takes
/// the signatures over. Prints each role, its version and how many signatures it still needs.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Signs only this role
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Signs nothing unless the digest of all that is signed is given here, as `trust status` shows it; may be repeated
    #[arg(long, value_name = "sha256:HEX", value_parser = expected, requires = "keys")]
    expect: Vec<Digest>,
    /// A signed copy of a staged document, or of the folder; may be repeated
    #[arg(long, value_name = "FILE", required_unless_present = "keys")]
    from: Vec<PathBuf>,
    /// Signs this document in its place, without the repository: a file of DIR/staged that was sent to somebody; may be repeated
    #[arg(long, value_name = "FILE", requires = "keys", conflicts_with_all = ["role", "from"])]
    alone: Vec<PathBuf>,
    #[command(flatten)]
    signers: MaybeSigners,
}

impl Args {
    fn expected(&self) -> Option<&[Digest]> {
        (!self.expect.is_empty()).then_some(self.expect.as_slice())
    }
}

fn expected(text: &str) -> Result<Digest, String> {
    let digest: Digest = text.parse().map_err(|error: touchmark::envelope::digest::DigestError| error.to_string())?;
    if digest.algorithm() == Algorithm::Sha256 { Ok(digest) } else { Err("it is a sha256".to_owned()) }
}

/// Takes signatures over, then signs.
pub(super) fn run(here: &Here<'_>, args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    if !args.alone.is_empty() {
        return alone(args, output);
    }
    let repository = here.open()?;
    for from in &args.from {
        for gathered in repository.gather(from).map_err(|error| failure(&error))? {
            output.line(&line(&gathered.role, None, gathered.missing));
            let mut members = Object::new();
            members.insert("role", Value::from(gathered.role));
            members.insert("from", Value::from(gathered.file.display().to_string()));
            members.insert("added", Value::from(u64::try_from(gathered.added).unwrap_or(u64::MAX)));
            members.insert("missing", gathered.missing);
            output.result(Exit::Done, members);
        }
    }
    if args.signers.keys.is_empty() {
        return Ok(());
    }
    let signers = args.signers.open()?;
    let keys: Vec<PublicKey> = signers.iter().map(|signer| signer.public_key().clone()).collect();
    let documents = repository.to_sign(&keys, args.role.as_deref(), here.now).map_err(|error| failure(&error))?;
    output.note("about to be signed:");
    // New bins all say the same.
    for same in documents.chunk_by(|one, next| one.digest == next.digest && one.changes == next.changes) {
        let (Some(one), Some(last)) = (same.first(), same.last()) else { continue };
        let roles = match same.len() {
            1 => one.role.clone(),
            many => format!("{} to {}, {many} roles,", one.role, last.role),
        };
        output.note(&format!("  {roles} version {}, expires {}, {}", one.version, one.expires, one.digest));
        status::changes(&one.changes).iter().for_each(|change| output.note(&format!("    {change}")));
    }
    for signed in repository.sign_these(documents, &signers, args.expected()).map_err(|error| failure(&error))? {
        output.line(&line(&signed.role, Some(signed.version), signed.missing));
        for key in &signed.already {
            output.note(&format!("{}: key {} has signed it already", signed.role, key.key_id()));
        }
        let mut members = Object::new();
        members.insert("version", signed.version);
        members.insert("expires", Value::from(signed.expires.to_string()));
        members.insert("digest", Value::from(signed.digest.to_string()));
        members.insert("changes", strings(&status::changes(&signed.changes)));
        members.insert("signed_by", key_ids(&signed.signed_by));
        members.insert("already", key_ids(&signed.already));
        members.insert("missing", signed.missing);
        members.insert("role", Value::from(signed.role));
        output.result(Exit::Done, members);
    }
    Ok(())
}

/// Signs documents without their repository.
fn alone(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let failed = |error: RepositoryError| failure(&error);
    let documents = args.alone.iter().map(|file| LoneDocument::open(file)).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let signers = args.signers.open()?;
    output.note("about to be signed:");
    for one in &documents {
        output.note(&format!("  {}: {} version {}, expires {}, {}", one.file.display(), one.kind, one.version, one.expires, one.digest));
        status::changes(&one.says).iter().for_each(|said| output.note(&format!("    {said}")));
    }
    documents.iter().try_for_each(|one| one.assert_expected(args.expected())).map_err(failed)?;
    for one in &documents {
        let signed = one.sign(&signers, args.expected()).map_err(failed)?;
        output.line(&one.file.display().to_string());
        for key in &signed.already {
            output.note(&format!("{}: key {} has signed it already", one.file.display(), key.key_id()));
        }
        let mut members = Object::new();
        members.insert("file", Value::from(one.file.display().to_string()));
        members.insert("type", Value::from(one.kind));
        members.insert("version", one.version);
        members.insert("expires", Value::from(one.expires.to_string()));
        members.insert("digest", Value::from(one.digest.to_string()));
        members.insert("changes", strings(&status::changes(&one.says)));
        members.insert("signed_by", key_ids(&signed.signed_by));
        members.insert("already", key_ids(&signed.already));
        output.result(Exit::Done, members);
    }
    output.note("send it back; there `touchmark trust sign --from FILE` takes the signature over");
    Ok(())
}

fn key_ids(keys: &[PublicKey]) -> Value<'static> {
    Value::Array(keys.iter().map(|key| Value::from(key.key_id().to_string())).collect())
}

fn line(role: &str, version: Option<u64>, missing: u64) -> String {
    let version = version.map(|version| format!(" version {version}")).unwrap_or_default();
    match missing {
        0 => format!("{role}{version}: has all signatures"),
        1 => format!("{role}{version}: needs 1 more signature"),
        more => format!("{role}{version}: needs {more} more signatures"),
    }
}
