use std::collections::HashMap;

use touchmark_envelope::{Digest, UnixTime, Verified};
use touchmark_oci::error::{Class as StoreClass, Error as StoreError};
use touchmark_oci::reference::Reference;
use touchmark_oci::source::{FindingKind, Referrers, Source};
use touchmark_trust::{Answer, Artifact, Class, Failure, Need, Policy, Rejected, Request, Search, Step};

/// A manifest that is fetched ahead has at most this many bytes, whatever it is listed with.
const AHEAD_MANIFEST: u64 = 256 << 10;
/// All that is fetched ahead at once is listed with at most this many bytes.
const AHEAD_ALL: u64 = 8 << 20;

/// Decides whether `policy` accepts what `reference` names in `source`, at the time `now`.
///
/// For the platforms of an index, other evidence, other limits or a deep verification, build a [`Request`] for [`decide`].
///
/// # Errors
/// The policy does not accept it, or it could not be found out; the rejection has every reason.
pub fn verify(source: &dyn Source, reference: &Reference, policy: &Policy, now: UnixTime) -> Result<Verified<Artifact>, Rejected> {
    let found = source.resolve(reference.tag(), reference.digest());
    let descriptor = found.map_err(|error| unresolved(&error, now))?;
    // A pinned digest is the caller's, whatever the source says that it resolves to.
    let digest = reference.digest().copied().unwrap_or(descriptor.digest);
    decide(source, Request::new(policy.clone(), digest, now))
}

/// Decides `request`, fetching what it needs from `source`; what it will very likely need, at the same time.
///
/// # Errors
/// As [`verify`].
pub fn decide(source: &dyn Source, request: Request) -> Result<Verified<Artifact>, Rejected> {
    let mut search = Search::new(request);
    let mut fetcher = Fetcher { source, held: HashMap::new() };
    while let Step::Need(need) = search.next() {
        let answer = fetcher.answer(&search, &need);
        search.answer(answer);
    }
    search.finish()
}

/// The rejection of a reference that leads nowhere.
pub fn unresolved(error: &StoreError, at: UnixTime) -> Rejected {
    let class = match error.class() {
        StoreClass::WrongDigest | StoreClass::Malformed => Class::Malformed,
        _ => Class::Unknown,
    };
    Rejected::unresolved(class, error.code(), error.to_string(), at)
}

/// Fetches what a search needs, and what it will need, in batches.
struct Fetcher<'a> {
    source: &'a dyn Source,
    /// What was fetched ahead.
    held: HashMap<(Kind, Digest), Answer>,
}

/// What is fetched under a digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Manifest,
    Blob,
    Hash,
}

