//! in-toto layouts, verified by steps.
