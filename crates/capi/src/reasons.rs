//! What the crates' errors are as failures: which status, which code.

use touchmark_envelope::canonical;
use touchmark_envelope::digest::DigestError;
use touchmark_envelope::dsse::DsseError;
use touchmark_envelope::json::{self, Value};
use touchmark_envelope::key::KeyError;
use touchmark_envelope::manifest::ManifestError;
use touchmark_envelope::name::NameError;
#[cfg(feature = "sign")]
use touchmark_envelope::sign::SignError;
use touchmark_envelope::threshold::ThresholdError;
use touchmark_trust::{Class, Failure as Unfetched, Fault, Rejected};

use crate::failure::Failure;
use crate::status::{
    TOUCHMARK_STATUS_EXPIRED_METADATA, TOUCHMARK_STATUS_INVALID_ARGUMENT, TOUCHMARK_STATUS_INVALID_DIGEST, TOUCHMARK_STATUS_INVALID_KEY,
    TOUCHMARK_STATUS_INVALID_NAME, TOUCHMARK_STATUS_INVALID_THRESHOLD, TOUCHMARK_STATUS_MALFORMED, TOUCHMARK_STATUS_MALFORMED_ENVELOPE,
    TOUCHMARK_STATUS_MALFORMED_JSON, TOUCHMARK_STATUS_MALFORMED_KEY, TOUCHMARK_STATUS_NOT_VERIFIED, TOUCHMARK_STATUS_THRESHOLD_NOT_REACHED,
    TOUCHMARK_STATUS_TOO_LARGE, TOUCHMARK_STATUS_UNKNOWN, TOUCHMARK_STATUS_UNSIGNED, TOUCHMARK_STATUS_UNSUPPORTED,
    TOUCHMARK_STATUS_UNTRUSTED_METADATA, TOUCHMARK_STATUS_WRONG_PASSPHRASE, touchmark_status,
};

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        let status = match &error {
            KeyError::TooLarge => TOUCHMARK_STATUS_TOO_LARGE,
            KeyError::NotAKey | KeyError::Pem(_) | KeyError::Malformed { .. } | KeyError::Confused { .. } => TOUCHMARK_STATUS_MALFORMED_KEY,
            KeyError::Unsupported { .. } => TOUCHMARK_STATUS_UNSUPPORTED,
            KeyError::PassphraseNeeded | KeyError::WrongPassphrase => TOUCHMARK_STATUS_WRONG_PASSPHRASE,
            KeyError::EmptyPassphrase => TOUCHMARK_STATUS_INVALID_ARGUMENT,
            #[cfg(feature = "sign")]
            KeyError::Random(_) => crate::status::TOUCHMARK_STATUS_INTERNAL,
            // Weak, private or public instead of the other, too costly to open.
            _ => TOUCHMARK_STATUS_INVALID_KEY,
        };
        let failure = Failure::new(status, error.code(), error.to_string());
        match error {
            // Those speak of the command line.
            KeyError::PassphraseNeeded | KeyError::EmptyPassphrase => failure,
            error => failure.hint(error.hint()),
        }
    }
}

impl From<ThresholdError> for Failure {
    fn from(error: ThresholdError) -> Self {
        let status = match error {
            ThresholdError::Missed { .. } => TOUCHMARK_STATUS_THRESHOLD_NOT_REACHED,
            // Zero, or more than there are keys.
            _ => TOUCHMARK_STATUS_INVALID_THRESHOLD,
        };
        Self::new(status, "threshold", error.to_string())
    }
}

impl From<json::Error> for Failure {
    fn from(error: json::Error) -> Self {
        let status = match error.kind {
            json::Kind::TooLong { .. } | json::Kind::TooManyValues { .. } => TOUCHMARK_STATUS_TOO_LARGE,
            _ => TOUCHMARK_STATUS_MALFORMED_JSON,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl From<canonical::Error> for Failure {
    fn from(error: canonical::Error) -> Self {
        match error {
            canonical::Error::Json(error) => error.into(),
            error => Self::new(TOUCHMARK_STATUS_MALFORMED_JSON, error.code(), error.to_string()),
        }
    }
}

impl From<DsseError> for Failure {
    fn from(error: DsseError) -> Self {
        let (status, code) = match &error {
            DsseError::TooLarge { .. } | DsseError::TooManySignatures { .. } => (TOUCHMARK_STATUS_TOO_LARGE, "envelope-too-large"),
            _ => (TOUCHMARK_STATUS_MALFORMED_ENVELOPE, "envelope-malformed"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        Self::new(TOUCHMARK_STATUS_INVALID_NAME, "name-invalid", error.to_string())
    }
}

impl From<DigestError> for Failure {
    fn from(error: DigestError) -> Self {
        Self::new(TOUCHMARK_STATUS_INVALID_DIGEST, "digest-invalid", error.to_string())
    }
}

impl From<ManifestError> for Failure {
    fn from(error: ManifestError) -> Self {
        Self::new(TOUCHMARK_STATUS_MALFORMED, "malformed", error.to_string())
    }
}

#[cfg(feature = "sign")]
impl From<SignError> for Failure {
    fn from(error: SignError) -> Self {
        use crate::status::{TOUCHMARK_STATUS_BAD_SIGNATURE, TOUCHMARK_STATUS_CALLBACK_FAILED};
        match &error {
            SignError::Refused { retryable, .. } => {
                Self::new(TOUCHMARK_STATUS_CALLBACK_FAILED, error.code(), error.to_string()).retryable(*retryable)
            }
            _ => Self::new(TOUCHMARK_STATUS_BAD_SIGNATURE, error.code(), error.to_string()),
        }
    }
}

/// The status of a refusal.
pub(crate) fn status_of(class: Class, fault: &Fault) -> touchmark_status {
    match (class, fault) {
        (Class::NotVerified, _) => TOUCHMARK_STATUS_NOT_VERIFIED,
        (Class::Unsigned, _) => TOUCHMARK_STATUS_UNSIGNED,
        (Class::UntrustedMetadata, Fault::ExpiredMetadata { .. }) => TOUCHMARK_STATUS_EXPIRED_METADATA,
        (Class::UntrustedMetadata, _) => TOUCHMARK_STATUS_UNTRUSTED_METADATA,
        (Class::Malformed, _) => TOUCHMARK_STATUS_MALFORMED,
        // Also a class that is not known here: nothing was verified.
        _ => TOUCHMARK_STATUS_UNKNOWN,
    }
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        let fault = rejected.fault();
        let cause = fault.cause();
        let retryable = rejected.class() == Class::Unknown && cause.is_some_and(Unfetched::is_retryable);
        let mut failure = Self::new(status_of(rejected.class(), fault), fault.code(), rejected.to_string()).retryable(retryable);
        if let Some(Unfetched::Denied { hint: Some(hint), .. }) = cause {
            failure = failure.hint(hint.clone());
        }
        failure.report(move || Value::Object(rejected.to_json()))
    }
}
