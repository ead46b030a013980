//! Reading manifests, by tag and by digest (distribution spec, "Pulling manifests"), and what a repository holds.

use std::collections::HashSet;
use std::sync::Arc;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::{self, Value};
use touchmark_envelope::manifest::{
    DOCKER_LIST, DOCKER_MANIFEST, Descriptor, IMAGE_INDEX, IMAGE_MANIFEST, Manifest, is_index_type, is_manifest_type,
};

use super::gate::Room;
use super::{Answer, MAX_PARALLEL, Registry};
use crate::error::{Class, Error};
use crate::parallel;
use crate::scan::{MAX_MANIFEST, length};
use crate::source::Source;
use crate::transport::{Method, Response};
use crate::union::is_cosign_tag;

/// At most this many manifests are read to tell artifacts from parts of them.
const MAX_READ: usize = 10_000;
/// Of those that are read at the same time each has at most this many bytes; a larger one is read by itself.
pub(super) const MAX_SMALL: u64 = 256 << 10;

/// A manifest as a registry gave it.
pub(super) struct Fetched {
    /// The digest of the bytes: by the algorithm of the digest that was asked for, or else of the one that the registry named.
    pub(super) digest: Digest,
    /// The bytes. They may be anything: that they are a manifest is not said.
    pub(super) bytes: Vec<u8>,
    /// What the registry says that they are, if it is a media type of manifests.
    pub(super) media_type: Option<String>,
}

/// What stands in the head of an answer with a manifest.
pub(super) struct Head {
    digest: Option<Digest>,
    media_type: Option<String>,
    pub(super) length: Option<u64>,
}

