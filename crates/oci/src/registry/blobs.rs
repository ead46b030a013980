//! Reading blobs (distribution spec, "Pulling blobs"). A download that breaks off goes on where it broke (RFC 9110, 14).

use std::io::{self, Read};
use std::thread;
use std::time::Duration;

use touchmark_envelope::Digest;

use super::Registry;
use super::manifests::{Head, accepted};
use crate::content::Hashed;
use crate::error::Error;
use crate::scan::{MAX_MANIFEST, length};
use crate::source::Source;
use crate::transport::{Method, Response};

/// After this many bytes the attempts to go on count anew: a large blob may break off more often than a small one.
const PROGRESS: u64 = 8 << 20;
/// The pause before the first attempt to go on; each next one is twice as long.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(8);

impl Registry {
    /// See [`Source::blob`].
    pub(super) fn open_hashed(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        let (size, inner) = self.open_blob(digest)?;
        Ok((size, Box::new(Hashed::new(inner, size, digest, self.location()))))
    }

    /// See [`Source::unhashed_blob`].
    pub(super) fn open_blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        let path = self.path(&format!("blobs/{digest}"));
        let response = self.ask(Method::Get, &path, &[("Accept", "*/*")])?;
        match response.status() {
            200 => {}
            404 => return Err(Error::NoSuchBlob { location: self.location(), digest: *digest }),
            _ => return Err(response.into_error()),
        }
        let size = content_length(&response).ok_or_else(|| self.protocol(&path, "the answer does not say how long the blob is"))?;
        let body = Some(response.reader());
        Ok((size, Box::new(Download { registry: self, path, size, at: 0, body, attempt: 0, since: 0 })))
    }

    /// See [`Source::size`]. What was read as a manifest is looked for among the manifests first.
    pub(super) fn content_size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        let mut kinds = ["blobs", "manifests"];
        if self.cache.find(digest).is_some() {
            kinds.reverse();
        }
        for kind in kinds {
            let size = self.size_of(kind, digest)?;
            if size.is_some() {
                return Ok(size);
            }
        }
        Ok(None)
    }

    /// The size of one of the `manifests` or of the `blobs`; `None` if it is not among them.
    pub(super) fn size_of(&self, kind: &str, digest: &Digest) -> Result<Option<u64>, Error> {
        let path = self.path(&format!("{kind}/{digest}"));
        let response = self.ask(Method::Head, &path, &[("Accept", &accepted())])?;
        match response.status() {
            200 => match (Head::of(&response).length, kind) {
                (Some(size), _) => Ok(Some(size)),
                // Not every registry says it where there is no body.
                (None, "blobs") => self.open_blob(digest).map(|(size, _)| Some(size)),
                (None, _) => self.read_manifest(digest, MAX_MANIFEST).map(|bytes| Some(length(&bytes))),
            },
            404 => Ok(None),
            _ => Err(response.into_error()),
        }
    }
}

fn content_length(response: &Response) -> Option<u64> {
    response.header("Content-Length")?.trim().parse().ok()
}

/// The content of a blob, as it comes.
struct Download<'a> {
    registry: &'a Registry,
    path: String,
    size: u64,
    at: u64,
    /// `None` if the connection broke.
    body: Option<Box<dyn Read + Send>>,
    /// How often it broke since `since`.
    attempt: u32,
    since: u64,
}

impl Download<'_> {
    /// Asks for what is missing. A registry that knows no ranges begins anew, and what was there already is passed over.
    fn resume(&self) -> Result<Box<dyn Read + Send>, Error> {
        let range = format!("bytes={}-", self.at);
        let response = self.registry.ask(Method::Get, &self.path, &[("Accept", "*/*"), ("Range", &range)])?;
        let skip = match response.status() {
            206 if response.header("Content-Range").and_then(range_start) == Some((self.at, self.size)) => 0,
            206 => return Err(self.registry.protocol(&self.path, "another part of the blob came than was asked for")),
            200 if content_length(&response) == Some(self.size) => self.at,
            200 => return Err(self.registry.protocol(&self.path, "the blob has another length than before")),
            _ => return Err(response.into_error()),
        };
        let mut body = response.reader();
        let passed = io::copy(&mut body.by_ref().take(skip), &mut io::sink()).map_err(|source| self.broken(source))?;
        if passed == skip { Ok(body) } else { Err(self.ended()) }
    }

    fn broken(&self, source: io::Error) -> Error {
        Error::carried(source).unwrap_or_else(|source| Error::Connection { url: self.url(), reason: source.to_string() })
    }

    fn ended(&self) -> Error {
        Error::Connection { url: self.url(), reason: format!("the blob broke off after {} of {} bytes", self.at, self.size) }
    }

    fn url(&self) -> String {
        self.registry.url(&self.path)
    }
}

impl Read for Download<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.at >= self.size {
            return Ok(0);
        }
        let wanted = usize::try_from(self.size.saturating_sub(self.at)).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..wanted).unwrap_or_default();
        loop {
            let failed = match &mut self.body {
                None => self.resume().map(|body| self.body = Some(body)).err(),
                Some(body) => match body.read(buffer) {
                    Ok(0) => Some(self.ended()),
                    Ok(count) => {
                        self.at = self.at.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
                        if self.at.saturating_sub(self.since) >= PROGRESS {
                            (self.since, self.attempt) = (self.at, 0);
                        }
                        return Ok(count);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Some(self.broken(error)),
                },
            };
            match failed {
                None => {}
                Some(Error::Connection { .. }) if self.attempt < self.registry.retries => {
                    self.body = None;
                    thread::sleep(PAUSE.saturating_mul(1_u32.checked_shl(self.attempt).unwrap_or(u32::MAX)).min(MAX_PAUSE));
                    self.attempt = self.attempt.saturating_add(1);
                }
                Some(error) => return Err(error.into()),
            }
        }
    }
}

/// The first byte and the whole length of `bytes FIRST-LAST/LENGTH` (RFC 9110, 14.4).
fn range_start(header: &str) -> Option<(u64, u64)> {
    let (range, size) = header.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, size.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_content() {
        assert_eq!(range_start("bytes 5-9/10"), Some((5, 10)));
        for other in ["", "bytes 5-9/*", "bytes */10", "octets 5-9/10", "bytes 5", "bytes -5/10"] {
            assert_eq!(range_start(other), None, "{other}");
        }
    }
}
