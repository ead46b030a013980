//! The sets that an artifact has, as a place of links.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Descriptor, Manifest};
use touchmark_in_toto::Failure;
use touchmark_in_toto::attached::{ARTIFACT_TYPE, Set, Sets};
use touchmark_oci::error::{Class, Error};
use touchmark_oci::source::Source;

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

/// The layouts and links that are attached to an artifact, in all sets.
pub struct AttachedLinks<'a> {
    source: &'a dyn Source,
    sets: Arc<[Set]>,
    refused: Vec<RefusedSet>,
    complete: bool,
    /// What is read of them; with a verification while that lasts.
    files: RefCell<Sets>,
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
                match bytes.map(|bytes| Set::read(*digest, |found| found == subject, &bytes)) {
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
        let files = Sets::new(sets, complete, limits.bytes);
        Ok(Self { source, sets: files.shared(), refused, complete, files: RefCell::new(files) })
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
        let mut files = self.files.borrow_mut();
        let mut lookup = files.layouts(limit);
        while let Some((digest, size)) = files.wanted(&mut lookup) {
            files.give(&mut lookup, self.fetch(&digest, size));
        }
        let found: Vec<_> = lookup.found().collect();
        let complete = self.complete && found.iter().all(|found| found.file.is_ok());
        (found.into_iter().filter_map(|found| found.file.ok()).collect(), complete)
    }

    /// A file of a set.
    pub(super) fn fetch(&self, digest: &Digest, size: u64) -> Result<Vec<u8>, Failure> {
        let read = self.source.blobs(&[(*digest, size)]).pop();
        let read = read.ok_or_else(|| Failure::Unavailable("nothing was returned".to_owned()))?;
        read.map_err(|error| match error.class() {
            // No limit that is raised would help.
            Class::Cap => Failure::NoFile("it has more bytes than its set lists it with".to_owned()),
            _ => Failure::Unavailable(error.to_string()),
        })
    }

    /// What is read of the sets, until it is given back.
    pub(super) fn lend(&self) -> Sets {
        self.files.take()
    }

    pub(super) fn give_back(&self, files: Sets) {
        self.files.replace(files);
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
