//! The sets that an artifact has, as a place of links.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Descriptor, Manifest};
use touchmark_in_toto::{Answer, Failure, Found, Names};
use touchmark_oci::error::{Class, Error};
use touchmark_oci::source::Source;

use super::set::Set;
use super::{ARTIFACT_TYPE, LAYOUT};
use crate::in_toto::links::{Links, is_link};

/// Files of at most so many bytes are kept, and so many bytes of them together, for those who ask again.
const KEPT_FILE: u64 = 1 << 20;
const KEPT: u64 = 64 << 20;

/// How much is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetLimits {
    /// Referrers.
    pub referrers: usize,
    /// Bytes of files that are read, those that are read again counted again; apart for layouts, for all sets as one folder, and for sets
    /// by themselves.
    pub bytes: u64,
}

impl Default for SetLimits {
    /// 10,000 referrers, 1 GiB.
    fn default() -> Self {
        Self { referrers: touchmark_trust::Limits::default().referrers, bytes: touchmark_in_toto::Limits::default().files }
    }
}

/// A referrer that says it is a set and is not taken as one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedSet {
    /// Its digest; nothing for what is not about one.
    pub referrer: Option<Digest>,
    /// Why.
    pub why: String,
}

/// How many bytes may still be read: counted apart, so that what strangers attach uses up nothing of what one good set needs.
struct Left {
    layouts: Cell<u64>,
    together: Cell<u64>,
    alone: Cell<u64>,
}

/// The layouts and links that are attached to an artifact, in all sets.
pub struct AttachedLinks<'a> {
    source: &'a dyn Source,
    sets: Vec<Set>,
    refused: Vec<RefusedSet>,
    complete: bool,
    limits: SetLimits,
    left: Left,
    kept: RefCell<HashMap<Digest, Vec<u8>>>,
    room: Cell<u64>,
}

impl<'a> AttachedLinks<'a> {
    /// Looks at what is attached to `subject`. Files are read when they are asked for.
    ///
    /// # Errors
    /// The list of referrers cannot be read. A referrer that cannot be is [refused](Self::refused).
    pub fn open(source: &'a dyn Source, subject: &Digest, limits: SetLimits) -> Result<Self, Error> {
        let most = touchmark_trust::Limits::default();
        let listed = source.referrers(subject, limits.referrers, most.referrers_bytes)?;
        let mut complete = listed.complete;
        let (mut sets, mut refused) = (Vec::new(), Vec::new());
        for finding in listed.findings {
            refused.push(RefusedSet { referrer: finding.digest, why: finding.detail });
        }
        // One that is listed under another type is none. Each is read once, whichever list has it.
        let mut seen = HashSet::new();
        let likely = |entry: &&Descriptor| entry.artifact_type.as_deref().is_none_or(|kind| kind == ARTIFACT_TYPE);
        let entries: Vec<(Digest, bool)> = listed
            .entries
            .iter()
            .filter(likely)
            .filter(|entry| seen.insert(entry.digest))
            .map(|entry| (entry.digest, entry.artifact_type.is_some()))
            .collect();
        for batch in entries.chunks(source.readers().max(1)) {
            let digests: Vec<Digest> = batch.iter().map(|(digest, _)| *digest).collect();
            for ((digest, is_said), bytes) in batch.iter().zip(source.manifests(&digests, most.manifest)) {
                match bytes.map(|bytes| Set::read(*digest, subject, &bytes)) {
                    Ok(Ok(set)) => sets.push(set),
                    Ok(Err(fault)) if *is_said => refused.push(RefusedSet { referrer: Some(*digest), why: fault.to_string() }),
                    // Of those that say nothing most are something else.
                    Ok(Err(_)) => {}
                    Err(error) => {
                        complete &= error.class() == Class::Malformed;
                        refused.push(RefusedSet { referrer: Some(*digest), why: error.to_string() });
                    }
                }
            }
        }
        // Whoever attaches large sets must not use up for smaller ones what may be read.
        sets.sort_by_key(Set::size);
        let [layouts, together, alone] = [limits.bytes; 3].map(Cell::new);
        let (left, room) = (Left { layouts, together, alone }, Cell::new(KEPT));
        Ok(Self { source, sets, refused, complete, limits, left, kept: RefCell::default(), room })
    }

    /// The sets, the smallest first.
    pub fn sets(&self) -> &[Set] {
        &self.sets
    }

    /// What is no set, though it says so, or could not be read.
    pub fn refused(&self) -> &[RefusedSet] {
        &self.refused
    }

    /// Whether these are all: nothing was left out, and each referrer could be read or is malformed.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The layouts, each once, of at most `limit` bytes; what could not be had is left out, and `false` then says so.
    pub fn layouts(&self, limit: u64) -> (Vec<Vec<u8>>, bool) {
        let found = self.find(&self.sets, LAYOUT, limit, &self.left.layouts);
        let complete = self.complete && found.iter().all(|found| found.file.is_ok());
        (found.into_iter().filter_map(|found| found.file.ok()).collect(), complete)
    }

