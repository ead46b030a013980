//! A trust root that is asked of any number of artifacts: each update and each search is done once.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use touchmark_envelope::digest::Digests;
use touchmark_envelope::name::Wanted;
use touchmark_envelope::{Digest, Name, UnixTime};
use touchmark_oci::access::Access;
use touchmark_oci::reference::Reference;
use touchmark_oci::source::Source;
use touchmark_trust::{Limits, Standing};
use touchmark_tuf::{Failure, TargetPath};

use super::PolicyError;
use crate::trust_root::{self, Note, TrustArtifact, TrustRoot, TrustRootError, TrustSettings, Trusted};
use crate::tuf::Fetch;

/// So many versions of a name are tried.
const MAX_VERSIONS: usize = 64;
/// So many standings are remembered at most: which names are asked for, others may say, by the versions that they claim.
const MAX_STANDINGS: usize = 1024;

/// Where a trust repository is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustSource {
    /// A folder or a URL.
    Repository(String),
    /// An OCI artifact.
    Artifact(Reference),
}

impl TrustSource {
    /// Reads a folder, as `touchmark trust` leaves it or as it is served, a URL, or the REF of an OCI artifact.
    ///
    /// # Errors
    /// It is none of them.
    pub fn read(text: &str) -> Result<Self, PolicyError> {
        let path = Path::new(text);
        let metadata = path.join("metadata");
        if metadata.is_dir() && !text.contains("://") {
            let metadata = metadata.into_os_string().into_string();
            return metadata.map(Self::Repository).map_err(|_| PolicyError::BadTrustSource { text: text.to_owned(), error: None });
        }
        if text.contains("://") || text.starts_with(['.', '/', '~']) || path.is_dir() {
            return Ok(Self::Repository(text.to_owned()));
        }
        let bad = |error| PolicyError::BadTrustSource { text: text.to_owned(), error: Some(Box::new(error)) };
        text.parse().map(Self::Artifact).map_err(bad)
    }

    /// Opens it for one use.
    ///
    /// # Errors
    /// It is not there, or no trust repository; what `act` says.
    pub fn with<T, E: From<PolicyError>>(&self, access: &Access, act: impl FnOnce(&dyn Fetch) -> Result<T, E>) -> Result<T, E> {
        match self {
            Self::Repository(text) => {
                let fetch = trust_root::source(text, access).map_err(|error| PolicyError::Trust(error.into()))?;
                act(fetch.as_ref())
            }
            Self::Artifact(reference) => {
                let place = crate::open_with(reference, access).map_err(PolicyError::Store)?;
                let resolved = place.resolve(reference.tag(), reference.digest()).map_err(PolicyError::Store)?;
                let digest = reference.digest().copied().unwrap_or(resolved.digest);
                let fetch = TrustArtifact::open(place.as_ref(), digest).map_err(PolicyError::Trust)?;
                act(&fetch)
            }
        }
    }
}

/// Files of trust repositories by the place and the path, or that none is listed.
type Files = BTreeMap<(String, TargetPath), Option<Vec<u8>>>;

/// A root that is trusted, where its metadata is, and where what is accepted of it is kept.
#[derive(Debug)]
pub struct TrustAnchor {
    of: Anchored,
    access: Access,
    /// What was found out, by the place of the metadata.
    standings: RefCell<BTreeMap<(String, Name), Standing>>,
    files: RefCell<Files>,
    notes: RefCell<Vec<Note>>,
    /// The state that what was found out is of, by the place of the metadata.
    states: RefCell<BTreeMap<String, State>>,
    /// The artifact whose metadata was asked last, by the place that it is in.
    besides: RefCell<BTreeMap<String, Digest>>,
    /// How often a place had another state than before.
    changes: Cell<u64>,
    /// The trust root as the last question left it, and the place of its metadata.
    open: RefCell<Option<(String, Trusted)>>,
}

