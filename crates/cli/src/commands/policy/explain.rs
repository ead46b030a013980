//! `touchmark policy explain`: which rule decides about a reference, and what it would demand.

use std::path::PathBuf;

use touchmark::envelope::name::Wanted;
use touchmark::policy::PolicyFile;
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use crate::places;

/// Says which rule decides about an artifact, and what it demands
///
/// Nothing is fetched: the artifact need not be there. Prints the policy file and the rule; the rules before it, and why they are not for it, go to
/// standard error. Where no rule is for it, the exit is 1.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The artifact, as it would be given to verify
    #[arg(value_name = "REF")]
    reference: String,
    /// The policy file; unless given, the one that verify takes
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The name that would be asked for
    #[arg(long, value_name = "NAME[:VERSION|:*]")]
    name: Option<Wanted>,
}

/// Explains.
pub(super) fn run(args: &Args, output: &mut Output<'_>) {
    if let Err((failure, members)) = explain(args, output) {
        output.fail_with(Some(&args.reference), &failure, members);
    }
}

fn explain(args: &Args, output: &mut Output<'_>) -> Result<(), (Failure, Object<'static>)> {
    let alone = |failure| (failure, Object::new());
    let reference = places::reference(&args.reference).map_err(alone)?;
    let file = match &args.policy {
        Some(path) => Some(PolicyFile::open(path)),
        None => PolicyFile::configured().transpose(),
    };
    let file = file.transpose().map_err(|error| alone(Failure::from(error)))?;
    let file = file.ok_or_else(|| alone(Failure::usage("there is no policy").hint("--policy FILE, or a file in $TOUCHMARK_POLICY")))?;
    file.notes().iter().for_each(|note| output.warn(note));
    let explanation = file.explain(&reference, args.name.as_ref());
    output.note(&format!("the policy is {}", file.path().display()));
    for passed in &explanation.passed_over {
        output.note(&format!("rule {} is not for it: {}", passed.rule, passed.why));
    }
    let mut members = Object::new();
    members.insert("explanation", Value::Object(explanation.to_json()));
    let matched = match &explanation.matched {
        Ok(matched) => matched,
        Err(error) => return Err((Failure::from(error), members)),
    };
    output.line(&format!("rule {} of {}: {}", matched.index + 1, file.path().display(), matched.pattern));
    explanation.lines().iter().for_each(|line| output.line(&format!("  {line}")));
    members.insert("reference", Value::from(args.reference.clone()));
    output.result(Exit::Done, members);
    Ok(())
}
