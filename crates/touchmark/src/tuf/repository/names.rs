//! Names that publishers own: who owns one, and what is listed, sealed and revoked under it (SPEC.md, "Publishers, entries and seals").

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::{Object, Value};
use touchmark_envelope::{Digest, Name, UnixTime, canonical};
use touchmark_trust::standing::{Claim, Details, MEMBER, RoleMember, VERSION};
use touchmark_tuf::TargetPath;
use touchmark_tuf::metadata::Paths;
use touchmark_tuf::repository::{Change, Document, EditError, NewDelegation, NewTarget, Place, TargetChanges, lists_target};

use super::legacy::Unreadable;
use super::state::State;
use super::{Delegate, Repository, RepositoryError};
use crate::trust_root;
use crate::tuf::Fetch;

/// A publisher: a role that owns names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publisher {
    /// The role.
    pub role: String,
    /// Who delegates to it.
    pub by: String,
    /// The patterns of its names.
    pub names: Vec<String>,
    /// The keyids of its keys, and how many of them must sign.
    pub keyids: Vec<String>,
    /// See `keyids`.
    pub threshold: u64,
    /// Whether its keys accept by envelope, and not by entries and seals alone.
    pub envelopes: bool,
}

/// A name and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The role that lists it.
    pub role: String,
    /// The name.
    pub name: Name,
    /// The artifact; of a withdrawn name nothing.
    pub claim: Claim,
    /// Whether it is a seal, and not an entry.
    pub is_seal: bool,
}

impl Repository {
    /// Makes a publisher: a terminating delegation of names, from `by`, to a new role. With `envelopes` its keys accept by envelope, too. Gives
    /// the roles that are staged.
    ///
    /// # Errors
    /// As for [`delegate`](Self::delegate).
    pub fn add_publisher(&self, by: &str, new: NewDelegation, envelopes: bool, now: UnixTime) -> Result<Vec<String>, RepositoryError> {
        let role = new.name.clone();
        let staged = self.delegate(by, &Delegate::Roles(vec![new], Place::Last), now)?;
        // It may be listed from an earlier time, when the name was another's.
        if envelopes != member_of(&mut self.state()?, by)?.envelopes.contains(&role) {
            self.edit_member(by, now, |member| {
                let mut listed = names_of(member.get("envelopes"));
                if envelopes {
                    listed.insert(role)
                } else {
                    listed.remove(&role)
                };
                put_names(member, listed);
            })?;
        }
        Ok(staged)
    }

    /// Takes a publisher away; what it revoked, and the names that it withdrew, go to its delegator, so that they are not forgotten, and so does
    /// that of the roles below it. Gives the role that is staged.
    ///
    /// # Errors
    /// No such publisher; what is ours in one of the documents is malformed.
    pub fn remove_publisher(&self, role: &str, now: UnixTime) -> Result<String, RepositoryError> {
        self.undelegate_with(role, Unreadable::Refused, now)
    }

    /// The publishers, as staged: the roles that are delegated names by patterns and terminating, from the top-level targets down.
    ///
    /// # Errors
    /// A document cannot be read.
    pub fn publishers(&self) -> Result<Vec<Publisher>, RepositoryError> {
        let mut state = self.state()?;
        let mut found = Vec::new();
        for visited in state.tree()? {
            let Some(by) = visited.by.clone() else { continue };
            let Some(family) = state.family(&by)? else { continue };
            let delegation = family.delegations.roles.iter().find(|role| role.name.as_str() == visited.name);
            let Some(delegation) = delegation.filter(|role| role.terminating) else { continue };
            let Paths::Patterns(names) = &delegation.paths else { continue };
            let envelopes = member_of(&mut state, &by)?.envelopes.contains(&visited.name);
            found.push(Publisher {
                role: visited.name,
                by,
                names: names.clone(),
                keyids: delegation.keys.keyids.clone(),
                threshold: delegation.keys.threshold,
                envelopes,
            });
        }
        Ok(found)
    }

