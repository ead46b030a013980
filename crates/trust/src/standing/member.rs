//! `x-touchmark`: what is ours in TUF metadata, in a role's `signed` and in a target's `custom` (SPEC.md, "What is ours in the metadata").
//!
//! A malformed one, or one of a version that is not known, is untrusted metadata: it may hold a revocation.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::json::{self, Object, Value};
use touchmark_envelope::{Digest, UnixTime, canonical};

use super::claim::{Claim, Details};

/// The member's name.
pub const MEMBER: &str = "x-touchmark";
/// The version that is known.
pub const VERSION: u64 = 1;
/// So many JSON values of one member that is read whole: a role with a million revocations is no role any more.
const MAX_VALUES: usize = 1 << 20;
/// So many annotations of an artifact.
const MAX_ANNOTATIONS: usize = 256;

/// What a role says beside its targets. Its seals are read when a name is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleMember {
    /// The roles that it delegates to and whose keys accept by envelope.
    pub envelopes: BTreeSet<String>,
    /// The artifacts that must not be accepted under any name of the role's, each with the reason that is given.
    pub revoked: BTreeMap<Digest, String>,
    /// What it seals under the name that was asked for.
    pub seals: Vec<Claim>,
}

/// Which part of a member is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its `x-touchmark` is malformed, or of another version than 1: {0}")]
pub struct Malformed(pub &'static str);

impl RoleMember {
    /// Reads the text of a role's member, with its seals for `name`.
    ///
    /// # Errors
    /// The first part that is malformed.
    pub fn read(text: &str, name: &str) -> Result<Self, Malformed> {
        let (mut read, sealed) = Self::read_parts(text)?;
        if let Some((_, text)) = sealed.iter().find(|(sealed, _)| sealed == name) {
            read.seals = claims(text)?;
        }
        Ok(read)
    }

    /// The same without seals, and beside it the names that are sealed, each with the text of what is: it is read as JSON and no further.
    pub(super) fn read_parts(text: &str) -> Result<(Self, Vec<(String, String)>), Malformed> {
        let members = json::members(text.as_bytes(), text.len()).map_err(|_| Malformed("it is no object"))?;
        let (mut read, mut sealed) = (Self::default(), Vec::new());
        let mut version = None;
        for (member, text) in &members {
            match member.as_ref() {
                "version" => version = value(text, "version")?.as_u64(),
                "envelopes" => {
                    let listed = value(text, "envelopes")?;
                    let names = listed.as_array().ok_or(Malformed("envelopes"))?.iter().map(|name| name.as_str().map(ToOwned::to_owned));
                    read.envelopes = names.collect::<Option<_>>().ok_or(Malformed("envelopes"))?;
                }
                "revoked" => read.revoked = revoked(&value(text, "revoked")?).ok_or(Malformed("revoked"))?,
                "seals" => {
                    let names = json::members(text.as_bytes(), text.len()).map_err(|_| Malformed("seals"))?;
                    sealed = names.into_iter().map(|(name, text)| (name.into_owned(), text.to_owned())).collect();
                }
                // One that is not known would be passed over by the version's readers, and may forbid something.
                _ => return Err(Malformed("it has an unknown member")),
            }
        }
        match version {
            Some(VERSION) => Ok((read, sealed)),
            _ => Err(Malformed("version")),
        }
    }

    /// All seals, by name.
    ///
    /// # Errors
    /// What is sealed is malformed.
    pub fn read_all_seals(text: &str) -> Result<Vec<(String, Vec<Claim>)>, Malformed> {
        let members = json::members(text.as_bytes(), text.len()).map_err(|_| Malformed("it is no object"))?;
        let Some((_, text)) = members.iter().find(|(member, _)| member == "seals") else { return Ok(Vec::new()) };
        let names = json::members(text.as_bytes(), text.len()).map_err(|_| Malformed("seals"))?;
        names.into_iter().map(|(name, text)| Ok((name.into_owned(), claims(text)?))).collect()
    }
}

impl Details {
    /// Reads the member of a target's `custom`, which is the text of an object; nothing is said where there is none.
    ///
    /// # Errors
    /// The first part that is malformed.
    pub fn of_target(custom: Option<&str>) -> Result<Self, Malformed> {
        let Some(custom) = custom else { return Ok(Self::default()) };
        let members = json::members(custom.as_bytes(), custom.len()).map_err(|_| Malformed("`custom` is no object"))?;
        let Some((_, text)) = members.iter().find(|(member, _)| member == MEMBER) else { return Ok(Self::default()) };
        let read = value(text, "it is no object")?;
        let object = read.as_object().ok_or(Malformed("it is no object"))?;
        if object.get("version").and_then(Value::as_u64) != Some(VERSION) {
            return Err(Malformed("version"));
        }
        if !object.iter().all(|(member, _)| matches!(member, "version" | "mediaType" | "expires" | "annotations")) {
            return Err(Malformed("it has an unknown member"));
        }
        Self::read(object)
    }

    fn read(object: &Object<'_>) -> Result<Self, Malformed> {
        let media_type = object.get("mediaType").map(|value| value.as_str().map(ToOwned::to_owned).ok_or(Malformed("mediaType")));
        let expires = object.get("expires").map(|value| {
            let text = value.as_str().ok_or(Malformed("expires"))?;
            UnixTime::parse_signed(text).map_err(|_| Malformed("expires"))
        });
        let mut annotations = BTreeMap::new();
        if let Some(listed) = object.get("annotations") {
            let listed = listed.as_object().filter(|listed| listed.len() <= MAX_ANNOTATIONS).ok_or(Malformed("annotations"))?;
            for (key, value) in listed.iter() {
                annotations.insert(key.to_owned(), value.as_str().ok_or(Malformed("annotations"))?.to_owned());
            }
        }
        Ok(Self { media_type: media_type.transpose()?, expires: expires.transpose()?, annotations })
    }

    /// The members that say it, as `custom.x-touchmark` and a seal have them.
    pub fn to_json(&self) -> Object<'static> {
        let mut object = Object::new();
        if let Some(media_type) = &self.media_type {
            object.insert("mediaType", Value::from(media_type.clone()));
        }
        if let Some(expires) = self.expires {
            object.insert("expires", Value::from(alloc::format!("{expires}")));
        }
        if !self.annotations.is_empty() {
            object.insert("annotations", Value::from(Object::from_map(&self.annotations)));
        }
        object
    }
}

