//! Why content may be served: the artifacts that it was verified as a part of. Whether they are verified still is decided at each request.

use std::collections::{HashMap, VecDeque};

use touchmark::envelope::manifest::Manifest;
use touchmark::{Digest, Name};

/// So many digests are remembered; the oldest go first, and are found out again.
const MOST: usize = 1 << 16;
/// So many reasons for one of them.
const MOST_EACH: usize = 8;

/// Content may be served if `artifact` is verified as `name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ground {
    /// The name.
    pub(crate) name: Name,
    /// The manifest: itself, or the one that names it.
    pub(crate) artifact: Digest,
    /// The index whose signatures are the artifact's, if it has none of its own.
    pub(crate) covered_by: Option<Digest>,
}

/// The grounds for manifests and blobs, by digest.
#[derive(Debug, Default)]
pub(crate) struct Grounds {
    known: HashMap<Digest, Vec<Ground>>,
    order: VecDeque<Digest>,
}

impl Grounds {
    /// Notes what follows from a manifest that was verified: it, its blobs, and the images that it covers if it is an index.
    pub(crate) fn learn(&mut self, ground: &Ground, manifest: &Manifest) {
        self.note(ground.artifact, ground);
        for blob in manifest.blobs() {
            self.note(blob.digest, ground);
        }
        // One level: what an index within an index lists is not covered.
        if ground.covered_by.is_none() {
            for child in manifest.children() {
                self.note(child.digest, &Ground { name: ground.name.clone(), artifact: child.digest, covered_by: Some(ground.artifact) });
            }
        }
    }

    /// The grounds for a repository's manifest or blob.
    pub(crate) fn of(&self, repository: &Name, digest: &Digest) -> Vec<Ground> {
        let all = self.known.get(digest).into_iter().flatten();
        all.filter(|ground| ground.name.path() == repository.path()).cloned().collect()
    }

    fn note(&mut self, digest: Digest, ground: &Ground) {
        let grounds = self.known.entry(digest).or_insert_with(|| {
            self.order.push_back(digest);
            Vec::new()
        });
        grounds.retain(|known| known != ground);
        grounds.push(ground.clone());
        if grounds.len() > MOST_EACH {
            grounds.remove(0);
        }
        while self.order.len() > MOST {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }
}
