//! OCI layouts (OCI image spec 1.1, "Image Layout"), as folders and as tars.

pub mod reference;

pub use reference::Reference;
