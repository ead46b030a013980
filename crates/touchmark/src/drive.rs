use std::io::Read;

use touchmark_envelope::digest::Hasher;
use touchmark_envelope::{Digest, UnixTime, Verified};
use touchmark_oci::error::{Class as StoreClass, Error as StoreError};
use touchmark_oci::reference::Reference;
use touchmark_oci::source::Source;
use touchmark_trust::{Answer, Artifact, Class, Failure, Need, Policy, Rejected, Request, Search, Step};

/// How much of a blob is read at a time, in bytes.
const CHUNK: usize = 256 << 10;

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

/// Decides `request`, fetching what it needs from `source`.
///
/// # Errors
/// As [`verify`].
pub fn decide(source: &dyn Source, request: Request) -> Result<Verified<Artifact>, Rejected> {
    let mut search = Search::new(request);
    while let Step::Need(need) = search.next() {
        search.answer(fetch(source, &need));
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

fn fetch(source: &dyn Source, need: &Need) -> Answer {
    let answer = match need {
        Need::Manifest { digest, limit } => {
            source.manifest(digest, *limit).map(Answer::Bytes).map_err(|error| failure(&error, *limit, "--max-manifest-size"))
        }
        Need::Referrers { subject, entries, bytes } => source
            .referrers(subject, *entries, *bytes)
            .map(|found| Answer::Referrers { entries: found.entries, complete: found.complete })
            .map_err(|error| failure(&error, *bytes, "--max-list-size")),
        Need::Blob { digest, limit } => blob(source, digest, *limit).map(Answer::Bytes),
        Need::Hash { digest, size } => hash(source, digest, *size),
        _ => Err(Failure::WrongAnswer),
    };
    answer.unwrap_or_else(Answer::Failed)
}

fn blob(source: &dyn Source, digest: &Digest, limit: u64) -> Result<Vec<u8>, Failure> {
    let failed = |error: &StoreError| failure(error, limit, "--max-envelope-size");
    let (size, content) = source.blob(digest).map_err(|error| failed(&error))?;
    if size > limit {
        return Err(Failure::TooLarge { limit, option: "--max-envelope-size" });
    }
    let mut bytes = Vec::new();
    content.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    Ok(bytes)
}

fn hash(source: &dyn Source, digest: &Digest, size: u64) -> Result<Answer, Failure> {
    let (_, mut content) = source.unhashed_blob(digest).map_err(|error| failure(&error, size, "--max-contents"))?;
    let mut hasher = Hasher::new(digest.algorithm());
    let mut buffer = vec![0; CHUNK];
    let mut read = 0_u64;
    loop {
        let count = match content.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(&error)),
        };
        hasher.update(buffer.get(..count).unwrap_or_default());
        read = read.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        if read > size {
            break;
        }
    }
    Ok(Answer::Hashed { digest: hasher.finish(), size: read })
}

fn unreadable(error: &std::io::Error) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<StoreError>()) {
        Some(error) => failure(error, 0, ""),
        None => Failure::Unavailable(error.to_string()),
    }
}

fn failure(error: &StoreError, limit: u64, option: &'static str) -> Failure {
    match error.class() {
        StoreClass::NotFound => Failure::NotFound,
        StoreClass::Cap => Failure::TooLarge { limit, option },
        StoreClass::WrongDigest => Failure::WrongDigest,
        StoreClass::Malformed => Failure::Malformed(error.to_string()),
        _ => Failure::Unavailable(error.to_string()),
    }
}
