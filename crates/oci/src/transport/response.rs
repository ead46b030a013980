//! What a server answered, read within bounds.

use std::fmt;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use touchmark_envelope::json;

use super::pace;
use super::retry::{Again, Failure};
use super::url::{Origin, Url};
use super::{Location, Method};
use crate::error::Error;

/// Bytes that are read of the body of an answer that is a failure.
const MAX_ERROR_BODY: u64 = 64 << 10;

/// Bytes of an answer that is read to its end even if nobody wants it.
const SHORT: u64 = 1024;

/// Why a request failed that had an end of its own.
const OUT_OF_TIME: &str = "no whole answer in the time that was left";

/// Bytes a second that a document must come with, after the time that any answer has.
const DOCUMENT_PER_SECOND: u64 = 64 << 10;

/// What a server answered: any status but 429, 5xx and 401, which are errors (after the retries), and redirects of GET and HEAD.
pub struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
    length: Option<u64>,
    asked: Asked,
    timeout: Duration,
    /// Why the body of a failure could not be read to its end, or to as much as is kept.
    broken: Option<Failure>,
}

/// The body of an answer.
enum Body {
    /// It is still to come.
    Coming(Box<dyn Read + Send>),
    /// The beginning of the body of a failure, which was read at once.
    Read(Vec<u8>),
}

/// What was asked, for messages and to resolve references.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) url: Url,
    /// Whether the query is shown: the client's own, rather than a server's, which may be a secret.
    pub(super) shown: bool,
    /// How long the server may be silent.
    pub(super) timeout: Duration,
    /// When the answer must be there, the end of its body included.
    pub(super) until: Option<Instant>,
    /// The registry, if it is another server that is asked because the registry leads there.
    pub(super) led_by: Option<Origin>,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.method.name();
        if self.shown { write!(f, "{name} {}", self.url) } else { write!(f, "{name} {}", self.url.without_query()) }
    }
}

