//! `--root`: the trust root that decides, where its metadata comes from, and which versions of a name are tried.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use touchmark::envelope::digest::Digests;
use touchmark::envelope::name::Wanted;
use touchmark::oci::access::Access;
use touchmark::oci::error::Error as StoreError;
use touchmark::oci::source::Source;
use touchmark::trust::standing::Standing;
use touchmark::trust_root::{self, Note, StoreChoice, TrustArtifact, TrustRoot, TrustRootError, TrustSettings};
use touchmark::tuf::{Fetch, Settings, UpdateClass, UpdateError};
use touchmark::{Digest, Name, Policy, Reference, UnixTime};

use crate::check;
use crate::exit::Exit;
use crate::options::Wants;
use crate::output::Failure;

/// So many versions of a name are tried.
const MAX_VERSIONS: usize = 64;

/// What `--root`, `--trust`, `--store` and `--require-fresh` say, read once.
#[derive(Debug)]
pub(crate) struct RootJudge {
    root: Vec<u8>,
    wanted: Wanted,
    place: TrustPlace,
    settings: TrustSettings,
    annotations: Vec<(String, String)>,
    types: Vec<String>,
    now: UnixTime,
    /// How places are reached.
    access: Access,
    /// What was found out before, by the place of the metadata and the name.
    known: RefCell<BTreeMap<(String, Name), Standing>>,
    notes: RefCell<Vec<Note>>,
}

/// Policies of which one suffices.
pub(crate) struct Alternatives {
    pub(crate) policies: Vec<Policy>,
    /// Why not, should none of them accept it, if that is not what they say.
    pub(crate) otherwise: Option<Failure>,
}

/// Where the trust repository is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum TrustPlace {
    /// Where `--trust` says.
    Named(TrustSource),
    /// Among the artifacts of the place that the artifact is in.
    Beside,
}

impl RootJudge {
    /// Reads the root, and finds the store.
    pub(crate) fn new(wants: &Wants, now: UnixTime) -> Result<Option<Self>, Failure> {
        let Some(input) = &wants.root else { return Ok(None) };
        let root = check::read(input, "--root", Settings::default().limits.root)?;
        let Some(wanted) = wants.name.clone() else { return Err(Failure::usage(NO_NAME)) };
        let wanted = if wants.any_version { wanted.any_version() } else { wanted };
        let place = wants.trust.as_deref().map(TrustSource::read).transpose()?.map_or(TrustPlace::Beside, TrustPlace::Named);
        let mut settings = TrustSettings::new(store(wants.store.as_deref()));
        settings.at = wants.at;
        settings.require_fresh = wants.require_fresh;
        Ok(Some(Self {
            root,
            wanted,
            place,
            settings,
            annotations: check::annotations(&wants.annotations)?
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            types: wants.types.clone(),
            now,
            access: Access::default(),
            known: RefCell::default(),
            notes: RefCell::default(),
        }))
    }

    /// Reaches registries and servers so.
    pub(crate) fn reach(&mut self, access: &Access) {
        self.access = access.clone();
    }

