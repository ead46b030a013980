//! Simple verification results (predicates/svr.md, version 0.2).

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use touchmark_envelope::UnixTime;
use touchmark_envelope::json::Value;

use crate::error::Error;

use super::field::Field;
use super::resource::ResourceDescriptor;

/// The type of the predicate. Version 0.1 had another, and policies left out.
pub const TYPE: &str = "https://in-toto.io/attestation/svr/v0.2";

/// That somebody verified the subjects, and which properties they have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Result {
    /// `verifier.id`: who verified.
    pub verifier: String,
    /// `verifier.policies`: what was gone by; nothing if that cannot be said.
    pub policies: Vec<ResourceDescriptor>,
    /// `timeCreated`: when, as the verifier says. Nothing is decided by it.
    pub time_created: UnixTime,
    /// `properties`: those that were found. What is not among them was not.
    pub properties: Vec<String>,
}

impl Result {
    /// One with these properties.
    ///
    /// # Errors
    /// What would not be read again: a verifier that is no URI.
    pub fn new(
        verifier: &str,
        policies: Vec<ResourceDescriptor>,
        time_created: UnixTime,
        properties: &[&str],
    ) -> core::result::Result<Self, Error> {
        let properties = properties.iter().map(|property| (*property).to_owned()).collect();
        Self { verifier: verifier.to_owned(), policies, time_created, properties }.checked()
    }

    /// The statement that says this of `subjects`, as the JSON that is signed: the same bytes for the same result.
    ///
    /// # Errors
    /// What would not be read again, such as no subject, or one without a digest.
    pub fn statement(&self, subjects: &[ResourceDescriptor]) -> core::result::Result<Vec<u8>, Error> {
        super::statement(TYPE, subjects, self.clone().checked()?.to_json())
    }

    /// The same, if it is one that is read.
    fn checked(self) -> core::result::Result<Self, Error> {
        let value = self.to_json();
        Self::read(&Field::root(&value))
    }

    pub(super) fn read(field: &Field<'_>) -> core::result::Result<Self, Error> {
        let verifier = field.member("verifier");
        Ok(Self {
            verifier: verifier.member("id").uri()?,
            policies: verifier.member("policies").descriptors()?,
            time_created: field.member("timeCreated").time()?,
            properties: field.member("properties").list(|item| item.string().map(ToOwned::to_owned))?,
        })
    }

    fn to_json(&self) -> Value<'static> {
        let policies: Vec<Value<'static>> = self.policies.iter().map(ResourceDescriptor::to_json).collect();
        let properties: Vec<Value<'static>> = self.properties.iter().cloned().map(Value::from).collect();
        let verifier = [("id", Value::from(self.verifier.clone())), ("policies", Value::from(policies))];
        Value::object([
            ("verifier", Value::object(verifier)),
            ("timeCreated", Value::from(self.time_created.to_string())),
            ("properties", Value::from(properties)),
        ])
    }
}
