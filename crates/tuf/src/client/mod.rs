//! The client workflow (TUF 1.0, section 5) as a state machine.

mod held;
mod index;
mod look_up;
mod refresh;
mod state;
mod step;

use alloc::vec::Vec;

use touchmark_envelope::{UnixTime, Verified};

use crate::error::Error;
use crate::metadata::{Root, Snapshot, Targets, Timestamp, TopLevel};
use crate::path::{RoleName, TargetPath};
use crate::settings::{Mode, Settings};

use self::held::Held;
use self::index::{Recalled, Signed};
use self::look_up::Search;
pub use self::look_up::{Found, LookUp};
use self::step::Wanted;
pub use self::step::{Answer, Failure, Step};

/// A client of one repository, for one update and any number of look-ups.
///
/// It refreshes first: root, timestamp, snapshot, targets, in the order of the specification and with no request beyond it. Each
/// document is kept in the caller's store as soon as it is verified, so that whatever fails later takes nothing back. Then targets are
/// looked up, for which delegated roles are loaded as they are needed.
///
/// The caller loops: [`step`](Client::step) says what to do, [`answer`](Client::answer) takes what came of it.
#[derive(Debug)]
pub struct Client {
    settings: Settings,
    /// TUF 1.0, 5.1: the fixed time at which the update began.
    at: UnixTime,
    state: State,
    answer: Option<Answer>,
    /// New roots taken in this update.
    new_roots: u32,
    /// The root that is being stored took a key from the timestamp or the snapshot role: the file that shows it, and is removed last.
    rotated: Option<TopLevel>,
    /// What the store has as the timestamp or the snapshot is none by the root's keys: an earlier update stored the root that rotated them,
    /// and was interrupted before it removed both (5.3.11).
    voided: bool,
    /// A timestamp that would be a rollback, and that error.
    doubted: Option<(Verified<Timestamp>, Error)>,
    root: Option<Verified<Root>>,
    timestamp: Option<Verified<Timestamp>>,
    /// The snapshot that the store has had, to compare a new one with.
    snapshot: Option<Verified<Snapshot>>,
    /// Targets roles that were verified.
    roles: Held,
    search: Option<Search>,
    /// What the store has as the index of the role that is loaded, if it suffices for the role's keys.
    recalled: Option<Recalled>,
    /// Who signed its file, as that index says.
    known: Option<Signed>,
    /// What the store is to have as the index of the role that was verified.
    index: Option<Vec<u8>>,
    /// The update came to its end.
    refreshed: bool,
    error: Option<Error>,
}

/// What is being done.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Something is wanted, for this.
    Asking(Purpose, Wanted),
    /// The update is over.
    Ready,
}

/// What an answer is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Purpose {
    /// 5.2.
    LoadRoot,
    /// 5.3.3.
    FetchRoot,
    /// 5.3.8.
    StoreRoot,
    /// 5.3.11.
    RemoveVoid,
    LoadTimestamp,
    /// 5.4.1.
    FetchTimestamp,
    /// 5.3.11, once more: whether the stored timestamp is void.
    LoadWitness,
    /// 5.4.5.
    StoreTimestamp,
    LoadSnapshot,
    /// 5.5.1.
    FetchSnapshot,
    /// 5.5.7.
    StoreSnapshot,
    /// What the store has as the index of a targets role.
    LoadIndex(RoleName),
    /// Whether its file is the one that the index is of.
    HashRole(RoleName),
    /// What of it stands before its targets, and behind them.
    ReadHead(RoleName),
    ReadTail(RoleName),
    /// One of its targets.
    ReadTarget(RoleName),
    /// A targets role, the top-level one or one that a search has reached, of the store.
    LoadRole(RoleName),
    /// 5.6.1.
    FetchRole(RoleName),
    /// 5.6.6.
    StoreRole(RoleName),
    StoreIndex(RoleName),
}

impl Client {
    /// A client that begins an update at the time `at`.
    pub fn new(settings: Settings, at: UnixTime) -> Self {
        let limit = settings.limits.root;
        Self {
            settings,
            at,
            state: State::Asking(Purpose::LoadRoot, Wanted::Load { file: "root.json".into(), limit }),
            answer: None,
            new_roots: 0,
            rotated: None,
            voided: false,
            doubted: None,
            root: None,
            timestamp: None,
            snapshot: None,
            roles: Held::default(),
            search: None,
            recalled: None,
            known: None,
            index: None,
            refreshed: false,
            error: None,
        }
    }

