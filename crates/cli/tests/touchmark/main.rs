//! The command line, run as its users run it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    unreachable_pub,
    reason = "a test may fail by panicking, and helpers outside of #[test] functions are not seen as test code"
)]

mod children;
mod disks;
mod exits;
mod forge;
mod harness;
mod interrupted;
mod moves;
mod not_fooled;
mod races;
mod schema;
