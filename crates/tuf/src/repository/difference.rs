//! What a staged document changes: whoever signs it wants to know.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

use super::large::Large;
use super::{Document, EditError, delegations};
use crate::metadata::{Delegation, Delegations, Paths, RoleKeys, TopLevel};

/// One thing that differs between two documents of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// A key may sign for a role.
    KeyAdded {
        /// The role.
        role: String,
        /// The key's keyid.
        keyid: String,
    },
    /// A key may not sign for a role any more.
    KeyRemoved {
        /// The role.
        role: String,
        /// The key's keyid.
        keyid: String,
    },
    /// So many must sign for a role.
    Threshold {
        /// The role.
        role: String,
        /// How many had to; `None` of a new role.
        before: Option<u64>,
        /// How many must.
        after: u64,
    },
    /// A role is delegated, or for something else.
    Delegated {
        /// The role.
        role: String,
        /// For what, and whether a search ends with it.
        paths: String,
    },
    /// A role is not delegated any more.
    Undelegated {
        /// The role.
        role: String,
    },
    /// The delegations come in another order.
    Reordered,
    /// A target is listed.
    TargetAdded {
        /// Its path.
        path: String,
    },
    /// Something else is said of a target.
    TargetChanged {
        /// Its path.
        path: String,
    },
    /// A target is not listed any more.
    TargetRemoved {
        /// Its path.
        path: String,
    },
    /// Another member is set, changed or gone.
    Member {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::KeyAdded { role, keyid } => write!(f, "{role}: key {keyid} may sign"),
            Difference::KeyRemoved { role, keyid } => write!(f, "{role}: key {keyid} may not sign any more"),
            Difference::Threshold { role, before: None, after } => write!(f, "{role}: {after} must sign"),
            Difference::Threshold { role, before: Some(before), after } => write!(f, "{role}: {after} must sign, not {before}"),
            Difference::Delegated { role, paths } => write!(f, "{role}: is delegated {paths}"),
            Difference::Undelegated { role } => write!(f, "{role}: is not delegated any more"),
            Difference::Reordered => f.write_str("the delegations come in another order"),
            Difference::TargetAdded { path } => write!(f, "target added: {path}"),
            Difference::TargetChanged { path } => write!(f, "target changed: {path}"),
            Difference::TargetRemoved { path } => write!(f, "target removed: {path}"),
            Difference::Member { name } => write!(f, "`{name}` changed"),
        }
    }
}

/// What differs between two documents of a role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// What differs, but for what every document changes: version and expiry.
    pub listed: Vec<Difference>,
    /// How many targets differ besides, where there are more than were asked for.
    pub more: usize,
}

/// What `after` changes of `before`, which is published, or of nothing. At most `targets` targets are named.
///
/// # Errors
/// A document is malformed.
pub fn differences(before: Option<&Document>, after: &Document, targets: usize) -> Result<Differences, EditError> {
    let mut found = Differences::default();
    let kind = after.kind()?;
    match kind {
        "root" => {
            let keys = |document: &Document| {
                let roles = document.value("roles")?;
                let read =
                    |role: TopLevel| Some((role.name().to_owned(), RoleKeys::read(roles.as_ref()?.get(role.name())?, role.name()).ok()?));
                Ok::<_, EditError>(TopLevel::ALL.into_iter().filter_map(read).collect::<BTreeMap<_, _>>())
            };
            differing_keys(&before.map(keys).transpose()?.unwrap_or_default(), &keys(after)?, &mut found.listed);
        }
        "targets" => {
            let before_delegations = before.map(delegations).transpose()?.flatten();
            differing_delegations(before_delegations.as_ref(), delegations(after)?.as_ref(), &mut found.listed);
            differing_targets(before, after, targets, &mut found)?;
        }
        _ => {}
    }
    let known = ["_type", "delegations", "expires", "keys", "roles", "targets", "version"];
    let names: BTreeSet<&str> = after.member_names().chain(before.iter().flat_map(|before| before.member_names())).collect();
    for name in names.into_iter().filter(|name| !known.contains(name)) {
        // What every first document has is no news.
        let news = before.is_some() || name.starts_with("x-");
        if news && before.and_then(|before| before.member(name)) != after.member(name) {
            found.listed.push(Difference::Member { name: name.to_owned() });
        }
    }
    Ok(found)
}

