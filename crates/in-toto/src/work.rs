//! How much is computed for a stranger's metadata.

/// What rules may still compute: about one unit for each artifact that a rule looks at, and for each character that a pattern is tried with.
#[derive(Clone, Debug)]
pub struct Work {
    left: u64,
    /// How many names of artifacts may still be kept for reasons.
    names: u32,
}

/// Names of artifacts that are kept for the reasons of one verification. Rules that fail and artifacts are as many as strangers want.
const MAX_KEPT: u32 = 4096;

/// All of it was computed, and the rules were not through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rules take more work than is allowed")]
pub struct OutOfWork;

impl Work {
    /// As much as this.
    pub fn new(left: u64) -> Self {
        Self { left, names: MAX_KEPT }
    }

    /// What is left of it.
    pub fn left(&self) -> u64 {
        self.left
    }

    #[inline]
    pub(crate) fn spend(&mut self, units: u64) -> Result<(), OutOfWork> {
        self.left = self.left.checked_sub(units).ok_or(OutOfWork)?;
        Ok(())
    }

    /// Whether one more name may be kept.
    pub(crate) fn keeps_name(&mut self) -> bool {
        let left = self.names.checked_sub(1);
        self.names = left.unwrap_or(0);
        left.is_some()
    }
}