/// What is asked.
#[derive(Debug)]
enum Anchored {
    /// The metadata that a root leads to.
    Root(Box<Root>),
    /// A trust root that stays as it was opened.
    Opened(Box<RefCell<TrustRoot<'static>>>),
}

#[derive(Debug)]
struct Root {
    root: Vec<u8>,
    /// None: among the artifacts of the place that the artifact is in.
    place: Option<TrustSource>,
    settings: TrustSettings,
    now: UnixTime,
}

/// What has nothing, and knows whether it was asked: such a question opens the trust root anew.
#[derive(Default)]
struct Nowhere(AtomicBool);

impl Fetch for Nowhere {
    fn fetch(&self, _: &str, _: u64) -> Result<Option<Vec<u8>>, Failure> {
        self.0.store(true, Ordering::Relaxed);
        Err(Failure::Unavailable("it is not held".to_owned()))
    }

    fn location(&self) -> String {
        "what is known".to_owned()
    }
}

/// The versions of root, timestamp and snapshot.
type State = [Option<u64>; 3];

/// The names that an artifact is tried under, of which one suffices.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) names: BTreeSet<Name>,
    /// Why not, should none of them be accepted, if that is not what they say.
    pub(super) otherwise: Option<PolicyError>,
}

impl TrustAnchor {
    /// A root.json, its bytes, and where its metadata is; among the artifacts of the place that the artifact is in unless `place` says.
    pub fn new(root: Vec<u8>, place: Option<TrustSource>, settings: TrustSettings, now: UnixTime) -> Self {
        Self::of(Anchored::Root(Box::new(Root { root, place, settings, now })))
    }

    /// A trust root that is open, and is asked as it is. Its source must not ask by this.
    pub fn opened(trust: TrustRoot<'static>) -> Self {
        Self::of(Anchored::Opened(Box::new(RefCell::new(trust))))
    }

    fn of(of: Anchored) -> Self {
        let (standings, files, notes) = (RefCell::default(), RefCell::default(), RefCell::default());
        let (states, besides, changes, open) = (RefCell::default(), RefCell::default(), Cell::default(), RefCell::default());
        Self { of, access: Access::default(), standings, files, notes, states, besides, changes, open }
    }

