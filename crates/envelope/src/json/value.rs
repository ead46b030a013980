//! JSON values, borrowed from the document where they can be.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Any JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as its text.
    Number(Number<'a>),
    /// A string, unescaped.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object.
    Object(Object<'a>),
}

impl<'a> Value<'a> {
    /// An object of these members; of two with one name the later counts.
    pub fn object<K: Into<Cow<'a, str>>, V: Into<Value<'a>>>(members: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut object = Object::new();
        for (name, value) in members {
            object.insert(name, value);
        }
        Value::Object(object)
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if it is written in plain digits and fits.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Value::Number(number) => number.as_u64(),
            _ => None,
        }
    }

    /// The number, if it is written in plain digits, with or without a minus sign, and fits. `-0` is none.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// The items, if it is an array.
    pub fn as_array(&self) -> Option<&[Value<'a>]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The member `name`, if it is an object that has one.
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.as_object()?.get(name)
    }

    /// The same value, borrowing nothing.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Number(number) => Value::Number(number.into_owned()),
            Value::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Value::Array(items) => Value::Array(items.into_iter().map(Value::into_owned).collect()),
            Value::Object(object) => Value::Object(object.into_owned()),
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::String(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::String(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Value<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Value::String(text)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Value::Number(number.into())
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Value::Number(number.into())
    }
}

impl<'a> From<Vec<Value<'a>>> for Value<'a> {
    fn from(items: Vec<Value<'a>>) -> Self {
        Value::Array(items)
    }
}

impl<'a> From<Object<'a>> for Value<'a> {
    fn from(object: Object<'a>) -> Self {
        Value::Object(object)
    }
}

/// A number as it is written: any that RFC 8259 allows. Two numbers are equal if their texts are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number<'a>(Cow<'a, str>);

impl<'a> Number<'a> {
    /// The number that the lexer read.
    pub(super) fn from_numeral(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number, if it is written in plain digits and fits.
    pub fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    /// The number, if it is written in plain digits, with or without a minus sign, and fits. `-0` is none.
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok().filter(|number| *number != 0 || self.0 == "0")
    }

    fn into_owned(self) -> Number<'static> {
        Number(Cow::Owned(self.0.into_owned()))
    }
}

impl From<u64> for Number<'_> {
    fn from(number: u64) -> Self {
        Self(Cow::Owned(number.to_string()))
    }
}

impl From<i64> for Number<'_> {
    fn from(number: i64) -> Self {
        Self(Cow::Owned(number.to_string()))
    }
}

/// The members of a JSON object, in the document's order, no two of one name.
///
/// Looking a member up takes time in proportion to their number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object<'a> {
    members: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Object<'a> {
    /// An object without members.
    pub fn new() -> Self {
        Self::default()
    }

    /// The object of members that the caller knows to have distinct names.
    pub(super) fn from_distinct(members: Vec<(Cow<'a, str>, Value<'a>)>) -> Self {
        Self { members }
    }

    /// The object with a string for each pair of `map`.
    pub fn from_map(map: &BTreeMap<String, String>) -> Object<'static> {
        let member = |(name, value): (&String, &String)| (Cow::Owned(name.clone()), Value::from(value.clone()));
        Object { members: map.iter().map(member).collect() }
    }

    /// The member `name`.
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.members.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// The member `name`, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value<'a>> {
        self.members.iter_mut().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// Sets the member `name`: in its place if there is one, else as the last.
    pub fn insert(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) {
        let name = name.into();
        match self.get_mut(&name) {
            Some(slot) => *slot = value.into(),
            None => self.members.push((name, value.into())),
        }
    }

    /// Takes the member `name` away.
    pub fn remove(&mut self, name: &str) -> Option<Value<'a>> {
        let place = self.members.iter().position(|(other, _)| other == name)?;
        Some(self.members.remove(place).1)
    }

    /// Names and values, in the document's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.members.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether there is a member `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn into_owned(self) -> Object<'static> {
        let own = |(name, value): (Cow<'_, str>, Value<'_>)| (Cow::Owned(name.into_owned()), value.into_owned());
        Object { members: self.members.into_iter().map(own).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn members_are_replaced_in_place_and_removed() {
        let mut object = Object::new();
        object.insert("a", 1_u64);
        object.insert("b", "x");
        object.insert("a", true);
        assert_eq!(object.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(object.get("a"), Some(&Value::Bool(true)));
        if let Some(value) = object.get_mut("b") {
            *value = Value::Null;
        }
        assert_eq!(object.remove("b"), Some(Value::Null));
        assert_eq!((object.remove("b"), object.len(), object.contains("a")), (None, 1, true));
    }

    #[test]
    fn numbers_are_read_from_plain_digits_only() {
        for (text, unsigned, signed) in [
            ("0", Some(0), Some(0)),
            ("18446744073709551615", Some(u64::MAX), None),
            ("18446744073709551616", None, None),
            ("9223372036854775807", Some(9_223_372_036_854_775_807), Some(i64::MAX)),
            ("-9223372036854775808", None, Some(i64::MIN)),
            ("-0", None, None),
            ("1.0", None, None),
            ("1e3", None, None),
        ] {
            let value = parse(text.as_bytes(), 100).expect("valid");
            assert_eq!((value.as_u64(), value.as_i64()), (unsigned, signed), "{text}");
        }
    }

    #[test]
    fn values_outlive_their_document_once_owned() {
        let owned = {
            let document = String::from(r#"{"a":["b",1,null,{"c":true}]}"#);
            parse(document.as_bytes(), 100).expect("valid").into_owned()
        };
        let items = Value::Array(alloc::vec!["b".into(), 1_u64.into(), Value::Null, Value::object([("c", true)])]);
        assert_eq!(owned, Value::object([("a", items)]));
    }
}
