//! A statement as evidence: what it says of which artifacts.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::json::{self, Value};

use crate::constraint::{self, Constraint, Unmet};
use crate::error::Error;
use crate::link::{Link, Origin};
use crate::predicate::{self, Class, Predicate, ResourceDescriptor, link};
use crate::work::{OutOfWork, Work};

/// A statement that was read. Nothing vouches for it.
#[derive(Clone, Debug)]
pub(crate) struct Evidence<'a> {
    /// What it is about: at least one, each with a digest.
    pub(crate) subjects: Vec<ResourceDescriptor>,
    /// The step that it names itself: links do.
    pub(crate) step: Option<String>,
    class: Class,
    /// The link that it is, or what provenance says of materials.
    reports: Option<Link>,
    predicate: Option<&'a str>,
}

/// The type of the predicate of the statement that `text` is, before anything else of it is read.
///
/// # Errors
/// No JSON object, or one without a type of its predicate.
pub(crate) fn predicate_type(text: &str) -> Result<String, Error> {
    let members = json::members(text.as_bytes(), text.len())?;
    let found = members.iter().find(|(name, _)| name == "predicateType").map(|(_, text)| *text);
    let found = found.and_then(|text| json::parse_bounded(text.as_bytes(), text.len(), 1).ok());
    found.as_ref().and_then(Value::as_str).map(ToOwned::to_owned).ok_or(Error::Member("predicateType"))
}

impl<'a> Evidence<'a> {
    /// Reads the statement that `text` is, whose predicate is of this type, as strictly as its specification wants it.
    ///
    /// # Errors
    /// What is missing or malformed in it, for its type.
    pub(crate) fn read(text: &'a str, predicate_type: &str) -> Result<Self, Error> {
        let members = json::members(text.as_bytes(), text.len())?;
        let member = |wanted: &str| members.iter().find(|(name, _)| name == wanted).map(|(_, text)| *text);
        let predicate = match member("predicate") {
            Some(text) if !text.starts_with('{') => return Err(Error::Member("predicate")),
            predicate => predicate,
        };
        let subject = member("subject").ok_or(Error::Member("subject"))?;
        let subject = json::parse_bounded(subject.as_bytes(), subject.len(), predicate::MAX_VALUES)?;
        let subjects = predicate::subjects(&Value::object([("subject", subject)]))?;
        let class = Class::of(predicate_type);
        let (mut step, mut reports) = (None, None);
        match predicate_type {
            // Read without a tree: it may have a hundred thousand materials.
            link::TYPE => {
                let link = Link::read_statement(text)?;
                step = Some(link.name.clone());
                reports = Some(link);
            }
            predicate_type => {
                if let Predicate::Provenance(provenance) = Predicate::parse(predicate_type, predicate)? {
                    let (materials, products) = (provenance.materials()?, predicate::artifacts(&subjects)?);
                    reports = Some(Link { name: String::new(), command: Vec::new(), materials, products, origin: Origin::Statement });
                }
            }
        }
        Ok(Self { subjects, step, class, reports, predicate })
    }

    /// How its predicate stands to the artifacts of a step.
    pub(crate) fn class(&self) -> Class {
        self.class
    }

    /// What it says that a step began and ended with. What only says something of its subjects leaves them as they are.
    ///
    /// # Errors
    /// Subjects that cannot be artifacts of a step.
    pub(crate) fn into_link(self, step: &str) -> Result<Link, Error> {
        match self.reports {
            Some(link) => Ok(Link { name: step.to_owned(), ..link }),
            None => {
                let subjects = predicate::artifacts(&self.subjects)?;
                let (materials, products) = (subjects.clone(), subjects);
                Ok(Link { name: step.to_owned(), command: Vec::new(), materials, products, origin: Origin::Statement })
            }
        }
    }

    /// Why its predicate does not meet these: nothing if it does.
    ///
    /// # Errors
    /// The predicate has more values than are read. The inner one: it takes more than `work`.
    pub(crate) fn unmet(&self, constraints: &[Constraint], work: &mut Work) -> Result<Result<Vec<Unmet>, OutOfWork>, Error> {
        constraint::unmet(self.predicate, constraints, work)
    }
}
