//! Answers, and how they are written (RFC 9112, 4).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

/// An answer to a request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content: Content,
}

/// The body of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Bytes(Arc<Vec<u8>>),
    /// A part of what lies in memory.
    Part(Arc<Vec<u8>>, u64, u64),
    /// A part of a file: where it begins, and how long it is.
    File(Arc<Spool>, u64, u64),
    /// The beginning, then one byte again and again up to this length.
    Fill(Vec<u8>, u8, u64),
}

/// A file that goes with its last user.
#[derive(Debug)]
pub(crate) struct Spool(pub(crate) PathBuf);

impl Drop for Spool {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Content {
    pub(crate) fn bytes(bytes: Vec<u8>) -> Self {
        Self::Bytes(Arc::new(bytes))
    }

    /// These bytes of it.
    #[must_use]
    pub(crate) fn part(&self, from: u64, length: u64) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Part(Arc::clone(bytes), from, length),
            Self::Part(bytes, begin, _) => Self::Part(Arc::clone(bytes), begin + from, length),
            Self::File(file, begin, _) => Self::File(Arc::clone(file), begin + from, length),
            Self::Fill(..) => self.clone(),
        }
    }

    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Self::Part(_, _, length) | Self::File(_, _, length) | Self::Fill(_, _, length) => *length,
        }
    }

    /// The body's bytes, one after the other.
    pub(crate) fn reader(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(match self {
            Self::Bytes(bytes) => Box::new(bytes.as_slice()),
            Self::Part(bytes, from, length) => {
                let from = usize::try_from(*from).unwrap_or(usize::MAX);
                Box::new(bytes.get(from..).unwrap_or_default().take(*length))
            }
            Self::File(path, from, length) => {
                let mut file = File::open(&path.0)?;
                file.seek(SeekFrom::Start(*from))?;
                Box::new(file.take(*length))
            }
            Self::Fill(beginning, byte, length) => Box::new(beginning.as_slice().chain(io::repeat(*byte)).take(*length)),
        })
    }
}

impl Answer {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), content: Content::Bytes(Arc::default()) }
    }

    /// An error by the specification ("Error Codes").
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let body = json!({ "errors": [{ "code": code, "message": message }] });
        Self::new(status).json(&body)
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub(crate) fn body(mut self, media_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.content = Content::Bytes(Arc::new(bytes.into()));
        self.header("Content-Type", media_type)
    }

    #[must_use]
    pub(crate) fn json(self, value: &serde_json::Value) -> Self {
        self.body("application/json", value.to_string())
    }

    /// Puts the header in place of any of its name.
    pub(crate) fn replace(&mut self, name: &str, value: Option<&str>) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        if let Some(value) = value {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
    }

    /// The head, with the body's length unless the answer has none or says it itself.
    pub(crate) fn head(&self, close: bool) -> String {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let has = |name: &str| self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        if !has("content-length") && !has("transfer-encoding") && self.status != 204 && self.status >= 200 {
            head.push_str(&format!("Content-Length: {}\r\n", self.content.length()));
        }
        if close {
            head.push_str("Connection: close\r\n");
        }
        head.push_str("\r\n");
        head
    }

    /// Writes the answer. `last` runs before its last bytes go out: whoever has read it all sees what `last` did.
    pub(crate) fn write(&self, to: &mut dyn Write, bodiless: bool, close: bool, last: impl FnOnce()) -> io::Result<()> {
        let head = self.head(close).into_bytes();
        let length = self.content.length();
        if bodiless || length == 0 {
            last();
            to.write_all(&head)?;
            return to.flush();
        }
        let mut reader = self.content.reader()?;
        // One write for what is small: a head alone would wait for its acknowledgement.
        let mut buffer = vec![0; usize::try_from(length).unwrap_or(usize::MAX).min(256 << 10)];
        let mut pending = head;
        let mut left = length;
        let mut last = Some(last);
        loop {
            let count = reader.read(&mut buffer)?;
            let part = buffer.get(..count).unwrap_or_default();
            left -= u64::try_from(count).unwrap_or(u64::MAX).min(left);
            pending.extend_from_slice(part);
            if (left == 0 || count == 0)
                && let Some(last) = last.take()
            {
                last();
            }
            to.write_all(&pending)?;
            pending.clear();
            if left == 0 || count == 0 {
                return to.flush();
            }
        }
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Content Too Large",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
