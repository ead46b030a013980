//! Whom a role delegates to (TUF 1.0, 4.5, DELEGATIONS; TAP 15).

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::json::Value;
use touchmark_envelope::threshold::KeySet;

use super::role_keys::RoleKeys;
use crate::error::Shape;
use crate::key::Keys;
use crate::path::{RoleName, TargetPath};
use crate::pattern;

/// What a role delegates, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegations {
    /// The keys of the delegated roles.
    pub keys: Keys,
    /// The delegations in their order, which is that of the search. None if `succinct` is there.
    pub roles: Vec<Delegation>,
    /// Hash bins of one description (TAP 15).
    pub succinct: Option<SuccinctRoles>,
}

/// One delegation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// The delegated role.
    pub name: RoleName,
    /// Its keys and threshold.
    pub keys: RoleKeys,
    /// What it may vouch for.
    pub paths: Paths,
    /// Whether the search ends with it and what it delegates.
    pub terminating: bool,
}

/// What a delegation is for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Paths {
    /// Targets whose path one of these patterns matches.
    Patterns(Vec<String>),
    /// Targets the SHA-256 of whose path begins with one of these hexadecimal digits.
    HashPrefixes(Vec<String>),
}

/// 2^`bit_length` bins that one key set signs (TAP 15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuccinctRoles {
    /// Keys and threshold of every bin.
    pub keys: RoleKeys,
    /// How many bits of the hash of a path number its bin: 1 to 32.
    pub bit_length: u32,
    /// What the names of the bins begin with.
    pub name_prefix: String,
}

impl Delegations {
    pub(crate) fn read(value: &Value<'_>) -> Result<Self, Shape> {
        let keys = value.get("keys").and_then(Value::as_object).and_then(Keys::read).ok_or(Shape::Member("delegations.keys"))?;
        let mut delegations = Self { keys, roles: Vec::new(), succinct: None };
        match (value.get("roles"), value.get("succinct_roles")) {
            (Some(Value::Array(roles)), None) => {
                let mut names = BTreeSet::new();
                for role in roles {
                    let delegation = Delegation::read(role)?;
                    if !names.insert(delegation.name.clone()) {
                        return Err(Shape::DelegatedTwice(delegation.name.as_str().to_owned()));
                    }
                    delegations.roles.push(delegation);
                }
            }
            (None, Some(succinct)) => delegations.succinct = Some(SuccinctRoles::read(succinct)?),
            _ => return Err(Shape::Member("delegations.roles")),
        }
        Ok(delegations)
    }

    /// The distinct keys that may sign for a role of these delegations: those that are listed and decode. Fewer than its threshold can never
    /// be enough.
    pub fn keys_of(&self, role: &RoleKeys) -> KeySet {
        role.signatories(&self.keys).keys
    }
}

impl Delegation {
    fn read(value: &Value<'_>) -> Result<Self, Shape> {
        let name = value.get("name").and_then(Value::as_str).ok_or(Shape::Member("delegations.roles.name"))?;
        let malformed = || Shape::Delegation(name.to_owned());
        let keys = RoleKeys::read(value, name)?;
        let strings = |value: &Value<'_>| -> Result<Vec<String>, Shape> {
            let strings = value.as_array().ok_or_else(malformed)?.iter().map(|one| one.as_str().map(ToOwned::to_owned));
            strings.collect::<Option<_>>().ok_or_else(malformed)
        };
        let paths = match (value.get("paths"), value.get("path_hash_prefixes")) {
            (Some(patterns), None) => Paths::Patterns(strings(patterns)?),
            (None, Some(prefixes)) => {
                let prefixes = strings(prefixes)?;
                let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                if !prefixes.iter().all(|prefix| prefix.len() <= 64 && prefix.bytes().all(hexadecimal)) {
                    return Err(malformed());
                }
                Paths::HashPrefixes(prefixes)
            }
            // Neither says for what, both say two things.
            _ => return Err(malformed()),
        };
        let terminating = match value.get("terminating") {
            None => false,
            Some(value) => value.as_bool().ok_or_else(malformed)?,
        };
        Ok(Self { name: RoleName::delegated(name).ok_or_else(malformed)?, keys, paths, terminating })
    }

    /// Whether it is for this target.
    pub fn covers(&self, target: &TargetPath) -> bool {
        self.covers_hash(target, &target.hash().hex())
    }

    /// As [`covers`](Self::covers), with the hash of the target's path, for whoever asks many.
    pub(crate) fn covers_hash(&self, target: &TargetPath, hash: &str) -> bool {
        match &self.paths {
            Paths::Patterns(patterns) => patterns.iter().any(|pattern| pattern::matches(pattern, target.as_str())),
            Paths::HashPrefixes(prefixes) => prefixes.iter().any(|prefix| hash.starts_with(prefix.as_str())),
        }
    }
}

impl SuccinctRoles {
    fn read(value: &Value<'_>) -> Result<Self, Shape> {
        let malformed = || Shape::Member("delegations.succinct_roles");
        let name_prefix = value.get("name_prefix").and_then(Value::as_str).ok_or_else(malformed)?;
        let bits = value.get("bit_length").and_then(Value::as_u64).filter(|bits| (1..=32).contains(bits));
        let bit_length = bits.and_then(|bits| u32::try_from(bits).ok()).ok_or_else(malformed)?;
        Ok(Self { keys: RoleKeys::read(value, name_prefix)?, bit_length, name_prefix: name_prefix.to_owned() })
    }

