//! What a caller may choose.

use touchmark_envelope::threshold::KeySet;

use crate::limits::Limits;
use crate::parameters::Parameters;

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
        Self { limits: Limits::default(), parameters: Parameters::new(), inheritance: Inheritance::None, inspectors: KeySet::new([]) }
    }
}
