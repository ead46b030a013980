//! What a state gives from memory, when it asks, and who asks of several at a time.

use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};

use super::*;
use crate::trust_root::{AsyncTrustRoot, StoreChoice};
use crate::tuf::testing::Folder;
use touchmark_test_tuf_repository::{Delegation, Fetched, NOW, Repository, Served};
use touchmark_tuf::Failure;

/// A repository that changes, answers when it is let, and says what was asked of it.
struct Source {
    repository: Mutex<Repository>,
    asked: Mutex<Vec<String>>,
    is_open: AtomicBool,
}

impl Source {
    fn new(repository: &Repository) -> Self {
        Self { repository: Mutex::new(repository.clone()), asked: Mutex::default(), is_open: AtomicBool::new(true) }
    }

    fn serve(&self, repository: &Repository) {
        *self.repository.lock().unwrap() = repository.clone();
    }

    fn gate(&self, is_open: bool) {
        self.is_open.store(is_open, Ordering::Relaxed);
    }

    fn asked(&self) -> Vec<String> {
        core::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl AsyncFetch for &Source {
    async fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        self.asked.lock().unwrap().push(path.to_owned());
        poll_fn(|_| if self.is_open.load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }).await;
        let repository = self.repository.lock().unwrap();
        let fetched = match path.strip_prefix("targets/") {
            Some(target) => repository.fetch_target(target, limit),
            None => repository.fetch(path, limit),
        };
        match fetched {
            Fetched::File(bytes) => Ok(Some(bytes)),
            Fetched::Absent => Ok(None),
            Fetched::TooLong => Err(Failure::TooLarge { limit }),
            Fetched::Failed => Err(Failure::Unavailable("a test".to_owned())),
        }
    }
}

fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn done<T>(future: impl Future<Output = T>) -> T {
    match poll(pin!(future)) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it waits"),
    }
}

