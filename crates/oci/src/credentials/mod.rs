//! Where credentials for registries are kept, and how they are found (SPEC.md, section 15).
