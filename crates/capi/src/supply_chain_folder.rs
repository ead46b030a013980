//! in-toto layouts, verified against a folder of links.
