//! Whatever is done to a trust repository, in whatever order: after each publish our client and python-tuf, which have followed it so far,
//! accept it and find in it what was put there, and nothing that was taken away.

use std::collections::{BTreeMap, BTreeSet};

use touchmark_test_registry::{Site, sha256};

use crate::harness::Place;
use crate::random::Random;
use crate::tuf_made::{add, keys};
use crate::tuf_peer::{Client, Ours, Peer, assert_equal};

/// How often something is published, after two to five changes each, of which some turn out to be impossible.
const PUBLISHED: usize = 12;

const PEOPLE: [&str; 6] = ["a", "ecdsa-b", "c", "ecdsa-d", "e", "f"];

/// Who signs for a role.
#[derive(Clone, Debug)]
struct Signers {
    keys: Vec<&'static str>,
    threshold: usize,
}

/// A delegated role, or the top-level targets.
#[derive(Clone, Debug)]
struct Role {
    by: Signers,
    /// Its delegator; the top-level role has none.
    from: Option<&'static str>,
    targets: BTreeMap<String, String>,
}

/// What the repository should be.
struct Model {
    random: Random,
    root: Signers,
    roles: BTreeMap<&'static str, Role>,
    /// Every path that was ever a target.
    ever: BTreeSet<String>,
    /// How many contents there were.
    contents: usize,
    /// Roles that are staged and need their people.
    done: Vec<String>,
}

/// The roles that there may be, each with its delegator: the paths are those below the name.
const ROLES: [(&str, &str); 4] = [("x", "targets"), ("x+y", "x"), ("x+y+z", "x+y"), ("w", "targets")];

/// The folder of a role's paths.
fn folder(role: &str) -> String {
    if role == "targets" { String::new() } else { format!("{}/", role.replace('+', "/")) }
}

impl Model {
    fn signers(&mut self) -> Signers {
        let mut keys = PEOPLE.to_vec();
        while keys.len() > 3 {
            keys.remove(self.random.below(keys.len()));
        }
        keys.truncate(1 + self.random.below(3));
        Signers { threshold: 1 + self.random.below(keys.len()), keys }
    }

