//! The blobs: mounted where source and destination are repositories of one registry, and otherwise streamed, several at the same time.

use std::collections::HashSet;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Descriptor, Manifest};

use super::{Copying, blobs_of, is_fatal};
use crate::error::{Class, Error};
use crate::graph::{Content, Node, NodeId};
use crate::parallel;
use crate::reference::Repository;
use crate::source::{Finding, FindingKind, Source, Store};

/// Blobs up to this size, in bytes, are copied by as many threads as the destination takes.
const SMALL: u64 = 4 << 20;
/// Larger ones by so many: what is held of each grows with the size.
const LARGE_AT_ONCE: usize = 2;

/// A blob of the plan.
struct Wanted<'a> {
    blob: &'a Descriptor,
    /// The first manifest that names it.
    of: NodeId,
    is_there: bool,
}

/// What became of a blob.
enum Outcome {
    /// It is at the destination.
    Done,
    /// It is not, for a reason that may hold for it alone.
    Failed(Error),
    /// The destination fails, or the source altogether.
    Fatal(Error),
    /// Something else was fatal before.
    Skipped,
}

impl Copying<'_> {
    /// Copies the blobs, or without a destination finds out which would be.
    pub(super) fn blobs(&mut self, to: Option<&dyn Store>) -> Result<(), Error> {
        let mut seen = HashSet::new();
        let mut wanted = Vec::new();
        for id in &self.plan.nodes {
            let node = self.graph.node(*id);
            if let Content::Unusable(_) = node.content {
                self.unusable(node);
            }
            wanted.extend(blobs_of(node).iter().filter(|blob| seen.insert(blob.digest)).map(|blob| (blob, *id)));
        }
        let there = self.are_there(wanted.iter().map(|(blob, _)| *blob), |there, digests| there.sizes_as_blobs(digests))?;
        let wanted: Vec<Wanted<'_>> = wanted.into_iter().zip(there).map(|((blob, of), is_there)| Wanted { blob, of, is_there }).collect();
        let outcomes = match to {
            Some(to) => self.copy_blobs(to, &wanted),
            None => self.find_blobs(&wanted),
        };
        for (wanted, outcome) in wanted.iter().zip(outcomes) {
            match outcome {
                Outcome::Done if wanted.is_there => self.report.blobs_there += 1,
                Outcome::Done => {
                    self.report.blobs += 1;
                    self.report.bytes = self.report.bytes.saturating_add(wanted.blob.size);
                }
                Outcome::Fatal(error) => return Err(error),
                Outcome::Failed(error) => self.blob_failed(to, wanted, error)?,
                Outcome::Skipped => {}
            }
        }
        Ok(())
    }

    /// Copies each, in the order given as far as the result is concerned.
    fn copy_blobs(&self, to: &dyn Store, wanted: &[Wanted<'_>]) -> Vec<Outcome> {
        let total = wanted.iter().map(|wanted| wanted.blob.size).fold(0, u64::saturating_add);
        let progress = Progress { done: Mutex::new(0), total, tell: self.options.progress };
        let stopped = AtomicBool::new(false);
        let copy = |wanted: &&Wanted<'_>| {
            if stopped.load(Ordering::Relaxed) {
                return Outcome::Skipped;
            }
            let outcome = self.copy_blob(to, wanted, &progress);
            stopped.fetch_or(matches!(outcome, Outcome::Fatal(_)), Ordering::Relaxed);
            outcome
        };
        let writers = self.writers(Some(to));
        if writers == 1 {
            return wanted.iter().map(|wanted| copy(&wanted)).collect();
        }
        let (small, large): (Vec<_>, Vec<_>) = wanted.iter().partition(|wanted| wanted.blob.size <= SMALL);
        let mut large_done = parallel::map(&large, writers.min(LARGE_AT_ONCE), copy).into_iter();
        let mut small_done = parallel::map(&small, writers, copy).into_iter();
        let done = wanted.iter().map(|wanted| if wanted.blob.size <= SMALL { small_done.next() } else { large_done.next() });
        done.map(|outcome| outcome.unwrap_or(Outcome::Skipped)).collect()
    }

    fn copy_blob(&self, to: &dyn Store, wanted: &Wanted<'_>, progress: &Progress<'_>) -> Outcome {
        let blob = wanted.blob;
        // A registry checked the digest when it took the blob. A folder's is checked now, and then the source need not have it.
        if wanted.is_there && to.repository().is_some() {
            progress.add(blob.size);
            return Outcome::Done;
        }
        match self.mounts_from(to).map(|from| to.mount(blob, from)) {
            Some(Ok(true)) => {
                progress.add(blob.size);
                return Outcome::Done;
            }
            // A repository that may not be read for this, or whatever else: its content may be had all the same.
            Some(Err(Error::Connection { url, reason })) => return Outcome::Fatal(Error::Connection { url, reason }),
            Some(Ok(false) | Err(_)) | None => {}
        }
        let inner = Lazy { from: self.from, digest: blob.digest, open: None, failed: false };
        let mut content = Counted { inner, read: 0, progress };
        let stored = to.put_blob(Some(blob), &mut content);
        let (read, source_failed) = (content.read, content.inner.failed);
        progress.add(blob.size.saturating_sub(read));
        match stored {
            Ok(_) => Outcome::Done,
            Err(error) if source_failed => match error {
                Error::Connection { .. } => Outcome::Fatal(error),
                error => Outcome::Failed(error),
            },
            Err(error) if is_fatal(&error) => Outcome::Fatal(error),
            Err(error) => Outcome::Failed(error),
        }
    }

    /// The repository from which the destination may take blobs without moving their bytes.
    fn mounts_from(&self, to: &dyn Store) -> Option<&Repository> {
        let (from, to) = (self.from.repository()?, to.repository()?);
        (from.host() == to.host() && from != to).then_some(from)
    }

    /// Whether each could be copied.
    fn find_blobs(&self, wanted: &[Wanted<'_>]) -> Vec<Outcome> {
        let missing: Vec<Digest> = wanted.iter().filter(|wanted| !wanted.is_there).map(|wanted| wanted.blob.digest).collect();
        let mut sizes = missing.iter().zip(self.from.sizes_as_blobs(&missing));
        let found = wanted.iter().map(|wanted| match (wanted.is_there, if wanted.is_there { None } else { sizes.next() }) {
            (true, _) | (false, Some((_, Ok(Some(_))))) => Outcome::Done,
            (false, Some((digest, Ok(None)))) => Outcome::Failed(Error::NoSuchBlob { location: self.from.location(), digest: *digest }),
            (false, Some((_, Err(error)))) => Outcome::Fatal(error),
            (false, None) => Outcome::Skipped,
        });
        found.collect()
    }

    fn blob_failed(&mut self, to: Option<&dyn Store>, wanted: &Wanted<'_>, error: Error) -> Result<(), Error> {
        let (blob, manifest) = (wanted.blob, self.graph.node(wanted.of).descriptor.digest);
        if error.class() == Class::NotFound {
            if let Some(data) = self.inlined(manifest, blob) {
                // What holds no blob but the manifest's own copy of it is made whole by that.
                match to.map(|to| to.put_blob(Some(blob), &mut data.as_slice())) {
                    Some(Err(error)) if is_fatal(&error) => return Err(error),
                    _ => return Ok(()),
                }
            }
            if blob.media_type.contains(".nondistributable.") || blob.media_type.contains(".foreign.") {
                let detail = format!("{} is not distributed with {manifest}, and was not copied", blob.media_type);
                self.report.findings.push(Finding { kind: FindingKind::Dangling, digest: Some(blob.digest), detail });
                return Ok(());
            }
        }
        self.lose(blob.digest, Some(manifest), self.at_source(error));
        Ok(())
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
}

/// A blob of `from` that is opened when it is first read.
struct Lazy<'a> {
    from: &'a dyn Source,
    digest: Digest,
    open: Option<Box<dyn Read + 'a>>,
    /// Whether the source failed.
    failed: bool,
}

impl Read for Lazy<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.open {
            Some(open) => open.read(buffer),
            // Not hashed: the store hashes what it takes in.
            none => match self.from.unhashed_blob(&self.digest) {
                Ok((_, open)) => none.insert(open).read(buffer),
                Err(error) => Err(error.into()),
            },
        };
        self.failed |= read.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        read
    }
}

/// How much was read of all blobs.
struct Progress<'a> {
    done: Mutex<u64>,
    total: u64,
    tell: &'a (dyn Fn(u64, u64) + Sync),
}

impl Progress<'_> {
    fn add(&self, bytes: u64) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done = done.saturating_add(bytes).min(self.total);
        (self.tell)(*done, self.total);
    }
}

/// Tells the progress of what is read through it.
struct Counted<'a, R> {
    inner: R,
    read: u64,
    progress: &'a Progress<'a>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let bytes = u64::try_from(count).unwrap_or(0);
        self.read = self.read.saturating_add(bytes);
        self.progress.add(bytes);
        Ok(count)
    }
}
