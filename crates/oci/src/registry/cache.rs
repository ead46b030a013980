//! Manifests that were read, so that none is asked for twice.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use touchmark_envelope::Digest;

use crate::scan::length;

/// At most this many bytes are kept.
pub(super) const MAX_BYTES: u64 = 16 << 20;

/// Bytes by a digest that they were hashed to. What came first goes first when there are too many.
#[derive(Default)]
pub(super) struct Cache {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    bytes: u64,
    by_digest: HashMap<Digest, Arc<[u8]>>,
    order: VecDeque<Digest>,
}

impl Cache {
    /// The bytes of this digest.
    pub(super) fn find(&self, digest: &Digest) -> Option<Arc<[u8]>> {
        self.lock().by_digest.get(digest).cloned()
    }

    /// Keeps bytes, which have this digest.
    pub(super) fn keep(&self, digest: Digest, bytes: Arc<[u8]>) {
        let mut kept = self.lock();
        let size = length(&bytes);
        if size > MAX_BYTES || kept.by_digest.contains_key(&digest) {
            return;
        }
        while kept.bytes.saturating_add(size) > MAX_BYTES {
            let Some(oldest) = kept.order.pop_front() else { break };
            let freed = kept.by_digest.remove(&oldest).map_or(0, |bytes| length(&bytes));
            kept.bytes = kept.bytes.saturating_sub(freed);
        }
        kept.bytes = kept.bytes.saturating_add(size);
        kept.order.push_back(digest);
        kept.by_digest.insert(digest, bytes);
    }

    /// Forgets the bytes of this digest, which may be there no longer.
    pub(super) fn forget(&self, digest: &Digest) {
        let mut kept = self.lock();
        if let Some(bytes) = kept.by_digest.remove(digest) {
            kept.bytes = kept.bytes.saturating_sub(length(&bytes));
            kept.order.retain(|known| known != digest);
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        *self.lock() = Kept::default();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Whoever panicked left whole entries.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("bytes", &self.lock().bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_envelope::digest::Algorithm;

    fn keep(cache: &Cache, bytes: Vec<u8>) -> Digest {
        let digest = Algorithm::Sha256.digest(&bytes);
        cache.keep(digest, bytes.into());
        digest
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_bytes() {
        let cache = Cache::default();
        let quarter = usize::try_from(MAX_BYTES / 4).unwrap();
        let digests: Vec<_> = (0..6_u8).map(|number| keep(&cache, vec![number; quarter])).collect();
        let found: Vec<_> = digests.iter().map(|digest| cache.find(digest).is_some()).collect();
        assert_eq!(found, [false, false, true, true, true, true]);
        let large = keep(&cache, vec![0; quarter * 4 + 1]);
        assert!(cache.find(&large).is_none() && cache.find(&digests[5]).is_some());
        cache.forget(&digests[5]);
        assert!(cache.find(&digests[5]).is_none());
        keep(&cache, vec![9; quarter]);
        assert!(cache.find(&digests[2]).is_some(), "what was forgotten made room");
    }
}
