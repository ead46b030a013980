//! Why a trust repository was not changed.

use std::path::PathBuf;

use touchmark_envelope::json;
use touchmark_envelope::{Digest, UnixTime};
use touchmark_oci::Error as FileError;
use touchmark_tuf::repository::EditError;

use crate::tuf::UpdateClass;

/// What a failure means to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// What was asked for cannot be done: a mistake on the command line or in what it names.
    Usage,
    /// A client would refuse what was to be published, or what is published.
    Untrusted,
    /// It could not be done now: files, signers.
    Unavailable,
    /// What is staged is not what was expected.
    Unexpected,
}

/// Why a trust repository was not changed. What was published before is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The folder holds no trust repository.
    #[error("{}: there is no trust repository", folder.display())]
    NotThere {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder holds a trust repository already, or other files.
    #[error("{}: is there already, and is not empty", folder.display())]
    Exists {
        /// The folder.
        folder: PathBuf,
    },
    /// The settings cannot be read.
    #[error("{}: {reason}", file.display())]
    Settings {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A document of the repository is not what it should be.
    #[error("{}: {source}", file.display())]
    Document {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: EditError,
    },
    /// A staged file that cannot be used.
    #[error("what is staged of {role} cannot be used: {source}")]
    Staged {
        /// The role.
        role: String,
        /// Why not.
        source: Box<RepositoryError>,
    },
    /// A document that is listed is not there.
    #[error("{}: is missing, and the repository lists it", file.display())]
    Missing {
        /// The file.
        file: PathBuf,
    },
    /// The last published root is not signed as one must be.
    #[error("{}: is not validly signed by the keys of root version {by}", file.display())]
    NoRoot {
        /// The file.
        file: PathBuf,
        /// The version of the root whose keys have not signed it.
        by: u64,
    },
    /// Two roles delegate to one name.
    #[error("{role}: is delegated by {} and by {}", by[0], by[1])]
    DelegatedTwice {
        /// The role.
        role: String,
        /// Its delegators.
        by: [String; 2],
    },
    /// The repository has no consistent snapshots, and this writes nothing else.
    #[error("{}: the root has no consistent snapshots, without which nothing is published here", folder.display())]
    NotConsistent {
        /// The folder.
        folder: PathBuf,
    },
    /// An edit was refused.
    #[error("{0}")]
    Edit(#[from] EditError),
    /// No role of this name.
    #[error("there is no role {role:?}")]
    NoSuchRole {
        /// The role.
        role: String,
    },
    /// The role delegates by bins, and this is for one role.
    #[error("{role}: names hash bins, and not one role")]
    Bins {
        /// The prefix.
        role: String,
    },
    /// A role that nobody edits: it follows from the others.
    #[error("{role}: is made when something is published")]
    NotEdited {
        /// The role.
        role: String,
    },
    /// What is staged was made for an earlier state of the repository.
    #[error("{role}: version {staged} is staged, and version {published} is published already")]
    Stale {
        /// The role.
        role: String,
        /// The staged version.
        staged: u64,
        /// The published one.
        published: u64,
    },
    /// Nothing is staged for the role.
    #[error("{role}: nothing is staged")]
    NothingStaged {
        /// The role.
        role: String,
    },
    /// None of the keys signs for anything that is staged.
    #[error("none of these keys signs for anything that is staged{}", .role.as_ref().map(|role| format!(" for {role}")).unwrap_or_default())]
    NothingToSign {
        /// The role that was asked for.
        role: Option<String>,
    },
    /// What is staged changed while it was being signed.
    #[error("{role}: was changed by somebody else while it was being signed, and the signature is of no use")]
    Changed {
        /// The role.
        role: String,
    },
    /// What was to be signed is none of what was expected.
    #[error("{what}: is {digest}, which is not what you expect")]
    NotExpected {
        /// The role, or the file.
        what: String,
        /// The digest of what would be signed.
        digest: Digest,
    },
    /// A staged snapshot or timestamp that no publish of what is published and staged would have made.
    #[error("{role}: what is staged is not what a publish makes of what is published and staged: {reason}")]
    NotMade {
        /// The role.
        role: String,
        /// What differs.
        reason: &'static str,
    },
    /// A document from elsewhere says something else than what is staged.
    #[error("{}: says something else than anything that is staged", file.display())]
    SaysOther {
        /// The file.
        file: PathBuf,
    },
    /// A target that no client would look for in the role.
    #[error("{path:?} is not delegated to {role}: no client would look for it there")]
    NotDelegated {
        /// The target's path.
        path: String,
        /// The role.
        role: String,
    },
    /// A search for the target ends before it comes to the role, or finds it in another one.
    #[error("{path:?} would not be found in {role}: {} {by} first", if *lists { "a search finds it in" } else { "a search ends at" })]
    Shadowed {
        /// The target's path.
        path: String,
        /// The role.
        role: String,
        /// The role that the search comes to before.
        by: String,
        /// Whether that lists the target; otherwise its delegation is terminating.
        lists: bool,
    },
    /// Signatures are missing, so that a client would refuse the role.
    #[error("{role}: {valid} of {threshold} required signatures{}", .by.map(|by| format!(" {by}")).unwrap_or_default())]
    Unsigned {
        /// The role.
        role: String,
        /// How many distinct keys have signed.
        valid: usize,
        /// How many must.
        threshold: u64,
        /// Whose signatures, where there are two sets of keys.
        by: Option<&'static str>,
        /// The keyids of those that have not signed.
        needed: Vec<String>,
    },
    /// The signatures are those of the role's keys, under other keyids than these have now.
    #[error("{role}: is signed under keyids that its keys do not have any more, and clients that go by them would refuse it")]
    OldKeyids {
        /// The role.
        role: String,
    },
    /// A search gives up before it comes to the role.
    #[error("{path:?} would not be found in {role}: clients visit {limit} roles in a search, and it is behind more")]
    TooFar {
        /// The target's path.
        path: String,
        /// The role.
        role: String,
        /// How many roles a client visits.
        limit: u32,
    },
    /// A role is delegated and nothing of it is published or staged.
    #[error("{role}: is delegated, and there is no metadata of it")]
    NoMetadata {
        /// The role.
        role: String,
    },
    /// What was to be published has expired.
    #[error("{role}: expired at {expires}")]
    Expired {
        /// The role.
        role: String,
        /// When.
        expires: UnixTime,
    },
    /// A client refuses what was to be published.
    #[error("{who} would refuse it: {source}")]
    Client {
        /// Which client.
        who: &'static str,
        /// Why.
        source: touchmark_tuf::Error,
    },
    /// A line of a list of targets.
    #[error("line {line}: {reason}")]
    List {
        /// The number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Something that cannot be added as a target.
    #[error("{}: {reason}", file.display())]
    Input {
        /// The file.
        file: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A name that no role owns alone.
    #[error("{name}: nobody owns it alone, since the delegation to {role} is not terminating")]
    NotOwned {
        /// The name.
        name: String,
        /// The role.
        role: String,
    },
    /// A name that stands for something else.
    #[error("{name}: {role} lists something else under it already")]
    NameSet {
        /// The name.
        name: String,
        /// The role that lists it.
        role: String,
    },
    /// A name that nothing is listed under.
    #[error("{name}: nothing is listed under it")]
    NameNotSet {
        /// The name.
        name: String,
    },
    /// What is staged of a role holds seals, and so goes with the staged end of the keys whose signatures they replace.
    #[error("{role}: the seals that are staged of it replace what keys have signed that go from it in {by}")]
    SealsNeeded {
        /// The role.
        role: String,
        /// The delegator, of which the keys' end is staged.
        by: String,
    },
    /// The system gives no random numbers.
    #[error("{reason}")]
    NoKey {
        /// What failed.
        reason: String,
    },
    /// What a place serves could not be had, or is no repository.
    #[error(transparent)]
    Source(Box<crate::trust_root::TrustRootError>),
    /// A new folder needs a root that is trusted.
    #[error("which root is trusted is not said, and there is no repository here that has one")]
    RootNeeded,
    /// The root that is trusted is not one of those that are served.
    #[error("the root that is trusted, of version {version}, is not the one that is served under this version")]
    OtherRoot {
        /// Its version.
        version: u64,
    },
    /// What is served is not what was published here under the same version.
    #[error("{}: was published here, and something else is served under the same version", file.display())]
    Forked {
        /// The file here.
        file: PathBuf,
    },
    /// What is served is not as its own snapshot says.
    #[error("{path}: what is served is not what its snapshot lists")]
    NotServed {
        /// The file.
        path: String,
    },
    /// What is ours in a role's document is malformed.
    #[error("{role}: {malformed}")]
    Ours {
        /// The role.
        role: String,
        /// What is.
        malformed: touchmark_trust::standing::Malformed,
    },
}

impl RepositoryError {
    /// What the failure means to the caller.
    pub fn class(&self) -> Class {
        match self {
            RepositoryError::File(error) => match error.class() {
                touchmark_oci::Class::Usage => Class::Usage,
                _ => Class::Unavailable,
            },
            RepositoryError::NotExpected { .. } => Class::Unexpected,
            RepositoryError::Source(source) => match source.class() {
                UpdateClass::Usage => Class::Usage,
                UpdateClass::Untrusted => Class::Untrusted,
                UpdateClass::WrongContent => Class::Unexpected,
                _ => Class::Unavailable,
            },
            RepositoryError::Staged { source, .. } => source.class(),
            RepositoryError::Edit(EditError::Sign(_)) | RepositoryError::Changed { .. } | RepositoryError::NoKey { .. } => {
                Class::Unavailable
            }
            RepositoryError::Document { .. }
            | RepositoryError::Missing { .. }
            | RepositoryError::OldKeyids { .. }
            | RepositoryError::NoRoot { .. }
            | RepositoryError::DelegatedTwice { .. }
            | RepositoryError::Unsigned { .. }
            | RepositoryError::NoMetadata { .. }
            | RepositoryError::Expired { .. }
            | RepositoryError::Ours { .. }
            | RepositoryError::OtherRoot { .. }
            | RepositoryError::Forked { .. }
            | RepositoryError::NotServed { .. }
            | RepositoryError::Client { .. } => Class::Untrusted,
            _ => Class::Usage,
        }
    }

    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            RepositoryError::File(error) => error.code(),
            RepositoryError::NotThere { .. } => "no-trust-repository",
            RepositoryError::Exists { .. } => "exists",
            RepositoryError::Settings { .. } => "bad-settings",
            RepositoryError::Document { source, .. } | RepositoryError::Edit(source) => source.code(),
            RepositoryError::Staged { source, .. } => source.code(),
            RepositoryError::Missing { .. } => "metadata-missing",
            RepositoryError::NoRoot { .. } => "root-not-signed",
            RepositoryError::DelegatedTwice { .. } => "delegated-twice",
            RepositoryError::NotConsistent { .. } => "not-consistent",
            RepositoryError::NoSuchRole { .. } => "no-such-role",
            RepositoryError::Bins { .. } => "role-is-bins",
            RepositoryError::NotEdited { .. } => "role-not-edited",
            RepositoryError::Stale { .. } => "staged-stale",
            RepositoryError::NothingStaged { .. } => "nothing-staged",
            RepositoryError::NothingToSign { .. } => "nothing-to-sign",
            RepositoryError::Changed { .. } => "staged-changed",
            RepositoryError::NotExpected { .. } => "not-expected",
            RepositoryError::NotMade { .. } => "staged-not-made",
            RepositoryError::SaysOther { .. } => "says-other",
            RepositoryError::NotDelegated { .. } => "target-not-delegated",
            RepositoryError::Shadowed { .. } => "target-shadowed",
            RepositoryError::TooFar { .. } => "target-too-far",
            RepositoryError::OldKeyids { .. } => "old-keyids",
            RepositoryError::Unsigned { .. } => "signatures-missing",
            RepositoryError::NoMetadata { .. } => "role-without-metadata",
            RepositoryError::Expired { .. } => "metadata-expired",
            RepositoryError::Client { source, .. } => source.code(),
            RepositoryError::List { .. } => "bad-list",
            RepositoryError::Input { .. } => "bad-input",
            RepositoryError::NotOwned { .. } => "name-not-owned",
            RepositoryError::NameSet { .. } => "name-set",
            RepositoryError::NameNotSet { .. } => "name-not-set",
            RepositoryError::SealsNeeded { .. } => "seals-needed",
            RepositoryError::Source(source) => source.code(),
            RepositoryError::RootNeeded => "root-needed",
            RepositoryError::OtherRoot { .. } => "other-root",
            RepositoryError::Forked { .. } => "forked",
            RepositoryError::NotServed { .. } => "not-as-listed",
            RepositoryError::NoKey { .. } => "no-random-numbers",
            RepositoryError::Ours { .. } => "trust-malformed",
        }
    }

    /// What to try, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            RepositoryError::File(error) => return error.hint(),
            RepositoryError::Staged { role, .. } => format!("touchmark trust discard {role} gives it up, with its signatures"),
            RepositoryError::NotThere { .. } => "touchmark trust init makes one; --dir says where it is".to_owned(),
            RepositoryError::Exists { .. } => "name a new folder with --dir".to_owned(),
            RepositoryError::Stale { role, .. } => format!("touchmark trust discard {role}, then make the change again"),
            RepositoryError::NothingStaged { .. } | RepositoryError::NothingToSign { .. } => {
                "touchmark trust status shows what is staged, and whose signatures it needs".to_owned()
            }
            RepositoryError::NoSuchRole { .. } => "touchmark trust status lists the roles".to_owned(),
            RepositoryError::NotEdited { .. } => "touchmark trust publish".to_owned(),
            RepositoryError::Changed { .. } => "look at it with touchmark trust status, and sign again".to_owned(),
            RepositoryError::NotExpected { .. } => {
                "nothing was signed: find out who changed it; trust status shows the digests, and --role signs one role alone".to_owned()
            }
            RepositoryError::NotMade { role, .. } => format!("touchmark trust discard {role}, and publish again"),
            RepositoryError::SaysOther { .. } => {
                "it was signed before the last change: have what is staged now signed, and send that".to_owned()
            }
            RepositoryError::NotDelegated { .. } => "delegate its path to the role, or add it to another one with --role".to_owned(),
            RepositoryError::NoRoot { .. } => {
                "take it away, if it is none of yours: touchmark trust sign makes signatures of what is staged".to_owned()
            }
            RepositoryError::OldKeyids { role } => format!("touchmark trust renew {role}, and have it signed"),
            RepositoryError::TooFar { .. } => "delegate narrower paths, or the role before others (--first, --before)".to_owned(),
            RepositoryError::DelegatedTwice { role, .. } => format!("touchmark trust undelegate {role}, which takes away the first"),
            RepositoryError::Shadowed { by, lists: true, path, .. } => format!("touchmark trust target remove --role {by} {path}"),
            RepositoryError::Shadowed { .. } => {
                "delegate the role before it (--first, --before), or have the other one without --terminating".to_owned()
            }
            RepositoryError::Unsigned { needed, .. } => format!("touchmark trust sign, with one of the keys {}", shortened(needed)),
            RepositoryError::NoMetadata { role } => {
                format!("stage it: touchmark trust renew {role}; or take it away: trust undelegate {role}")
            }
            RepositoryError::Expired { role, .. } => format!("touchmark trust renew {role}, have it signed, and publish again"),
            RepositoryError::Edit(EditError::ThresholdTooHigh { .. }) => "add a key, or lower the threshold in the same command".to_owned(),
            RepositoryError::Edit(EditError::Canonical(_) | EditError::Target { .. }) => {
                "use letters, digits and -_./ in names that are signed".to_owned()
            }
            RepositoryError::Edit(EditError::Pattern { .. }) => "a pattern is like acme/* or acme/*/*.tgz".to_owned(),
            RepositoryError::NotOwned { role, .. } => format!("touchmark trust redelegate {role} --terminating, with its paths"),
            RepositoryError::NameSet { .. } => "--replace, if it is to be moved".to_owned(),
            RepositoryError::NameNotSet { .. } => "touchmark trust name list".to_owned(),
            RepositoryError::RootNeeded => "--root FILE, from whom the repository belongs to".to_owned(),
            RepositoryError::OtherRoot { .. } => "ask whom the repository belongs to for its root, and where it is served".to_owned(),
            RepositoryError::Forked { .. } => {
                "pull into a new folder (--dir), and make the change that was published here alone anew there".to_owned()
            }
            RepositoryError::SealsNeeded { role, by } => format!("touchmark trust discard {role} {by} gives up both"),
            RepositoryError::List { .. } => "a line is PATH LENGTH sha256:HEX".to_owned(),
            _ => return None,
        })
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            RepositoryError::File(error) => error.is_retryable(),
            RepositoryError::Staged { source, .. } => source.is_retryable(),
            RepositoryError::Edit(EditError::Sign(touchmark_envelope::sign::SignError::Refused { retryable, .. })) => *retryable,
            _ => false,
        }
    }
}

/// The beginnings of some keyids.
fn shortened(keyids: &[String]) -> String {
    let short = |keyid: &String| keyid.chars().take(12).collect::<String>();
    keyids.iter().take(10).map(short).collect::<Vec<_>>().join(", ")
}

impl From<json::Error> for RepositoryError {
    fn from(error: json::Error) -> Self {
        RepositoryError::Edit(error.into())
    }
}
