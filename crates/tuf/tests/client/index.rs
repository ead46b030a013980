//! What is kept beside a large targets file, and what it can and cannot do.

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::Value;
use touchmark_test_tuf_repository::{Delegation, Key, Repository, set};
use touchmark_tuf::{Error, Index, Mode};

use crate::machine::Machine;

/// Files of this many targets are larger than the smallest that has an index.
const MANY: usize = 600;

/// A repository whose top-level targets and whose role `bulk` are large.
fn large() -> Repository {
    let mut repository = Repository::new().with_hashes();
    let key = Key::ed25519("bulk");
    repository.delegate("targets", Delegation::new("bulk").paths(&["bulk/*"]).keys(1, &[key]));
    for number in 0..MANY {
        repository.add_target("targets", &format!("file-{number}"), format!("{number}").as_bytes());
        repository.add_target("bulk", &format!("bulk/{number}"), format!("bulk {number}").as_bytes());
    }
    repository.publish();
    repository
}

fn keeping(repository: &Repository) -> Machine {
    let mut machine = Machine::new(repository);
    machine.settings.index = Index::Kept;
    machine
}

/// The length that is found for each of some targets, and what was done for it.
fn look_up_all(machine: &mut Machine, repository: &Repository) -> Vec<Option<u64>> {
    let mut client = machine.refresh(repository).unwrap();
    let mut found = Vec::new();
    for target in ["file-0", "file-599", "file-600", "bulk/7", "bulk/x", "other"] {
        let search = machine.look_up(&mut client, repository, target).unwrap();
        found.push(search.found.map(|found| found.target.length));
    }
    found
}

const EXPECTED: [Option<u64>; 6] = [Some(1), Some(3), None, Some(6), None, None];

#[test]
fn a_file_that_was_verified_before_is_found_to_say_the_same() {
    let repository = large();
    let mut machine = keeping(&repository);
    assert_eq!(look_up_all(&mut machine, &repository), EXPECTED);
    assert!(machine.store.contains_key("targets.index") && machine.store.contains_key("bulk.index"));
    let kept = machine.store.clone();
    assert_eq!(look_up_all(&mut machine, &repository), EXPECTED);
    assert_eq!((machine.fetched().len(), machine.stored().len()), (2, 0));
    assert!(machine.steps.iter().all(|step| !step.starts_with("load") || !step.ends_with("s.json")), "{:?}", machine.steps);
    // Without a repository to ask, everything is verified again.
    machine.settings.mode = Mode::StoreOnly;
    assert_eq!(look_up_all(&mut machine, &repository), EXPECTED);
    assert!(machine.steps.iter().all(|step| !step.contains("index")), "{:?}", machine.steps);
    assert_eq!(machine.store, kept);
}

#[test]
fn a_file_that_was_changed_is_not_the_one_that_was_verified() {
    let repository = large();
    let mut machine = keeping(&repository);
    look_up_all(&mut machine, &repository);
    let honest = machine.store["targets.json"].clone();
    let forged = String::from_utf8(honest.clone()).unwrap().replacen("\"length\":1}", "\"length\":9}", 1).into_bytes();
    assert!(forged != honest);
    machine.store.insert("targets.json".to_owned(), forged);
    assert_eq!(look_up_all(&mut machine, &repository), EXPECTED);
    assert!(machine.store["targets.json"] == honest && machine.fetched().len() == 3, "{:?}", machine.fetched());
}

#[test]
fn an_index_that_vouches_for_a_forged_file_is_not_believed() {
    let repository = large();
    let mut machine = keeping(&repository);
    look_up_all(&mut machine, &repository);
    let (honest, index) = (machine.store["targets.json"].clone(), machine.store["targets.index"].clone());
    let forged = String::from_utf8(honest.clone()).unwrap().replacen("\"length\":1}", "\"length\":9}", 1).into_bytes();
    let digest = |bytes: &[u8]| Algorithm::Sha256.digest(bytes).as_bytes().to_vec();
    let mut lying = index[..index.len() - 32].to_vec();
    assert!(lying[8..40] == digest(&honest));
    lying.splice(8..40, digest(&forged));
    lying.extend(digest(&lying));
    machine.store.insert("targets.json".to_owned(), forged);
    machine.store.insert("targets.index".to_owned(), lying);
    assert_eq!(look_up_all(&mut machine, &repository), EXPECTED);
}