impl Response {
    /// Takes over what the HTTP library received. The body of a failure is read at once, so that the connection is free again.
    pub(super) fn new(answer: ureq::http::Response<ureq::Body>, asked: Asked) -> Self {
        let (parts, body) = answer.into_parts();
        let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let length = body.content_length();
        let content = Content { inner: Box::new(body.into_reader()), left: length, asked: asked.clone() };
        let (status, body, timeout) = (parts.status.as_u16(), Body::Coming(Box::new(content)), asked.timeout);
        let mut response = Self { status, headers, body, length, asked, timeout, broken: None };
        if !(200..300).contains(&status) {
            let said = match response.beginning_of(MAX_ERROR_BODY, MAX_ERROR_BODY) {
                Ok(said) => said,
                Err(broken) => {
                    response.broken = Some(broken);
                    Vec::new()
                }
            };
            (response.body, response.length) = (Body::Read(said), None);
        }
        response
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Every header of this name.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// How many bytes the body has, if the server says so beforehand (RFC 9110, 8.6). To HEAD it is the header alone that tells.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// What was asked, for messages: the method and the URL that answered at last.
    pub fn asked(&self) -> String {
        self.asked.to_string()
    }

    /// Where `text`, a header's absolute or relative reference, leads from here (RFC 3986, 5).
    ///
    /// # Errors
    /// It is no HTTP URL, or leads from HTTPS to HTTP on another machine.
    pub fn resolve(&self, text: &str) -> Result<Location, Error> {
        self.join(text).map(Location::new)
    }

    pub(super) fn url(&self) -> &Url {
        &self.asked.url
    }

    /// Whether this is how a server that speaks TLS answers plain HTTP: Go's, nginx's, Apache's.
    pub(super) fn wants_tls(&self) -> bool {
        let Body::Read(said) = &self.body else { return false };
        let said = String::from_utf8_lossy(said);
        self.status == 400 && ["HTTPS server", "HTTPS port", "SSL-enabled"].iter().any(|words| said.contains(words))
    }

    pub(super) fn join(&self, text: &str) -> Result<Url, Error> {
        let shown: String = text.chars().take(200).flat_map(char::escape_debug).collect();
        let reason = |why: &str| format!("leads to {shown}: {why}");
        let url = self.asked.url.join(text).map_err(|why| Error::Protocol { url: self.asked(), reason: reason(why) })?;
        if self.asked.url.origin.tls && !url.origin.tls && !url.origin.is_loopback() {
            let reason = format!("leads from HTTPS to {}, without TLS", url.origin);
            return Err(Error::Unsafe { url: self.asked(), reason });
        }
        Ok(url)
    }

    /// Whether this answer broke off, which then says nothing: "not found" least of all.
    pub(super) fn whole(&mut self) -> Result<(), Failure> {
        self.broken.take().map_or(Ok(()), Err)
    }

    /// The whole body, if it has at most `limit` bytes.
    ///
    /// # Errors
    /// It has more, or the connection broke, or was too slow.
    pub fn bytes(mut self, limit: u64) -> Result<Vec<u8>, Error> {
        self.read_bytes(limit).map_err(|failure| failure.error)
    }

    /// As [`bytes`](Self::bytes); the body is empty afterwards.
    pub(super) fn read_bytes(&mut self, limit: u64) -> Result<Vec<u8>, Failure> {
        let url = self.asked.url.clone();
        // As in Display of what was asked, a server's own query may be a secret.
        let path = if self.asked.shown { url.path() } else { url.path().split('?').next().unwrap_or_default() };
        let too_large = |size| Error::TooLarge { location: url.origin.to_string(), what: path.to_owned(), size, limit };
        if let Some(size) = self.length.filter(|size| *size > limit) {
            return Err(too_large(size).into());
        }
        let bytes = self.beginning_of(limit.saturating_add(1), self.length.unwrap_or(limit))?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if size > limit {
            return Err(too_large(size).into());
        }
        Ok(bytes)
    }

    /// At most `most` bytes of the body, in the time that `expected` bytes may take.
    fn beginning_of(&mut self, most: u64, expected: u64) -> Result<Vec<u8>, Failure> {
        let url = self.asked.to_string();
        let broken = |error: io::Error| {
            let error = Error::carried(error).unwrap_or_else(|error| Error::Connection { url: url.clone(), reason: error.to_string() });
            Failure::new(error, Again::Later)
        };
        let body = match &mut self.body {
            Body::Coming(body) => body,
            Body::Read(said) => return Ok(std::mem::take(said)),
        };
        let announced = self.length.unwrap_or(0).min(most);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let allowed = self.timeout.saturating_add(Duration::from_secs(expected / DOCUMENT_PER_SECOND));
        let started = Instant::now();
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; most.min(64 << 10)]);
        // A large document takes no more memory than it has bytes.
        let reserved = usize::try_from(announced).ok().and_then(|length| bytes.try_reserve_exact(length).ok());
        reserved.ok_or_else(|| Error::Connection { url: url.clone(), reason: "the answer does not fit into memory".to_owned() })?;
        while bytes.len() < most {
            let room = buffer.len().min(most - bytes.len());
            let read = match body.read(buffer.get_mut(..room).unwrap_or_default()) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(broken(error)),
            };
            bytes.extend_from_slice(buffer.get(..read).unwrap_or_default());
            if started.elapsed() > allowed {
                return Err(broken(pace::slow()));
            }
        }
        Ok(bytes)
    }

    /// The body as it comes; errors of the connection are [carried](Error::carried).
    pub fn reader(self) -> Box<dyn Read + Send> {
        match self.body {
            Body::Coming(body) => body,
            Body::Read(said) => Box::new(io::Cursor::new(said)),
        }
    }

    /// The error that this answer is to somebody who wanted another status; some of the body is read for it.
    pub fn into_error(mut self) -> Error {
        let said = self.beginning_of(MAX_ERROR_BODY, MAX_ERROR_BODY).unwrap_or_default();
        let (code, message) = explanation(&said, self.header("content-type"));
        // Nobody is told to log in where a registry leads to.
        let url = match (&self.asked.led_by, self.status) {
            (Some(registry), 401 | 403) => format!("{registry}/ (which leads to {})", self.asked.url.without_query()),
            _ => self.asked(),
        };
        Error::Status { url, status: self.status, code, message }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).field("asked", &self.asked()).finish_non_exhaustive()
    }
}

/// The body of an answer as it comes.
struct Content {
    inner: Box<dyn Read + Send>,
    /// Bytes that are still to come, if that is known.
    left: Option<u64>,
    asked: Asked,
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        pace::progress();
        let read = match self.inner.read(buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(failure(ureq::Error::from(error), &self.asked).error.into()),
        };
        if let Some(left) = self.left {
            let left = left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
            self.left = Some(left);
            if left == 0 && read > 0 {
                // Only who sees the end gives the connection back, and many readers stop at the last byte.
                let _ = self.inner.read(&mut [0]);
            }
        }
        Ok(read)
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        // A short answer that nobody reads came with its head; when it is read the connection is free again.
        if self.left.is_some_and(|left| (1..=SHORT).contains(&left)) {
            let mut rest = [0; 64];
            while self.left.is_some_and(|left| left > 0) && self.read(&mut rest).is_ok_and(|read| read > 0) {}
        }
    }
}

