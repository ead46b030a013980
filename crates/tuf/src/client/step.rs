//! What a client asks of its caller, and what it is told.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;

use crate::error::Error;

/// What a client wants done next.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step<'a> {
    /// The bytes of this file of the local store.
    Load {
        /// The name of a file, never with a folder in it.
        file: &'a str,
        /// At most this many bytes.
        limit: u64,
    },
    /// The length and the digests of this file of the local store, computed from all of its bytes: [`Answer::Hashed`].
    ///
    /// Asked for only with [`Index::Kept`](crate::Index::Kept), as is `Read`. The file must not change between the two.
    Hash {
        /// The name of a file, never with a folder in it.
        file: &'a str,
        /// The algorithms.
        algorithms: &'a [Algorithm],
        /// At most this many bytes.
        limit: u64,
    },
    /// Bytes of this file of the local store.
    Read {
        /// The name of a file, never with a folder in it.
        file: &'a str,
        /// The first of them.
        start: u64,
        /// How many; fewer only where the file ends.
        length: u64,
    },
    /// The bytes of a file of the repository.
    Fetch {
        /// One segment, percent-encoded, to be added to the metadata URL.
        path: &'a str,
        /// At most this many bytes.
        limit: u64,
    },
    /// To keep these bytes as this file of the local store, whole or not at all, in place of what was there.
    Store {
        /// The name of a file, never with a folder in it.
        file: &'a str,
        /// The bytes, as they were received.
        bytes: &'a [u8],
    },
    /// To remove this file of the local store, if it is there.
    Remove {
        /// The name of a file, never with a folder in it.
        file: &'a str,
    },
    /// Nothing: the update or the search is over.
    Done,
}

/// What came of a step.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Answer {
    /// The bytes of the file, all of them.
    Bytes(Vec<u8>),
    /// The length and the digests of the file.
    Hashed {
        /// Its length in bytes.
        length: u64,
        /// Its digests by the algorithms that were asked for.
        digests: Vec<Digest>,
    },
    /// The store or the repository says that there is no such file.
    Absent,
    /// It is stored, or removed.
    Done,
    /// It could not be had, stored or removed.
    Failed(Failure),
}

/// Why a step could not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// It cannot be reached or used; it may be later.
    #[error("{0}")]
    Unavailable(String),
    /// It is refused, to whoever asks or to this one.
    #[error("{message}")]
    Denied {
        /// What was said.
        message: String,
        /// What to try.
        hint: Option<String>,
    },
    /// It has more bytes than were asked for.
    #[error("it has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// What stands in its place is nothing that may stand there, such as a link.
    #[error("{0}")]
    Malformed(String),
}

/// A step, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Load { file: String, limit: u64 },
    Hash { file: String, algorithms: Vec<Algorithm>, limit: u64 },
    Read { file: String, start: u64, length: u64 },
    Fetch { path: String, limit: u64 },
    Store { file: String },
    Remove { file: String },
}

/// An answer that fits what was wanted.
pub(super) enum Given {
    Bytes(Vec<u8>),
    Hashed(u64, Vec<Digest>),
    Absent,
    Done,
}

impl Wanted {
    /// Refuses an answer to something else, more bytes than were asked for, and failures.
    ///
    /// What the store has and is no file of that size is as good as absent if it is `replaceable`: a damaged store must not keep a
    /// client from updating it.
    pub(super) fn check(&self, answer: Answer, replaceable: bool) -> Result<Given, Error> {
        match (answer, self) {
            // Whatever keeps it from the pieces of a file, it reads the whole.
            (Answer::Failed(_) | Answer::Absent, Wanted::Hash { .. } | Wanted::Read { .. }) => Ok(Given::Absent),
            (Answer::Hashed { length, digests }, Wanted::Hash { .. }) => Ok(Given::Hashed(length, digests)),
            (Answer::Bytes(bytes), Wanted::Read { length, .. }) => {
                let fits = u64::try_from(bytes.len()).is_ok_and(|found| found <= *length);
                Ok(if fits { Given::Bytes(bytes) } else { Given::Absent })
            }
            (Answer::Failed(Failure::TooLarge { .. } | Failure::Malformed(_)), Wanted::Load { .. }) if replaceable => Ok(Given::Absent),
            (Answer::Bytes(bytes), Wanted::Load { limit, .. })
                if replaceable && u64::try_from(bytes.len()).is_ok_and(|found| found > *limit) =>
            {
                Ok(Given::Absent)
            }
            (Answer::Bytes(bytes), Wanted::Load { limit, .. } | Wanted::Fetch { limit, .. }) => {
                if u64::try_from(bytes.len()).is_ok_and(|found| found <= *limit) {
                    Ok(Given::Bytes(bytes))
                } else {
                    Err(self.failed(Failure::TooLarge { limit: *limit }))
                }
            }
            (Answer::Absent, Wanted::Load { .. } | Wanted::Fetch { .. }) => Ok(Given::Absent),
            (Answer::Done, Wanted::Store { .. } | Wanted::Remove { .. }) => Ok(Given::Done),
            (Answer::Failed(failure), _) => Err(self.failed(failure)),
            _ => Err(Error::WrongAnswer),
        }
    }

    /// The file of the store, or the path in the repository.
    fn name(&self) -> &str {
        match self {
            Wanted::Load { file, .. }
            | Wanted::Hash { file, .. }
            | Wanted::Read { file, .. }
            | Wanted::Store { file }
            | Wanted::Remove { file }
            | Wanted::Fetch { path: file, .. } => file,
        }
    }

    fn failed(&self, failure: Failure) -> Error {
        match self {
            Wanted::Fetch { path, .. } => Error::Fetch { path: path.clone(), failure },
            wanted => Error::Store { file: wanted.name().to_owned(), failure },
        }
    }
}

impl Given {
    /// The bytes, if there are any.
    pub(super) fn bytes(self) -> Option<Vec<u8>> {
        match self {
            Given::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The bytes of a piece of a file, if they are all that were asked for: a file that has become shorter is not the one that was hashed.
    pub(super) fn piece(self, wanted: &Wanted) -> Option<Vec<u8>> {
        let Wanted::Read { length, .. } = wanted else { return None };
        self.bytes().filter(|bytes| u64::try_from(bytes.len()).is_ok_and(|found| found == *length))
    }

    /// The bytes of a file that must be there.
    pub(super) fn required(self, wanted: &Wanted) -> Result<Vec<u8>, Error> {
        self.bytes().ok_or_else(|| Error::Missing { path: wanted.name().to_owned() })
    }
}
