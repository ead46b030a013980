//! What an OCI layout says, whichever tool wrote it (SPEC.md, section 14): its tags and its artifacts.

use std::collections::HashSet;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, Manifest, is_index_type, is_manifest_type};

use crate::content::Content;
use crate::error::{Class, Error};
use crate::index::{Entry, Index};
use crate::scan::{MAX_MANIFEST, length};
use crate::source::TRUST_REPOSITORY;

/// At most this many indexes are read to tell artifacts from parts of them.
const MAX_INDEXES: usize = 10_000;
/// At most this many bytes of manifests are read for that.
const MAX_READ: u64 = 1 << 30;
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
pub(crate) fn is_cosign_tag(tag: &str) -> bool {
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
        let accompanies = |entry: &Entry| {
            let artifact_type = index.descriptor(entry).ok().and_then(|descriptor| descriptor.artifact_type);
            entry.tag.is_none() && artifact_type.as_deref() == Some(TRUST_REPOSITORY)
        };
        if roots.iter().any(|entry| !accompanies(entry)) {
            roots.retain(|entry| !accompanies(entry));
        }
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
    let mut left = MAX_READ;
    while let Some(digest) = to_read.pop() {
        let manifest = match content.read(&digest, MAX_MANIFEST.min(left)) {
            Ok(bytes) => {
                left = left.saturating_sub(length(&bytes));
                Manifest::parse(&bytes)
            }
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
