//! Percent-encoding: names that a stranger chose become one segment of a URL, or the name of one file.

use alloc::string::String;

/// Appends `text`, with every byte percent-encoded but the unreserved ones of RFC 3986, section 2.3.
pub(crate) fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => {
                out.push('%');
                for nibble in [byte >> 4, byte & 15] {
                    out.push(char::from_digit(nibble.into(), 16).unwrap_or('?').to_ascii_uppercase());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stand_for_themselves() {
        for (text, expected) in [
            ("abc-._~XYZ019", "abc-._~XYZ019"),
            ("a/b\\c", "a%2Fb%5Cc"),
            ("..%2f", "..%252f"),
            ("\0 ?#é😀", "%00%20%3F%23%C3%A9%F0%9F%98%80"),
        ] {
            let mut out = String::new();
            encode(text, &mut out);
            assert_eq!(out, expected);
        }
    }
}
