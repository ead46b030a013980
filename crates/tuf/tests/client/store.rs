//! What is kept when, what a damaged store does, and what is asked in which order.

use std::collections::BTreeMap;

use touchmark_test_tuf_repository::{Form, Key, Repository, set};
use touchmark_tuf::{Answer, Class, Client, Error, Mode, Step};

use crate::attack::{DELEGATED, TARGET, honest, honest_with_hashes, is, renew};
use crate::machine::Machine;

/// The files of a store that is up to date with `honest`.
const FILES: [&str; 5] = ["root.json", "timestamp.json", "snapshot.json", "targets.json", "acme.json"];

/// What becomes of a file.
type Damage = fn(&[u8]) -> Option<Vec<u8>>;

#[test]
fn a_first_run_takes_these_steps_and_no_other() {
    let mut repository = honest();
    renew(&mut repository);
    let mut machine = Machine::new(&repository);
    machine.find(&repository, DELEGATED).unwrap();
    assert_eq!(
        machine.steps,
        [
            "load root.json",
            "fetch 2.root.json",
            "store root.json",
            "fetch 3.root.json",
            "load timestamp.json",
            "fetch timestamp.json",
            "store timestamp.json",
            "load snapshot.json",
            "fetch 3.snapshot.json",
            "store snapshot.json",
            "load targets.json",
            "fetch 3.targets.json",
            "store targets.json",
            "load acme.json",
            "fetch 2.acme.json",
            "store acme.json",
        ]
    );
}

#[test]
fn a_run_without_news_asks_twice_and_stores_nothing() {
    for repository in [honest(), honest_with_hashes()] {
        let mut machine = Machine::new(&repository);
        machine.find(&repository, DELEGATED).unwrap();
        let kept = machine.store.clone();
        machine.find(&repository, DELEGATED).unwrap();
        assert_eq!(machine.fetched().len(), 2, "{:?}", machine.fetched());
        assert!(machine.stored().is_empty());
        assert_eq!(machine.store, kept);
    }
}

#[test]
fn everything_is_stored_byte_for_byte_in_any_form() {
    for form in [Form::Sorted, Form::Indented] {
        let mut repository = honest();
        repository.form = form;
        renew(&mut repository);
        let mut machine = Machine::new(&repository);
        machine.find(&repository, DELEGATED).unwrap();
        for (file, role) in FILES.iter().zip(["root", "timestamp", "snapshot", "targets", "acme"]) {
            assert_eq!(machine.store[*file], repository.file(&repository.path(role)), "{file}");
        }
        assert_eq!(machine.store.len(), FILES.len());
    }
}

#[test]
fn a_step_that_is_asked_for_again_is_the_same() {
    let repository = honest();
    let mut client = Client::new(Default::default(), touchmark_tuf::UnixTime::from_seconds(touchmark_test_tuf_repository::NOW).unwrap());
    for _ in 0..3 {
        assert!(matches!(client.step(), Ok(Step::Load { file: "root.json", .. })));
    }
    client.answer(Answer::Bytes(repository.file("1.root.json").to_vec()));
    for _ in 0..3 {
        assert!(matches!(client.step(), Ok(Step::Fetch { path: "2.root.json", .. })));
    }
}

#[test]
fn an_answer_to_something_else_is_refused() {
    let repository = honest();
    let begin = || Client::new(Default::default(), touchmark_tuf::UnixTime::from_seconds(touchmark_test_tuf_repository::NOW).unwrap());
    let mut client = begin();
    client.answer(Answer::Done);
    assert_eq!(client.step(), Err(Error::WrongAnswer));
    assert_eq!(client.step(), Err(Error::WrongAnswer), "an error stays");
    // More bytes than were asked for: of the store, then of the repository.
    let longer = |bytes: &[u8], limit: u64| [bytes, &vec![b' '; usize::try_from(limit).unwrap()]].concat();
    let root = repository.file("1.root.json");
    let mut client = begin();
    let Step::Load { limit, .. } = client.step().unwrap() else { panic!("a load") };
    client.answer(Answer::Bytes(longer(root, limit)));
    assert_eq!(client.step().map(|_| ()).unwrap_err().code(), "tuf-store");
    let mut next = repository.clone();
    renew(&mut next);
    let mut client = begin();
    client.answer(Answer::Bytes(root.to_vec()));
    let Step::Fetch { limit, .. } = client.step().unwrap() else { panic!("a fetch") };
    client.answer(Answer::Bytes(longer(next.file("2.root.json"), limit)));
    assert_eq!(client.step().map(|_| ()).unwrap_err().code(), "tuf-fetch");
    // Nothing was asked.
    let mut machine = Machine::new(&repository);
    let mut client = machine.refresh(&repository).unwrap();
    client.answer(Answer::Bytes(Vec::new()));
    assert_eq!(client.step(), Err(Error::WrongAnswer));
}

