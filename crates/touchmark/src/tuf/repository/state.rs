//! What is published, and what is staged on top of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use touchmark_envelope::json::Value;
use touchmark_oci::files;
use touchmark_tuf::metadata::{Delegation, Delegations, FileMeta, Paths, RoleKeys, TopLevel};
use touchmark_tuf::repository::{self as edit, Document, EditError, Mandate};
use touchmark_tuf::{RoleName, TargetPath};

use super::RepositoryError;

/// Bytes of a document of the repository: what an index over one reaches.
const MAX_DOCUMENT: u64 = 4 << 30;

/// Where the files of a repository are.
#[derive(Clone, Debug)]
pub(super) struct Folders {
    pub(super) root: PathBuf,
    /// What is staged in memory, and not in the folder.
    draft: Option<Draft>,
}

/// Changes that nobody is to see yet.
#[derive(Clone, Debug)]
struct Draft {
    on: DraftOn,
    /// The staged documents of roles, in place of those of the folder; `None` if there is none any more.
    staged: Arc<Mutex<BTreeMap<String, Option<Vec<u8>>>>>,
}

/// What a draft begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DraftOn {
    /// What is published.
    Published,
    /// What is staged.
    Staged,
}

impl Draft {
    fn staged(&self) -> MutexGuard<'_, BTreeMap<String, Option<Vec<u8>>>> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Folders {
    /// Those of a repository in this folder.
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), draft: None }
    }

    /// The same, with changes in memory from now on.
    pub(super) fn draft(&self, on: DraftOn) -> Self {
        let staged = match (&self.draft, on) {
            (Some(draft), DraftOn::Staged) => draft.staged().clone(),
            _ => BTreeMap::new(),
        };
        let on = match &self.draft {
            Some(draft) if on == DraftOn::Staged => draft.on,
            _ => on,
        };
        Self { root: self.root.clone(), draft: Some(Draft { on, staged: Arc::new(Mutex::new(staged)) }) }
    }

    /// Whether changes are kept in memory.
    pub(super) fn is_draft(&self) -> bool {
        self.draft.is_some()
    }

    /// Stages a document of a role.
    pub(super) fn stage(&self, role: &str, document: &Document) -> Result<(), RepositoryError> {
        match &self.draft {
            Some(draft) => {
                draft.staged().insert(role.to_owned(), Some(document.to_bytes()));
                Ok(())
            }
            None => super::open::write_document(&self.staged_file(role), document),
        }
    }

    /// Gives up what is staged of a role.
    pub(super) fn unstage(&self, role: &str) -> Result<(), RepositoryError> {
        match &self.draft {
            Some(draft) => {
                draft.staged().insert(role.to_owned(), None);
                Ok(())
            }
            None => Ok(files::remove(&self.staged_file(role))?),
        }
    }

    /// The staged document of a role. What is wrong with it is told of what is staged.
    pub(super) fn read_staged(&self, role: &str) -> Result<Option<Document>, RepositoryError> {
        let file = self.staged_file(role);
        let read = match &self.draft {
            None => read_of(role, &file),
            Some(draft) => match (draft.staged().get(role), draft.on) {
                (Some(Some(bytes)), _) => {
                    let opened = Document::open(bytes.clone());
                    opened.map(Some).map_err(|source| RepositoryError::Document { file, source })
                }
                (Some(None), _) | (None, DraftOn::Published) => Ok(None),
                (None, DraftOn::Staged) => read_of(role, &file),
            },
        };
        read.map_err(|source| RepositoryError::Staged { role: role.to_owned(), source: Box::new(source) })
    }

    /// The published metadata.
    pub(super) fn metadata(&self) -> PathBuf {
        self.root.join("metadata")
    }

    /// The published targets.
    pub(super) fn targets(&self) -> PathBuf {
        self.root.join("targets")
    }

    /// What is staged.
    pub(super) fn staged(&self) -> PathBuf {
        self.root.join("staged")
    }

    /// The staged document of a role.
    pub(super) fn staged_file(&self, role: &str) -> PathBuf {
        let file = match RoleName::delegated(role) {
            Some(name) => name.file(),
            None => format!("{role}.json"),
        };
        self.staged().join(file)
    }

    /// The published document of a role at a version; that of a timestamp has none in its name. A web server decodes the percent-encoding
    /// of a request, so that the name stands here as it is.
    pub(super) fn published_file(&self, role: &str, version: u64) -> Result<PathBuf, RepositoryError> {
        if role == "timestamp" {
            return Ok(self.metadata().join("timestamp.json"));
        }
        if role.contains(['/', '\\', '\0']) {
            let source = EditError::RoleName { role: role.to_owned(), reason: "it would be no name of a file" };
            return Err(RepositoryError::Edit(source));
        }
        Ok(self.metadata().join(format!("{version}.{role}.json")))
    }
}

