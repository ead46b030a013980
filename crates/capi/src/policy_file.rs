//! Policy files, which decide over sources.

use touchmark::policy::{Decider, PolicyError, PolicyFile};

use crate::array::handle;
use crate::artifact::touchmark_verified_artifact;
use crate::bytes::touchmark_bytes;
use crate::call;
use crate::error::touchmark_error;
use crate::failure::Failure;
use crate::path::path as file_path;
use crate::source::{scope, touchmark_source};
use crate::status::{TOUCHMARK_STATUS_MALFORMED_POLICY, TOUCHMARK_STATUS_NOT_FOUND, touchmark_status};
use crate::time::time;

/// A policy file that was read (SPEC.md, "Policy"). What it names is read at each decision. Any number of threads may use one.
pub struct touchmark_policy_file(PolicyFile);

/// Reads the policy file at `path`. Relative paths in it begin at its folder.
///
/// `TOUCHMARK_STATUS_INVALID_ARGUMENT` for an empty path; `TOUCHMARK_STATUS_NOT_FOUND` and `TOUCHMARK_STATUS_IO_ERROR` if it cannot be read;
/// `TOUCHMARK_STATUS_MALFORMED_POLICY` if it is no policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_policy_file_open(
    path: touchmark_bytes,
    out: *mut *mut touchmark_policy_file,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about views and outs.
    unsafe {
        call::give(out, error, || {
            let path = file_path(path, "path of the policy")?;
            let opened = PolicyFile::open(&path);
            Ok(touchmark_policy_file(opened.map_err(|error| {
                let failure = Failure::from(&error);
                match error {
                    PolicyError::Document { .. } => failure.status(TOUCHMARK_STATUS_MALFORMED_POLICY),
                    PolicyError::Unreadable { .. } if !path.exists() => failure.status(TOUCHMARK_STATUS_NOT_FOUND),
                    _ => failure,
                }
            })?))
        })
    }
}

/// Whether a policy file accepts what the source's reference names, as it was given to `touchmark_source_open`, as of the time `at`, in seconds
/// since 1970. `name`, a NAME, NAME:VERSION or NAME:*, is the name that is wanted, which rules with `names` are for; empty to leave it to rules with
/// `reference`. `platform`, `linux/amd64` or `linux/arm/v7`, lets an index decide for the one image that it lists for it, where the rule says that it may;
/// empty for what the reference names itself. Where a trust root decides, its repository is asked, kept in the store that the file says or else the user's
/// own, and its own policy must accept the artifact too. A store keeps `at` as the time of its last update, before which nothing is judged later: who asks
/// about the future asks a policy with a store of its own.
///
/// `TOUCHMARK_STATUS_POLICY_REJECTED` if no rule is for it, or the rule rejects it or lets no index decide; `TOUCHMARK_STATUS_MALFORMED_POLICY` if what
/// the rule names is not there or none; all others as for `touchmark_source_verify` and `touchmark_trust_root_open`. The error's JSON says under
/// `report` which policies and rules were asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_policy_file_verify(
    file: *const touchmark_policy_file,
    source: *const touchmark_source,
    name: touchmark_bytes,
    platform: touchmark_bytes,
    at: i64,
    out: *mut *mut touchmark_verified_artifact,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::give(out, error, || {
            let (file, source) = (handle(file, "policy file")?, handle(source, "source")?);
            let name = match name.text("name")? {
                "" => None,
                name => Some(name.parse()?),
            };
            let (scope, at) = (scope(platform.text("platform")?)?, time(at, "time of the decision")?);
            let decider = Decider::by_file(file.0.clone(), at);
            // What is certain without the source is told whatever is there.
            decider.foresee(&source.reference, name.as_ref())?;
            source.decided(decider.decide(source.source.as_ref(), &source.asked(name, scope)?)?)
        })
    }
}

/// Frees a policy file. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_policy_file_free(file: *mut touchmark_policy_file) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(file) }
}

#[cfg(test)]
mod tests;
