//! What a caller may choose.

use alloc::vec::Vec;

use touchmark_envelope::threshold::KeySet;

use crate::attestation::Offered;
use crate::limits::Limits;
use crate::parameters::Parameters;
use crate::product::Product;

/// How a layout is verified. The default is the strict choice in everything.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// How much it takes in.
    pub limits: Limits,
    /// The values of the layout's parameters.
    pub parameters: Parameters,
    /// Whether sublayouts have them too.
    pub inheritance: Inheritance,
    /// Whose links answer inspections of the layout itself, each alone. Those of a sublayout are answered by its signer (in-toto 1.0,
    /// 4.5.3), and by nobody named here.
    pub inspectors: KeySet,
    /// What is to be had at the end of the supply chain, if the layout is to be verified for it. It answers inspections of the layout
    /// itself whose command is `true`; a link that answers another one must have begun with it.
    pub product: Option<Product>,
    /// Statements that the caller has from anywhere, such as the referrers of an artifact: they are looked at for each step and subject
    /// of a layout over attestations that expects their predicates. Links of in-toto 1.0 are found by their names alone.
    pub attestations: Vec<Offered>,
}

/// Whether sublayouts have the parameters of the layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inheritance {
    /// They have none, and braces in them are characters.
    #[default]
    None,
    /// They have all of them.
    All,
}

impl Default for Settings {
    fn default() -> Self {
        let (limits, parameters, inheritance) = (Limits::default(), Parameters::new(), Inheritance::None);
        Self { limits, parameters, inheritance, inspectors: KeySet::new([]), product: None, attestations: Vec::new() }
    }
}
