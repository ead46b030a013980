//! Looking for referrers among the blobs, where no list is needed to find them.

use std::collections::HashSet;
use std::io::Read;
use std::ops::ControlFlow;

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Descriptor, Manifest};

use crate::content::Content;
use crate::error::{Class, Error};
use crate::source::{Finding, FindingKind};

/// At most this many bytes of manifest are read to learn what it refers to or lists.
pub(crate) const MAX_MANIFEST: u64 = 4 << 20;
/// At most this many blobs are looked at.
const MAX_BLOBS: usize = 1 << 18;
/// Larger ones are passed over: layers.
const MAX_SIZE: u64 = 1 << 20;
/// At most this many bytes are read.
const MAX_BYTES: u64 = 256 << 20;
/// At most this many findings are kept.
const MAX_FINDINGS: usize = 100;

/// That content cannot be read, as a finding.
pub(crate) fn unread(digest: &Digest, error: &Error) -> Finding {
    let kind = match error.class() {
        Class::NotFound => FindingKind::Dangling,
        Class::Cap => FindingKind::TooLarge,
        Class::WrongDigest => FindingKind::WrongDigest,
        Class::Malformed | Class::Usage => FindingKind::Malformed,
        Class::Unavailable | Class::NotWritable | Class::Denied => FindingKind::Unreadable,
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
        Self { content, subject, bytes_left: MAX_BYTES, findings: Vec::new() }
    }

    /// Shows every one that is not in `seen`. Returns whether all blobs were looked at.
    pub(crate) fn run(&mut self, seen: &mut HashSet<Digest>, see: &mut dyn FnMut(&Found) -> ControlFlow<()>) -> Result<bool, Error> {
        let mut blobs = 0_usize;
        let mut complete = true;
        let content = self.content;
        content.each_blob(&mut |digest, size| {
            blobs = blobs.saturating_add(1);
            if blobs > MAX_BLOBS || self.bytes_left == 0 {
                complete = false;
                let detail = "too many blobs to look for referrers that no list has".to_owned();
                self.findings.push(Finding { kind: FindingKind::Stopped, digest: None, detail });
                return ControlFlow::Break(());
            }
            if size > MAX_SIZE || !seen.insert(digest) {
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
        if !may_be_object(&bytes) {
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

/// Whether what begins like this may be a JSON object: white space alone decides nothing.
pub(crate) fn may_be_object(beginning: &[u8]) -> bool {
    beginning.iter().find(|byte| !byte.is_ascii_whitespace()).is_none_or(|byte| *byte == b'{')
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
