//! A trust root over folders, HTTP and OCI artifacts (design level 2): its metadata is brought up to date, and names are looked up in it.
//!
//! A root.json that the caller trusts opens a [store](StoreChoice), in which what was accepted stays, so that nothing older is accepted
//! later. Nothing here decides anything: [`TrustRoot::standing`] is what the decision of [`touchmark_trust`] is made by.

use std::collections::BTreeSet;
use std::path::PathBuf;

use touchmark_envelope::digest::Digests;
use touchmark_envelope::{Digest, Name, UnixTime};
use touchmark_oci::files::Lock;
use touchmark_trust::{Standing, StandingError, standing};
use touchmark_tuf::{Class, Client, Error, Index, Mode, Settings, Step};

use crate::tuf::{Fetch, UpdateClass, UpdateError, fetched};

mod artifact;
mod home;
mod keep;
mod put;
mod served;
mod target;

pub use artifact::{ARTIFACT_TYPE, LAYER_TYPE, TrustArtifact, trust_repositories};
use home::{Home, Opened};
use keep::{Keep, Overlay};
pub use put::TrustFiles;
pub use served::{folders, source};
pub use target::MAX_TARGET;

/// Where what was accepted is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreChoice {
    /// Among the stores of this folder, the one whose root history has the root. If it cannot be written, nothing is kept, and a
    /// [note](Note::NotKept) says so.
    Among(PathBuf),
    /// In this folder. That it cannot be written is an error.
    At(PathBuf),
    /// Nowhere.
    Nowhere,
}

/// How a trust root is updated.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TrustSettings {
    /// Where what is accepted is kept.
    pub store: StoreChoice,
    /// The client's limits.
    pub client: Settings,
    /// Judge as of this time, and keep nothing.
    pub at: Option<UnixTime>,
    /// What the source does not say anew is not accepted from the store.
    pub require_fresh: bool,
}

impl TrustSettings {
    /// With this store, and nothing else out of the ordinary.
    pub fn new(store: StoreChoice) -> Self {
        Self { store, client: Settings::default(), at: None, require_fresh: false }
    }

    /// Judges as of `at`, and keeps nothing.
    #[must_use]
    pub fn at(self, at: UnixTime) -> Self {
        Self { at: Some(at), ..self }
    }

    /// Accepts nothing that the source does not confirm now.
    #[must_use]
    pub fn require_fresh(self) -> Self {
        Self { require_fresh: true, ..self }
    }

    fn in_mode(&self, mode: Mode) -> Settings {
        let mut client = self.client;
        // A role here has thousands of targets and not millions: it is read whole.
        (client.index, client.mode) = (Index::None, mode);
        client
    }
}

/// What a user should know of how the metadata came to be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// There was no store before, or there is none: older metadata, if it has not expired, would have been accepted too.
    NoHistory,
    /// The store could not be written, and why.
    NotKept(String),
    /// The source could not be reached: the store's metadata was taken, which was last confirmed then.
    NotRefreshed {
        /// When; `None` if that is not known.
        since: Option<UnixTime>,
        /// Why not.
        why: String,
    },
    /// Judged as of a time that the caller gave.
    AsOf(UnixTime),
    /// The clock is behind the last update that was accepted, whose time was taken.
    ClockBehind {
        /// The clock's.
        clock: UnixTime,
        /// The time that was taken.
        taken: UnixTime,
    },
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoHistory => f.write_str("no rollback history: what this root's repository said before is not known here"),
            Self::NotKept(why) => write!(f, "no rollback history: what was accepted could not be kept ({why})"),
            Self::NotRefreshed { since: Some(since), why } => write!(f, "not refreshed since {since}: {why}"),
            Self::NotRefreshed { since: None, why } => write!(f, "not refreshed: {why}"),
            Self::AsOf(at) => write!(f, "as of {at}"),
            Self::ClockBehind { clock, taken } => write!(f, "the clock says {clock}, before the last accepted update; taken is {taken}"),
        }
    }
}

/// Why a trust root says nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustRootError {
    /// The metadata could not be brought up to date, or searched.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// What is ours in the metadata is not to be trusted.
    #[error(transparent)]
    Standing(#[from] StandingError),
    /// A store that is named has a history without the root.
    #[error("{}: this store was not begun with this root, and its root history does not have it", folder.display())]
    AnotherHistory {
        /// The store.
        folder: PathBuf,
    },
    /// A file of a store is not as it was written.
    #[error("{}: damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A file of a repository is no metadata.
    #[error("{file}: it is no metadata of a repository")]
    NotMetadata {
        /// The file.
        file: String,
    },
    /// A target is listed as larger than what is read whole.
    #[error("{path}: it is listed with {length} bytes, and {limit} are the limit")]
    LargeTarget {
        /// The target.
        path: String,
        /// The length listed.
        length: u64,
        /// The limit.
        limit: u64,
    },
    /// A manifest is none of a trust repository.
    #[error("{digest} is no trust repository: {reason}")]
    NotATrustRepository {
        /// Its digest.
        digest: Digest,
        /// What is wrong.
        reason: &'static str,
    },
}

