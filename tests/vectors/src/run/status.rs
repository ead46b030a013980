//! The status of each refusal of the Rust crates, by the names of SPEC.md, "The C interface". The C interface has its own table of them.

use touchmark_envelope::canonical;
use touchmark_envelope::dsse::DsseError;
use touchmark_envelope::key::KeyError;
use touchmark_envelope::threshold::ThresholdError;
use touchmark_oci::error::Error as StoreError;
use touchmark_trust::rules::{RuleError, RuleFault};
use touchmark_trust::{Class, Fault, StandingError};

/// A refusal: the status, and the error's code where it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The status's name, without its prefix.
    pub status: &'static str,
    /// The error's code.
    pub code: Option<String>,
}

impl Refused {
    /// One without a code.
    pub fn new(status: &'static str) -> Self {
        Self { status, code: None }
    }

    /// One with a code.
    pub fn coded(status: &'static str, code: &str) -> Self {
        Self { status, code: Some(code.to_owned()) }
    }
}

impl From<canonical::Error> for Refused {
    fn from(error: canonical::Error) -> Self {
        Self::coded("MALFORMED_JSON", error.code())
    }
}

impl From<KeyError> for Refused {
    fn from(error: KeyError) -> Self {
        let status = match error {
            KeyError::TooLarge => "TOO_LARGE",
            KeyError::NotAKey | KeyError::Pem(_) | KeyError::Malformed { .. } | KeyError::Confused { .. } => "MALFORMED_KEY",
            KeyError::Unsupported { .. } => "UNSUPPORTED",
            _ => "INVALID_KEY",
        };
        Self::coded(status, error.code())
    }
}

impl From<DsseError> for Refused {
    fn from(error: DsseError) -> Self {
        let too_large = matches!(error, DsseError::TooLarge { .. } | DsseError::TooManySignatures { .. });
        Self::new(if too_large { "TOO_LARGE" } else { "MALFORMED_ENVELOPE" })
    }
}

impl From<ThresholdError> for Refused {
    fn from(error: ThresholdError) -> Self {
        Self::new(if matches!(error, ThresholdError::Missed { .. }) { "THRESHOLD_NOT_REACHED" } else { "INVALID_THRESHOLD" })
    }
}

impl From<touchmark_trust::Rejected> for Refused {
    fn from(rejected: touchmark_trust::Rejected) -> Self {
        let status = match rejected.fault() {
            Fault::ExpiredMetadata { .. } => "EXPIRED_METADATA",
            _ => of_class(rejected.class()),
        };
        Self::coded(status, rejected.fault().code())
    }
}

impl From<touchmark_tuf::Error> for Refused {
    fn from(error: touchmark_tuf::Error) -> Self {
        use touchmark_tuf::{Class, Error};
        let status = match (&error, error.class()) {
            (Error::Rollback { .. } | Error::Disappeared { .. }, _) => "ROLLBACK",
            (_, Class::Untrusted) => "UNTRUSTED_METADATA",
            (_, Class::Expired) => "EXPIRED_METADATA",
            _ => "UNKNOWN",
        };
        Self::coded(status, error.code())
    }
}

impl From<StandingError> for Refused {
    fn from(error: StandingError) -> Self {
        Self::coded(of_class(error.class()), error.code())
    }
}

impl From<touchmark_in_toto::Rejected> for Refused {
    fn from(rejected: touchmark_in_toto::Rejected) -> Self {
        use touchmark_in_toto::Class;
        Self::new(match rejected.class() {
            Class::Usage => "INVALID_ARGUMENT",
            Class::UntrustedMetadata => "UNTRUSTED_METADATA",
            Class::NotVerified => "SUPPLY_CHAIN_NOT_VERIFIED",
            _ => "UNKNOWN",
        })
    }
}

/// Of a policy document that cannot be read.
pub fn of_document(error: &RuleError) -> Refused {
    Refused::coded("MALFORMED_POLICY", error.code())
}

/// Of a question that no rule answers.
pub fn of_question(error: &RuleError) -> Refused {
    // One that rejects is an answer; others do not go with the question.
    let status = if error.fault == RuleFault::Rejects { "POLICY_REJECTED" } else { "INVALID_ARGUMENT" };
    Refused::coded(status, error.code())
}

/// Of a place that cannot be opened.
pub fn of_store(error: &StoreError) -> Refused {
    use touchmark_oci::error::Class;
    let status = match (error, error.class()) {
        (StoreError::NotALayout { path, .. }, _) if !path.exists() => "NOT_FOUND",
        (StoreError::NotALayout { .. } | StoreError::Archive { .. }, _) => "MALFORMED",
        (_, Class::Malformed | Class::WrongDigest) => "MALFORMED",
        (_, Class::Usage) => "INVALID_ARGUMENT",
        (_, Class::NotFound) => "NOT_FOUND",
        (_, Class::Cap) => "TOO_LARGE",
        _ => "IO_ERROR",
    };
    Refused::coded(status, error.code())
}

/// Of a decision.
pub fn of_class(class: Class) -> &'static str {
    match class {
        Class::NotVerified => "NOT_VERIFIED",
        Class::Unsigned => "UNSIGNED",
        Class::UntrustedMetadata => "UNTRUSTED_METADATA",
        Class::Malformed => "MALFORMED",
        _ => "UNKNOWN",
    }
}
