//! `touchmark trust sign`: one person's signatures on what is staged.

use std::path::PathBuf;

use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use super::keys::MaybeSigners;
use super::{Here, failure, status, strings};

/// Signs what is staged, or takes over signatures that were made elsewhere
///
/// Signs every staged document that a key signs for, or that of one role. A copy of the folder, or of a file of DIR/staged, can be signed on
/// any machine; --from takes its signatures over. Prints each role, its version and how many signatures it still needs.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Signs only this role
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// A signed copy of a staged document, or of the folder; may be repeated
    #[arg(long, value_name = "FILE", required_unless_present = "keys")]
    from: Vec<PathBuf>,
    #[command(flatten)]
    signers: MaybeSigners,
}

/// Takes signatures over, then signs.
pub(super) fn run(here: &Here<'_>, args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
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
    for signed in repository.sign(&signers, args.role.as_deref(), here.now).map_err(|error| failure(&error))? {
        output.line(&line(&signed.role, Some(signed.version), signed.missing));
        let changes = status::changes(&signed.changes);
        changes.iter().for_each(|change| output.note(&format!("  {change}")));
        for key in &signed.already {
            output.note(&format!("{}: key {} has signed it already", signed.role, key.key_id()));
        }
        let ids = |keys: &[touchmark::envelope::key::PublicKey]| {
            Value::Array(keys.iter().map(|key| Value::from(key.key_id().to_string())).collect())
        };
        let mut members = Object::new();
        members.insert("version", signed.version);
        members.insert("changes", strings(&changes));
        members.insert("signed_by", ids(&signed.signed_by));
        members.insert("already", ids(&signed.already));
        members.insert("missing", signed.missing);
        members.insert("role", Value::from(signed.role));
        output.result(Exit::Done, members);
    }
    Ok(())
}

fn line(role: &str, version: Option<u64>, missing: u64) -> String {
    let version = version.map(|version| format!(" version {version}")).unwrap_or_default();
    match missing {
        0 => format!("{role}{version}: has all signatures"),
        1 => format!("{role}{version}: needs 1 more signature"),
        more => format!("{role}{version}: needs {more} more signatures"),
    }
}
