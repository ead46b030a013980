//! Documents that are made, changed and signed, and what a client says of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail by panicking")]

use std::collections::BTreeMap;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::Value;
use touchmark_envelope::key::KeyAlgorithm;
use touchmark_envelope::sign::{PrivateKey, Signer as _};
use touchmark_tuf::metadata::{Paths, TopLevel};
use touchmark_tuf::repository::{
    Appointment, Change, Document, EditError, KeyChoice, Listed, Mandate, NewDelegation, NewTarget, Place, TargetChanges, change_delegated,
    change_paths, change_top_level, delegate, delegate_succinct, delegations, differences, hash_bins, key_id, list_in_snapshot,
    list_in_timestamp, new_root, new_snapshot, new_targets, new_timestamp, role_name, snapshot_entries, tidy_signatures, timestamp_entry,
    undelegate,
};
use touchmark_tuf::{Answer, Client, Settings, Step, TargetPath, UnixTime};

fn key(number: u8) -> PrivateKey {
    PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[number; 32]).unwrap()
}

fn appoint(numbers: &[u8], threshold: u64) -> Appointment {
    Appointment { keys: numbers.iter().map(|number| key(*number).public_key().clone()).collect(), threshold }
}

fn time(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(seconds).unwrap()
}

fn late() -> UnixTime {
    time(4_000_000_000)
}

fn root_of(numbers: &[u8], threshold: u64) -> Document {
    let roles =
        TopLevel::ALL.into_iter().map(|role| (role, if role == TopLevel::Root { appoint(numbers, threshold) } else { appoint(&[9], 1) }));
    new_root(&roles.collect(), late()).unwrap()
}

fn sign(document: &mut Document, numbers: &[u8]) {
    for number in numbers {
        document.sign(&key(*number), None).unwrap();
    }
}

fn target(content: &[u8]) -> NewTarget {
    let length = u64::try_from(content.len()).unwrap();
    NewTarget { length, hashes: vec![Algorithm::Sha256.digest(content)], custom: None }
}

fn path(text: &str) -> TargetPath {
    TargetPath::new(text).unwrap()
}

/// Refreshes a client over these files, with an empty store but for the root, and looks up `wanted`.
fn client(files: &BTreeMap<String, Vec<u8>>, wanted: &str) -> Result<Option<String>, touchmark_tuf::Error> {
    let mut client = Client::new(Settings::default(), time(1_800_000_000));
    let drive = |client: &mut Client| loop {
        let answer = match client.step()? {
            Step::Load { file: "root.json", .. } => Answer::Bytes(files["1.root.json"].clone()),
            Step::Load { .. } => Answer::Absent,
            Step::Fetch { path, .. } => files.get(path).cloned().map_or(Answer::Absent, Answer::Bytes),
            Step::Store { .. } | Step::Remove { .. } => Answer::Done,
            _ => return Ok(()),
        };
        client.answer(answer);
    };
    drive(&mut client)?;
    client.look_up(&path(wanted))?;
    drive(&mut client)?;
    Ok(client.found().unwrap().found.map(|found| found.role.as_str().to_owned()))
}

/// Signs what is published by key 9, and gives the files of the repository.
fn publish(root: &Document, roles: &[(&str, &Document)]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::from([(format!("{}.root.json", root.version().unwrap()), root.to_bytes())]);
    let mut listed = BTreeMap::new();
    for (name, document) in roles {
        let bytes = document.to_bytes();
        listed.insert(role_name(name).unwrap(), Listed::of(document, &bytes).unwrap());
        files.insert(format!("{}.{name}.json", document.version().unwrap()), bytes);
    }
    let mut snapshot = new_snapshot(&listed, late()).unwrap();
    sign(&mut snapshot, &[9]);
    let bytes = snapshot.to_bytes();
    let mut timestamp = new_timestamp(&Listed::of(&snapshot, &bytes).unwrap(), late()).unwrap();
    sign(&mut timestamp, &[9]);
    files.insert("1.snapshot.json".to_owned(), bytes);
    files.insert("timestamp.json".to_owned(), timestamp.to_bytes());
    files
}

