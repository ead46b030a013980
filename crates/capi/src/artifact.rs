//! Artifacts that were verified.

use touchmark_envelope::Verified;
use touchmark_envelope::json::Value;
use touchmark_envelope::name::Wanted;
use touchmark_trust::Artifact;

use crate::array::handle;
use crate::buffer::touchmark_buffer;
use crate::bytes::touchmark_bytes;
use crate::call;
use crate::error::touchmark_error;
use crate::status::touchmark_status;

/// An artifact that a policy accepts. There is one only after a verification that succeeded. Immutable; any number of threads may use one.
pub struct touchmark_verified_artifact {
    artifact: Verified<Artifact>,
    digest: String,
    name: String,
    manifest: Vec<u8>,
    /// What decided beside the artifact itself, as members of its JSON: which policy, which rule.
    by: Vec<(String, Value<'static>)>,
}

impl touchmark_verified_artifact {
    /// The artifact; `manifest` is empty where the bytes were not kept.
    pub(crate) fn new(artifact: Verified<Artifact>, manifest: Vec<u8>) -> Self {
        let found = artifact.get();
        let name = match found.wanted() {
            None => String::new(),
            Some(Wanted::Exact(name)) => name.to_string(),
            // Which version it is, the statement says.
            Some(Wanted::AnyVersion(_)) => {
                found.accepted().iter().find_map(|said| said.said().name.as_ref()).map_or_else(String::new, ToString::to_string)
            }
        };
        Self { digest: found.descriptor().digest.to_string(), name, manifest, by: Vec::new(), artifact }
    }

    /// The same with more to say in JSON.
    #[cfg(feature = "io")]
    pub(crate) fn by(mut self, by: impl IntoIterator<Item = (String, Value<'static>)>) -> Self {
        self.by.extend(by);
        self
    }
}

/// The digest of the manifest that was verified. A view of the artifact; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_verified_artifact_digest(artifact: *const touchmark_verified_artifact) -> touchmark_bytes {
    // SAFETY: the caller's promise about handles.
    unsafe { call::view(artifact, |artifact| artifact.digest.as_bytes()) }
}

/// The media type of the manifest. A view of the artifact; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_verified_artifact_media_type(artifact: *const touchmark_verified_artifact) -> touchmark_bytes {
    // SAFETY: the caller's promise about handles.
    unsafe { call::view(artifact, |artifact| artifact.artifact.get().descriptor().media_type.as_bytes()) }
}

/// The size of the manifest in bytes; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_verified_artifact_size(artifact: *const touchmark_verified_artifact) -> u64 {
    // SAFETY: the caller's promise about handles.
    unsafe { call::look(artifact, 0, |artifact| artifact.artifact.get().descriptor().size) }
}

/// The bytes of the manifest, which were verified: what a program goes on with. A view of the artifact; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_verified_artifact_manifest(artifact: *const touchmark_verified_artifact) -> touchmark_bytes {
    // SAFETY: the caller's promise about handles.
    unsafe { call::view(artifact, |artifact| &artifact.manifest) }
}

/// The name that was verified, NAME or NAME:VERSION; empty if the policy asks for none. A view of the artifact; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_verified_artifact_name(artifact: *const touchmark_verified_artifact) -> touchmark_bytes {
    // SAFETY: the caller's promise about handles.
    unsafe { call::view(artifact, |artifact| artifact.name.as_bytes()) }
}

/// All that was found, as JSON: by what it was accepted, which statements counted, which keys, what else was looked at
/// (SPEC.md, "JSON output").
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_verified_artifact_to_json(
    artifact: *const touchmark_verified_artifact,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::give(out, error, || {
            let artifact = handle(artifact, "artifact")?;
            let mut members = artifact.artifact.get().to_json();
            artifact.by.iter().for_each(|(name, value)| members.insert(name.clone(), value.clone()));
            Ok(touchmark_buffer::new(Value::Object(members).to_vec()))
        })
    }
}

/// Frees an artifact. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_verified_artifact_free(artifact: *mut touchmark_verified_artifact) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(artifact) }
}
