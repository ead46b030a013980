//! What becomes of a statement that was found, or that the caller offered.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use touchmark_envelope::Unverified;

use crate::attestation::{self, Evidence, LayoutForm, MAX_STATEMENTS, Offered, is_bundle};
use crate::document::Document;
use crate::error::{Error, cut};
use crate::limits::Limits;
use crate::work::OutOfWork;

use super::Verification;
use super::attested::{Role, Statement};
use super::reason::{Reason, Refusal};
use super::report::{FileReport, Warning};

/// A statement that the caller offered, for every step and subject.
#[derive(Debug)]
pub(super) struct Loaded {
    name: String,
    bytes: u64,
    document: Document,
    predicate_type: String,
}

/// What was read of what the caller offered.
#[derive(Debug, Default)]
pub(super) struct Collection {
    pub(super) statements: Vec<Loaded>,
    /// What is no statement.
    pub(super) warnings: Vec<Warning>,
    /// There are more than are looked at.
    pub(super) is_too_large: bool,
}

impl Collection {
    /// Reads what the caller offered. What is no statement is told, and ignored (bundle.md).
    pub(super) fn load(offered: Vec<Offered>, limits: &Limits) -> Self {
        let mut all = Self::default();
        for Offered { name, bytes } in offered {
            if !is_bundle(&name) {
                all.add(name, bytes, limits);
                continue;
            }
            for (number, line) in lines(&bytes) {
                all.add(place_in(&name, number), line.to_vec(), limits);
            }
        }
        all
    }

    fn add(&mut self, name: String, bytes: Vec<u8>, limits: &Limits) {
        if self.statements.len() >= MAX_STATEMENTS || self.warnings.len() >= MAX_STATEMENTS {
            self.is_too_large = true;
            return;
        }
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let read = Document::parse(bytes, limits).map(Unverified::into_untrusted).and_then(|document| {
            let predicate_type = attestation::predicate_type(document.statement()?)?;
            Ok((document, predicate_type))
        });
        match read {
            Ok((document, predicate_type)) => self.statements.push(Loaded { name, bytes: length, document, predicate_type }),
            Err(error) => self.warnings.push(Warning::Offered { name, error }),
        }
    }
}

impl Verification {
    /// Looks at a file of a step or a subject that expects predicates: an envelope, or a bundle of them.
    pub(super) fn attest(&mut self, path: String, bytes: Vec<u8>) {
        if !is_bundle(&path) {
            return match Document::parse(bytes, &self.settings.limits).map(Unverified::into_untrusted) {
                Ok(document) => self.statement(path, &document),
                Err(error) => self.note(path, Refusal::Malformed(error)),
            };
        }
        for (count, (number, line)) in lines(&bytes).enumerate() {
            if count >= MAX_STATEMENTS {
                let error = Error::TooMany { what: "statements", limit: MAX_STATEMENTS };
                return self.note(path, Refusal::Malformed(error));
            }
            // A line of one byte is told of in some hundred, and strangers' bundles may be many.
            self.requests = self.requests.saturating_add(1);
            if self.requests > self.settings.limits.requests {
                return self.stop(Reason::TooManyFiles { limit: self.settings.limits.requests });
            }
            let place = place_in(&path, number);
            match Document::parse(line.to_vec(), &self.settings.limits).map(Unverified::into_untrusted) {
                Ok(document) => self.statement(place, &document),
                Err(error) => self.note(place, Refusal::Malformed(error)),
            }
        }
    }

    /// Reads what the caller offered, for a layout that asks for statements.
    pub(super) fn load_offered(&mut self) {
        let offered = core::mem::take(&mut self.settings.attestations);
        let Some(frame) = self.frames.last_mut().filter(|frame| frame.form() == LayoutForm::Attestations) else { return };
        let mut collection = Collection::load(offered, &self.settings.limits);
        frame.warn(core::mem::take(&mut collection.warnings));
        let is_too_large = collection.is_too_large;
        self.offered = collection;
        if is_too_large {
            self.stop(Reason::TooManyFiles { limit: u32::try_from(MAX_STATEMENTS).unwrap_or(u32::MAX) });
        }
    }

