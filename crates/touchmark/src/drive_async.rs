use core::future::Future;

use touchmark_envelope::{Digest, Verified};
use touchmark_oci::source::Referrers;
use touchmark_trust::{Answer, Artifact, Failure, Need, Rejected, Request, Search, Step};

use crate::ahead::{Ahead, Kind, content};
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

    /// How many things it fetches at the same time, to some gain.
    fn readers(&self) -> usize {
        1
    }

    /// Several manifests as [`manifest`](Self::manifest) gives them, in the order asked for; at the same time, if the source can.
    fn manifests(&self, digests: &[Digest], limit: u64) -> impl Future<Output = Vec<Result<Vec<u8>, Failure>>> {
        async move {
            let mut fetched = Vec::with_capacity(digests.len());
            for digest in digests {
                fetched.push(self.manifest(digest, limit).await);
            }
            fetched
        }
    }

    /// Several blobs as [`blob`](Self::blob) gives them, each with its limit, in the order asked for.
    fn blobs(&self, blobs: &[(Digest, u64)]) -> impl Future<Output = Vec<Result<Vec<u8>, Failure>>> {
        async move {
            let mut fetched = Vec::with_capacity(blobs.len());
            for (digest, limit) in blobs {
                fetched.push(self.blob(digest, *limit).await);
            }
            fetched
        }
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
    let mut ahead = Ahead::new(source.readers());
    while let Step::Need(need) = search.next() {
        let answer = match &need {
            Need::Referrers { subject, entries, bytes, thorough } => {
                let found = match thorough {
                    true => source.referrers(subject, *entries, *bytes).await,
                    false => source.quick_referrers(subject, *entries, *bytes).await,
                };
                found.map_or_else(Answer::Failed, listed_answer)
            }
            need => match content(need) {
                Some((kind, digest, limit)) => fetch(source, &mut ahead, &search, kind, digest, limit).await,
                None => Answer::Failed(Failure::WrongAnswer),
            },
        };
        search.answer(answer);
    }
    search.finish()
}

/// What was fetched ahead; or else it is fetched, together with what will be needed after it.
async fn fetch(source: &impl AsyncSource, ahead: &mut Ahead, search: &Search, kind: Kind, digest: Digest, limit: u64) -> Answer {
    if let Some(answer) = ahead.take(kind, &digest) {
        return answer;
    }
    let (batch, batch_limit) = match kind {
        Kind::Hash => (Vec::new(), limit),
        Kind::Manifest | Kind::Blob => ahead.batch(search, kind, limit),
    };
    if !batch.is_empty() {
        let all: Vec<(Digest, u64)> = [(digest, limit)].into_iter().chain(batch).collect();
        let digests: Vec<Digest> = all.iter().map(|(digest, _)| *digest).collect();
        let fetched = match kind {
            Kind::Blob => source.blobs(&all).await,
            Kind::Manifest | Kind::Hash => source.manifests(&digests, batch_limit).await,
        };
        ahead.keep(kind, digests.into_iter().zip(fetched.into_iter().map(|got| got.map_or_else(Answer::Failed, Answer::Bytes))));
        if let Some(answer) = ahead.take(kind, &digest) {
            return answer;
        }
    }
    let fetched = match kind {
        Kind::Manifest => source.manifest(&digest, limit).await.map(Answer::Bytes),
        Kind::Blob => source.blob(&digest, limit).await.map(Answer::Bytes),
        Kind::Hash => source.hash(&digest, limit).await.map(|(digest, size)| Answer::Hashed { digest, size }),
    };
    fetched.unwrap_or_else(Answer::Failed)
}
