//! What an OCI layout says, whichever tool wrote it (SPEC.md, section 14): tags, artifacts, and the union of all lists of
//! referrers. oras and notation list referrers in `index.json`, regctl in an index under a tag made of the subject's digest,
//! and cosign nowhere, so that they are found among the blobs alone.

use std::collections::HashSet;
use std::io::Read;
use std::ops::ControlFlow;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, Manifest, is_index_type, is_manifest_type};

use crate::content::Content;
use crate::error::{Class, Error};
use crate::index::{Entry, Index};
use crate::source::{Finding, FindingKind, Referrers};

/// At most this many bytes of manifest are read to learn what it refers to or lists.
pub(crate) const MAX_MANIFEST: u64 = 4 << 20;
/// At most this many blobs are looked at for referrers that no list has.
const MAX_SCANNED_BLOBS: usize = 1 << 18;
/// Larger ones of them are passed over: layers.
const MAX_SCANNED_SIZE: u64 = 1 << 20;
/// At most this many bytes of them are read.
const MAX_SCANNED_BYTES: u64 = 256 << 20;
/// At most this many findings are reported.
const MAX_FINDINGS: usize = 100;
/// At most this many indexes are read to tell artifacts from parts of them.
const MAX_INDEXES: usize = 10_000;
/// How often lists that change while they are read are read anew.
const ATTEMPTS: usize = 5;
/// At most this many tags are named in an error.
const MAX_NAMED: usize = 20;

/// The tag of the list of `subject`'s referrers (distribution spec, "Referrers Tag Schema"): the algorithm, `-`, and at most 64
/// digits.
pub(crate) fn list_tag(subject: &Digest) -> String {
    let hex = subject.hex();
    format!("{}-{}", subject.algorithm(), hex.get(..64).unwrap_or(&hex))
}

/// Whether a tag is of a list of referrers, or anchors one referrer in a registry (the same, `.`, and 12 digits).
pub(crate) fn is_list_tag(tag: &str) -> bool {
    digest_tag(tag).is_some_and(|rest| rest.is_empty() || rest.strip_prefix('.').is_some_and(|anchor| is_hex(anchor, 12)))
}

/// Whether a tag is one under which cosign keeps what it attaches.
fn is_cosign_tag(tag: &str) -> bool {
    matches!(digest_tag(tag), Some(".sig" | ".att" | ".sbom"))
}

