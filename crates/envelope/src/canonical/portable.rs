//! The domain on which implementations of canonical JSON agree to the byte (SPEC.md, "Canonical JSON").
//!
//! They part ways where one of them normalises strings to NFC, and where one sorts names by their quoted and escaped form. So a string is
//! portable if NFC surely leaves it alone, and a name if, besides, it has no character that sorts differently for its escape or for the
//! quotation mark behind a shorter name.

use core::ops::RangeInclusive;

use super::{Error, Place};

/// Characters of which every string is in NFC (UAX 15): each has NFC_Quick_Check=Yes and combining class 0, was assigned long ago, and so
/// stays that way (Unicode's stability policies). Scripts whose writing needs combining marks are left out, as is all that is rare.
const NORMALISED: [RangeInclusive<char>; 26] = [
    // ASCII, Latin-1, Latin Extended-A and -B, IPA.
    '\0'..='\u{2ff}',
    // Greek, with its precomposed letters in part.
    '\u{391}'..='\u{3a1}',
    '\u{3a3}'..='\u{3ce}',
    // Cyrillic, Armenian, Hebrew, Arabic and Georgian letters.
    '\u{400}'..='\u{482}',
    '\u{48a}'..='\u{4ff}',
    '\u{531}'..='\u{556}',
    '\u{561}'..='\u{587}',
    '\u{5d0}'..='\u{5ea}',
    '\u{621}'..='\u{63a}',
    '\u{641}'..='\u{64a}',
    '\u{10d0}'..='\u{10f0}',
    // Latin Extended Additional (Vietnamese).
    '\u{1e00}'..='\u{1ef9}',
    // Punctuation, currency signs, arrows, mathematical operators.
    '\u{2010}'..='\u{2027}',
    '\u{2030}'..='\u{205e}',
    '\u{20a0}'..='\u{20bf}',
    '\u{2190}'..='\u{22ff}',
    // Box drawing, blocks, shapes, symbols.
    '\u{2500}'..='\u{26ff}',
    // Chinese, Japanese and Korean: punctuation, kana, ideographs, composed syllables.
    '\u{3001}'..='\u{3029}',
    '\u{3041}'..='\u{3094}',
    '\u{309d}'..='\u{309e}',
    '\u{30a1}'..='\u{30fe}',
    '\u{4e00}'..='\u{9fa5}',
    '\u{ac00}'..='\u{d7a3}',
    // Full-width ASCII.
    '\u{ff01}'..='\u{ff5e}',
    // Emoji.
    '\u{1f300}'..='\u{1f64f}',
    '\u{1f680}'..='\u{1f6c5}',
];

/// Refuses a string at which implementations part ways.
pub(super) fn check(string: &str, place: Place) -> Result<(), Error> {
    match string.chars().find(|character| !is_portable(*character, place)) {
        Some(character) => Err(Error::NotPortable { place, string: string.chars().take(64).collect(), character }),
        None => Ok(()),
    }
}

fn is_portable(character: char, place: Place) -> bool {
    // A name is compared with its closing quotation mark, 0x22, by some, so what is not above it sorts differently.
    let sorts = place == Place::Value || (character > '"' && character != '\\');
    sorts && NORMALISED.iter().any(|range| range.contains(&character))
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::char::canonical_combining_class;
    use unicode_normalization::{IsNormalized, is_nfc_quick};

    #[test]
    fn nfc_leaves_every_portable_string_alone() {
        let mut count = 0;
        for character in NORMALISED.into_iter().flatten() {
            assert_eq!(is_nfc_quick(core::iter::once(character)), IsNormalized::Yes, "{character:?}");
            assert_eq!(canonical_combining_class(character), 0, "{character:?}");
            assert!(unicode_normalization::char::is_public_assigned(character), "{character:?}");
            count += 1;
        }
        assert!(count > 30_000, "{count}");
    }

    #[test]
    fn what_implementations_disagree_on_is_not_portable() {
        for string in ["cafe\u{301}", "\u{212a}", "\u{212b}", "\u{f900}", "\u{1100}\u{1161}", "\u{fb33}", "\u{340}", "\u{378}"] {
            for place in [Place::Name, Place::Value] {
                assert!(check(string, place).is_err(), "{string:?}");
            }
        }
        for name in ["foo bar", "a!", "a\n", "\0", "a\"", "\\"] {
            assert!(check(name, Place::Name).is_err(), "{name:?}");
            assert!(check(name, Place::Value).is_ok(), "{name:?}");
        }
        for string in ["", "a#", "caf\u{e9}", "\u{416}\u{4e2d}\u{d55c}\u{1f600}", "a\u{7f}/~"] {
            assert!(check(string, Place::Name).is_ok(), "{string:?}");
        }
    }
}