fn at(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(seconds).unwrap()
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn repository() -> Repository {
    let mut repository = Repository::new();
    for publisher in ["acme", "other"] {
        repository.delegate("targets", Delegation::new(publisher).paths(&[&format!("{publisher}/*")]).terminating());
        repository.add_target(publisher, &format!("{publisher}/x:1"), b"one");
    }
    repository.publish();
    repository
}

fn state(source: &Source, store: StoreChoice) -> TrustState<&Source> {
    let root = repository().file("1.root.json").to_vec();
    TrustState::new(root, source, StateSettings::new(TrustSettings::new(store)))
}

/// The version of the timestamp that a standing rests on.
fn timestamp(standing: &Standing) -> u64 {
    standing.documents().find(|document| document.role == "timestamp").unwrap().version
}

#[test]
fn a_name_is_searched_for_once_and_the_source_asked_when_it_is_time() {
    let mut repository = repository();
    let source = Source::new(&repository);
    let state = state(&source, StoreChoice::Nowhere);
    let ask = |text: &str, now| done(state.standing(&name(text), at(now))).unwrap();
    assert!(ask("acme/x:1", NOW).entry().is_some());
    assert!(source.asked().len() > 4);
    assert!(ask("acme/x:1", NOW + 59).entry().is_some());
    assert_eq!(source.asked(), Vec::<String>::new());
    assert!(ask("acme/y:1", NOW + 59).entry().is_none());
    assert_eq!(source.asked(), Vec::<String>::new(), "the publisher's document is known");
    ask("other/x:1", NOW + 59);
    assert_eq!(source.asked(), ["1.other.json"]);
    // What is published is seen when the minute is over, and nothing is asked for that did not change.
    repository.add_target("acme", "acme/y:1", b"two");
    repository.publish();
    source.serve(&repository);
    assert!(ask("acme/y:1", NOW + 59).entry().is_none());
    assert!(ask("acme/y:1", NOW + 60).entry().is_some());
    assert_eq!(source.asked(), ["2.root.json", "timestamp.json", "3.snapshot.json", "2.acme.json"]);
    ask("other/x:1", NOW + 61);
    assert_eq!(source.asked(), Vec::<String>::new());
    // At once, if somebody wants it.
    done(state.refresh(at(NOW + 62))).unwrap();
    assert_eq!(source.asked(), ["2.root.json", "timestamp.json"]);
    assert_eq!(state.notes(), [Note::NoHistory]);
}

#[test]
fn versions_are_those_of_the_newest_metadata() {
    let repository = repository();
    let source = Source::new(&repository);
    let state = state(&source, StoreChoice::Nowhere);
    let versions = |content| done(state.versions(&name("acme/x"), &Digests::of(content), at(NOW))).unwrap();
    assert_eq!(versions(b"one".as_slice()), BTreeSet::from([name("acme/x:1")]));
    assert_eq!(versions(b"two".as_slice()), BTreeSet::new());
}

#[test]
fn of_all_who_ask_one_asks_the_source_and_one_that_is_dropped_leaves_it_to_another() {
    let source = Source::new(&repository());
    let state = state(&source, StoreChoice::Nowhere);
    let wanted = name("acme/x:1");
    source.gate(false);
    {
        let mut first = Box::pin(state.standing(&wanted, at(NOW)));
        let mut second = pin!(state.standing(&wanted, at(NOW)));
        let mut third = pin!(state.standing(&wanted, at(NOW)));
        assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending() && poll(third.as_mut()).is_pending());
        assert_eq!(source.asked(), ["2.root.json"]);
        drop(first);
        assert!(poll(third.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
        assert_eq!(source.asked(), ["2.root.json"]);
        source.gate(true);
        assert!(poll(second.as_mut()).is_pending(), "the third has its turn");
        assert!(poll(third.as_mut()).is_ready());
        source.asked();
        assert!(matches!(poll(second.as_mut()), Poll::Ready(Ok(_))));
    }
    assert_eq!(source.asked(), Vec::<String>::new());
    // What is in memory is given while the source is waited for.
    source.gate(false);
    let another = name("other/x:1");
    let mut other = pin!(state.standing(&another, at(NOW)));
    assert!(poll(other.as_mut()).is_pending());
    done(state.standing(&wanted, at(NOW))).unwrap();
}

#[test]
fn those_who_wait_for_an_update_share_its_failure_and_the_source_has_a_pause() {
    let mut broken = repository();
    broken.answer("timestamp.json", Served::Failure);
    let source = Source::new(&broken);
    let state = state(&source, StoreChoice::Nowhere);
    let (one, two) = (name("acme/x:1"), name("other/x:1"));
    source.gate(false);
    let mut first = pin!(state.standing(&one, at(NOW)));
    let mut second = pin!(state.standing(&two, at(NOW)));
    assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
    source.gate(true);
    let Poll::Ready(Err(failed)) = poll(first.as_mut()) else { panic!("it fails") };
    assert_eq!((failed.class(), failed.code()), (UpdateClass::Unknown, "tuf-fetch"));
    assert_eq!(source.asked().len(), 2);
    let Poll::Ready(Err(shared)) = poll(second.as_mut()) else { panic!("it fails") };
    assert!(Arc::ptr_eq(&failed, &shared));
    done(state.standing(&one, at(NOW + 9))).unwrap_err();
    assert_eq!(source.asked(), Vec::<String>::new());
    source.serve(&repository());
    done(state.standing(&one, at(NOW + 10))).unwrap();
}

#[test]
fn what_was_accepted_is_not_taken_back_although_it_is_in_memory_alone() {
    let old = repository();
    let mut new = old.clone();
    new.add_target("acme", "acme/x:1", b"two");
    new.publish();
    for in_store in [false, true] {
        let folder = Folder::new();
        let source = Source::new(&new);
        let store = if in_store { StoreChoice::At(folder.path("store")) } else { StoreChoice::Nowhere };
        let state = state(&source, store);
        let ask = |now| done(state.standing(&name("acme/x:1"), at(now)));
        assert_eq!(timestamp(&ask(NOW).unwrap()), 3);
        source.serve(&old);
        // All the metadata is refused: nothing is decided by what was known before.
        assert_eq!(ask(NOW + 60).unwrap_err().code(), "tuf-rollback");
        assert_eq!(ask(NOW + 70).unwrap_err().code(), "tuf-rollback");
        source.serve(&new);
        assert_eq!(timestamp(&ask(NOW + 80).unwrap()), 3);
        // Nor after one who asked went away in the middle of it.
        source.gate(false);
        let mut dropped = Box::pin(state.refresh(at(NOW + 80)));
        assert!(poll(dropped.as_mut()).is_pending());
        drop(dropped);
        source.gate(true);
        source.serve(&old);
        done(state.refresh(at(NOW + 81))).unwrap_err();
        assert_eq!(ask(NOW + 91).unwrap_err().code(), "tuf-rollback");
    }
}

#[test]
fn what_was_accepted_is_not_taken_back_although_the_store_was_taken_away() {
    let old = repository();
    let mut new = old.clone();
    new.add_target("acme", "acme/x:1", b"two");
    new.publish();
    let folder = Folder::new();
    for store in [StoreChoice::At(folder.path("at")), StoreChoice::Among(folder.path("among"))] {
        let source = Source::new(&new);
        let state = state(&source, store);
        let ask = |now| done(state.standing(&name("acme/x:1"), at(now)));
        assert_eq!(timestamp(&ask(NOW).unwrap()), 3);
        for path in ["at", "among"].map(|path| folder.path(path)) {
            let _ = std::fs::remove_dir_all(path);
        }
        source.serve(&old);
        assert_eq!(ask(NOW + 60).unwrap_err().code(), "tuf-rollback");
        assert_eq!(ask(NOW + 70).unwrap_err().code(), "tuf-rollback");
        source.serve(&new);
        assert_eq!(timestamp(&ask(NOW + 80).unwrap()), 3);
    }
}

#[test]
fn files_and_versions_are_not_told_by_what_expired_since_the_last_update() {
    let mut repository = repository();
    repository.expire("timestamp", "2026-11-28T00:00:30Z");
    repository.publish();
    let path = TargetPath::new("_touchmark/policy.json").unwrap();
    // Before the source is to be asked again; and when it cannot be, since another has the store.
    for (in_use, now) in [(false, NOW + 30), (true, NOW + 30), (true, NOW + 60)] {
        let folder = Folder::new();
        let source = Source::new(&repository);
        let state = state(&source, StoreChoice::At(folder.path("store")));
        done(state.refresh(at(NOW))).unwrap();
        let store = crate::tuf::MetadataStore::open(folder.path("store/metadata")).unwrap();
        let held = in_use.then(|| store.lock().unwrap());
        let told = [
            done(state.target(&path, at(now))).map(drop),
            done(state.versions(&name("acme/x"), &Digests::of(b"one"), at(now))).map(drop),
            done(state.standing(&name("acme/x:1"), at(now))).map(drop),
        ];
        for told in told {
            assert_eq!(told.unwrap_err().code(), "tuf-expired", "{in_use} {now}");
        }
        drop(held);
    }
}

#[test]
fn a_source_that_is_not_reached_leaves_what_is_known_until_it_expires() {
    let mut repository = repository();
    repository.expire("timestamp", "2026-11-28T01:00:00Z");
    repository.publish();
    let source = Source::new(&repository);
    let state = state(&source, StoreChoice::Nowhere);
    let ask = |text: &str, now| done(state.standing(&name(text), at(now)));
    ask("acme/x:1", NOW).unwrap();
    repository.answer("timestamp.json", Served::Failure);
    source.serve(&repository);
    ask("acme/x:1", NOW + 60).unwrap();
    assert!(matches!(state.notes().as_slice(), [.., Note::NotRefreshed { since: Some(since), .. }] if *since == at(NOW)));
    source.asked();
    ask("acme/x:1", NOW + 69).unwrap();
    assert_eq!(source.asked(), Vec::<String>::new());
    ask("acme/x:1", NOW + 70).unwrap();
    assert!(!source.asked().is_empty(), "it is asked again after the pause");
    // Nothing is known of what was never fetched.
    assert_eq!(ask("other/x:1", NOW + 71).unwrap_err().class(), UpdateClass::Unknown);
    ask("acme/x:1", NOW + 3_599).unwrap();
    let expired = ask("acme/x:1", NOW + 3_600).unwrap_err();
    assert_eq!((expired.class(), expired.code()), (UpdateClass::Untrusted, "tuf-expired"));
}

#[test]
fn a_standing_is_given_no_longer_than_its_first_document_lives() {
    let mut repository = repository();
    repository.expire("acme", "2026-11-28T00:00:30Z");
    repository.publish();
    let source = Source::new(&repository);
    let state = state(&source, StoreChoice::Nowhere);
    let ask = |text: &str, now| done(state.standing(&name(text), at(now)));
    ask("acme/x:1", NOW + 29).unwrap();
    ask("other/x:1", NOW + 29).unwrap();
    source.asked();
    assert_eq!(ask("acme/x:1", NOW + 30).unwrap_err().code(), "tuf-expired");
    assert!(source.asked().contains(&"timestamp.json".to_owned()), "there may be a newer one");
    ask("other/x:1", NOW + 31).unwrap();
    ask("acme/x:1", NOW + 31).unwrap_err();
    assert_eq!(source.asked(), Vec::<String>::new(), "not for each who asks");
    repository.expire("acme", "2027-11-28T00:00:00Z");
    repository.publish();
    source.serve(&repository);
    done(state.refresh(at(NOW + 32))).unwrap();
    ask("acme/x:1", NOW + 32).unwrap();
}

#[test]
fn no_more_names_are_remembered_than_may_be_and_those_asked_for_last_stay() {
    let source = Source::new(&repository());
    let root = repository().file("1.root.json").to_vec();
    let state = TrustState::new(root, &source, StateSettings::new(TrustSettings::new(StoreChoice::Nowhere)).names(8));
    for number in 0..100 {
        done(state.standing(&name("acme/x:1"), at(NOW))).unwrap();
        done(state.standing(&name(&format!("acme/n:{number}")), at(NOW))).unwrap();
        assert!(state.shared().names.keys().count() <= 8);
    }
    let kept: Vec<Name> = state.shared().names.keys().cloned().collect();
    assert!(kept.contains(&name("acme/x:1")) && kept.contains(&name("acme/n:99")));
}

#[test]
fn a_clock_that_was_far_ahead_for_a_moment_does_not_keep_it_from_asking() {
    let source = Source::new(&repository());
    let state = state(&source, StoreChoice::Nowhere);
    done(state.standing(&name("acme/x:1"), at(NOW + 1_000_000))).unwrap();
    source.asked();
    done(state.standing(&name("acme/x:1"), at(NOW))).unwrap();
    assert!(source.asked().contains(&"timestamp.json".to_owned()));
    assert!(state.notes().contains(&Note::ClockBehind { clock: at(NOW), taken: at(NOW + 1_000_000) }));
}

#[test]
fn a_store_in_use_by_another_update_leaves_what_is_known() {
    let folder = Folder::new();
    let source = Source::new(&repository());
    let state = state(&source, StoreChoice::At(folder.path("store")));
    done(state.standing(&name("acme/x:1"), at(NOW))).unwrap();
    let store = crate::tuf::MetadataStore::open(folder.path("store/metadata")).unwrap();
    let held = store.lock().unwrap();
    source.asked();
    done(state.standing(&name("acme/x:1"), at(NOW + 60))).unwrap();
    assert_eq!(source.asked(), Vec::<String>::new());
    assert!(matches!(state.notes().as_slice(), [.., Note::NotRefreshed { .. }]), "{:?}", state.notes());
    drop(held);
    done(state.standing(&name("acme/x:1"), at(NOW + 70))).unwrap();
    assert!(source.asked().contains(&"timestamp.json".to_owned()));
}

#[test]
fn one_update_is_asked_as_by_the_blocking_driver_and_does_not_wait_for_a_lock() {
    let folder = Folder::new();
    let repository = repository();
    let source = Source::new(&repository);
    let root = repository.file("1.root.json");
    let settings = TrustSettings::new(StoreChoice::At(folder.path("store")));
    let mut trust = done(AsyncTrustRoot::open(root, &source, &settings, at(NOW))).unwrap();
    assert!(done(trust.standing(&name("acme/x:1"))).unwrap().entry().is_some());
    assert_eq!(done(trust.versions(&name("acme/x"), &Digests::of(b"one"))).unwrap(), BTreeSet::from([name("acme/x:1")]));
    assert_eq!(trust.notes(), [Note::NoHistory]);
    assert_eq!(std::fs::read(folder.path("store/metadata/acme.json")).unwrap(), repository.file("1.acme.json"));
    let refused = done(AsyncTrustRoot::open(root, &source, &settings, at(NOW))).unwrap_err();
    assert_eq!((refused.code(), refused.class()), ("locked", UpdateClass::Unknown));
}

#[test]
fn threads_may_share_a_state_and_move_what_waits() {
    fn can_move<T: Send>(value: T) -> T {
        value
    }
    let source = Source::new(&repository());
    let state = state(&source, StoreChoice::Nowhere);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let wanted = name("acme/x:1");
                let mut future = pin!(can_move(state.standing(&wanted, at(NOW))));
                loop {
                    // Whoever waits is woken; this thread asks by itself.
                    match poll(future.as_mut()) {
                        Poll::Ready(found) => break assert!(found.unwrap().entry().is_some()),
                        Poll::Pending => std::thread::yield_now(),
                    }
                }
            });
        }
    });
    assert_eq!(source.asked().iter().filter(|path| *path == "timestamp.json").count(), 1);
}

