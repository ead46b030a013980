//! The union of all lists of referrers that an OCI layout has (SPEC.md, section 14). oras and notation list referrers in
//! `index.json`, regctl in an index under a tag made of the subject's digest, and cosign nowhere, so that they are found among
//! the blobs alone.

use std::collections::HashSet;
use std::ops::ControlFlow;

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Descriptor, Manifest, is_manifest_type};

use crate::content::Content;
use crate::error::{Class, Error};
use crate::index::Index;
use crate::scan::{MAX_MANIFEST, Scan, contains, length, unread};
use crate::source::{Finding, FindingKind, Referrers};
use crate::union::{is_list_tag, list_tag};

/// At most this many findings are reported.
const MAX_FINDINGS: usize = 100;
/// At most this many lists under one tag are read. Tools write one.
const MAX_LISTS: usize = 4;
/// At most this many bytes of manifests that `index.json` lists are read to learn what they refer to.
const MAX_READ: u64 = 1 << 30;
/// How often lists that change while they are read are read anew.
const ATTEMPTS: usize = 5;

/// See [`Source::referrers`](crate::source::Source::referrers).
pub(crate) fn referrers(content: &dyn Content, subject: &Digest, max_entries: usize, max_bytes: u64) -> Result<Referrers, Error> {
    let mut attempt = 1;
    loop {
        let index = content.index()?;
        let mut union = Union::new(content, subject, max_entries, max_bytes);
        union.collect(&index)?;
        // What is missing may have been replaced since `index.json` was read.
        if !union.missing || attempt == ATTEMPTS || content.index()?.to_vec() == index.to_vec() {
            return Ok(union.found);
        }
        attempt += 1;
    }
}

/// Collects the referrers of one subject.
struct Union<'a> {
    content: &'a dyn Content,
    subject: Digest,
    max_entries: usize,
    bytes_left: u64,
    read_left: u64,
    /// What was looked at, whether or not it is a referrer.
    seen: HashSet<Digest>,
    found: Referrers,
    /// Something that is listed is not there.
    missing: bool,
}

impl<'a> Union<'a> {
    fn new(content: &'a dyn Content, subject: &Digest, max_entries: usize, max_bytes: u64) -> Self {
        let found = Referrers { entries: Vec::new(), complete: true, more: false, findings: Vec::new() };
        Self {
            content,
            subject: *subject,
            max_entries,
            bytes_left: max_bytes,
            read_left: MAX_READ,
            seen: HashSet::new(),
            found,
            missing: false,
        }
    }

    fn collect(&mut self, index: &Index) -> Result<(), Error> {
        if self.list(index).is_break() || self.entries(index).is_break() {
            return Ok(());
        }
        let mut seen = std::mem::take(&mut self.seen);
        let (content, subject) = (self.content, self.subject);
        let mut scan = Scan::new(content, Some(&subject));
        let complete =
            scan.run(&mut seen, &mut |found| self.add(found.descriptor.clone(), length(&found.descriptor.to_json().to_vec())))?;
        for finding in scan.findings {
            self.finding(finding.kind, finding.digest, finding.detail);
        }
        self.found.complete &= complete;
        Ok(())
    }

    /// The list under the subject's tag.
    fn list(&mut self, index: &Index) -> ControlFlow<()> {
        let tag = list_tag(&self.subject);
        let mut lists: Vec<Digest> = Vec::new();
        for entry in index.entries().iter().filter(|entry| entry.tag.as_deref() == Some(&tag)) {
            let Some(digest) = entry.digest.filter(|digest| !lists.contains(digest)) else { continue };
            if lists.len() >= MAX_LISTS {
                let detail = format!("more than {MAX_LISTS} lists of referrers under one tag");
                self.incomplete(Finding { kind: FindingKind::Stopped, digest: Some(self.subject), detail });
                break;
            }
            lists.push(digest);
            let list = match self.content.read_index(&digest) {
                Ok(list) => list,
                Err(error) => {
                    self.missing |= error.class() == Class::NotFound;
                    self.incomplete(unread(&digest, &error));
                    continue;
                }
            };
            for entry in list.entries() {
                let descriptor = match list.descriptor(entry) {
                    Ok(descriptor) => descriptor,
                    Err(reason) => {
                        self.finding(FindingKind::Malformed, entry.digest, format!("an entry of the list of referrers: {reason}"));
                        continue;
                    }
                };
                if self.seen.insert(descriptor.digest) && self.add(descriptor, length(list.text(entry))).is_break() {
                    return ControlFlow::Break(());
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// What `index.json` lists and refers to the subject.
    fn entries(&mut self, index: &Index) -> ControlFlow<()> {
        for entry in index.entries() {
            let Some(digest) = entry.digest else { continue };
            if entry.tag.as_deref().is_some_and(is_list_tag) || !self.seen.insert(digest) {
                continue;
            }
            let Ok(descriptor) = index.descriptor(entry) else { continue };
            if !is_manifest_type(&descriptor.media_type) {
                continue;
            }
            let bytes = match self.content.read(&digest, MAX_MANIFEST.min(self.read_left)) {
                Ok(bytes) => {
                    self.read_left = self.read_left.saturating_sub(length(&bytes));
                    bytes
                }
                Err(error) => {
                    let finding = unread(&digest, &error);
                    // A tagged entry is an artifact; any other may have been a referrer of this subject.
                    if entry.tag.is_none() {
                        self.missing |= error.class() == Class::NotFound;
                        self.incomplete(finding);
                    }
                    continue;
                }
            };
            if !contains(&bytes, self.subject.to_string().as_bytes()) {
                continue;
            }
            match Manifest::parse(&bytes) {
                Ok(manifest) if manifest.subject.as_ref().is_some_and(|subject| subject.digest == self.subject) => {
                    if self.add(descriptor, length(index.text(entry))).is_break() {
                        return ControlFlow::Break(());
                    }
                }
                Ok(_) => {}
                Err(error) => self.finding(FindingKind::Malformed, Some(digest), error.to_string()),
            }
        }
        ControlFlow::Continue(())
    }

    fn add(&mut self, descriptor: Descriptor, bytes: u64) -> ControlFlow<()> {
        let full = self.found.entries.len() >= self.max_entries;
        match self.bytes_left.checked_sub(bytes) {
            Some(left) if !full => {
                self.bytes_left = left;
                self.found.entries.push(descriptor);
                ControlFlow::Continue(())
            }
            _ => {
                let detail = if full {
                    format!("more than {} referrers", self.max_entries)
                } else {
                    "the list of referrers is too large".to_owned()
                };
                self.incomplete(Finding { kind: FindingKind::Stopped, digest: Some(self.subject), detail });
                ControlFlow::Break(())
            }
        }
    }

    fn incomplete(&mut self, finding: Finding) {
        self.found.complete = false;
        if self.found.findings.len() < MAX_FINDINGS {
            self.found.findings.push(finding);
        }
    }

    fn finding(&mut self, kind: FindingKind, digest: Option<Digest>, detail: String) {
        if self.found.findings.len() < MAX_FINDINGS {
            self.found.findings.push(Finding { kind, digest, detail });
        }
    }
}
