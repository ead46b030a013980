use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::key::PublicKey;
use touchmark_envelope::name::Wanted;
use touchmark_envelope::signature;
use touchmark_envelope::threshold::{KeySet, ThresholdError};

use crate::standing::Standing;

/// Whom a caller trusts, and what it wants to have been said: keys and a threshold (design level 1), or what trust metadata says of a name
/// (level 2).
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) keys: KeySet,
    pub(crate) threshold: usize,
    pub(crate) name: Option<Wanted>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) predicate_types: Vec<String>,
    /// What trust metadata says of the name, if that decides and not the caller's keys.
    pub(crate) standing: Option<Standing>,
}

impl Policy {
    /// Trusts a signature by any one of `keys`; the same key twice, in whatever form, is one.
    ///
    /// # Errors
    /// No key, so that nothing could ever be accepted.
    pub fn keys(keys: impl IntoIterator<Item = PublicKey>) -> Result<Self, ThresholdError> {
        let keys = KeySet::new(keys);
        let policy = Self { keys, threshold: 1, name: None, annotations: BTreeMap::new(), predicate_types: Vec::new(), standing: None };
        policy.threshold(1)
    }

    /// Trusts what trust metadata says of a name: entries and seals, and the envelopes of the keys that it lets accept the name's artifacts.
    pub fn trust(standing: Standing) -> Self {
        let name = Some(Wanted::Exact(standing.name().clone()));
        // Until the metadata says whose envelopes count, nobody's do.
        let (keys, threshold) = (KeySet::new([]), usize::MAX);
        Self { keys, threshold, name, annotations: BTreeMap::new(), predicate_types: Vec::new(), standing: Some(standing) }
    }

    /// Wants this many distinct keys.
    ///
    /// # Errors
    /// Zero, or more than there are distinct keys; where trust metadata decides, it says how many are needed, and any number is an error.
    pub fn threshold(mut self, needed: usize) -> Result<Self, ThresholdError> {
        if needed == 0 {
            return Err(ThresholdError::Zero);
        }
        if needed > self.keys.len() {
            return Err(ThresholdError::TooHigh { needed, keys: self.keys.len() });
        }
        self.threshold = needed;
        Ok(self)
    }

    /// Wants this name to have been signed. Without it the name is not checked. Where trust metadata decides, the name is the one that it was
    /// searched for, and stays so.
    #[must_use]
    pub fn name(mut self, wanted: Wanted) -> Self {
        if self.standing.is_none() {
            self.name = Some(wanted);
        }
        self
    }

    /// Wants each counted signature to have this annotation.
    #[must_use]
    pub fn annotation(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.annotations.insert(key.into(), value.into());
        self
    }

    /// Wants an attestation of this predicate type instead of a signature; asked for several times, one of each.
    /// Name a [signature's type](signature::PREDICATE_TYPE) too to want both.
    #[must_use]
    pub fn predicate_type(mut self, predicate_type: impl Into<String>) -> Self {
        let predicate_type = predicate_type.into();
        if !self.predicate_types.contains(&predicate_type) {
            self.predicate_types.push(predicate_type);
        }
        self
    }

    /// The distinct keys.
    pub fn key_set(&self) -> &KeySet {
        &self.keys
    }

    /// How many of them must have signed.
    pub fn needed(&self) -> usize {
        self.threshold
    }

    /// The wanted name.
    pub fn wanted_name(&self) -> Option<&Wanted> {
        self.name.as_ref()
    }

    /// The wanted predicate types; a signature's where none was named.
    pub fn predicate_types(&self) -> Vec<&str> {
        match self.predicate_types.as_slice() {
            [] => alloc::vec![signature::PREDICATE_TYPE],
            named => named.iter().map(String::as_str).collect(),
        }
    }
}
