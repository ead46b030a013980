//! Reading at the destination what was copied.

use std::collections::{BTreeMap, HashSet};

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::Descriptor;

use super::{Copying, blobs_of};
use crate::error::{Class, Error};
use crate::graph::{Content, Node, NodeId};
use crate::parallel;
use crate::source::Source;

/// Manifests that are read at once.
const BATCH: usize = 256;
/// Bytes of them, as far as they can be divided.
const BATCH_BYTES: u64 = 4 << 20;

impl Copying<'_> {
    /// Reads at the destination what was copied: manifests by their bytes, blobs by their size (their bytes were hashed when they
    /// were written), lists of referrers by what they list, tags by what they name.
    pub(super) fn read_back(&mut self, to: &dyn Source) -> Result<(), Error> {
        self.manifests_back(to);
        self.blobs_back(to)?;
        self.lists_back(to)?;
        self.tags_back(to)
    }

    fn manifests_back(&mut self, to: &dyn Source) {
        let copied: Vec<NodeId> = self.plan.nodes.iter().copied().filter(|id| self.is_copied(*id)).collect();
        let mut left = copied.as_slice();
        while !left.is_empty() {
            let mut held = 0_u64;
            let fits = |id: &&NodeId| {
                held = held.saturating_add(self.graph.node(**id).descriptor.size);
                held <= BATCH_BYTES
            };
            let count = left.iter().take(BATCH).take_while(fits).count().max(1);
            let (batch, rest) = left.split_at(count.min(left.len()));
            left = rest;
            let digests: Vec<Digest> = batch.iter().map(|id| self.graph.node(*id).descriptor.digest).collect();
            for (digest, read) in digests.iter().zip(to.manifests(&digests, self.options.limits.manifest_bytes)) {
                if let Err(error) = read {
                    self.lose(*digest, None, error);
                }
            }
        }
    }

    fn blobs_back(&mut self, to: &dyn Source) -> Result<(), Error> {
        let mut seen = HashSet::new();
        let nodes = self.plan.nodes.iter().map(|id| self.graph.node(*id));
        let blobs = nodes.flat_map(|node| blobs_of(node).iter().map(move |blob| (node, blob)));
        let wanted: Vec<(&Node, &Descriptor)> = blobs.filter(|(_, blob)| seen.insert((blob.digest, blob.size))).collect();
        let digests: Vec<Digest> = wanted.iter().map(|(_, blob)| blob.digest).collect();
        for ((node, blob), size) in wanted.into_iter().zip(to.sizes_as_blobs(&digests)) {
            if size? != Some(blob.size) && !self.lost.contains(&blob.digest) && !self.may_lack(node, blob) {
                let error = Error::NoSuchBlob { location: to.location(), digest: blob.digest };
                self.lose(blob.digest, Some(node.descriptor.digest), error);
            }
        }
        Ok(())
    }

    /// Whether a blob that is not at the destination was left out knowingly.
    fn may_lack(&self, node: &Node, blob: &Descriptor) -> bool {
        self.report.findings.iter().any(|finding| finding.digest == Some(blob.digest))
            || self.inlined(node.descriptor.digest, blob).is_some()
    }

    fn lists_back(&mut self, to: &dyn Source) -> Result<(), Error> {
        let mut subjects: BTreeMap<Digest, Vec<Digest>> = BTreeMap::new();
        for id in &self.plan.referrers {
            let node = self.graph.node(*id);
            if let Content::Manifest { subject: Some(subject), .. } = node.content
                && self.is_copied(*id)
            {
                subjects.entry(subject).or_default().push(node.descriptor.digest);
            }
        }
        let limits = &self.options.limits;
        let subjects: Vec<(Digest, Vec<Digest>)> = subjects.into_iter().collect();
        let listed: Vec<Result<Vec<Descriptor>, Error>> = match to.all_referrers(usize::MAX, u64::MAX)? {
            Some(all) => subjects.iter().map(|(subject, _)| Ok(all.by_subject.get(subject).cloned().unwrap_or_default())).collect(),
            None => parallel::map(&subjects, to.readers(), |(subject, _)| {
                to.referrers(subject, limits.referrers, limits.referrers_bytes).map(|found| found.entries)
            }),
        };
        for ((subject, referrers), listed) in subjects.into_iter().zip(listed) {
            let listed: HashSet<Digest> = listed?.iter().map(|entry| entry.digest).collect();
            for digest in referrers.into_iter().filter(|digest| !listed.contains(digest)) {
                self.lose(digest, Some(subject), Error::NotListed { location: to.location(), digest });
            }
        }
        Ok(())
    }

    fn tags_back(&mut self, to: &dyn Source) -> Result<(), Error> {
        let items = std::mem::take(&mut self.report.items);
        let mut wanted: Vec<(Digest, Option<&str>)> = items.iter().map(|item| (item.descriptor.digest, item.tag.as_deref())).collect();
        let tagged = self.plan.tagged.iter().filter(|(id, _)| self.is_copied(*id));
        wanted.extend(tagged.map(|(id, tag)| (self.graph.node(*id).descriptor.digest, Some(tag.as_str()))));
        let resolved = parallel::map(&wanted, to.readers(), |(digest, tag)| match tag {
            Some(tag) => match to.resolve(Some(tag), None) {
                Ok(found) => Ok(found.digest == *digest),
                Err(error) if error.class() == Class::NotFound => Ok(false),
                Err(error) => Err(error),
            },
            None => Ok(true),
        });
        for ((digest, _), found) in wanted.into_iter().zip(resolved) {
            if !found? {
                self.lose(digest, None, Error::NotListed { location: to.location(), digest });
            }
        }
        self.report.items = items.into_iter().filter(|item| !self.lost.contains(&item.descriptor.digest)).collect();
        Ok(())
    }
}
