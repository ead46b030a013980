//! One connection: heads of requests, bodies of requests, answers (RFC 9112), over plain TCP or TLS.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

use rustls::{ServerConnection, StreamOwned};

/// How many bytes the head of a request may have.
const MAX_HEAD: usize = 64 << 10;
/// How many headers a request may have.
const MAX_HEADERS: usize = 100;

/// The head of a request.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) method: String,
    /// Path and query, or an absolute URL from a proxy's client.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// How long the body is said to be.
    ///
    /// # Errors
    /// A length that is none, or two framings (RFC 9112, 6.3).
    pub(crate) fn framing(&self) -> io::Result<Framing> {
        let lengths: Vec<&str> =
            self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).map(|(_, value)| value.as_str()).collect();
        match (self.header("transfer-encoding"), lengths.as_slice()) {
            (None, []) => Ok(Framing::Known(0)),
            (None, [length]) => length.parse().map(Framing::Known).map_err(|_| malformed("Content-Length is no number")),
            (Some(coding), []) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
            _ => Err(malformed("the body's framing is not clear")),
        }
    }

    pub(crate) fn wants_close(&self) -> bool {
        self.header("connection").is_some_and(|value| value.to_ascii_lowercase().contains("close"))
    }
}

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Known(u64),
    Chunked,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

/// A connection. The last byte of a head stays unread in a plain one until the body is wanted: a connection that is closed with
/// unread bytes is reset (RFC 1122, 4.2.2.13), which is how [`Wire::reset`] can do so.
pub(crate) struct Wire {
    stream: Stream,
    /// What was read beyond the head, from `at` on.
    held: Vec<u8>,
    at: usize,
    unread: bool,
}

impl Wire {
    pub(crate) fn plain(stream: TcpStream) -> Self {
        Self { stream: Stream::Plain(stream), held: Vec::new(), at: 0, unread: false }
    }

    pub(crate) fn tls(stream: StreamOwned<ServerConnection, TcpStream>) -> Self {
        Self { stream: Stream::Tls(Box::new(stream)), held: Vec::new(), at: 0, unread: false }
    }