#[test]
fn without_a_listed_digest_there_is_none() {
    let mut repository = Repository::new();
    for number in 0..MANY {
        repository.add_target("targets", &format!("file-{number}"), b"x");
    }
    repository.publish();
    let mut machine = keeping(&repository);
    machine.find(&repository, "file-7").unwrap();
    assert!(machine.steps.iter().all(|step| !step.contains("index")), "{:?}", machine.steps);
}

#[test]
fn no_damage_to_an_index_changes_what_is_found() {
    let repository = large();
    let mut machine = keeping(&repository);
    look_up_all(&mut machine, &repository);
    let index = machine.store["targets.index"].clone();
    let flipped = |at: usize| {
        let mut damaged = index.clone();
        damaged[at] ^= 1;
        damaged
    };
    let swapped = machine.store["bulk.index"].clone();
    let damages = (0..index.len()).step_by(97).map(flipped).chain([index[..40].to_vec(), Vec::new(), b"{}".to_vec(), swapped]);
    for damaged in damages.collect::<Vec<_>>() {
        machine.store.insert("targets.index".to_owned(), damaged);
        assert_eq!(look_up_all(&mut machine, &repository), EXPECTED);
        assert_eq!(machine.fetched().len(), 2, "the file itself is good");
        assert_eq!(machine.store["targets.index"], index, "it is made anew");
    }
}

#[test]
fn a_key_that_was_taken_away_is_not_remembered() {
    let mut repository = large();
    let mut machine = keeping(&repository);
    look_up_all(&mut machine, &repository);
    // The delegator lists another key for the role, whose file stays as it is: signed by the old one.
    let other = Key::ed25519("another");
    repository.set("targets", &format!("/delegations/keys/{}", other.keyid()), other.json().clone());
    repository.set("targets", "/delegations/roles/0/keyids", vec![Value::from(other.keyid().to_owned())]);
    repository.publish();
    let mut client = machine.refresh(&repository).unwrap();
    let refused = machine.look_up(&mut client, &repository, "bulk/7").unwrap_err();
    assert_eq!(refused, Error::Threshold { role: "bulk".to_owned(), needed: 1, valid: 0 });
    // The look-up failed, the update did not.
    assert!(machine.look_up(&mut client, &repository, "file-0").unwrap().found.is_some());
}

#[test]
fn whatever_keeps_it_from_the_pieces_it_reads_the_whole() {
    let repository = large();
    let mut machine = keeping(&repository);
    look_up_all(&mut machine, &repository);
    for failing in ["load targets.index", "hash targets.json", "read targets.json", "hash bulk.json", "read bulk.json"] {
        machine.failing.insert(failing.to_owned());
        let loads = failing.starts_with("load");
        let mut client = if loads { None } else { Some(machine.refresh(&repository).unwrap()) };
        if let Some(client) = &mut client {
            let found = machine.look_up(client, &repository, "bulk/7").unwrap().found.unwrap();
            assert_eq!(found.target.length, 6, "{failing}");
            assert!(!machine.fetched().iter().any(|path| path.contains("targets") || path.contains("bulk")), "{failing}");
        } else {
            // A store that cannot be read is said to be.
            assert!(matches!(machine.refresh(&repository), Err(Error::Store { .. })));
        }
        machine.failing.clear();
    }
}

#[test]
fn a_newer_file_is_fetched_and_the_old_one_only_hashed() {
    let mut repository = large();
    let mut machine = keeping(&repository);
    look_up_all(&mut machine, &repository);
    repository.add_target("targets", "file-600", b"another one");
    repository.publish();
    let found = machine.find(&repository, "file-600").unwrap().found.unwrap();
    assert_eq!(found.target.length, 11);
    assert!(!machine.steps.iter().any(|step| step == "load targets.json"), "{:?}", machine.steps);
    // And the new one has an index of its own.
    assert_eq!(machine.find(&repository, "file-600").unwrap().found, Some(found));
    assert!(machine.steps.iter().any(|step| step == "hash targets.json"), "{:?}", machine.steps);
}