    /// The role that owns a name: the last one of the chain of first delegations that are for it. The top-level targets own what no publisher
    /// does.
    ///
    /// # Errors
    /// A delegation on the way is not terminating, so that nobody owns the name alone; a document cannot be read.
    pub fn owner(&self, name: &Name) -> Result<String, RepositoryError> {
        owner(&mut self.state()?, name)
    }

    /// As [`owner`](Self::owner), of each of many names.
    ///
    /// # Errors
    /// As there.
    pub fn owners<'n>(&self, names: impl IntoIterator<Item = &'n Name>) -> Result<Vec<(&'n Name, String)>, RepositoryError> {
        let mut state = self.state()?;
        names.into_iter().map(|name| Ok((name, owner(&mut state, name)?))).collect()
    }

    /// Those of many names that this role owns.
    ///
    /// # Errors
    /// A document cannot be read.
    pub fn owned<'n>(&self, role: &str, names: impl IntoIterator<Item = &'n Name>) -> Result<BTreeSet<&'n Name>, RepositoryError> {
        let mut state = self.state()?;
        let mut owned = BTreeSet::new();
        for name in names {
            match owner(&mut state, name) {
                Ok(found) if found == role => owned.extend([name]),
                Ok(_) | Err(RepositoryError::NotOwned { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(owned)
    }

    /// Lists an artifact as what a name stands for, in the role that owns the name. Gives the role that is staged.
    ///
    /// # Errors
    /// The name stands for something else already, and `replace` is not said; nobody owns it.
    pub fn set_name(&self, name: &Name, claim: &Claim, replace: bool, now: UnixTime) -> Result<String, RepositoryError> {
        let mut state = self.state()?;
        let role = owner(&mut state, name)?;
        let before = listed_by(&mut state, &role)?.into_iter().find(|one| !one.is_seal && one.name == *name);
        drop(state);
        if !replace && before.is_some_and(|before| before.claim != *claim) {
            return Err(RepositoryError::NameSet { name: name.to_string(), role });
        }
        let mut details = claim.details.to_json();
        details.insert("version", VERSION);
        let custom = Some(Value::object([(MEMBER, Value::from(details))]));
        let target = NewTarget { length: claim.length, hashes: claim.hashes.clone(), custom };
        self.change_entry(&role, name, Some(&target), now)
    }

    /// Withdraws a name: an entry that nothing has stays, so that what was signed under it is refused. Gives the role that is staged.
    ///
    /// # Errors
    /// Nobody owns the name.
    pub fn withdraw_name(&self, name: &Name, now: UnixTime) -> Result<String, RepositoryError> {
        let role = self.owner(name)?;
        self.change_entry(&role, name, Some(&nothing()), now)
    }

    /// Takes the entry of a name away. What was signed under the name counts again. Gives the role that is staged.
    ///
    /// # Errors
    /// Nothing is listed under the name.
    pub fn forget_name(&self, name: &Name, now: UnixTime) -> Result<String, RepositoryError> {
        let mut state = self.state()?;
        let role = owner(&mut state, name)?;
        let target = TargetPath::from(name);
        let is_listed = state.current(&role)?.map(|document| lists_target(document, &target)).transpose()?;
        drop(state);
        if is_listed != Some(true) {
            return Err(RepositoryError::NameNotSet { name: name.to_string() });
        }
        self.change_entry(&role, name, None, now)
    }

    /// All names that are listed or sealed, role by role; those of one role if it is given.
    ///
    /// # Errors
    /// A document cannot be read, or what is ours in one is malformed.
    pub fn names(&self, of_role: Option<&str>) -> Result<Vec<Listed>, RepositoryError> {
        let mut state = self.state()?;
        let roles: Vec<String> = match of_role {
            Some(role) => vec![role.to_owned()],
            None => state.tree()?.into_iter().map(|visited| visited.name).collect(),
        };
        let mut listed = Vec::new();
        for role in roles {
            listed.extend(listed_by(&mut state, &role)?);
        }
        Ok(listed)
    }

    /// Seals artifacts under names: they stay accepted whoever's signatures count later. Whether they are accepted now is for the caller to
    /// find out. Gives the roles that are staged.
    ///
    /// # Errors
    /// Nobody owns one of the names; what is ours in a role's document is malformed.
    pub fn seal(&self, seals: &[(Name, Claim)], now: UnixTime) -> Result<BTreeSet<String>, RepositoryError> {
        let _lock = self.lock()?;
        self.stage_seals(&mut self.state()?, seals, now)
    }

    /// Changes who signs for a publisher, and seals what goes on being accepted: under one lock, so that nobody gives up the seals before the
    /// end of the keys is staged that they are for. Gives the roles that are staged.
    ///
    /// # Errors
    /// As for [`seal`](Self::seal) and [`change_keys`](Self::change_keys).
    pub fn rotate(
        &self,
        role: &str,
        seals: &[(Name, Claim)],
        changes: &[Change],
        now: UnixTime,
    ) -> Result<BTreeSet<String>, RepositoryError> {
        let _lock = self.lock()?;
        let mut state = self.state()?;
        // Seals without the end of keys do no harm if this is interrupted.
        let mut roles = self.stage_seals(&mut state, seals, now)?;
        roles.extend(self.stage_keys(&mut state, role, changes, now)?);
        Ok(roles)
    }

    /// As [`seal`](Self::seal), under the lock.
    fn stage_seals(&self, state: &mut State, seals: &[(Name, Claim)], now: UnixTime) -> Result<BTreeSet<String>, RepositoryError> {
        let mut by_role: BTreeMap<String, Vec<&(Name, Claim)>> = BTreeMap::new();
        for seal in seals {
            by_role.entry(owner(state, &seal.0)?).or_default().push(seal);
        }
        for (role, seals) in &by_role {
            self.stage_member(state, role, now, |member| {
                let mut sealed = member.get("seals").and_then(Value::as_object).cloned().unwrap_or_default();
                for (name, claim) in seals {
                    let name = name.to_string();
                    let mut of_name = sealed.get(&name).and_then(Value::as_array).map(<[_]>::to_vec).unwrap_or_default();
                    let new = Value::from(claim.to_json());
                    // Members stand in another order where they were read.
                    if !of_name.iter().any(|known| sorted(known) == sorted(&new)) {
                        of_name.push(new);
                    }
                    sealed.insert(name, Value::from(of_name));
                }
                member.insert("seals", Value::from(sealed));
            })?;
        }
        Ok(by_role.into_keys().collect())
    }

    /// Revokes artifacts for all names of a role, whose own entries for them are withdrawn. Gives whether anything changed.
    ///
    /// # Errors
    /// No such role; what is ours in its document is malformed.
    pub fn revoke(&self, role: &str, digests: &[Digest], reason: &str, now: UnixTime) -> Result<bool, RepositoryError> {
        let _lock = self.lock()?;
        let mut state = self.state()?;
        let listed = listed_by(&mut state, role)?;
        let revoked: BTreeMap<Digest, String> = digests.iter().map(|digest| (*digest, reason.to_owned())).collect();
        let changed = self.stage_member(&mut state, role, now, |member| add_revocations(member, &revoked))?;
        let mut changes = TargetChanges::new();
        let is_of = |one: &&Listed| !one.is_seal && one.claim.hashes.iter().any(|hash| revoked.contains_key(hash));
        for one in listed.iter().filter(is_of) {
            changes.add(&TargetPath::from(&one.name), &nothing())?;
        }
        if !changes.is_empty() {
            self.stage_edit(&mut state, role, now, |document| changes.apply(document))?;
        }
        Ok(changed)
    }

    /// What a role revokes, as staged, with the reasons.
    ///
    /// # Errors
    /// What is ours in its document is malformed.
    pub fn revoked(&self, role: &str) -> Result<BTreeMap<Digest, String>, RepositoryError> {
        Ok(member_of(&mut self.state()?, role)?.revoked)
    }

    /// The root that is published last, as it is served.
    ///
    /// # Errors
    /// Nothing is published yet, or it cannot be read.
    pub fn published_root(&self) -> Result<Vec<u8>, RepositoryError> {
        let mut state = self.state()?;
        let missing = || RepositoryError::NoMetadata { role: "root".to_owned() };
        Ok(state.published("root")?.ok_or_else(missing)?.to_bytes())
    }

    /// Where its published metadata is.
    pub fn metadata_folder(&self) -> PathBuf {
        self.folders.metadata()
    }

    /// What it serves, as a source for clients.
    pub fn served(&self) -> Box<dyn Fetch> {
        trust_root::folders(self.folders.metadata(), self.folders.targets())
    }

    fn change_entry(&self, role: &str, name: &Name, target: Option<&NewTarget>, now: UnixTime) -> Result<String, RepositoryError> {
        let path = TargetPath::from(name);
        let mut changes = TargetChanges::new();
        match target {
            Some(target) => changes.add(&path, target)?,
            None => changes.remove(path.as_str()),
        }
        self.change_targets(role, &changes, now)?;
        Ok(role.to_owned())
    }

    /// Changes what is ours in a role's document.
    fn edit_member(&self, role: &str, now: UnixTime, change: impl FnOnce(&mut Object<'static>)) -> Result<bool, RepositoryError> {
        let _lock = self.lock()?;
        self.stage_member(&mut self.state()?, role, now, change)
    }

    /// As [`edit_member`](Self::edit_member), under the lock.
    fn stage_member(
        &self,
        state: &mut State,
        role: &str,
        now: UnixTime,
        change: impl FnOnce(&mut Object<'static>),
    ) -> Result<bool, RepositoryError> {
        // A malformed one is not mended by writing into it.
        member_of(state, role)?;
        self.stage_edit(state, role, now, |document| edit_ours(document, change))
    }
}

pub(super) fn edit_ours(document: &mut Document, change: impl FnOnce(&mut Object<'static>)) -> Result<(), EditError> {
    let value = document.value(MEMBER)?.map(Value::into_owned);
    let mut member = value.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    member.insert("version", VERSION);
    change(&mut member);
    let says_something = member.iter().any(|(name, _)| name != "version");
    match says_something {
        true => document.set(MEMBER, &Value::from(member)),
        false => {
            document.remove(MEMBER);
            Ok(())
        }
    }
}

/// What is ours in the current document of a role.
pub(super) fn member_of(state: &mut State, role: &str) -> Result<RoleMember, RepositoryError> {
    let Some(document) = state.current(role)? else { return Ok(RoleMember::default()) };
    let Some(text) = document.member(MEMBER) else { return Ok(RoleMember::default()) };
    RoleMember::read(text, "").map_err(|malformed| RepositoryError::Ours { role: role.to_owned(), malformed })
}

fn owner(state: &mut State, name: &Name) -> Result<String, RepositoryError> {
    let target = TargetPath::from(name);
    let mut role = "targets".to_owned();
    let mut seen = BTreeSet::new();
    while seen.insert(role.clone()) {
        let Some(family) = state.family(&role)?.filter(|family| family.delegations.succinct.is_none()) else { return Ok(role) };
        let Some(next) = family.delegations.roles.iter().find(|delegation| delegation.covers(&target)) else { return Ok(role) };
        match &next.paths {
            Paths::Patterns(_) if next.terminating => next.name.as_str().clone_into(&mut role),
            Paths::Patterns(_) => {
                return Err(RepositoryError::NotOwned { name: name.to_string(), role: next.name.as_str().to_owned() });
            }
            _ => return Ok(role),
        }
    }
    Err(RepositoryError::NotOwned { name: name.to_string(), role })
}

/// What a role lists and seals; targets that are no names are passed over.
pub(super) fn listed_by(state: &mut State, role: &str) -> Result<Vec<Listed>, RepositoryError> {
    let ours = |malformed| RepositoryError::Ours { role: role.to_owned(), malformed };
    let Some(document) = state.current(role)? else { return Ok(Vec::new()) };
    let mut listed = Vec::new();
    let targets = document.value("targets")?;
    for (path, value) in targets.as_ref().and_then(Value::as_object).into_iter().flat_map(Object::iter) {
        let Ok(name) = path.parse::<Name>() else { continue };
        let custom = value.get("custom").map(|custom| custom.to_vec());
        let custom = custom.as_deref().map(String::from_utf8_lossy);
        let details = Details::of_target(custom.as_deref()).map_err(ours)?;
        let length = value.get("length").and_then(Value::as_u64).unwrap_or_default();
        let hashes = value.get("hashes").and_then(Value::as_object).into_iter().flat_map(Object::iter);
        let digest = |(name, hex): (&str, &Value<'_>)| Digest::from_hex(Algorithm::from_name(name)?, hex.as_str()?).ok();
        let claim = Claim { length, hashes: hashes.filter_map(digest).collect(), details };
        listed.push(Listed { role: role.to_owned(), name, claim, is_seal: false });
    }
    if let Some(text) = document.member(MEMBER) {
        for (name, claims) in RoleMember::read_all_seals(text).map_err(ours)? {
            let Ok(name) = name.parse::<Name>() else { continue };
            listed.extend(claims.into_iter().map(|claim| Listed { role: role.to_owned(), name: name.clone(), claim, is_seal: true }));
        }
    }
    Ok(listed)
}

/// The seals of a document, each as it is written there, with its name.
pub(super) fn seals_in(document: &Document) -> Result<BTreeSet<String>, RepositoryError> {
    let member = document.value(MEMBER)?;
    let seals = member.as_ref().and_then(|member| member.get("seals")).and_then(Value::as_object);
    let of_name = |(name, claims): (&str, &Value<'_>)| {
        let name = name.to_owned();
        let claims = claims.as_array().unwrap_or_default().iter().map(|claim| String::from_utf8_lossy(&claim.to_vec()).into_owned());
        claims.map(|claim| format!("{name} {claim}")).collect::<Vec<_>>()
    };
    Ok(seals.into_iter().flat_map(Object::iter).flat_map(of_name).collect())
}

/// What a document lists and revokes.
pub(super) fn refusals_in(document: &Document) -> Result<BTreeSet<String>, RepositoryError> {
    let (targets, member) = (document.value("targets")?, document.value(MEMBER)?);
    let listed = targets.as_ref().and_then(Value::as_object).into_iter().flat_map(Object::iter).map(|(path, _)| format!("lists {path}"));
    let revoked = member.as_ref().and_then(|member| member.get("revoked")).and_then(Value::as_array).into_iter().flatten();
    let revoked = revoked.filter_map(|one| Some(format!("revokes {}", one.get("digest")?.as_str()?)));
    Ok(listed.chain(revoked).collect())
}

/// The text of a JSON value, whatever order its members have.
fn sorted(value: &Value<'_>) -> Vec<u8> {
    let text = value.to_vec();
    canonical::to_vec(&text, text.len()).unwrap_or(text)
}

/// What no artifact is.
pub(super) fn nothing() -> NewTarget {
    NewTarget { length: 0, hashes: Algorithm::ALL.map(|algorithm| algorithm.digest(b"")).to_vec(), custom: None }
}

pub(super) fn names_of(listed: Option<&Value<'_>>) -> BTreeSet<String> {
    let names = listed.and_then(Value::as_array).into_iter().flatten();
    names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

pub(super) fn put_names(member: &mut Object<'static>, names: BTreeSet<String>) {
    if names.is_empty() {
        member.remove("envelopes");
    } else {
        member.insert("envelopes", Value::from(names.into_iter().map(Value::from).collect::<Vec<_>>()));
    }
}

pub(super) fn add_revocations(member: &mut Object<'static>, new: &BTreeMap<Digest, String>) {
    let mut listed = member.get("revoked").and_then(Value::as_array).map(<[_]>::to_vec).unwrap_or_default();
    for (digest, reason) in new {
        let digest = digest.to_string();
        if !listed.iter().any(|one| one.get("digest").and_then(Value::as_str) == Some(digest.as_str())) {
            listed.push(Value::object([("digest", Value::from(digest)), ("reason", Value::from(reason.clone()))]));
        }
    }
    if !listed.is_empty() {
        member.insert("revoked", Value::from(listed));
    }
}
