//! The blocking driver.

use touchmark_envelope::{UnixTime, Verified};
use touchmark_oci::files::Lock;
use touchmark_tuf::metadata::Root;
use touchmark_tuf::{Answer, Client, Error, Failure, Found, LookUp, Settings, Step, TargetPath};

use super::error::UpdateError;
use super::fetch::Fetch;
use super::store::MetadataStore;

/// A client whose metadata is fresh, and the lock of its store, which it holds as long as it lives: drop it before downloads.
#[derive(Debug)]
pub struct Updater<'a> {
    pub(super) client: Client,
    pub(super) store: &'a MetadataStore,
    _lock: Lock,
}

impl<'a> Updater<'a> {
    /// Brings `store` up to what `source` offers, at the time `at`: root, timestamp, snapshot and the top-level targets. Nothing is asked
    /// of `source` in [`Mode::StoreOnly`](touchmark_tuf::Mode).
    ///
    /// # Errors
    /// The metadata is not to be trusted, or not to be had, or the store cannot be written. What was verified before is stored.
    pub fn refresh(settings: Settings, at: UnixTime, source: &dyn Fetch, store: &'a MetadataStore) -> Result<Self, UpdateError> {
        let mut updater = Self::begin(settings, at, store)?;
        updater.drive(source)?;
        Ok(updater)
    }

    pub(super) fn begin(settings: Settings, at: UnixTime, store: &'a MetadataStore) -> Result<Self, UpdateError> {
        Ok(Self { client: Client::new(settings, at), store, _lock: store.lock()? })
    }

    /// Searches for `target`, fetching the delegated roles that it needs from `source`, the same as before.
    ///
    /// # Errors
    /// A role that the search must visit is not to be trusted or not to be had, or there are too many. Then it is not known whether the
    /// target is listed; another search can follow.
    pub fn look_up(&mut self, source: &dyn Fetch, target: &TargetPath) -> Result<LookUp, UpdateError> {
        self.client.look_up(target)?;
        self.drive(source)?;
        Ok(self.client.found().ok_or(Error::NotReady)?)
    }

    /// As [`look_up`](Self::look_up), of a target that must be listed.
    ///
    /// # Errors
    /// As for `look_up`; [`UpdateError::NoSuchTarget`].
    pub fn target(&mut self, source: &dyn Fetch, target: &TargetPath) -> Result<Found, UpdateError> {
        self.look_up(source, target)?.found.ok_or_else(|| UpdateError::NoSuchTarget { target: target.clone() })
    }

    /// What is trusted.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the repository has consistent snapshots, as the root says, so that targets have their digest in their names.
    pub fn has_consistent_snapshots(&self) -> bool {
        self.client.root().map(Verified::get).is_some_and(Root::consistent_snapshot)
    }

    fn drive(&mut self, source: &dyn Fetch) -> Result<(), Error> {
        loop {
            let step = self.client.step()?;
            let answer = match step {
                Step::Done => return Ok(()),
                Step::Fetch { path, limit } => fetched(source.fetch(path, limit)),
                step => self.store.answer(&step).ok_or(Error::WrongAnswer)?,
            };
            self.client.answer(answer);
        }
    }
}

pub(super) fn fetched(outcome: Result<Option<Vec<u8>>, Failure>) -> Answer {
    match outcome {
        Ok(Some(bytes)) => Answer::Bytes(bytes),
        Ok(None) => Answer::Absent,
        Err(failure) => Answer::Failed(failure),
    }
}
