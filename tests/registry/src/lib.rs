//! An OCI registry for tests (OCI distribution spec 1.1), in memory, with faults that can be switched on.
//!
//! [`TestRegistry::start`] listens on a free loopback port until it is dropped. [`Settings`] say how it behaves: by the
//! specification, or as one of the registries that do not. [`Fault`]s make single requests fail. What was asked is
//! [logged](TestRegistry::log), with the [longest chain](TestRegistry::longest_chain) of requests that waited for one another.
//!
//! ```
//! use touchmark_test_registry::{Action, Fault, Settings, TestRegistry};
//!
//! let registry = TestRegistry::start(Settings { referrers_api: false, ..Settings::default() });
//! let digest = registry.put_blob("acme/app", b"content");
//! registry.fault(Fault::new(Action::status(500)).path("/manifests/").nth(2));
//! let reference = format!("{}/acme/app:1.0", registry.host());
//! # let _ = (digest, reference);
//! ```
#![allow(clippy::panic, reason = "a test whose fixture cannot be set up has failed")]

mod answer;
mod auth;
mod blobs;
mod connection;
mod digest;
mod docker_registry;
mod fault;
mod jwt;
mod lists;
mod lock;
mod log;
mod manifests;
mod proxy;
mod random;
mod registry;
mod route;
mod server;
mod settings;
mod site;
mod store;
mod test_registry;
mod tls;
mod uploads;
mod wire;

pub use auth::{Access, Auth, Member, Rights, Tokens, User};
pub use digest::{sha256, sha512};
pub use docker_registry::{DockerAuth, DockerRegistry, DockerSettings, Untagged};
pub use fault::{Action, Fault, When};
pub use jwt::TokenIssuer;
pub use log::Logged;
pub use proxy::Proxy;
pub use settings::{Filter, Immutable, Order, Parameter, Settings};
pub use site::Site;
pub use store::Manifest;
pub use test_registry::TestRegistry;
pub use tls::{Authority, Identity, Tls};