    /// What a user should know of the metadata, each once.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.borrow().iter().map(ToString::to_string).collect()
    }

    /// The policies of which one must accept the artifact whose signatures decide: one for an exact name, for any version one for each that is
    /// known of it. With none, the refusal.
    pub(crate) fn policies(&self, source: &dyn Source, subject: &Digest) -> Result<Alternatives, Failure> {
        let (names, otherwise) = match &self.wanted {
            Wanted::Exact(name) => (BTreeSet::from([name.clone()]), None),
            Wanted::AnyVersion(path) => self.versions(source, subject, path)?,
        };
        let mut policies = Vec::new();
        let mut missing: Vec<Name> = Vec::new();
        for name in names {
            match self.known(source, &name) {
                Some(standing) => policies.push(self.policy(standing)),
                None => missing.push(name),
            }
        }
        if !missing.is_empty() {
            let standings =
                self.with_root(source, |trust| missing.iter().map(|name| trust.standing(name)).collect::<Result<Vec<_>, _>>())?;
            for standing in standings {
                self.known.borrow_mut().insert((self.location(source), standing.name().clone()), standing.clone());
                policies.push(self.policy(standing));
            }
        }
        Ok(Alternatives { policies, otherwise })
    }

    fn policy(&self, standing: Standing) -> Policy {
        let mut policy = Policy::trust(standing);
        for (key, value) in &self.annotations {
            policy = policy.annotation(key, value);
        }
        for predicate_type in &self.types {
            policy = policy.predicate_type(predicate_type);
        }
        policy
    }

    fn location(&self, source: &dyn Source) -> String {
        match &self.place {
            TrustPlace::Beside => source.location(),
            _ => String::new(),
        }
    }

    fn known(&self, source: &dyn Source, name: &Name) -> Option<Standing> {
        self.known.borrow().get(&(self.location(source), name.clone())).cloned()
    }

    /// The versions that the artifact's own signatures claim, and those that the metadata has for it; and the refusal that is left if none of
    /// them is accepted and there may be others, or there is none.
    fn versions(&self, source: &dyn Source, subject: &Digest, path: &Name) -> Result<(BTreeSet<Name>, Option<Failure>), Failure> {
        let limit = touchmark::trust::Limits::default().manifest;
        let bytes = source.manifest(subject, limit).map_err(|error| Failure::from(&error))?;
        let mut names = self.with_root(source, |trust| trust.versions(path, &Digests::of(&bytes)))?;
        let attached = touchmark::attachments(source, subject).map_err(|error| Failure::from(&error))?;
        for evidence in &attached.evidence {
            let claims = evidence.claims.as_ref().map(|claims| claims.untrusted());
            let name = claims.and_then(|claims| claims.name.as_deref()?.parse::<Name>().ok());
            names.extend(name.filter(|name| self.wanted.accepts(name)));
        }
        let wanted = &self.wanted;
        let otherwise = if names.len() > MAX_VERSIONS {
            let message = format!("it is said to be more than {MAX_VERSIONS} versions of {}", path.path());
            Some(Failure::new(Exit::Unknown, "versions", message).hint("--name with the version"))
        } else if !attached.complete {
            Some(Failure::new(Exit::Unknown, "incomplete", format!("not all that is attached could be looked at for versions of {wanted}")))
        } else if !names.is_empty() {
            None
        } else if attached.evidence.is_empty() {
            Some(Failure::new(Exit::Unsigned, "unsigned", format!("no version of {wanted} is listed for it, and no signature found")))
        } else {
            Some(Failure::new(Exit::NotVerified, "no-version", format!("it is neither listed nor signed as {wanted}")))
        };
        Ok((names.into_iter().take(MAX_VERSIONS).collect(), otherwise))
    }

    /// Opens the trust root for one question. Its store is free for others afterwards.
    fn with_root<T>(&self, source: &dyn Source, ask: impl FnOnce(&mut TrustRoot<'_>) -> Result<T, TrustRootError>) -> Result<T, Failure> {
        match &self.place {
            TrustPlace::Named(named) => named.with(&self.access, |fetch| self.ask(fetch, ask)),
            TrustPlace::Beside => {
                let found = trust_root::trust_repositories(source).map_err(|error| beside(source, &error))?;
                let opened = found.into_iter().filter_map(|digest| TrustArtifact::open(source, digest).ok()).collect::<Vec<_>>();
                let fetches = opened.iter().map(|one| -> &dyn Fetch { one });
                let newest = trust_root::newest(&self.root, fetches, &self.settings, self.now).map_err(|error| failure(&error))?;
                self.ask(newest.ok_or_else(|| nothing_beside(source))?, ask)
            }
        }
    }

    fn ask<T>(&self, fetch: &dyn Fetch, ask: impl FnOnce(&mut TrustRoot<'_>) -> Result<T, TrustRootError>) -> Result<T, Failure> {
        let mut trust = TrustRoot::open(&self.root, fetch, &self.settings, self.now).map_err(|error| failure(&error))?;
        let answer = ask(&mut trust).map_err(|error| failure(&error))?;
        let mut notes = self.notes.borrow_mut();
        for note in trust.notes() {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
        Ok(answer)
    }
}

/// What is said where `--root` has no `--name`.
pub(crate) const NO_NAME: &str = "--root needs --name: a trust root says who owns which names";

/// What `--trust` names.
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
    /// Exit 2: it is none of them.
    pub fn read(text: &str) -> Result<Self, Failure> {
        let path = Path::new(text);
        let metadata = path.join("metadata");
        if metadata.is_dir() && !text.contains("://") {
            let metadata = metadata.into_os_string().into_string();
            return metadata.map(Self::Repository).map_err(|_| Failure::usage(format!("--trust {text}: not UTF-8")));
        }
        if text.contains("://") || text.starts_with(['.', '/', '~']) || path.is_dir() {
            return Ok(Self::Repository(text.to_owned()));
        }
        text.parse().map(Self::Artifact).map_err(|error| {
            let hint = "a folder (./DIR), a URL, or the REF of a trust repository";
            Failure::usage(format!("--trust {text}: {}", StoreError::from(error))).hint(hint)
        })
    }

    /// Opens it for one use.
    ///
    /// # Errors
    /// It is not there, or no trust repository; what `act` says.
    pub fn with<T>(&self, access: &Access, act: impl FnOnce(&dyn Fetch) -> Result<T, Failure>) -> Result<T, Failure> {
        match self {
            Self::Repository(text) => {
                let fetch = trust_root::source(text, access).map_err(|error| failure(&error.into()))?;
                act(fetch.as_ref())
            }
            Self::Artifact(reference) => {
                let place = touchmark::open_with(reference, access).map_err(|error| Failure::from(&error))?;
                let resolved = place.resolve(reference.tag(), reference.digest()).map_err(|error| Failure::from(&error))?;
                let digest = reference.digest().copied().unwrap_or(resolved.digest);
                let fetch = TrustArtifact::open(place.as_ref(), digest).map_err(|error| failure(&error))?;
                act(&fetch)
            }
        }
    }
}

/// Reads `--store`, or finds the user's stores.
fn store(text: Option<&str>) -> StoreChoice {
    match text {
        Some("none") => StoreChoice::Nowhere,
        Some(folder) => StoreChoice::At(PathBuf::from(folder)),
        None => stores().map_or(StoreChoice::Nowhere, StoreChoice::Among),
    }
}

/// Where a user's trust stores are (XDG Base Directory Specification).
fn stores() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local").join("share")));
    data.map(|data| data.join("touchmark").join("trust"))
}

