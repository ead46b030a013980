//! Storing blobs (distribution spec, "Pushing Blobs" and "Mounting a blob from another repository").
//!
//! A blob that is there is not sent. One of at most [`CHUNK`] bytes is held in memory and sent whole, again if need be; a larger one
//! goes in chunks, each of which can be sent again from where the registry says that it broke off. A registry that takes no chunks gets
//! the blob as one stream, which can be sent only once.

use std::io::{self, Read};
use std::time::Duration;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::{Algorithm, Hasher};
use touchmark_envelope::manifest::Descriptor;

use super::Registry;
use super::listing::wait;
use crate::error::Error;
use crate::reference::Repository;
use crate::scan::length;
use crate::source::Source;
use crate::transport::{Body, Location, Method, Repeat, Request, Response, Target};

/// The media type of blobs whose type the caller does not say.
const ANY_CONTENT: &str = "application/octet-stream";
/// How many bytes are held in memory, for each blob that is being sent.
const CHUNK: usize = 8 << 20;
/// As many if the registry wants larger chunks; one that wants more gets a stream.
const MAX_CHUNK: usize = 32 << 20;
/// Before a chunk that failed is sent again for the first time; the wait doubles from time to time.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// How often an upload begins anew whose session went away.
const ATTEMPTS: usize = 3;

/// What is to be stored, hashed as it is read.
struct Content<'a> {
    reader: &'a mut dyn Read,
    location: String,
    expected: Option<&'a Descriptor>,
    hasher: Hasher,
    size: u64,
    /// A byte that was read to see whether there are more.
    ahead: Option<u8>,
    ended: bool,
}

/// How a chunk was received.
enum Sent {
    /// Wholly; the next one goes there.
    Next(Location),
    /// The registry will have no chunks, or not this one.
    Refused(Error),
}

impl Registry {
    /// See [`Store::put_blob`](crate::source::Store::put_blob).
    pub(super) fn write_blob(&self, expected: Option<&Descriptor>, reader: &mut dyn Read) -> Result<Descriptor, Error> {
        if let Some(expected) = expected
            && self.has_blob(&expected.digest, Some(expected.size))?
        {
            return Ok(expected.clone());
        }
        let mut content = Content::new(self.location(), expected, reader);
        let mut first = Vec::new();
        content.fill(&mut first, CHUNK)?;
        if !content.ended {
            return self.put_chunks(content, first);
        }
        let found = content.finish()?;
        if expected.is_none() && self.has_blob(&found.digest, Some(found.size))? {
            return Ok(found);
        }
        self.put_whole(&found.digest, &first)?;
        Ok(found)
    }

    /// Whether a blob is there, without reading it. One of another size is not.
    pub(super) fn has_blob(&self, digest: &Digest, size: Option<u64>) -> Result<bool, Error> {
        let path = self.path(&format!("blobs/{digest}"));
        let response = self.ask(Method::Head, &path, &[])?;
        match response.status() {
            200..=299 => {
                let said = response.header("Content-Length").and_then(|text| text.trim().parse::<u64>().ok());
                Ok(said.is_none() || size.is_none() || said == size)
            }
            404 => Ok(false),
            _ => Err(response.into_error()),
        }
    }

    /// Opens an upload: where it goes, and how small a chunk may be.
    fn begin_upload(&self) -> Result<(Location, usize), Error> {
        let path = self.path("blobs/uploads/");
        let response = self.change(Method::Post, Target::Path(&path), &self.push(), &[], Body::Empty, Repeat::Retry)?;
        if response.status() != 202 {
            return Err(response.into_error());
        }
        let Some(location) = response.header("Location") else {
            let reason = "the upload that was begun has no Location".to_owned();
            return Err(Error::Protocol { url: format!("POST {path}"), reason });
        };
        let minimum = response.header("OCI-Chunk-Min-Length").and_then(|text| text.trim().parse().ok());
        Ok((response.resolve(location)?, minimum.unwrap_or(0)))
    }

