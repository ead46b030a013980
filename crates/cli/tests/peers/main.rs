//! Other tools beside Touchmark: oras, regctl, crane, go-tuf and in-toto-golang at the versions of `tests/peers/go/go.mod`, python-tuf and
//! python's in-toto at those of `tests/peers/python/requirements.txt`, and the distribution's skopeo.
//!
//! Without them a test says what it needs and passes; with TOUCHMARK_PEERS_REQUIRED=1, as in CI, it fails.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    unreachable_pub,
    reason = "a test may fail by panicking, and helpers outside of #[test] functions are not seen as test code"
)]

#[allow(dead_code, reason = "these tests use a part of it")]
#[path = "../touchmark/graph.rs"]
mod graph;
#[allow(dead_code, reason = "these tests use a part of it")]
#[path = "../touchmark/harness.rs"]
mod harness;
mod in_toto;
mod in_toto_demo;
mod in_toto_golang;
mod in_toto_peer;
mod logins;
mod race;
mod random;
mod read_ours;
mod read_theirs;
mod registries;
#[path = "../touchmark/schema.rs"]
mod schema;
mod tool;
mod tuf_bytes;
mod tuf_contract;
mod tuf_made;
mod tuf_names;
mod tuf_operations;
mod tuf_peer;
mod tuf_read_ours;
mod tuf_read_theirs;
mod tuf_rust_peers;
