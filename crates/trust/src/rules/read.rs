//! Members, lists and texts of a document.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use touchmark_envelope::json::{Object, Value};
use touchmark_envelope::sorted;

use super::error::{RuleError, RuleFault};

pub(crate) type Result<T> = core::result::Result<T, RuleError>;

pub(crate) fn fault<T>(fault: impl Into<RuleFault>) -> Result<T> {
    Err(RuleError::new(fault))
}

pub(crate) fn object<'v, 'a>(value: &'v Value<'a>) -> Result<&'v Object<'a>> {
    value.as_object().ok_or_else(|| RuleError::new(RuleFault::Value("an object")))
}

/// Refuses the first member that is not among `names`.
pub(crate) fn known(object: &Object<'_>, names: &[&str]) -> Result<()> {
    match object.iter().find(|(name, _)| !names.contains(name)) {
        Some((name, _)) => {
            let known = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            Err(RuleError::new(RuleFault::Unknown { known }).within(name))
        }
        None => Ok(()),
    }
}

/// The member `name`, if there is one, read by `read`.
pub(crate) fn member<T>(object: &Object<'_>, name: &str, read: impl FnOnce(&Value<'_>) -> Result<T>) -> Result<Option<T>> {
    object.get(name).map(|value| read(value).map_err(|error| error.within(name))).transpose()
}

/// The items of a list, of which there is at least one.
pub(crate) fn items<T>(value: &Value<'_>, limit: usize, what: &'static str, read: impl Fn(&Value<'_>) -> Result<T>) -> Result<Vec<T>> {
    let items =
        value.as_array().filter(|items| !items.is_empty()).ok_or_else(|| RuleError::new(RuleFault::Value("a list that is not empty")))?;
    if items.len() > limit {
        return fault(RuleFault::Limit { what, limit });
    }
    items.iter().enumerate().map(|(index, item)| read(item).map_err(|error| error.within_item(index))).collect()
}

/// One or several: a value that is no list is a list of one.
pub(crate) fn several<T>(value: &Value<'_>, limit: usize, what: &'static str, read: impl Fn(&Value<'_>) -> Result<T>) -> Result<Vec<T>> {
    match value {
        Value::Array(_) => items(value, limit, what, read),
        one => Ok(vec![read(one)?]),
    }
}

/// A text of at most `limit` bytes.
pub(crate) fn text(value: &Value<'_>, limit: usize, expected: &'static str) -> Result<String> {
    match value.as_str() {
        Some(text) if text.len() > limit => fault(RuleFault::Limit { what: "bytes", limit }),
        Some(text) => Ok(text.to_owned()),
        None => fault(RuleFault::Value(expected)),
    }
}

/// Texts by their names.
pub(crate) fn texts(value: &Value<'_>, limit: usize, what: &'static str) -> Result<BTreeMap<String, String>> {
    let object = object(value)?;
    if object.len() > limit {
        return fault(RuleFault::Limit { what, limit });
    }
    let one = |(name, value): (&str, &Value<'_>)| {
        let text = text(value, MAX_TEXT, "a text").map_err(|error| error.within(name))?;
        Ok((name.to_owned(), text))
    };
    sorted::try_map(object.iter().map(one))
}

/// Bytes of a remark, of an annotation and of other texts that have no limit of their own.
pub(crate) const MAX_TEXT: usize = 4096;

/// A remark for whoever reads the document.
pub(crate) fn comment(object: &Object<'_>) -> Result<Option<String>> {
    member(object, "comment", |value| text(value, MAX_TEXT, "a text"))
}