/// Reads a document; `None` if it is not there.
pub(super) fn read(path: &Path) -> Result<Option<Document>, RepositoryError> {
    read_at_most(path, MAX_DOCUMENT)
}

/// Reads a document of at most `limit` bytes; `None` if it is not there.
pub(super) fn read_at_most(path: &Path, limit: u64) -> Result<Option<Document>, RepositoryError> {
    let Some(bytes) = files::read(path, limit)? else { return Ok(None) };
    Document::open(bytes).map(Some).map_err(|source| RepositoryError::Document { file: path.to_owned(), source })
}

/// As [`read`], of a document that is of the role's kind: nobody is to sign a root who means to sign a snapshot.
fn read_of(role: &str, path: &Path) -> Result<Option<Document>, RepositoryError> {
    let Some(document) = read(path)? else { return Ok(None) };
    edit::check_role(&document, role).map_err(|source| RepositoryError::Document { file: path.to_owned(), source })?;
    Ok(Some(document))
}

/// The state of a repository, read as it is asked for.
pub(super) struct State {
    pub(super) folders: Folders,
    /// The versions of the roots that are published.
    pub(super) roots: BTreeSet<u64>,
    /// What the published snapshot lists.
    pub(super) listed: BTreeMap<String, FileMeta>,
    published: BTreeMap<String, Option<Document>>,
    staged: BTreeMap<String, Option<Document>>,
    ignore_staged: bool,
    /// Whom targets roles delegate to, as far as it was asked for.
    families: BTreeMap<String, Option<Rc<Family>>>,
    /// Roles of which what is staged is published already.
    pub(super) left: BTreeSet<String>,
}

/// Where a role is described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seat {
    /// In the root.
    Root(TopLevel),
    /// In the delegations of this targets role.
    Delegated {
        /// The delegator.
        by: String,
        /// Whether it is the prefix of succinct bins.
        prefix: bool,
    },
}

/// The delegations of a targets role.
pub(super) struct Family {
    pub(super) delegations: Delegations,
    /// The delegated roles and their keys, in the order of the search; of succinct bins all.
    pub(super) children: Vec<(String, RoleKeys)>,
    /// Where each is among the children.
    places: BTreeMap<String, usize>,
    /// Where delegations by patterns are among [`Delegations::roles`], and those by hash prefixes, by prefix.
    patterns: Vec<usize>,
    prefixes: BTreeMap<String, Vec<usize>>,
}

impl Family {
    fn new(delegations: Delegations) -> Self {
        let bins = delegations.succinct.iter().flat_map(|bins| {
            (0..1_u64 << bins.bit_length.min(16))
                .filter_map(|bin| Some((bins.name(u32::try_from(bin).ok()?).as_str().to_owned(), bins.keys.clone())))
        });
        let roles = delegations.roles.iter().map(|role| (role.name.as_str().to_owned(), role.keys.clone()));
        let children: Vec<(String, RoleKeys)> = bins.chain(roles).collect();
        let places = children.iter().enumerate().map(|(place, (name, _))| (name.clone(), place)).collect();
        let (mut patterns, mut prefixes): (_, BTreeMap<String, Vec<usize>>) = (Vec::new(), BTreeMap::new());
        for (place, role) in delegations.roles.iter().enumerate() {
            match &role.paths {
                Paths::HashPrefixes(of_role) => of_role.iter().for_each(|prefix| prefixes.entry(prefix.clone()).or_default().push(place)),
                _ => patterns.push(place),
            }
        }
        Self { delegations, children, places, patterns, prefixes }
    }

