//! The decision without I/O: a manifest, its envelopes, a policy, a time.

use touchmark_envelope::digest::Algorithm;
use touchmark_trust::{Answer, Failure as Unfetched, Need, Request, Search, Step};

use crate::array::{copies, handle};
use crate::artifact::touchmark_verified_artifact;
use crate::bytes::touchmark_bytes;
use crate::call;
use crate::error::touchmark_error;
use crate::policy::touchmark_policy;
use crate::status::touchmark_status;
use crate::time::time;

/// Whether a policy accepts a manifest at the time `at`, by these envelopes alone. The artifact that is verified is the one that
/// has exactly these bytes.
///
/// `TOUCHMARK_STATUS_NOT_VERIFIED` if the envelopes do not suffice, `TOUCHMARK_STATUS_UNSIGNED` if there is none of the wanted kind,
/// `TOUCHMARK_STATUS_UNTRUSTED_METADATA` or `TOUCHMARK_STATUS_EXPIRED_METADATA` if trust metadata decides and must not,
/// `TOUCHMARK_STATUS_MALFORMED` if it is no manifest, `TOUCHMARK_STATUS_UNKNOWN` if it could not be found out. The error's JSON has all the
/// reasons under `report`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_verify_manifest(
    policy: *const touchmark_policy,
    manifest: touchmark_bytes,
    envelopes: *const touchmark_bytes,
    count: usize,
    at: i64,
    out: *mut *mut touchmark_verified_artifact,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::give(out, error, || {
            let policy = handle(policy, "policy")?.policy.clone();
            let manifest = manifest.read("manifest")?;
            let at = time(at, "time of the decision")?;
            let digest = Algorithm::Sha256.digest(manifest);
            let mut search = Search::new(Request::new(policy, digest, at).envelopes(copies(envelopes, count, "envelope")?));
            while let Step::Need(need) = search.next() {
                search.answer(match need {
                    Need::Manifest { digest: wanted, .. } if wanted == digest => Answer::Bytes(manifest.to_vec()),
                    _ => Answer::Failed(Unfetched::NotFound),
                });
            }
            Ok(touchmark_verified_artifact::new(search.finish()?, manifest.to_vec()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{
        touchmark_verified_artifact_digest, touchmark_verified_artifact_manifest, touchmark_verified_artifact_media_type,
        touchmark_verified_artifact_name, touchmark_verified_artifact_size, touchmark_verified_artifact_to_json,
    };
    use crate::buffer::touchmark_buffer_bytes;
    use crate::policy::{
        touchmark_policy_builder_build, touchmark_policy_builder_from_keys, touchmark_policy_builder_require_annotation,
        touchmark_policy_builder_set_name,
    };
    use crate::testing::{MANIFEST, NOW, Owned, Seen, done, failed, made, pointers, public, shown, signed, text, view};

    fn policy(keys: &[u8], threshold: usize, name: Option<&str>) -> Owned<touchmark_policy> {
        let keys: Vec<_> = keys.iter().map(|number| public(*number)).collect();
        let keys = pointers(&keys);
        // SAFETY: the handles are not freed yet, the arrays, views and places are the test's.
        unsafe {
            let builder = made(|out, error| touchmark_policy_builder_from_keys(keys.as_ptr(), keys.len(), threshold, out, error)).unwrap();
            if let Some(name) = name {
                done(|error| touchmark_policy_builder_set_name(builder.0, view(name), error)).unwrap();
            }
            done(|error| touchmark_policy_builder_require_annotation(builder.0, view("stage"), view("release"), error)).unwrap();
            made(|out, error| touchmark_policy_builder_build(builder.0, out, error)).unwrap()
        }
    }

    fn verify(
        policy: &Owned<touchmark_policy>,
        manifest: &[u8],
        envelopes: &[Vec<u8>],
        at: i64,
    ) -> Result<Owned<touchmark_verified_artifact>, Seen> {
        let envelopes: Vec<_> = envelopes.iter().map(view).collect();
        // SAFETY: the policy is not freed yet, the views, the array and the places are the test's.
        made(|out, error| unsafe {
            touchmark_verify_manifest(policy.0, view(manifest), envelopes.as_ptr(), envelopes.len(), at, out, error)
        })
    }

    #[test]
    fn a_manifest_that_a_policy_accepts_is_an_artifact() {
        let envelopes = [signed(Some("acme/x:1"), &[1], None), signed(Some("acme/x:1"), &[2], None)];
        let artifact = verify(&policy(&[1, 2], 2, Some("acme/x:*")), MANIFEST, &envelopes, NOW).unwrap();
        // SAFETY: the artifact is not freed yet, the places are the test's.
        unsafe {
            assert_eq!(text(touchmark_verified_artifact_digest(artifact.0)), Algorithm::Sha256.digest(MANIFEST).to_string());
            assert_eq!(text(touchmark_verified_artifact_media_type(artifact.0)), touchmark_envelope::manifest::IMAGE_MANIFEST);
            assert_eq!(touchmark_verified_artifact_size(artifact.0), u64::try_from(MANIFEST.len()).unwrap());
            assert_eq!(shown(touchmark_verified_artifact_manifest(artifact.0)), MANIFEST);
            assert_eq!(text(touchmark_verified_artifact_name(artifact.0)), "acme/x:1");
            let json = made(|out, error| touchmark_verified_artifact_to_json(artifact.0, out, error)).unwrap();
            assert!(text(touchmark_buffer_bytes(json.0)).contains(r#""accepted_by":"envelopes","rollback_protected":false"#));
        }
        // Without a name that is asked for, none was verified, whatever the signature says.
        let unnamed = verify(&policy(&[1], 1, None), MANIFEST, &envelopes, NOW).unwrap();
        // SAFETY: the artifact is not freed yet.
        assert_eq!(unsafe { touchmark_verified_artifact_name(unnamed.0) }.len, 0);
    }

    #[test]
    fn what_a_policy_does_not_accept_has_its_status() {
        let envelope = [signed(Some("acme/x:1"), &[1], Some(NOW))];
        let by_one = policy(&[1], 1, Some("acme/x:1"));
        assert!(verify(&by_one, MANIFEST, &envelope, NOW - 1).is_ok());
        for (policy, envelopes, at, status) in [
            (&by_one, &envelope[..], NOW, "NOT_VERIFIED"),
            (&by_one, &[], NOW, "UNSIGNED"),
            (&policy(&[1, 2], 2, None), &envelope, NOW - 1, "NOT_VERIFIED"),
            (&policy(&[1], 1, Some("acme/x:2")), &envelope, NOW - 1, "NOT_VERIFIED"),
            (&by_one, &envelope, 0, "INVALID_TIME"),
            (&by_one, &envelope, -1, "INVALID_TIME"),
            (&by_one, &envelope, i64::MAX, "INVALID_TIME"),
        ] {
            assert_eq!(failed(verify(policy, MANIFEST, envelopes, at)).0, status);
        }
        assert_eq!(failed(verify(&by_one, b"{}", &envelope, NOW - 1)).0, "MALFORMED");
        let other = [MANIFEST, b" "].concat();
        assert_eq!(failed(verify(&by_one, &other, &envelope, NOW - 1)).0, "NOT_VERIFIED");
    }

    #[test]
    fn a_refusal_has_its_reasons() {
        let Err(seen) = verify(&policy(&[2], 1, None), MANIFEST, &[signed(None, &[1], None)], NOW) else { panic!("it was accepted") };
        assert_eq!(seen.code, "threshold");
        assert!(seen.json.starts_with(r#"{"status":300,"code":"threshold","message":""#), "{}", seen.json);
        assert!(seen.json.contains(r#""report":{"at":"#) && seen.json.contains(r#""candidates":["#), "{}", seen.json);
    }
}
