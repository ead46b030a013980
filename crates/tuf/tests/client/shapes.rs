//! Well-formed JSON of the wrong shape at every place of every document: an error, never a panic, and no acceptance of what makes no sense.

use touchmark_envelope::json::Value;
use touchmark_test_tuf_repository::{Delegation, Key, Repository, assemble, at, json, remove, set};

use crate::attack::{DELEGATED, TARGET};
use crate::machine::Machine;

/// What is put in every place.
const VALUES: [&str; 10] = ["null", "0", "-1", "18446744073709551616", "\"\"", "\"x\"", "[]", "[null]", "{}", "{\"\":{\"keyids\":[]}}"];

/// A repository with every kind of delegation and all that its documents may have.
fn repository() -> Repository {
    let mut repository = Repository::new().with_hashes();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(1, &[Key::ed25519("acme"), Key::p256("acme")]));
    repository.delegate("targets", Delegation::new("hashes").prefixes(&["00", "ff"]).terminating());
    repository.delegate("acme", Delegation::bins("bin", 1));
    repository.add_target("targets", TARGET, b"content");
    repository.add_target("acme", DELEGATED, b"tool");
    repository.publish();
    repository.set("root", "/x-renewed", true);
    repository.publish();
    repository
}

/// The pointers of all values in `value`, outermost first.
fn places(value: &Value<'_>, pointer: &str, all: &mut Vec<String>) {
    all.push(pointer.to_owned());
    let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(object) => object.iter().for_each(|(name, value)| places(value, &format!("{pointer}/{}", escaped(name)), all)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, value)| places(value, &format!("{pointer}/{index}"), all)),
        _ => {}
    }
}

/// Whether `new` may stand where `old` does: it is of the same kind.
fn alike(old: &Value<'_>, new: &Value<'_>) -> bool {
    core::mem::discriminant(old) == core::mem::discriminant(new)
}

/// Serves `document` as the role's and looks targets up with a client that has all before it. Says whether it found both.
fn is_accepted(repository: &Repository, role: &str, document: &Value<'static>) -> bool {
    let mut repository = repository.clone();
    let bytes = repository.written(document);
    repository.serve(&repository.path(role), bytes);
    let mut machine = Machine::new(&repository);
    let found = |machine: &mut Machine, target| machine.find(&repository, target).is_ok_and(|outcome| outcome.found.is_some());
    found(&mut machine, TARGET) && found(&mut machine, DELEGATED)
}

/// Puts every value in every place of what a role signs, and signs that.
fn signed_shapes(role: &str) {
    let mut repository = repository();
    // The snapshot and timestamp would say that it is another file.
    repository.lengths = false;
    repository.hashes.clear();
    for role in ["targets", "acme", "snapshot"] {
        repository.describe(role);
    }
    repository.push("snapshot");
    let honest = repository.signed(role).clone();
    let keys = repository.signers(role).to_vec();
    let keys = if role == "root" { [keys.as_slice(), &[Key::ed25519("root")]].concat() } else { keys };
    assert!(is_accepted(&repository, role, &assemble(&honest, &keys)));
    let mut all = Vec::new();
    places(&honest, "", &mut all);
    for pointer in all {
        let old = at(&mut honest.clone(), &pointer).clone();
        for value in VALUES.map(json) {
            let mut signed = honest.clone();
            set(&mut signed, &pointer, value.clone());
            let accepted = is_accepted(&repository, role, &assemble(&signed, &keys));
            // A member that nobody knows may be anything that has a canonical form.
            let free = pointer.starts_with("/x-") && (!matches!(value, Value::Number(_)) || value.as_i64().is_some());
            // So may be a key that nobody can use, beside one that signed.
            let free = free || pointer.ends_with("/keyval/public");
            assert!(!accepted || free || alike(&old, &value), "{role}{pointer}: {old:?} became {value:?}");
        }
        if !pointer.is_empty() {
            let mut signed = honest.clone();
            remove(&mut signed, &pointer);
            is_accepted(&repository, role, &assemble(&signed, &keys));
        }
    }
}

#[test]
fn wrong_shapes_in_a_signed_root_are_errors() {
    signed_shapes("root");
}

#[test]
fn wrong_shapes_in_a_signed_timestamp_are_errors() {
    signed_shapes("timestamp");
}

#[test]
fn wrong_shapes_in_a_signed_snapshot_are_errors() {
    signed_shapes("snapshot");
}

#[test]
fn wrong_shapes_in_signed_targets_are_errors() {
    signed_shapes("targets");
}

#[test]
fn wrong_shapes_in_a_signed_delegated_role_are_errors() {
    signed_shapes("acme");
}

/// Every place, `/signed` and `/signatures` too, after the document was signed: no such document is the honest one, and none is accepted
/// unless what changed is nobody's word.
#[test]
fn wrong_shapes_in_documents_that_were_signed_before_are_refused() {
    let mut repository = repository();
    for role in ["root", "timestamp", "snapshot", "targets", "acme"] {
        let mut honest = assemble(&repository.signed(role).clone(), repository.signers(role));
        // A second signature, of nobody.
        set(&mut honest, "/signatures/-", json(r#"{"keyid":"nobody","sig":"00"}"#));
        let mut plain = repository.clone();
        plain.lengths = false;
        let mut all = Vec::new();
        places(&honest, "", &mut all);
        for pointer in all {
            for value in ["null", "[]", "{\"a\":[]}", "\"\"", "7"].map(json) {
                let mut document = honest.clone();
                set(&mut document, &pointer, value.clone());
                let accepted = is_accepted(&repository, role, &document);
                // A keyid is a hint, and the second signature nobody's.
                let free = pointer == "/signatures/0/keyid" || pointer.starts_with("/signatures/1");
                assert!(!accepted || free, "{role}{pointer} became {value:?}");
            }
        }
    }
}
