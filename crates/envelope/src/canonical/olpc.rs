//! The dialect of olpc-cjson, which tough signs: to check what others have signed, never to sign.
//!
//! It differs in two ways. Strings are normalised to NFC (UAX 15), each stretch between characters that JSON escapes by itself; and members
//! are sorted by their names' bytes as they are written, with quotation marks and backslashes, so that `"foo bar"` stands before `"foo"`.
//! Where a document is portable (SPEC.md, "Canonical JSON") there is no difference.
//!
//! Normalising makes one text of several. A signature in this dialect is also one over every document whose strings are equivalent, and
//! olpc-cjson keeps one of two members whose names are: anybody could add a member that it drops. So a document with two such names has
//! no form here. Versions of Unicode differ in nothing but the characters that the later one adds.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::cmp::Ordering;

use unicode_normalization::UnicodeNormalization as _;

use super::Error;
use super::dialect::{Dialect, shown};
use super::transcribe::to_vec_in;
use crate::json;
use crate::json::lexer::Lexer;
use crate::json::read::string;

/// The canonical form, in this dialect, of a document of at most `max_bytes` bytes.
///
/// # Errors
/// The document is not strict JSON ([`json::parse`]), holds a number that canonical JSON does not have, or an object with two names that
/// are the same or equal under NFC ([`Error::NfcEqual`]).
pub fn to_vec(document: &[u8], max_bytes: usize) -> Result<Vec<u8>, Error> {
    to_vec_in::<OlpcCjson>(document, max_bytes)
}

struct OlpcCjson;

impl Dialect for OlpcCjson {
    fn string(lexer: &mut Lexer<'_>, out: &mut Vec<u8>) -> Result<(), json::Error> {
        let text = string(lexer)?;
        let mut rest = text.as_ref();
        while let Some((stretch, character, behind)) = split(rest) {
            normalized(stretch, out);
            if let b'"' | b'\\' = character {
                out.push(b'\\');
            }
            out.push(character);
            rest = behind;
        }
        normalized(rest, out);
        Ok(())
    }

    #[inline]
    fn compare(a: &[u8], b: &[u8]) -> Ordering {
        a.cmp(b)
    }

    fn sorted_by(quoted: &[u8]) -> Cow<'_, [u8]> {
        Cow::Borrowed(quoted)
    }

    fn repeated(quoted: &[u8], offset: usize) -> Error {
        Error::NfcEqual { name: shown(quoted).chars().take(64).collect(), offset }
    }
}

/// The text around its first character that JSON escapes.
fn split(text: &str) -> Option<(&str, u8, &str)> {
    let at = text.bytes().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\'))?;
    let (stretch, rest) = text.split_at_checked(at)?;
    let (character, _) = rest.as_bytes().split_first()?;
    Some((stretch, *character, rest.get(1..)?))
}

fn normalized(stretch: &str, out: &mut Vec<u8>) {
    if stretch.is_ascii() {
        return out.extend_from_slice(stretch.as_bytes());
    }
    for character in stretch.nfc() {
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString as _};

    fn written(document: &str) -> String {
        String::from_utf8(to_vec(document.as_bytes(), 1000).unwrap()).unwrap()
    }

    #[test]
    fn strings_are_normalised_between_escapes() {
        assert_eq!(written(r#"["cafe\u0301","\u212a\u212b\uf900","\u1100\u1161","e\"\u0301","\fb33","\n\u0001"]"#.replace("\\fb33", "\\ufb33").as_str()),
            "[\"caf\u{e9}\",\"K\u{c5}\u{8c48}\",\"\u{ac00}\",\"e\\\"\u{301}\",\"\u{5d3}\u{5bc}\",\"\n\u{1}\"]");
    }

    #[test]
    fn members_are_sorted_with_their_quotation_marks_and_escapes() {
        assert_eq!(written(r#"{"foo":1,"foo bar":2}"#), r#"{"foo bar":2,"foo":1}"#);
        assert_eq!(written(r#"{"":1," ":3,"!":2}"#), r#"{" ":3,"!":2,"":1}"#);
        assert_eq!(written(r#"{"a\"":1,"aA":2,"a]":3}"#), r#"{"aA":2,"a\"":1,"a]":3}"#);
    }

    #[test]
    fn a_second_name_that_is_equal_under_nfc_is_refused() {
        for document in [
            r#"{"\u00e9":"good","e\u0301":"evil"}"#,
            r#"{"e\u0301":"good","\u00e9":"evil"}"#,
            r#"[{"a":{"z":0,"K":1,"b":2,"\u212a":3}}]"#,
            r#"{"a":1,"a":2}"#,
            r#"{"b":1,"a":1,"b":2}"#,
        ] {
            let error = to_vec(document.as_bytes(), 1000).unwrap_err();
            assert_eq!(error.code(), "canonical-nfc-equal", "{document}");
        }
        let error = to_vec(r#"{"\u00e9\"":1,"e\u0301\"":2}"#.as_bytes(), 1000).unwrap_err();
        assert_eq!(error, Error::NfcEqual { name: "\u{e9}\"".to_string(), offset: 14 });
        // Of different objects, and as values.
        assert_eq!(
            written(r#"{"a":{"\u00e9":"\u00e9"},"b":{"e\u0301":"e\u0301"}}"#),
            "{\"a\":{\"\u{e9}\":\"\u{e9}\"},\"b\":{\"\u{e9}\":\"\u{e9}\"}}"
        );
    }

    #[test]
    fn the_reader_s_refusals_are_this_one_s() {
        for (document, code) in [
            ("[1", "json-truncated"),
            ("1.5", "canonical-not-integer"),
            ("-0", "canonical-negative-zero"),
            ("9007199254740992", "canonical-integer-range"),
            ("\u{feff}1", "json-byte-order-mark"),
            (r#""\ud800""#, "json-lone-surrogate"),
        ] {
            assert_eq!(to_vec(document.as_bytes(), 1000).unwrap_err().code(), code, "{document}");
        }
        assert_eq!(to_vec(b"{}", 1).unwrap_err().code(), "json-too-long");
    }
}
