//! Many `sign` processes on one artifact in one OCI layout folder, all released at the same moment.

use std::io::Write as _;
use std::process::Stdio;
use std::sync::Barrier;

use crate::harness::{Place, Ran};

pub const SIGNERS: usize = 32;

/// A place with the private keys `key-0` to `key-31`.
pub fn place_with_keys() -> (Place, Vec<Vec<u8>>) {
    let place = Place::new();
    let keys = (0..SIGNERS).map(|number| {
        place.key(&format!("key-{number}"));
        place.read(&format!("key-{number}"))
    });
    let keys = keys.collect();
    (place, keys)
}

pub fn all_keys() -> String {
    (0..SIGNERS).map(|number| format!(" --key key-{number}.pub")).collect()
}

/// Signs `artifact` with each key in a process of its own. Every process is started and waits for its key on standard input;
/// one barrier lets all of them have it.
pub fn sign_together(place: &Place, artifact: &str, keys: &[Vec<u8>], environment: &[(&str, &str)]) -> Vec<Ran> {
    let line = format!("sign {artifact} --key - --quiet");
    let children = keys.iter().map(|_| {
        let mut command = place.touchmark(&line);
        command.envs(environment.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    });
    let children: Vec<_> = children.collect();
    let barrier = Barrier::new(keys.len());
    std::thread::scope(|scope| {
        let threads = children.into_iter().zip(keys).map(|(mut child, key)| {
            let (barrier, line) = (&barrier, &line);
            scope.spawn(move || {
                let mut input = child.stdin.take().unwrap();
                barrier.wait();
                input.write_all(key).unwrap();
                drop(input);
                Ran::of(line, child.wait_with_output().unwrap())
            })
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

pub fn listed(place: &Place, artifact: &str) -> usize {
    let document = place.json(&format!("signature list {artifact}"), 0);
    document["results"][0]["signatures"].as_array().unwrap().len()
}

#[test]
fn of_32_parallel_signers_32_are_listed_and_verified_in_20_of_20_runs() {
    let (place, keys) = place_with_keys();
    for run in 0..20 {
        let artifact = place.pack(&format!("oci:lay-{run}:v1"), "raced for");
        for signer in sign_together(&place, &artifact, &keys, &[]) {
            signer.is(0);
        }
        assert_eq!(listed(&place, &artifact), SIGNERS, "run {run}");
        let line = format!("verify {artifact}{} --threshold {SIGNERS}", all_keys());
        place.run(&line).is(0);
    }
}

/// What the lock and the merge are for: without either, a few runs lose signatures. (One run may be lucky.)
#[test]
fn without_lock_or_merge_signatures_are_lost() {
    let (place, keys) = place_with_keys();
    for guard in ["lock", "merge"] {
        let lost = (0..20).any(|run| {
            let artifact = place.pack(&format!("oci:{guard}-{run}:v1"), "raced for");
            let signers = sign_together(&place, &artifact, &keys, &[("TOUCHMARK_FAILPOINT_OFF", guard)]);
            let done = signers.iter().filter(|signer| signer.code == 0).count();
            let line = format!("verify {artifact}{} --threshold {SIGNERS}", all_keys());
            done < SIGNERS || index_entries(&place, &format!("{guard}-{run}")) < SIGNERS + 1 || place.run(&line).code != 0
        });
        assert!(lost, "20 runs without the {guard} lost nothing, so these tests do not show what it is for");
    }
}

/// Entries of `index.json`, which other tools go by. (Reading finds what no list has by looking at the blobs.)
fn index_entries(place: &Place, folder: &str) -> usize {
    let index: serde_json::Value = serde_json::from_slice(&place.read(&format!("{folder}/index.json"))).unwrap();
    let manifests = index["manifests"].as_array().unwrap();
    manifests
        .iter()
        .filter(|entry| entry["annotations"]["org.opencontainers.image.ref.name"].as_str().is_none_or(|tag| tag == "v1"))
        .count()
}

/// Signers, a copier and a deleter at the same time.
#[test]
fn copies_and_deletions_beside_signers_lose_nothing_of_theirs() {
    let (place, keys) = place_with_keys();
    place.key("old");
    let artifact = place.pack("oci:lay:v1", "raced for");
    place.ok(&format!("sign {artifact} --key old"));
    let other = place.pack("oci:other:w", "something else");
    place.ok(&format!("sign {other} --key old"));
    std::thread::scope(|scope| {
        let signers = scope.spawn(|| sign_together(&place, &artifact, &keys[..12], &[]));
        let copier = scope.spawn(|| place.run(&format!("copy {other} oci:lay:w")));
        let deleter = scope.spawn(|| place.run(&format!("signature delete {artifact} --signed-by old.pub")));
        let repairer = scope.spawn(|| place.run("repair oci:lay"));
        for signer in signers.join().unwrap() {
            signer.is(0);
        }
        copier.join().unwrap().is(0);
        deleter.join().unwrap().is(0);
        repairer.join().unwrap().is(0);
    });
    assert_eq!(listed(&place, &artifact), 12);
    place.run("verify oci:lay:w --key old.pub").is(0);
    place.run(&format!("verify {artifact} --key old.pub")).is(1);
    place.ok("repair oci:lay");
    place.run(&format!("verify {artifact} --key old.pub")).is(1);
}
