//! Decisions by keys: over bytes, over a store in memory, and over OCI layouts.

use std::collections::{BTreeMap, BTreeSet};

use touchmark::policy::{PolicyClass, PolicyError, PolicyFile};
use touchmark::{Reference, open};
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::{self, Value};
use touchmark_envelope::manifest::Descriptor;
use touchmark_envelope::name::Wanted;
use touchmark_envelope::{Digest, UnixTime, Verified};
use touchmark_trust::rules::RuleFault;
use touchmark_trust::{Answer, Artifact, Failure, Need, Policy, Request, Scope, Search, Step};

use super::documents::artifact_keys;
use super::status::{Refused, of_store};
use super::{Outcome, Said};
use crate::index::{Case, Found};

const POLICY: [&str; 6] = ["keys", "threshold", "name", "annotations", "predicate_types", "at"];

pub(super) fn verify(case: &Case<'_>) -> Found<Outcome> {
    case.only(&[POLICY.as_slice(), &["manifest", "envelopes"]].concat())?;
    let (manifest, envelopes) = (case.input("manifest")?, case.inputs("envelopes")?);
    let policy = policy(case)?;
    let at = case.integer("at")?;
    Ok(policy.and_then(|policy| over_bytes(policy, &manifest, envelopes, at)))
}

/// Decides about a manifest by envelopes alone.
pub(super) fn over_bytes(policy: Policy, manifest: &[u8], envelopes: Vec<Vec<u8>>, at: i64) -> Outcome {
    let request = Request::new(policy, Algorithm::Sha256.digest(manifest), time(at)?).envelopes(envelopes);
    let mut search = Search::new(request);
    while let Step::Need(need) = search.next() {
        search.answer(match need {
            Need::Manifest { digest, .. } if digest.matches(manifest) => Answer::Bytes(manifest.to_vec()),
            _ => Answer::Failed(Failure::NotFound),
        });
    }
    Ok(said(&search.finish()?))
}

pub(super) fn search(case: &Case<'_>) -> Found<Outcome> {
    case.only(&[POLICY.as_slice(), &["store", "artifact", "covered_by", "platform", "failing"]].concat())?;
    let store = Store::of(case)?;
    Ok(policy(case)?.and_then(|policy| {
        let digest = |name| case.optional(name).map(|text| text.parse::<Digest>().map_err(|_| Refused::new("INVALID_DIGEST"))).transpose();
        let artifact = digest("artifact")?.ok_or(Refused::new("INVALID_DIGEST"))?;
        let mut request = Request::new(policy, artifact, time(case.integer("at").unwrap_or_default())?);
        if let Some(index) = digest("covered_by")? {
            request = request.scope(Scope::CoveredBy(index));
        }
        if let Some(platform) = case.optional("platform") {
            request = request.scope(Scope::Platform(platform.parse().map_err(|_| Refused::new("INVALID_ARGUMENT"))?));
        }
        let mut search = Search::new(request);
        while let Step::Need(need) = search.next() {
            search.answer(store.answer(&need));
        }
        Ok(said(&search.finish()?))
    }))
}

pub(super) fn layout(case: &Case<'_>) -> Found<Outcome> {
    case.only(&[POLICY.as_slice(), &["reference", "policy"]].concat())?;
    // Its path begins at the folder of the vectors.
    let (scheme, path) = case.text("reference")?.split_once(':').ok_or("the reference has no scheme")?;
    let text = format!("{scheme}:{}", case.folder().join(path).to_str().ok_or("the folder is no UTF-8")?);
    let at = case.integer("at")?;
    let policy = match case.optional("policy") {
        Some(_) => None,
        None => Some(policy(case)?),
    };
    let file =
        case.optional("policy").map(|path| PolicyFile::open(case.folder().join(path)).map_err(|error| error.to_string())).transpose()?;
    Ok((|| {
        let reference: Reference = text.parse().map_err(|_| Refused::new("INVALID_REFERENCE"))?;
        let source = open(&reference).map_err(|error| of_store(&error))?;
        let at = time(at)?;
        if let Some(policy) = policy {
            return Ok(said(&touchmark::verify(&*source, &reference, &policy?, at)?));
        }
        let Some(file) = file else { return Err(Refused::new("INTERNAL")) };
        match file.verify(&*source, &reference, at) {
            Ok(decided) => Ok(said(&decided.artifact)),
            Err(refusal) => Err(of_refusal(&refusal.error)),
        }
    })())
}

