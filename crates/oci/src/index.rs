//! An image index (OCI image spec, image-index.md) as a list to be changed: `index.json`, or the list of an artifact's referrers.
//!
//! Entries stay the bytes that they are. What is not touched (members, annotations and entries of other tools) is written back
//! unchanged, and a list of ten thousand entries is never a tree of values in memory.

use std::ops::Range;

use touchmark_envelope::Digest;
use touchmark_envelope::json::{self, Value};
#[cfg(feature = "registry")]
use touchmark_envelope::manifest::is_index_type;
use touchmark_envelope::manifest::{Descriptor, IMAGE_INDEX};

/// The annotation that holds an entry's tag (annotations.md).
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The annotation by which a list of referrers that Touchmark wrote says whose it is. Lists without it are other tools', and are
/// never removed.
const LIST_OF: &str = "vnd.touchmark.referrers-of";
/// At most this many bytes of index are read.
pub(crate) const MAX_BYTES: u64 = 32 << 20;
/// At most this many entries.
pub(crate) const MAX_ENTRIES: usize = 100_000;
/// At most this many bytes in one entry, and in all that stands around the entries: a tree of values takes many times its text.
pub(crate) const MAX_PART: usize = 256 << 10;

/// An index, read strictly: every part of it is JSON without duplicate members.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    bytes: Vec<u8>,
    /// From the bracket that opens the entries to the one that closes them, both excluded.
    inside: Range<usize>,
    entries: Vec<Entry>,
    list_of: Option<Digest>,
}

/// One entry: where its text is, and what it is looked up by.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    text: Text,
    /// The content; `None` if the entry has no digest that this library knows.
    pub(crate) digest: Option<Digest>,
    /// The tag.
    pub(crate) tag: Option<String>,
}

#[derive(Clone, Debug)]
enum Text {
    Received(Range<usize>),
    Written(Vec<u8>),
}

/// Why bytes are no index that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It ends too soon, as a file does that is being written.
    CutOff,
    /// Not JSON, or not of this form.
    Malformed(String),
    /// Larger than the limit: an entry, or all that stands around the entries.
    TooLarge {
        /// The size in bytes.
        size: usize,
    },
    /// More than [`MAX_ENTRIES`].
    TooMany,
}

