//! Links as predicates (predicates/link.md, version 0.3).

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::json::Object;

use crate::error::Error;

use super::field::Field;
use super::resource::ResourceDescriptor;

/// The type of the predicate.
pub const TYPE: &str = "https://in-toto.io/attestation/link/v0.3";

/// That a step was done, and how. Its products are the subjects of the statement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// `name`: the step.
    pub name: String,
    /// `command`: what was run.
    pub command: Vec<String>,
    /// `materials`: what was there before, each with a `name`, which no other has, and a `digest`.
    pub materials: Vec<ResourceDescriptor>,
    /// `byproducts`: whatever else came of it.
    pub byproducts: Option<Object<'static>>,
    /// `environment`: whatever it was done in.
    pub environment: Option<Object<'static>>,
}

impl Link {
    pub(super) fn read(field: &Field<'_>) -> Result<Self, Error> {
        let materials = field.member("materials");
        let material = |field: &Field<'_>| match ResourceDescriptor::read(field)? {
            material if material.name.is_some() && material.digest.is_some() => Ok(material),
            _ => Err(field.malformed("a descriptor with a `name` and a `digest`")),
        };
        let read = Self {
            name: field.member("name").string()?.to_owned(),
            command: field.member("command").optional(Field::strings)?.unwrap_or_default(),
            materials: materials.optional_list(material)?,
            byproducts: field.member("byproducts").optional(Field::owned_object)?,
            environment: field.member("environment").optional(Field::owned_object)?,
        };
        let mut names = BTreeSet::new();
        if !read.materials.iter().all(|material| names.insert(material.name.as_deref())) {
            return Err(materials.malformed("a list in which no two have one name"));
        }
        Ok(read)
    }
}
