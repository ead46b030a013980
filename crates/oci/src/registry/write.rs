//! Requests that change a repository, and pushing manifests (distribution spec, "Pushing Manifests").

use std::path::Path;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::{Descriptor, Manifest};
use touchmark_envelope::name::is_version;

use super::Registry;
use crate::error::Error;
use crate::failpoint::{self, Step};
use crate::scan::{MAX_MANIFEST, length};
use crate::source::Source;
use crate::transport::{Body, Method, Repeat, Request, Response, Target};
use crate::union::is_list_tag;

/// What a registry made of a manifest that was pushed.
pub(super) enum Pushed {
    /// It has it, under the digest that it should have.
    Stored,
    /// It will not have it there: an answer that another attempt would not change.
    Refused(Error),
}

impl Pushed {
    /// That it is stored, or why not.
    pub(super) fn stored(self) -> Result<(), Error> {
        match self {
            Pushed::Stored => Ok(()),
            Pushed::Refused(error) => Err(error),
        }
    }
}

impl Registry {
    /// The scope that writing needs.
    pub(super) fn push(&self) -> String {
        format!("repository:{}:pull,push", self.repository.name())
    }

    /// Sends a request that changes something.
    pub(super) fn change(
        &self,
        method: Method,
        target: Target<'_>,
        scope: &str,
        headers: &[(&str, &str)],
        body: Body<'_>,
        repeat: Repeat,
    ) -> Result<Response, Error> {
        let what = match target {
            Target::Path(path) => format!("{method:?} {path}"),
            Target::Location(location) => format!("{method:?} {}", location.url()),
        };
        failpoint::reach(Step::Request, Path::new(&what))
            .map_err(|error| Error::Connection { url: what.clone(), reason: error.to_string() })?;
        // As long-lived as the rest of the request.
        let body = match body {
            Body::Empty => Body::Empty,
            Body::Bytes(bytes) => Body::Bytes(bytes),
            Body::Stream(reader, size) => Body::Stream(&mut *reader, size),
        };
        self.client.send(Request { method, target, scope, headers, body, repeat })
    }

    /// Reads what is to be pushed.
    pub(super) fn parse_manifest(&self, digest: &Digest, bytes: &[u8]) -> Result<Manifest, Error> {
        let what = digest.to_string();
        if length(bytes) > MAX_MANIFEST {
            return Err(Error::TooLarge { location: self.location(), what, size: length(bytes), limit: MAX_MANIFEST });
        }
        Manifest::parse(bytes).map_err(|error| Error::Malformed { location: self.location(), what, reason: error.to_string() })
    }

    /// Pushes `bytes`, whose digest is `digest`, under `name`, a tag or that digest.
    ///
    /// # Errors
    /// The registry cannot be reached, goes on failing, or says that it stored something else.
    pub(super) fn push_manifest(&self, name: &str, digest: &Digest, bytes: &[u8], media_type: &str) -> Result<Pushed, Error> {
        let path = self.path(&format!("manifests/{name}"));
        let headers = [("Content-Type", media_type)];
        let response = self.change(Method::Put, Target::Path(&path), &self.push(), &headers, Body::Bytes(bytes), Repeat::Retry)?;
        match response.status() {
            200..=299 => {}
            400..=499 => return Ok(Pushed::Refused(response.into_error())),
            _ => return Err(response.into_error()),
        }
        let said: Option<Digest> = response.header("Docker-Content-Digest").and_then(|text| text.trim().parse().ok());
        match said {
            Some(said) if said == *digest => Ok(Pushed::Stored),
            Some(said) if said.algorithm().digest(bytes) != said => {
                Err(Error::WrongDigest { location: self.location(), expected: *digest, found: said })
            }
            // Stored by another algorithm than asked for, or without a word of it: is it there as it should be?
            _ if self.has_manifest(digest)? => Ok(Pushed::Stored),
            _ => {
                let reason = format!("the registry took the manifest, and has nothing under {digest}");
                Err(Error::Protocol { url: format!("PUT {path}"), reason })
            }
        }
    }

