//! Writes a tar: the same content gives the same bytes, whoever writes it and when. First `oci-layout` and `index.json`, then the
//! blobs by name, then what else there was; no owners, no times.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::{Algorithm, Hasher};

use super::header::{self, BLOCK, Kind};
use crate::error::Error;
use crate::temporary::{self, Durability, Temporary};

/// Bytes that are moved at a time.
const CHUNK: usize = 256 << 10;

/// Whether what a blob gives is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// It comes from elsewhere, and must have its digest.
    Hash,
    /// It was hashed when it was stored, or was in the archive before.
    Size,
}

/// What is written.
pub(super) struct Content<'a> {
    /// `oci-layout`.
    pub(super) marker: Vec<u8>,
    /// `index.json`.
    pub(super) index: Vec<u8>,
    /// The blobs, and how each is opened.
    pub(super) blobs: BTreeMap<Digest, Open<'a>>,
    /// Files that are no part of an OCI layout, and were in the archive before.
    pub(super) others: BTreeMap<String, Open<'a>>,
}

/// How content is opened, and whether it is hashed on the way.
pub(super) struct Open<'a> {
    /// Its size in bytes.
    pub(super) size: u64,
    /// Whether it is hashed.
    pub(super) check: Check,
    /// Opens it.
    pub(super) open: Box<dyn Fn() -> Result<Box<dyn Read + 'a>, Error> + 'a>,
}

/// Writes `content` to the file `target`, which is replaced if `is_ours` tells, right before, that no other program wrote it. Returns the blobs that were left out because
/// they could not be read or were not what they should be, with the reason.
pub(super) fn write(
    content: &Content<'_>,
    folder: &Path,
    target: &Path,
    is_ours: &dyn Fn() -> io::Result<bool>,
) -> Result<Vec<(Digest, Error)>, Error> {
    let failed = |source| Error::writing(target, source);
    let mut file = Temporary::create(folder).map_err(failed)?;
    let mut writer = Writer { file: &mut file, target, buffer: Vec::with_capacity(2 * CHUNK), written: 0 };
    let mut lost = Vec::new();
    writer.bytes("oci-layout", &content.marker)?;
    writer.bytes("index.json", &content.index)?;
    writer.folder("blobs/")?;
    for algorithm in Algorithm::ALL {
        let blobs = || content.blobs.iter().filter(|(digest, _)| digest.algorithm() == algorithm);
        if algorithm == Algorithm::Sha256 || blobs().next().is_some() {
            writer.folder(&format!("blobs/{algorithm}/"))?;
        }
        for (digest, blob) in blobs() {
            let name = format!("blobs/{algorithm}/{}", digest.hex());
            if let Err(error) = writer.member(&name, blob, Some(digest))? {
                lost.push((*digest, error));
            }
        }
    }
    for (name, other) in &content.others {
        writer.member(name, other, None)??;
    }
    writer.end()?;
    file.keep_permissions(target).map_err(failed)?;
    file.sync(Durability::Synced).map_err(failed)?;
    if !is_ours().map_err(failed)? {
        return Err(Error::Contended { path: target.to_owned() });
    }
    file.publish(target).map_err(failed)?;
    temporary::sync_folder(folder, Durability::Synced).map_err(failed)?;
    Ok(lost)
}

struct Writer<'a> {
    file: &'a mut Temporary,
    target: &'a Path,
    /// What is not in the file yet.
    buffer: Vec<u8>,
    /// What is.
    written: u64,
}

impl Writer<'_> {
    fn folder(&mut self, name: &str) -> Result<(), Error> {
        self.push(&header::write(name, Kind::Folder, 0))
    }

    fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.push(&header::write(name, Kind::File, crate::scan::length(bytes)))?;
        self.push(bytes)?;
        self.pad()
    }

    /// Writes a member. The inner error is the content's, and then the member is taken back.
    fn member(&mut self, name: &str, content: &Open<'_>, digest: Option<&Digest>) -> Result<Result<(), Error>, Error> {
        self.flush()?;
        let start = self.written;
        let mut reader = match (content.open)() {
            Ok(reader) => reader,
            Err(error) => return Ok(Err(error)),
        };
        self.push(&header::write(name, Kind::File, content.size))?;
        match self.pour(&mut reader, content, digest)? {
            Ok(()) => self.pad().map(Ok),
            Err(error) => {
                self.buffer.clear();
                self.file.cut(start).map_err(|source| Error::writing(self.target, source))?;
                self.written = start;
                Ok(Err(error))
            }
        }
    }

    fn pour(&mut self, reader: &mut dyn Read, content: &Open<'_>, digest: Option<&Digest>) -> Result<Result<(), Error>, Error> {
        let location = || self.target.display().to_string();
        let mut hasher = digest.filter(|_| content.check == Check::Hash).map(|digest| Hasher::new(digest.algorithm()));
        let mut chunk = vec![0; CHUNK];
        let mut size = 0_u64;
        loop {
            let count = match reader.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Err(Error::content(&location(), error))),
            };
            let read = chunk.get(..count).unwrap_or_default();
            size = size.saturating_add(crate::scan::length(read));
            if size > content.size {
                break;
            }
            if let Some(hasher) = &mut hasher {
                hasher.update(read);
            }
            self.push(read)?;
        }
        let found = hasher.map(Hasher::finish);
        Ok(match (digest, found) {
            (Some(digest), _) if size != content.size => {
                Err(Error::WrongSize { location: location(), digest: *digest, expected: content.size, found: size })
            }
            (Some(expected), Some(found)) if found != *expected => {
                Err(Error::WrongDigest { location: location(), expected: *expected, found })
            }
            (None, _) if size != content.size => Err(Error::Contended { path: self.target.to_owned() }),
            _ => Ok(()),
        })
    }

    fn pad(&mut self) -> Result<(), Error> {
        let position = self.written.saturating_add(crate::scan::length(&self.buffer));
        let missing = position.next_multiple_of(512).saturating_sub(position);
        self.push(&vec![0; usize::try_from(missing).unwrap_or(0)])
    }

    fn end(&mut self) -> Result<(), Error> {
        self.push(&[0; 2 * BLOCK])?;
        self.flush()
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        // A whole chunk goes straight to the file.
        if self.buffer.is_empty() && bytes.len() >= CHUNK {
            return self.put(bytes);
        }
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Error> {
        let buffer = std::mem::take(&mut self.buffer);
        if !buffer.is_empty() {
            self.put(&buffer)?;
        }
        self.buffer = buffer;
        self.buffer.clear();
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write(bytes).map_err(|source| Error::writing(self.target, source))?;
        self.written = self.written.saturating_add(crate::scan::length(bytes));
        Ok(())
    }
}
