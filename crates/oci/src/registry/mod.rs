//! Repositories in registries (OCI distribution spec 1.1; SPEC.md, section 15).

use std::io::Read;
use std::sync::atomic::AtomicU8;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::Descriptor;

use crate::access::{Access, Anchors};
use crate::error::Error;
use crate::reference::Repository;
use crate::source::{Attached, Referrers, RepairReport, Source, Store};
use crate::transport::Client;

/// One repository in a registry.
#[derive(Debug)]
pub struct Registry {
    repository: Repository,
    client: Client,
    anchors: Anchors,
    /// Whether the registry has the referrers API, once it is known.
    api: AtomicU8,
}

impl Registry {
    /// The repository, reached as `access` says. Nothing is sent yet.
    ///
    /// # Errors
    /// A certificate or a key cannot be read.
    pub fn new(repository: Repository, access: &Access) -> Result<Self, Error> {
        let client = Client::new(repository.host(), access)?;
        Ok(Self { repository, client, anchors: access.anchors, api: AtomicU8::new(0) })
    }

    fn unavailable<T>(&self) -> Result<T, Error> {
        let _ = (&self.client, self.anchors, &self.api);
        Err(Error::Connection { url: self.location(), reason: "not connected".to_owned() })
    }
}

impl Source for Registry {
    fn location(&self) -> String {
        self.repository.to_string()
    }

    fn repository(&self) -> Option<&Repository> {
        Some(&self.repository)
    }

    fn resolve(&self, _tag: Option<&str>, _digest: Option<&Digest>) -> Result<Descriptor, Error> {
        self.unavailable()
    }

    fn manifest(&self, _digest: &Digest, _limit: u64) -> Result<Vec<u8>, Error> {
        self.unavailable()
    }

    fn blob(&self, _digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        self.unavailable()
    }

    fn unhashed_blob(&self, _digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        self.unavailable()
    }

    fn size(&self, _digest: &Digest) -> Result<Option<u64>, Error> {
        self.unavailable()
    }

    fn referrers(&self, _subject: &Digest, _max_entries: usize, _max_bytes: u64) -> Result<Referrers, Error> {
        self.unavailable()
    }

    fn tags(&self) -> Result<Vec<(String, Descriptor)>, Error> {
        self.unavailable()
    }

    fn roots(&self) -> Result<Vec<Descriptor>, Error> {
        self.unavailable()
    }
}

impl Store for Registry {
    fn put_blob(&self, _expected: Option<&Descriptor>, _content: &mut dyn Read) -> Result<Descriptor, Error> {
        self.unavailable()
    }

    fn put_manifest_as(&self, _algorithm: Algorithm, _bytes: &[u8], _media_type: &str, _tag: Option<&str>) -> Result<Descriptor, Error> {
        self.unavailable()
    }

    fn attach_as(&self, _algorithm: Algorithm, _manifests: &[&[u8]]) -> Result<Vec<Attached>, Error> {
        self.unavailable()
    }

    fn detach(&self, _subject: &Digest, _referrer: &Digest) -> Result<(), Error> {
        self.unavailable()
    }

    fn repair(&self, _dry_run: bool, _subject: Option<&Digest>) -> Result<RepairReport, Error> {
        self.unavailable()
    }
}
