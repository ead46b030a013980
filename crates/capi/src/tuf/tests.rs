use std::collections::BTreeMap;

use touchmark_test_tuf_repository::{Delegation, EXPIRES_SECONDS, Fetched, NOW, Repository, Served};

use super::*;
use crate::buffer::touchmark_buffer_bytes;
use crate::standing::{touchmark_standing_expires, touchmark_standing_to_json};
use crate::step::{TOUCHMARK_FAILURE_NOT_FOUND, TOUCHMARK_FAILURE_TOO_LARGE, TOUCHMARK_FAILURE_UNAVAILABLE};
use crate::testing::{Owned, Seen, done, failed, made, shown, text, view};
use crate::tuf_target::{
    touchmark_tuf_target_check, touchmark_tuf_target_fetch_path, touchmark_tuf_target_length, touchmark_tuf_target_role,
    touchmark_tuf_target_to_json,
};

pub(crate) const NAME: &str = "acme/tool:1";

/// A repository that lists a name and a file.
pub(crate) fn repository() -> Repository {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).terminating());
    repository.add_target("acme", NAME, b"content");
    repository.add_target("targets", "_touchmark/policy.json", b"a policy");
    repository.publish();
    repository
}

pub(crate) type Store = BTreeMap<String, Vec<u8>>;

/// A store that has the first root alone.
pub(crate) fn store(repository: &Repository) -> Store {
    Store::from([("root.json".to_owned(), repository.file("1.root.json").to_vec())])
}

/// A step, with its views copied.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    kind: u32,
    name: String,
    bytes: Vec<u8>,
    limit: u64,
}

/// A client, with its functions as methods.
pub(crate) struct Client(pub(crate) Owned<touchmark_tuf_client>);

impl Client {
    pub(crate) fn new(offline: u32, at: i64) -> Result<Self, Seen> {
        // SAFETY: the places are the test's.
        made(|out, error| unsafe { touchmark_tuf_client_new(offline, at, out, error) }).map(Self)
    }

    fn next(&self) -> Result<Wanted, Seen> {
        let mut step = touchmark_tuf_step { kind: 9, reserved: 9, limit: 9, ..touchmark_tuf_step::NOTHING };
        // SAFETY: the handle and the places are the test's.
        let result = done(|error| unsafe { touchmark_tuf_client_next(self.0.0, &raw mut step, error) });
        assert_eq!(step.reserved, 0);
        let touchmark_tuf_step { kind, name, bytes, limit, .. } = step;
        assert!(result.is_ok() || kind == TOUCHMARK_TUF_DONE && name.len == 0 && bytes.len == 0 && limit == 0);
        result.map(|()| Wanted { kind, name: text(name), bytes: shown(bytes), limit })
    }

    fn bytes(&self, bytes: &[u8]) -> Result<(), Seen> {
        // SAFETY: the handle, the view and the place are the test's.
        done(|error| unsafe { touchmark_tuf_client_provide_bytes(self.0.0, view(bytes), error) })
    }

    fn absent(&self) -> Result<(), Seen> {
        // SAFETY: the handle and the place are the test's.
        done(|error| unsafe { touchmark_tuf_client_provide_absent(self.0.0, error) })
    }

    fn done(&self) -> Result<(), Seen> {
        // SAFETY: the handle and the place are the test's.
        done(|error| unsafe { touchmark_tuf_client_provide_done(self.0.0, error) })
    }

    fn failure(&self, failure: u32, message: &str) -> Result<(), Seen> {
        // SAFETY: the handle, the view and the place are the test's.
        done(|error| unsafe { touchmark_tuf_client_provide_failure(self.0.0, failure, view(message), error) })
    }

    pub(crate) fn look_up(&self, target: &str) -> Result<(), Seen> {
        // SAFETY: the handle, the view and the place are the test's.
        done(|error| unsafe { touchmark_tuf_client_look_up(self.0.0, view(target), error) })
    }

