use touchmark_envelope::{Digest, UnixTime, Verified};
use touchmark_oci::error::{Class as StoreClass, Error as StoreError};
use touchmark_oci::reference::Reference;
use touchmark_oci::source::{Finding, FindingKind, Referrers, Source};
use touchmark_trust::{Answer, Artifact, Class, Failure, Need, Policy, Rejected, Request, Search, Step};

use crate::ahead::{Ahead, Kind, content};

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
    let mut ahead = Ahead::new(source.readers());
    while let Step::Need(need) = search.next() {
        let answer = answer(source, &mut ahead, &search, &need);
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

/// What `source` answers to `need`.
fn answer(source: &dyn Source, ahead: &mut Ahead, search: &Search, need: &Need) -> Answer {
    let (kind, digest, limit) = match need {
        Need::Referrers { subject, entries, bytes, thorough } => {
            let listed = match thorough {
                true => source.referrers(subject, *entries, *bytes),
                false => source.quick_referrers(subject, *entries, *bytes),
            };
            return listed.map_or_else(|error| Answer::Failed(failure(&error, *bytes, "--max-list-size")), listed_answer);
        }
        need => match content(need) {
            Some(content) => content,
            None => return Answer::Failed(Failure::WrongAnswer),
        },
    };
    if let Some(answer) = ahead.take(kind, &digest) {
        return answer;
    }
    let (batch, batch_limit) = ahead.batch(search, kind, limit);
    if !batch.is_empty() {
        let all: Vec<(Digest, u64)> = [(digest, limit)].into_iter().chain(batch).collect();
        let fetched = fetch(source, kind, &all, batch_limit);
        ahead.keep(kind, all.iter().map(|(digest, _)| *digest).zip(fetched));
        if let Some(answer) = ahead.take(kind, &digest) {
            return answer;
        }
    }
    fetch(source, kind, &[(digest, limit)], limit).pop().unwrap_or(Answer::Failed(Failure::WrongAnswer))
}

/// Fetches them at the same time; manifests by one limit for all.
fn fetch(source: &dyn Source, kind: Kind, wanted: &[(Digest, u64)], limit: u64) -> Vec<Answer> {
    let answer = |result: Result<Answer, Failure>| result.unwrap_or_else(Answer::Failed);
    match kind {
        Kind::Manifest => {
            let digests: Vec<Digest> = wanted.iter().map(|(digest, _)| *digest).collect();
            let fetched = source.manifests(&digests, limit).into_iter();
            fetched.map(|got| answer(got.map(Answer::Bytes).map_err(|error| failure(&error, limit, "--max-manifest-size")))).collect()
        }
        Kind::Blob => {
            let fetched = source.blobs(wanted).into_iter().zip(wanted);
            let failed = |error: &StoreError, limit| failure(error, limit, "--max-envelope-size");
            fetched.map(|(got, (_, limit))| answer(got.map(Answer::Bytes).map_err(|error| failed(&error, *limit)))).collect()
        }
        Kind::Hash => {
            let fetched = source.hashes(wanted).into_iter();
            let hashed = |(digest, size)| Answer::Hashed { digest, size };
            fetched.map(|got| answer(got.map(hashed).map_err(|error| failure(&error, limit, "--max-contents")))).collect()
        }
    }
}

/// What a place said of the referrers. Of its findings only those are told whose words are not from what nobody signed.
pub(crate) fn listed_answer(found: Referrers) -> Answer {
    let first = |wanted: &[FindingKind]| found.findings.iter().find(|finding| wanted.contains(&finding.kind));
    let why = match first(&[FindingKind::Unreadable]).or_else(|| first(&[FindingKind::Stopped, FindingKind::TooLarge])) {
        Some(Finding { kind: FindingKind::Unreadable, detail, .. }) => Some(detail.clone()),
        // Of entries or anchors; of bytes the search itself tells the option.
        Some(Finding { detail, .. }) if detail.ends_with(" referrers") || detail.ends_with(" anchors that no list has") => {
            Some(format!("{detail}; raise the limit with --max-referrers"))
        }
        Some(_) => None,
        None => first(&[FindingKind::Malformed, FindingKind::WrongDigest]).map(|_| "what is in its place is none".to_owned()),
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_not_complete_says_what_helps_and_nothing_that_nobody_signed() {
        let why = |kinds: &[(FindingKind, &str)]| {
            let finding = |(kind, detail): &(FindingKind, &str)| Finding { kind: *kind, digest: None, detail: (*detail).to_owned() };
            match listed_answer(Referrers { findings: kinds.iter().map(finding).collect(), ..Referrers::default() }) {
                Answer::Referrers { why, .. } => why,
                _ => panic!("no list"),
            }
        };
        let (damaged, stopped) = ((FindingKind::Malformed, "theirs"), (FindingKind::Stopped, "more than 5 referrers"));
        assert_eq!(why(&[]), None);
        assert_eq!(why(&[damaged]).as_deref(), Some("what is in its place is none"));
        assert_eq!(why(&[damaged, stopped]).as_deref(), Some("more than 5 referrers; raise the limit with --max-referrers"));
        assert_eq!(why(&[damaged, (FindingKind::Stopped, "x has 9 bytes")]), None);
        assert_eq!(why(&[stopped, (FindingKind::Unreadable, "GET x: 500")]).as_deref(), Some("GET x: 500"));
    }
}
