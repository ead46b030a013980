//! `touchmark repair`: lists of referrers that say what is there.

use touchmark::oci::source::{Finding, RepairReport};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use crate::access::{AccessArgs, AnchorArgs};
use crate::places::{self, Target};

/// Rebuilds the lists of signatures from what is found
///
/// Reports what is listed and missing, and what is there and unlisted.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The repository or OCI layout, or one artifact in it
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// Says what would be done, and changes nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) anchors: AnchorArgs,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// Repairs, and prints a line for each change.
pub(crate) fn run(args: &Args, output: &mut Output<'_>) {
    match repair(args) {
        Ok(report) => tell(args, &report, output),
        Err(failure) => output.fail(Some(&args.reference), &failure),
    }
}

fn repair(args: &Args) -> Result<RepairReport, Failure> {
    let reference = places::reference(&args.reference)?;
    let access = args.anchors.put_into(args.access.access([&reference], 0)?);
    let target = Target::existing(&reference, &access)?;
    let subject = match (reference.tag(), reference.digest()) {
        (None, None) => None,
        _ => Some(places::resolve(target.store(), &reference)?.digest),
    };
    let report = target.store().repair(args.dry_run, subject.as_ref()).map_err(|error| Failure::from(&error))?;
    if !args.dry_run {
        target.commit()?;
    }
    Ok(report)
}

fn tell(args: &Args, report: &RepairReport, output: &mut Output<'_>) {
    let done = |doing: &'static str, would: &'static str| if report.dry_run { would } else { doing };
    for (subject, referrer) in &report.listed {
        output.line(&format!("{} {} of {subject}", done("listed", "would list"), referrer.digest));
    }
    for removed in &report.removed {
        output.line(&format!("{} {removed}, which is not there", done("unlisted", "would unlist")));
    }
    for finding in &report.findings {
        output.note(&sentence(finding));
    }
    if report.is_clean() {
        output.note("nothing to repair");
    }
    let mut members = Object::new();
    members.insert("reference", Value::from(args.reference.clone()));
    members.insert("dry_run", Value::from(report.dry_run));
    members.insert("complete", Value::from(report.complete));
    let listed = report.listed.iter().map(|(subject, referrer)| {
        Value::object([("subject", Value::from(subject.to_string())), ("referrer", Value::from(referrer.digest.to_string()))])
    });
    members.insert("listed", Value::Array(listed.collect()));
    members.insert("removed", Value::Array(report.removed.iter().map(|digest| Value::from(digest.to_string())).collect()));
    members.insert("findings", findings(&report.findings));
    if report.complete {
        output.result(Exit::Done, members);
    } else {
        let failure = Failure::new(Exit::Unknown, "incomplete", "not everything could be looked at or written; the rest is repaired");
        output.fail_with(None, &failure, members);
    }
}

/// A finding for people.
pub(crate) fn sentence(finding: &Finding) -> String {
    match &finding.digest {
        Some(digest) => format!("{}: {digest}: {}", finding.kind.code(), finding.detail),
        None => format!("{}: {}", finding.kind.code(), finding.detail),
    }
}

/// Findings in JSON output.
pub(crate) fn findings(findings: &[Finding]) -> Value<'static> {
    let listed = findings.iter().map(|finding| {
        Value::object([
            ("kind", Value::from(finding.kind.code())),
            ("digest", finding.digest.map_or(Value::Null, |digest| Value::from(digest.to_string()))),
            ("detail", Value::from(finding.detail.clone())),
        ])
    });
    Value::Array(listed.collect())
}
