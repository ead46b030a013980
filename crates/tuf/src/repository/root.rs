//! Roots: who signs for the four top-level roles.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use touchmark_envelope::UnixTime;
use touchmark_envelope::json::{Object, Value};

use super::keys::{self, Appointment, Change, Ring};
use super::{Document, EditError};
use crate::metadata::{RoleKeys, TopLevel};

/// The first root of a repository, with consistent snapshots (TUF 1.0, 4.3 and 6.2).
///
/// # Errors
/// A role is missing, or its keys could never reach its threshold.
pub fn new_root(roles: &BTreeMap<TopLevel, Appointment>, expires: UnixTime) -> Result<Document, EditError> {
    let mut ring = Ring::default();
    let mut described = Object::new();
    for role in TopLevel::ALL {
        let appointment = roles.get(&role).ok_or_else(|| EditError::NoSuchRole { role: role.name().to_owned() })?;
        let mut object = Object::new();
        keys::put(&keys::appoint(role.name(), appointment, &mut ring)?, &mut object);
        described.insert(role.name(), object);
    }
    let members = [("consistent_snapshot", Value::from(true)), ("keys", ring.to_value()), ("roles", Value::from(described))];
    Document::new("root", expires, &members)
}

/// Changes who signs for a top-level role. All of `changes` are made, or none. Keys that no role lists any more go.
///
/// # Errors
/// A key that is not there, or an outcome that could never verify.
pub fn change_top_level(root: &mut Document, role: TopLevel, changes: &[Change]) -> Result<(), EditError> {
    root.expect("root")?;
    let (keys, roles) = (root.value("keys")?, root.value("roles")?);
    let mut ring = Ring::read(keys.as_ref())?;
    let malformed = || EditError::malformed("`roles`");
    let Some(Value::Object(mut roles)) = roles.map(Value::into_owned) else { return Err(malformed()) };
    let Some(Value::Object(described)) = roles.get_mut(role.name()) else { return Err(malformed()) };
    let before = RoleKeys::read(&Value::Object(described.clone()), role.name()).map_err(|_| malformed())?;
    keys::put(&keys::change(role.name(), &before, &mut ring, changes)?, described);
    let all: Vec<RoleKeys> = roles.iter().filter_map(|(name, value)| RoleKeys::read(value, name).ok()).collect();
    ring.prune(&all);
    root.set("keys", &ring.to_value())?;
    root.set("roles", &Value::Object(roles))
}
