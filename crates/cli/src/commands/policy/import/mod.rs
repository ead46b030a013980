//! `touchmark policy import`: a policy from another tool's, which accepts nothing that the other does not.

mod containers;
mod identity;
mod keys;
#[cfg(test)]
mod model;
mod notation;
mod scope;

use std::path::PathBuf;

use touchmark::envelope::json;
use touchmark::trust::rules::{Origin, PolicyDocument};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use self::keys::NamedKey;
use crate::{files, places};

/// Bytes of a file that is read.
const MAX_BYTES: u64 = 4 << 20;
/// JSON values of it.
const MAX_VALUES: usize = 1 << 17;

/// Makes a policy from that of another tool
///
/// `notation` reads notation's trustpolicy.json, `containers` the policy.json of podman, skopeo and others. The policy accepts nothing that the
/// other one would not: what cannot be carried over is rejected, and said, each with its place. Signatures are not carried over: artifacts
/// must be signed by touchmark, as the names that the policy expects. See what `policy check` says of the outcome.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The tool that the file is of
    #[arg(value_name = "notation|containers")]
    from: From,
    /// Its file; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where the policy is written, which must be a new file, instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The public key of those whose certificates a trust store of notation has, as ca:NAME=PUB; may be repeated
    #[arg(long = "key", value_name = "STORE=PUB", value_parser = NamedKey::parse)]
    keys: Vec<NamedKey>,
}

/// A tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum From {
    /// trustpolicy.json of notation
    Notation,
    /// policy.json of podman, skopeo, buildah and CRI-O
    Containers,
}

/// What could not be carried over: the JSON pointer of its place, and why.
#[derive(Debug)]
struct Lost {
    at: String,
    code: &'static str,
    why: String,
}

impl Lost {
    fn new(at: impl Into<String>, code: &'static str, why: impl Into<String>) -> Self {
        Self { at: at.into(), code, why: why.into() }
    }

    fn describe(&self) -> Value<'static> {
        Value::object([("at", self.at.clone()), ("code", self.code.to_owned()), ("message", self.why.clone())])
    }
}

/// What came of a file.
#[derive(Debug, Default)]
struct Imported {
    /// The rules, as they are written.
    rules: Vec<Value<'static>>,
    lost: Vec<Lost>,
}

/// Prints the policy, and says what could not be carried over.
pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let shown = args.file.display().to_string();
    if args.from == From::Containers && !args.keys.is_empty() {
        return Err(Failure::usage("--key is for trust stores of notation: a policy.json names its keys itself"));
    }
    if let Some(path) = &args.output {
        files::check_free(path, None)?;
    }
    let bytes = places::read_file(&args.file, "the file", MAX_BYTES)?;
    let no = |why: String| Failure::new(Exit::Usage, "import-malformed", format!("{shown}: {why}"));
    let value = json::parse_bounded(&bytes, bytes.len(), MAX_VALUES).map_err(|error| no(format!("is no JSON: {error}")))?;
    let imported = match args.from {
        From::Notation => notation::import(&value, &args.keys).map_err(no)?,
        From::Containers => containers::import(&value).map_err(no)?,
    };
    let rules = imported.rules.len();
    let policy = Value::object([("version", Value::from(1_u64)), ("rules", Value::from(imported.rules))]);
    let mut text = policy.to_pretty();
    text.push(b'\n');
    // Each rule was read alone; together there may be too many.
    PolicyDocument::parse(&text, Origin::Local).map_err(|error| Failure::new(Exit::Usage, error.code(), format!("{shown}: {error}")))?;
    for lost in &imported.lost {
        output.warn(&format!("not carried over: {}: {}", if lost.at.is_empty() { "the file" } else { &lost.at }, lost.why));
    }
    let mut members = Object::new();
    members.insert("from", shown);
    match &args.output {
        Some(path) => {
            files::write(path, &text, None)?;
            members.insert("output", path.display().to_string());
            output.line(&path.display().to_string());
        }
        None => output.raw(&text),
    }
    members.insert("rules", u64::try_from(rules).unwrap_or(u64::MAX));
    members.insert("policy", policy);
    members.insert("not_carried_over", Value::from(imported.lost.iter().map(Lost::describe).collect::<Vec<_>>()));
    output.result(Exit::Done, members);
    Ok(())
}

/// Whether `rules` are rules of a policy: what a file of another tool has may be outside of what they take.
fn are_rules(rules: &[Value<'static>]) -> Result<(), String> {
    let policy = Value::object([("version", Value::from(1_u64)), ("rules", Value::from(rules.to_vec()))]);
    PolicyDocument::parse(&policy.to_vec(), Origin::Local).map(|_| ()).map_err(|error| error.fault.to_string())
}

/// A step of a JSON pointer.
fn step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A rule of these members.
fn rule(members: impl IntoIterator<Item = (&'static str, Value<'static>)>) -> Value<'static> {
    Value::object(members)
}

/// One text, or a list of several.
fn texts(texts: &[String]) -> Value<'static> {
    match texts {
        [one] => Value::from(one.clone()),
        several => Value::from(several.iter().cloned().map(Value::from).collect::<Vec<_>>()),
    }
}
