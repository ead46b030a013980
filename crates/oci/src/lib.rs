//! OCI layouts (OCI image spec 1.1, "Image Layout"), as folders and as tars.
#![forbid(unsafe_code)]

pub mod archive;
pub mod error;
pub mod graph;
pub mod reference;
pub mod source;

mod content;
mod failpoint;
mod index;
mod lock;
mod platform;
mod temporary;
#[cfg(test)]
mod testing;

pub use error::{Class, Error};
pub use reference::Reference;
pub use source::{Source, Store};
