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
//!
//! By a trust root, so that publishers may change their keys and take back what they signed, and nothing older is accepted later:
//!
//! ```
//! # #[cfg(not(feature = "tuf"))]
//! # fn main() {}
//! # #[cfg(feature = "tuf")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use touchmark::oci::Access;
//! use touchmark::trust_root::{self, StoreChoice, TrustRoot, TrustSettings};
//! use touchmark::{Policy, open, verify};
//!
//! # use touchmark_test_tuf_repository::{Delegation, NOW, Repository};
//! # let stores = std::env::temp_dir().join(format!("touchmark-trust-example-{}", std::process::id()));
//! # let mut repository = Repository::new();
//! # repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).terminating());
//! # std::env::set_current_dir("../../testdata/layouts")?;
//! # let signed = open(&"oci:signed:v1".parse()?)?;
//! # let manifest = signed.manifest(&signed.resolve(Some("v1"), None)?.digest, 1 << 20)?;
//! # repository.add_target("acme", "acme/x:1", &manifest);
//! # repository.publish();
//! # repository.write_to(&stores)?;
//! # let root = repository.file("1.root.json").to_vec();
//! # let metadata = stores.join("metadata");
//! # let metadata = metadata.to_str().unwrap();
//! # let now = touchmark::UnixTime::from_seconds(NOW).unwrap();
//! # /*
//! let root = std::fs::read("root.json")?; // it came with the program
//! let metadata = "https://trust.example/metadata";
//! let now = touchmark::now()?;
//! # */
//! let source = trust_root::source(metadata, &Access::default())?;
//! let settings = TrustSettings::new(StoreChoice::Among(stores.clone()));
//! let mut trust = TrustRoot::open(&root, source.as_ref(), &settings, now)?;
//! let policy = Policy::trust(trust.standing(&"acme/x:1".parse()?)?);
//! drop(trust); // others may update the store now
//!
//! let reference = "oci:signed:v1".parse()?;
//! let artifact = verify(&*open(&reference)?, &reference, &policy, now)?;
//! assert!(artifact.get().accepted_by().is_rollback_protected()); // an entry lists it, which is the newest
//! # std::fs::remove_dir_all(stores)?;
//! # Ok(())
//! # }
//! ```
//!
//! A server keeps the trust root in memory and decides asynchronously, with whatever runtime it has (`examples/rust-registry` is one):
//!
//! ```
//! # #[cfg(not(all(feature = "tuf", feature = "async")))]
//! # fn main() {}
//! # #[cfg(all(feature = "tuf", feature = "async"))]
//! # mod server {
//! use touchmark::tuf::AsyncFetch;
//! use touchmark::trust_root::{StateSettings, StoreChoice, TrustSettings, TrustState};
//! use touchmark::{AsyncSource, Digest, Name, Policy, Request, UnixTime, verify_async};
//!
//! // Once. `source` fetches metadata as the server fetches whatever it fetches.
//! fn begin<S: AsyncFetch>(root: Vec<u8>, source: S, store: std::path::PathBuf) -> TrustState<S> {
//!     TrustState::new(root, source, StateSettings::new(TrustSettings::new(StoreChoice::At(store))))
//! }
//!
//! // For each request, from any thread. `place` reads artifacts and their signatures.
//! async fn may_be_served(
//!     trust: &TrustState<impl AsyncFetch>,
//!     place: &impl AsyncSource,
//!     name: &Name,
//!     digest: Digest,
//!     now: UnixTime,
//! ) -> Result<(), Box<dyn std::error::Error>> {
//!     let policy = Policy::trust(trust.standing(name, now).await?);
//!     verify_async(place, Request::new(policy, digest, now)).await?;
//!     Ok(())
//! }
//! # }
//! # #[cfg(all(feature = "tuf", feature = "async"))]
//! # fn main() {}
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