#[test]
fn an_index_that_cannot_be_kept_is_done_without() {
    let repository = large();
    let mut machine = keeping(&repository);
    machine.failing.insert("store targets.index".to_owned());
    assert_eq!(look_up_all(&mut machine, &repository), EXPECTED);
    assert_eq!(look_up_all(&mut machine, &repository), EXPECTED);
    assert_eq!(machine.fetched().len(), 2);
}

#[test]
fn one_of_an_older_file_does_not_discard_the_one_that_is_there() {
    // As after an interruption between the two.
    let mut repository = large();
    let mut machine = keeping(&repository);
    look_up_all(&mut machine, &repository);
    let old = machine.store["targets.index"].clone();
    repository.add_target("targets", "file-600", b"another one");
    repository.publish();
    look_up_all(&mut machine, &repository);
    machine.store.insert("targets.index".to_owned(), old);
    assert_eq!(machine.find(&repository, "file-600").unwrap().found.map(|found| found.target.length), Some(11));
    assert_eq!(machine.fetched().len(), 2, "{:?}", machine.fetched());
}

#[test]
fn small_files_have_none() {
    let mut repository = Repository::new();
    repository.add_target("targets", "a", b"x");
    repository.publish();
    let mut machine = keeping(&repository);
    machine.find(&repository, "a").unwrap();
    assert!(machine.store.keys().all(|file| file.ends_with(".json")));
}

#[test]
fn an_index_does_not_lower_a_threshold_that_was_raised() {
    let mut repository = large();
    let mut machine = keeping(&repository);
    machine.find(&repository, "bulk/60").unwrap();
    assert!(machine.store.contains_key("bulk.index"));
    let both = [Key::ed25519("bulk"), Key::ed25519("second")];
    repository.set("targets", "/delegations/roles", touchmark_test_tuf_repository::json("[]"));
    repository.set_signers("bulk", &both[..1]);
    repository.delegate("targets", Delegation::new("bulk").paths(&["bulk/*"]).keys(2, &both));
    repository.set_signers("bulk", &both[..1]);
    repository.publish();
    assert_eq!(machine.find(&repository, "bulk/60").unwrap_err().code(), "tuf-threshold");
    repository.set_signers("bulk", &both);
    repository.bump("bulk");
    repository.push("bulk");
    assert!(machine.find(&repository, "bulk/60").unwrap().found.is_some());
}

#[test]
fn an_index_does_not_keep_an_expired_role() {
    let mut repository = large();
    repository.expire("bulk", "2026-11-29T00:00:00Z");
    repository.publish();
    let mut machine = keeping(&repository);
    machine.find(&repository, "bulk/60").unwrap();
    assert!(machine.store.contains_key("bulk.index"));
    machine.at += 86_399;
    machine.find(&repository, "bulk/60").unwrap();
    machine.at += 1;
    assert_eq!(machine.find(&repository, "bulk/60").unwrap_err().code(), "tuf-expired");
}

#[test]
fn an_index_serves_only_the_delegator_whose_keys_it_names() {
    // A diamond: two delegators, different keys, one large role, two runs.
    let mut repository = Repository::new().with_hashes();
    for side in ["left", "right"] {
        let path = format!("{side}/*");
        repository.delegate("targets", Delegation::new(side).paths(&[&path]));
        repository.delegate(side, Delegation::new("shared").paths(&[&path]).keys(1, &[Key::ed25519(&format!("of {side}"))]));
        for number in 0..400 {
            repository.add_target("shared", &format!("{side}/{number}"), b"x");
        }
    }
    repository.set_signers("shared", &[Key::ed25519("of left")]);
    repository.publish();
    let mut machine = keeping(&repository);
    for _ in 0..2 {
        assert!(machine.find(&repository, "left/7").unwrap().found.is_some());
        assert!(machine.store.contains_key("shared.index"));
        assert_eq!(machine.find(&repository, "right/7").unwrap_err().code(), "tuf-threshold");
    }
}

