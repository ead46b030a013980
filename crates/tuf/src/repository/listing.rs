//! Snapshots and timestamps: which version of each document belongs to which, with length and hash of its file (TUF 1.0, 4.4 and 4.6).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::{self, Object, Value};
use touchmark_envelope::{Digest, UnixTime};

use super::{Document, EditError, text};
use crate::metadata::FileMeta;
use crate::path::RoleName;

/// What a snapshot or timestamp says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The version of the document.
    pub version: u64,
    /// The length of the file in bytes.
    pub length: u64,
    /// The SHA-256 of the file.
    pub sha256: Digest,
}

impl Listed {
    /// Of a file with this document.
    ///
    /// # Errors
    /// The document has no version.
    pub fn of(document: &Document, bytes: &[u8]) -> Result<Self, EditError> {
        Ok(Self {
            version: document.version()?,
            length: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            sha256: Algorithm::Sha256.digest(bytes),
        })
    }

    fn value(&self) -> Value<'static> {
        let mut object = Object::new();
        object.insert("hashes", Value::object([("sha256", self.sha256.hex())]));
        object.insert("length", self.length);
        object.insert("version", self.version);
        Value::Object(object)
    }

    fn is(&self, other: &FileMeta) -> bool {
        other.version == self.version && other.length == Some(self.length) && other.hashes == [self.sha256]
    }
}

/// The first snapshot, which lists these roles.
///
/// # Errors
/// A role name of which implementations of canonical JSON make different bytes.
pub fn new_snapshot(roles: &BTreeMap<RoleName, Listed>, expires: UnixTime) -> Result<Document, EditError> {
    let meta = Value::object(roles.iter().map(|(role, listed)| (role.metapath(), listed.value())));
    Document::new("snapshot", expires, &[("meta", meta)])
}

/// Lists these roles as they are now. Roles that are not named stay as they are: a client refuses a snapshot from which one has disappeared
/// (5.5.5), be it no longer delegated. Gives whether anything changed.
///
/// # Errors
/// The document is no snapshot.
pub fn list_in_snapshot(snapshot: &mut Document, roles: &BTreeMap<RoleName, Listed>) -> Result<bool, EditError> {
    snapshot.expect("snapshot")?;
    let mut changes = BTreeMap::new();
    for (role, listed) in roles {
        let path = role.metapath();
        if snapshot_entry(snapshot, role)?.is_none_or(|entry| !listed.is(&entry)) {
            changes.insert(path, Some(text::of_value(&listed.value())?));
        }
    }
    if !changes.is_empty() {
        snapshot.merge("meta", &changes)?;
    }
    Ok(!changes.is_empty())
}

/// What a snapshot says of a role.
///
/// # Errors
/// Its entry is malformed.
pub fn snapshot_entry(snapshot: &Document, role: &RoleName) -> Result<Option<FileMeta>, EditError> {
    let path = role.metapath();
    let Some(text) = snapshot.find("meta", &path)? else { return Ok(None) };
    read(&text, &path).map(Some)
}

/// What a snapshot says of every role, by METAPATH.
///
/// # Errors
/// An entry is malformed.
pub fn snapshot_entries(snapshot: &mut Document) -> Result<BTreeMap<String, FileMeta>, EditError> {
    snapshot.expect("snapshot")?;
    snapshot.entries()?.map(|(path, text)| Ok((path.clone().into_owned(), read(text, &path)?))).collect()
}

/// The first timestamp.
///
/// # Errors
/// None.
pub fn new_timestamp(snapshot: &Listed, expires: UnixTime) -> Result<Document, EditError> {
    Document::new("timestamp", expires, &[("meta", Value::object([("snapshot.json", snapshot.value())]))])
}

/// Lists this snapshot; gives whether that changed anything.
///
/// # Errors
/// The document is no timestamp.
pub fn list_in_timestamp(timestamp: &mut Document, snapshot: &Listed) -> Result<bool, EditError> {
    let changed = timestamp_entry(timestamp)?.is_none_or(|entry| !snapshot.is(&entry));
    if changed {
        timestamp.set("meta", &Value::object([("snapshot.json", snapshot.value())]))?;
    }
    Ok(changed)
}

/// What a timestamp says of its snapshot.
///
/// # Errors
/// Its entry is malformed.
pub fn timestamp_entry(timestamp: &Document) -> Result<Option<FileMeta>, EditError> {
    timestamp.expect("timestamp")?;
    let meta = timestamp.value("meta")?;
    let entry = meta.as_ref().and_then(|meta| meta.get("snapshot.json"));
    entry.map(|entry| FileMeta::read(entry).ok_or_else(|| EditError::malformed("`meta`"))).transpose()
}

fn read(text: &str, path: &str) -> Result<FileMeta, EditError> {
    let value = json::parse(text.as_bytes(), text.len())?;
    FileMeta::read(&value).ok_or_else(|| EditError::malformed(format!("the entry for {path}")))
}
