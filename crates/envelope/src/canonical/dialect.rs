//! What implementations of canonical JSON disagree about: how strings are written, and by what members are sorted.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::Error;
use crate::json;
use crate::json::lexer::Lexer;

/// A way to write canonical JSON.
pub(super) trait Dialect {
    /// Writes the rest of a string, whose opening quotation mark was read, without quotation marks.
    fn string(lexer: &mut Lexer<'_>, out: &mut Vec<u8>) -> Result<(), json::Error>;

    /// Compares two names as they are written, with their quotation marks.
    fn compare(a: &[u8], b: &[u8]) -> Ordering;

    /// The bytes that a name is sorted by, which is written like this, with its quotation marks.
    fn sorted_by(quoted: &[u8]) -> Cow<'_, [u8]>;

    /// The error of a second name, from the byte `offset` of the document on, that sorts neither before nor behind another.
    fn repeated(quoted: &[u8], offset: usize) -> Error;
}

/// The one that SPEC.md describes: of securesystemslib, and of go-securesystemslib where it does not change what it is given.
pub(super) struct Securesystemslib;

impl Dialect for Securesystemslib {
    #[inline]
    fn string(lexer: &mut Lexer<'_>, out: &mut Vec<u8>) -> Result<(), json::Error> {
        loop {
            let (plain, escaped) = lexer.stretch()?;
            out.extend_from_slice(plain.as_bytes());
            match escaped {
                None => return Ok(()),
                Some('"') => out.extend_from_slice(b"\\\""),
                Some('\\') => out.extend_from_slice(b"\\\\"),
                Some(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }

    /// `\` escapes only `"` and itself; names are compared by what they stand for.
    #[inline]
    fn compare(a: &[u8], b: &[u8]) -> Ordering {
        let (a, b) = (within(a), within(b));
        let plain = a.cmp(b);
        if plain.is_eq() || !(a.contains(&b'\\') || b.contains(&b'\\')) { plain } else { unescaped(a).cmp(unescaped(b)) }
    }

    fn sorted_by(quoted: &[u8]) -> Cow<'_, [u8]> {
        let name = within(quoted);
        if name.contains(&b'\\') { Cow::Owned(unescaped(name).collect()) } else { Cow::Borrowed(name) }
    }

    fn repeated(quoted: &[u8], offset: usize) -> Error {
        json::Error::duplicate(&shown(quoted), offset).into()
    }
}

/// A name that is written like this, for an error.
pub(super) fn shown(quoted: &[u8]) -> String {
    String::from_utf8_lossy(&unescaped(within(quoted)).collect::<Vec<u8>>()).into_owned()
}

/// A name without its quotation marks.
fn within(quoted: &[u8]) -> &[u8] {
    quoted.split_first().and_then(|(_, rest)| rest.split_last()).map(|(_, name)| name).unwrap_or_default()
}

fn unescaped(name: &[u8]) -> impl Iterator<Item = u8> {
    let mut bytes = name.iter().copied();
    core::iter::from_fn(move || match bytes.next() {
        Some(b'\\') => bytes.next(),
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_count_as_what_they_stand_for() {
        // `"` is 0x22 and `\` 0x5c, and both are written with a 0x5c before them.
        let ascending = ["", "!", "\\\"", "\\\"a", "A", "\\\\", "\\\\\\\"", "a"].map(|name| alloc::format!("\"{name}\"").into_bytes());
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(Securesystemslib::compare(a, b), i.cmp(&j), "{i} {j}");
                assert_eq!(Securesystemslib::sorted_by(a).cmp(&Securesystemslib::sorted_by(b)), i.cmp(&j), "{i} {j}");
            }
        }
    }
}
