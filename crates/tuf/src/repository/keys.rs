//! Keys as documents list them, and which of them a role goes by.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::canonical;
use touchmark_envelope::digest::{Algorithm, hex};
use touchmark_envelope::json::{Object, Value};
use touchmark_envelope::key::{KeyAlgorithm, PublicKey};

use super::EditError;
use crate::key::{Key, Keys};
use crate::metadata::RoleKeys;

/// The KEY object of a key (TUF 1.0, 4.2.2 and 4.2.3): hexadecimal for Ed25519, PEM for the others.
pub fn key_object(key: &PublicKey) -> Value<'static> {
    let (keytype, scheme) = match key.algorithm() {
        KeyAlgorithm::Ed25519 => ("ed25519", "ed25519"),
        KeyAlgorithm::EcdsaP256 => ("ecdsa", "ecdsa-sha2-nistp256"),
        KeyAlgorithm::EcdsaP384 => ("ecdsa", "ecdsa-sha2-nistp384"),
        _ => ("rsa", "rsassa-pss-sha256"),
    };
    let public = match key.algorithm() {
        KeyAlgorithm::Ed25519 => hex(key.as_raw()),
        _ => key.to_pem(),
    };
    let keyval = Value::object([("public", Value::from(public))]);
    Value::object([("keytype", Value::from(keytype)), ("scheme", Value::from(scheme)), ("keyval", keyval)])
}

/// The keyid of a key: the hexadecimal SHA-256 of the canonical form of its KEY object (TUF 1.0, 4.2.3). Readers take it for opaque.
///
/// # Errors
/// None: every KEY object has a canonical form.
pub fn key_id(key: &PublicKey) -> Result<String, EditError> {
    Ok(Algorithm::Sha256.digest(&canonical::write_unrestricted(&key_object(key))?).hex())
}

/// Which key of a role is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyChoice {
    /// This one, under whatever keyid it is listed.
    Key(PublicKey),
    /// The one with this keyid or key id ([`PublicKey::key_id`]), or the only one of which one of them begins so. Under whatever other
    /// keyids it is listed too, it is meant as a whole.
    Id(String),
}

/// A change of who may sign for a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// This key may sign. One that may already changes nothing.
    Add(PublicKey),
    /// This key may not sign any more.
    Remove(KeyChoice),
    /// So many distinct keys must sign.
    Threshold(u64),
}

/// Who is to sign for a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appointment {
    /// The keys.
    pub keys: Vec<PublicKey>,
    /// How many of them must sign.
    pub threshold: u64,
}

/// The KEY objects of one document, by keyid.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring(BTreeMap<String, Value<'static>>);

impl Ring {
    pub(super) fn read(value: Option<&Value<'_>>) -> Result<Self, EditError> {
        let Some(value) = value else { return Ok(Self::default()) };
        let object = value.as_object().ok_or_else(|| EditError::malformed("`keys`"))?;
        Ok(Self(object.iter().map(|(keyid, key)| (keyid.to_owned(), key.clone().into_owned())).collect()))
    }

    /// The keyid of `key`: the one that it is listed under, whatever that is, or a new one. What another key is listed under is not taken
    /// from it: that key's roles would have this one.
    fn list(&mut self, key: &PublicKey) -> Result<String, EditError> {
        if let Some(keyid) = self.keyid_of(key) {
            return Ok(keyid);
        }
        let keyid = key_id(key)?;
        if self.0.contains_key(&keyid) {
            return Err(EditError::KeyidTaken { keyid });
        }
        self.0.insert(keyid.clone(), key_object(key));
        Ok(keyid)
    }

    /// The keyid of a key that is listed.
    fn keyid_of(&self, key: &PublicKey) -> Option<String> {
        self.0.keys().find(|keyid| self.key(keyid).as_ref() == Some(key)).cloned()
    }

    /// The key under a keyid, if it is one that can be used.
    fn key(&self, keyid: &str) -> Option<PublicKey> {
        self.0.get(keyid).and_then(Key::read)?.public
    }

    /// Whether two keyids are of one key.
    fn same(&self, one: &str, other: &str) -> bool {
        one == other || self.key(one).is_some_and(|key| self.key(other).as_ref() == Some(&key))
    }

    /// Takes away the keys that no role of `used` lists.
    pub(super) fn prune<'a>(&mut self, used: impl IntoIterator<Item = &'a RoleKeys>) {
        let used: alloc::collections::BTreeSet<&str> = used.into_iter().flat_map(|role| &role.keyids).map(String::as_str).collect();
        self.0.retain(|keyid, _| used.contains(keyid.as_str()));
    }

    pub(super) fn to_value(&self) -> Value<'static> {
        Value::object(self.0.iter().map(|(keyid, key)| (keyid.clone(), key.clone())))
    }

    fn keys(&self) -> Result<Keys, EditError> {
        let value = self.to_value();
        value.as_object().and_then(Keys::read).ok_or_else(|| EditError::malformed("`keys`"))
    }
}

