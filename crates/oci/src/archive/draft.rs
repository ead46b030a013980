//! Changing a tar: what is new is kept in a staging folder until the whole tar is written anew.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, Manifest};

use super::export::{self, Check, Open};
use super::scan::Extent;
use super::{Archive, MAX_MARKER};
use crate::content::Content;
use crate::error::Error;
use crate::layout::Layout;
use crate::lock::{self, LOCK_FILE};
use crate::platform;
use crate::source::{AllReferrers, Attached, Referrers, RepairReport, Source, Store, Upkeep};
use crate::staging::Staging;
use crate::temporary;

/// Blobs up to this size are unpacked for the work on them: all manifests are.
const SMALL: u64 = crate::scan::MAX_MANIFEST;

/// An OCI layout in a tar that is being made or changed. Nothing of it is seen before [`commit`](Self::commit), and nothing is left of
/// it when it is dropped without.
///
/// Only one can be open for a tar at a time: another waits.
pub struct Draft<'a> {
    path: PathBuf,
    base: Option<Archive>,
    layout: Layout,
    staging: Staging,
    /// Blobs of the base that are in the staging folder, or were and were removed there.
    taken: Mutex<HashSet<Digest>>,
    /// Where large blobs stay until the tar is written.
    origin: Option<&'a dyn Source>,
    /// Those blobs, with their sizes.
    deferred: Mutex<BTreeMap<Digest, u64>>,
    _lock: Lock,
}

impl<'a> Draft<'a> {
    /// Opens the tar `path` to change it, or to make it if it is not there.
    ///
    /// # Errors
    /// As for [`Archive::open`], or nothing can be written beside it.
    pub fn open_or_create(path: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::new(path.into(), None)
    }

    /// As [`open_or_create`](Self::open_or_create), for blobs of `origin`: large ones are not copied twice, but read when the tar is
    /// written.
    ///
    /// # Errors
    /// The same.
    pub fn with_origin(path: impl Into<PathBuf>, origin: &'a dyn Source) -> Result<Self, Error> {
        Self::new(path.into(), Some(origin))
    }

    fn new(path: PathBuf, origin: Option<&'a dyn Source>) -> Result<Self, Error> {
        let failed = |source| Error::writing(&path, source);
        // A link to a tar stays one; its target is what is replaced.
        let target = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        let folder = folder_of(&target);
        std::fs::create_dir_all(folder).map_err(failed)?;
        let lock = Lock::take(&target)?;
        let base = match std::fs::symlink_metadata(&target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            _ => Some(Archive::open(&target)?),
        };
        let staging = Staging::create(folder).map_err(failed)?;
        let layout = match &base {
            Some(base) => unpack_small(base, staging.content())?,
            None => Layout::open_or_create(staging.content())?,
        };
        let mut taken = HashSet::new();
        if let Some(base) = &base {
            base.each_blob(&mut |digest, size| {
                if size <= SMALL {
                    taken.insert(digest);
                }
                ControlFlow::Continue(())
            })?;
        }
        let layout = layout.scratch(format!("oci-archive:{}", path.display()));
        Ok(Self { path: target, base, layout, staging, taken: Mutex::new(taken), origin, deferred: Mutex::default(), _lock: lock })
    }

    /// Writes the tar. The old one is there until the new one is whole.
    ///
    /// Returns the deferred blobs that are not in it, because their origin failed or had other bytes.
    ///
    /// # Errors
    /// The tar cannot be written, or another program replaced or changed the old one, or made one where none was: what it wrote is left
    /// ([`Error::Contended`]).
    pub fn commit(self) -> Result<Vec<(Digest, Error)>, Error> {
        let failed = |path: &Path, source| Error::reading(path, source);
        let root = self.staging.content();
        let read = |name: &str| {
            let path = root.join(name);
            platform::open(&path)
                .and_then(|file| {
                    let mut bytes = Vec::new();
                    file.take(crate::index::MAX_BYTES).read_to_end(&mut bytes).map(|_| bytes)
                })
                .map_err(|source| failed(&path, source))
        };
        let mut blobs: BTreeMap<Digest, Open<'_>> = BTreeMap::new();
        let layout = &self.layout;
        layout.each_blob(&mut |digest, size| {
            let open = Box::new(move || layout.open_blob(&digest).map(|(_, reader)| reader));
            blobs.insert(digest, Open { size, check: Check::Size, open });
            ControlFlow::Continue(())
        })?;
        let mut others = BTreeMap::new();
        if let Some(base) = &self.base {
            let taken = lock(&self.taken);
            for (digest, member) in &base.catalogue.blobs {
                let Ok(extent) = member else { continue };
                if !taken.contains(digest) && !blobs.contains_key(digest) {
                    blobs.insert(*digest, kept(base, *extent));
                }
            }
            let theirs = |name: &str| name != LOCK_FILE && !temporary::is_temporary(name);
            let others_there = base.catalogue.others.iter().filter(|(name, _)| theirs(name));
            others.extend(others_there.map(|(name, extent)| (name.clone(), kept(base, *extent))));
        }
        if let Some(origin) = self.origin {
            for (digest, size) in lock(&self.deferred).iter() {
                let digest = *digest;
                let open = Box::new(move || origin.unhashed_blob(&digest).map(|(_, reader)| reader));
                blobs.entry(digest).or_insert(Open { size: *size, check: Check::Hash, open });
            }
        }
        let content = export::Content { marker: read("oci-layout")?, index: read("index.json")?, blobs, others };
        export::write(&content, folder_of(&self.path), &self.path, &|| self.is_unchanged())
    }

