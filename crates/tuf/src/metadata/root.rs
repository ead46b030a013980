//! root.json (TUF 1.0, 4.3).

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;

use touchmark_envelope::json::Value;
use touchmark_envelope::signed::Signed;

use super::header::{Header, member};
use super::role_keys::{RoleKeys, Signatories, TopLevel};
use crate::error::Shape;
use crate::key::Keys;

/// A root: the keys and thresholds of the top-level roles.
#[derive(Clone, Debug)]
pub struct Root {
    document: Signed,
    header: Header,
    consistent_snapshot: bool,
    keys: Keys,
    roles: BTreeMap<TopLevel, RoleKeys>,
}

impl Root {
    pub(crate) fn read(document: Signed) -> Result<Self, Shape> {
        let header = Header::read(&document, "root")?;
        let consistent_snapshot = match member(&document, "consistent_snapshot")? {
            None => false,
            Some(value) => value.as_bool().ok_or(Shape::Member("consistent_snapshot"))?,
        };
        let keys = member(&document, "keys")?;
        let keys = keys.as_ref().and_then(Value::as_object).and_then(Keys::read).ok_or(Shape::Member("keys"))?;
        let listed = member(&document, "roles")?;
        let mut roles = BTreeMap::new();
        for role in TopLevel::ALL {
            let value = listed.as_ref().and_then(|roles| roles.get(role.name())).ok_or(Shape::Member("roles"))?;
            let described = RoleKeys::read(value, role.name())?;
            let distinct = described.signatories(&keys).distinct();
            if u64::try_from(distinct).unwrap_or(u64::MAX) < described.threshold {
                let role = role.name().to_owned();
                return Err(Shape::ThresholdAboveKeys { role, needed: described.threshold, keys: distinct });
            }
            roles.insert(role, described);
        }
        drop(listed);
        Ok(Self { document, header, consistent_snapshot, keys, roles })
    }

    /// The document as it was received.
    pub fn document(&self) -> &Signed {
        &self.document
    }

    /// Version and expiry.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Whether files are asked for by version and digest (6.2).
    pub fn consistent_snapshot(&self) -> bool {
        self.consistent_snapshot
    }

    /// The keys that it lists.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The keyids and the threshold of a role.
    pub fn role(&self, role: TopLevel) -> Option<&RoleKeys> {
        self.roles.get(&role)
    }

    /// Who signs for a role. Every top-level role is in every root that was read.
    pub(crate) fn signatories(&self, role: TopLevel) -> Option<Signatories> {
        self.role(role).map(|role| role.signatories(&self.keys))
    }
}