#[test]
fn what_is_made_is_what_a_client_takes() {
    for algorithm in [KeyAlgorithm::Ed25519, KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384] {
        let length = if algorithm == KeyAlgorithm::EcdsaP384 { 48 } else { 32 };
        let key = PrivateKey::from_raw(algorithm, &vec![5; length]).unwrap();
        let signers = Appointment { keys: vec![key.public_key().clone()], threshold: 1 };
        let mut roles: BTreeMap<_, _> = TopLevel::ALL.into_iter().map(|role| (role, appoint(&[9], 1))).collect();
        roles.insert(TopLevel::Root, signers.clone());
        roles.insert(TopLevel::Targets, signers);
        let mut root = new_root(&roles, late()).unwrap();
        let mut targets = new_targets(late()).unwrap();
        let mut changes = TargetChanges::new();
        changes.add(&path("a/b"), &target(b"x")).unwrap();
        changes.apply(&mut targets).unwrap();
        for document in [&mut root, &mut targets] {
            document.sign(&key, None).unwrap();
        }
        let files = publish(&root, &[("targets", &targets)]);
        assert_eq!(client(&files, "a/b").unwrap().as_deref(), Some("targets"), "{algorithm}");
        assert_eq!(client(&files, "a/c").unwrap(), None);
    }
}

#[test]
fn a_document_is_written_as_it_was_read() {
    let mut root = root_of(&[1, 2], 2);
    sign(&mut root, &[1, 2]);
    let bytes = root.to_bytes();
    assert_eq!(Document::open(bytes.clone()).unwrap().to_bytes(), bytes);
    // As another tool writes it: other order, white space, escapes.
    let foreign =
        br#" { "signed": {"_type": "targets", "x-unknown": {"b": "\u00e9\n", "a": [1]}, "version": 3, "expires": "2030-01-01T00:00:00Z",
        "spec_version": "1.0.31", "targets": {"z": {"length": 1, "hashes": {"sha256": "00"}}, "a": {}}},
        "signatures": [{"keyid": "k", "sig": ""}, {"sig": "00", "keyid": "l"}]}"#;
    let document = Document::open(foreign.to_vec()).unwrap();
    let expected = concat!(
        r#"{"signatures":[{"keyid":"l","sig":"00"}],"signed":{"_type":"targets","expires":"2030-01-01T00:00:00Z","spec_version":"1.0.31","#,
        r#""targets":{"a":{},"z":{"hashes":{"sha256":"00"},"length":1}},"version":3,"x-unknown":{"a":[1],"b":"é\n"}}}"#
    );
    assert_eq!(String::from_utf8(document.to_bytes()).unwrap(), expected);
    assert_eq!(document.version().unwrap(), 3);
}

#[test]
fn what_changes_what_is_signed_drops_the_signatures_and_nothing_else_does() {
    let mut root = root_of(&[1], 1);
    sign(&mut root, &[1]);
    root.set_version(1).unwrap();
    root.set_expires(late()).unwrap();
    assert_eq!(root.signatures().len(), 1);
    root.set_version(2).unwrap();
    assert!(root.signatures().is_empty());
}

