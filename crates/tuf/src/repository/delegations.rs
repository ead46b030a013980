//! Delegations: which roles vouch for which targets, in which order, with whose keys (TUF 1.0, 4.5).

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::json::{Object, Value};

use super::keys::{self, Appointment, Change, Ring};
use super::{Document, EditError};
use crate::metadata::{Delegations, Paths, RoleKeys};
use crate::path::RoleName;

/// A delegation to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelegation {
    /// The role's name.
    pub name: String,
    /// Who signs for it.
    pub signers: Appointment,
    /// What it may vouch for.
    pub paths: Paths,
    /// Whether a search ends with it.
    pub terminating: bool,
}

/// Where among the delegations a new one comes: the search goes by their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// After all others.
    Last,
    /// Before all others.
    First,
    /// Before this role.
    Before(String),
}

/// Longer names of roles are not made: their files' names would not fit into file systems.
const MAX_NAME: usize = 128;

/// Asserts that a role may be given this name: characters that stand for themselves in URLs and in the names of files, and `+`, so that
/// every web server finds its file.
///
/// # Errors
/// [`EditError::RoleName`].
pub fn check_role_name(name: &str) -> Result<(), EditError> {
    let refused = |reason| Err(EditError::RoleName { role: name.to_owned(), reason });
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'~');
    if name.is_empty() || name.len() > MAX_NAME {
        return refused("it has 1 to 128 characters");
    }
    if !name.bytes().all(allowed) {
        return refused("it has other characters than letters, digits and -_.+~");
    }
    if name.starts_with('.') || name.ends_with('.') {
        return refused("it begins or ends with a dot");
    }
    if ["root", "timestamp", "snapshot", "targets"].iter().any(|top| top.eq_ignore_ascii_case(name)) {
        return refused("a top-level role has it");
    }
    Ok(())
}

/// Delegates to new roles, in their order. All of them are made, or none.
///
/// # Errors
/// A name that is taken or not allowed, a pattern that no client would match, keys that could never reach the threshold, or succinct bins,
/// beside which there are no other delegations.
pub fn delegate(document: &mut Document, new: &[NewDelegation], place: &Place) -> Result<(), EditError> {
    let mut edit = Edit::begin(document)?;
    if edit.succinct.is_some() {
        return Err(EditError::RoleExists { role: "of succinct bins".into() });
    }
    let first = match place {
        Place::Last => edit.roles.len(),
        Place::First => 0,
        Place::Before(name) => edit.position(name)?,
    };
    // In lower case, as their files' names are to some file systems.
    let mut taken: BTreeSet<String> = edit.roles.iter().filter_map(name_of).map(str::to_ascii_lowercase).collect();
    let mut made = Vec::with_capacity(new.len());
    for delegation in new {
        let name = delegation.name.as_str();
        check_role_name(name)?;
        if !taken.insert(name.to_ascii_lowercase()) {
            return Err(EditError::RoleExists { role: name.to_owned() });
        }
        let mut object = Object::new();
        object.insert("name", name.to_owned());
        keys::put(&keys::appoint(name, &delegation.signers, &mut edit.ring)?, &mut object);
        put_paths(&delegation.paths, &mut object)?;
        object.insert("terminating", delegation.terminating);
        made.push(object);
    }
    edit.roles.splice(first..first, made);
    edit.finish(document)
}

/// Delegates to 2^`bit_length` bins by one description (TAP 15), beside which there are no other delegations.
///
/// # Errors
/// There are delegations already; otherwise as for [`delegate`].
pub fn delegate_succinct(document: &mut Document, name_prefix: &str, bit_length: u32, signers: &Appointment) -> Result<(), EditError> {
    let mut edit = Edit::begin(document)?;
    if edit.succinct.is_some() || !edit.roles.is_empty() {
        return Err(EditError::RoleExists { role: "of other delegations".into() });
    }
    check_role_name(name_prefix)?;
    super::bins::check_bits(bit_length)?;
    let mut object = Object::new();
    object.insert("name_prefix", name_prefix.to_owned());
    object.insert("bit_length", u64::from(bit_length));
    keys::put(&keys::appoint(name_prefix, signers, &mut edit.ring)?, &mut object);
    edit.succinct = Some(object);
    edit.finish(document)
}

/// Takes the delegation to a role away, or that to succinct bins, by their prefix.
///
/// # Errors
/// There is none.
pub fn undelegate(document: &mut Document, name: &str) -> Result<(), EditError> {
    let mut edit = Edit::begin(document)?;
    if edit.succinct.as_ref().and_then(name_of) == Some(name) {
        edit.succinct = None;
    } else {
        let at = edit.position(name)?;
        edit.roles.remove(at);
    }
    edit.finish(document)
}

/// Changes who signs for a delegated role, or for succinct bins, by their prefix. All of `changes` are made, or none.
///
/// # Errors
/// No such role or key, or an outcome that could never verify.
pub fn change_delegated(document: &mut Document, name: &str, changes: &[Change]) -> Result<(), EditError> {
    let mut edit = Edit::begin(document)?;
    edit.describe(name, |object, ring| {
        let before = RoleKeys::read(&Value::Object(object.clone()), name).map_err(|_| EditError::malformed("`delegations`"))?;
        keys::put(&keys::change(name, &before, ring, changes)?, object);
        Ok(())
    })?;
    edit.finish(document)
}

/// Changes what a delegated role may vouch for, and whether a search ends with it.
///
/// # Errors
/// No such role, or a pattern that no client would match.
pub fn change_paths(document: &mut Document, name: &str, paths: &Paths, terminating: bool) -> Result<(), EditError> {
    let mut edit = Edit::begin(document)?;
    let at = edit.position(name)?;
    let object = edit.roles.get_mut(at).ok_or_else(|| EditError::NoSuchRole { role: name.to_owned() })?;
    object.remove("paths");
    object.remove("path_hash_prefixes");
    put_paths(paths, object)?;
    object.insert("terminating", terminating);
    edit.finish(document)
}