    /// Whether what is at the path is what was opened. Other programs do not take the lock.
    fn is_unchanged(&self) -> io::Result<bool> {
        match &self.base {
            Some(base) => base.is_unchanged(),
            None => match std::fs::symlink_metadata(&self.path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
                metadata => metadata.map(|_| false),
            },
        }
    }

    /// Whether a blob is in the base alone.
    fn in_base(&self, digest: &Digest) -> Result<Option<(&Archive, Extent)>, Error> {
        let Some(base) = self.base.as_ref().filter(|_| !lock(&self.taken).contains(digest)) else { return Ok(None) };
        Ok(base.extent(digest)?.map(|extent| (base, extent)))
    }

    /// Copies to the staging folder the blobs that `manifest` names and that are elsewhere still.
    fn take_blobs(&self, manifest: &[u8]) -> Result<(), Error> {
        let Ok(manifest) = Manifest::parse(manifest) else { return Ok(()) };
        for blob in manifest.blobs() {
            if let Some((base, extent)) = self.in_base(&blob.digest)? {
                let descriptor = Descriptor::new(&blob.media_type, blob.digest, extent.size);
                self.layout.put_blob(Some(&descriptor), &mut base.part(extent))?;
                lock(&self.taken).insert(blob.digest);
            }
            let deferred = lock(&self.deferred).get(&blob.digest).copied();
            if let (Some(size), Some(origin)) = (deferred, self.origin) {
                let descriptor = Descriptor::new(&blob.media_type, blob.digest, size);
                self.layout.put_blob(Some(&descriptor), &mut origin.unhashed_blob(&blob.digest)?.1)?;
                lock(&self.deferred).remove(&blob.digest);
            }
        }
        Ok(())
    }
}

fn kept(base: &Archive, extent: Extent) -> Open<'_> {
    Open { size: extent.size, check: Check::Size, open: Box::new(move || Ok(Box::new(base.part(extent)))) }
}

/// The folder that a file is in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes an OCI layout of the small blobs of `base`. Nothing of it has to outlive this process, so nothing is synced.
fn unpack_small(base: &Archive, root: &Path) -> Result<Layout, Error> {
    let put = |name: &str, bytes: &[u8]| {
        let path = root.join(name);
        std::fs::write(&path, bytes).map_err(|error| Error::writing(&path, error))
    };
    for algorithm in Algorithm::ALL {
        let folder = root.join("blobs").join(algorithm.name());
        std::fs::create_dir_all(&folder).map_err(|error| Error::writing(&folder, error))?;
    }
    for (digest, member) in &base.catalogue.blobs {
        let Ok(extent) = member else { continue };
        if extent.size <= SMALL {
            let bytes = base.read_extent(&digest.to_string(), *extent, SMALL)?;
            put(&format!("blobs/{}/{}", digest.algorithm(), digest.hex()), &bytes)?;
        }
    }
    put("index.json", &base.index_bytes()?)?;
    put("oci-layout", &base.read_extent("oci-layout", base.catalogue.marker, MAX_MARKER)?)?;
    Layout::open(root)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Source for Draft<'_> {
    fn location(&self) -> String {
        Source::location(&self.layout)
    }

    fn resolve(&self, tag: Option<&str>, digest: Option<&Digest>) -> Result<Descriptor, Error> {
        self.layout.resolve(tag, digest)
    }

    fn manifest(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error> {
        match self.in_base(digest)? {
            Some((base, _)) => base.manifest(digest, limit),
            None => self.layout.manifest(digest, limit),
        }
    }

    fn blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        if let Some((base, _)) = self.in_base(digest)? {
            return base.blob(digest);
        }
        match self.origin.filter(|_| lock(&self.deferred).contains_key(digest)) {
            Some(origin) => origin.blob(digest),
            None => self.layout.blob(digest),
        }
    }

    fn unhashed_blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        if let Some((base, _)) = self.in_base(digest)? {
            return base.unhashed_blob(digest);
        }
        match self.origin.filter(|_| lock(&self.deferred).contains_key(digest)) {
            Some(origin) => origin.unhashed_blob(digest),
            None => self.layout.unhashed_blob(digest),
        }
    }

    fn size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        if let Some((_, extent)) = self.in_base(digest)? {
            return Ok(Some(extent.size));
        }
        let deferred = lock(&self.deferred).get(digest).copied();
        match deferred {
            Some(size) => Ok(Some(size)),
            None => Source::size(&self.layout, digest),
        }
    }

    fn referrers(&self, subject: &Digest, max_entries: usize, max_bytes: u64) -> Result<Referrers, Error> {
        self.layout.referrers(subject, max_entries, max_bytes)
    }

    fn all_referrers(&self, max_entries: usize, max_bytes: u64) -> Result<Option<AllReferrers>, Error> {
        self.layout.all_referrers(max_entries, max_bytes)
    }

    fn tags(&self) -> Result<Vec<(String, Descriptor)>, Error> {
        self.layout.tags()
    }

    fn roots(&self) -> Result<Vec<Descriptor>, Error> {
        self.layout.roots()
    }
}

