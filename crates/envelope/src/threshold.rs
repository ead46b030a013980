//! The one place that counts signatures.

/// Which keys vouch for a value. Only this module makes one.
#[derive(Clone, Debug)]
pub struct Evidence(());