    pub(crate) fn found(&self) -> Result<Owned<touchmark_tuf_target>, Seen> {
        // SAFETY: the handle and the places are the test's.
        made(|out, error| unsafe { touchmark_tuf_client_found(self.0.0, out, error) })
    }

    pub(crate) fn standing(&self, name: &str) -> Result<Owned<touchmark_standing>, Seen> {
        // SAFETY: the handle, the view and the places are the test's.
        made(|out, error| unsafe { touchmark_tuf_client_standing(self.0.0, view(name), out, error) })
    }

    pub(crate) fn state(&self) -> String {
        // SAFETY: the handle and the places are the test's.
        buffer(made(|out, error| unsafe { touchmark_tuf_client_state_json(self.0.0, out, error) }))
    }

    /// Takes one step.
    fn step(&self, repository: &Repository, store: &mut Store) -> Result<bool, Seen> {
        let Wanted { kind, name, bytes, limit } = self.next()?;
        let absent_or = |bytes: Option<&[u8]>| bytes.map_or_else(|| self.absent(), |bytes| self.bytes(bytes));
        match kind {
            TOUCHMARK_TUF_LOAD => absent_or(store.get(&name).map(Vec::as_slice)),
            TOUCHMARK_TUF_FETCH => match repository.fetch(&name, limit) {
                Fetched::File(bytes) => self.bytes(&bytes),
                Fetched::Absent => self.absent(),
                Fetched::Failed => self.failure(TOUCHMARK_FAILURE_UNAVAILABLE, "the test's network"),
                Fetched::TooLong => self.failure(TOUCHMARK_FAILURE_TOO_LARGE, ""),
            },
            TOUCHMARK_TUF_STORE => {
                store.insert(name, bytes);
                self.done()
            }
            TOUCHMARK_TUF_REMOVE => {
                store.remove(&name);
                self.done()
            }
            _ => return Ok(false),
        }
        .map(|()| true)
    }

    fn drive(&self, repository: &Repository, store: &mut Store) -> Result<(), Seen> {
        while self.step(repository, store)? {}
        Ok(())
    }
}

/// What a buffer has, as text.
pub(crate) fn buffer(buffer: Result<Owned<touchmark_buffer>, Seen>) -> String {
    let buffer = buffer.unwrap();
    // SAFETY: the library gave the buffer, and it is freed after this.
    text(unsafe { touchmark_buffer_bytes(buffer.0) })
}

fn updated(repository: &Repository, store: &mut Store) -> Result<Client, Seen> {
    let client = Client::new(0, NOW)?;
    client.drive(repository, store)?;
    Ok(client)
}

/// A client that has searched for this.
fn searched(repository: &Repository, target: &str) -> Client {
    let mut store = store(repository);
    let client = updated(repository, &mut store).unwrap();
    client.look_up(target).unwrap();
    client.drive(repository, &mut store).unwrap();
    client
}

