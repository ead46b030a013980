//! Exit codes (SPEC.md, "Exit codes") and how several outcomes make one.

use core::fmt;

/// What a command ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// 0: verified, or done.
    Done,
    /// 1: there are signatures, and none suffices.
    NotVerified,
    /// 2: the command line, a key file or a passphrase is wrong.
    Usage,
    /// 3: no signature was found, and the search was complete.
    Unsigned,
    /// 4: it could not be found out: I/O, no such artifact, a cap was reached.
    Unknown,
    /// 5: untrusted or expired trust metadata.
    UntrustedMetadata,
    /// 6: the artifact is malformed, or a store returned bytes of another digest for it.
    Malformed,
}

impl Exit {
    /// Every exit, in the order of its code.
    pub const ALL: [Self; 7] =
        [Self::Done, Self::NotVerified, Self::Usage, Self::Unsigned, Self::Unknown, Self::UntrustedMetadata, Self::Malformed];

    /// The process's exit status.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::NotVerified => 1,
            Self::Usage => 2,
            Self::Unsigned => 3,
            Self::Unknown => 4,
            Self::UntrustedMetadata => 5,
            Self::Malformed => 6,
        }
    }

    /// The outcome of two things that must both hold: 2 > 6 > 5 > 1 > 3 > 4 > 0 (SPEC.md, "Exit codes").
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        if other.weight() > self.weight() { other } else { self }
    }

    /// The outcome of two alternatives, of which one suffices: 0 > 2 > 6 > 5 > 4 > 1 > 3 (SPEC.md, "Exit codes").
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Unsigned => 0,
            Self::NotVerified => 1,
            Self::Unknown => 2,
            Self::UntrustedMetadata => 3,
            Self::Malformed => 4,
            Self::Usage => 5,
            Self::Done => 6,
        }
    }

    const fn weight(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Unknown => 1,
            Self::Unsigned => 2,
            Self::NotVerified => 3,
            Self::UntrustedMetadata => 4,
            Self::Malformed => 5,
            Self::Usage => 6,
        }
    }

    /// One word for it, as JSON output has it in `outcome`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotVerified => "not-verified",
            Self::Usage => "usage",
            Self::Unsigned => "unsigned",
            Self::Unknown => "unknown",
            Self::UntrustedMetadata => "untrusted-metadata",
            Self::Malformed => "malformed",
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conjuncts_rank_2_6_5_1_3_4_0() {
        let ranked = [2_usize, 6, 5, 1, 3, 4, 0].map(|code| Exit::ALL[code]);
        for (place, higher) in ranked.iter().enumerate() {
            for lower in &ranked[place..] {
                assert_eq!(higher.and(*lower), *higher);
                assert_eq!(lower.and(*higher), *higher);
            }
        }
    }

    #[test]
    fn codes_are_places() {
        for (code, exit) in Exit::ALL.iter().enumerate() {
            assert_eq!(usize::from(exit.code()), code);
        }
    }
}