    /// Looks at all that the caller offered that has a predicate which is expected.
    pub(super) fn look_at_offered(&mut self) {
        let collection = core::mem::take(&mut self.offered);
        for loaded in &collection.statements {
            let item = self.frames.last().and_then(|frame| frame.item.as_ref());
            let Some(attested) = item.and_then(|item| item.attested.as_ref()) else { break };
            if !attested.expected.iter().any(|expected| expected.predicate.predicate_type == loaded.predicate_type) {
                continue;
            }
            // Each is looked at once for each step: so its bytes count each time.
            self.bytes = self.bytes.saturating_add(loaded.bytes);
            if self.bytes > self.settings.limits.files {
                self.stop(Reason::TooManyBytes { limit: self.settings.limits.files });
                break;
            }
            self.requests = self.requests.saturating_add(1);
            if self.requests > self.settings.limits.requests {
                self.stop(Reason::TooManyFiles { limit: self.settings.limits.requests });
                break;
            }
            self.statement(loaded.name.clone(), &loaded.document);
        }
        self.offered = collection;
        if let Some(attested) = self.frames.last_mut().and_then(|frame| frame.item.as_mut()?.attested.as_mut()) {
            attested.looked_at_offered = true;
        }
    }

    /// Looks at a statement: who signed it comes first, and what it says after that.
    fn statement(&mut self, path: String, document: &Document) {
        let Self { frames, work, .. } = self;
        let Some(item) = frames.last_mut().and_then(|frame| frame.item.as_mut()) else { return };
        let signers = document.signers(&item.functionaries.keys);
        let signed_by = signers.keys().to_vec();
        item.unavailable |= signers.gave_up();
        let file = |refusal| FileReport {
            path: path.clone(),
            from: None,
            signed_by: signed_by.clone(),
            certified: Vec::new(),
            refusal,
            sublayout: None,
        };
        if signed_by.is_empty() {
            let refusal = match document.is_signed_by_gpg() {
                true => Refusal::Gpg,
                false if signers.gave_up() => Refusal::TooManyChecks,
                false => Refusal::Signature,
            };
            return item.note(file(Some(refusal)));
        }
        let name = item.name().into();
        let Some(attested) = &mut item.attested else { return };
        let read = document.statement().and_then(|text| Ok((text, attestation::predicate_type(text)?)));
        let (text, found) = match read {
            Ok(read) => read,
            Err(error) => return item.note(file(Some(Refusal::Malformed(error)))),
        };
        let wanted = attested.expected.iter().enumerate().find(|(_, expected)| expected.predicate.predicate_type == found);
        let Some((expected, wanted)) = wanted else {
            return item.note(file(Some(Refusal::OtherPredicate { found: cut(&found, 128) })));
        };
        // Who may vouch for another predicate of the step may not for this one.
        let signers = signers.only(|key| wanted.keys.keys().contains(key));
        if signers.keys().is_empty() {
            return item.note(file(Some(Refusal::Signature)));
        }
        let evidence = match Evidence::read(text, &found) {
            Ok(evidence) => evidence,
            Err(error) => return item.note(file(Some(Refusal::Malformed(error)))),
        };
        if let Some(step) = evidence.step.as_ref().filter(|step| attested.role == Role::Step && **step != name) {
            return item.note(file(Some(Refusal::OtherName { found: cut(step, 128) })));
        }
        let unmet = match evidence.unmet(&wanted.predicate.constraints, work) {
            Ok(Ok(unmet)) => unmet,
            Ok(Err(OutOfWork)) => return self.stop(Reason::TooMuchWork { item: name }),
            Err(error) => return item.note(file(Some(Refusal::Malformed(error)))),
        };
        let (digest, counts) = (document.digest(), unmet.is_empty());
        let subjects = evidence.subjects.iter().filter_map(|subject| subject.digest.clone()).collect();
        // Beside links, what only says something of artifacts is held against what these say was made.
        let role = attested.role;
        let says = role == Role::Step && (!attested.has_links() || evidence.class() == crate::predicate::Class::Link);
        let link = match says.then(|| evidence.into_link(&name)).transpose() {
            Ok(link) => link.map(Arc::new),
            Err(error) => return item.note(file(Some(Refusal::Malformed(error)))),
        };
        let refusal = (!counts).then_some(Refusal::Unmet(unmet));
        let place = item.note_at(file(refusal));
        if let Some(attested) = &mut item.attested {
            attested.statements.push(Statement { path, signers, expected, digest, subjects, link, counts, is_of_step: true, file: place });
        }
    }
}

/// The lines of a bundle that are not empty, by their numbers from 1.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let lines = bytes.split(|byte| *byte == b'\n').zip(1..).map(|(line, number)| (number, line.trim_ascii()));
    lines.filter(|(_, line)| !line.is_empty())
}

fn place_in(name: &str, line: usize) -> String {
    alloc::format!("{name}:{line}")
}
