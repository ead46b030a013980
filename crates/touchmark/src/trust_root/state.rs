//! Trust that lives as long as a server does.

use core::cmp::Ordering;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use touchmark_envelope::digest::Digests;
use touchmark_envelope::{Name, UnixTime};
use touchmark_trust::Standing;
use touchmark_tuf::TargetPath;

use super::asynchronous::{standing_of, update, versions_of};
use super::memo::Memo;
use super::opening::{Memory, Opening, Trusted};
use super::target::target_of;
use super::{Note, TrustRootError, TrustSettings};
use crate::tuf::{AsyncFetch, UpdateClass};

/// How a [`TrustState`] works.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StateSettings {
    /// How the trust root is updated, and where what is accepted is kept.
    pub trust: TrustSettings,
    /// So many names are remembered.
    pub names: usize,
    /// How long the source is not asked again: so long may a revocation take to be noticed.
    pub fresh_for: Duration,
    /// How long it is not asked again after it failed.
    pub pause: Duration,
}

impl StateSettings {
    /// 65,536 names; the source is asked once a minute, and ten seconds after it failed.
    pub fn new(trust: TrustSettings) -> Self {
        Self { trust, names: 1 << 16, fresh_for: Duration::from_secs(60), pause: Duration::from_secs(10) }
    }

    /// Asks the source again after this time.
    #[must_use]
    pub fn fresh_for(self, time: Duration) -> Self {
        Self { fresh_for: time, ..self }
    }

    /// Asks the source again so long after it failed.
    #[must_use]
    pub fn pause(self, time: Duration) -> Self {
        Self { pause: time, ..self }
    }

    /// Remembers so many names.
    #[must_use]
    pub fn names(self, most: usize) -> Self {
        Self { names: most, ..self }
    }
}

/// A trust root in memory, for registries and whatever else decides again and again: what the metadata says of names, shared by threads.
///
/// A name's [`Standing`] is given from memory until its metadata is due to be asked for anew, or the first of its documents expires. Of all
/// who ask meanwhile one alone asks the source, and the others wait for what it finds; a future of one who asks may be dropped at any time,
/// and then another goes on. Nothing is locked while the source is waited for. There is no runtime here, no thread and no clock.
///
/// If the source cannot be asked, what was accepted before holds until it expires, and [`notes`](Self::notes) say since when. What must
/// not be trusted is an error for everybody, until the source is asked again.
///
/// ```
/// # use touchmark::{AsyncSource, Artifact, Digest, Name, Policy, Request, UnixTime, Verified, verify_async};
/// # use touchmark::trust_root::TrustState;
/// # use touchmark::tuf::AsyncFetch;
/// # type Failure = Box<dyn std::error::Error>;
/// async fn decide(
///     state: &TrustState<impl AsyncFetch>,
///     source: &impl AsyncSource,
///     name: &Name,
///     digest: Digest,
///     now: UnixTime,
/// ) -> Result<Verified<Artifact>, Failure> {
///     let standing = state.standing(name, now).await?;
///     Ok(verify_async(source, Request::new(Policy::trust(standing), digest, now)).await?)
/// }
/// ```
pub struct TrustState<S> {
    root: Vec<u8>,
    source: S,
    settings: StateSettings,
    shared: Mutex<Shared>,
}

impl<S> std::fmt::Debug for TrustState<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrustState").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// So many files are remembered: a policy, and the in-toto layouts that it asks for.
const MAX_FILES: usize = 64;

/// What was found out, or why not; shared by all who asked.
pub(super) type Outcome<T> = Result<T, Arc<TrustRootError>>;

struct Shared {
    /// What is trusted; none while somebody updates it or searches in it.
    custody: Option<Custody>,
    /// Those who wait for it.
    waiting: Vec<Waker>,
    /// How often the source was asked for newer metadata.
    attempts: u64,
    /// When it is to be asked again; at once, if that is not known.
    due: Option<UnixTime>,
    /// The latest time that an update was accepted at.
    updated: Option<UnixTime>,
    /// Why nothing is trusted.
    failed: Option<Arc<TrustRootError>>,
    names: Memo<Name, Standing>,
    /// Files that the top-level targets role lists, or does not.
    files: Memo<TargetPath, Option<Arc<[u8]>>>,
    notes: Vec<Note>,
}

