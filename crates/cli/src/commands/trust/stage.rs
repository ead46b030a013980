//! `touchmark trust renew` and `discard`: what is staged without a change of its own.

use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use super::{Here, failure, staged, strings};

/// Stages the next version of a role, which says the same and expires later
///
/// Of several roles, all are staged or none.
#[derive(Debug, clap::Args)]
pub(crate) struct Renew {
    /// The role: root, targets or a delegated one
    #[arg(required = true, value_name = "ROLE")]
    roles: Vec<String>,
}

/// Stages it.
pub(super) fn renew(here: &Here<'_>, args: &Renew, output: &mut Output<'_>) -> Result<(), Failure> {
    here.open()?.renew(&args.roles, here.now).map_err(|error| failure(&error))?;
    staged(here, &args.roles, output)
}

/// Gives up what is staged of a role, with its signatures
///
/// Whatever is in the file, be it no document at all. Of several roles, all are given up or none.
#[derive(Debug, clap::Args)]
pub(crate) struct Discard {
    /// The role
    #[arg(required = true, value_name = "ROLE")]
    roles: Vec<String>,
}

/// Gives it up.
pub(super) fn discard(here: &Here<'_>, args: &Discard, output: &mut Output<'_>) -> Result<(), Failure> {
    here.open()?.discard(&args.roles).map_err(|error| failure(&error))?;
    for role in &args.roles {
        output.line(role);
        output.note(&format!("what was staged of {role} is gone"));
    }
    let mut members = Object::new();
    members.insert("dir", Value::from(here.args.dir.display().to_string()));
    members.insert("staged", Value::Array(Vec::new()));
    members.insert("discarded", strings(&args.roles));
    output.result(Exit::Done, members);
    Ok(())
}
