//! The registry as tests use it.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use crate::answer::Content;
use crate::auth::Auth;
use crate::connection;
use crate::digest::Algorithm;
use crate::fault::Fault;
use crate::lock::lock;
use crate::log::Logged;
use crate::registry::Registry;
use crate::server::{Serve, Server};
use crate::settings::Settings;
use crate::store::Manifest;
use crate::tls;
use crate::wire::Wire;

/// A registry that runs until it is dropped.
pub struct TestRegistry {
    registry: Arc<Registry>,
    address: SocketAddr,
    tokens: Option<SocketAddr>,
    /// Stops the threads when dropped.
    _server: Server,
}

impl TestRegistry {
    /// Starts a registry; it is ready when this returns.
    ///
    /// # Panics
    /// There is no free port, or no certificate can be made.
    #[must_use]
    pub fn start(settings: Settings) -> Self {
        Self::try_start(settings).unwrap_or_else(|error| panic!("the test registry does not start: {error}"))
    }

    /// Starts a registry.
    ///
    /// # Errors
    /// The port is taken, or no certificate can be made.
    pub fn try_start(settings: Settings) -> io::Result<Self> {
        let config = settings.tls.as_ref().map(tls::Tls::config).transpose().map_err(io::Error::other)?;
        let scheme = if config.is_some() { "https" } else { "http" };
        let (address, port, auth) = (settings.address, settings.port, settings.auth.clone());
        let registry = Arc::new(Registry::new(settings));
        let of_connections = Arc::clone(&registry);
        let serve: Arc<Serve> = Arc::new(move |stream: TcpStream, number| {
            let wire = match &config {
                None => Some(Wire::plain(stream)),
                Some(config) => tls::accept(config, stream).map(Wire::tls),
            };
            if let Some(wire) = wire {
                connection::serve(&*of_connections, wire, number);
            }
        });
        let mut server = Server::new();
        let address = server.listen(address, port, Arc::clone(&serve))?;
        let mut tokens = None;
        if let Auth::Token(service) = &auth {
            tokens = service.address.map(|address| server.listen(address, 0, serve)).transpose()?;
            let realm = service.realm.clone().unwrap_or_else(|| format!("{scheme}://{}/token", tokens.unwrap_or(address)));
            registry.set_realm(realm);
        }
        Ok(Self { registry, address, tokens, _server: server })
    }

    /// The registry's host for references: `127.0.0.1:PORT`.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The host of the token service, if it has one of its own.
    #[must_use]
    pub fn token_host(&self) -> Option<String> {
        self.tokens.map(|address| address.to_string())
    }

