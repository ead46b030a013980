//! How much a verification takes in.

/// How much is read and computed, whatever a layout asks for and whatever lies where links are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a layout or a link.
    pub file: u64,
    /// Bytes of all of them.
    pub files: u64,
    /// How often a file is asked for. A step asks for some five for each key that may sign it: one for each form of the key's identifier.
    pub requests: u32,
    /// How many names of files are taken of a step that takes certificates (ITE-7).
    pub names: usize,
    /// How many layouts may be within each other: the sublayouts of the layout itself are at 1.
    pub depth: usize,
    /// Signatures of a document.
    pub signatures: usize,
    /// How much rules may compute: a unit for each artifact that one looks at, and each character that a pattern is tried with.
    pub work: u64,
}

impl Default for Limits {
    /// 64 MiB a file, 1 GiB of files, 131,072 requests, 1024 names of a step, a depth of 8, 128 signatures, 2^32 units of work.
    fn default() -> Self {
        Self { file: 64 << 20, files: 1 << 30, requests: 1 << 17, names: 1024, depth: 8, signatures: 128, work: 1 << 32 }
    }
}

/// Steps and inspections of a layout.
pub const MAX_ITEMS: usize = 4096;
/// Keys of a layout, and keyids of a step.
pub const MAX_KEYS: usize = 1024;
/// Keyids of all steps of a layout together.
pub const MAX_AUTHORISATIONS: usize = 16_384;
/// JSON values of a layout.
pub const MAX_VALUES: usize = 1 << 18;
