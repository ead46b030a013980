//! The local trust stores: which one a root opens, and what is kept beside its metadata.
//!
//! A base folder has `stores/ID`, each a store with `metadata` (the client's), `targets` (files that the top-level targets role lists, by
//! a digest), `updated` (when the last update was accepted) and `roots` (its root history), and `roots/SHA256` for each root of each history, with the ID in it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::{Digest, UnixTime};
use touchmark_oci::error::Error as StoreError;
use touchmark_oci::files::{self, Lock};
use touchmark_tuf::metadata::Target;

use super::TrustRootError;
use crate::tuf::MetadataStore;

/// Bytes of the small files here.
const SMALL: u64 = 256;

/// One local store.
#[derive(Clone, Debug)]
pub(super) struct Home {
    folder: PathBuf,
    /// Where its roots are made known; none if it is by itself.
    base: Option<PathBuf>,
    /// The name in `base`.
    id: String,
}

/// A store that was opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) home: Home,
    pub(super) metadata: MetadataStore,
    /// It was made just now.
    pub(super) is_new: bool,
}

impl Home {
    /// Opens the store in `base` whose history has this root, or makes one.
    pub(super) fn of(base: &Path, root: &[u8]) -> Result<Opened, TrustRootError> {
        let hash = Algorithm::Sha256.digest(root).hex();
        let known = base.join("roots").join(&hash);
        let id = match files::read(&known, SMALL)? {
            Some(bytes) => plain(&bytes).ok_or(TrustRootError::Damaged { path: known })?,
            None => hash,
        };
        Self { folder: base.join("stores").join(&id), base: Some(base.to_owned()), id }.open(root)
    }

    /// Opens the store in `folder`, or makes it there.
    pub(super) fn at(folder: &Path, root: &[u8]) -> Result<Opened, TrustRootError> {
        Self { folder: folder.to_owned(), base: None, id: String::new() }.open(root)
    }

    /// The store in `base` whose history has this root, if there is one. Nothing is written.
    pub(super) fn existing(base: &Path, root: &[u8]) -> Result<Option<Opened>, TrustRootError> {
        let known = base.join("roots").join(Algorithm::Sha256.digest(root).hex());
        let Some(bytes) = files::read(&known, SMALL)? else { return Ok(None) };
        let id = plain(&bytes).ok_or(TrustRootError::Damaged { path: known })?;
        Self { folder: base.join("stores").join(&id), base: Some(base.to_owned()), id }.if_there(root)
    }

    /// The store in `folder`, if there is one. Nothing is written.
    pub(super) fn existing_at(folder: &Path, root: &[u8]) -> Result<Option<Opened>, TrustRootError> {
        Self { folder: folder.to_owned(), base: None, id: String::new() }.if_there(root)
    }

    fn if_there(self, root: &[u8]) -> Result<Option<Opened>, TrustRootError> {
        if self.folder.join("metadata").join("root.json").is_file() { self.open(root).map(Some) } else { Ok(None) }
    }

    fn open(self, root: &[u8]) -> Result<Opened, TrustRootError> {
        let metadata = self.folder.join("metadata");
        let is_new = !metadata.join("root.json").is_file();
        if is_new {
            // The history first: a store without one would be opened by no root.
            self.remember(root)?;
            return Ok(Opened { metadata: MetadataStore::init(metadata, root)?, home: self, is_new });
        }
        if !self.remembers(root)? {
            return Err(TrustRootError::AnotherHistory { folder: self.folder });
        }
        Ok(Opened { metadata: MetadataStore::open(metadata)?, home: self, is_new })
    }

    /// Notes a root that is trusted, so that it opens this store from now on.
    pub(super) fn remember(&self, root: &[u8]) -> Result<(), TrustRootError> {
        let hash = Algorithm::Sha256.digest(root).hex();
        let note = |folder: PathBuf, text: &str| -> Result<(), TrustRootError> {
            if !folder.is_dir() {
                files::create_folders(&folder)?;
            }
            let path = folder.join(&hash);
            if !files::holds(&path, text.as_bytes())? {
                files::write(&path, text.as_bytes())?;
            }
            Ok(())
        };
        note(self.folder.join("roots"), "")?;
        match &self.base {
            Some(base) => note(base.join("roots"), &self.id),
            None => Ok(()),
        }
    }

    fn remembers(&self, root: &[u8]) -> Result<bool, TrustRootError> {
        let hash = Algorithm::Sha256.digest(root).hex();
        Ok(files::size(&self.folder.join("roots").join(hash))?.is_some())
    }

