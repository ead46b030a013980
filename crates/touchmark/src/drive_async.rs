use core::future::Future;

use touchmark_envelope::{Digest, Verified};
use touchmark_oci::source::Referrers;
use touchmark_trust::{Answer, Artifact, Failure, Need, Rejected, Request, Search, Step};

use crate::drive::listed_answer;

/// A place to read artifacts from, asynchronously and without a runtime of its own.
///
/// Nothing that it returns is trusted: manifests and envelopes are hashed again by the search.
pub trait AsyncSource {
    /// The bytes of a manifest, at most `limit` of them.
    fn manifest(&self, digest: &Digest, limit: u64) -> impl Future<Output = Result<Vec<u8>, Failure>>;

    /// The bytes of a blob, at most `limit` of them.
    fn blob(&self, digest: &Digest, limit: u64) -> impl Future<Output = Result<Vec<u8>, Failure>>;

    /// The manifests that name `subject` as their subject, at most `entries` of them from at most `bytes` of lists.
    fn referrers(&self, subject: &Digest, entries: usize, bytes: u64) -> impl Future<Output = Result<Referrers, Failure>>;

    /// As [`referrers`](Self::referrers), but only what the place tells cheaply; [`Referrers::more`] says whether `referrers` may know
    /// of others.
    fn quick_referrers(&self, subject: &Digest, entries: usize, bytes: u64) -> impl Future<Output = Result<Referrers, Failure>> {
        self.referrers(subject, entries, bytes)
    }

    /// The digest and size of a blob, computed from its bytes, by the algorithm of `digest`; it should have `size` bytes.
    fn hash(&self, digest: &Digest, size: u64) -> impl Future<Output = Result<(Digest, u64), Failure>>;
}

/// Decides `request`, fetching what it needs from `source`.
///
/// # Errors
/// The policy does not accept the artifact, or it could not be found out.
pub async fn verify_async(source: &impl AsyncSource, request: Request) -> Result<Verified<Artifact>, Rejected> {
    let mut search = Search::new(request);
    while let Step::Need(need) = search.next() {
        let answer = match &need {
            Need::Manifest { digest, limit } => source.manifest(digest, *limit).await.map(Answer::Bytes),
            Need::Blob { digest, limit } => source.blob(digest, *limit).await.map(Answer::Bytes),
            Need::Referrers { subject, entries, bytes, thorough } => {
                let found = match thorough {
                    true => source.referrers(subject, *entries, *bytes).await,
                    false => source.quick_referrers(subject, *entries, *bytes).await,
                };
                found.map(listed_answer)
            }
            Need::Hash { digest, size } => source.hash(digest, *size).await.map(|(digest, size)| Answer::Hashed { digest, size }),
            _ => Err(Failure::WrongAnswer),
        };
        search.answer(answer.unwrap_or_else(Answer::Failed));
    }
    search.finish()
}
