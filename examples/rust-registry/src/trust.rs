//! The trust repository, asked without blocking a thread that serves.

use touchmark::oci::Access;
use touchmark::tuf::{AsyncFetch, Failure};

/// A folder or a URL with TUF metadata.
pub(crate) struct TrustRepository {
    text: String,
}

impl TrustRepository {
    /// The one that `text` names.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}

impl AsyncFetch for TrustRepository {
    async fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        let (text, path) = (self.text.clone(), path.to_owned());
        let unavailable = |error: &dyn std::error::Error| Failure::Unavailable(error.to_string());
        let fetched = tokio::task::spawn_blocking(move || {
            let source = touchmark::trust_root::source(&text, &Access::default()).map_err(|error| unavailable(&error))?;
            source.fetch(&path, limit)
        });
        fetched.await.map_err(|error| unavailable(&error))?
    }
}