#[test]
fn an_index_of_an_earlier_version_is_not_used() {
    // The two versions are of one length, and all but the first and the last entry stand one byte further on in the second. Where the
    // snapshot lists the digest that the index has of its file, it shows at once; where it lists another, when the file is hashed.
    for listed in [Algorithm::Sha256, Algorithm::Sha512] {
        let mut repository = large();
        repository.hashes = vec![listed];
        repository.add_target("targets", "a", b"1");
        repository.add_target("targets", "z", b"0123456789");
        repository.publish();
        let mut machine = keeping(&repository);
        look_up_all(&mut machine, &repository);
        let (index, length) = (machine.store["targets.index"].clone(), machine.store["targets.json"].len());
        repository.add_target("targets", "a", b"0123456789");
        repository.add_target("targets", "z", b"1");
        repository.publish();
        look_up_all(&mut machine, &repository);
        assert_eq!(machine.store["targets.json"].len(), length);
        assert!(machine.store["targets.index"] != index);
        machine.store.insert("targets.index".to_owned(), index);
        assert_eq!(machine.find(&repository, "a").unwrap().found.unwrap().target.length, 10);
        assert_eq!(look_up_all(&mut machine, &repository), EXPECTED);
    }
}

#[test]
fn an_index_vouches_for_no_other_file_that_the_snapshot_lists() {
    // Whoever has the keys of snapshot and timestamp, and can write to the store, has not those of targets: each offset of the index fits.
    let repository = large();
    let mut machine = keeping(&repository);
    look_up_all(&mut machine, &repository);
    let mut evil = repository.clone();
    evil.tamper("targets", |document| set(document, "/signed/targets/file-0/length", 9_u64));
    evil.describe("targets");
    evil.bump("snapshot");
    evil.push("snapshot");
    let forged = evil.file(&evil.path("targets")).to_vec();
    assert_eq!(forged.len(), machine.store["targets.json"].len());
    machine.store.insert("targets.json".to_owned(), forged);
    let refused = machine.find(&evil, "file-0").unwrap_err();
    assert_eq!(refused, Error::Threshold { role: "targets".to_owned(), needed: 1, valid: 0 });
}

#[test]
fn an_index_does_not_spare_the_version() {
    let repository = large();
    let mut machine = keeping(&repository);
    look_up_all(&mut machine, &repository);
    // The very file, with its length and digest, as another version.
    let mut evil = repository.clone();
    evil.set("root", "/consistent_snapshot", false);
    evil.publish();
    evil.set("snapshot", "/meta/targets.json/version", 9_u64);
    evil.bump("snapshot");
    evil.push("snapshot");
    assert_eq!(machine.refresh(&evil).unwrap_err(), Error::Version { file: "targets.json".to_owned(), expected: 9, found: 2 });
    assert!(
        machine.steps.iter().any(|step| step.starts_with("hash targets.json") || step.starts_with("read targets.json")),
        "{:?}",
        machine.steps
    );
}

#[test]
fn no_index_however_it_lies_makes_the_client_panic_or_find_what_the_file_does_not_say() {
    // Whoever can write this can write the trusted root too; but it is read, and must not be read beyond its file.
    let repository = large();
    let mut machine = keeping(&repository);
    look_up_all(&mut machine, &repository);
    let index = machine.store["targets.index"].clone();
    let text = String::from_utf8(machine.store["targets.json"].clone()).unwrap();
    // The magic, a digest, one signer, and the outline of four bytes each: its head, then the starts.
    let outline = 8 + 32 + 1 + 32;
    let values = [0, 1, 7, text.len() / 2, text.len() - 1, text.len(), text.len() + 1, u32::MAX as usize];
    let places = [0, 4, 8, 12, 16, (index.len() - 32 - outline) / 8 * 4];
    for place in places {
        for value in values {
            let mut lying = index[..index.len() - 32].to_vec();
            lying.splice(outline + place..outline + place + 4, u32::try_from(value).unwrap().to_le_bytes());
            lying.extend(Algorithm::Sha256.digest(&lying).as_bytes().to_vec());
            let mut machine = machine.clone();
            machine.store.insert("targets.index".to_owned(), lying);
            for target in ["file-0", "file-300", "file-599", "other"] {
                let Ok(outcome) = machine.find(&repository, target) else { continue };
                let Some(found) = outcome.found else { continue };
                let said = format!(
                    "\"{target}\":{{\"hashes\":{{\"sha256\":\"{}\"}},\"length\":{}}}",
                    found.target.hashes[0].hex(),
                    found.target.length
                );
                assert!(text.contains(&said), "{place} {value} {target}");
            }
        }
    }
}
