//! No change of one byte, of any file that is published or stored, makes the client accept another target. The client is driven in this
//! process, thousands of times, on repositories by python-tuf.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use touchmark_tuf::metadata::Target;
use touchmark_tuf::{Answer, Client, Settings, Step, TargetPath, UnixTime};

use crate::harness::Place;
use crate::random::Random;
use crate::tuf_peer::Made;

/// How often the client runs for each test.
const RUNS: usize = 1000;

type Files = BTreeMap<String, Vec<u8>>;

/// What the client finds of each name: none if it is refused or not there.
type Accepted = BTreeMap<&'static str, Option<Target>>;

const NAMES: [&str; 4] = ["top", "acme/net", "acme/bin", "none"];

/// A repository with a rotated root, a threshold, two levels of delegation and bins: the files of its metadata.
fn repository(place: &Place) -> Option<Files> {
    let bins = json!({ "bit_length": 1, "name_prefix": "bin", "keys": ["ed25519/bins"], "targets": { "acme/bin": "in a bin" } });
    let delegations = json!([
        { "name": "none", "keys": ["ed25519/a"], "paths": ["other/*"], "targets": { "none": "not in its paths", "acme/net": "no" } },
        { "name": "acme", "keys": ["ed25519/a", "ecdsa/b", "ed25519/c"], "threshold": 2, "paths": ["acme/*"], "terminating": true,
            "targets": { "acme/net": "net" }, "delegations": { "succinct": bins } },
        { "name": "last", "keys": ["ed25519/a"], "paths": ["*", "*/*"], "targets": { "acme/net": "of the last", "acme/bin": "of the last" } },
    ]);
    let state = |root: &[&str], targets: &str| {
        let roles = json!({ "root": { "keys": root, "threshold": root.len() } });
        json!({ "roles": roles, "meta": "mixed", "targets": { "top": targets }, "delegations": delegations })
    };
    let made =
        Made::new(place, &[state(&["ed25519/r"], "old"), state(&["ed25519/r", "ed25519/s"], "newer"), state(&["ed25519/s"], "new")])?;
    let folder = made.folders.last()?.join("metadata");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    Some(files.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect())
}

/// Does what the client asks until it is done, and notes what it fetched; whether it came to an end without an error.
fn drive(client: &mut Client, published: &Files, store: &mut Files, fetched: &mut BTreeSet<String>) -> bool {
    loop {
        let answer = match client.step() {
            Err(_) => return false,
            Ok(Step::Done) => return true,
            Ok(Step::Load { file, .. }) => store.get(file).cloned().map_or(Answer::Absent, Answer::Bytes),
            Ok(Step::Fetch { path, .. }) => {
                fetched.extend(published.contains_key(path).then(|| path.to_owned()));
                published.get(path).cloned().map_or(Answer::Absent, Answer::Bytes)
            }
            Ok(Step::Store { file, bytes }) => {
                store.insert(file.to_owned(), bytes.to_vec());
                Answer::Done
            }
            Ok(Step::Remove { file }) => {
                store.remove(file);
                Answer::Done
            }
            Ok(step) => panic!("{step:?}"),
        };
        client.answer(answer);
    }
}

/// Refreshes and looks up all names.
fn accepted(published: &Files, store: &mut Files) -> Accepted {
    noted(published, store, &mut BTreeSet::new())
}

/// The same, with what was fetched.
fn noted(published: &Files, store: &mut Files, fetched: &mut BTreeSet<String>) -> Accepted {
    let at = UnixTime::from_seconds(1_800_000_000).unwrap();
    let mut client = Client::new(Settings::default(), at);
    let refreshed = drive(&mut client, published, store, fetched);
    let mut look_up = |name: &str| {
        let path = TargetPath::new(name).unwrap();
        if !refreshed || client.look_up(&path).is_err() || !drive(&mut client, published, store, fetched) {
            return None;
        }
        client.found().and_then(|look_up| look_up.found).map(|found| found.target)
    };
    NAMES.map(|name| (name, look_up(name))).into()
}

/// A file with one byte changed, and what was changed.
fn changed(files: &Files, names: &[&String], random: &mut Random) -> (Files, String) {
    let name = names[random.below(names.len())];
    let mut files = files.clone();
    let bytes = files.get_mut(name).unwrap();
    let at = random.below(bytes.len());
    let before = bytes[at];
    // Half of the changes leave JSON what it is more often than not: another digit, another letter.
    bytes[at] = match random.below(4) {
        0 if before.is_ascii_digit() => b'0' + (before - b'0' + 1 + u8::try_from(random.below(9)).unwrap()) % 10,
        1 if before.is_ascii_alphanumeric() => before ^ 1,
        2 => before ^ 0x20,
        _ => before ^ u8::try_from(1 + random.below(255)).unwrap(),
    };
    let what = format!("{name}, byte {at}: {:?} in place of {:?}", char::from(bytes[at]), char::from(before));
    (files, what)
}

#[test]
fn a_changed_byte_of_a_published_file_leads_to_no_other_target() {
    let place = Place::new();
    let Some(published) = repository(&place) else { return };
    let first = Files::from([("root.json".to_owned(), published["1.root.json"].clone())]);
    let mut fetched = BTreeSet::new();
    let good = noted(&published, &mut first.clone(), &mut fetched);
    assert_eq!(NAMES.map(|name| good[name].is_some()), [true, true, true, false]);
    // Earlier versions, and the bin that nothing falls into, nobody asks for.
    assert_eq!(fetched.len(), 8, "{fetched:?}");
    let fetched: Vec<&String> = fetched.iter().collect();
    let mut random = Random::seeded("published bytes");
    let mut refused = 0;
    for _ in 0..RUNS {
        let (files, what) = changed(&published, &fetched, &mut random);
        let found = accepted(&files, &mut first.clone());
        for name in NAMES {
            assert!(found[name].is_none() || found[name] == good[name], "{what}: {name} is {:?}", found[name]);
        }
        refused += usize::from(found != good);
    }
    // What is not noticed: one signature more than is needed, or the case of a hexadecimal digit.
    assert!(refused * 4 > RUNS * 3, "{refused} of {RUNS} changes were noticed");
}

#[test]
fn a_changed_byte_of_a_stored_file_is_mended() {
    let place = Place::new();
    let Some(published) = repository(&place) else { return };
    let mut store = Files::from([("root.json".to_owned(), published["1.root.json"].clone())]);
    let good = accepted(&published, &mut store);
    let names: Vec<String> = store.keys().filter(|name| *name != "root.json").cloned().collect();
    let names: Vec<&String> = names.iter().collect();
    let mut random = Random::seeded("stored bytes");
    for _ in 0..RUNS {
        let (mut damaged, what) = changed(&store, &names, &mut random);
        assert_eq!(accepted(&published, &mut damaged), good, "{what}");
    }
}