#[test]
fn a_store_that_fails_at_any_step_is_a_store_error_and_the_next_run_goes_on() {
    let mut repository = honest();
    let before = repository.clone();
    // Roots that rotate the key of the timestamp, so that files are removed as well.
    repository.set_keys("timestamp", 1, &[Key::ed25519("new")]);
    renew(&mut repository);
    let started = {
        let mut machine = Machine::new(&before);
        machine.find(&before, DELEGATED).unwrap();
        machine
    };
    let steps = {
        let mut machine = started.clone();
        machine.find(&repository, DELEGATED).unwrap();
        machine.steps
    };
    assert!(steps.contains(&"remove snapshot.json".to_owned()));
    for step in steps {
        let mut machine = started.clone();
        machine.failing.insert(step.clone());
        let error = machine.find(&repository, DELEGATED).unwrap_err();
        is(&error, if step.starts_with("fetch ") { Class::Unknown } else { Class::Store });
        machine.failing.clear();
        assert!(machine.find(&repository, DELEGATED).unwrap_or_else(|error| panic!("{step}: {error}")).found.is_some());
        for (file, role) in FILES.iter().zip(["root", "timestamp", "snapshot", "targets", "acme"]) {
            assert_eq!(machine.store[*file], repository.file(&repository.path(role)), "{step}: {file}");
        }
    }
}

#[test]
fn an_update_that_ends_at_any_step_loses_no_protection_from_rollback() {
    // Whatever was stored stays, so that what an interrupted run has seen is not undone by an older repository.
    let old = honest();
    let mut new = old.clone();
    renew(&mut new);
    let started = Machine::refreshed(&old);
    let steps = {
        let mut machine = started.clone();
        machine.refresh(&new).unwrap();
        machine.steps
    };
    let after_timestamp = steps.iter().position(|step| step == "store timestamp.json").unwrap() + 1;
    for step in &steps[after_timestamp..] {
        let mut machine = started.clone();
        machine.failing.insert(step.clone());
        machine.refresh(&new).unwrap_err();
        machine.failing.clear();
        let mut replayed = new.clone();
        replayed.serve("timestamp.json", old.file("timestamp.json").to_vec());
        assert_eq!(machine.refresh(&replayed).unwrap_err().code(), "tuf-rollback", "{step}");
        machine.refresh(&new).unwrap();
    }
}

#[test]
fn a_missing_or_damaged_file_of_the_store_is_fetched_again() {
    for repository in [honest(), honest_with_hashes()] {
        let mut whole = Machine::new(&repository);
        whole.find(&repository, DELEGATED).unwrap();
        for file in &FILES[1..] {
            let damages: [Damage; 6] = [
                |_| None,
                |_| Some(Vec::new()),
                |bytes| Some(bytes[..bytes.len() / 2].to_vec()),
                |_| Some(b"{\"signed\":null,\"signatures\":[]}".to_vec()),
                |bytes| Some(String::from_utf8(bytes.to_vec()).unwrap().replace("2030-01-01", "2031-01-01").into_bytes()),
                |bytes| Some(vec![b' '; bytes.len() * 100]),
            ];
            for (number, damage) in damages.into_iter().enumerate() {
                let mut machine = whole.clone();
                match damage(&whole.store[*file]) {
                    None => machine.store.remove(*file),
                    Some(bytes) => machine.store.insert((*file).to_owned(), bytes),
                };
                let outcome = machine.find(&repository, DELEGATED).unwrap_or_else(|error| panic!("{file}, damage {number}: {error}"));
                assert!(outcome.found.is_some());
                assert_eq!(machine.store, whole.store, "{file}, damage {number}");
            }
        }
    }
}

#[test]
fn one_stored_file_in_the_place_of_another_is_not_taken_for_it() {
    let repository = honest();
    let mut whole = Machine::new(&repository);
    whole.find(&repository, DELEGATED).unwrap();
    for to in &FILES[1..] {
        for from in FILES {
            let mut machine = whole.clone();
            machine.store.insert((*to).to_owned(), whole.store[from].clone());
            assert!(machine.find(&repository, DELEGATED).unwrap().found.is_some());
            assert_eq!(machine.store, whole.store);
        }
    }
}

#[test]
fn a_stored_file_that_someone_else_signed_is_not_believed() {
    // Whoever can write to the store cannot make the client believe more than the repository says.
    let repository = honest();
    let mut evil = repository.clone();
    for role in ["timestamp", "snapshot", "targets", "acme"] {
        evil.set_signers(role, &[Key::ed25519("stranger")]);
    }
    evil.add_target("targets", TARGET, b"malware");
    evil.add_target("acme", DELEGATED, b"malware");
    for role in ["acme", "targets", "snapshot", "timestamp"] {
        evil.sign(role);
    }
    let mut machine = Machine::new(&repository);
    machine.find(&repository, DELEGATED).unwrap();
    for (file, role) in FILES.iter().zip(["root", "timestamp", "snapshot", "targets", "acme"]).skip(1) {
        machine.store.insert((*file).to_owned(), evil.file(&evil.path(role)).to_vec());
    }
    assert_eq!(machine.find(&repository, TARGET).unwrap().found.unwrap().target.length, 7 /* "content" */);
    assert_eq!(machine.find(&repository, DELEGATED).unwrap().found.unwrap().target.length, 4);
}

