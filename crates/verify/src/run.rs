//! The run of `verify`: every reference in turn, and the outcome of all of them together.

use std::io::Write;

use touchmark::envelope::json::{self, Value};
use touchmark::envelope::key::PublicKey;
use touchmark::oci::access::Access;
use touchmark::oci::beside::Beside;
use touchmark::oci::error::Error as StoreError;
use touchmark::oci::reference::ReferenceError;
use touchmark::oci::source::Source;
use touchmark::trust::{Accepted, AcceptedBy, SupplyChain};
use touchmark::{Artifact, Reference};

use crate::check::{self, Check, Checked};
use crate::exit::Exit;
use crate::options::{Options, Print};
use crate::output::{Failure, Object, Output};

/// At most this many bytes of references are read from `--refs-from`.
const MAX_REFS_BYTES: u64 = 16 << 20;

/// How the place that a reference names is opened.
pub type Open<'a> = dyn Fn(&Reference, &Access) -> Result<Box<dyn Source>, StoreError> + 'a;

/// Verifies what `options` name, prints the answers, and gives the exit of all of them together.
pub fn run(options: &Options, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    run_with(options, &touchmark::open_with, out, err)
}

/// As [`run`], for a caller that watches what is read.
pub fn run_with(options: &Options, open: &Open<'_>, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let mut output = Output::new("verify", options.format, options.quiet, out, err);
    if let Err(failure) = verify_all(options, open, &mut output) {
        output.fail(None, &failure);
    }
    output.finish()
}

fn verify_all(options: &Options, open: &Open<'_>, output: &mut Output<'_>) -> Result<(), Failure> {
    options.check().map_err(crate::options::usage)?;
    let check = Check::new(&options.wants)?;
    let referrers_from = options.referrers_from.as_deref().map(|text| place("--referrers-from", text)).transpose()?;
    let references: Vec<(String, Result<Reference, ReferenceError>)> =
        references(options)?.into_iter().map(|text| (text.clone(), text.parse())).collect();
    let named = references.iter().filter_map(|(_, reference)| reference.as_ref().ok());
    options.access.check_hosts(named.chain(&referrers_from))?;
    let access = Access { max_manifest: options.wants.caps.manifest_size, ..options.access.access()? };
    let check = check.reaching(&access);
    for note in check.notes() {
        output.note(note);
    }
    let referrers = referrers_from.map(|place| open(&place, &access)).transpose().map_err(|error| Failure::from(&error))?;
    let mut places = Places { open, access, last: None };
    for (text, reference) in references {
        let checked = reference.map_err(|error| Failure::from(&StoreError::from(error)).into()).and_then(|reference| {
            check.foresee(&reference)?;
            let source = places.open(&reference)?;
            match &referrers {
                None => check.verify_in(source, &reference),
                Some(referrers) => check.verify_in(&Beside::new(source, referrers.as_ref()), &reference),
            }
        });
        match checked {
            Ok(checked) => accepted(options, &check, &text, &checked, output)?,
            Err(refused) => output.fail_with(Some(&text), &refused.failure, refused.members),
        }
    }
    for note in check.trust_notes() {
        output.note(&note);
    }
    Ok(())
}

/// The places of the artifacts. Of several in one repository, the connections and tokens of the first serve all.
struct Places<'a> {
    open: &'a Open<'a>,
    access: Access,
    last: Option<(Reference, Box<dyn Source>)>,
}

impl Places<'_> {
    fn open(&mut self, reference: &Reference) -> Result<&dyn Source, Failure> {
        let place = reference.place();
        let source = match self.last.take() {
            Some((last, source)) if last == place && last.repository().is_some() => source,
            _ => (self.open)(reference, &self.access).map_err(|error| Failure::from(&error))?,
        };
        Ok(self.last.insert((place, source)).1.as_ref())
    }
}

/// Reads a place that `option` names: a REF without tag and digest.
///
/// # Errors
/// Exit 2: it is none, or has a tag or a digest.
pub fn place(option: &str, text: &str) -> Result<Reference, Failure> {
    let reference: Reference = text.parse().map_err(|error: ReferenceError| Failure::from(&StoreError::from(error)))?;
    if reference.tag().is_some() || reference.digest().is_some() {
        let hint = reference.place().to_string();
        return Err(Failure::usage(format!("{option} {text}: it is a place, and has neither tag nor digest")).hint(hint));
    }
    Ok(reference)
}

