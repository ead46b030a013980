//! What the outcomes of in-toto layouts are as failures.

use touchmark_in_toto::{Class, Detail, Reason, Rejected};

use crate::failure::Failure;
use crate::status::{
    TOUCHMARK_STATUS_INVALID_ARGUMENT, TOUCHMARK_STATUS_SUPPLY_CHAIN_NOT_VERIFIED, TOUCHMARK_STATUS_UNKNOWN,
    TOUCHMARK_STATUS_UNTRUSTED_METADATA,
};

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        let status = match rejected.class() {
            Class::NotVerified => TOUCHMARK_STATUS_SUPPLY_CHAIN_NOT_VERIFIED,
            Class::UntrustedMetadata => TOUCHMARK_STATUS_UNTRUSTED_METADATA,
            Class::Usage => TOUCHMARK_STATUS_INVALID_ARGUMENT,
            // Also a class that is not known here: nothing was verified.
            _ => TOUCHMARK_STATUS_UNKNOWN,
        };
        let report = rejected.report;
        let deciding = report.deciding();
        let code = deciding.map_or("in-toto-undecided", Reason::code);
        let said = deciding.map_or_else(|| "not verified".to_owned(), ToString::to_string);
        let message = match report.reasons.len() {
            0 | 1 => said,
            reasons => format!("{said} (of {reasons} reasons)"),
        };
        Self::new(status, code, message).report(move || report.to_json(Detail::Artifacts))
    }
}
