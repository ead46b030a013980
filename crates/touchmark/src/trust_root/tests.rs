//! The store's promises: what was accepted is not taken back, and what could not be asked is said.

use super::*;
use crate::tuf::testing::{Folder, Served, names};
use touchmark_test_tuf_repository::{Delegation, EXPIRES_SECONDS, Key, NOW, Repository, Served as Content};

const NAME: &str = "acme/tool:1";

fn at(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(seconds).unwrap()
}

fn repository() -> Repository {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).terminating());
    repository.add_target("acme", NAME, b"one");
    repository.publish();
    repository
}

fn root() -> Vec<u8> {
    repository().file("1.root.json").to_vec()
}

/// The version of the role that lists the name, and the notes.
fn look(source: &dyn Fetch, settings: &TrustSettings, now: i64) -> Result<(u64, Vec<Note>), TrustRootError> {
    let mut trust = TrustRoot::open(&root(), source, settings, at(now))?;
    let standing = trust.standing(&NAME.parse().unwrap())?;
    assert!(standing.entry().is_some());
    let version = standing.documents().last().unwrap().version;
    Ok((version, trust.notes().to_vec()))
}

fn code(outcome: Result<(u64, Vec<Note>), TrustRootError>) -> (UpdateClass, &'static str) {
    let error = outcome.unwrap_err();
    (error.class(), error.code())
}

/// The honest repository, and the one after the next release.
fn two() -> (Served, Served) {
    let old = repository();
    let mut new = old.clone();
    new.add_target("acme", NAME, b"two");
    new.publish();
    (Served::new(old), Served::new(new))
}

#[test]
fn a_trust_root_may_have_its_source() {
    let (old, new) = two();
    let folder = Folder::new();
    let settings = TrustSettings::new(StoreChoice::At(folder.path("store")));
    let mut trust = TrustRoot::owning(&root(), Box::new(new), &settings, at(NOW)).unwrap();
    assert_eq!(trust.standing(&NAME.parse().unwrap()).unwrap().documents().last().unwrap().version, 2);
    assert!(trust.target(&touchmark_tuf::TargetPath::new("none").unwrap()).unwrap().is_none());
    drop(trust);
    let error = TrustRoot::owning(&root(), Box::new(old), &settings, at(NOW)).unwrap_err();
    assert_eq!(error.code(), "tuf-rollback");
}

#[test]
fn what_was_accepted_is_not_taken_back_where_there_is_a_store() {
    let folder = Folder::new();
    let (old, new) = two();
    let settings = TrustSettings::new(StoreChoice::Among(folder.root().to_owned()));
    assert_eq!(look(&new, &settings, NOW).unwrap(), (2, vec![Note::NoHistory]));
    assert_eq!(look(&new, &settings, NOW).unwrap(), (2, vec![]));
    assert_eq!(code(look(&old, &settings, NOW)), (UpdateClass::Untrusted, "tuf-rollback"));
    // On an empty machine it is not known that there was a newer one, and the output says so.
    let nowhere = TrustSettings::new(StoreChoice::Nowhere);
    assert_eq!(look(&old, &nowhere, NOW).unwrap(), (1, vec![Note::NoHistory]));
    // A store that was carried to another machine knows it there.
    let carried = Folder::new();
    std::fs::rename(folder.root(), carried.path("base")).unwrap();
    let settings = TrustSettings::new(StoreChoice::Among(carried.path("base")));
    assert_eq!(code(look(&old, &settings, NOW)), (UpdateClass::Untrusted, "tuf-rollback"));
}

#[test]
fn a_source_that_is_not_reached_leaves_the_store_and_says_since_when() {
    let folder = Folder::new();
    let (_, new) = two();
    let settings = TrustSettings::new(StoreChoice::At(folder.path("store")));
    look(&new, &settings, NOW).unwrap();
    let mut gone = new.repository.clone();
    gone.answer("timestamp.json", Content::Failure);
    let gone = Served::new(gone);
    let (version, notes) = look(&gone, &settings, NOW + 60).unwrap();
    assert!(matches!(notes.as_slice(), [Note::NotRefreshed { since: Some(since), .. }] if *since == at(NOW)), "{notes:?}");
    assert_eq!(version, 2);
    assert_eq!(code(look(&gone, &settings.clone().require_fresh(), NOW)).0, UpdateClass::Unknown);
    // Until it expires: withheld updates end there.
    let mut short = new.repository.clone();
    short.expire("timestamp", "2026-11-28T01:00:00Z");
    short.publish();
    look(&Served::new(short), &settings, NOW).unwrap();
    assert_eq!(look(&gone, &settings, NOW + 3_599).unwrap().0, 2);
    assert_eq!(code(look(&gone, &settings, NOW + 3_600)), (UpdateClass::Untrusted, "tuf-expired"));
    // Without a store nothing is known.
    assert_eq!(code(look(&gone, &TrustSettings::new(StoreChoice::Nowhere), NOW)).0, UpdateClass::Unknown);
}