/// The keyids and the threshold of the new role `role`, whose keys `ring` lists from now on.
pub(super) fn appoint(role: &str, appointment: &Appointment, ring: &mut Ring) -> Result<RoleKeys, EditError> {
    let mut keys = RoleKeys { keyids: Vec::new(), threshold: appointment.threshold };
    for key in &appointment.keys {
        add(&mut keys, ring.list(key)?);
    }
    check(role, &keys, ring)?;
    Ok(keys)
}

/// Makes all of `changes`, or none if the outcome could never verify.
pub(super) fn change(role: &str, keys: &RoleKeys, ring: &mut Ring, changes: &[Change]) -> Result<RoleKeys, EditError> {
    let mut changed = keys.clone();
    for change in changes {
        match change {
            // Under whatever keyid it is listed, it may sign already.
            Change::Add(key) if changed.keyids.iter().any(|keyid| ring.key(keyid).as_ref() == Some(key)) => {}
            Change::Add(key) => add(&mut changed, ring.list(key)?),
            Change::Remove(choice) => {
                let gone = chosen(role, choice, &changed, ring)?;
                changed.keyids.retain(|keyid| !gone.contains(keyid));
            }
            Change::Threshold(threshold) => changed.threshold = *threshold,
        }
    }
    let added = changes.iter().filter_map(|change| if let Change::Add(key) = change { Some(key) } else { None });
    for key in added {
        if !changed.keyids.iter().any(|keyid| ring.key(keyid).as_ref() == Some(key)) {
            return Err(EditError::AddedAndRemoved { role: role.to_owned(), key: key_id(key)? });
        }
    }
    check(role, &changed, ring)?;
    Ok(changed)
}

fn add(keys: &mut RoleKeys, keyid: String) {
    if !keys.keyids.contains(&keyid) {
        keys.keyids.push(keyid);
    }
}

/// The keyids that are meant: all of one key, if it is listed twice.
fn chosen(role: &str, choice: &KeyChoice, keys: &RoleKeys, ring: &Ring) -> Result<Vec<String>, EditError> {
    let listed = keys.keyids.iter();
    let (found, asked): (Vec<String>, String) = match choice {
        KeyChoice::Key(key) => (listed.filter(|keyid| ring.key(keyid).as_ref() == Some(key)).cloned().collect(), key_id(key)?),
        KeyChoice::Id(id) => {
            let whole = keys.keyids.contains(id);
            let meant = |other: &str| if whole { other == id } else { other.starts_with(id.as_str()) };
            let found = listed.filter(|keyid| meant(keyid) || ring.key(keyid).is_some_and(|key| meant(key.key_id().as_str())));
            let found = with_others_of_the_same_key(found.collect(), keys, ring);
            let distinct = found.iter().enumerate().filter(|(at, one)| !found.iter().take(*at).any(|other| ring.same(one, other))).count();
            if distinct > 1 {
                return Err(EditError::NoSuchKey { role: role.to_owned(), key: format!("{id}, which names {distinct} keys") });
            }
            (found, id.clone())
        }
    };
    if found.is_empty() { Err(EditError::NoSuchKey { role: role.to_owned(), key: asked }) } else { Ok(found) }
}

fn with_others_of_the_same_key(found: Vec<&String>, keys: &RoleKeys, ring: &Ring) -> Vec<String> {
    keys.keyids.iter().filter(|keyid| found.iter().any(|one| ring.same(one, keyid))).cloned().collect()
}

/// Asserts that the role's keys can reach its threshold.
fn check(role: &str, keys: &RoleKeys, ring: &Ring) -> Result<(), EditError> {
    if keys.threshold == 0 {
        return Err(EditError::ThresholdZero { role: role.to_owned() });
    }
    let distinct = keys.signatories(&ring.keys()?).keys.len();
    if usize::try_from(keys.threshold).map_or(true, |threshold| threshold > distinct) {
        return Err(EditError::ThresholdTooHigh { role: role.to_owned(), threshold: keys.threshold, keys: distinct });
    }
    Ok(())
}

/// Writes keyids and threshold into the object that describes a role.
pub(super) fn put(keys: &RoleKeys, object: &mut Object<'_>) {
    object.insert("keyids", Value::Array(keys.keyids.iter().map(|keyid| Value::from(keyid.clone())).collect()));
    object.insert("threshold", keys.threshold);
}
