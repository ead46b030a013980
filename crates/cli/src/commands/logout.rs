//! `touchmark logout`: forgets the credentials for a registry.

use std::path::PathBuf;

use touchmark::oci::{Access, credentials};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use super::login;

/// Forgets the credentials for a registry, where `login` keeps them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The registry, such as `ghcr.io` or `localhost:5000`
    #[arg(value_name = "HOST[:PORT]")]
    pub(crate) host: String,
    /// The file with credentials, in place of the one that is looked for
    #[arg(long, value_name = "FILE")]
    pub(crate) registry_config: Option<PathBuf>,
}

/// Logs out, and says what remains.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    if let Err(failure) = logout(args, output) {
        output.fail(None, &failure);
    }
}

fn logout(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let host = login::host(&args.host)?;
    let access = Access { registry_config: args.registry_config.clone(), ..Access::default() };
    let forgotten = credentials::erase(&host, &access).map_err(|error| Failure::from(&error))?;
    for keeper in &forgotten.keepers {
        output.note(&format!("{host}: logged out; {keeper} has no credentials for it any more"));
    }
    if forgotten.keepers.is_empty() {
        output.note(&format!("{host}: no credentials were kept"));
    }
    if let Some(place) = &forgotten.remaining {
        output.warn(&format!("{place} still has credentials for {host}"));
    }
    let mut members = Object::new();
    members.insert("registry", host);
    members.insert("removed_from", forgotten.keepers.iter().map(|keeper| Value::from(keeper.to_string())).collect::<Vec<_>>());
    members.insert("remaining", forgotten.remaining.map_or(Value::Null, Value::from));
    output.result(Exit::Done, members);
    Ok(())
}
