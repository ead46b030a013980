//! Several repositories that must agree on a target (TAP 4): the map file, and the search through it.
//!
//! A mapping says for which paths which repositories are asked, and how many must list the same length and digests. Where too few do, the
//! next mapping for the path counts, unless this one is terminating. A repository of which it could not be found out what it lists ends the
//! search, if the others do not suffice: whoever can keep a repository from answering must not choose the mapping that decides.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::json::{self, Value};
use touchmark_envelope::sorted;

use crate::metadata::Target;
use crate::path::TargetPath;
use crate::pattern;

/// At most so many bytes of a map file.
pub const MAX_BYTES: usize = 1 << 20;
/// At most so many JSON values in it.
const MAX_VALUES: usize = 100_000;
/// At most so many characters in the name of a repository.
const MAX_NAME: usize = 64;

/// A map file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// The URLs of each repository, by its name, which is also that of the folder that its store is.
    pub repositories: BTreeMap<String, Vec<String>>,
    /// The mappings, in their order.
    pub mappings: Vec<Mapping>,
}

/// One mapping of a map file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The patterns of the targets that it is for ([`pattern`]).
    pub paths: Vec<String>,
    /// The names of the repositories that are asked, in this order.
    pub repositories: Vec<String>,
    /// Whether no later mapping counts for its targets.
    pub terminating: bool,
    /// How many repositories must agree: at least 1.
    pub threshold: usize,
}

impl Map {
    /// Reads a map file.
    ///
    /// # Errors
    /// It is no JSON object of the form that TAP 4 has; a name that is no safe name of a folder, or that differs from another in case
    /// alone; a mapping that names a repository twice or one that is not there, or whose threshold no search could reach.
    pub fn parse(bytes: &[u8]) -> Result<Self, MapError> {
        let document = json::parse_bounded(bytes, MAX_BYTES, MAX_VALUES)?;
        let mut repositories = BTreeMap::new();
        let mut folders = BTreeSet::new();
        for (name, urls) in document.get("repositories").and_then(Value::as_object).ok_or(MapError::Member("repositories"))?.iter() {
            if !is_folder_name(name) || !folders.insert(name.to_ascii_lowercase()) {
                return Err(MapError::Name(name.chars().take(MAX_NAME).collect()));
            }
            repositories.insert(name.to_owned(), strings(urls).ok_or(MapError::Member("repositories"))?);
        }
        let mappings = document.get("mapping").and_then(Value::as_array).ok_or(MapError::Member("mapping"))?;
        let mappings =
            mappings.iter().enumerate().map(|(number, value)| Mapping::read(value, &repositories).ok_or(MapError::Mapping(number + 1)));
        Ok(Self { mappings: mappings.collect::<Result<_, _>>()?, repositories })
    }

    /// Begins to look for a target.
    pub fn search<'a>(&'a self, target: &'a TargetPath) -> Consensus<'a> {
        let mut consensus = Consensus { map: self, target, mapping: 0, asked: Vec::new(), outcome: None };
        consensus.settle();
        consensus
    }
}

impl Mapping {
    fn read(value: &Value<'_>, known: &BTreeMap<String, Vec<String>>) -> Option<Self> {
        let paths = strings(value.get("paths")?)?;
        let repositories = strings(value.get("repositories")?)?;
        let distinct = sorted::set(&repositories);
        let terminating = value.get("terminating").map_or(Some(false), Value::as_bool)?;
        let threshold = usize::try_from(value.get("threshold")?.as_u64()?).ok()?;
        let fits = distinct.len() == repositories.len() && (1..=distinct.len()).contains(&threshold);
        let fits = fits && repositories.iter().all(|name| known.contains_key(name));
        fits.then_some(Self { paths, repositories, terminating, threshold })
    }

    /// TAP 4: a `*` by itself is for every target, in folders too.
    fn is_for(&self, target: &TargetPath) -> bool {
        self.paths.iter().any(|path| path == "*" || pattern::matches(path, target.as_str()))
    }
}

fn strings(value: &Value<'_>) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|one| one.as_str().map(ToOwned::to_owned)).collect()
}

/// Whether a name can be that of a folder on every platform, below the one that it is made in: letters, digits, `-`, `_` and `.`, not at
/// its beginning or end, and no device of Windows.
pub fn is_folder_name(name: &str) -> bool {
    const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt")).is_some_and(|rest| rest.len() == 1);
    let device = DEVICES.contains(&stem.as_str()) || numbered;
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('.') && !name.ends_with('.') && !device
}

/// What one repository says of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It lists it.
    Lists(Target),
    /// It does not list it.
    Nothing,
    /// It could not be found out.
    Unknown,
}

/// What the repositories of a map say of a target together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Agreed {
    /// Enough of them list it so.
    On {
        /// Its length and digests; `custom` is what the first of them says, and not agreed on.
        target: Target,
        /// The repositories that agree, in the order in which they were asked.
        repositories: Vec<String>,
    },
    /// Too few of any mapping that counts agree.
    No,
    /// It depends on repositories that could not be asked.
    Unknown {
        /// These repositories.
        repositories: Vec<String>,
    },
}