    fn some_role(&mut self) -> &'static str {
        let names: Vec<&'static str> = self.roles.keys().copied().collect();
        names[self.random.below(names.len())]
    }

    /// Makes one change that is possible, here and there.
    fn change(&mut self, place: &Place) {
        match self.random.below(10) {
            0..=3 => self.add_target(place),
            4 => self.remove_target(place),
            5 => self.delegate(place),
            6 => self.undelegate(place),
            7 => self.add_key(place),
            8 => self.remove_key(place),
            _ => self.threshold(place),
        }
    }

    fn run(&mut self, place: &Place, words: &str) {
        place.ok(&format!("trust {words}"));
        self.done.push(words.to_owned());
    }

    fn add_target(&mut self, place: &Place) {
        let role = self.some_role();
        let path = format!("{}t{}", folder(role), self.random.below(4));
        self.contents += 1;
        let content = format!("content {} of {path}", self.contents);
        add(place, role, &path, &content);
        self.done.push(format!("target add {path}"));
        self.ever.insert(path.clone());
        self.roles.get_mut(role).unwrap().targets.insert(path, content);
    }

    fn remove_target(&mut self, place: &Place) {
        let role = self.some_role();
        let paths: Vec<String> = self.roles[role].targets.keys().cloned().collect();
        if paths.is_empty() {
            return;
        }
        let path = &paths[self.random.below(paths.len())];
        self.run(place, &format!("target remove {path} --role {role}"));
        self.roles.get_mut(role).unwrap().targets.remove(path);
    }

    fn delegate(&mut self, place: &Place) {
        let possible = ROLES.iter().filter(|(name, from)| !self.roles.contains_key(name) && self.roles.contains_key(from));
        let possible: Vec<_> = possible.copied().collect();
        if possible.is_empty() {
            return;
        }
        let (name, from) = possible[self.random.below(possible.len())];
        let by = self.signers();
        let given: String = by.keys.iter().map(|key| format!(" --key {key}.pub")).collect();
        let terminating = if self.random.below(2) == 0 { " --terminating" } else { "" };
        let path = folder(name);
        self.run(place, &format!("delegate {name}{given} --threshold {} --path {path}** --from {from}{terminating}", by.threshold));
        self.roles.insert(name, Role { by, from: Some(from), targets: BTreeMap::new() });
    }

    fn undelegate(&mut self, place: &Place) {
        // Not from the middle: what is below would hang in the air.
        let leaf = |name: &&&'static str| **name != "targets" && !self.roles.values().any(|role| role.from == Some(**name));
        let leaves: Vec<&'static str> = self.roles.keys().filter(leaf).copied().collect();
        if leaves.is_empty() || self.random.below(2) == 0 {
            return;
        }
        let name = leaves[self.random.below(leaves.len())];
        self.run(place, &format!("undelegate {name}"));
        self.roles.remove(name);
    }

    /// The root or any role that signs targets.
    fn some_signers(&mut self) -> (&'static str, Signers) {
        match self.random.below(3) {
            0 => ("root", self.root.clone()),
            _ => {
                let role = self.some_role();
                (role, self.roles[role].by.clone())
            }
        }
    }

    fn set(&mut self, role: &str, signers: Signers) {
        match self.roles.get_mut(role) {
            Some(role) => role.by = signers,
            None => self.root = signers,
        }
    }

    fn add_key(&mut self, place: &Place) {
        let (role, mut signers) = self.some_signers();
        let key = PEOPLE[self.random.below(PEOPLE.len())];
        if signers.keys.contains(&key) {
            return;
        }
        signers.keys.push(key);
        self.run(place, &format!("key add {role} {key}.pub"));
        self.set(role, signers);
    }

    fn remove_key(&mut self, place: &Place) {
        let (role, mut signers) = self.some_signers();
        if signers.keys.len() <= signers.threshold {
            return;
        }
        let key = signers.keys.remove(self.random.below(signers.keys.len()));
        self.run(place, &format!("key remove {role} {key}.pub"));
        self.set(role, signers);
    }

    fn threshold(&mut self, place: &Place) {
        let (role, mut signers) = self.some_signers();
        signers.threshold = 1 + self.random.below(signers.keys.len());
        self.run(place, &format!("key threshold {role} {}", signers.threshold));
        self.set(role, signers);
    }

    /// Everybody signs what is theirs, and it is published.
    fn publish(&mut self, place: &Place) {
        for person in PEOPLE {
            // Who has nothing to sign is told so.
            let _ = place.run(&format!("trust sign --key {person}"));
        }
        let published = place.run("trust publish --key snapshot --key timestamp");
        assert_eq!(published.code, 0, "{published:#?} after {:#?}", self.done);
    }

    /// The digest of what each path should lead to.
    fn expected(&self) -> BTreeMap<String, Option<String>> {
        let of = |path: &String| self.roles.values().find_map(|role| role.targets.get(path));
        let digest = |content: &String| sha256(content.as_bytes()).trim_start_matches("sha256:").to_owned();
        self.ever.iter().map(|path| (path.clone(), of(path).map(digest))).collect()
    }
}

#[test]
fn a_random_sequence_of_operations_is_accepted_after_every_publish() {
    let place = Place::new();
    let (Some(mut python), mut ours) = (Peer::python(&place), Ours::new(&place)) else { return };
    keys(&place, &PEOPLE);
    keys(&place, &["snapshot", "timestamp"]);
    place.ok("trust init --root-key a --targets-key ecdsa-b --snapshot-key snapshot --timestamp-key timestamp");
    let one = |key| Signers { keys: vec![key], threshold: 1 };
    let targets = Role { by: one("ecdsa-b"), from: None, targets: BTreeMap::new() };
    let mut model = Model {
        random: Random::seeded("operations"),
        root: one("a"),
        roles: BTreeMap::from([("targets", targets)]),
        ever: BTreeSet::new(),
        contents: 0,
        done: Vec::new(),
    };
    let site = Site::start(place.path("trust"));
    let root = place.path("trust/metadata/1.root.json");
    for number in 0..PUBLISHED {
        for _ in 0..2 + model.random.below(4) {
            model.change(&place);
        }
        model.publish(&place);
        let expected = model.expected();
        let names: Vec<&str> = expected.keys().map(String::as_str).collect();
        let theirs = python.see(&site, &root, &names);
        assert!(theirs.refused.is_none(), "publish {number}: {theirs:#?} after {:#?}", model.done);
        assert_eq!(theirs.found, expected, "publish {number}: {theirs:#?} after {:#?}", model.done);
        let by_us = ours.see(&site, &root, &names);
        assert_equal((python.name(), &theirs), (ours.name(), &by_us), &format!("publish {number} after {:#?}", model.done));
    }
    // Whoever comes now sees the same.
    let (late, expected) = (Ours::new(&Place::new()).see(&site, &root, &[]), model.expected());
    assert!(late.refused.is_none() && !expected.is_empty(), "{late:#?}");
    eprintln!("{} changes, {} names", model.done.len(), expected.len());
}
