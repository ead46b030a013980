//! SLSA provenance (predicates/provenance.md; slsa.dev/provenance/v1).

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::UnixTime;
use touchmark_envelope::json::Object;
use touchmark_envelope::sorted;

use crate::artifacts::{Artifacts, Bare};
use crate::error::Error;

use super::field::Field;
use super::resource::ResourceDescriptor;

/// The type of the predicate.
pub const TYPE: &str = "https://slsa.dev/provenance/v1";

/// How the subjects were built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provenance {
    /// `buildDefinition.buildType`: how the parameters and dependencies are meant.
    pub build_type: String,
    /// `buildDefinition.externalParameters`: what whoever asked for the build chose. A consumer looks at all of it.
    pub external_parameters: Object<'static>,
    /// `buildDefinition.internalParameters`: what the builder chose.
    pub internal_parameters: Option<Object<'static>>,
    /// `buildDefinition.resolvedDependencies`: what it was built from, as far as the builder knows.
    pub resolved_dependencies: Vec<ResourceDescriptor>,
    /// `runDetails.builder`.
    pub builder: Builder,
    /// `runDetails.metadata.invocationId`.
    pub invocation_id: Option<String>,
    /// `runDetails.metadata.startedOn`: as the builder says. Nothing is decided by it.
    pub started_on: Option<UnixTime>,
    /// `runDetails.metadata.finishedOn`: as the builder says. Nothing is decided by it.
    pub finished_on: Option<UnixTime>,
    /// `runDetails.byproducts`: what came of the build beside the subjects.
    pub byproducts: Vec<ResourceDescriptor>,
}

/// Who ran a build.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Builder {
    /// `id`: all that is trusted to have built as it says.
    pub id: String,
    /// `version`: of its parts.
    pub version: BTreeMap<String, String>,
    /// `builderDependencies`: what it is made of.
    pub dependencies: Vec<ResourceDescriptor>,
}

impl Provenance {
    /// The materials of the build: its dependencies, by name or else by URI. One without a digest is there by its name alone, and no other
    /// artifact is the same: builders list some that they do not hash.
    ///
    /// # Errors
    /// Two have one name, or one has a name that is no artifact's.
    pub fn materials(&self) -> Result<Artifacts, Error> {
        Artifacts::of_descriptors(&self.resolved_dependencies, Bare::Taken)
    }

    pub(super) fn read(field: &Field<'_>) -> Result<Self, Error> {
        let (build, run) = (field.member("buildDefinition"), field.member("runDetails"));
        let (builder, metadata) = (run.member("builder"), run.member("metadata"));
        metadata.optional(|metadata| metadata.object().map(|_| ()))?;
        let descriptors = |field: &Field<'_>| field.optional_list(ResourceDescriptor::read);
        Ok(Self {
            build_type: build.member("buildType").uri()?,
            external_parameters: build.member("externalParameters").owned_object()?,
            internal_parameters: build.member("internalParameters").optional(Field::owned_object)?,
            resolved_dependencies: descriptors(&build.member("resolvedDependencies"))?,
            builder: Builder {
                id: builder.member("id").uri()?,
                version: builder.member("version").optional(versions)?.unwrap_or_default(),
                dependencies: descriptors(&builder.member("builderDependencies"))?,
            },
            invocation_id: metadata.member("invocationId").optional(|id| id.string().map(ToOwned::to_owned))?,
            started_on: metadata.member("startedOn").optional(Field::time)?,
            finished_on: metadata.member("finishedOn").optional(Field::time)?,
            byproducts: descriptors(&run.member("byproducts"))?,
        })
    }
}

fn versions(field: &Field<'_>) -> Result<BTreeMap<String, String>, Error> {
    sorted::try_map(field.object()?.iter().map(|(part, _)| Ok((part.to_owned(), field.member(part).string()?.to_owned()))))
}
