//! The one JSON reader and writer (RFC 8259), strict enough that every reader of a document sees the same members.
//!
//! [`parse`] refuses what other readers disagree about: duplicate members at any depth, a byte order mark, lone surrogates, invalid
//! UTF-8, trailing bytes, more than [`MAX_DEPTH`] levels, more bytes than the caller allows. Numbers keep their text.
//!
//! ```
//! use touchmark_envelope::json;
//!
//! let value = json::parse(br#"{"name": "acme/x", "size": 12}"#, 1024)?;
//! assert_eq!(value.get("name").and_then(|v| v.as_str()), Some("acme/x"));
//! assert_eq!(value.get("size").and_then(|v| v.as_u64()), Some(12));
//! assert_eq!(json::parse(br#"{"a": 1, "\u0061": 2}"#, 1024).unwrap_err().to_string(), "duplicate member `a` at byte 9");
//! # Ok::<(), json::Error>(())
//! ```

mod error;
pub(crate) mod lexer;
pub(crate) mod read;
mod reader;
mod value;
mod write;

pub use error::{Error, Kind};
pub use read::{member_at, members, parse, parse_bounded};
pub use reader::Reader;
pub use value::{Number, Object, Value};

/// How many arrays and objects may enclose a value, itself included.
pub const MAX_DEPTH: usize = 32;