/// What one at a time has.
#[derive(Default)]
struct Custody {
    trusted: Option<Trusted>,
    /// What was accepted, where it is kept in memory and nothing is trusted at present.
    memory: Option<Memory>,
    /// The versions of root and timestamp that the names were searched by.
    versions: Option<(u64, u64)>,
    /// The newest ones that were ever accepted, wherever that is kept.
    newest: Option<(u64, u64)>,
}

impl<S: AsyncFetch> TrustState<S> {
    /// A state that trusts `root`, and asks `source` once somebody asks for a name.
    pub fn new(root: impl Into<Vec<u8>>, source: S, settings: StateSettings) -> Self {
        let shared = Shared {
            custody: Some(Custody::default()),
            waiting: Vec::new(),
            attempts: 0,
            due: None,
            updated: None,
            failed: None,
            names: Memo::new(settings.names),
            files: Memo::new(MAX_FILES),
            notes: Vec::new(),
        };
        Self { root: root.into(), source, settings, shared: Mutex::new(shared) }
    }

    /// What the metadata says of a name, at the time `now`.
    ///
    /// # Errors
    /// As for [`TrustRoot::open`](super::TrustRoot::open) and [`TrustRoot::standing`](super::TrustRoot::standing). All who ask within the
    /// [pause](StateSettings::pause) get the same.
    pub async fn standing(&self, name: &Name, now: UnixTime) -> Outcome<Standing> {
        let arrived = self.shared().attempts;
        let known = |shared: &mut Shared| shared.known(now, arrived, &self.settings, |shared, now| shared.names.recall(name, now));
        let mut flight = match self.turn(known).await {
            Turn::Known(outcome) => return outcome,
            Turn::Mine(flight) => flight,
        };
        let trusted = flight.bring_up(self, now, arrived, |shared, now| shared.names.has_expired(name, now)).await?;
        let outcome = standing_of(trusted, &self.source, name).await.map_err(Arc::new);
        let until = outcome.as_ref().map_or_else(|_| later(now, self.settings.pause), Standing::expires);
        self.shared().names.keep(name, &outcome, until);
        outcome
    }

    /// The bytes of a file that the top-level targets role lists, such as the [policy](touchmark_trust::rules) of the trust repository itself;
    /// `None` if it lists no such file. It is remembered as standings are.
    ///
    /// # Errors
    /// As for [`standing`](Self::standing) and [`TrustRoot::target`](super::TrustRoot::target).
    pub async fn target(&self, path: &TargetPath, now: UnixTime) -> Outcome<Option<Arc<[u8]>>> {
        let arrived = self.shared().attempts;
        let known = |shared: &mut Shared| shared.known(now, arrived, &self.settings, |shared, now| shared.files.recall(path, now));
        let mut flight = match self.turn(known).await {
            Turn::Known(outcome) => return outcome,
            Turn::Mine(flight) => flight,
        };
        let trusted = flight.bring_up(self, now, arrived, |shared, now| shared.files.has_expired(path, now)).await?;
        let outcome = target_of(trusted, &self.source, path).await.map_err(Arc::new).map(|bytes| bytes.map(Arc::from));
        let until = outcome.as_ref().map_or_else(|_| later(now, self.settings.pause), |_| trusted.expires());
        self.shared().files.keep(path, &outcome, until);
        outcome
    }

    /// The versions of the name `path` that entries and seals have for an artifact with these digests, as
    /// [`TrustRoot::versions`](super::TrustRoot::versions) has them. They are not remembered.
    ///
    /// # Errors
    /// As for [`standing`](Self::standing).
    pub async fn versions(&self, path: &Name, digests: &Digests, now: UnixTime) -> Outcome<BTreeSet<Name>> {
        let arrived = self.shared().attempts;
        let mut flight = match self.turn(|shared| shared.failure(now, arrived).map(Err)).await {
            Turn::Known(outcome) => return outcome,
            Turn::Mine(flight) => flight,
        };
        let trusted = flight.bring_up(self, now, arrived, |_, _| false).await?;
        versions_of(trusted, &self.source, path, digests).await.map_err(Arc::new)
    }

    /// Asks the source now, or waits for one who does already.
    ///
    /// # Errors
    /// As for [`TrustRoot::open`](super::TrustRoot::open).
    pub async fn refresh(&self, now: UnixTime) -> Outcome<()> {
        let arrived = self.shared().attempts;
        let asked = |shared: &mut Shared| (shared.attempts != arrived).then(|| shared.failed.clone().map_or(Ok(()), Err));
        match self.turn(asked).await {
            Turn::Known(outcome) => outcome,
            Turn::Mine(mut flight) => flight.update(self, now).await,
        }
    }

