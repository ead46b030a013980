//! What the errors of what reads and writes files are as failures. Their hints are of the command line's options, and are left out.

use touchmark::AttachError;
use touchmark::Unfit;
use touchmark::envelope::json::{Object, Value};
use touchmark::in_toto::RecordError;
use touchmark::oci::error::{Class as StoreClass, Error as StoreError};
use touchmark::oci::reference::ReferenceError;
use touchmark::policy::{PolicyClass, PolicyError, Refusal};
use touchmark::trust::rules::{RuleError, RuleFault};
use touchmark::trust::{Class, Rejected};
use touchmark::trust_root::TrustRootError;
use touchmark::tuf::{UpdateClass, UpdateError};

use crate::failure::Failure;
use crate::status::{
    TOUCHMARK_STATUS_INVALID_ARGUMENT, TOUCHMARK_STATUS_INVALID_REFERENCE, TOUCHMARK_STATUS_IO_ERROR, TOUCHMARK_STATUS_MALFORMED,
    TOUCHMARK_STATUS_MALFORMED_ENVELOPE, TOUCHMARK_STATUS_MALFORMED_POLICY, TOUCHMARK_STATUS_NOT_FOUND, TOUCHMARK_STATUS_NOT_VERIFIED,
    TOUCHMARK_STATUS_POLICY_REJECTED, TOUCHMARK_STATUS_TOO_LARGE, TOUCHMARK_STATUS_UNKNOWN, TOUCHMARK_STATUS_UNSIGNED,
    TOUCHMARK_STATUS_UNSUPPORTED, TOUCHMARK_STATUS_UNTRUSTED_METADATA, touchmark_status,
};

impl From<ReferenceError> for Failure {
    fn from(error: ReferenceError) -> Self {
        Self::new(TOUCHMARK_STATUS_INVALID_REFERENCE, "bad-reference", error.to_string())
    }
}

