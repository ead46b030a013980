//! Who refers to an artifact: the referrers API (distribution spec, "Listing Referrers"), and the union with the other lists that
//! registries have.

use std::collections::HashSet;
use std::ops::ControlFlow;

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Descriptor, IMAGE_INDEX};

use super::anchors::{UNLIKE, anchor_digits};
use super::fallback::{Fallback, reason};
use super::manifests::MAX_SMALL;
use super::{Answer, Api, MAX_PARALLEL, Registry, link};
use crate::error::{Class, Error};
use crate::index::{self, Fault, Frame};
use crate::parallel;
use crate::scan::{MAX_MANIFEST, length, unread};
use crate::source::{Finding, FindingKind, Referrers, Source};
use crate::union::list_tag;

/// At most this many pages are read.
const MAX_PAGES: usize = 1_024;
/// At most this many findings are reported.
const MAX_FINDINGS: usize = 100;
/// What an annotation takes in memory besides its text.
const PER_ANNOTATION: usize = 128;
/// Of the annotations, which are hints, so many bytes are kept; further entries are kept without theirs.
const MAX_ANNOTATIONS: usize = 4 << 20;
/// The error codes with which a registry that has the API may say that it does not know the repository or the subject.
const UNKNOWN: [&str; 3] = ["NAME_UNKNOWN", "MANIFEST_UNKNOWN", "BLOB_UNKNOWN"];

/// The entries of a list of referrers as a server gives it, each as a descriptor, or why it is none.
///
/// # Errors
/// Why it is no list: not an index as this library reads it, or too large a one.
pub fn parse(body: Vec<u8>) -> Result<Vec<Result<Descriptor, String>>, String> {
    let list = Frame::read_list(body).map_err(reason)?;
    Ok(list.texts().map(|text| index::descriptor(text).map_err(reason)).collect())
}

impl Registry {
    /// See [`Source::quick_referrers`]: what the referrers API lists or, without it, the list under the fallback tag.
    pub(super) fn first_list(&self, subject: &Digest, max_entries: usize, max_bytes: u64) -> Result<Referrers, Error> {
        let mut union = Union::new(self, subject, max_entries, max_bytes);
        if !union.ask_api()? {
            union.ask_fallback()?;
        }
        union.found.more = true;
        Ok(union.found)
    }

    /// See [`Source::referrers`]: the union of what the referrers API lists, of the list under the fallback tag, and of the anchors.
    pub(super) fn all_lists(&self, subject: &Digest, max_entries: usize, max_bytes: u64) -> Result<Referrers, Error> {
        let mut union = Union::new(self, subject, max_entries, max_bytes);
        let has_api = union.ask_api()?;
        let has_tag = match union.ask_fallback() {
            Ok(has_tag) => has_tag,
            // What the API listed is there to be looked at.
            Err(error) if has_api => {
                union.incomplete(Finding { digest: Some(*subject), ..unread(subject, &error) });
                true
            }
            Err(error) => return Err(error),
        };
        if !has_api || has_tag {
            union.ask_anchors();
        }
        Ok(union.found)
    }

    /// What the referrers API lists, and nothing else; `None` if the registry has none.
    ///
    /// # Errors
    /// Any first answer but a list and 404.
    pub(super) fn api_list(&self, subject: &Digest, max_entries: usize, max_bytes: u64) -> Result<Option<Referrers>, Error> {
        let mut union = Union::new(self, subject, max_entries, max_bytes);
        Ok(union.ask_api()?.then_some(union.found))
    }
}

/// Collects the referrers of one subject.
struct Union<'a> {
    registry: &'a Registry,
    subject: Digest,
    max_entries: usize,
    /// Of lists.
    bytes_left: u64,
    /// For annotations.
    room: usize,
    seen: HashSet<Digest>,
    found: Referrers,
}

impl<'a> Union<'a> {
    fn new(registry: &'a Registry, subject: &Digest, max_entries: usize, max_bytes: u64) -> Self {
        let found = Referrers { complete: true, ..Referrers::default() };
        Self { registry, subject: *subject, max_entries, bytes_left: max_bytes, room: MAX_ANNOTATIONS, seen: HashSet::new(), found }
    }

