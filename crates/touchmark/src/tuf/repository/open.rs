//! A repository as a whole: made, opened, locked.

use std::collections::BTreeMap;
use std::path::Path;

use touchmark_envelope::UnixTime;
use touchmark_oci::files::{self, Lock, Pending};
use touchmark_tuf::metadata::TopLevel;
use touchmark_tuf::repository::{self as edit, Appointment, Document, EditError};

use super::state::{DraftOn, Folders, State};
use super::{Lifetimes, RepositoryError};

/// A trust repository in a folder.
#[derive(Clone, Debug)]
pub struct Repository {
    pub(super) folders: Folders,
    pub(super) lifetimes: Lifetimes,
}

impl Repository {
    /// Makes a repository in a folder that is empty or not there: the first root and an empty `targets` are staged, and nothing is
    /// published yet.
    ///
    /// # Errors
    /// The folder is not empty; a role is missing, or its keys could never reach its threshold.
    pub fn create(
        folder: &Path,
        lifetimes: Lifetimes,
        roles: &BTreeMap<TopLevel, Appointment>,
        now: UnixTime,
    ) -> Result<Self, RepositoryError> {
        let (root, targets) = first(lifetimes, roles, now)?;
        let repository = Self { folders: Folders::new(folder), lifetimes };
        // The folder itself may be a link to one; what is in it may not.
        if !folder.is_dir() {
            files::create_folders(folder)?;
        }
        let _lock = Lock::take(folder)?;
        files::sweep(folder)?;
        if !is_unused(folder)? {
            return Err(RepositoryError::Exists { folder: folder.to_owned() });
        }
        for below in [repository.folders.metadata(), repository.folders.targets(), repository.folders.staged()] {
            files::create_folders(&below)?;
        }
        repository.write_staged("root", &root)?;
        repository.write_staged("targets", &targets)?;
        // The last: what has no settings is no repository yet, and is begun again.
        lifetimes.write(folder)?;
        Ok(repository)
    }

    /// Asserts that [`create`](Self::create) could make a repository, and writes nothing: before keys are made for it.
    ///
    /// # Errors
    /// Those of it that do not depend on what can be written.
    pub fn assert_creatable(
        folder: &Path,
        lifetimes: Lifetimes,
        roles: &BTreeMap<TopLevel, Appointment>,
        now: UnixTime,
    ) -> Result<(), RepositoryError> {
        first(lifetimes, roles, now)?;
        let there = folder.symlink_metadata().is_ok();
        if there && (!folder.is_dir() || !is_unused(folder)?) {
            return Err(RepositoryError::Exists { folder: folder.to_owned() });
        }
        Ok(())
    }

    /// Opens the repository in a folder. One that another tool has made has no settings, and gets the usual ones.
    ///
    /// # Errors
    /// There is none.
    pub fn open(folder: &Path) -> Result<Self, RepositoryError> {
        let folders = Folders::new(folder);
        let lifetimes = Lifetimes::read(folder)?;
        if lifetimes.is_none() && !(folders.metadata().join("timestamp.json").is_file() && folders.metadata().is_dir()) {
            return Err(RepositoryError::NotThere { folder: folder.to_owned() });
        }
        Ok(Self { folders, lifetimes: lifetimes.unwrap_or_default() })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folders.root
    }

    /// How long its documents live.
    pub fn lifetimes(&self) -> Lifetimes {
        self.lifetimes
    }

    /// Changes how long its documents live, from the next version of each on.
    ///
    /// # Errors
    /// The settings cannot be written.
    pub fn set_lifetimes(&mut self, lifetimes: Lifetimes) -> Result<(), RepositoryError> {
        let _lock = self.lock()?;
        if !self.folders.is_draft() {
            lifetimes.write(self.folder())?;
        }
        self.lifetimes = lifetimes;
        Ok(())
    }

    /// The same repository, of which changes are kept in memory, on top of what is staged: what they would do is found out before anybody
    /// else sees them. Nothing of it can be signed or published.
    #[must_use]
    pub fn draft(&self) -> Self {
        Self { folders: self.folders.draft(DraftOn::Staged), lifetimes: self.lifetimes }
    }

    /// As [`draft`](Self::draft), as if nothing were staged: it is what is published.
    #[must_use]
    pub fn draft_of_published(&self) -> Self {
        Self { folders: self.folders.draft(DraftOn::Published), lifetimes: self.lifetimes }
    }

    /// The exclusive right to change it; a draft is nobody else's.
    pub(super) fn lock(&self) -> Result<Option<Lock>, RepositoryError> {
        if self.folders.is_draft() {
            return Ok(None);
        }
        let lock = Lock::take(self.folder())?;
        files::sweep(self.folder())?;
        for folder in [self.folders.metadata(), self.folders.targets(), self.folders.staged()] {
            files::create_folders(&folder)?;
            files::sweep(&folder)?;
        }
        Ok(Some(lock))
    }

    pub(super) fn state(&self) -> Result<State, RepositoryError> {
        State::read(&self.folders)
    }

    pub(super) fn write_staged(&self, role: &str, document: &Document) -> Result<(), RepositoryError> {
        self.folders.stage(role, document)
    }

    /// When a document of a role expires that is made now.
    pub(super) fn expires(&self, role: &str, now: UnixTime) -> Result<UnixTime, RepositoryError> {
        expires(self.lifetimes.of(role), now)
    }
}

/// The first root and the first, empty targets.
fn first(lifetimes: Lifetimes, roles: &BTreeMap<TopLevel, Appointment>, now: UnixTime) -> Result<(Document, Document), RepositoryError> {
    Ok((edit::new_root(roles, expires(lifetimes.root, now)?)?, edit::new_targets(expires(lifetimes.targets, now)?)?))
}

fn expires(lifetime: edit::Lifetime, now: UnixTime) -> Result<UnixTime, RepositoryError> {
    lifetime.from(now).ok_or(RepositoryError::Edit(EditError::Expiry))
}

/// Whether a folder holds nothing, or only what a making that was interrupted has left.
pub(super) fn is_unused(folder: &Path) -> Result<bool, RepositoryError> {
    let failed = |source| touchmark_oci::Error::Io { action: "list", path: folder.to_owned(), source };
    let mut published = false;
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        match name.to_str() {
            Some("metadata" | "targets") => {
                let below = folder.join(&name);
                published |= std::fs::read_dir(&below).map_err(failed)?.next().is_some();
            }
            Some("staged") => {}
            Some(ours) if files::is_ours(ours) => {}
            _ => return Ok(false),
        }
    }
    Ok(!published)
}

/// Pieces are put together up to this size before they are written.
const PIECE: usize = 1 << 16;

/// Writes a document, whole or not at all.
pub(super) fn write_document(file: &Path, document: &Document) -> Result<(), RepositoryError> {
    let mut pending = Pending::create(file)?;
    let mut small = String::new();
    for piece in document.pieces() {
        if small.len() + piece.len() <= PIECE {
            small.push_str(&piece);
            continue;
        }
        pending.write(small.as_bytes())?;
        pending.write(piece.as_bytes())?;
        small.clear();
    }
    pending.write(small.as_bytes())?;
    Ok(pending.publish()?)
}
