//! Random histories of a trust repository: after every step the decision is that of a short model, which knows no JSON, no signature and no
//! search.

use std::collections::{BTreeMap, BTreeSet};

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::Value;
use touchmark_test_tuf_repository::{Delegation, Key, Repository};

use crate::shelf::Shelf;
use crate::world::{World, json};

/// Each history has so many steps, and there are so many of them.
const STEPS: usize = 10;
const HISTORIES: u64 = 100;

/// As many times more as `TOUCHMARK_HISTORIES` says.
pub(crate) fn histories(usual: u64) -> std::ops::RangeInclusive<u64> {
    let times = std::env::var("TOUCHMARK_HISTORIES").map_or(1, |times| times.parse().expect("TOUCHMARK_HISTORIES is a number"));
    1..=usual * times
}

pub(crate) const NAMES: [&str; 5] = ["acme/x:1", "acme/x:2", "acme/edge/y:1", "beta/z:1", "nobody/w:1"];
pub(crate) const IMAGES: usize = 3;
pub(crate) const KEYS: [&str; 4] = ["k0", "k1", "k2", "k3"];
/// Roles below the top-level targets: who delegates to them, and which names.
pub(crate) const ROLES: [(&str, &str, &[&str]); 3] =
    [("acme", "targets", &["acme/*", "acme/*/*"]), ("beta", "targets", &["beta/*"]), ("acme+edge", "acme", &["acme/edge/*"])];

#[derive(Clone, Debug, Default)]
pub(crate) struct Role {
    pub(crate) exists: bool,
    pub(crate) keys: BTreeSet<usize>,
    pub(crate) threshold: usize,
    pub(crate) terminating: bool,
    pub(crate) envelopes: bool,
    pub(crate) entries: BTreeMap<&'static str, Entry>,
    pub(crate) seals: BTreeSet<(&'static str, usize)>,
    pub(crate) revoked: BTreeSet<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Image(usize),
    Expired(usize),
    Withdrawn,
}

/// What was done so far.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) roles: BTreeMap<&'static str, Role>,
    /// Who signed which image under which name.
    pub(crate) signed: BTreeSet<(usize, usize, &'static str)>,
}

/// Numbers that are the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

impl History {
    pub(crate) fn new() -> Self {
        let mut roles = BTreeMap::from([("targets", Role { exists: true, ..Role::default() })]);
        for (number, (name, ..)) in ROLES.iter().enumerate() {
            let keys = BTreeSet::from([number]);
            roles.insert(*name, Role { exists: true, keys, threshold: 1, terminating: true, envelopes: true, ..Role::default() });
        }
        Self { roles, signed: BTreeSet::new() }
    }

    /// Something happens.
    pub(crate) fn step(&mut self, dice: &mut Dice) {
        let all: Vec<&'static str> = self.roles.keys().copied().collect();
        let (name, image) = (dice.one(&NAMES), dice.below(IMAGES));
        let any = dice.one(&all);
        let (publisher, ..) = dice.one(&ROLES);
        match dice.below(12) {
            0..=4 => {
                // Mostly by somebody who may.
                let may: Vec<usize> = self.owners(name).last().map(|(_, role)| role.keys.iter().copied().collect()).unwrap_or_default();
                let key = if may.is_empty() || dice.below(4) == 0 { dice.below(KEYS.len()) } else { dice.one(&may) };
                self.signed.insert((key, image, name));
            }
            5 => {
                let entry = dice.one(&[Entry::Image(image), Entry::Image(image), Entry::Withdrawn, Entry::Expired(image)]);
                self.role(any).entries.insert(name, entry);
            }
            6 => {
                self.role(any).entries.remove(name);
            }
            7 => {
                self.role(any).seals.insert((name, image));
            }
            8 => {
                self.role(any).revoked.insert(image);
            }
            9 => {
                // A rotation: other keys, and maybe more of them are needed.
                let keys: BTreeSet<usize> = (0..=dice.below(2)).map(|_| dice.below(KEYS.len())).collect();
                let threshold = 1 + dice.below(keys.len());
                let role = self.role(publisher);
                (role.keys, role.threshold) = (keys, threshold);
            }
            10 => {
                let (terminating, envelopes) = (dice.below(4) > 0, dice.below(4) > 0);
                let role = self.role(publisher);
                (role.terminating, role.envelopes) = (terminating, envelopes);
            }
            _ => {
                let role = self.role(publisher);
                role.exists = !role.exists;
            }
        }
    }

    fn role(&mut self, name: &str) -> &mut Role {
        self.roles.get_mut(name).unwrap()
    }

    /// The roles that own a name, from the top down.
    pub(crate) fn owners(&self, name: &str) -> Vec<(&'static str, &Role)> {
        let mut owners = vec![("targets", &self.roles["targets"])];
        let of_acme = name.starts_with("acme/");
        let publisher = if of_acme { "acme" } else { "beta" };
        if (of_acme || name.starts_with("beta/")) && self.roles[publisher].exists {
            owners.push((publisher, &self.roles[publisher]));
            if name.starts_with("acme/edge/") && self.roles["acme+edge"].exists {
                owners.push(("acme+edge", &self.roles["acme+edge"]));
            }
        }
        owners
    }