    /// The roles that a search for a target goes on to, in their order, and whether the last one's delegation is terminating.
    pub(super) fn covering(&self, path: &TargetPath) -> (Vec<String>, bool) {
        let roles = self.delegations_for(path);
        let terminating = roles.iter().position(|role| role.terminating);
        let taken = terminating.map_or(roles.len(), |last| last + 1);
        let bin = self.delegations.succinct.iter().map(|bins| bins.bin(path).as_str().to_owned());
        (bin.chain(roles.into_iter().take(taken).map(|role| role.name.as_str().to_owned())).collect(), terminating.is_some())
    }

    /// As [`covering`](Self::covering), if no delegation were terminating.
    pub(super) fn all_covering(&self, path: &TargetPath) -> Vec<String> {
        let bin = self.delegations.succinct.iter().map(|bins| bins.bin(path).as_str().to_owned());
        bin.chain(self.delegations_for(path).into_iter().map(|role| role.name.as_str().to_owned())).collect()
    }

    fn delegations_for(&self, path: &TargetPath) -> Vec<&Delegation> {
        let role = |place: &usize| self.delegations.roles.get(*place);
        let mut places: BTreeSet<usize> =
            self.patterns.iter().copied().filter(|place| role(place).is_some_and(|role| role.covers(path))).collect();
        if !self.prefixes.is_empty() {
            let hash = path.hash().hex();
            let of_prefix = (0..=hash.len()).filter_map(|length| self.prefixes.get(hash.get(..length)?));
            places.extend(of_prefix.flatten());
        }
        places.iter().filter_map(role).collect()
    }

    /// The names of the delegated roles.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.children.iter().map(|(name, _)| name.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    fn mandate(&self, name: &str) -> Option<Mandate> {
        let (_, keys) = self.children.get(*self.places.get(name)?)?;
        Some(Mandate::of_delegation(keys, &self.delegations))
    }
}

/// A targets role, as the search comes to it.
#[derive(Clone, Debug)]
pub(super) struct Visited {
    pub(super) name: String,
    /// Its delegator; `None` of the top-level targets.
    pub(super) by: Option<String>,
    /// Who signs for it, by its delegator's current document.
    pub(super) mandate: Mandate,
}

impl State {
    /// What is published and what is staged.
    pub(super) fn read(folders: &Folders) -> Result<Self, RepositoryError> {
        let (published, staged) = (BTreeMap::new(), BTreeMap::new());
        let roots = roots(&folders.metadata())?;
        let mut state = Self {
            folders: folders.clone(),
            roots,
            listed: BTreeMap::new(),
            published,
            staged,
            ignore_staged: false,
            families: BTreeMap::new(),
            left: BTreeSet::new(),
        };
        let root = match state.roots.last() {
            Some(version) => Some(state.last_root(*version)?),
            None => None,
        };
        if let Some(root) = &root
            && root.value("consistent_snapshot").ok().flatten().as_ref().and_then(Value::as_bool) != Some(true)
        {
            return Err(RepositoryError::NotConsistent { folder: folders.root.clone() });
        }
        let file = folders.published_file("timestamp", 0)?;
        let timestamp = read_of("timestamp", &file)?;
        if timestamp.is_none() && was_published(folders)? {
            return Err(RepositoryError::Missing { file });
        }
        let malformed = |file: PathBuf| move |source| RepositoryError::Document { file, source };
        let entry = timestamp.as_ref().map(edit::timestamp_entry).transpose().map_err(malformed(file))?.flatten();
        let mut snapshot = entry.map(|entry| state.required("snapshot", entry.version)).transpose()?;
        if let Some(snapshot) = &mut snapshot {
            let file = folders.published_file("snapshot", snapshot.version()?)?;
            state.listed = edit::snapshot_entries(snapshot).map_err(malformed(file))?;
        }
        for (role, document) in [("root", root), ("snapshot", snapshot), ("timestamp", timestamp)] {
            state.published.insert(role.to_owned(), document);
        }
        Ok(state)
    }