/// What follows the digest that a tag begins with.
fn digest_tag(tag: &str) -> Option<&str> {
    let encoded = Algorithm::ALL.iter().find_map(|algorithm| tag.strip_prefix(algorithm.name())?.strip_prefix('-'))?;
    let (hex, rest) = encoded.split_at_checked(64)?;
    is_hex(hex, 64).then_some(rest)
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// See [`Source::resolve`](crate::source::Source::resolve).
pub(crate) fn resolve(content: &dyn Content, tag: Option<&str>, digest: Option<&Digest>) -> Result<Descriptor, Error> {
    if let Some(digest) = digest {
        return by_digest(content, digest);
    }
    let location = content.place();
    let Some(tag) = tag else {
        let index = content.index()?;
        let mut roots = artifacts(content, &index)?;
        return match (roots.len(), roots.pop()) {
            (1, Some(only)) => index.descriptor(only).map_err(|reason| malformed_entry(location, reason)),
            (0, _) | (_, None) => Err(Error::Empty { location }),
            (_, Some(last)) => {
                roots.push(last);
                let choices = roots.iter().filter_map(|entry| entry.tag.clone().or(entry.digest.map(|digest| digest.to_string())));
                Err(Error::Ambiguous { location, choices: choices.collect() })
            }
        };
    };
    let index = content.index()?;
    let mut named = index.entries().iter().filter(|entry| entry.tag.as_deref() == Some(tag));
    let Some(entry) = named.next() else {
        let tags = index.entries().iter().filter_map(|entry| entry.tag.clone()).filter(|tag| !is_list_tag(tag));
        return Err(Error::NoSuchTag { location, tag: tag.to_owned(), tags: tags.take(MAX_NAMED).collect() });
    };
    if named.any(|other| other.digest != entry.digest) {
        return Err(Error::AmbiguousTag { location, tag: tag.to_owned() });
    }
    index.descriptor(entry).map_err(|reason| malformed_entry(location, reason))
}

fn malformed_entry(location: String, reason: String) -> Error {
    Error::Malformed { location, what: "an entry of index.json".to_owned(), reason }
}

fn by_digest(content: &dyn Content, digest: &Digest) -> Result<Descriptor, Error> {
    let bytes = content.read(digest, MAX_MANIFEST)?;
    let manifest = Manifest::parse(&bytes).map_err(|error| Error::Malformed {
        location: content.place(),
        what: digest.to_string(),
        reason: error.to_string(),
    })?;
    let mut descriptor = Descriptor::new(&manifest.media_type, *digest, length(&bytes));
    descriptor.artifact_type = manifest.artifact_type;
    Ok(descriptor)
}

/// See [`Source::tags`](crate::source::Source::tags).
pub(crate) fn tags(content: &dyn Content) -> Result<Vec<(String, Descriptor)>, Error> {
    let index = content.index()?;
    let tagged = index.entries().iter().filter_map(|entry| Some((entry.tag.clone()?, index.descriptor(entry).ok()?)));
    Ok(tagged.filter(|(tag, _)| !is_list_tag(tag)).collect())
}

/// See [`Source::roots`](crate::source::Source::roots).
pub(crate) fn roots(content: &dyn Content) -> Result<Vec<Descriptor>, Error> {
    let index = content.index()?;
    Ok(artifacts(content, &index)?.into_iter().filter_map(|entry| index.descriptor(entry).ok()).collect())
}

/// The entries of artifacts that refer to nothing and are part of no index, each artifact once, a tagged entry before others.
fn artifacts<'a>(content: &dyn Content, index: &'a Index) -> Result<Vec<&'a Entry>, Error> {
    let mut candidates: Vec<&Entry> = Vec::new();
    let mut known = HashSet::new();
    let own_tag = |entry: &Entry| entry.tag.as_deref().is_some_and(|tag| !is_list_tag(tag) && !is_cosign_tag(tag));
    for entry in index.entries().iter().filter(|entry| own_tag(entry)).chain(index.entries().iter().filter(|entry| entry.tag.is_none())) {
        if entry.digest.is_some_and(|digest| known.insert(digest)) {
            candidates.push(entry);
        }
    }
    let mut parts = HashSet::new();
    let mut others = HashSet::new();
    let mut to_read: Vec<Digest> = Vec::new();
    for entry in &candidates {
        let Some(digest) = entry.digest else { continue };
        match index.descriptor(entry) {
            Ok(descriptor) if is_manifest_type(&descriptor.media_type) => to_read.push(digest),
            _ => drop(others.insert(digest)),
        }
    }
    let mut read: HashSet<Digest> = to_read.iter().copied().collect();
    let mut indexes = 0_usize;
    while let Some(digest) = to_read.pop() {
        let manifest = match content.read(&digest, MAX_MANIFEST) {
            Ok(bytes) => Manifest::parse(&bytes),
            // A listed artifact that cannot be read is still one to choose.
            Err(error) if matches!(error.class(), Class::Unavailable) => return Err(error),
            Err(_) => continue,
        };
        let Ok(manifest) = manifest else { continue };
        if manifest.subject.is_some() {
            others.insert(digest);
        }
        indexes = indexes.saturating_add(usize::from(!manifest.children().is_empty()));
        for child in manifest.children() {
            parts.insert(child.digest);
            if indexes < MAX_INDEXES && is_index_type(&child.media_type) && read.insert(child.digest) {
                to_read.push(child.digest);
            }
        }
    }
    candidates.retain(|entry| entry.digest.is_some_and(|digest| !parts.contains(&digest) && !others.contains(&digest)));
    Ok(candidates)
}

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
    /// What was looked at, whether or not it is a referrer.
    seen: HashSet<Digest>,
    found: Referrers,
    /// Something that is listed is not there.
    missing: bool,
}

