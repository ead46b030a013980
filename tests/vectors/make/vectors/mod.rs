//! What writes the vectors: cases with what each expects, stated by hand, and the files that they name.
//!
//! Nothing here depends on a clock or on chance: keys are made from their names, ECDSA signatures have the nonce of RFC 6979, and RSA signatures
//! and documents of other implementations are files of `testdata`.
#![allow(clippy::panic, reason = "a generator whose material cannot be made has failed")]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a generator whose material cannot be made has failed")]

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use touchmark_envelope::json::{Object, Value};
use touchmark_test_tuf_repository::Key;
use touchmark_test_vectors::{Files, INDEX, files};

mod canonical;
mod digests;
mod envelopes;
mod images;
mod keys;
mod names;
mod policies;
mod repositories;
mod searches;
mod signatures;
mod standings;
mod statements;
mod supply_chains;

/// So many bytes stand in the index itself; more are a file.
const INLINE: usize = 400;

/// All vectors, as files.
pub(crate) fn made() -> Files {
    let mut vectors = Vectors::default();
    canonical::add(&mut vectors);
    digests::add(&mut vectors);
    names::add(&mut vectors);
    keys::add(&mut vectors);
    signatures::add(&mut vectors);
    envelopes::add(&mut vectors);
    statements::add(&mut vectors);
    searches::add(&mut vectors);
    repositories::add(&mut vectors);
    standings::add(&mut vectors);
    supply_chains::add(&mut vectors);
    policies::add(&mut vectors);
    images::add(&mut vectors);
    vectors.into_files()
}

/// Cases, and the files that they name. What has the same content is one file.
#[derive(Debug, Default)]
struct Vectors {
    cases: Vec<Object<'static>>,
    files: BTreeMap<String, Vec<u8>>,
    paths: BTreeMap<Vec<u8>, String>,
    folders: BTreeMap<Files, String>,
}

impl Vectors {
    /// The files, the index among them, by their paths.
    fn into_files(self) -> Files {
        let mut lines = Vec::new();
        for case in self.cases {
            lines.push(Value::Object(case).to_vec());
        }
        let mut files = self.files;
        files.insert(INDEX.to_owned(), [b"{\"format\":1,\"cases\":[\n".as_slice(), &lines.join(&b",\n"[..]), b"\n]}\n"].concat());
        files
    }

    /// Adds a case.
    fn add(&mut self, case: Case) {
        let id = case.object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        assert!(self.cases.iter().all(|other| other.get("id").and_then(Value::as_str) != Some(&id)), "two cases are named {id}");
        self.cases.push(case.object);
    }

    /// An id that begins so and that no case has yet.
    fn id(&self, prefix: &str, text: &str) -> String {
        let words = kebab(text);
        let short: String = words.chars().take(60).collect();
        let id = format!("{prefix}-{}", short.trim_end_matches('-'));
        let is_new = |id: &String| self.cases.iter().all(|case| case.get("id").and_then(Value::as_str) != Some(id));
        let numbered = (2..).map(|number: u32| format!("{id}-{number}"));
        std::iter::once(id.clone()).chain(numbered).find(is_new).unwrap_or(id)
    }

    /// An input: in the index if it is short, else a file of this path, or the file that has the same content already.
    fn input(&mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Value<'static> {
        let bytes = bytes.into();
        match String::from_utf8(bytes) {
            Ok(text) if text.len() <= INLINE => Value::object([("text", text)]),
            Ok(text) => self.file(path, text),
            Err(error) if error.as_bytes().len() <= INLINE => Value::object([("base64", STANDARD.encode(error.as_bytes()))]),
            Err(error) => self.file(path, error.into_bytes()),
        }
    }

    /// An input that is a file of this path, or the file that has the same content already.
    fn file(&mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Value<'static> {
        let bytes = bytes.into();
        if let Some(path) = self.paths.get(&bytes) {
            return Value::object([("file", path.clone())]);
        }
        self.put(path, bytes.clone());
        self.paths.insert(bytes, path.to_owned());
        Value::object([("file", path.to_owned())])
    }

    /// A folder of this path with these files, or the one that has the same already.
    fn folder(&mut self, path: &str, files: Files) -> String {
        if let Some(path) = self.folders.get(&files) {
            return path.clone();
        }
        for (name, bytes) in &files {
            self.put(&format!("{path}/{name}"), bytes.clone());
        }
        self.folders.insert(files, path.to_owned());
        path.to_owned()
    }

    fn put(&mut self, path: &str, bytes: Vec<u8>) {
        assert!(self.files.insert(path.to_owned(), bytes).is_none(), "two files are named {path}");
    }

    /// The public key of this name, as a PEM file.
    fn key(&mut self, name: &str, key: &Key) -> Value<'static> {
        self.file(&format!("keys/{name}.pub"), key.public().to_pem())
    }
}

/// A case that is being made.
struct Case {
    object: Object<'static>,
}

impl Case {
    /// One of this operation, for this reason, by this section of SPEC.md.
    fn new(operation: &str, id: &str, why: &str, spec: &str) -> Self {
        let mut object = Object::new();
        for (name, value) in [("id", id), ("operation", operation), ("why", why), ("spec", spec)] {
            object.insert(name, value.to_owned());
        }
        Self { object }
    }

    /// With an input.
    fn with(mut self, name: &'static str, value: impl Into<Value<'static>>) -> Self {
        self.object.insert(name, value);
        self
    }

    /// With what is expected of it, which is the last that is said.
    fn expect(self, expect: Expect) -> Self {
        self.with("expect", expect)
    }
}

/// What is expected.
#[derive(Clone)]
struct Expect(Object<'static>);

impl From<Expect> for Value<'static> {
    fn from(expect: Expect) -> Self {
        Value::Object(expect.0)
    }
}

/// It is accepted.
fn ok() -> Expect {
    refused("OK")
}

/// It is refused with this status.
fn refused(status: &str) -> Expect {
    let mut object = Object::new();
    object.insert("status", status.to_owned());
    Expect(object)
}

/// It is refused with this status and code.
fn coded(status: &str, code: &str) -> Expect {
    refused(status).with("code", code.to_owned())
}

impl Expect {
    fn with(mut self, name: &'static str, value: impl Into<Value<'static>>) -> Self {
        self.0.insert(name, value);
        self
    }
}

/// A list.
fn list(items: impl IntoIterator<Item = Value<'static>>) -> Value<'static> {
    Value::from(items.into_iter().collect::<Vec<_>>())
}

/// The files of a folder of `testdata`.
fn testdata(folder: &str) -> Files {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(folder);
    files(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A file of `testdata`.
fn testdata_file(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A text as part of an id.
fn kebab(text: &str) -> String {
    let word = |character: char| if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '-' };
    let words: String = text.chars().map(word).collect();
    words.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

/// The bytes that hexadecimal digits are.
fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).expect("a hexadecimal digit");
    text.as_bytes().chunks(2).map(|pair| pair.iter().fold(0, |byte, next| byte << 4 | digit(next))).collect()
}
