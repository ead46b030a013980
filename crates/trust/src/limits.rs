use touchmark_envelope::dsse;

/// How much a search takes in before it says that it could not find out (SPEC.md, "Limits").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a manifest: 4 MiB.
    pub manifest: u64,
    /// Referrers that are looked at: 10,000.
    pub referrers: usize,
    /// Bytes of a list of referrers: 16 MiB.
    pub referrers_bytes: u64,
    /// Bytes of a signature's envelope: 1 MiB.
    pub signature: u64,
    /// Bytes of the envelope of an attestation that is asked for by its type: 64 MiB.
    pub attestation: u64,
    /// Signatures in one envelope: 128.
    pub signatures: usize,
    /// The work of a search: bytes of the referrers' manifests and envelopes that are taken in, and for each signature check the
    /// length of what is signed and 64 KiB: 8 GiB.
    pub work: u64,
    /// Bytes of statements that are kept for the report: 64 MiB.
    pub reported: u64,
    /// Manifests and blobs that a deep verification hashes: 100,000.
    pub contents: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let envelope = dsse::Limits::default();
        Self {
            manifest: 4 << 20,
            referrers: 10_000,
            referrers_bytes: 16 << 20,
            signature: u64::try_from(envelope.bytes).unwrap_or(1 << 20),
            attestation: 64 << 20,
            signatures: envelope.signatures,
            work: 8 << 30,
            reported: 64 << 20,
            contents: 100_000,
        }
    }
}

impl Limits {
    /// How much a layout's verification takes in (SPEC.md, 22.8): its own limits, as much larger or smaller as these are than the default.
    #[cfg(feature = "supply-chain")]
    pub(crate) fn of_links(&self) -> touchmark_in_toto::Limits {
        let mut limits = touchmark_in_toto::Limits::default();
        limits.file = self.attestation;
        limits.files = self.work >> 3;
        limits.requests = u32::try_from(self.work >> 16).unwrap_or(u32::MAX);
        limits.signatures = self.signatures;
        limits.work = self.work >> 1;
        limits
    }
}

#[cfg(test)]
#[cfg(feature = "supply-chain")]
mod tests {
    use super::Limits;

    #[test]
    fn the_default_is_that_of_layouts() {
        assert_eq!(Limits::default().of_links(), touchmark_in_toto::Limits::default());
    }
}
