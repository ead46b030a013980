//! OCI layouts (OCI image spec 1.1, "Image Layout"), as folders and as tars: what is in them is hashed as it is read, what is
//! written is there whole or not at all, and referrers are found whichever tool listed them.
//!
//! ```
//! use touchmark_oci::referrer::{self, Role};
//! use touchmark_oci::{Layout, Source, Store};
//!
//! # let folder = std::env::temp_dir().join(format!("touchmark-oci-example-{}", std::process::id()));
//! let layout = Layout::open_or_create(&folder)?;
//! let config = layout.put_blob(None, &mut b"{}".as_slice())?;
//! let manifest = format!(
//!     r#"{{"schemaVersion":2,"config":{{"mediaType":"application/x","digest":"{}","size":2}},"layers":[]}}"#,
//!     config.digest
//! );
//! let artifact = layout.put_manifest(manifest.as_bytes(), "application/vnd.oci.image.manifest.v1+json", Some("v1"))?;
//!
//! let envelope = br#"{"payloadType":"application/vnd.in-toto+json","payload":"","signatures":[]}"#;
//! let attached = referrer::attach(&layout, &artifact, envelope, &Role::Signature)?;
//! let found = layout.referrers(&artifact.digest, 100, 1 << 20)?;
//! assert!(found.complete && found.entries == [attached.descriptor]);
//! # std::fs::remove_dir_all(folder).unwrap();
//! # Ok::<(), touchmark_oci::Error>(())
//! ```
#![forbid(unsafe_code)]

pub mod access;
pub mod archive;
pub mod beside;
pub mod copy;
pub mod error;
pub mod files;
pub mod graph;
pub mod image;
pub mod layout;
pub mod pack;
pub mod reference;
pub mod referrer;
#[cfg(feature = "registry")]
pub mod registry;
pub mod source;
#[cfg(feature = "registry")]
pub mod transport;
pub mod unpack;

mod content;
#[cfg(feature = "registry")]
pub mod credentials;
mod failpoint;
mod host;
mod index;
mod lock;
pub mod parallel;
mod platform;
mod referrers;
mod scan;
mod staging;
mod survey;
mod temporary;
#[cfg(test)]
mod testing;
mod union;

pub use access::Access;
pub use archive::Archive;
pub use beside::Beside;
pub use error::{Class, Error};
pub use layout::Layout;
pub use reference::{Reference, Repository};
#[cfg(feature = "registry")]
pub use registry::Registry;
pub use source::{Source, Store, Upkeep};
