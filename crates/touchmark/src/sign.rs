//! Signing and attesting (feature `sign`): statements are built from what the caller says, never from what somebody else wrote.
//!
//! - [`sign`] signs an artifact of a store, unless the keys have said the same already, and attaches the signature.
//! - [`sign_descriptor`] and [`co_sign`] work without the artifact, on a machine that has neither it nor a network.
//! - [`attest`] attaches an in-toto attestation of another predicate type.
//!
//! ```no_run
//! use touchmark::keys::{DEFAULT_TIMEOUT, KeySource, Passphrases, open_signers};
//! use touchmark::oci::layout::Layout;
//! use touchmark::oci::source::Source as _;
//! use touchmark::sign::{Claim, Lifetime, Repeat, sign};
//!
//! let store = Layout::open("artifacts")?;
//! let artifact = store.resolve(Some("v1"), None)?.digest;
//! let keys = [KeySource::File("acme.key".into())];
//! let signers = open_signers(&keys, &mut Passphrases::from_surroundings(), DEFAULT_TIMEOUT)?;
//! let claim = Claim {
//!     name: Some("acme/net-monitor:1.2.0".parse()?),
//!     lifetime: Some(Lifetime::Seconds(90 * 86_400)),
//!     ..Claim::default()
//! };
//! let signed = sign(&store, &artifact, &signers, &claim, Repeat::Skip, touchmark::now()?)?;
//! println!("{} signatures were there already", signed.already.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attestation;
mod claim;
mod error;
mod offline;
mod store;

use touchmark_envelope::sign::Signer;

pub use self::attestation::{MAX_PREDICATE, attest};
pub use self::claim::{Claim, Lifetime};
pub use self::error::SigningError;
pub use self::offline::{CoSigned, co_sign, sign_descriptor};
pub use self::store::{MAX_RECURSION, Repeat, Signed, sign, with_children};

/// What the functions here take: the keys that sign, as [`open_signers`](crate::keys::open_signers) returns them.
pub type Signers = [Box<dyn Signer>];