    /// Sends a blob in one request. If its answer is lost, the next attempt may find the session ended, and the blob there.
    fn put_whole(&self, digest: &Digest, bytes: &[u8]) -> Result<(), Error> {
        let mut attempt = 1;
        loop {
            let (location, _) = self.begin_upload()?;
            let response = self.finish_upload(&location, digest, Body::Bytes(bytes), Repeat::Retry)?;
            match response.status() {
                200..=299 => return self.check_stored(digest, &response),
                404 if self.has_blob(digest, Some(length(bytes)))? => return Ok(()),
                404 if attempt < ATTEMPTS => attempt += 1,
                _ => return Err(response.into_error()),
            }
        }
    }

    fn finish_upload(&self, location: &Location, digest: &Digest, body: Body<'_>, repeat: Repeat) -> Result<Response, Error> {
        let target = location.with_query(&[("digest", &digest.to_string())]);
        let headers = [("Content-Type", ANY_CONTENT)];
        self.change(Method::Put, Target::Location(&target), &self.push(), &headers, body, repeat)
    }

    fn check_stored(&self, digest: &Digest, response: &Response) -> Result<(), Error> {
        let said: Option<Digest> = response.header("Docker-Content-Digest").and_then(|text| text.trim().parse().ok());
        match said.filter(|said| said.algorithm() == digest.algorithm() && said != digest) {
            Some(found) => Err(Error::WrongDigest { location: self.location(), expected: *digest, found }),
            None => Ok(()),
        }
    }

    /// Sends a blob of which the first bytes are in `chunk`, piece by piece.
    fn put_chunks(&self, mut content: Content<'_>, mut chunk: Vec<u8>) -> Result<Descriptor, Error> {
        let (mut location, minimum) = self.begin_upload()?;
        if minimum > MAX_CHUNK {
            self.cancel(&location);
            let reason = format!("the registry wants chunks of {minimum} bytes, more than the limit of {MAX_CHUNK}");
            return self.put_stream(content, chunk, Error::Protocol { url: format!("POST {}", location.url()), reason });
        }
        let step = minimum.max(CHUNK);
        if step > chunk.len() {
            let mut more = Vec::new();
            content.fill(&mut more, step.saturating_sub(chunk.len()))?;
            chunk.append(&mut more);
        }
        let mut sent = 0_u64;
        while !chunk.is_empty() {
            match self.send_chunk(&location, sent, &chunk) {
                Ok(Sent::Next(next)) => location = next,
                Ok(Sent::Refused(error)) if sent == 0 => {
                    self.cancel(&location);
                    return self.put_stream(content, chunk, error);
                }
                Ok(Sent::Refused(error)) | Err(error) => {
                    self.cancel(&location);
                    return Err(error);
                }
            }
            sent = sent.saturating_add(length(&chunk));
            chunk.clear();
            if let Err(error) = content.fill(&mut chunk, step) {
                self.cancel(&location);
                return Err(error);
            }
        }
        let found = content.finish().inspect_err(|_| self.cancel(&location))?;
        let response = self.finish_upload(&location, &found.digest, Body::Empty, Repeat::Retry)?;
        match response.status() {
            200..=299 => self.check_stored(&found.digest, &response)?,
            404 if self.has_blob(&found.digest, Some(found.size))? => {}
            _ => return Err(response.into_error()),
        }
        Ok(found)
    }

