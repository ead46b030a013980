use alloc::vec::Vec;

use touchmark_envelope::key::PublicKey;
use touchmark_envelope::threshold::{KeySet, ThresholdError};
use touchmark_in_toto::{Inheritance, Limits, Parameters};

/// An in-toto layout that must hold for the artifact (design level 3), by what is attached to it.
///
/// The final product is the manifest that decides, and what it names; a step must have made it. No command is run: an inspection that
/// neither the product nor a link by an inspector answers is not verified.
#[derive(Clone, Debug)]
pub struct SupplyChainDemand {
    pub(crate) layout: Vec<u8>,
    pub(crate) keys: KeySet,
    pub(crate) inspectors: KeySet,
    pub(crate) parameters: Parameters,
    pub(crate) inheritance: Inheritance,
    /// Nothing for those that follow from the search's.
    pub(crate) limits: Option<Limits>,
}

impl SupplyChainDemand {
    /// Wants this signed layout to hold, which every one of `keys` must have signed. That is told when it is verified: a layout that not all
    /// signed, or that has expired, is untrusted metadata.
    ///
    /// # Errors
    /// No key.
    pub fn new(layout: Vec<u8>, keys: impl IntoIterator<Item = PublicKey>) -> Result<Self, ThresholdError> {
        let keys = KeySet::new(keys);
        if keys.is_empty() {
            return Err(ThresholdError::TooHigh { needed: 1, keys: 0 });
        }
        let (parameters, inheritance) = (Parameters::new(), Inheritance::None);
        Ok(Self { layout, keys, inspectors: KeySet::new([]), parameters, inheritance, limits: None })
    }

    /// Lets links by these keys answer inspections of the layout itself, each alone.
    #[must_use]
    pub fn inspectors(mut self, keys: impl IntoIterator<Item = PublicKey>) -> Self {
        self.inspectors = KeySet::new(keys);
        self
    }

    /// Gives the layout's parameters these values; `inheritance` says whether sublayouts have them too.
    #[must_use]
    pub fn parameters(mut self, parameters: Parameters, inheritance: Inheritance) -> Self {
        (self.parameters, self.inheritance) = (parameters, inheritance);
        self
    }

    /// Sets other limits than those that follow from the search's: files have those of attestations, and what is read and computed is bounded
    /// by its work.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// The layout, as it was given.
    pub fn layout(&self) -> &[u8] {
        &self.layout
    }

    /// The keys that must have signed it.
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }
}
