//! A trust root over folders, HTTP and OCI artifacts (design level 2): its metadata is brought up to date, and names are looked up in it.
//!
//! A root.json that the caller trusts opens a [store](StoreChoice), in which what was accepted stays, so that nothing older is accepted
//! later. Nothing here decides anything: [`TrustRoot::standing`] is what the decision of [`touchmark_trust`] is made by.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use touchmark_envelope::digest::Digests;
use touchmark_envelope::{Digest, Name, UnixTime};
use touchmark_trust::{Standing, StandingError, standing};
use touchmark_tuf::{Client, Error, Index, Mode, Settings, Step, TargetPath};

use crate::tuf::{Fetch, UpdateClass, UpdateError, fetched};

mod artifact;
#[cfg(feature = "async")]
mod asynchronous;
mod home;
#[cfg_attr(not(feature = "async"), allow(dead_code, reason = "what lives longer than an update is asynchronous"))]
mod keep;
#[cfg(feature = "async")]
mod memo;
mod newest;
#[cfg_attr(not(feature = "async"), allow(dead_code, reason = "as for `keep`"))]
mod opening;
mod put;
mod served;
#[cfg(feature = "async")]
mod state;
mod target;

pub use artifact::{ARTIFACT_TYPE, LAYER_TYPE, MAX_BESIDE, TrustArtifact, TrustBeside, trust_repositories};
#[cfg(feature = "async")]
pub use asynchronous::AsyncTrustRoot;
use home::Home;
use keep::Keep;
pub use newest::newest;
use opening::Opening;
pub(crate) use opening::Trusted;
pub use put::TrustFiles;
pub use served::{folder, folders, source};
#[cfg(feature = "async")]
pub use state::{StateSettings, TrustState};
pub use target::{MAX_TARGET, TARGETS};

/// How long one who opens a store waits for another.
const PATIENCE: Duration = Duration::from_secs(60);

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
    source: Asked<'s>,
    trusted: Trusted,
}

/// The source that is asked.
enum Asked<'s> {
    Lent(&'s dyn Fetch),
    Owned(Box<dyn Fetch>),
}

impl Asked<'_> {
    fn get(&self) -> &dyn Fetch {
        match self {
            Self::Lent(source) => *source,
            Self::Owned(source) => source.as_ref(),
        }
    }
}

impl std::fmt::Debug for TrustRoot<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrustRoot").field("source", &self.source.get().location()).field("notes", &self.notes()).finish_non_exhaustive()
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
        let trusted = brought_up(root, source, settings, now)?;
        Ok(Self { source: Asked::Lent(source), trusted })
    }

    /// As [`open`](Self::open), with a source that is its own: for who keeps a trust root beside other things.
    ///
    /// # Errors
    /// The same.
    pub fn owning(
        root: &[u8],
        source: Box<dyn Fetch>,
        settings: &TrustSettings,
        now: UnixTime,
    ) -> Result<TrustRoot<'static>, TrustRootError> {
        let trusted = brought_up(root, source.as_ref(), settings, now)?;
        Ok(TrustRoot { source: Asked::Owned(source), trusted })
    }

    /// What the metadata says of a name.
    ///
    /// # Errors
    /// A role that the search must visit is not to be trusted, has expired or could not be had; what is ours in one is malformed.
    pub fn standing(&mut self, name: &Name) -> Result<Standing, TrustRootError> {
        self.search(&name.into())?;
        Ok(Standing::among(&mut self.trusted.members, &mut self.trusted.client, name)?)
    }

    /// The versions of the name `path` that entries and seals have for an artifact with these digests, of the roles that a search for the
    /// path visits.
    ///
    /// # Errors
    /// As for [`standing`](Self::standing).
    pub fn versions(&mut self, path: &Name, digests: &Digests) -> Result<BTreeSet<Name>, TrustRootError> {
        self.search(&path.into())?;
        let search = self.trusted.client.found().ok_or(Error::NotReady)?;
        Ok(standing::versions(&mut self.trusted.members, &self.trusted.client, &search, path.path(), digests)?)
    }

    /// What is trusted, for further questions. Others may update its store.
    pub(crate) fn detach(self) -> Trusted {
        self.trusted.detach()
    }

    /// Goes on with what is trusted.
    pub(crate) fn again(trusted: Trusted, source: &'s dyn Fetch) -> Self {
        Self { source: Asked::Lent(source), trusted }
    }

    fn search(&mut self, target: &TargetPath) -> Result<(), TrustRootError> {
        self.trusted.client.look_up(target)?;
        drive(&mut self.trusted.client, self.source.get(), self.trusted.keep.as_ref(), None)
    }

    /// What a user should know.
    pub fn notes(&self) -> &[Note] {
        &self.trusted.notes
    }

    /// What is trusted.
    pub fn client(&self) -> &Client {
        &self.trusted.client
    }
}

/// What `root` leads to, as far as `source` has it.
fn brought_up(root: &[u8], source: &dyn Fetch, settings: &TrustSettings, now: UnixTime) -> Result<Trusted, TrustRootError> {
    let mut opening = Opening::begin(root, settings, now, PATIENCE)?;
    let outcome = drive(&mut opening.client, source, opening.keep.as_ref(), opening.home.as_ref());
    opening.settle(outcome).map_err(|(error, _)| error)
}

/// Does what the client says. A root that is to be stored in `home` opens it from then on.
fn drive(client: &mut Client, source: &dyn Fetch, keep: &dyn Keep, home: Option<&Home>) -> Result<(), TrustRootError> {
    while let Some((path, limit)) = advance(client, keep, home)? {
        client.answer(fetched(source.fetch(&path, limit)));
    }
    Ok(())
}

/// As [`drive`], until something is to be fetched: its path, and how many bytes at most.
fn advance(client: &mut Client, keep: &dyn Keep, home: Option<&Home>) -> Result<Option<(String, u64)>, TrustRootError> {
    loop {
        let step = client.step()?;
        let answer = match step {
            Step::Done => return Ok(None),
            Step::Fetch { path, limit } => return Ok(Some((path.to_owned(), limit))),
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
