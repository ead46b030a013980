//! The manifest that decides, and the image that it covers.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Digests;
use touchmark_envelope::manifest::{Descriptor, Kind, Manifest, Platform};

use super::{Bound, Search, State, bounded, length, unavailable};
use crate::demand::Subject;
use crate::need::{Answer, Failure};
use crate::report::{Class, Fault};
use crate::request::Scope;

/// A manifest that was read.
pub(super) struct Loaded {
    pub(super) descriptor: Descriptor,
    pub(super) manifest: Manifest,
    pub(super) digests: Digests,
}

impl Search {
    pub(super) fn subject_loaded(&mut self, subject: Subject, bytes: &[u8]) {
        if let Err(fault) = self.demand_supply_chain(&subject.digests, bytes) {
            self.state = State::Refused(Class::Malformed, *fault);
            return;
        }
        let next = match &self.request.scope {
            Scope::Itself => None,
            Scope::CoveredBy(index) if !is_index(&subject.manifest) => {
                self.state = State::Refused(Class::NotVerified, Fault::NoIndex { digest: *index });
                return;
            }
            Scope::CoveredBy(_) => Some(State::Child { digest: self.request.artifact, listed: None }),
            Scope::Platform(platform) => match choose(&subject, platform) {
                Ok(listed) => Some(State::Child { digest: listed.digest, listed: Some(listed.clone()) }),
                Err(fault) => {
                    self.state = State::Refused(Class::Unknown, *fault);
                    return;
                }
            },
        };
        self.subject = Some(subject);
        match next {
            Some(state) => self.state = state,
            None => self.ask_metadata(None),
        }
    }

    /// Checks that the signed index covers the image: one level, image manifests only, and the media type, digest and size
    /// that it lists are those of the bytes.
    pub(super) fn child_loaded(&mut self, found: Descriptor, manifest: Manifest, digests: &Digests, listed: Option<Descriptor>) {
        let Some(subject) = &self.subject else { return };
        let entries = subject.manifest.children();
        let covers =
            |entry: &Descriptor| entry.media_type == found.media_type && entry.size == found.size && digests.contain(&entry.digest);
        let why = match (&manifest.kind, &listed) {
            (Kind::Index { .. }, _) => Some("it is an index, and an index covers images only"),
            (_, Some(listed)) if !covers(listed) => Some("it is listed with another media type or size"),
            (_, None) if !entries.iter().any(|entry| digests.contain(&entry.digest)) => Some("it is not listed"),
            (_, None) if !entries.iter().any(covers) => Some("it is listed with another media type or size"),
            _ => None,
        };
        if let Some(why) = why {
            let fault = Fault::NotCovered { index: subject.descriptor.digest, artifact: found.digest, why };
            self.state = State::Refused(Class::NotVerified, fault);
            return;
        }
        self.child = Some((found, manifest));
        self.ask_metadata(Some(digests));
    }

    /// The manifest of this digest, from bytes that have it; or the refusal that follows.
    pub(super) fn loaded(&self, what: &'static str, digest: Digest, answer: Answer) -> Result<(Loaded, Vec<u8>), Box<State>> {
        let unavailable = |failure| Box::new(unavailable(what, digest, failure));
        let bytes = bounded(answer, self.manifest_limit()).map_err(unavailable)?;
        // By both algorithms, of which one is the digest's: no byte is hashed twice by one.
        let digests = Digests::of(&bytes);
        if !digests.contain(&digest) {
            return Err(unavailable(Failure::WrongDigest));
        }
        let manifest = Manifest::parse(&bytes)
            .map_err(|error| Box::new(State::Refused(Class::Malformed, Fault::Malformed { what, digest, error })))?;
        let mut descriptor = Descriptor::new(&manifest.media_type, digest, length(&bytes));
        descriptor.artifact_type = manifest.artifact_type().map(ToString::to_string);
        Ok((Loaded { descriptor, manifest, digests }, bytes))
    }

    pub(super) fn manifest_limit(&self) -> Bound {
        Bound { bytes: self.request.limits.manifest, option: "--max-manifest-size" }
    }
}

fn is_index(manifest: &Manifest) -> bool {
    matches!(manifest.kind, Kind::Index { .. })
}

/// The one entry of an index that serves `platform`.
fn choose<'a>(subject: &'a Subject, platform: &Platform) -> Result<&'a Descriptor, Box<Fault>> {
    if !is_index(&subject.manifest) {
        return Err(Box::new(Fault::NoIndex { digest: subject.descriptor.digest }));
    }
    let entries = subject.manifest.children();
    let exact = |entry: &&Descriptor| entry.platform.as_ref() == Some(platform);
    let serves = |entry: &&Descriptor| entry.platform.as_ref().is_some_and(|found| found.serves(platform));
    let mut found: Vec<&Descriptor> = entries.iter().filter(exact).collect();
    if found.is_empty() {
        found = entries.iter().filter(serves).collect();
    }
    found.dedup_by_key(|entry| entry.digest);
    match found.as_slice() {
        [one] => Ok(one),
        found => {
            let names: Vec<String> = entries.iter().filter_map(|e| e.platform.as_ref()).take(32).map(ToString::to_string).collect();
            let (platform, listed) = (platform.to_string(), names.join(", ").escape_debug().to_string());
            Err(Box::new(match found.len() {
                0 => Fault::NoPlatform { platform, listed },
                found => Fault::ManyForPlatform { platform, found, listed },
            }))
        }
    }
}