/// The delegations of a targets role, as a client reads them.
///
/// # Errors
/// They are malformed.
pub fn delegations(document: &Document) -> Result<Option<Delegations>, EditError> {
    document.expect("targets")?;
    let value = document.value("delegations")?;
    value
        .as_ref()
        .map(|value| Delegations::read(value).map_err(|shape| EditError::malformed(alloc::format!("`delegations` ({shape})"))))
        .transpose()
}

/// The member `delegations`, taken apart.
struct Edit {
    ring: Ring,
    roles: Vec<Object<'static>>,
    succinct: Option<Object<'static>>,
    /// Members that are not known here.
    others: Object<'static>,
}

impl Edit {
    fn begin(document: &Document) -> Result<Self, EditError> {
        // So that nothing is edited that no client reads.
        delegations(document)?;
        let malformed = || EditError::malformed("`delegations`");
        let mut others = match document.value("delegations")?.map(Value::into_owned) {
            None => Object::new(),
            Some(Value::Object(object)) => object,
            Some(_) => return Err(malformed()),
        };
        let ring = Ring::read(others.remove("keys").as_ref())?;
        let succinct = match others.remove("succinct_roles") {
            None => None,
            Some(Value::Object(object)) => Some(object),
            Some(_) => return Err(malformed()),
        };
        let mut roles = Vec::new();
        if let Some(Value::Array(listed)) = others.remove("roles") {
            for role in listed {
                let Value::Object(object) = role else { return Err(malformed()) };
                roles.push(object);
            }
        }
        Ok(Self { ring, roles, succinct, others })
    }

    fn position(&self, name: &str) -> Result<usize, EditError> {
        let found = self.roles.iter().position(|role| name_of(role) == Some(name));
        found.ok_or_else(|| EditError::NoSuchRole { role: name.to_owned() })
    }

    /// Changes the object that describes a role or the succinct bins.
    fn describe(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut Object<'static>, &mut Ring) -> Result<(), EditError>,
    ) -> Result<(), EditError> {
        if let Some(object) = self.succinct.as_mut().filter(|object| name_of(object) == Some(name)) {
            return change(object, &mut self.ring);
        }
        let at = self.position(name)?;
        match self.roles.get_mut(at) {
            Some(object) => change(object, &mut self.ring),
            None => Err(EditError::NoSuchRole { role: name.to_owned() }),
        }
    }

    fn finish(mut self, document: &mut Document) -> Result<(), EditError> {
        let described = self.roles.iter().chain(&self.succinct).cloned();
        let used: Vec<RoleKeys> = described.filter_map(|object| RoleKeys::read(&Value::Object(object), "").ok()).collect();
        self.ring.prune(&used);
        if used.is_empty() && self.others.is_empty() {
            document.remove("delegations");
            return Ok(());
        }
        let mut object = self.others;
        object.insert("keys", self.ring.to_value());
        match self.succinct {
            Some(succinct) => object.insert("succinct_roles", succinct),
            None => object.insert("roles", Value::Array(self.roles.into_iter().map(Value::Object).collect())),
        }
        document.set("delegations", &Value::Object(object))
    }
}

/// The name of a role, or what the names of succinct bins begin with.
fn name_of<'a>(object: &'a Object<'_>) -> Option<&'a str> {
    object.get("name").or_else(|| object.get("name_prefix")).and_then(Value::as_str)
}

fn put_paths(paths: &Paths, object: &mut Object<'static>) -> Result<(), EditError> {
    let refused = |pattern: &String, reason| Err(EditError::Pattern { pattern: pattern.clone(), reason });
    let (name, strings) = match paths {
        Paths::Patterns(patterns) => ("paths", patterns),
        Paths::HashPrefixes(prefixes) => ("path_hash_prefixes", prefixes),
    };
    for one in strings {
        match paths {
            _ if strings.iter().filter(|other| *other == one).count() > 1 => return refused(one, "it is there twice"),
            Paths::Patterns(_) if one.split('/').any(|segment| matches!(segment, "" | "." | "..")) => {
                return refused(one, "paths of targets are relative, and their segments are not empty, `.` or `..`");
            }
            Paths::Patterns(_) if one.contains("**") => return refused(one, "a `*` never crosses a `/`; write one pattern for each depth"),
            // python-tuf and go-tuf take brackets and backslashes for pattern syntax, which the specification does not have.
            Paths::Patterns(_) if one.contains(['[', ']', '\\']) => {
                return refused(one, "clients disagree about brackets and backslashes in patterns");
            }
            Paths::HashPrefixes(_) if one.is_empty() || one.len() > 64 => return refused(one, "a hash prefix has 1 to 64 digits"),
            Paths::HashPrefixes(_) if !one.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) => {
                return refused(one, "a hash prefix has lower-case hexadecimal digits only");
            }
            _ => {}
        }
    }
    if strings.is_empty() {
        return refused(&String::new(), "nothing is delegated");
    }
    object.insert(name, Value::Array(strings.iter().map(|one| Value::from(one.clone())).collect()));
    Ok(())
}

/// The targets role of a name: `targets` itself, or a delegated one.
///
/// # Errors
/// No targets role can have the name.
pub fn role_name(name: &str) -> Result<RoleName, EditError> {
    if name == "targets" {
        return Ok(RoleName::targets());
    }
    RoleName::delegated(name).ok_or_else(|| EditError::NoSuchRole { role: name.to_owned() })
}
