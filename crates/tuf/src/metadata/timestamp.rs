//! timestamp.json (TUF 1.0, 4.6).

use touchmark_envelope::json::Value;
use touchmark_envelope::signed::Signed;

use super::file_meta::FileMeta;
use super::header::{Header, member};
use crate::error::Shape;

/// A timestamp: which snapshot is the newest.
#[derive(Clone, Debug)]
pub struct Timestamp {
    document: Signed,
    header: Header,
    snapshot: FileMeta,
}

impl Timestamp {
    /// Of `meta`, which must describe snapshot.json and nothing else.
    pub(crate) fn read(document: Signed) -> Result<Self, Shape> {
        let header = Header::read(&document, "timestamp")?;
        let meta = member(&document, "meta")?;
        let only = meta.as_ref().and_then(Value::as_object).filter(|meta| meta.len() == 1);
        let entry = only.and_then(|meta| meta.get("snapshot.json")).ok_or(Shape::Member("meta"))?;
        let snapshot = FileMeta::read(entry).ok_or_else(|| Shape::Meta("snapshot.json".into()))?;
        drop(meta);
        Ok(Self { document, header, snapshot })
    }

    /// The document as it was received.
    pub fn document(&self) -> &Signed {
        &self.document
    }

    /// Version and expiry.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What it lists of snapshot.json.
    pub fn snapshot(&self) -> &FileMeta {
        &self.snapshot
    }
}