/// A search through a map: it says which repository to look in next, and is told what that says.
#[derive(Clone, Debug)]
pub struct Consensus<'a> {
    map: &'a Map,
    target: &'a TargetPath,
    /// The mapping that counts.
    mapping: usize,
    /// What its first repositories said.
    asked: Vec<(&'a str, Said)>,
    outcome: Option<Agreed>,
}

impl<'a> Consensus<'a> {
    /// The repository to look in next; none once there is an outcome.
    pub fn next(&self) -> Option<&'a str> {
        if self.outcome.is_some() {
            return None;
        }
        self.map.mappings.get(self.mapping)?.repositories.get(self.asked.len()).map(String::as_str)
    }

    /// Takes what that repository says.
    pub fn say(&mut self, said: Said) {
        if let Some(name) = self.next() {
            self.asked.push((name, said));
            self.settle();
        }
    }

    /// The outcome, once no repository is to be asked any more.
    pub fn outcome(self) -> Option<Agreed> {
        self.outcome
    }

    /// Goes to the mapping that counts, and ends if it is decided.
    fn settle(&mut self) {
        while self.outcome.is_none() {
            let Some(mapping) = self.map.mappings.get(self.mapping) else {
                self.outcome = Some(Agreed::No);
                return;
            };
            if !mapping.is_for(self.target) {
                self.mapping += 1;
                continue;
            }
            self.outcome = self.agreed(mapping.threshold);
            if self.outcome.is_some() || self.asked.len() < mapping.repositories.len() {
                return;
            }
            let unknown = self.asked.iter().filter(|(_, said)| *said == Said::Unknown);
            let unknown: Vec<String> = unknown.map(|(name, _)| (*name).to_owned()).collect();
            if !unknown.is_empty() {
                self.outcome = Some(Agreed::Unknown { repositories: unknown });
            } else if mapping.terminating {
                self.outcome = Some(Agreed::No);
            }
            self.asked.clear();
            self.mapping += 1;
        }
    }

    /// What a threshold of those that were asked lists alike.
    fn agreed(&self, threshold: usize) -> Option<Agreed> {
        let lists = |said: &'_ (&'a str, Said)| match said {
            (name, Said::Lists(target)) => Some((*name, target.clone())),
            _ => None,
        };
        let listed: Vec<(&str, Target)> = self.asked.iter().filter_map(lists).collect();
        listed.iter().find_map(|(_, target)| {
            let alike = listed.iter().filter(|(_, other)| same(target, other));
            let repositories: Vec<String> = alike.map(|(name, _)| (*name).to_owned()).collect();
            (repositories.len() >= threshold).then(|| Agreed::On { target: target.clone(), repositories })
        })
    }
}

/// Whether two say the same: one length, and the same digests by the same algorithms. `custom` is exempt.
fn same(one: &Target, other: &Target) -> bool {
    let digests = |target: &Target| sorted::set(target.hashes.iter().copied());
    one.length == other.length && digests(one) == digests(other)
}