#[test]
fn a_file_of_the_top_level_targets_is_fetched_once_and_is_nobody_else_s() {
    const POLICY: &str = "_touchmark/policy.json";
    let path = TargetPath::new(POLICY).unwrap();
    let mut repository = repository();
    repository.delegate("targets", Delegation::new("thief").paths(&["_touchmark/*"]));
    repository.add_target("thief", POLICY, b"not theirs");
    repository.publish();
    for in_store in [false, true] {
        let folder = Folder::new();
        let mut repository = repository.clone();
        let source = Source::new(&repository);
        let store = if in_store { StoreChoice::At(folder.path("store")) } else { StoreChoice::Nowhere };
        let state = state(&source, store);
        let ask = |now| done(state.target(&path, at(now))).map(|bytes| bytes.map(|bytes| bytes.to_vec()));
        assert_eq!(ask(NOW).unwrap(), None);
        repository.add_target("targets", POLICY, b"one");
        repository.publish();
        source.serve(&repository);
        assert_eq!(ask(NOW + 59).unwrap(), None);
        assert_eq!(ask(NOW + 60).unwrap().as_deref(), Some(&b"one"[..]));
        source.asked();
        assert_eq!(ask(NOW + 119).unwrap().as_deref(), Some(&b"one"[..]));
        assert_eq!(source.asked(), Vec::<String>::new());
        // Listed, and not what is listed or not to be had.
        repository.add_target("targets", POLICY, b"two");
        repository.publish();
        let served = |repository: &mut Repository, served: Served| {
            for path in repository.targets().keys().cloned().collect::<Vec<_>>() {
                repository.serve_target(&path, served.clone());
            }
        };
        let mut evil = repository.clone();
        served(&mut evil, Served::File(b"2wo".to_vec()));
        source.serve(&evil);
        assert_eq!(ask(NOW + 120).unwrap_err().class(), UpdateClass::WrongContent);
        served(&mut evil, Served::Failure);
        source.serve(&evil);
        assert_eq!(ask(NOW + 129).unwrap_err().class(), UpdateClass::WrongContent, "it has a pause");
        assert_eq!(ask(NOW + 130).unwrap_err().class(), UpdateClass::Unknown);
        source.serve(&repository);
        assert_eq!(ask(NOW + 140).unwrap().as_deref(), Some(&b"two"[..]));
    }
}