    /// The bin for a target: the first bits of the hash of its path are the bin's number.
    pub fn bin(&self, target: &TargetPath) -> RoleName {
        let first = target.hash().as_bytes().first_chunk().copied().unwrap_or_default();
        self.name(u32::from_be_bytes(first) >> (32_u32.saturating_sub(self.bit_length)))
    }

    /// The name of the bin with this number: as many hexadecimal digits as the last one has.
    pub fn name(&self, bin: u32) -> RoleName {
        let digits = usize::try_from(self.bit_length.div_ceil(4)).unwrap_or(8);
        // With a hyphen in it, it is no top-level role's.
        RoleName::bin(format!("{}-{bin:0digits$x}", self.name_prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_envelope::json::parse;

    fn read(text: &str) -> Result<Delegations, Shape> {
        Delegations::read(&parse(text.as_bytes(), 10_000).unwrap())
    }

    fn role(members: &str) -> String {
        format!(r#"{{"keys":{{}},"roles":[{{"name":"a","keyids":["k"],"threshold":1,{members}}}]}}"#)
    }

    #[test]
    fn a_delegation_says_for_what_in_one_way() {
        assert!(!read(&role(r#""paths":["x/*"]"#)).unwrap().roles[0].terminating);
        assert!(read(&role(r#""path_hash_prefixes":["00","ff"],"terminating":true"#)).unwrap().roles[0].terminating);
        for bad in [
            r#""terminating":false"#,
            r#""paths":[],"path_hash_prefixes":[]"#,
            r#""paths":"x""#,
            r#""paths":[1]"#,
            r#""path_hash_prefixes":["0G"]"#,
            r#""path_hash_prefixes":["AB"]"#,
            r#""paths":[],"terminating":1"#,
        ] {
            assert_eq!(read(&role(bad)), Err(Shape::Delegation("a".into())), "{bad}");
        }
    }

    #[test]
    fn names_are_distinct_and_no_top_level_role_s() {
        let twice =
            r#"{"keys":{},"roles":[{"name":"a","keyids":[],"threshold":1,"paths":[]},{"name":"a","keyids":[],"threshold":1,"paths":[]}]}"#;
        assert_eq!(read(twice), Err(Shape::DelegatedTwice("a".into())));
        for name in ["", "root", "timestamp", "snapshot", "targets"] {
            let text = role(r#""paths":[]"#).replace(r#""name":"a""#, &format!(r#""name":"{name}""#));
            assert_eq!(read(&text), Err(Shape::Delegation(name.into())));
        }
    }

    #[test]
    fn thresholds_are_at_least_one() {
        for threshold in ["0", "-1", "1.0", "\"1\"", "9223372036854775808", "null"] {
            let text = role(r#""paths":[]"#).replace(r#""threshold":1"#, &format!(r#""threshold":{threshold}"#));
            assert_eq!(read(&text), Err(Shape::ZeroThreshold { role: "a".into() }), "{threshold}");
        }
    }

    #[test]
    fn hash_prefixes_are_of_the_hexadecimal_sha256_of_the_path() {
        // sha256("file1.txt") begins with 55ae75d9.
        let target = TargetPath::new("file1.txt").unwrap();
        assert!(target.hash().hex().starts_with("55ae75d991c7"));
        for (prefix, covers) in [("5", true), ("55ae", true), ("", true), ("55af", false), ("a", false)] {
            let delegations = read(&role(&format!(r#""path_hash_prefixes":["{prefix}"]"#))).unwrap();
            assert_eq!(delegations.roles[0].covers(&target), covers, "{prefix}");
        }
    }

    #[test]
    fn bins_are_named_by_the_first_bits_of_the_hash() {
        let succinct = |bits: u32| {
            let text = format!(
                r#"{{"keys":{{}},"succinct_roles":{{"keyids":["k"],"threshold":1,"bit_length":{bits},"name_prefix":"alice.hbd"}}}}"#
            );
            read(&text).map(|delegations| delegations.succinct.unwrap())
        };
        let target = TargetPath::new("file1.txt").unwrap();
        for (bits, name) in [
            (1, "alice.hbd-0"),
            (3, "alice.hbd-2"),
            (4, "alice.hbd-5"),
            (5, "alice.hbd-0a"),
            (11, "alice.hbd-2ad"),
            (32, "alice.hbd-55ae75d9"),
        ] {
            assert_eq!(succinct(bits).unwrap().bin(&target).as_str(), name, "{bits}");
        }
        assert_eq!(succinct(11).unwrap().name(2047).as_str(), "alice.hbd-7ff");
        for bits in [0, 33, 100] {
            assert!(succinct(bits).is_err(), "{bits}");
        }
        let both = r#"{"keys":{},"roles":[],"succinct_roles":{"keyids":[],"threshold":1,"bit_length":1,"name_prefix":"a"}}"#;
        assert!(read(both).is_err() && read(r#"{"keys":{}}"#).is_err());
    }
}
