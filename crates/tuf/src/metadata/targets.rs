//! targets.json and the documents of delegated roles (TUF 1.0, 4.5).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::Digest;
use touchmark_envelope::json;
use touchmark_envelope::signed::{Index, Signed};

use super::delegations::Delegations;
use super::file_meta::hashes;
use super::header::{Header, length, member};
use super::places::Places;
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
    body: Body,
    header: Header,
    delegations: Option<Delegations>,
}

/// Where the targets are.
#[derive(Clone, Debug)]
enum Body {
    /// In the document, which is all here.
    Here(Signed),
    /// In the store, in a document of which only what stands beside the targets is here.
    Stored(Signed, Places),
}

/// What is found in a document.
pub(crate) enum Sought<'a> {
    /// The target, or that there is none.
    Known(Option<Target>),
    /// It is to be sought in the store.
    Stored(&'a Places),
}

impl Targets {
    pub(crate) fn read(mut document: Signed) -> Result<Self, Shape> {
        let (header, delegations) = read_beside(&document)?;
        document.forget_canonical();
        Ok(Self { body: Body::Here(document), header, delegations })
    }

    /// Of a document whose targets are in the store, at these places.
    pub(crate) fn read_stored(beside: Signed, places: Places) -> Result<Self, Shape> {
        let (header, delegations) = read_beside(&beside)?;
        Ok(Self { body: Body::Stored(beside, places), header, delegations })
    }

    /// Bytes that are held of it: its document, or what of that is here; 4 for where each target stands; and for delegations, which are read
    /// into many small pieces, 12 for each byte of their text.
    pub fn held(&self) -> u64 {
        let (document, places) = match &self.body {
            Body::Here(document) => (document, document.index().map_or(0, Index::len)),
            Body::Stored(document, places) => (document, places.len()),
        };
        let delegations = document.member("delegations").map_or(0, str::len);
        let held = document.bytes().len().saturating_add(places.saturating_mul(4)).saturating_add(delegations.saturating_mul(12));
        u64::try_from(held).unwrap_or(u64::MAX)
    }

    /// The document as it was received; `None` if it stays in the store, and only what was needed of it was read.
    pub fn document(&self) -> Option<&Signed> {
        match &self.body {
            Body::Here(document) => Some(document),
            Body::Stored(..) => None,
        }
    }

    /// The text of a member of what was signed, other than `targets`.
    pub fn member(&self, name: &str) -> Option<&str> {
        let (Body::Here(document) | Body::Stored(document, _)) = &self.body;
        document.member(name).filter(|_| name != "targets")
    }

    /// Version and expiry.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Whom it delegates to.
    pub fn delegations(&self) -> Option<&Delegations> {
        self.delegations.as_ref()
    }

    /// Its targets, as far as its document is here: an entry is read when its turn comes.
    pub fn targets(&self) -> impl Iterator<Item = (String, Result<Target, Shape>)> {
        let indexed = self.document().map(|document| document.indexed());
        indexed.into_iter().flatten().map(|(path, text)| {
            let read =
                TargetPath::new(&path).map_err(|_| Shape::Target(path.clone().into_owned())).and_then(|target| Target::read(text, &target));
            (path.into_owned(), read)
        })
    }

    /// What it says of one target; `None` if it does not list it.
    ///
    /// # Errors
    /// The entry is malformed, or the document stays in the store, so that only a search of the client finds it.
    pub fn target(&self, target: &TargetPath) -> Result<Option<Target>, Shape> {
        match self.find(target)? {
            Sought::Known(found) => Ok(found),
            Sought::Stored(_) => Err(Shape::Member("targets")),
        }
    }

    /// What it says of a target, or where that is.
    pub(crate) fn find(&self, target: &TargetPath) -> Result<Sought<'_>, Shape> {
        match &self.body {
            Body::Here(document) => {
                let entry = document.find(target.as_str()).map(|text| Target::read(text, target));
                entry.transpose().map(Sought::Known)
            }
            Body::Stored(_, places) => Ok(Sought::Stored(places)),
        }
    }
}

/// What stands beside the targets, which must be an object.
fn read_beside(document: &Signed) -> Result<(Header, Option<Delegations>), Shape> {
    let header = Header::read(document, "targets")?;
    if document.index().is_none() {
        return Err(Shape::Member("targets"));
    }
    let delegations = member(document, "delegations")?.as_ref().map(Delegations::read).transpose()?;
    Ok((header, delegations))
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
    /// Reads the text of an entry.
    pub(crate) fn read(text: &str, path: &TargetPath) -> Result<Self, Shape> {
        let malformed = || Shape::Target(path.as_str().to_owned());
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
