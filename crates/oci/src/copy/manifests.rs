//! The manifests, the lists of referrers, and the tags.

use std::collections::HashSet;

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Descriptor, Manifest};

use super::{Copying, Item, Scope, is_fatal};
use crate::error::{Class, Error};
use crate::graph::NodeId;
use crate::parallel;
use crate::source::{Finding, Store};

/// Referrers that are listed in one write.
const BATCH: usize = 512;
/// Bytes of manifests that are held at once, as far as they can be divided.
const BATCH_BYTES: u64 = 4 << 20;

impl Copying<'_> {
    /// Stores manifests without listing them: children are never listed on their own, and artifacts are there before what refers to
    /// them.
    pub(super) fn manifests(&mut self, to: Option<&dyn Store>) -> Result<(), Error> {
        let manifests = self.plan.nodes.iter().map(|id| (*id, &self.graph.node(*id).descriptor));
        let manifests: Vec<(NodeId, &Descriptor)> = manifests.filter(|(id, _)| self.is_copied(*id)).collect();
        let there = self.are_manifests_there(&manifests)?;
        let mut kept = HashSet::new();
        for ((id, descriptor), is_there) in manifests.into_iter().zip(there) {
            if is_there {
                kept.insert(id);
                self.report.manifests_there += 1;
            } else {
                self.report.manifests.push(descriptor.clone());
            }
        }
        let Some(to) = to else { return Ok(()) };
        for layer in &self.plan.layers {
            // A registry's were read, and are right; a folder's are checked when they are stored again.
            let layer = layer.iter().copied().filter(|id| to.repository().is_none() || !kept.contains(id));
            for batch in self.batches(&layer.collect::<Vec<_>>()) {
                let bytes = self.bytes(&batch);
                let writers = self.writers(Some(to));
                let manifests: Vec<_> = batch.iter().zip(bytes).collect();
                let stored = parallel::map(&manifests, writers, |(id, bytes)| match bytes {
                    Ok(bytes) => Some(to.put_unlisted(&self.graph.node(**id).descriptor, bytes)),
                    Err(_) => None,
                });
                for ((id, bytes), stored) in manifests.into_iter().zip(stored) {
                    match (bytes, stored) {
                        (Err(error), _) => self.lose_manifest(*id, error)?,
                        (Ok(_), Some(Err(error))) if is_fatal(&error) => return Err(error),
                        (Ok(_), Some(Err(error))) => self.lose_manifest(*id, error)?,
                        (Ok(_), Some(Ok(()))) | (Ok(_), None) => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether each manifest is at the destination. A registry keeps manifests apart from blobs, so there they are read.
    fn are_manifests_there(&self, manifests: &[(NodeId, &Descriptor)]) -> Result<Vec<bool>, Error> {
        let Some(there) = self.there.filter(|there| there.repository().is_some()) else {
            return self.are_there(manifests.iter().map(|(_, descriptor)| *descriptor), |there, digests| there.sizes(digests));
        };
        let ids: Vec<NodeId> = manifests.iter().map(|(id, _)| *id).collect();
        let mut found = Vec::with_capacity(ids.len());
        for batch in self.batches(&ids) {
            let digests: Vec<Digest> = batch.iter().map(|id| self.graph.node(*id).descriptor.digest).collect();
            for read in there.manifests(&digests, self.options.limits.manifest_bytes) {
                match read {
                    Ok(_) => found.push(true),
                    Err(error) if matches!(error.class(), Class::Unavailable | Class::Usage) => return Err(error),
                    // What is damaged there is written anew.
                    Err(_) => found.push(false),
                }
            }
        }
        Ok(found)
    }

    /// What cannot be had from the source, or is not taken by the destination.
    fn lose_manifest(&mut self, id: NodeId, error: Error) -> Result<(), Error> {
        if matches!(error, Error::Connection { .. }) {
            return Err(error);
        }
        self.lose(self.graph.node(id).descriptor.digest, None, self.at_source(error));
        Ok(())
    }

    /// `nodes` in batches, none of which has too many bytes of manifests.
    fn batches(&self, nodes: &[NodeId]) -> Vec<Vec<NodeId>> {
        let mut batches: Vec<Vec<NodeId>> = Vec::new();
        let (mut batch, mut held): (Vec<NodeId>, u64) = (Vec::new(), 0);
        let mut algorithm = None;
        for id in nodes {
            let descriptor = &self.graph.node(*id).descriptor;
            let is_other = algorithm.replace(descriptor.digest.algorithm()).is_some_and(|before| before != descriptor.digest.algorithm());
            if is_other || batch.len() >= BATCH || held.saturating_add(descriptor.size) > BATCH_BYTES {
                batches.push(std::mem::take(&mut batch));
                held = 0;
            }
            held = held.saturating_add(descriptor.size);
            batch.push(*id);
        }
        batches.push(batch);
        batches.retain(|batch| !batch.is_empty());
        batches
    }

    /// Lists the referrers.
    pub(super) fn referrers(&mut self, to: &dyn Store) -> Result<(), Error> {
        let copied: Vec<NodeId> = self.plan.referrers.iter().copied().filter(|id| self.is_copied(*id)).collect();
        for batch in self.batches(&copied) {
            let mut manifests = Vec::with_capacity(batch.len());
            for (id, bytes) in batch.iter().zip(self.bytes(&batch)) {
                match bytes {
                    Ok(bytes) => manifests.push((self.graph.node(*id).descriptor.digest, bytes)),
                    Err(error) => self.lose_manifest(*id, error)?,
                }
            }
            self.attach(to, &manifests)?;
        }
        Ok(())
    }

    /// Lists referrers whose digests are of one algorithm.
    fn attach(&mut self, to: &dyn Store, batch: &[(Digest, Vec<u8>)]) -> Result<(), Error> {
        let Some((first, _)) = batch.first() else { return Ok(()) };
        let algorithm = first.algorithm();
        let manifests: Vec<&[u8]> = batch.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        match to.attach_as(algorithm, &manifests) {
            Ok(attached) => {
                self.notice(attached.into_iter().flat_map(|attached| attached.notices));
                return Ok(());
            }
            Err(error) if is_fatal(&error) => return Err(error),
            // One of them is at fault; the others are not left behind for it.
            Err(_) => {}
        }
        for (digest, bytes) in batch {
            match to.attach_as(algorithm, &[bytes]) {
                Ok(attached) => self.notice(attached.into_iter().flat_map(|attached| attached.notices)),
                Err(error) if is_fatal(&error) => return Err(error),
                Err(error) => self.lose(*digest, None, error),
            }
        }
        Ok(())
    }

    fn notice(&mut self, notices: impl Iterator<Item = Finding>) {
        for notice in notices {
            if !self.report.findings.contains(&notice) {
                self.report.findings.push(notice);
            }
        }
    }

    /// The tags by which cosign finds what it wrote.
    pub(super) fn tags(&mut self, to: &dyn Store) -> Result<(), Error> {
        let tagged = self.plan.tagged.iter().filter(|(id, _)| self.is_copied(*id));
        let tagged: Vec<(NodeId, Option<&str>)> = tagged.map(|(id, tag)| (*id, Some(tag.as_str()))).collect();
        self.list(to, &tagged)
    }

    /// The artifacts, with their tags.
    pub(super) fn items(&mut self, to: Option<&dyn Store>, items: &[Item]) -> Result<(), Error> {
        if self.options.scope == Scope::Referrers {
            return Ok(());
        }
        let mut listed = Vec::new();
        for item in items {
            let known = self.graph.roots().iter().find(|id| self.graph.node(**id).descriptor.digest == item.descriptor.digest);
            if let Some(id) = known.filter(|id| self.is_copied(**id)) {
                listed.push((*id, item.tag.as_deref()));
                let descriptor = self.graph.node(*id).descriptor.clone();
                self.report.items.push(Item { descriptor, tag: item.tag.clone() });
            }
        }
        match to {
            Some(to) => self.list(to, &listed),
            None => Ok(()),
        }
    }

    /// Lists manifests, with tags.
    fn list(&mut self, to: &dyn Store, tagged: &[(NodeId, Option<&str>)]) -> Result<(), Error> {
        for tagged in tagged.chunks(BATCH) {
            let listed = parallel::map(tagged, self.writers(Some(to)), |(id, tag)| self.list_one(to, *id, *tag));
            for ((id, tag), listed) in tagged.iter().zip(listed) {
                match listed {
                    Ok(None) => {}
                    // A referrer that is copied by itself is listed as one, whether or not what it refers to is there.
                    Ok(Some(bytes)) => {
                        let descriptor = &self.graph.node(*id).descriptor;
                        self.attach(to, &[(descriptor.digest, bytes.clone())])?;
                        if tag.is_some()
                            && !self.lost.contains(&descriptor.digest)
                            && let Err(error) = to.put_manifest_as(descriptor.digest.algorithm(), &bytes, &descriptor.media_type, *tag)
                        {
                            self.unlisted(*id, error)?;
                        }
                    }
                    Err(error) => self.unlisted(*id, error)?,
                }
            }
        }
        Ok(())
    }

    /// Lists one manifest; or gives its bytes, if it is to be listed as a referrer.
    fn list_one(&self, to: &dyn Store, id: NodeId, tag: Option<&str>) -> Result<Option<Vec<u8>>, Error> {
        let descriptor = &self.graph.node(id).descriptor;
        let bytes = self.from.manifest(&descriptor.digest, self.options.limits.manifest_bytes)?;
        if Manifest::parse(&bytes).is_ok_and(|manifest| manifest.subject.is_some()) {
            return Ok(Some(bytes));
        }
        // A tag that cannot be moved need not be, if it leads there.
        let is_there = |tag| to.resolve(Some(tag), None).is_ok_and(|found| found.digest == descriptor.digest);
        if to.repository().is_some() && tag.is_none_or(is_there) {
            return Ok(None);
        }
        to.put_manifest_as(descriptor.digest.algorithm(), &bytes, &descriptor.media_type, tag)?;
        Ok(None)
    }

    fn unlisted(&mut self, id: NodeId, error: Error) -> Result<(), Error> {
        if is_fatal(&error) || error.class() == Class::Usage {
            return Err(error);
        }
        self.lose(self.graph.node(id).descriptor.digest, None, error);
        Ok(())
    }
}
