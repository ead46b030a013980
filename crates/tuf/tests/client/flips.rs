//! Every single byte of every published file, and of every stored one, replaced: what is found is what the owners signed, or an error.

use std::collections::BTreeMap;

use touchmark_envelope::json::{Object, Value};
use touchmark_test_tuf_repository::{Delegation, Form, Key, Repository};
use touchmark_tuf::LookUp;

use crate::attack::{DELEGATED, TARGET};
use crate::machine::Machine;

/// What a byte is replaced with.
const REPLACEMENTS: [fn(u8) -> u8; 3] = [|byte| byte ^ 1, |byte| byte ^ 0x20, |_| b'"'];

/// A small repository: keyids of one letter, and no more than is needed.
fn small(form: Form, hashes: bool) -> Repository {
    let mut repository = Repository::new();
    if hashes {
        repository = repository.with_hashes();
    }
    repository.form = form;
    repository.set("root", "/keys", Value::Object(Object::new()));
    for (role, keyid) in [("root", "r"), ("timestamp", "t"), ("snapshot", "s"), ("targets", "u")] {
        repository.set_keys(role, 1, &[Key::ed25519(role).with_keyid(keyid)]);
    }
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(1, &[Key::ed25519("acme").with_keyid("a")]));
    repository.add_target("targets", TARGET, b"content");
    repository.add_target("acme", DELEGATED, b"tool");
    repository.publish();
    repository.bump("snapshot");
    repository.push("snapshot");
    repository
}

/// What a client finds that has this store; the targets' look-ups, or `None` where there is an error.
fn found(repository: &Repository, store: &BTreeMap<String, Vec<u8>>) -> [Option<LookUp>; 2] {
    let mut machine = Machine::new(repository);
    machine.store.extend(store.clone());
    let Ok(mut client) = machine.refresh(repository) else { return [None, None] };
    [TARGET, DELEGATED].map(|target| machine.look_up(&mut client, repository, target).ok())
}

/// Replaces every byte of the role's file.
fn flip(role: &str, form: Form, hashes: bool, replacements: &[fn(u8) -> u8]) {
    let mut repository = small(form, hashes);
    let nothing = BTreeMap::new();
    let honest = found(&repository, &nothing);
    assert!(honest.iter().all(|outcome| outcome.as_ref().is_some_and(|outcome| outcome.found.is_some())));
    let path = repository.path(role);
    let whole = repository.file(&path).to_vec();
    let mut refused = 0;
    for (at, byte) in whole.iter().enumerate() {
        for replace in replacements {
            let mut bytes = whole.clone();
            bytes[at] = replace(*byte);
            repository.serve(&path, bytes);
            for (outcome, expected) in found(&repository, &nothing).iter().zip(&honest) {
                assert!(outcome.is_none() || outcome == expected, "{path}, byte {at}: {outcome:?}");
                refused += usize::from(outcome.is_none());
            }
        }
    }
    assert!(refused > whole.len() * replacements.len() / 2, "most changes are noticed");
}

#[test]
fn any_changed_byte_of_root_changes_no_target() {
    flip("root", Form::Sorted, false, &REPLACEMENTS);
}

#[test]
fn any_changed_byte_of_the_timestamp_changes_no_target() {
    flip("timestamp", Form::Sorted, true, &REPLACEMENTS);
    flip("timestamp", Form::Indented, false, &REPLACEMENTS[..1]);
}

#[test]
fn any_changed_byte_of_the_snapshot_changes_no_target() {
    flip("snapshot", Form::Sorted, false, &REPLACEMENTS);
}

#[test]
fn any_changed_byte_of_the_targets_changes_no_target() {
    flip("targets", Form::Sorted, false, &REPLACEMENTS);
}

#[test]
fn any_changed_byte_of_a_delegated_role_changes_no_target() {
    flip("acme", Form::Sorted, false, &REPLACEMENTS);
    flip("acme", Form::Indented, true, &REPLACEMENTS[..1]);
}

#[test]
fn any_changed_byte_of_a_stored_file_changes_no_target() {
    let repository = small(Form::Sorted, false);
    let mut machine = Machine::new(&repository);
    machine.find(&repository, DELEGATED).unwrap();
    let honest = found(&repository, &machine.store);
    for (file, bytes) in &machine.store {
        for at in 0..bytes.len() {
            let mut store = machine.store.clone();
            store.get_mut(file).unwrap()[at] ^= 1;
            let outcome = found(&repository, &store);
            // A damaged root is an error, and every other file is fetched again.
            assert!(outcome == honest || (file == "root.json" && outcome == [None, None]), "{file}, byte {at}: {outcome:?}");
        }
    }
}
