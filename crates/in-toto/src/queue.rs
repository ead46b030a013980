//! Which artifacts of a step no rule has consumed yet.

use alloc::vec::Vec;

/// Places of artifacts, in their order, of which any can be taken out. What was taken out is stepped over without being looked at, so
/// that a hundred rules that each consume a folder look at each artifact once.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    /// For each place a later one before which none is left, or the place itself if it is left. The last is beyond all artifacts.
    next: Vec<u32>,
    left: usize,
}

impl Queue {
    /// All of `artifacts` places. More than 2^32 - 2 there never are.
    pub(crate) fn new(artifacts: usize) -> Self {
        let end = u32::try_from(artifacts).unwrap_or(u32::MAX - 1);
        Self { next: (0..=end).collect(), left: artifacts }
    }

    /// How many are left.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// The first that is left, not before `place`; the number of artifacts if there is none.
    pub(crate) fn first(&mut self, place: usize) -> usize {
        let mut at = place;
        loop {
            let Some(next) = self.at(at) else { return self.next.len().saturating_sub(1) };
            if next == at {
                return at;
            }
            // Each place on the way learns where its successor leads.
            let further = self.at(next).unwrap_or(next);
            self.set(at, further);
            at = next;
        }
    }

    /// Whether the artifact at `place` is left.
    pub(crate) fn has(&self, place: usize) -> bool {
        place < self.next.len().saturating_sub(1) && self.at(place) == Some(place)
    }

    /// Takes the artifact at `place` out, if it is left.
    pub(crate) fn take(&mut self, place: usize) {
        if self.has(place) {
            self.set(place, place + 1);
            self.left -= 1;
        }
    }

    fn at(&self, place: usize) -> Option<usize> {
        self.next.get(place).and_then(|next| usize::try_from(*next).ok())
    }

    fn set(&mut self, place: usize, next: usize) {
        if let (Some(slot), Ok(next)) = (self.next.get_mut(place), u32::try_from(next)) {
            *slot = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(queue: &mut Queue) -> Vec<usize> {
        let (mut found, mut place) = (Vec::new(), queue.first(0));
        while queue.has(place) {
            found.push(place);
            place = queue.first(place + 1);
        }
        found
    }

    #[test]
    fn what_is_taken_is_stepped_over() {
        let mut queue = Queue::new(6);
        for (take, left) in
            [(1, &[0, 2, 3, 4, 5][..]), (3, &[0, 2, 4, 5]), (2, &[0, 4, 5]), (2, &[0, 4, 5]), (0, &[4, 5]), (5, &[4]), (4, &[])]
        {
            queue.take(take);
            assert_eq!((rest(&mut queue).as_slice(), queue.left()), (left, left.len()), "{take}");
        }
        assert_eq!((queue.first(0), queue.first(6), queue.first(99), queue.has(6)), (6, 6, 6, false));
        queue.take(6);
        assert_eq!((queue.left(), rest(&mut Queue::new(0))), (0, alloc::vec![]));
    }
}
