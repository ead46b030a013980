//! How a repository stands: versions, expiries, who signed, who is still needed.

use std::io::Read as _;

use touchmark_envelope::{Digest, UnixTime};
use touchmark_oci::files;
use touchmark_tuf::metadata::TopLevel;
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

    /// The published roles whose life is in its last quarter or over, as far as a look at these does not take long: the top-level roles,
    /// and those that the caller names.
    ///
    /// # Errors
    /// A file cannot be read, or is no document.
    pub fn late(&self, roles: &[String], now: UnixTime) -> Result<Vec<(String, UnixTime, Age)>, RepositoryError> {
        let mut state = self.state()?.without_staged()?;
        let top = TopLevel::ALL.into_iter().map(|role| role.name().to_owned());
        let mut late: Vec<(String, UnixTime, Age)> = Vec::new();
        for role in top.chain(roles.iter().cloned()) {
            if let Some(expires) = state.published_expiry(&role)? {
                let age = self.lifetimes.of(&role).age(expires, now);
                if age >= Age::Late && !late.iter().any(|(other, ..)| *other == role) {
                    late.push((role, expires, age));
                }
            }
        }
        Ok(late)
    }
}

/// So many targets are named that a staged document changes; the others are counted.
pub(super) const NAMED_TARGETS: usize = 20;

/// A document of more bytes is not read for its expiry alone, where its beginning says it.
const LARGE: u64 = 1 << 20;

impl State {
    /// When the published document of a role expires. Of a large one, only as much is read as it takes: it is for a warning.
    fn published_expiry(&mut self, role: &str) -> Result<Option<UnixTime>, RepositoryError> {
        if let Some(version) = self.published_version(role)? {
            let file = self.folders.published_file(role, version)?;
            if files::size(&file)?.is_some_and(|size| size > LARGE)
                && let Some(mut file) = files::open(&file)?
            {
                let mut head = vec![0; 16 << 10];
                let read = file.read(&mut head).unwrap_or_default();
                head.truncate(read);
                if let Some(expires) = expiry_in(&head) {
                    return Ok(Some(expires));
                }
            }
        }
        Ok(self.published(role)?.map(touchmark_tuf::repository::Document::expires).transpose()?)
    }

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

/// The expiry in the beginning of a targets document in the written form, if nothing is delegated before it.
fn expiry_in(head: &[u8]) -> Option<UnixTime> {
    const BEFORE: &str = r#""signed":{"_type":"targets","expires":""#;
    let head = String::from_utf8_lossy(head);
    let (_, rest) = head.split_once(BEFORE)?;
    UnixTime::parse_signed(rest.split_once('"')?.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_document_says_when_it_expires() {
        let expires = UnixTime::parse_signed("2030-01-01T00:00:00Z").unwrap();
        let document = touchmark_tuf::repository::new_targets(expires).unwrap();
        assert_eq!(expiry_in(&document.to_bytes()), Some(expires));
        for other in
            [&b""[..], br#""signed":{"_type":"targets","expires":"soon""#, br#""signed":{"_type":"root","expires":"2030-01-01T00:00:00Z""#]
        {
            assert_eq!(expiry_in(other), None);
        }
    }
}