impl Head {
    pub(super) fn of(response: &Response) -> Self {
        let media_type = response.header("Content-Type").map(|text| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        Self {
            digest: response.header("Docker-Content-Digest").and_then(|text| text.trim().parse().ok()),
            media_type: media_type.filter(|media_type| is_manifest_type(media_type)),
            length: response.header("Content-Length").and_then(|text| text.trim().parse().ok()),
        }
    }
}

/// What is accepted as a manifest: other kinds are not read, and registries convert to none of them.
pub(super) fn accepted() -> String {
    [IMAGE_MANIFEST, IMAGE_INDEX, DOCKER_MANIFEST, DOCKER_LIST].join(", ")
}

/// The media type of a manifest: what it says, or else what its members mean in OCI. Nothing is built of the rest, for a list of
/// referrers may be large.
pub(super) fn media_type(bytes: &[u8]) -> Option<String> {
    let members = json::members(bytes, bytes.len()).ok()?;
    let member = |wanted: &str| members.iter().find(|(name, _)| name == wanted).map(|(_, text)| *text);
    match member("mediaType").map(|text| json::parse(text.as_bytes(), text.len())) {
        Some(Ok(Value::String(said))) if !said.is_empty() => Some(said.into_owned()),
        _ if member("manifests").is_some() => Some(IMAGE_INDEX.to_owned()),
        _ => member("config").map(|_| IMAGE_MANIFEST.to_owned()),
    }
}

/// What is asked for: a tag or a digest.
#[derive(Clone, Copy)]
pub(super) enum Name<'a> {
    Tag(&'a str),
    Digest(&'a Digest),
}

impl Registry {
    /// GETs a manifest, past the cache, hashes it and gives it to `take`; `None` is 404. While `take` runs, few large ones are in
    /// memory.
    ///
    /// # Errors
    /// More than `limit` bytes, another digest than the one asked for, a head that the bytes contradict, and what `take` says.
    pub(super) fn fetch<T>(&self, name: Name<'_>, limit: u64, take: impl FnOnce(Fetched) -> Result<T, Error>) -> Result<Option<T>, Error> {
        match self.fetch_answer(name, limit)? {
            Answer::Found((_room, fetched)) => take(fetched).map(Some),
            Answer::Missing(_) => Ok(None),
        }
    }

    fn fetch_answer(&self, name: Name<'_>, limit: u64) -> Result<Answer<(Room<'_>, Fetched)>, Error> {
        let what = match name {
            Name::Tag(tag) => tag.to_owned(),
            Name::Digest(digest) => digest.to_string(),
        };
        let location = || self.repository.to_string();
        let (head, bytes) = match self.document(&self.path(&format!("manifests/{what}")), &accepted(), limit)? {
            Answer::Found((response, bytes)) => (Head::of(&response), bytes),
            Answer::Missing(code) => return Ok(Answer::Missing(code)),
        };
        let room = self.gate.pass(length(&bytes));
        let digest = match name {
            Name::Digest(digest) => {
                let found = digest.algorithm().digest(&bytes);
                if found != *digest {
                    return Err(Error::WrongDigest { location: location(), expected: *digest, found });
                }
                *digest
            }
            Name::Tag(_) => head.digest.map_or(Algorithm::Sha256, |said| said.algorithm()).digest(&bytes),
        };
        if let Some(said) = head.digest
            && said.algorithm().digest(&bytes) != said
        {
            return Err(Error::WrongDigest { location: location(), expected: said, found: said.algorithm().digest(&bytes) });
        }
        // Bytes that are no manifest are not this function's to judge.
        if let Some(said) = &head.media_type
            && let Some(found) = media_type(&bytes)
            && found != *said
        {
            let found: String = found.chars().take(128).flat_map(char::escape_debug).collect();
            let reason = format!("the registry says that it is {said}, and it is {found}");
            return Err(Error::Malformed { location: location(), what, reason });
        }
        Ok(Answer::Found((room, Fetched { digest, bytes, media_type: head.media_type })))
    }

    /// Keeps a manifest, so that it is not asked for again.
    pub(super) fn keep(&self, fetched: Fetched) -> Arc<[u8]> {
        let bytes: Arc<[u8]> = fetched.bytes.into();
        self.cache.keep(fetched.digest, Arc::clone(&bytes));
        bytes
    }

    /// See [`Source::manifest`].
    pub(super) fn read_manifest(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error> {
        let bytes = match self.cache.find(digest) {
            Some(bytes) => bytes,
            None => match self.fetch(Name::Digest(digest), limit, |fetched| Ok(self.keep(fetched)))? {
                Some(bytes) => bytes,
                None => return Err(Error::NoSuchBlob { location: self.location(), digest: *digest }),
            },
        };
        let size = length(&bytes);
        if size > limit {
            return Err(Error::TooLarge { location: self.location(), what: digest.to_string(), size, limit });
        }
        Ok(bytes.to_vec())
    }

    /// See [`Source::resolve`]: the manifest is read, so that what is returned is of its bytes.
    pub(super) fn resolve_manifest(&self, tag: Option<&str>, digest: Option<&Digest>) -> Result<Descriptor, Error> {
        match (tag, digest) {
            (_, Some(digest)) => {
                let bytes = self.read_manifest(digest, self.max_manifest)?;
                self.described(&digest.to_string(), *digest, &bytes)
            }
            (Some(tag), None) => self.resolve_tag(tag),
            // Not even the only tag is assumed: there may be another tomorrow.
            (None, None) => Err(Error::NoTag { location: self.location() }),
        }
    }

    fn resolve_tag(&self, tag: &str) -> Result<Descriptor, Error> {
        match self.fetch_answer(Name::Tag(tag), self.max_manifest)? {
            Answer::Found((_room, fetched)) => {
                let digest = fetched.digest;
                self.described(tag, digest, &self.keep(fetched))
            }
            Answer::Missing(Some(code)) if code == "NAME_UNKNOWN" => {
                let message = Some("there is no such repository".to_owned());
                Err(Error::Status { url: self.location(), status: 404, code: Some(code), message })
            }
            Answer::Missing(_) => Err(Error::NoSuchTag { location: self.location(), tag: tag.to_owned(), tags: Vec::new() }),
        }
    }

    fn described(&self, what: &str, digest: Digest, bytes: &[u8]) -> Result<Descriptor, Error> {
        let manifest = self.parsed(what, bytes)?;
        let mut descriptor = Descriptor::new(&manifest.media_type, digest, length(bytes));
        descriptor.artifact_type = manifest.artifact_type;
        Ok(descriptor)
    }

    /// See [`Source::tags`]. What the head of an answer tells suffices; where it does not, the manifest is read. A tag that has
    /// gone since it was listed is left out.
    pub(super) fn described_tags(&self) -> Result<Vec<(String, Descriptor)>, Error> {
        let tags = self.artifact_tags()?;
        let described = parallel::map(&tags, MAX_PARALLEL, |tag| self.describe_tag(tag));
        let mut found = Vec::with_capacity(tags.len());
        for (tag, described) in tags.into_iter().zip(described) {
            if let Some(descriptor) = described? {
                found.push((tag, descriptor));
            }
        }
        Ok(found)
    }

    fn describe_tag(&self, tag: &str) -> Result<Option<Descriptor>, Error> {
        let path = self.path(&format!("manifests/{tag}"));
        let response = self.ask(Method::Head, &path, &[("Accept", &accepted())])?;
        match response.status() {
            200 => {}
            404 => return Ok(None),
            _ => return Err(response.into_error()),
        }
        if let Head { digest: Some(digest), media_type: Some(media_type), length: Some(size) } = Head::of(&response) {
            return Ok(Some(Descriptor::new(&media_type, digest, size)));
        }
        self.fetch(Name::Tag(tag), MAX_MANIFEST, |fetched| self.described(tag, fetched.digest, &fetched.bytes))
    }

    /// See [`Source::roots`].
    pub(super) fn artifacts(&self) -> Result<Vec<Descriptor>, Error> {
        let mut known = HashSet::new();
        let tags = self.described_tags()?.into_iter().filter(|(tag, _)| !is_cosign_tag(tag));
        let mut artifacts: Vec<Descriptor> =
            tags.map(|(_, descriptor)| descriptor).filter(|descriptor| known.insert(descriptor.digest)).collect();
        let mut left_out = HashSet::new();
        let mut to_read: Vec<Digest> = artifacts.iter().map(|artifact| artifact.digest).collect();
        let mut read = known;
        while !to_read.is_empty() {
            let parts = parallel::map(&to_read, MAX_PARALLEL, |digest| self.parts(digest, MAX_SMALL));
            let mut next = Vec::new();
            for (digest, parts) in to_read.into_iter().zip(parts) {
                let parts = match parts {
                    Err(error) if error.class() == Class::Cap => self.parts(&digest, MAX_MANIFEST),
                    parts => parts,
                };
                let (refers, children) = match parts {
                    Ok(parts) => parts,
                    Err(error) if matches!(error.class(), Class::Unavailable | Class::Denied) => return Err(error),
                    // A tagged artifact that cannot be read is still one.
                    Err(_) => continue,
                };
                if refers {
                    left_out.insert(digest);
                }
                for (child, is_index) in children {
                    left_out.insert(child);
                    if is_index && read.len() < MAX_READ && read.insert(child) {
                        next.push(child);
                    }
                }
            }
            to_read = next;
        }
        artifacts.retain(|artifact| !left_out.contains(&artifact.digest));
        Ok(artifacts)
    }

    /// Whether a manifest refers to another, and its children, with whether each is an index.
    fn parts(&self, digest: &Digest, limit: u64) -> Result<(bool, Vec<(Digest, bool)>), Error> {
        let bytes = self.read_manifest(digest, limit)?;
        let _room = self.gate.pass(length(&bytes));
        let manifest = self.parsed(&digest.to_string(), &bytes)?;
        let children = manifest.children().iter().map(|child| (child.digest, is_index_type(&child.media_type))).collect();
        Ok((manifest.subject.is_some(), children))
    }

    pub(super) fn parsed(&self, what: &str, bytes: &[u8]) -> Result<Manifest, Error> {
        Manifest::parse(bytes).map_err(|error| Error::Malformed {
            location: self.location(),
            what: what.to_owned(),
            reason: error.to_string(),
        })
    }
}
