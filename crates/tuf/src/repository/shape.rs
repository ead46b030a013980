//! Whether every client can read a document. Much that is read laxly here makes others, python-tuf among them, refuse the whole document,
//! and with it the repository: it is neither signed nor published.

use alloc::borrow::Cow;
use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;

use touchmark_envelope::json::{self, Object, Value};

use super::large::Large;
use super::{Document, EditError};
use crate::metadata::Target;
use crate::path::TargetPath;

/// Asserts that what a document says anew is of the form that TUF 1.0 demands (4.2.2, 4.3, 4.5): each KEY, each delegation and the keyids of
/// each role, each target. What stands in `before`, the published document, in the same words is passed over.
///
/// A million targets are gone over in place; no map of them is built.
///
/// # Errors
/// What is malformed; [`EditError::Target`] of a path that no client asks for.
pub fn assert_well_formed(before: Option<&Document>, after: &Document) -> Result<(), EditError> {
    match after.kind()? {
        "root" => {
            let [keys, roles] = changed(before, after, ["keys", "roles"])?;
            assert_keys(&keys)?;
            roles.differing().try_for_each(|(name, role)| assert_keyids(name, role))
        }
        "targets" => {
            let [delegations] = changed(before, after, ["delegations"])?;
            assert_delegations(&delegations)?;
            assert_targets(before, after)
        }
        _ => Ok(()),
    }
}

/// A member of both documents; nothing at all if it is the same.
struct Changed<'a> {
    before: Option<Value<'a>>,
    after: Option<Value<'a>>,
}

/// These members of both documents.
fn changed<'a, const N: usize>(before: Option<&'a Document>, after: &'a Document, names: [&str; N]) -> Result<[Changed<'a>; N], EditError> {
    let mut all = [const { Changed { before: None, after: None } }; N];
    for (one, name) in all.iter_mut().zip(names) {
        if before.and_then(|before| before.member(name)) != after.member(name) {
            let before = before.map(|before| before.value(name)).transpose()?.flatten();
            *one = Changed { before, after: after.value(name)? };
        }
    }
    Ok(all)
}

impl Changed<'_> {
    /// The members of the object that are new or not what they were.
    fn differing(&self) -> impl Iterator<Item = (&str, &Value<'_>)> {
        differing(self.before.as_ref(), self.after.as_ref())
    }
}

/// The members of the object `after` that `before` has not.
fn differing<'a>(before: Option<&'a Value<'a>>, after: Option<&'a Value<'a>>) -> impl Iterator<Item = (&'a str, &'a Value<'a>)> {
    let members = |value: Option<&'a Value<'a>>| value.and_then(Value::as_object).into_iter().flat_map(Object::iter);
    let known: BTreeMap<&str, &Value<'_>> = members(before).collect();
    members(after).filter(move |(name, value)| known.get(name) != Some(value))
}

fn assert_keys(keys: &Changed<'_>) -> Result<(), EditError> {
    keys.differing().try_for_each(|(keyid, key)| assert_key(keyid, key))
}

/// Of a type that is not known, a key is well-formed all the same.
fn assert_key(keyid: &str, key: &Value<'_>) -> Result<(), EditError> {
    let malformed = |what| EditError::malformed(format!("`{what}` of the key {keyid:?}"));
    let is_text = |value: &Value<'_>, name| value.get(name).and_then(Value::as_str).is_some();
    for name in ["keytype", "scheme"] {
        is_text(key, name).then_some(()).ok_or_else(|| malformed(name))?;
    }
    let keyval = key.get("keyval").ok_or_else(|| malformed("keyval"))?;
    // Whom sigstore identifies has no public key of its own.
    let identified = is_text(keyval, "identity") && is_text(keyval, "issuer");
    (is_text(keyval, "public") || identified).then_some(()).ok_or_else(|| malformed("keyval.public"))
}

