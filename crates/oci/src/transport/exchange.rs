//! One request and its answer, without anything that may follow from it.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use ureq::{Agent, AsSendBody, SendBody, http};
use zeroize::Zeroizing;

use super::agents::Agents;
use super::response::{Asked, Response, failure};
use super::retry::Failure;
use super::{Body, Method};
use crate::error::Error;

/// What became of a body that can be sent once.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Whether some of it was read.
    pub(super) begun: bool,
}

/// What is sent besides method and URL.
pub(super) struct Outfit<'a> {
    pub(super) headers: &'a [(&'a str, &'a str)],
    /// The value of Authorization.
    pub(super) authorization: Option<&'a Zeroizing<String>>,
    /// How soon the connection must be there, TLS included, if that is sooner than usual.
    pub(super) connected_within: Option<Duration>,
}

impl Outfit<'_> {
    /// Runs a request that ends `until` then, with the body of its answer.
    fn run(
        &self,
        agent: &Agent,
        until: Option<Instant>,
        request: http::Request<impl AsSendBody>,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        match (self.connected_within, left) {
            (_, Some(Duration::ZERO)) => Err(ureq::Error::Timeout(ureq::Timeout::Global)),
            (None, None) => agent.run(request),
            (limit, left) => {
                let mut request = agent.configure_request(request).timeout_global(left);
                if limit.is_some() {
                    request = request.timeout_connect(limit);
                }
                agent.run(request.build())
            }
        }
    }
}

impl Agents {
    /// Sends a request; `own` is whether it goes to the registry itself.
    pub(super) fn exchange(
        &self,
        asked: Asked,
        own: bool,
        outfit: &Outfit<'_>,
        body: &mut Body<'_>,
        sent: &mut Sent,
    ) -> Result<Response, Failure> {
        let agent = self.to(&asked.url.origin, own)?;
        let invalid = |error: http::Error| failure(ureq::Error::Http(error), &asked);
        let mut builder = http::Request::builder().method(asked.method.name()).uri(asked.url.to_string());
        for (name, value) in outfit.headers {
            builder = builder.header(*name, *value);
        }
        if let Some(authorization) = outfit.authorization {
            let mut value = http::HeaderValue::from_str(authorization).map_err(|error| invalid(error.into()))?;
            value.set_sensitive(true);
            builder = builder.header("authorization", value);
        }
        let has_body = matches!(asked.method, Method::Post | Method::Put | Method::Patch);
        let mut unreadable = None;
        let answer = match body {
            Body::Empty if !has_body => outfit.run(&agent, asked.until, builder.body(()).map_err(invalid)?),
            Body::Empty => outfit.run(&agent, asked.until, builder.body([].as_slice()).map_err(invalid)?),
            Body::Bytes(bytes) => outfit.run(&agent, asked.until, builder.body(*bytes).map_err(invalid)?),
            Body::Stream(reader, size) => {
                let mut outgoing = Outgoing { reader, left: *size, begun: &mut sent.begun, failed: &mut unreadable };
                builder = builder.header("content-length", size.to_string());
                outfit.run(&agent, asked.until, builder.body(SendBody::from_reader(&mut outgoing)).map_err(invalid)?)
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