impl Claim {
    /// Reads an element of a name's seals.
    fn read(value: &Value<'_>) -> Result<Self, Malformed> {
        let object = value.as_object().ok_or(Malformed("seals"))?;
        if !object.iter().all(|(member, _)| matches!(member, "length" | "hashes" | "mediaType" | "expires" | "annotations")) {
            return Err(Malformed("a seal has an unknown member"));
        }
        let length = object.get("length").and_then(Value::as_u64).filter(|length| (1..=canonical::MAX_INTEGER).contains(length));
        let mut hashes = Vec::new();
        for (algorithm, hex) in object.get("hashes").and_then(Value::as_object).ok_or(Malformed("seals"))?.iter() {
            let hex = hex.as_str().ok_or(Malformed("seals"))?;
            hashes.push(alloc::format!("{algorithm}:{hex}").parse().map_err(|_| Malformed("seals"))?);
        }
        if hashes.is_empty() {
            return Err(Malformed("seals"));
        }
        Ok(Self { length: length.ok_or(Malformed("seals"))?, hashes, details: Details::read(object)? })
    }

    /// The element of a name's seals that says it.
    pub fn to_json(&self) -> Object<'static> {
        let mut object = self.details.to_json();
        object.insert("length", Value::from(self.length));
        let hashes = self.hashes.iter().map(|digest| (digest.algorithm().name(), Value::from(digest.hex())));
        object.insert("hashes", Value::object(hashes));
        object
    }
}

/// The seals of one name.
pub(super) fn claims(text: &str) -> Result<Vec<Claim>, Malformed> {
    value(text, "seals")?.as_array().ok_or(Malformed("seals"))?.iter().map(Claim::read).collect()
}

/// The artifacts of a list of `{digest, reason}`.
fn revoked(value: &Value<'_>) -> Option<BTreeMap<Digest, String>> {
    let mut read = BTreeMap::new();
    for one in value.as_array()? {
        let object = one.as_object().filter(|object| object.iter().all(|(member, _)| matches!(member, "digest" | "reason")))?;
        let digest = object.get("digest")?.as_str()?.parse().ok()?;
        read.insert(digest, object.get("reason")?.as_str()?.to_owned());
    }
    Some(read)
}

