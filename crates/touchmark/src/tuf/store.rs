//! The local store: what a client trusts, as files in a folder.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use touchmark_envelope::digest::{Algorithm, Hasher};
use touchmark_envelope::{Digest, UnixTime};
use touchmark_in_toto::name::is_segment;
use touchmark_oci::error::Error as StoreError;
use touchmark_oci::files::{self, Lock};
use touchmark_tuf::{Answer, Client, Error, Failure, Settings, Step};

use super::error::{UpdateError, failure};

/// How long an update waits for others.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
/// The trusted root.
const ROOT: &str = "root.json";

/// A folder with the metadata that a client trusts, each file byte for byte as it was received: `root.json`, `timestamp.json`,
/// `snapshot.json`, `targets.json`, and those of delegated roles. Nothing else in it ends in `.json`; an index beside a large one ends in
/// `.index`.
///
/// Any number of processes may use it: an update waits for the others' end. A file is there whole or not at all. Without a repository to
/// ask ([`Mode::StoreOnly`](touchmark_tuf::Mode)) nothing is written and nobody waited for, so that the folder may be one that cannot be
/// written; an update of another process that is under way may then show in files that do not fit each other, which is an error.
#[derive(Clone, Debug)]
pub struct MetadataStore {
    folder: PathBuf,
}

impl MetadataStore {
    /// Makes the store in `folder` with the root that is trusted from the beginning, however that came here. A store that has this very
    /// root is left as it is.
    ///
    /// # Errors
    /// `root` is none, or not signed by its own keys; the store has another root, maybe a later one, which is not exchanged; it cannot be
    /// written.
    pub fn init(folder: impl Into<PathBuf>, root: &[u8]) -> Result<Self, UpdateError> {
        let limits = Settings::default().limits;
        Self::init_with(folder, root, limits.root)
    }

    /// As [`init`](Self::init), with a root of at most `limit` bytes.
    ///
    /// # Errors
    /// As for `init`.
    pub fn init_with(folder: impl Into<PathBuf>, root: &[u8], limit: u64) -> Result<Self, UpdateError> {
        let folder = folder.into();
        check_root(root, limit)?;
        if !folder.is_dir() {
            files::create_folders(&folder)?;
        }
        let store = Self { folder };
        let _lock = store.lock()?;
        let path = store.folder.join(ROOT);
        match files::read(&path, limit.max(u64::try_from(root.len()).unwrap_or(u64::MAX))) {
            Ok(None) => files::write(&path, root)?,
            Ok(Some(known)) if known == root => {}
            Ok(Some(_)) | Err(StoreError::TooLarge { .. }) => return Err(UpdateError::AnotherRoot { folder: store.folder }),
            Err(error) => return Err(error.into()),
        }
        Ok(store)
    }

    /// The store in `folder`. That it has a trusted root shows when it is used.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, UpdateError> {
        let folder = folder.into();
        match std::fs::metadata(&folder) {
            Ok(metadata) if metadata.is_dir() => Ok(Self { folder }),
            Ok(_) => Err(StoreError::NotAFolder { path: folder, found: "a file" }.into()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::NoRoot.into()),
            Err(source) => Err(StoreError::Io { action: "open", path: folder, source }.into()),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Waits until nobody else updates the store, two minutes at most, and removes what writers left that were killed.
    ///
    /// # Errors
    /// Others go on with theirs, or the store cannot be written.
    pub fn lock(&self) -> Result<Lock, UpdateError> {
        self.lock_within(PATIENCE)
    }

    /// As [`lock`](Self::lock), waiting no longer than this; not at all for zero.
    ///
    /// # Errors
    /// The same.
    pub fn lock_within(&self, patience: Duration) -> Result<Lock, UpdateError> {
        let lock = Lock::take_within(&self.folder, patience)?;
        files::sweep(&self.folder)?;
        Ok(lock)
    }

    /// Answers a step that is about the store; `None` if it is about something else.
    pub fn answer(&self, step: &Step<'_>) -> Option<Answer> {
        let done = |done: Result<(), StoreError>| done.map_or_else(|error| Answer::Failed(failure(&error)), |()| Answer::Done);
        Some(match *step {
            Step::Load { file, limit } => match self.path(file).and_then(|path| files::read(&path, limit)) {
                Ok(bytes) => bytes.map_or(Answer::Absent, Answer::Bytes),
                Err(StoreError::TooLarge { .. }) => Answer::Failed(Failure::TooLarge { limit }),
                Err(error) => Answer::Failed(failure(&error)),
            },
            Step::Hash { file, algorithms, limit } => match self.path(file).and_then(|path| hash(&path, algorithms, limit)) {
                Ok(found) => found.map_or(Answer::Absent, |(length, digests)| Answer::Hashed { length, digests }),
                Err(error) => Answer::Failed(failure(&error)),
            },
            Step::Read { file, start, length } => match self.path(file).and_then(|path| read_piece(&path, start, length)) {
                Ok(bytes) => bytes.map_or(Answer::Absent, Answer::Bytes),
                Err(error) => Answer::Failed(failure(&error)),
            },
            Step::Store { file, bytes } => done(self.path(file).and_then(|path| files::write(&path, bytes))),
            Step::Remove { file } => done(self.path(file).and_then(|path| files::remove(&path))),
            _ => return None,
        })
    }

    /// Where a file is. The client's names are encoded; another one is refused.
    fn path(&self, file: &str) -> Result<PathBuf, StoreError> {
        if is_segment(file) && (file.ends_with(".json") || file.ends_with(".index")) {
            return Ok(self.folder.join(file));
        }
        Err(StoreError::Input { path: self.folder.join("…"), reason: "not the name of a metadata file" })
    }
}

/// The length and the digests of a file, of which little is in memory at a time; `None` if there is none, or it has more than `limit` bytes.
fn hash(path: &Path, algorithms: &[Algorithm], limit: u64) -> Result<Option<(u64, Vec<Digest>)>, StoreError> {
    let Some(mut file) = files::open(path)? else { return Ok(None) };
    let failed = |source| StoreError::Io { action: "read", path: path.to_owned(), source };
    let mut hashers: Vec<Hasher> = algorithms.iter().map(|algorithm| Hasher::new(*algorithm)).collect();
    let (mut buffer, mut length) = (vec![0; 1 << 16], 0_u64);
    while length <= limit {
        let count = file.read(&mut buffer).map_err(failed)?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
            return Ok(Some((length, hashers.into_iter().map(Hasher::finish).collect())));
        };
        length = length.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        hashers.iter_mut().for_each(|hasher| hasher.update(bytes));
    }
    Ok(None)
}