impl Index {
    /// An index without entries.
    pub(crate) fn new() -> Self {
        let bytes = format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[]}}"#).into_bytes();
        let end = bytes.len().saturating_sub(2);
        Self { bytes, inside: end..end, entries: Vec::new(), list_of: None }
    }

    /// An index of the entries that can still be read in a damaged one.
    pub(crate) fn salvage(bytes: &[u8]) -> Self {
        let mut index = Self::new();
        let mut scan = Scan { bytes, at: 0, items: Vec::new() };
        let _ = scan.document();
        for item in scan.items {
            let text = bytes.get(item).unwrap_or_default();
            if let Ok(value) = part(text, "an entry")
                && value.as_object().is_some()
            {
                index.entries.push(Entry::new(Text::Written(text.to_vec()), &value));
            }
        }
        index
    }

    /// The list of `subject`'s referrers, with the entries of `list` if there is one.
    pub(crate) fn list(subject: &Digest, list: Option<&Index>) -> Self {
        let head = format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","annotations":{{"{LIST_OF}":"{subject}"}},"manifests":["#);
        let copy = |list: &Index, entry: &Entry| Entry { text: Text::Written(list.text(entry).to_vec()), ..entry.clone() };
        let entries = list.map_or_else(Vec::new, |list| list.entries.iter().map(|entry| copy(list, entry)).collect());
        Self { inside: head.len()..head.len(), bytes: format!("{head}]}}").into_bytes(), entries, list_of: Some(*subject) }
    }

    /// Whose referrers it lists, if Touchmark wrote it.
    pub(crate) fn list_of(&self) -> Option<Digest> {
        self.list_of
    }

    /// Reads an index. `manifests` may be missing or null, as Go programs write an empty list.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, Fault> {
        let Frame { bytes, inside, items, list_of, .. } = Frame::read(bytes)?;
        let mut entries = Vec::with_capacity(items.len());
        for item in items {
            let value = part(bytes.get(item.clone()).unwrap_or_default(), "an entry")?;
            if value.as_object().is_none() {
                return Err(Fault::Malformed("an entry is no object".to_owned()));
            }
            entries.push(Entry::new(Text::Received(item), &value));
        }
        Ok(Self { bytes, inside, entries, list_of })
    }

    /// Reads a list of referrers from a place where anybody adds to it: an entry that is malformed has no digest, and hides no other.
    #[cfg(feature = "registry")]
    pub(crate) fn parse_list(bytes: Vec<u8>) -> Result<Self, Fault> {
        let Frame { bytes, inside, items, list_of, .. } = Frame::read_list(bytes)?;
        let entry = |item: Range<usize>| match part(bytes.get(item.clone()).unwrap_or_default(), "an entry") {
            Ok(value) => Entry::new(Text::Received(item), &value),
            Err(_) => Entry { text: Text::Received(item), digest: None, tag: None },
        };
        let entries = items.into_iter().map(entry).collect();
        Ok(Self { bytes, inside, entries, list_of })
    }

    /// The entries, in order.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The first entry for this content.
    pub(crate) fn find(&self, digest: &Digest) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.digest.as_ref() == Some(digest))
    }

    /// Whether an entry is for this content.
    pub(crate) fn lists(&self, digest: &Digest) -> bool {
        self.find(digest).is_some()
    }

    /// The entry with this tag.
    pub(crate) fn tagged(&self, tag: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag.as_deref() == Some(tag))
    }

    /// An entry as JSON text.
    pub(crate) fn text<'a>(&'a self, entry: &'a Entry) -> &'a [u8] {
        match &entry.text {
            Text::Received(range) => self.bytes.get(range.clone()).unwrap_or_default(),
            Text::Written(bytes) => bytes,
        }
    }

    /// An entry as a descriptor, or why it is none.
    pub(crate) fn descriptor(&self, entry: &Entry) -> Result<Descriptor, String> {
        let value = json::parse(self.text(entry), MAX_PART).map_err(|error| error.to_string())?;
        Descriptor::from_json(&value).map_err(|error| error.to_string())
    }

    /// Appends an entry.
    pub(crate) fn push(&mut self, descriptor: &Descriptor) {
        let value = descriptor.to_json();
        self.entries.push(Entry::new(Text::Written(value.to_vec()), &value));
    }

    /// Appends an entry as it stands in another index.
    #[cfg(feature = "registry")]
    pub(crate) fn push_text(&mut self, text: &[u8]) {
        if let Ok(value) = part(text, "an entry") {
            self.entries.push(Entry::new(Text::Written(text.to_vec()), &value));
        }
    }

    /// Keeps the entries for which `keep` is true.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&Entry) -> bool) {
        self.entries.retain(keep);
    }

    /// Changes the JSON objects of the entries for which `wanted` is true.
    pub(crate) fn change(&mut self, wanted: impl Fn(&Entry) -> bool, mut change: impl FnMut(&mut json::Object<'static>)) {
        for place in 0..self.entries.len() {
            let Some(entry) = self.entries.get(place).filter(|entry| wanted(entry)) else { continue };
            let Ok(Value::Object(object)) = json::parse(self.text(entry), MAX_PART).map(Value::into_owned) else { continue };
            let mut object = object;
            change(&mut object);
            let value = Value::from(object);
            let changed = Entry::new(Text::Written(value.to_vec()), &value);
            if let Some(entry) = self.entries.get_mut(place) {
                *entry = changed;
            }
        }
    }

    /// The index as JSON text: around the entries the bytes that were read.
    pub(crate) fn to_vec(&self) -> Vec<u8> {
        let (head, tail) = (self.bytes.get(..self.inside.start).unwrap_or_default(), self.bytes.get(self.inside.end..).unwrap_or_default());
        let entries: usize = self.entries.iter().map(|entry| self.text(entry).len().saturating_add(1)).sum();
        let mut out = Vec::with_capacity(head.len().saturating_add(entries).saturating_add(tail.len()));
        out.extend_from_slice(head);
        for (number, entry) in self.entries.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            out.extend_from_slice(self.text(entry));
        }
        out.extend_from_slice(tail);
        out
    }
}