impl From<Error> for TrustRootError {
    fn from(error: Error) -> Self {
        Self::Update(error.into())
    }
}

impl TrustRootError {
    /// What it means to the caller.
    pub fn class(&self) -> UpdateClass {
        match self {
            Self::Update(error) => error.class(),
            Self::Standing(error) if error.class() == touchmark_trust::Class::UntrustedMetadata => UpdateClass::Untrusted,
            Self::Standing(_) | Self::Damaged { .. } | Self::LargeTarget { .. } => UpdateClass::Unknown,
            Self::AnotherHistory { .. } => UpdateClass::Usage,
            Self::NotMetadata { .. } => UpdateClass::Untrusted,
            Self::NotATrustRepository { .. } => UpdateClass::WrongContent,
        }
    }

    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Update(error) => error.code(),
            Self::Standing(error) => error.code(),
            Self::AnotherHistory { .. } => "trust-another-history",
            Self::Damaged { .. } => "trust-store-damaged",
            Self::NotMetadata { .. } => "trust-no-metadata",
            Self::LargeTarget { .. } => "target-too-large",
            Self::NotATrustRepository { .. } => "trust-no-repository",
        }
    }
}

/// A trust root whose metadata is up to date, as far as its [notes](Self::notes) do not say otherwise.
pub struct TrustRoot<'s> {
    client: Client,
    source: &'s dyn Fetch,
    keep: Box<dyn Keep>,
    /// Where it keeps what it trusts, if it does.
    home: Option<Home>,
    notes: Vec<Note>,
    /// None where nothing is written.
    lock: Option<Lock>,
}

impl std::fmt::Debug for TrustRoot<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrustRoot").field("source", &self.source.location()).field("notes", &self.notes).finish_non_exhaustive()
    }
}

impl<'s> TrustRoot<'s> {
    /// Brings the metadata that `root`, which the caller trusts, leads to up to what `source` offers at the time `now`.
    ///
    /// The time that is judged by is the later one of `now` and the last update that the store accepted. If the source cannot be reached,
    /// and nothing newer was accepted from it, the store's metadata is taken as it is.
    ///
    /// # Errors
    /// The metadata is not to be trusted, has expired, or could not be had; a named store cannot be used.
    pub fn open(root: &[u8], source: &'s dyn Fetch, settings: &TrustSettings, now: UnixTime) -> Result<Self, TrustRootError> {
        let mut notes = Vec::new();
        let place = Place::choose(root, settings, &mut notes)?;
        let (keep, home, lock) = place.open(root, settings, &mut notes)?;
        let updated = home.as_ref().map(Home::updated).transpose()?.flatten();
        let at = match (settings.at, updated) {
            (Some(at), _) => {
                notes.push(Note::AsOf(at));
                at
            }
            (None, Some(updated)) if updated > now => {
                notes.push(Note::ClockBehind { clock: now, taken: updated });
                updated
            }
            (None, _) => now,
        };
        let mut client = Client::new(settings.in_mode(Mode::Online), at);
        if let Err(error) = drive(&mut client, source, keep.as_ref(), home.as_ref()) {
            if home.is_none() || settings.require_fresh || error.class() != UpdateClass::Unknown {
                return Err(error);
            }
            client = Client::new(settings.in_mode(Mode::StoreOnly), at);
            match drive(&mut client, source, keep.as_ref(), None) {
                Ok(()) => notes.push(Note::NotRefreshed { since: updated, why: error.to_string() }),
                // What is known has expired, whatever could not be asked.
                Err(TrustRootError::Update(UpdateError::Metadata(expired))) if expired.class() == Class::Expired => {
                    return Err(expired.into());
                }
                // So it is with a timestamp that was accepted, and leads to what cannot be had.
                Err(_) => return Err(error),
            }
        } else if let (Some(home), Some(_)) = (&home, &lock) {
            // What is judged as of another time, or not kept, is no update.
            home.update(at)?;
        }
        Ok(Self { client, source, keep, home, notes, lock })
    }

    /// What the metadata says of a name.
    ///
    /// # Errors
    /// A role that the search must visit is not to be trusted, has expired or could not be had; what is ours in one is malformed.
    pub fn standing(&mut self, name: &Name) -> Result<Standing, TrustRootError> {
        self.client.look_up(&name.into())?;
        drive(&mut self.client, self.source, self.keep.as_ref(), None)?;
        Ok(Standing::of(&mut self.client, name)?)
    }

    /// The versions of the name `path` that entries and seals have for an artifact with these digests, of the roles that a search for the
    /// path visits.
    ///
    /// # Errors
    /// As for [`standing`](Self::standing).
    pub fn versions(&mut self, path: &Name, digests: &Digests) -> Result<BTreeSet<Name>, TrustRootError> {
        self.client.look_up(&path.into())?;
        drive(&mut self.client, self.source, self.keep.as_ref(), None)?;
        let search = self.client.found().ok_or(Error::NotReady)?;
        Ok(standing::versions(&self.client, &search, path.path(), digests)?)
    }

