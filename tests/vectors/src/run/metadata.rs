//! The Update Framework, and what trust metadata says of names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use touchmark_envelope::Name;
use touchmark_envelope::json::Value;
use touchmark_trust::{AcceptedKind, Policy, Standing};
use touchmark_tuf::{Answer, Client, Failure, RoleName, Settings, Step, TargetPath};

use super::decision::{over_bytes, time};
use super::status::Refused;
use super::{Outcome, Said, compare};
use crate::index::{Case, Found};

pub(super) fn tuf(case: &Case<'_>) -> Found<()> {
    case.only(&["root", "updates"])?;
    let mut store = BTreeMap::from([("root.json".to_owned(), case.input("root")?)]);
    for (number, update) in (1..).zip(case.parts("updates")?) {
        update.only(&["repository", "at", "targets"])?;
        let within = |error| format!("update {number}: {error}");
        let repository = case.folder().join(update.text("repository")?);
        let at = match time(update.integer("at")?) {
            Ok(at) => at,
            Err(refused) => {
                compare(&update.part("expect")?, Err(refused)).map_err(within)?;
                continue;
            }
        };
        let mut client = Client::new(Settings::default(), at);
        let refreshed = drive(&mut client, &repository, &mut store);
        compare(&update.part("expect")?, refreshed.map(|()| vec![("versions", versions(&client))]).map_err(Into::into)).map_err(within)?;
        for target in update.parts("targets")? {
            target.only(&["path"])?;
            let path = target.text("path")?;
            let found = look_up(&mut client, path, &repository, &mut store);
            compare(&target.part("expect")?, found).map_err(|error| within(format!("{path}: {error}")))?;
        }
    }
    Ok(())
}

pub(super) fn standing(case: &Case<'_>) -> Found<Outcome> {
    case.only(&["root", "repository", "at", "name", "manifest", "envelopes", "accept_only", "by_role"])?;
    let mut store = BTreeMap::from([("root.json".to_owned(), case.input("root")?)]);
    let repository = case.folder().join(case.text("repository")?);
    let (manifest, envelopes, at) = (case.input("manifest")?, case.inputs("envelopes")?, case.integer("at")?);
    let kind = |code: &str| AcceptedKind::ALL.into_iter().find(|kind| kind.code() == code).ok_or(format!("unknown kind {code}"));
    let kinds = case.texts("accept_only")?.into_iter().map(kind).collect::<Result<Vec<_>, _>>()?;
    let name = case.text("name")?;
    Ok((|| {
        let name: Name = name.parse().map_err(|_| Refused::new("INVALID_NAME"))?;
        let mut client = Client::new(Settings::default(), time(at)?);
        drive(&mut client, &repository, &mut store)?;
        client.look_up(&TargetPath::from(&name))?;
        drive(&mut client, &repository, &mut store)?;
        let mut policy = Policy::trust(Standing::of(&mut client, &name)?);
        if case.object().contains("accept_only") {
            policy = policy.accept_only(kinds);
        }
        if let Some(role) = case.optional("by_role") {
            policy = policy.by_role(role);
        }
        over_bytes(policy, &manifest, envelopes, at)
    })())
}

/// Takes steps until there is none.
fn drive(client: &mut Client, repository: &Path, store: &mut BTreeMap<String, Vec<u8>>) -> Result<(), touchmark_tuf::Error> {
    loop {
        let answer = match client.step()? {
            Step::Done => return Ok(()),
            Step::Load { file, .. } => store.get(file).map_or(Answer::Absent, |bytes| Answer::Bytes(bytes.clone())),
            Step::Fetch { path, .. } => fetch(repository.join(path)),
            Step::Store { file, bytes } => {
                store.insert(file.to_owned(), bytes.to_vec());
                Answer::Done
            }
            Step::Remove { file } => {
                store.remove(file);
                Answer::Done
            }
            _ => Answer::Failed(Failure::Unavailable("it was not to be asked for".to_owned())),
        };
        client.answer(answer);
    }
}

fn fetch(path: PathBuf) -> Answer {
    match fs::read(&path) {
        Ok(bytes) => Answer::Bytes(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Answer::Absent,
        Err(error) => Answer::Failed(Failure::Unavailable(error.to_string())),
    }
}

fn look_up(client: &mut Client, path: &str, repository: &Path, store: &mut BTreeMap<String, Vec<u8>>) -> Outcome {
    let path = TargetPath::new(path).map_err(|_| Refused::new("INVALID_NAME"))?;
    client.look_up(&path)?;
    drive(client, repository, store)?;
    let found = client.found().and_then(|outcome| outcome.found).ok_or(Refused::new("NOT_FOUND"))?;
    let sha256 = found.target.hashes.iter().find(|digest| digest.algorithm().name() == "sha256");
    Ok(vec![
        ("length", Said::Value(found.target.length.into())),
        ("sha256", Said::Value(sha256.map_or(Value::Null, |digest| digest.hex().into()))),
        ("role", Said::Value(found.role.as_str().to_owned().into())),
    ])
}

/// What is trusted after an update.
fn versions(client: &Client) -> Said {
    let root = client.root().map(|document| document.get().header().version);
    let timestamp = client.timestamp().map(|document| document.get().header().version);
    let snapshot = client.snapshot().map(|document| document.get().header().version);
    let targets = client.role(&RoleName::targets()).map(|document| document.get().header().version);
    let all = [("root", root), ("timestamp", timestamp), ("snapshot", snapshot), ("targets", targets)];
    Said::Value(Value::object(all.into_iter().filter_map(|(role, version)| Some((role, Value::from(version?))))))
}