    /// What a user should know of the last update.
    pub fn notes(&self) -> Vec<Note> {
        self.shared().notes.clone()
    }

    /// Waits until `known` has an answer, or it is this one's turn to find out.
    async fn turn<T>(&self, mut known: impl FnMut(&mut Shared) -> Option<T>) -> Turn<'_, T> {
        poll_fn(|context: &mut Context<'_>| {
            let mut shared = self.shared();
            if let Some(known) = known(&mut shared) {
                return Poll::Ready(Turn::Known(known));
            }
            match shared.custody.take() {
                Some(custody) => Poll::Ready(Turn::Mine(Box::new(Flight { shared: &self.shared, custody, opening: None }))),
                None => {
                    if !shared.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                        shared.waiting.push(context.waker().clone());
                    }
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        locked(&self.shared)
    }
}

enum Turn<'s, T> {
    Known(T),
    Mine(Box<Flight<'s>>),
}

/// One who has what is trusted, and gives it back whatever becomes of his question.
struct Flight<'s> {
    shared: &'s Mutex<Shared>,
    custody: Custody,
    /// An update that is under way.
    opening: Option<Opening>,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if let Some(opening) = self.opening.take() {
            self.custody.memory = opening.give_up();
        }
        let waiting = {
            let mut shared = locked(self.shared);
            shared.custody = Some(core::mem::take(&mut self.custody));
            core::mem::take(&mut shared.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Flight<'_> {
    /// What is trusted, after an update if one is due, or what is asked for is known by what has expired.
    async fn bring_up<S: AsyncFetch>(
        &mut self,
        state: &TrustState<S>,
        now: UnixTime,
        arrived: u64,
        has_expired: impl FnOnce(&Shared, UnixTime) -> bool,
    ) -> Outcome<&mut Trusted> {
        let due = {
            let shared = locked(self.shared);
            let has_expired = || self.expired(shared.time(now)).is_some() || has_expired(&shared, shared.time(now));
            shared.is_due(now, arrived, &state.settings) || (shared.attempts == arrived && has_expired())
        };
        if due || self.custody.trusted.is_none() {
            self.update(state, now).await?;
        }
        let at = locked(self.shared).time(now);
        if let Some(expired) = self.expired(at) {
            return Err(Arc::new(expired.into()));
        }
        self.custody.trusted.as_mut().ok_or_else(|| Arc::new(touchmark_tuf::Error::NotReady.into()))
    }

    /// What of the top-level metadata that is trusted has expired, and is no answer any more although it was verified before.
    fn expired(&self, at: UnixTime) -> Option<touchmark_tuf::Error> {
        self.custody.trusted.as_ref()?.expired(at)
    }

    async fn update<S: AsyncFetch>(&mut self, state: &TrustState<S>, now: UnixTime) -> Outcome<()> {
        let settings = &state.settings;
        let begun = match self.memory() {
            Some(memory) => Ok(Opening::resume(memory, &settings.trust, now)),
            None => Opening::begin(&state.root, &settings.trust, now, Duration::ZERO),
        };
        let outcome = match begun {
            Ok(begun) => {
                self.custody.trusted = None;
                let outcome = update(self.opening.insert(begun), &state.source).await;
                let opening = self.opening.take().ok_or_else(|| Arc::new(touchmark_tuf::Error::NotReady.into()))?;
                opening.settle(outcome)
            }
            // The store is in use, or cannot be read: what was accepted before holds, as if the source could not be asked.
            Err(error) if error.class() == UpdateClass::Unknown && !settings.trust.require_fresh && self.custody.trusted.is_some() => {
                let mut shared = locked(self.shared);
                shared.settled(later(now, settings.pause));
                let note = Note::NotRefreshed { since: shared.updated, why: error.to_string() };
                shared.notes.retain(|note| !matches!(note, Note::NotRefreshed { .. }));
                shared.notes.push(note);
                return Ok(());
            }
            Err(error) => {
                self.custody.trusted = None;
                let error = Arc::new(error);
                locked(self.shared).fail(&error, later(now, settings.pause));
                return Err(error);
            }
        };
        // A store that was taken away meanwhile knows no history, and this process does.
        let outcome = outcome.and_then(|trusted| match older(&trusted, self.custody.newest) {
            Some(rollback) => Err((rollback.into(), None)),
            None => Ok(trusted),
        });
        let mut shared = locked(self.shared);
        match outcome {
            Ok(trusted) => {
                let fresh = trusted.is_fresh();
                shared.settled(later(now, if fresh { settings.fresh_for } else { settings.pause }));
                if fresh {
                    shared.updated = shared.updated.max(Some(trusted.client.at()));
                }
                shared.notes.clone_from(&trusted.notes);
                let versions = versions(&trusted);
                self.custody.newest = versions;
                if self.custody.versions != versions {
                    shared.forget();
                    self.custody.versions = versions;
                }
                self.custody.trusted = Some(trusted.detach());
                Ok(())
            }
            Err((error, memory)) => {
                let error = Arc::new(error);
                self.custody.memory = memory;
                self.custody.versions = None;
                shared.fail(&error, later(now, settings.pause));
                Err(error)
            }
        }
    }

    /// What earlier updates left in memory, if they are not in a store.
    fn memory(&mut self) -> Option<Memory> {
        if self.custody.trusted.as_ref().is_some_and(|trusted| !trusted.is_written) {
            let updated = locked(self.shared).updated;
            return self.custody.trusted.take().map(|trusted| Memory { keep: trusted.keep, updated });
        }
        self.custody.memory.take()
    }
}

impl Shared {
    /// What `recall` remembers, unless it is to be found out anew.
    fn known<T>(
        &mut self,
        now: UnixTime,
        arrived: u64,
        settings: &StateSettings,
        recall: impl FnOnce(&mut Self, UnixTime) -> Option<Outcome<T>>,
    ) -> Option<Outcome<T>> {
        if let Some(failed) = self.failure(now, arrived) {
            return Some(Err(failed));
        }
        if self.is_due(now, arrived, settings) {
            return None;
        }
        let now = self.time(now);
        recall(self, now)
    }

    /// Why nothing is trusted, if the source is not to be asked again yet, or was since this one came.
    fn failure(&self, now: UnixTime, arrived: u64) -> Option<Arc<TrustRootError>> {
        let pauses = self.attempts != arrived || self.due.is_some_and(|due| now < due);
        self.failed.clone().filter(|_| pauses)
    }

    /// Whether the source is to be asked again: it is time, or the clock has gone back; and nobody asked it since this one came.
    fn is_due(&self, now: UnixTime, arrived: u64, settings: &StateSettings) -> bool {
        let latest = later(now, settings.fresh_for.saturating_add(settings.pause));
        self.attempts == arrived && self.due.is_none_or(|due| now >= due || latest.is_some_and(|latest| due > latest))
    }

    /// The time that is judged by: never before the last update.
    fn time(&self, now: UnixTime) -> UnixTime {
        self.updated.map_or(now, |updated| updated.max(now))
    }

    /// The source was asked, or what was known before is to do, until `due`.
    fn settled(&mut self, due: Option<UnixTime>) {
        self.attempts = self.attempts.saturating_add(1);
        (self.due, self.failed) = (due, None);
    }

    /// Nothing is trusted, until `due`.
    fn fail(&mut self, error: &Arc<TrustRootError>, due: Option<UnixTime>) {
        self.settled(due);
        self.failed = Some(Arc::clone(error));
        self.forget();
        self.notes.clear();
    }

    fn forget(&mut self) {
        self.names.clear();
        self.files.clear();
    }
}

/// The versions of root and timestamp, which say whether anything changed.
fn versions(trusted: &Trusted) -> Option<(u64, u64)> {
    let (root, timestamp) = (trusted.client.root()?, trusted.client.timestamp()?);
    Some((root.get().header().version, timestamp.get().header().version))
}

/// How what is trusted is older than what was: a timestamp may only be so under a newer root, which may have begun anew.
fn older(trusted: &Trusted, newest: Option<(u64, u64)>) -> Option<touchmark_tuf::Error> {
    let ((root, timestamp), (newest_root, newest_timestamp)) = (versions(trusted)?, newest?);
    let rollback = |file: &str, trusted, found| touchmark_tuf::Error::Rollback { file: file.to_owned(), trusted, found };
    match root.cmp(&newest_root) {
        Ordering::Less => Some(rollback("root.json", newest_root, root)),
        Ordering::Equal if timestamp < newest_timestamp => Some(rollback("timestamp.json", newest_timestamp, timestamp)),
        Ordering::Equal | Ordering::Greater => None,
    }
}

/// A time after `now`; none where there is no such time, and then it is at once.
fn later(now: UnixTime, by: Duration) -> Option<UnixTime> {
    now.plus(i64::try_from(by.as_secs()).ok()?)
}

/// No panic of another thread leaves it half changed: each change is made at once.
fn locked(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
