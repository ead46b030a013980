//! Sorted collections and slices in little code.
//!
//! `collect` into a map or a set sorts first, and the sorts of the standard library are compiled for each type, at six to eight kilobytes
//! each: a tenth of a small library. What is sorted here is short, or not waited for.

use alloc::collections::{BTreeMap, BTreeSet};
use core::cmp::Ordering;

/// The map of these pairs. Of several values of one key, the last.
pub fn map<K: Ord, V>(pairs: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    pairs.into_iter().for_each(|(key, value)| _ = map.insert(key, value));
    map
}

/// The map of these pairs, if all of them are there.
///
/// # Errors
/// The first one that is not.
pub fn try_map<K: Ord, V, E>(pairs: impl IntoIterator<Item = Result<(K, V), E>>) -> Result<BTreeMap<K, V>, E> {
    let mut map = BTreeMap::new();
    for pair in pairs {
        let (key, value) = pair?;
        map.insert(key, value);
    }
    Ok(map)
}

/// The set of these.
pub fn set<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    items.into_iter().for_each(|item| _ = set.insert(item));
    set
}

/// Sorts in place, in n log n comparisons at most; equal ones come in any order.
pub fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    if items.is_sorted_by(|one, next| compare(one, next).is_le()) {
        return;
    }
    // A heap with the largest on top, which goes to the end, again and again.
    for root in (0..items.len() / 2).rev() {
        sift(items, root, &compare);
    }
    for end in (1..items.len()).rev() {
        items.swap(0, end);
        if let Some(rest) = items.get_mut(..end) {
            sift(rest, 0, &compare);
        }
    }
}

/// Sorts in place, as [`sort_by`].
pub fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::cmp);
}

/// Lets an item sink until both below it are no larger.
fn sift<T>(heap: &mut [T], mut root: usize, compare: &impl Fn(&T, &T) -> Ordering) {
    loop {
        let (left, right) = (2 * root + 1, 2 * root + 2);
        let larger = match (heap.get(left), heap.get(right)) {
            (Some(one), Some(other)) if compare(one, other).is_lt() => right,
            (Some(_), _) => left,
            (None, _) => return,
        };
        match (heap.get(root), heap.get(larger)) {
            (Some(above), Some(below)) if compare(above, below).is_lt() => heap.swap(root, larger),
            _ => return,
        }
        root = larger;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn every_order_of_a_few_is_sorted() {
        // All sequences of up to six numbers below four: sorted, reversed, with equal ones.
        for length in 0..=6_u32 {
            for number in 0..4_u32.pow(length) {
                let mut items: Vec<u32> = (0..length).map(|place| number >> (2 * place) & 3).collect();
                let mut expected = items.clone();
                expected.sort_unstable();
                sort(&mut items);
                assert_eq!(items, expected);
            }
        }
        let mut many: Vec<u32> = (0..1000_u32).map(|n| n.wrapping_mul(2_654_435_761) % 997).collect();
        sort_by(&mut many, |a, b| b.cmp(a));
        assert!(many.is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn of_several_values_of_a_key_the_last_is_kept() {
        let pairs = [("b", 1), ("a", 2), ("b", 3)];
        assert_eq!(map(pairs), pairs.into_iter().collect());
        assert_eq!(set([2, 1, 2]), [2, 1, 2].into_iter().collect());
        assert_eq!(try_map(pairs.map(Ok::<_, ()>)), Ok(map(pairs)));
        assert_eq!(try_map([Ok(("a", 1)), Err("first"), Err("second")]), Err("first"));
    }
}
