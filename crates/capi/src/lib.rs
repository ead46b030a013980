//! The C interface: handles, views and statuses over the Rust crates (SPEC.md, "The C interface"). The header is made from what is here.
//!
//! This is the only crate with unsafe code. What it relies on are these promises of the caller, which the header states too:
//!
//! - *Handles*: a pointer to a handle is NULL or came from this library as that kind of handle and has not been freed; it is not freed while
//!   a call uses it.
//! - *Views*: the bytes of a view that is given, and the elements of an array, can be read during the call and do not change.
//! - *Outs*: a pointer to a result or an error is NULL or can be written.
//! - *Callbacks*: a function that is given has the type that the header says, does not unwind or jump out, and its userdata is what it expects.
//!
//! All else is checked here: NULL, lengths, UTF-8, times, the order of calls, calls at the same time on a handle that is stepped.
#![allow(unsafe_code)]
// C's names.
#![allow(non_camel_case_types)]
// What callers promise is the same everywhere, and is stated above and in the header.
#![allow(clippy::missing_safety_doc)]

#[cfg(all(test, feature = "supply-chain"))]
mod abi;
pub mod array;
pub mod artifact;
pub mod buffer;
pub mod bytes;
mod call;
pub mod canonical;
pub mod digest;
pub mod envelope;
pub mod error;
mod exclusive;
mod failure;
pub mod fetch;
#[cfg(feature = "test-hooks")]
pub mod hooks;
pub mod library;
pub mod manifest;
pub mod name;
#[cfg(feature = "io")]
mod path;
pub mod policy;
pub mod policy_document;
#[cfg(feature = "io")]
pub mod policy_file;
#[cfg(feature = "sign")]
pub mod private_key;
pub mod public_key;
mod reasons;
#[cfg(feature = "io")]
mod reasons_of_files;
mod reasons_of_metadata;
#[cfg(feature = "supply-chain")]
mod reasons_of_supply_chains;
pub mod request;
pub mod search;
mod shared;
#[cfg(feature = "sign")]
pub mod sign;
#[cfg(feature = "sign")]
pub mod signer;
pub mod sink;
#[cfg(feature = "io")]
pub mod source;
pub mod standing;
pub mod status;
pub mod step;
#[cfg(feature = "supply-chain")]
pub mod supply_chain;
#[cfg(feature = "io")]
pub mod supply_chain_folder;
#[cfg(test)]
mod testing;
#[cfg(test)]
#[cfg(feature = "io")]
mod testing_folder;
mod time;
#[cfg(feature = "io")]
pub mod trust_root;
pub mod tuf;
pub mod tuf_drive;
pub mod tuf_target;
