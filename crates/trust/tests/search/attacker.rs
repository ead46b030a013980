//! Somebody between a trust repository and its clients, who serves what he likes: older states, states of which a part is missing or of another
//! time, documents by keys that do not count; and somebody who has the keys of snapshot and timestamp besides. Artifacts come with every
//! signature that he could copy or make. The client keeps what it accepted. What it decides is what the model says of the state that was served, or
//! it decides nothing.

use std::collections::BTreeMap;

use touchmark_envelope::{Digest, UnixTime, signature};
use touchmark_test_tuf_repository::{Delegation, Fetched, Key, NOW, Repository, set};
use touchmark_trust::{Class, Policy, Request, Standing};
use touchmark_tuf::{Answer, Client, Failure, Settings, Step};

use crate::model::{Dice, History, IMAGES, KEYS, NAMES, ROLES, histories};
use crate::shelf::{Inline, Shelf};
use crate::world::{World, json, listed_as};

const HISTORIES: u64 = 12;
/// Each history has so many states, of some steps each, and so many clients, each of which is attacked so often.
const STATES: u64 = 5;
const STEPS: usize = 4;
const PLAYS: usize = 24;
const PLAYS_OF_ONE: usize = 4;
/// The artifact that no honest key has signed, and the one that keys have signed which nobody trusts any more in the end.
const EVIL: usize = IMAGES;
const LATE: usize = IMAGES + 1;

/// A state of the repository, and of the model.
#[derive(Clone)]
struct State {
    history: History,
    repository: Repository,
    /// The version of every document but the root.
    version: u64,
}

impl State {
    /// The state after some steps. There is room for what a thief publishes before the next one.
    fn new(history: &History, number: u64, hashes: bool) -> Self {
        let repository = if hashes { Repository::new().with_hashes() } else { Repository::new() };
        let (World { mut repository, .. }, _) = history.documents(repository);
        let version = 100 * (number + 1);
        // What was once listed stays in the snapshot, as clients demand.
        for (name, ..) in ROLES.into_iter().filter(|(name, ..)| !history.is_there(name)) {
            repository.delegate("targets", Delegation::new(name).paths(&["absent/*"]));
            let last = touchmark_test_tuf_repository::at(repository.signed("targets"), "/delegations/roles").as_array().unwrap().len() - 1;
            repository.unset("targets", &format!("/delegations/roles/{last}"));
        }
        for role in ["targets"].into_iter().chain(ROLES.map(|(name, ..)| name)).chain(["snapshot", "timestamp"]) {
            repository.set(role, "/version", version);
            repository.sign(role);
            repository.describe(role);
        }
        Self { history: history.clone(), repository, version }
    }

    /// What the model says, with all signatures that there are.
    fn decides(&self, all: &History, name: &'static str, image: usize) -> Option<&'static str> {
        History { signed: all.signed.clone(), roles: self.history.roles.clone() }.decides(name, image)
    }

    /// Whether a search for a name looks at a role.
    fn needs(&self, name: &'static str, role: &str) -> bool {
        let owners = self.history.owners(name);
        let lists = owners.iter().position(|(_, role)| role.entries.contains_key(name)).unwrap_or(owners.len());
        ["timestamp", "snapshot"].contains(&role) || owners.iter().take(lists + 1).any(|(owner, _)| *owner == role)
    }
}

/// A client's store.
#[derive(Default)]
struct Store(BTreeMap<String, Vec<u8>>);

impl Store {
    /// Updates from what is served, and searches for a name.
    fn standing(&mut self, served: &Repository, name: &str) -> Result<Standing, Class> {
        let name: touchmark_envelope::Name = name.parse().unwrap();
        let mut client = Client::new(Settings::default(), UnixTime::from_seconds(NOW).unwrap());
        self.drive(&mut client, served)?;
        client.look_up(&(&name).into()).unwrap();
        self.drive(&mut client, served)?;
        Standing::of(&mut client, &name).map_err(|error| error.class())
    }

