use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::key::PublicKey;
use touchmark_envelope::threshold::{KeySet, Tally, ThresholdError};
use touchmark_in_toto::constraint::Constraint;

/// An attestation that a policy wants: of one predicate type, by whom, and what its predicate must say.
///
/// Only statements that alone are all of it count: nothing is assembled from two.
#[derive(Clone, Debug)]
pub struct Attested {
    pub(crate) predicate_type: String,
    /// Who must have signed it, and how many of them; nothing for those whom the policy trusts.
    pub(crate) signers: Option<(KeySet, usize)>,
    pub(crate) constraints: Vec<Constraint>,
}

impl Attested {
    /// Wants an attestation of this predicate type, by those whom the policy trusts.
    pub fn new(predicate_type: impl Into<String>) -> Self {
        Self { predicate_type: predicate_type.into(), signers: None, constraints: Vec::new() }
    }

    /// Wants this many distinct ones of these keys to have signed it, whomever the policy trusts.
    ///
    /// # Errors
    /// Zero, or more than there are distinct keys.
    pub fn signed_by(mut self, keys: impl IntoIterator<Item = PublicKey>, needed: usize) -> Result<Self, ThresholdError> {
        let keys = KeySet::new(keys);
        Tally::<()>::new(keys.clone(), needed)?;
        self.signers = Some((keys, needed));
        Ok(self)
    }

    /// Wants the predicate to meet this, too.
    #[must_use]
    pub fn constraint(mut self, constraint: Constraint) -> Self {
        self.constraints.push(constraint);
        self
    }

    /// Its predicate type.
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// Who must have signed it, and how many of them; `None` for those whom the policy trusts.
    pub fn signers(&self) -> Option<(&KeySet, usize)> {
        self.signers.as_ref().map(|(keys, needed)| (keys, *needed))
    }

    /// What its predicate must meet.
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }
}
