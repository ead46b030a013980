//! The walk: level by level, so that what belongs to many manifests is asked for at the same time.

use std::collections::{HashMap, HashSet, VecDeque};

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Descriptor, Kind, Manifest, is_manifest_type};
use touchmark_envelope::sorted;

use super::cosign::Tags;
use super::{Content, Edge, Graph, Limits, Node, NodeId, Relation};
use crate::error::{Class, Error};
use crate::parallel;
use crate::source::{AllReferrers, Finding, FindingKind, Referrers, Source};

/// So many nodes of a level are expanded together.
const SLICE: usize = 256;
/// A manifest that is fetched ahead has at most this many bytes, whatever it is listed with.
const AHEAD_MANIFEST: u64 = 256 << 10;
/// All that is fetched ahead at once is listed with at most this many bytes.
const AHEAD_ALL: u64 = 8 << 20;
/// So many manifests for each reader of the source are fetched ahead at once.
const AHEAD_ROUNDS: usize = 4;
/// No farther than this is looked ahead.
const AHEAD_LOOK: usize = 1024;

/// See [`Graph::walk`].
pub(super) fn walk(source: &dyn Source, roots: &[Descriptor], limits: &Limits) -> Result<Graph, Error> {
    let mut walk = Walk {
        source,
        limits,
        graph: Graph { complete: true, ..Graph::default() },
        known: HashMap::new(),
        level: Vec::new(),
        fetched: HashMap::new(),
        cosign: Tags::of(source)?,
        referrers: source.all_referrers(limits.referrers, limits.referrers_bytes)?,
        bytes: 0,
    };
    if let Some(all) = &mut walk.referrers {
        walk.graph.complete = all.complete;
        walk.graph.findings = std::mem::take(&mut all.findings);
    }
    let mut left = roots.iter();
    while let Some(root) = left.next() {
        let next = [root].into_iter().chain(left.as_slice());
        walk.fetch_ahead(0, next.map(|root| (root, &Relation::Referrer)));
        if let Some(id) = walk.reach(root, None, 0) {
            walk.graph.roots.push(id);
        }
    }
    while !walk.level.is_empty() {
        let mut level = std::mem::take(&mut walk.level);
        while !level.is_empty() {
            let rest = level.split_off(level.len().min(SLICE));
            walk.expand(std::mem::replace(&mut level, rest))?;
        }
    }
    Ok(walk.graph)
}

struct Walk<'a> {
    source: &'a dyn Source,
    limits: &'a Limits,
    graph: Graph,
    known: HashMap<Digest, NodeId>,
    /// Nodes whose edges are not known yet, all of them as many steps from the roots.
    level: Vec<Reached>,
    /// Manifests that were fetched ahead.
    fetched: HashMap<Digest, Result<Vec<u8>, Error>>,
    cosign: Tags,
    /// Of every subject, if the source could tell.
    referrers: Option<AllReferrers>,
    bytes: u64,
}

/// A node whose edges are not known yet.
struct Reached {
    id: NodeId,
    depth: usize,
    /// What it lists, if it is an index.
    children: Vec<Descriptor>,
}

/// What was found to belong to a node.
struct Found {
    of: NodeId,
    depth: usize,
    relation: Relation,
    listed: Descriptor,
}

/// Whether what is listed so is a blob. Only an index lists what need not be a manifest; everywhere else the media type is a hint and
/// may lie.
fn is_opaque(listed: &Descriptor, relation: Option<&Relation>) -> bool {
    relation == Some(&Relation::Child) && !is_manifest_type(&listed.media_type)
}

