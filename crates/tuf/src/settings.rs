//! What a caller may choose.

use crate::limits::Limits;

/// How a client works. The default is the strict choice in everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// How much it takes in.
    pub limits: Limits,
    /// Whether it asks the repository at all.
    pub mode: Mode,
    /// What follows a succinct hash-bin delegation.
    pub succinct: Succinct,
    /// Whether the store keeps an index beside a large targets file.
    pub index: Index,
}

/// Where metadata comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The repository is asked, and the store keeps what it said.
    #[default]
    Online,
    /// The store alone: what it holds is verified again, and must not have expired. Nothing is fetched and nothing stored.
    StoreOnly,
}

/// What follows a bin of a succinct delegation that does not list the target (TAP 15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Succinct {
    /// The search goes on: TAP 15 says that all succinct delegations are non-terminating.
    #[default]
    NonTerminating,
    /// The search ends, as python-tuf and go-tuf do it.
    Terminating,
}

/// Whether the store keeps an index beside a targets file of 64 KiB or more: `targets.index`, 4 bytes for each target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Index {
    /// None: what the store holds is parsed and its signatures are counted at every start.
    #[default]
    None,
    /// One, for a file whose digest the snapshot lists, so that it is hashed at the next start and neither parsed nor are its signatures
    /// counted again.
    Kept,
}
