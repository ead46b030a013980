//! How a repository stands: versions, expiries, who signed, who is still needed.

use touchmark_envelope::{Digest, UnixTime};
use touchmark_tuf::repository::{Age, Differences, Document, Mandate, Standing, differences};

use super::sign::{mandates, signed_digest};
use super::state::State;
use super::{Repository, RepositoryError};

/// How a repository stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Root, timestamp, snapshot, the top-level targets, then the delegated roles in the order of a search.
    pub roles: Vec<RoleReport>,
}

/// How a role stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleReport {
    /// The role.
    pub role: String,
    /// Its delegator; `None` of top-level roles.
    pub delegated_by: Option<String>,
    /// The document that clients get.
    pub published: Option<Side>,
    /// The document that is staged.
    pub staged: Option<Side>,
    /// Whether the staged document is for an earlier state, and of no use any more.
    pub stale: bool,
    /// What the staged document changes.
    pub changes: Differences,
}

/// A document of a role, published or staged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Its version.
    pub version: u64,
    /// When it expires.
    pub expires: UnixTime,
    /// The SHA-256 of what signatures are over: the canonical form of `signed`.
    pub digest: Digest,
    /// How it stands in its life.
    pub age: Age,
    /// Who signed it, of those who sign for the role as it is published or staged.
    pub standing: Standing,
    /// Of a staged root: who signed it of those who sign by the published one.
    pub by_published_root: Option<Standing>,
}

impl Side {
    /// How many signatures are missing.
    pub fn missing(&self) -> u64 {
        let before = self.by_published_root.as_ref().map_or(0, Standing::missing);
        self.standing.missing().max(before)
    }
}

impl Repository {
    /// How the repository stands now.
    ///
    /// # Errors
    /// A file cannot be read, or is no document.
    pub fn report(&self, now: UnixTime) -> Result<Report, RepositoryError> {
        let mut state = self.state()?;
        let mut before = state.without_staged()?;
        let mut names: Vec<(String, Option<String>)> =
            vec![("root".to_owned(), None), ("timestamp".to_owned(), None), ("snapshot".to_owned(), None)];
        names.extend(state.tree()?.into_iter().map(|role| (role.name, role.by)));
        let mut roles = Vec::with_capacity(names.len());
        for (role, delegated_by) in names {
            let published = match before.published(&role)?.cloned() {
                // What nobody delegates to any more has no signers.
                Some(document) => match before.mandate(&role) {
                    Ok(mandate) => Some(self.side(&role, &document, &[mandate], now)?),
                    Err(RepositoryError::NoSuchRole { .. }) => None,
                    Err(error) => return Err(error),
                },
                None => None,
            };
            let stale = matches!(state.fresh(&role), Err(RepositoryError::Stale { .. }));
            let staged = match state.staged(&role)?.cloned() {
                Some(document) => {
                    let mandates = mandates(&mut state, &role)?;
                    Some(self.side(&role, &document, &mandates, now)?)
                }
                None => None,
            };
            let changes = state.changes(&role)?;
            roles.push(RoleReport { role, delegated_by, published, staged, stale, changes });
        }
        Ok(Report { roles })
    }

    fn side(&self, role: &str, document: &Document, mandates: &[Mandate], now: UnixTime) -> Result<Side, RepositoryError> {
        let mut standings = mandates.iter().map(|mandate| mandate.standing(document));
        let standing = standings.next().ok_or_else(|| RepositoryError::NoSuchRole { role: role.to_owned() })??;
        let by_published_root = standings.next().transpose()?;
        let expires = document.expires()?;
        let age = self.lifetimes.of(role).age(expires, now);
        Ok(Side { version: document.version()?, expires, digest: signed_digest(document)?, age, standing, by_published_root })
    }
}

/// So many targets are named that a staged document changes; the others are counted.
pub(super) const NAMED_TARGETS: usize = 20;

impl State {
    /// What the staged document of a role changes of the published one.
    pub(super) fn changes(&mut self, name: &str) -> Result<Differences, RepositoryError> {
        if self.staged(name)?.is_none() {
            return Ok(Differences::default());
        }
        self.published(name)?;
        let (published, staged) = self.both(name);
        match staged {
            Some(staged) => Ok(differences(published, staged, NAMED_TARGETS)?),
            None => Ok(Differences::default()),
        }
    }

    /// Treats everything as if it were not staged, but for snapshot and timestamp.
    pub(super) fn ignore_staged_roles(&mut self) -> Result<(), RepositoryError> {
        for made in ["snapshot", "timestamp"] {
            self.staged(made)?;
        }
        self.ignore_staged();
        Ok(())
    }
}
