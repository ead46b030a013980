//! All that belongs to an artifact: the children of an index, referrers at any depth, and the manifests that cosign ties to it
//! by a tag (SPEC.md, section 17). For `touchmark tree`, and for [`copy`](crate::copy).

use std::collections::{HashMap, HashSet, VecDeque};

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, Kind, Manifest, is_manifest_type};

use crate::error::{Class, Error};
use crate::source::{AllReferrers, Finding, FindingKind, Source};

/// How far a walk goes. What lies beyond is reported, and the graph is then not [`complete`](Graph::complete).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Manifests in all.
    pub manifests: usize,
    /// Bytes of manifests in all.
    pub bytes: u64,
    /// Bytes in one manifest.
    pub manifest_bytes: u64,
    /// Steps from a root: each child and each referrer is one.
    pub depth: usize,
    /// Referrers in all; of one manifest, where the source cannot tell them all.
    pub referrers: usize,
    /// Bytes of the entries for them.
    pub referrers_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { manifests: 50_000, bytes: 256 << 20, manifest_bytes: 4 << 20, depth: 32, referrers: 50_000, referrers_bytes: 64 << 20 }
    }
}

/// The manifests that a walk reached, each once.
#[derive(Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    roots: Vec<NodeId>,
    findings: Vec<Finding>,
    complete: bool,
}

/// A node of the [`Graph`] that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(usize);

/// One manifest, or what an index lists as one.
#[derive(Debug)]
pub struct Node {
    /// Type, digest and size. Once the content was read these, the artifact type and the annotations are from the content; the
    /// platform is from the index that lists it.
    pub descriptor: Descriptor,
    /// What was found under the digest.
    pub content: Content,
    /// What belongs to it.
    pub edges: Vec<Edge>,
}

/// What was found under a digest.
#[derive(Debug)]
pub enum Content {
    /// A manifest, whose bytes had the digest.
    Manifest {
        /// What it refers to.
        subject: Option<Digest>,
        /// The config and the layers, without inlined data.
        blobs: Vec<Descriptor>,
    },
    /// Something that an index lists and that is no manifest: a blob.
    Opaque,
    /// Nothing usable: not there, of another digest, malformed, too large.
    Unusable(Error),
}

impl Node {
    fn new(listed: &Descriptor, content: Content) -> Self {
        Self { descriptor: Descriptor { data: None, ..listed.clone() }, content, edges: Vec::new() }
    }
}

/// That one node belongs to another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// How.
    pub relation: Relation,
    /// The node that belongs.
    pub target: NodeId,
}

/// How a node belongs to another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Relation {
    /// An index lists it.
    Child,
    /// It names the other as its `subject`.
    Referrer,
    /// It has the tag that cosign derives from the other's digest.
    CosignTag(String),
}

impl Graph {
    /// Walks `source` from `roots`.
    ///
    /// # Errors
    /// The source itself cannot be read. A manifest that cannot is [`Content::Unusable`] instead.
    pub fn walk(source: &dyn Source, roots: &[Descriptor], limits: &Limits) -> Result<Self, Error> {
        let mut walk = Walk {
            source,
            limits,
            graph: Graph { complete: true, ..Graph::default() },
            known: HashMap::new(),
            queue: VecDeque::new(),
            cosign: cosign_tags(source)?,
            referrers: source.all_referrers(limits.referrers, limits.referrers_bytes)?,
            bytes: 0,
        };
        if let Some(all) = &mut walk.referrers {
            walk.graph.complete = all.complete;
            walk.graph.findings = std::mem::take(&mut all.findings);
        }
        for root in roots {
            if let Some(id) = walk.reach(root, None, 0) {
                walk.graph.roots.push(id);
            }
        }
        while let Some(reached) = walk.queue.pop_front() {
            walk.expand(reached)?;
        }
        Ok(walk.graph)
    }

    /// The nodes of the roots, in their order.
    pub fn roots(&self) -> &[NodeId] {
        &self.roots
    }

    /// A node.
    ///
    /// # Panics
    /// Never for an id of this graph.
    #[allow(clippy::indexing_slicing, reason = "only a walk makes ids, one for each node that it pushes")]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// Every node, with those first that are fewest steps from a root.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate().map(|(number, node)| (NodeId(number), node))
    }

    /// What was wrong on the way.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether no limit ended the walk anywhere, and every list of referrers was whole.
    pub fn complete(&self) -> bool {
        self.complete
    }

    /// The graph as a tree, from above, each node below what it belongs to: as `touchmark tree` prints it.
    ///
    /// A node that belongs to several stands below each, but only its first line is followed by what belongs to it.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut opened = HashSet::new();
        let mut stack: Vec<(usize, NodeId, Option<Relation>)> = self.roots.iter().rev().map(|root| (0, *root, None)).collect();
        while let Some((depth, id, relation)) = stack.pop() {
            let first = opened.insert(id);
            lines.push(Line { depth, node: id, relation, repeated: !first });
            if first {
                let edges = self.node(id).edges.iter().rev();
                stack.extend(edges.map(|edge| (depth + 1, edge.target, Some(edge.relation.clone()))));
            }
        }
        lines
    }
}