    /// The next request's head; none if the client closed the connection between requests.
    ///
    /// # Errors
    /// The connection broke, or what came is no request.
    pub(crate) fn read_head(&mut self) -> io::Result<Option<Head>> {
        self.settle()?;
        let mut bytes: Vec<u8> = self.held.split_off(self.at.min(self.held.len()));
        self.held.clear();
        self.at = 0;
        loop {
            if let Some(end) = end_of_head(&bytes) {
                self.held = bytes.split_off(end);
                return parse(&bytes).map(Some);
            }
            if bytes.len() > MAX_HEAD {
                return Err(malformed("the head is too long"));
            }
            match &mut self.stream {
                Stream::Tls(stream) => {
                    let mut buffer = [0; 16 << 10];
                    match stream.read(&mut buffer) {
                        Ok(0) => return closed(&bytes),
                        Ok(count) => bytes.extend_from_slice(buffer.get(..count).unwrap_or_default()),
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
                Stream::Plain(stream) => {
                    let mut buffer = [0; 16 << 10];
                    let count = match stream.peek(&mut buffer) {
                        Ok(0) => return closed(&bytes),
                        Ok(count) => count,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                        Err(error) => return Err(error),
                    };
                    let before = bytes.len();
                    bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
                    if let Some(end) = end_of_head(&bytes) {
                        bytes.truncate(end);
                        let consume = (end - before).saturating_sub(1);
                        stream.read_exact(buffer.get_mut(..consume).unwrap_or_default())?;
                        self.unread = true;
                        return parse(&bytes).map(Some);
                    }
                    stream.read_exact(buffer.get_mut(..count).unwrap_or_default())?;
                }
            }
        }
    }

    /// Takes the last byte of the head.
    pub(crate) fn settle(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.unread)
            && let Stream::Plain(stream) = &mut self.stream
        {
            stream.read_exact(&mut [0])?;
        }
        Ok(())
    }

    /// Another handle of a plain connection whose head was read, for who takes it over.
    pub(crate) fn take_plain(&mut self) -> io::Result<Option<TcpStream>> {
        self.settle()?;
        match &self.stream {
            Stream::Plain(stream) => stream.try_clone().map(Some),
            Stream::Tls(_) => Ok(None),
        }
    }

    /// Closes so that the client sees a reset; over TLS it sees a connection closed without notice.
    pub(crate) fn reset(self) {
        // Dropping does it: a byte is unread, or TLS was not closed.
        drop(self);
    }

    /// Waits until the client closes, and throws away what it sends until then.
    pub(crate) fn wait_for_close(&mut self) {
        let mut buffer = [0; 4096];
        while matches!(self.read(&mut buffer), Ok(count) if count > 0) {}
    }

    /// Closes in order.
    pub(crate) fn close(mut self) {
        if let Stream::Tls(stream) = &mut self.stream {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        let _ = self.flush();
        let socket = match &self.stream {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => &stream.sock,
        };
        let _ = socket.shutdown(Shutdown::Write);
        // Unread bytes would make a reset of it, and take away from the client what it has not read yet.
        let _ = socket.set_read_timeout(Some(std::time::Duration::from_millis(200)));
        let mut left = 1 << 20;
        let mut buffer = [0; 16 << 10];
        while left > 0 {
            match self.read(&mut buffer) {
                Ok(count) if count > 0 => left -= count.min(left),
                _ => break,
            }
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.settle()?;
        let held = self.held.get(self.at..).unwrap_or_default();
        if !held.is_empty() {
            let count = held.len().min(buffer.len());
            if let (Some(to), Some(from)) = (buffer.get_mut(..count), held.get(..count)) {
                to.copy_from_slice(from);
            }
            self.at += count;
            return Ok(count);
        }
        match &mut self.stream {
            Stream::Plain(stream) => stream.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.write(bytes),
            Stream::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}

/// The body of a request, as it comes.
pub(crate) struct Body<'a> {
    wire: &'a mut Wire,
    framing: Framing,
    /// What is left of the body, or of the chunk.
    left: u64,
    done: bool,
    /// The client waits to be told to send it (RFC 9110, 10.1.1).
    asked: bool,
}

impl<'a> Body<'a> {
    pub(crate) fn new(wire: &'a mut Wire, head: &Head) -> io::Result<Self> {
        let framing = head.framing()?;
        let left = if let Framing::Known(length) = framing { length } else { 0 };
        let asked = !head.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
        Ok(Self { wire, framing, left, done: framing == Framing::Known(0), asked })
    }

    /// Whether the rest is short enough to be thrown away, so that the connection can be kept; then it was.
    pub(crate) fn drain(mut self) -> bool {
        if self.done {
            return true;
        }
        if !self.asked {
            return false;
        }
        io::copy(&mut (&mut self).take(1 << 20), &mut io::sink()).is_ok() && self.done
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        loop {
            let mut byte = [0];
            self.wire.read_exact(&mut byte)?;
            match byte {
                [b'\n'] => break,
                [b'\r'] => {}
                [byte] if line.len() < 1024 => line.push(byte),
                _ => return Err(malformed("a chunk's size is too long")),
            }
        }
        String::from_utf8(line).map_err(|_| malformed("a chunk's size is no text"))
    }
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.done || buffer.is_empty() {
            return Ok(0);
        }
        if !std::mem::replace(&mut self.asked, true) {
            self.wire.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            self.wire.flush()?;
        }
        if self.left == 0 && self.framing == Framing::Chunked {
            let line = self.line()?;
            let size = line.split(';').next().unwrap_or_default().trim();
            self.left = u64::from_str_radix(size, 16).map_err(|_| malformed("a chunk's size is no number"))?;
            if self.left == 0 {
                while !self.line()?.is_empty() {}
                self.done = true;
                return Ok(0);
            }
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.wire.read(buffer.get_mut(..most).unwrap_or_default())?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= u64::try_from(count).unwrap_or(u64::MAX).min(self.left);
        if self.left == 0 {
            match self.framing {
                Framing::Known(_) => self.done = true,
                Framing::Chunked => {
                    if !self.line()?.is_empty() {
                        return Err(malformed("a chunk has another size than it said"));
                    }
                }
            }
        }
        Ok(count)
    }
}

fn closed(bytes: &[u8]) -> io::Result<Option<Head>> {
    if bytes.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn parse(bytes: &[u8]) -> io::Result<Head> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        _ => return Err(malformed("not an HTTP request")),
    }
    let (Some(method), Some(target)) = (request.method, request.path) else {
        return Err(malformed("not an HTTP request"));
    };
    let headers =
        request.headers.iter().map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).trim().to_owned())).collect();
    Ok(Head { method: method.to_owned(), target: target.to_owned(), headers })
}
