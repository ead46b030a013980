//! A TUF client with a store in memory, and documents that are signed whatever they say.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use touchmark_envelope::canonical;
use touchmark_envelope::signed::{Options, Signed};
use touchmark_test_tuf_repository::{Delegation, Fetched, Key, NOW, Repository};
use touchmark_tuf::{Answer, Client, Error, Failure, Settings, Step, TargetPath, UnixTime};

/// A target of the top-level role, of a delegated one, of a hash prefix, of a bin, and of nobody.
pub const TARGETS: [&str; 5] = ["file", "acme/tool", "hashed", "x/y/z", "none"];

/// An honest repository with every kind of delegation.
pub static HONEST: LazyLock<Repository> = LazyLock::new(|| {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).terminating());
    repository.delegate("targets", Delegation::new("hashes").prefixes(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]));
    repository.delegate("targets", Delegation::new("rest").paths(&["*", "*/*", "*/*/*"]));
    repository.delegate("rest", Delegation::bins("bin", 1));
    repository.delegate("acme", Delegation::new("rest").paths(&["acme/*"]));
    repository.add_target("targets", TARGETS[0], b"content");
    repository.add_target("acme", TARGETS[1], b"tool");
    repository.add_target("hashes", TARGETS[2], b"hashed");
    repository.add_target("bin-0", TARGETS[3], b"0");
    repository.add_target("bin-1", TARGETS[3], b"1");
    repository.publish();
    repository
});

/// Steps that no client may exceed: the roots, and for each role that a search may visit what is loaded, fetched and stored.
const MAX_STEPS: usize = 2_000;

/// A store, and how answers are made.
pub struct Machine<'a> {
    pub store: BTreeMap<String, Vec<u8>>,
    /// Answers to the requests for files of the repository.
    pub fetch: &'a mut dyn FnMut(&str, u64) -> Answer,
    /// What was fetched and may be stored.
    fetched: Vec<Vec<u8>>,
}

impl<'a> Machine<'a> {
    /// One that trusts the honest repository's first root.
    pub fn new(fetch: &'a mut dyn FnMut(&str, u64) -> Answer) -> Self {
        let store = BTreeMap::from([("root.json".to_owned(), HONEST.file("1.root.json").to_vec())]);
        Self { store, fetch, fetched: Vec::new() }
    }

    /// Does what the client says, until it is done.
    pub fn drive(&mut self, client: &mut Client) -> Result<(), Error> {
        for _ in 0..MAX_STEPS {
            let answer = match client.step()? {
                Step::Done => return Ok(()),
                Step::Load { file, limit } => match self.store.get(name(file)) {
                    None => Answer::Absent,
                    Some(bytes) if bytes.len() as u64 > limit => Answer::Failed(Failure::TooLarge { limit }),
                    Some(bytes) => Answer::Bytes(bytes.clone()),
                },
                Step::Fetch { path, limit } => {
                    let answer = (self.fetch)(name(path), limit);
                    if let Answer::Bytes(bytes) = &answer {
                        self.fetched.push(bytes.clone());
                    }
                    answer
                }
                Step::Store { file, bytes } => {
                    // What is stored is what was received, byte for byte.
                    assert!(self.fetched.iter().any(|fetched| fetched == bytes), "{file}");
                    self.store.insert(name(file).to_owned(), bytes.to_vec());
                    Answer::Done
                }
                Step::Remove { file } => {
                    self.store.remove(name(file));
                    Answer::Done
                }
                other => panic!("{other:?}"),
            };
            client.answer(answer);
        }
        panic!("more than {MAX_STEPS} steps");
    }

    /// An update; the client, and why it failed.
    pub fn refresh(&mut self) -> (Client, Result<(), Error>) {
        let mut client = Client::new(Settings::default(), UnixTime::from_seconds(NOW).expect("a time"));
        let outcome = self.drive(&mut client);
        if let Err(error) = &outcome {
            assert_eq!(client.step().as_ref().err(), Some(error), "an error of an update stays");
        }
        (client, outcome)
    }

    /// A search.
    pub fn look_up(&mut self, client: &mut Client, target: &TargetPath) -> Result<touchmark_tuf::LookUp, Error> {
        client.look_up(target)?;
        self.drive(client)?;
        Ok(client.found().expect("a search that is over has an outcome"))
    }
}

/// A name that stays in its folder.
fn name(name: &str) -> &str {
    assert!(!name.contains(['/', '\\', '\0', ':']) && name.ends_with(".json"), "{name}");
    name
}

/// What the honest repository answers.
pub fn honest(path: &str, limit: u64) -> Answer {
    match HONEST.fetch(path, limit) {
        Fetched::File(bytes) => Answer::Bytes(bytes),
        Fetched::Absent => Answer::Absent,
        Fetched::Failed => Answer::Failed(Failure::Unavailable("no answer".into())),
        Fetched::TooLong => Answer::Failed(Failure::TooLarge { limit }),
    }
}

/// The document whose `signed` is this text, validly signed by the key of that name, if the text has a canonical form.
pub fn signed(text: &[u8], key: &str) -> Option<Vec<u8>> {
    let message = canonical::to_vec(text, 1 << 20).ok()?;
    let key = Key::ed25519(key);
    let head = format!(r#"{{"signatures":[{{"keyid":"{}","sig":"{}"}}],"signed":"#, key.keyid(), key.sign(&message));
    let document = [head.as_bytes(), text, b"}"].concat();
    let read = Signed::parse(document.clone(), Options { max_bytes: 1 << 21, max_signatures: 1, index: Some("targets") });
    match read {
        // What is verified is the canonical form, however it was found.
        Ok(read) => assert_eq!(read.untrusted().signed_bytes(), message),
        // A value that is no object, or has too many members.
        Err(_) => return None,
    }
    Some(document)
}

/// Reads the bytes as a whole document, which nobody signed.
pub fn unsigned(bytes: &[u8]) {
    let options = Options { max_bytes: 1 << 20, max_signatures: 64, index: Some("targets") };
    let Ok(document) = Signed::parse(bytes.to_vec(), options) else { return };
    let document = document.into_untrusted();
    assert_eq!(document.bytes(), bytes);
    for (name, text) in document.members() {
        assert_eq!(document.member(name), Some(text));
    }
    for (name, text) in document.indexed() {
        assert_eq!(document.find(&name), Some(text));
    }
}

/// Runs a client that is given this answer in the place of one file, and the honest repository's for all others.
pub fn update_with(path: &str, document: &[u8], after: impl FnOnce(&mut Machine<'_>, Client, Result<(), Error>)) {
    let mut fetch = |asked: &str, limit: u64| {
        if asked == path { Answer::Bytes(document.to_vec()) } else { honest(asked, limit) }
    };
    let mut machine = Machine::new(&mut fetch);
    let (client, outcome) = machine.refresh();
    after(&mut machine, client, outcome);
}