/// Counts how often a task is woken.
#[derive(Default)]
struct Woken(core::sync::atomic::AtomicUsize);

impl std::task::Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn those_who_wait_are_woken_when_the_one_who_asks_is_done_or_goes_away() {
    for goes_away in [false, true] {
        let source = Source::new(&repository());
        let state = state(&source, StoreChoice::Nowhere);
        let (one, two) = (name("acme/x:1"), name("other/x:1"));
        source.gate(false);
        let mut first = Box::pin(state.standing(&one, at(NOW)));
        let mut second = pin!(state.standing(&two, at(NOW)));
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        assert!(poll(first.as_mut()).is_pending());
        for _ in 0..3 {
            assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        assert_eq!((state.shared().waiting.len(), woken.0.load(Ordering::Relaxed)), (1, 0));
        source.gate(true);
        match goes_away {
            true => drop(first),
            false => assert!(poll(first.as_mut()).is_ready()),
        }
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert!(matches!(second.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(Ok(_))));
    }
}

#[test]
fn who_came_while_the_source_was_asked_does_not_ask_again_however_short_the_times_are() {
    let mut broken = repository();
    broken.answer("timestamp.json", Served::Failure);
    for repository in [repository(), broken] {
        let source = Source::new(&repository);
        let root = repository.file("1.root.json").to_vec();
        let settings = StateSettings::new(TrustSettings::new(StoreChoice::Nowhere)).fresh_for(Duration::ZERO).pause(Duration::ZERO);
        let state = TrustState::new(root, &source, settings);
        let (one, two) = (name("acme/x:1"), name("other/x:1"));
        source.gate(false);
        let mut first = pin!(state.standing(&one, at(NOW)));
        let mut second = pin!(state.standing(&two, at(NOW)));
        let mut third = pin!(state.refresh(at(NOW)));
        assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending() && poll(third.as_mut()).is_pending());
        source.gate(true);
        let Poll::Ready(first) = poll(first.as_mut()) else { panic!("it is done") };
        let Poll::Ready(second) = poll(second.as_mut()) else { panic!("it is done") };
        let Poll::Ready(third) = poll(third.as_mut()) else { panic!("it is done") };
        assert_eq!((first.is_ok(), second.is_ok()), (third.is_ok(), third.is_ok()));
        let asked = source.asked();
        assert_eq!(asked.iter().filter(|path| *path == "timestamp.json").count(), 1, "{asked:?}");
        // Who comes later does.
        drop(done(state.standing(&one, at(NOW))));
        assert!(source.asked().contains(&"timestamp.json".to_owned()));
    }
}
