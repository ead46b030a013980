//! Writing blobs and manifests, and changing `index.json` with nothing lost: whatever other programs do to it in the meantime.

use std::io::{self, Read};

use touchmark_envelope::Digest;
use touchmark_envelope::digest::{Algorithm, Hasher};
use touchmark_envelope::json::{Object, Value};
use touchmark_envelope::manifest::{Descriptor, Kind, Manifest};

use super::{INDEX_FILE, Layout, check_tag};
use crate::content::Content;
use crate::error::Error;
use crate::failpoint::{self, Guard};
use crate::index::{Index, REF_NAME};
use crate::lock::Lock;
use crate::scan::{MAX_MANIFEST, length};
use crate::temporary::{self, Temporary};
use crate::union::list_tag;

/// The media type of blobs whose type the caller does not say.
const ANY_CONTENT: &str = "application/octet-stream";
/// How much of a blob is read, hashed and written at a time.
const BUFFER: usize = 512 << 10;
/// How often a change of `index.json` begins anew because another program changed it.
const ATTEMPTS: usize = 64;
/// The annotation by which `cosign verify --local-image` finds what it verifies.
const COSIGN_KIND: &str = "kind";

/// Lists of referrers that a change of `index.json` wrote and replaced.
#[derive(Default)]
pub(super) struct Pending {
    written: Vec<Digest>,
    replaced: Vec<Digest>,
}

impl Layout {
    /// Takes the lock, and removes what writers that were killed left behind.
    pub(super) fn lock(&self) -> Result<Lock, Error> {
        let lock = Lock::take(&self.root)?;
        temporary::sweep(&self.root).map_err(|source| Error::writing(&self.root, source))?;
        Ok(lock)
    }

