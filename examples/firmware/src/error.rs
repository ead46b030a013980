use alloc::string::String;

use touchmark_envelope::Digest;
use touchmark_trust::{Class as TrustClass, Rejected, StandingError};
use touchmark_tuf::Class as MetadataClass;

use crate::flash::FlashError;
use crate::tar::{MediumError, TarError};

/// What a failure means to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// The tar holds no image that is verified. Another tar is needed.
    Refused,
    /// The tar is damaged, or cannot be read. It may be tried again.
    Unread,
    /// The flash cannot be used, or what it holds is damaged.
    Device,
}

/// Why nothing was installed, or nothing can be booted. What was booted before still is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The flash failed, or the power.
    #[error(transparent)]
    Flash(#[from] FlashError),
    /// The flash is too small for its parts.
    #[error("the flash has {size} bytes, too few for two slots, two records and what is trusted")]
    TooSmall {
        /// Its size.
        size: usize,
    },
    /// What is to be trusted is too large for its part of the flash.
    #[error("what is to be trusted takes {needed} bytes, and there are {size} for it")]
    VaultFull {
        /// What it takes.
        needed: usize,
        /// What there is.
        size: usize,
    },
    /// There is no boot record: the device was not provisioned.
    #[error("there is no boot record")]
    NoRecord,
    /// The image in a slot is not the one that was verified. The other one is older, and is not booted.
    #[error("the image in slot {slot} is damaged")]
    Damaged {
        /// The slot.
        slot: usize,
    },
    /// The tar cannot be read.
    #[error(transparent)]
    Medium(#[from] MediumError),
    /// It is none that is taken.
    #[error(transparent)]
    Tar(#[from] TarError),
    /// A document in it is malformed.
    #[error("{what} is malformed: {why}")]
    Malformed {
        /// The document.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// Something in it is larger than what is taken into memory.
    #[error("{digest} has {size} bytes, and {limit} are the limit")]
    TooLarge {
        /// Its digest.
        digest: Digest,
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// There is no trust repository in it.
    #[error("the tar has no trust repository")]
    NoTrust,
    /// There is no artifact in it.
    #[error("the tar has no artifact that could be the image")]
    NoArtifact,
    /// Its metadata is not to be trusted, has expired, or is older than what was accepted before.
    #[error(transparent)]
    Metadata(#[from] touchmark_tuf::Error),
    /// What is Touchmark's in the metadata is not to be trusted.
    #[error(transparent)]
    Standing(#[from] StandingError),
    /// No artifact in it is verified under the wanted name.
    #[error("{0}")]
    Rejected(Rejected),
    /// The verified artifact is no image for this device.
    #[error("the verified artifact is no image for this device: {why}")]
    NoImage {
        /// Why not.
        why: &'static str,
    },
    /// The content of the image is not the one that was verified.
    #[error("the image in the tar is not the one that was verified")]
    OtherImage,
}

impl Error {
    /// What it means to the device.
    pub fn class(&self) -> Class {
        match self {
            Error::Flash(_) | Error::TooSmall { .. } | Error::VaultFull { .. } | Error::NoRecord | Error::Damaged { .. } => Class::Device,
            Error::Medium(_) | Error::Tar(_) | Error::Malformed { .. } | Error::TooLarge { .. } => Class::Unread,
            Error::Metadata(error) if error.class() == MetadataClass::Unknown => Class::Unread,
            Error::Rejected(rejected) if rejected.class() == TrustClass::Unknown => Class::Unread,
            Error::OtherImage => Class::Unread,
            _ => Class::Refused,
        }
    }

    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Flash(_) => "flash",
            Error::TooSmall { .. } => "flash-too-small",
            Error::VaultFull { .. } => "trust-too-large",
            Error::NoRecord => "no-record",
            Error::Damaged { .. } => "damaged",
            Error::Medium(_) => "medium",
            Error::Tar(_) => "tar",
            Error::Malformed { .. } => "malformed",
            Error::TooLarge { .. } => "too-large",
            Error::NoTrust => "no-trust",
            Error::NoArtifact => "no-artifact",
            Error::Metadata(error) => error.code(),
            Error::Standing(error) => error.code(),
            Error::Rejected(rejected) => rejected.fault().code(),
            Error::NoImage { .. } => "no-image",
            Error::OtherImage => "other-image",
        }
    }
}
