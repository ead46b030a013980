//! The blocking driver.

use std::time::{Duration, Instant};

use touchmark_envelope::{UnixTime, Verified};
use touchmark_oci::files::Lock;
use touchmark_tuf::metadata::Root;
use touchmark_tuf::{Answer, Client, Error, Failure, Found, LookUp, Mode, Settings, Step, TargetPath};

use super::error::UpdateError;
use super::fetch::Fetch;
use super::store::{self, MetadataStore};

/// How an update is done. [`Settings`] make one that takes as long as it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpdateSettings {
    /// How the client works.
    pub client: Settings,
    /// How long the update and the searches after it may take together, waiting for the store's lock included.
    pub within: Option<Duration>,
}

impl UpdateSettings {
    /// With an end after this time: nothing is asked of the source any more once it is over ([`UpdateError::OutOfTime`]). A request that is
    /// under way then ends [by the source](Fetch::fetch_until), as one over HTTP does, with its tries and pauses; one that is asynchronous
    /// ends by the caller, who may drop the future.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Self { within: Some(time), ..self }
    }
}

impl From<Settings> for UpdateSettings {
    fn from(client: Settings) -> Self {
        Self { client, within: None }
    }
}

/// When an update ends at the latest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    begun: Instant,
    within: Option<Duration>,
}

impl Deadline {
    /// One that begins now.
    pub(super) fn new(within: Option<Duration>) -> Self {
        Self { begun: Instant::now(), within }
    }

    /// Refuses to begin something else once it is over.
    pub(super) fn check(&self) -> Result<(), UpdateError> {
        match self.within {
            Some(within) if self.begun.elapsed() >= within => Err(UpdateError::OutOfTime { within }),
            _ => Ok(()),
        }
    }

    /// When it is over.
    fn until(&self) -> Option<Instant> {
        self.within.and_then(|within| self.begun.checked_add(within))
    }

    /// How long to wait for others.
    fn patience(&self) -> Duration {
        self.within.map_or(store::PATIENCE, |within| within.saturating_sub(self.begun.elapsed()).min(store::PATIENCE))
    }
}

/// A client whose metadata is fresh, and the lock of its store, which it holds as long as it lives: drop it before downloads.
#[derive(Debug)]
pub struct Updater<'a> {
    pub(super) client: Client,
    pub(super) store: &'a MetadataStore,
    pub(super) deadline: Deadline,
    /// None where nothing is written.
    _lock: Option<Lock>,
}

impl<'a> Updater<'a> {
    /// Brings `store` up to what `source` offers, at the time `at`: root, timestamp, snapshot and the top-level targets. Nothing is asked
    /// of `source` in [`Mode::StoreOnly`], and nothing written.
    ///
    /// # Errors
    /// The metadata is not to be trusted, or not to be had (in time), or the store is updated by others or cannot be written. What was
    /// verified before is stored.
    pub fn refresh(
        settings: impl Into<UpdateSettings>,
        at: UnixTime,
        source: &dyn Fetch,
        store: &'a MetadataStore,
    ) -> Result<Self, UpdateError> {
        let settings = settings.into();
        Self::refresh_until(Deadline::new(settings.within), settings.client, at, source, store)
    }

    /// As [`refresh`](Self::refresh), until a moment that was set before.
    pub(super) fn refresh_until(
        deadline: Deadline,
        settings: Settings,
        at: UnixTime,
        source: &dyn Fetch,
        store: &'a MetadataStore,
    ) -> Result<Self, UpdateError> {
        let mut updater = Self::begin(deadline, deadline.patience(), settings, at, store)?;
        updater.drive(source)?;
        Ok(updater)
    }

    pub(super) fn begin(
        deadline: Deadline,
        patience: Duration,
        settings: Settings,
        at: UnixTime,
        store: &'a MetadataStore,
    ) -> Result<Self, UpdateError> {
        let _lock = if settings.mode == Mode::StoreOnly { None } else { Some(store.lock_within(patience)?) };
        Ok(Self { client: Client::new(settings, at), store, deadline, _lock })
    }

    /// Searches for `target`, fetching the delegated roles that it needs from `source`, the same as before.
    ///
    /// # Errors
    /// A role that the search must visit is not to be trusted or not to be had (in time), or there are too many. Then it is not known
    /// whether the target is listed; another search can follow.
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

