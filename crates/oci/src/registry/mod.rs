//! Repositories in registries (OCI distribution spec 1.1; SPEC.md, section "Storage in registries").
//!
//! Nothing that a registry says is believed before the bytes were hashed, and only 404 means that something is not there.

use std::io::Read;
use std::sync::atomic::{AtomicU8, Ordering};

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::Descriptor;

use crate::access::{Access, Anchors, DEFAULT_RETRIES};
use crate::error::Error;
use crate::reference::Repository;
use crate::scan::MAX_MANIFEST;
use crate::source::{Referrers, Source};
use crate::transport::{Body, Client, Method, Repeat, Request, Response, Target};

mod anchors;
mod attach;
mod blobs;
mod cache;
mod detach;
mod fallback;
mod gate;
pub mod link;
mod listing;
mod manifests;
mod merge;
pub mod referrers;
mod repair;
mod store;
pub mod tags;
mod upload;
mod write;

use cache::Cache;
use gate::Gate;

/// At most this many requests are under way at the same time.
const MAX_PARALLEL: usize = 24;

/// One repository in a registry.
#[derive(Debug)]
pub struct Registry {
    repository: Repository,
    client: Client,
    anchors: Anchors,
    retries: u32,
    /// Bytes of a manifest that is read to resolve a reference.
    max_manifest: u64,
    /// Whether the registry has the referrers API, once it is known.
    api: AtomicU8,
    /// Manifests that were read, by the digest of their bytes.
    cache: Cache,
    gate: Gate,
}

/// Whether a registry has the referrers API (distribution spec, "Listing Referrers").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Api {
    /// It was not asked yet.
    Unknown,
    /// It answered with a list.
    Present,
    /// It answered 404: lists are under fallback tags.
    Absent,
}

/// What a GET brought.
enum Answer<T> {
    /// 200.
    Found(T),
    /// 404, with the error code of the answer.
    Missing(Option<String>),
}

impl Registry {
    /// The repository, reached as `access` says. Nothing is sent yet.
    ///
    /// # Errors
    /// A certificate or a key cannot be read.
    pub fn new(repository: Repository, access: &Access) -> Result<Self, Error> {
        let client = Client::new(repository.host(), access)?;
        let retries = access.retries.unwrap_or(DEFAULT_RETRIES);
        let (api, cache, gate) = (AtomicU8::new(0), Cache::default(), Gate::default());
        let max_manifest = access.max_manifest.unwrap_or(MAX_MANIFEST);
        Ok(Self { repository, client, anchors: access.anchors, retries, max_manifest, api, cache, gate })
    }

    /// The path of something in the repository: `rest` is what follows its name, such as `tags/list`.
    fn path(&self, rest: &str) -> String {
        format!("/v2/{}/{rest}", self.repository.name())
    }

    /// The scope that reading needs.
    fn pull(&self) -> String {
        format!("repository:{}:pull", self.repository.name())
    }

    /// Whether the registry has the referrers API, as far as is known.
    fn api(&self) -> Api {
        match self.api.load(Ordering::Relaxed) {
            1 => Api::Present,
            2 => Api::Absent,
            _ => Api::Unknown,
        }
    }

    fn learn_api(&self, present: bool) {
        self.api.store(if present { 1 } else { 2 }, Ordering::Relaxed);
    }

    /// A request for a path, as errors name it.
    fn url(&self, path: &str) -> String {
        format!("GET {}{path}", self.repository.host())
    }

    /// That the answer to a request for a path is against the protocol.
    fn protocol(&self, path: &str, reason: &str) -> Error {
        Error::Protocol { url: self.url(path), reason: reason.to_owned() }
    }

    /// Sends a GET or HEAD; what comes may have any status.
    fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Result<Response, Error> {
        let (scope, target) = (self.pull(), Target::Path(path));
        self.client.send(Request { method, target, scope: &scope, headers, body: Body::Empty, repeat: Repeat::Retry })
    }

    /// GETs a document of at most `limit` bytes.
    ///
    /// # Errors
    /// Every answer but 200 and 404, and more than `limit` bytes.
    fn document(&self, path: &str, accept: &str, limit: u64) -> Result<Answer<(Response, Vec<u8>)>, Error> {
        let scope = self.pull();
        let headers = &[("Accept", accept)];
        let request =
            Request { method: Method::Get, target: Target::Path(path), scope: &scope, headers, body: Body::Empty, repeat: Repeat::Retry };
        let (response, bytes) = self.client.fetch(request, limit)?;
        match response.status() {
            200 => Ok(Answer::Found((response, bytes))),
            404 => Ok(Answer::Missing(error_code(response))),
            _ => Err(response.into_error()),
        }
    }
}

/// The first error code in an answer that is no success.
fn error_code(response: Response) -> Option<String> {
    match response.into_error() {
        Error::Status { code, .. } => code,
        _ => None,
    }
}

impl Source for Registry {
    fn location(&self) -> String {
        self.repository.to_string()
    }

    fn repository(&self) -> Option<&Repository> {
        Some(&self.repository)
    }

    fn resolve(&self, tag: Option<&str>, digest: Option<&Digest>) -> Result<Descriptor, Error> {
        self.resolve_manifest(tag, digest)
    }

    fn manifest(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error> {
        self.read_manifest(digest, limit)
    }

    fn readers(&self) -> usize {
        MAX_PARALLEL
    }

    fn forget(&self) {
        self.cache.clear();
    }

    fn blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        self.open_hashed(digest)
    }

    fn unhashed_blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        self.open_blob(digest)
    }

    fn size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        self.content_size(digest)
    }

    fn size_as_blob(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        self.size_of("blobs", digest)
    }

    fn referrers(&self, subject: &Digest, max_entries: usize, max_bytes: u64) -> Result<Referrers, Error> {
        self.all_lists(subject, max_entries, max_bytes)
    }

    fn quick_referrers(&self, subject: &Digest, max_entries: usize, max_bytes: u64) -> Result<Referrers, Error> {
        self.first_list(subject, max_entries, max_bytes)
    }

    fn tag_names(&self) -> Result<Vec<String>, Error> {
        self.artifact_tags()
    }

    fn tags(&self) -> Result<Vec<(String, Descriptor)>, Error> {
        self.described_tags()
    }

    fn roots(&self) -> Result<Vec<Descriptor>, Error> {
        self.artifacts()
    }
}
