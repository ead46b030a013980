use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::Descriptor;

/// What a search needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// The bytes of the manifest with this digest.
    Manifest {
        /// Its digest.
        digest: Digest,
        /// At most this many bytes.
        limit: u64,
    },
    /// The manifests that name this one as their subject, in any order. What is said of them is taken as hints.
    ///
    /// First what the source tells quickly is asked for, and only if that does not suffice, and the source says that there may be more,
    /// all that it can find out.
    Referrers {
        /// The digest of the subject.
        subject: Digest,
        /// At most this many.
        entries: usize,
        /// At most this many bytes of lists.
        bytes: u64,
        /// Whether all that the source can find out is wanted. What it said before may be said again.
        thorough: bool,
    },
    /// The bytes of the blob with this digest.
    Blob {
        /// Its digest.
        digest: Digest,
        /// At most this many bytes.
        limit: u64,
    },
    /// The digest and size of the blob that is stored under this digest, computed from all of its bytes.
    Hash {
        /// The digest that it is stored under, and whose algorithm is to be used.
        digest: Digest,
        /// The size that it should have; a source may stop reading beyond it.
        size: u64,
    },
}

/// What a search was given.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Answer {
    /// The bytes of a manifest or a blob.
    Bytes(Vec<u8>),
    /// The referrers.
    Referrers {
        /// At most as many as asked for.
        entries: Vec<Descriptor>,
        /// Whether these are all of those that were asked for. If not, there may be evidence among those that are left out.
        complete: bool,
        /// Whether a thorough question may find others.
        more: bool,
        /// Why they are not all, if something else than the limits is the reason.
        why: Option<String>,
    },
    /// A blob's digest and size, computed from its bytes.
    Hashed {
        /// The digest.
        digest: Digest,
        /// The size in bytes.
        size: u64,
    },
    /// It is not to be had.
    Failed(Failure),
}

/// Why something is not to be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The source says that it is not there.
    #[error("not found")]
    NotFound,
    /// The source could not be read or reached.
    #[error("{0}")]
    Unavailable(String),
    /// The source refuses to give it, to whoever asks or to this one.
    #[error("{message}")]
    Denied {
        /// What the source said.
        message: String,
        /// What to try.
        hint: Option<String>,
    },
    /// It has more bytes than were asked for.
    #[error("it has more than {limit} bytes; raise the limit with {option}")]
    TooLarge {
        /// The limit.
        limit: u64,
        /// The command line's option that raises it.
        option: &'static str,
    },
    /// The source returned bytes of another digest.
    #[error("the source returned other bytes than this digest's")]
    WrongDigest,
    /// What the source holds there is nothing that it may hold, such as a link in the place of a file.
    #[error("{0}")]
    Malformed(String),
    /// The caller answered something else than was asked.
    #[error("the source did not answer what was asked")]
    WrongAnswer,
}

impl Failure {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Failure::NotFound => "not-found",
            Failure::Unavailable(_) | Failure::WrongAnswer => "unavailable",
            Failure::Denied { .. } => "denied",
            Failure::TooLarge { .. } => "limit",
            Failure::WrongDigest => "wrong-digest",
            Failure::Malformed(_) => "malformed",
        }
    }

    /// Whether it may be had later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Failure::Unavailable(_))
    }
}

/// Where a search stands.
#[derive(Clone, Debug)]
pub enum Step {
    /// It needs this; give it to [`Search::answer`](crate::Search::answer).
    Need(Need),
    /// It has decided; see [`Search::finish`](crate::Search::finish).
    Done,
}
