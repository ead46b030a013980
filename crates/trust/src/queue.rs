use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::Descriptor;

/// The referrers that are still to be looked at, from every list that was had; each digest once, however often it is listed.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    entries: VecDeque<Descriptor>,
    known: BTreeSet<Digest>,
    /// How many keys are still missing.
    missing: Option<usize>,
    /// How many were looked at and brought none of them.
    fruitless: usize,
}

impl Queue {
    /// Takes in a list: first those whose listed artifactType is one of `wanted`, then the others, each in the listed order. Says
    /// whether all of them fit: no more than `limit` are taken from all lists together.
    pub(crate) fn take_in(&mut self, listed: Vec<Descriptor>, wanted: &[&str], limit: usize) -> bool {
        let mut fits = true;
        let mut new = Vec::new();
        for entry in listed {
            if self.known.contains(&entry.digest) {
                continue;
            }
            if self.known.len() >= limit {
                fits = false;
                break;
            }
            self.known.insert(entry.digest);
            new.push(entry);
        }
        let is_likely = |entry: &Descriptor| entry.artifact_type.as_deref().is_some_and(|hint| wanted.contains(&hint));
        let (likely, others): (Vec<_>, Vec<_>) = new.into_iter().partition(is_likely);
        self.entries.extend(likely);
        self.entries.extend(others);
        fits
    }

    /// The next one.
    pub(crate) fn pop(&mut self) -> Option<Descriptor> {
        self.entries.pop_front()
    }

    /// Notes how many keys are missing after one more was looked at.
    pub(crate) fn looked_at(&mut self, missing: usize) {
        if self.missing.replace(missing) == Some(missing) {
            self.fruitless = self.fruitless.saturating_add(1);
        }
    }

    /// Those that will very likely be wanted after the one that is looked at. With that one they are as many as keys are missing, and
    /// no fewer than were looked at in vain and one more: so the number doubles as long as nothing is found.
    pub(crate) fn ahead(&self) -> impl Iterator<Item = &Descriptor> {
        let window = self.missing.unwrap_or(1).max(self.fruitless.saturating_add(1));
        self.entries.iter().take(window.saturating_sub(1))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}