#[test]
fn a_store_with_newer_files_than_the_timestamp_lists_goes_by_the_timestamp() {
    let old = honest();
    let mut new = old.clone();
    renew(&mut new);
    let mut ahead = Machine::new(&new);
    ahead.find(&new, DELEGATED).unwrap();
    let mut machine = Machine::refreshed(&old);
    for file in ["targets.json", "acme.json"] {
        machine.store.insert(file.to_owned(), ahead.store[file].clone());
    }
    machine.find(&old, DELEGATED).unwrap();
    assert_eq!((machine.version("targets.json"), machine.version("acme.json")), (Some(2), Some(1)));
}

#[test]
fn a_store_that_lost_its_timestamp_still_knows_its_snapshot() {
    let old = honest();
    let mut new = old.clone();
    renew(&mut new);
    let mut machine = Machine::refreshed(&new);
    machine.store.remove("timestamp.json");
    // Not even the roles went back: the snapshot alone did.
    let mut evil = new.clone();
    evil.set("snapshot", "/version", old.version("snapshot"));
    evil.push("snapshot");
    assert_eq!(machine.refresh(&evil).unwrap_err().code(), "tuf-rollback");
    // The owners go on from there, with versions above all that were seen.
    let mut later = evil.clone();
    later.set("snapshot", "/version", new.version("snapshot"));
    renew(&mut later);
    machine.refresh(&later).unwrap();
}

// The store alone.

fn offline(machine: &mut Machine) {
    machine.settings.mode = Mode::StoreOnly;
}

#[test]
fn without_the_repository_the_store_is_verified_and_nothing_is_asked_or_stored() {
    let repository = honest();
    let mut machine = Machine::new(&repository);
    machine.find(&repository, DELEGATED).unwrap();
    offline(&mut machine);
    assert!(machine.find(&repository, DELEGATED).unwrap().found.is_some());
    assert_eq!(machine.steps, FILES.map(|file| format!("load {file}")));
}

#[test]
fn without_the_repository_a_damaged_missing_or_expired_file_is_an_error() {
    let repository = honest();
    let mut whole = Machine::new(&repository);
    whole.find(&repository, DELEGATED).unwrap();
    offline(&mut whole);
    for file in FILES {
        let mut machine = whole.clone();
        machine.store.remove(file);
        machine.find(&repository, DELEGATED).unwrap_err();
        let mut machine = whole.clone();
        let changed = String::from_utf8(whole.store[file].clone()).unwrap().replace("2030-01-01", "2031-01-01");
        machine.store.insert(file.to_owned(), changed.into_bytes());
        is(&machine.find(&repository, DELEGATED).unwrap_err(), Class::Untrusted);
    }
    for role in ["root", "timestamp", "snapshot", "targets", "acme"] {
        let mut repository = honest();
        repository.expire(role, "2026-11-29T00:00:00Z");
        repository.publish();
        let mut machine = Machine::new(&repository);
        machine.find(&repository, DELEGATED).unwrap();
        offline(&mut machine);
        machine.at += 86_399;
        machine.find(&repository, DELEGATED).unwrap();
        machine.at += 1;
        is(&machine.find(&repository, DELEGATED).unwrap_err(), Class::Expired);
    }
}

#[test]
fn without_the_repository_files_that_do_not_belong_together_are_refused() {
    let old = honest_with_hashes();
    let mut new = old.clone();
    renew(&mut new);
    let stores: Vec<BTreeMap<String, Vec<u8>>> = [&old, &new]
        .map(|repository| {
            let mut machine = Machine::new(&old);
            machine.find(repository, DELEGATED).unwrap();
            machine.store
        })
        .to_vec();
    for file in ["timestamp.json", "snapshot.json", "targets.json", "acme.json"] {
        for (one, other) in [(0, 1), (1, 0)] {
            let mut machine = Machine::new(&old);
            machine.store = stores[one].clone();
            machine.store.insert(file.to_owned(), stores[other][file].clone());
            offline(&mut machine);
            is(&machine.find(&new, DELEGATED).unwrap_err(), Class::Untrusted);
        }
    }
}

#[test]
fn a_repository_may_change_its_form_between_versions() {
    let mut repository: Repository = honest();
    let mut machine = Machine::refreshed(&repository);
    for form in [Form::Indented, Form::Sorted] {
        repository.form = form;
        repository.set("targets", "/x-form", form == Form::Sorted);
        set(repository.signed("acme"), "/x-form", form == Form::Sorted);
        repository.publish();
        assert!(machine.find(&repository, DELEGATED).unwrap().found.is_some());
    }
}
