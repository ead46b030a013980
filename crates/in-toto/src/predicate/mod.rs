//! Predicates of the attestation framework, with types: what a statement says of its subjects.
//!
//! What a specification requires must be there and be what it says; members that it does not have are ignored, as the framework's parsing
//! rules want it. A predicate of another type is kept as JSON.
//!
//! ```
//! use touchmark_envelope::{Digest, UnixTime, digest::Algorithm};
//! use touchmark_in_toto::predicate::{ResourceDescriptor, vsa};
//!
//! let at = UnixTime::parse_signed("2030-01-01T00:00:00Z")?;
//! let policy = ResourceDescriptor::at("https://example.com/policy", None);
//! let summary = vsa::Summary::new(vsa::Outcome::Passed, "https://example.com/verifier", "pkg:oci/x", policy, at, &["ACME_CHECKED"])?;
//! let subject = ResourceDescriptor::of(Some("x"), &Algorithm::Sha256.digest(b"x"));
//! assert!(summary.statement(&[subject])?.starts_with(br#"{"_type":"https://in-toto.io/Statement/v1""#));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod field;
pub mod link;
pub mod provenance;
pub mod release;
mod resource;
pub mod svr;
pub mod test_result;
pub mod vsa;

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::json::{self, Object, Value};
use touchmark_envelope::statement::{Statement, TYPE};

use crate::artifacts::{Artifacts, Bare};
use crate::error::Error;

use self::field::Field;
pub use self::resource::ResourceDescriptor;

/// JSON values of a predicate that is read.
pub const MAX_VALUES: usize = 1 << 18;

/// What a statement says of its subjects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Predicate {
    /// How they were built.
    Provenance(Box<provenance::Provenance>),
    /// The step that they are the products of.
    Link(link::Link),
    /// That they were verified, and at which level.
    Summary(Box<vsa::Summary>),
    /// What came of testing them.
    TestResult(test_result::TestResult),
    /// That they were verified, and which properties they have.
    Result(svr::Result),
    /// Which release they are.
    Release(release::Release),
    /// Anything else.
    Unknown {
        /// The type.
        predicate_type: String,
        /// What it says: an object.
        value: Value<'static>,
    },
}

/// How a predicate stands to the artifacts of a step (ITE-10, "Classifying Predicates").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It says what the subjects were made of: they are products, and it has the materials.
    Link,
    /// It says something about the subjects, which it leaves as they are.
    Attribute,
}

impl Class {
    /// That of predicates of this type. What is not known to have materials has none.
    pub fn of(predicate_type: &str) -> Self {
        match predicate_type {
            link::TYPE | provenance::TYPE => Class::Link,
            _ => Class::Attribute,
        }
    }
}

impl Predicate {
    /// Reads a predicate of this type from its text, which a statement may leave out for an empty object (statement.md).
    ///
    /// # Errors
    /// It is no JSON object or has more than [`MAX_VALUES`] values; what its type requires is missing or malformed.
    pub fn parse(predicate_type: &str, text: Option<&str>) -> Result<Self, Error> {
        Self::read(predicate_type, &value(text)?)
    }

    /// Reads a predicate of this type.
    ///
    /// # Errors
    /// It is no object; what its type requires is missing or malformed.
    pub fn read(predicate_type: &str, value: &Value<'_>) -> Result<Self, Error> {
        let field = Field::root(value);
        field.object()?;
        Ok(match predicate_type {
            provenance::TYPE => Predicate::Provenance(Box::new(provenance::Provenance::read(&field)?)),
            link::TYPE => Predicate::Link(link::Link::read(&field)?),
            vsa::TYPE => Predicate::Summary(Box::new(vsa::Summary::read(&field)?)),
            test_result::TYPE => Predicate::TestResult(test_result::TestResult::read(&field)?),
            svr::TYPE => Predicate::Result(svr::Result::read(&field)?),
            release::TYPE | release::TYPE_0_2 => Predicate::Release(release::Release::read(&field)?),
            other => Predicate::Unknown { predicate_type: other.to_owned(), value: value.clone().into_owned() },
        })
    }
}

/// The JSON of a predicate.
///
/// # Errors
/// No JSON, or more than [`MAX_VALUES`] values.
pub(crate) fn value(text: Option<&str>) -> Result<Value<'_>, Error> {
    match text {
        Some(text) => Ok(json::parse_bounded(text.as_bytes(), text.len(), MAX_VALUES)?),
        None => Ok(Value::Object(Object::new())),
    }
}

/// The subjects of a statement, as descriptors: at least one, and each with a `digest` (statement.md).
///
/// # Errors
/// There is none, or one that is malformed or has no digest.
pub fn subjects(statement: &Value<'_>) -> Result<Vec<ResourceDescriptor>, Error> {
    let field = Field::root(statement);
    let listed = field.member("subject");
    let subject = |field: &Field<'_>| match ResourceDescriptor::read(field)? {
        subject if subject.digest.is_some() => Ok(subject),
        _ => Err(field.malformed("a descriptor with a `digest`")),
    };
    match listed.list(subject)? {
        subjects if subjects.is_empty() => Err(listed.malformed("a list that is not empty")),
        subjects => Ok(subjects),
    }
}

/// The subjects as artifacts, by name, or else by URI, or else by digest.
///
/// # Errors
/// Two have one name, or one has a name that is no artifact's, or no digest that could be compared.
pub fn artifacts(subjects: &[ResourceDescriptor]) -> Result<Artifacts, Error> {
    Artifacts::of_descriptors(subjects, Bare::Refused)
}

/// The statement, as the JSON that is signed.
fn statement(predicate_type: &str, of: &[ResourceDescriptor], predicate: Value<'static>) -> Result<Vec<u8>, Error> {
    let statement = Value::object([
        ("_type", Value::from(TYPE)),
        ("subject", Value::from(of.iter().map(ResourceDescriptor::to_json).collect::<Vec<_>>())),
        ("predicateType", Value::from(predicate_type.to_owned())),
        ("predicate", predicate),
    ]);
    subjects(&statement)?;
    let text = statement.to_vec();
    // What other readers, and this one, would not take is not written.
    Statement::parse(&text).map_err(|_| Error::Member("subject"))?;
    Ok(text)
}