impl Fetcher<'_> {
    fn answer(&mut self, search: &Search, need: &Need) -> Answer {
        let (kind, digest, limit) = match need {
            Need::Referrers { subject, entries, bytes, thorough } => return self.referrers(subject, *entries, *bytes, *thorough),
            need => match content(need) {
                Some(content) => content,
                None => return Answer::Failed(Failure::WrongAnswer),
            },
        };
        if let Some(answer) = self.held.remove(&(kind, digest)) {
            return answer;
        }
        let batch = self.batch(search, kind);
        if batch.is_empty() {
            return self.fetch(kind, &[(digest, limit)], limit).pop().unwrap_or(Answer::Failed(Failure::WrongAnswer));
        }
        // Some of what is held may have been fetched in vain.
        if self.held.len() > self.source.readers().saturating_mul(2) {
            self.held.clear();
        }
        let all: Vec<(Digest, u64)> = [(digest, limit)].into_iter().chain(batch).collect();
        for ((digest, _), answer) in all.iter().zip(self.fetch(kind, &all, limit.min(AHEAD_MANIFEST))) {
            // What is larger than was thought is fetched by itself when it is needed.
            if !matches!(answer, Answer::Failed(Failure::TooLarge { .. })) {
                self.held.insert((kind, *digest), answer);
            }
        }
        match self.held.remove(&(kind, digest)) {
            Some(answer) => answer,
            None => self.fetch(kind, &[(digest, limit)], limit).pop().unwrap_or(Answer::Failed(Failure::WrongAnswer)),
        }
    }

    /// What of the same kind will be needed next and is not held, with a limit for each; none if the source gains nothing by that.
    fn batch(&self, search: &Search, kind: Kind) -> Vec<(Digest, u64)> {
        let Some(most) = self.source.readers().checked_sub(1).filter(|most| *most > 0) else { return Vec::new() };
        let held = |digest: &Digest| match self.held.get(&(Kind::Manifest, *digest)) {
            Some(Answer::Bytes(bytes)) => Some(bytes.as_slice()),
            _ => None,
        };
        let ahead = search.ahead(most, &held);
        let mut left = AHEAD_ALL;
        let mut batch: Vec<(Digest, u64)> = Vec::new();
        for (digest, limit) in
            ahead.iter().filter_map(content).filter(|(other, ..)| *other == kind).map(|(_, digest, limit)| (digest, limit))
        {
            // A blob that is hashed is not held.
            let (bytes, most) = match kind {
                Kind::Manifest => (limit, AHEAD_MANIFEST),
                Kind::Blob => (limit, left),
                Kind::Hash => (0, 0),
            };
            if bytes > most || bytes > left || batch.iter().any(|(known, _)| *known == digest) {
                continue;
            }
            left = left.saturating_sub(bytes);
            batch.push((digest, limit));
        }
        batch
    }

    /// Fetches them at the same time; manifests by one limit for all.
    fn fetch(&self, kind: Kind, wanted: &[(Digest, u64)], limit: u64) -> Vec<Answer> {
        let answer = |result: Result<Answer, Failure>| result.unwrap_or_else(Answer::Failed);
        match kind {
            Kind::Manifest => {
                let digests: Vec<Digest> = wanted.iter().map(|(digest, _)| *digest).collect();
                let fetched = self.source.manifests(&digests, limit).into_iter();
                fetched.map(|got| answer(got.map(Answer::Bytes).map_err(|error| failure(&error, limit, "--max-manifest-size")))).collect()
            }
            Kind::Blob => {
                let fetched = self.source.blobs(wanted).into_iter().zip(wanted);
                let failed = |error: &StoreError, limit| failure(error, limit, "--max-envelope-size");
                fetched.map(|(got, (_, limit))| answer(got.map(Answer::Bytes).map_err(|error| failed(&error, *limit)))).collect()
            }
            Kind::Hash => {
                let fetched = self.source.hashes(wanted).into_iter();
                let hashed = |(digest, size)| Answer::Hashed { digest, size };
                fetched.map(|got| answer(got.map(hashed).map_err(|error| failure(&error, limit, "--max-contents")))).collect()
            }
        }
    }

    fn referrers(&self, subject: &Digest, entries: usize, bytes: u64, thorough: bool) -> Answer {
        let listed = match thorough {
            true => self.source.referrers(subject, entries, bytes),
            false => self.source.quick_referrers(subject, entries, bytes),
        };
        match listed {
            Ok(found) => listed_answer(found),
            Err(error) => Answer::Failed(failure(&error, bytes, "--max-list-size")),
        }
    }
}

/// The kind, the digest and the limit of what a need is about, if that is content.
fn content(need: &Need) -> Option<(Kind, Digest, u64)> {
    match need {
        Need::Manifest { digest, limit } => Some((Kind::Manifest, *digest, *limit)),
        Need::Blob { digest, limit } => Some((Kind::Blob, *digest, *limit)),
        Need::Hash { digest, size } => Some((Kind::Hash, *digest, *size)),
        _ => None,
    }
}

/// What a place said of the referrers. Of its findings only those are told whose words are not from what nobody signed.
pub(crate) fn listed_answer(found: Referrers) -> Answer {
    let why = found.findings.into_iter().find(|finding| finding.kind == FindingKind::Unreadable).map(|finding| finding.detail);
    Answer::Referrers { entries: found.entries, complete: found.complete, more: found.more, why }
}

fn failure(error: &StoreError, limit: u64, option: &'static str) -> Failure {
    match error.class() {
        StoreClass::NotFound => Failure::NotFound,
        StoreClass::Cap => Failure::TooLarge { limit, option },
        StoreClass::WrongDigest => Failure::WrongDigest,
        StoreClass::Malformed => Failure::Malformed(error.to_string()),
        StoreClass::Denied => Failure::Denied { message: error.to_string(), hint: error.hint() },
        _ => Failure::Unavailable(error.to_string()),
    }
}