#[test]
fn a_newer_timestamp_whose_files_are_not_to_be_had_is_could_not_find_out_and_stays_so() {
    let folder = Folder::new();
    let (old, new) = two();
    let settings = TrustSettings::new(StoreChoice::At(folder.path("store")));
    look(&old, &settings, NOW).unwrap();
    let mut partial = new.repository.clone();
    let snapshot = partial.path("snapshot");
    partial.answer(&snapshot, Content::Failure);
    let partial = Served::new(partial);
    assert_eq!(code(look(&partial, &settings, NOW)).0, UpdateClass::Unknown);
    let mut gone = new.repository.clone();
    gone.answer("timestamp.json", Content::Failure);
    assert_eq!(code(look(&Served::new(gone), &settings, NOW)).0, UpdateClass::Unknown);
    assert_eq!(look(&new, &settings, NOW).unwrap().0, 2);
}

#[test]
fn a_withheld_role_is_could_not_find_out() {
    let (_, new) = two();
    let mut withheld = new.repository.clone();
    let path = withheld.path("acme");
    withheld.lose(&path);
    let nowhere = TrustSettings::new(StoreChoice::Nowhere);
    assert_eq!(code(look(&Served::new(withheld), &nowhere, NOW)), (UpdateClass::Unknown, "tuf-missing"));
}

#[test]
fn a_part_of_the_newest_metadata_hides_none_of_it_wherever_it_stands() {
    let mut repository = repository().with_hashes();
    repository.publish();
    let old = Served::new(repository.clone());
    repository.add_target("acme", NAME, b"two");
    repository.publish();
    let new = Served::new(repository);
    let settings = TrustSettings::new(StoreChoice::Nowhere);
    // A role is missing, or is another document; the rest is the honest one's.
    let mut without = new.repository.clone();
    without.lose(&new.repository.path("acme"));
    let mut other = new.repository.clone();
    other.serve(&new.repository.path("acme"), old.repository.file(&old.repository.path("acme")).to_vec());
    for part in [Served::new(without), Served::new(other)] {
        assert!(look(&part, &settings, NOW).is_err());
        for order in [[&old, &part, &new], [&part, &new, &old], [&new, &old, &part]] {
            let sources = order.map(|source| -> &dyn Fetch { source });
            let found = newest(&root(), sources, &settings, at(NOW)).unwrap().unwrap();
            assert_eq!(look(found, &settings, NOW).unwrap().0, 2);
        }
        // With none that is whole, older metadata does not take its place.
        let found = newest(&root(), [&old, &part].map(|source| -> &dyn Fetch { source }), &settings, at(NOW)).unwrap().unwrap();
        assert!(look(found, &settings, NOW).is_err());
    }
}

#[test]
fn a_look_at_another_time_keeps_nothing() {
    let folder = Folder::new();
    let (old, new) = two();
    let base = TrustSettings::new(StoreChoice::Among(folder.path("base")));
    let expected = vec![Note::NoHistory, Note::AsOf(at(NOW + 5))];
    assert_eq!(look(&new, &base.clone().at(at(NOW + 5)), NOW).unwrap(), (2, expected));
    assert!(!folder.path("base").exists());
    // With a store, from that on, and without a trace in it.
    look(&old, &base, NOW).unwrap();
    let stores = folder.path("base/stores");
    let store = stores.join(&names(&stores)[0]);
    let before = std::fs::read(store.join("metadata/timestamp.json")).unwrap();
    let (version, notes) = look(&new, &base.clone().at(at(NOW + 5)), NOW).unwrap();
    assert_eq!((version, notes), (2, vec![Note::AsOf(at(NOW + 5))]));
    assert_eq!(std::fs::read(store.join("metadata/timestamp.json")).unwrap(), before);
    assert_eq!(look(&old, &base, NOW).unwrap().0, 1);
    assert_eq!(code(look(&new, &base.at(at(EXPIRES_SECONDS)), NOW)).0, UpdateClass::Untrusted);
}

#[test]
fn a_clock_that_was_set_back_does_not_revive_what_expired() {
    let folder = Folder::new();
    let (_, new) = two();
    let settings = TrustSettings::new(StoreChoice::At(folder.path("store")));
    look(&new, &settings, NOW).unwrap();
    let (_, notes) = look(&new, &settings, NOW - 1_000).unwrap();
    assert_eq!(notes, [Note::ClockBehind { clock: at(NOW - 1_000), taken: at(NOW) }]);
}

#[test]
fn a_store_that_cannot_be_written_is_said_and_a_named_one_is_an_error() {
    let folder = Folder::new();
    folder.file("file", "no folder");
    let (_, new) = two();
    let among = TrustSettings::new(StoreChoice::Among(folder.path("file/base")));
    let (version, notes) = look(&new, &among, NOW).unwrap();
    assert!(matches!(notes.as_slice(), [Note::NotKept(_), Note::NoHistory]), "{notes:?}");
    assert_eq!(version, 2);
    let named = TrustSettings::new(StoreChoice::At(folder.path("file/store")));
    assert_eq!(code(look(&new, &named, NOW)).0, UpdateClass::Unknown);
}

