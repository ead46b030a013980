//! What was checked and what was not, as types.

use core::fmt;

/// A value that was read but whose signatures nobody has checked.
///
/// It opens only through [`Unverified::untrusted`], so that each use of unchecked data can be found by its name.
#[derive(Clone)]
pub struct Unverified<T>(T);

impl<T> Unverified<T> {
    /// Wraps what was read.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Looks at the value although nothing vouches for it: for messages, and to find out what to check next.
    pub fn untrusted(&self) -> &T {
        &self.0
    }

    /// Takes the value although nothing vouches for it.
    pub fn into_untrusted(self) -> T {
        self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for Unverified<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Unverified").field(&self.0).finish()
    }
}

/// A value that a check vouches for.
///
/// The one constructor is called in two places: [`Tally::finish`](crate::threshold::Tally::finish), where the keys that signed were
/// counted, and [`hazmat::recall`](crate::threshold::hazmat::recall), whose caller vouches that they were. Everything else that is `Verified` was derived from such values by [`Verified::map`],
/// [`Verified::try_map`] and [`Verified::join`], whose callers say by it that what they make follows from the value alone.
#[derive(Clone, Debug)]
pub struct Verified<T> {
    value: T,
    evidence: crate::threshold::Evidence,
}

impl<T> Verified<T> {
    /// Binds `value` to the evidence for it.
    pub(crate) fn by(evidence: crate::threshold::Evidence, value: T) -> Self {
        Self { value, evidence }
    }

    /// The value.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// The keys that vouch for it.
    pub fn evidence(&self) -> &crate::threshold::Evidence {
        &self.evidence
    }

    /// What follows from the value alone, under the same evidence.
    pub fn map<U>(self, derive: impl FnOnce(T) -> U) -> Verified<U> {
        Verified { value: derive(self.value), evidence: self.evidence }
    }

    /// What follows from the value alone, under the same evidence, where it may turn out that nothing does.
    ///
    /// # Errors
    /// That of `derive`.
    pub fn try_map<U, E>(self, derive: impl FnOnce(T) -> Result<U, E>) -> Result<Verified<U>, E> {
        Ok(Verified { value: derive(self.value)?, evidence: self.evidence })
    }

    /// Both values, under the keys that vouch for either.
    pub fn join<U, V>(self, other: Verified<U>, join: impl FnOnce(T, U) -> V) -> Verified<V> {
        Verified { evidence: self.evidence.join(other.evidence), value: join(self.value, other.value) }
    }

    /// The value, without its evidence.
    pub fn into_inner(self) -> T {
        self.value
    }
}
