//! An OCI layout that is read as a registry is: nothing is known at once, and several things may be asked for at the same time.
#![allow(dead_code, clippy::unwrap_used)]

use std::io::Read;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::Descriptor;
use touchmark_oci::source::Referrers;
use touchmark_oci::{Error, Layout, Repository, Source};

pub(crate) struct Remote {
    layout: Layout,
    repository: Repository,
    /// Whether tags can be listed.
    pub(crate) lists_tags: bool,
    /// How often manifests were asked for, together or alone.
    pub(crate) rounds: AtomicUsize,
    /// The tags that were resolved.
    pub(crate) resolved: Mutex<Vec<String>>,
}

impl Remote {
    pub(crate) fn new(layout: Layout) -> Self {
        let repository = "registry.example.com/acme/app".parse().unwrap();
        Self { layout, repository, lists_tags: true, rounds: AtomicUsize::new(0), resolved: Mutex::default() }
    }
}

impl Source for Remote {
    fn location(&self) -> String {
        self.repository.to_string()
    }

    fn readers(&self) -> usize {
        8
    }

    fn repository(&self) -> Option<&Repository> {
        Some(&self.repository)
    }

    fn resolve(&self, tag: Option<&str>, digest: Option<&Digest>) -> Result<Descriptor, Error> {
        self.resolved.lock().unwrap().extend(tag.map(str::to_owned));
        self.layout.resolve(tag, digest)
    }

    fn manifest(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error> {
        self.rounds.fetch_add(1, Ordering::Relaxed);
        self.layout.manifest(digest, limit)
    }

    fn manifests(&self, digests: &[Digest], limit: u64) -> Vec<Result<Vec<u8>, Error>> {
        self.rounds.fetch_add(1, Ordering::Relaxed);
        digests.iter().map(|digest| self.layout.manifest(digest, limit)).collect()
    }

    fn blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        self.layout.blob(digest)
    }

    fn unhashed_blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        self.layout.unhashed_blob(digest)
    }

    fn size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        Source::size(&self.layout, digest)
    }

    fn referrers(&self, subject: &Digest, max_entries: usize, max_bytes: u64) -> Result<Referrers, Error> {
        self.layout.referrers(subject, max_entries, max_bytes)
    }

    fn tag_names(&self) -> Result<Vec<String>, Error> {
        match self.lists_tags {
            true => self.layout.tag_names(),
            false => Err(Error::Status { url: "GET /v2/acme/app/tags/list".to_owned(), status: 403, code: None, message: None }),
        }
    }

    fn tags(&self) -> Result<Vec<(String, Descriptor)>, Error> {
        unreachable!("each tag would be a request")
    }

    fn roots(&self) -> Result<Vec<Descriptor>, Error> {
        self.layout.roots()
    }
}
