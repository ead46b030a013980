//! What a repository's maintainers chose: how long the documents of each role live.

use std::path::Path;

use touchmark_envelope::json::{self, Value};
use touchmark_oci::files;
use touchmark_tuf::repository::Lifetime;

use super::RepositoryError;

/// The file of the settings, in the repository's folder and not in what is published.
pub(super) const FILE: &str = "settings.json";

/// The version of the file's form.
const VERSION: u64 = 1;

const MAX_BYTES: u64 = 64 << 10;

/// How long documents live. No key, and no name of one, is kept here: the root says which there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Roots.
    pub root: Lifetime,
    /// The top-level targets.
    pub targets: Lifetime,
    /// Snapshots.
    pub snapshot: Lifetime,
    /// Timestamps: how long a client that is kept from the repository goes on with what it has.
    pub timestamp: Lifetime,
    /// Delegated roles.
    pub delegated: Lifetime,
}

impl Default for Lifetimes {
    /// A year for what people sign by hand, 30 days for snapshots, 7 days for timestamps.
    fn default() -> Self {
        const fn days(days: u64) -> Lifetime {
            match Lifetime::days(days) {
                Some(lifetime) => lifetime,
                None => Lifetime::DAY,
            }
        }
        Self { root: days(365), targets: days(365), snapshot: days(30), timestamp: days(7), delegated: days(365) }
    }
}

impl Lifetimes {
    /// How long documents of this role live.
    pub fn of(&self, role: &str) -> Lifetime {
        match role {
            "root" => self.root,
            "targets" => self.targets,
            "snapshot" => self.snapshot,
            "timestamp" => self.timestamp,
            _ => self.delegated,
        }
    }

    pub(super) fn read(folder: &Path) -> Result<Option<Self>, RepositoryError> {
        let file = folder.join(FILE);
        let Some(bytes) = files::read(&file, MAX_BYTES)? else { return Ok(None) };
        let failed = |reason: String| RepositoryError::Settings { file: file.clone(), reason };
        let value = json::parse(&bytes, bytes.len()).map_err(|error| failed(error.to_string()))?;
        if value.get("version").and_then(Value::as_u64) != Some(VERSION) {
            return Err(failed(format!("these are not settings of version {VERSION}, which is the one that is known")));
        }
        let lifetime = |name: &str| {
            let seconds = value.get("lifetimes").and_then(|lifetimes| lifetimes.get(name)).and_then(Value::as_u64);
            seconds.and_then(Lifetime::seconds).ok_or_else(|| failed(format!("`lifetimes.{name}` is no number of seconds")))
        };
        Ok(Some(Self {
            root: lifetime("root")?,
            targets: lifetime("targets")?,
            snapshot: lifetime("snapshot")?,
            timestamp: lifetime("timestamp")?,
            delegated: lifetime("delegated")?,
        }))
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), RepositoryError> {
        let lifetimes = ["root", "targets", "snapshot", "timestamp", "delegated"].map(|role| (role, self.of(role).as_seconds()));
        let mut text = Value::object([("version", Value::from(VERSION)), ("lifetimes", Value::object(lifetimes))]).to_pretty();
        text.push(b'\n');
        Ok(files::write(&folder.join(FILE), &text)?)
    }
}
