//! A trust repository as an OCI artifact: each layer is one metadata file, and its title is the file's path (SPEC.md, "The trust repository").

use std::collections::BTreeMap;

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Descriptor, IMAGE_MANIFEST, Kind, Manifest};
use touchmark_oci::error::{Class as StoreClass, Error as StoreError};
use touchmark_oci::source::Source;
use touchmark_oci::unpack::TITLE;
use touchmark_tuf::Failure;

use super::TrustRootError;
use crate::tuf::Fetch;

/// The artifactType of a trust repository's manifest.
pub const ARTIFACT_TYPE: &str = touchmark_oci::source::TRUST_REPOSITORY;
/// The media type of its layers.
pub const LAYER_TYPE: &str = "application/vnd.touchmark.tuf.metadata.v1+json";
/// Bytes of the manifest: a role is a layer, which takes 300 of them.
const MAX_MANIFEST: u64 = 4 << 20;

/// A trust repository in a registry or an OCI layout. What it holds is verified as any repository's: titles are hints.
pub struct TrustArtifact<'s> {
    source: &'s dyn Source,
    digest: Digest,
    layers: BTreeMap<String, Descriptor>,
}

impl std::fmt::Debug for TrustArtifact<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrustArtifact").field("digest", &self.digest).finish_non_exhaustive()
    }
}

impl<'s> TrustArtifact<'s> {
    /// The one that the manifest `digest` of `source` is.
    ///
    /// # Errors
    /// There is no such manifest, it is none of a trust repository, or two of its layers have one title.
    pub fn open(source: &'s dyn Source, digest: Digest) -> Result<Self, TrustRootError> {
        let bytes = source.manifest(&digest, MAX_MANIFEST)?;
        let none = |reason| TrustRootError::NotATrustRepository { digest, reason };
        let manifest = Manifest::parse(&bytes).map_err(|_| none("its manifest is malformed"))?;
        if manifest.artifact_type() != Some(ARTIFACT_TYPE) {
            return Err(none("its artifactType is another one"));
        }
        let Kind::Image { layers: listed, .. } = manifest.kind else { return Err(none("it is an index")) };
        let mut layers = BTreeMap::new();
        for layer in listed {
            let Some(title) = layer.annotations.get(TITLE).cloned() else { continue };
            if layers.insert(title, layer).is_some() {
                return Err(none("two of its layers have one title"));
            }
        }
        Ok(Self { source, digest, layers })
    }

    /// The digest of its manifest.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The paths of its files, and their descriptors.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Descriptor)> {
        self.layers.iter().map(|(path, layer)| (path.as_str(), layer))
    }
}

/// So many trust repositories of one place are looked at.
pub const MAX_BESIDE: usize = 64;

/// The trust repositories among the artifacts that a place lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustBeside {
    /// Their manifests, [`MAX_BESIDE`] at most: which of them is right, and the newest, their metadata shows.
    pub digests: Vec<Digest>,
    /// Whether the place lists more.
    pub more: bool,
}

/// The trust repositories among the artifacts that a place lists.
///
/// # Errors
/// The place cannot be read.
pub fn trust_repositories(source: &dyn Source) -> Result<TrustBeside, StoreError> {
    let mut found = TrustBeside::default();
    for listed in source.roots()?.into_iter().filter(|listed| listed.media_type == IMAGE_MANIFEST) {
        let is_one = match listed.artifact_type.as_deref() {
            Some(hint) => hint == ARTIFACT_TYPE,
            None => TrustArtifact::open(source, listed.digest).is_ok(),
        };
        match is_one {
            true if found.digests.len() >= MAX_BESIDE => {
                found.more = true;
                break;
            }
            true => found.digests.push(listed.digest),
            false => {}
        }
    }
    Ok(found)
}

impl Fetch for TrustArtifact<'_> {
    fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        let Some(layer) = self.layers.get(path) else { return Ok(None) };
        if layer.size > limit {
            return Err(Failure::TooLarge { limit });
        }
        let fetched = self.source.blobs(&[(layer.digest, layer.size)]).pop();
        let fetched = fetched.ok_or_else(|| Failure::Unavailable("no answer".to_owned()))?;
        fetched.map(Some).map_err(|error| failure(&error))
    }

    fn location(&self) -> String {
        format!("{}@{}", self.source.location(), self.digest)
    }
}

/// What a layer that is listed and cannot be had means: never that the repository lacks the file.
fn failure(error: &StoreError) -> Failure {
    match error.class() {
        StoreClass::WrongDigest | StoreClass::Malformed => Failure::Malformed(error.to_string()),
        _ => Failure::Unavailable(error.to_string()),
    }
}
