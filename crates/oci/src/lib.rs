//! OCI layouts (OCI image spec 1.1, "Image Layout"), as folders and as tars.
#![forbid(unsafe_code)]

pub mod archive;
pub mod copy;
pub mod error;
pub mod graph;
pub mod layout;
pub mod pack;
pub mod reference;
pub mod referrer;
pub mod source;
pub mod unpack;

mod content;
mod failpoint;
mod index;
mod lock;
mod platform;
mod referrers;
mod scan;
mod staging;
mod survey;
mod temporary;
#[cfg(test)]
mod testing;
mod union;

pub use archive::Archive;
pub use error::{Class, Error};
pub use layout::Layout;
pub use reference::Reference;
pub use source::{Source, Store};
