//! The repository side (feature `sign`): documents are made, changed and signed.
//!
//! All of it is functions over documents, without I/O and without a clock. A [`Document`] is opened from its bytes, changed, signed, and
//! written back; members that are not known stay. Nothing here decides what is trusted: who publishes runs a [`Client`](crate::Client) over
//! the result first.
//!
//! - [`new_root`], [`new_targets`], [`new_snapshot`], [`new_timestamp`] make the first documents, each version 1.
//! - [`change_top_level`] and [`change_delegated`] change keys and thresholds, and refuse what could never verify.
//! - [`delegate`], [`delegate_succinct`], [`undelegate`] and [`change_paths`] delegate; [`hash_bins`] makes bins.
//! - [`TargetChanges`] adds and removes targets. A million others are copied as they stand.
//! - [`assert_well_formed`] refuses what some clients refuse.
//! - [`list_in_snapshot`] and [`list_in_timestamp`] follow what changed.
//! - [`Mandate`] says who may sign a document, who did and how many are still needed; [`Document::sign`] adds a signature.
//!
//! ```
//! use std::collections::BTreeMap;
//! use touchmark_envelope::UnixTime;
//! use touchmark_envelope::key::KeyAlgorithm;
//! use touchmark_envelope::sign::{PrivateKey, Signer as _};
//! use touchmark_tuf::metadata::TopLevel;
//! use touchmark_tuf::repository::{Appointment, Document, Mandate, new_root};
//!
//! let key = PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[7; 32])?;
//! let signers = Appointment { keys: vec![key.public_key().clone()], threshold: 1 };
//! let roles: BTreeMap<_, _> = TopLevel::ALL.into_iter().map(|role| (role, signers.clone())).collect();
//! let mut root = new_root(&roles, UnixTime::from_seconds(2_000_000_000).ok_or("a time")?)?;
//! let mandate = Mandate::of_root(&root, TopLevel::Root)?;
//! assert_eq!(mandate.standing(&root)?.missing(), 1);
//! root.sign(&key, mandate.keyid(key.public_key()))?;
//! assert_eq!(mandate.standing(&Document::open(root.to_bytes())?)?.missing(), 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bins;
mod delegations;
mod difference;
mod document;
mod error;
mod expiry;
mod keys;
mod large;
mod listed_key;
mod listing;
mod root;
mod shape;
mod standing;
mod targets;
mod text;

pub use self::bins::hash_bins;
pub use self::delegations::{
    NewDelegation, Place, change_delegated, change_paths, check_role_name, delegate, delegate_succinct, delegations, role_name, undelegate,
};
pub use self::difference::{Difference, Differences, differences};
pub use self::document::{Document, SPEC_VERSION, check_role};
pub use self::error::EditError;
pub use self::expiry::{Age, Lifetime};
pub use self::keys::{Appointment, Change, KeyChoice, key_id, key_object};
pub use self::listed_key::{KeyIdentity, ListedKey};
pub use self::listing::{
    Listed, list_in_snapshot, list_in_timestamp, new_snapshot, new_timestamp, snapshot_entries, snapshot_entry, timestamp_entry,
};
pub use self::root::{change_top_level, new_root};
pub use self::shape::assert_well_formed;
pub use self::standing::{Mandate, Signatory, Standing, check_targets, tidy_signatures};
pub use self::targets::{NewTarget, TargetChanges, check_target_path, custom, lists_target, new_targets};
