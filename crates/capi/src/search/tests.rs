//! Searches as a C program meets them.

use super::*;
use crate::artifact::touchmark_verified_artifact_manifest;
use crate::policy::{touchmark_policy, touchmark_policy_builder_build, touchmark_policy_builder_from_keys};
use crate::request::{
    touchmark_request_covered_by, touchmark_request_deep, touchmark_request_envelopes, touchmark_request_new, touchmark_request_platform,
};
use crate::testing::{MANIFEST, NOW, Owned, Seen, done, failed, made, pointers, public, shown, signed, text, view};
use touchmark_envelope::digest::Algorithm;

fn policy() -> Owned<touchmark_policy> {
    let key = [public(1)];
    let keys = pointers(&key);
    // SAFETY: the handles are not freed yet, the array and the places are the test's.
    unsafe {
        let builder = made(|out, error| touchmark_policy_builder_from_keys(keys.as_ptr(), keys.len(), 1, out, error)).unwrap();
        made(|out, error| touchmark_policy_builder_build(builder.0, out, error)).unwrap()
    }
}

fn request() -> Owned<touchmark_request> {
    let (policy, digest) = (policy(), Algorithm::Sha256.digest(MANIFEST).to_string());
    // SAFETY: the policy is not freed yet, the view and the places are the test's.
    made(|out, error| unsafe { touchmark_request_new(policy.0, view(&digest), NOW, out, error) }).unwrap()
}

fn begin(request: &Owned<touchmark_request>) -> Owned<touchmark_search> {
    // SAFETY: the request is not freed yet, the places are the test's.
    made(|out, error| unsafe { touchmark_search_new(request.0, out, error) }).unwrap()
}

fn next(search: &Owned<touchmark_search>) -> touchmark_need {
    let mut need = touchmark_need::NOTHING;
    // SAFETY: the search is not freed yet, the places are the test's.
    done(|error| unsafe { touchmark_search_next(search.0, &raw mut need, error) }).unwrap();
    need
}

fn give(search: &Owned<touchmark_search>, bytes: &[u8]) -> Result<(), Seen> {
    // SAFETY: the search is not freed yet, the view and the place are the test's.
    done(|error| unsafe { touchmark_search_provide_bytes(search.0, view(bytes), error) })
}

fn list(search: &Owned<touchmark_search>, index: &[u8], complete: u32, more: u32) -> Result<(), Seen> {
    // SAFETY: the search is not freed yet, the view and the place are the test's.
    done(|error| unsafe { touchmark_search_provide_referrers(search.0, view(index), complete, more, error) })
}

fn lack(search: &Owned<touchmark_search>, failure: u32) -> Result<(), Seen> {
    // SAFETY: the search is not freed yet, the view and the place are the test's.
    done(|error| unsafe { touchmark_search_provide_failure(search.0, failure, view("gone fishing"), error) })
}

fn finish(search: &Owned<touchmark_search>) -> Result<Owned<touchmark_verified_artifact>, Seen> {
    // SAFETY: the search is not freed yet, the places are the test's.
    made(|out, error| unsafe { touchmark_search_finish(search.0, out, error) })
}

/// The manifest of a referrer that holds an envelope, and a list that has it.
fn referrer(envelope: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (layer, subject) = (Algorithm::Sha256.digest(envelope), Algorithm::Sha256.digest(MANIFEST));
    let kind = touchmark_envelope::signature::ARTIFACT_TYPE;
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"{kind}","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}},"layers":[{{"mediaType":"application/vnd.dsse.envelope.v1+json","digest":"{layer}","size":{}}}],"subject":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{subject}","size":{}}}}}"#,
        envelope.len(),
        MANIFEST.len()
    );
    let digest = Algorithm::Sha256.digest(manifest.as_bytes());
    let list = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"nonsense":1}},{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":{},"artifactType":"{kind}"}}]}}"#,
        manifest.len()
    );
    (manifest.into_bytes(), list.into_bytes())
}