impl Entry {
    fn new(text: Text, value: &Value<'_>) -> Self {
        let digest = value.get("digest").and_then(Value::as_str).and_then(|digest| digest.parse().ok());
        let tag = value.get("annotations").and_then(|annotations| annotations.get(REF_NAME)).and_then(Value::as_str);
        Self { text, digest, tag: tag.map(str::to_owned) }
    }
}

/// An index of which the entries were not read yet.
pub(crate) struct Frame {
    bytes: Vec<u8>,
    /// From the bracket that opens the entries to the one that closes them, both excluded.
    inside: Range<usize>,
    items: Vec<Range<usize>>,
    list_of: Option<Digest>,
    /// What it says that it is.
    #[cfg(feature = "registry")]
    media_type: Option<String>,
    /// Whether there is an array of entries.
    #[cfg(feature = "registry")]
    has_array: bool,
}

impl Frame {
    fn read(bytes: Vec<u8>) -> Result<Self, Fault> {
        let malformed = || Fault::Malformed("it is no JSON object with an array `manifests`".to_owned());
        let found = Shape::find(&bytes);
        match &found {
            Err(missed) if missed.at >= bytes.len() => return Err(Fault::CutOff),
            Err(missed) if missed.items.len() > MAX_ENTRIES => return Err(Fault::TooMany),
            _ => {}
        }
        let Ok(shape) = found else {
            if bytes.len() > MAX_PART {
                return Err(malformed());
            }
            let mut document = match json::parse(&bytes, MAX_PART) {
                Ok(Value::Object(document)) => document,
                Ok(_) => return Err(malformed()),
                Err(error) => return Err(Fault::Malformed(error.to_string())),
            };
            if document.get("manifests").is_some_and(|found| *found != Value::Null) {
                return Err(malformed());
            }
            document.insert("manifests", Vec::new());
            let frame = Self::read(Value::from(document).to_vec())?;
            #[cfg(feature = "registry")]
            let frame = Self { has_array: false, ..frame };
            return Ok(frame);
        };
        let around = [bytes.get(..shape.inside.start), bytes.get(shape.inside.end..)].map(Option::unwrap_or_default).concat();
        let around = part(&around, "what stands around the entries")?;
        if around.get("schemaVersion").is_some_and(|version| version.as_u64() != Some(2)) {
            return Err(Fault::Malformed("its schemaVersion is not 2".to_owned()));
        }
        let list_of = around.get("annotations").and_then(|annotations| annotations.get(LIST_OF)?.as_str()?.parse().ok());
        #[cfg(feature = "registry")]
        let media_type = around.get("mediaType").and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            inside: shape.inside,
            items: shape.items,
            list_of,
            #[cfg(feature = "registry")]
            media_type,
            #[cfg(feature = "registry")]
            has_array: true,
            bytes,
        })
    }

    /// Reads an index that a server gave as a list of referrers. An object that has neither entries nor the media type of an index,
    /// such as an error that came with a status of success, is no empty list.
    #[cfg(feature = "registry")]
    pub(crate) fn read_list(bytes: Vec<u8>) -> Result<Self, Fault> {
        let frame = Self::read(bytes)?;
        match &frame.media_type {
            Some(said) if !is_index_type(said) => Err(Fault::Malformed("its media type is not that of an index".to_owned())),
            None if !frame.has_array => Err(Fault::Malformed("it is no JSON object with an array `manifests`".to_owned())),
            _ => Ok(frame),
        }
    }

    /// Its length in bytes.
    #[cfg(feature = "registry")]
    pub(crate) fn length(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)
    }

    /// The text of each entry, in order.
    #[cfg(feature = "registry")]
    pub(crate) fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.items.iter().map(|item| self.bytes.get(item.clone()).unwrap_or_default())
    }
}

/// An entry as a descriptor.
#[cfg(feature = "registry")]
pub(crate) fn descriptor(text: &[u8]) -> Result<Descriptor, Fault> {
    Descriptor::from_json(&part(text, "an entry")?).map_err(|error| Fault::Malformed(error.to_string()))
}

fn part<'a>(bytes: &'a [u8], what: &str) -> Result<Value<'a>, Fault> {
    if bytes.len() > MAX_PART {
        return Err(Fault::TooLarge { size: bytes.len() });
    }
    json::parse(bytes, MAX_PART).map_err(|error| match error.kind {
        json::Kind::End => Fault::CutOff,
        _ => Fault::Malformed(format!("{what}: {error}")),
    })
}