impl Walk<'_> {
    /// The node of `listed`, which belongs to another by `relation`; it is read if it is new. `None` if a limit forbids it.
    fn reach(&mut self, listed: &Descriptor, relation: Option<&Relation>, depth: usize) -> Option<NodeId> {
        let opaque = is_opaque(listed, relation);
        let known = self.known.get(&listed.digest).copied();
        if let Some(id) = known
            && (opaque || !matches!(self.graph.node(id).content, Content::Opaque))
        {
            return Some(id);
        }
        let stopped = if depth > self.limits.depth {
            Some(format!("deeper than {} steps", self.limits.depth))
        } else if self.graph.nodes.len() >= self.limits.manifests {
            Some(format!("more than {} manifests", self.limits.manifests))
        } else if self.bytes >= self.limits.bytes {
            Some(format!("more than {} bytes of manifests", self.limits.bytes))
        } else {
            None
        };
        if let Some(detail) = stopped {
            self.stop(listed.digest, detail);
            return None;
        }
        let (node, children) = if opaque { (Node::new(listed, Content::Opaque), Vec::new()) } else { self.read(listed) };
        if let Content::Unusable(error) = &node.content {
            self.find(kind_of(error), Some(listed.digest), error.to_string());
        }
        let id = known.unwrap_or(NodeId(self.graph.nodes.len()));
        match self.graph.nodes.get_mut(id.0) {
            Some(place) => *place = node,
            None => self.graph.nodes.push(node),
        }
        self.known.insert(listed.digest, id);
        self.level.push(Reached { id, depth, children });
        Some(id)
    }

    /// The node of a manifest, and what it lists.
    fn read(&mut self, listed: &Descriptor) -> (Node, Vec<Descriptor>) {
        let (manifest, size) = match self.manifest(listed) {
            Ok(read) => read,
            Err(error) => return (Node::new(listed, Content::Unusable(error)), Vec::new()),
        };
        let subject = manifest.subject.as_ref().map(|subject| subject.digest);
        let blobs = manifest.blobs().map(|blob| Descriptor { data: None, ..blob.clone() }).collect();
        let descriptor = Descriptor {
            media_type: manifest.media_type.clone(),
            digest: listed.digest,
            size,
            artifact_type: manifest.artifact_type().map(str::to_owned),
            annotations: manifest.annotations,
            platform: listed.platform.clone(),
            data: None,
        };
        let children = match manifest.kind {
            Kind::Image { .. } => Vec::new(),
            Kind::Index { manifests } => manifests,
        };
        (Node { descriptor, content: Content::Manifest { subject, blobs }, edges: Vec::new() }, children)
    }

    fn manifest(&mut self, listed: &Descriptor) -> Result<(Manifest, u64), Error> {
        let bytes = match self.fetched.remove(&listed.digest) {
            Some(fetched) => fetched?,
            None => self.source.manifest(&listed.digest, self.limits.manifest_bytes)?,
        };
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(size);
        let malformed = |reason| Error::Malformed { location: self.source.location(), what: listed.digest.to_string(), reason };
        let manifest = Manifest::parse(&bytes).map_err(|error| malformed(error.to_string()))?;
        Ok((manifest, size))
    }

    /// Finds what belongs to each of some nodes.
    fn expand(&mut self, nodes: Vec<Reached>) -> Result<(), Error> {
        let digests: Vec<Digest> = nodes.iter().map(|reached| self.graph.node(reached.id).descriptor.digest).collect();
        // Also of a manifest that is missing: its signatures may be all that is left, and are shown and copied.
        let opaque = |id| matches!(self.graph.node(id).content, Content::Opaque);
        let subjects: Vec<Option<Digest>> =
            nodes.iter().zip(&digests).map(|(reached, digest)| (!opaque(reached.id)).then_some(*digest)).collect();
        let mut referrers = self.referrers(&subjects)?.into_iter();
        let mut tied = self.cosign.tied(self.source, &digests).into_iter();
        let mut found: VecDeque<Found> = VecDeque::new();
        for reached in nodes {
            let (of, depth) = (reached.id, reached.depth + 1);
            found.extend(reached.children.into_iter().map(|listed| Found { of, depth, relation: Relation::Child, listed }));
            // Every place lists them in an order of its own, and the graph is the same.
            let mut referrers = referrers.next().unwrap_or_default();
            sorted::sort_by(&mut referrers, |one, other| one.digest.cmp(&other.digest));
            found.extend(referrers.into_iter().map(|listed| Found { of, depth, relation: Relation::Referrer, listed }));
            for (tag, named) in tied.next().unwrap_or_default() {
                match named {
                    Ok(listed) => found.push_back(Found { of, depth, relation: Relation::CosignTag(tag), listed }),
                    Err(error) => {
                        let kind = kind_of(&error);
                        self.graph.complete &= kind == FindingKind::Dangling;
                        self.find(kind, None, error.to_string());
                    }
                }
            }
        }
        let mut seen = HashSet::new();
        while let Some(Found { of, depth, relation, listed }) = found.pop_front() {
            self.fetch_ahead(depth, [(&listed, &relation)].into_iter().chain(found.iter().map(|next| (&next.listed, &next.relation))));
            let subject = self.graph.node(of).descriptor.digest;
            let Some(target) = self.reach(&listed, Some(&relation), depth) else { continue };
            if relation == Relation::Referrer && !self.refers(target, &subject) {
                continue;
            }
            if relation == Relation::Child {
                self.compare(target, &listed);
            }
            let edge = Edge { relation, target };
            if seen.insert((of, edge.clone()))
                && let Some(node) = self.graph.nodes.get_mut(of.0)
            {
                node.edges.push(edge);
            }
        }
        Ok(())
    }

    /// Fetches the manifests that are read next, unless the first of them is there. What is larger than it was listed with is not
    /// held, but read when its turn comes.
    fn fetch_ahead<'d>(&mut self, depth: usize, next: impl Iterator<Item = (&'d Descriptor, &'d Relation)>) {
        let readers = self.source.readers();
        if readers <= 1 || depth > self.limits.depth {
            return;
        }
        let limit = AHEAD_MANIFEST.min(self.limits.manifest_bytes);
        let room = self.limits.manifests.saturating_sub(self.graph.nodes.len());
        let (mut batch, mut left) = (Vec::new(), AHEAD_ALL);
        for (place, (listed, relation)) in next.enumerate() {
            let is_wanted = !is_opaque(listed, Some(relation))
                && !self.known.get(&listed.digest).is_some_and(|id| !matches!(self.graph.node(*id).content, Content::Opaque))
                && !self.fetched.contains_key(&listed.digest);
            if place == 0 && !is_wanted {
                return;
            }
            if batch.len() >= room.min(readers.saturating_mul(AHEAD_ROUNDS)) || place >= AHEAD_LOOK {
                break;
            }
            if is_wanted && listed.size <= limit.min(left) && !batch.contains(&listed.digest) {
                left = left.saturating_sub(listed.size);
                batch.push(listed.digest);
            }
        }
        if batch.len() > 1 {
            let fetched = self.source.manifests(&batch, limit);
            let usable = batch.into_iter().zip(fetched).filter(|(_, fetched)| !fetched.as_ref().is_err_and(|e| e.class() == Class::Cap));
            self.fetched.extend(usable);
        }
    }

    /// The referrers of each of `subjects`, as the place lists them.
    fn referrers(&mut self, subjects: &[Option<Digest>]) -> Result<Vec<Vec<Descriptor>>, Error> {
        if let Some(all) = &mut self.referrers {
            let of = |subject: &Option<Digest>| subject.and_then(|subject| all.by_subject.remove(&subject)).unwrap_or_default();
            return Ok(subjects.iter().map(of).collect());
        }
        let limits = self.limits;
        let ask = |subject: &Option<Digest>| match subject {
            Some(subject) => self.source.referrers(subject, limits.referrers, limits.referrers_bytes),
            None => Ok(Referrers { complete: true, ..Referrers::default() }),
        };
        let mut listed = Vec::with_capacity(subjects.len());
        for found in parallel::map(subjects, self.source.readers(), ask) {
            let found = found?;
            self.graph.complete &= found.complete;
            self.graph.findings.extend(found.findings);
            listed.push(found.entries);
        }
        Ok(listed)
    }

    /// Reports a child whose size or media type is not what the index says.
    fn compare(&mut self, child: NodeId, listed: &Descriptor) {
        let found = &self.graph.node(child).descriptor;
        if found.size != listed.size || found.media_type != listed.media_type {
            let detail = format!(
                "an index lists it as {} of {} bytes, and it is {} of {} bytes",
                listed.media_type.escape_debug(),
                listed.size,
                found.media_type,
                found.size
            );
            self.find(FindingKind::Malformed, Some(listed.digest), detail);
        }
    }

    /// Whether the content of `target`, as far as there is any, names `subject`. A list can claim what it likes.
    fn refers(&mut self, target: NodeId, subject: &Digest) -> bool {
        let node = self.graph.node(target);
        let refers = match &node.content {
            Content::Manifest { subject: named, .. } => named.as_ref() == Some(subject),
            Content::Opaque => false,
            Content::Unusable(_) => true,
        };
        if !refers {
            let digest = node.descriptor.digest;
            self.find(FindingKind::Malformed, Some(digest), format!("listed as a referrer of {subject}, to which it does not refer"));
        }
        refers
    }

    fn stop(&mut self, digest: Digest, detail: String) {
        self.graph.complete = false;
        // One finding for each reason, not for each of the thousands that lie beyond.
        if !self.graph.findings.iter().any(|finding| finding.kind == FindingKind::Stopped && finding.detail == detail) {
            self.find(FindingKind::Stopped, Some(digest), detail);
        }
    }

    fn find(&mut self, kind: FindingKind, digest: Option<Digest>, detail: String) {
        self.graph.findings.push(Finding { kind, digest, detail });
    }
}

fn kind_of(error: &Error) -> FindingKind {
    match error.class() {
        Class::NotFound => FindingKind::Dangling,
        Class::WrongDigest => FindingKind::WrongDigest,
        Class::Cap => FindingKind::TooLarge,
        Class::Malformed => FindingKind::Malformed,
        _ => FindingKind::Unreadable,
    }
}
