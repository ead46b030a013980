//! A source that tells what is read of it: to the log, and to a progress bar.

use std::io::Read;

use touchmark::Digest;
use touchmark::envelope::manifest::Descriptor;
use touchmark::oci::Error;
use touchmark::oci::reference::Repository;
use touchmark::oci::source::{AllReferrers, Referrers, Source};

use crate::progress::Bar;

/// A source, watched.
pub(crate) struct Watched {
    inner: Box<dyn Source>,
    bar: Option<Bar>,
}

impl Watched {
    /// Tells of the reads of `inner`; the bytes of blobs go to `bar` too.
    pub(crate) fn new(inner: Box<dyn Source>, bar: Option<Bar>) -> Self {
        Self { inner, bar }
    }

    fn content<'a>(&'a self, read: (u64, Box<dyn Read + 'a>)) -> (u64, Box<dyn Read + 'a>) {
        match (&self.bar, read) {
            (Some(bar), (size, inner)) => (size, Box::new(Counted { inner, bar })),
            (None, read) => read,
        }
    }
}

/// A reader whose bytes are counted.
struct Counted<'a> {
    inner: Box<dyn Read + 'a>,
    bar: &'a Bar,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bar.add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

impl Source for Watched {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn resolve(&self, tag: Option<&str>, digest: Option<&Digest>) -> Result<Descriptor, Error> {
        let found = self.inner.resolve(tag, digest)?;
        tracing::info!(tag, digest = %found.digest, "resolved");
        Ok(found)
    }

    fn manifest(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error> {
        let bytes = self.inner.manifest(digest, limit)?;
        tracing::debug!(%digest, bytes = bytes.len(), "manifest");
        Ok(bytes)
    }

    fn blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        tracing::debug!(%digest, "blob");
        self.inner.blob(digest).map(|read| self.content(read))
    }

    fn unhashed_blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        tracing::debug!(%digest, "blob");
        self.inner.unhashed_blob(digest).map(|read| self.content(read))
    }

    fn size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        self.inner.size(digest)
    }

    fn size_as_blob(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        self.inner.size_as_blob(digest)
    }

    fn referrers(&self, subject: &Digest, max_entries: usize, max_bytes: u64) -> Result<Referrers, Error> {
        let found = self.inner.referrers(subject, max_entries, max_bytes)?;
        tracing::debug!(%subject, count = found.entries.len(), complete = found.complete, "referrers");
        Ok(found)
    }

    fn quick_referrers(&self, subject: &Digest, max_entries: usize, max_bytes: u64) -> Result<Referrers, Error> {
        let found = self.inner.quick_referrers(subject, max_entries, max_bytes)?;
        tracing::debug!(%subject, count = found.entries.len(), complete = found.complete, more = found.more, "referrers, quickly");
        Ok(found)
    }

    fn readers(&self) -> usize {
        self.inner.readers()
    }

    fn manifests(&self, digests: &[Digest], limit: u64) -> Vec<Result<Vec<u8>, Error>> {
        tracing::debug!(count = digests.len(), "manifests");
        self.inner.manifests(digests, limit)
    }

    fn tag_names(&self) -> Result<Vec<String>, Error> {
        tracing::debug!("names of tags");
        self.inner.tag_names()
    }

    fn forget(&self) {
        self.inner.forget();
    }

    fn repository(&self) -> Option<&Repository> {
        self.inner.repository()
    }

    fn all_referrers(&self, max_entries: usize, max_bytes: u64) -> Result<Option<AllReferrers>, Error> {
        tracing::debug!("all referrers");
        self.inner.all_referrers(max_entries, max_bytes)
    }

    fn tags(&self) -> Result<Vec<(String, Descriptor)>, Error> {
        tracing::debug!("tags");
        self.inner.tags()
    }

    fn roots(&self) -> Result<Vec<Descriptor>, Error> {
        tracing::debug!("roots");
        self.inner.roots()
    }
}