    /// The same, as if nothing were staged.
    pub(super) fn without_staged(&self) -> Result<Self, RepositoryError> {
        let mut state = Self::read(&self.folders)?;
        state.ignore_staged = true;
        Ok(state)
    }

    /// Takes no staged document any more, besides those that were asked for.
    pub(super) fn ignore_staged(&mut self) {
        self.ignore_staged = true;
        self.families.clear();
    }

    /// The published document of this version, which must be there.
    fn required(&self, role: &str, version: u64) -> Result<Document, RepositoryError> {
        let file = self.folders.published_file(role, version)?;
        let document = read_of(role, &file)?.ok_or_else(|| RepositoryError::Missing { file: file.clone() })?;
        if document.version()? == version {
            return Ok(document);
        }
        Err(RepositoryError::Document {
            file,
            source: EditError::Malformed { what: "`version`, which is not that of the file's name,".to_owned() },
        })
    }

    /// The last root, which the one before it, if there is any, and itself must have signed: a file's name makes none.
    fn last_root(&self, version: u64) -> Result<Document, RepositoryError> {
        let root = self.required("root", version)?;
        let before = version.checked_sub(1).filter(|before| self.roots.contains(before));
        let before = before.map(|before| self.required("root", before)).transpose()?;
        for by in before.iter().chain([&root]) {
            if Mandate::of_root(by, TopLevel::Root)?.standing(&root)?.missing() > 0 {
                return Err(RepositoryError::NoRoot { file: self.folders.published_file("root", version)?, by: by.version()? });
            }
        }
        Ok(root)
    }

    /// The version of a role that is published.
    pub(super) fn published_version(&self, name: &str) -> Result<Option<u64>, RepositoryError> {
        if let Some(Some(document)) = self.published.get(name) {
            return Ok(Some(document.version()?));
        }
        Ok(self.listed.get(&format!("{name}.json")).map(|entry| entry.version))
    }

    /// The published document of a role.
    pub(super) fn published(&mut self, name: &str) -> Result<Option<&Document>, RepositoryError> {
        if !self.published.contains_key(name) {
            let document = self.published_version(name)?.map(|version| self.required(name, version)).transpose()?;
            self.published.insert(name.to_owned(), document);
        }
        Ok(self.published.get(name).and_then(Option::as_ref))
    }

    /// The staged document of a role.
    pub(super) fn staged(&mut self, name: &str) -> Result<Option<&Document>, RepositoryError> {
        if !self.staged.contains_key(name) {
            let mut staged = if self.ignore_staged { None } else { self.folders.read_staged(name)? };
            // A publish that was interrupted after its last step but one leaves what it has published.
            if let Some(document) = &staged
                && self.published_version(name)? == Some(document.version()?)
                && self.published(name)?.is_some_and(|published| published.says_the_same_as(document))
            {
                self.left.insert(name.to_owned());
                staged = None;
            }
            self.staged.insert(name.to_owned(), staged);
        }
        Ok(self.staged.get(name).and_then(Option::as_ref))
    }

    /// As [`staged`](Self::staged), which must have been made for what is published now.
    pub(super) fn fresh(&mut self, name: &str) -> Result<Option<&Document>, RepositoryError> {
        let published = self.published_version(name)?.unwrap_or_default();
        let staged = self.staged(name)?.map(Document::version).transpose()?;
        match staged {
            Some(staged) if staged != published.saturating_add(1) => {
                Err(RepositoryError::Stale { role: name.to_owned(), staged, published })
            }
            _ => self.staged(name),
        }
    }

    /// The staged document of a role, which this then knows nothing of any more: a large one is not copied.
    pub(super) fn take_staged(&mut self, name: &str) -> Result<Option<Document>, RepositoryError> {
        self.staged(name)?;
        Ok(self.staged.insert(name.to_owned(), None).flatten())
    }

    /// The published document of a role, which this then reads again if it is asked for.
    pub(super) fn take_published(&mut self, name: &str) -> Result<Option<Document>, RepositoryError> {
        self.published(name)?;
        Ok(self.published.remove(name).flatten())
    }

