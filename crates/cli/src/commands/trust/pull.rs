//! `touchmark trust pull`: what is published comes here, so that it can be changed here.

use std::path::PathBuf;

use touchmark::policy::TrustSource;
use touchmark::tuf::Settings;
use touchmark::tuf::repository::Repository;
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};
use touchmark_verify::root;

use super::{Here, failure, life, strings};
use crate::access::{AccessArgs, standard_inputs};
use crate::places;

/// Brings the folder up to what is published elsewhere, or makes one of it
///
/// So several people publish one repository, each from a folder of their own. What comes is verified from the root that is published in the
/// folder, or, of a new folder, from --root; what is older than what is here is refused. What is staged stays. Prints what is published now:
/// the versions of root and timestamp.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where it is published: a folder (./DIR), a URL, or the REF of an OCI artifact
    #[arg(value_name = "DIR|URL|REF")]
    from: String,
    /// The root that is trusted, of a new folder
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    #[command(flatten)]
    access: AccessArgs,
}

/// Pulls.
pub(super) fn run(here: &Here<'_>, args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let root = args.root.as_ref().map(|file| places::read_file(file, "--root", Settings::default().limits.root)).transpose()?;
    let source = root::trust_source(&args.from)?;
    let references = match &source {
        TrustSource::Artifact(reference) => vec![reference],
        TrustSource::Repository(_) => Vec::new(),
    };
    let access = args.access.access(references, standard_inputs([]))?;
    let dir = &here.args.dir;
    let pulled = source.with(&access, |fetch| Repository::pull(dir, fetch, root.as_deref(), here.now).map_err(|error| failure(&error)))?;
    output.line(&format!("root {}", pulled.root));
    output.line(&format!("timestamp {}", pulled.timestamp));
    match pulled.files {
        0 => output.note("this was here already"),
        files => output.note(&format!("{files} files are new here")),
    }
    if let Some(lifetimes) = pulled.lifetimes {
        let texts = life::texts(lifetimes).join(" ");
        output.note(&format!("how long documents live is not published; here it is {texts}: touchmark trust lifetime ROLE=TIME sets it"));
    }
    for role in &pulled.stale {
        let how = format!("touchmark trust discard {role}, then make the change again");
        output.warn(&format!("what is staged of {role} was made for an earlier state; {how}"));
    }
    let mut members = Object::new();
    members.insert("dir", Value::from(dir.display().to_string()));
    members.insert("root", pulled.root);
    members.insert("timestamp", pulled.timestamp);
    members.insert("new_files", places::number(pulled.files));
    if let Some(lifetimes) = pulled.lifetimes {
        members.insert("lifetimes", life::seconds(lifetimes));
    }
    members.insert("stale", strings(&pulled.stale));
    output.result(Exit::Done, members);
    Ok(())
}