    fn drive(&mut self, source: &dyn Fetch) -> Result<(), UpdateError> {
        loop {
            let step = self.client.step()?;
            let answer = match step {
                Step::Done => return Ok(()),
                Step::Fetch { path, limit } => {
                    self.deadline.check()?;
                    let outcome = source.fetch_until(path, limit, self.deadline.until());
                    if outcome.is_err() {
                        // What was cut off by the end of the time says nothing of the source.
                        self.deadline.check()?;
                    }
                    fetched(outcome)
                }
                step => self.store.answer(&step).ok_or(Error::WrongAnswer)?,
            };
            self.client.answer(answer);
        }
    }
}

pub(crate) fn fetched(outcome: Result<Option<Vec<u8>>, Failure>) -> Answer {
    match outcome {
        Ok(Some(bytes)) => Answer::Bytes(bytes),
        Ok(None) => Answer::Absent,
        Err(failure) => Answer::Failed(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuf::UpdateClass;
    use crate::tuf::testing::{Folder, Served, names};
    use touchmark_test_tuf_repository::{Delegation, NOW, Repository};

    fn at() -> UnixTime {
        UnixTime::from_seconds(NOW).unwrap()
    }

    fn target() -> TargetPath {
        TargetPath::new("acme/x").unwrap()
    }

    /// A repository with a target of a delegated role, and a store that trusts its root.
    fn place() -> (Folder, Served, MetadataStore) {
        let mut repository = Repository::new();
        repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]));
        repository.add_target("acme", "acme/x", b"content");
        repository.publish();
        let folder = Folder::new();
        let store = MetadataStore::init(folder.path("store"), repository.file("1.root.json")).unwrap();
        (folder, Served::new(repository), store)
    }

    #[test]
    fn an_update_that_is_out_of_time_asks_for_nothing_more_and_says_so() {
        let (_folder, source, store) = place();
        let none = UpdateSettings::default().within(Duration::ZERO);
        let refused = Updater::refresh(none, at(), &source, &store).unwrap_err();
        assert_eq!((refused.code(), refused.class(), refused.is_retryable()), ("tuf-out-of-time", UpdateClass::Unknown, true));
        assert_eq!(source.asked.take(), Vec::<String>::new());
        // The searches after it are part of it.
        let mut updater = Updater::refresh(Settings::default(), at(), &source, &store).unwrap();
        source.asked.take();
        updater.deadline = Deadline::new(Some(Duration::ZERO));
        assert_eq!(updater.target(&source, &target()).unwrap_err().code(), "tuf-out-of-time");
        assert_eq!(source.asked.take(), Vec::<String>::new());
        updater.deadline = Deadline::new(Some(Duration::from_secs(3600)));
        updater.target(&source, &target()).unwrap();
    }

    #[test]
    fn an_update_waits_for_others_no_longer_than_it_may_take() {
        let (_folder, source, store) = place();
        let _held = store.lock().unwrap();
        let short = UpdateSettings::default().within(Duration::from_millis(1));
        assert_eq!(Updater::refresh(short, at(), &source, &store).unwrap_err().code(), "locked");
        assert_eq!(source.asked.take(), Vec::<String>::new());
    }

    #[test]
    fn the_store_alone_is_read_without_a_lock_and_without_a_trace() {
        let (folder, source, store) = place();
        let mut updater = Updater::refresh(Settings::default(), at(), &source, &store).unwrap();
        updater.target(&source, &target()).unwrap();
        drop(updater);
        std::fs::remove_file(folder.path("store/.touchmark.lock")).unwrap();
        folder.file("store/.touchmark-0123456789abcdef.tmp", "left by another one");
        let before = names(&folder.path("store"));
        let mut settings = Settings::default();
        settings.mode = Mode::StoreOnly;
        settings.index = touchmark_tuf::Index::Kept;
        // With the folder as it is on a medium that cannot be written, as far as this process may not override that.
        let mode = |readonly| {
            let mut permissions = std::fs::metadata(folder.path("store")).unwrap().permissions();
            permissions.set_readonly(readonly);
            std::fs::set_permissions(folder.path("store"), permissions).unwrap();
        };
        mode(true);
        source.asked.take();
        let found = Updater::refresh(settings, at(), &source, &store).and_then(|mut updater| updater.target(&source, &target()));
        #[allow(clippy::permissions_set_readonly_false, reason = "a folder of this test")]
        mode(false);
        assert_eq!(found.unwrap().role.as_str(), "acme");
        assert_eq!(names(&folder.path("store")), before);
        assert_eq!(source.asked.take(), Vec::<String>::new());
        // Nor does it wait for one who updates.
        let _held = store.lock().unwrap();
        Updater::refresh(settings, at(), &source, &store).unwrap();
    }
}
