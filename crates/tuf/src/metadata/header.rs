//! What every document has: type, specification, version, expiry (TUF 1.0, 4.3 to 4.6).

use alloc::borrow::ToOwned;
use alloc::string::String;

use touchmark_envelope::json::{self, Value};
use touchmark_envelope::signed::Signed;
use touchmark_envelope::{UnixTime, canonical};

use crate::error::Shape;

/// So many values of a member that is read whole: keys and roles of a root, entries of a snapshot, delegations. A document that is signed
/// may be as large as is listed, but only its `targets` grow without need for memory.
const MAX_VALUES: usize = 1_000_000;

/// The members that every role's document has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The version of the document, at least 1.
    pub version: u64,
    /// When it expires.
    pub expires: UnixTime,
    /// The specification that it is written by: `1.` and so on.
    pub spec_version: String,
}

impl Header {
    /// Reads them from a document whose `_type` must be `role`.
    pub(crate) fn read(document: &Signed, role: &'static str) -> Result<Self, Shape> {
        let found = string(document, "_type")?;
        if found != role {
            return Err(Shape::Type { expected: role, found });
        }
        let spec_version = string(document, "spec_version")?;
        if !is_known(&spec_version) {
            return Err(Shape::SpecVersion(spec_version));
        }
        let version = member(document, "version")?.as_ref().and_then(version).ok_or(Shape::Member("version"))?;
        let expires = string(document, "expires")?;
        let expires = UnixTime::parse_signed(&expires).map_err(|_| Shape::Expires(expires))?;
        Ok(Self { version, expires, spec_version })
    }
}

/// TUF 1.0, 4.3, SPEC_VERSION: what matches is the adopter's choice; here it is major version 1, with or without a third part.
fn is_known(spec_version: &str) -> bool {
    let mut parts = spec_version.split('.');
    let number = |part: &str| !part.is_empty() && part.len() < 10 && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.next() == Some("1") && parts.next().is_some_and(number) && parts.next().is_none_or(number) && parts.next().is_none()
}

/// A version or another positive number that every implementation holds exactly.
pub(super) fn version(value: &Value<'_>) -> Option<u64> {
    value.as_u64().filter(|number| (1..=canonical::MAX_INTEGER).contains(number))
}

/// A length in bytes.
pub(super) fn length(value: &Value<'_>) -> Option<u64> {
    value.as_u64().filter(|number| *number <= canonical::MAX_INTEGER)
}

/// The member `name` of what is signed, read whole.
pub(super) fn member<'a>(document: &'a Signed, name: &'static str) -> Result<Option<Value<'a>>, Shape> {
    let parse = |text: &'a str| json::parse_bounded(text.as_bytes(), text.len(), MAX_VALUES);
    document.member(name).map(parse).transpose().map_err(|source| Shape::Json { member: name, source })
}

fn string(document: &Signed, name: &'static str) -> Result<String, Shape> {
    member(document, name)?.as_ref().and_then(Value::as_str).map(ToOwned::to_owned).ok_or(Shape::Member(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_the_specification_decides() {
        for known in ["1.0", "1.0.0", "1.0.34", "1.1.0", "1.2"] {
            assert!(is_known(known), "{known}");
        }
        for unknown in ["", "1", "2.0.0", "0.9.0", "10.0.0", "1.", "1.0.", "1.0.0.0", "1.0.0-beta", "1.x", "01.0", " 1.0", "1.0 "] {
            assert!(!is_known(unknown), "{unknown}");
        }
    }
}
