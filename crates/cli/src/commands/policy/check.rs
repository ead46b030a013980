//! `touchmark policy check`: whether a policy is one, and what in it is probably not meant.

use std::path::{Path, PathBuf};

use touchmark::trust::rules::{MAX_BYTES, Origin, PolicyDocument, RuleError};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use super::materials;
use crate::places;

/// Checks a policy, and the keys, roots and in-toto layouts that it names
///
/// A policy that is malformed, or names what is not there, fails. Warnings are about what is probably not meant: a rule through which a tag
/// could be set to another artifact, one that is never reached, a name without rollback protection. No artifact is looked at.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The policy; - is standard input
    #[arg(value_name = "FILE")]
    policy: PathBuf,
    /// Reads it as a trust repository signs it, as the target `_touchmark/policy.json`
    #[arg(long)]
    signed: bool,
    /// Fails if there are warnings
    #[arg(long)]
    strict: bool,
}

/// Something that the author of a policy should look at.
pub(super) struct Found {
    pub(super) level: Level,
    /// The JSON pointer of its place.
    pub(super) at: String,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// The policy is valid, and this probably not meant.
    Warning,
    /// No artifact can be verified by this part of it.
    Error,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

impl Found {
    pub(super) fn describe(&self) -> Value<'static> {
        let mut object = Object::new();
        object.insert("level", self.level.word());
        object.insert("at", self.at.clone());
        object.insert("code", self.code.clone());
        object.insert("message", self.message.clone());
        if let Some(hint) = &self.hint {
            object.insert("hint", hint.clone());
        }
        object.into()
    }

    fn say(&self, output: &mut Output<'_>) {
        let mut text = if self.at.is_empty() { self.message.clone() } else { format!("{}: {}", self.at, self.message) };
        if let Some(hint) = &self.hint {
            text = format!("{text} (try: {hint})");
        }
        match self.level {
            Level::Warning => output.warn(&text),
            Level::Error => output.reason(&text),
        }
    }
}

/// Says what is found; errors make it fail, and with `--strict` warnings.
pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let shown = args.policy.display().to_string();
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    let bytes = places::read_file(&args.policy, "the policy", limit)?;
    let origin = if args.signed { Origin::Signed } else { Origin::Local };
    let document = PolicyDocument::parse(&bytes, origin).map_err(|error| malformed(&shown, &error))?;
    let found = findings(&document, &bytes, &args.policy);
    for one in &found {
        one.say(output);
    }
    let rules = document.rules().len();
    let count = |level| found.iter().filter(|one| one.level == level).count();
    let (errors, warnings) = (count(Level::Error), count(Level::Warning));
    let mut members = Object::new();
    members.insert("policy", shown.clone());
    members.insert("rules", u64::try_from(rules).unwrap_or(u64::MAX));
    members.insert("findings", Value::Array(found.iter().map(Found::describe).collect()));
    match (errors, warnings) {
        (0, warnings) if warnings == 0 || !args.strict => {
            let warned = if warnings == 0 { String::new() } else { format!(", {}", counted(warnings, "warning")) };
            output.line(&format!("{shown}: {}{warned}", counted(rules, "rule")));
            output.result(Exit::Done, members);
        }
        (0, warnings) => {
            let failure = Failure::new(Exit::NotVerified, "policy-weak", format!("{} in the policy", counted(warnings, "warning")));
            output.fail_with(Some(&shown), &failure, members);
        }
        (errors, _) => {
            let failure = Failure::new(Exit::Usage, "policy-unusable", format!("{} in the policy", counted(errors, "error")));
            output.fail_with(Some(&shown), &failure, members);
        }
    }
    Ok(())
}

/// All that is found, in the order of the document's checks.
pub(super) fn findings(document: &PolicyDocument, bytes: &[u8], file: &Path) -> Vec<Found> {
    let weak = document.check().into_iter().map(|finding| Found {
        level: Level::Warning,
        code: finding.weakness.code().to_owned(),
        message: finding.weakness.to_string(),
        hint: Some(finding.weakness.hint().to_owned()),
        at: finding.at,
    });
    weak.chain(materials::findings(document, bytes, file)).collect()
}

/// What a document that is no policy ends the command with.
pub(super) fn malformed(shown: &str, error: &RuleError) -> Failure {
    let failure = Failure::new(Exit::Usage, error.code(), format!("{shown}: {error}"));
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
