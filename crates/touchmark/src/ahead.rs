use std::collections::HashMap;

use touchmark_envelope::Digest;
use touchmark_trust::{Answer, Failure, Need, Search};

/// A manifest that is fetched ahead has at most this many bytes, whatever it is listed with.
const AHEAD_MANIFEST: u64 = 64 << 10;
/// All that is fetched ahead at once is listed with at most this many bytes.
const AHEAD_ALL: u64 = 4 << 20;

/// What is fetched under a digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Manifest,
    Blob,
    Hash,
}

/// The kind, the digest and the limit of what a need is about, if that is content.
pub(crate) fn content(need: &Need) -> Option<(Kind, Digest, u64)> {
    match need {
        Need::Manifest { digest, limit } => Some((Kind::Manifest, *digest, *limit)),
        Need::Blob { digest, limit } => Some((Kind::Blob, *digest, *limit)),
        Need::Hash { digest, size } => Some((Kind::Hash, *digest, *size)),
        _ => None,
    }
}

/// What a driver fetched before the search asked for it.
pub(crate) struct Ahead {
    /// How many things are fetched at the same time.
    readers: usize,
    held: HashMap<(Kind, Digest), Answer>,
}

impl Ahead {
    pub(crate) fn new(readers: usize) -> Self {
        Self { readers, held: HashMap::new() }
    }

    /// The answer for a digest, if it is held.
    pub(crate) fn take(&mut self, kind: Kind, digest: &Digest) -> Option<Answer> {
        self.held.remove(&(kind, *digest))
    }

    /// What will be needed together with something of this kind, whose limit is `limit`: each with a limit of its own, and the limit for
    /// all of them. None if nothing is gained by fetching together.
    pub(crate) fn batch(&mut self, search: &Search, kind: Kind, limit: u64) -> (Vec<(Digest, u64)>, u64) {
        let Some(most) = self.readers.checked_sub(1).filter(|most| *most > 0) else { return (Vec::new(), limit) };
        // Some of what is held may have been fetched in vain.
        if self.held.len() > self.readers.saturating_mul(2) {
            self.held.clear();
        }
        let held = |digest: &Digest| match self.held.get(&(Kind::Manifest, *digest)) {
            Some(Answer::Bytes(bytes)) => Some(bytes.as_slice()),
            _ => None,
        };
        let ahead = search.ahead(most, &held);
        let mut left = AHEAD_ALL;
        let mut batch: Vec<(Digest, u64)> = Vec::new();
        for (_, digest, limit) in ahead.iter().filter_map(content).filter(|(other, ..)| *other == kind) {
            // A blob that is hashed is not held.
            let (bytes, most) = match kind {
                Kind::Manifest => (limit, AHEAD_MANIFEST),
                Kind::Blob => (limit, left),
                Kind::Hash => (0, 0),
            };
            let is_known = self.held.contains_key(&(kind, digest)) || batch.iter().any(|(known, _)| *known == digest);
            if bytes <= most.min(left) && !is_known {
                left = left.saturating_sub(bytes);
                batch.push((digest, limit));
            }
        }
        (batch, limit.min(AHEAD_MANIFEST))
    }

    /// Holds what was fetched. What is larger than was thought is fetched by itself when it is needed.
    pub(crate) fn keep(&mut self, kind: Kind, fetched: impl Iterator<Item = (Digest, Answer)>) {
        let fits = fetched.filter(|(_, answer)| !matches!(answer, Answer::Failed(Failure::TooLarge { .. })));
        self.held.extend(fits.map(|(digest, answer)| ((kind, digest), answer)));
    }
}
