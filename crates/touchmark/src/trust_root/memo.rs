//! What was found out, remembered: a bounded number of answers, each for a time.

use core::hash::Hash;
use std::collections::HashMap;

use touchmark_envelope::UnixTime;

use super::state::Outcome;

/// Answers by what was asked for.
pub(super) struct Memo<K, T> {
    known: HashMap<K, Known<T>>,
    /// So many of them.
    most: usize,
    /// How often it was asked.
    asked: u64,
}

struct Known<T> {
    outcome: Outcome<T>,
    /// When it is to be found out anew: at once, if that is not known.
    until: Option<UnixTime>,
    /// When it was last asked for, as [`Memo::asked`] counts.
    asked: u64,
}

impl<K: Clone + Eq + Hash, T: Clone> Memo<K, T> {
    pub(super) fn new(most: usize) -> Self {
        Self { known: HashMap::new(), most, asked: 0 }
    }

    /// The answer, if it is good at this time.
    pub(super) fn recall(&mut self, key: &K, now: UnixTime) -> Option<Outcome<T>> {
        let known = self.known.get_mut(key).filter(|known| known.until.is_some_and(|until| now < until))?;
        self.asked = self.asked.saturating_add(1);
        known.asked = self.asked;
        Some(known.outcome.clone())
    }

    /// Whether there is an answer that was good before.
    pub(super) fn has_expired(&self, key: &K, now: UnixTime) -> bool {
        self.known.get(key).is_some_and(|known| known.outcome.is_ok() && known.until.is_none_or(|until| now >= until))
    }

    /// Remembers an answer.
    pub(super) fn keep(&mut self, key: &K, outcome: &Outcome<T>, until: Option<UnixTime>) {
        if self.most == 0 {
            return;
        }
        if self.known.len() >= self.most && !self.known.contains_key(key) {
            // Those that were asked for longest ago go, half of them at once.
            let mut asked: Vec<u64> = self.known.values().map(|known| known.asked).collect();
            let middle = asked.len() / 2;
            let (_, middle, _) = asked.select_nth_unstable(middle);
            let middle = *middle;
            self.known.retain(|_, known| known.asked > middle);
        }
        self.asked = self.asked.saturating_add(1);
        self.known.insert(key.clone(), Known { outcome: outcome.clone(), until, asked: self.asked });
    }

    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    #[cfg(test)]
    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.known.keys()
    }
}
