//! Documents that carry their signatures beside them: `{"signed": {…}, "signatures": [{"keyid": …, "sig": …}, …]}` (TUF 1.0,
//! section 4.2.1; in-toto v1.0, section 4.2).
//!
//! What is signed is the canonical JSON of `signed` ([`canonical`]). The received bytes are kept as they are; tools mostly write `signed`
//! in canonical form, and then nothing is copied: the signed bytes are those of the document. They are read once. That pass refuses what
//! readers disagree about ([`json::parse`]) and what canonical JSON does not have, finds the members of `signed`, and notes where the
//! members of one large object in it stand, so that one of a million targets is found without a map of them all.
//!
//! ```
//! use touchmark_envelope::signed::{Options, Signed};
//!
//! let document = br#"{"signatures":[{"keyid":"k","sig":"00ff"}],"signed":{"_type":"targets","targets":{"a":{},"b":{"length":1}}}}"#;
//! let options = Options { max_bytes: 1 << 20, max_signatures: 16, index: Some("targets") };
//! let document = Signed::parse(document.to_vec(), options)?.into_untrusted();
//! assert_eq!(document.member("_type"), Some("\"targets\""));
//! assert_eq!(document.find("b"), Some(r#"{"length":1}"#));
//! assert_eq!(document.signatures()[0].bytes, [0x00, 0xff]);
//! assert!(document.signed_bytes().starts_with(br#"{"_type":"targets""#));
//! # Ok::<(), touchmark_envelope::signed::SignedError>(())
//! ```

mod index;
mod outline;
mod scan;
mod signatures;

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

pub use self::index::Index;
use self::scan::{Found, Part, Scanner};
use crate::canonical;
use crate::json;
use crate::threshold::Signature;
use crate::verified::Unverified;

/// How many members the document, `signed` and a signature may have each. TUF's roles and in-toto's layouts and links have fewer than ten.
pub const MAX_MEMBERS: usize = 256;

/// What of a document is taken, and what is noted of it.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// How many bytes it may have, and never more than an [`Index`] reaches: 2^32 - 1.
    pub max_bytes: usize,
    /// How many signatures it may have.
    pub max_signatures: usize,
    /// The member of `signed` whose own members are indexed, if it is there and an object.
    pub index: Option<&'a str>,
}

/// A document with its signatures, as it was received.
#[derive(Clone, Debug)]
pub struct Signed {
    document: String,
    /// Where the value of `signed` stands.
    signed: Range<usize>,
    /// The canonical form of `signed`, where it is not what stands there.
    canonical: Option<Vec<u8>>,
    signatures: Vec<Signature>,
    members: Vec<Member>,
    index: Option<Index>,
    /// The member of `signed` that the index is of.
    indexed: Option<String>,
}

/// A member of `signed`.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Where in the document its value stands.
    pub(crate) value: Range<usize>,
}

impl Signed {
    /// Reads a document. Members beside `signed` and `signatures` are nobody's word, and ignored.
    ///
    /// # Errors
    /// More than `options` or [`MAX_MEMBERS`] allow, not strict JSON, not of this form, or a number in `signed` that canonical JSON
    /// does not have.
    pub fn parse(bytes: Vec<u8>, options: Options<'_>) -> Result<Unverified<Self>, SignedError> {
        let reach = usize::try_from(u32::MAX).unwrap_or(usize::MAX);
        let limit = options.max_bytes.min(reach);
        if bytes.len() > limit {
            return Err(SignedError::TooLarge { limit, found: bytes.len() });
        }
        let document =
            String::from_utf8(bytes).map_err(|error| json::Error { kind: json::Kind::Utf8, offset: error.utf8_error().valid_up_to() })?;
        let Found { signed, signatures } = Scanner::scan(&document, &options)?;
        let canonical = match document.get(signed.range.clone()) {
            Some(text) if !signed.canonical => Some(canonical::to_vec(text.as_bytes(), text.len())?),
            _ => None,
        };
        let Part { range: signed, members, index, .. } = signed;
        let indexed = options.index.map(Into::into);
        Ok(Unverified::new(Self { document, signed, canonical, signatures, members, index, indexed }))
    }

    /// The document as it was received.
    pub fn bytes(&self) -> &[u8] {
        self.document.as_bytes()
    }

    /// The document as it was received, owned.
    pub fn into_bytes(self) -> Vec<u8> {
        self.document.into_bytes()
    }

    /// What the signatures are over: the canonical JSON of `signed`.
    pub fn signed_bytes(&self) -> &[u8] {
        self.canonical.as_deref().unwrap_or(self.signed_text().as_bytes())
    }

    /// What stands in the document as the value of `signed`, in whatever form.
    pub fn signed_text(&self) -> &str {
        self.text(&self.signed)
    }

    /// The signatures, in the document's order. One whose `sig` is missing, empty or no hexadecimal has no bytes, and never counts.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The members of `signed`, in the document's order: the name, and the text of the value.
    pub fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members.iter().map(|member| (member.name.as_str(), self.text(&member.value)))
    }

    /// The text of the value of the member `name` of `signed`.
    pub fn member(&self, name: &str) -> Option<&str> {
        self.members().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Where the members of the object stand that [`Options::index`] named, if it is there.
    pub fn index(&self) -> Option<&Index> {
        self.index.as_ref()
    }

    /// The text of the value of the member `name` of the indexed object.
    pub fn find(&self, name: &str) -> Option<&str> {
        // The offsets are those of this document, in which all members were read before.
        self.index.as_ref()?.find(&self.document, name).ok().flatten()
    }

    /// The members of the indexed object, by name: the name, and the text of the value.
    pub fn indexed(&self) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
        self.index.iter().flat_map(|index| index.iter(&self.document)).filter_map(Result::ok)
    }

    /// Frees the canonical form of `signed`, where it is a copy, once nobody checks signatures any more:
    /// [`signed_bytes`](Self::signed_bytes) is then what stands in the document, which is not what was signed.
    pub fn forget_canonical(&mut self) {
        self.canonical = None;
    }

    fn text(&self, range: &Range<usize>) -> &str {
        self.document.get(range.clone()).unwrap_or_default()
    }
}

/// Why bytes are no document with signatures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignedError {
    /// Larger than the limit.
    #[error("the document has {found} bytes, more than {limit}")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
        /// The size, in bytes.
        found: usize,
    },
    /// Not JSON as this library reads it.
    #[error("the document is no JSON: {0}")]
    Json(#[from] json::Error),
    /// What stands in `signed` has no canonical form.
    #[error("what is signed has no canonical form: {0}")]
    Canonical(#[from] canonical::Error),
    /// A member is missing or of another type.
    #[error("the document's `{0}` is missing or malformed")]
    Member(&'static str),
    /// More signatures than the limit.
    #[error("the document has more than {limit} signatures")]
    TooManySignatures {
        /// The limit.
        limit: usize,
    },
    /// More members in the document, in `signed` or in a signature than [`MAX_MEMBERS`].
    #[error("the document, what is signed or a signature has more than {MAX_MEMBERS} members")]
    TooManyMembers,
}

impl SignedError {
    /// A stable name for this kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            SignedError::TooLarge { .. } => "signed-too-large",
            SignedError::Json(error) => error.code(),
            SignedError::Canonical(error) => error.code(),
            SignedError::Member(_) => "signed-malformed",
            SignedError::TooManySignatures { .. } => "signed-too-many-signatures",
            SignedError::TooManyMembers => "signed-too-many-members",
        }
    }
}
