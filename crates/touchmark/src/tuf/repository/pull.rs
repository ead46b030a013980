//! A published repository comes into a folder in which it can be changed, or such a folder is brought up to date.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use touchmark_envelope::UnixTime;
use touchmark_envelope::digest::Algorithm;
use touchmark_oci::files;
use touchmark_tuf::metadata::TopLevel;
use touchmark_tuf::repository::{self as edit, Document, Mandate};

use super::rehearsal::Rehearsal;
use super::state::{Folders, State};
use super::{Lifetimes, Repository, RepositoryError};
use crate::segment::is_one_name;
use crate::trust_root::TrustFiles;
use crate::tuf::Fetch;
use crate::tuf::folder::decoded;

/// Bytes of metadata that is read back from the folder.
const MAX_FILE: u64 = 1 << 30;

/// What was pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// The version of the last root.
    pub root: u64,
    /// The version of the timestamp.
    pub timestamp: u64,
    /// The files that were not there before.
    pub files: usize,
    /// How long documents live in a folder that is new: that is not published.
    pub lifetimes: Option<Lifetimes>,
    /// Roles of which what is staged was made for an earlier state, and is of no use any more.
    pub stale: Vec<String>,
}

/// What a source serves, read and not yet verified.
struct Served {
    /// The metadata, by the names of its files.
    metadata: BTreeMap<String, Vec<u8>>,
    /// The files of targets, by their paths below the folder of targets.
    targets: BTreeMap<String, Vec<u8>>,
    root: u64,
    timestamp: u64,
}

impl Repository {
    /// Brings the repository in a folder up to what `source` serves at the time `now`; an empty folder, or one that is not there, becomes one.
    ///
    /// The trusted root is the one that is published in the folder, or, of a new one, `root`. A client that has what is published in the folder
    /// must take what is served, and so must a new one; each delegated role must be signed as its delegator says. That a delegated role has
    /// expired is no hindrance: somebody is to renew it.
    ///
    /// # Errors
    /// What is served could not be had or is not to be trusted, is older than what is published here, or is not what was published here before.
    /// Nothing has changed then.
    pub fn pull(folder: &Path, source: &dyn Fetch, root: Option<&[u8]>, now: UnixTime) -> Result<Pulled, RepositoryError> {
        let read = |error| RepositoryError::Source(Box::new(error));
        let existing = match Self::open(folder) {
            // One of which nothing is published has no root that anybody trusts.
            Ok(repository) if root.is_none() && repository.state()?.roots.is_empty() => return Err(RepositoryError::RootNeeded),
            Ok(repository) => Some(repository),
            Err(RepositoryError::NotThere { .. }) if root.is_none() => return Err(RepositoryError::RootNeeded),
            Err(RepositoryError::NotThere { .. }) => None,
            Err(error) => return Err(error),
        };
        let served = Served::of(&TrustFiles::read(source).map_err(read)?)?;
        if let Some(root) = root {
            served.assert_has_root(root)?;
        }
        let repository = match existing {
            Some(repository) => repository,
            None => {
                served.verify(&Folders::new(folder), now)?;
                files::create_folders(folder)?;
                Self { folders: Folders::new(folder), lifetimes: Lifetimes::default() }
            }
        };
        let is_new = Self::open(folder).is_err();
        if is_new && !super::open::is_unused(folder)? {
            return Err(RepositoryError::Exists { folder: folder.to_owned() });
        }
        let _lock = repository.lock()?;
        served.verify(&repository.folders, now)?;
        let files = served.write(&repository.folders)?;
        if is_new {
            repository.lifetimes.write(folder)?;
        }
        let mut state = repository.state()?;
        let mut stale = Vec::new();
        for role in state.staged_names()? {
            if matches!(state.fresh(&role), Err(RepositoryError::Stale { .. })) {
                stale.push(role);
            }
        }
        Ok(Pulled { root: served.root, timestamp: served.timestamp, files, lifetimes: is_new.then_some(repository.lifetimes), stale })
    }
}

