//! How much is computed for a stranger's metadata.

/// What rules may still compute: about one unit for each artifact that a rule looks at, and for each character that a pattern is tried with.
#[derive(Clone, Debug)]
pub struct Work {
    left: u64,
}

/// All of it was computed, and the rules were not through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rules take more work than is allowed")]
pub struct OutOfWork;

impl Work {
    /// As much as this.
    pub fn new(left: u64) -> Self {
        Self { left }
    }

    #[inline]
    pub(crate) fn spend(&mut self, units: u64) -> Result<(), OutOfWork> {
        self.left = self.left.checked_sub(units).ok_or(OutOfWork)?;
        Ok(())
    }
}
