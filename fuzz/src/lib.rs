//! What several fuzz targets share.

pub mod trust;
pub mod tuf;
