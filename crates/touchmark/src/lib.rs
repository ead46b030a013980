//! Sign an OCI artifact once; anyone can verify it anywhere, against the manifest's digest and a name that the publisher owns.
//!
//! - [`verify`] decides whether a [`Policy`] accepts an artifact of a [`Source`](oci::source::Source).
//! - [`trust::Search`] is the same decision without I/O, for callers that fetch by themselves; with the feature `async`,
//!   `verify_async` drives it over an `AsyncSource`.
//! - With the feature `tuf`, the module `tuf` is a client of The Update Framework.
//! - With the same feature, the module `trust_root` decides by names that publishers own: [`Policy::trust`].
//! - With the same feature, the module `policy` decides by policy files.
//! - With the feature `in-toto`, the module `in_toto` verifies supply chains whose evidence is files.
//! - [`open`] opens the OCI layout, folder or tar, that a [`Reference`] names.
//!
//! ```
//! use touchmark::{Policy, open, verify};
//! use touchmark::envelope::key::PublicKey;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # std::env::set_current_dir("../../testdata/layouts")?;
//! let key = PublicKey::from_pem(&std::fs::read("alice.pub")?)?;
//! let policy = Policy::keys([key])?.name("acme/x:1".parse()?);
//! let reference = "oci:signed:v1".parse()?;
//! let now = touchmark::now()?;
//! let artifact = verify(&*open(&reference)?, &reference, &policy, now)?;
//! println!("{}", artifact.get().descriptor().digest);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub use touchmark_envelope as envelope;
pub use touchmark_oci as oci;
pub use touchmark_trust as trust;

pub use touchmark_envelope::{Digest, Name, UnixTime, Unverified, Verified};
pub use touchmark_oci::reference::Reference;
pub use touchmark_trust::{Artifact, Class, Policy, Rejected, Request, Scope};

mod ahead;
mod attach;
mod clock;
mod drive;
#[cfg(feature = "async")]
mod drive_async;
mod evidence;
#[cfg(feature = "in-toto")]
pub mod in_toto;
#[cfg(feature = "sign")]
pub mod keys;
mod open;
#[cfg(feature = "tuf")]
pub mod policy;
#[cfg(any(feature = "tuf", feature = "in-toto"))]
mod segment;
#[cfg(feature = "sign")]
pub mod sign;
#[cfg(test)]
#[cfg(any(feature = "tuf", feature = "in-toto"))]
mod testing;
#[cfg(feature = "tuf")]
pub mod trust_root;
#[cfg(feature = "tuf")]
pub mod tuf;

pub use attach::{AttachError, Unfit, attach};
pub use clock::{ClockError, now};
pub use drive::{decide, unresolved, verify};
#[cfg(feature = "async")]
pub use drive_async::{AsyncSource, verify_async};
pub use evidence::{Attachments, Claims, Evidence, attachments, evidence};
pub use open::{open, open_with};

/// Its Rust examples compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
