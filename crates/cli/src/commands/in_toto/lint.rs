//! `touchmark in-toto lint`: what a layout's author should look at.

use std::path::PathBuf;

use touchmark::UnixTime;
use touchmark::in_toto::lint::{Finding, lint};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use super::{now, source};

/// Looks for mistakes in an in-toto layout, signed or not
///
/// Errors cannot be meant: rules that can do nothing, a threshold that is never reached, an expiry that has passed. Warnings may be: lists
/// without a final DISALLOW *, steps that one person decides, an expiry far away, patterns that other implementations read differently,
/// commands that they run. Prints each finding. No signature is checked.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The in-toto layout; - is standard input
    #[arg(value_name = "FILE")]
    layout: PathBuf,
    /// Judges expiry as of this time (RFC 3339) instead of now
    #[arg(long, value_name = "TIME", value_parser = UnixTime::parse_rfc3339)]
    at: Option<UnixTime>,
}

/// Prints what is found; errors make it fail.
pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let file = source::read(&args.layout)?;
    let findings = lint(file.layout(), now(args.at)?);
    for finding in &findings {
        output.line(&format!("{} {}: {finding}", level(finding), finding.code()));
    }
    let mut members = Object::new();
    members.insert("layout", Value::from(args.layout.display().to_string()));
    members.insert("findings", Value::Array(findings.iter().map(describe).collect()));
    match findings.iter().filter(|finding| level(finding) == ERROR).count() {
        0 => output.result(Exit::Done, members),
        errors => {
            let what = if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") };
            let failure = Failure::new(Exit::NotVerified, "in-toto-lint", format!("{what} in the in-toto layout"));
            output.fail_with(Some(&args.layout.display().to_string()), &failure, members);
        }
    }
    Ok(())
}

/// The level of what cannot be meant.
const ERROR: &str = "error";

/// How bad a finding is. One of a kind that is not known here may be meant.
fn level(finding: &Finding) -> &'static str {
    match finding {
        Finding::Expired { .. } | Finding::Unreachable { .. } | Finding::Idle { .. } | Finding::NoRoot { .. } => ERROR,
        _ => "warning",
    }
}

fn describe(finding: &Finding) -> Value<'static> {
    Value::object([
        ("level", Value::from(level(finding))),
        ("code", Value::from(finding.code())),
        ("message", Value::from(finding.to_string())),
    ])
}