fn value<'a>(text: &'a str, part: &'static str) -> Result<Value<'a>, Malformed> {
    json::parse_bounded(text.as_bytes(), text.len(), MAX_VALUES).map_err(|_| Malformed(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn role(members: &str) -> Result<RoleMember, &'static str> {
        RoleMember::read(&alloc::format!(r#"{{"version":1{members}}}"#), "acme/x:1").map_err(|Malformed(part)| part)
    }

    #[test]
    fn a_role_s_member_is_read_with_the_seals_of_one_name() {
        let seal = alloc::format!(r#"{{"length":7,"hashes":{{"sha256":"{HEX}"}},"expires":"2030-01-01T00:00:00Z"}}"#);
        let read = role(&alloc::format!(
            r#","envelopes":["acme"],"revoked":[{{"digest":"sha256:{HEX}","reason":"leaked"}}],"seals":{{"acme/x:1":[{seal}],"acme/x:2":7}}"#
        ));
        let read = read.unwrap();
        assert!(read.envelopes.contains("acme") && read.envelopes.len() == 1);
        assert_eq!(read.revoked.values().collect::<Vec<_>>(), ["leaked"]);
        assert_eq!((read.seals.len(), read.seals[0].length), (1, 7));
        assert!(read.seals[0].details.expires.is_some());
        assert_eq!(role("").unwrap(), RoleMember::default());
    }

    #[test]
    fn what_is_malformed_or_of_another_version_is_no_member() {
        for (text, part) in [
            (r#","envelopes":"acme""#, "envelopes"),
            (r#","envelopes":[1]"#, "envelopes"),
            (r#","revoked":{}"#, "revoked"),
            (r#","revoked":[{"digest":"sha256:00","reason":"x"}]"#, "revoked"),
            (r#","revoked":[{"reason":"x"}]"#, "revoked"),
            (r#","seals":[]"#, "seals"),
            (r#","seals":{"acme/x:1":{}}"#, "seals"),
            (r#","seals":{"acme/x:1":[{"length":1,"hashes":{}}]}"#, "seals"),
            (r#","seals":{"acme/x:1":[{"length":1,"hashes":{"md5":"00"}}]}"#, "seals"),
            (r#","seals":{"acme/x:1":[{"length":0,"hashes":{}}]}"#, "seals"),
            (r#","revokes":[]"#, "it has an unknown member"),
        ] {
            assert_eq!(role(text), Err(part), "{text}");
        }
        for text in ["[]", "{}", r#"{"version":2}"#, r#"{"version":"1"}"#, r#"{"version":1.0}"#] {
            assert!(RoleMember::read(text, "acme/x:1").is_err(), "{text}");
        }
        let unknown_reason = alloc::format!(r#","revoked":[{{"digest":"sha256:{HEX}","reason":7}}]"#);
        assert_eq!(role(&unknown_reason), Err("revoked"));
    }

    #[test]
    fn a_target_s_member_restricts_and_what_is_not_known_of_it_is_refused() {
        let read = |custom| Details::of_target(Some(custom)).map_err(|Malformed(part)| part);
        assert_eq!(Details::of_target(None), Ok(Details::default()));
        assert_eq!(read(r#"{"other":1}"#), Ok(Details::default()));
        let full = r#"{"x-touchmark":{"version":1,"mediaType":"a/b","expires":"2030-01-01T00:00:00Z","annotations":{"k":"v"}}}"#;
        let details = read(full).unwrap();
        assert_eq!(details.media_type.as_deref(), Some("a/b"));
        assert_eq!(details.annotations.get("k").map(String::as_str), Some("v"));
        for (custom, part) in [
            (r#"{"x-touchmark":[]}"#, "it is no object"),
            (r#"{"x-touchmark":{}}"#, "version"),
            (r#"{"x-touchmark":{"version":2}}"#, "version"),
            (r#"{"x-touchmark":{"version":1,"mediatype":"a/b"}}"#, "it has an unknown member"),
            (r#"{"x-touchmark":{"version":1,"mediaType":7}}"#, "mediaType"),
            (r#"{"x-touchmark":{"version":1,"expires":"tomorrow"}}"#, "expires"),
            (r#"{"x-touchmark":{"version":1,"annotations":{"k":1}}}"#, "annotations"),
        ] {
            assert_eq!(read(custom), Err(part), "{custom}");
        }
    }
}
