//! Why an update, a search or a download failed, as facts.

use std::path::PathBuf;
use std::time::Duration;

use touchmark_envelope::digest::Algorithm;
use touchmark_oci::error::{Class as StoreClass, Error as StoreError};
use touchmark_tuf::{Class, Error, Failure, TargetPath};

use super::agreement::Silent;

/// What a failure means to the caller: exit codes derive from this alone (SPEC.md, "Exit codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UpdateClass {
    /// The question was wrong: no trusted root to begin with, a URL that is none, a path that no file can have.
    Usage,
    /// It could not be found out: something was not to be had, read or written, no role lists the target, or a limit was reached.
    Unknown,
    /// Metadata that must not be trusted, or that has expired.
    Untrusted,
    /// The bytes of a target are not those that are listed.
    WrongContent,
}

/// Why an update, a search or a download failed. What was verified before it is in the store and stays there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The update or the search ended.
    #[error(transparent)]
    Metadata(#[from] Error),
    /// The store has a root already, and it is another one.
    #[error("{}: has another trusted root already", folder.display())]
    AnotherRoot {
        /// The folder of the store.
        folder: PathBuf,
    },
    /// It took longer than it may.
    #[error("the update was not done within {within:?}")]
    OutOfTime {
        /// How long it may take.
        within: Duration,
    },
    /// The store, the folder of targets or a source cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was given as a source is none that is known.
    #[error("{scheme}://…: not the URL of a source")]
    NoSource {
        /// The scheme of the URL, of which the rest may be secret.
        scheme: String,
    },
    /// No role lists the target, and the search was complete.
    #[error("{target}: no role lists this target")]
    NoSuchTarget {
        /// The target.
        target: TargetPath,
    },
    /// Too few repositories of a map list the target alike (TAP 4).
    #[error("{target}: too few repositories list it alike")]
    NoAgreement {
        /// The target.
        target: TargetPath,
    },
    /// Whether enough repositories of a map list the target alike depends on some that could not be asked or trusted (TAP 4).
    #[error("{target}: it depends on what could not be found out: {}", silent.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Undecided {
        /// The target.
        target: TargetPath,
        /// These repositories, and why.
        silent: Vec<Silent>,
    },
    /// The map has no such repository, or its name cannot be that of a folder.
    #[error("{repository:?}: not the name of a repository of the map, or of a folder")]
    NoRepository {
        /// The name.
        repository: String,
    },
    /// The map says of a repository nowhere to ask.
    #[error("{repository}: the map has no URL of it")]
    NoUrl {
        /// The name.
        repository: String,
    },
    /// The folder that targets are to be downloaded to is the store's, or in it.
    #[error("{}: it is in the store of trusted metadata, {}, in which a target could replace the root", folder.display(), store.display())]
    InStore {
        /// The folder for targets.
        folder: PathBuf,
        /// The folder of the store.
        store: PathBuf,
    },
    /// Two targets of one run have names that some file systems take for one.
    #[error("{target}: its file would be that of {other}, where a file system does not see the case of letters")]
    SameFile {
        /// The target.
        target: TargetPath,
        /// The one that came before it.
        other: TargetPath,
    },
    /// There is no digest to check a target by.
    #[error("{target}: no digest of it is listed")]
    NoDigest {
        /// The target.
        target: TargetPath,
    },
    /// The target is listed as larger than what is taken.
    #[error("{target}: it has {length} bytes, and {limit} are the limit")]
    TargetTooLarge {
        /// The target.
        target: TargetPath,
        /// The length listed.
        length: u64,
        /// The limit.
        limit: u64,
    },
    /// The target's path cannot be the name of a file.
    #[error("{target}: cannot be the name of a file: {reason}")]
    BadTargetName {
        /// The target.
        target: TargetPath,
        /// Why not.
        reason: &'static str,
    },
    /// A role lists the target, and it is not there.
    #[error("{target}: listed, and not found under {location}")]
    TargetMissing {
        /// The target.
        target: TargetPath,
        /// Where it was looked for.
        location: String,
    },
    /// The target could not be had.
    #[error("{target}: {failure}")]
    TargetFetch {
        /// The target.
        target: TargetPath,
        /// Why.
        failure: Failure,
    },
    /// TUF 1.0, 5.7.1: the target has another length than the one listed.
    #[error("{target}: it has {} bytes, and {expected} are listed", length(.expected, .found))]
    TargetLength {
        /// The target.
        target: TargetPath,
        /// The length listed.
        expected: u64,
        /// The length found; more bytes than were expected are not counted.
        found: u64,
    },
    /// TUF 1.0, 5.7.2: the target has another digest than one that is listed.
    #[error("{target}: its {algorithm} is not the one listed")]
    TargetHash {
        /// The target.
        target: TargetPath,
        /// The algorithm.
        algorithm: Algorithm,
    },
}