#[test]
fn a_named_store_is_for_the_roots_of_its_history_alone() {
    let folder = Folder::new();
    let (_, new) = two();
    let settings = TrustSettings::new(StoreChoice::At(folder.path("store")));
    look(&new, &settings, NOW).unwrap();
    let mut other = Repository::new();
    other.set_keys("timestamp", 1, &[Key::ed25519("other")]);
    other.publish();
    let error = TrustRoot::open(other.file("2.root.json"), &new, &settings, at(NOW)).unwrap_err();
    assert_eq!((error.class(), error.code()), (UpdateClass::Usage, "trust-another-history"));
}

#[test]
fn a_later_root_opens_the_store_of_the_earlier_one() {
    let folder = Folder::new();
    let (_, mut new) = two();
    let settings = TrustSettings::new(StoreChoice::Among(folder.root().to_owned()));
    look(&new, &settings, NOW).unwrap();
    let keys = [Key::ed25519("new timestamp")];
    new.repository.set_keys("timestamp", 1, &keys);
    new.repository.set_signers("timestamp", &keys);
    new.repository.bump("timestamp");
    new.repository.publish();
    look(&new, &settings, NOW).unwrap();
    let later = new.repository.file("2.root.json").to_vec();
    let trust = TrustRoot::open(&later, &new, &settings, at(NOW)).unwrap();
    assert_eq!(trust.notes(), []);
    assert_eq!(names(&folder.path("stores")).len(), 1);
}

const POLICY: &str = "_touchmark/policy.json";

/// A repository with a file that the top-level targets list, or the role acme, or nobody.
fn with_file(role: Option<&str>) -> Repository {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*", "_touchmark/*"]));
    repository.add_target("acme", NAME, b"one");
    if let Some(role) = role {
        repository.add_target(role, POLICY, b"the policy");
    }
    repository.publish();
    repository
}

fn target(source: &dyn Fetch, root: &[u8], settings: &TrustSettings) -> Result<Option<Vec<u8>>, TrustRootError> {
    TrustRoot::open(root, source, settings, at(NOW))?.target(&touchmark_tuf::TargetPath::new(POLICY).unwrap())
}

/// A repository whose files of targets are not served.
struct Without(Served);

impl Fetch for Without {
    fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, touchmark_tuf::Failure> {
        if path.starts_with("targets/") { Ok(None) } else { self.0.fetch(path, limit) }
    }

    fn location(&self) -> String {
        self.0.location()
    }
}

fn answer_targets(repository: &mut Repository, served: &Content) {
    for path in repository.targets().keys().cloned().collect::<Vec<_>>() {
        repository.serve_target(&path, served.clone());
    }
}

#[test]
fn a_file_is_the_word_of_the_top_level_targets_alone() {
    let nowhere = TrustSettings::new(StoreChoice::Nowhere);
    let read = |role| {
        let repository = with_file(role);
        let root = repository.file("1.root.json").to_vec();
        target(&Served::new(repository), &root, &nowhere)
    };
    assert_eq!(read(Some("targets")).unwrap().as_deref(), Some(&b"the policy"[..]));
    assert_eq!(read(Some("acme")).unwrap(), None);
    assert_eq!(read(None).unwrap(), None);
}

#[test]
fn a_file_that_is_listed_and_withheld_is_could_not_find_out_unless_the_store_has_it() {
    let folder = Folder::new();
    let (settings, nowhere) = (TrustSettings::new(StoreChoice::At(folder.path("store"))), TrustSettings::new(StoreChoice::Nowhere));
    let repository = with_file(Some("targets"));
    let root = repository.file("1.root.json").to_vec();
    let mut withheld = repository.clone();
    answer_targets(&mut withheld, &Content::Failure);
    let (failing, without) = (Served::new(withheld.clone()), Without(Served::new(repository.clone())));
    let sources: [(&dyn Fetch, &str); 2] = [(&failing, "target-fetch"), (&without, "target-missing")];
    for (source, code) in sources {
        let error = target(source, &root, &nowhere).unwrap_err();
        assert_eq!((error.class(), error.code()), (UpdateClass::Unknown, code));
    }
    let mut other = repository.clone();
    answer_targets(&mut other, &Content::File(b"a policy x".to_vec()));
    assert_eq!(target(&Served::new(other), &root, &nowhere).unwrap_err().class(), UpdateClass::WrongContent);
    // Once it was had it is there, and what is damaged there is fetched again.
    target(&Served::new(repository.clone()), &root, &settings).unwrap();
    assert!(target(&Served::new(withheld.clone()), &root, &settings).unwrap().is_some());
    let kept = names(&folder.path("store/targets"));
    folder.file(&format!("store/targets/{}", kept[0]), "the Policy");
    assert!(target(&Served::new(withheld), &root, &settings).is_err());
    assert!(target(&Served::new(repository.clone()), &root, &settings).unwrap().is_some());
    // What is listed no more is not kept.
    let mut next = repository;
    next.add_target("targets", POLICY, b"another policy");
    next.publish();
    assert_eq!(target(&Served::new(next), &root, &settings).unwrap().as_deref(), Some(&b"another policy"[..]));
    assert_eq!(names(&folder.path("store/targets")).len(), 1);
}
