//! How much a client takes in.

/// How much a client reads of a repository, and how far it follows it.
///
/// A length that signed metadata lists takes the place of the limits for unlisted files, as far as [`Limits::listed`] goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a root (W in TUF 1.0, 5.3.3).
    pub root: u64,
    /// New roots in one update (Y in 5.3.3).
    pub roots: u32,
    /// Bytes of the timestamp (X in 5.4.1).
    pub timestamp: u64,
    /// Bytes of a snapshot of which the timestamp lists no length (Y in 5.5.1).
    pub snapshot: u64,
    /// Bytes of a targets file of which the snapshot lists no length (Z in 5.6.1).
    pub targets: u64,
    /// Bytes of a snapshot or targets file, whatever length is listed.
    pub listed: u64,
    /// Bytes that the targets documents of one client take together, with what is held beside them: 4 for each target, and
    /// [some more](crate::metadata::Targets::held) for delegations. Those of earlier searches are dropped to stay below it.
    pub total: u64,
    /// Roles visited in one search (5.6.7.1), the top-level targets included.
    pub roles: u32,
    /// Signatures of a document.
    pub signatures: usize,
}

impl Default for Limits {
    /// 512 KiB and 256 roots, 64 KiB of timestamp, 16 MiB of snapshot, 64 MiB of targets, 1 GiB where a length is listed
    /// and 1 GiB in all, 64 roles, 256 signatures.
    fn default() -> Self {
        Self {
            root: 512 << 10,
            roots: 256,
            timestamp: 64 << 10,
            snapshot: 16 << 20,
            targets: 64 << 20,
            listed: 1 << 30,
            total: 1 << 30,
            roles: 64,
            signatures: 256,
        }
    }
}