/// The code and the message of a failure (OCI distribution spec, "Error Codes"), or the line of text that some servers send instead.
fn explanation(body: &[u8], content_type: Option<&str>) -> (Option<String>, Option<String>) {
    let most = usize::try_from(MAX_ERROR_BODY).unwrap_or(usize::MAX);
    let text = |value: Option<&json::Value<'_>>| {
        let text: String = value?.as_str()?.chars().take(500).collect();
        (!text.is_empty()).then_some(text)
    };
    if let Ok(document) = json::parse_bounded(body, most, 4096) {
        let first = document.get("errors").and_then(json::Value::as_array).and_then(<[_]>::first);
        return (text(first.and_then(|error| error.get("code"))), text(first.and_then(|error| error.get("message"))));
    }
    let plain = content_type.is_some_and(|kind| kind.trim().to_ascii_lowercase().starts_with("text/plain"));
    let line = std::str::from_utf8(body).ok().filter(|_| plain).and_then(|text| text.lines().map(str::trim).find(|line| !line.is_empty()));
    (None, line.map(|line| line.chars().take(200).collect()))
}

/// What an error of the HTTP library means.
pub(super) fn failure(error: ureq::Error, asked: &Asked) -> Failure {
    use ureq::Timeout;
    let url = asked.to_string();
    let seconds = asked.timeout.as_secs_f64();
    let connection = |reason: String, again| Failure::new(Error::Connection { url: url.clone(), reason }, again);
    match error {
        ureq::Error::Io(error) => match Error::carried(error) {
            Ok(error) => error.into(),
            Err(error) => broken(&error, &url),
        },
        ureq::Error::Rustls(error) => tls(&error, &url),
        ureq::Error::Tls(reason) => connection(format!("TLS: {reason}"), Again::Never),
        ureq::Error::Timeout(Timeout::Resolve) => connection(format!("no address for the name within {seconds} s"), Again::Later),
        ureq::Error::Timeout(Timeout::Connect) => connection(format!("no connection within {seconds} s"), Again::Later),
        ureq::Error::Timeout(Timeout::PerWrite | Timeout::SendRequest) => {
            connection(format!("takes nothing for {seconds} s"), Again::Later)
        }
        ureq::Error::Timeout(Timeout::Global) => connection(OUT_OF_TIME.to_owned(), Again::Never),
        ureq::Error::Timeout(_) => connection(format!("no answer within {seconds} s"), Again::Later),
        ureq::Error::HostNotFound => connection("no address for the name".to_owned(), Again::Never),
        ureq::Error::ConnectProxyFailed(reason) => connection(format!("the proxy refuses: {reason}"), Again::Later),
        ureq::Error::LargeResponseHeader(..) => {
            Error::Protocol { url, reason: "the headers of the answer are too large".to_owned() }.into()
        }
        ureq::Error::Protocol(error) => {
            let error = Error::Protocol { url, reason: format!("not an answer of HTTP: {error}") };
            Failure { garbled: true, ..error.into() }
        }
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Error::Protocol { url, reason: "not a request of HTTP".to_owned() }.into(),
        other => connection(other.to_string(), Again::Later),
    }
}

/// A connection that could not be made, or broke.
fn broken(error: &io::Error, url: &str) -> Failure {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return tls(error, url);
    }
    let reason = error.to_string();
    // The system's words for a name that does not exist and for one that could not be looked up differ only here.
    let unknown = reason.contains("failed to lookup address") && !reason.contains("Temporary");
    let again = if unknown { Again::Never } else { Again::Later };
    let garbled = matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof);
    Failure { garbled, ..Failure::new(Error::Connection { url: url.to_owned(), reason }, again) }
}

fn tls(error: &rustls::Error, url: &str) -> Failure {
    let certificate = matches!(error, rustls::Error::InvalidCertificate(_));
    let advice = if certificate { " (--ca-file names an authority that is trusted besides the system's)" } else { "" };
    let error = Error::Connection { url: url.to_owned(), reason: format!("TLS: {error}{advice}") };
    Failure { certificate, ..error.into() }
}
