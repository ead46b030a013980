//! One metadata document while it is edited: the members of what is signed, as texts, and the signatures.

use alloc::borrow::{Cow, ToOwned};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use touchmark_envelope::digest::hex;
use touchmark_envelope::json::{self, Value};
use touchmark_envelope::sign::Signer;
use touchmark_envelope::signed::{Options, Signed, SignedError};
use touchmark_envelope::threshold::Signature;
use touchmark_envelope::{UnixTime, canonical};

use super::large::Large;
use super::{EditError, Mandate, delegations, key_id, snapshot_entry, text, timestamp_entry};
use crate::metadata::TopLevel;
use crate::path::RoleName;

/// The specification that documents are written by.
pub const SPEC_VERSION: &str = "1.0.34";

/// How many signatures a document may have when it is opened.
const MAX_SIGNATURES: usize = 1024;

/// A metadata document that is edited and signed.
///
/// Nothing in it is trusted: whether it may be published, a client finds out. Members that this library knows nothing of stay. What
/// changes what is signed drops all signatures, so that those that are there are over what is there.
#[derive(Clone, Debug)]
pub struct Document {
    /// As it was opened or last settled, in the written form.
    base: Signed,
    /// Members of `signed` that differ from it since: their texts, or that they are gone.
    changed: BTreeMap<String, Option<String>>,
    signatures: Vec<Signature>,
}

