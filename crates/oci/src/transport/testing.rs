//! A server that answers what a test tells it to, over real connections.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Received {
    /// The request line without the version: `GET /v2/`.
    pub(super) line: String,
    /// The names are in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Which connection it came over, from 0 on.
    pub(super) connection: usize,
}

impl Received {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What is done with a request.
pub(super) enum Answer {
    /// These bytes are sent, head and body; the connection stays open.
    Bytes(Vec<u8>),
    /// These bytes are sent, then the connection is closed.
    Closing(Vec<u8>),
    /// These bytes are sent again and again, until the client goes away.
    Endless(Vec<u8>, Vec<u8>),
    /// These bytes are sent, and nothing more while the client waits.
    Silence(Vec<u8>),
    /// These bytes are sent, and then one now and then, until the client goes away.
    Drops(Vec<u8>),
    /// After these bytes the connection is reset.
    Reset(Vec<u8>),
}

/// An answer with a status, headers (each with its line end) and a body.
pub(super) fn answer(status: u16, headers: &str, body: &[u8]) -> Answer {
    let mut bytes = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{headers}\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    Answer::Bytes(bytes)
}

/// A server that answers each request by its head, takes nothing of the body and closes.
pub(super) fn refusing(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            stream.write_all(answer).unwrap();
        }
    });
    address
}

/// A server on this machine; it ends with the value.
pub(super) struct Server {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers each request as `script` says, which is told the request and how many came before it.
    pub(super) fn start(script: impl Fn(&Received, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (received, stopped) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (seen, stop, script) = (Arc::clone(&received), Arc::clone(&stopped), Arc::new(script));
        let thread = std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (seen, script) = (Arc::clone(&seen), Arc::clone(&script));
                // A connection ends when the client closes it, at the latest with the test.
                std::thread::spawn(move || serve(stream.unwrap(), connection, &seen, &*script));
            }
        });
        Self { address, received, stopped, thread: Some(thread) }
    }

    /// `HOST:PORT`.
    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What came so far.
    pub(super) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The request lines of what came so far.
    pub(super) fn lines(&self) -> Vec<String> {
        self.received().into_iter().map(|request| request.line).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        self.thread.take().unwrap().join().unwrap();
    }
}

fn serve(mut stream: TcpStream, connection: usize, seen: &Mutex<Vec<Received>>, script: &dyn Fn(&Received, usize) -> Answer) {
    while let Some(request) = receive(&mut stream, connection) {
        let before = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        match script(&request, before) {
            Answer::Bytes(bytes) => {
                if stream.write_all(&bytes).is_err() {
                    return;
                }
            }
            Answer::Closing(bytes) => {
                let _ = stream.write_all(&bytes);
                return;
            }
            Answer::Endless(first, again) => {
                let mut sent = stream.write_all(&first);
                while sent.is_ok() {
                    sent = stream.write_all(&again);
                }
                return;
            }
            Answer::Drops(first) => {
                let mut sent = stream.write_all(&first);
                while sent.is_ok() {
                    std::thread::sleep(Duration::from_millis(20));
                    sent = stream.write_all(b"x");
                }
                return;
            }
            Answer::Silence(bytes) => {
                let _ = stream.write_all(&bytes);
                let _ = stream.read(&mut [0]);
                return;
            }
            Answer::Reset(bytes) => {
                let _ = stream.write_all(&bytes);
                reset(&stream);
                return;
            }
        }
    }
}

/// Closes so that the other side reads what was sent and no more than that.
fn reset(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Both);
}

fn receive(stream: &mut TcpStream, connection: usize) -> Option<Received> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    let pair = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    let headers: Vec<(String, String)> = lines.filter_map(pair).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Received { line, headers, body, connection })
}