    /// One set, as a place of its own.
    pub(super) fn alone<'s>(&'s self, set: &'s Set) -> OneSet<'s> {
        OneSet { all: self, set }
    }

    /// What sets have under this path, the same bytes once, and the smallest first: whoever adds large ones uses up no limit for those.
    fn find<'s>(&self, sets: impl IntoIterator<Item = &'s Set>, path: &str, limit: u64, left: &Cell<u64>) -> Vec<Found> {
        let entry = |set: &'s Set| set.files.get(path).map(|(digest, size)| (*size, *digest, set.referrer));
        let mut entries: Vec<(u64, Digest, Digest)> = sets.into_iter().filter_map(entry).collect();
        // A file that is listed with two sizes is there by one of them, whoever lists it with the other.
        entries.sort_by_key(|(size, ..)| *size);
        let mut seen = HashSet::new();
        entries.retain(|(size, digest, _)| seen.insert((*size, *digest)));
        let mut read = HashSet::new();
        let mut found: Vec<(Digest, Found)> = Vec::new();
        for (size, digest, set) in entries {
            if read.contains(&digest) {
                continue;
            }
            let file = self.file(&digest, size, limit, left);
            if file.is_ok() {
                read.insert(digest);
            }
            found.push((digest, Found { from: set.to_string(), file }));
        }
        found.retain(|(digest, found)| found.file.is_ok() || !read.contains(digest));
        found.into_iter().map(|(_, found)| found).collect()
    }

    fn file(&self, digest: &Digest, size: u64, limit: u64, left: &Cell<u64>) -> Result<Vec<u8>, Failure> {
        if let Some(bytes) = self.kept.borrow().get(digest) {
            return Ok(bytes.clone());
        }
        if size > limit {
            return Err(Failure::TooLarge { limit });
        }
        let Some(rest) = left.get().checked_sub(size) else {
            return Err(Failure::Unavailable(format!("files of more than {} bytes would have to be read", self.limits.bytes)));
        };
        left.set(rest);
        let read = self.source.blobs(&[(*digest, size)]).pop().unwrap_or(Ok(Vec::new()));
        let bytes = read.map_err(|error| Failure::Unavailable(error.to_string()))?;
        if let Some(room) = self.room.get().checked_sub(size).filter(|_| size <= KEPT_FILE) {
            self.room.set(room);
            self.kept.borrow_mut().insert(*digest, bytes.clone());
        }
        Ok(bytes)
    }

    fn answer(&self, mut found: Vec<Found>) -> Answer {
        if !self.complete {
            // Another referrer may have it.
            let why = "not every referrer of the artifact could be looked at";
            found.push(Found { from: String::new(), file: Err(Failure::Unavailable(why.to_owned())) });
        }
        if found.is_empty() { Answer::Absent } else { Answer::Files(found) }
    }
}

/// What a set is attached to; `None` if `referrer` is no set.
///
/// # Errors
/// Its manifest cannot be read.
pub fn subject_of(source: &dyn Source, referrer: &Digest) -> Result<Option<Digest>, Error> {
    let bytes = source.manifest(referrer, touchmark_trust::Limits::default().manifest)?;
    let manifest = Manifest::parse(&bytes).ok().filter(|manifest| manifest.artifact_type() == Some(ARTIFACT_TYPE));
    Ok(manifest.and_then(|manifest| Some(manifest.subject?.digest)))
}

impl std::fmt::Debug for AttachedLinks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AttachedLinks").field("sets", &self.sets).field("complete", &self.complete).finish_non_exhaustive()
    }
}

/// All sets as one folder: under each name there is what any of them has.
impl Links for AttachedLinks<'_> {
    fn read(&self, path: &str, limit: u64) -> Answer {
        self.answer(self.find(&self.sets, path, limit, &self.left.together))
    }

    fn names(&self, folder: &str, step: &str, limit: usize) -> Answer {
        names(&self.sets, folder, step, limit, self.complete)
    }
}

/// One set as a folder.
pub(super) struct OneSet<'a> {
    all: &'a AttachedLinks<'a>,
    set: &'a Set,
}

impl Links for OneSet<'_> {
    fn read(&self, path: &str, limit: u64) -> Answer {
        let found = self.all.find([self.set], path, limit, &self.all.left.alone);
        if found.is_empty() { Answer::Absent } else { Answer::Files(found) }
    }

    fn names(&self, folder: &str, step: &str, limit: usize) -> Answer {
        names([self.set], folder, step, limit, true)
    }
}

/// The first names of links of a step that sets have in a folder, in their order.
fn names<'s>(sets: impl IntoIterator<Item = &'s Set>, folder: &str, step: &str, limit: usize, is_complete: bool) -> Answer {
    let paths = sets.into_iter().flat_map(|set| set.files.keys());
    let names = paths.filter_map(|path| path.strip_prefix(folder)).filter(|name| is_link(name, step));
    let mut names: BTreeSet<&str> = names.collect();
    let is_complete = is_complete && names.len() <= limit;
    while names.len() > limit {
        names.pop_last();
    }
    Answer::Names(Names { names: names.into_iter().map(ToOwned::to_owned).collect(), is_complete })
}
