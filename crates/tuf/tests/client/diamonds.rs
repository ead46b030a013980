//! One role that two delegators lead to by keys of their own, and its one index.

use touchmark_test_tuf_repository::{Delegation, Key, Repository};
use touchmark_tuf::Index;

use crate::machine::Machine;

const SIDES: [&str; 2] = ["left", "right"];

/// A role that is large enough for an index, to which `left` and `right` delegate: each the targets in its folder, by a threshold of its
/// keys. These keys signed it.
fn diamond(keys: [(u64, &[Key]); 2], signers: &[Key]) -> Repository {
    let mut repository = Repository::new().with_hashes();
    for (side, (threshold, keys)) in SIDES.into_iter().zip(keys) {
        let path = format!("{side}/*");
        repository.delegate("targets", Delegation::new(side).paths(&[&path]));
        repository.delegate(side, Delegation::new("shared").paths(&[&path]).keys(threshold, keys));
        for number in 0..400 {
            repository.add_target("shared", &format!("{side}/{number}"), b"x");
        }
    }
    repository.set_signers("shared", signers);
    repository.publish();
    repository
}

/// What a run of a client says of the targets, one after the other.
fn run(machine: &mut Machine, repository: &Repository, targets: &[&str]) -> Vec<Result<bool, &'static str>> {
    let mut client = machine.refresh(repository).unwrap();
    let mut say = |target: &&str| machine.look_up(&mut client, repository, target).map(|outcome| outcome.found.is_some());
    targets.iter().map(|target| say(target).map_err(|error| error.code())).collect()
}

#[test]
fn with_and_without_an_index_the_answers_are_the_same() {
    let [a, b, c] = ["a", "b", "c"].map(Key::ed25519);
    let (one, two) = (std::slice::from_ref(&a), std::slice::from_ref(&b));
    let (both, others) = ([a.clone(), b.clone()], [b.clone(), c.clone()]);
    let all = [a.clone(), b.clone(), c.clone()];
    let cases: [[(u64, &[Key]); 2]; 5] =
        [[(1, one), (1, two)], [(1, one), (2, &both)], [(2, &both), (2, &others)], [(1, &both), (2, &all)], [(1, one), (1, one)]];
    let orders = [["left/7", "right/7", "left/400"], ["right/7", "left/7", "right/8"], ["left/7", "left/8", "right/7"]];
    for keys in cases {
        for signers in [one, two, &both, &others, &all] {
            let repository = diamond(keys, signers);
            let expected = |target: &str| {
                let (threshold, keys) = keys[usize::from(target.starts_with("right"))];
                let valid = keys.iter().filter(|key| signers.iter().any(|signer| signer.keyid() == key.keyid())).count() as u64;
                if valid < threshold { Err("tuf-threshold") } else { Ok(!target.ends_with("/400")) }
            };
            for order in orders {
                let mut machines = [Index::None, Index::Kept].map(|index| {
                    let mut machine = Machine::new(&repository);
                    machine.settings.index = index;
                    machine
                });
                for round in 0..3 {
                    let told = machines.each_mut().map(|machine| run(machine, &repository, &order));
                    assert_eq!(told[0], told[1], "{round}");
                    assert_eq!(told[1], order.map(expected), "{round}");
                }
            }
        }
    }
}

#[test]
fn an_index_serves_both_delegators_once_each_has_counted() {
    let keys = ["a", "b"].map(Key::ed25519);
    let repository = diamond([(1, &keys[..1]), (1, &keys[1..])], &keys);
    let mut machine = Machine::new(&repository);
    machine.settings.index = Index::Kept;
    let targets = ["left/7", "right/7", "left/8", "right/8"];
    assert_eq!(run(&mut machine, &repository, &targets), [Ok(true); 4]);
    let index = machine.store["shared.index"].clone();
    for order in [["left/7", "right/7", "left/8", "right/8"], ["right/7", "left/7", "right/8", "left/8"]] {
        assert_eq!(run(&mut machine, &repository, &order), [Ok(true); 4]);
        // It is neither written again nor is its file read whole.
        assert!(!machine.steps.iter().any(|step| step == "load shared.json" || step == "store shared.index"), "{:?}", machine.steps);
        assert_eq!(machine.store["shared.index"], index);
    }
}

#[test]
fn who_signed_an_earlier_file_is_not_carried_over_to_the_next_one() {
    let keys = ["a", "b"].map(Key::ed25519);
    let mut repository = diamond([(1, &keys[..1]), (1, &keys[1..])], &keys);
    let mut machine = Machine::new(&repository);
    machine.settings.index = Index::Kept;
    assert_eq!(run(&mut machine, &repository, &["left/7", "right/7"]), [Ok(true); 2]);
    repository.set_signers("shared", &keys[..1]);
    repository.add_target("shared", "left/new", b"x");
    repository.publish();
    for _ in 0..2 {
        assert_eq!(
            run(&mut machine, &repository, &["right/7", "left/new", "right/7"]),
            [Err("tuf-threshold"), Ok(true), Err("tuf-threshold")]
        );
    }
}
