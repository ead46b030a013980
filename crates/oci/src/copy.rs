//! Copies artifacts with all that belongs to them, from any place to any other (SPEC.md, section 17).
//!
//! The graph is walked first. Then the blobs are stored, then the manifests (what an index lists before the index), then referrers
//! are listed, and the artifacts get their tags last, so that at the destination a tag never names an artifact whose signatures are
//! still on their way. In the end everything is read back.

mod blobs;
mod manifests;
mod pattern;
mod plan;
mod read_back;

use std::collections::HashSet;
use std::path::Path;

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Descriptor, Manifest};

use crate::archive::{Archive, Draft};
use crate::error::{Class, Error};
use crate::graph::{Content, Graph, Limits, Node, NodeId};
use crate::parallel;
use crate::source::{Finding, Source, Store};
use plan::Plan;

/// An artifact to be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The artifact, as its place resolves it.
    pub descriptor: Descriptor,
    /// The tag that it gets at the destination.
    pub tag: Option<String>,
}

/// What is tagged in a place.
#[derive(Debug, Default)]
pub struct Tagged {
    /// The artifacts, each with its tag.
    pub items: Vec<Item>,
    /// Tags that lead to nothing that could be copied, and why.
    pub unusable: Vec<(String, Error)>,
}

/// Which part of a graph is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The artifacts with all that belongs to them.
    Everything,
    /// What belongs to the artifacts and is no part of them: their referrers, and what cosign ties to them by a tag.
    Referrers,
}

/// How [`copy`] goes about it.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// What is copied.
    pub scope: Scope,
    /// How far the walk goes.
    pub limits: Limits,
    /// Told from time to time how many bytes of blobs were read, of how many; never by two threads at the same time.
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { scope: Scope::Everything, limits: Limits::default(), progress: &|_, _| {} }
    }
}

/// What was copied, or would be.
#[derive(Debug, Default)]
pub struct CopyReport {
    /// The artifacts that are at the destination now.
    pub items: Vec<Item>,
    /// Manifests that were not there before.
    pub manifests: Vec<Descriptor>,
    /// Manifests that were.
    pub manifests_there: usize,
    /// Blobs that were not there before.
    pub blobs: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs that were there.
    pub blobs_there: usize,
    /// What belongs to the graph and is not at the destination now.
    pub missing: Vec<Missing>,
    /// What else was wrong.
    pub findings: Vec<Finding>,
    /// Whether the walk saw the whole graph.
    pub complete: bool,
}

/// Something that could not be copied.
#[derive(Debug)]
pub struct Missing {
    /// What.
    pub digest: Digest,
    /// The manifest that it belongs to, if any.
    pub needed_by: Option<Digest>,
    /// Why.
    pub error: Error,
}

impl CopyReport {
    /// Whether everything is at the destination.
    pub fn is_whole(&self) -> bool {
        self.complete && self.missing.is_empty()
    }

    /// The gravest class of what is missing, by the order of exit codes among conjuncts (SPEC.md, "Exit codes").
    pub fn class(&self) -> Option<Class> {
        let is_grave = |class: &Class| matches!(class, Class::WrongDigest | Class::Malformed);
        let mut classes = self.missing.iter().map(|missing| missing.error.class());
        let first = classes.next().or((!self.complete).then_some(Class::Cap))?;
        Some(if is_grave(&first) { first } else { classes.find(is_grave).unwrap_or(first) })
    }
}

/// The artifacts of `source` whose tag matches `pattern`, in which `*` stands for any characters and `?` for one; every tagged
/// artifact without one.
///
/// # Errors
/// The source cannot be read, or a tag that it lists.
pub fn tagged(source: &dyn Source, pattern: Option<&str>) -> Result<Vec<Item>, Error> {
    let Tagged { items, unusable } = tagged_each(source, pattern)?;
    unusable.into_iter().next().map_or(Ok(items), |(_, error)| Err(error))
}