#[test]
fn a_search_is_met_step_by_step() {
    let envelope = signed(None, &[1], None);
    let (manifest, index) = referrer(&envelope);
    let search = begin(&request());
    let need = next(&search);
    assert_eq!((need.kind, next(&search).kind), (TOUCHMARK_NEED_MANIFEST, TOUCHMARK_NEED_MANIFEST));
    assert_eq!(text(next(&search).digest), Algorithm::Sha256.digest(MANIFEST).to_string());
    assert_eq!(failed(finish(&search)).0, "WRONG_STATE");
    give(&search, MANIFEST).unwrap();
    assert_eq!(failed(give(&search, MANIFEST)).0, "WRONG_STATE");
    let need = next(&search);
    assert_eq!((need.kind, need.thorough, need.entries, need.limit), (TOUCHMARK_NEED_REFERRERS, 0, 10_000, 16 << 20));
    assert_eq!(failed(give(&search, b"x")).0, "WRONG_STATE");
    assert_eq!(failed(list(&search, &index, 2, 0)).0, "INVALID_ARGUMENT");
    list(&search, &index, 1, 0).unwrap();
    assert_eq!(next(&search).kind, TOUCHMARK_NEED_MANIFEST);
    give(&search, &manifest).unwrap();
    let need = next(&search);
    assert_eq!((need.kind, text(need.digest)), (TOUCHMARK_NEED_BLOB, Algorithm::Sha256.digest(&envelope).to_string()));
    give(&search, &envelope).unwrap();
    assert_eq!(next(&search).kind, TOUCHMARK_NEED_DONE);
    let artifact = finish(&search).unwrap();
    // SAFETY: the artifact is not freed yet.
    assert_eq!(shown(unsafe { touchmark_verified_artifact_manifest(artifact.0) }), MANIFEST);
    assert_eq!(failed(finish(&search)).0, "WRONG_STATE");
    assert_eq!(failed(give(&search, MANIFEST)).0, "WRONG_STATE");
}

