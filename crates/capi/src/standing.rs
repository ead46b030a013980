//! What trust metadata says of a name.

use touchmark_trust::Standing;

/// What trust metadata says of a name. Immutable; any number of threads may use one.
pub struct touchmark_standing {
    pub(crate) standing: Standing,
}