/// REF... and then those of `--refs-from`.
fn references(options: &Options) -> Result<Vec<String>, Failure> {
    let mut references = options.references.clone();
    let Some(input) = &options.refs_from else { return Ok(references) };
    let bytes = check::read(input, "--refs-from", MAX_REFS_BYTES)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_REFS_BYTES) {
        return Err(Failure::usage(format!("--refs-from {input}: more than {MAX_REFS_BYTES} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| Failure::usage(format!("--refs-from {input}: not UTF-8")))?;
    references.extend(text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned));
    if references.is_empty() {
        return Err(Failure::usage(format!("--refs-from {input}: no reference in it")));
    }
    Ok(references)
}

fn accepted(options: &Options, check: &Check, text: &str, checked: &Checked, output: &mut Output<'_>) -> Result<(), Failure> {
    let artifact = checked.artifact.get();
    let pin = checked.pin.to_string();
    for statement in artifact.accepted() {
        output.note(&said(statement));
    }
    if let Some(role) = artifact.accepted_by().role() {
        output.note(&by_trust(artifact, role));
    }
    let signed = checked.signed.as_ref().and_then(|signed| signed.get().supply_chain());
    for chain in artifact.supply_chain().into_iter().chain(signed) {
        output.note(&by_layout(chain));
    }
    for line in checked.by.lines() {
        output.note(&line);
    }
    for note in remarks(options, artifact) {
        output.note(&format!("{pin}: {note}"));
    }
    let mut members = Object::new();
    members.insert("reference", text.to_owned());
    members.insert("pin", pin.clone());
    for (name, value) in checked.members().iter() {
        members.insert(name.to_owned(), value.clone());
    }
    match check.keys() {
        Some(keys) => members.insert("keys_given", u64::try_from(keys.len()).unwrap_or(u64::MAX)),
        None => members.insert("trust_notes", Value::from(check.trust_notes().into_iter().map(Value::from).collect::<Vec<_>>())),
    }
    match options.print {
        None => output.line(&pin),
        Some(print) => {
            let mut printed = Vec::new();
            for statement in artifact.accepted() {
                let value = printed_value(print, statement)?;
                let mut line = value.to_vec();
                line.push(b'\n');
                output.raw(&line);
                printed.push(value);
            }
            members.insert("printed", Value::from(printed));
        }
    }
    output.result(Exit::Done, members);
    Ok(())
}

/// One line about a statement that counted.
fn said(statement: &Accepted) -> String {
    let what = if statement.said().predicate_type == touchmark::envelope::signature::PREDICATE_TYPE {
        "signed".to_owned()
    } else {
        format!("attested {}", statement.said().predicate_type)
    };
    let name = statement.said().name.as_ref().map(|name| format!(" as {name}")).unwrap_or_default();
    let by: Vec<String> = statement.keys().iter().map(key).collect();
    let issued = statement.said().issued.map(|time| format!(", on {time} as it claims")).unwrap_or_default();
    let expires = statement.said().expires.map(|time| format!(", until {time}")).unwrap_or_default();
    format!("{what}{name} by {}{issued}{expires}", by.join(" and "))
}

/// One line about what trust metadata decided.
fn by_trust(artifact: &Artifact, role: &str) -> String {
    let name = artifact.wanted().map(ToString::to_string).unwrap_or_default();
    match artifact.accepted_by() {
        AcceptedBy::Entry { .. } => format!("listed as {name} by {role}"),
        AcceptedBy::Seal { .. } => format!("sealed as {name} by {role}; other artifacts may be too"),
        _ => format!("{role} owns {name}; other artifacts may be signed so too"),
    }
}

/// One line about the supply chain.
fn by_layout(chain: &SupplyChain) -> String {
    let steps: Vec<&str> = chain.report.steps.iter().map(|step| step.name.as_str()).collect();
    let by: Vec<String> = chain.report.signed_by.iter().map(key).collect();
    match steps.as_slice() {
        [] => format!("as the in-toto layout by {} says", by.join(" and ")),
        steps => format!("made by {}, as the in-toto layout by {} says", steps.join(" and "), by.join(" and ")),
    }
}

fn key(key: &PublicKey) -> String {
    format!("{} key {}", key.algorithm(), key.key_id())
}

/// What a reader should know about an acceptance.
fn remarks(options: &Options, artifact: &Artifact) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(index) = artifact.covered_by() {
        remarks.push(format!("covered by the signed index {}", index.digest));
    }
    if artifact.wanted().is_none() {
        let names: std::collections::BTreeSet<String> =
            artifact.accepted().iter().filter_map(|statement| statement.said().name.as_ref()).map(ToString::to_string).collect();
        remarks.push(match names.is_empty() {
            true => "signed without a name; name not checked".to_owned(),
            false => format!("signed as {}, name not checked", names.into_iter().collect::<Vec<_>>().join(" and ")),
        });
    }
    if options.wants.at.is_some() {
        remarks.push(format!("as of {}", artifact.at()));
    }
    if let Some(hashed) = artifact.hashed() {
        remarks.push(format!("{hashed} manifests and blobs below it hashed"));
    }
    remarks
}

fn printed_value(print: Print, statement: &Accepted) -> Result<Value<'static>, Failure> {
    // It was read once before it counted.
    let failed = |reason: String| Failure::new(Exit::Malformed, "malformed", reason);
    let value = json::parse(statement.statement(), statement.statement().len()).map_err(|error| failed(error.to_string()))?;
    Ok(match print {
        Print::Statement => value.into_owned(),
        Print::Predicate => value.get("predicate").cloned().unwrap_or(Value::Null).into_owned(),
    })
}
