//! Clients run over what is about to be published, before anybody else's do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use touchmark_envelope::UnixTime;
use touchmark_oci::files;
use touchmark_tuf::{Answer, Client, Failure, Settings, Step};

use super::RepositoryError;

/// Where an update is left off.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Before the targets, for which it does not matter what the client had before: the snapshot is what says whether a role went back.
    Snapshot,
    /// At its end.
    Targets,
}

/// The published metadata with new files in it that are not written yet.
pub(super) struct Rehearsal<'a> {
    folder: PathBuf,
    new: BTreeMap<String, &'a [u8]>,
    now: UnixTime,
}

impl<'a> Rehearsal<'a> {
    pub(super) fn new(folder: PathBuf, now: UnixTime) -> Self {
        Self { folder, new: BTreeMap::new(), now }
    }

    /// Adds a file that is not written yet.
    pub(super) fn put(&mut self, name: &str, bytes: &'a [u8]) {
        self.new.insert(name.to_owned(), bytes);
    }

    /// Runs a new client, which begins with the first root, and, if something is published, one that has that.
    pub(super) fn run(&self, roots: &BTreeSet<u64>) -> Result<(), RepositoryError> {
        if let (Some(last), true) = (roots.last(), self.folder.join("timestamp.json").is_file()) {
            let mut store = BTreeMap::new();
            store.insert("root.json".to_owned(), self.written(&format!("{last}.root.json"))?);
            store.insert("timestamp.json".to_owned(), self.written("timestamp.json")?);
            if let Some(snapshot) = self.old_snapshot()? {
                store.insert("snapshot.json".to_owned(), snapshot);
            }
            self.client(store, End::Snapshot)
                .map_err(|source| RepositoryError::Client { who: "a client that has what is published now", source })?;
        }
        let first = format!("{}.root.json", roots.first().copied().unwrap_or(1));
        let root = match self.new.get(&first) {
            Some(bytes) => bytes.to_vec(),
            None => self.written(&first)?,
        };
        let store = BTreeMap::from([("root.json".to_owned(), root)]);
        self.client(store, End::Targets).map_err(|source| RepositoryError::Client { who: "a new client", source })
    }

    /// The snapshot that is published now.
    fn old_snapshot(&self) -> Result<Option<Vec<u8>>, RepositoryError> {
        let timestamp = super::state::read(&self.folder.join("timestamp.json"))?;
        let entry = timestamp.as_ref().map(touchmark_tuf::repository::timestamp_entry).transpose()?.flatten();
        entry.map(|entry| self.written(&format!("{}.snapshot.json", entry.version))).transpose()
    }

    fn written(&self, name: &str) -> Result<Vec<u8>, RepositoryError> {
        let file = self.folder.join(name);
        files::read(&file, u64::MAX)?.ok_or(RepositoryError::Missing { file })
    }

    /// Refreshes a client with this store, as far as `end`.
    fn client(&self, mut store: BTreeMap<String, Vec<u8>>, end: End) -> Result<(), touchmark_tuf::Error> {
        let mut settings = Settings::default();
        // Real clients come to a long chain of roots in several updates.
        settings.limits.roots = u32::MAX;
        let mut client = Client::new(settings, self.now);
        loop {
            let answer = match client.step()? {
                Step::Load { file: "targets.json", .. } if end == End::Snapshot => return Ok(()),
                Step::Load { file, .. } => store.get(file).cloned().map_or(Answer::Absent, Answer::Bytes),
                Step::Fetch { path, .. } => self.fetch(path),
                Step::Store { file, bytes } => {
                    // What a client reads again in the same update is small.
                    if file != "targets.json" {
                        store.insert(file.to_owned(), bytes.to_vec());
                    }
                    Answer::Done
                }
                Step::Remove { file } => {
                    store.remove(file);
                    Answer::Done
                }
                Step::Done => return Ok(()),
                _ => Answer::Absent,
            };
            client.answer(answer);
        }
    }

    /// As a web server has it. The files of top-level roles are all that an update asks for, and nothing in their names is encoded.
    fn fetch(&self, path: &str) -> Answer {
        if let Some(bytes) = self.new.get(path) {
            return Answer::Bytes(bytes.to_vec());
        }
        match files::read(&self.folder.join(path), u64::MAX) {
            Ok(Some(bytes)) => Answer::Bytes(bytes),
            Ok(None) => Answer::Absent,
            Err(error) => Answer::Failed(Failure::Unavailable(error.to_string())),
        }
    }
}