impl<'a> Union<'a> {
    fn new(content: &'a dyn Content, subject: &Digest, max_entries: usize, max_bytes: u64) -> Self {
        let found = Referrers { entries: Vec::new(), complete: true, findings: Vec::new() };
        Self { content, subject: *subject, max_entries, bytes_left: max_bytes, seen: HashSet::new(), found, missing: false }
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
        for entry in index.entries().iter().filter(|entry| entry.tag.as_deref() == Some(&tag)) {
            let Some(digest) = entry.digest else { continue };
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
            let bytes = match self.content.read(&digest, MAX_MANIFEST) {
                Ok(bytes) => bytes,
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

/// That content cannot be read, as a finding.
pub(crate) fn unread(digest: &Digest, error: &Error) -> Finding {
    let kind = match error.class() {
        Class::NotFound => FindingKind::Dangling,
        Class::Cap => FindingKind::TooLarge,
        Class::WrongDigest => FindingKind::WrongDigest,
        Class::Malformed | Class::Usage => FindingKind::Malformed,
        Class::Unavailable | Class::NotWritable => FindingKind::Unreadable,
    };
    Finding { kind, digest: Some(*digest), detail: error.to_string() }
}

/// A manifest with a subject, found among the blobs.
pub(crate) struct Found {
    /// What it refers to.
    pub(crate) subject: Digest,
    /// The manifest, with what it says of itself.
    pub(crate) descriptor: Descriptor,
}

/// Looks at every blob that can be a manifest, for those that refer to something.
pub(crate) struct Scan<'a> {
    content: &'a dyn Content,
    /// Only what refers to this.
    subject: Option<&'a Digest>,
    bytes_left: u64,
    /// What looked like a referrer and could not be read as one.
    pub(crate) findings: Vec<Finding>,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(content: &'a dyn Content, subject: Option<&'a Digest>) -> Self {
        Self { content, subject, bytes_left: MAX_SCANNED_BYTES, findings: Vec::new() }
    }

    /// Shows every one that is not in `seen`. Returns whether all blobs were looked at.
    pub(crate) fn run(&mut self, seen: &mut HashSet<Digest>, see: &mut dyn FnMut(&Found) -> ControlFlow<()>) -> Result<bool, Error> {
        let mut blobs = 0_usize;
        let mut complete = true;
        let content = self.content;
        content.each_blob(&mut |digest, size| {
            blobs = blobs.saturating_add(1);
            if blobs > MAX_SCANNED_BLOBS || self.bytes_left == 0 {
                complete = false;
                let detail = "too many blobs to look for referrers that no list has".to_owned();
                self.findings.push(Finding { kind: FindingKind::Stopped, digest: None, detail });
                return ControlFlow::Break(());
            }
            if size > MAX_SCANNED_SIZE || !seen.insert(digest) {
                return ControlFlow::Continue(());
            }
            match self.look(&digest) {
                Ok(Some(found)) => see(&found),
                Ok(None) => ControlFlow::Continue(()),
                // Removed since the folder was listed.
                Err(error) if error.class() == Class::NotFound => ControlFlow::Continue(()),
                Err(error) => {
                    complete = false;
                    self.findings.push(unread(&digest, &error));
                    if self.findings.len() >= MAX_FINDINGS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                }
            }
        })?;
        Ok(complete)
    }

    /// The blob as a referrer, if it is one.
    fn look(&mut self, digest: &Digest) -> Result<Option<Found>, Error> {
        let (size, mut reader) = self.content.open_blob(digest)?;
        let location = self.content.place();
        let mut bytes = Vec::new();
        let failed = |source| Error::content(&location, source);
        reader.by_ref().take(size.min(512)).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return Ok(None);
        }
        reader.take(size.saturating_sub(length(&bytes))).read_to_end(&mut bytes).map_err(failed)?;
        self.bytes_left = self.bytes_left.saturating_sub(size);
        let wanted = self.subject.map(Digest::to_string).unwrap_or_default();
        // A statement, whose subject is an array, is no manifest.
        if ![r#""subject""#, r#""schemaVersion""#, wanted.as_str()].iter().all(|text| contains(&bytes, text.as_bytes())) {
            return Ok(None);
        }
        let found = digest.algorithm().digest(&bytes);
        if found != *digest {
            return Err(Error::WrongDigest { location, expected: *digest, found });
        }
        let manifest = match Manifest::parse(&bytes) {
            Ok(manifest) => manifest,
            Err(error) => {
                // Its bytes are what they were meant to be, so it is no usable referrer, and nothing is missing.
                let finding = Finding { kind: FindingKind::Malformed, digest: Some(*digest), detail: error.to_string() };
                self.findings.push(finding);
                return Ok(None);
            }
        };
        let subject = manifest.subject.as_ref().map(|subject| subject.digest);
        let Some(subject) = subject.filter(|subject| self.subject.is_none_or(|wanted| wanted == subject)) else { return Ok(None) };
        Ok(Some(Found { subject, descriptor: describe(&manifest, digest, length(&bytes)) }))
    }
}

/// The descriptor under which a manifest is listed among referrers (distribution spec, "Listing Referrers"): with its artifact
/// type and annotations.
pub(crate) fn describe(manifest: &Manifest, digest: &Digest, size: u64) -> Descriptor {
    let mut descriptor = Descriptor::new(&manifest.media_type, *digest, size);
    descriptor.artifact_type = manifest.artifact_type().map(str::to_owned);
    descriptor.annotations = manifest.annotations.clone();
    descriptor
}

/// Whether `needle` is part of `bytes`.
pub(crate) fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else { return true };
    let mut bytes = bytes;
    while let Some(at) = bytes.iter().position(|byte| byte == first) {
        bytes = bytes.get(at.saturating_add(1)..).unwrap_or_default();
        if bytes.starts_with(rest) {
            return true;
        }
    }
    false
}

/// The length of `bytes`.
pub(crate) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