    /// Asks the trust root that was [open](Self::opened) something else; nothing of any other.
    pub fn ask_opened<T>(&self, ask: impl FnOnce(&mut TrustRoot<'static>) -> T) -> Option<T> {
        match &self.of {
            Anchored::Opened(trust) => Some(ask(&mut trust.borrow_mut())),
            Anchored::Root(_) => None,
        }
    }

    /// Reaches registries and servers so.
    pub fn reach(&mut self, access: &Access) {
        self.access = access.clone();
    }

    /// What a user should know of the metadata, each once.
    pub fn notes(&self) -> Vec<Note> {
        match &self.of {
            Anchored::Opened(trust) => trust.borrow().notes().to_vec(),
            Anchored::Root(_) => self.notes.borrow().clone(),
        }
    }

    /// The artifact of `source` whose metadata was asked, if it was among the artifacts there.
    pub(super) fn beside(&self, source: &dyn Source) -> Option<Digest> {
        self.besides.borrow().get(&source.location()).copied()
    }

    /// How often a place had another state than before, and what was found out until then was forgotten. What was decided while this grew may
    /// rest on two states.
    pub(super) fn changes(&self) -> u64 {
        self.changes.get()
    }

    /// What the metadata says of these names, and a file that the top-level targets role lists (`None` if it lists none under this path), in one
    /// update for all that was not asked before. That the file cannot be had is told beside what is known of the names.
    pub(super) fn learn(
        &self,
        source: &dyn Source,
        names: &BTreeSet<Name>,
        path: &TargetPath,
    ) -> Result<Result<Option<Vec<u8>>, PolicyError>, PolicyError> {
        let at = self.location(source);
        let known = |name: &&Name| self.standings.borrow().contains_key(&(at.clone(), (*name).clone()));
        let names: Vec<&Name> = names.iter().filter(|name| !known(name)).collect();
        let had = self.files.borrow().get(&(at.clone(), path.clone())).cloned();
        if let (true, Some(file)) = (names.is_empty(), &had) {
            return Ok(Ok(file.clone()));
        }
        self.with_root(source, |trust| {
            for &name in &names {
                let standing = trust.standing(name)?;
                self.remember((at.clone(), name.clone()), standing);
            }
            // Of another state than this one nothing is left.
            let had = self.files.borrow().get(&(at.clone(), path.clone())).cloned();
            let file = match had {
                Some(file) => Ok(file),
                None => trust.target(path),
            };
            if let Ok(file) = &file {
                self.files.borrow_mut().insert((at.clone(), path.clone()), file.clone());
            }
            Ok(file.map_err(PolicyError::Trust))
        })
    }

    /// What the metadata says of a name.
    pub(super) fn standing(&self, source: &dyn Source, name: &Name) -> Result<Standing, PolicyError> {
        let key = (self.location(source), name.clone());
        if let Some(known) = self.standings.borrow().get(&key) {
            return Ok(known.clone());
        }
        let standing = self.with_root(source, |trust| trust.standing(name))?;
        self.remember(key, standing.clone());
        Ok(standing)
    }

    /// What was forgotten is asked for again.
    fn remember(&self, key: (String, Name), standing: Standing) {
        let mut standings = self.standings.borrow_mut();
        if standings.len() >= MAX_STANDINGS {
            standings.clear();
        }
        standings.insert(key, standing);
    }

    /// A file that the top-level targets role lists; `None` if it lists none under this path.
    pub(super) fn file(&self, source: &dyn Source, path: &TargetPath) -> Result<Option<Vec<u8>>, PolicyError> {
        self.learn(source, &BTreeSet::new(), path)?
    }

    /// The names that the artifact whose signatures decide is tried under.
    pub(super) fn names(&self, source: &dyn Source, subject: &Digest, wanted: &Wanted) -> Result<Names, PolicyError> {
        match wanted {
            Wanted::Exact(name) => Ok(Names { names: BTreeSet::from([name.clone()]), otherwise: None }),
            Wanted::AnyVersion(path) => self.versions(source, subject, wanted, path),
        }
    }

    /// The versions that the artifact's own signatures claim, and those that the metadata has for it; and the refusal that is left if none of
    /// them is accepted and there may be others, or there is none.
    fn versions(&self, source: &dyn Source, subject: &Digest, wanted: &Wanted, path: &Name) -> Result<Names, PolicyError> {
        let bytes = source.manifest(subject, Limits::default().manifest).map_err(PolicyError::Store)?;
        let listed = self.with_root(source, |trust| trust.versions(path, &Digests::of(&bytes)))?;
        let attached = crate::attachments(source, subject).map_err(PolicyError::Store)?;
        let claimed = attached.evidence.iter().filter_map(|evidence| {
            let claims = evidence.claims.as_ref()?.untrusted();
            claims.name.as_deref()?.parse::<Name>().ok().filter(|name| wanted.accepts(name) && !listed.contains(name))
        });
        let claimed: BTreeSet<Name> = claimed.collect();
        // What anybody may claim leaves out nothing that the metadata lists.
        let names: Vec<Name> = listed.into_iter().chain(claimed).collect();
        let wanted = wanted.clone();
        let otherwise = if names.len() > MAX_VERSIONS {
            Some(PolicyError::ManyVersions { wanted, limit: MAX_VERSIONS })
        } else if !attached.complete {
            Some(PolicyError::VersionsUnknown { wanted })
        } else if !names.is_empty() {
            None
        } else if attached.evidence.is_empty() {
            Some(PolicyError::Unsigned { wanted })
        } else {
            Some(PolicyError::NoVersion { wanted })
        };
        Ok(Names { names: names.into_iter().take(MAX_VERSIONS).collect(), otherwise })
    }

    /// What was found out is of this place.
    fn location(&self, source: &dyn Source) -> String {
        match &self.of {
            Anchored::Root(root) if root.place.is_none() => source.location(),
            Anchored::Root(_) | Anchored::Opened(_) => String::new(),
        }
    }

    /// Asks one question of the trust root as it was opened for the one before, or else opens it. Its store is free for others afterwards.
    fn with_root<T>(&self, source: &dyn Source, ask: impl Fn(&mut TrustRoot<'_>) -> Result<T, TrustRootError>) -> Result<T, PolicyError> {
        let Root { root, place, settings, now } = match &self.of {
            Anchored::Opened(trust) => return ask(&mut trust.borrow_mut()).map_err(PolicyError::Trust),
            Anchored::Root(root) => root.as_ref(),
        };
        let at = self.location(source);
        if let Some((place, trusted)) = self.open.take().filter(|(place, _)| *place == at) {
            let nowhere = Nowhere::default();
            let mut trust = TrustRoot::again(trusted, &nowhere);
            let answer = ask(&mut trust);
            if let (Ok(answer), false) = (answer, nowhere.0.load(Ordering::Relaxed)) {
                self.open.replace(Some((place, trust.detach())));
                return Ok(answer);
            }
            // What it asks for beyond that goes to the store, and the store may have other metadata by now.
        }
        match place {
            Some(named) => named.with(&self.access, |fetch| self.ask(at, TrustRoot::open(root, fetch, settings, *now), ask)),
            None => {
                let beside = |error| PolicyError::Beside { location: source.location(), error: Box::new(error) };
                let found = trust_root::trust_repositories(source).map_err(beside)?;
                let opened = found.digests.into_iter().filter_map(|digest| TrustArtifact::open(source, digest).ok()).collect::<Vec<_>>();
                let fetches = opened.iter().map(|one| -> &dyn Fetch { one });
                let newest = match trust_root::newest(root, fetches, settings, *now) {
                    // It may be one of those that were not looked at.
                    Ok(None) | Err(_) if found.more => return Err(PolicyError::ManyBeside { location: source.location() }),
                    newest => newest.map_err(PolicyError::Trust)?,
                };
                let newest = newest.ok_or_else(|| PolicyError::TrustNowhere { location: source.location() })?;
                if let Some(one) = opened.iter().find(|one| one.location() == newest.location()) {
                    self.besides.borrow_mut().insert(at.clone(), one.digest());
                }
                self.ask(at, TrustRoot::open(root, newest, settings, *now), ask)
            }
        }
    }

    fn ask<T>(
        &self,
        at: String,
        opened: Result<TrustRoot<'_>, TrustRootError>,
        ask: impl Fn(&mut TrustRoot<'_>) -> Result<T, TrustRootError>,
    ) -> Result<T, PolicyError> {
        let mut trust = opened.map_err(PolicyError::Trust)?;
        self.note_state(at.clone(), &trust);
        let answer = ask(&mut trust).map_err(PolicyError::Trust)?;
        let mut notes = self.notes.borrow_mut();
        for note in trust.notes() {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
        self.open.replace(Some((at, trust.detach())));
        Ok(answer)
    }

    /// Forgets what was found out of another state of this place.
    fn note_state(&self, at: String, trust: &TrustRoot<'_>) {
        let client = trust.client();
        let state = [
            client.root().map(|root| root.get().header().version),
            client.timestamp().map(|timestamp| timestamp.get().header().version),
            client.snapshot().map(|snapshot| snapshot.get().header().version),
        ];
        let before = self.states.borrow_mut().insert(at.clone(), state);
        if before.is_some_and(|before| before != state) {
            self.standings.borrow_mut().retain(|(place, _), _| *place != at);
            self.files.borrow_mut().retain(|(place, _), _| *place != at);
            self.changes.set(self.changes.get().saturating_add(1));
        }
    }
}

#[cfg(test)]
#[cfg(feature = "sign")]
mod tests {
    use touchmark_oci::layout::Layout;
    use touchmark_test_tuf_repository::{NOW, Repository};

    use super::*;
    use crate::testing::Folder;
    use crate::trust_root::{StoreChoice, folder};

    #[test]
    fn a_trust_root_that_stays_open_remembers_so_many_standings() {
        let place = Folder::new();
        let mut repository = Repository::new();
        repository.publish();
        repository.write_to(&place.path("trust")).unwrap();
        let layout = Layout::open_or_create(place.path("lay")).unwrap();
        let metadata = folder(place.path("trust/metadata").to_str().unwrap());
        let now = UnixTime::from_seconds(NOW).unwrap();
        let root = repository.file("1.root.json");
        let trust = TrustRoot::owning(root, metadata, &TrustSettings::new(StoreChoice::Nowhere), now).unwrap();
        let anchor = TrustAnchor::opened(trust);
        let path = TargetPath::new("_touchmark/policy.json").unwrap();
        let name = |number: usize| format!("acme/tool:{number}").parse::<Name>().unwrap();
        for number in 0..=MAX_STANDINGS {
            let names = BTreeSet::from([name(number), name(number + 1)]);
            assert_eq!(anchor.learn(&layout, &names, &path).unwrap().unwrap(), None);
            assert!(anchor.standings.borrow().len() <= MAX_STANDINGS);
        }
        assert_eq!(anchor.standing(&layout, &name(0)).unwrap().name(), &name(0));
    }
}
