use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// By what an artifact was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcceptedBy {
    /// Signatures of the keys that the caller gave.
    Keys,
    /// Signatures of the keys of a role that accepts by envelope. Which of several artifacts signed under one name is the newest, they do not
    /// say.
    Envelopes {
        /// The role.
        role: String,
    },
    /// An entry for the name, which is the newest as long as the metadata is.
    Entry {
        /// The role that lists it.
        role: String,
    },
    /// A seal: what was accepted by envelopes before keys were changed.
    Seal {
        /// The role that sealed it.
        role: String,
    },
}

impl AcceptedBy {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        self.kind().code()
    }

    /// The kind of it. The signatures of a caller's keys are envelopes.
    pub fn kind(&self) -> AcceptedKind {
        match self {
            AcceptedBy::Keys | AcceptedBy::Envelopes { .. } => AcceptedKind::Envelopes,
            AcceptedBy::Entry { .. } => AcceptedKind::Entry,
            AcceptedBy::Seal { .. } => AcceptedKind::Seal,
        }
    }

    /// The role of the trust metadata, if it decided.
    pub fn role(&self) -> Option<&str> {
        match self {
            AcceptedBy::Keys => None,
            AcceptedBy::Envelopes { role } | AcceptedBy::Entry { role } | AcceptedBy::Seal { role } => Some(role),
        }
    }

    /// Whether an older artifact of the name would have been refused.
    pub fn is_rollback_protected(&self) -> bool {
        matches!(self, AcceptedBy::Entry { .. })
    }
}

/// The kinds of what can accept an artifact, from the strongest to the weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AcceptedKind {
    /// An entry for the name.
    Entry,
    /// A seal.
    Seal,
    /// Envelopes: signatures of a role's keys, or of those that the caller gave.
    Envelopes,
}

impl AcceptedKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Entry, Self::Seal, Self::Envelopes];

    /// A stable word for it.
    pub const fn code(self) -> &'static str {
        match self {
            AcceptedKind::Entry => "entry",
            AcceptedKind::Seal => "seal",
            AcceptedKind::Envelopes => "envelopes",
        }
    }
}

impl fmt::Display for AcceptedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AcceptedKind::Entry => "an entry",
            AcceptedKind::Seal => "a seal",
            AcceptedKind::Envelopes => "envelopes",
        })
    }
}

/// The kinds, as a sentence has them.
pub(super) fn listed(kinds: &[AcceptedKind]) -> String {
    match kinds {
        [] => "nothing".to_string(),
        kinds => kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "),
    }
}
