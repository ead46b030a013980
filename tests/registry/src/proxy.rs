//! A proxy before another server: it logs what passes, and makes some of it fail.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::answer::{Answer, Content};
use crate::connection::{self, Answering};
use crate::fault::{Action, Fault, Faults};
use crate::lock::lock;
use crate::log::{Log, Logged};
use crate::server::{Serve, Server};
use crate::wire::{Body, Head, Wire};

/// How large a body may be that passes.
const MAX_BODY: u64 = 64 << 20;

/// A proxy that runs until it is dropped. A client may take it for the server itself, or for an HTTP proxy: requests for a whole
/// URL go to the server, whatever it says, and `CONNECT` is connected to it, so that any name can stand for the server.
pub struct Proxy {
    relay: Arc<Relay>,
    address: SocketAddr,
    /// Stops the threads when dropped.
    _server: Server,
}

struct Relay {
    upstream: String,
    idle: Mutex<Vec<Upstream>>,
    faults: Faults,
    log: Log,
}

impl Proxy {
    /// Starts a proxy before the plain HTTP server at `upstream`, `HOST:PORT`; `CONNECT` leads to one that speaks TLS too.
    ///
    /// # Panics
    /// There is no free port.
    #[must_use]
    pub fn start(upstream: &str) -> Self {
        let relay = Relay { upstream: upstream.to_owned(), idle: Mutex::default(), faults: Faults::default(), log: Log::new() };
        let relay = Arc::new(relay);
        let of_connections = Arc::clone(&relay);
        let serve: Arc<Serve> = Arc::new(move |stream, number| connection::serve(&*of_connections, Wire::plain(stream), number));
        let mut server = Server::new();
        match server.listen(IpAddr::V4(Ipv4Addr::LOCALHOST), 0, serve) {
            Ok(address) => Self { relay, address, _server: server },
            Err(error) => panic!("the proxy does not start: {error}"),
        }
    }

    /// The proxy's host for references: `127.0.0.1:PORT`.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault) {
        self.relay.faults.add(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.relay.faults.clear();
    }

    /// What passed, in the order in which it came.
    #[must_use]
    pub fn log(&self) -> Vec<Logged> {
        self.relay.log.entries()
    }

    /// Forgets what passed.
    pub fn clear_log(&self) {
        self.relay.log.clear();
    }

    /// How many requests waited for one another at most.
    #[must_use]
    pub fn longest_chain(&self) -> u32 {
        self.log().iter().map(|logged| logged.depth).max().unwrap_or(0)
    }
}

impl Answering for Relay {
    fn faults(&self) -> &Faults {
        &self.faults
    }

    fn log(&self) -> &Log {
        &self.log
    }

    fn delay(&self) -> Duration {
        Duration::ZERO
    }

    fn answer(&self, head: &Head, mut body: Body<'_>, _action: Option<&Action>) -> (Answer, bool) {
        let mut bytes = Vec::new();
        let received = (&mut body).take(MAX_BODY + 1).read_to_end(&mut bytes);
        let whole = received.is_ok() && u64::try_from(bytes.len()).is_ok_and(|length| length <= MAX_BODY);
        if !whole {
            return (Answer::error(413, "SIZE_INVALID", "too large for this proxy"), false);
        }
        match self.forward(head, &bytes) {
            Ok(answer) => (answer, true),
            Err(error) => (Answer::error(502, "UNKNOWN", &error.to_string()), true),
        }
    }

    fn tunnel(&self, client: TcpStream) -> io::Result<()> {
        let upstream = TcpStream::connect(&self.upstream)?;
        let (mut from_client, mut to_upstream) = (client.try_clone()?, upstream.try_clone()?);
        let up = std::thread::spawn(move || {
            let _ = io::copy(&mut from_client, &mut to_upstream);
            let _ = to_upstream.shutdown(Shutdown::Write);
        });
        let (mut from_upstream, mut to_client) = (upstream, client);
        let _ = io::copy(&mut from_upstream, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
        let _ = up.join();
        Ok(())
    }
}

impl Relay {
    /// Sends the request on. A kept connection that the server has closed meanwhile is replaced by a new one.
    fn forward(&self, head: &Head, body: &[u8]) -> io::Result<Answer> {
        let kept = lock(&self.idle).pop();
        if let Some(mut kept) = kept
            && let Ok(answer) = kept.exchange(head, body)
        {
            self.keep(kept);
            return Ok(answer);
        }
        let stream = TcpStream::connect(&self.upstream)?;
        stream.set_nodelay(true)?;
        let mut upstream = Upstream { stream: io::BufReader::new(stream), closing: false };
        let answer = upstream.exchange(head, body)?;
        self.keep(upstream);
        Ok(answer)
    }