/// The keyids of a role, each once (TUF 1.0, 4.3: "KEYIDs MUST be unique").
fn assert_keyids(name: &str, role: &Value<'_>) -> Result<(), EditError> {
    let malformed = || EditError::malformed(format!("`keyids`, each once, of the role {name:?}"));
    let mut seen = BTreeSet::new();
    let mut keyids = role.get("keyids").and_then(Value::as_array).ok_or_else(malformed)?.iter();
    keyids.all(|keyid| keyid.as_str().is_some_and(|keyid| seen.insert(keyid))).then_some(()).ok_or_else(malformed)
}

fn assert_delegations(delegations: &Changed<'_>) -> Result<(), EditError> {
    let Some(after) = &delegations.after else { return Ok(()) };
    let before = delegations.before.as_ref();
    let of_before = |name| before.and_then(|before| before.get(name));
    differing(of_before("keys"), after.get("keys")).try_for_each(|(keyid, key)| assert_key(keyid, key))?;
    if let Some(bins) = after.get("succinct_roles").filter(|bins| of_before("succinct_roles") != Some(*bins)) {
        assert_keyids(name_of(bins, "name_prefix"), bins)?;
    }
    let old = of_before("roles").and_then(Value::as_array).unwrap_or_default();
    let known: BTreeMap<&str, &Value<'_>> = old.iter().map(|role| (name_of(role, "name"), role)).collect();
    for role in after.get("roles").and_then(Value::as_array).unwrap_or_default() {
        let name = name_of(role, "name");
        if known.get(name) == Some(&role) {
            continue;
        }
        assert_keyids(name, role)?;
        if role.get("terminating").and_then(Value::as_bool).is_none() {
            return Err(EditError::malformed(format!("`terminating` of the delegation to {name:?}")));
        }
    }
    Ok(())
}

fn name_of<'a>(role: &'a Value<'_>, member: &str) -> &'a str {
    role.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// Both documents list their targets in one order. What stands in both alike is passed over as it stands.
fn assert_targets(before: Option<&Document>, after: &Document) -> Result<(), EditError> {
    let new = after.large("targets")?;
    let old = before.map(|before| before.large("targets")).transpose()?;
    let mut at = 0;
    for place in 0..new.len() {
        let member = new.member(place).unwrap_or_default();
        if member_at(old, at) == Some(member) {
            at += 1;
            continue;
        }
        let (name, entry) = split(member)?;
        at = passed(old, at, &name)?;
        if member_at(old, at) == Some(member) {
            at += 1;
            continue;
        }
        assert_target(&name, entry)?;
    }
    Ok(())
}

/// The member at a place, if there is one.
fn member_at<'a>(large: Option<Large<'a>>, place: usize) -> Option<&'a str> {
    large.filter(|large| place < large.len())?.member(place)
}

/// The place of the first old member from `at` on whose name is not before `name`.
fn passed(old: Option<Large<'_>>, mut at: usize, name: &str) -> Result<usize, EditError> {
    while let Some(member) = member_at(old, at) {
        if *split(member)?.0 >= *name {
            break;
        }
        at += 1;
    }
    Ok(at)
}

/// The name of a member, and the text of its value.
fn split(member: &str) -> Result<(Cow<'_, str>, &str), EditError> {
    let plain = member.strip_prefix('"').and_then(|rest| rest.split_once('"')).filter(|(name, _)| !name.contains('\\'));
    if let Some((name, entry)) = plain.and_then(|(name, rest)| Some((name, rest.strip_prefix(':')?))) {
        return Ok((Cow::Borrowed(name), entry));
    }
    let object = format!("{{{member}}}");
    let members = json::members(object.as_bytes(), object.len())?;
    let found = members.first().and_then(|(name, text)| Some((name, member.get(member.len().checked_sub(text.len())?..)?)));
    found.map(|(name, entry)| (Cow::Owned(name.clone().into_owned()), entry)).ok_or_else(|| EditError::malformed("`targets`"))
}

