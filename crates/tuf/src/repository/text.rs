//! The text of what is written: canonical JSON, in which control characters are escaped, so that it is JSON.
//!
//! OLPC canonical JSON leaves a newline in a string as it is, which no JSON reader takes. With that one difference a document is
//! written in its canonical form: whoever verifies it has nothing to put in order, and a role without PEM keys is hashed as it is.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::canonical;
use touchmark_envelope::json::Value;
use touchmark_envelope::signed::Signed;

use super::EditError;

/// The text of a value of our own making.
///
/// # Errors
/// A string of which implementations of canonical JSON make different bytes; a number that canonical JSON does not have.
pub(super) fn of_value(value: &Value<'_>) -> Result<String, EditError> {
    of_canonical(canonical::write(value)?)
}

/// Canonical bytes have no white space, so that a control character in them stands in a string.
pub(super) fn of_canonical(canonical: Vec<u8>) -> Result<String, EditError> {
    let text = String::from_utf8(canonical).map_err(|_| EditError::malformed("UTF-8 text"))?;
    if !text.bytes().any(|byte| byte < 0x20) {
        return Ok(text);
    }
    let mut escaped = String::with_capacity(text.len() + text.len() / 32);
    for character in text.chars() {
        match character {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\0'..='\u{1f}' => escaped.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => escaped.push(character),
        }
    }
    Ok(escaped)
}

/// Whether a text of the written form is its own canonical form: it is, unless a control character had to be escaped.
pub(super) fn is_canonical(text: &str) -> bool {
    // Few documents have a backslash at all.
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        match rest.as_bytes().get(at + 1) {
            Some(b'"' | b'\\') => rest = rest.get(at + 2..).unwrap_or_default(),
            _ => return false,
        }
    }
    true
}

/// Whether what is signed in a document stands there in the written form.
pub(super) fn is_written(document: &Signed) -> bool {
    let signed = document.signed_bytes();
    // The canonical form is no copy: the document has it.
    if document.bytes().as_ptr_range().contains(&signed.as_ptr()) {
        return true;
    }
    let Ok(written) = of_canonical(signed.to_vec()) else { return false };
    let mut found = String::with_capacity(written.len());
    for (name, text) in document.members() {
        found.push(if found.is_empty() { '{' } else { ',' });
        push_string(&mut found, name);
        found.push(':');
        found.push_str(text);
    }
    found.push('}');
    found == written
}

/// Appends a string in quotation marks.
pub(super) fn push_string(out: &mut String, string: &str) {
    out.push('"');
    for character in string.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_nothing_else_changes() {
        let document = "{\"b\": \"x\\ny\\u0001\\\"\\\\\", \"a\": [1, \"\\u00e9\"]}";
        let of_document = |document: &str| of_canonical(canonical::to_vec(document.as_bytes(), 1000).unwrap());
        let text = of_document(document).unwrap();
        assert_eq!(text, "{\"a\":[1,\"\u{e9}\"],\"b\":\"x\\ny\\u0001\\\"\\\\\"}");
        assert_eq!(of_document(&text).unwrap(), text);
        assert!(!is_canonical(&text));
        assert!(is_canonical(r#"{"a":"\"\\n"}"#));
        let canonical = canonical::to_vec(text.as_bytes(), 1000).unwrap();
        assert_eq!(canonical, canonical::to_vec(document.as_bytes(), 1000).unwrap());
    }

    #[test]
    fn strings_are_written_as_of_value_writes_them() {
        for string in ["", "a\"b\\c", "\n\r\t\u{1}\u{1f}\u{7f}é"] {
            let mut out = String::new();
            push_string(&mut out, string);
            assert_eq!(out, of_value(&Value::from(string)).unwrap());
        }
    }

    #[test]
    fn what_implementations_disagree_on_is_not_written() {
        let value = Value::object([("a b", 1_u64)]);
        assert_eq!(of_value(&value).map_err(|error| error.code()), Err("canonical-not-portable"));
    }
}
