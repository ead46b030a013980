//! All that belongs to an artifact: the children of an index, referrers at any depth, and the manifests that cosign ties to it
//! by a tag (SPEC.md, section 17). For `touchmark tree`, and for [`copy`](crate::copy).

mod cosign;
mod walk;

use std::collections::HashSet;

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::Descriptor;

use crate::error::Error;
use crate::source::{Finding, Source};

pub use cosign::cosign_subject;

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
        walk::walk(source, roots, limits)
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