fn assert_target(name: &str, entry: &str) -> Result<(), EditError> {
    let path = TargetPath::new(name).map_err(|error| EditError::Target { path: name.to_owned(), reason: format!("{error}") })?;
    if is_usual(entry) || Target::read(entry, &path).is_ok() {
        return Ok(());
    }
    Err(EditError::malformed(format!("`hashes`, `length` or `custom` of the target {name:?}")))
}

/// Whether an entry is one of nearly all: a SHA-256 and a length, and nothing else.
fn is_usual(entry: &str) -> bool {
    let digits = |text: &str| {
        let (hash, rest) = text.split_at_checked(64)?;
        let length = rest.strip_prefix("\"},\"length\":")?.strip_suffix('}')?;
        let hexadecimal = hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        Some(hexadecimal && (1..=15).contains(&length.len()) && length.bytes().all(|byte| byte.is_ascii_digit()))
    };
    entry.strip_prefix(r#"{"hashes":{"sha256":""#).and_then(digits) == Some(true)
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::super::text::push_string;
    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn document(members: &str) -> Document {
        let text = format!(r#"{{"signatures":[],"signed":{{"_type":"targets","version":1,{members}}}}}"#);
        Document::open(text.into_bytes()).unwrap()
    }

    fn targets(entries: &[(&str, &str)]) -> Document {
        let mut text = String::from(r#""targets":{"#);
        for (place, (name, entry)) in entries.iter().enumerate() {
            text.push_str(if place > 0 { "," } else { "" });
            push_string(&mut text, name);
            text.push(':');
            text.push_str(entry);
        }
        document(&(text + "}"))
    }

    fn usual(length: &str) -> String {
        format!(r#"{{"hashes":{{"sha256":"{HASH}"}},"length":{length}}}"#)
    }

    fn delegations(key: &str, keyids: &str, terminating: &str) -> String {
        format!(
            r#""targets":{{}},"delegations":{{"keys":{{"k":{key}}},"roles":[{{"name":"a","keyids":{keyids},"threshold":1,"paths":["*"]{terminating}}}]}}"#
        )
    }

    const KEY: &str = r#"{"keytype":"ed25519","scheme":"ed25519","keyval":{"public":"00"}}"#;

    #[test]
    fn a_target_without_length_or_hashes_of_their_types_is_refused_unless_it_was_published() {
        let good = usual("5");
        let custom = format!(r#"{{"custom":{{}},"hashes":{{"md5":"x","sha256":"{HASH}"}},"length":0}}"#);
        for entry in [good.as_str(), &custom] {
            assert_eq!(assert_well_formed(None, &targets(&[("a/b", entry), ("q\"\\q", entry)])), Ok(()));
        }
        let hashes = |hashes: &str| format!(r#"{{"hashes":{hashes},"length":5}}"#);
        for bad in [
            "null".to_owned(),
            "[]".to_owned(),
            r#"{"length":5}"#.to_owned(),
            format!(r#"{{"hashes":{{"sha256":"{HASH}"}}}}"#),
            hashes("{}"),
            hashes("null"),
            hashes(r#"{"sha256":5}"#),
            hashes(r#"{"sha256":"00"}"#),
            hashes(&format!(r#"{{"sha256":"{HASH}","x":5}}"#)),
            usual("-5"),
            usual("\"5\""),
            usual("null"),
            format!(r#"{{"custom":[],"hashes":{{"sha256":"{HASH}"}},"length":5}}"#),
        ] {
            for name in ["b", "b\\\"b", "z"] {
                let after = targets(&[("a", &good), (name, &bad), ("bb", &good)]);
                let refused = assert_well_formed(None, &after).unwrap_err();
                assert_eq!(refused.code(), "metadata-malformed", "{bad}");
                assert!(assert_well_formed(Some(&targets(&[("a", &good)])), &after).is_err(), "{bad}");
                // It stands there already, whatever comes and goes around it.
                for others in [&[("0", good.as_str()), ("a", &usual("7"))][..], &[("aa", &good), ("c", &good)], &[]] {
                    let before: alloc::vec::Vec<_> = others.iter().copied().chain([(name, bad.as_str())]).collect();
                    assert_eq!(assert_well_formed(Some(&targets(&before)), &after), Ok(()), "{bad} {others:?}");
                }
            }
        }
    }

    #[test]
    fn a_target_of_a_path_that_no_client_asks_for_is_refused() {
        for name in ["", "/a", "a//b", "../a", "a\u{1}"] {
            assert_eq!(assert_well_formed(None, &targets(&[(name, &usual("5"))])).unwrap_err().code(), "bad-target", "{name:?}");
        }
    }

    #[test]
    fn a_delegation_without_terminating_or_with_a_keyid_twice_or_a_key_without_public_is_refused() {
        let good = delegations(KEY, r#"["k"]"#, r#","terminating":false"#);
        assert_eq!(assert_well_formed(None, &document(&good)), Ok(()));
        let identified = r#"{"keytype":"sigstore-oidc","scheme":"Fulcio","keyval":{"identity":"a","issuer":"b"}}"#;
        assert_eq!(assert_well_formed(None, &document(&delegations(identified, r#"["k"]"#, r#","terminating":true"#))), Ok(()));
        let of_key = |key: &str| delegations(key, r#"["k"]"#, r#","terminating":false"#);
        for bad in [
            delegations(KEY, r#"["k"]"#, ""),
            delegations(KEY, r#"["k","k"]"#, r#","terminating":false"#),
            of_key(r#"{"keytype":"x","scheme":"y","keyval":{}}"#),
            of_key(r#"{"keytype":"x","scheme":"y","keyval":{"public":null}}"#),
        ] {
            for before in [None, Some(&document(&good))] {
                assert_eq!(assert_well_formed(before, &document(&bad)).unwrap_err().code(), "metadata-malformed", "{bad}");
            }
            // What is published already is in nobody's way, and stays in none's when something else changes beside it.
            let beside = bad.replace(r#""keys":{"#, &format!(r#""keys":{{"l":{KEY},"#));
            for after in [&bad, &beside] {
                assert_eq!(assert_well_formed(Some(&document(&bad)), &document(after)), Ok(()), "{after}");
            }
        }
        let bins = |keyids: &str| {
            format!(
                r#""targets":{{}},"delegations":{{"keys":{{"k":{KEY}}},"succinct_roles":{{"name_prefix":"b","bit_length":2,"keyids":{keyids},"threshold":1}}}}"#
            )
        };
        assert_eq!(assert_well_formed(None, &document(&bins(r#"["k"]"#))), Ok(()));
        assert!(assert_well_formed(None, &document(&bins(r#"["k","k"]"#))).is_err());
    }

    #[test]
    fn a_root_with_a_keyid_twice_or_a_key_without_public_is_refused() {
        let root = |key: &str, keyids: &str| {
            let text = format!(
                r#"{{"signatures":[],"signed":{{"_type":"root","version":1,"keys":{{"k":{key}}},"roles":{{"root":{{"keyids":{keyids},"threshold":1}}}}}}}}"#
            );
            Document::open(text.into_bytes()).unwrap()
        };
        assert_eq!(assert_well_formed(None, &root(KEY, r#"["k"]"#)), Ok(()));
        for bad in [root(KEY, r#"["k","k"]"#), root(r#"{"keytype":"x","scheme":"y","keyval":{}}"#, r#"["k"]"#)] {
            assert_eq!(assert_well_formed(None, &bad).unwrap_err().code(), "metadata-malformed");
            assert_eq!(assert_well_formed(Some(&bad), &bad), Ok(()));
        }
    }
}
