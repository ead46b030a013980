//! targets.json and the documents of delegated roles (TUF 1.0, 4.5).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::Digest;
use touchmark_envelope::json;
use touchmark_envelope::signed::Signed;

use super::delegations::Delegations;
use super::file_meta::hashes;
use super::header::{Header, length, member};
use crate::error::Shape;
use crate::path::TargetPath;

/// So many values in the hashes of one target.
const MAX_HASHES: usize = 64;

/// What a role vouches for, and whom it delegates to.
///
/// Its targets are looked up in the document as it was received; no map of them is built. An entry is read when it is asked for, so that
/// a malformed one is noticed then and not before.
#[derive(Clone, Debug)]
pub struct Targets {
    document: Signed,
    header: Header,
    delegations: Option<Delegations>,
}

impl Targets {
    pub(crate) fn read(mut document: Signed) -> Result<Self, Shape> {
        let header = Header::read(&document, "targets")?;
        if document.index().is_none() {
            return Err(Shape::Member("targets"));
        }
        let delegations = member(&document, "delegations")?.as_ref().map(Delegations::read).transpose()?;
        document.forget_canonical();
        Ok(Self { document, header, delegations })
    }

    /// The document as it was received.
    pub fn document(&self) -> &Signed {
        &self.document
    }

    /// Version and expiry.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Whom it delegates to.
    pub fn delegations(&self) -> Option<&Delegations> {
        self.delegations.as_ref()
    }

    /// What it says of a target.
    ///
    /// # Errors
    /// Its entry is malformed.
    pub fn find(&self, target: &TargetPath) -> Result<Option<Target>, Shape> {
        self.document.find(target.as_str()).map(|text| Target::read(text, target.as_str())).transpose()
    }
}

/// What a role says of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its length in bytes.
    pub length: u64,
    /// Its digests by the supported algorithms, at least one.
    pub hashes: Vec<Digest>,
    /// Its `custom` as it was signed: the text of a JSON object.
    pub custom: Option<String>,
}

impl Target {
    fn read(text: &str, path: &str) -> Result<Self, Shape> {
        let malformed = || Shape::Target(path.to_owned());
        let members = json::members(text.as_bytes(), text.len()).map_err(|_| malformed())?;
        let member = |name| members.iter().find(|(other, _)| other == name).map(|(_, text)| *text);
        let value = |name| json::parse_bounded(member(name)?.as_bytes(), text.len(), MAX_HASHES).ok();
        let length = value("length").as_ref().and_then(length).ok_or_else(malformed)?;
        let hashes = value("hashes").as_ref().and_then(hashes).ok_or_else(malformed)?;
        let custom = member("custom").map(ToOwned::to_owned);
        if custom.as_ref().is_some_and(|custom| !custom.starts_with('{')) {
            return Err(malformed());
        }
        Ok(Self { length, hashes, custom })
    }
}
