//! The only HTTP client of the workspace: one server, with authentication, redirects, retries and limits (SPEC.md, section "Storage in
//! registries"). Most servers are registries; [`Client::at`] is for any other, such as one with trust metadata.
//!
//! Credentials go to that server and to the token service that it names, and nowhere else; every answer is bounded in bytes and time.

mod agents;
mod authorization;
pub mod challenge;
mod client;
mod exchange;
mod pace;
mod proxy;
mod resolver;
mod response;
mod retry;
mod scope;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tls;
mod token;
mod url;

use std::io::Read;

use crate::error::Error;

pub use client::Client;
pub use response::Response;

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

impl Method {
    /// The method as it is sent.
    pub const fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// Where a request goes.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// A path on the server, with its query: `/v2/...`.
    Path(&'a str),
    /// Where an earlier answer said: the place of an upload, or a next page.
    Location(&'a Location),
}

/// A URL: one that a server gave, resolved against the one that it answered, or one that the user gave. Credentials go to it only if it is
/// on the server itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    url: url::Url,
    text: String,
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
    /// After 429, 5xx and broken connections, as often as [`Access::retries`](crate::Access::retries) says.
    Retry,
    /// Never but to answer a challenge, and then only with a body that was not begun.
    Once,
}

impl Location {
    /// Reads a URL that the user gave: absolute, of HTTP or HTTPS, without a user name.
    ///
    /// # Errors
    /// It is another one. What may be secret in it, a password or a query, is not in the error.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bad = |reason: &str| Error::BadUrl { url: url::shown(text), reason: reason.to_owned() };
        url::Url::parse(text).map(Self::new).map_err(bad)
    }

    /// The path, from its first slash on, with the query.
    pub fn path(&self) -> &str {
        self.url.path()
    }

    fn new(url: url::Url) -> Self {
        Self { text: url.to_string(), url }
    }

    /// The URL, which may hold secrets in its query.
    pub fn url(&self) -> &str {
        &self.text
    }

    /// The same with these parameters added to the query, encoded.
    #[must_use]
    pub fn with_query(&self, parameters: &[(&str, &str)]) -> Self {
        Self::new(self.url.with_query(parameters))
    }
}
