//! Copies artifacts with all that belongs to them, from any place to any other (SPEC.md, section 17).
//!
//! The graph is walked first. Then the blobs are stored, then the manifests, then referrers are listed, and the artifacts last,
//! so that at the destination a tag never names an artifact whose signatures are still on their way. In the end everything is read back.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read};
use std::path::Path;

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Descriptor, Manifest};

use crate::archive::{Archive, Draft};
use crate::error::{Class, Error};
use crate::graph::{Content, Graph, Limits, Node, NodeId, Relation};
use crate::source::{Finding, FindingKind, Source, Store};

/// Referrers that are listed in one write.
const BATCH: usize = 512;
/// Bytes of their manifests that are held for it.
const BATCH_BYTES: usize = 4 << 20;

/// An artifact to be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The artifact, as its place resolves it.
    pub descriptor: Descriptor,
    /// The tag that it gets at the destination.
    pub tag: Option<String>,
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
    /// Told from time to time how many bytes of blobs were read, of how many.
    pub progress: &'a dyn Fn(u64, u64),
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
/// The source cannot be read.
pub fn tagged(source: &dyn Source, pattern: Option<&str>) -> Result<Vec<Item>, Error> {
    let tags = source.tags()?.into_iter();
    let wanted = tags.filter(|(tag, _)| pattern.is_none_or(|pattern| matches(pattern.as_bytes(), tag.as_bytes())));
    Ok(wanted.map(|(tag, descriptor)| Item { descriptor, tag: Some(tag) }).collect())
}

/// Whether `text` matches `pattern`. Steps are bounded by the product of their lengths.
fn matches(mut pattern: &[u8], mut text: &[u8]) -> bool {
    // Where to go on if what follows the last `*` does not match: that star takes one character more.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern.split_first(), text.split_first()) {
            (Some((b'*', rest)), _) => {
                retry = Some((rest, text));
                pattern = rest;
            }
            (Some((wanted, rest)), Some((found, after))) if wanted == found || *wanted == b'?' => {
                pattern = rest;
                text = after;
            }
            (None, None) => return true,
            _ => match retry {
                Some((rest, [_, after @ ..])) => {
                    retry = Some((rest, after));
                    pattern = rest;
                    text = after;
                }
                _ => return false,
            },
        }
    }
}

/// Copies `items` from `from` to `to`.
///
/// What is at the destination already is left alone, so that running it again adds what came since. What cannot be had is
/// reported, and the rest is copied all the same: see [`CopyReport::is_whole`].
///
/// # Errors
/// The source cannot be read at all, or the destination cannot be written.
pub fn copy(from: &dyn Source, items: &[Item], to: &dyn Store, options: &Options<'_>) -> Result<CopyReport, Error> {
    let graph = walk(from, items, options)?;
    let plan = Plan::new(&graph, options.scope);
    let mut copying = Copying::new(from, Some(to), &graph, &plan, options);
    copying.write(to, items)?;
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
    copying.blobs(None)?;
    copying.manifests(None)?;
    copying.items(None, items)?;
    Ok(copying.report())
}

fn walk(from: &dyn Source, items: &[Item], options: &Options<'_>) -> Result<Graph, Error> {
    let roots: Vec<Descriptor> = items.iter().map(|item| item.descriptor.clone()).collect();
    Graph::walk(from, &roots, &options.limits)
}

/// What is to be copied, and how it is listed at the destination.
struct Plan {
    /// In the order of the walk.
    nodes: Vec<NodeId>,
    /// Those that are listed as referrers of something, in the order of the walk.
    referrers: Vec<NodeId>,
    /// Those that have a tag of cosign's.
    tagged: Vec<(NodeId, String)>,
    /// Bytes of all blobs, as their descriptors say.
    bytes: u64,
}

