//! The registry for tests is what it says: by the specification where no setting says otherwise, and as wrong as asked for elsewhere.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test may fail by panicking, and helpers outside of #[test] functions are not seen as test code"
)]

mod authentication;
mod behaviour;
mod client;
mod docker_registry;
mod faults;
mod lists;
mod manifests;
mod program;
mod proxies;
mod tls;
mod uploads;
