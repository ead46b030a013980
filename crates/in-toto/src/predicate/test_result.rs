//! Results of tests (predicates/test-result.md, version 0.1).

use alloc::string::String;
use alloc::vec::Vec;

use crate::error::Error;

use super::field::Field;
use super::resource::ResourceDescriptor;

/// The type of the predicate.
pub const TYPE: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// What came of tests of the subjects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestResult {
    /// `result`: of all of them.
    pub outcome: Outcome,
    /// `configuration`: what was gone by.
    pub configuration: Vec<ResourceDescriptor>,
    /// `url`: where more is to be had.
    pub url: Option<String>,
    /// `passedTests`: the names of those that passed.
    pub passed_tests: Vec<String>,
    /// `warnedTests`: the names of those that passed with a warning.
    pub warned_tests: Vec<String>,
    /// `failedTests`: the names of those that failed.
    pub failed_tests: Vec<String>,
}

/// What came of all tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `PASSED`.
    Passed,
    /// `WARNED`.
    Warned,
    /// `FAILED`.
    Failed,
}

impl TestResult {
    pub(super) fn read(field: &Field<'_>) -> Result<Self, Error> {
        let outcome = field.member("result");
        let names = |name| field.member(name).optional(Field::strings).map(Option::unwrap_or_default);
        Ok(Self {
            outcome: match outcome.string()? {
                "PASSED" => Outcome::Passed,
                "WARNED" => Outcome::Warned,
                "FAILED" => Outcome::Failed,
                _ => return Err(outcome.malformed("PASSED, WARNED or FAILED")),
            },
            configuration: field.member("configuration").descriptors()?,
            url: field.member("url").optional(Field::uri)?,
            passed_tests: names("passedTests")?,
            warned_tests: names("warnedTests")?,
            failed_tests: names("failedTests")?,
        })
    }
}
