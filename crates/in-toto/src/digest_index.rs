//! Things by their digests, so that a thousand of them are matched with a thousand others in less than a million steps.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use crate::artifacts::{Digests, is_strong};
use crate::work::{OutOfWork, Work};

/// Things, each with digests, by which those that are the same as another are found.
pub(crate) struct DigestIndex<'a, T> {
    /// Those with each strong digest.
    by: BTreeMap<(&'a str, &'a str), Vec<(Digests<'a>, T)>>,
}

impl<'a, T: Copy> DigestIndex<'a, T> {
    pub(crate) fn new() -> Self {
        Self { by: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, digests: Digests<'a>, thing: T) {
        for pair in digests.iter().filter(|(algorithm, _)| is_strong(algorithm)) {
            self.by.entry(pair).or_default().push((digests, thing));
        }
    }

    /// Those that are the same as what has these digests ([`Digests::match_as_sets`]); one may come several times.
    pub(crate) fn find(&self, digests: Digests<'_>, work: &mut Work) -> Result<Vec<T>, OutOfWork> {
        let mut found = Vec::new();
        let _all = self.each(digests, work, |thing| {
            found.push(thing);
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// Whether there is such a thing.
    pub(crate) fn has(&self, digests: Digests<'_>, work: &mut Work) -> Result<bool, OutOfWork> {
        Ok(self.each(digests, work, |_| ControlFlow::Break(()))?.is_break())
    }

    /// Each of them. A unit of work is a digest that is looked for, and a byte of those that are compared: sets may be as long as a link.
    fn each(
        &self,
        digests: Digests<'_>,
        work: &mut Work,
        mut take: impl FnMut(T) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, OutOfWork> {
        for pair in digests.iter() {
            work.spend(1)?;
            for (other, thing) in self.by.get(&pair).map(Vec::as_slice).unwrap_or_default() {
                work.spend(digests.bytes().saturating_add(other.bytes()))?;
                if digests.match_as_sets(*other) && take(*thing).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest_set::DigestSet;

    #[test]
    fn what_is_the_same_is_found_and_nothing_else() {
        let sets =
            [&[("sha256", "aa"), ("sha512", "bb")][..], &[("sha256", "aa"), ("sha512", "cc")], &[("sha512", "bb")], &[("md5", "dd")]]
                .map(|pairs| DigestSet::new(pairs.iter().copied()).unwrap());
        let mut index = DigestIndex::new();
        for (number, set) in sets.iter().enumerate() {
            index.add(set.digests(), number);
        }
        let find = |pairs: &[(&str, &str)]| {
            let set = DigestSet::new(pairs.iter().copied()).unwrap();
            let work = &mut Work::new(1000);
            let found = index.find(set.digests(), work).unwrap();
            assert_eq!(index.has(set.digests(), work).unwrap(), !found.is_empty());
            found
        };
        assert_eq!(find(&[("sha256", "aa")]), [0, 1]);
        assert_eq!(find(&[("sha256", "aa"), ("sha512", "bb")]), [0, 0, 2]);
        assert_eq!(find(&[("sha256", "aa"), ("sha512", "dd")]), [0; 0]);
        assert_eq!(find(&[("md5", "dd")]), [0; 0]);
    }
}
