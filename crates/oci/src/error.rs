//! What can go wrong in a store of OCI artifacts, as facts, and what to try then.

use std::io;
use std::path::{Path, PathBuf};

use touchmark_envelope::Digest;

use crate::archive::Fault;
use crate::reference::ReferenceError;

/// What a failure means to the caller: exit codes derive from this alone (SPEC.md, "Exit codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// The question was wrong: a bad reference, an ambiguous one, a folder that is no OCI layout to be written.
    Usage,
    /// The store answers, and what was asked for is not in it.
    NotFound,
    /// The store did not answer, or not the same twice; trying again may help.
    Unavailable,
    /// A limit was reached before the answer was known.
    Cap,
    /// The store returned bytes of another digest.
    WrongDigest,
    /// What the store holds breaks its format.
    Malformed,
    /// The store cannot be written: permissions, read-only, full.
    NotWritable,
    /// The registry refuses to answer: without credentials, or with these.
    Denied,
}

/// A failure of a store. Every variant says where it happened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A reference that cannot be read.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The folder or file is no OCI layout.
    #[error("{}: no OCI layout: {reason}", path.display())]
    NotALayout {
        /// The folder or tar.
        path: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// An `imageLayoutVersion` other than 1.0.0.
    #[error("{}: OCI layout version {found:?}, and only 1.0.0 is known", path.display())]
    LayoutVersion {
        /// The `oci-layout` file.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// No entry has this tag.
    #[error("{location}: no artifact is tagged {tag:?}")]
    NoSuchTag {
        /// The store.
        location: String,
        /// The tag asked for.
        tag: String,
        /// The tags that there are; at most 20 of them.
        tags: Vec<String>,
    },
    /// A tag that cannot be written: not of the grammar, or reserved for lists of referrers.
    #[error("{tag:?} cannot be a tag: {reason}")]
    BadTag {
        /// The tag.
        tag: String,
        /// Why not.
        reason: &'static str,
    },
    /// Neither listed nor among the blobs.
    #[error("{location}: {digest} is not there")]
    NoSuchBlob {
        /// The store.
        location: String,
        /// What was asked for.
        digest: Digest,
    },
    /// No tag and no digest were given, and there is no artifact at all.
    #[error("{location}: holds no artifact")]
    Empty {
        /// The store.
        location: String,
    },
    /// No tag and no digest were given, and there are several artifacts.
    #[error("{location}: holds {} artifacts, and neither a tag nor a digest says which", choices.len())]
    Ambiguous {
        /// The store.
        location: String,
        /// Its artifacts, by tag where they have one and else by digest.
        choices: Vec<String>,
    },
    /// No tag and no digest were given for a repository in a registry.
    #[error("{location}: neither a tag nor a digest is given, and no tag is assumed")]
    NoTag {
        /// The repository.
        location: String,
    },
    /// A tag that two entries with different digests hold.
    #[error("{location}: the tag {tag:?} names more than one artifact")]
    AmbiguousTag {
        /// The store.
        location: String,
        /// The tag.
        tag: String,
    },
    /// The bytes have another digest than the one they are stored under or were announced with.
    #[error("{location}: the bytes of {expected} have the digest {found}")]
    WrongDigest {
        /// The store that returned them.
        location: String,
        /// What they should be.
        expected: Digest,
        /// What they are.
        found: Digest,
    },
    /// The bytes are more or fewer than their descriptor says.
    #[error("{location}: {digest} has {found} bytes where {expected} were announced")]
    WrongSize {
        /// The store that returned them.
        location: String,
        /// The content.
        digest: Digest,
        /// The announced size in bytes.
        expected: u64,
        /// The size found, in bytes.
        found: u64,
    },
    /// Larger than the limit for it.
    #[error("{location}: {what} has {size} bytes, more than the limit of {limit}")]
    TooLarge {
        /// The store.
        location: String,
        /// A digest, or a file of the OCI layout.
        what: String,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// More entries than the limit.
    #[error("{location}: {what} has more than {limit} entries")]
    TooMany {
        /// The store.
        location: String,
        /// A digest, or a file of the OCI layout.
        what: String,
        /// The limit.
        limit: usize,
    },
    /// Breaks its format.
    #[error("{location}: {what} is malformed: {reason}")]
    Malformed {
        /// The store.
        location: String,
        /// A digest, or a file of the OCI layout.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A symbolic link, a device or the like where a store has a file or a folder. Links are never followed.
    #[error("{}: is {found}, where {wanted} is expected", path.display())]
    Irregular {
        /// Where.
        path: PathBuf,
        /// What is there.
        found: &'static str,
        /// What should be.
        wanted: &'static str,
    },
    /// A manifest to be attached has no `subject`.
    #[error("{digest} cannot be attached: it has no subject")]
    NoSubject {
        /// The manifest.
        digest: Digest,
    },
    /// A referrer that is not the subject's.
    #[error("{location}: {referrer} does not refer to {subject}")]
    OtherSubject {
        /// The store.
        location: String,
        /// The subject asked for.
        subject: Digest,
        /// The manifest.
        referrer: Digest,
    },
    /// A manifest names a blob that the store does not hold.
    #[error("{location}: {manifest} needs {blob}, which is not there")]
    MissingBlob {
        /// The store.
        location: String,
        /// The manifest to be written.
        manifest: Digest,
        /// What it names.
        blob: Digest,
    },
    /// An index still lists the manifest that was to be removed.
    #[error("{location}: {digest} is part of {parent}")]
    StillListed {
        /// The store.
        location: String,
        /// The manifest to be removed.
        digest: Digest,
        /// The index that lists it.
        parent: Digest,
    },
    /// What was written is not listed when the list is read back: something else writes to the store all the time.
    #[error("{location}: {digest} was written, but is not listed: another program keeps rewriting the list")]
    NotListed {
        /// The store.
        location: String,
        /// The referrer.
        digest: Digest,
    },
    /// Another program changed the file again and again between reading and writing it.
    #[error("{}: another program is rewriting it", path.display())]
    Contended {
        /// The file.
        path: PathBuf,
    },
    /// Another writer has held the lock for too long.
    #[error("{}: another writer has held this lock for two minutes", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The store cannot be written.
    #[error("{}: cannot be written: {source}", path.display())]
    NotWritable {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Reading or another step failed.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The content that was to be stored could not be read.
    #[error("{location}: reading what is to be stored failed: {source}")]
    Content {
        /// The store that was being written.
        location: String,
        /// What the reader says.
        source: io::Error,
    },
    /// A tar that is not read.
    #[error("{}: {fault} (at byte {offset})", path.display())]
    Archive {
        /// The tar.
        path: PathBuf,
        /// Of the header at fault.
        offset: u64,
        /// What is wrong.
        fault: Fault,
    },
    /// A file that is to be packed, or an artifact to be indexed, that cannot be.
    #[error("{}: {reason}", path.display())]
    Input {
        /// What was given.
        path: PathBuf,
        /// Why not.
        reason: &'static str,
    },
    /// An artifact that is to be unpacked and has no files.
    #[error("{location}: {digest} names no files to unpack: it is {found}")]
    NoFiles {
        /// The store.
        location: String,
        /// The artifact.
        digest: Digest,
        /// What it is instead.
        found: &'static str,
    },
    /// A server answered with a status that is no success.
    #[error("{url}: {status}{}", said(.code, .message))]
    Status {
        /// What was asked, without credentials: method and URL.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The first error code of the answer (OCI distribution spec, "Error Codes"), if it has one.
        code: Option<String>,
        /// What it says besides.
        message: Option<String>,
    },
    /// A server could not be reached, or the connection broke.
    #[error("{url}: {reason}")]
    Connection {
        /// What was asked: method and URL.
        url: String,
        /// Why.
        reason: String,
    },
    /// What a server answered is against its protocol.
    #[error("{url}: {reason}")]
    Protocol {
        /// What was asked: method and URL.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// Something that would have sent credentials, or a request, to where it must not go.
    #[error("{url}: refused: {reason}")]
    Unsafe {
        /// What was asked: method and URL.
        url: String,
        /// What was refused, and why.
        reason: String,
    },
    /// A URL that the user gave and that cannot be asked.
    #[error("{url}: {reason}")]
    BadUrl {
        /// The URL, without what may be secret in it.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The files or helpers with credentials cannot be used, or a certificate.
    #[error("{what}: {reason}")]
    Configuration {
        /// The file, variable or helper.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// Files were to be unpacked into something that is no folder. Links are never followed.
    #[error("{}: is {found}, and files are unpacked into a folder", path.display())]
    NotAFolder {
        /// What was named.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// A file that would be overwritten.
    #[error("{}: is there already, and nothing was written", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
}

impl Error {
    /// What the failure means to the caller.
    pub fn class(&self) -> Class {
        match self {
            Error::Reference(_)
            | Error::NotALayout { .. }
            | Error::BadTag { .. }
            | Error::Ambiguous { .. }
            | Error::NoTag { .. }
            | Error::NoSubject { .. }
            | Error::OtherSubject { .. }
            | Error::StillListed { .. }
            | Error::Input { .. }
            | Error::NoFiles { .. }
            | Error::BadUrl { .. }
            | Error::Configuration { .. }
            | Error::NotAFolder { .. }
            | Error::Exists { .. }
            | Error::Archive { fault: Fault::Compressed { .. } | Fault::NoLayout { .. }, .. } => Class::Usage,
            Error::NoSuchTag { .. } | Error::NoSuchBlob { .. } | Error::Empty { .. } => Class::NotFound,
            Error::MissingBlob { .. }
            | Error::NotListed { .. }
            | Error::Contended { .. }
            | Error::Locked { .. }
            | Error::Content { .. } => Class::Unavailable,
            Error::Status { status: 401 | 403, .. } | Error::Unsafe { .. } => Class::Denied,
            Error::Status { status: 404, .. } => Class::NotFound,
            Error::Status { .. } | Error::Connection { .. } | Error::Protocol { .. } => Class::Unavailable,
            Error::TooLarge { .. } | Error::TooMany { .. } => Class::Cap,
            Error::WrongDigest { .. } => Class::WrongDigest,
            Error::LayoutVersion { .. }
            | Error::AmbiguousTag { .. }
            | Error::WrongSize { .. }
            | Error::Malformed { .. }
            | Error::Irregular { .. }
            | Error::Archive { .. } => Class::Malformed,
            Error::NotWritable { .. } => Class::NotWritable,
            Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => Class::NotFound,
            Error::Io { .. } => Class::Unavailable,
        }
    }

    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Reference(_) => "bad-reference",
            Error::NotALayout { .. } => "not-a-layout",
            Error::LayoutVersion { .. } => "layout-version",
            Error::NoSuchTag { .. } => "no-such-tag",
            Error::BadTag { .. } => "bad-tag",
            Error::NoSuchBlob { .. } => "not-found",
            Error::Empty { .. } => "empty-layout",
            Error::Ambiguous { .. } => "ambiguous",
            Error::NoTag { .. } => "no-tag",
            Error::AmbiguousTag { .. } => "ambiguous-tag",
            Error::WrongDigest { .. } => "wrong-digest",
            Error::WrongSize { .. } => "wrong-size",
            Error::TooLarge { .. } => "too-large",
            Error::TooMany { .. } => "too-many",
            Error::Malformed { .. } => "malformed",
            Error::Irregular { .. } => "irregular-file",
            Error::NoSubject { .. } => "no-subject",
            Error::OtherSubject { .. } => "other-subject",
            Error::MissingBlob { .. } => "missing-blob",
            Error::StillListed { .. } => "still-listed",
            Error::NotListed { .. } => "attached-not-listed",
            Error::Contended { .. } => "contended",
            Error::Locked { .. } => "locked",
            Error::NotWritable { .. } => "not-writable",
            Error::Io { .. } => "io",
            Error::Content { .. } => "content-unreadable",
            Error::Archive { .. } => "bad-archive",
            Error::Input { .. } => "bad-input",
            Error::NoFiles { .. } => "no-files",
            Error::Status { status: 401 | 403, .. } => "denied",
            Error::Status { status: 429, .. } => "too-many-requests",
            Error::Status { .. } => "bad-status",
            Error::Connection { .. } => "connection",
            Error::Protocol { .. } => "protocol",
            Error::Unsafe { .. } => "unsafe-request",
            Error::BadUrl { .. } => "bad-url",
            Error::Configuration { .. } => "bad-configuration",
            Error::NotAFolder { .. } => "not-a-folder",
            Error::Exists { .. } => "exists",
        }
    }

    /// What to try, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Error::Reference(error) => error.hint(),
            Error::NotALayout { .. } => {
                "name a folder that holds `oci-layout` and `index.json`, or a new or empty one to write to".to_owned()
            }
            // The tags of a registry are not listed for this: there may be thousands.
            Error::NoSuchTag { location, tags, .. } if tags.is_empty() && !location.starts_with("oci") => {
                format!("touchmark tree {location} lists the tags")
            }
            Error::NoSuchTag { tags, .. } if tags.is_empty() => "nothing is tagged here; name the artifact by @DIGEST".to_owned(),
            Error::NoSuchTag { tags, .. } => format!("the tags are: {}", named(tags)),
            Error::Ambiguous { choices, .. } => format!("add :TAG or @DIGEST, one of: {}", named(choices)),
            Error::NoTag { location } => format!("{location}:TAG or {location}@DIGEST; `touchmark tree {location}` lists the tags"),
            Error::AmbiguousTag { .. } => "name the artifact by @DIGEST".to_owned(),
            Error::WrongDigest { .. } | Error::WrongSize { .. } => {
                "the content was damaged or exchanged; copy it from its origin again".to_owned()
            }
            Error::Archive { fault, .. } => fault.hint(),
            Error::Input { path, .. } if path.is_dir() => format!("pack an archive of it: tar -cf FILE.tar {}", path.display()),
            Error::NoFiles { found: "an index", .. } => "name one of its children by @DIGEST; touchmark tree lists them".to_owned(),
            Error::NotAFolder { found: "a link", .. } => "name the folder that it leads to, or a new one".to_owned(),
            Error::NotAFolder { .. } | Error::Exists { .. } => "unpack into a new folder".to_owned(),
            Error::MissingBlob { .. } => "write the blobs first, then the manifest that names them".to_owned(),
            Error::StillListed { .. } => "remove the index that lists it first".to_owned(),
            Error::NotListed { .. } | Error::Contended { .. } => {
                "stop the other program, then try again, or run `touchmark repair`".to_owned()
            }
            Error::Locked { .. } => "wait for the other program, or find it: the lock ends with its process".to_owned(),
            Error::NotWritable { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space and try again; nothing was lost".to_owned(),
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                    "make the folder writable, or work on a copy in one that is".to_owned()
                }
                _ => return None,
            },
            Error::Status { url, status: 401, .. } => format!("touchmark login {}", registry(url)?),
            Error::Status { url, status: 403, .. } => format!("touchmark login {}, with an account that may do this", registry(url)?),
            _ => return None,
        })
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.class() == Class::Unavailable
    }

    /// A failure to read `path`, or whatever error of this crate `source` carries.
    pub(crate) fn reading(path: &Path, source: io::Error) -> Self {
        Self::carried(source).unwrap_or_else(|source| Error::Io { action: "read", path: path.to_owned(), source })
    }

    /// A failure to write `path`, or whatever error of this crate `source` carries.
    pub(crate) fn writing(path: &Path, source: io::Error) -> Self {
        Self::carried(source).unwrap_or_else(|source| Error::NotWritable { path: path.to_owned(), source })
    }

    /// A failure of the reader that gives what is to be stored, or whatever error of this crate `source` carries.
    pub(crate) fn content(location: &str, source: io::Error) -> Self {
        Self::carried(source).unwrap_or_else(|source| Error::Content { location: location.to_owned(), source })
    }

    /// The error that [`From<Error>`] for [`io::Error`] put into `source`.
    ///
    /// # Errors
    /// `source` itself, if it carries none.
    pub fn carried(source: io::Error) -> Result<Self, io::Error> {
        source.downcast::<Error>()
    }
}

/// The host of a URL, which may follow a method. Docker Hub has other hosts than the one that credentials are kept for.
fn registry(url: &str) -> Option<&str> {
    let host = url.split_once("://")?.1.split(['/', '?', '#']).next()?;
    Some(if host == "docker.io" || host.ends_with(".docker.io") { "docker.io" } else { host }).filter(|host| !host.is_empty())
}

/// What a server says of a failure, for a terminal.
fn said(code: &Option<String>, message: &Option<String>) -> String {
    let parts = [code, message].into_iter().flatten();
    parts.map(|text| format!(": {}", text.chars().take(200).flat_map(char::escape_debug).collect::<String>())).collect()
}

/// Some of the names that a store has, which may hold anything, for a terminal.
fn named(names: &[String]) -> String {
    let names: Vec<String> = names.iter().take(20).map(|name| name.chars().take(128).flat_map(char::escape_debug).collect()).collect();
    names.join(", ")
}

/// For readers, which can only fail with an [`io::Error`]; [`Error::carried`] takes it out again.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.class() {
            Class::NotFound => io::ErrorKind::NotFound,
            Class::Malformed | Class::WrongDigest => io::ErrorKind::InvalidData,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_envelope::digest::Algorithm;

    #[test]
    fn an_error_survives_a_reader() {
        let digest = Algorithm::Sha256.digest(b"");
        let error = Error::NoSuchBlob { location: "oci:x".to_owned(), digest };
        let back = Error::reading(Path::new("f"), error.into());
        assert!(matches!(back, Error::NoSuchBlob { .. }));
        let other = Error::reading(Path::new("f"), io::Error::from(io::ErrorKind::TimedOut));
        assert_eq!((other.class(), other.code()), (Class::Unavailable, "io"));
    }

    #[test]
    fn names_from_a_store_do_not_reach_the_terminal_as_they_are() {
        let tags = vec!["v1".to_owned(), "\u{1b}[2Jv2".to_owned(), "x".repeat(1000)];
        let hint = Error::NoSuchTag { location: "oci:x".to_owned(), tag: "v".to_owned(), tags }.hint().unwrap();
        assert!(hint.starts_with("the tags are: v1, \\u{1b}[2Jv2, xxx") && hint.len() < 200, "{hint}");
    }

    #[test]
    fn who_is_refused_is_told_where_to_log_in() {
        let refused = |url: &str, status| Error::Status { url: url.to_owned(), status, code: None, message: None };
        let error = refused("GET https://r.example:5000/v2/x/manifests/1", 401);
        assert_eq!((error.class(), error.hint().as_deref()), (Class::Denied, Some("touchmark login r.example:5000")));
        let hub = refused("GET https://registry-1.docker.io/v2/", 403).hint();
        assert!(hub.is_some_and(|hint| hint.starts_with("touchmark login docker.io,")));
        assert_eq!(refused("nowhere", 401).hint(), None);
        assert_eq!(refused("GET https://r.example/v2/", 500).hint(), None);
    }

    #[test]
    fn a_full_disk_says_so() {
        let error = Error::writing(Path::new("d/index.json"), io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(error.class(), Class::NotWritable);
        assert!(error.to_string().starts_with("d/index.json: cannot be written: "));
        assert!(error.hint().is_some_and(|hint| hint.contains("space")));
    }
}