    /// Sends a chunk whose first byte is the one numbered `start` of the blob. After a failure the registry is asked how much it has.
    fn send_chunk(&self, location: &Location, start: u64, chunk: &[u8]) -> Result<Sent, Error> {
        let end = start.saturating_add(length(chunk));
        let mut location = location.clone();
        let mut have = start;
        let mut attempt = 0;
        loop {
            let rest = usize::try_from(have.saturating_sub(start)).ok().and_then(|sent| chunk.get(sent..)).unwrap_or_default();
            let range = format!("{have}-{}", end.saturating_sub(1));
            let headers = [("Content-Type", ANY_CONTENT), ("Content-Range", range.as_str())];
            let sent = self.change(Method::Patch, Target::Location(&location), &self.push(), &headers, Body::Bytes(rest), Repeat::Once);
            let failure = match sent {
                Ok(response) if matches!(response.status(), 200..=299) => {
                    location = self.next_location(&response, location)?;
                    match received(&response) {
                        Some(received) if received < end && received > have => {
                            have = received;
                            continue;
                        }
                        // What is missing after all, the digest of the whole tells.
                        _ => return Ok(Sent::Next(location)),
                    }
                }
                // 416: the registry has another part of the blob than was thought.
                Ok(response) if response.status() != 416 || start == 0 => return Ok(Sent::Refused(response.into_error())),
                Ok(response) => response.into_error(),
                Err(error) if error.is_retryable() => error,
                Err(error) => return Err(error),
            };
            // The first chunk is still at hand, and can be the beginning of another upload.
            let given_up = |failure| if start == 0 { Ok(Sent::Refused(failure)) } else { Err(failure) };
            if attempt >= self.retries {
                return given_up(failure);
            }
            wait(FIRST_WAIT * (1 << attempt.min(5)));
            attempt += 1;
            let status = self.upload_status(&location)?;
            if !matches!(status.status(), 200..=299) {
                return given_up(failure);
            }
            location = self.next_location(&status, location)?;
            // `0-0` is what some registries say of an upload that has nothing.
            let received = received(&status).filter(|received| *received != 1 || start > 0).unwrap_or(0);
            if received == end {
                return Ok(Sent::Next(location));
            }
            if !(start..end).contains(&received) {
                return given_up(failure);
            }
            have = received;
        }
    }

    fn upload_status(&self, location: &Location) -> Result<Response, Error> {
        let (scope, target) = (self.push(), Target::Location(location));
        self.client.send(Request { method: Method::Get, target, scope: &scope, headers: &[], body: Body::Empty, repeat: Repeat::Retry })
    }

    fn next_location(&self, response: &Response, before: Location) -> Result<Location, Error> {
        response.header("Location").map_or(Ok(before), |location| response.resolve(location))
    }

    /// Sends a blob of which the first bytes are in `head` as one stream, to a registry that takes no chunks.
    fn put_stream(&self, content: Content<'_>, head: Vec<u8>, refused: Error) -> Result<Descriptor, Error> {
        let Some(expected) = content.expected.cloned() else { return Err(refused) };
        let (location, _) = self.begin_upload()?;
        let mut stream = Stream { head: io::Cursor::new(head), content, failure: None };
        let sent = self.finish_upload(&location, &expected.digest, Body::Stream(&mut stream, expected.size), Repeat::Once);
        if let Some(failure) = stream.failure {
            self.cancel(&location);
            return Err(failure);
        }
        let response = sent?;
        match response.status() {
            200..=299 => self.check_stored(&expected.digest, &response)?,
            _ => return Err(response.into_error()),
        }
        // The content may go on where nobody read any further.
        let mut rest = Vec::new();
        stream.content.fill(&mut rest, 1)?;
        stream.content.finish()
    }

    /// Ends an upload that nothing will come of. It would end by itself some day.
    fn cancel(&self, location: &Location) {
        let _ = self.change(Method::Delete, Target::Location(location), &self.push(), &[], Body::Empty, Repeat::Once);
    }