    fn drive(&mut self, client: &mut Client, served: &Repository) -> Result<(), Class> {
        loop {
            let answer = match client.step().map_err(|error| crate::world::of_tuf(error).1)? {
                Step::Done => return Ok(()),
                Step::Load { file: "root.json", .. } => Answer::Bytes(served.file("1.root.json").to_vec()),
                Step::Load { file, .. } => self.0.get(file).map_or(Answer::Absent, |bytes| Answer::Bytes(bytes.clone())),
                Step::Store { file, bytes } => {
                    self.0.insert(file.to_owned(), bytes.to_vec());
                    Answer::Done
                }
                Step::Remove { file } => {
                    self.0.remove(file);
                    Answer::Done
                }
                Step::Fetch { path, limit } => match served.fetch(path, limit) {
                    Fetched::File(bytes) => Answer::Bytes(bytes),
                    Fetched::Absent => Answer::Absent,
                    Fetched::Failed => Answer::Failed(Failure::Unavailable("no answer".into())),
                    Fetched::TooLong => Answer::Failed(Failure::TooLarge { limit }),
                },
                _ => Answer::Done,
            };
            client.answer(answer);
        }
    }
}

/// What is served instead of a state, and what may come of it.
#[derive(Debug)]
enum Play {
    /// The state as it was published, be it an old one.
    Whole,
    /// Without a document.
    Withheld(&'static str),
    /// With another state's document in the place of this one's.
    Mixed(&'static str, usize),
    /// With a document that lists and seals the attacker's artifact under every name, by a key that is not the role's.
    Forged(&'static str),
    /// The same, by a thief of the keys of snapshot and timestamp, who publishes it.
    Published(&'static str),
    /// An older state's document of a role that delegates nothing, published by the same thief.
    TurnedBack(&'static str, usize),
}

impl Play {
    fn new(dice: &mut Dice, states: usize, state: usize) -> Self {
        let roles = ["targets", "acme", "beta", "acme+edge"];
        let other = dice.below(states);
        match dice.below(8) {
            0..=2 => Self::Whole,
            3 => Self::Withheld(dice.one(&["timestamp", "snapshot", "targets", "acme", "beta", "acme+edge"])),
            4 => Self::Mixed(dice.one(&["snapshot", "targets", "acme", "beta", "acme+edge"]), other),
            5 => Self::Forged(dice.one(&roles)),
            6 => Self::Published(dice.one(&roles)),
            _ => Self::TurnedBack(dice.one(&["beta", "acme+edge"]), other.min(state)),
        }
    }

    /// What is served; the `later` of a state's version is that of what the thief publishes.
    fn serve(&self, states: &[State], state: usize, later: u64, evil: &[u8]) -> Repository {
        let mut served = states[state].repository.clone();
        for role in ["snapshot", "timestamp"].into_iter().filter(|_| self.is_published()) {
            served.set(role, "/version", states[state].version + later - 1);
        }
        let mallory = [Key::ed25519("mallory")];
        match *self {
            Self::Whole => {}
            Self::Withheld(role) => served.lose(&served.path(role)),
            Self::Mixed(role, other) => {
                let other = &states[other].repository;
                served.serve(&served.path(role), other.file(&other.path(role)).to_vec());
            }
            Self::Forged(role) => served.forge_by(role, &mallory, |signed| lists(signed, evil)),
            Self::Published(role) => {
                lists(served.signed(role), evil);
                served.set_signers(role, &mallory);
                served.bump(role);
                served.push(role);
            }
            Self::TurnedBack(role, other) => {
                let other = &states[other];
                let document = other.repository.file(&other.repository.path(role)).to_vec();
                served.set(role, "/version", other.version);
                served.serve(&served.path(role), document);
                served.describe(role);
                served.bump("snapshot");
                served.push("snapshot");
            }
        }
        served
    }
}

impl Play {
    /// Whether the thief of the online keys made it.
    fn is_published(&self) -> bool {
        matches!(self, Self::Published(_) | Self::TurnedBack(..))
    }
}

/// Lists and seals an artifact under every name.
fn lists(signed: &mut touchmark_envelope::json::Value<'static>, artifact: &[u8]) {
    set(signed, "/x-touchmark", json(r#"{"version":1,"seals":{}}"#));
    for name in NAMES {
        let name = name.replace('/', "~1");
        set(signed, &format!("/targets/{name}"), listed_as(artifact));
        set(signed, &format!("/x-touchmark/seals/{name}"), touchmark_envelope::json::Value::from(vec![listed_as(artifact)]));
    }
}

/// All artifacts with all signatures: the honest ones, those of keys that are retired in the end, a stranger's, and each on another artifact too.
fn shelf(all: &mut History, dice: &mut Dice) -> (Shelf, Vec<Digest>) {
    let (World { mut shelf, .. }, mut images) = all.documents(Repository::new());
    images.extend([shelf.image("evil"), shelf.image("late")]);
    for (number, key) in KEYS.iter().enumerate() {
        if all.roles.values().any(|role| role.keys.contains(&number)) {
            continue;
        }
        for name in NAMES {
            shelf.sign(images[LATE], &[Key::ed25519(key).private()], |statement| statement.name = Some(name.parse().unwrap()));
            all.signed.insert((number, LATE, name));
        }
    }
    for name in NAMES {
        shelf.sign(images[EVIL], &[Key::ed25519("mallory").private()], |statement| statement.name = Some(name.parse().unwrap()));
    }
    for (key, image, name) in &all.signed {
        let key = Key::ed25519(KEYS[*key]);
        let copied = shelf.envelope(images[*image], &[key.private()], |statement| statement.name = Some(name.parse().unwrap()));
        for to in [images[EVIL], images[dice.below(IMAGES)]].into_iter().filter(|to| *to != images[*image]) {
            shelf.attach(to, signature::ARTIFACT_TYPE, &copied, Inline::Yes);
        }
    }
    (shelf, images)
}

/// The state that a thief of the online keys can make of two, if the role's keys of the one signed a threshold of the other's.
fn turned_back(states: &[State], state: usize, role: &'static str, other: usize) -> Option<State> {
    let (mut made, other) = (states[state].clone(), states[other].history.roles[role].clone());
    let now = made.history.roles.get_mut(role).unwrap();
    let signers = now.keys.intersection(&other.keys).count();
    if signers < now.threshold {
        return None;
    }
    (now.entries, now.seals, now.revoked) = (other.entries, other.seals, other.revoked);
    Some(made)
}

#[test]
fn whoever_serves_what_he_likes_gets_nothing_accepted_that_the_model_of_a_state_does_not() {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in histories(HISTORIES) {
        let mut dice = Dice::new(seed);
        let (mut history, mut states) = (History::new(), Vec::new());
        for number in 0..STATES {
            for _ in 0..STEPS {
                history.step(&mut dice);
            }
            states.push(State::new(&history, number, seed % 2 == 0));
        }
        let (mut shelf, images) = shelf(&mut history, &mut dice);
        let evil = shelf.contents[&images[EVIL]].clone();
        // The last timestamp that the client took.
        let (mut store, mut floor) = (Store::default(), 0);
        for number in 0..PLAYS {
            if number % PLAYS_OF_ONE == 0 {
                (store, floor) = (Store::default(), 0);
            }
            let state = dice.below(states.len());
            let play = Play::new(&mut dice, states.len(), state);
            // No two documents of one role and version.
            let later = number as u64 + 1;
            let served = play.serve(&states, state, later, &evil);
            let (published, what) = (states[state].version + if play.is_published() { later } else { 0 }, &states[state]);
            let older = published < floor;
            if !matches!(play, Play::Withheld("timestamp")) {
                floor = floor.max(published);
            }
            for name in NAMES {
                let standing = store.standing(&served, name);
                let told = |what: &str| format!("history {seed}, {play:?} of state {state}, {name}: {what}: {standing:?}");
                let (model, must) = match &play {
                    // Nothing is missing that it needs.
                    Play::Whole => (Some(what.clone()), !older),
                    Play::Withheld(role) | Play::Mixed(role, _) | Play::Forged(role) => {
                        (Some(what.clone()), !older && !what.needs(name, role) && *role != "targets")
                    }
                    // The top-level targets belong to every update.
                    Play::Published("targets") => (None, false),
                    Play::Published(role) => ((!what.needs(name, role)).then(|| what.clone()), false),
                    Play::TurnedBack(role, other) => match turned_back(&states, state, role, *other) {
                        None => ((!what.needs(name, role)).then(|| what.clone()), false),
                        made => (made, false),
                    },
                };
                assert!(standing.is_ok() || !must, "{}", told("refused"));
                if older && !matches!(play, Play::Withheld("timestamp")) {
                    assert_eq!(standing.as_ref().err(), Some(&Class::UntrustedMetadata), "{}", told("taken back"));
                }
                let Ok(found) = &standing else {
                    *seen.entry("no answer").or_default() += 1;
                    continue;
                };
                let model = model.unwrap_or_else(|| panic!("{}", told("trusted")));
                for (number, image) in images.iter().enumerate() {
                    let request = Request::new(Policy::trust(found.clone()), *image, UnixTime::from_seconds(NOW).unwrap());
                    let decided = shelf.verify(request).ok().map(|artifact| artifact.accepted_by().code());
                    assert_eq!(decided, model.decides(&history, name, number), "{}", told(&format!("image {number}")));
                    assert!(number != EVIL || decided.is_none(), "{}", told("what nobody signed is accepted"));
                    let way = match &play {
                        Play::TurnedBack(..) if decided.is_some() => "turned back",
                        _ if number == LATE && decided.is_some() => "by a key that is retired since",
                        _ => decided.unwrap_or("refused"),
                    };
                    *seen.entry(way).or_default() += 1;
                }
            }
        }
    }
    // Each came about often enough.
    for way in ["entry", "seal", "envelopes", "refused", "no answer", "turned back", "by a key that is retired since"] {
        assert!(seen.get(way).is_some_and(|times| *times >= 5), "{seen:?}");
    }
}