    /// `http://127.0.0.1:PORT`, or `https:`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.registry.settings().tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Changes how the registry behaves from the next request on. What concerns sockets (address, port, TLS, the token service's
    /// address) stays as it was.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        self.registry.change(change);
    }

    /// Adds a fault. Of several that strike a request, the one that was added first counts.
    pub fn fault(&self, fault: Fault) {
        self.registry.faults.add(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.registry.faults.clear();
    }

    /// What was asked, in the order in which it came.
    #[must_use]
    pub fn log(&self) -> Vec<Logged> {
        self.registry.log.entries()
    }

    /// Forgets what was asked.
    pub fn clear_log(&self) {
        self.registry.log.clear();
    }

    /// How many requests waited for one another at most. A request waits for each whose answer was finished before it came.
    #[must_use]
    pub fn longest_chain(&self) -> u32 {
        self.log().iter().map(|logged| logged.depth).max().unwrap_or(0)
    }

    /// Puts a blob into a repository, and gives its sha256 digest.
    pub fn put_blob(&self, repository: &str, bytes: &[u8]) -> String {
        let digest = Algorithm::Sha256.digest(bytes);
        self.put_blob_as(repository, &digest, bytes);
        digest
    }

    /// Puts a blob under any digest, right or wrong.
    pub fn put_blob_as(&self, repository: &str, digest: &str, bytes: &[u8]) {
        let mut repositories = lock(&self.registry.store.repositories);
        repositories.entry(repository.to_owned()).or_default().blobs.insert(digest.to_owned(), Content::bytes(bytes.to_vec()));
    }

    /// Puts a manifest into a repository, with a tag if one is given, and gives its sha256 digest. Nothing is checked, but the
    /// referrers of its subject list it.
    ///
    /// # Panics
    /// It is no JSON object.
    pub fn put_manifest(&self, repository: &str, tag: Option<&str>, bytes: &[u8]) -> String {
        let digest = Algorithm::Sha256.digest(bytes);
        self.put_manifest_as(repository, &digest, bytes);
        if let Some(tag) = tag {
            self.put_tag(repository, tag, &digest);
        }
        digest
    }

    /// Puts a manifest under any digest, right or wrong.
    ///
    /// # Panics
    /// It is no JSON object.
    pub fn put_manifest_as(&self, repository: &str, digest: &str, bytes: &[u8]) {
        let manifest = Manifest::parse(bytes.to_vec(), None, digest.to_owned()).unwrap_or_else(|error| panic!("not a manifest: {error}"));
        let mut repositories = lock(&self.registry.store.repositories);
        let repository = repositories.entry(repository.to_owned()).or_default();
        if let Some(subject) = &manifest.subject {
            let list = repository.referrers.entry(subject.clone()).or_default();
            if !list.contains(&manifest.digest) {
                list.push(manifest.digest.clone());
            }
        }
        repository.manifests.insert(digest.to_owned(), Arc::new(manifest));
    }

    /// Sets a tag.
    pub fn put_tag(&self, repository: &str, tag: &str, digest: &str) {
        let mut repositories = lock(&self.registry.store.repositories);
        repositories.entry(repository.to_owned()).or_default().tags.insert(tag.to_owned(), digest.to_owned());
    }

    /// Lets a list of referrers name a digest, whether or not it is there or has that subject.
    pub fn put_referrer(&self, repository: &str, subject: &str, digest: &str) {
        let mut repositories = lock(&self.registry.store.repositories);
        repositories.entry(repository.to_owned()).or_default().referrers.entry(subject.to_owned()).or_default().push(digest.to_owned());
    }

    /// Removes a manifest without a trace in tags and lists, as a garbage collection may.
    pub fn lose_manifest(&self, repository: &str, digest: &str) {
        if let Some(repository) = lock(&self.registry.store.repositories).get_mut(repository) {
            repository.manifests.remove(digest);
        }
    }

    /// Removes a blob.
    pub fn lose_blob(&self, repository: &str, digest: &str) {
        if let Some(repository) = lock(&self.registry.store.repositories).get_mut(repository) {
            repository.blobs.remove(digest);
        }
    }

    /// Removes a tag.
    pub fn lose_tag(&self, repository: &str, tag: &str) {
        if let Some(repository) = lock(&self.registry.store.repositories).get_mut(repository) {
            repository.tags.remove(tag);
        }
    }

    /// The names of the repositories.
    #[must_use]
    pub fn repositories(&self) -> Vec<String> {
        lock(&self.registry.store.repositories).keys().cloned().collect()
    }

    /// The manifest that a tag or a digest names.
    #[must_use]
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<Manifest> {
        lock(&self.registry.store.repositories).get(repository)?.find(reference).map(|manifest| Manifest::clone(manifest))
    }

    /// All manifests of a repository, by digest.
    #[must_use]
    pub fn manifests(&self, repository: &str) -> Vec<Manifest> {
        let repositories = lock(&self.registry.store.repositories);
        let all = repositories.get(repository).into_iter().flat_map(|repository| repository.manifests.values());
        let mut all: Vec<Manifest> = all.map(|manifest| Manifest::clone(manifest)).collect();
        all.sort_by(|one, other| one.digest.cmp(&other.digest));
        all
    }

    /// A blob's bytes.
    #[must_use]
    pub fn blob(&self, repository: &str, digest: &str) -> Option<Vec<u8>> {
        let content = lock(&self.registry.store.repositories).get(repository)?.blobs.get(digest)?.clone();
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut content.reader().ok()?, &mut bytes).ok()?;
        Some(bytes)
    }

    /// The digests of a repository's blobs, in order.
    #[must_use]
    pub fn blobs(&self, repository: &str) -> Vec<String> {
        let repositories = lock(&self.registry.store.repositories);
        let mut all: Vec<String> =
            repositories.get(repository).into_iter().flat_map(|repository| repository.blobs.keys().cloned()).collect();
        all.sort_unstable();
        all
    }

    /// A repository's tags, each with the digest that it names, in order.
    #[must_use]
    pub fn tags(&self, repository: &str) -> Vec<(String, String)> {
        let repositories = lock(&self.registry.store.repositories);
        let tags = repositories.get(repository).into_iter().flat_map(|repository| &repository.tags);
        tags.map(|(tag, digest)| (tag.clone(), digest.clone())).collect()
    }

    /// The digests of a manifest's referrers, in the order in which they were pushed.
    #[must_use]
    pub fn referrers(&self, repository: &str, subject: &str) -> Vec<String> {
        let repositories = lock(&self.registry.store.repositories);
        repositories.get(repository).and_then(|repository| repository.referrers.get(subject)).cloned().unwrap_or_default()
    }

    /// How many uploads were begun and neither completed nor cancelled.
    #[must_use]
    pub fn open_uploads(&self) -> usize {
        lock(&self.registry.store.uploads).len()
    }
}