    /// Adds what the referrers API lists; `false` if there is no such API.
    ///
    /// # Errors
    /// Any first answer but a list and 404. Where a later page fails, the entries of those before it are kept.
    fn ask_api(&mut self) -> Result<bool, Error> {
        if self.registry.api() == Api::Absent {
            return Ok(false);
        }
        let mut path = self.registry.path(&format!("referrers/{}", self.subject));
        let mut asked = HashSet::new();
        while asked.len() < MAX_PAGES {
            let page = self.page(&path);
            let first = asked.is_empty();
            let (next, frame) = match page {
                Ok(Answer::Found(page)) => page,
                Ok(Answer::Missing(code)) if first => {
                    let unknown = code.is_some_and(|code| UNKNOWN.contains(&code.as_str()));
                    match self.registry.api() {
                        _ if unknown => {}
                        // It listed something before. What this list has is not known, and other lists may be there to be looked at.
                        Api::Present => self.unreadable(&self.registry.protocol(&path, "404, and the registry has the referrers API")),
                        Api::Unknown | Api::Absent => self.registry.learn_api(false),
                    }
                    return Ok(false);
                }
                Ok(Answer::Missing(_)) => {
                    self.unreadable(&self.registry.protocol(&path, "404, and an earlier page named this one"));
                    return Ok(true);
                }
                Err(error) if error.class() == Class::Cap => {
                    self.stopped(error.to_string());
                    return Ok(true);
                }
                Err(error) if first => return Err(error),
                Err(error) => {
                    self.unreadable(&error);
                    return Ok(true);
                }
            };
            self.registry.learn_api(true);
            if self.add_list(&frame).is_break() {
                return Ok(true);
            }
            let Some(next) = next else { return Ok(true) };
            asked.insert(std::mem::replace(&mut path, next));
            if asked.contains(&path) {
                self.unreadable(&self.registry.protocol(&path, "the pages go in a circle"));
                return Ok(true);
            }
        }
        self.stopped(format!("the list of referrers has more than {MAX_PAGES} pages"));
        Ok(true)
    }

    /// A page of the referrers API, with the path of the next.
    fn page(&mut self, path: &str) -> Result<Answer<(Option<String>, Frame)>, Error> {
        let (response, body) = match self.registry.document(path, IMAGE_INDEX, self.bytes_left)? {
            Answer::Found(found) => found,
            Answer::Missing(code) => return Ok(Answer::Missing(code)),
        };
        let next = link::next_path(&response)?;
        self.bytes_left = self.bytes_left.saturating_sub(length(&body));
        match Frame::read_list(body) {
            Ok(frame) => Ok(Answer::Found((next, frame))),
            Err(fault @ (Fault::TooMany | Fault::TooLarge { .. })) => {
                Err(crate::content::index_error(&self.registry.location(), "the list of referrers", fault))
            }
            Err(fault) => Err(self.registry.protocol(path, &format!("the list of referrers is malformed: {}", reason(fault)))),
        }
    }