    /// See [`Store::put_blob`](crate::source::Store::put_blob).
    pub(super) fn write_blob(&self, expected: Option<&Descriptor>, content: &mut dyn Read) -> Result<Descriptor, Error> {
        if let Some(expected) = expected
            && self.holds(&expected.digest, expected.size)?
        {
            return Ok(expected.clone());
        }
        let failed = |source| Error::writing(&self.root, source);
        let location = self.place();
        let algorithm = expected.map_or(Algorithm::Sha256, |expected| expected.digest.algorithm());
        let mut temporary = Temporary::create(&self.root).map_err(failed)?;
        let mut hasher = Hasher::new(algorithm);
        let mut size = 0_u64;
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::content(&location, error)),
            };
            let bytes = buffer.get(..count).unwrap_or_default();
            hasher.update(bytes);
            size = size.saturating_add(length(bytes));
            if expected.is_some_and(|expected| size > expected.size) {
                break;
            }
            temporary.write(bytes).map_err(failed)?;
        }
        let digest = hasher.finish();
        if let Some(expected) = expected {
            if size != expected.size {
                return Err(Error::WrongSize { location, digest: expected.digest, expected: expected.size, found: size });
            }
            if digest != expected.digest {
                return Err(Error::WrongDigest { location, expected: expected.digest, found: digest });
            }
        }
        temporary.sync(self.durability).map_err(failed)?;
        let folder = self.create_blob_folder(algorithm).map_err(failed)?;
        temporary.publish(&folder.join(digest.hex())).map_err(failed)?;
        temporary::sync_folder(&folder, self.durability).map_err(failed)?;
        Ok(expected.cloned().unwrap_or_else(|| Descriptor::new(ANY_CONTENT, digest, size)))
    }

    /// Whether a blob is there and right. A wrong one is written anew.
    fn holds(&self, digest: &Digest, size: u64) -> Result<bool, Error> {
        if self.blob_size(digest)? != Some(size) {
            return Ok(false);
        }
        let (_, mut reader) = self.open_blob(digest)?;
        let mut hasher = Hasher::new(digest.algorithm());
        let mut buffer = vec![0; BUFFER];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(hasher.finish() == *digest),
                Ok(count) => hasher.update(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::reading(&self.root, error)),
            }
        }
    }

    /// Writes a small blob whose digest is known, unless it is there and right. Its folder is synced with `index.json`.
    pub(super) fn write_bytes(&self, digest: &Digest, bytes: &[u8]) -> Result<(), Error> {
        if self.read(digest, length(bytes)).is_ok_and(|found| found == bytes) {
            return Ok(());
        }
        let failed = |source| Error::writing(&self.root, source);
        let folder = self.create_blob_folder(digest.algorithm()).map_err(failed)?;
        temporary::write_file(&self.root, &folder.join(digest.hex()), bytes, self.durability).map_err(failed)
    }

    /// Removes a blob.
    pub(super) fn remove_blob(&self, digest: &Digest) -> Result<(), Error> {
        let failed = |source| Error::writing(&self.root, source);
        match self.blob_path(digest).map_err(failed)? {
            Some(path) => temporary::remove(&path).map_err(|source| Error::writing(&path, source)),
            None => Ok(()),
        }
    }

    /// Makes the names of blobs durable.
    pub(super) fn sync_blobs(&self) -> Result<(), Error> {
        let failed = |source| Error::writing(&self.root, source);
        for algorithm in Algorithm::ALL {
            if let Some(folder) = self.blob_folder(algorithm).map_err(failed)? {
                temporary::sync_folder(&folder, self.durability).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Changes `index.json` under the lock: reads it, lets `change` merge into it, and replaces it if nobody else has changed it
    /// in between; otherwise begins anew. Programs that take no lock are noticed so.
    pub(super) fn edit<T>(&self, _lock: &Lock, mut change: impl FnMut(&mut Index, &mut Pending) -> Result<T, Error>) -> Result<T, Error> {
        let path = self.path(INDEX_FILE);
        let failed = |source| Error::writing(&path, source);
        for _ in 0..ATTEMPTS {
            let mut index = self.index_to_change()?;
            let before = index.to_vec();
            let mut pending = Pending::default();
            let result = change(&mut index, &mut pending)?;
            let after = index.to_vec();
            if after == before {
                return Ok(result);
            }
            let mut temporary = Temporary::create(&self.root).map_err(failed)?;
            temporary.write(&after).map_err(failed)?;
            temporary.sync(self.durability).map_err(failed)?;
            self.sync_blobs()?;
            if self.is_unchanged(&before)? {
                temporary.keep_permissions(&path).map_err(failed)?;
                temporary.publish(&path).map_err(failed)?;
                temporary::sync_folder(&self.root, self.durability).map_err(failed)?;
                self.remove_unlisted(&index, &pending.replaced)?;
                return Ok(result);
            }
            drop(temporary);
            self.remove_unlisted(&self.index()?, &pending.written)?;
        }
        Err(Error::Contended { path })
    }

    /// `index.json` as it is now.
    fn index_to_change(&self) -> Result<Index, Error> {
        #[cfg(feature = "failpoint")]
        if failpoint::is_off(Guard::Merge) {
            let first = self.first.get().cloned().unwrap_or_default();
            return Index::parse(first).map_err(|fault| crate::content::index_error(&self.place(), INDEX_FILE, fault));
        }
        self.index()
    }

    /// Whether `index.json` still is what a change began with. Its bytes are compared: times and sizes can be equal by chance.
    fn is_unchanged(&self, before: &[u8]) -> Result<bool, Error> {
        if failpoint::is_off(Guard::Lock) || failpoint::is_off(Guard::Merge) {
            return Ok(true);
        }
        let now = self.index_bytes()?;
        // An index without a list is normalised when it is read.
        Ok(now == before || Index::parse(now).is_ok_and(|now| now.to_vec() == before))
    }

    /// Removes those of the lists of referrers that Touchmark wrote and `index` does not list.
    fn remove_unlisted(&self, index: &Index, lists: &[Digest]) -> Result<(), Error> {
        for list in lists.iter().filter(|list| !index.lists(list)) {
            if self.read_index(list).is_ok_and(|list| list.list_of().is_some()) {
                self.remove_blob(list)?;
            }
        }
        Ok(())
    }

    /// Makes `list` the list of `subject`'s referrers in `index`; an empty one is taken out.
    pub(super) fn set_list(&self, index: &mut Index, subject: &Digest, list: &Index, pending: &mut Pending) -> Result<(), Error> {
        let tag = list_tag(subject);
        let bytes = list.to_vec();
        let digest = subject.algorithm().digest(&bytes);
        let is_list = |entry: &crate::index::Entry| entry.tag.as_deref() == Some(tag.as_str());
        pending.replaced.extend(index.entries().iter().filter(|entry| is_list(entry)).filter_map(|entry| entry.digest));
        if list.entries().is_empty() {
            index.retain(|entry| !is_list(entry));
            return Ok(());
        }
        if self.blob_size(&digest)?.is_none() {
            pending.written.push(digest);
        }
        self.write_bytes(&digest, &bytes)?;
        let mut descriptor = Descriptor::new(touchmark_envelope::manifest::IMAGE_INDEX, digest, length(&bytes));
        if index.tagged(&tag).is_some() {
            index.change(is_list, |object| {
                for member in ["mediaType", "digest", "size"] {
                    if let Some(value) = descriptor.to_json().get(member) {
                        object.insert(member, value.clone());
                    }
                }
            });
        } else {
            descriptor.annotations.insert(REF_NAME.to_owned(), tag.clone());
            index.push(&descriptor);
        }
        Ok(())
    }

    /// See [`Store::put_manifest_as`](crate::source::Store::put_manifest_as).
    pub(super) fn write_manifest(
        &self,
        algorithm: Algorithm,
        bytes: &[u8],
        media_type: &str,
        tag: Option<&str>,
    ) -> Result<Descriptor, Error> {
        tag.map_or(Ok(()), check_tag)?;
        let digest = algorithm.digest(bytes);
        let manifest = self.parse_manifest(&digest, bytes)?;
        if manifest.media_type != media_type {
            let reason = format!("it is {}, not {media_type}", manifest.media_type);
            return Err(self.malformed(&digest.to_string(), reason));
        }
        let mut descriptor = Descriptor::new(media_type, digest, length(bytes));
        descriptor.artifact_type.clone_from(&manifest.artifact_type);
        let lock = self.lock()?;
        self.write_bytes(&digest, bytes)?;
        self.edit(&lock, |index, _| {
            match tag {
                Some(tag) => set_tag(index, tag, &descriptor, &manifest),
                None if index.lists(&digest) => {}
                None => index.push(&descriptor),
            }
            Ok(())
        })?;
        Ok(descriptor)
    }

    /// Reads a manifest that is to be written.
    pub(super) fn parse_manifest(&self, digest: &Digest, bytes: &[u8]) -> Result<Manifest, Error> {
        let what = digest.to_string();
        if length(bytes) > MAX_MANIFEST {
            return Err(Error::TooLarge { location: self.place(), what, size: length(bytes), limit: MAX_MANIFEST });
        }
        Manifest::parse(bytes).map_err(|error| self.malformed(&what, error.to_string()))
    }
}

/// Gives `tag` to an artifact. What had it stays listed without.
fn set_tag(index: &mut Index, tag: &str, descriptor: &Descriptor, manifest: &Manifest) {
    let digest = Some(descriptor.digest);
    if index.entries().iter().any(|entry| entry.digest == digest && entry.tag.as_deref() == Some(tag)) {
        return index.retain(|entry| entry.digest == digest || entry.tag.as_deref() != Some(tag));
    }
    index.change(
        |entry| entry.tag.as_deref() == Some(tag),
        |object| {
            let Some(Value::Object(annotations)) = object.get_mut("annotations") else { return };
            annotations.remove(REF_NAME);
            annotations.remove(COSIGN_KIND);
            if annotations.is_empty() {
                object.remove("annotations");
            }
        },
    );
    let kind = match manifest.kind {
        Kind::Index { .. } => "dev.cosignproject.cosign/imageIndex",
        Kind::Image { .. } => "dev.cosignproject.cosign/image",
    };
    let added = [(REF_NAME, tag), (COSIGN_KIND, kind)];
    if index.entries().iter().any(|entry| entry.digest == digest && entry.tag.is_none()) {
        let mut done = false;
        index.change(
            |entry| entry.digest == digest && entry.tag.is_none(),
            |object| {
                if std::mem::replace(&mut done, true) {
                    return;
                }
                let mut annotations = match object.remove("annotations") {
                    Some(Value::Object(annotations)) => annotations,
                    _ => Object::new(),
                };
                for (name, value) in added {
                    annotations.insert(name, value.to_owned());
                }
                object.insert("annotations", annotations);
            },
        );
    } else {
        let mut descriptor = descriptor.clone();
        descriptor.annotations.extend(added.map(|(name, value)| (name.to_owned(), value.to_owned())));
        index.push(&descriptor);
    }
}