/// Where the entries are. Only brackets and strings are looked at here: whether the parts are JSON is checked on each of them.
struct Shape {
    inside: Range<usize>,
    items: Vec<Range<usize>>,
}

impl Shape {
    /// If there is no object with an array `manifests`, or too many entries: how far it was looked for, to the end if that came
    /// too soon.
    fn find(bytes: &[u8]) -> Result<Self, Scan<'_>> {
        let mut scan = Scan { bytes, at: 0, items: Vec::new() };
        match scan.document() {
            Some(inside) => Ok(Self { inside, items: scan.items }),
            None => Err(scan),
        }
    }
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The entries that were passed.
    items: Vec<Range<usize>>,
}

impl Scan<'_> {
    /// Passes the document up to the end of its entries, and returns where these are.
    fn document(&mut self) -> Option<Range<usize>> {
        self.take(b'{')?;
        loop {
            let name = self.value()?;
            self.take(b':')?;
            let is_list = matches!(json::parse(self.bytes.get(name)?, MAX_PART), Ok(Value::String(name)) if name == "manifests");
            if is_list && self.peek() == Some(b'[') {
                return self.list();
            }
            self.value()?;
            self.take(b',')?;
        }
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    fn list(&mut self) -> Option<Range<usize>> {
        self.take(b'[')?;
        let start = self.at;
        if self.peek()? != b']' {
            loop {
                let item = self.value()?;
                self.items.push(item);
                if self.items.len() > MAX_ENTRIES {
                    return None;
                }
                if self.peek()? == b']' {
                    break;
                }
                self.take(b',')?;
            }
        }
        Some(start..self.at)
    }

    /// Passes one value.
    fn value(&mut self) -> Option<Range<usize>> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'"' => self.string()?,
            b'{' | b'[' => {
                let mut depth = 0_usize;
                loop {
                    match self.bytes.get(self.at)? {
                        b'"' => {
                            self.string()?;
                            continue;
                        }
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => depth -= 1,
                        _ => {}
                    }
                    self.at += 1;
                    if depth == 0 {
                        break;
                    }
                }
            }
            _ => {
                while !matches!(self.bytes.get(self.at)?, b',' | b':' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r') {
                    self.at += 1;
                }
                if self.at == start {
                    return None;
                }
            }
        }
        Some(start..self.at)
    }

    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.bytes.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_envelope::digest::Algorithm;
    use touchmark_envelope::manifest::IMAGE_MANIFEST;

    fn descriptor(content: &[u8]) -> Descriptor {
        Descriptor::new(IMAGE_MANIFEST, Algorithm::Sha256.digest(content), 1)
    }

    #[test]
    fn what_is_not_touched_is_kept_byte_for_byte() {
        let text = r#" { "x": [{"manifests": [1]}], "schemaVersion" : 2.0e0 , "manif\u0065sts" : [ {"a": 1e400, "b]": "}\"]"} ,{} ], "y": null } "#;
        assert!(matches!(Index::parse(text.as_bytes().to_vec()), Err(Fault::Malformed(_))));
        let text = text.replace("2.0e0", "2");
        let mut index = Index::parse(text.clone().into_bytes()).unwrap();
        assert_eq!(index.entries().len(), 2);
        assert_eq!(index.text(&index.entries()[0]), br#"{"a": 1e400, "b]": "}\"]"}"#);
        index.push(&descriptor(b"new"));
        let written = String::from_utf8(index.to_vec()).unwrap();
        assert!(written.starts_with(r#" { "x": [{"manifests": [1]}], "schemaVersion" : 2 , "manif\u0065sts" :"#));
        assert!(written.ends_with(r#"], "y": null } "#));
        let again = Index::parse(written.into_bytes()).unwrap();
        assert_eq!(again.entries().len(), 3);
        assert!(again.lists(&descriptor(b"new").digest));
        assert_eq!(again.descriptor(&again.entries()[2]), Ok(descriptor(b"new")));
    }

    #[test]
    fn an_empty_list_may_be_null_or_missing() {
        for text in [r#"{"manifests":null,"a":1}"#, r#"{"a":1}"#, r#"{"a":1,"manifests":[]}"#, r#"{"a":1,"manifests":[ ]}"#] {
            let mut index = Index::parse(text.as_bytes().to_vec()).unwrap();
            assert!(index.entries().is_empty());
            index.push(&descriptor(b""));
            let again = Index::parse(index.to_vec()).unwrap();
            assert_eq!(again.entries().len(), 1);
            assert!(String::from_utf8(index.to_vec()).unwrap().contains(r#""a":1"#));
        }
        let mut new = Index::new();
        new.push(&descriptor(b""));
        assert_eq!(Index::parse(new.to_vec()).unwrap().entries().len(), 1);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "[]",
            "{",
            r#"{"manifests":[}"#,
            r#"{"manifests":[{}"#,
            r#"{"manifests":[{},]}"#,
            r#"{"manifests":[,{}]}"#,
            r#"{"manifests":[{}{}]}"#,
            r#"{"manifests":[1]}"#,
            r#"{"manifests":{}}"#,
            r#"{"manifests":[],"manifests":[]}"#,
            r#"{"manifests":[],"manifest\u0073":[]}"#,
            r#"{"manifests":[],"a":1,"a":2}"#,
            r#"{"manifests":[{"a":1,"a":2}]}"#,
            r#"{"manifests":[{"a":[}]}]}"#,
            r#"{"manifests":[]} x"#,
            r#"{"schemaVersion":1,"manifests":[]}"#,
        ] {
            let cut_off = ["", "{", r#"{"manifests":[{}"#].contains(&text);
            match Index::parse(text.as_bytes().to_vec()) {
                Err(Fault::CutOff) => assert!(cut_off, "{text}"),
                Err(Fault::Malformed(_)) => assert!(!cut_off, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_takes_too_much_memory_is_too_large_and_not_malformed() {
        let many = format!(r#"{{"manifests":[{}{{}}]}}"#, "{},".repeat(MAX_ENTRIES));
        assert_eq!(Index::parse(many.into_bytes()).err(), Some(Fault::TooMany));
        let large = format!(r#"{{"manifests":[{{"a":"{}"}}]}}"#, "x".repeat(MAX_PART));
        assert!(matches!(Index::parse(large.into_bytes()), Err(Fault::TooLarge { .. })));
        let around = format!(r#"{{"a":"{}","manifests":[]}}"#, "x".repeat(MAX_PART));
        assert!(matches!(Index::parse(around.into_bytes()), Err(Fault::TooLarge { .. })));
    }

    /// What a reader sees while another program writes the file from its beginning.
    #[test]
    fn every_beginning_of_an_index_is_cut_off() {
        let mut index = Index::list(&descriptor(b"x").digest, None);
        index.push(&descriptor(b"a"));
        index.push(&descriptor(b"b"));
        let whole = index.to_vec();
        for length in 0..whole.len() {
            assert_eq!(Index::parse(whole[..length].to_vec()).err(), Some(Fault::CutOff), "{length}");
        }
        assert!(Index::parse(whole).is_ok());
    }

    #[test]
    fn an_entry_without_a_digest_that_is_one_is_kept_and_found_by_none() {
        let text = br#"{"manifests":[{"digest":"sha256:../../x"},{"digest":7,"annotations":[]},{"digest":"sha384:00"}]}"#;
        let index = Index::parse(text.to_vec()).unwrap();
        assert!(index.entries().iter().all(|entry| entry.digest.is_none() && index.descriptor(entry).is_err()));
        assert_eq!(index.to_vec(), text);
    }

    #[test]
    fn entries_are_changed_in_place() {
        let mut index = Index::new();
        let mut tagged = descriptor(b"a");
        tagged.annotations.insert(REF_NAME.to_owned(), "v1".to_owned());
        index.push(&tagged);
        index.push(&descriptor(b"b"));
        index.change(|entry| entry.tag.as_deref() == Some("v1"), |object| drop(object.remove("annotations")));
        assert_eq!(index.tagged("v1").map(|entry| entry.digest), None);
        assert_eq!(index.entries()[0].digest, Some(tagged.digest));
        index.retain(|entry| entry.digest != Some(tagged.digest));
        assert_eq!(index.entries().len(), 1);
    }
}