    /// Adds the list under the fallback tag; `false` if there is no such tag.
    fn ask_fallback(&mut self) -> Result<bool, Error> {
        match self.registry.fallback_as(&self.subject, self.bytes_left, Frame::read_list) {
            Ok(Fallback::None) => return Ok(false),
            Ok(Fallback::List { list, .. }) => {
                self.bytes_left = self.bytes_left.saturating_sub(list.length());
                let _ = self.add_list(&list);
            }
            Ok(Fallback::Other { reason }) => {
                let detail = format!("{} is no list of referrers: {reason}", list_tag(&self.subject));
                self.finding(Finding { kind: FindingKind::Malformed, digest: Some(self.subject), detail });
            }
            Err(error) if error.class() == Class::Cap => self.stopped(error.to_string()),
            // Something that was a list, perhaps: the anchors are read, and what they do not name may be missing.
            Err(error) if error.class() == Class::Malformed => self.unreadable(&error),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Adds what anchors name. Only those of manifests that were read are left out: an entry of a list may have the digits of an
    /// anchor and lead nowhere. What is read here is in the cache for whoever wants the manifests.
    fn ask_anchors(&mut self) {
        let anchors = self.registry.anchor_tags(&self.subject);
        if let Some(error) = anchors.stopped {
            self.unreadable(&error);
        }
        let read = self.seen.iter().filter(|digest| self.registry.cache.find(digest).is_some());
        let known: HashSet<String> = read.map(anchor_digits).collect();
        let unknown: Vec<String> =
            anchors.tags.into_iter().filter(|tag| !tag.rsplit('.').next().is_some_and(|digits| known.contains(digits))).collect();
        let (registry, subject) = (self.registry, self.subject);
        for (number, tags) in unknown.chunks(MAX_PARALLEL).enumerate() {
            // Those that lead nowhere take a request too.
            if number.saturating_mul(MAX_PARALLEL) > self.max_entries {
                return self.stopped(format!("more than {} anchors that no list has", self.max_entries));
            }
            let read = parallel::map(tags, MAX_PARALLEL, |tag| registry.read_anchor(tag, &subject, MAX_SMALL));
            for (tag, read) in tags.iter().zip(read) {
                let read = match read {
                    Err(error) if error.class() == Class::Cap => registry.read_anchor(tag, &subject, MAX_MANIFEST),
                    read => read,
                };
                let added = match read {
                    Ok(Some(descriptor)) if self.seen.insert(descriptor.digest) => {
                        let size = length(&descriptor.to_json().to_vec());
                        self.add(descriptor, size)
                    }
                    Ok(_) => ControlFlow::Continue(()),
                    Err(Error::Malformed { reason, .. }) if reason == UNLIKE => {
                        let path = registry.path(&format!("manifests/{tag}"));
                        self.unreadable(&registry.protocol(&path, UNLIKE));
                        ControlFlow::Continue(())
                    }
                    // Someone used the tag for something else, which hides nothing.
                    Err(error) if matches!(error.class(), Class::Malformed | Class::Usage) => {
                        self.finding(unread(&subject, &error));
                        ControlFlow::Continue(())
                    }
                    Err(error) => {
                        self.unreadable(&error);
                        ControlFlow::Continue(())
                    }
                };
                if added.is_break() {
                    return;
                }
            }
        }
    }

    fn add_list(&mut self, list: &Frame) -> ControlFlow<()> {
        for text in list.texts() {
            match index::descriptor(text) {
                Ok(descriptor) if self.seen.insert(descriptor.digest) => self.add(descriptor, 0)?,
                Ok(_) => {}
                Err(fault @ Fault::TooLarge { .. }) => {
                    let detail = format!("an entry of the list of referrers: {}", reason(fault));
                    self.incomplete(Finding { kind: FindingKind::TooLarge, digest: None, detail });
                }
                Err(fault) => {
                    let detail = format!("an entry of the list of referrers: {}", reason(fault));
                    self.finding(Finding { kind: FindingKind::Malformed, digest: None, detail });
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Adds an entry, of which `size` bytes were not counted yet.
    fn add(&mut self, mut descriptor: Descriptor, size: u64) -> ControlFlow<()> {
        if self.found.entries.len() >= self.max_entries {
            self.stopped(format!("more than {} referrers", self.max_entries));
            return ControlFlow::Break(());
        }
        // Whoever wants the manifest asks for it.
        descriptor.data = None;
        let annotations = descriptor.annotations.iter();
        let taken: usize = annotations.map(|(name, text)| PER_ANNOTATION.saturating_add(name.len()).saturating_add(text.len())).sum();
        match self.room.checked_sub(taken) {
            Some(room) => self.room = room,
            None => descriptor.annotations.clear(),
        }
        let Some(left) = self.bytes_left.checked_sub(size) else {
            self.stopped("the list of referrers is too large".to_owned());
            return ControlFlow::Break(());
        };
        self.bytes_left = left;
        self.found.entries.push(descriptor);
        ControlFlow::Continue(())
    }

    fn stopped(&mut self, detail: String) {
        self.incomplete(Finding { kind: FindingKind::Stopped, digest: Some(self.subject), detail });
    }

    fn unreadable(&mut self, error: &Error) {
        self.incomplete(unread(&self.subject.clone(), error));
    }

    fn incomplete(&mut self, finding: Finding) {
        self.found.complete = false;
        self.finding(finding);
    }

    fn finding(&mut self, finding: Finding) {
        if self.found.findings.len() < MAX_FINDINGS {
            self.found.findings.push(finding);
        }
    }
}
