//! OCI layouts (OCI image spec 1.1, "Image Layout"), as folders and as tars.
#![forbid(unsafe_code)]

pub mod archive;
pub mod error;
pub mod graph;
pub mod layout;
pub mod reference;
pub mod referrer;
pub mod source;

mod content;
mod failpoint;
mod index;
mod lock;
mod platform;
mod temporary;
#[cfg(test)]
mod testing;
mod union;

pub use error::{Class, Error};
pub use layout::Layout;
pub use reference::Reference;
pub use source::{Source, Store};