fn differing_keys(before: &BTreeMap<String, RoleKeys>, after: &BTreeMap<String, RoleKeys>, found: &mut Vec<Difference>) {
    for (role, now) in after {
        let had = before.get(role);
        let old = had.map(|had| had.keyids.as_slice()).unwrap_or_default();
        let added = now.keyids.iter().filter(|keyid| !old.contains(keyid));
        found.extend(added.map(|keyid| Difference::KeyAdded { role: role.clone(), keyid: keyid.clone() }));
        let removed = old.iter().filter(|keyid| !now.keyids.contains(keyid));
        found.extend(removed.map(|keyid| Difference::KeyRemoved { role: role.clone(), keyid: keyid.clone() }));
        if had.is_none_or(|had| had.threshold != now.threshold) {
            found.push(Difference::Threshold { role: role.clone(), before: had.map(|had| had.threshold), after: now.threshold });
        }
    }
}

fn differing_delegations(before: Option<&Delegations>, after: Option<&Delegations>, found: &mut Vec<Difference>) {
    let describe = |delegations: Option<&Delegations>| {
        let mut roles: BTreeMap<String, String> = BTreeMap::new();
        let mut keys: BTreeMap<String, RoleKeys> = BTreeMap::new();
        if let Some(delegations) = delegations {
            for role in &delegations.roles {
                roles.insert(role.name.as_str().to_owned(), paths(role));
                keys.insert(role.name.as_str().to_owned(), role.keys.clone());
            }
            if let Some(bins) = &delegations.succinct {
                roles.insert(bins.name_prefix.clone(), format!("all paths, in 2^{} hash bins", bins.bit_length));
                keys.insert(bins.name_prefix.clone(), bins.keys.clone());
            }
        }
        (roles, keys)
    };
    let ((old, old_keys), (new, new_keys)) = (describe(before), describe(after));
    for (role, paths) in &new {
        if old.get(role) != Some(paths) {
            found.push(Difference::Delegated { role: role.clone(), paths: paths.clone() });
        }
    }
    found.extend(old.keys().filter(|role| !new.contains_key(*role)).map(|role| Difference::Undelegated { role: role.clone() }));
    differing_keys(&old_keys, &new_keys, found);
    let order = |delegations: Option<&Delegations>, others: &BTreeMap<String, String>| {
        let names = delegations.into_iter().flat_map(|delegations| &delegations.roles).map(|role| role.name.as_str().to_owned());
        names.filter(|name| others.contains_key(name)).collect::<Vec<_>>()
    };
    if order(before, &new) != order(after, &old) {
        found.push(Difference::Reordered);
    }
}

fn paths(role: &Delegation) -> String {
    let all = match &role.paths {
        Paths::Patterns(patterns) => patterns.join(" "),
        Paths::HashPrefixes(prefixes) => format!("paths whose hash begins with {}", prefixes.join(" ")),
    };
    if role.terminating { format!("{all}, terminating") } else { all }
}

/// Both documents list their targets in one order. What stands in both alike is passed over as it stands.
fn differing_targets(before: Option<&Document>, after: &Document, most: usize, found: &mut Differences) -> Result<(), EditError> {
    let new = after.large("targets")?;
    let old = before.map(|before| before.large("targets")).transpose()?;
    let length = old.map_or(0, Large::len);
    let (mut i, mut j, mut named) = (0, 0, 0);
    while i < length || j < new.len() {
        let member = old.and_then(|old| old.member(i));
        if member.is_some() && member == new.member(j) {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let old_name = old.filter(|_| i < length).map(|old| old.name(i)).transpose()?;
        let new_name = if j < new.len() { Some(new.name(j)?) } else { None };
        let order = match (&old_name, &new_name) {
            (Some(old), Some(new)) => old.cmp(new),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        let path = if order == Ordering::Less { old_name } else { new_name }.unwrap_or_default();
        let difference = match order {
            Ordering::Less => Difference::TargetRemoved { path },
            Ordering::Equal => Difference::TargetChanged { path },
            Ordering::Greater => Difference::TargetAdded { path },
        };
        i += usize::from(order != Ordering::Greater);
        j += usize::from(order != Ordering::Less);
        if named < most {
            found.listed.push(difference);
            named += 1;
        } else {
            found.more += 1;
        }
    }
    Ok(())
}
