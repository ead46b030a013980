//! Layouts and links as referrers of an artifact (SPEC.md, 22.15).
//!
//! What is read of them, and how a verification takes it, is [`touchmark_in_toto::attached`].

mod source;
mod verify;
mod write;

pub use touchmark_in_toto::attached::{ARTIFACT_TYPE, AttachedRefusal, LAYOUT, MAX_FILES, MEDIA_TYPE, Set, SetFault};
/// The annotation of a layer that has the path of its file; tools that pull artifacts name files by it.
pub use touchmark_oci::unpack::TITLE;

pub use self::source::{AttachedLinks, RefusedSet, SetLimits, subject_of};
pub use self::verify::verify_attached;
pub use self::write::{AttachLinksError, AttachedSet, attach_links, attachable};
