//! A TUF repository for tests (TUF 1.0), in memory: honest unless a test says otherwise.
//!
//! [`Repository::new`] is one with a key for each role, published once. Its documents are JSON values that tests change at will;
//! [`Repository::publish`] signs what changed, one version higher, and describes it in snapshot and timestamp. An attack is a clone
//! that was changed and of which [`sign`](Repository::sign), [`push`](Repository::push), [`forge`](Repository::forge) or
//! [`serve`](Repository::serve) serve what an honest repository never would; the honest one is still there to recover by.
//!
//! ```
//! use touchmark_test_tuf_repository::{Delegation, Fetched, Repository};
//!
//! let mut repository = Repository::new();
//! repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]));
//! repository.add_target("acme", "acme/tool.tar", b"content");
//! repository.publish();
//! assert_eq!(repository.version("timestamp"), 2);
//! assert!(matches!(repository.fetch("1.acme.json", 10_000), Fetched::File(_)));
//!
//! let mut evil = repository.clone();
//! evil.set("timestamp", "/version", 1_u64);
//! evil.sign("timestamp");
//! ```
#![allow(clippy::panic, reason = "a test whose fixture cannot be set up has failed")]
#![allow(clippy::expect_used, reason = "a test whose fixture cannot be set up has failed")]

mod delegation;
mod document;
mod folder;
mod key;
mod repository;
mod serving;

pub use delegation::Delegation;
pub use document::{assemble, at, has, json, remove, set, signature};
pub use key::Key;
pub use repository::{Form, Repository};
pub use serving::{Fetched, Served, file_name, path_of};

/// The moment at which nothing of a new repository has expired: 2026-11-28T00:00:00Z, in Unix seconds.
pub const NOW: i64 = 1_795_824_000;
/// When everything in a new repository expires.
pub const EXPIRES: &str = "2030-01-01T00:00:00Z";
/// [`EXPIRES`] in Unix seconds.
pub const EXPIRES_SECONDS: i64 = 1_893_456_000;
