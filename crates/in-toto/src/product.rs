//! The final product, offered to the rules of a layout without running anything.
//!
//! An inspection whose command is `true` and nothing else looks at what is there and changes nothing: whoever runs it records the folder
//! it is run in, as materials and as products. So what is there can be said without running it. The artifacts of an OCI artifact have
//! the names that they have in an OCI layout, so that a link that any tool recorded of one, or of which it was the working folder, has
//! them too: `blobs/sha256/…`.

use alloc::format;
use alloc::string::String;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, Manifest};
use touchmark_envelope::sorted;

use crate::artifacts::Artifacts;
use crate::error::Error;
use crate::layout::Inspection;

/// What is to be had at the end of the supply chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    pub(crate) artifacts: Artifacts,
    /// The artifact that the others hang on: a step must have made it.
    pub(crate) manifest: Option<String>,
}

impl Product {
    /// An OCI artifact, by the bytes of its manifest or index: that, under its SHA-256, and what it names, under the digests that it has
    /// there. The manifest must be consumed by a MATCH against the products of a step: consumed by an ALLOW or left over, any artifact
    /// with another release's links would pass.
    ///
    /// # Errors
    /// It is no manifest.
    pub fn oci(manifest: &[u8]) -> Result<Self, Error> {
        let read = Manifest::parse(manifest)?;
        let name = |digest: &Digest| (format!("blobs/{}/{}", digest.algorithm(), digest.hex()), *digest);
        let manifest = name(&Algorithm::Sha256.digest(manifest));
        // Two layers may be one blob.
        let named = read.blobs().chain(read.children()).map(|descriptor: &Descriptor| name(&descriptor.digest));
        let all = sorted::map(named.chain([manifest.clone()]).map(|(name, digest)| (name, (digest.algorithm(), digest.hex()))));
        let artifacts = Artifacts::new(all.iter().map(|(name, (algorithm, hex))| (name.as_str(), [(algorithm.name(), hex.as_str())])))?;
        Ok(Self { artifacts, manifest: Some(manifest.0) })
    }

    /// Files, by the names that links have for them. At least one inspection must look at them.
    pub fn files(artifacts: Artifacts) -> Self {
        Self { artifacts, manifest: None }
    }

    /// What is offered to the rules.
    pub fn artifacts(&self) -> &Artifacts {
        &self.artifacts
    }

    /// The name under which the manifest of an OCI artifact is offered.
    pub fn manifest(&self) -> Option<&str> {
        self.manifest.as_deref()
    }

    /// Whether an inspection looks at what is there, and does nothing.
    pub(crate) fn answers(inspection: &Inspection) -> bool {
        matches!(inspection.run.as_slice(), [command] if command == "true")
    }

    /// Whether these are what the inspection of this product began with: with its manifest, or if it has none with all of it.
    pub(crate) fn is_among(&self, materials: &Artifacts) -> bool {
        let same = |name: &str| materials.get(name).is_some_and(|digests| Some(digests) == self.artifacts.get(name));
        match &self.manifest {
            Some(manifest) => same(manifest),
            None => self.artifacts.iter().all(|artifact| same(artifact.name)),
        }
    }
}