    /// The document of a role that is in force once everything is published.
    pub(super) fn current(&mut self, name: &str) -> Result<Option<&Document>, RepositoryError> {
        if self.staged(name)?.is_some() { self.staged(name) } else { self.published(name) }
    }

    /// Both documents of a role, as far as they were read.
    pub(super) fn both(&self, name: &str) -> (Option<&Document>, Option<&Document>) {
        (self.published.get(name).and_then(Option::as_ref), self.staged.get(name).and_then(Option::as_ref))
    }

    /// Takes note of what is staged of a role now.
    pub(super) fn put_staged(&mut self, name: &str, document: Option<Document>) {
        self.families.remove(name);
        self.put_back(name, document);
    }

    /// As [`put_staged`](Self::put_staged), of what says the same as before.
    pub(super) fn put_back(&mut self, name: &str, document: Option<Document>) {
        self.staged.insert(name.to_owned(), document);
    }

    /// Reads the documents of a role again when they are asked for.
    pub(super) fn forget(&mut self, name: &str) {
        self.staged.remove(name);
        if name != "root" {
            self.published.remove(name);
        }
    }

    /// The version that the next document of a role has.
    pub(super) fn next_version(&self, name: &str) -> Result<u64, RepositoryError> {
        let published = self.published_version(name)?.unwrap_or_default();
        published.checked_add(1).ok_or(RepositoryError::Edit(EditError::Version { version: published }))
    }

    /// The root that is in force once everything is published.
    pub(super) fn root(&mut self) -> Result<&Document, RepositoryError> {
        let folder = self.folders.root.clone();
        self.current("root")?.ok_or(RepositoryError::NotThere { folder })
    }

    /// Who signs for a top-level role, by the root that is in force once everything is published.
    pub(super) fn top_level(&mut self, role: TopLevel) -> Result<Mandate, RepositoryError> {
        Ok(Mandate::of_root(self.root()?, role)?)
    }

    /// The delegations of a targets role, as they are once everything is published.
    pub(super) fn family(&mut self, name: &str) -> Result<Option<Rc<Family>>, RepositoryError> {
        if let Some(known) = self.families.get(name) {
            return Ok(known.clone());
        }
        let delegations = self.current(name)?.map(edit::delegations).transpose()?.flatten();
        let family = delegations.map(|delegations| Rc::new(Family::new(delegations)));
        self.families.insert(name.to_owned(), family.clone());
        Ok(family)
    }

    /// Every targets role, from the top-level one down, each once, as its first delegator has it.
    pub(super) fn tree(&mut self) -> Result<Vec<Visited>, RepositoryError> {
        let mandate = self.top_level(TopLevel::Targets)?;
        let mut visited = vec![Visited { name: "targets".to_owned(), by: None, mandate }];
        let mut seen = BTreeSet::from(["targets".to_owned()]);
        let mut next = 0;
        while let Some(name) = visited.get(next).map(|role| role.name.clone()) {
            next += 1;
            let Some(family) = self.family(&name)? else { continue };
            for (child, keys) in &family.children {
                if seen.insert(child.clone()) {
                    let mandate = Mandate::of_delegation(keys, &family.delegations);
                    visited.push(Visited { name: child.clone(), by: Some(name.clone()), mandate });
                }
            }
        }
        Ok(visited)
    }

    /// That none of these roles delegates to one that another role delegates to as well: whose keys count would hang on the path that a
    /// search takes.
    pub(super) fn each_once(&mut self, by: &[&str]) -> Result<(), RepositoryError> {
        let mut delegators: BTreeMap<String, String> = BTreeMap::from([("targets".to_owned(), String::new())]);
        for role in self.tree()? {
            let Some(family) = self.family(&role.name)? else { continue };
            for child in family.names() {
                let Some(other) = delegators.insert(child.to_owned(), role.name.clone()) else { continue };
                if by.contains(&role.name.as_str()) || by.contains(&other.as_str()) {
                    return Err(RepositoryError::DelegatedTwice { role: child.to_owned(), by: [other, role.name] });
                }
            }
        }
        Ok(())
    }