    /// What the design says: revoked, entries, seals, envelopes of the last owner.
    pub(crate) fn decides(&self, name: &'static str, image: usize) -> Option<&'static str> {
        let owners = self.owners(name);
        let lists = owners.iter().position(|(_, role)| role.entries.contains_key(name));
        let visited = &owners[..lists.map_or(owners.len(), |last| last + 1)];
        if visited.iter().any(|(_, role)| role.revoked.contains(&image)) {
            return None;
        }
        if lists.is_some() {
            let entry = visited.last().unwrap().1.entries[name];
            return (entry == Entry::Image(image)).then_some("entry");
        }
        if owners.iter().skip(1).any(|(_, role)| !role.terminating) {
            return None;
        }
        if owners.iter().any(|(_, role)| role.seals.contains(&(name, image))) {
            return Some("seal");
        }
        let (last, role) = owners.last().unwrap();
        let signers = role.keys.iter().filter(|key| self.signed.contains(&(**key, image, name))).count();
        (*last != "targets" && role.envelopes && signers >= role.threshold).then_some("envelopes")
    }

    /// The same as documents and signatures, published.
    fn world(&self) -> (World, Vec<Digest>) {
        let (mut world, images) = self.documents(Repository::new());
        world.repository.publish();
        (world, images)
    }

    /// The same as documents, of which none is published, and signatures.
    pub(crate) fn documents(&self, repository: Repository) -> (World, Vec<Digest>) {
        let mut world = World { repository, shelf: Shelf::default() };
        let images: Vec<Digest> = (0..IMAGES).map(|number| world.shelf.image(&format!("image {number}"))).collect();
        for (name, by, paths) in ROLES {
            let role = &self.roles[name];
            if role.exists && self.roles[by].exists {
                let keys: Vec<Key> = role.keys.iter().map(|key| Key::ed25519(KEYS[*key])).collect();
                let mut delegation = Delegation::new(name).keys(role.threshold as u64, &keys).paths(paths);
                if role.terminating {
                    delegation = delegation.terminating();
                }
                world.repository.delegate(by, delegation);
            }
        }
        for by in ["targets", "acme"] {
            let may: Vec<&str> =
                ROLES.iter().filter(|(name, parent, _)| *parent == by && self.roles[name].envelopes).map(|(name, ..)| *name).collect();
            if self.is_there(by) {
                world.lets(by, &may);
            }
        }
        for (name, role) in self.roles.iter().filter(|(name, _)| self.is_there(name)) {
            for (path, entry) in &role.entries {
                let place = format!("/targets/{}", path.replace('/', "~1"));
                match entry {
                    Entry::Image(image) | Entry::Expired(image) => {
                        world.enter(name, path, images[*image]);
                        if matches!(entry, Entry::Expired(_)) {
                            let custom = r#"{"x-touchmark":{"version":1,"expires":"2026-11-27T00:00:00Z"}}"#;
                            world.repository.set(name, &format!("{place}/custom"), json(custom));
                        }
                    }
                    Entry::Withdrawn => {
                        let nothing = format!(r#"{{"length":0,"hashes":{{"sha256":"{}"}}}}"#, Algorithm::Sha256.digest(b"").hex());
                        world.repository.set(name, &place, json(&nothing));
                    }
                }
            }
            let mut seals: BTreeMap<String, Vec<Value<'static>>> = BTreeMap::new();
            for (path, image) in &role.seals {
                let digest = images[*image];
                let length = world.shelf.contents[&digest].len() as u64;
                let hashes = Value::object([("sha256", Value::from(digest.hex()))]);
                let seal = Value::object([("length", Value::from(length)), ("hashes", hashes)]);
                seals.entry((*path).to_owned()).or_default().push(seal);
            }
            world.member(name, "seals", Value::object(seals.into_iter().map(|(path, seals)| (path, Value::from(seals)))));
            let revoked = role.revoked.iter().map(|image| {
                Value::object([("digest", Value::from(images[*image].to_string())), ("reason", Value::from("it was said so"))])
            });
            world.member(name, "revoked", Value::from(revoked.collect::<Vec<_>>()));
        }
        for (key, image, name) in &self.signed {
            world.sign(images[*image], KEYS[*key], name);
        }
        (world, images)
    }

    pub(crate) fn is_there(&self, name: &str) -> bool {
        let parent = ROLES.iter().find(|(role, ..)| *role == name).map(|(_, parent, _)| *parent);
        self.roles[name].exists && parent.is_none_or(|parent| self.is_there(parent))
    }
}

#[test]
fn after_every_step_of_random_histories_the_decision_is_that_of_the_model() {
    let mut accepted: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in histories(HISTORIES) {
        let mut dice = Dice::new(seed);
        let mut history = History::new();
        for _ in 0..STEPS {
            history.step(&mut dice);
        }
        let (mut world, images) = history.world();
        for name in NAMES {
            for (number, image) in images.iter().enumerate() {
                let expected = history.decides(name, number);
                let found = world.verdict(*image, name);
                assert_eq!(found.ok(), expected, "history {seed}, image {number} as {name}: {found:?}\n{history:#?}");
                *accepted.entry(expected.unwrap_or("refused")).or_default() += 1;
            }
        }
    }
    // Each way was taken often enough.
    for way in ["entry", "seal", "envelopes", "refused"] {
        assert!(accepted.get(way).is_some_and(|times| *times >= 15), "{accepted:?}");
    }
}
