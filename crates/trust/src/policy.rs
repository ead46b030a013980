use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
#[cfg(feature = "supply-chain")]
use alloc::sync::Arc;
use alloc::vec::Vec;

use touchmark_envelope::key::PublicKey;
use touchmark_envelope::name::Wanted;
use touchmark_envelope::signature;
use touchmark_envelope::sorted;
use touchmark_envelope::threshold::{KeySet, ThresholdError};

use crate::attested::Attested;
use crate::report::AcceptedKind;
use crate::standing::Standing;
#[cfg(feature = "supply-chain")]
use crate::supply_chain::SupplyChainDemand;

/// Whom a caller trusts, and what it wants to have been said: keys and a threshold (design level 1), or what trust metadata says of a name
/// (level 2). It may also want more to have been said by others, and a supply chain to hold (level 3).
///
/// ```
/// # use touchmark_envelope::{Digest, UnixTime, key::PublicKey};
/// # use touchmark_trust::in_toto::constraint::Constraint;
/// # use touchmark_trust::{AcceptedKind, Attested, Policy, Standing, SupplyChainDemand};
/// # fn policy(standing: Standing, tester: PublicKey, owner: PublicKey, layout: Vec<u8>) -> Result<Policy, Box<dyn std::error::Error>> {
/// let passed = Constraint::parse(br#"{"at": "/result", "equals": "PASSED"}"#)?;
/// let tested = Attested::new("https://in-toto.io/attestation/test-result/v0.1").signed_by([tester], 1)?.constraint(passed);
/// let policy = Policy::trust(standing)
///     .accept_only([AcceptedKind::Entry])
///     .attested(tested)
///     .supply_chain(SupplyChainDemand::new(layout, [owner])?);
/// # Ok(policy)
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) keys: KeySet,
    pub(crate) threshold: usize,
    pub(crate) name: Option<Wanted>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) predicate_types: Vec<String>,
    /// What trust metadata says of the name, if that decides and not the caller's keys.
    pub(crate) standing: Option<Standing>,
    /// What may accept it; nothing for anything.
    pub(crate) kinds: Option<Box<[AcceptedKind]>>,
    /// The role that must decide.
    pub(crate) role: Option<Box<str>>,
    /// Attestations with signers and constraints of their own.
    pub(crate) attested: Vec<Attested>,
    /// The supply chain that must hold (level 3).
    #[cfg(feature = "supply-chain")]
    pub(crate) supply_chain: Option<Arc<SupplyChainDemand>>,
}

impl Policy {
    /// Trusts a signature by any one of `keys`; the same key twice, in whatever form, is one.
    ///
    /// # Errors
    /// No key, so that nothing could ever be accepted.
    pub fn keys(keys: impl IntoIterator<Item = PublicKey>) -> Result<Self, ThresholdError> {
        Self::by_keys(KeySet::new(keys))
    }

    /// As [`keys`](Self::keys), by a set that is there already.
    ///
    /// # Errors
    /// No key.
    pub fn by_keys(keys: KeySet) -> Result<Self, ThresholdError> {
        Self::by(keys, 1).threshold(1)
    }

    /// Trusts what trust metadata says of a name: entries and seals, and the envelopes of the keys that it lets accept the name's artifacts.
    pub fn trust(standing: Standing) -> Self {
        let name = Some(Wanted::Exact(standing.name().clone()));
        // Until the metadata says whose envelopes count, nobody's do.
        Self { name, standing: Some(standing), ..Self::by(KeySet::new([]), usize::MAX) }
    }

    fn by(keys: KeySet, threshold: usize) -> Self {
        Self {
            keys,
            threshold,
            name: None,
            annotations: BTreeMap::new(),
            predicate_types: Vec::new(),
            standing: None,
            kinds: None,
            role: None,
            attested: Vec::new(),
            #[cfg(feature = "supply-chain")]
            supply_chain: None,
        }
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

    /// Takes nothing but these: with none of them, nothing is ever accepted. Asked for several times, what all of them have.
    ///
    /// What decides is not changed by that: where there is an entry it decides, and where only envelopes could, they are not looked at if
    /// they are not taken.
    #[must_use]
    pub fn accept_only(mut self, kinds: impl IntoIterator<Item = AcceptedKind>) -> Self {
        let kinds = sorted::set(kinds);
        let before = self.kinds.take();
        let taken = |kind: &AcceptedKind| before.as_ref().is_none_or(|before| before.contains(kind));
        self.kinds = Some(kinds.into_iter().filter(taken).collect());
        self
    }

    /// Wants this role of the trust metadata to decide. Where no trust metadata decides, nothing is accepted.
    #[must_use]
    pub fn by_role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into().into_boxed_str());
        self
    }

    /// Wants this attestation too, beside what is asked for otherwise: unless predicate types are named, a signature. An annotation that is
    /// asked for is not asked of it.
    #[must_use]
    pub fn attested(mut self, wanted: Attested) -> Self {
        self.attested.push(wanted);
        self
    }

    /// Wants this in-toto layout to hold for the artifact (design level 3), once everything else does. Asked for again, the last one.
    #[cfg(feature = "supply-chain")]
    #[must_use]
    pub fn supply_chain(mut self, wanted: SupplyChainDemand) -> Self {
        self.supply_chain = Some(Arc::new(wanted));
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

    /// The annotations that each counted signature must have.
    pub fn wanted_annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// What may accept an artifact, the strongest first; nothing for anything.
    pub fn accepted_kinds(&self) -> Option<&[AcceptedKind]> {
        self.kinds.as_deref()
    }

    /// The role that must decide.
    pub fn wanted_role(&self) -> Option<&str> {
        self.role.as_deref()
    }

    /// The attestations that are wanted with signers or constraints of their own.
    pub fn wanted_attestations(&self) -> &[Attested] {
        &self.attested
    }

    /// The supply chain that must hold.
    #[cfg(feature = "supply-chain")]
    pub fn wanted_supply_chain(&self) -> Option<&SupplyChainDemand> {
        self.supply_chain.as_deref()
    }

    /// The wanted predicate types, without those of [`wanted_attestations`](Self::wanted_attestations); a signature's where none was named.
    pub fn predicate_types(&self) -> Vec<&str> {
        match self.predicate_types.as_slice() {
            [] => alloc::vec![signature::PREDICATE_TYPE],
            named => named.iter().map(String::as_str).collect(),
        }
    }
}
