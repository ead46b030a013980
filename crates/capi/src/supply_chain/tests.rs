use std::ptr;

use super::*;
use crate::buffer::touchmark_buffer_bytes;
use crate::public_key::{TOUCHMARK_KEY_ED25519, touchmark_public_key_from_raw};
use crate::step::{TOUCHMARK_FAILURE_MALFORMED, TOUCHMARK_FAILURE_NOT_FOUND, TOUCHMARK_FAILURE_TOO_LARGE, TOUCHMARK_FAILURE_UNAVAILABLE};
use crate::testing::{Owned, Seen, done, failed, made, text, view};

pub(crate) const LAYOUT: &[u8] = include_bytes!("../../../../testdata/in-toto/rust/made/root.layout");
const LINKS: [(&str, &[u8]); 2] = [
    ("write.e0294a3f.link", include_bytes!("../../../../testdata/in-toto/rust/made/write.e0294a3f.link")),
    ("package.562b12b3.link", include_bytes!("../../../../testdata/in-toto/rust/made/package.562b12b3.link")),
];
const OWNER: &str = "3ac4144268e255bccc6d07ccb2bd364485f8c8a9a151b968b87ab99a889cd503";
pub(crate) const NOW: i64 = 1_795_824_000;
const EXPIRES: i64 = 1_893_456_000;

pub(crate) fn owner() -> Owned<touchmark_public_key> {
    let raw: Vec<u8> = (0..32).map(|place| u8::from_str_radix(&OWNER[2 * place..2 * place + 2], 16).unwrap()).collect();
    // SAFETY: the view and the places are the test's.
    made(|out, error| unsafe { touchmark_public_key_from_raw(TOUCHMARK_KEY_ED25519, view(&raw), out, error) }).unwrap()
}

/// A verification, with its functions as methods.
struct Chain(Owned<touchmark_supply_chain>);

impl Chain {
    fn new(layout: &[u8], keys: &[*const touchmark_public_key], parameters: &[(&str, &str)], at: i64) -> Result<Self, Seen> {
        let pairs: Vec<_> = parameters.iter().map(|(key, value)| touchmark_pair { key: view(key), value: view(value) }).collect();
        // SAFETY: the handles, the views and the places are the test's.
        made(|out, error| unsafe {
            let (keys, count, parameters) = (keys.as_ptr(), keys.len(), pairs.as_ptr());
            touchmark_supply_chain_new(view(layout), keys, count, parameters, pairs.len(), at, out, error)
        })
        .map(Self)
    }

    fn next(&self) -> Result<(u32, String, String, u64), Seen> {
        let mut need = touchmark_supply_chain_need { kind: 9, reserved: 9, limit: 9, ..touchmark_supply_chain_need::NOTHING };
        // SAFETY: the handle and the places are the test's.
        done(|error| unsafe { touchmark_supply_chain_next(self.0.0, &raw mut need, error) })?;
        assert_eq!(need.reserved, 0);
        Ok((need.kind, text(need.name), text(need.step), need.limit))
    }

    fn bytes(&self, bytes: &[u8]) -> Result<(), Seen> {
        // SAFETY: the handle, the view and the place are the test's.
        done(|error| unsafe { touchmark_supply_chain_provide_bytes(self.0.0, view(bytes), error) })
    }

    fn absent(&self) -> Result<(), Seen> {
        // SAFETY: the handle and the place are the test's.
        done(|error| unsafe { touchmark_supply_chain_provide_absent(self.0.0, error) })
    }

    fn names(&self, names: &[&[u8]], complete: u32) -> Result<(), Seen> {
        let views: Vec<_> = names.iter().map(view).collect();
        // SAFETY: the handle, the views and the place are the test's.
        done(|error| unsafe { touchmark_supply_chain_provide_names(self.0.0, views.as_ptr(), views.len(), complete, error) })
    }

    fn failure(&self, failure: u32, message: &str) -> Result<(), Seen> {
        // SAFETY: the handle, the view and the place are the test's.
        done(|error| unsafe { touchmark_supply_chain_provide_failure(self.0.0, failure, view(message), error) })
    }

    fn finish(&self) -> Result<Owned<touchmark_verified_supply_chain>, Seen> {
        // SAFETY: the handle and the places are the test's.
        made(|out, error| unsafe { touchmark_supply_chain_finish(self.0.0, out, error) })
    }

    /// Answers what is needed from these links.
    fn drive(&self, links: &[(&str, &[u8])]) -> Result<(), Seen> {
        loop {
            let (kind, name, ..) = self.next()?;
            match kind {
                TOUCHMARK_SUPPLY_CHAIN_DONE => return Ok(()),
                TOUCHMARK_SUPPLY_CHAIN_FILE => match links.iter().find(|(link, _)| *link == name) {
                    Some((_, bytes)) => self.bytes(bytes)?,
                    None => self.absent()?,
                },
                _ => self.absent()?,
            }
        }
    }
}

