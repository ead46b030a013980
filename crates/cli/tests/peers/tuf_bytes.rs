//! No change of one byte, of any file that is published or stored, makes the client accept another target. The client is driven in this
//! process, thousands of times, on repositories by python-tuf and by `touchmark trust`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use touchmark_tuf::metadata::Target;
use touchmark_tuf::{Answer, Client, Settings, Step, TargetPath, UnixTime};

use crate::harness::Place;
use crate::random::Random;
use crate::tuf_made::{self, Make, is_none};
use crate::tuf_peer::Made;

/// How often the client runs for each test.
const RUNS: usize = 800;

type Files = BTreeMap<String, Vec<u8>>;

/// What the client finds of each name: none if it is refused or not there.
type Accepted = BTreeMap<&'static str, Option<Target>>;

/// A repository, and what is looked up in it.
struct Repository {
    /// The files of its metadata.
    published: Files,
    names: Vec<&'static str>,
    at: UnixTime,
}

/// By python-tuf: a rotated root, a threshold, two levels of delegation and bins.
fn theirs(place: &Place) -> Option<Repository> {
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
    let published = files_of(&made.folders.last()?.join("metadata"));
    Some(Repository { published, names: vec!["top", "acme/net", "acme/bin", "none"], at: UnixTime::from_seconds(1_800_000_000)? })
}

/// By `touchmark trust`.
fn ours(place: &Place, make: Make) -> Repository {
    let names = make(place);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let at = UnixTime::from_seconds(i64::try_from(now).unwrap()).unwrap();
    Repository { published: files_of(&place.path("trust/metadata")), names, at }
}

/// The files by what they are asked for as: a `+` in a role's name is encoded.
fn files_of(folder: &std::path::Path) -> Files {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    files.map(|entry| (entry.file_name().into_string().unwrap().replace('+', "%2B"), std::fs::read(entry.path()).unwrap())).collect()
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

impl Repository {
    /// A store that has only the first root.
    fn first(&self) -> Files {
        Files::from([("root.json".to_owned(), self.published["1.root.json"].clone())])
    }

    /// Refreshes from these files and looks up all names.
    fn accepted(&self, published: &Files, store: &mut Files) -> Accepted {
        self.noted(published, store, &mut BTreeSet::new())
    }

    /// The same, with what was fetched.
    fn noted(&self, published: &Files, store: &mut Files, fetched: &mut BTreeSet<String>) -> Accepted {
        let mut client = Client::new(Settings::default(), self.at);
        let refreshed = drive(&mut client, published, store, fetched);
        let mut look_up = |name: &str| {
            let path = TargetPath::new(name).unwrap();
            if !refreshed || client.look_up(&path).is_err() || !drive(&mut client, published, store, fetched) {
                return None;
            }
            client.found().and_then(|look_up| look_up.found).map(|found| found.target)
        };
        self.names.iter().map(|name| (*name, look_up(name))).collect()
    }
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

/// Changes bytes of what is fetched: no name leads to anything but what it led to, or nothing.
fn published_bytes(repository: &Repository, purpose: &str) {
    let published = &repository.published;
    let mut fetched = BTreeSet::new();
    let good = repository.noted(published, &mut repository.first(), &mut fetched);
    for (name, found) in &good {
        assert_eq!(found.is_none(), is_none(name), "{name}");
    }
    // Earlier versions, and bins that nothing falls into, nobody asks for.
    let fetched: Vec<&String> = fetched.iter().collect();
    let mut random = Random::seeded(purpose);
    let mut noticed = 0;
    for _ in 0..RUNS {
        let (files, what) = changed(published, &fetched, &mut random);
        let found = repository.accepted(&files, &mut repository.first());
        for (name, target) in &found {
            assert!(target.is_none() || *target == good[name], "{what}: {name} is {target:?}");
        }
        noticed += usize::from(found != good);
    }
    // What is not: one signature more than is needed, or the case of a hexadecimal digit.
    assert!(noticed * 4 > RUNS * 3, "{noticed} of {RUNS} changes were noticed");
}

#[test]
fn a_changed_byte_of_what_python_tuf_published_leads_to_no_other_target() {
    let place = Place::new();
    let Some(repository) = theirs(&place) else { return };
    published_bytes(&repository, "bytes that python-tuf published");
}

#[test]
fn a_changed_byte_of_what_we_published_leads_to_no_other_target() {
    let place = Place::new();
    published_bytes(&ours(&place, tuf_made::three_levels), "bytes that we published, three levels");
    let place = Place::new();
    published_bytes(&ours(&place, tuf_made::rotated_three_times), "bytes that we published, rotated");
}

#[test]
fn a_changed_byte_of_a_stored_file_is_mended() {
    let place = Place::new();
    let Some(repository) = theirs(&place) else { return };
    let mut store = repository.first();
    let good = repository.accepted(&repository.published, &mut store);
    let names: Vec<String> = store.keys().filter(|name| *name != "root.json").cloned().collect();
    let names: Vec<&String> = names.iter().collect();
    let mut random = Random::seeded("stored bytes");
    for _ in 0..RUNS {
        let (mut damaged, what) = changed(&store, &names, &mut random);
        assert_eq!(repository.accepted(&repository.published, &mut damaged), good, "{what}");
    }
}
