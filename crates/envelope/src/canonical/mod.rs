//! Canonical JSON (OLPC form, as securesystemslib's `encode_canonical` writes it): one byte string for one document.
//!
//! No white space, members sorted by the bytes of their unescaped names, in strings only `"` and `\` escaped and everything else as it is
//! (nothing is normalised), integers of at most 2^53 - 1 either way as the only numbers. SPEC.md, "Canonical JSON", has the grammar and
//! the table of what other implementations do differently.
//!
//! What is received is canonicalised from its bytes, in one pass, with no tree of values in between, so that members that this library
//! knows nothing of stay under the signature.
//!
//! ```
//! use touchmark_envelope::{canonical, digest::{Algorithm, Hasher}};
//!
//! let document = br#"{"b": [1, "\u00e9"], "a": "\n"}"#;
//! assert_eq!(canonical::to_vec(document, 1024)?, "{\"a\":\"\n\",\"b\":[1,\"\u{e9}\"]}".as_bytes());
//!
//! let mut hasher = Hasher::new(Algorithm::Sha256);
//! canonical::stream(document, 1024, &mut hasher)?;
//! # Ok::<(), canonical::Error>(())
//! ```

mod dialect;
#[cfg(feature = "olpc-dialect")]
pub mod olpc;
mod order;
mod portable;
mod recognize;
mod transcribe;
mod write;

use alloc::string::String;
use alloc::vec::Vec;

use crate::digest::Hasher;
use crate::json;

pub(crate) use order::{Named, sort};
pub(crate) use recognize::end_of_value;
pub use transcribe::{stream, to_vec};
pub use write::{write, write_unrestricted};

/// The largest integer in canonical JSON, and less its sign the smallest: 2^53 - 1, which every implementation holds exactly.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// Takes canonical bytes in, piece by piece.
pub trait Sink {
    /// Takes in the next bytes.
    fn write(&mut self, bytes: &[u8]);
}

impl Sink for Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

impl Sink for Vec<u8> {
    fn write(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Why a document has no canonical form, or none that is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is no JSON document.
    #[error(transparent)]
    Json(#[from] json::Error),
    /// A number with a fraction or an exponent.
    #[error("{number} is not written as an integer, and canonical JSON has integers only")]
    NotInteger {
        /// The number, at most 32 characters of it.
        number: String,
    },
    /// `-0`, which implementations write in three ways.
    #[error("-0 has no canonical form")]
    NegativeZero,
    /// An integer beyond [`MAX_INTEGER`].
    #[error("{number} is beyond the integers of canonical JSON, which go to {MAX_INTEGER} either way")]
    Range {
        /// The number, at most 32 characters of it.
        number: String,
    },
    /// A value to be written has more than [`json::MAX_DEPTH`] arrays and objects in each other.
    #[error("more than {} levels", json::MAX_DEPTH)]
    Depth,
    /// An object has two names that are one in the dialect of olpc-cjson, which is then none to go by.
    #[cfg(feature = "olpc-dialect")]
    #[error("two members of an object have names equal to {name:?} under NFC, the second at byte {offset}")]
    NfcEqual {
        /// Their common name, at most 64 characters of it.
        name: String,
        /// The byte of the document, counted from 0, at which the second name stands.
        offset: usize,
    },
    /// A string to be written holds a character at which implementations of canonical JSON part ways.
    #[error("{place} {string:?} holds {character:?}, of which implementations of canonical JSON make different bytes")]
    NotPortable {
        /// Where the string stands.
        place: Place,
        /// The string, at most 64 characters of it.
        string: String,
        /// The character.
        character: char,
    },
}

impl Error {
    /// A stable name for this kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Json(error) => error.code(),
            Error::NotInteger { .. } => "canonical-not-integer",
            Error::NegativeZero => "canonical-negative-zero",
            Error::Range { .. } => "canonical-integer-range",
            Error::Depth => "canonical-too-deep",
            #[cfg(feature = "olpc-dialect")]
            Error::NfcEqual { .. } => "canonical-nfc-equal",
            Error::NotPortable { .. } => "canonical-not-portable",
        }
    }
}

/// Where in a document a string stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is the name of a member.
    Name,
    /// It is a value.
    Value,
}

impl core::fmt::Display for Place {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Place::Name => "the member name",
            Place::Value => "the string",
        })
    }
}

/// Whether canonical JSON has this number; `integer` says that it has neither fraction nor exponent.
#[inline]
pub(crate) fn check_number(number: &str, integer: bool) -> Result<(), Error> {
    let shown = || number.chars().take(32).collect();
    if !integer {
        return Err(Error::NotInteger { number: shown() });
    }
    let magnitude = number.strip_prefix('-').unwrap_or(number);
    // Fifteen digits are always within the range.
    if magnitude.len() > 15 && magnitude.parse::<u64>().map_or(true, |n| n > MAX_INTEGER) {
        return Err(Error::Range { number: shown() });
    }
    if number == "-0" {
        return Err(Error::NegativeZero);
    }
    Ok(())
}