    /// What a user should know.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// What is trusted.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

/// The one of several sources whose metadata, verified from `root` at the time `now`, is the newest: older metadata beside it changes nothing.
/// `None` if there is no source.
///
/// # Errors
/// Of several none has metadata that is to be trusted; why the last has none. One alone is not looked at.
pub fn newest<'f>(
    root: &[u8],
    sources: impl IntoIterator<Item = &'f dyn Fetch>,
    settings: &TrustSettings,
    now: UnixTime,
) -> Result<Option<&'f dyn Fetch>, TrustRootError> {
    let sources: Vec<_> = sources.into_iter().collect();
    if let [one] = sources.as_slice() {
        // Whether it is to be trusted shows when it is opened.
        return Ok(Some(*one));
    }
    let mut settings = settings.clone();
    settings.store = StoreChoice::Nowhere;
    let (mut best, mut failed) = (None, None);
    for source in sources {
        match TrustRoot::open(root, source, &settings, now) {
            Ok(found) => {
                let version = |header: Option<u64>| header.unwrap_or_default();
                let root = version(found.client.root().map(|root| root.get().header().version));
                let timestamp = version(found.client.timestamp().map(|timestamp| timestamp.get().header().version));
                if best.as_ref().is_none_or(|(known, _)| *known < (root, timestamp)) {
                    best = Some(((root, timestamp), source));
                }
            }
            Err(error) => failed = Some(error),
        }
    }
    match (best, failed) {
        (Some((_, source)), _) => Ok(Some(source)),
        (None, Some(error)) => Err(error),
        (None, None) => Ok(None),
    }
}

/// Where trusted metadata is read and kept.
enum Place {
    /// In this store.
    Kept(Opened),
    /// This store is read, and what is new is in memory.
    Read(Opened),
    /// In memory.
    Memory,
}

type Parts = (Box<dyn Keep>, Option<Home>, Option<Lock>);

impl Place {
    fn choose(root: &[u8], settings: &TrustSettings, notes: &mut Vec<Note>) -> Result<Self, TrustRootError> {
        let existing = match (&settings.store, settings.at) {
            (StoreChoice::Nowhere, _) => None,
            // A look at another time makes no store.
            (StoreChoice::At(folder), Some(_)) => Home::existing_at(folder, root)?,
            (StoreChoice::Among(base), Some(_)) => Home::existing(base, root)?,
            (StoreChoice::At(folder), None) => return Home::at(folder, root).map(Place::Kept),
            (StoreChoice::Among(base), None) => match Home::of(base, root) {
                Ok(opened) => return Ok(Place::Kept(opened)),
                Err(error @ (TrustRootError::Damaged { .. } | TrustRootError::AnotherHistory { .. })) => return Err(error),
                Err(error) => {
                    notes.push(Note::NotKept(error.to_string()));
                    None
                }
            },
        };
        Ok(existing.map_or(Place::Memory, Place::Read))
    }

    /// What keeps the metadata, the store, and its lock if it is written.
    fn open(self, root: &[u8], settings: &TrustSettings, notes: &mut Vec<Note>) -> Result<Parts, TrustRootError> {
        let opened = match self {
            Self::Memory => {
                notes.push(Note::NoHistory);
                return Ok((Box::new(Overlay::of_root(root)), None, None));
            }
            Self::Read(opened) => opened,
            Self::Kept(opened) => match opened.home.lock(&opened.metadata) {
                Ok(lock) => {
                    if opened.is_new {
                        notes.push(Note::NoHistory);
                    }
                    return Ok((Box::new(opened.metadata), Some(opened.home), Some(lock)));
                }
                Err(error) if matches!(settings.store, StoreChoice::At(_)) => return Err(error),
                Err(error) => {
                    notes.push(Note::NotKept(error.to_string()));
                    opened
                }
            },
        };
        Ok((Box::new(Overlay::over(opened.metadata)), Some(opened.home), None))
    }
}

/// Does what the client says. A root that is to be stored in `home` opens it from then on.
fn drive(client: &mut Client, source: &dyn Fetch, keep: &dyn Keep, home: Option<&Home>) -> Result<(), TrustRootError> {
    loop {
        let step = client.step()?;
        let answer = match step {
            Step::Done => return Ok(()),
            Step::Fetch { path, limit } => fetched(source.fetch(path, limit)),
            step => {
                if let (Step::Store { file: "root.json", bytes }, Some(home)) = (&step, home) {
                    home.remember(bytes)?;
                }
                keep.answer(&step).ok_or(Error::WrongAnswer)?
            }
        };
        client.answer(answer);
    }
}

#[cfg(test)]
mod tests;