#[test]
fn answers_that_are_none_are_part_of_the_decision() {
    // Other bytes than the digest's.
    let search = begin(&request());
    next(&search);
    give(&search, b"other").unwrap();
    assert_eq!(next(&search).kind, TOUCHMARK_NEED_DONE);
    assert_eq!(failed(finish(&search)), ("MALFORMED", "wrong-digest".to_owned()));
    // A list that is none.
    for (index, complete, status) in
        [(&b"garbage"[..], 1, "UNKNOWN"), (br#"{"manifests":[]}"#, 0, "UNKNOWN"), (br#"{"manifests":[]}"#, 1, "UNSIGNED")]
    {
        let search = begin(&request());
        next(&search);
        give(&search, MANIFEST).unwrap();
        next(&search);
        list(&search, index, complete, 0).unwrap();
        assert_eq!(next(&search).kind, TOUCHMARK_NEED_DONE);
        assert_eq!(failed(finish(&search)).0, status);
    }
}

#[test]
fn what_cannot_be_had_is_told() {
    use crate::step::{
        TOUCHMARK_FAILURE_DENIED, TOUCHMARK_FAILURE_MALFORMED, TOUCHMARK_FAILURE_NOT_FOUND, TOUCHMARK_FAILURE_TOO_LARGE,
        TOUCHMARK_FAILURE_UNAVAILABLE,
    };
    for (failure, status, code, retryable) in [
        (TOUCHMARK_FAILURE_NOT_FOUND, "UNKNOWN", "not-found", false),
        (TOUCHMARK_FAILURE_UNAVAILABLE, "UNKNOWN", "unavailable", true),
        (TOUCHMARK_FAILURE_DENIED, "UNKNOWN", "denied", false),
        (TOUCHMARK_FAILURE_TOO_LARGE, "UNKNOWN", "limit", false),
        (TOUCHMARK_FAILURE_MALFORMED, "MALFORMED", "malformed", false),
    ] {
        let search = begin(&request());
        assert_eq!(failed(lack(&search, failure)).0, "WRONG_STATE");
        next(&search);
        assert_eq!(failed(lack(&search, 0)).0, "INVALID_ARGUMENT");
        lack(&search, failure).unwrap();
        let Err(seen) = finish(&search) else { panic!("it was accepted") };
        assert_eq!((seen.status, seen.code.as_str()), (status, code));
        assert!(seen.json.contains(&format!(r#""retryable":{retryable}"#)), "{}", seen.json);
    }
}

#[test]
fn requests_are_changed_until_they_are_asked() {
    let request = request();
    let digest = Algorithm::Sha256.digest(b"index").to_string();
    // SAFETY: the request is not freed yet, the views, the array and the places are the test's.
    unsafe {
        let platform = |text| done(|error| touchmark_request_platform(request.0, view(text), error));
        assert_eq!(failed(platform("linux")).0, "INVALID_ARGUMENT");
        platform("linux/amd64").unwrap();
        assert_eq!(failed(platform("linux/amd64")).0, "WRONG_STATE");
        let covered = done(|error| touchmark_request_covered_by(request.0, view(&digest), error));
        assert_eq!(failed(covered).0, "WRONG_STATE");
        let envelopes = [view("{}")];
        done(|error| touchmark_request_envelopes(request.0, envelopes.as_ptr(), 1, error)).unwrap();
        done(|error| touchmark_request_deep(request.0, error)).unwrap();
        let asked = |digest: &str, at| {
            let policy = policy();
            made(|out, error| touchmark_request_new(policy.0, view(digest), at, out, error)).map(|_| ())
        };
        assert_eq!(failed(asked("sha256:0", NOW)).0, "INVALID_DIGEST");
        assert_eq!(failed(asked(&digest, 0)).0, "INVALID_TIME");
    }
    // An image is no index that lists platforms.
    let search = begin(&request);
    next(&search);
    give(&search, MANIFEST).unwrap();
    assert_eq!(failed(finish(&search)).1, "no-index");
}

#[test]
fn a_hash_is_taken_for_a_hash_alone() {
    let request = request();
    let blob = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let envelope = signed(None, &[1], None);
    let envelopes = [view(&envelope)];
    // SAFETY: the handles are not freed yet, the views, the array and the places are the test's.
    unsafe {
        done(|error| touchmark_request_envelopes(request.0, envelopes.as_ptr(), 1, error)).unwrap();
        done(|error| touchmark_request_deep(request.0, error)).unwrap();
        let search = begin(&request);
        let hash = |digest: &str, size| done(|error| touchmark_search_provide_hash(search.0, view(digest), size, error));
        next(&search);
        assert_eq!(failed(hash(blob, 2)).0, "WRONG_STATE");
        give(&search, MANIFEST).unwrap();
        let need = next(&search);
        assert_eq!((need.kind, text(need.digest).as_str(), need.limit), (TOUCHMARK_NEED_HASH, blob, 2));
        assert_eq!(failed(hash("sha256", 2)).0, "INVALID_DIGEST");
        hash(blob, 2).unwrap();
        assert!(finish(&search).is_ok());
    }
}

#[test]
fn the_artifact_s_manifest_is_kept_and_what_is_hashed_below_it_is_not() {
    use touchmark_envelope::UnixTime;
    use touchmark_envelope::dsse::{self, Envelope};
    use touchmark_envelope::manifest::{IMAGE_INDEX, IMAGE_MANIFEST};
    use touchmark_envelope::signature::Signature;

    let images: Vec<Vec<u8>> =
        (0..5).map(|number| format!("{}{}", String::from_utf8_lossy(MANIFEST), " ".repeat(number)).into_bytes()).collect();
    let entries = images.iter().map(|image| {
        let digest = Algorithm::Sha256.digest(image);
        format!(r#"{{"mediaType":"{IMAGE_MANIFEST}","digest":"{digest}","size":{}}}"#, image.len())
    });
    let entries = entries.collect::<Vec<_>>().join(",");
    let index = format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[{entries}]}}"#);
    let policy = policy();
    let digest = Algorithm::Sha256.digest(index.as_bytes());
    let said = Signature::of(index.as_bytes(), IMAGE_INDEX, UnixTime::from_seconds(NOW - 10).unwrap());
    let envelope = Envelope::sign(dsse::IN_TOTO, said.to_json(), &[&crate::testing::secret(1)]).unwrap().to_json();
    // SAFETY: the handles are not freed yet, the views, the arrays and the places are the test's.
    unsafe {
        let request = made(|out, error| touchmark_request_new(policy.0, view(&digest.to_string()), NOW, out, error)).unwrap();
        let envelopes = [view(&envelope)];
        done(|error| touchmark_request_envelopes(request.0, envelopes.as_ptr(), 1, error)).unwrap();
        done(|error| touchmark_request_deep(request.0, error)).unwrap();
        let search = begin(&request);
        next(&search);
        give(&search, index.as_bytes()).unwrap();
        for image in &images {
            assert_eq!(
                (next(&search).kind, text(next(&search).digest)),
                (TOUCHMARK_NEED_MANIFEST, Algorithm::Sha256.digest(image).to_string())
            );
            give(&search, image).unwrap();
        }
        let kept = (*search.0).0.look().ok().unwrap().as_ref().unwrap().manifests.len();
        assert!(kept <= LEADING, "{kept} manifests are kept");
        let need = next(&search);
        assert_eq!(need.kind, TOUCHMARK_NEED_HASH);
        let blob = text(need.digest);
        done(|error| touchmark_search_provide_hash(search.0, view(&blob), 2, error)).unwrap();
        let artifact = finish(&search).unwrap();
        assert_eq!(shown(touchmark_verified_artifact_manifest(artifact.0)), index.as_bytes());

        // That of an image that an index covers is kept too: it is what is verified.
        let image = Algorithm::Sha256.digest(&images[3]).to_string();
        let request = made(|out, error| touchmark_request_new(policy.0, view(&image), NOW, out, error)).unwrap();
        done(|error| touchmark_request_covered_by(request.0, view(&digest.to_string()), error)).unwrap();
        done(|error| touchmark_request_envelopes(request.0, envelopes.as_ptr(), 1, error)).unwrap();
        let search = begin(&request);
        for manifest in [index.as_bytes(), &images[3]] {
            next(&search);
            give(&search, manifest).unwrap();
        }
        assert_eq!(shown(touchmark_verified_artifact_manifest(finish(&search).unwrap().0)), images[3]);
    }
}
