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
