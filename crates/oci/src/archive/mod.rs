//! OCI layouts in tars (SPEC.md, section 15).

mod fault;
mod header;
mod scan;

pub use fault::{Fault, Instead};