/// Why bytes are no map file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// Not JSON as this library reads it.
    #[error("the map is no JSON: {0}")]
    Json(#[from] json::Error),
    /// A member is missing or of another type.
    #[error("the map's `{0}` is missing or malformed")]
    Member(&'static str),
    /// A name that is no safe name of a folder, or that another one is but for its case.
    #[error("the map's repository {0:?} has a name that no folder of its own can have")]
    Name(String),
    /// A mapping.
    #[error("mapping {0} of the map is malformed, names a repository that is not there, or can never be satisfied")]
    Mapping(usize),
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec;
    use touchmark_envelope::digest::Algorithm;

    const MAP: &[u8] = br#"{
        "repositories": {"Django": ["https://a.example/"], "PyPI": ["https://b.example/"], "Other": []},
        "mapping": [
            {"paths": ["django/*"], "repositories": ["Django", "PyPI"], "threshold": 2, "terminating": false},
            {"paths": ["safe/*"], "repositories": ["Django", "PyPI", "Other"], "threshold": 2, "terminating": true},
            {"paths": ["*/*"], "repositories": ["Other"], "threshold": 1}
        ]
    }"#;

    fn target(content: &[u8]) -> Said {
        Said::Lists(Target { length: 1, hashes: vec![Algorithm::Sha256.digest(content)], custom: None })
    }

    /// What comes of it, and who was asked.
    fn ask(path: &str, says: impl Fn(&str) -> Said) -> (Agreed, Vec<String>) {
        let (map, path) = (Map::parse(MAP).unwrap(), TargetPath::new(path).unwrap());
        let (mut search, mut asked) = (map.search(&path), Vec::new());
        while let Some(name) = search.next() {
            asked.push(name.to_owned());
            search.say(says(name));
        }
        (search.outcome().unwrap(), asked)
    }

    #[test]
    fn a_threshold_of_repositories_must_list_the_same() {
        let (agreed, asked) = ask("safe/a", |_| target(b"x"));
        assert!(matches!(agreed, Agreed::On { repositories, .. } if repositories == ["Django", "PyPI"]));
        assert_eq!(asked, ["Django", "PyPI"]);
        let (agreed, asked) = ask("safe/a", |name| if name == "PyPI" { target(b"evil") } else { target(b"x") });
        assert!(matches!(agreed, Agreed::On { repositories, .. } if repositories == ["Django", "Other"]));
        assert_eq!(asked.len(), 3);
        assert_eq!(ask("safe/a", |name| target(name.as_bytes())).0, Agreed::No);
        assert_eq!(ask("safe/a", |name| if name == "PyPI" { target(b"x") } else { Said::Nothing }).0, Agreed::No);
        assert_eq!(ask("nowhere", |_| target(b"x")), (Agreed::No, vec![]));
    }

    #[test]
    fn a_star_alone_is_for_every_target_and_in_a_pattern_for_those_of_one_folder() {
        let map = |path: &str| {
            let mapping = format!(r#"[{{"paths":["{path}"],"repositories":["One"],"threshold":1}}]"#);
            Map::parse(format!(r#"{{"repositories":{{"One":[]}},"mapping":{mapping}}}"#).as_bytes()).unwrap()
        };
        for (pattern, path, is_for) in [
            ("*", "file", true),
            ("*", "folder/in/folder/file", true),
            ("s*", "safe", true),
            ("s*", "safe/file", false),
            ("safe/*", "safe/file", true),
            ("safe/*", "safe/in/file", false),
        ] {
            let (map, target) = (map(pattern), TargetPath::new(path).unwrap());
            assert_eq!(map.search(&target).next().is_some(), is_for, "{pattern} {path}");
        }
    }

    #[test]
    fn custom_is_not_agreed_on_and_lengths_are() {
        let with =
            |length, custom: &str| Said::Lists(Target { length, hashes: vec![Algorithm::Sha256.digest(b"")], custom: Some(custom.into()) });
        assert!(matches!(ask("safe/a", |name| with(1, name)).0, Agreed::On { target, .. } if target.custom.as_deref() == Some("Django")));
        let length = |name: &str| u64::try_from(name.len()).unwrap();
        assert_eq!(ask("django/a", |name| if name == "Other" { Said::Nothing } else { with(length(name), "") }).0, Agreed::No);
    }

    #[test]
    fn the_next_mapping_counts_unless_one_is_terminating_or_a_repository_is_silent() {
        let only_other = |name: &str| if name == "Other" { target(b"x") } else { Said::Nothing };
        assert!(matches!(ask("django/a", only_other).0, Agreed::On { repositories, .. } if repositories == ["Other"]));
        assert_eq!(ask("safe/a", only_other).0, Agreed::No);
        let silent = |name: &str| if name == "Other" { target(b"evil") } else { Said::Unknown };
        let unknown = |names: &[&str]| Agreed::Unknown { repositories: names.iter().map(|name| (*name).to_owned()).collect() };
        assert_eq!(ask("django/a", silent).0, unknown(&["Django", "PyPI"]));
        assert_eq!(ask("safe/a", |name| if name == "Django" { Said::Unknown } else { target(name.as_bytes()) }).0, unknown(&["Django"]));
    }

    #[test]
    fn names_that_are_no_folders_are_refused() {
        let map = |name: &str| Map::parse(format!(r#"{{"repositories":{{"{name}":[]}},"mapping":[]}}"#).as_bytes());
        for name in ["a", "A-b_c.d", "0", "console", "com10"] {
            assert!(map(name).is_ok(), "{name}");
        }
        for name in
            ["", ".", "..", "../x", "/abs", "a/b", r"a\\b", "C:", "a\\u0000", "con", "NUL.txt", "com1", "é", " a", "a.", &"x".repeat(65)]
        {
            assert!(matches!(map(name), Err(MapError::Name(_))), "{name}");
        }
        let alike = br#"{"repositories":{"a":[],"A":[]},"mapping":[]}"#;
        assert!(matches!(Map::parse(alike), Err(MapError::Name(_))));
    }

    #[test]
    fn mappings_that_cannot_be_satisfied_are_refused() {
        for bad in [
            r#"{"paths":[],"repositories":["a"],"threshold":0}"#,
            r#"{"paths":[],"repositories":["a"],"threshold":2}"#,
            r#"{"paths":[],"repositories":["a","a"],"threshold":1}"#,
            r#"{"paths":[],"repositories":["b"],"threshold":1}"#,
            r#"{"paths":[],"repositories":[],"threshold":1}"#,
            r#"{"paths":[1],"repositories":["a"],"threshold":1}"#,
            r#"{"paths":[],"repositories":["a"],"threshold":1,"terminating":"no"}"#,
            r#"{"repositories":["a"],"threshold":1}"#,
            "1",
        ] {
            let map = Map::parse(format!(r#"{{"repositories":{{"a":[]}},"mapping":[{bad}]}}"#).as_bytes());
            assert_eq!(map, Err(MapError::Mapping(1)), "{bad}");
        }
        assert!(matches!(Map::parse(br#"{"mapping":[],"mapping":[],"repositories":{}}"#), Err(MapError::Json(_))));
        assert_eq!(Map::parse(br#"{"repositories":{}}"#), Err(MapError::Member("mapping")));
    }
}
