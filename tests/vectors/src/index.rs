//! The index as it is read: cases and their inputs.

use std::path::{Path, PathBuf};
use std::{fs, io};

use base64::Engine as _;
use touchmark_envelope::json::{self, Object, Value};

/// The format that is known.
pub const FORMAT: u64 = 1;
/// Members that every case has, or may have.
const COMMON: [&str; 5] = ["id", "operation", "expect", "why", "spec"];

/// The text of an index.
///
/// # Errors
/// It cannot be read.
pub fn read(folder: &Path) -> io::Result<Vec<u8>> {
    fs::read(folder.join(crate::INDEX))
}

/// The cases of an index.
///
/// # Errors
/// It is none of the format that is known.
pub fn cases<'t>(text: &'t [u8], folder: &Path) -> Result<Vec<Case<'t>>, String> {
    let index = json::parse_bounded(text, text.len(), text.len()).map_err(|error| error.to_string())?;
    let Value::Object(index) = index else { return Err("the index is no object".to_owned()) };
    only(&index, &["format", "cases"])?;
    if index.get("format").and_then(Value::as_u64) != Some(FORMAT) {
        return Err("the index is of another format".to_owned());
    }
    let listed = index.get("cases").and_then(Value::as_array).ok_or("the index has no cases")?;
    let case = |value: &Value<'t>| match value {
        Value::Object(object) => Ok(Case { object: object.clone(), folder: folder.to_owned() }),
        _ => Err("a case is no object".to_owned()),
    };
    listed.iter().map(case).collect()
}

/// A case, or a part of one that has inputs and an expectation.
#[derive(Clone, Debug)]
pub struct Case<'t> {
    object: Object<'t>,
    folder: PathBuf,
}

/// The result of looking for something in a case.
pub type Found<T> = Result<T, String>;

impl<'t> Case<'t> {
    /// What names it.
    pub fn id(&self) -> &str {
        self.optional("id").unwrap_or("a case without an id")
    }

    /// Where the vectors are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its members.
    pub fn object(&self) -> &Object<'t> {
        &self.object
    }

    /// Refuses members that are neither among these nor such as every case has.
    ///
    /// # Errors
    /// There is one.
    pub fn only(&self, known: &[&str]) -> Found<()> {
        only(&self.object, &[known, &COMMON].concat())
    }

    /// A text.
    ///
    /// # Errors
    /// There is none.
    pub fn text(&self, name: &str) -> Found<&str> {
        self.optional(name).ok_or_else(|| missing(name))
    }

    /// A text, if there is one.
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.object.get(name).and_then(Value::as_str)
    }

    /// An integer.
    ///
    /// # Errors
    /// There is none.
    pub fn integer(&self, name: &str) -> Found<i64> {
        self.object.get(name).and_then(Value::as_i64).ok_or_else(|| missing(name))
    }

    /// A count.
    ///
    /// # Errors
    /// There is none.
    pub fn count(&self, name: &str) -> Found<usize> {
        let count = self.object.get(name).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
        count.ok_or_else(|| missing(name))
    }

    /// The bytes of an input.
    ///
    /// # Errors
    /// There is none, or its file cannot be read.
    pub fn input(&self, name: &str) -> Found<Vec<u8>> {
        bytes(self.object.get(name).ok_or_else(|| missing(name))?, &self.folder)
    }

    /// The bytes of the inputs of a list.
    ///
    /// # Errors
    /// There is no list, or a file cannot be read.
    pub fn inputs(&self, name: &str) -> Found<Vec<Vec<u8>>> {
        self.list(name)?.iter().map(|input| bytes(input, &self.folder)).collect()
    }

    /// A list.
    ///
    /// # Errors
    /// There is none.
    pub fn list(&self, name: &str) -> Found<&[Value<'t>]> {
        self.object.get(name).and_then(Value::as_array).ok_or_else(|| missing(name))
    }

    /// The texts of a list; none if there is no list.
    ///
    /// # Errors
    /// One is no text.
    pub fn texts(&self, name: &str) -> Found<Vec<&str>> {
        match self.object.get(name) {
            None => Ok(Vec::new()),
            Some(_) => self.list(name)?.iter().map(|item| item.as_str().ok_or_else(|| missing(name))).collect(),
        }
    }

    /// The texts of an object, by name; none if there is no object.
    ///
    /// # Errors
    /// One is no text.
    pub fn pairs(&self, name: &str) -> Found<Vec<(String, String)>> {
        let Some(object) = self.object.get(name) else { return Ok(Vec::new()) };
        let object = object.as_object().ok_or_else(|| missing(name))?;
        let pair = |(key, value): (&str, &Value<'_>)| Ok((key.to_owned(), value.as_str().ok_or_else(|| missing(name))?.to_owned()));
        object.iter().map(pair).collect()
    }

    /// The inputs of an object, by name; none if there is no object.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn named_inputs(&self, name: &str) -> Found<Vec<(String, Vec<u8>)>> {
        let Some(object) = self.object.get(name) else { return Ok(Vec::new()) };
        let object = object.as_object().ok_or_else(|| missing(name))?;
        object.iter().map(|(key, input)| Ok((key.to_owned(), bytes(input, &self.folder)?))).collect()
    }

    /// A part that has members of its own.
    ///
    /// # Errors
    /// There is none.
    pub fn part(&self, name: &str) -> Found<Case<'t>> {
        let object = self.object.get(name).and_then(Value::as_object).ok_or_else(|| missing(name))?;
        Ok(Case { object: object.clone(), folder: self.folder.clone() })
    }

    /// The parts of a list; none if there is no list.
    ///
    /// # Errors
    /// One has no members.
    pub fn parts(&self, name: &str) -> Found<Vec<Case<'t>>> {
        if self.object.get(name).is_none() {
            return Ok(Vec::new());
        }
        let part = |value: &Value<'t>| match value {
            Value::Object(object) => Ok(Case { object: object.clone(), folder: self.folder.clone() }),
            _ => Err(missing(name)),
        };
        self.list(name)?.iter().map(part).collect()
    }
}

/// The bytes of an input: `{"file": PATH}`, `{"text": TEXT}` or `{"base64": TEXT}`.
///
/// # Errors
/// It is none, or its file cannot be read.
pub fn bytes(input: &Value<'_>, folder: &Path) -> Found<Vec<u8>> {
    let object = input.as_object().filter(|object| object.len() == 1).ok_or("an input is none")?;
    match object.iter().next() {
        Some(("file", Value::String(path))) => fs::read(folder.join(path.as_ref())).map_err(|error| format!("{path}: {error}")),
        Some(("text", Value::String(text))) => Ok(text.as_bytes().to_vec()),
        Some(("base64", Value::String(text))) => {
            base64::engine::general_purpose::STANDARD.decode(text.as_bytes()).map_err(|error| format!("an input is no base64: {error}"))
        }
        _ => Err("an input is none".to_owned()),
    }
}

fn only(object: &Object<'_>, known: &[&str]) -> Found<()> {
    match object.iter().find(|(name, _)| !known.contains(name)) {
        Some((name, _)) => Err(format!("unknown member `{name}`")),
        None => Ok(()),
    }
}

fn missing(name: &str) -> String {
    format!("`{name}` is missing or malformed")
}