    /// Whether there is a manifest under this digest; it is not read.
    pub(super) fn has_manifest(&self, digest: &Digest) -> Result<bool, Error> {
        Ok(self.tagged(&digest.to_string())?.is_some())
    }

    /// What the registry says of the manifest under `name`, a tag or a digest: that it is there, and which digest it has if it
    /// says so.
    pub(super) fn tagged(&self, name: &str) -> Result<Option<Option<Digest>>, Error> {
        let path = self.path(&format!("manifests/{name}"));
        let response = self.ask(Method::Head, &path, &[("Accept", &super::manifests::accepted())])?;
        match response.status() {
            200..=299 => Ok(Some(response.header("Docker-Content-Digest").and_then(|text| text.trim().parse().ok()))),
            404 => Ok(None),
            _ => Err(response.into_error()),
        }
    }

    /// See [`Store::put_manifest_as`](crate::source::Store::put_manifest_as).
    pub(super) fn write_manifest(
        &self,
        algorithm: Algorithm,
        bytes: &[u8],
        media_type: &str,
        tag: Option<&str>,
    ) -> Result<Descriptor, Error> {
        tag.map_or(Ok(()), check_tag)?;
        let digest = algorithm.digest(bytes);
        let manifest = self.parse_manifest(&digest, bytes)?;
        if manifest.media_type != media_type {
            let reason = format!("it is {}, not {media_type}", manifest.media_type);
            return Err(Error::Malformed { location: self.location(), what: digest.to_string(), reason });
        }
        // Under a tag alone a registry chooses the algorithm of the digest.
        if tag.is_none() || algorithm != Algorithm::Sha256 {
            self.push_manifest(&digest.to_string(), &digest, bytes, media_type)?
                .stored()
                .map_err(|error| self.explain(error, &digest, &manifest))?;
        }
        if let Some(tag) = tag {
            self.push_manifest(tag, &digest, bytes, media_type)?.stored().map_err(|error| self.explain(error, &digest, &manifest))?;
        }
        let mut descriptor = Descriptor::new(media_type, digest, length(bytes));
        descriptor.artifact_type.clone_from(&manifest.artifact_type);
        Ok(descriptor)
    }

    /// Why a manifest was refused: if it is for want of a blob, which.
    pub(super) fn explain(&self, error: Error, digest: &Digest, manifest: &Manifest) -> Error {
        let Error::Status { code: Some(code), .. } = &error else { return error };
        if !matches!(code.as_str(), "MANIFEST_BLOB_UNKNOWN" | "BLOB_UNKNOWN") {
            return error;
        }
        let missing = manifest.blobs().find(|blob| matches!(self.has_blob(&blob.digest, Some(blob.size)), Ok(false)));
        match missing {
            Some(blob) => Error::MissingBlob { location: self.location(), manifest: *digest, blob: blob.digest },
            None => error,
        }
    }

    /// DELETEs a manifest or a tag. `None` if it is gone, or else why it is not.
    pub(super) fn delete(&self, name: &str) -> Result<Option<Error>, Error> {
        let path = self.path(&format!("manifests/{name}"));
        let scope = format!("repository:{}:delete,pull,push", self.repository.name());
        let response = self.change(Method::Delete, Target::Path(&path), &scope, &[], Body::Empty, Repeat::Retry)?;
        Ok(match response.status() {
            200..=299 | 404 | 410 => None,
            _ => Some(response.into_error()),
        })
    }
}

/// Whether a manifest may be pushed under this tag.
fn check_tag(tag: &str) -> Result<(), Error> {
    let refuse = |reason| Err(Error::BadTag { tag: tag.to_owned(), reason });
    if is_list_tag(tag) {
        return refuse("such tags are kept for lists of referrers");
    }
    if is_version(tag) { Ok(()) } else { refuse("it has characters that tags do not have, or too many") }
}
