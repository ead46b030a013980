//! `touchmark unpack`: the files of a verified artifact.

use std::path::PathBuf;

use touchmark::oci::unpack::{self, Existing};
use touchmark_verify::check::{Check, Refused};
use touchmark_verify::exit::Exit;
use touchmark_verify::options::Wants;
use touchmark_verify::output::{Object, Output, Value};

use crate::access::{AccessArgs, standard_inputs};
use crate::places;
use crate::wants::{WANTS, WantsArgs};

/// Verifies an artifact, then writes the files that it holds
///
/// The files are written whole or not at all.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The artifact
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// The folder that the files go to
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Writes the files without asking who signed them
    #[arg(long, conflicts_with_all = WANTS)]
    pub(crate) unverified: bool,
    #[command(flatten)]
    pub(crate) wants: WantsArgs,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// Verifies and unpacks, and prints the files.
pub(crate) fn run(args: Args, output: &mut Output<'_>) {
    let reference = args.reference.clone();
    if let Err(refused) = unpack(args, output) {
        output.fail_with(Some(&reference), &refused.failure, refused.members);
    }
}

fn unpack(args: Args, output: &mut Output<'_>) -> Result<(), Refused> {
    let reference = places::reference(&args.reference)?;
    let wants = Wants::from(args.wants);
    let access = args.access.access([&reference], standard_inputs(wants.keys.iter().chain(&wants.envelopes).chain(&wants.root)))?;
    let check = match args.unverified {
        true => None,
        false => Some(Check::new(&wants)?.reaching(&access)),
    };
    check.as_ref().map_or(Ok(()), |check| check.foresee(&reference))?;
    let source = places::source(&reference, &access)?;
    let (pin, verified) = match &check {
        None => (reference.pin(places::resolve(source.as_ref(), &reference)?.digest), None),
        Some(check) => {
            check.notes().iter().for_each(|note| output.note(note));
            let checked = check.verify_in(source.as_ref(), &reference);
            if let Ok(checked) = &checked {
                checked.by.lines().iter().for_each(|line| output.note(line));
            }
            check.trust_notes().iter().for_each(|note| output.note(note));
            let checked = checked?;
            (checked.pin.clone(), Some(checked))
        }
    };
    let digest = pin.digest().copied().ok_or_else(|| touchmark_verify::output::Failure::usage("the pin has no digest"))?;
    let unpacked = unpack::unpack(source.as_ref(), &digest, &args.out, Existing::Refuse);
    let unpacked = unpacked.map_err(|error| touchmark_verify::output::Failure::from(&error))?;
    let mut files = Vec::new();
    for file in &unpacked.files {
        let path = file.path.display().to_string();
        output.line(&path);
        files.push(Value::object([
            ("path", Value::from(path)),
            ("digest", Value::from(file.digest.to_string())),
            ("size", Value::from(file.size)),
        ]));
    }
    for digest in &unpacked.unnamed {
        output.note(&format!("{digest} has no file name and was passed over"));
    }
    let mut members = Object::new();
    members.insert("reference", Value::from(args.reference));
    members.insert("pin", Value::from(pin.to_string()));
    members.insert("verified", Value::from(verified.is_some()));
    members.insert("files", Value::Array(files));
    if let Some(verified) = verified {
        members.insert("verification", Value::Object(verified.members()));
    }
    output.result(Exit::Done, members);
    Ok(())
}