fn of_refusal(error: &PolicyError) -> Refused {
    let status = match (error, error.class()) {
        (PolicyError::NoRule { .. } | PolicyError::Children { .. }, _) => "POLICY_REJECTED",
        (PolicyError::Document { error, .. }, _) if error.fault == RuleFault::Rejects => "POLICY_REJECTED",
        // What a rule names is not there, or is none.
        (PolicyError::Material { .. } | PolicyError::Key { .. } | PolicyError::Threshold { .. }, _) => "MALFORMED_POLICY",
        (PolicyError::Store(error), _) => return of_store(error),
        (_, PolicyClass::Refused(class)) => super::status::of_class(class),
        (_, PolicyClass::Usage) => "INVALID_ARGUMENT",
    };
    Refused::coded(status, error.code())
}

/// The policy that a case has.
pub(super) fn policy(case: &Case<'_>) -> Found<Result<Policy, Refused>> {
    let (keys, threshold) = (case.inputs("keys")?, case.count("threshold")?);
    let (annotations, types) = (case.pairs("annotations")?, case.texts("predicate_types")?);
    Ok((|| {
        let mut policy = Policy::keys(artifact_keys(&keys)?.keys().iter().cloned())?.threshold(threshold)?;
        if let Some(name) = case.optional("name") {
            let wanted: Result<Wanted, _> = name.parse();
            policy = policy.name(wanted.map_err(|_| Refused::new("INVALID_NAME"))?);
        }
        for (key, value) in annotations {
            policy = policy.annotation(key, value);
        }
        Ok(types.into_iter().fold(policy, |policy, wanted| policy.predicate_type(wanted)))
    })())
}

/// A time, which must be after 1970 began.
pub(super) fn time(at: i64) -> Result<UnixTime, Refused> {
    Some(at).filter(|at| *at > 0).and_then(UnixTime::from_seconds).ok_or(Refused::new("INVALID_TIME"))
}

/// What is said of an artifact that was verified.
pub(super) fn said(verified: &Verified<Artifact>) -> Vec<(&'static str, Said)> {
    let artifact = verified.get();
    let mut said =
        vec![("digest", artifact.descriptor().digest.to_string().into()), ("accepted_by", artifact.accepted_by().code().to_owned().into())];
    let name = match artifact.wanted() {
        Some(Wanted::AnyVersion(_)) => artifact.accepted().iter().find_map(|accepted| accepted.said().name.clone()),
        Some(Wanted::Exact(name)) => Some(name.clone()),
        None => None,
    };
    if let Some(name) = name {
        said.push(("name", name.to_string().into()));
    }
    said
}

/// A place in memory.
struct Store {
    manifests: BTreeMap<String, Vec<u8>>,
    blobs: BTreeMap<String, Vec<u8>>,
    referrers: BTreeMap<String, Vec<u8>>,
    failing: BTreeSet<String>,
}

impl Store {
    fn of(case: &Case<'_>) -> Found<Self> {
        let store = case.part("store")?;
        store.only(&["manifests", "blobs", "referrers"])?;
        let all = |name| store.named_inputs(name).map(|all| all.into_iter().collect());
        let failing = case.texts("failing")?.into_iter().map(str::to_owned).collect();
        Ok(Self { manifests: all("manifests")?, blobs: all("blobs")?, referrers: all("referrers")?, failing })
    }

    fn answer(&self, need: &Need) -> Answer {
        let found = |files: &BTreeMap<String, Vec<u8>>, digest: &Digest| match files.get(&digest.to_string()) {
            _ if self.failing.contains(&digest.to_string()) => Err(Failure::Unavailable("it fails".to_owned())),
            Some(bytes) => Ok(bytes.clone()),
            None => Err(Failure::NotFound),
        };
        let answer = match need {
            Need::Manifest { digest, .. } => found(&self.manifests, digest).map(Answer::Bytes),
            Need::Blob { digest, .. } => found(&self.blobs, digest).map(Answer::Bytes),
            Need::Hash { digest, .. } => found(&self.blobs, digest).map(|bytes| {
                let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                Answer::Hashed { digest: digest.algorithm().digest(&bytes), size }
            }),
            Need::Referrers { subject, .. } => match found(&self.referrers, subject) {
                Ok(index) => listed(&index),
                Err(Failure::NotFound) => Ok(listed_all(Vec::new())),
                Err(failure) => Err(failure),
            },
            _ => Err(Failure::WrongAnswer),
        };
        answer.unwrap_or_else(Answer::Failed)
    }
}

/// What an index of referrers says. An entry that is no descriptor is none.
fn listed(index: &[u8]) -> Result<Answer, Failure> {
    let malformed = || Failure::Malformed("it is no index".to_owned());
    let index = json::parse(index, index.len()).map_err(|_| malformed())?;
    let entries = index.get("manifests").and_then(Value::as_array).ok_or_else(malformed)?;
    Ok(listed_all(entries.iter().filter_map(|entry| Descriptor::from_json(entry).ok()).collect()))
}

fn listed_all(entries: Vec<Descriptor>) -> Answer {
    Answer::Referrers { entries, complete: true, more: false, why: None }
}
