//! What is to be decided.

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Platform, PlatformError};
use touchmark_trust::{Request, Scope};

use crate::array::{copies, handle};
use crate::bytes::touchmark_bytes;
use crate::call;
use crate::error::touchmark_error;
use crate::exclusive::Exclusive;
use crate::failure::Failure;
use crate::policy::touchmark_policy;
use crate::status::touchmark_status;
use crate::time::time;

/// What is to be decided: which artifact, by which policy, at which time. One call at a time while it is changed; then any number of
/// threads may use one.
pub struct touchmark_request(Exclusive<Asked>);

/// A request, and what it is about.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) request: Request,
    /// Whether another manifest's signatures were chosen to decide.
    scoped: bool,
}

impl touchmark_request {
    /// What is asked.
    pub(crate) fn asked(&self) -> Result<Request, Failure> {
        Ok(self.0.look()?.request.clone())
    }
}

/// Asks whether `policy` accepts the manifest with this digest (`sha256:...`) at the time `at`, in seconds since 1970.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_request_new(
    policy: *const touchmark_policy,
    digest: touchmark_bytes,
    at: i64,
    out: *mut *mut touchmark_request,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::give(out, error, || {
            let policy = handle(policy, "policy")?.policy.clone();
            let digest = digest.text("digest")?.parse::<Digest>()?;
            let request = Request::new(policy, digest, time(at, "time of the decision")?);
            Ok(touchmark_request(Exclusive::new(Asked { request, scoped: false })))
        })
    }
}

/// Lets the signatures of this index decide, which must list the artifact.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` if an index or a platform was named before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_request_covered_by(
    request: *mut touchmark_request,
    index_digest: touchmark_bytes,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe { scope(request, error, || Ok(Scope::CoveredBy(index_digest.text("digest")?.parse::<Digest>()?))) }
}

/// What OS/ARCH or OS/ARCH/VARIANT is.
pub(crate) fn platform(text: &str) -> Result<Platform, Failure> {
    text.parse().map_err(|error: PlatformError| Failure::argument(error.to_string()))
}

/// The artifact is an index: lets its signatures decide for the one image that it lists for this platform, `linux/amd64` or
/// `linux/arm/v7`. What is verified is that image.
///
/// `TOUCHMARK_STATUS_WRONG_STATE` if an index or a platform was named before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_request_platform(
    request: *mut touchmark_request,
    os_arch: touchmark_bytes,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe { scope(request, error, || Ok(Scope::Platform(platform(os_arch.text("platform")?)?))) }
}

/// Takes these envelopes as the only evidence: no referrers are asked for. They are copied. Called again, these alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_request_envelopes(
    request: *mut touchmark_request,
    envelopes: *const touchmark_bytes,
    count: usize,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        change(request, error, |asked| {
            let request = asked.request.envelopes(copies(envelopes, count, "envelope")?);
            Ok(Asked { request, ..asked })
        })
    }
}

/// Also has every manifest and blob below the artifact hashed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_request_deep(request: *mut touchmark_request, error: *mut *mut touchmark_error) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe { change(request, error, |asked| Ok(Asked { request: asked.request.deep(), ..asked })) }
}

/// Frees a request. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_request_free(request: *mut touchmark_request) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(request) }
}

/// Lets another manifest's signatures decide, once.
///
/// # Safety
/// The caller's promises about handles and outs.
unsafe fn scope(
    request: *mut touchmark_request,
    error: *mut *mut touchmark_error,
    scope: impl FnOnce() -> Result<Scope, Failure>,
) -> touchmark_status {
    // SAFETY: the promise that this function asks for.
    unsafe {
        change(request, error, |asked| {
            if asked.scoped {
                return Err(Failure::state("an index or a platform was named already"));
            }
            Ok(Asked { request: asked.request.scope(scope()?), scoped: true })
        })
    }
}

/// Changes what is asked; a failure changes nothing.
///
/// # Safety
/// The caller's promises about handles and outs.
unsafe fn change(
    request: *mut touchmark_request,
    error: *mut *mut touchmark_error,
    change: impl FnOnce(Asked) -> Result<Asked, Failure>,
) -> touchmark_status {
    // SAFETY: the promise that this function asks for.
    unsafe {
        call::run(error, || {
            let mut asked = handle(request, "request")?.0.enter()?;
            *asked = change(asked.clone())?;
            Ok(())
        })
    }
}