    /// When the last update was accepted.
    pub(super) fn updated(&self) -> Result<Option<UnixTime>, TrustRootError> {
        let path = self.folder.join("updated");
        let Some(bytes) = files::read(&path, SMALL)? else { return Ok(None) };
        let text = String::from_utf8(bytes).ok();
        let time = text.and_then(|text| UnixTime::parse_rfc3339(text.trim_end()).ok());
        time.map(Some).ok_or(TrustRootError::Damaged { path })
    }

    /// Notes that an update was accepted. The time never goes back.
    pub(super) fn update(&self, at: UnixTime) -> Result<(), TrustRootError> {
        if self.updated()?.is_none_or(|before| before < at) {
            files::write(&self.folder.join("updated"), at.to_string().as_bytes())?;
        }
        Ok(())
    }

    /// The bytes that are kept for a target, if there are any. Whether they are what is listed is not looked at.
    pub(super) fn target(&self, listed: &Target) -> Result<Option<Vec<u8>>, TrustRootError> {
        for digest in &listed.hashes {
            let path = self.folder.join("targets").join(digest.hex());
            match files::read(&path, listed.length) {
                Ok(Some(bytes)) => return Ok(Some(bytes)),
                Ok(None) | Err(StoreError::TooLarge { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Keeps the bytes of a target, and removes what is kept of those that are not listed any more.
    pub(super) fn keep_target(&self, target: &Target, bytes: &[u8], is_listed: impl Fn(&str) -> bool) -> Result<(), TrustRootError> {
        let folder = self.folder.join("targets");
        if !folder.is_dir() {
            files::create_folders(&folder)?;
        }
        files::sweep(&folder)?;
        let failed = |source| StoreError::Io { action: "list", path: folder.clone(), source };
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let is_hash = |name: &&str| [Algorithm::Sha256, Algorithm::Sha512].iter().any(|one| Digest::from_hex(*one, name).is_ok());
            if name.to_str().filter(is_hash).is_some_and(|hash| !is_listed(hash)) {
                files::remove(&entry.path())?;
            }
        }
        match target.hashes.first() {
            Some(digest) => Ok(files::write(&folder.join(digest.hex()), bytes)?),
            None => Ok(()),
        }
    }

    /// Waits for those who update the store, so long at most.
    pub(super) fn lock(&self, metadata: &MetadataStore, patience: Duration) -> Result<Lock, TrustRootError> {
        Ok(metadata.lock_within(patience)?)
    }
}

/// The name of a store.
fn plain(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    Digest::from_hex(Algorithm::Sha256, text).ok().map(|digest| digest.hex())
}

impl From<StoreError> for TrustRootError {
    fn from(error: StoreError) -> Self {
        Self::Update(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuf::testing::Folder;
    use touchmark_test_tuf_repository::Repository;

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_seconds(seconds).unwrap()
    }

    #[test]
    fn every_root_of_a_history_opens_the_same_store_and_another_one_does_not() {
        let folder = Folder::new();
        let repository = Repository::new();
        let root = repository.file("1.root.json");
        let made = Home::of(folder.root(), root).unwrap();
        assert!(made.is_new && !Home::of(folder.root(), root).unwrap().is_new);
        made.home.remember(b"later root").unwrap();
        let later = Home::of(folder.root(), b"later root").unwrap();
        assert_eq!((later.home.folder, later.is_new), (made.home.folder.clone(), false));
        // By itself.
        let alone = Home::at(&folder.path("alone"), root).unwrap();
        assert!(alone.is_new);
        assert!(matches!(Home::at(&folder.path("alone"), b"other"), Err(TrustRootError::AnotherHistory { .. })));
    }

    #[test]
    fn the_time_of_the_last_update_never_goes_back() {
        let folder = Folder::new();
        let home = Home::at(folder.root(), Repository::new().file("1.root.json")).unwrap().home;
        assert_eq!(home.updated().unwrap(), None);
        home.update(at(100)).unwrap();
        home.update(at(50)).unwrap();
        assert_eq!(home.updated().unwrap(), Some(at(100)));
        folder.file("updated", "soon");
        assert!(matches!(home.updated(), Err(TrustRootError::Damaged { .. })));
    }

    #[test]
    fn a_note_that_leads_elsewhere_is_damage() {
        let folder = Folder::new();
        let root = Repository::new().file("1.root.json").to_vec();
        let hash = Algorithm::Sha256.digest(&root).hex();
        folder.file(&format!("roots/{hash}"), "../../elsewhere");
        assert!(matches!(Home::of(folder.root(), &root), Err(TrustRootError::Damaged { .. })));
    }
}
