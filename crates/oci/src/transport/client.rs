//! One server, and whatever it leads to.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, SystemTime};

use touchmark_envelope::UnixTime;
use ureq::SendBody;

use super::agents::Agents;
use super::response::{Asked, Response, failure};
use super::retry::{self, Again, Failure, Tries};
use super::url::{Origin, Url};
use super::{Body, Method, Repeat, Request, Target};
use crate::access::Access;
use crate::error::Error;

/// How long a server may be silent, unless [`Access::timeout`] says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a request is tried again, unless [`Access::retries`] says otherwise.
pub const DEFAULT_RETRIES: u32 = 4;

/// Redirects of one request.
const MAX_REDIRECTS: usize = 10;

/// A connection to one server. It may be used from several threads, which then share its connections and tokens.
#[derive(Debug)]
pub struct Client {
    authority: String,
    /// [`UNDECIDED`], [`PLAIN`] or [`TLS`].
    scheme: AtomicU8,
    agents: Agents,
    retries: u32,
    timeout: Duration,
    /// The first pause between two tries.
    pub(super) pause: Duration,
}

/// Plain HTTP is tried first, and nothing answered yet.
const UNDECIDED: u8 = 0;
const PLAIN: u8 = 1;
const TLS: u8 = 2;

impl Client {
    /// A client for the server `host` (`HOST[:PORT]`). Nothing is sent yet.
    ///
    /// # Errors
    /// A certificate or a key cannot be read.
    pub fn new(host: &str, access: &Access) -> Result<Self, Error> {
        // Docker Hub's name is not that of its registry.
        let authority = if matches!(host, "docker.io" | "index.docker.io") { "registry-1.docker.io" } else { host };
        let invalid = || Error::Configuration { what: host.to_owned(), reason: "not a host".to_owned() };
        let origin = Origin::new(true, authority).ok_or_else(invalid)?;
        let asks_for_tls = access.insecure || access.ca_file.is_some() || access.client_certificate.is_some();
        let scheme = match access.plain_http {
            true => PLAIN,
            false if origin.is_loopback() && !asks_for_tls => UNDECIDED,
            false => TLS,
        };
        let timeout = access.timeout.unwrap_or(DEFAULT_TIMEOUT);
        Ok(Self {
            authority: authority.to_owned(),
            scheme: AtomicU8::new(scheme),
            agents: Agents::new(access, timeout)?,
            retries: access.retries.unwrap_or(DEFAULT_RETRIES),
            timeout,
            pause: retry::FIRST,
        })
    }

    /// Sends a request, and answers challenges, follows redirects and tries again as needed.
    ///
    /// # Errors
    /// The server cannot be reached, refuses, or goes on failing. Any other status is an answer.
    pub fn send(&self, request: Request<'_>) -> Result<Response, Error> {
        self.tried(request, Ok)
    }

    /// As [`send`](Self::send), with the whole body of a success, which has at most `limit` bytes: a body that breaks off is asked for
    /// again with the request. The body of any other answer is left in the response.
    ///
    /// # Errors
    /// As of `send`; the body has more bytes.
    pub fn fetch(&self, request: Request<'_>, limit: u64) -> Result<(Response, Vec<u8>), Error> {
        self.tried(request, |mut response| {
            let bytes = if (200..300).contains(&response.status) { response.read_bytes(limit)? } else { Vec::new() };
            Ok((response, bytes))
        })
    }

