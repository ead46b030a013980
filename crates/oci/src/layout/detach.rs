//! Removing a referrer for good.
//!
//! The order is: out of the lists, then the manifest, then its blobs. A process that is killed in between has either removed
//! nothing, for the manifest is found without lists too and removing it again goes on, or left blobs that nothing names. No
//! list ever names what is not there.

use std::collections::HashSet;
use std::io::Read;
use std::ops::ControlFlow;

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Manifest, is_index_type};

use super::Layout;
use crate::content::Content;
use crate::error::{Class, Error};
use crate::index::Index;
use crate::scan::{MAX_MANIFEST, contains, length, may_be_object};
use crate::temporary;
use crate::union::{is_list_tag, list_tag};

/// At most this many indexes are read to see whether one lists what is to be removed.
const MAX_INDEXES: usize = 10_000;
/// So many bytes of a document are searched at a time, with so many of those before: the digits of the longest digest.
const STEP: u64 = 1 << 20;
const OVERLAP: usize = 128;

impl Layout {
    /// See [`Upkeep::detach`](crate::source::Upkeep::detach).
    pub(super) fn detach_manifest(&self, subject: &Digest, referrer: &Digest) -> Result<(), Error> {
        let location = self.place();
        let lock = self.lock()?;
        let manifest = match self.read(referrer, MAX_MANIFEST) {
            Ok(bytes) => Some(self.parse_manifest(referrer, &bytes)?),
            Err(error) if error.class() == Class::NotFound => None,
            Err(error) => return Err(error),
        };
        let refers = |manifest: &Manifest| manifest.subject.as_ref().is_some_and(|found| found.digest == *subject);
        if manifest.as_ref().is_some_and(|manifest| !refers(manifest)) {
            return Err(Error::OtherSubject { location, subject: *subject, referrer: *referrer });
        }
        let was_listed = self.edit(&lock, |index, pending| {
            if let Some(parent) = self.parent(index, referrer) {
                return Err(Error::StillListed { location: location.clone(), digest: *referrer, parent });
            }
            let mut listed = index.lists(referrer);
            let list = index.tagged(&list_tag(subject)).and_then(|entry| entry.digest);
            if let Some(list) = list.and_then(|list| self.read_index(&list).ok())
                && list.lists(referrer)
            {
                let mut list = Index::list(subject, Some(&list));
                list.retain(|entry| entry.digest.as_ref() != Some(referrer));
                self.set_list(index, subject, &list, pending)?;
                listed = true;
            }
            index.retain(|entry| entry.digest.as_ref() != Some(referrer));
            Ok(listed)
        })?;
        let Some(manifest) = manifest else {
            return if was_listed { Ok(()) } else { Err(Error::NoSuchBlob { location, digest: *referrer }) };
        };
        self.remove_blob(referrer)?;
        self.sync_blobs()?;
        let unused = self.unused(manifest.blobs().map(|blob| blob.digest).collect())?;
        for blob in &unused {
            self.remove_blob(blob)?;
        }
        if !unused.is_empty() {
            self.sync_blobs()?;
        }
        temporary::sync_folder(&self.root, self.durability).map_err(|source| Error::writing(&self.root, source))
    }

    /// An index, other than a list of referrers, that lists `digest`.
    fn parent(&self, index: &Index, digest: &Digest) -> Option<Digest> {
        let mut to_read: Vec<Digest> = Vec::new();
        for entry in index.entries().iter().filter(|entry| !entry.tag.as_deref().is_some_and(is_list_tag)) {
            if index.descriptor(entry).is_ok_and(|descriptor| is_index_type(&descriptor.media_type)) {
                to_read.extend(entry.digest);
            }
        }
        let mut read = HashSet::new();
        while let Some(parent) = to_read.pop().filter(|_| read.len() < MAX_INDEXES) {
            if !read.insert(parent) {
                continue;
            }
            let Some(manifest) = self.read(&parent, MAX_MANIFEST).ok().and_then(|bytes| Manifest::parse(&bytes).ok()) else { continue };
            if manifest.children().iter().any(|child| child.digest == *digest) {
                return Some(parent);
            }
            to_read.extend(manifest.children().iter().filter(|child| is_index_type(&child.media_type)).map(|child| child.digest));
        }
        None
    }

    /// Those of `blobs` that nothing else needs: that no other document among the blobs names, nor `index.json`, and that are no
    /// manifests themselves, for one may be a referrer that no list has. The empty config is everybody's.
    fn unused(&self, blobs: HashSet<Digest>) -> Result<HashSet<Digest>, Error> {
        let mut unused = blobs;
        let index = self.index()?;
        unused.retain(|blob| !blob.matches(b"{}") && !index.lists(blob));
        let mut failed = None;
        self.each_blob(&mut |digest, _| {
            if unused.is_empty() {
                return ControlFlow::Break(());
            }
            match self.spare(&digest, &mut unused) {
                Err(error) if error.class() != Class::NotFound => failed = Some(error),
                _ => {}
            }
            if failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        failed.map_or(Ok(unused), Err)
    }

    /// Takes out of `unused` what the blob `digest` may name, if it may be a JSON object, of whatever size, and the blob itself if
    /// it may be a manifest. A blob too many is no loss.
    fn spare(&self, digest: &Digest, unused: &mut HashSet<Digest>) -> Result<(), Error> {
        let (_, mut reader) = self.open_blob(digest)?;
        let mut window = Vec::new();
        let mut begun = false;
        // Most blobs are layers, which the first bytes tell.
        let mut step = 512;
        loop {
            let read = reader.by_ref().take(step).read_to_end(&mut window).map_err(|source| Error::reading(&self.root, source))?;
            if read == 0 || unused.is_empty() || !(begun || may_be_object(&window)) {
                return Ok(());
            }
            step = STEP;
            begun = begun || window.iter().any(|byte| !byte.is_ascii_whitespace());
            // In an escaped text a digest is not seen: such a document may name any of them.
            if contains(&window, b"\\u") {
                unused.clear();
            }
            if contains(&window, br#""schemaVersion""#) {
                unused.remove(digest);
            }
            unused.retain(|blob| blob == digest || !contains(&window, blob.hex().as_bytes()));
            // What is looked for may stand across the end of what was read.
            window.drain(..window.len().saturating_sub(OVERLAP));
        }
    }

    /// The content of a blob that begins as a JSON object does.
    pub(super) fn looks_like_json(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
        let (size, mut reader) = self.open_blob(digest)?;
        let failed = |source| Error::reading(&self.root, source);
        let mut bytes = Vec::new();
        reader.by_ref().take(size.min(512)).read_to_end(&mut bytes).map_err(failed)?;
        if !may_be_object(&bytes) {
            return Ok(None);
        }
        reader.take(size.saturating_sub(length(&bytes))).read_to_end(&mut bytes).map_err(failed)?;
        Ok(Some(bytes))
    }
}
