//! Who signed a document, and who is still needed.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::UnixTime;
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::threshold::Signature;

use super::{Document, EditError};
use crate::check;
use crate::error::Error;
use crate::key::Keys;
use crate::limits::Limits;
use crate::metadata::{Delegations, RoleKeys, Root, Signatories, Targets, TopLevel};
use crate::path::RoleName;

/// Who may sign for a role: the keys that a root or a delegator lists, and the threshold.
#[derive(Clone, Debug)]
pub struct Mandate {
    /// The keyids and the threshold.
    role: RoleKeys,
    keys: Keys,
    signatories: Signatories,
}

/// A key of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signatory {
    /// The keyid that it is listed under.
    pub keyid: String,
    /// The key; `None` if it is of a type that is not known, so that nothing it signs counts.
    pub key: Option<PublicKey>,
    /// Whether it has validly signed the document.
    pub signed: bool,
}

/// How a document stands with its signers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How many distinct keys must sign.
    pub threshold: u64,
    /// How many have.
    pub valid: usize,
    /// The keys of the role.
    pub keys: Vec<Signatory>,
}

impl Standing {
    /// How many more must sign.
    pub fn missing(&self) -> u64 {
        self.threshold.saturating_sub(u64::try_from(self.valid).unwrap_or(u64::MAX))
    }
}

impl Mandate {
    /// Who may sign for a top-level role by this root.
    ///
    /// # Errors
    /// It is no well-formed root.
    pub fn of_root(root: &Document, role: TopLevel) -> Result<Self, EditError> {
        root.expect("root")?;
        let malformed = || EditError::malformed("`roles`");
        let (keys, roles) = (root.value("keys")?, root.value("roles")?);
        let keys = keys.as_ref().and_then(touchmark_envelope::json::Value::as_object).and_then(Keys::read);
        let keys = keys.ok_or_else(|| EditError::malformed("`keys`"))?;
        let described = roles.as_ref().and_then(|roles| roles.get(role.name())).ok_or_else(malformed)?;
        Ok(Self::new(RoleKeys::read(described, role.name()).map_err(|_| malformed())?, keys))
    }

    /// As [`of_root`](Self::of_root), of a root that a client trusts.
    pub fn of_trusted_root(root: &Root, role: TopLevel) -> Option<Self> {
        Some(Self::new(root.role(role)?.clone(), root.keys().clone()))
    }

    /// Who may sign for a role by its delegator.
    pub fn of_delegation(role: &RoleKeys, delegations: &Delegations) -> Self {
        Self::new(role.clone(), delegations.keys.clone())
    }

    fn new(role: RoleKeys, keys: Keys) -> Self {
        let signatories = role.signatories(&keys);
        Self { role, keys, signatories }
    }

    /// How many distinct keys must sign.
    pub fn threshold(&self) -> u64 {
        self.role.threshold
    }

    /// The keyid that `key` is listed under, if it is.
    pub fn keyid(&self, key: &PublicKey) -> Option<&str> {
        let found = self.role.keyids.iter().find(|keyid| self.keys.get(keyid).and_then(|listed| listed.public).as_ref() == Some(key));
        found.map(String::as_str)
    }

    /// Whether the same keys may sign, as many of them.
    pub fn is(&self, other: &Mandate) -> bool {
        self.signatories.are(&other.signatories) && self.signatories.distinct() == other.signatories.distinct()
    }

    /// Who has signed the document.
    ///
    /// # Errors
    /// None of a document that was opened.
    pub fn standing(&self, document: &Document) -> Result<Standing, EditError> {
        let signers = self.signatories.keys.signers(&document.signed_bytes()?, document.signatures());
        let mut keys: Vec<Signatory> = Vec::new();
        for keyid in &self.role.keyids {
            let key = self.keys.get(keyid).and_then(|key| key.public);
            // One key under two keyids is one.
            if key.is_none() || !keys.iter().any(|other| other.key == key) {
                let signed = key.as_ref().is_some_and(|key| signers.keys().contains(key));
                keys.push(Signatory { keyid: keyid.clone(), key, signed });
            }
        }
        Ok(Standing { threshold: self.role.threshold, valid: signers.keys().len(), keys })
    }

