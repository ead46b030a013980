//! Attaching referrers so that every tool finds them, and reading back that it does.

use std::collections::{HashMap, HashSet};

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, Manifest};

use super::Layout;
use super::write::Pending;
use crate::content::Content;
use crate::error::{Class, Error};
use crate::index::Index;
use crate::referrers::referrers;
use crate::scan::{describe, length};
use crate::source::Attached;
use crate::union::list_tag;

/// How often what was not listed when it was read back is listed again.
const ATTEMPTS: usize = 8;
/// The config of an artifact that has none.
const EMPTY: &[u8] = b"{}";

/// A manifest that is to be attached.
struct Referrer<'a> {
    bytes: &'a [u8],
    manifest: Manifest,
    descriptor: Descriptor,
    subject: Digest,
}

impl Layout {
    /// See [`Store::attach_as`](crate::source::Store::attach_as).
    pub(super) fn attach_manifests(&self, algorithm: Algorithm, manifests: &[&[u8]]) -> Result<Vec<Attached>, Error> {
        let mut referrers = Vec::with_capacity(manifests.len());
        for bytes in manifests {
            let digest = algorithm.digest(bytes);
            let manifest = self.parse_manifest(&digest, bytes)?;
            let subject = manifest.subject.as_ref().ok_or(Error::NoSubject { digest })?.digest;
            let descriptor = describe(&manifest, &digest, length(bytes));
            referrers.push(Referrer { bytes, manifest, descriptor, subject });
        }
        let mut already = None;
        for _ in 0..ATTEMPTS {
            let listed = self.write_and_list(&referrers)?;
            let already: &Vec<bool> = already.get_or_insert(listed);
            // After the lock is free again, as any other program sees it.
            if self.unlisted(&referrers)?.is_none() {
                let attached = referrers.into_iter().zip(already);
                return Ok(attached
                    .map(|(one, already)| Attached {
                        descriptor: one.descriptor,
                        subject: one.subject,
                        already: *already,
                        notices: Vec::new(),
                    })
                    .collect());
            }
        }
        match self.unlisted(&referrers)? {
            Some(digest) => Err(Error::NotListed { location: self.place(), digest }),
            None => Err(Error::Contended { path: self.root.clone() }),
        }
    }

    /// Writes the manifests, then lists them. Returns which were listed before.
    fn write_and_list(&self, referrers: &[Referrer<'_>]) -> Result<Vec<bool>, Error> {
        let lock = self.lock()?;
        for referrer in referrers {
            self.complete(referrer)?;
            self.write_bytes(&referrer.descriptor.digest, referrer.bytes)?;
        }
        self.edit(&lock, |index, pending| {
            let mut known = digests(index);
            let mut before = Vec::with_capacity(referrers.len());
            for referrer in referrers {
                let new = known.insert(referrer.descriptor.digest);
                before.push(!new);
                if new {
                    index.push(&referrer.descriptor);
                }
            }
            let in_list = self.list_all(index, referrers, pending)?;
            Ok(before.into_iter().zip(in_list).map(|(index, list)| index && list).collect())
        })
    }

    /// Adds the manifests to the lists of their subjects. Returns which were there before.
    fn list_all(&self, index: &mut Index, referrers: &[Referrer<'_>], pending: &mut Pending) -> Result<Vec<bool>, Error> {
        let mut subjects: Vec<Digest> = Vec::new();
        for referrer in referrers {
            if !subjects.contains(&referrer.subject) {
                subjects.push(referrer.subject);
            }
        }
        let mut before = vec![true; referrers.len()];
        for subject in subjects {
            let (mut list, mut changed) = self.list_to_change(index, &subject)?;
            let mut known = digests(&list);
            for (referrer, before) in referrers.iter().zip(&mut before).filter(|(referrer, _)| referrer.subject == subject) {
                if known.insert(referrer.descriptor.digest) {
                    list.push(&referrer.descriptor);
                    (*before, changed) = (false, true);
                }
            }
            if changed {
                self.set_list(index, &subject, &list, pending)?;
            }
        }
        Ok(before)
    }

    /// The list of a subject's referrers. One that is damaged or gone is made anew from what is there, and `true` says so.
    fn list_to_change(&self, index: &Index, subject: &Digest) -> Result<(Index, bool), Error> {
        let Some(digest) = index.tagged(&list_tag(subject)).and_then(|entry| entry.digest) else {
            return Ok((Index::list(subject, None), false));
        };
        match self.read_index(&digest) {
            Ok(list) => Ok((Index::list(subject, Some(&list)), false)),
            Err(error) if error.class() == Class::Unavailable => Err(error),
            Err(_) => {
                let mut list = Index::list(subject, None);
                for found in referrers(self, subject, usize::MAX, u64::MAX)?.entries {
                    list.push(&found);
                }
                Ok((list, true))
            }
        }
    }

    /// Sees to it that the blobs of a manifest are there: the caller may have found them there just before a
    /// [`detach`](crate::source::Upkeep::detach) took them away.
    fn complete(&self, referrer: &Referrer<'_>) -> Result<(), Error> {
        for blob in referrer.manifest.blobs() {
            if self.blob_size(&blob.digest)? == Some(blob.size) {
                continue;
            }
            let known = [blob.data.as_deref(), Some(EMPTY)].into_iter().flatten();
            match known.into_iter().find(|bytes| length(bytes) == blob.size && blob.digest.matches(bytes)) {
                Some(bytes) => self.write_bytes(&blob.digest, bytes)?,
                None => {
                    let (location, manifest) = (self.place(), referrer.descriptor.digest);
                    return Err(Error::MissingBlob { location, manifest, blob: blob.digest });
                }
            }
        }
        Ok(())
    }

    /// Reads back: the first that is not there, not in `index.json`, or not in its subject's list.
    fn unlisted(&self, referrers: &[Referrer<'_>]) -> Result<Option<Digest>, Error> {
        let index = self.index()?;
        let listed = digests(&index);
        let mut lists: HashMap<Digest, HashSet<Digest>> = HashMap::new();
        for referrer in referrers {
            let digest = &referrer.descriptor.digest;
            if self.read(digest, length(referrer.bytes))? != referrer.bytes {
                return Ok(Some(*digest));
            }
            let list = lists.entry(referrer.subject).or_insert_with(|| {
                let list = index.tagged(&list_tag(&referrer.subject)).and_then(|entry| entry.digest);
                list.and_then(|list| self.read_index(&list).ok()).map_or_else(HashSet::new, |list| digests(&list))
            });
            if !listed.contains(digest) || !list.contains(digest) {
                return Ok(Some(*digest));
            }
        }
        Ok(None)
    }
}

fn digests(index: &Index) -> HashSet<Digest> {
    index.entries().iter().filter_map(|entry| entry.digest).collect()
}
