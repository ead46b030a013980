//! Trust roots with a store in a folder.