    /// How many distinct keys seem to have signed, going by the keyids: what a client is going to check need not be checked before.
    pub fn announced(&self, document: &Document) -> usize {
        let signed = |keyid: &&String| document.signatures().iter().any(|signature| signature.keyid.as_ref() == Some(*keyid));
        let keys = self.role.keyids.iter().filter(signed).filter_map(|keyid| self.keys.get(keyid)?.public);
        keys.collect::<BTreeSet<_>>().len()
    }

    /// Whether a threshold of these keys has signed the document, under the keyids that they are listed under: clients that go by keyids
    /// look for no other.
    ///
    /// # Errors
    /// None of a document that was opened.
    pub fn suffices(&self, document: &Document) -> Result<bool, EditError> {
        let announced = u64::try_from(self.announced(document)).unwrap_or(u64::MAX);
        Ok(announced >= self.role.threshold && self.standing(document)?.missing() == 0)
    }

    /// Adds the signatures of `other` that are by these keys to a document that says the same; gives how many were new. They come under the
    /// keyids that the keys are listed under: whatever keyid somebody writes beside a signature, it takes no other key's place.
    ///
    /// # Errors
    /// None of documents that were opened.
    pub fn gather(&self, document: &mut Document, other: &Document) -> Result<usize, EditError> {
        if !document.says_the_same_as(other) {
            return Ok(0);
        }
        let message = document.signed_bytes()?;
        let mut have: Vec<PublicKey> = self.signatories.keys.signers(&message, document.signatures()).keys().to_vec();
        let mut new = Vec::new();
        for signature in other.signatures() {
            let signers = self.signatories.keys.signers(&message, core::slice::from_ref(signature));
            for key in signers.keys() {
                if !have.contains(key) {
                    have.push(key.clone());
                    new.push(Signature { keyid: self.keyid(key).map(ToOwned::to_owned), bytes: signature.bytes.clone() });
                }
            }
        }
        drop(message);
        let added = new.len();
        new.into_iter().for_each(|signature| document.add(signature));
        Ok(added)
    }
}

/// Leaves of the signatures of a document one of each key of `mandates`, under the keyid that the key is listed under, and drops all
/// others: strangers', those of keys that left, and doubles. Gives whether anything changed.
///
/// Clients that go by keyids count a signature under no other one.
///
/// # Errors
/// None of a document that was opened.
pub fn tidy_signatures(document: &mut Document, mandates: &[&Mandate]) -> Result<bool, EditError> {
    let message = document.signed_bytes()?;
    let mut tidy: Vec<Signature> = Vec::new();
    for signature in document.signatures() {
        for mandate in mandates {
            let signers = mandate.signatories.keys.signers(&message, core::slice::from_ref(signature));
            for keyid in signers.keys().iter().filter_map(|key| mandate.keyid(key)) {
                if !tidy.iter().any(|other| other.keyid.as_deref() == Some(keyid)) {
                    tidy.push(Signature { keyid: Some(keyid.to_owned()), bytes: signature.bytes.clone() });
                }
            }
        }
    }
    drop(message);
    Ok(document.replace_signatures(tidy))
}

/// Checks a targets document that is about to be published as a client would: its form, its expiry, and that a threshold of `by` signed it.
///
/// # Errors
/// Those of the client.
pub fn check_targets(role: &RoleName, bytes: Vec<u8>, by: &Mandate, at: UnixTime) -> Result<(), Error> {
    let file = role.metapath();
    let document = check::document(&file, bytes, &Limits::default())?;
    let signed = check::signatures(role.as_str(), document, &by.signatories)?;
    let targets = signed.try_map(Targets::read).map_err(check::malformed(&file))?;
    check::unexpired(&file, targets.get().header(), at)
}
