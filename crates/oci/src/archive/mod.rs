//! OCI layouts in tars (SPEC.md, section 15): read in place, without unpacking them, and written whole.

mod draft;
mod export;
mod fault;
pub(crate) mod header;
mod names;
mod scan;

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::Descriptor;

use crate::content::Content;
use crate::error::Error;
use crate::index;
use crate::platform;
use crate::source::{AllReferrers, Finding, FindingKind, Referrers, Source};
use crate::{survey, union};
use scan::{Catalogue, Extent, ScanError};

pub use draft::Draft;
pub use fault::{Fault, Instead};

/// At most this many bytes of `oci-layout` are read.
const MAX_MARKER: u64 = 64 << 10;

/// An OCI layout in a tar.
///
/// Opening it reads the headers alone; every blob is then read where it lies. The tar that was opened is the one that is read,
/// whatever is renamed to its place later.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    file: File,
    /// As they were when it was opened.
    length: u64,
    modified: Option<SystemTime>,
    catalogue: Catalogue,
}

impl Archive {
    /// Opens the tar `path`.
    ///
    /// # Errors
    /// It cannot be read, is no tar or one that readers may understand differently, or holds no OCI layout of version 1.0.0.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let failed = |source| Error::reading(&path, source);
        // Before it is opened: opening a pipe would wait for its writer.
        let metadata = std::fs::metadata(&path).map_err(failed)?;
        if !metadata.is_file() {
            let found = if metadata.is_dir() { "a folder" } else { "a device, pipe or socket" };
            return Err(Error::Irregular { path, found, wanted: "a tar, which is read in place" });
        }
        let file = File::open(&path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let (length, modified) = (metadata.len(), metadata.modified().ok());
        let catalogue = match scan::scan(&file, length, scan::MAX_MEMBERS) {
            Ok(catalogue) => catalogue,
            Err(ScanError::Io(source)) => return Err(failed(source)),
            Err(ScanError::Fault { offset, fault }) => return Err(Error::Archive { path, offset, fault }),
        };
        let archive = Self { path, file, length, modified, catalogue };
        let marker = archive.read_extent("oci-layout", archive.catalogue.marker, MAX_MARKER)?;
        crate::layout::check_version(&archive.path.join("oci-layout"), &archive.place(), &marker)?;
        Ok(archive)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Members whose names or types no OCI layout has, and which were left out; at most 100 of them.
    pub fn findings(&self) -> Vec<Finding> {
        let finding = |(name, reason): &(String, &str)| Finding {
            kind: FindingKind::Malformed,
            digest: None,
            detail: format!("{}: the member `{name}` was left out: {reason}", self.path.display()),
        };
        self.catalogue.ignored.iter().map(finding).collect()
    }

    /// Whether its path still names it, and nobody has written to it since it was opened.
    fn is_unchanged(&self) -> io::Result<bool> {
        let metadata = match std::fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            metadata => metadata?,
        };
        Ok(metadata.len() == self.length && metadata.modified().ok() == self.modified && platform::is_same_file(&self.file, &self.path)?)
    }

    fn read_extent(&self, what: &str, extent: Extent, limit: u64) -> Result<Vec<u8>, Error> {
        if extent.size > limit {
            return Err(Error::TooLarge { location: self.place(), what: what.to_owned(), size: extent.size, limit });
        }
        let mut bytes = Vec::new();
        self.part(extent).read_to_end(&mut bytes).map_err(|source| Error::reading(&self.path, source))?;
        Ok(bytes)
    }

    fn part(&self, extent: Extent) -> Part<'_> {
        Part { file: &self.file, offset: extent.offset, left: extent.size }
    }

    /// Where a blob lies.
    fn extent(&self, digest: &Digest) -> Result<Option<Extent>, Error> {
        match self.catalogue.blob(digest) {
            None => Ok(None),
            Some(Ok(extent)) => Ok(Some(extent)),
            Some(Err(found)) => {
                let reason = format!("it is {found} in the tar");
                Err(Error::Malformed { location: self.place(), what: digest.to_string(), reason })
            }
        }
    }
}

/// The content of one member. Reads at a position of their own, so that any number can be open.
struct Part<'a> {
    file: &'a File,
    offset: u64,
    left: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..wanted).unwrap_or_default();
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = platform::read_at(self.file, buffer, self.offset)?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the tar became shorter while it was read"));
        }
        let advance = u64::try_from(count).unwrap_or(u64::MAX);
        self.offset = self.offset.saturating_add(advance);
        self.left = self.left.saturating_sub(advance);
        Ok(count)
    }
}

impl Content for Archive {
    fn place(&self) -> String {
        format!("oci-archive:{}", self.path.display())
    }

    fn index_bytes(&self) -> Result<Vec<u8>, Error> {
        self.read_extent("index.json", self.catalogue.index, index::MAX_BYTES)
    }

    fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        Ok(self.extent(digest)?.map(|extent| extent.size))
    }

    fn open_blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        match self.extent(digest)? {
            Some(extent) => Ok((extent.size, Box::new(self.part(extent)))),
            None => Err(Error::NoSuchBlob { location: self.place(), digest: *digest }),
        }
    }

    fn each_blob(&self, see: &mut dyn FnMut(Digest, u64) -> ControlFlow<()>) -> Result<(), Error> {
        for (digest, member) in &self.catalogue.blobs {
            // As in a folder: what is no file has no size here, and opening it tells.
            if see(*digest, member.map_or(0, |extent| extent.size)).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Source for Archive {
    fn location(&self) -> String {
        self.place()
    }

    fn resolve(&self, tag: Option<&str>, digest: Option<&Digest>) -> Result<Descriptor, Error> {
        union::resolve(self, tag, digest)
    }

    fn manifest(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error> {
        self.read(digest, limit)
    }

    fn blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        self.open_hashed(digest)
    }

    fn unhashed_blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        self.open_blob(digest)
    }

    fn size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        self.blob_size(digest)
    }

    fn referrers(&self, subject: &Digest, max_entries: usize, max_bytes: u64) -> Result<Referrers, Error> {
        crate::referrers::referrers(self, subject, max_entries, max_bytes)
    }

    fn all_referrers(&self, max_entries: usize, max_bytes: u64) -> Result<Option<AllReferrers>, Error> {
        survey::survey(self, max_entries, max_bytes).map(Some)
    }

    fn tags(&self) -> Result<Vec<(String, Descriptor)>, Error> {
        union::tags(self)
    }

    fn roots(&self) -> Result<Vec<Descriptor>, Error> {
        union::roots(self)
    }
}
