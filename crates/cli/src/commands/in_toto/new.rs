//! `touchmark in-toto new`: a layout to begin with.

use std::ffi::OsString;
use std::path::PathBuf;

use touchmark::UnixTime;
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use crate::files;

use super::{now, public_keys};

/// A layout expires so many seconds after it is made, unless told otherwise: 180 days.
const LIFETIME: i64 = 180 * 24 * 60 * 60;

/// Writes an in-toto layout to begin with, with comments
///
/// `touchmark in-toto sign` takes it as it is: comments are lines that begin with //. Prints the layout, or its file.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The public key of somebody who does steps; may be repeated
    #[arg(long = "functionary", value_name = "PUB")]
    functionaries: Vec<OsString>,
    /// When the layout expires (RFC 3339): in 180 days unless given
    #[arg(long, value_name = "TIME", value_parser = UnixTime::parse_rfc3339)]
    expires: Option<UnixTime>,
    /// The file that is written, a new one; otherwise standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes it.
pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let keys = public_keys(&args.functionaries)?;
    let expires = match args.expires {
        Some(expires) => Some(expires),
        None => now(None)?.plus(LIFETIME),
    };
    let expires = expires.ok_or_else(|| Failure::new(Exit::Unknown, "no-clock", "the clock is at the end of time"))?;
    let malformed = |error: touchmark::envelope::canonical::Error| Failure::new(Exit::Unknown, error.code(), error.to_string());
    let text = touchmark::in_toto::template(&keys, expires).map_err(malformed)?;
    let mut members = Object::new();
    match &args.out {
        Some(out) => {
            files::write(out, text.as_bytes(), None)?;
            output.line(&out.display().to_string());
            members.insert("file", Value::from(out.display().to_string()));
        }
        None => {
            output.raw(text.as_bytes());
            members.insert("file", Value::Null);
        }
    }
    if keys.is_empty() {
        output.note("it has no keys: --functionary PUB puts them in");
    }
    members.insert("text", Value::from(text));
    output.result(Exit::Done, members);
    Ok(())
}
