//! Keys as whoever signs is shown them: by what they are. A keyid is any text (TAP 12), and says nothing of the key that is listed under it.

use alloc::borrow::{Cow, ToOwned};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use touchmark_envelope::canonical;
use touchmark_envelope::digest::{Algorithm, Digest};
use touchmark_envelope::json::Value;
use touchmark_envelope::key::PublicKey;

use super::EditError;
use super::difference::Difference;
use crate::key::Key;
use crate::metadata::RoleKeys;

/// A key and the keyid that it is listed under. It is written as its key id, which is computed of the key alone
/// ([`PublicKey::key_id`]), and with the keyid where that is no identifier of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// The keyid.
    pub keyid: String,
    /// What is listed there.
    pub identity: KeyIdentity,
}

/// What a keyid stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyIdentity {
    /// This key.
    Key(Box<PublicKey>),
    /// A KEY object of a type that is not known, whose canonical form has this digest: nothing that it signs counts here, but other clients
    /// may know it.
    Unknown(Digest),
    /// Nothing is listed under the keyid.
    Missing,
}

impl fmt::Display for ListedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keyid = quoted(&self.keyid);
        match &self.identity {
            KeyIdentity::Key(key) if key.key_ids().iter().any(|id| id.as_str() == self.keyid) => write!(f, "{}", key.key_id()),
            KeyIdentity::Key(key) => write!(f, "{} (listed as {keyid})", key.key_id()),
            KeyIdentity::Unknown(digest) => write!(f, "of a kind that is not known, {digest} (listed as {keyid})"),
            KeyIdentity::Missing => write!(f, "that is not there (listed as {keyid})"),
        }
    }
}

/// `text` as it stands if it cannot be taken for more than one word, else in quotes.
pub(super) fn quoted(text: &str) -> Cow<'_, str> {
    let splits =
        |character: char| character.is_whitespace() || character.is_control() || matches!(character, '"' | '\\' | ',' | ':' | '(' | ')');
    if text.is_empty() || text.contains(splits) { Cow::Owned(format!("{text:?}")) } else { Cow::Borrowed(text) }
}

/// Who signs for the roles that one document describes, in its order, and its KEY objects.
#[derive(Default)]
pub(super) struct Appointed {
    roles: Vec<(String, RoleKeys)>,
    /// By their keyids, with the digest of the object.
    keys: BTreeMap<String, (KeyIdentity, Digest)>,
}

impl Appointed {
    /// Every key is decoded once, of however many roles it is.
    pub(super) fn read(roles: Vec<(String, RoleKeys)>, keys: Option<&Value<'_>>) -> Result<Self, EditError> {
        let mut read = BTreeMap::new();
        for (keyid, value) in keys.and_then(Value::as_object).into_iter().flat_map(|keys| keys.iter()) {
            let digest = Algorithm::Sha256.digest(&canonical::write_unrestricted(value)?);
            let public = Key::read(value).and_then(|key| key.public);
            read.insert(keyid.to_owned(), (public.map_or(KeyIdentity::Unknown(digest), |key| KeyIdentity::Key(Box::new(key))), digest));
        }
        Ok(Self { roles, keys: read })
    }

    fn identity(&self, keyid: &str) -> &KeyIdentity {
        self.keys.get(keyid).map_or(&KeyIdentity::Missing, |(identity, _)| identity)
    }

    /// What the keyids of a role stand for, each once.
    fn of<'a>(&'a self, role: &'a RoleKeys) -> BTreeMap<&'a str, &'a KeyIdentity> {
        role.keyids.iter().map(|keyid| (keyid.as_str(), self.identity(keyid))).collect()
    }

    fn used(&self) -> BTreeSet<&str> {
        self.roles.iter().flat_map(|(_, role)| &role.keyids).map(String::as_str).collect()
    }
}

/// Who signs for which roles now, who no longer, and what else became of the KEY objects.
pub(super) fn differing_keys(before: &Appointed, after: &Appointed, found: &mut Vec<Difference>) {
    let roles: BTreeMap<&str, &RoleKeys> = before.roles.iter().map(|(role, keys)| (role.as_str(), keys)).collect();
    for (role, now) in &after.roles {
        let had = roles.get(role.as_str());
        let old = had.map(|had| before.of(had)).unwrap_or_default();
        differing_keys_of(role, &old, &after.of(now), found);
        if had.is_none_or(|had| had.threshold != now.threshold) {
            found.push(Difference::Threshold { role: role.clone(), before: had.map(|had| had.threshold), after: now.threshold });
        }
    }
    differing_objects(before, after, found);
}

fn differing_keys_of(role: &str, old: &BTreeMap<&str, &KeyIdentity>, new: &BTreeMap<&str, &KeyIdentity>, found: &mut Vec<Difference>) {
    for (keyid, identity) in new {
        let (role, key) = (role.to_owned(), listed(keyid, identity));
        match old.get(keyid) {
            Some(before) if before == identity => {}
            Some(before) => found.push(Difference::KeyReplaced { role, before: listed(keyid, before), after: key }),
            None if old.values().any(|before| before == identity) => found.push(Difference::KeyidAdded { role, key }),
            None => found.push(Difference::KeyAdded { role, key }),
        }
    }
    for (keyid, identity) in old.iter().filter(|(keyid, _)| !new.contains_key(*keyid)) {
        let (role, key) = (role.to_owned(), listed(keyid, identity));
        let stays = new.values().any(|after| after == identity);
        found.push(if stays { Difference::KeyidRemoved { role, key } } else { Difference::KeyRemoved { role, key } });
    }
}

/// What the roles do not tell: other clients may read a KEY object otherwise, and a later version may give a role a key that is there already.
fn differing_objects(before: &Appointed, after: &Appointed, found: &mut Vec<Difference>) {
    let (had, has) = (before.used(), after.used());
    for (keyid, (identity, digest)) in &after.keys {
        match before.keys.get(keyid) {
            Some((_, same)) if same == digest => {}
            Some((same, _)) if same == identity => found.push(Difference::KeyRewritten { key: listed(keyid, identity) }),
            _ if !has.contains(keyid.as_str()) => found.push(Difference::UnusedKeyAdded { key: listed(keyid, identity) }),
            // Its roles have told.
            _ => {}
        }
    }
    for (keyid, (identity, _)) in &before.keys {
        if !after.keys.contains_key(keyid) && !had.contains(keyid.as_str()) {
            found.push(Difference::UnusedKeyRemoved { key: listed(keyid, identity) });
        }
    }
}

fn listed(keyid: &str, identity: &KeyIdentity) -> ListedKey {
    ListedKey { keyid: keyid.to_owned(), identity: identity.clone() }
}
