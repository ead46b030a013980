//! How a trust root is opened, whichever way its source is read: what comes before the source is asked, and what after.

use core::time::Duration;

use touchmark_envelope::UnixTime;
use touchmark_oci::files::Lock;
use touchmark_trust::standing::Members;
use touchmark_tuf::{Class, Client, Mode};

use super::home::{Home, Opened};
use super::keep::{Keep, Overlay};
use super::{Note, StoreChoice, TrustRootError, TrustSettings, advance};
use crate::tuf::{UpdateClass, UpdateError};

/// An update of a trust root that has begun.
pub(super) struct Opening {
    pub(super) client: Client,
    pub(super) keep: Box<dyn Keep>,
    /// The store, if there is one.
    pub(super) home: Option<Home>,
    settings: TrustSettings,
    notes: Vec<Note>,
    /// None where nothing is written.
    lock: Option<Lock>,
    /// When the last update was accepted before this one.
    updated: Option<UnixTime>,
    /// Whether something may be held of earlier updates.
    is_known: bool,
    at: UnixTime,
}

/// A trust root whose metadata is up to date, as far as the notes do not say otherwise.
pub(crate) struct Trusted {
    pub(super) client: Client,
    /// What is ours in it, as far as it was read.
    pub(super) members: Members,
    pub(super) keep: Box<dyn Keep>,
    /// Where it keeps what it trusts, if it does.
    pub(super) home: Option<Home>,
    pub(super) notes: Vec<Note>,
    /// None where nothing is written.
    pub(super) lock: Option<Lock>,
    /// Whether what was accepted went to a store.
    pub(super) is_written: bool,
}

/// What was accepted in memory.
pub(super) struct Memory {
    pub(super) keep: Box<dyn Keep>,
    /// When the last update was accepted.
    pub(super) updated: Option<UnixTime>,
}

impl Opening {
    /// Begins with a root, which opens a store if there is to be one; who else updates that is waited for.
    pub(super) fn begin(root: &[u8], settings: &TrustSettings, now: UnixTime, patience: Duration) -> Result<Self, TrustRootError> {
        let mut notes = Vec::new();
        let place = Place::choose(root, settings, &mut notes)?;
        let (keep, home, lock) = place.open(root, settings, patience, &mut notes)?;
        let updated = home.as_ref().map(Home::updated).transpose()?.flatten();
        let is_known = home.is_some();
        Ok(Self { home, lock, is_known, ..Self::with(keep, updated, settings, now, notes) })
    }

    /// Begins with what earlier updates left in memory.
    pub(super) fn resume(memory: Memory, settings: &TrustSettings, now: UnixTime) -> Self {
        let Memory { keep, updated } = memory;
        Self { is_known: true, ..Self::with(keep, updated, settings, now, vec![Note::NoHistory]) }
    }

    fn with(keep: Box<dyn Keep>, updated: Option<UnixTime>, settings: &TrustSettings, now: UnixTime, mut notes: Vec<Note>) -> Self {
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
        let client = Client::new(settings.in_mode(Mode::Online), at);
        Self { client, keep, home: None, settings: settings.clone(), notes, lock: None, updated, is_known: false, at }
    }

    /// Does what the client says until something is to be fetched: its path, and how many bytes at most.
    pub(super) fn advance(&mut self) -> Result<Option<(String, u64)>, TrustRootError> {
        advance(&mut self.client, self.keep.as_ref(), self.home.as_ref())
    }

    /// What the update came to. If the source could not be asked, what was known before is taken as it is. A failure has what it leaves in
    /// memory beside it.
    pub(super) fn settle(mut self, outcome: Result<(), TrustRootError>) -> Result<Trusted, (TrustRootError, Option<Memory>)> {
        let settled = match outcome {
            Ok(()) => self.accept(),
            Err(error) => self.fall_back(error),
        };
        match settled {
            Ok(()) => Ok(Trusted {
                is_written: self.lock.is_some(),
                client: self.client,
                members: Members::default(),
                keep: self.keep,
                home: self.home,
                notes: self.notes,
                lock: self.lock,
            }),
            Err(error) => Err((error, self.give_up())),
        }
    }

    /// What an update that was given up leaves in memory; nothing where it goes to a store.
    pub(super) fn give_up(self) -> Option<Memory> {
        self.lock.is_none().then_some(Memory { keep: self.keep, updated: self.updated })
    }

    fn accept(&self) -> Result<(), TrustRootError> {
        match (&self.home, &self.lock) {
            (Some(home), Some(_)) => home.update(self.at),
            // What is judged as of another time, or not kept, is no update.
            _ => Ok(()),
        }
    }

    fn fall_back(&mut self, error: TrustRootError) -> Result<(), TrustRootError> {
        if !self.is_known || self.settings.require_fresh || error.class() != UpdateClass::Unknown {
            return Err(error);
        }
        self.client = Client::new(self.settings.in_mode(Mode::StoreOnly), self.at);
        match advance(&mut self.client, self.keep.as_ref(), None) {
            Ok(None) => self.notes.push(Note::NotRefreshed { since: self.updated, why: error.to_string() }),
            // What is known has expired, whatever could not be asked.
            Err(TrustRootError::Update(UpdateError::Metadata(expired))) if expired.class() == Class::Expired => {
                return Err(expired.into());
            }
            // So it is with a timestamp that was accepted, and leads to what cannot be had.
            Ok(Some(_)) | Err(_) => return Err(error),
        }
        Ok(())
    }
}

impl std::fmt::Debug for Trusted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trusted").field("notes", &self.notes).finish_non_exhaustive()
    }
}

impl Trusted {
    /// Whether the source said so just now.
    pub(super) fn is_fresh(&self) -> bool {
        !self.notes.iter().any(|note| matches!(note, Note::NotRefreshed { .. }))
    }

    /// Lets others update the store. What is searched for from now on is kept in memory.
    pub(super) fn detach(self) -> Self {
        Self { keep: self.keep.detach(), lock: None, ..self }
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
    fn open(self, root: &[u8], settings: &TrustSettings, patience: Duration, notes: &mut Vec<Note>) -> Result<Parts, TrustRootError> {
        let opened = match self {
            Self::Memory => {
                notes.push(Note::NoHistory);
                return Ok((Box::new(Overlay::of_root(root)), None, None));
            }
            Self::Read(opened) => opened,
            Self::Kept(opened) => match opened.home.lock(&opened.metadata, patience) {
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