impl UpdateError {
    /// What the failure means to the caller.
    pub fn class(&self) -> UpdateClass {
        match self {
            UpdateError::Metadata(Error::NoRoot)
            | UpdateError::AnotherRoot { .. }
            | UpdateError::NoSource { .. }
            | UpdateError::InStore { .. }
            | UpdateError::SameFile { .. }
            | UpdateError::NoDigest { .. }
            | UpdateError::BadTargetName { .. } => UpdateClass::Usage,
            UpdateError::NoRepository { .. } | UpdateError::NoUrl { .. } => UpdateClass::Usage,
            // The worst: what the caller can mend, then what must not be trusted.
            UpdateError::Undecided { silent, .. } => {
                let one = |class| silent.iter().any(|silent| silent.error.class() == class);
                [UpdateClass::Usage, UpdateClass::Untrusted].into_iter().find(|class| one(*class)).unwrap_or(UpdateClass::Unknown)
            }
            UpdateError::Metadata(error) => match error.class() {
                Class::Untrusted | Class::Expired => UpdateClass::Untrusted,
                _ => UpdateClass::Unknown,
            },
            UpdateError::Store(error) if error.class() == StoreClass::Usage => UpdateClass::Usage,
            UpdateError::Store(_)
            | UpdateError::NoSuchTarget { .. }
            | UpdateError::NoAgreement { .. }
            | UpdateError::OutOfTime { .. }
            | UpdateError::TargetTooLarge { .. }
            | UpdateError::TargetMissing { .. }
            | UpdateError::TargetFetch { .. } => UpdateClass::Unknown,
            UpdateError::TargetLength { .. } | UpdateError::TargetHash { .. } => UpdateClass::WrongContent,
        }
    }

    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            UpdateError::Metadata(error) => error.code(),
            UpdateError::AnotherRoot { .. } => "tuf-another-root",
            UpdateError::OutOfTime { .. } => "tuf-out-of-time",
            UpdateError::Store(error) => error.code(),
            UpdateError::NoSource { .. } => "tuf-no-source",
            UpdateError::NoSuchTarget { .. } => "no-such-target",
            UpdateError::NoAgreement { .. } => "tuf-no-agreement",
            UpdateError::Undecided { .. } => "tuf-undecided",
            UpdateError::NoRepository { .. } => "tuf-no-repository",
            UpdateError::NoUrl { .. } => "tuf-no-url",
            UpdateError::InStore { .. } => "target-dir-in-store",
            UpdateError::SameFile { .. } => "target-same-file",
            UpdateError::NoDigest { .. } => "target-no-digest",
            UpdateError::TargetTooLarge { .. } => "target-too-large",
            UpdateError::BadTargetName { .. } => "bad-target-name",
            UpdateError::TargetMissing { .. } => "target-missing",
            UpdateError::TargetFetch { .. } => "target-fetch",
            UpdateError::TargetLength { .. } => "target-length",
            UpdateError::TargetHash { .. } => "target-hash",
        }
    }

    /// What to try, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            UpdateError::Metadata(Error::NoRoot) => "touchmark tuf --metadata-dir DIR init ROOT, with the root that you trust".to_owned(),
            UpdateError::Metadata(Error::Fetch { failure, .. } | Error::Store { failure, .. })
            | UpdateError::TargetFetch { failure, .. } => match failure {
                Failure::Denied { hint, .. } => return hint.clone(),
                _ => return None,
            },
            UpdateError::Metadata(Error::TooManyRoots { .. }) => "run it again, which goes on from there, or raise --max-roots".to_owned(),
            UpdateError::Metadata(Error::TooManyRoles { .. }) => "raise --max-roles".to_owned(),
            UpdateError::Metadata(Error::TooMuchMetadata { .. }) => "raise --max-total-size".to_owned(),
            UpdateError::AnotherRoot { folder } => {
                format!("remove {} to begin anew with this root, without what is known of the repository", folder.display())
            }
            UpdateError::Store(error) => return error.hint(),
            UpdateError::OutOfTime { .. } => "run it again, which goes on from there, or raise --max-time".to_owned(),
            UpdateError::InStore { .. } => "another folder for targets".to_owned(),
            UpdateError::SameFile { .. } => "download each to a folder of its own".to_owned(),
            UpdateError::TargetTooLarge { .. } => "raise --max-target-size".to_owned(),
            UpdateError::NoSource { .. } => "a folder, file:///FOLDER/, http://HOST/PATH/ or https://HOST/PATH/".to_owned(),
            _ => return None,
        })
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            UpdateError::Metadata(error) => error.is_retryable(),
            UpdateError::Store(error) => error.is_retryable(),
            UpdateError::OutOfTime { .. } => true,
            UpdateError::Undecided { silent, .. } => silent.iter().all(|silent| silent.error.is_retryable()),
            UpdateError::TargetFetch { failure, .. } => matches!(failure, Failure::Unavailable(_)),
            _ => false,
        }
    }
}

/// What a failure of the stores and of the transport is to the client.
pub(super) fn failure(error: &StoreError) -> Failure {
    match error.class() {
        StoreClass::Denied => Failure::Denied { message: error.to_string(), hint: error.hint() },
        StoreClass::Malformed | StoreClass::Usage => Failure::Malformed(error.to_string()),
        _ => match error {
            StoreError::TooLarge { limit, .. } => Failure::TooLarge { limit: *limit },
            _ => Failure::Unavailable(error.to_string()),
        },
    }
}

fn length(expected: &u64, found: &u64) -> String {
    if found > expected { format!("more than {expected}") } else { found.to_string() }
}