    /// Where a role is described.
    pub(super) fn seat(&mut self, name: &str) -> Result<Seat, RepositoryError> {
        if let Some(role) = TopLevel::ALL.into_iter().find(|role| role.name() == name) {
            return Ok(Seat::Root(role));
        }
        let prefixed = |family: &Family| family.delegations.succinct.as_ref().is_some_and(|bins| bins.name_prefix == name);
        let found = self.first_delegator(|family| prefixed(family) || family.has(name))?;
        let (by, family) = found.ok_or_else(|| RepositoryError::NoSuchRole { role: name.to_owned() })?;
        Ok(Seat::Delegated { by, prefix: prefixed(&family) })
    }

    /// The first role whose delegations are what is looked for. Breadth first: nearly always the top-level targets know.
    pub(super) fn first_delegator(&mut self, is: impl Fn(&Family) -> bool) -> Result<Option<(String, Rc<Family>)>, RepositoryError> {
        let mut ahead = VecDeque::from(["targets".to_owned()]);
        let mut seen: BTreeSet<String> = ahead.iter().cloned().collect();
        while let Some(by) = ahead.pop_front() {
            let Some(family) = self.family(&by)? else { continue };
            if is(&family) {
                return Ok(Some((by, family)));
            }
            ahead.extend(family.names().filter(|child| seen.insert((*child).to_owned())).map(str::to_owned));
        }
        Ok(None)
    }

    /// Who signs for a targets role.
    pub(super) fn mandate(&mut self, name: &str) -> Result<Mandate, RepositoryError> {
        match self.seat(name)? {
            Seat::Root(role) => self.top_level(role),
            Seat::Delegated { by, .. } => {
                let found = self.family(&by)?.and_then(|family| family.mandate(name));
                found.ok_or_else(|| RepositoryError::Bins { role: name.to_owned() })
            }
        }
    }

    /// The names of the roles that are staged.
    pub(super) fn staged_names(&mut self) -> Result<Vec<String>, RepositoryError> {
        let mut names = Vec::new();
        if self.staged("root")?.is_some() {
            names.push("root".to_owned());
        }
        for role in self.tree()? {
            if self.staged(&role.name)?.is_some() {
                names.push(role.name);
            }
        }
        for role in ["snapshot", "timestamp"] {
            if self.staged(role)?.is_some() {
                names.push(role.to_owned());
            }
        }
        Ok(names)
    }
}

/// Whether a repository without a timestamp had one: it has published more than a first publish that was interrupted leaves, of which the
/// first root is still staged.
fn was_published(folders: &Folders) -> Result<bool, RepositoryError> {
    let folder = folders.metadata();
    if !files::is_folder(&folder)? {
        return Ok(false);
    }
    let failed = |source| touchmark_oci::Error::Io { action: "list", path: folder.clone(), source };
    let mut first = false;
    for entry in std::fs::read_dir(&folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let version = name.to_str().and_then(|name| name.strip_suffix(".snapshot.json").or_else(|| name.strip_suffix(".root.json")));
        match version {
            Some("1") => first = true,
            Some(_) => return Ok(true),
            None => {}
        }
    }
    let begun = || read(&folders.staged_file("root")).ok().flatten().and_then(|root| root.version().ok()) == Some(1);
    Ok(first && !begun())
}

/// The versions of the roots in a folder, without those behind a gap: no client comes to them.
fn roots(folder: &Path) -> Result<BTreeSet<u64>, RepositoryError> {
    let mut versions = BTreeSet::new();
    if !files::is_folder(folder)? {
        return Ok(versions);
    }
    let failed = |source| touchmark_oci::Error::Io { action: "list", path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let version: Option<u64> = name.to_str().and_then(|name| name.strip_suffix(".root.json")).and_then(|version| version.parse().ok());
        versions.extend(version);
    }
    let first = versions.first().copied().unwrap_or_default();
    Ok(versions.iter().zip(first..).take_while(|(found, expected)| **found == *expected).map(|(found, _)| *found).collect())
}