    /// See [`Store::mount`](crate::source::Store::mount).
    pub(super) fn mount_blob(&self, blob: &Descriptor, from: &Repository) -> Result<bool, Error> {
        if from.host() != self.repository.host() || *from == self.repository {
            return Ok(false);
        }
        let path = self.path(&format!("blobs/uploads/?mount={}&from={}", blob.digest, from.name()));
        let scope = format!("{} repository:{}:pull", self.push(), from.name());
        let response = match self.change(Method::Post, Target::Path(&path), &scope, &[], Body::Empty, Repeat::Retry) {
            Ok(response) => response,
            // Not both repositories at once, perhaps; each by itself may be another matter.
            Err(Error::Status { status: 401 | 403, .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        if response.status() == 201 {
            return self.check_stored(&blob.digest, &response).map(|()| true);
        }
        if response.status() == 202
            && let Some(location) = response.header("Location")
            && let Ok(location) = response.resolve(location)
        {
            self.cancel(&location);
        }
        Ok(false)
    }
}

/// How many bytes the registry has, as the header Range says it: `0-LAST`.
fn received(response: &Response) -> Option<u64> {
    let range = response.header("Range")?.trim();
    let last = range.strip_prefix("bytes=").unwrap_or(range).strip_prefix("0-")?;
    last.parse::<u64>().ok()?.checked_add(1)
}

impl<'a> Content<'a> {
    fn new(location: String, expected: Option<&'a Descriptor>, reader: &'a mut dyn Read) -> Self {
        let algorithm = expected.map_or(Algorithm::Sha256, |expected| expected.digest.algorithm());
        Self { reader, location, expected, hasher: Hasher::new(algorithm), size: 0, ahead: None, ended: false }
    }

    /// Appends the next bytes to `buffer`, `most` of them or all that are left, and sees whether these were the last.
    fn fill(&mut self, buffer: &mut Vec<u8>, most: usize) -> Result<(), Error> {
        let begin = buffer.len();
        let left = self.expected.map(|expected| expected.size.saturating_sub(self.size));
        let likely = left.and_then(|left| usize::try_from(left).ok()).unwrap_or(most).min(most);
        buffer.reserve_exact(likely);
        buffer.extend(self.ahead.take());
        let taken = buffer.len().saturating_sub(begin);
        let failed = |location: &str, error| Error::content(location, error);
        if !self.ended {
            let most = u64::try_from(most.saturating_sub(taken)).unwrap_or(u64::MAX);
            self.reader.take(most).read_to_end(buffer).map_err(|error| failed(&self.location, error))?;
            let mut ahead = Vec::with_capacity(1);
            self.reader.take(1).read_to_end(&mut ahead).map_err(|error| failed(&self.location, error))?;
            self.ahead = ahead.pop();
            self.ended = self.ahead.is_none();
        }
        let bytes = buffer.get(begin..).unwrap_or_default();
        self.hasher.update(bytes);
        self.size = self.size.saturating_add(length(bytes));
        match self.expected {
            Some(expected) if self.size > expected.size => self.wrong_size(expected),
            _ => Ok(()),
        }
    }

    fn wrong_size(&self, expected: &Descriptor) -> Result<(), Error> {
        let (location, digest) = (self.location.clone(), expected.digest);
        Err(Error::WrongSize { location, digest, expected: expected.size, found: self.size })
    }

    /// What was read, all of it, if it is as expected.
    fn finish(self) -> Result<Descriptor, Error> {
        if let Some(expected) = self.expected.filter(|expected| expected.size != self.size) {
            self.wrong_size(expected)?;
        }
        let digest = self.hasher.finish();
        match self.expected {
            Some(expected) if expected.digest != digest => {
                Err(Error::WrongDigest { location: self.location, expected: expected.digest, found: digest })
            }
            Some(expected) => Ok(expected.clone()),
            None => Ok(Descriptor::new(ANY_CONTENT, digest, self.size)),
        }
    }
}

/// The bytes that were read already, then the rest.
struct Stream<'a> {
    head: io::Cursor<Vec<u8>>,
    content: Content<'a>,
    /// Why the rest cannot be read.
    failure: Option<Error>,
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.head.read(buffer)?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        let mut bytes = Vec::new();
        if let Err(error) = self.content.fill(&mut bytes, buffer.len()) {
            let told = io::Error::other(error.to_string());
            self.failure = Some(error);
            return Err(told);
        }
        let mut bytes = bytes.as_slice();
        bytes.read(buffer)
    }
}
