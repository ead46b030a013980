//! Why a text is not a JSON document that is taken.

use alloc::string::String;
use core::fmt;

/// What is wrong with a JSON document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub kind: Kind,
    /// The byte of the document, counted from 0, at which it is wrong.
    pub offset: usize,
}

/// What can be wrong with a JSON document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The document is longer than the caller allows.
    TooLong {
        /// The bytes allowed.
        limit: usize,
    },
    /// The document has more values than the caller allows.
    TooManyValues {
        /// The values allowed.
        limit: usize,
    },
    /// The document begins with a byte order mark.
    ByteOrderMark,
    /// The bytes are not UTF-8.
    Utf8,
    /// The document ends within a value.
    End,
    /// A character that cannot stand here.
    Unexpected(char),
    /// Something follows the document's one value.
    Trailing,
    /// More than [`MAX_DEPTH`](super::MAX_DEPTH) arrays and objects in each other.
    Depth,
    /// An object has two members of this name, however they are escaped; at most 64 characters of it.
    Duplicate(String),
    /// A control character stands in a string unescaped.
    Control,
    /// An escape that JSON does not have.
    Escape,
    /// Half of a surrogate pair stands alone.
    Surrogate,
    /// A number that JSON does not have.
    Number,
}

impl Error {
    /// The second member of one name, at `offset`.
    pub(crate) fn duplicate(name: &str, offset: usize) -> Self {
        Self { kind: Kind::Duplicate(name.chars().take(64).collect()), offset }
    }

    /// A stable name for this kind of error.
    pub fn code(&self) -> &'static str {
        match self.kind {
            Kind::TooLong { .. } => "json-too-long",
            Kind::TooManyValues { .. } => "json-too-many-values",
            Kind::ByteOrderMark => "json-byte-order-mark",
            Kind::Utf8 => "json-not-utf8",
            Kind::End => "json-truncated",
            Kind::Unexpected(_) => "json-syntax",
            Kind::Trailing => "json-trailing-bytes",
            Kind::Depth => "json-too-deep",
            Kind::Duplicate(_) => "json-duplicate-member",
            Kind::Control => "json-control-character",
            Kind::Escape => "json-bad-escape",
            Kind::Surrogate => "json-lone-surrogate",
            Kind::Number => "json-bad-number",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::TooLong { limit } => return write!(f, "longer than the {limit} bytes allowed"),
            Kind::TooManyValues { limit } => write!(f, "more than the {limit} values allowed")?,
            Kind::ByteOrderMark => f.write_str("byte order mark")?,
            Kind::Utf8 => f.write_str("not UTF-8")?,
            Kind::End => f.write_str("the document ends too soon")?,
            Kind::Unexpected(found) => write!(f, "unexpected character {found:?}")?,
            Kind::Trailing => f.write_str("something follows the document's value")?,
            Kind::Depth => write!(f, "more than {} levels", super::MAX_DEPTH)?,
            Kind::Duplicate(name) => write!(f, "duplicate member `{}`", name.escape_debug())?,
            Kind::Control => f.write_str("unescaped control character in a string")?,
            Kind::Escape => f.write_str("unknown escape in a string")?,
            Kind::Surrogate => f.write_str("lone surrogate in a string")?,
            Kind::Number => f.write_str("malformed number")?,
        }
        write!(f, " at byte {}", self.offset)
    }
}

impl core::error::Error for Error {}