impl Served {
    fn of(files: &TrustFiles) -> Result<Self, RepositoryError> {
        let mut served = Self { metadata: BTreeMap::new(), targets: BTreeMap::new(), root: files.root, timestamp: files.timestamp };
        let mut wanted = BTreeMap::new();
        for (path, bytes) in files.files() {
            let name = decoded(path).unwrap_or_default();
            let refused = || RepositoryError::NotServed { path: path.to_owned() };
            match name.strip_prefix("targets/") {
                Some(target) => {
                    if !target.split('/').all(is_one_name) {
                        return Err(refused());
                    }
                    // Consistent snapshots know a file by its digest alone.
                    if is_named_by_digest(target, bytes) {
                        served.targets.insert(target.to_owned(), bytes.to_vec());
                    }
                    wanted.insert(without_digest(target), path.to_owned());
                }
                None if is_one_name(&name) => {
                    served.metadata.insert(name, bytes.to_vec());
                }
                None => return Err(refused()),
            }
        }
        // What is listed, and served as something else: without it nothing would be decided by what was pulled.
        let had: BTreeSet<String> = served.targets.keys().map(|target| without_digest(target)).collect();
        match wanted.into_iter().find(|(target, _)| !had.contains(target)) {
            Some((_, path)) => Err(RepositoryError::NotServed { path }),
            None => Ok(served),
        }
    }

    /// That the trusted root is one of these, byte for byte: those before it led to it, and those after it follow from it.
    fn assert_has_root(&self, root: &[u8]) -> Result<(), RepositoryError> {
        let version = Document::open(root.to_vec())?.version()?;
        match self.metadata.get(&format!("{version}.root.json")) {
            Some(bytes) if bytes.as_slice() == root => Ok(()),
            _ => Err(RepositoryError::OtherRoot { version }),
        }
    }

    /// Lets clients take it, and then whoever searches in it.
    fn verify(&self, folders: &Folders, now: UnixTime) -> Result<(), RepositoryError> {
        let mut roots = if files::is_folder(&folders.metadata())? { State::read(folders)?.roots } else { BTreeSet::new() };
        self.assert_no_fork(folders)?;
        let mut rehearsal = Rehearsal::new(folders.metadata(), now);
        for (name, bytes) in &self.metadata {
            rehearsal.put(name, bytes);
        }
        if roots.is_empty() {
            roots.insert(1);
        }
        rehearsal.run(&roots)?;
        self.verify_roles()
    }

    /// That no file which is published here is another one there: who has seen both would have two repositories of one version.
    fn assert_no_fork(&self, folders: &Folders) -> Result<(), RepositoryError> {
        for (name, bytes) in &self.metadata {
            let file = folders.metadata().join(name);
            if !files::is_folder(&folders.metadata())? {
                return Ok(());
            }
            let Some(here) = files::read(&file, MAX_FILE)? else { continue };
            let version = |bytes: &[u8]| Document::open(bytes.to_vec()).and_then(|document| document.version());
            if here != *bytes && (name != "timestamp.json" || version(&here)? == version(bytes)?) {
                return Err(RepositoryError::Forked { file });
            }
        }
        Ok(())
    }

