//! The documents of TUF (TUF 1.0, section 4), each made only of bytes whose signatures were counted.
//!
//! Members that the specification does not know stay in the bytes that were signed, and are ignored.

mod delegations;
mod file_meta;
mod header;
mod places;
mod role_keys;
mod root;
mod snapshot;
mod targets;
mod timestamp;

pub use delegations::{Delegation, Delegations, Paths, SuccinctRoles};
pub use file_meta::FileMeta;
pub use header::Header;
pub use role_keys::{MAX_KEYIDS, RoleKeys, TopLevel};
pub use root::Root;
pub use snapshot::Snapshot;
pub use targets::{Target, Targets};
pub use timestamp::Timestamp;

pub use crate::key::{Key, Keys};

pub(crate) use places::{Places, Probe, Probed};
pub(crate) use role_keys::Signatories;
pub(crate) use targets::Sought;
