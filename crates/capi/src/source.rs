//! OCI layouts, folders and tars, as sources of artifacts.

use ::touchmark_envelope::Verified;
use ::touchmark_envelope::name::Wanted;
use touchmark::oci::error::Error;
use touchmark::oci::layout::Layout;
use touchmark::oci::reference::{Reference, Scheme};
use touchmark::oci::source::Source;
use touchmark::policy::{Asked, Decided, PolicyError};
use touchmark::trust::Limits;
use touchmark::{Digest, decide, open, verify};
use touchmark_trust::{Artifact, Scope};

use crate::array::handle;
#[cfg(feature = "sign")]
use crate::array::handles;
use crate::artifact::touchmark_verified_artifact;
use crate::buffer::touchmark_buffer;
use crate::bytes::touchmark_bytes;
use crate::call;
#[cfg(feature = "sign")]
use crate::envelope::touchmark_envelope;
use crate::error::touchmark_error;
use crate::failure::Failure;
use crate::policy::touchmark_policy;
use crate::request::{self, touchmark_request};
use crate::status::{TOUCHMARK_STATUS_UNKNOWN, TOUCHMARK_STATUS_UNSUPPORTED, touchmark_status};
use crate::time::time;

/// A place with artifacts, and which of them a reference names. Any number of threads may use one.
pub struct touchmark_source {
    pub(crate) source: Box<dyn Source>,
    pub(crate) reference: Reference,
}

// What `open` gives here: shared by threads, and freed by any.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<Layout>();
    is_shared::<touchmark::oci::archive::Archive>();
};

impl touchmark_source {
    /// What the reference names. A digest in it is the caller's, whatever the source says that it leads to.
    fn resolved(&self) -> Result<Digest, Error> {
        let found = self.source.resolve(self.reference.tag(), self.reference.digest())?;
        Ok(self.reference.digest().copied().unwrap_or(found.digest))
    }

    fn digest(&self) -> Result<Digest, Failure> {
        Ok(self.resolved()?)
    }

    /// What the reference names, under this name: a question to policies.
    pub(crate) fn asked(&self, name: Option<Wanted>, scope: Scope) -> Result<Asked<'_>, Failure> {
        let resolved = self.resolved().map_err(|error| Failure::from(&PolicyError::Store(error)))?;
        Ok(Asked { name, scope, ..Asked::new(&self.reference, resolved) })
    }

    /// What policies accepted.
    pub(crate) fn decided(&self, decided: Decided) -> Result<touchmark_verified_artifact, Failure> {
        let Decided { artifact, signed, by } = decided;
        let by = by.to_json(signed.as_ref().map(|signed| signed.get()));
        let by: Vec<_> = by.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        Ok(self.verified(artifact)?.by(by))
    }

    /// An artifact that was verified, with the bytes of its manifest, which have the digest that was. A place that has changed meanwhile is one
    /// of which nothing is known: without the manifest there would be nothing to go on with.
    pub(crate) fn verified(&self, artifact: Verified<Artifact>) -> Result<touchmark_verified_artifact, Failure> {
        let digest = artifact.get().descriptor().digest;
        let manifest = self.source.manifest(&digest, Limits::default().manifest);
        let manifest = manifest.map_err(|error| Failure::from(error).status(TOUCHMARK_STATUS_UNKNOWN))?;
        Ok(touchmark_verified_artifact::new(artifact, manifest))
    }
}

/// What is asked about: the image of an index for a platform, or what the reference names itself if that is empty.
pub(crate) fn scope(platform: &str) -> Result<Scope, Failure> {
    Ok(match platform {
        "" => Scope::Itself,
        platform => Scope::Platform(request::platform(platform)?),
    })
}

/// Opens the OCI layout that a reference names: a folder as `oci:PATH[:TAG][@DIGEST]`, a tar as `oci-archive:FILE[:TAG][@DIGEST]`
/// (SPEC.md, "References"). Without a tag and a digest it is the only artifact there. Paths are UTF-8; a relative one begins at the working
/// directory.
///
/// `TOUCHMARK_STATUS_INVALID_REFERENCE` for what is no reference; `TOUCHMARK_STATUS_UNSUPPORTED` for one of a registry, which this library does not ask;
/// `TOUCHMARK_STATUS_NOT_FOUND` if nothing is there, `TOUCHMARK_STATUS_MALFORMED` if it is no OCI layout, `TOUCHMARK_STATUS_IO_ERROR` if it
/// cannot be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_source_open(
    reference: touchmark_bytes,
    out: *mut *mut touchmark_source,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about views and outs.
    unsafe {
        call::give(out, error, || {
            let reference: Reference = reference.text("reference")?.parse()?;
            if !matches!(reference.scheme(), Scheme::Layout | Scheme::Archive) {
                let message = format!("{reference}: this library opens OCI layouts, oci:PATH and oci-archive:FILE, and asks no registry");
                return Err(Failure::new(TOUCHMARK_STATUS_UNSUPPORTED, "unsupported", message));
            }
            Ok(touchmark_source { source: open(&reference)?, reference })
        })
    }
}

