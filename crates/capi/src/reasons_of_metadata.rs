//! What the errors of TUF and policy documents are as failures.

use touchmark_trust::rules::{RuleError, RuleFault};
use touchmark_trust::{Class as TrustClass, StandingError};
use touchmark_tuf::{Class, Error};

use crate::failure::Failure;
use crate::status::{
    TOUCHMARK_STATUS_EXPIRED_METADATA, TOUCHMARK_STATUS_INVALID_ARGUMENT, TOUCHMARK_STATUS_POLICY_REJECTED, TOUCHMARK_STATUS_ROLLBACK,
    TOUCHMARK_STATUS_UNKNOWN, TOUCHMARK_STATUS_UNTRUSTED_METADATA, TOUCHMARK_STATUS_WRONG_STATE,
};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match (&error, error.class()) {
            (Error::NotReady | Error::WrongAnswer, _) => TOUCHMARK_STATUS_WRONG_STATE,
            (Error::Rollback { .. } | Error::Disappeared { .. }, _) => TOUCHMARK_STATUS_ROLLBACK,
            (_, Class::Expired) => TOUCHMARK_STATUS_EXPIRED_METADATA,
            (_, Class::Untrusted) => TOUCHMARK_STATUS_UNTRUSTED_METADATA,
            // Not to be had, a limit, the store; also what is not known here.
            _ => TOUCHMARK_STATUS_UNKNOWN,
        };
        Self::new(status, error.code(), error.to_string()).retryable(error.is_retryable())
    }
}

impl From<StandingError> for Failure {
    fn from(error: StandingError) -> Self {
        let status = match error.class() {
            TrustClass::UntrustedMetadata => TOUCHMARK_STATUS_UNTRUSTED_METADATA,
            _ => TOUCHMARK_STATUS_UNKNOWN,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

/// What a question to a policy comes to that no rule answers.
impl From<RuleError> for Failure {
    fn from(error: RuleError) -> Self {
        let status = match error.fault {
            RuleFault::Rejects => TOUCHMARK_STATUS_POLICY_REJECTED,
            _ => TOUCHMARK_STATUS_INVALID_ARGUMENT,
        };
        Self::new(status, error.code(), error.to_string())
    }
}
