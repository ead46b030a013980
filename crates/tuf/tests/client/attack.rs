//! What every attack goes through: it is refused, again and again, and what it leaves behind does not keep the client from an honest
//! repository.

use std::sync::LazyLock;

use touchmark_test_tuf_repository::{Delegation, Key, Repository};
use touchmark_tuf::{Class, Error};

use crate::machine::Machine;

/// A target of the top-level role, and one of the role `acme`.
pub(crate) const TARGET: &str = "file";
pub(crate) const DELEGATED: &str = "acme/tool";

/// An honest repository with a target of the top-level role and one of a delegated role.
pub(crate) fn honest() -> Repository {
    static HONEST: LazyLock<Repository> = LazyLock::new(make);
    HONEST.clone()
}

fn make() -> Repository {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]));
    repository.add_target("targets", TARGET, b"content");
    repository.add_target("acme", DELEGATED, b"tool");
    repository.publish();
    repository
}

/// The same with lengths and hashes in snapshot and timestamp.
pub(crate) fn honest_with_hashes() -> Repository {
    let mut repository = honest().with_hashes();
    renew(&mut repository);
    repository
}

/// The same with two keys for every role, and a threshold of both.
pub(crate) fn by_two_keys(keys: impl Fn(&str) -> [Key; 2]) -> Repository {
    let mut repository = Repository::new();
    for role in ["root", "timestamp", "snapshot", "targets"] {
        repository.set_keys(role, 2, &keys(role));
    }
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(2, &keys("acme")));
    repository.add_target("targets", TARGET, b"content");
    repository.add_target("acme", DELEGATED, b"tool");
    repository.publish();
    repository.bump("snapshot");
    repository.push("snapshot");
    repository
}

/// Publishes every role anew, one version higher, as if each had something to say.
pub(crate) fn renew(repository: &mut Repository) {
    for role in ["root", "targets", "acme"] {
        repository.set(role, "/x-renewed", repository.version("timestamp"));
    }
    repository.publish();
}

/// Asserts that `attack` on the next version of `before` is refused with this code by a client that is up to date with `before`, that
/// it is refused again, that the client then accepts an honest next version, and that what it then finds is the honest one's.
pub(crate) fn refused(before: &Repository, code: &str, attack: impl Fn(&mut Repository)) -> Error {
    let mut machine = Machine::new(before);
    for target in [TARGET, DELEGATED] {
        machine.find(before, target).expect("an honest repository");
    }
    let mut next = before.clone();
    renew(&mut next);
    let mut evil = next.clone();
    attack(&mut evil);
    let error = go_through(&mut machine, &next, &evil, code);
    // What the client has from before does not matter for most attacks, but a client without it must not be worse off.
    if !matches!(code, "tuf-rollback" | "tuf-role-disappeared") {
        let mut fresh = Machine::new(before);
        go_through(&mut fresh, &next, &evil, code);
    }
    error
}

fn go_through(machine: &mut Machine, next: &Repository, evil: &Repository, code: &str) -> Error {
    let attacked = |machine: &mut Machine| {
        [TARGET, DELEGATED].into_iter().find_map(|target| machine.find(evil, target).err()).unwrap_or_else(|| panic!("not refused: {code}"))
    };
    let error = attacked(machine);
    assert_eq!(error.code(), code, "{error}");
    let kept = machine.store.clone();
    assert_eq!(attacked(machine).code(), code, "the second time");
    assert_eq!(machine.store, kept, "a second refusal changes nothing");
    recovers(machine, next, evil);
    error
}

/// That the client accepts the honest repository, if need be in a version after those that the attacker signed, and nothing else.
fn recovers(machine: &mut Machine, next: &Repository, evil: &Repository) {
    let mut later = next.clone();
    for role in ["acme", "targets", "snapshot", "timestamp"] {
        // An attacker who holds the key of a role may have used up version numbers.
        let (ours, theirs) = (next.version(role), version(evil, role));
        if theirs > ours {
            later.set(role, "/version", theirs);
        }
    }
    renew(&mut later);
    let found = |machine: &mut Machine, target| machine.find(&later, target).expect("an honest repository").found.expect("it is listed");
    assert_eq!(found(machine, TARGET).role.as_str(), "targets");
    assert_eq!(found(machine, DELEGATED).target.length, 4);
    for role in ["root", "timestamp", "snapshot", "targets", "acme"] {
        assert_eq!(machine.store.get(&format!("{role}.json")).map(Vec::as_slice), Some(later.file(&later.path(role))), "{role}");
    }
}

/// The version of a role, zero where the attack took it away.
fn version(repository: &Repository, role: &str) -> u64 {
    let mut repository = repository.clone();
    repository.signed(role).get("version").and_then(touchmark_envelope::json::Value::as_u64).unwrap_or_default()
}

/// Asserts that `change` of the next version of `before` is accepted by a client that is up to date with `before`.
pub(crate) fn accepted(before: &Repository, change: impl Fn(&mut Repository)) -> Machine {
    let mut machine = Machine::refreshed(before);
    let mut next = before.clone();
    renew(&mut next);
    change(&mut next);
    for target in [TARGET, DELEGATED] {
        let found = machine.find(&next, target).unwrap_or_else(|error| panic!("{error}"));
        assert!(found.found.is_some(), "{target}");
    }
    machine
}

/// Asserts the class of a refusal.
pub(crate) fn is(error: &Error, class: Class) {
    assert_eq!(error.class(), class, "{error}");
}
