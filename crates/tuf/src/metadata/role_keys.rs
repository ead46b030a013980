//! Which keys sign for a role, and how many of them must (TUF 1.0, 4.3 and 4.5).

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::json::Value;
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::sorted;
use touchmark_envelope::threshold::KeySet;

use super::header::version;
use crate::error::Shape;
use crate::key::{Key, Keys};

/// At most so many keyids of one role: distinct keys are found in time with the square of their number.
pub const MAX_KEYIDS: usize = 1024;

/// The roles that a root names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TopLevel {
    /// Who may sign the next root, and this one.
    Root,
    /// Who vouches for what is newest.
    Timestamp,
    /// Who vouches for versions that belong together.
    Snapshot,
    /// Who vouches for targets, and delegates.
    Targets,
}

impl TopLevel {
    /// All of them.
    pub const ALL: [TopLevel; 4] = [TopLevel::Root, TopLevel::Timestamp, TopLevel::Snapshot, TopLevel::Targets];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            TopLevel::Root => "root",
            TopLevel::Timestamp => "timestamp",
            TopLevel::Snapshot => "snapshot",
            TopLevel::Targets => "targets",
        }
    }

    /// The file that it is kept as, and that is asked for without a version.
    pub const fn file(self) -> &'static str {
        match self {
            TopLevel::Root => "root.json",
            TopLevel::Timestamp => "timestamp.json",
            TopLevel::Snapshot => "snapshot.json",
            TopLevel::Targets => "targets.json",
        }
    }
}

/// The keyids and the threshold of one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleKeys {
    /// The keyids, in their order.
    pub keyids: Vec<String>,
    /// How many distinct keys must sign: at least 1.
    pub threshold: u64,
}

impl RoleKeys {
    /// Reads `keyids` and `threshold` of the object that describes `role`.
    pub(crate) fn read(value: &Value<'_>, role: &str) -> Result<Self, Shape> {
        let keyids = value.get("keyids").and_then(Value::as_array).ok_or(Shape::Member("keyids"))?;
        if keyids.len() > MAX_KEYIDS {
            return Err(Shape::TooManyKeys { role: role.to_owned(), limit: MAX_KEYIDS });
        }
        let keyids: Option<Vec<String>> = keyids.iter().map(|keyid| keyid.as_str().map(ToOwned::to_owned)).collect();
        let threshold = value.get("threshold").and_then(version).ok_or_else(|| Shape::ZeroThreshold { role: role.to_owned() })?;
        Ok(Self { keyids: keyids.ok_or(Shape::Member("keyids"))?, threshold })
    }

    /// Who may sign, of the keys that the same document lists.
    pub(crate) fn signatories(&self, keys: &Keys) -> Signatories {
        let (mut usable, mut unusable) = (Vec::new(), BTreeSet::new());
        for keyid in sorted::set(&self.keyids) {
            match keys.get(keyid) {
                Some(Key { public: Some(key), .. }) => usable.push((keyid, key)),
                Some(_) => {
                    unusable.insert(keyid.clone());
                }
                // Nobody has it.
                None => {}
            }
        }
        let mut set = KeySet::new(usable.iter().map(|(_, key)| key.clone()));
        for (keyid, key) in usable {
            set.add_hint(&key, keyid);
        }
        Signatories { keys: set, threshold: self.threshold, unusable }
    }
}

/// Who may sign for a role: decoded keys, each once under however many keyids, in the order of these, and the
/// keyids of keys that could not be decoded.
#[derive(Clone, Debug)]
pub(crate) struct Signatories {
    pub(crate) keys: KeySet,
    pub(crate) threshold: u64,
    unusable: BTreeSet<String>,
}

impl Signatories {
    /// How many distinct keys there are, as far as can be told: those that decode, and a keyid of any other.
    pub(crate) fn distinct(&self) -> usize {
        self.keys.len() + self.unusable.len()
    }

    /// Whether some key of these is none of `later`: the role's keys were rotated, and not only added to.
    pub(crate) fn lost_one_in(&self, later: &Signatories) -> bool {
        let kept = |key: &PublicKey| later.keys.keys().contains(key);
        !self.keys.keys().iter().all(kept) || !self.unusable.is_subset(&later.unusable)
    }

    /// Whether what these vouched for needs no second look by `other`: the same keys and the same threshold.
    pub(crate) fn are(&self, other: &Signatories) -> bool {
        self.threshold == other.threshold && self.keys.keys() == other.keys.keys()
    }
}