    fn keep(&self, upstream: Upstream) {
        if !upstream.closing {
            lock(&self.idle).push(upstream);
        }
    }
}

/// A connection to the server.
struct Upstream {
    stream: io::BufReader<TcpStream>,
    /// The server will close it.
    closing: bool,
}

impl Upstream {
    fn exchange(&mut self, head: &Head, body: &[u8]) -> io::Result<Answer> {
        let path = match head.target.split_once("://") {
            Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
            None => &head.target,
        };
        let mut request = format!("{} {path} HTTP/1.1\r\n", head.method);
        for (name, value) in &head.headers {
            let hop = ["connection", "content-length", "transfer-encoding", "expect", "proxy-connection", "proxy-authorization"];
            if !hop.iter().any(|hop| name.eq_ignore_ascii_case(hop)) {
                request.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        if !body.is_empty() || !matches!(head.method.as_str(), "GET" | "HEAD" | "DELETE") {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        let mut bytes = request.into_bytes();
        bytes.extend_from_slice(body);
        self.stream.get_mut().write_all(&bytes)?;
        self.answer(head.method == "HEAD")
    }

    fn answer(&mut self, bodiless: bool) -> io::Result<Answer> {
        loop {
            let mut answer = self.head()?;
            if (100..200).contains(&answer.status) {
                continue;
            }
            let header = |name: &str| {
                answer.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_ascii_lowercase())
            };
            self.closing = header("connection").is_some_and(|value| value.contains("close"));
            let chunked = header("transfer-encoding").is_some_and(|value| value.contains("chunked"));
            let length = header("content-length").and_then(|length| length.parse::<u64>().ok());
            let mut body = Vec::new();
            if bodiless || answer.status == 204 || answer.status == 304 {
                // The length of what is not sent stays in the head.
            } else {
                if chunked {
                    self.chunks(&mut body)?;
                } else if let Some(length) = length {
                    (&mut self.stream).take(length.min(MAX_BODY)).read_to_end(&mut body)?;
                    if u64::try_from(body.len()).is_ok_and(|count| count != length) {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                } else {
                    self.closing = true;
                    (&mut self.stream).take(MAX_BODY).read_to_end(&mut body)?;
                }
                answer.replace("Content-Length", None);
            }
            answer.replace("Transfer-Encoding", None);
            answer.replace("Connection", None);
            answer.content = Content::bytes(body);
            return Ok(answer);
        }
    }

    fn head(&mut self) -> io::Result<Answer> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            if bytes.len() > 64 << 10 || io::BufRead::read_until(&mut self.stream, b'\n', &mut bytes)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let mut headers = [httparse::EMPTY_HEADER; 100];
        let mut response = httparse::Response::new(&mut headers);
        let malformed = || io::Error::new(io::ErrorKind::InvalidData, "not an HTTP response");
        response.parse(&bytes).map_err(|_| malformed())?;
        let mut answer = Answer::new(response.code.ok_or_else(malformed)?);
        for header in response.headers.iter() {
            answer.headers.push((header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()));
        }
        Ok(answer)
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let mut line = String::new();
            io::BufRead::read_line(&mut self.stream, &mut line)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not a chunk"))?;
            if size > MAX_BODY {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "too large for this proxy"));
            }
            if size == 0 {
                while !matches!(line.as_str(), "\r\n" | "\n" | "") {
                    line.clear();
                    io::BufRead::read_line(&mut self.stream, &mut line)?;
                }
                return Ok(());
            }
            (&mut self.stream).take(size).read_to_end(body)?;
            self.stream.read_exact(&mut [0; 2])?;
        }
    }
}
