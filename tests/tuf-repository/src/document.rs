//! Documents as JSON values, and places in them as JSON pointers (RFC 6901).

use std::collections::BTreeMap;

use touchmark_envelope::canonical;
use touchmark_envelope::json::{self, Value};

use crate::Key;

/// The value that `text` says, such as `2.0` or `[]`.
///
/// # Panics
/// When it is no JSON.
pub fn json(text: &str) -> Value<'static> {
    json::parse(text.as_bytes(), text.len()).expect("JSON in a test").into_owned()
}

/// The value at `pointer`, to be changed.
///
/// # Panics
/// When there is none.
pub fn at<'v>(value: &'v mut Value<'static>, pointer: &str) -> &'v mut Value<'static> {
    find(value, pointer).unwrap_or_else(|| panic!("the document has no {pointer}"))
}

/// Whether there is a value at `pointer`.
pub fn has(value: &Value<'static>, pointer: &str) -> bool {
    find(&mut value.clone(), pointer).is_some()
}

/// Sets the value at `pointer`. Its parent must be there; `-` is the place after the last of an array.
///
/// # Panics
/// When there is no parent, or it is neither an object nor an array.
pub fn set(value: &mut Value<'static>, pointer: &str, new: impl Into<Value<'static>>) {
    if pointer.is_empty() {
        *value = new.into();
        return;
    }
    let (parent, name) = split(pointer);
    match at(value, parent) {
        Value::Object(object) => object.insert(name, new),
        Value::Array(items) if name == "-" => items.push(new.into()),
        Value::Array(items) => {
            let item = name.parse().ok().and_then(|index: usize| items.get_mut(index));
            *item.unwrap_or_else(|| panic!("the document has no {pointer}")) = new.into();
        }
        _ => panic!("nothing can be in {parent}"),
    }
}

/// Takes the value at `pointer` away.
///
/// # Panics
/// When there is none.
pub fn remove(value: &mut Value<'static>, pointer: &str) -> Value<'static> {
    let (parent, name) = split(pointer);
    match at(value, parent) {
        Value::Object(object) => object.remove(&name),
        Value::Array(items) => name.parse().ok().filter(|index| *index < items.len()).map(|index: usize| items.remove(index)),
        _ => None,
    }
    .unwrap_or_else(|| panic!("the document has no {pointer}"))
}

/// The document of `signed` with a signature by each of `keys`, in their order.
pub fn assemble(signed: &Value<'static>, keys: &[Key]) -> Value<'static> {
    // What has no canonical form is signed all the same, so that it is refused for what it is.
    let message = canonical::write_unrestricted(signed).unwrap_or_else(|_| signed.to_vec());
    let signatures: Vec<Value<'static>> = keys.iter().map(|key| signature(key.keyid(), &key.sign(&message))).collect();
    Value::object([("signatures", Value::from(signatures)), ("signed", signed.clone())])
}

/// An element of `signatures`.
pub fn signature(keyid: &str, sig: &str) -> Value<'static> {
    Value::object([("keyid", keyid.to_owned()), ("sig", sig.to_owned())])
}

/// The same value with the members of every object in the order of their names' bytes.
pub(crate) fn sorted(value: &Value<'static>) -> Value<'static> {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        Value::Object(object) => {
            let members: BTreeMap<String, Value<'static>> = object.iter().map(|(name, value)| (name.to_owned(), sorted(value))).collect();
            Value::object(members)
        }
        other => other.clone(),
    }
}

fn find<'v>(value: &'v mut Value<'static>, pointer: &str) -> Option<&'v mut Value<'static>> {
    let mut place = value;
    for name in pointer.split('/').skip(1).map(unescape) {
        place = match place {
            Value::Object(object) => object.get_mut(&name)?,
            Value::Array(items) => items.get_mut(name.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(place)
}

/// The pointer of the parent, and the name in it.
fn split(pointer: &str) -> (&str, String) {
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_else(|| panic!("{pointer} is no JSON pointer to a member"));
    (parent, unescape(name))
}

fn unescape(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_changed_and_removed() {
        let mut value = json(r#"{"a":[1,{"b/c":true}],"d":{}}"#);
        assert!(has(&value, "/a/1/b~1c") && !has(&value, "/a/2") && !has(&value, "/a/0/x"));
        set(&mut value, "/a/1/b~1c", "x");
        set(&mut value, "/a/-", json("2.0"));
        set(&mut value, "/d/e", Value::Null);
        assert_eq!(value, json(r#"{"a":[1,{"b/c":"x"},2.0],"d":{"e":null}}"#));
        assert_eq!(remove(&mut value, "/a/0"), json("1"));
        remove(&mut value, "/d/e");
        assert_eq!(value, json(r#"{"a":[{"b/c":"x"},2.0],"d":{}}"#));
    }
}