fn verified(links: &[(&str, &[u8])], at: i64) -> Result<Owned<touchmark_verified_supply_chain>, Seen> {
    let key = owner();
    let chain = Chain::new(LAYOUT, &[key.0.cast_const()], &[], at)?;
    drop(key);
    chain.drive(links)?;
    chain.finish()
}

pub(crate) fn report(chain: &Owned<touchmark_verified_supply_chain>) -> String {
    // SAFETY: the handles and the places are the test's.
    let buffer = made(|out, error| unsafe { touchmark_verified_supply_chain_to_json(chain.0, out, error) }).unwrap();
    // SAFETY: the library gave the buffer, and it is freed after this.
    text(unsafe { touchmark_buffer_bytes(buffer.0) })
}

#[test]
fn a_layout_is_verified_and_explained() {
    let json = report(&verified(&LINKS, NOW).unwrap());
    assert!(json.starts_with(r#"{"verified":true,"class":null,"layouts":[{"folder":"","verified":true,"#), "{json}");
    // With what became of each artifact.
    assert!(json.contains(r#""consumed_by":"#), "{json}");
}

#[test]
fn what_does_not_hold_is_refused_with_the_report() {
    let seen = verified(&LINKS[..1], NOW).err().unwrap();
    assert_eq!((seen.status, seen.code.as_str()), ("SUPPLY_CHAIN_NOT_VERIFIED", "in-toto-threshold"));
    let error = touchmark_envelope::json::parse(seen.json.as_bytes(), seen.json.len()).unwrap();
    let report = error.get("report").unwrap();
    assert_eq!(report.get("verified"), Some(&false.into()));
    assert_eq!(report.get("class").and_then(|class| class.as_str()), Some("not-verified"));
    assert!(seen.json.contains("package"), "{seen:?}");
    let seen = verified(&LINKS, EXPIRES).err().unwrap();
    assert_eq!((seen.status, seen.code.as_str()), ("UNTRUSTED_METADATA", "in-toto-expired"));
    // Others than its owner's key, none, garbage.
    let refused = |layout: &[u8], keys: &[*const touchmark_public_key]| {
        let chain = Chain::new(layout, keys, &[], NOW).unwrap();
        chain.drive(&LINKS).unwrap();
        failed(chain.finish())
    };
    let key = owner();
    let mut tampered = LAYOUT.to_vec();
    let place = tampered.windows(4).position(|word| word == b"2030").unwrap();
    tampered[place + 3] = b'1';
    assert_eq!(refused(&tampered, &[key.0]), ("UNTRUSTED_METADATA", "in-toto-layout-signature".into()));
    assert_eq!(refused(LAYOUT, &[]).0, "INVALID_ARGUMENT");
    for garbage in [&b""[..], b"{", b"\xff", b"[]", b"{\"signed\":{},\"signatures\":[]}"] {
        assert_eq!(refused(garbage, &[key.0]).0, "UNTRUSTED_METADATA");
    }
}

#[test]
fn what_could_not_be_had_leaves_it_open() {
    let key = owner();
    for failure in 1..=5 {
        let chain = Chain::new(LAYOUT, &[key.0.cast_const()], &[], NOW).unwrap();
        while chain.next().unwrap().0 != TOUCHMARK_SUPPLY_CHAIN_DONE {
            chain.failure(failure, "the disk is gone").unwrap();
        }
        let seen = chain.finish().err().unwrap();
        let expected = match failure {
            TOUCHMARK_FAILURE_NOT_FOUND | TOUCHMARK_FAILURE_MALFORMED => "SUPPLY_CHAIN_NOT_VERIFIED",
            _ => "UNKNOWN",
        };
        assert_eq!(seen.status, expected, "{failure} {seen:?}");
        assert!(matches!(failure, TOUCHMARK_FAILURE_NOT_FOUND | TOUCHMARK_FAILURE_TOO_LARGE) || seen.json.contains("the disk is gone"));
    }
    // Garbage is what it is; too much could have been anything.
    for (bytes, expected) in [(&b"\xff{"[..], "SUPPLY_CHAIN_NOT_VERIFIED"), (&vec![b' '; (64 << 20) + 1], "UNKNOWN")] {
        let chain = Chain::new(LAYOUT, &[key.0.cast_const()], &[], NOW).unwrap();
        loop {
            let (kind, name, _, limit) = chain.next().unwrap();
            match name.as_str() {
                "package.562b12b3.link" => {
                    assert_eq!((kind, limit), (TOUCHMARK_SUPPLY_CHAIN_FILE, 64 << 20));
                    chain.bytes(bytes).unwrap();
                }
                "" => break,
                _ => LINKS.iter().find(|(link, _)| *link == name).map_or_else(|| chain.absent(), |(_, link)| chain.bytes(link)).unwrap(),
            }
        }
        assert_eq!(failed(chain.finish()).0, expected);
    }
}

#[test]
fn calls_come_in_their_order() {
    let key = owner();
    let chain = Chain::new(LAYOUT, &[key.0.cast_const()], &[], NOW).unwrap();
    let wrong = |result: Result<(), Seen>| assert_eq!(failed(result), ("WRONG_STATE", "wrong-state".into()));
    let answers = || {
        wrong(chain.bytes(b""));
        wrong(chain.absent());
        wrong(chain.names(&[], 1));
        wrong(chain.failure(TOUCHMARK_FAILURE_UNAVAILABLE, ""));
    };
    answers();
    wrong(chain.finish().map(drop));
    let first = chain.next().unwrap();
    assert_eq!(first.0, TOUCHMARK_SUPPLY_CHAIN_FILE);
    assert_eq!(chain.next().unwrap(), first);
    wrong(chain.names(&[b"x"], 1));
    assert_eq!(failed(chain.names(&[], 2)), ("INVALID_ARGUMENT", "invalid-argument".into()));
    assert_eq!(failed(chain.failure(0, "")), ("INVALID_ARGUMENT", "invalid-argument".into()));
    wrong(chain.finish().map(drop));
    assert_eq!(chain.absent(), Ok(()));
    answers();
    chain.drive(&LINKS).unwrap();
    answers();
    // Once.
    assert!(chain.finish().is_ok() || LINKS[0].0 == first.1);
    wrong(chain.finish().map(drop));
    wrong(chain.next().map(drop));
    wrong(chain.absent());
}

#[test]
fn parameters_and_times_are_checked_at_once() {
    let key = owner();
    let new = |parameters: &[(&str, &str)], at| failed(Chain::new(LAYOUT, &[key.0.cast_const()], parameters, at).map(drop));
    assert_eq!(new(&[("a b", "x")], NOW), ("INVALID_ARGUMENT", "in-toto-parameter-name".into()));
    assert_eq!(new(&[("A", "")], NOW), ("INVALID_ARGUMENT", "in-toto-parameter-empty".into()));
    assert_eq!(new(&[("A", "x"), ("A", "y")], NOW), ("INVALID_ARGUMENT", "in-toto-parameter-twice".into()));
    assert_eq!(new(&[], 0), ("INVALID_TIME", "invalid-time".into()));
    assert_eq!(failed(Chain::new(LAYOUT, &[ptr::null()], &[], NOW).map(drop)).0, "NULL_POINTER");
    // One that nothing uses is told, and no more.
    let chain = Chain::new(LAYOUT, &[key.0.cast_const()], &[("VERSION", "1")], NOW).unwrap();
    chain.drive(&LINKS).unwrap();
    assert!(report(&chain.finish().unwrap()).contains("in-toto-parameter-unused"));
}

#[test]
fn inspections_that_nobody_signed_are_asked_for_and_not_run() {
    let layout = include_bytes!("../../../../testdata/in-toto/golang/demo.layout");
    let pem = include_bytes!("../../../../testdata/in-toto/golang/alice.pub");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/in-toto/golang");
    // SAFETY: the view and the places are the test's.
    let key = made(|out, error| unsafe { crate::public_key::touchmark_public_key_read(view(pem), out, error) }).unwrap();
    let chain = Chain::new(layout, &[key.0.cast_const()], &[], NOW).unwrap();
    let mut inspections = Vec::new();
    loop {
        let (kind, name, step, limit) = chain.next().unwrap();
        match kind {
            TOUCHMARK_SUPPLY_CHAIN_DONE => break,
            TOUCHMARK_SUPPLY_CHAIN_FILE => match std::fs::read(folder.join(&name)) {
                Ok(bytes) => chain.bytes(&bytes).unwrap(),
                Err(_) => chain.absent().unwrap(),
            },
            TOUCHMARK_SUPPLY_CHAIN_NAMES => {
                assert_eq!((name.as_str(), limit), ("", 1024));
                let found = format!("{step}.d3ffd108.link");
                chain.names(&[b"\xff", b"other", found.as_bytes()], 1).unwrap();
            }
            _ => {
                assert_eq!((kind, limit), (TOUCHMARK_SUPPLY_CHAIN_INSPECTION, 0));
                inspections.push((name, step));
                assert_eq!(failed(chain.bytes(b"{}")).0, "WRONG_STATE");
                chain.absent().unwrap();
            }
        }
    }
    let seen = chain.finish().err().unwrap();
    assert_eq!(seen.status, "SUPPLY_CHAIN_NOT_VERIFIED", "{seen:?}");
    assert_eq!(inspections, [("untar".to_owned(), String::new())], "{seen:?}");
}
