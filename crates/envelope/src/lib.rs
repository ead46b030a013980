//! What is signed and how: envelopes over statements about OCI manifests, and the keys that vouch for them.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod canonical;
pub mod digest;
pub mod dsse;
pub mod json;
pub mod key;
pub mod manifest;
pub mod name;
pub mod pem;
#[cfg(feature = "sign")]
pub mod sign;
pub mod signature;
pub mod signed;
pub mod sorted;
pub mod statement;
pub mod threshold;
pub mod time;
pub mod verified;

pub use digest::Digest;
pub use name::Name;
pub use time::UnixTime;
pub use verified::{Unverified, Verified};