    /// That every role which is delegated to is what the snapshot lists, signed as a delegator says.
    fn verify_roles(&self) -> Result<(), RepositoryError> {
        let open = |name: &str| -> Result<Document, RepositoryError> {
            let bytes = self.metadata.get(name).ok_or_else(|| RepositoryError::NotServed { path: name.to_owned() })?;
            Document::open(bytes.clone()).map_err(|source| RepositoryError::Document { file: name.into(), source })
        };
        let timestamp = open("timestamp.json")?;
        let snapshot = edit::timestamp_entry(&timestamp)?.map(|entry| entry.version).unwrap_or_default();
        let listed = edit::snapshot_entries(&mut open(&format!("{snapshot}.snapshot.json"))?)?;
        let root = open(&format!("{}.root.json", self.root))?;
        let mut ahead = vec![("targets".to_owned(), Mandate::of_root(&root, TopLevel::Targets)?)];
        let mut seen = BTreeSet::new();
        while let Some((role, mandate)) = ahead.pop() {
            let Some(entry) = listed.get(&format!("{role}.json")) else { return Err(RepositoryError::NoMetadata { role }) };
            let name = format!("{}.{role}.json", entry.version);
            let document = open(&name)?;
            let bytes = self.metadata.get(&name).map(Vec::as_slice).unwrap_or_default();
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            let is_listed = entry.length.is_none_or(|listed| listed == length)
                && entry.hashes.iter().all(|hash| hash.algorithm().digest(bytes) == *hash)
                && document.version()? == entry.version;
            edit::check_role(&document, &role)?;
            if !is_listed {
                return Err(RepositoryError::NotServed { path: name });
            }
            let standing = mandate.standing(&document)?;
            if standing.missing() > 0 {
                let needed = standing.keys.iter().filter(|key| !key.signed).map(|key| key.keyid.clone()).collect();
                let (valid, threshold) = (standing.valid, standing.threshold);
                return Err(RepositoryError::Unsigned { role, valid, threshold, by: None, needed });
            }
            let Some(delegations) = edit::delegations(&document)? else { continue };
            let bins = delegations.succinct.iter().flat_map(|bins| {
                let count = 1_u64 << bins.bit_length.min(16);
                (0..count).filter_map(|bin| Some((bins.name(u32::try_from(bin).ok()?).as_str().to_owned(), &bins.keys)))
            });
            let roles = delegations.roles.iter().map(|role| (role.name.as_str().to_owned(), &role.keys));
            for (child, keys) in bins.chain(roles) {
                if seen.insert((child.clone(), role.clone())) {
                    ahead.push((child, Mandate::of_delegation(keys, &delegations)));
                }
            }
        }
        Ok(())
    }

    /// Writes what is not there yet, the timestamp last. Gives how many files that were.
    fn write(&self, folders: &Folders) -> Result<usize, RepositoryError> {
        let metadata = |name: &str| folders.metadata().join(name);
        let mut order: Vec<(std::path::PathBuf, &[u8])> = Vec::new();
        for (path, bytes) in &self.targets {
            let file = path.split('/').fold(folders.targets(), |folder, segment| folder.join(segment));
            if let Some(folder) = file.parent() {
                files::create_folders(folder)?;
            }
            order.push((file, bytes));
        }
        let is_root = |name: &str| name.ends_with(".root.json");
        let names = || self.metadata.iter().filter(|(name, _)| name.as_str() != "timestamp.json");
        order.extend(names().filter(|(name, _)| !is_root(name)).map(|(name, bytes)| (metadata(name), bytes.as_slice())));
        // In their order: each leads to the next.
        let roots = (1..=self.root).filter_map(|version| self.metadata.get_key_value(&format!("{version}.root.json")));
        order.extend(roots.map(|(name, bytes)| (metadata(name), bytes.as_slice())));
        order.extend(self.metadata.get("timestamp.json").map(|bytes| (metadata("timestamp.json"), bytes.as_slice())));
        let mut written = 0;
        for (file, bytes) in order {
            if files::size(&file)?.is_none() || !files::holds(&file, bytes)? {
                files::write(&file, bytes)?;
                written += 1;
            }
        }
        Ok(written)
    }
}

/// The path of a target, without the digest that its last segment may begin with.
fn without_digest(path: &str) -> String {
    let (folder, last) = path.rsplit_once('/').map_or((None, path), |(folder, last)| (Some(folder), last));
    let is_digest = |text: &str| matches!(text.len(), 64 | 128) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let plain = last.split_once('.').filter(|(digest, _)| is_digest(digest)).map_or(last, |(_, plain)| plain);
    folder.map_or_else(|| plain.to_owned(), |folder| format!("{folder}/{plain}"))
}

/// Whether the last segment of a path begins with a digest of the bytes.
fn is_named_by_digest(path: &str, bytes: &[u8]) -> bool {
    let last = path.rsplit('/').next().unwrap_or(path);
    let hex = last.split('.').next().unwrap_or(last);
    Algorithm::ALL.iter().any(|algorithm| algorithm.digest(bytes).hex() == hex)
}