    /// What is to be done next.
    ///
    /// # Errors
    /// Why the update or the search ended. It stays so: an update is tried again with a new client, which finds in the store all that
    /// this one verified. A search that ended in an error can be followed by another one.
    pub fn step(&mut self) -> Result<Step<'_>, Error> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        if let Some(answer) = self.answer.take()
            && let Err(error) = self.take(answer)
        {
            // A search that failed takes nothing of the update back.
            self.search = None;
            self.state = State::Ready;
            if !self.refreshed {
                self.error = Some(error.clone());
            }
            return Err(error);
        }
        Ok(match &self.state {
            State::Ready => Step::Done,
            State::Asking(_, Wanted::Load { file, limit }) => Step::Load { file, limit: *limit },
            State::Asking(_, Wanted::Hash { file, algorithms, limit }) => Step::Hash { file, algorithms, limit: *limit },
            State::Asking(_, Wanted::Read { file, start, length }) => Step::Read { file, start: *start, length: *length },
            State::Asking(_, Wanted::Fetch { path, limit }) => Step::Fetch { path, limit: *limit },
            State::Asking(_, Wanted::Remove { file }) => Step::Remove { file },
            State::Asking(purpose, Wanted::Store { file }) => Step::Store { file, bytes: self.bytes_of(purpose) },
        })
    }

    /// Takes what came of the last step.
    pub fn answer(&mut self, answer: Answer) {
        self.answer = Some(answer);
    }

    /// The fixed time of the update.
    pub fn at(&self) -> UnixTime {
        self.at
    }

    /// The trusted root, once it was loaded.
    pub fn root(&self) -> Option<&Verified<Root>> {
        self.root.as_ref()
    }

    /// The trusted timestamp, once there is one.
    pub fn timestamp(&self) -> Option<&Verified<Timestamp>> {
        self.timestamp.as_ref()
    }

    /// The trusted snapshot, once there is one. Until the update is over it may be an earlier one, of the store.
    pub fn snapshot(&self) -> Option<&Verified<Snapshot>> {
        self.snapshot.as_ref()
    }

    /// A targets role that was verified in this update or a search after it. Those that the last search visited are here; those of earlier
    /// ones as long as there is room ([`Limits::total`](crate::Limits::total)).
    pub fn role(&self, name: &RoleName) -> Option<&Verified<Targets>> {
        self.roles.get(name).map(|(role, _)| role)
    }

    /// Begins to search for `target` (5.6.7); [`step`](Self::step) goes on with it, and [`found`](Self::found) has the outcome.
    ///
    /// # Errors
    /// The update is not over.
    pub fn look_up(&mut self, target: &TargetPath) -> Result<(), Error> {
        if !self.refreshed {
            return Err(Error::NotReady);
        }
        // A search that was given up, and what it was about to be told, is none of this one's.
        (self.state, self.answer) = (State::Ready, None);
        (self.recalled, self.known, self.index) = (None, None, None);
        self.search = Some(Search::new(target.clone()));
        // A search that failed has no outcome: it did not find that there is no such target.
        self.go_on_with_search().inspect_err(|_| self.search = None)
    }

    /// The outcome of the last search, once [`step`](Self::step) is done with it.
    pub fn found(&mut self) -> Option<LookUp> {
        match self.state {
            State::Ready => self.search.take().map(Search::outcome),
            State::Asking(..) => None,
        }
    }

    /// Goes on with an answer.
    fn take(&mut self, answer: Answer) -> Result<(), Error> {
        let State::Asking(purpose, wanted) = core::mem::replace(&mut self.state, State::Ready) else {
            return Err(Error::WrongAnswer);
        };
        let only = self.settings.mode == Mode::StoreOnly;
        let replaceable = matches!(purpose, Purpose::LoadIndex(_)) || !(only || purpose == Purpose::LoadRoot);
        let answer = match (&purpose, answer) {
            // A client can do without an index.
            (Purpose::StoreIndex(_), Answer::Failed(_)) => Answer::Done,
            (_, answer) => answer,
        };
        let given = wanted.check(answer, replaceable);
        if let (Purpose::StoreRole(name), Err(_)) = (&purpose, &given) {
            // What is not kept is not trusted (5.6.6).
            self.roles.remove(name);
        }
        let given = given.map_err(|error| self.exceeded(&purpose, &wanted, error))?;
        match purpose {
            Purpose::LoadIndex(name) => self.loaded_index(name, given.bytes()),
            Purpose::HashRole(name) => self.hashed_role(name, given),
            Purpose::ReadHead(name) => self.read_head(name, given.piece(&wanted)),
            Purpose::ReadTail(name) => self.read_tail(name, given.piece(&wanted)),
            Purpose::ReadTarget(name) => self.read_target(name, &wanted, given.piece(&wanted)),
            Purpose::LoadRole(name) => self.loaded_role(name, given.bytes()),
            Purpose::FetchRole(name) => self.fetched_role(name, given.required(&wanted)?),
            Purpose::StoreRole(name) => self.store_index(name),
            Purpose::StoreIndex(_) => self.role_is_here(),
            purpose => self.take_top_level(purpose, &wanted, given),
        }
    }

    fn ask(&mut self, purpose: Purpose, wanted: Wanted) {
        self.state = State::Asking(purpose, wanted);
    }

    /// What is to be stored.
    fn bytes_of(&self, purpose: &Purpose) -> &[u8] {
        if let Purpose::StoreIndex(_) = purpose {
            return self.index.as_deref().unwrap_or_default();
        }
        let document = match purpose {
            Purpose::StoreRoot => self.root.as_ref().map(|root| root.get().document()),
            Purpose::StoreTimestamp => self.timestamp.as_ref().map(|timestamp| timestamp.get().document()),
            Purpose::StoreSnapshot => self.snapshot.as_ref().map(|snapshot| snapshot.get().document()),
            Purpose::StoreRole(name) => self.role(name).and_then(|role| role.get().document()),
            _ => None,
        };
        document.map(|document| document.bytes()).unwrap_or_default()
    }
}
