//! Every referrer of an OCI layout at once. Whoever walks from referrer to referrer asks for thousands of subjects, and each
//! question of its own would look at every blob.

use std::collections::HashSet;
use std::ops::ControlFlow;

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Descriptor, Manifest, is_manifest_type};

use crate::content::Content;
use crate::error::{Class, Error};
use crate::index::Index;
use crate::scan::{MAX_MANIFEST, Scan, length, unread};
use crate::source::{AllReferrers, Finding, FindingKind};
use crate::union::is_list_tag;

/// At most this many findings are reported.
const MAX_FINDINGS: usize = 100;
/// At most this many bytes of lists are read.
const MAX_LISTS: u64 = 1 << 30;
/// How often lists that change while they are read are read anew.
const ATTEMPTS: usize = 5;

/// See [`Source::all_referrers`](crate::source::Source::all_referrers).
pub(crate) fn survey(content: &dyn Content, max_entries: usize, max_bytes: u64) -> Result<AllReferrers, Error> {
    let mut attempt = 1;
    loop {
        let index = content.index()?;
        let mut survey = Survey {
            content,
            seen: HashSet::new(),
            entries_left: max_entries,
            bytes_left: max_bytes,
            found: AllReferrers { complete: true, ..AllReferrers::default() },
            missing: false,
        };
        survey.run(&index)?;
        // What is missing may have been replaced since `index.json` was read.
        if !survey.missing || attempt == ATTEMPTS || content.index()?.to_vec() == index.to_vec() {
            return Ok(survey.found);
        }
        attempt += 1;
    }
}

struct Survey<'a> {
    content: &'a dyn Content,
    /// Content that was looked at, whether or not it refers to something.
    seen: HashSet<Digest>,
    entries_left: usize,
    bytes_left: u64,
    found: AllReferrers,
    /// Something that is listed is not there.
    missing: bool,
}

impl Survey<'_> {
    fn run(&mut self, index: &Index) -> Result<(), Error> {
        let mut left = MAX_LISTS;
        let mut lists = HashSet::new();
        for entry in index.entries() {
            let Some(tag) = entry.tag.as_deref().filter(|tag| is_list_tag(tag)) else { continue };
            let Some(list) = entry.digest.filter(|list| lists.insert(*list)) else { continue };
            left = left.saturating_sub(self.content.blob_size(&list)?.unwrap_or_default());
            if left == 0 {
                self.found.complete = false;
                self.find(Finding { kind: FindingKind::Stopped, digest: None, detail: "too many lists of referrers".to_owned() });
                break;
            }
            if self.list(tag, &list)?.is_break() {
                return Ok(());
            }
        }
        for entry in index.entries().iter().filter(|entry| !entry.tag.as_deref().is_some_and(is_list_tag)) {
            let Ok(descriptor) = index.descriptor(entry) else { continue };
            if is_manifest_type(&descriptor.media_type)
                && self.seen.insert(descriptor.digest)
                && self.entry(descriptor, None, entry.tag.is_some())?.is_break()
            {
                return Ok(());
            }
        }
        let mut seen = std::mem::take(&mut self.seen);
        let mut scan = Scan::new(self.content, None);
        let complete = scan.run(&mut seen, &mut |found| self.add(found.subject, found.descriptor.clone()))?;
        self.found.complete &= complete;
        for finding in scan.findings {
            self.find(finding);
        }
        Ok(())
    }

    /// The list of a subject's referrers.
    fn list(&mut self, tag: &str, digest: &Digest) -> Result<ControlFlow<()>, Error> {
        let list = match self.content.read_index(digest) {
            Ok(list) => list,
            Err(error) => {
                self.missing |= error.class() == Class::NotFound;
                self.found.complete = false;
                self.find(unread(digest, &error));
                return Ok(ControlFlow::Continue(()));
            }
        };
        // A tag holds 64 digits: all of a sha256 digest.
        let subject = tag.strip_prefix("sha256-").and_then(|hex| format!("sha256:{hex}").parse().ok());
        for entry in list.entries() {
            match list.descriptor(entry) {
                Ok(descriptor) => {
                    if self.seen.insert(descriptor.digest) && self.entry(descriptor, subject, false)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Err(reason) => self.find(Finding {
                    kind: FindingKind::Malformed,
                    digest: entry.digest,
                    detail: format!("an entry of the list of referrers: {reason}"),
                }),
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// A listed manifest: under its subject, if it has one. What cannot be read stands under the subject that lists it, if one does.
    fn entry(&mut self, descriptor: Descriptor, lister: Option<Digest>, is_tagged: bool) -> Result<ControlFlow<()>, Error> {
        let bytes = match self.content.read(&descriptor.digest, MAX_MANIFEST) {
            Ok(bytes) => bytes,
            Err(error) => {
                // A tagged entry is an artifact; any other may have been a referrer.
                if !is_tagged {
                    self.missing |= error.class() == Class::NotFound;
                    self.found.complete &= lister.is_some();
                    self.find(unread(&descriptor.digest, &error));
                }
                return Ok(lister.map_or(ControlFlow::Continue(()), |subject| self.add(subject, descriptor)));
            }
        };
        match Manifest::parse(&bytes) {
            Ok(manifest) => Ok(match manifest.subject {
                Some(subject) => self.add(subject.digest, descriptor),
                None => ControlFlow::Continue(()),
            }),
            Err(error) => {
                self.find(Finding { kind: FindingKind::Malformed, digest: Some(descriptor.digest), detail: error.to_string() });
                Ok(lister.map_or(ControlFlow::Continue(()), |subject| self.add(subject, descriptor)))
            }
        }
    }

    fn add(&mut self, subject: Digest, descriptor: Descriptor) -> ControlFlow<()> {
        let bytes = length(&descriptor.to_json().to_vec());
        match (self.entries_left.checked_sub(1), self.bytes_left.checked_sub(bytes)) {
            (Some(entries), Some(left)) => {
                (self.entries_left, self.bytes_left) = (entries, left);
                self.found.by_subject.entry(subject).or_default().push(descriptor);
                ControlFlow::Continue(())
            }
            _ => {
                self.found.complete = false;
                self.find(Finding { kind: FindingKind::Stopped, digest: None, detail: "too many referrers".to_owned() });
                ControlFlow::Break(())
            }
        }
    }

    fn find(&mut self, finding: Finding) {
        if self.found.findings.len() < MAX_FINDINGS && !self.found.findings.contains(&finding) {
            self.found.findings.push(finding);
        }
    }
}