    /// Sends a request until `finish` makes something of the answer, or there is no use in it.
    fn tried<T>(&self, mut request: Request<'_>, finish: impl Fn(Response) -> Result<T, Failure>) -> Result<T, Error> {
        let mut tries = Tries::new(self.retries, self.pause);
        let mut sent = Sent::default();
        loop {
            let outcome = self.exchange(&mut request, &mut sent).and_then(|response| match response.status {
                401 | 429 | 500..=599 => Err(refused(response)),
                _ => finish(response),
            });
            let failure = match outcome {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            if request.repeat == Repeat::Once || sent.begun {
                return Err(failure.error);
            }
            std::thread::sleep(tries.next(failure)?);
        }
    }

    /// One request with what it leads to.
    fn exchange(&self, request: &mut Request<'_>, sent: &mut Sent) -> Result<Response, Failure> {
        let mut url = match request.target {
            Target::Location(location) => location.url.clone(),
            Target::Path(path) => {
                self.decide(request.method, path, request.headers)?;
                self.own_url(path)?
            }
        };
        let shown = matches!(request.target, Target::Path(_));
        for redirects in 0.. {
            let own = url.origin == self.origin();
            let asked = Asked { method: request.method, url: url.clone(), shown: shown && redirects == 0, timeout: self.timeout };
            let response = self.once(asked, own, request.headers, &mut request.body, sent)?;
            let redirect = matches!(response.status, 301 | 302 | 303 | 307 | 308) && matches!(request.method, Method::Get | Method::Head);
            if !redirect {
                return Ok(response);
            }
            if redirects == MAX_REDIRECTS {
                break;
            }
            let wrong = || Error::Protocol { url: response.asked(), reason: "a redirect that does not say where to".to_owned() };
            url = response.join(response.header("location").ok_or_else(wrong)?)?;
        }
        let reason = format!("more than {MAX_REDIRECTS} redirects");
        Err(Error::Protocol { url: format!("{} {}", request.method.name(), url.without_query()), reason }.into())
    }

    /// Finds out, once, whether a server on this machine speaks plain HTTP or TLS.
    fn decide(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Result<(), Failure> {
        let _ = (method, path, headers);
        if self.scheme.load(Ordering::Relaxed) == UNDECIDED {
            self.scheme.store(PLAIN, Ordering::Relaxed);
        }
        Ok(())
    }

    /// One request and its answer.
    fn once(&self, asked: Asked, own: bool, headers: &[(&str, &str)], body: &mut Body<'_>, sent: &mut Sent) -> Result<Response, Failure> {
        use ureq::http;
        let agent = self.agents.to(&asked.url.origin, own)?;
        let mut builder = http::Request::builder().method(asked.method.name()).uri(asked.url.to_string());
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let has_body = matches!(asked.method, Method::Post | Method::Put | Method::Patch);
        let invalid = |error: http::Error| failure(ureq::Error::Http(error), &asked);
        let mut unreadable = None;
        let answer = match body {
            Body::Empty if !has_body => agent.run(builder.body(()).map_err(invalid)?),
            Body::Empty => agent.run(builder.body([].as_slice()).map_err(invalid)?),
            Body::Bytes(bytes) => agent.run(builder.body(*bytes).map_err(invalid)?),
            Body::Stream(reader, size) => {
                let mut outgoing = Outgoing { reader, left: *size, begun: &mut sent.begun, failed: &mut unreadable };
                let builder = builder.header("content-length", size.to_string());
                agent.run(builder.body(SendBody::from_reader(&mut outgoing)).map_err(invalid)?)
            }
        };
        if let Some(error) = unreadable {
            return Err(Error::content(&asked.url.origin.to_string(), error).into());
        }
        match answer {
            Ok(answer) => Ok(Response::new(answer, asked)),
            Err(error) => Err(failure(error, &asked)),
        }
    }

    /// The server, with the scheme that is used now.
    fn origin(&self) -> Origin {
        let tls = self.scheme.load(Ordering::Relaxed) == TLS;
        let nowhere = || Origin { tls, host: self.authority.clone(), port: 0 };
        Origin::new(tls, &self.authority).unwrap_or_else(nowhere)
    }

    fn own_url(&self, path: &str) -> Result<Url, Error> {
        let origin = self.origin();
        let url = origin.to_string();
        Url::new(origin, path).map_err(|reason| Error::Protocol { url, reason: reason.to_owned() })
    }
}

/// An answer that is a failure.
fn refused(response: Response) -> Failure {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
    let now = now.and_then(|since| UnixTime::from_seconds(i64::try_from(since.as_secs()).ok()?));
    let again = match response.header("retry-after").and_then(|value| retry::after(value, now)) {
        _ if !retry::passes(response.status) => Again::Never,
        Some(pause) => Again::After(pause),
        None => Again::Later,
    };
    Failure { error: response.into_error(), again }
}

/// What became of a body that can be sent once.
#[derive(Debug, Default)]
struct Sent {
    begun: bool,
}

/// A body that can be sent once.
struct Outgoing<'a, 'b> {
    reader: &'a mut &'b mut dyn Read,
    /// Bytes that the server was told to expect still.
    left: u64,
    begun: &'a mut bool,
    /// Why the body could not be read: no fault of the server.
    failed: &'a mut Option<io::Error>,
}

impl Read for Outgoing<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        *self.begun = true;
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..room).unwrap_or_default();
        loop {
            let error = match self.reader.read(buffer) {
                Ok(0) if !buffer.is_empty() => io::Error::from(io::ErrorKind::UnexpectedEof),
                Ok(read) => {
                    self.left = self.left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            *self.failed = Some(error);
            return Err(io::Error::other("the content cannot be read"));
        }
    }
}
