//! snapshot.json (TUF 1.0, 4.4).

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;

use touchmark_envelope::json::Value;
use touchmark_envelope::signed::Signed;

use super::file_meta::FileMeta;
use super::header::{Header, member};
use crate::error::Shape;

/// A snapshot: the versions of all targets roles that belong together.
#[derive(Clone, Debug)]
pub struct Snapshot {
    document: Signed,
    header: Header,
    meta: BTreeMap<String, FileMeta>,
}

impl Snapshot {
    pub(crate) fn read(document: Signed) -> Result<Self, Shape> {
        let header = Header::read(&document, "snapshot")?;
        let listed = member(&document, "meta")?;
        let mut meta = BTreeMap::new();
        for (file, entry) in listed.as_ref().and_then(Value::as_object).ok_or(Shape::Member("meta"))?.iter() {
            meta.insert(file.to_owned(), FileMeta::read(entry).ok_or_else(|| Shape::Meta(file.to_owned()))?);
        }
        drop(listed);
        if !meta.contains_key("targets.json") {
            return Err(Shape::Member("meta"));
        }
        Ok(Self { document, header, meta })
    }

    /// The document as it was received.
    pub fn document(&self) -> &Signed {
        &self.document
    }

    /// Version and expiry.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What it lists of each metadata file, by METAPATH (`targets.json`, `acme.json`).
    pub fn meta(&self) -> &BTreeMap<String, FileMeta> {
        &self.meta
    }
}