impl Plan {
    fn new(graph: &Graph, scope: Scope) -> Self {
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
        referrers.sort_unstable();
        let sizes = nodes.iter().flat_map(|id| blobs_of(graph.node(*id))).map(|blob| blob.size);
        let bytes = sizes.fold(0, u64::saturating_add);
        Self { nodes, referrers, tagged, bytes }
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

    fn blobs(&mut self, to: Option<&dyn Store>) -> Result<(), Error> {
        let mut seen = HashSet::new();
        let mut done = 0;
        for id in &self.plan.nodes {
            let node = self.graph.node(*id);
            if let Content::Unusable(_) = node.content {
                self.unusable(node);
            }
            for blob in blobs_of(node) {
                if seen.insert(blob.digest)
                    && let Err(error) = self.blob(to, blob, done)
                {
                    self.blob_failed(node, blob, error)?;
                }
                done = done.saturating_add(blob.size);
                (self.options.progress)(done, self.plan.bytes);
            }
        }
        Ok(())
    }

    fn blob(&mut self, to: Option<&dyn Store>, blob: &Descriptor, done: u64) -> Result<(), Error> {
        let there = self.is_there(blob)?;
        if let Some(to) = to {
            // Of what the destination has, it checks the digest; then the source need not have it.
            let inner = Lazy { from: self.from, digest: blob.digest, open: None };
            let mut content = Counted { inner, done, total: self.plan.bytes, progress: self.options.progress };
            to.put_blob(Some(blob), &mut content)?;
        } else if !there && self.from.size(&blob.digest)?.is_none() {
            return Err(Error::NoSuchBlob { location: self.from.location(), digest: blob.digest });
        }
        if there {
            self.report.blobs_there += 1;
        } else {
            self.report.blobs += 1;
            self.report.bytes = self.report.bytes.saturating_add(blob.size);
        }
        Ok(())
    }

    fn blob_failed(&mut self, node: &Node, blob: &Descriptor, error: Error) -> Result<(), Error> {
        let digest = node.descriptor.digest;
        if is_fatal(&error) {
            return Err(error);
        }
        if error.class() == Class::NotFound {
            if self.inlined(digest, blob) {
                return Ok(());
            }
            if blob.media_type.contains(".nondistributable.") || blob.media_type.contains(".foreign.") {
                let detail = format!("{} is not distributed with {digest}, and was not copied", blob.media_type);
                self.report.findings.push(Finding { kind: FindingKind::Dangling, digest: Some(blob.digest), detail });
                return Ok(());
            }
        }
        self.lose(blob.digest, Some(digest), self.at_source(error));
        Ok(())
    }

    /// Whether the manifest holds the content of `blob` itself.
    fn inlined(&self, manifest: Digest, blob: &Descriptor) -> bool {
        let read = self.from.manifest(&manifest, self.options.limits.manifest_bytes).ok().and_then(|bytes| Manifest::parse(&bytes).ok());
        read.is_some_and(|manifest| {
            let data =
                |named: &Descriptor| named.digest == blob.digest && named.data.as_ref().is_some_and(|data| blob.digest.matches(data));
            manifest.blobs().any(data)
        })
    }

    /// Stores manifests as blobs: children are never listed on their own, and artifacts are there before what refers to them.
    /// Referrers are stored when they are listed, for one without its blobs would be found without a list too.
    fn manifests(&mut self, to: Option<&dyn Store>) -> Result<(), Error> {
        for id in &self.plan.nodes {
            let descriptor = &self.graph.node(*id).descriptor;
            if !matches!(self.graph.node(*id).content, Content::Manifest { .. }) {
                continue;
            }
            let there = self.is_there(descriptor)?;
            if let Some(to) = to.filter(|_| self.plan.referrers.binary_search(id).is_err()) {
                let stored = self.bytes(descriptor).and_then(|bytes| to.put_blob(Some(descriptor), &mut bytes.as_slice()));
                if let Err(error) = stored {
                    if is_fatal(&error) {
                        return Err(error);
                    }
                    self.lose(descriptor.digest, None, self.at_source(error));
                    continue;
                }
            }
            if there {
                self.report.manifests_there += 1;
            } else {
                self.report.manifests.push(descriptor.clone());
            }
        }
        Ok(())
    }

    fn referrers(&mut self, to: &dyn Store) -> Result<(), Error> {
        let mut batch: Vec<(Digest, Vec<u8>)> = Vec::new();
        let mut held = 0;
        for id in &self.plan.referrers {
            let descriptor = &self.graph.node(*id).descriptor;
            if !self.is_copied(*id) {
                continue;
            }
            let bytes = self.bytes(descriptor)?;
            let other = batch.last().is_some_and(|(digest, _)| digest.algorithm() != descriptor.digest.algorithm());
            if other || batch.len() >= BATCH || held >= BATCH_BYTES {
                self.attach(to, &std::mem::take(&mut batch))?;
                held = 0;
            }
            held += bytes.len();
            batch.push((descriptor.digest, bytes));
        }
        self.attach(to, &batch)
    }

    /// Lists referrers whose digests are of one algorithm.
    fn attach(&mut self, to: &dyn Store, batch: &[(Digest, Vec<u8>)]) -> Result<(), Error> {
        let Some((first, _)) = batch.first() else { return Ok(()) };
        let algorithm = first.algorithm();
        let manifests: Vec<&[u8]> = batch.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        match to.attach_as(algorithm, &manifests) {
            Ok(_) => return Ok(()),
            Err(error) if is_fatal(&error) => return Err(error),
            // One of them is at fault; the others are not left behind for it.
            Err(_) => {}
        }
        for (digest, bytes) in batch {
            match to.attach_as(algorithm, &[bytes]) {
                Ok(_) => {}
                Err(error) if is_fatal(&error) => return Err(error),
                Err(error) => self.lose(*digest, None, error),
            }
        }
        Ok(())
    }

    /// The tags by which cosign finds what it wrote.
    fn tags(&mut self, to: &dyn Store) -> Result<(), Error> {
        for (id, tag) in &self.plan.tagged {
            if self.is_copied(*id) {
                self.list(to, &self.graph.node(*id).descriptor, Some(tag))?;
            }
        }
        Ok(())
    }

    fn items(&mut self, to: Option<&dyn Store>, items: &[Item]) -> Result<(), Error> {
        if self.options.scope == Scope::Referrers {
            return Ok(());
        }
        for item in items {
            let known = self.graph.roots().iter().find(|id| self.graph.node(**id).descriptor.digest == item.descriptor.digest);
            let Some(id) = known.filter(|id| self.is_copied(**id)) else { continue };
            let descriptor = self.graph.node(*id).descriptor.clone();
            if let Some(to) = to {
                self.list(to, &descriptor, item.tag.as_deref())?;
            }
            self.report.items.push(Item { descriptor, tag: item.tag.clone() });
        }
        Ok(())
    }

    fn list(&mut self, to: &dyn Store, descriptor: &Descriptor, tag: Option<&str>) -> Result<(), Error> {
        let bytes = self.bytes(descriptor)?;
        // A referrer that is copied by itself is listed as one, whether or not what it refers to is there.
        if Manifest::parse(&bytes).is_ok_and(|manifest| manifest.subject.is_some()) {
            self.attach(to, &[(descriptor.digest, bytes.clone())])?;
            if tag.is_none() || self.lost.contains(&descriptor.digest) {
                return Ok(());
            }
        }
        match to.put_manifest_as(descriptor.digest.algorithm(), &bytes, &descriptor.media_type, tag) {
            Ok(_) => {}
            Err(error) if is_fatal(&error) || error.class() == Class::Usage => return Err(error),
            Err(error) => self.lose(descriptor.digest, None, error),
        }
        Ok(())
    }

    /// Reads at the destination what was copied: manifests by their bytes, blobs by their size (their bytes were hashed when they
    /// were written), lists of referrers by what they list.
    fn read_back(&mut self, to: &dyn Source) -> Result<(), Error> {
        let mut subjects: BTreeMap<Digest, Vec<Digest>> = BTreeMap::new();
        for id in &self.plan.nodes {
            let node = self.graph.node(*id);
            let digest = node.descriptor.digest;
            if matches!(node.content, Content::Manifest { .. })
                && self.is_copied(*id)
                && let Err(error) = to.manifest(&digest, self.options.limits.manifest_bytes)
            {
                self.lose(digest, None, error);
            }
            for blob in blobs_of(node) {
                if to.size(&blob.digest)? != Some(blob.size) && !self.lost.contains(&blob.digest) && !self.may_lack(node, blob) {
                    let error = Error::NoSuchBlob { location: to.location(), digest: blob.digest };
                    self.lose(blob.digest, Some(digest), error);
                }
            }
        }
        for id in &self.plan.referrers {
            let node = self.graph.node(*id);
            if let Content::Manifest { subject: Some(subject), .. } = node.content
                && self.is_copied(*id)
            {
                subjects.entry(subject).or_default().push(node.descriptor.digest);
            }
        }
        let limits = &self.options.limits;
        let all = to.all_referrers(usize::MAX, u64::MAX)?;
        for (subject, referrers) in subjects {
            let listed = match &all {
                Some(all) => all.by_subject.get(&subject).cloned().unwrap_or_default(),
                None => to.referrers(&subject, limits.referrers, limits.referrers_bytes)?.entries,
            };
            let listed: HashSet<Digest> = listed.iter().map(|entry| entry.digest).collect();
            for digest in referrers.into_iter().filter(|digest| !listed.contains(digest)) {
                self.lose(digest, Some(subject), Error::NotListed { location: to.location(), digest });
            }
        }
        for item in std::mem::take(&mut self.report.items) {
            let digest = item.descriptor.digest;
            let found = match &item.tag {
                Some(tag) => to.resolve(Some(tag), None)?.digest == digest,
                None => true,
            };
            if found && !self.lost.contains(&digest) {
                self.report.items.push(item);
            } else if !found {
                self.lose(digest, None, Error::NotListed { location: to.location(), digest });
            }
        }
        Ok(())
    }

    /// Whether a blob that is not at the destination was left out knowingly.
    fn may_lack(&self, node: &Node, blob: &Descriptor) -> bool {
        self.report.findings.iter().any(|finding| finding.digest == Some(blob.digest)) || self.inlined(node.descriptor.digest, blob)
    }

    fn is_there(&self, descriptor: &Descriptor) -> Result<bool, Error> {
        let size = self.there.map_or(Ok(None), |there| there.size(&descriptor.digest))?;
        Ok(size == Some(descriptor.size))
    }

    fn bytes(&self, descriptor: &Descriptor) -> Result<Vec<u8>, Error> {
        self.from.manifest(&descriptor.digest, self.options.limits.manifest_bytes)
    }

    fn is_copied(&self, id: NodeId) -> bool {
        let node = self.graph.node(id);
        matches!(node.content, Content::Manifest { .. }) && !self.lost.contains(&node.descriptor.digest)
    }

    /// Reports a manifest that the walk could not read.
    fn unusable(&mut self, node: &Node) {
        let digest = node.descriptor.digest;
        // The error itself belongs to the graph; reading once more gives it anew, or a newer one.
        let read = self.from.manifest(&digest, self.options.limits.manifest_bytes);
        let error = match read.map(|bytes| Manifest::parse(&bytes)) {
            Err(error) => error,
            Ok(Err(reason)) => Error::Malformed { location: self.from.location(), what: digest.to_string(), reason: reason.to_string() },
            Ok(Ok(_)) => Error::Contended { path: self.from.location().into() },
        };
        self.lose(digest, None, error);
    }

    fn lose(&mut self, digest: Digest, needed_by: Option<Digest>, error: Error) {
        if self.lost.insert(digest) {
            self.report.missing.push(Missing { digest, needed_by, error });
        }
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

/// Whether going on is of no use: the destination fails, not the content.
fn is_fatal(error: &Error) -> bool {
    match error {
        Error::Content { .. } | Error::NotListed { .. } | Error::MissingBlob { .. } => false,
        other => matches!(other.class(), Class::NotWritable | Class::Unavailable),
    }
}

/// A blob of `from` that is opened when it is first read.
struct Lazy<'a> {
    from: &'a dyn Source,
    digest: Digest,
    open: Option<Box<dyn Read + 'a>>,
}

impl Read for Lazy<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.open {
            Some(open) => open.read(buffer),
            // Not hashed: the store hashes what it takes in.
            none => none.insert(self.from.unhashed_blob(&self.digest)?.1).read(buffer),
        }
    }
}

/// Tells the progress of what is read through it.
struct Counted<'a, R> {
    inner: R,
    done: u64,
    total: u64,
    progress: &'a dyn Fn(u64, u64),
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.done = self.done.saturating_add(u64::try_from(count).unwrap_or(0));
        (self.progress)(self.done, self.total);
        Ok(count)
    }
}