/// As [`tagged`], with the tags apart that lead to nothing usable, and why: they are no reason to leave the others behind.
///
/// # Errors
/// The source cannot be read.
pub fn tagged_each(source: &dyn Source, pattern: Option<&str>) -> Result<Tagged, Error> {
    let is_wanted = |tag: &str| pattern.is_none_or(|pattern| pattern::matches(pattern.as_bytes(), tag.as_bytes()));
    if source.repository().is_none() {
        let wanted = source.tags()?.into_iter().filter(|(tag, _)| is_wanted(tag));
        let items = wanted.map(|(tag, descriptor)| Item { descriptor, tag: Some(tag) }).collect();
        return Ok(Tagged { items, unusable: Vec::new() });
    }
    let names: Vec<String> = source.tag_names()?.into_iter().filter(|tag| is_wanted(tag)).collect();
    let resolved = parallel::map(&names, source.readers(), |tag| source.resolve(Some(tag), None));
    let mut found = Tagged::default();
    for (tag, descriptor) in names.into_iter().zip(resolved) {
        match descriptor {
            Ok(descriptor) => found.items.push(Item { descriptor, tag: Some(tag) }),
            Err(error) if matches!(error.class(), Class::NotFound | Class::Malformed | Class::WrongDigest | Class::Cap) => {
                found.unusable.push((tag, error));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Copies `items` from `from` to `to`.
///
/// What is at the destination already is left alone, so that running it again adds what came since. What cannot be had is
/// reported, and the rest is copied all the same: see [`CopyReport::is_whole`].
///
/// # Errors
/// The source cannot be read at all, the destination cannot be written, or only referrers are copied and an artifact is not there.
pub fn copy(from: &dyn Source, items: &[Item], to: &dyn Store, options: &Options<'_>) -> Result<CopyReport, Error> {
    let graph = walk(from, items, options)?;
    let plan = Plan::new(&graph, options.scope);
    let mut copying = Copying::new(from, Some(to), &graph, &plan, options);
    copying.check_artifacts(items)?;
    copying.write(to, items)?;
    to.forget();
    copying.read_back(to)?;
    Ok(copying.report())
}

/// As [`copy`], into the tar `path`, which is made if it is not there. It is written whole, with what it held before, or not at
/// all.
///
/// # Errors
/// As for [`copy`].
pub fn copy_to_archive(from: &dyn Source, items: &[Item], path: &Path, options: &Options<'_>) -> Result<CopyReport, Error> {
    let graph = walk(from, items, options)?;
    let plan = Plan::new(&graph, options.scope);
    let draft = Draft::with_origin(path, from)?;
    let mut copying = Copying::new(from, Some(&draft), &graph, &plan, options);
    copying.check_artifacts(items)?;
    copying.write(&draft, items)?;
    let Copying { report, lost, .. } = copying;
    let deferred = draft.commit()?;
    let archive = Archive::open(path)?;
    let mut copying = Copying { report, lost, ..Copying::new(from, Some(&archive), &graph, &plan, options) };
    for (digest, error) in deferred {
        let error = copying.at_source(error);
        copying.lose(digest, None, error);
    }
    copying.read_back(&archive)?;
    Ok(copying.report())
}

/// What [`copy`] would do, with a destination that holds what `there` does, if anything. Nothing is written.
///
/// # Errors
/// The source or the destination cannot be read.
pub fn preview(from: &dyn Source, items: &[Item], there: Option<&dyn Source>, options: &Options<'_>) -> Result<CopyReport, Error> {
    let graph = walk(from, items, options)?;
    let plan = Plan::new(&graph, options.scope);
    let mut copying = Copying::new(from, there, &graph, &plan, options);
    copying.check_artifacts(items)?;
    copying.blobs(None)?;
    copying.manifests(None)?;
    copying.items(None, items)?;
    Ok(copying.report())
}

fn walk(from: &dyn Source, items: &[Item], options: &Options<'_>) -> Result<Graph, Error> {
    let roots: Vec<Descriptor> = items.iter().map(|item| item.descriptor.clone()).collect();
    Graph::walk(from, &roots, &options.limits)
}

/// [`Source::sizes`] or [`Source::sizes_as_blobs`].
type Sizes = fn(&dyn Source, &[Digest]) -> Vec<Result<Option<u64>, Error>>;

struct Copying<'a> {
    from: &'a dyn Source,
    /// The destination as it is, if it is.
    there: Option<&'a dyn Source>,
    graph: &'a Graph,
    plan: &'a Plan,
    options: &'a Options<'a>,
    report: CopyReport,
    /// What is not at the destination.
    lost: HashSet<Digest>,
}

impl<'a> Copying<'a> {
    fn new(from: &'a dyn Source, there: Option<&'a dyn Source>, graph: &'a Graph, plan: &'a Plan, options: &'a Options<'a>) -> Self {
        let report = CopyReport { findings: graph.findings().to_vec(), complete: graph.complete(), ..CopyReport::default() };
        Self { from, there, graph, plan, options, report, lost: HashSet::new() }
    }

    /// Where only referrers are copied, the artifacts must be there: else nobody would find what was copied.
    fn check_artifacts(&self, items: &[Item]) -> Result<(), Error> {
        let (Scope::Referrers, Some(there)) = (self.options.scope, self.there) else { return Ok(()) };
        let digests: Vec<Digest> = items.iter().map(|item| item.descriptor.digest).collect();
        for (digest, size) in digests.iter().zip(there.sizes(&digests)) {
            if size?.is_none() {
                return Err(Error::NoSuchBlob { location: there.location(), digest: *digest });
            }
        }
        Ok(())
    }

    fn write(&mut self, to: &dyn Store, items: &[Item]) -> Result<(), Error> {
        self.blobs(Some(to))?;
        self.manifests(Some(to))?;
        self.referrers(to)?;
        self.tags(to)?;
        self.items(Some(to), items)
    }

    fn report(mut self) -> CopyReport {
        // What is reported as missing is not reported once more as a finding of the walk.
        let lost = self.lost;
        self.report.findings.retain(|finding| finding.digest.is_none_or(|digest| !lost.contains(&digest)));
        self.report.manifests.retain(|manifest| !lost.contains(&manifest.digest));
        self.report
    }

    /// How many things are written to the destination at the same time. Between two folders nothing is gained by threads.
    fn writers(&self, to: Option<&dyn Store>) -> usize {
        let is_remote = self.from.readers() > 1 || to.is_some_and(|to| to.repository().is_some());
        to.filter(|_| is_remote).map_or(1, |to| to.writers().max(1))
    }

    /// Whether each of these is at the destination, with the size that it should have. Where one may not read, nothing seems to be
    /// there: writing will tell.
    fn are_there<'d>(&self, wanted: impl IntoIterator<Item = &'d Descriptor>, ask: Sizes) -> Result<Vec<bool>, Error> {
        let (digests, sizes): (Vec<Digest>, Vec<u64>) = wanted.into_iter().map(|wanted| (wanted.digest, wanted.size)).unzip();
        let Some(there) = self.there else { return Ok(vec![false; digests.len()]) };
        let found = ask(there, &digests).into_iter().zip(sizes);
        let is_there = |(found, size): (Result<Option<u64>, Error>, u64)| match found {
            Err(error) if error.class() == Class::Denied => Ok(false),
            found => Ok(found? == Some(size)),
        };
        found.map(is_there).collect()
    }

    /// The bytes of manifests of the source, which were hashed.
    fn bytes(&self, nodes: &[NodeId]) -> Vec<Result<Vec<u8>, Error>> {
        let digests: Vec<Digest> = nodes.iter().map(|id| self.graph.node(*id).descriptor.digest).collect();
        self.from.manifests(&digests, self.options.limits.manifest_bytes)
    }

    fn is_copied(&self, id: NodeId) -> bool {
        let node = self.graph.node(id);
        matches!(node.content, Content::Manifest { .. }) && !self.lost.contains(&node.descriptor.digest)
    }

    fn lose(&mut self, digest: Digest, needed_by: Option<Digest>, error: Error) {
        if self.lost.insert(digest) {
            self.report.missing.push(Missing { digest, needed_by, error });
        }
    }

    /// The blobs that the manifest `digest` has inlined, as the source gives it.
    fn inlined(&self, manifest: Digest, blob: &Descriptor) -> Option<Vec<u8>> {
        let bytes = self.from.manifest(&manifest, self.options.limits.manifest_bytes).ok()?;
        let manifest = Manifest::parse(&bytes).ok()?;
        let data = manifest.blobs().filter(|named| named.digest == blob.digest).find_map(|named| named.data.clone());
        data.filter(|data| blob.digest.matches(data))
    }

    /// Bytes that are not what they should be came from the source, whoever noticed it.
    fn at_source(&self, error: Error) -> Error {
        match error {
            Error::WrongDigest { expected, found, .. } => Error::WrongDigest { location: self.from.location(), expected, found },
            Error::WrongSize { digest, expected, found, .. } => {
                Error::WrongSize { location: self.from.location(), digest, expected, found }
            }
            other => other,
        }
    }
}

/// What of a node is stored as blobs.
fn blobs_of(node: &Node) -> &[Descriptor] {
    match &node.content {
        Content::Manifest { blobs, .. } => blobs,
        Content::Opaque => std::slice::from_ref(&node.descriptor),
        Content::Unusable(_) => &[],
    }
}

/// Whether going on is of no use, since the destination failed with this.
fn is_fatal(error: &Error) -> bool {
    match error {
        Error::Content { .. } | Error::NotListed { .. } | Error::MissingBlob { .. } => false,
        // What a registry does not take of this content, it may take of others.
        Error::Status { status: 400 | 406 | 409 | 410 | 412..=418 | 422, .. } => false,
        Error::Status { .. } => true,
        other => matches!(other.class(), Class::NotWritable | Class::Unavailable | Class::Denied),
    }
}
