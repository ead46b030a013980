//! What is below the artifact, hashed by a deep verification.

use alloc::boxed::Box;

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Descriptor, Manifest, is_manifest_type};

use super::{Search, State, wrong_content};
use crate::report::{Class, Fault};

impl Search {
    pub(super) fn begin_contents(&mut self) {
        self.state = State::Accepted;
        if !self.request.deep {
            return;
        }
        let manifest = self.child.as_ref().map(|(_, manifest)| manifest).or(self.subject.as_ref().map(|s| &s.manifest)).cloned();
        match manifest.map_or(Ok(()), |manifest| self.push_contents(&manifest)) {
            Ok(()) => self.next_content(),
            Err(refused) => self.state = *refused,
        }
    }

    /// Queues what is below a manifest; or the refusal, if it contradicts what was listed before or cannot be followed.
    pub(super) fn push_contents(&mut self, manifest: &Manifest) -> Result<(), Box<State>> {
        if let Some(child) = manifest.children().iter().find(|child| !is_manifest_type(&child.media_type)) {
            return Err(Box::new(State::Refused(Class::Unknown, Fault::UnknownChild { digest: child.digest })));
        }
        for descriptor in manifest.children().iter().chain(manifest.blobs()) {
            match self.seen.insert(descriptor.digest, descriptor.size) {
                None => self.contents.push_back(descriptor.clone()),
                Some(size) if size == descriptor.size => {}
                Some(_) => return Err(Box::new(wrong_content(descriptor))),
            }
        }
        Ok(())
    }

    pub(super) fn next_content(&mut self) {
        let limit = self.request.limits.contents;
        self.state = match self.contents.pop_front() {
            None => State::Accepted,
            Some(_) if self.seen.len() > limit => State::Refused(Class::Unknown, Fault::TooManyContents { limit }),
            Some(descriptor) => {
                let manifest = is_manifest_type(&descriptor.media_type);
                State::Content { descriptor, manifest }
            }
        };
    }

    pub(super) fn content_hashed(&mut self, descriptor: &Descriptor, digest: Digest, size: u64) {
        if digest == descriptor.digest && size == descriptor.size {
            self.hashed += 1;
            self.next_content();
        } else {
            self.state = wrong_content(descriptor);
        }
    }
}