impl Store for Draft<'_> {
    fn put_blob(&self, expected: Option<&Descriptor>, content: &mut dyn Read) -> Result<Descriptor, Error> {
        let Some(expected) = expected else { return self.layout.put_blob(None, content) };
        let digest = expected.digest;
        if let Some((base, extent)) = self.in_base(&digest)?
            && io::copy(&mut base.open_hashed(&digest)?.1, &mut io::sink()).is_ok()
        {
            if extent.size != expected.size {
                return Err(Error::WrongSize { location: self.location(), digest, expected: expected.size, found: extent.size });
            }
            return Ok(expected.clone());
        }
        let stored = match self.origin {
            Some(origin)
                if expected.size > SMALL
                    && Source::size(&self.layout, &digest)?.is_none()
                    && origin.size(&digest)? == Some(expected.size) =>
            {
                lock(&self.deferred).insert(digest, expected.size);
                expected.clone()
            }
            _ => self.layout.put_blob(Some(expected), content)?,
        };
        // Only now: a damaged one in the base gives way to what is right, and to nothing else.
        lock(&self.taken).insert(digest);
        Ok(stored)
    }

    fn put_manifest_as(&self, algorithm: Algorithm, bytes: &[u8], media_type: &str, tag: Option<&str>) -> Result<Descriptor, Error> {
        self.layout.put_manifest_as(algorithm, bytes, media_type, tag)
    }

    fn attach_as(&self, algorithm: Algorithm, manifests: &[&[u8]]) -> Result<Vec<Attached>, Error> {
        manifests.iter().try_for_each(|manifest| self.take_blobs(manifest))?;
        self.layout.attach_as(algorithm, manifests)
    }
}

impl Upkeep for Draft<'_> {
    fn detach(&self, subject: &Digest, referrer: &Digest) -> Result<(), Error> {
        // So that those of its blobs that nothing else names go with it.
        if let Ok(bytes) = self.layout.manifest(referrer, SMALL) {
            self.take_blobs(&bytes)?;
        }
        self.layout.detach(subject, referrer)
    }

    fn repair(&self, dry_run: bool, subject: Option<&Digest>) -> Result<RepairReport, Error> {
        self.layout.repair(dry_run, subject)
    }
}

/// An exclusive lock for one tar. It is on a file beside the tar, since the tar itself is replaced; the last to leave removes it.
struct Lock {
    file: Option<File>,
    path: PathBuf,
}

impl Lock {
    fn take(target: &Path) -> Result<Self, Error> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = folder_of(target).join(format!(".{name}.touchmark.lock"));
        loop {
            let file = platform::open_for_lock(&path).map_err(|error| Error::writing(&path, error))?;
            lock::wait_for(&file, &path, lock::PATIENCE)?;
            // Whoever had it before removed the file, and somebody may hold a lock on a new one.
            if platform::is_same_file(&file, &path).map_err(|error| Error::writing(&path, error))? {
                return Ok(Self { file: Some(file), path });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if platform::CAN_REMOVE_LOCKED {
            let _ = std::fs::remove_file(&self.path);
        }
        self.file = None;
    }
}
