//! The Update Framework (TUF 1.0, specification 1.0.34): which files a repository vouches for, at which versions.
//!
//! - [`Client`] is the detailed client workflow (section 5) as a state machine: it says which bytes it needs next and how many at most,
//!   is given them or told why not, says what to keep, and ends in verified metadata or in an [`Error`].
//! - `repository` (feature `sign`) makes, changes and signs documents.
//! - [`metadata`] has the documents (section 4), each readable only once its signatures were counted.
//!
//! ```
//! use touchmark_tuf::{Answer, Client, Settings, Step, UnixTime};
//!
//! let now = UnixTime::from_seconds(1_800_000_000).ok_or("a time")?;
//! let mut client = Client::new(Settings::default(), now);
//! // The first thing that it asks for is the trusted root in the caller's store, and there is none.
//! assert!(matches!(client.step()?, Step::Load { file: "root.json", .. }));
//! client.answer(Answer::Absent);
//! assert_eq!(client.step().map(|_| ()).unwrap_err().code(), "tuf-no-root");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod check;
mod client;
mod encoding;
mod error;
mod key;
mod limits;
pub mod map;
pub mod metadata;
mod path;
pub mod pattern;
#[cfg(feature = "sign")]
pub mod repository;
mod settings;

pub use client::{Answer, Client, Failure, Found, LookUp, Step};
pub use error::{Class, Error, Shape};
pub use key::Key;
pub use limits::Limits;
pub use path::{RoleName, TargetPath, TargetPathError};
pub use settings::{Index, Mode, Settings, Succinct};
pub use touchmark_envelope::UnixTime;