fn beside(source: &dyn Source, error: &StoreError) -> Failure {
    let mut failure = Failure::from(error);
    failure.hint = failure.hint.or_else(|| nothing_beside(source).hint);
    failure
}

fn nothing_beside(source: &dyn Source) -> Failure {
    let message = format!("{}: no trust repository is there", source.location());
    Failure::new(Exit::Unknown, "trust-nowhere", message).hint("--trust DIR|URL|REF says where it is")
}

/// What the failure of a trust root ends a command with.
pub fn failure(error: &TrustRootError) -> Failure {
    match error {
        TrustRootError::Update(update) => Failure::from(update),
        _ => Failure::new(Exit::from(error.class()), error.code(), error.to_string()),
    }
}

impl From<UpdateClass> for Exit {
    fn from(class: UpdateClass) -> Self {
        match class {
            UpdateClass::Usage => Self::Usage,
            UpdateClass::Untrusted => Self::UntrustedMetadata,
            UpdateClass::WrongContent => Self::Malformed,
            _ => Self::Unknown,
        }
    }
}

impl From<&UpdateError> for Failure {
    fn from(error: &UpdateError) -> Self {
        let mut failure = Self::new(Exit::from(error.class()), error.code(), error.to_string());
        failure.hint = error.hint();
        failure.retryable = error.is_retryable();
        failure
    }
}
