//! From a REF to the place and the artifact that it names.

use std::path::Path;

use touchmark::Reference;
use touchmark::envelope::manifest::Descriptor;
use touchmark::envelope::threshold::KeySet;
use touchmark::oci::access::Access;
use touchmark::oci::archive::Draft;
use touchmark::oci::beside::Beside;
use touchmark::oci::layout::Layout;
use touchmark::oci::reference::Scheme;
use touchmark::oci::registry::Registry;
use touchmark::oci::source::{Source, Store, Upkeep};
use touchmark_verify::check::Check;
use touchmark_verify::exit::Exit;
use touchmark_verify::options::{Input, Wants};
use touchmark_verify::output::{Failure, Object, Value};

use crate::watch::Watched;

/// Reads a REF.
pub(crate) fn reference(text: &str) -> Result<Reference, Failure> {
    text.parse().map_err(|error| Failure::from(&touchmark::oci::Error::Reference(error)))
}

/// Reads a REF that something is to be written to: its digest is not known before.
pub(crate) fn destination(text: &str) -> Result<Reference, Failure> {
    let reference = reference(text)?;
    match reference.digest() {
        None => Ok(reference),
        Some(_) => {
            Err(Failure::usage(format!("--to {text}: what is written gets its own digest")).hint(format!("{}:TAG", reference.place())))
        }
    }
}

/// Opens the place of a REF for reading.
pub(crate) fn source(reference: &Reference, access: &Access) -> Result<Box<dyn Source>, Failure> {
    tracing::info!(place = %reference.place(), "open");
    let opened = touchmark::open_with(reference, access).map_err(|error| Failure::from(&error))?;
    Ok(Box::new(Watched::new(opened, None)))
}

/// The artifact that a REF names in its place.
pub(crate) fn resolve(source: &dyn Source, reference: &Reference) -> Result<Descriptor, Failure> {
    source.resolve(reference.tag(), reference.digest()).map_err(|error| Failure::from(&error))
}

/// A place that can be written. A tar changes at the end, when it is committed.
pub(crate) enum Target {
    Folder(Layout),
    Archive(Box<Draft<'static>>),
    Registry(Box<Registry>),
}

impl Target {
    /// The place of a REF, which must be there; a registry says so when it is asked for something.
    pub(crate) fn existing(reference: &Reference, access: &Access) -> Result<Self, Failure> {
        if reference.scheme() != Scheme::Registry {
            // Opening a tar to change it would make it.
            source(reference, access)?;
        }
        Self::new(reference, access)
    }

    /// The place of a REF, which is made if it is not there.
    pub(crate) fn new(reference: &Reference, access: &Access) -> Result<Self, Failure> {
        if let Some(repository) = reference.repository() {
            tracing::info!(place = %repository, "open");
            let registry = Registry::new(repository, access).map_err(|error| Failure::from(&error))?;
            return Ok(Self::Registry(Box::new(registry)));
        }
        let opened = match reference.scheme() {
            Scheme::Archive => Draft::open_or_create(reference.path()).map(|draft| Self::Archive(Box::new(draft))),
            _ => Layout::open_or_create(reference.path()).map(Self::Folder),
        };
        opened.map_err(|error| Failure::from(&error))
    }

    pub(crate) fn store(&self) -> &dyn Upkeep {
        match self {
            Self::Folder(layout) => layout,
            Self::Archive(draft) => draft.as_ref(),
            Self::Registry(registry) => registry.as_ref(),
        }
    }

    /// Makes what was written last.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        match self {
            Self::Folder(_) | Self::Registry(_) => Ok(()),
            Self::Archive(draft) => match draft.commit().map_err(|error| Failure::from(&error))?.into_iter().next() {
                None => Ok(()),
                Some((_, error)) => Err(Failure::from(&error)),
            },
        }
    }
}

/// Where an artifact is, and where what is attached to it goes.
pub(crate) struct Stores {
    /// The place of the artifact, if that is another.
    artifact: Option<Box<dyn Source>>,
    target: Target,
}

impl Stores {
    /// The place of `artifact`, and `beside` for what is attached; the latter is made if it is not there.
    pub(crate) fn open(artifact: &Reference, beside: Option<&Reference>, access: &Access) -> Result<Self, Failure> {
        Ok(match beside.filter(|beside| **beside != artifact.place()) {
            None => Self { artifact: None, target: Target::existing(artifact, access)? },
            Some(beside) => Self { artifact: Some(source(artifact, access)?), target: Target::new(beside, access)? },
        })
    }

    /// The place of the artifact.
    pub(crate) fn source(&self) -> &dyn Source {
        match &self.artifact {
            Some(artifact) => artifact.as_ref(),
            None => self.target.store(),
        }
    }

    /// Does something with both as one.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&dyn Store) -> T) -> T {
        match &self.artifact {
            Some(artifact) => act(&Beside::new(artifact.as_ref(), self.target.store())),
            None => act(self.target.store()),
        }
    }

    /// Makes what was written last.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        self.target.commit()
    }
}

/// A file that is named on the command line, - is standard input; at most `limit` bytes of it.
pub(crate) fn read_file(path: &Path, what: &str, limit: u64) -> Result<Vec<u8>, Failure> {
    use std::io::Read as _;
    let failed = |error: std::io::Error| Failure::new(Exit::Usage, "unreadable", format!("{what} {}: {error}", path.display()));
    let mut bytes = Vec::new();
    let most = limit.saturating_add(1);
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        std::fs::File::open(path).map_err(failed)?.take(most).read_to_end(&mut bytes).map_err(failed)?;
    }
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(Failure::new(Exit::Usage, "too-large", format!("{what} {}: more than {limit} bytes", path.display())));
    }
    Ok(bytes)
}

/// The keys that `--key` or `--signed-by` name; `None` if there are none.
pub(crate) fn keys(inputs: &[Input]) -> Result<Option<Check>, Failure> {
    if inputs.is_empty() {
        return Ok(None);
    }
    Check::new(&Wants { keys: inputs.to_vec(), ..Wants::default() }).map(Some)
}

/// As [`keys`], as a set to try signatures with.
pub(crate) fn key_set(inputs: &[Input]) -> Result<Option<KeySet>, Failure> {
    Ok(keys(inputs)?.and_then(|check| check.keys().cloned()))
}

/// Members `pin` and `descriptor` of an artifact in JSON output.
pub(crate) fn members(reference: &str, pin: &Reference, descriptor: &Descriptor) -> Object<'static> {
    let mut members = Object::new();
    members.insert("reference", Value::from(reference.to_owned()));
    members.insert("pin", Value::from(pin.to_string()));
    members.insert("descriptor", bare(descriptor).to_json());
    members
}

/// Media type, digest and size alone: what every place says alike of the same bytes.
pub(crate) fn bare(descriptor: &Descriptor) -> Descriptor {
    Descriptor::new(&descriptor.media_type, descriptor.digest, descriptor.size)
}

/// A number as JSON.
pub(crate) fn number(count: usize) -> Value<'static> {
    Value::from(u64::try_from(count).unwrap_or(u64::MAX))
}
