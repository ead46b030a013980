//! The OCI layout in the tar: what it lists, and its blobs by digest. Nothing that it says is believed before it was hashed.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use touchmark_envelope::Digest;
use touchmark_envelope::json::{self, Value};
use touchmark_envelope::manifest::{Descriptor, IMAGE_MANIFEST, Manifest};

use crate::error::Error;
use crate::tar::{self, Medium, Members, Span, Unread};

/// Bytes of a document that is read whole, whatever it is.
pub(crate) const MAX_DOCUMENT: u64 = 256 << 10;
/// So many manifests of the layout are looked at.
const MAX_LISTED: usize = 64;

/// What is in the tar.
pub(crate) struct Package<'m, M> {
    medium: &'m mut M,
    blobs: BTreeMap<Digest, Span>,
    /// The image manifests that the layout lists, as far as they are what their digests say.
    pub(crate) listed: Vec<Listed>,
    /// Whether these are all.
    pub(crate) complete: bool,
}

/// A manifest that the layout lists.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) descriptor: Descriptor,
    pub(crate) subject: Option<Digest>,
}

/// Why a blob is not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unhad {
    Absent,
    TooLarge { size: u64, limit: u64 },
    WrongDigest,
    Medium,
}

impl<'m, M: Medium> Package<'m, M> {
    /// Looks through the tar.
    pub(crate) fn open(medium: &'m mut M) -> Result<Self, Error> {
        let Members { index, blobs } = tar::members(medium).map_err(|unread| match unread {
            Unread::Medium(error) => Error::Medium(error),
            Unread::Tar(error) => Error::Tar(error),
        })?;
        let malformed = |why: String| Error::Malformed { what: "index.json", why };
        if index.length > MAX_DOCUMENT {
            return Err(malformed("it is too large".to_string()));
        }
        let bytes = tar::bytes(medium, index)?;
        let document = json::parse(&bytes, bytes.len()).map_err(|error| malformed(error.to_string()))?;
        let manifests =
            document.get("manifests").and_then(Value::as_array).ok_or_else(|| malformed("it lists no manifests".to_string()))?;
        let mut package = Self { medium, blobs, listed: Vec::new(), complete: manifests.len() <= MAX_LISTED };
        for entry in manifests.iter().take(MAX_LISTED) {
            // What is listed and is not there, or is something else, hides nothing that is.
            let Ok(entry) = Descriptor::from_json(entry) else { continue };
            let known = package.listed.iter().any(|listed| listed.descriptor.digest == entry.digest);
            if known || entry.media_type != IMAGE_MANIFEST {
                continue;
            }
            let bytes = match package.blob(&entry.digest, MAX_DOCUMENT) {
                Ok(bytes) => bytes,
                Err(Unhad::Medium) => return Err(Error::Medium(tar::MediumError)),
                Err(_) => {
                    package.complete = false;
                    continue;
                }
            };
            let Ok(manifest) = Manifest::parse(&bytes) else { continue };
            let mut descriptor = Descriptor::new(&manifest.media_type, entry.digest, length(&bytes));
            descriptor.artifact_type = manifest.artifact_type().map(ToString::to_string);
            package.listed.push(Listed { descriptor, subject: manifest.subject.map(|subject| subject.digest) });
        }
        Ok(package)
    }

    /// The bytes of a blob, which have its digest.
    pub(crate) fn blob(&mut self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Unhad> {
        let span = *self.blobs.get(digest).ok_or(Unhad::Absent)?;
        if span.length > limit.min(MAX_DOCUMENT) {
            return Err(Unhad::TooLarge { size: span.length, limit: limit.min(MAX_DOCUMENT) });
        }
        let bytes = tar::bytes(self.medium, span).map_err(|_| Unhad::Medium)?;
        if digest.matches(&bytes) { Ok(bytes) } else { Err(Unhad::WrongDigest) }
    }

    /// Where a blob that is not read whole is. Its bytes are yet to be hashed.
    pub(crate) fn place(&self, digest: &Digest) -> Option<Span> {
        self.blobs.get(digest).copied()
    }

    /// Reads a piece of it.
    pub(crate) fn read(&mut self, span: Span, offset: u64, into: &mut [u8]) -> Result<(), Error> {
        let start = span.start.checked_add(offset).ok_or(tar::MediumError)?;
        Ok(self.medium.read(start, into)?)
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
