//! Snapshots and timestamps that wait for signatures of several people: only such are signed as a publish makes.
//!
//! They list what clients get, so that a signature on another one could serve old or foreign files. Whoever signs has both sides before
//! them, what is published and what is staged, from which all but the time follows: it is made again and compared.

use std::collections::BTreeMap;

use touchmark_envelope::UnixTime;
use touchmark_tuf::RoleName;
use touchmark_tuf::repository::{self as edit, Document, Listed, Mandate};

use super::sign::{mandates, welcome};
use super::state::State;
use super::{Repository, RepositoryError};

/// So far may the clocks of two people be from each other, in seconds.
const CLOCKS: i64 = 86_400;

impl Repository {
    /// Asserts that a staged snapshot or timestamp is what a publish makes: the published one, with staged documents listed in place of
    /// published ones, and a life no longer than usual. Other roles are what people make of them.
    pub(super) fn assert_made(&self, state: &mut State, name: &str, now: UnixTime) -> Result<(), RepositoryError> {
        if !matches!(name, "snapshot" | "timestamp") {
            return Ok(());
        }
        let not = |reason| RepositoryError::NotMade { role: name.to_owned(), reason };
        let Some(mut staged) = state.staged(name)?.cloned() else { return Ok(()) };
        let expires = staged.expires()?;
        if self.expires(name, now)?.plus(CLOCKS).is_some_and(|latest| expires > latest) {
            return Err(not("it lives longer than the settings say"));
        }
        let made = if name == "snapshot" { snapshot(state, &mut staged)? } else { timestamp(state, &staged)? };
        let Some(mut made) = made else { return Err(not("it lists what is neither published nor staged")) };
        made.set_version(state.next_version(name)?)?;
        made.set_expires(expires)?;
        if made.says_the_same_as(&staged) { Ok(()) } else { Err(not("it lists what is neither published nor staged, or says more")) }
    }
}

/// The snapshot that lists the staged roles of which `staged` lists the version. Others may be waiting for signatures.
fn snapshot(state: &mut State, staged: &mut Document) -> Result<Option<Document>, RepositoryError> {
    let entries = edit::snapshot_entries(staged)?;
    let mut listed = BTreeMap::new();
    for name in state.staged_names()? {
        let role = match name.as_str() {
            "root" | "snapshot" | "timestamp" => continue,
            "targets" => RoleName::targets(),
            other => match RoleName::delegated(other) {
                Some(role) => role,
                None => continue,
            },
        };
        let Some(document) = state.staged(&name)? else { continue };
        let Some(entry) = entries.get(&role.metapath()) else { continue };
        if entry.version != document.version()? {
            continue;
        }
        let mut now = listed_of(document)?;
        if entry.hashes != [now.sha256] {
            // A publish drops signatures that count for nothing.
            let mut tidy = document.clone();
            let all: Vec<Mandate> = mandates(state, &name)?.into_iter().chain(welcome(state, &name)?).collect();
            edit::tidy_signatures(&mut tidy, &all.iter().collect::<Vec<_>>())?;
            now = listed_of(&tidy)?;
        }
        listed.insert(role, now);
    }
    Ok(match state.published("snapshot")? {
        None if listed.is_empty() => None,
        None => Some(edit::new_snapshot(&listed, staged.expires()?)?),
        Some(published) => {
            let mut made = published.clone();
            edit::list_in_snapshot(&mut made, &listed)?;
            Some(made)
        }
    })
}

/// The timestamp that lists the snapshot of which `staged` lists the version: the staged one, or the published one.
fn timestamp(state: &mut State, staged: &Document) -> Result<Option<Document>, RepositoryError> {
    let version = edit::timestamp_entry(staged)?.map(|entry| entry.version);
    let snapshot = match state.staged("snapshot")? {
        Some(snapshot) if version == Some(snapshot.version()?) => Some(listed_of(snapshot)?),
        _ => None,
    };
    Ok(match (state.published("timestamp")?, snapshot) {
        (None, None) => None,
        (None, Some(snapshot)) => Some(edit::new_timestamp(&snapshot, staged.expires()?)?),
        (Some(published), snapshot) => {
            let mut made = published.clone();
            if let Some(snapshot) = snapshot {
                edit::list_in_timestamp(&mut made, &snapshot)?;
            }
            Some(made)
        }
    })
}

/// What is listed of a staged document, with the signatures that it has.
fn listed_of(document: &Document) -> Result<Listed, RepositoryError> {
    Ok(match document.opened() {
        Some(bytes) => Listed::of(document, bytes)?,
        None => Listed::of(document, &document.to_bytes())?,
    })
}
