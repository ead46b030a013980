//! What stands behind this front: a folder of OCI layouts, or another registry. Its answers are not trusted.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use touchmark::oci::error::{Class, Error};
use touchmark::oci::layout::Layout;
use touchmark::oci::source::{Referrers, Source};
use touchmark::oci::{Access, Registry};
use touchmark::trust::Failure;
use touchmark::{AsyncSource, Digest, Name, Reference};

/// Bytes of a blob that are moved at a time.
const CHUNK: usize = 64 << 10;
/// So many of these are in memory for one client.
const CHUNKS: usize = 4;
/// How many things are fetched from upstream at the same time for one question.
const READERS: usize = 8;

/// Where repositories are.
pub(crate) enum Upstream {
    /// The repository NAME is the OCI layout in the folder NAME of this one.
    Layouts(PathBuf),
    /// The repositories of a registry, by host and port.
    Registry(String),
}

/// One repository. Whatever waits for a disk or a server does so on a thread of its own.
#[derive(Clone)]
pub(crate) struct Repository(Arc<dyn Source + Send>);

impl Upstream {
    /// Opens a repository, whose name follows the grammar and leads out of no folder.
    pub(crate) async fn open(&self, name: &Name) -> Result<Repository, Error> {
        match self {
            Self::Layouts(folder) => {
                let path = folder.join(name.path());
                blocking(move || Layout::open(path)).await.map(|layout| Repository(Arc::new(layout)))
            }
            Self::Registry(host) => {
                let reference: Reference = format!("{host}/{}", name.path()).parse().map_err(Error::from)?;
                let repository = reference
                    .repository()
                    .ok_or_else(|| Error::NotALayout { path: reference.path().to_owned(), reason: "it names no registry".to_owned() })?;
                Ok(Repository(Arc::new(Registry::new(repository, &Access::default())?)))
            }
        }
    }
}

impl Repository {
    /// Asks it something.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Source) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let source = Arc::clone(&self.0);
        blocking(move || ask(source.as_ref())).await
    }

    /// The size and the content of a blob, which ends in an error if it has another digest.
    pub(crate) async fn stream(&self, digest: Digest) -> Result<(u64, Body), Error> {
        let (opened, size) = tokio::sync::oneshot::channel();
        let (sender, receiver) = mpsc::channel::<std::io::Result<Bytes>>(CHUNKS);
        let source = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || {
            let (size, mut content) = match source.blob(&digest) {
                Ok((size, content)) => (size, content),
                Err(error) => return drop(opened.send(Err(error))),
            };
            if opened.send(Ok(size)).is_err() {
                return;
            }
            loop {
                let mut chunk = Vec::with_capacity(CHUNK);
                let read = (&mut content).take(CHUNK as u64).read_to_end(&mut chunk);
                let ends = !matches!(read, Ok(count) if count > 0);
                let sent = read.map(|_| Bytes::from(chunk));
                // A client that went away needs no more.
                if matches!(&sent, Ok(bytes) if bytes.is_empty()) || sender.blocking_send(sent).is_err() || ends {
                    return;
                }
            }
        });
        let size = size.await.map_err(|_| gave_up())??;
        Ok((size, Body::from_stream(ReceiverStream::new(receiver))))
    }
}

impl AsyncSource for Repository {
    async fn manifest(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Failure> {
        let digest = *digest;
        self.ask(move |source| source.manifest(&digest, limit)).await.map_err(|error| failure(&error, limit))
    }

    async fn blob(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Failure> {
        self.blobs(&[(*digest, limit)]).await.pop().unwrap_or(Err(Failure::WrongAnswer))
    }

    async fn referrers(&self, subject: &Digest, entries: usize, bytes: u64) -> Result<Referrers, Failure> {
        let subject = *subject;
        self.ask(move |source| source.referrers(&subject, entries, bytes)).await.map_err(|error| failure(&error, bytes))
    }

    async fn quick_referrers(&self, subject: &Digest, entries: usize, bytes: u64) -> Result<Referrers, Failure> {
        let subject = *subject;
        self.ask(move |source| source.quick_referrers(&subject, entries, bytes)).await.map_err(|error| failure(&error, bytes))
    }

    fn readers(&self) -> usize {
        READERS
    }

    async fn manifests(&self, digests: &[Digest], limit: u64) -> Vec<Result<Vec<u8>, Failure>> {
        let wanted = digests.to_vec();
        self.each(digests.len(), move |source| source.manifests(&wanted, limit), limit).await
    }

    async fn blobs(&self, blobs: &[(Digest, u64)]) -> Vec<Result<Vec<u8>, Failure>> {
        let (wanted, limit) = (blobs.to_vec(), blobs.iter().map(|(_, limit)| *limit).max().unwrap_or_default());
        self.each(blobs.len(), move |source| source.blobs(&wanted), limit).await
    }

    async fn hash(&self, digest: &Digest, size: u64) -> Result<(Digest, u64), Failure> {
        let wanted = [(*digest, size)];
        let hashed = self.ask(move |source| source.hashes(&wanted).pop().unwrap_or_else(|| Err(gave_up()))).await;
        hashed.map_err(|error| failure(&error, size))
    }
}

impl Repository {
    async fn each(
        &self,
        count: usize,
        ask: impl FnOnce(&dyn Source) -> Vec<Result<Vec<u8>, Error>> + Send + 'static,
        limit: u64,
    ) -> Vec<Result<Vec<u8>, Failure>> {
        match self.ask(|source| Ok(ask(source))).await {
            Ok(all) => all.into_iter().map(|one| one.map_err(|error| failure(&error, limit))).collect(),
            Err(error) => vec![Err(failure(&error, limit)); count],
        }
    }
}

/// Does what may wait on a thread of its own.
async fn blocking<T: Send + 'static>(act: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(act).await.unwrap_or_else(|_| Err(gave_up()))
}

fn gave_up() -> Error {
    let source = std::io::Error::other("the thread that asked it ended");
    Error::Io { action: "read", path: PathBuf::new(), source }
}

fn failure(error: &Error, limit: u64) -> Failure {
    match error.class() {
        Class::NotFound => Failure::NotFound,
        Class::WrongDigest => Failure::WrongDigest,
        Class::Malformed => Failure::Malformed(error.to_string()),
        Class::Cap => Failure::TooLarge { limit, option: "a limit of the request" },
        Class::Denied => Failure::Denied { message: error.to_string(), hint: error.hint() },
        _ => Failure::Unavailable(error.to_string()),
    }
}
