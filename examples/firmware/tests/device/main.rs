//! The device against cut power, tampered tars and old ones.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod power;
mod refusals;
mod world;
