//! The runner: every case through the Rust crates, and never through C.

use std::path::Path;

use touchmark_envelope::json::Value;

use crate::index::{self, Case, Found};

mod decision;
mod documents;
mod metadata;
mod policy;
pub mod status;
mod supply_chain;

use status::Refused;

/// What came of all cases.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many were as they should be.
    pub passed: usize,
    /// A line for each that was not.
    pub failed: Vec<String>,
}

impl Report {
    /// Prints the line that every runner ends with.
    ///
    /// # Errors
    /// A case failed: what there is to say of all that did.
    pub fn report(&self, language: &str) -> Result<(), String> {
        println!("{language}: {} vectors passed, {} failed", self.passed, self.failed.len());
        if self.failed.is_empty() { Ok(()) } else { Err(self.failed.join("\n")) }
    }
}

/// What an operation came to: what it gives, by the names of `expect`, or the refusal.
pub(crate) type Outcome = Result<Vec<(&'static str, Said)>, Refused>;

/// Something that an operation gives.
pub(crate) enum Said {
    /// Bytes, which `expect` has as an input.
    Bytes(Vec<u8>),
    /// A value, which `expect` has as it is.
    Value(Value<'static>),
}

impl<T: Into<Value<'static>>> From<T> for Said {
    fn from(value: T) -> Self {
        Said::Value(value.into())
    }
}

/// Runs every case of the vectors in `folder`.
///
/// # Errors
/// The index cannot be read.
pub fn run(folder: &Path) -> Result<Report, String> {
    let text = index::read(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut report = Report::default();
    for case in index::cases(&text, folder)? {
        match one(&case) {
            Ok(()) => report.passed += 1,
            Err(error) => report.failed.push(format!("{}: {error}", case.id())),
        }
    }
    Ok(report)
}

/// Runs a case.
fn one(case: &Case<'_>) -> Found<()> {
    let operation = match case.text("operation")? {
        "canonical-json" => documents::canonical_json,
        "digest" => documents::digest,
        "name" => documents::name,
        "public-key" => documents::public_key,
        "signature" => documents::signature,
        "envelope" => documents::envelope,
        "verify" => decision::verify,
        "search" => decision::search,
        "layout" => decision::layout,
        "standing" => metadata::standing,
        "supply-chain" => supply_chain::supply_chain,
        // These expect something of each of their parts.
        "tuf" => return metadata::tuf(case),
        "policy-document" => return policy::policy_document(case),
        other => return Err(format!("unknown operation `{other}`")),
    };
    compare(&case.part("expect")?, operation(case)?)
}

/// Whether an outcome is the one that is expected.
pub(crate) fn compare(expect: &Case<'_>, outcome: Outcome) -> Found<()> {
    let wanted = expect.text("status")?;
    let (status, code, given) = match outcome {
        Ok(given) => ("OK", None, given),
        Err(refused) => (refused.status, refused.code, Vec::new()),
    };
    if status != wanted {
        return Err(format!("{status}{}, and not {wanted}", code.map(|code| format!(" ({code})")).unwrap_or_default()));
    }
    for (name, wanted) in expect.object().iter().filter(|(name, _)| *name != "status") {
        let found = match name {
            "code" => code.clone().map(Value::from),
            name => match given.iter().find(|(given, _)| *given == name) {
                Some((_, Said::Bytes(found))) if index::bytes(wanted, expect.folder())? == *found => Some(wanted.clone().into_owned()),
                Some((_, Said::Bytes(found))) => Some(Value::from(String::from_utf8_lossy(found).into_owned())),
                Some((_, Said::Value(found))) => Some(found.clone()),
                None => return Err(format!("unknown member `expect.{name}`")),
            },
        };
        if !found.as_ref().is_some_and(|found| same(found, wanted)) {
            let shown = found.map(|found| String::from_utf8_lossy(&found.to_vec()).into_owned()).unwrap_or_default();
            return Err(format!("`{name}` is {shown}"));
        }
    }
    Ok(())
}

/// Whether two values are the same, in whatever order the members of objects are.
fn same(one: &Value<'_>, other: &Value<'_>) -> bool {
    use touchmark_envelope::canonical::write_unrestricted as canonical;
    canonical(one).is_ok_and(|one| canonical(other).is_ok_and(|other| one == other))
}