/// One line of [`Graph::lines`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Steps from the root.
    pub depth: usize,
    /// The node.
    pub node: NodeId,
    /// How it belongs to the line above it that is one step less deep; none for a root.
    pub relation: Option<Relation>,
    /// Whether the node had a line before, which is followed by what belongs to it.
    pub repeated: bool,
}

struct Walk<'a> {
    source: &'a dyn Source,
    limits: &'a Limits,
    graph: Graph,
    known: HashMap<Digest, NodeId>,
    queue: VecDeque<Reached>,
    cosign: HashMap<Digest, Vec<(String, Descriptor)>>,
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

impl Walk<'_> {
    /// The node of `listed`, which belongs to another by `relation`; it is read if it is new. `None` if a limit forbids it.
    fn reach(&mut self, listed: &Descriptor, relation: Option<&Relation>, depth: usize) -> Option<NodeId> {
        // Only an index lists what need not be a manifest. Everywhere else the media type is a hint and may lie.
        let opaque = relation == Some(&Relation::Child) && !is_manifest_type(&listed.media_type);
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
        self.queue.push_back(Reached { id, depth, children });
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
        let bytes = self.source.manifest(&listed.digest, self.limits.manifest_bytes)?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(size);
        let malformed = |reason| Error::Malformed { location: self.source.location(), what: listed.digest.to_string(), reason };
        let manifest = Manifest::parse(&bytes).map_err(|error| malformed(error.to_string()))?;
        Ok((manifest, size))
    }

    /// Finds what belongs to a node.
    fn expand(&mut self, reached: Reached) -> Result<(), Error> {
        let node = self.graph.node(reached.id);
        let digest = node.descriptor.digest;
        let opaque = matches!(node.content, Content::Opaque);
        let mut found: Vec<_> = reached.children.into_iter().map(|child| (Relation::Child, child)).collect();
        // Also of a manifest that is missing: its signatures may be all that is left, and are shown and copied.
        if !opaque {
            found.extend(self.referrers(&digest)?.into_iter().map(|entry| (Relation::Referrer, entry)));
        }
        let tagged = self.cosign.remove(&digest).unwrap_or_default();
        found.extend(tagged.into_iter().map(|(tag, descriptor)| (Relation::CosignTag(tag), descriptor)));
        let mut seen = HashSet::new();
        for (relation, listed) in found {
            let Some(target) = self.reach(&listed, Some(&relation), reached.depth + 1) else { continue };
            if relation == Relation::Referrer && !self.refers(target, &digest) {
                continue;
            }
            if relation == Relation::Child {
                self.compare(target, &listed);
            }
            let edge = Edge { relation, target };
            if seen.insert(edge.clone())
                && let Some(node) = self.graph.nodes.get_mut(reached.id.0)
            {
                node.edges.push(edge);
            }
        }
        Ok(())
    }

    fn referrers(&mut self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        if let Some(all) = &mut self.referrers {
            return Ok(all.by_subject.remove(subject).unwrap_or_default());
        }
        let referrers = self.source.referrers(subject, self.limits.referrers, self.limits.referrers_bytes)?;
        self.graph.complete &= referrers.complete;
        self.graph.findings.extend(referrers.findings);
        Ok(referrers.entries)
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

/// The digest that a tag of cosign's belongs to: `sha256-HEX.sig`, `.att` and `.sbom`.
pub fn cosign_subject(tag: &str) -> Option<Digest> {
    let (subject, suffix) = tag.split_once('.')?;
    let (algorithm, hex) = subject.split_once('-')?;
    if !matches!(suffix, "sig" | "att" | "sbom") {
        return None;
    }
    Digest::from_hex(Algorithm::from_name(algorithm)?, hex).ok()
}

fn cosign_tags(source: &dyn Source) -> Result<HashMap<Digest, Vec<(String, Descriptor)>>, Error> {
    let mut tags: HashMap<Digest, Vec<(String, Descriptor)>> = HashMap::new();
    for (tag, descriptor) in source.tags()? {
        if let Some(subject) = cosign_subject(&tag) {
            tags.entry(subject).or_default().push((tag, descriptor));
        }
    }
    Ok(tags)
}