/// `length` bytes of a file from `start` on, fewer where it ends; `None` if there is none.
fn read_piece(path: &Path, start: u64, length: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(mut file) = files::open(path)? else { return Ok(None) };
    let failed = |source| StoreError::Io { action: "read", path: path.to_owned(), source };
    file.seek(SeekFrom::Start(start)).map_err(failed)?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.take(length).read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(bytes))
}

/// Whether a client would begin with these bytes: a root that is signed by a threshold of its own keys. Its expiry does not matter.
fn check_root(root: &[u8], limit: u64) -> Result<(), UpdateError> {
    let mut settings = Settings::default();
    settings.limits.root = limit;
    let mut client = Client::new(settings, UnixTime::from_seconds(0).ok_or(Error::WrongAnswer)?);
    client.step()?;
    client.answer(Answer::Bytes(root.to_vec()));
    client.step()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuf::testing::Folder;

    #[test]
    fn only_names_of_metadata_files_lead_to_files() {
        let folder = Folder::new();
        let store = MetadataStore::open(folder.root()).unwrap();
        for file in ["../x.json", "/x.json", "a/x.json", "a\\x.json", "C:x.json", "..", "", "x", "x.txt", ".touchmark.lock", "x\0.json"] {
            for step in [Step::Load { file, limit: 9 }, Step::Store { file, bytes: b"x" }, Step::Remove { file }] {
                assert!(matches!(store.answer(&step), Some(Answer::Failed(Failure::Malformed(_)))), "{step:?}");
            }
        }
        assert_eq!(std::fs::read_dir(folder.root()).unwrap().count(), 0);
    }

    #[test]
    fn files_are_kept_as_they_came_within_the_limit() {
        let folder = Folder::new();
        let store = MetadataStore::open(folder.root()).unwrap();
        let load = |limit| store.answer(&Step::Load { file: "a%2Fb.json", limit }).unwrap();
        assert!(matches!(load(9), Answer::Absent));
        assert!(matches!(store.answer(&Step::Store { file: "a%2Fb.json", bytes: b"bytes" }), Some(Answer::Done)));
        assert!(matches!(load(5), Answer::Bytes(bytes) if bytes == b"bytes"));
        assert!(matches!(load(4), Answer::Failed(Failure::TooLarge { limit: 4 })));
        for _ in 0..2 {
            assert!(matches!(store.answer(&Step::Remove { file: "a%2Fb.json" }), Some(Answer::Done)));
        }
        assert!(store.answer(&Step::Fetch { path: "timestamp.json", limit: 9 }).is_none() && store.answer(&Step::Done).is_none());
    }

    #[test]
    fn a_lock_removes_what_killed_writers_left() {
        let folder = Folder::new();
        folder.file(".touchmark-0123456789abcdef.tmp", "left");
        let store = MetadataStore::open(folder.root()).unwrap();
        drop(store.lock().unwrap());
        assert!(!folder.path(".touchmark-0123456789abcdef.tmp").exists());
    }
}
