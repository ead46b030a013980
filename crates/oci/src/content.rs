//! What an OCI layout consists of, be it a folder or a tar: an `index.json` and blobs.

use std::io::{self, Read};
use std::ops::ControlFlow;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Hasher;

use crate::error::Error;
use crate::index::{self, Fault, Index};

/// A place from which an OCI layout is read. [`union`](crate::union) makes a [`Source`](crate::source::Source) of it.
pub(crate) trait Content {
    /// The place, as a reference without tag and digest.
    fn place(&self) -> String;

    /// The bytes of `index.json`, at most [`MAX_BYTES`](crate::index::MAX_BYTES); when another program is writing it, they may be cut off.
    fn index_bytes(&self) -> Result<Vec<u8>, Error>;

    /// The size of a blob; `None` if it is not there.
    fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, Error>;

    /// The size of a blob and its content, not hashed.
    ///
    /// # Errors
    /// [`Error::NoSuchBlob`] if it is not there.
    fn open_blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error>;

    /// Shows every blob with its size, in any order. What has no name of a blob is passed over.
    fn each_blob(&self, see: &mut dyn FnMut(Digest, u64) -> ControlFlow<()>) -> Result<(), Error>;

    /// `index.json`. Programs that write it in place leave it cut off for a moment, so a malformed one is read again.
    fn index(&self) -> Result<Index, Error> {
        Index::parse(self.index_bytes()?).map_err(|fault| index_error(&self.place(), "index.json", fault))
    }

    /// The bytes of a blob, hashed.
    ///
    /// # Errors
    /// Not there, more than `limit` bytes, or of another digest.
    fn read(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error> {
        let (size, reader) = self.open_blob(digest)?;
        if size > limit {
            return Err(Error::TooLarge { location: self.place(), what: digest.to_string(), size, limit });
        }
        let mut bytes = Vec::new();
        reader.take(size).read_to_end(&mut bytes).map_err(|source| Error::content(&self.place(), source))?;
        let found = digest.algorithm().digest(&bytes);
        if found != *digest {
            return Err(Error::WrongDigest { location: self.place(), expected: *digest, found });
        }
        Ok(bytes)
    }

    /// An index among the blobs, hashed.
    ///
    /// # Errors
    /// As for [`read`](Self::read), and malformed.
    fn read_index(&self, digest: &Digest) -> Result<Index, Error> {
        let bytes = self.read(digest, crate::index::MAX_BYTES)?;
        Index::parse(bytes).map_err(|fault| index_error(&self.place(), &digest.to_string(), fault))
    }

    /// A blob's size and its content, hashed on the way.
    ///
    /// # Errors
    /// Not there.
    fn open_hashed(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        let (size, inner) = self.open_blob(digest)?;
        Ok((size, Box::new(Hashed::new(inner, size, digest, self.place()))))
    }
}

/// What a malformed or oversized index means.
pub(crate) fn index_error(location: &str, what: &str, fault: Fault) -> Error {
    let (location, what) = (location.to_owned(), what.to_owned());
    match fault {
        Fault::CutOff => Error::Malformed { location, what, reason: "it is cut off".to_owned() },
        Fault::Malformed(reason) => Error::Malformed { location, what, reason },
        Fault::TooMany => Error::TooMany { location, what, limit: index::MAX_ENTRIES },
        Fault::TooLarge { size } => {
            let limit = u64::try_from(index::MAX_PART).unwrap_or(u64::MAX);
            let what = format!("an entry, or what stands around the entries, of {what}");
            Error::TooLarge { location, what, size: u64::try_from(size).unwrap_or(u64::MAX), limit }
        }
    }
}

/// A reader that ends only if what it gave has the digest.
pub(crate) struct Hashed<'a> {
    inner: Box<dyn Read + 'a>,
    /// `None` once the digest was compared.
    hasher: Option<Hasher>,
    left: u64,
    expected: Digest,
    location: String,
}

impl<'a> Hashed<'a> {
    /// A reader of `size` bytes from `inner`, which are to have the digest `expected`.
    pub(crate) fn new(inner: Box<dyn Read + 'a>, size: u64, expected: &Digest, location: String) -> Self {
        Self { inner, hasher: Some(Hasher::new(expected.algorithm())), left: size, expected: *expected, location }
    }
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..wanted).unwrap_or_default();
        let count = self.inner.read(buffer)?;
        let read = buffer.get(..count).unwrap_or_default();
        self.left = self.left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        if let Some(hasher) = &mut self.hasher {
            hasher.update(read);
        }
        if (count == 0 || self.left == 0)
            && let Some(hasher) = self.hasher.take()
        {
            let found = hasher.finish();
            if found != self.expected {
                return Err(Error::WrongDigest { location: self.location.clone(), expected: self.expected, found }.into());
            }
        }
        Ok(count)
    }
}
