//! What one document lists of another file (TUF 1.0, 4.4, METAFILES; 4.5, TARGETS).

use alloc::vec::Vec;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::Value;

use super::header::{length, version};

/// The version of a metadata file, and its length and hashes where they are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMeta {
    /// Its version.
    pub version: u64,
    /// Its length in bytes.
    pub length: Option<u64>,
    /// Its digests by the supported algorithms; none are listed, or at least one of these is.
    pub hashes: Vec<Digest>,
}

impl FileMeta {
    pub(crate) fn read(value: &Value<'_>) -> Option<Self> {
        let version = version(value.get("version")?)?;
        let length = value.get("length").map(|value| length(value).ok_or(())).transpose().ok()?;
        let hashes = value.get("hashes").map_or(Some(Vec::new()), hashes)?;
        Some(Self { version, length, hashes })
    }
}

/// The digests by supported algorithms; those by others are passed over. `None` if one is malformed, or none is supported: what lists
/// only hashes that nobody can check must not pass for unlisted.
pub(super) fn hashes(value: &Value<'_>) -> Option<Vec<Digest>> {
    let mut digests = Vec::new();
    for (name, value) in value.as_object()?.iter() {
        let hex = value.as_str()?;
        if let Some(algorithm) = Algorithm::from_name(name) {
            digests.push(Digest::from_hex(algorithm, hex).ok()?);
        }
    }
    (!digests.is_empty()).then_some(digests)
}
