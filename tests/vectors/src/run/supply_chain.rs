//! in-toto layouts, with links in a folder.

use std::fs;
use std::path::Path;

use touchmark_envelope::key::PublicKey;
use touchmark_envelope::threshold::KeySet;
use touchmark_in_toto::{Answer, Failure, Names, Need, Parameters, Settings, Verification};

use super::Outcome;
use super::decision::time;
use super::documents::read_key;
use super::status::Refused;
use crate::index::{Case, Found};

pub(super) fn supply_chain(case: &Case<'_>) -> Found<Outcome> {
    case.only(&["layout", "keys", "links", "parameters", "at"])?;
    let (layout, keys, links) = (case.input("layout")?, case.inputs("keys")?, case.folder().join(case.text("links")?));
    let (parameters, at) = (case.pairs("parameters")?, case.integer("at")?);
    Ok((|| {
        let keys: Result<Vec<PublicKey>, _> = keys.iter().map(|key| read_key(key)).collect();
        let mut settings = Settings::default();
        let mut given = Parameters::new();
        for (name, value) in parameters {
            given.insert(&name, &value).map_err(|_| Refused::new("INVALID_ARGUMENT"))?;
        }
        settings.parameters = given;
        let mut verification = Verification::new(layout, &KeySet::new(keys?), settings, time(at)?);
        while let Some(need) = verification.need() {
            let answer = answer(need, &links);
            verification.answer(answer);
        }
        verification.finish()?;
        Ok(Vec::new())
    })())
}

fn answer(need: &Need, links: &Path) -> Answer {
    match need {
        Need::File { path, .. } => match fs::read(links.join(path)) {
            Ok(bytes) => Answer::Bytes(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Answer::Absent,
            Err(error) => Answer::Failed(Failure::Unavailable(error.to_string())),
        },
        Need::Names { folder, step, .. } => names(&links.join(folder), step),
        _ => Answer::Absent,
    }
}

/// The files of a folder that may be links of a step.
fn names(folder: &Path, step: &str) -> Answer {
    let Ok(entries) = fs::read_dir(folder) else { return Answer::Absent };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let is_link = |name: &String| {
        let keyid = name.strip_prefix(step).and_then(|name| name.strip_prefix('.')?.strip_suffix(".link"));
        keyid.is_some_and(|keyid| keyid.len() == 8 && keyid.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')))
    };
    let mut names: Vec<String> = names.filter(is_link).collect();
    names.sort();
    Answer::Names(Names { names, is_complete: true })
}