impl From<&StoreError> for Failure {
    fn from(error: &StoreError) -> Self {
        let status = match (error, error.class()) {
            (StoreError::Reference(_), _) => TOUCHMARK_STATUS_INVALID_REFERENCE,
            (StoreError::TooLarge { .. } | StoreError::TooMany { .. }, _) => TOUCHMARK_STATUS_TOO_LARGE,
            (StoreError::NotALayout { path, .. }, _) => match path.symlink_metadata() {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => TOUCHMARK_STATUS_NOT_FOUND,
                _ => TOUCHMARK_STATUS_MALFORMED,
            },
            (StoreError::Archive { .. }, _) | (_, StoreClass::WrongDigest | StoreClass::Malformed) => TOUCHMARK_STATUS_MALFORMED,
            (_, StoreClass::Usage) => TOUCHMARK_STATUS_INVALID_ARGUMENT,
            (_, StoreClass::NotFound) => TOUCHMARK_STATUS_NOT_FOUND,
            // Not to be read or written; also what is not known here.
            _ => TOUCHMARK_STATUS_IO_ERROR,
        };
        Self::new(status, error.code(), error.to_string()).retryable(error.is_retryable())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

impl From<&UpdateError> for Failure {
    fn from(error: &UpdateError) -> Self {
        let status = match (error, error.class()) {
            (UpdateError::Metadata(error), _) => return error.clone().into(),
            (UpdateError::Store(error), _) => return error.into(),
            (UpdateError::NoSource { .. }, _) => TOUCHMARK_STATUS_UNSUPPORTED,
            (UpdateError::NoSuchTarget { .. }, _) => TOUCHMARK_STATUS_NOT_FOUND,
            (UpdateError::TargetTooLarge { .. }, _) => TOUCHMARK_STATUS_TOO_LARGE,
            (_, UpdateClass::Usage) => TOUCHMARK_STATUS_INVALID_ARGUMENT,
            (_, UpdateClass::Untrusted) => TOUCHMARK_STATUS_UNTRUSTED_METADATA,
            (_, UpdateClass::WrongContent) => TOUCHMARK_STATUS_NOT_VERIFIED,
            _ => TOUCHMARK_STATUS_UNKNOWN,
        };
        Self::new(status, error.code(), error.to_string()).retryable(error.is_retryable())
    }
}

impl From<&TrustRootError> for Failure {
    fn from(error: &TrustRootError) -> Self {
        let status = match (error, error.class()) {
            (TrustRootError::Update(error), _) => return error.into(),
            (TrustRootError::Standing(error), _) => return error.clone().into(),
            (TrustRootError::LargeTarget { .. }, _) => TOUCHMARK_STATUS_TOO_LARGE,
            (TrustRootError::Damaged { .. }, _) => TOUCHMARK_STATUS_IO_ERROR,
            (_, UpdateClass::Usage) => TOUCHMARK_STATUS_INVALID_ARGUMENT,
            (_, UpdateClass::Untrusted) => TOUCHMARK_STATUS_UNTRUSTED_METADATA,
            (_, UpdateClass::WrongContent) => TOUCHMARK_STATUS_MALFORMED,
            _ => TOUCHMARK_STATUS_UNKNOWN,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl From<AttachError> for Failure {
    fn from(error: AttachError) -> Self {
        match &error {
            AttachError::Store(error) => error.into(),
            AttachError::Manifest { .. } => Self::new(TOUCHMARK_STATUS_MALFORMED, "malformed", error.to_string()),
            AttachError::Unfit { place, why } => {
                let status = match why {
                    Unfit::Envelope(_) => TOUCHMARK_STATUS_MALFORMED_ENVELOPE,
                    Unfit::Statement(_) => TOUCHMARK_STATUS_MALFORMED,
                    Unfit::TooLarge { .. } => TOUCHMARK_STATUS_TOO_LARGE,
                    _ => TOUCHMARK_STATUS_INVALID_ARGUMENT,
                };
                Self::new(status, why.code(), format!("the envelope at {place} is not attached: {why}"))
            }
            _ => Self::new(TOUCHMARK_STATUS_UNKNOWN, "unknown", error.to_string()),
        }
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        let status = match &error {
            RecordError::Folder { source, .. } if source.kind() == std::io::ErrorKind::NotFound => TOUCHMARK_STATUS_NOT_FOUND,
            _ => TOUCHMARK_STATUS_IO_ERROR,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

/// The status of a kind of refusal.
fn refused(class: Class) -> touchmark_status {
    match class {
        Class::NotVerified => TOUCHMARK_STATUS_NOT_VERIFIED,
        Class::Unsigned => TOUCHMARK_STATUS_UNSIGNED,
        Class::UntrustedMetadata => TOUCHMARK_STATUS_UNTRUSTED_METADATA,
        Class::Malformed => TOUCHMARK_STATUS_MALFORMED,
        // Also a kind that is not known here: nothing was verified.
        _ => TOUCHMARK_STATUS_UNKNOWN,
    }
}

impl From<&PolicyError> for Failure {
    fn from(error: &PolicyError) -> Self {
        let status = match (error, error.class()) {
            (PolicyError::Shared(error), _) => return error.as_ref().into(),
            (PolicyError::Store(error), PolicyClass::Usage) => return error.into(),
            (PolicyError::Beside { error, .. }, PolicyClass::Usage) => return error.as_ref().into(),
            // A file that the decision needs is as its class says; `touchmark_trust_root_target` is asked for the file itself.
            (PolicyError::Trust(TrustRootError::LargeTarget { .. }), PolicyClass::Refused(class))
            | (PolicyError::Trust(_), PolicyClass::Refused(class @ Class::Malformed)) => refused(class),
            (PolicyError::Trust(error), _) => return error.into(),
            (PolicyError::Rejected { rejected, .. }, _) => crate::reasons::status_of(rejected.class(), rejected.fault()),
            (PolicyError::NoRule { .. } | PolicyError::Children { .. }, _)
            | (PolicyError::Document { error: RuleError { fault: RuleFault::Rejects, .. }, .. }, _) => TOUCHMARK_STATUS_POLICY_REJECTED,
            (_, PolicyClass::Refused(class)) => refused(class),
            (PolicyError::Unreadable { .. }, _) => TOUCHMARK_STATUS_IO_ERROR,
            // What it names, and is not there or none.
            (PolicyError::Material { .. } | PolicyError::Key { .. } | PolicyError::Threshold { .. }, _) => {
                TOUCHMARK_STATUS_MALFORMED_POLICY
            }
            _ => TOUCHMARK_STATUS_INVALID_ARGUMENT,
        };
        Self::new(status, error.code().to_owned(), error.to_string()).retryable(error.is_retryable())
    }
}

/// With which policies were asked, and all the reasons of a decision, as the report.
impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let Refusal { error, by } = refusal;
        let rejected = rejection(&error).cloned();
        Self::from(error.as_ref()).report(move || {
            let mut report = by.to_json(None);
            let found = rejected.as_ref().map_or_else(Object::new, Rejected::to_json);
            found.iter().for_each(|(name, value)| report.insert(name.to_owned(), value.clone()));
            Value::Object(report)
        })
    }
}

fn rejection(error: &PolicyError) -> Option<&Rejected> {
    match error {
        PolicyError::Rejected { rejected, .. } => Some(rejected),
        PolicyError::Shared(error) => rejection(error),
        _ => None,
    }
}