#[test]
fn signing_again_replaces_and_other_people_s_signatures_stay() {
    let mut root = root_of(&[1, 2, 3], 2);
    let mandate = Mandate::of_root(&root, TopLevel::Root).unwrap();
    sign(&mut root, &[1, 2, 1]);
    assert_eq!(root.signatures().len(), 2);
    let standing = mandate.standing(&root).unwrap();
    assert_eq!((standing.valid, standing.missing()), (2, 0));
    assert_eq!(standing.keys.iter().map(|key| key.signed).collect::<Vec<_>>(), [true, true, false]);

    // Two people sign copies of one document, and both signatures are gathered.
    let unsigned = root_of(&[1, 2, 3], 2);
    let (mut one, mut two, mut stranger) = (unsigned.clone(), unsigned.clone(), unsigned);
    sign(&mut one, &[1]);
    sign(&mut two, &[2, 7]);
    assert_eq!(mandate.gather(&mut one, &two).unwrap(), 1);
    assert_eq!(mandate.gather(&mut one, &two).unwrap(), 0);
    assert_eq!(mandate.standing(&one).unwrap().valid, 2);
    sign(&mut stranger, &[7]);
    assert_eq!(mandate.gather(&mut one, &stranger).unwrap(), 0);
    // Under another key's keyid it takes that key's place no more than under its own.
    let keyid = |number: u8| key_id(key(number).public_key()).unwrap();
    let text = String::from_utf8({
        let mut signed_by_three = root_of(&[1, 2, 3], 2);
        sign(&mut signed_by_three, &[3]);
        signed_by_three.to_bytes()
    });
    let impostor = Document::open(
        text.unwrap().replace(&format!(r#"{{"keyid":"{}","sig""#, keyid(3)), &format!(r#"{{"keyid":"{}","sig""#, keyid(1))).into_bytes(),
    );
    let mut three = one.clone();
    assert_eq!(mandate.gather(&mut three, &impostor.unwrap()).unwrap(), 1);
    assert_eq!(mandate.standing(&three).unwrap().valid, 3);
    // Of another document none is taken.
    two.set_version(2).unwrap();
    sign(&mut two, &[3]);
    assert_eq!(mandate.gather(&mut one, &two).unwrap(), 0);
}

#[test]
fn signatures_of_keys_that_left_are_dropped() {
    let mut root = root_of(&[1, 2], 1);
    sign(&mut root, &[1, 2, 7]);
    let mandate = Mandate::of_root(&root, TopLevel::Root).unwrap();
    assert!(tidy_signatures(&mut root, &[&mandate]).unwrap());
    assert_eq!(root.signatures().len(), 2);
    assert!(!tidy_signatures(&mut root, &[&mandate]).unwrap());
}

#[test]
fn a_root_is_rotated_by_old_and_new_keys() {
    let mut first = root_of(&[1, 2], 2);
    sign(&mut first, &[1, 2]);
    let mut second = first.clone();
    let removed = KeyChoice::Id(key_id(key(1).public_key()).unwrap()[..8].to_owned());
    change_top_level(&mut second, TopLevel::Root, &[Change::Add(key(3).public_key().clone()), Change::Remove(removed)]).unwrap();
    second.set_version(2).unwrap();
    let mut targets = new_targets(late()).unwrap();
    sign(&mut targets, &[9]);
    let outcome = |signers: &[u8]| {
        let mut second = second.clone();
        sign(&mut second, signers);
        let mut files = publish(&first, &[("targets", &targets)]);
        files.insert("2.root.json".to_owned(), second.to_bytes());
        client(&files, "a").map_err(|error| error.code())
    };
    assert_eq!(outcome(&[1, 2, 3]), Ok(None));
    assert_eq!(outcome(&[2, 3]), Err("tuf-threshold"), "not by the old keys");
    assert_eq!(outcome(&[1, 2]), Err("tuf-threshold"), "not by the new keys");
    // The key that nobody lists any more is gone.
    let gone = key_id(key(1).public_key()).unwrap();
    assert!(first.member("keys").unwrap().contains(&gone) && !second.member("keys").unwrap().contains(&gone));
}

#[test]
fn what_could_never_verify_is_refused_and_changes_nothing() {
    let mut root = root_of(&[1, 2], 2);
    let before = root.to_bytes();
    let public = |number| key(number).public_key().clone();
    for (changes, code) in [
        (vec![Change::Threshold(0)], "threshold-zero"),
        (vec![Change::Threshold(3)], "threshold-too-high"),
        (vec![Change::Remove(KeyChoice::Key(public(1)))], "threshold-too-high"),
        (vec![Change::Remove(KeyChoice::Key(public(7)))], "no-such-key"),
        (vec![Change::Remove(KeyChoice::Id("zz".to_owned()))], "no-such-key"),
        // Every keyid begins so.
        (vec![Change::Remove(KeyChoice::Id(String::new()))], "no-such-key"),
        // A key that is there already makes no second signer.
        (vec![Change::Add(public(1)), Change::Threshold(3)], "threshold-too-high"),
    ] {
        assert_eq!(change_top_level(&mut root, TopLevel::Root, &changes).map_err(|error| error.code()), Err(code), "{changes:?}");
        assert_eq!(root.to_bytes(), before);
    }
    assert_eq!(new_root(&BTreeMap::new(), late()).map_err(|error| error.code()).err(), Some("no-such-role"));
}

/// TAP 12: whatever keyid another tool gave a key, it is that key.
#[test]
fn a_key_under_a_foreign_keyid_is_not_added_again() {
    let root = root_of(&[1], 1);
    let id = key_id(key(1).public_key()).unwrap();
    let foreign = String::from_utf8(root.to_bytes()).unwrap().replace(&id, "first-key");
    let mut root = Document::open(foreign.into_bytes()).unwrap();
    let mandate = Mandate::of_root(&root, TopLevel::Root).unwrap();
    assert_eq!(mandate.keyid(key(1).public_key()), Some("first-key"));
    let before = root.to_bytes();
    change_top_level(&mut root, TopLevel::Root, &[Change::Add(key(1).public_key().clone())]).unwrap();
    assert_eq!(root.to_bytes(), before);
    root.sign(&key(1), mandate.keyid(key(1).public_key())).unwrap();
    assert_eq!(root.signatures()[0].keyid.as_deref(), Some("first-key"));
    assert_eq!(mandate.standing(&root).unwrap().missing(), 0);
}

#[test]
fn targets_are_merged_in_order_and_the_rest_is_copied() {
    let mut document = new_targets(late()).unwrap();
    let mut changes = TargetChanges::new();
    for name in ["b", "d", "f"] {
        changes.add(&path(name), &target(name.as_bytes())).unwrap();
    }
    changes.apply(&mut document).unwrap();
    let mut changes = TargetChanges::new();
    for name in ["a", "d", "g"] {
        changes.add(&path(name), &target(b"new")).unwrap();
    }
    changes.remove("b");
    changes.apply(&mut document).unwrap();
    let value = document.value("targets").unwrap().unwrap();
    let listed: Vec<(&str, u64)> =
        value.as_object().unwrap().iter().map(|(name, value)| (name, value.get("length").unwrap().as_u64().unwrap())).collect();
    assert_eq!(listed, [("a", 3), ("d", 3), ("f", 1), ("g", 3)]);
    assert_eq!(Document::open(document.to_bytes()).unwrap().to_bytes(), document.to_bytes());

    let before = document.to_bytes();
    let mut changes = TargetChanges::new();
    changes.remove("b");
    assert_eq!(changes.apply(&mut document), Err(EditError::NoSuchTarget { path: "b".to_owned() }));
    assert_eq!(document.to_bytes(), before);
}

#[test]
fn targets_that_no_client_would_find_are_refused() {
    let mut changes = TargetChanges::new();
    for bad in ["with space", "quote\"", "back\\slash", "cafe\u{301}"] {
        assert_eq!(changes.add(&path(bad), &target(b"")).map_err(|error| error.code()), Err("bad-target"), "{bad}");
    }
    let no_hash = NewTarget { hashes: Vec::new(), ..target(b"") };
    assert!(changes.add(&path("a"), &no_hash).is_err());
    let custom = NewTarget { custom: Some(Value::from("text")), ..target(b"") };
    assert!(changes.add(&path("a"), &custom).is_err());
    assert!(changes.is_empty());
}

fn delegation(name: &str, patterns: &[&str]) -> NewDelegation {
    let paths = Paths::Patterns(patterns.iter().map(|pattern| (*pattern).to_owned()).collect());
    NewDelegation { name: name.to_owned(), signers: appoint(&[4], 1), paths, terminating: false }
}

fn names(document: &Document) -> Vec<String> {
    delegations(document).unwrap().map(|all| all.roles.iter().map(|role| role.name.as_str().to_owned()).collect()).unwrap_or_default()
}

#[test]
fn delegations_keep_their_order() {
    let mut targets = new_targets(late()).unwrap();
    let untouched = targets.to_bytes();
    delegate(&mut targets, &[delegation("a", &["a/*"]), delegation("b", &["b/*"])], &Place::Last).unwrap();
    delegate(&mut targets, &[delegation("c", &["c/*"])], &Place::First).unwrap();
    delegate(&mut targets, &[delegation("d", &["d/*"])], &Place::Before("b".to_owned())).unwrap();
    assert_eq!(names(&targets), ["c", "a", "d", "b"]);
    undelegate(&mut targets, "a").unwrap();
    assert_eq!(names(&targets), ["c", "d", "b"]);
    change_delegated(&mut targets, "d", &[Change::Add(key(5).public_key().clone()), Change::Threshold(2)]).unwrap();
    change_paths(&mut targets, "d", &Paths::HashPrefixes(vec!["0".to_owned()]), true).unwrap();
    let all = delegations(&targets).unwrap().unwrap();
    assert_eq!((all.roles[1].keys.threshold, all.roles[1].terminating), (2, true));
    assert_eq!(all.roles[1].paths, Paths::HashPrefixes(vec!["0".to_owned()]));
    for name in ["b", "c", "d"] {
        undelegate(&mut targets, name).unwrap();
    }
    assert_eq!(targets.to_bytes(), untouched);
}

#[test]
fn delegations_that_mislead_are_refused() {
    let mut targets = new_targets(late()).unwrap();
    delegate(&mut targets, &[delegation("a", &["a/*"])], &Place::Last).unwrap();
    let before = targets.to_bytes();
    for (name, pattern, code) in [
        ("a", "x", "role-exists"),
        ("A", "x", "role-exists"),
        ("targets", "x", "bad-role-name"),
        ("Root", "x", "bad-role-name"),
        ("a/b", "x", "bad-role-name"),
        ("..", "x", "bad-role-name"),
        ("", "x", "bad-role-name"),
        ("b", "a/**", "bad-pattern"),
        ("b", "/a", "bad-pattern"),
        ("b", "a/../b", "bad-pattern"),
        ("b", "[ab]", "bad-pattern"),
    ] {
        assert_eq!(
            delegate(&mut targets, &[delegation(name, &[pattern])], &Place::Last).map_err(|error| error.code()),
            Err(code),
            "{name} {pattern}"
        );
    }
    assert!(delegate(&mut targets, &[delegation("b", &[])], &Place::Last).is_err());
    assert!(delegate(&mut targets, &[delegation("b", &["x"])], &Place::Before("z".to_owned())).is_err());
    assert!(delegate_succinct(&mut targets, "bin", 4, &appoint(&[4], 1)).is_err(), "beside others");
    assert_eq!(targets.to_bytes(), before);
}

#[test]
fn a_client_finds_targets_in_bins_of_both_kinds() {
    for succinct in [false, true] {
        let mut root = root_of(&[1], 1);
        let mut targets = new_targets(late()).unwrap();
        match succinct {
            true => delegate_succinct(&mut targets, "bin", 3, &appoint(&[4], 1)).unwrap(),
            false => delegate(&mut targets, &hash_bins("bin", 3, &appoint(&[4], 1)).unwrap(), &Place::Last).unwrap(),
        }
        sign(&mut root, &[1]);
        sign(&mut targets, &[9]);
        // sha256("file1.txt") begins with 55: 0b010.
        let mut bins: Vec<(String, Document)> = (0..8).map(|bin| (format!("bin-{bin}"), new_targets(late()).unwrap())).collect();
        let mut changes = TargetChanges::new();
        changes.add(&path("file1.txt"), &target(b"x")).unwrap();
        changes.apply(&mut bins[2].1).unwrap();
        bins.iter_mut().for_each(|(_, bin)| sign(bin, &[4]));
        let mut roles: Vec<(&str, &Document)> = bins.iter().map(|(name, bin)| (name.as_str(), bin)).collect();
        roles.push(("targets", &targets));
        assert_eq!(client(&publish(&root, &roles), "file1.txt").unwrap().as_deref(), Some("bin-2"), "{succinct}");
    }
}

#[test]
fn a_listing_changes_only_if_what_it_lists_does() {
    let mut targets = new_targets(late()).unwrap();
    sign(&mut targets, &[9]);
    let listed = |document: &Document| Listed::of(document, &document.to_bytes()).unwrap();
    let mut snapshot = new_snapshot(&BTreeMap::from([(role_name("targets").unwrap(), listed(&targets))]), late()).unwrap();
    sign(&mut snapshot, &[9]);
    assert!(!list_in_snapshot(&mut snapshot, &BTreeMap::from([(role_name("targets").unwrap(), listed(&targets))])).unwrap());
    assert_eq!(snapshot.signatures().len(), 1);
    let mut timestamp = new_timestamp(&listed(&snapshot), late()).unwrap();
    assert!(!list_in_timestamp(&mut timestamp, &listed(&snapshot)).unwrap());

    targets.set_version(2).unwrap();
    assert!(
        list_in_snapshot(
            &mut snapshot,
            &BTreeMap::from([(role_name("targets").unwrap(), listed(&targets)), (role_name("a").unwrap(), listed(&targets))])
        )
        .unwrap()
    );
    assert!(snapshot.signatures().is_empty());
    let entries = snapshot_entries(&mut snapshot).unwrap();
    assert_eq!(entries.keys().collect::<Vec<_>>(), ["a.json", "targets.json"]);
    assert_eq!(entries["targets.json"].version, 2);
    assert!(list_in_timestamp(&mut timestamp, &listed(&snapshot)).unwrap());
    assert_eq!(timestamp_entry(&timestamp).unwrap().unwrap().length, Some(listed(&snapshot).length));
}

/// What is shown of `after`, line by line.
fn shown(before: Option<&Document>, after: &Document) -> Vec<String> {
    differences(before, after, 10).unwrap().listed.iter().map(ToString::to_string).collect()
}

/// A document with other texts in it, as an attacker edits it.
fn replaced(document: &Document, texts: &[(&str, &str)]) -> Document {
    let text = String::from_utf8(document.to_bytes()).unwrap();
    Document::open(texts.iter().fold(text, |text, (old, new)| text.replace(old, new)).into_bytes()).unwrap()
}

fn public_value(number: u8) -> String {
    touchmark_envelope::digest::hex(key(number).public_key().as_raw())
}

#[test]
fn a_key_that_is_exchanged_under_its_keyid_is_shown() {
    let (honest, evil) = (key(9).public_key().key_id(), key(66).public_key().key_id());
    let keyid = key_id(key(9).public_key()).unwrap();
    let root = root_of(&[1], 1);
    let swap = (public_value(9), public_value(66));
    let swap = [(swap.0.as_str(), swap.1.as_str())];
    let after = replaced(&root, &swap);
    let line = |role: &str| format!("{role}: keyid {keyid} stands for key {evil} (listed as {keyid}) now, not for key {honest}");
    assert_eq!(shown(Some(&root), &after), [line("timestamp"), line("snapshot"), line("targets")]);
    // By itself too, as it comes by mail, it says whose key it is.
    let alone = shown(None, &after);
    assert!(alone.contains(&format!("targets: key {evil} (listed as {keyid}) may sign")), "{alone:?}");
    assert!(!alone.iter().any(|line| line.contains(honest.as_str())), "{alone:?}");

    let mut targets = new_targets(late()).unwrap();
    let signers = appoint(&[9], 1);
    delegate(&mut targets, &[NewDelegation { signers, ..delegation("acme", &["acme/*"]) }], &Place::Last).unwrap();
    assert_eq!(shown(Some(&targets), &replaced(&targets, &swap)), [line("acme")]);

    // One of a kind that is not known is exchanged as visibly, and so is one that goes.
    let unknown = [("\"ed25519\"", "\"other\"")];
    let (one, other) = (replaced(&targets, &unknown), replaced(&replaced(&targets, &swap), &unknown));
    assert!(shown(Some(&one), &other)[0].starts_with(&format!("acme: keyid {keyid} stands for key of a kind that is not known, sha256:")));
    let gone = replaced(&targets, &[(&format!("\"keys\":{{\"{keyid}\""), "\"keys\":{\"elsewhere\"")]);
    assert_eq!(
        shown(Some(&targets), &gone)[0],
        format!("acme: keyid {keyid} stands for key that is not there (listed as {keyid}) now, not for key {honest}")
    );
}

#[test]
fn what_is_under_other_keyids_or_in_no_role_is_shown() {
    let (id, keyid) = (key(1).public_key().key_id(), key_id(key(1).public_key()).unwrap());
    let root = root_of(&[1], 1);
    let renamed = replaced(&root, &[(&keyid, "first, key")]);
    let expected = [
        format!("root: key {id} (listed as \"first, key\") is listed under keyid \"first, key\" too"),
        format!("root: key {id} is not listed under keyid {keyid} any more"),
    ];
    assert_eq!(shown(Some(&root), &renamed), expected);

    let spare = format!(
        "\"keys\":{{\"spare\":{{\"keytype\":\"ed25519\",\"keyval\":{{\"public\":\"{}\"}},\"scheme\":\"ed25519\"}},",
        public_value(5)
    );
    let more = replaced(&root, &[("\"keys\":{", &spare)]);
    let spare = format!("key {} (listed as spare)", key(5).public_key().key_id());
    assert_eq!(shown(Some(&root), &more), [format!("{spare} is listed, and no role has it")]);
    assert_eq!(shown(Some(&more), &root), [format!("{spare}, which no role had, is not listed any more")]);
    assert!(shown(None, &more).contains(&format!("{spare} is listed, and no role has it")));

    let rewritten = replaced(&root, &[("\"keyval\":{", "\"keyval\":{\"more\":1,")]);
    assert!(shown(Some(&root), &rewritten).contains(&format!("key {id} is written in another way")));
    let role = replaced(&root, &[("\"roles\":{", "\"roles\":{\"mirrors\":{\"keyids\":[],\"threshold\":1},")]);
    assert_eq!(shown(Some(&root), &role), ["`roles.mirrors` changed"]);
    let member = replaced(&root, &[("\"roles\":{\"root\":{", "\"roles\":{\"root\":{\"more\":1,")]);
    assert_eq!(shown(Some(&root), &member), ["`roles.root.more` changed"]);
}

#[test]
fn the_place_of_a_delegation_and_another_order_are_shown() {
    let mut targets = new_targets(late()).unwrap();
    delegate(&mut targets, &["a", "b", "c"].map(|name| delegation(name, &["x/*"])), &Place::Last).unwrap();
    let shown_at = |place| {
        let mut after = targets.clone();
        delegate(&mut after, &[delegation("z", &["x/*"])], &place).unwrap();
        shown(Some(&targets), &after).remove(0)
    };
    assert_eq!(shown_at(Place::Last), "z: is delegated x/*");
    assert_eq!(shown_at(Place::First), "z: is delegated x/*, before a");
    assert_eq!(shown_at(Place::Before("c".to_owned())), "z: is delegated x/*, before c");
    // What is new is shown in its order.
    let mut first = new_targets(late()).unwrap();
    delegate(&mut first, &["z", "b"].map(|name| delegation(name, &["x/*"])), &Place::Last).unwrap();
    assert_eq!(shown(None, &first)[..2], ["z: is delegated x/*", "b: is delegated x/*"]);
    let mut other = new_targets(late()).unwrap();
    delegate(&mut other, &["b", "a", "c"].map(|name| delegation(name, &["x/*"])), &Place::Last).unwrap();
    assert_eq!(shown(Some(&targets), &other), ["the delegations come in another order: b, a"]);
}

#[test]
fn a_pattern_with_a_space_does_not_look_like_two() {
    let line = |patterns: &[&str]| {
        let mut targets = new_targets(late()).unwrap();
        delegate(&mut targets, &[delegation("a", patterns)], &Place::Last).unwrap();
        shown(None, &targets).remove(0)
    };
    assert_eq!(line(&["x/*", "y/*"]), "a: is delegated x/* y/*");
    assert_eq!(line(&["x/* y/*"]), r#"a: is delegated "x/* y/*""#);
    assert_eq!(line(&["x/*,", "terminating"]), r#"a: is delegated "x/*," terminating"#);
    assert_eq!(line(&["a\" \"b"]), r#"a: is delegated "a\" \"b""#);
}

/// Its roles would be another's: who is added would sign for them.
#[test]
fn a_key_is_not_listed_under_a_keyid_that_another_key_has() {
    let (one, five) = (key_id(key(1).public_key()).unwrap(), key_id(key(5).public_key()).unwrap());
    let mut root = replaced(&root_of(&[1], 1), &[(&one, &five)]);
    let before = root.to_bytes();
    let add = [Change::Add(key(5).public_key().clone())];
    let taken = EditError::KeyidTaken { keyid: five };
    assert_eq!(change_top_level(&mut root, TopLevel::Targets, &add), Err(taken.clone()));
    assert_eq!((root.to_bytes(), taken.code()), (before, "keyid-taken"));
}

#[test]
fn a_key_goes_with_all_its_keyids_and_by_its_key_id() {
    let (id, keyid) = (key(1).public_key().key_id(), key_id(key(1).public_key()).unwrap());
    // Key 1 under another keyid in place of key 2.
    let (two, values) = (key_id(key(2).public_key()).unwrap(), (public_value(2), public_value(1)));
    let twice = replaced(&root_of(&[1, 2, 3], 1), &[(&two, "second"), (&values.0, &values.1)]);
    for choice in [keyid.as_str(), &keyid[..10], "second", "sec", id.as_str(), &id.as_str()[..10]] {
        let mut root = twice.clone();
        change_top_level(&mut root, TopLevel::Root, &[Change::Remove(KeyChoice::Id(choice.to_owned()))]).unwrap();
        let left = Mandate::of_root(&root, TopLevel::Root).unwrap().standing(&root).unwrap().keys;
        assert_eq!(left.iter().map(|key| key.key.clone().unwrap()).collect::<Vec<_>>(), [key(3).public_key().clone()], "{choice}");
    }
    // What one key is listed as and another one is names two.
    let mut root = replaced(&root_of(&[1, 3], 1), &[(&key_id(key(3).public_key()).unwrap(), id.as_str())]);
    let remove = [Change::Remove(KeyChoice::Id(id.to_string()))];
    assert_eq!(change_top_level(&mut root, TopLevel::Root, &remove).map_err(|error| error.code()), Err("no-such-key"));
}
