//! Artifacts that a command of `trust` looks at: those that are named, and all that a place has, with the names that they are signed under.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use touchmark::envelope::digest::Digests;
use touchmark::envelope::manifest::{Descriptor, IMAGE_INDEX, IMAGE_MANIFEST, Manifest};
use touchmark::oci::access::Access;
use touchmark::oci::source::Source;
use touchmark::trust::standing::{Claim, Details};
use touchmark::trust_root::ARTIFACT_TYPE;
use touchmark::{Digest, Name, Reference};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::Failure;

use crate::access::{AccessArgs, standard_inputs};
use crate::places;

/// Bytes of a manifest that is named.
const MAX_MANIFEST: u64 = 4 << 20;

/// Places, each opened once.
pub(super) struct Places {
    access: Access,
    opened: BTreeMap<String, Rc<dyn Source>>,
}

/// An artifact that was found, and its manifest.
pub(super) struct Found {
    pub(super) source: Rc<dyn Source>,
    /// Where it is, by its digest.
    pub(super) pin: String,
    pub(super) descriptor: Descriptor,
    bytes: Vec<u8>,
}

impl Places {
    /// To reach these and no others.
    pub(super) fn of<'r>(texts: impl IntoIterator<Item = &'r str>, access: &AccessArgs) -> Result<Self, Failure> {
        let references = texts.into_iter().map(places::reference).collect::<Result<Vec<_>, _>>()?;
        let access = access.access(references.iter().collect::<Vec<_>>(), standard_inputs([]))?;
        Ok(Self { access, opened: BTreeMap::new() })
    }

    fn open(&mut self, reference: &Reference) -> Result<Rc<dyn Source>, Failure> {
        let place = reference.place().to_string();
        if let Some(source) = self.opened.get(&place) {
            return Ok(Rc::clone(source));
        }
        let source: Rc<dyn Source> = Rc::from(places::source(reference, &self.access)?);
        self.opened.insert(place, Rc::clone(&source));
        Ok(source)
    }

    /// The artifact that a REF names.
    pub(super) fn find(&mut self, text: &str) -> Result<Found, Failure> {
        let reference: Reference = places::reference(text)?;
        let source = self.open(&reference)?;
        let digest = places::resolve(source.as_ref(), &reference)?.digest;
        Found::read(source, &reference, digest)
    }

    /// What a place has: the artifact that is named, or all that it lists, without trust repositories.
    pub(super) fn all(&mut self, text: &str) -> Result<Vec<Found>, Failure> {
        let reference: Reference = places::reference(text)?;
        if reference.tag().is_some() || reference.digest().is_some() {
            return Ok(vec![self.find(text)?]);
        }
        let source = self.open(&reference)?;
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        for listed in source.roots().map_err(|error| Failure::from(&error))? {
            let is_artifact = matches!(listed.media_type.as_str(), IMAGE_MANIFEST | IMAGE_INDEX) || listed.media_type.contains("docker");
            if is_artifact && seen.insert(listed.digest) {
                let one = Found::read(Rc::clone(&source), &reference, listed.digest)?;
                if one.descriptor.artifact_type.as_deref() != Some(ARTIFACT_TYPE) {
                    found.push(one);
                }
            }
        }
        Ok(found)
    }
}

impl Found {
    fn read(source: Rc<dyn Source>, reference: &Reference, digest: Digest) -> Result<Self, Failure> {
        let pin = reference.pin(digest).to_string();
        let bytes = source.manifest(&digest, MAX_MANIFEST).map_err(|error| Failure::from(&error))?;
        let malformed =
            |error: touchmark::envelope::manifest::ManifestError| Failure::new(Exit::Malformed, "malformed", format!("{pin}: {error}"));
        let manifest = Manifest::parse(&bytes).map_err(malformed)?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let mut descriptor = Descriptor::new(&manifest.media_type, digest, size);
        descriptor.artifact_type = manifest.artifact_type().map(str::to_owned);
        Ok(Self { source, pin, descriptor, bytes })
    }

    pub(super) fn digests(&self) -> Vec<Digest> {
        Digests::of(&self.bytes).all().to_vec()
    }

    /// What an entry says of it.
    pub(super) fn claim(&self) -> Claim {
        let details = Details { media_type: Some(self.descriptor.media_type.clone()), ..Details::default() };
        Claim { length: self.descriptor.size, hashes: self.digests(), details }
    }

    /// The names that are in statements attached to it, whoever signed them.
    pub(super) fn claimed_names(&self) -> Result<BTreeSet<Name>, Failure> {
        let attached = touchmark::attachments(self.source.as_ref(), &self.descriptor.digest).map_err(|error| Failure::from(&error))?;
        let name = |evidence: &touchmark::Evidence| evidence.claims.as_ref()?.untrusted().name.as_deref()?.parse::<Name>().ok();
        Ok(attached.evidence.iter().filter_map(name).collect())
    }
}
