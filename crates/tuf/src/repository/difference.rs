//! What a staged document changes: whoever signs it wants to know.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

use touchmark_envelope::json::Value;

use super::large::Large;
use super::listed_key::{Appointed, ListedKey, differing_keys, quoted};
use super::{Document, EditError, delegations};
use crate::metadata::{Delegation, Paths, RoleKeys, TopLevel};

/// So many roles are named of those that come in another order.
const NAMED_ROLES: usize = 20;

/// One thing that differs between two documents of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// A key may sign for a role.
    KeyAdded {
        /// The role.
        role: String,
        /// The key.
        key: ListedKey,
    },
    /// A key may not sign for a role any more.
    KeyRemoved {
        /// The role.
        role: String,
        /// The key.
        key: ListedKey,
    },
    /// A keyid of a role stands for another key.
    KeyReplaced {
        /// The role.
        role: String,
        /// What it stood for.
        before: ListedKey,
        /// The key that may sign now.
        after: ListedKey,
    },
    /// A key that may sign for a role is listed under another keyid too.
    KeyidAdded {
        /// The role.
        role: String,
        /// The key, under that keyid.
        key: ListedKey,
    },
    /// A key that may sign for a role is not listed under this keyid any more.
    KeyidRemoved {
        /// The role.
        role: String,
        /// The key, under that keyid.
        key: ListedKey,
    },
    /// The KEY object of a key has other members, and is the same key to us.
    KeyRewritten {
        /// The key.
        key: ListedKey,
    },
    /// A key is listed that no role has.
    UnusedKeyAdded {
        /// The key.
        key: ListedKey,
    },
    /// A key that no role had is not listed any more.
    UnusedKeyRemoved {
        /// The key.
        key: ListedKey,
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
        /// Of a new role that is not the last: the role before which it comes in the search, of those that were delegated before.
        before: Option<String>,
    },
    /// A role is not delegated any more.
    Undelegated {
        /// The role.
        role: String,
    },
    /// The delegations that stay come in another order, which is that of the search.
    Reordered {
        /// Those from the first to the last that come elsewhere, in their new order.
        roles: Vec<String>,
    },
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
            Difference::KeyAdded { role, key } => write!(f, "{}: key {key} may sign", quoted(role)),
            Difference::KeyRemoved { role, key } => write!(f, "{}: key {key} may not sign any more", quoted(role)),
            Difference::KeyReplaced { role, before, after } => {
                write!(f, "{}: keyid {} stands for key {after} now, not for key {before}", quoted(role), quoted(&after.keyid))
            }
            Difference::KeyidAdded { role, key } => {
                write!(f, "{}: key {key} is listed under keyid {} too", quoted(role), quoted(&key.keyid))
            }
            Difference::KeyidRemoved { role, key } => {
                write!(f, "{}: key {key} is not listed under keyid {} any more", quoted(role), quoted(&key.keyid))
            }
            Difference::KeyRewritten { key } => write!(f, "key {key} is written in another way"),
            Difference::UnusedKeyAdded { key } => write!(f, "key {key} is listed, and no role has it"),
            Difference::UnusedKeyRemoved { key } => write!(f, "key {key}, which no role had, is not listed any more"),
            Difference::Threshold { role, before: None, after } => write!(f, "{}: {after} must sign", quoted(role)),
            Difference::Threshold { role, before: Some(before), after } => write!(f, "{}: {after} must sign, not {before}", quoted(role)),
            Difference::Delegated { role, paths, before: None } => write!(f, "{}: is delegated {paths}", quoted(role)),
            Difference::Delegated { role, paths, before: Some(before) } => {
                write!(f, "{}: is delegated {paths}, before {}", quoted(role), quoted(before))
            }
            Difference::Undelegated { role } => write!(f, "{}: is not delegated any more", quoted(role)),
            Difference::Reordered { roles } => {
                let named: Vec<_> = roles.iter().take(NAMED_ROLES).map(|role| quoted(role)).collect();
                write!(f, "the delegations come in another order: {}", named.join(", "))?;
                match roles.len().saturating_sub(NAMED_ROLES) {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
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
            let appointed = |document: &Document| {
                let (roles, keys) = (document.value("roles")?, document.value("keys")?);
                let read =
                    |role: TopLevel| Some((role.name().to_owned(), RoleKeys::read(roles.as_ref()?.get(role.name())?, role.name()).ok()?));
                Appointed::read(TopLevel::ALL.into_iter().filter_map(read).collect(), keys.as_ref())
            };
            differing_keys(&before.map(appointed).transpose()?.unwrap_or_default(), &appointed(after)?, &mut found.listed);
            let old = before.map(|before| before.value("roles")).transpose()?.flatten();
            let new = after.value("roles")?;
            differing_members("roles", old.as_ref(), new.as_ref(), &TopLevel::ALL.map(TopLevel::name), &mut found.listed);
            for role in TopLevel::ALL.map(TopLevel::name) {
                let of = |roles: &Option<Value<'_>>| roles.as_ref().and_then(|roles| roles.get(role)).cloned().map(Value::into_owned);
                differing_members(
                    &format!("roles.{role}"),
                    of(&old).as_ref(),
                    of(&new).as_ref(),
                    &["keyids", "threshold"],
                    &mut found.listed,
                );
            }
        }
        "targets" => {
            differing_delegations(before, after, &mut found.listed)?;
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

/// Members of the object `of` that are not `known`.
fn differing_members(of: &str, before: Option<&Value<'_>>, after: Option<&Value<'_>>, known: &[&str], found: &mut Vec<Difference>) {
    let members = |value: Option<&Value<'_>>| -> BTreeMap<String, Value<'static>> {
        let members = value.and_then(Value::as_object).into_iter().flat_map(|object| object.iter());
        let others = members.filter(|(name, _)| !known.contains(name));
        others.map(|(name, value)| (name.to_owned(), value.clone().into_owned())).collect()
    };
    let (old, new) = (members(before), members(after));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differing = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
    found.extend(differing.map(|name| Difference::Member { name: format!("{of}.{name}") }));
}

/// What the delegations of one document are, in their order.
#[derive(Default)]
struct Delegated {
    /// The names, and what is delegated to them.
    roles: Vec<(String, String)>,
    appointed: Appointed,
}

impl Delegated {
    fn read(document: &Document) -> Result<Self, EditError> {
        let (mut roles, mut keys) = (Vec::new(), Vec::new());
        if let Some(delegations) = delegations(document)? {
            for role in delegations.roles {
                let name = role.name.as_str().to_owned();
                roles.push((name.clone(), paths(&role)));
                keys.push((name, role.keys));
            }
            if let Some(bins) = delegations.succinct {
                roles.push((bins.name_prefix.clone(), format!("all paths, in 2^{} hash bins", bins.bit_length)));
                keys.push((bins.name_prefix, bins.keys));
            }
        }
        let value = document.value("delegations")?;
        Ok(Self { roles, appointed: Appointed::read(keys, value.as_ref().and_then(|value| value.get("keys")))? })
    }

    fn by_name(&self) -> BTreeMap<&str, &str> {
        self.roles.iter().map(|(role, paths)| (role.as_str(), paths.as_str())).collect()
    }
}

fn differing_delegations(before: Option<&Document>, after: &Document, found: &mut Vec<Difference>) -> Result<(), EditError> {
    let (old, new) = (before.map(Delegated::read).transpose()?.unwrap_or_default(), Delegated::read(after)?);
    let (old_roles, new_roles) = (old.by_name(), new.by_name());
    // From the last to the first, to know what comes next of those that were there.
    let (mut next, mut delegated) = (None::<&String>, Vec::new());
    for (role, paths) in new.roles.iter().rev() {
        let had = old_roles.get(role.as_str());
        if had != Some(&paths.as_str()) {
            let before = if had.is_none() { next.cloned() } else { None };
            delegated.push(Difference::Delegated { role: role.clone(), paths: paths.clone(), before });
        }
        if had.is_some() {
            next = Some(role);
        }
    }
    found.extend(delegated.into_iter().rev());
    let gone = old.roles.iter().filter(|(role, _)| !new_roles.contains_key(role.as_str()));
    found.extend(gone.map(|(role, _)| Difference::Undelegated { role: role.clone() }));
    differing_keys(&old.appointed, &new.appointed, found);
    let stay = |of: &Delegated, others: &BTreeMap<&str, &str>| -> Vec<String> {
        of.roles.iter().map(|(role, _)| role.clone()).filter(|role| others.contains_key(role.as_str())).collect()
    };
    let (was, mut is) = (stay(&old, &new_roles), stay(&new, &old_roles));
    let ahead = was.iter().zip(&is).take_while(|(was, is)| was == is).count();
    if ahead < is.len() {
        let behind = was.iter().rev().zip(is.iter().rev()).take_while(|(was, is)| was == is).count();
        is.truncate(is.len().saturating_sub(behind));
        found.push(Difference::Reordered { roles: is.split_off(ahead) });
    }
    let value = |document: &Document| Ok::<_, EditError>(document.value("delegations")?.map(Value::into_owned));
    let (was, is) = (before.map(value).transpose()?.flatten(), value(after)?);
    differing_members("delegations", was.as_ref(), is.as_ref(), &["keys", "roles", "succinct_roles"], found);
    Ok(())
}

fn paths(role: &Delegation) -> String {
    let all = match &role.paths {
        Paths::Patterns(patterns) => patterns.iter().map(|pattern| quoted(pattern)).collect::<Vec<_>>().join(" "),
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