#[test]
fn an_update_is_kept_and_told() {
    let repository = repository();
    let mut store = store(&repository);
    let client = Client::new(0, NOW).unwrap();
    assert_eq!(client.state(), r#"{"at":"2026-11-28T00:00:00Z","root":null,"timestamp":null,"snapshot":null,"targets":null}"#);
    client.drive(&repository, &mut store).unwrap();
    let versions = ["root", "timestamp", "snapshot", "targets"].map(|role| repository.version(role));
    let role = |(name, version)| format!(r#""{name}":{{"version":{version},"expires":"2030-01-01T00:00:00Z"}}"#);
    let roles: Vec<String> = ["root", "timestamp", "snapshot", "targets"].into_iter().zip(versions).map(role).collect();
    assert_eq!(client.state(), format!(r#"{{"at":"2026-11-28T00:00:00Z",{}}}"#, roles.join(",")));
    assert_eq!(store.keys().collect::<Vec<_>>(), ["root.json", "snapshot.json", "targets.json", "timestamp.json"]);
    // It is done, and stays so.
    assert_eq!(client.next().unwrap(), Wanted { kind: TOUCHMARK_TUF_DONE, name: String::new(), bytes: vec![], limit: 0 });
    assert_eq!(client.next().unwrap().kind, TOUCHMARK_TUF_DONE);
}

#[test]
fn a_target_is_found_and_checked() {
    let repository = repository();
    let client = searched(&repository, NAME);
    for _ in 0..2 {
        let target = client.found().unwrap();
        // SAFETY: the handle and the places are the test's.
        unsafe {
            assert_eq!((touchmark_tuf_target_length(target.0), text(touchmark_tuf_target_role(target.0))), (7, "acme".into()));
            let path = buffer(made(|out, error| touchmark_tuf_target_fetch_path(target.0, out, error)));
            let hash = touchmark_envelope::digest::Algorithm::Sha256.digest(b"content").hex();
            assert_eq!(path, if repository.is_consistent() { format!("acme/{hash}.tool%3A1") } else { "acme/tool%3A1".into() });
            let json = buffer(made(|out, error| touchmark_tuf_target_to_json(target.0, out, error)));
            assert_eq!(json, format!(r#"{{"target":"{NAME}","role":"acme","length":7,"hashes":{{"sha256":"{hash}"}}}}"#));
            let check = |bytes: &[u8]| done(|error| touchmark_tuf_target_check(target.0, view(bytes), error));
            assert_eq!(check(b"content"), Ok(()));
            assert_eq!(failed(check(b"Content")), ("NOT_VERIFIED", "target-hash".into()));
            assert_eq!(failed(check(b"content ")), ("NOT_VERIFIED", "target-length".into()));
            assert_eq!(failed(check(b"")), ("NOT_VERIFIED", "target-length".into()));
        }
    }
    let client = searched(&repository, "acme/other:1");
    for _ in 0..2 {
        assert_eq!(failed(client.found()), ("NOT_FOUND", "no-such-target".into()));
    }
}

#[test]
fn a_standing_is_of_the_name_that_was_searched_for() {
    let repository = repository();
    let client = searched(&repository, NAME);
    for _ in 0..2 {
        let standing = client.standing(NAME).unwrap();
        assert!(client.found().is_ok());
        // SAFETY: the handle and the places are the test's.
        unsafe {
            assert_eq!(touchmark_standing_expires(standing.0), EXPIRES_SECONDS);
            let json = buffer(made(|out, error| touchmark_standing_to_json(standing.0, out, error)));
            let begin = r#"{"name":"acme/tool:1","at":"2026-11-28T00:00:00Z","expires":"2030-01-01T00:00:00Z","metadata":[{"role":"root","version":1,"#;
            assert!(json.starts_with(begin), "{json}");
        }
    }
    assert_eq!(failed(client.standing("acme/tool:2")), ("WRONG_STATE", "wrong-state".into()));
    assert_eq!(failed(client.standing("acme")).0, "INVALID_NAME");
    // A name that nobody lists has a standing too.
    assert!(searched(&repository, "acme/other").standing("acme/other").is_ok());
}

#[test]
fn calls_come_in_their_order() {
    let repository = repository();
    let mut store = store(&repository);
    let client = Client::new(0, NOW).unwrap();
    let wrong = |result: Result<(), Seen>| assert_eq!(failed(result), ("WRONG_STATE", "wrong-state".into()));
    let answers = || {
        wrong(client.bytes(b"x"));
        wrong(client.absent());
        wrong(client.done());
        wrong(client.failure(TOUCHMARK_FAILURE_UNAVAILABLE, "x"));
    };
    // Nothing was asked for.
    answers();
    assert_eq!(failed(client.look_up(NAME)), ("WRONG_STATE", "tuf-not-ready".into()));
    wrong(client.found().map(drop));
    wrong(client.standing(NAME).map(drop));
    // The same again, and then the answer, once.
    let first = client.next().unwrap();
    assert_eq!((first.kind, first.name.as_str()), (TOUCHMARK_TUF_LOAD, "root.json"));
    assert_eq!(client.next().unwrap(), first);
    wrong(client.done());
    assert_eq!(failed(client.failure(6, "")), ("INVALID_ARGUMENT", "invalid-argument".into()));
    assert_eq!(client.bytes(&store["root.json"]), Ok(()));
    answers();
    client.drive(&repository, &mut store).unwrap();
    answers();
    // A search under way has no outcome; another one may begin.
    wrong(client.found().map(drop));
    assert_eq!(client.look_up(NAME), Ok(()));
    wrong(client.found().map(drop));
    wrong(client.standing(NAME).map(drop));
    client.step(&repository, &mut store).unwrap();
    assert_eq!(client.look_up("_touchmark/policy.json"), Ok(()));
    client.drive(&repository, &mut store).unwrap();
    assert!(client.found().is_ok());
    for bad in ["", "/a", "a/../b", "a//b", "a\n"] {
        assert_eq!(failed(client.look_up(bad)), ("INVALID_NAME", "target-path-invalid".into()));
    }
    assert!(client.found().is_ok());
    // Bytes are not for what is to be stored.
    let client = Client::new(0, NOW).unwrap();
    let mut store = super::tests::store(&repository);
    loop {
        let wanted = client.next().unwrap();
        if wanted.kind == TOUCHMARK_TUF_STORE {
            wrong(client.bytes(b""));
            wrong(client.absent());
            assert_eq!(client.next().unwrap(), wanted);
            break;
        }
        assert!(client.step(&repository, &mut store).unwrap());
    }
}

#[test]
fn what_must_not_be_trusted_has_its_status_and_keeps_it() {
    let honest = repository();
    let mut newer = honest.clone();
    newer.bump("timestamp");
    newer.push("timestamp");
    let mut kept = store(&newer);
    updated(&newer, &mut kept).unwrap();
    let outcome = |repository: &Repository, store: &mut Store, at| {
        let client = Client::new(0, at).unwrap();
        let first = failed(client.drive(repository, store));
        assert_eq!(failed(client.next()), first);
        assert_eq!(failed(client.absent()).0, "WRONG_STATE");
        assert_eq!(failed(client.look_up(NAME)).0, "WRONG_STATE");
        first
    };
    assert_eq!(outcome(&honest, &mut kept.clone(), NOW), ("ROLLBACK", "tuf-rollback".into()));
    assert_eq!(outcome(&newer, &mut kept.clone(), EXPIRES_SECONDS), ("EXPIRED_METADATA", "tuf-expired".into()));
    let mut forged = honest.clone();
    forged.tamper("timestamp", |document| touchmark_test_tuf_repository::set(document, "/signed/version", 99_u64));
    assert_eq!(outcome(&forged, &mut store(&honest), NOW).0, "UNTRUSTED_METADATA");
    let mut gone = honest.clone();
    gone.lose("timestamp.json");
    assert_eq!(outcome(&gone, &mut store(&honest), NOW), ("UNKNOWN", "tuf-missing".into()));
    let mut unreachable = honest.clone();
    unreachable.answer("timestamp.json", Served::Failure);
    assert_eq!(outcome(&unreachable, &mut store(&honest), NOW), ("UNKNOWN", "tuf-fetch".into()));
    let seen = updated(&unreachable, &mut store(&honest)).err().unwrap();
    assert!(seen.message.contains("the test's network") && seen.json.contains(r#""retryable":true"#), "{seen:?}");
    let mut endless = honest.clone();
    endless.answer("timestamp.json", Served::Endless);
    assert_eq!(outcome(&endless, &mut store(&honest), NOW).0, "UNKNOWN");
    assert_eq!(outcome(&honest, &mut Store::new(), NOW), ("UNKNOWN", "tuf-no-root".into()));
}

#[test]
fn offline_the_store_alone_is_taken() {
    let repository = repository();
    let mut store = store(&repository);
    updated(&repository, &mut store).unwrap();
    let client = Client::new(1, NOW).unwrap();
    let mut nothing = repository.clone();
    nothing.lose("timestamp.json");
    client.drive(&nothing, &mut store).unwrap();
    assert!(client.state().contains(r#""targets":{"version""#));
    let late = Client::new(1, EXPIRES_SECONDS).unwrap();
    assert_eq!(failed(late.drive(&nothing, &mut store)).0, "EXPIRED_METADATA");
    assert_eq!(failed(Client::new(2, NOW).map(|_| ())), ("INVALID_ARGUMENT", "invalid-argument".into()));
    for at in [0, -1, i64::MIN, i64::MAX] {
        assert_eq!(failed(Client::new(0, at).map(|_| ())), ("INVALID_TIME", "invalid-time".into()));
    }
}

/// At each step, in turn, what is wrong with the answer.
fn wrong_at_each_step(answer: impl Fn(&Client, &Wanted) -> Result<(), Seen>) {
    let repository = repository();
    for bad in 0.. {
        let (client, mut store) = (Client::new(0, NOW).unwrap(), store(&repository));
        let mut looked_up = false;
        let mut outcome = Ok(());
        for step in 0..100 {
            let wanted = match client.next() {
                Ok(wanted) if wanted.kind != TOUCHMARK_TUF_DONE => wanted,
                Ok(_) if looked_up && step <= bad => return,
                Ok(_) if looked_up => break,
                Ok(_) => {
                    looked_up = true;
                    outcome = client.look_up(NAME);
                    if outcome.is_err() { break } else { continue }
                }
                Err(seen) => {
                    outcome = Err(seen);
                    break;
                }
            };
            if step == bad {
                assert_eq!(answer(&client, &wanted), Ok(()));
            } else {
                client.step(&repository, &mut store).unwrap();
            }
        }
        // Whatever it was: a failure, or it went on without; what is trusted is still what the repository signed.
        if let Err(seen) = outcome {
            let known = ["UNKNOWN", "UNTRUSTED_METADATA", "ROLLBACK"].contains(&seen.status);
            assert!(known, "{seen:?}");
        } else {
            assert!(client.state().contains(r#""root":{"version":1"#));
        }
    }
}

#[test]
fn garbage_and_too_many_bytes_are_taken_in() {
    wrong_at_each_step(|client, wanted| match wanted.kind {
        TOUCHMARK_TUF_LOAD | TOUCHMARK_TUF_FETCH => client.bytes(b"\xff garbage {"),
        _ => client.failure(TOUCHMARK_FAILURE_UNAVAILABLE, ""),
    });
    wrong_at_each_step(|client, wanted| match wanted.kind {
        TOUCHMARK_TUF_LOAD | TOUCHMARK_TUF_FETCH if wanted.limit < 1 << 24 => {
            client.bytes(&vec![b' '; usize::try_from(wanted.limit).unwrap() + 1])
        }
        _ => client.failure(TOUCHMARK_FAILURE_TOO_LARGE, ""),
    });
    for failure in 1..=5 {
        wrong_at_each_step(|client, _| client.failure(failure, "why"));
    }
}

#[test]
fn what_is_not_there_is_as_absent() {
    let repository = repository();
    let client = Client::new(0, NOW).unwrap();
    let mut store = store(&repository);
    loop {
        let wanted = client.next().unwrap();
        match wanted.kind {
            TOUCHMARK_TUF_DONE => break,
            TOUCHMARK_TUF_FETCH if wanted.name == "2.root.json" => client.failure(TOUCHMARK_FAILURE_NOT_FOUND, "").unwrap(),
            TOUCHMARK_TUF_LOAD if wanted.name != "root.json" => client.failure(TOUCHMARK_FAILURE_NOT_FOUND, "").unwrap(),
            _ => assert!(client.step(&repository, &mut store).unwrap()),
        }
    }
}
