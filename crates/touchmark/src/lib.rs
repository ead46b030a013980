//! See the README.

pub use touchmark_envelope as envelope;
pub use touchmark_oci as oci;
pub use touchmark_trust as trust;
