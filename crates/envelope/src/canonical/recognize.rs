//! Telling that a value is in canonical form already, as quickly as its bytes can be looked at.

use crate::json::lexer::end_of_plain;

/// Where the value that begins at the byte `at` ends, if it is in canonical form and enters at most `levels` arrays and objects.
///
/// `None` says nothing: strings with escapes and the largest integers are left to a reader that is slower and says what is wrong.
/// The bytes must be UTF-8.
pub(crate) fn end_of_value(bytes: &[u8], at: usize, levels: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => end_of_string(bytes, at + 1),
        b'{' => end_of_object(bytes, at + 1, levels.checked_sub(1)?),
        b'[' => end_of_array(bytes, at + 1, levels.checked_sub(1)?),
        b'-' | b'0'..=b'9' => end_of_number(bytes, at),
        b't' => end_of_word(bytes, at, b"true"),
        b'f' => end_of_word(bytes, at, b"false"),
        b'n' => end_of_word(bytes, at, b"null"),
        _ => None,
    }
}

#[inline]
fn end_of_string(bytes: &[u8], at: usize) -> Option<usize> {
    let end = end_of_plain(bytes, at);
    (*bytes.get(end)? == b'"').then_some(end + 1)
}

fn end_of_object(bytes: &[u8], mut at: usize, levels: usize) -> Option<usize> {
    if *bytes.get(at)? == b'}' {
        return Some(at + 1);
    }
    let mut before: Option<&[u8]> = None;
    loop {
        if *bytes.get(at)? != b'"' {
            return None;
        }
        let end = end_of_string(bytes, at + 1)?;
        // With its closing quotation mark, which no name has within it.
        let name = bytes.get(at + 1..end - 1)?;
        if before.is_some_and(|before| before >= name) || *bytes.get(end)? != b':' {
            return None;
        }
        before = Some(name);
        at = end_of_value(bytes, end + 1, levels)?;
        match bytes.get(at)? {
            b',' => at += 1,
            b'}' => return Some(at + 1),
            _ => return None,
        }
    }
}

fn end_of_array(bytes: &[u8], mut at: usize, levels: usize) -> Option<usize> {
    if *bytes.get(at)? == b']' {
        return Some(at + 1);
    }
    loop {
        at = end_of_value(bytes, at, levels)?;
        match bytes.get(at)? {
            b',' => at += 1,
            b']' => return Some(at + 1),
            _ => return None,
        }
    }
}

/// Integers of fifteen digits are always within the range.
#[inline]
fn end_of_number(bytes: &[u8], at: usize) -> Option<usize> {
    let negative = *bytes.get(at)? == b'-';
    let first = at + usize::from(negative);
    let digits = bytes.get(first..)?.iter().take(16).take_while(|byte| byte.is_ascii_digit()).count();
    let end = first + digits;
    let leading_zero = *bytes.get(first)? == b'0' && (digits > 1 || negative);
    let integer = !matches!(bytes.get(end), Some(b'.' | b'e' | b'E'));
    (integer && !leading_zero && (1..=15).contains(&digits)).then_some(end)
}

fn end_of_word(bytes: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    bytes.get(at..)?.starts_with(word).then_some(at + word.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::to_vec;
    use crate::json::MAX_DEPTH;
    use alloc::string::String;
    use alloc::vec::Vec;

    fn whole(text: &str) -> bool {
        end_of_value(text.as_bytes(), 0, MAX_DEPTH) == Some(text.len())
    }

    #[test]
    fn what_is_recognized_is_canonical() {
        // Every text of up to five of these pieces.
        let pieces = ["", "\"a\"", "\"b\"", "\"\\\"\"", ":", ",", "{", "}", "[", "]", "0", "-", "1", ".5", "null", " "];
        let mut recognized = 0;
        for number in 0..pieces.len().pow(5) {
            let text: String = (0..5).filter_map(|place| pieces.get(number / pieces.len().pow(place) % pieces.len())).copied().collect();
            let canonical = to_vec(text.as_bytes(), 100).is_ok_and(|bytes| bytes == text.as_bytes());
            assert_eq!(whole(&text), canonical && !text.contains('\\'), "{text}");
            recognized += usize::from(whole(&text));
        }
        assert!(recognized > 100, "{recognized}");
    }

    #[test]
    fn names_are_in_order_and_distinct() {
        for (text, expected) in [
            (r#"{"":1,"a":2,"a!":3,"a/":4,"aa":5}"#, true),
            (r#"{"a":{"b":[]},"b":[{"a":{}},{"a":{}}]}"#, true),
            (r#"{"a!":3,"a":2}"#, false),
            (r#"{"a":1,"a":2}"#, false),
            (r#"{"a":1,"b":{"d":1,"c":2}}"#, false),
            ("{\"z\":1,\"\u{e9}\":2,\"\u{fb33}\":3,\"\u{1f600}\":4}", true),
            ("\"\n\"", false),
        ] {
            assert_eq!(whole(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_are_those_of_canonical_json() {
        for (text, expected) in [
            ("0", true),
            ("-1", true),
            ("10", true),
            ("-999999999999999", true),
            ("-0", false),
            ("00", false),
            ("01", false),
            ("-01", false),
            ("-", false),
            ("1.0", false),
            ("1e3", false),
            ("1E3", false),
            ("1000000000000000", false),
            ("9007199254740992", false),
        ] {
            assert_eq!(whole(text), expected, "{text}");
            assert_eq!(end_of_value(text.as_bytes(), 0, 0).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn no_more_levels_are_entered_than_allowed() {
        let deep = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
        assert!(whole(&deep(MAX_DEPTH)) && !whole(&deep(MAX_DEPTH + 1)));
        let bytes: Vec<u8> = "{\"a\":".repeat(100_000).into_bytes();
        assert_eq!(end_of_value(&bytes, 0, MAX_DEPTH), None);
    }
}
