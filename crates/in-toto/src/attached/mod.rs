//! Layouts and links as referrers of an artifact (SPEC.md, 22.15), and a verification by them.
//!
//! What is attached at once is one manifest, a [`Set`]: it is there whole or not at all, is copied with the artifact, and deleted as one.
//! Its layers are files, each with its path from the folder of the links, as verifiers ask for it. Everybody who can write to the place can
//! attach a set, so that all of it is hints: what counts is signed, in the files.

mod files;
mod set;
mod verification;

pub use self::files::{Lookup, Sets};
pub use self::set::{Set, SetFault, is_path, layer, manifest};
pub use self::verification::{AttachedNeed, AttachedRefusal, AttachedVerification};

/// The artifact type of a set's manifest.
pub const ARTIFACT_TYPE: &str = "application/vnd.touchmark.in-toto.v1";
/// The media type of its layers: a layout or a link, in either envelope.
pub const MEDIA_TYPE: &str = "application/vnd.touchmark.in-toto.metadata.v1+json";
/// The path of the layout itself.
pub const LAYOUT: &str = "root.layout";
/// Files of a set.
pub const MAX_FILES: usize = 8192;
