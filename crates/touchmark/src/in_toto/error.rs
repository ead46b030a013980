//! Why files cannot be recorded or read, as facts.

use std::io;
use std::path::PathBuf;

use touchmark_oci::error::{Class as StoreClass, Error as StoreError};

/// What a failure to record means to the caller: exit codes derive from this alone (SPEC.md, "Exit codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecordClass {
    /// The question was wrong: a path that can be no artifact's name.
    Usage,
    /// It could not be found out: something cannot be read, or a limit was reached.
    Unknown,
    /// There is something that is no file, or has a name that no artifact can have.
    Malformed,
}

/// Why files are not recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A folder is not there, is none, or cannot be read.
    #[error("{}: cannot be read as a folder: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A path to be recorded is absolute or leads out of the base folder, so that it names no artifact.
    #[error("{}: a path to record is one below the base folder, without `..`", path.display())]
    Outside {
        /// The path.
        path: PathBuf,
    },
    /// A name that no artifact can have: one that is not Unicode, or has a NUL.
    #[error("{}: no artifact can have this name", path.display())]
    Name {
        /// The file.
        path: PathBuf,
    },
    /// Something that is neither a file nor a folder, or a link that leads to no file below the base folder.
    #[error("{}: {what}", path.display())]
    Irregular {
        /// Where it is.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A file cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file was longer or shorter than its size while it was hashed.
    #[error("{}: changed while it was hashed", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// More files and folders than the limit.
    #[error("{}: has more than {limit} files and folders", path.display())]
    TooMany {
        /// The base folder.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// What was recorded is no list of artifacts.
    #[error(transparent)]
    Artifacts(#[from] touchmark_in_toto::Error),
}

impl RecordError {
    /// What it means.
    pub fn class(&self) -> RecordClass {
        match self {
            RecordError::Outside { .. } => RecordClass::Usage,
            RecordError::Name { .. } | RecordError::Irregular { .. } | RecordError::Artifacts(_) => RecordClass::Malformed,
            RecordError::Store(error) if error.class() == StoreClass::Malformed => RecordClass::Malformed,
            _ => RecordClass::Unknown,
        }
    }

    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            RecordError::Folder { .. } => "no-folder",
            RecordError::Outside { .. } => "in-toto-outside",
            RecordError::Name { .. } => "in-toto-file-name",
            RecordError::Irregular { .. } => "irregular",
            RecordError::Store(error) => error.code(),
            RecordError::Changed { .. } => "changed",
            RecordError::TooMany { .. } => "in-toto-limit",
            RecordError::Artifacts(error) => error.code(),
        }
    }

    /// What to try.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            RecordError::Irregular { .. } | RecordError::Name { .. } => Some("--exclude leaves it out"),
            RecordError::TooMany { .. } => Some("--exclude leaves folders out"),
            _ => None,
        }
    }
}