/// The digest of what the reference names, `sha256:...`. Whoever is given a tag goes on with this.
///
/// `TOUCHMARK_STATUS_NOT_FOUND` if there is no such artifact; `TOUCHMARK_STATUS_INVALID_ARGUMENT` if there are several and the reference does not
/// say which; `TOUCHMARK_STATUS_MALFORMED` and `TOUCHMARK_STATUS_IO_ERROR` if the place cannot be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_source_digest(
    source: *const touchmark_source,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe { call::give(out, error, || Ok(touchmark_buffer::new(handle(source, "source")?.digest()?.to_string()))) }
}

/// The bytes of the manifest that the reference names, of at most 4 MiB. They have its digest, and nobody has vouched for them yet.
/// Statuses are those of `touchmark_source_digest`, and `TOUCHMARK_STATUS_TOO_LARGE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_source_manifest(
    source: *const touchmark_source,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::give(out, error, || {
            let source = handle(source, "source")?;
            let manifest = source.source.manifest(&source.digest()?, Limits::default().manifest)?;
            Ok(touchmark_buffer::new(manifest))
        })
    }
}

/// Whether a policy accepts what the reference names, by the signatures that are attached to it there, as of the time `at`, in seconds
/// since 1970. Statuses are those of `touchmark_verify_manifest`; a reference that leads to nothing is `TOUCHMARK_STATUS_UNKNOWN`, and so is a
/// place whose manifest is gone once it was verified.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_source_verify(
    source: *const touchmark_source,
    policy: *const touchmark_policy,
    at: i64,
    out: *mut *mut touchmark_verified_artifact,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::give(out, error, || {
            let (source, policy) = (handle(source, "source")?, &handle(policy, "policy")?.policy);
            let at = time(at, "time of the decision")?;
            source.verified(verify(source.source.as_ref(), &source.reference, policy, at)?)
        })
    }
}

/// Decides a request by what is in the source. Of which artifact it is, the request says; the tag and the digest of the reference are not
/// looked at. Statuses are those of `touchmark_verify_manifest`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_source_verify_request(
    source: *const touchmark_source,
    request: *const touchmark_request,
    out: *mut *mut touchmark_verified_artifact,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::give(out, error, || {
            let (source, request) = (handle(source, "source")?, handle(request, "request")?.asked()?);
            source.verified(decide(source.source.as_ref(), request)?)
        })
    }
}

/// Attaches envelopes to what the reference names, in a folder: each must be a well-formed statement about it, and who signed it is not looked
/// at. Those that are there already are not written again.
///
/// `TOUCHMARK_STATUS_INVALID_ARGUMENT` for an envelope about something else, and `TOUCHMARK_STATUS_MALFORMED` for one that is no statement: then
/// none is attached. `TOUCHMARK_STATUS_UNSUPPORTED` for a tar; `TOUCHMARK_STATUS_IO_ERROR` if the folder cannot be written.
#[cfg(feature = "sign")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_source_attach(
    source: *const touchmark_source,
    envelopes: *const *const touchmark_envelope,
    count: usize,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::run(error, || {
            let source = handle(source, "source")?;
            let envelopes: Vec<Vec<u8>> = handles(envelopes, count, "envelope")?.iter().map(|envelope| envelope.0.to_json()).collect();
            if source.reference.scheme() != Scheme::Layout {
                let message = format!("{}: nothing is attached in a tar", source.reference);
                return Err(Failure::new(TOUCHMARK_STATUS_UNSUPPORTED, "unsupported", message));
            }
            touchmark::attach(&Layout::open(source.reference.path())?, &source.digest()?, &envelopes)?;
            Ok(())
        })
    }
}

/// Frees a source. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_source_free(source: *mut touchmark_source) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(source) }
}

#[cfg(test)]
pub(crate) mod tests;