impl Document {
    /// A document of this `_type`, version 1, with these members besides those that every document has.
    ///
    /// # Errors
    /// A member of which implementations of canonical JSON make different bytes.
    pub(super) fn new(kind: &str, expires: UnixTime, members: &[(&str, Value<'_>)]) -> Result<Self, EditError> {
        let all = [
            ("_type", Value::from(kind)),
            ("expires", Value::from(expires.to_string())),
            ("spec_version", Value::from(SPEC_VERSION)),
            ("version", Value::from(1_u64)),
        ];
        let signed = Value::object(all.into_iter().chain(members.iter().cloned()));
        let signed = text::of_value(&signed)?;
        Self::open_written(format!(r#"{{"signatures":[],"signed":{signed}}}"#).into_bytes())
    }

    /// Opens a document, whoever wrote it. One that is not in the form that is written here is put into it.
    ///
    /// # Errors
    /// It is no signed document, or its `_type` is none of TUF's.
    pub fn open(bytes: Vec<u8>) -> Result<Self, EditError> {
        let read = read(bytes, "targets")?;
        let canonical = match text::is_written(&read) {
            true => None,
            false => Some(text::of_canonical(read.signed_bytes().to_vec())?),
        };
        let Some(signed) = canonical else { return Self::of(read) };
        let mut document = Self::open_written(format!(r#"{{"signatures":[],"signed":{signed}}}"#).into_bytes())?;
        document.signatures = named(read.signatures());
        Ok(document)
    }

    /// Opens a document that is in the written form.
    fn open_written(bytes: Vec<u8>) -> Result<Self, EditError> {
        Self::of(read(bytes, "targets")?)
    }

    fn of(read: Signed) -> Result<Self, EditError> {
        let document = Self { signatures: named(read.signatures()), base: read, changed: BTreeMap::new() };
        // The large object of a snapshot is another one.
        Ok(match document.kind()? {
            "snapshot" => Self { base: self::read(document.base.into_bytes(), "meta")?, ..document },
            _ => document,
        })
    }

    /// Its `_type`: `root`, `timestamp`, `snapshot` or `targets`.
    ///
    /// # Errors
    /// It has none of these.
    pub fn kind(&self) -> Result<&'static str, EditError> {
        let found = self.value("_type")?;
        let found = found.as_ref().and_then(Value::as_str);
        let known = ["root", "timestamp", "snapshot", "targets"].into_iter().find(|kind| found == Some(kind));
        known.ok_or_else(|| EditError::malformed("`_type`"))
    }

    /// Asserts its `_type`.
    pub(super) fn expect(&self, expected: &'static str) -> Result<(), EditError> {
        let found = self.kind()?;
        if found == expected { Ok(()) } else { Err(EditError::WrongType { expected, found: found.to_owned() }) }
    }

    /// Its version.
    ///
    /// # Errors
    /// It has none, or none that canonical JSON holds.
    pub fn version(&self) -> Result<u64, EditError> {
        let version = self.value("version")?.as_ref().and_then(Value::as_u64);
        version.filter(|version| (1..=canonical::MAX_INTEGER).contains(version)).ok_or_else(|| EditError::malformed("`version`"))
    }

    /// Sets its version.
    ///
    /// # Errors
    /// Zero, or more than canonical JSON holds.
    pub fn set_version(&mut self, version: u64) -> Result<(), EditError> {
        if !(1..=canonical::MAX_INTEGER).contains(&version) {
            return Err(EditError::Version { version: version.saturating_sub(1) });
        }
        self.set("version", &Value::from(version))
    }

    /// When it expires.
    ///
    /// # Errors
    /// It does not say so in the form of TUF.
    pub fn expires(&self) -> Result<UnixTime, EditError> {
        let expires = self.value("expires")?;
        let expires = expires.as_ref().and_then(Value::as_str).and_then(|text| UnixTime::parse_signed(text).ok());
        expires.ok_or_else(|| EditError::malformed("`expires`"))
    }

    /// Sets when it expires.
    ///
    /// # Errors
    /// None that a time can have.
    pub fn set_expires(&mut self, expires: UnixTime) -> Result<(), EditError> {
        self.set("expires", &Value::from(expires.to_string()))
    }

    /// Whether what is signed differs from what was opened.
    pub fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The text of a member of what is signed.
    pub fn member(&self, name: &str) -> Option<&str> {
        match self.changed.get(name) {
            Some(changed) => changed.as_deref(),
            None => self.base.member(name),
        }
    }

    /// A member of what is signed.
    ///
    /// # Errors
    /// Those of [`json::parse`]; none of a document that was opened.
    pub fn value(&self, name: &str) -> Result<Option<Value<'_>>, EditError> {
        let parse = |text: &'_ str| json::parse(text.as_bytes(), text.len()).map(Value::into_owned);
        Ok(self.member(name).map(parse).transpose()?)
    }

    /// Sets a member of what is signed. If that changes anything, the signatures go.
    ///
    /// # Errors
    /// A value of which implementations of canonical JSON make different bytes.
    pub fn set(&mut self, name: &str, value: &Value<'_>) -> Result<(), EditError> {
        // The name too must be portable.
        text::of_value(&Value::object([(name, Value::Null)]))?;
        self.set_text(name, Some(text::of_value(value)?));
        Ok(())
    }

    /// Takes a member of what is signed away.
    pub fn remove(&mut self, name: &str) {
        self.set_text(name, None);
    }

    fn set_text(&mut self, name: &str, text: Option<String>) {
        if self.member(name) == text.as_deref() {
            return;
        }
        self.signatures.clear();
        // What is as it was is no change.
        if self.base.member(name) == text.as_deref() {
            self.changed.remove(name);
        } else {
            self.changed.insert(name.to_owned(), text);
        }
    }

    /// Changes members of the large object of the document, `targets` or `meta`: each is set to a text in the written form, or removed.
    /// Whatever does not change is copied as it stands, in stretches between the changes.
    ///
    /// # Errors
    /// There is no such object.
    pub(super) fn merge(&mut self, name: &'static str, changes: &BTreeMap<String, Option<String>>) -> Result<(), EditError> {
        if self.changed.contains_key(name) {
            self.settle()?;
        }
        let large = Large::of(&self.base, name)?;
        let room =
            large.stretch(0, large.len()).map_or(0, str::len) + changes.values().flatten().map(|text| text.len() + 64).sum::<usize>();
        let mut merged = Merged { out: String::with_capacity(room) };
        merged.out.push('{');
        let mut copied = 0;
        for (member, change) in changes {
            let (place, found) = match large.place(member)? {
                Ok(place) => (place, 1),
                Err(place) => (place, 0),
            };
            merged.push_members(large.stretch(copied, place));
            merged.push(member, change.as_deref());
            copied = place + found;
        }
        merged.push_members(large.stretch(copied, large.len()));
        merged.out.push('}');
        let merged = merged.out;
        self.set_text(name, Some(merged));
        Ok(())
    }

    /// The text of one member of the large object.
    pub(super) fn find(&self, name: &'static str, member: &str) -> Result<Option<Cow<'_, str>>, EditError> {
        let Some(changed) = self.changed.get(name) else { return Ok(self.base.find(member).map(Cow::Borrowed)) };
        let members = json::members(changed.as_deref().unwrap_or("{}").as_bytes(), usize::MAX)?;
        Ok(members.into_iter().find(|(other, _)| other == member).map(|(_, text)| Cow::Owned(text.to_owned())))
    }

    /// The members of the large object, in order: name and text.
    pub(super) fn entries(&mut self) -> Result<impl Iterator<Item = (Cow<'_, str>, &str)>, EditError> {
        if !self.changed.is_empty() {
            self.settle()?;
        }
        Ok(self.base.indexed())
    }

    /// The large object `name` of a document that was not changed since it was opened.
    pub(super) fn large(&self, name: &'static str) -> Result<Large<'_>, EditError> {
        if self.changed.contains_key(name) {
            return Err(EditError::malformed(format!("`{name}`, as it was opened,")));
        }
        Large::of(&self.base, name)
    }

    /// The names of the members of what is signed.
    pub(super) fn member_names(&self) -> impl Iterator<Item = &str> {
        self.members().into_keys()
    }

    /// Makes what was changed the base of further changes.
    fn settle(&mut self) -> Result<(), EditError> {
        let settled = Self::open_written(self.to_bytes())?;
        *self = settled;
        Ok(())
    }

    /// The members of what is signed, in the order of canonical JSON.
    fn members(&self) -> BTreeMap<&str, &str> {
        let mut members: BTreeMap<&str, &str> = self.base.members().collect();
        for (name, text) in &self.changed {
            match text {
                Some(text) => members.insert(name, text),
                None => members.remove(name.as_str()),
            };
        }
        members
    }

    /// What is signed, in the written form, piece by piece.
    fn signed_pieces(&self) -> Vec<Cow<'_, str>> {
        let mut pieces = Vec::new();
        for (name, text) in self.members() {
            let mut before = String::from(if pieces.is_empty() { "{" } else { "," });
            text::push_string(&mut before, name);
            before.push(':');
            pieces.push(Cow::Owned(before));
            pieces.push(Cow::Borrowed(text));
        }
        pieces.push(Cow::Borrowed(if pieces.is_empty() { "{}" } else { "}" }));
        pieces
    }

    /// What signatures are over: the canonical JSON of `signed`.
    ///
    /// # Errors
    /// None of a document that was opened.
    pub fn signed_bytes(&self) -> Result<Cow<'_, [u8]>, EditError> {
        if self.changed.is_empty() {
            return Ok(Cow::Borrowed(self.base.signed_bytes()));
        }
        let text = self.signed_pieces().concat();
        if text::is_canonical(&text) {
            return Ok(Cow::Owned(text.into_bytes()));
        }
        Ok(Cow::Owned(canonical::to_vec(text.as_bytes(), text.len())?))
    }

    /// The document, as it is published: compact, its members in the order of canonical JSON. A large part of it is one piece, which is not
    /// copied.
    pub fn pieces(&self) -> Vec<Cow<'_, str>> {
        let mut head = String::from(r#"{"signatures":["#);
        for (place, signature) in self.signatures.iter().enumerate() {
            if place > 0 {
                head.push(',');
            }
            head.push_str(r#"{"keyid":"#);
            text::push_string(&mut head, signature.keyid.as_deref().unwrap_or_default());
            head.push_str(&format!(r#","sig":"{}"}}"#, hex(&signature.bytes)));
        }
        head.push_str(r#"],"signed":"#);
        let mut pieces = alloc::vec![Cow::Owned(head)];
        pieces.extend(self.signed_pieces());
        pieces.push(Cow::Borrowed("}"));
        pieces
    }

    /// The document, as it is published.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.pieces().concat().into_bytes()
    }

    /// The bytes that it was opened from, if they are those that it is published as.
    pub fn opened(&self) -> Option<&[u8]> {
        let mut rest = self.base.bytes();
        for piece in self.pieces() {
            rest = rest.strip_prefix(piece.as_bytes())?;
        }
        rest.is_empty().then(|| self.base.bytes())
    }

    /// Whether `other` says the same and differs in signatures at most.
    pub fn says_the_same_as(&self, other: &Document) -> bool {
        self.members() == other.members()
    }

    /// The signatures, in their order.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds the signature of `signer` under the keyid that `listed` gives its key, or under the one that is computed of it (TUF 1.0, 4.2.3),
    /// in place of an earlier one under it.
    ///
    /// # Errors
    /// The signer does not sign.
    pub fn sign(&mut self, signer: &dyn Signer, keyid: Option<&str>) -> Result<(), EditError> {
        let bytes = signer.sign(&self.signed_bytes()?)?;
        let keyid = keyid.map_or_else(|| key_id(signer.public_key()), |keyid| Ok(keyid.to_owned()))?;
        self.add(Signature { keyid: Some(keyid), bytes });
        Ok(())
    }

    /// Adds a signature that was made elsewhere over the same, in place of one under its keyid.
    pub fn add(&mut self, signature: Signature) {
        match self.signatures.iter_mut().find(|other| other.keyid == signature.keyid) {
            Some(other) => *other = signature,
            None => self.signatures.push(signature),
        }
    }

    /// Exchanges all signatures; gives whether anything changed.
    pub(super) fn replace_signatures(&mut self, signatures: Vec<Signature>) -> bool {
        let changed = self.signatures != signatures;
        self.signatures = signatures;
        changed
    }
}

/// Asserts that a document can be one of the role: its `_type`, version, expiry, and whom it has sign for what, are well-formed.
///
/// # Errors
/// What of that is not so.
pub fn check_role(document: &Document, role: &str) -> Result<(), EditError> {
    let top = TopLevel::ALL.into_iter().find(|top| top.name() == role).unwrap_or(TopLevel::Targets);
    document.expect(top.name())?;
    document.version()?;
    document.expires()?;
    match top {
        TopLevel::Root => TopLevel::ALL.into_iter().try_for_each(|top| Mandate::of_root(document, top).map(|_| ())),
        TopLevel::Targets => delegations(document).map(|_| ()),
        TopLevel::Snapshot => snapshot_entry(document, &RoleName::targets()).map(|_| ()),
        TopLevel::Timestamp => timestamp_entry(document).map(|_| ()),
    }
}

/// Members of an object, as they are put one after another.
struct Merged {
    out: String,
}

impl Merged {
    /// Members as they stand in another object, with the commas between them.
    fn push_members(&mut self, members: Option<&str>) {
        let Some(members) = members else { return };
        if !self.out.ends_with('{') {
            self.out.push(',');
        }
        self.out.push_str(members);
    }

    #[inline]
    fn push(&mut self, name: &str, text: Option<&str>) {
        let Some(text) = text else { return };
        if !self.out.ends_with('{') {
            self.out.push(',');
        }
        text::push_string(&mut self.out, name);
        self.out.push(':');
        self.out.push_str(text);
    }
}

fn read(bytes: Vec<u8>, index: &str) -> Result<Signed, EditError> {
    let options = Options { max_bytes: bytes.len(), max_signatures: MAX_SIGNATURES, index: Some(index) };
    let read = Signed::parse(bytes, options).map_err(|error| match error {
        SignedError::Json(error) => EditError::Json(error),
        SignedError::Canonical(error) => EditError::Canonical(error),
        other => EditError::malformed(other.to_string()),
    })?;
    Ok(read.into_untrusted())
}

/// The signatures that can count: those that were announced and not made yet are not carried on.
fn named(signatures: &[Signature]) -> Vec<Signature> {
    signatures.iter().filter(|signature| signature.keyid.is_some() && !signature.bytes.is_empty()).cloned().collect()
}
