//! What a verification asks of its caller, and what it is told.

use alloc::string::String;
use alloc::vec::Vec;

use crate::artifacts::Artifacts;
use crate::layout::Inspection;

/// What a verification needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// The bytes of a link or a sublayout.
    File {
        /// Where it is, from the folder of the links: names with a slash between them, none of which is `.`, `..` or has a backslash. One
        /// of two or more is in the folder of a sublayout (in-toto 1.0, 4.5.2).
        path: String,
        /// At most this many bytes.
        limit: u64,
    },
    /// The names of the files in a folder that may be links of a step by those who sign by a certificate (ITE-7): what begins their names
    /// is known once one has them.
    ///
    /// They are of the form `STEP.XXXXXXXX.link` with eight of `0-9a-f`. Any others are ignored.
    Names {
        /// The folder, as in paths of files, with a slash at the end; empty for that of the layout itself.
        folder: String,
        /// The name of the step.
        step: String,
        /// At most this many names, the first ones in their order.
        limit: usize,
    },
    /// The outcome of an inspection that no signed link answers.
    ///
    /// Whoever runs its command runs what the layout's author wrote, or, where the folder is not empty, what any functionary wrote who
    /// may do one step. The answer of a caller that was not told to is [`Answer::Absent`]. It is asked for only while nothing has failed.
    Inspection {
        /// The folder of the sublayout that it is of, as in paths of files, with a slash at the end; empty for the layout itself.
        folder: String,
        /// What is to be run. Its name is that of a file, and leads nowhere.
        inspection: Inspection,
    },
}

/// What a verification was given.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Answer {
    /// The bytes of the file, all of them.
    Bytes(Vec<u8>),
    /// The names of the files.
    Names(Names),
    /// All that is to be had under the file's name, where that can be several: among what strangers attached to an artifact. Each is looked
    /// at as if it were the only one, and counts as a file that was asked for.
    Files(Vec<Found>),
    /// What came of the inspection.
    Inspected(Inspected),
    /// There is no such file, no folder with one, or the inspection is not run.
    Absent,
    /// It could not be had.
    Failed(Failure),
}

/// Names of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The names, without their folder.
    pub names: Vec<String>,
    /// Whether these are all. What is not looked at might count.
    pub is_complete: bool,
}

/// One of several files of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is from, for people to read.
    pub from: String,
    /// Its bytes, all of them, or why it could not be had.
    pub file: Result<Vec<u8>, Failure>,
}

/// What came of an inspection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// What its command returned. 0 is success (in-toto 1.0, 4.3.2.1).
    pub return_value: i64,
    /// What was there before.
    pub materials: Artifacts,
    /// What was there after.
    pub products: Artifacts,
}

/// Why something could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// It cannot be read or reached, or the command could not be run.
    #[error("{0}")]
    Unavailable(String),
    /// It has more bytes than were asked for.
    #[error("it has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// What stands in its place is no file, such as a pipe or a link.
    #[error("{0}")]
    NoFile(String),
    /// The caller answered something else than was asked.
    #[error("what was answered was not asked")]
    WrongAnswer,
}

impl Failure {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Failure::Unavailable(_) | Failure::WrongAnswer => "unavailable",
            Failure::TooLarge { .. } => "limit",
            Failure::NoFile(_) => "malformed",
        }
    }
}
