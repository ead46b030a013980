//! What is to be copied, and in which order.

use std::collections::{HashMap, HashSet};

use touchmark_envelope::sorted;

use super::Scope;
use crate::graph::{Content, Graph, NodeId, Relation};

/// What is to be copied, and how it is listed at the destination.
pub(super) struct Plan {
    /// In the order of the walk.
    pub(super) nodes: Vec<NodeId>,
    /// Those that are listed as referrers of something, in the order of the walk.
    pub(super) referrers: Vec<NodeId>,
    /// Those that have a tag of cosign's.
    pub(super) tagged: Vec<(NodeId, String)>,
    /// Manifests that are stored before any referrer: first those that list nothing, then those that list only such ones, and so on. A
    /// registry refuses an index of what it does not have.
    pub(super) layers: Vec<Vec<NodeId>>,
}

impl Plan {
    pub(super) fn new(graph: &Graph, scope: Scope) -> Self {
        let mut wanted: HashSet<NodeId> = HashSet::new();
        let mut referrers = Vec::new();
        let mut listed = HashSet::new();
        let mut tagged = Vec::new();
        if scope == Scope::Everything {
            wanted.extend(graph.roots());
        }
        // Parents come before what belongs to them or were reached by another way, so one pass is not enough for the second.
        let mut open: Vec<NodeId> = graph.roots().to_vec();
        let mut seen: HashSet<(NodeId, bool)> = open.iter().map(|id| (*id, wanted.contains(id))).collect();
        while let Some(id) = open.pop() {
            for edge in &graph.node(id).edges {
                let carried = wanted.contains(&id) || edge.relation != Relation::Child;
                if carried {
                    wanted.insert(edge.target);
                }
                match &edge.relation {
                    Relation::Referrer if listed.insert(edge.target) => referrers.push(edge.target),
                    Relation::CosignTag(tag) if !tagged.iter().any(|(_, known)| known == tag) => tagged.push((edge.target, tag.clone())),
                    _ => {}
                }
                if seen.insert((edge.target, carried)) {
                    open.push(edge.target);
                }
            }
        }
        let nodes: Vec<NodeId> = graph.nodes().map(|(id, _)| id).filter(|id| wanted.contains(id)).collect();
        // Of a referrer and its own referrers, the referrer is listed first.
        sorted::sort(&mut referrers);
        // Referrers are stored when they are listed, for one without its blobs would be found without a list too; but not those that
        // an index lists as well.
        let edges = nodes.iter().flat_map(|id| &graph.node(*id).edges);
        let children: HashSet<NodeId> = edges.filter(|edge| edge.relation == Relation::Child).map(|edge| edge.target).collect();
        let manifests = nodes.iter().filter(|id| referrers.binary_search(id).is_err() || children.contains(id));
        let layers = layers(graph, manifests.filter(|id| matches!(graph.node(**id).content, Content::Manifest { .. })));
        Self { nodes, referrers, tagged, layers }
    }
}

/// `nodes` by how many steps of listing are below them.
fn layers<'a>(graph: &Graph, nodes: impl Iterator<Item = &'a NodeId>) -> Vec<Vec<NodeId>> {
    let mut heights: HashMap<NodeId, usize> = HashMap::new();
    let mut layers: Vec<Vec<NodeId>> = Vec::new();
    for node in nodes {
        let height = height(graph, *node, &mut heights);
        if layers.len() <= height {
            layers.resize_with(height + 1, Vec::new);
        }
        if let Some(layer) = layers.get_mut(height) {
            layer.push(*node);
        }
    }
    layers
}

/// How many steps of listing are below a node.
fn height(graph: &Graph, node: NodeId, heights: &mut HashMap<NodeId, usize>) -> usize {
    let children = |id: NodeId| -> Vec<NodeId> {
        graph.node(id).edges.iter().filter(|edge| edge.relation == Relation::Child).map(|edge| edge.target).collect()
    };
    let mut open: Vec<(NodeId, Vec<NodeId>)> = Vec::new();
    if !heights.contains_key(&node) {
        open.push((node, children(node)));
    }
    while let Some((id, left)) = open.last_mut() {
        let id = *id;
        let below = match left.pop() {
            Some(child) => match heights.get(&child) {
                Some(height) => Some((id, height + 1)),
                None => {
                    // None is below itself, since its digest is made of theirs; and if it were, this would end all the same.
                    heights.insert(child, 0);
                    open.push((child, children(child)));
                    None
                }
            },
            None => {
                open.pop();
                let height = *heights.entry(id).or_default();
                open.last().map(|(parent, _)| (*parent, height + 1))
            }
        };
        if let Some((parent, height)) = below {
            let known = heights.entry(parent).or_default();
            *known = height.max(*known);
        }
    }
    heights.get(&node).copied().unwrap_or_default()
}
