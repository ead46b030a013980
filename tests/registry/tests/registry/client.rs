//! A client that sends exactly what a test says, and shows exactly what came back.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A connection that is kept.
pub struct Client {
    stream: Box<dyn Stream>,
    host: String,
}

pub trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The code of the first error.
    pub fn code(&self) -> String {
        self.json()["errors"][0]["code"].as_str().unwrap_or_else(|| panic!("no error: {}", self.text())).to_owned()
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

impl Client {
    pub fn new(host: &str) -> Self {
        let stream = TcpStream::connect(host).unwrap();
        // No test waits for ever; none depends on how long.
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self::over(stream, host)
    }

    pub fn over(stream: impl Stream + 'static, host: &str) -> Self {
        Self { stream: Box::new(stream), host: host.to_owned() }
    }

    pub fn into_stream(self) -> Box<dyn Stream> {
        self.stream
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    pub fn put(&mut self, path: &str, media_type: &str, body: &[u8]) -> Answer {
        self.send("PUT", path, &[("Content-Type", media_type)], body)
    }

    #[track_caller]
    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_send(method, path, headers, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    pub fn try_send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
        self.write(method, path, headers, body)?;
        self.read(method == "HEAD")
    }

    pub fn write(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<()> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.host);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || matches!(method, "POST" | "PUT" | "PATCH") {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        self.raw(head.as_bytes())?;
        self.raw(body)
    }

    pub fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    pub fn read(&mut self, bodiless: bool) -> io::Result<Answer> {
        let (status, headers) = self.head()?;
        let mut answer = Answer { status, headers, body: Vec::new() };
        if bodiless || status == 204 || status < 200 {
            return Ok(answer);
        }
        let length = answer.header("content-length").map(|length| length.parse::<usize>().unwrap());
        if let Some(length) = length {
            answer.body = vec![0; length];
            self.stream.read_exact(&mut answer.body)?;
        } else {
            self.stream.read_to_end(&mut answer.body)?;
        }
        Ok(answer)
    }

    /// The head alone.
    pub fn head(&mut self) -> io::Result<(u16, Vec<(String, String)>)> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok((status, headers.collect()))
    }

    /// Everything until the end of the connection, and whether that was orderly.
    pub fn rest(&mut self) -> (Vec<u8>, io::Result<()>) {
        let mut bytes = Vec::new();
        let end = self.stream.read_to_end(&mut bytes).map(|_| ());
        (bytes, end)
    }

    /// Pushes a blob by POST and PUT, as every registry takes it; gives the answer to the PUT.
    pub fn push_blob(&mut self, repository: &str, bytes: &[u8]) -> Answer {
        let location = location(&self.send("POST", &format!("/v2/{repository}/blobs/uploads/"), &[], b"").is(202));
        let with = if location.contains('?') { '&' } else { '?' };
        self.send("PUT", &format!("{location}{with}digest={}", touchmark_test_registry::sha256(bytes)), &[], bytes)
    }
}

/// The path of an answer's location.
pub fn location(answer: &Answer) -> String {
    let location = answer.header("location").unwrap();
    match location.split_once("://") {
        Some((_, rest)) => rest[rest.find('/').unwrap()..].to_owned(),
        None => location.to_owned(),
    }
}

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A manifest whose config is the empty blob `{}`, with these further members.
pub fn manifest(members: &serde_json::Value) -> Vec<u8> {
    let mut manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": touchmark_test_registry::sha256(b"{}"), "size": 2 },
        "layers": [],
    });
    manifest.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    manifest.to_string().into_bytes()
}

/// The `subject` that names these bytes.
pub fn subject(bytes: &[u8]) -> serde_json::Value {
    serde_json::json!({ "mediaType": MANIFEST, "digest": touchmark_test_registry::sha256(bytes), "size": bytes.len() })
}
