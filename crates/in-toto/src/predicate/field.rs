//! Members of a predicate, read as its specification wants them. An error says where it is.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::UnixTime;
use touchmark_envelope::json::{Object, Value};

use crate::error::{Error, shortened};

use super::resource::ResourceDescriptor;

/// Bytes of a pointer that an error tells.
const MAX_POINTER: usize = 256;

/// A member, or an item of a list, that may be missing. `null` is missing, too: the specifications of predicates tell the two apart nowhere,
/// and SLSA says that they are the same.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    value: Option<&'a Value<'a>>,
    place: Place<'a>,
}

#[derive(Clone, Copy)]
enum Place<'a> {
    Root,
    Member(&'a Field<'a>, &'a str),
    Item(&'a Field<'a>, usize),
}

impl<'a> Field<'a> {
    pub(super) fn root(value: &'a Value<'a>) -> Self {
        Self { value: Some(value), place: Place::Root }
    }

    /// The member `name` of the object that it is.
    pub(super) fn member<'b>(&'b self, name: &'b str) -> Field<'b> {
        let value = self.value.and_then(|value| value.get(name)).filter(|value| **value != Value::Null);
        Field { value, place: Place::Member(self, name) }
    }

    /// What `read` makes of it, if it is there.
    pub(super) fn optional<T>(&self, read: impl FnOnce(&Self) -> Result<T, Error>) -> Result<Option<T>, Error> {
        self.value.is_some().then(|| read(self)).transpose()
    }

    /// Any object.
    pub(super) fn object(&self) -> Result<&'a Object<'a>, Error> {
        self.value.and_then(Value::as_object).ok_or_else(|| self.malformed("an object"))
    }

    /// Any object, to be kept.
    pub(super) fn owned_object(&self) -> Result<Object<'static>, Error> {
        match Value::from(self.object()?.clone()).into_owned() {
            Value::Object(object) => Ok(object),
            _ => Ok(Object::new()),
        }
    }

    /// A text that is not empty.
    pub(super) fn string(&self) -> Result<&'a str, Error> {
        let text = self.value.and_then(Value::as_str).filter(|text| !text.is_empty());
        text.ok_or_else(|| self.malformed("a text that is not empty"))
    }

    /// A TypeURI or a ResourceURI (field_types.md).
    pub(super) fn uri(&self) -> Result<String, Error> {
        let text = self.string()?;
        if !is_uri(text) {
            return Err(self.malformed("a URI whose scheme and authority are in lower case"));
        }
        Ok(text.to_owned())
    }

    /// A Timestamp (field_types.md): RFC 3339 in UTC. A fraction of a second is dropped.
    pub(super) fn time(&self) -> Result<UnixTime, Error> {
        let text = self.value.and_then(Value::as_str).filter(|text| text.ends_with('Z'));
        let time = text.and_then(|text| UnixTime::parse_rfc3339(text).ok());
        time.ok_or_else(|| self.malformed("a time in UTC, as RFC 3339 writes it"))
    }

    /// A whole number.
    pub(super) fn number(&self) -> Result<u64, Error> {
        self.value.and_then(Value::as_u64).ok_or_else(|| self.malformed("a whole number"))
    }

    /// What `read` makes of each item of the list that it is.
    pub(super) fn list<T>(&self, read: impl Fn(&Field<'_>) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        let items = self.value.and_then(Value::as_array).ok_or_else(|| self.malformed("a list"))?;
        items.iter().enumerate().map(|(number, item)| read(&Field { value: Some(item), place: Place::Item(self, number) })).collect()
    }

    /// As [`list`](Self::list); a missing one has no items.
    pub(super) fn optional_list<T>(&self, read: impl Fn(&Field<'_>) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        self.optional(|field| field.list(read)).map(Option::unwrap_or_default)
    }

    /// A list of texts, each of which may be empty.
    pub(super) fn strings(&self) -> Result<Vec<String>, Error> {
        self.list(|item| match item.value.and_then(Value::as_str) {
            Some(text) => Ok(text.to_owned()),
            None => Err(item.malformed("a text")),
        })
    }

    /// A list of ResourceDescriptors.
    pub(super) fn descriptors(&self) -> Result<Vec<ResourceDescriptor>, Error> {
        self.list(ResourceDescriptor::read)
    }

    /// The error that it is not `expected`.
    pub(super) fn malformed(&self, expected: &'static str) -> Error {
        Error::PredicateMember { at: shortened(&self.pointer(), MAX_POINTER), expected }
    }

    pub(super) fn value(&self) -> Option<&'a Value<'a>> {
        self.value
    }

    fn pointer(&self) -> String {
        match self.place {
            Place::Root => String::new(),
            Place::Member(parent, name) => format!("{}/{}", parent.pointer(), name.replace('~', "~0").replace('/', "~1")),
            Place::Item(parent, number) => format!("{}/{number}", parent.pointer()),
        }
    }
}

/// Whether `text` is a URI (RFC 3986) with its scheme and its authority in lower case, as far as that is needed to compare it byte for byte.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let mut letters = scheme.bytes();
    let scheme = letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && letters.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+.-".contains(&byte));
    let authority = rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let is_graphic = |character: char| !character.is_whitespace() && !character.is_control();
    scheme && !rest.is_empty() && rest.chars().all(is_graphic) && !authority.bytes().any(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_have_one_spelling() {
        for good in [
            "https://in-toto.io/Statement/v1",
            "pkg:deb/debian/stunnel@5.50-3?arch=amd64",
            "git+https://github.com/octocat/Hello-World@refs/heads/main",
            "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/builder_go_slsa3.yml@refs/tags/v1.7.0",
            "urn:X:y",
        ] {
            assert!(is_uri(good), "{good}");
        }
        for bad in ["", "x", ":x", "x:", "HTTPS://a/b", "https://A.example/b", "https://a b", "1a:x", "ht tp:x", "https://a\n/b"] {
            assert!(!is_uri(bad), "{bad}");
        }
    }
}
