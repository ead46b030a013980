//! The lexer under both the reader of values and the canonicaliser: every rule about JSON's text is here, once.

use super::error::{Error, Kind};

/// How far into a document reading has come.
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    blanks: usize,
}

/// The beginning of a value; scalars but strings are whole.
pub(crate) enum Token<'a> {
    /// `{` was read; [`Lexer::first_member`] goes on.
    Object,
    /// `[` was read; [`Lexer::first_item`] goes on.
    Array,
    /// The opening `"` was read; [`Lexer::stretch`] goes on.
    String,
    /// A number, whole.
    Number(Numeral<'a>),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
}

/// A number as it is written.
#[derive(Clone, Copy)]
pub(crate) struct Numeral<'a> {
    pub(crate) text: &'a str,
    /// There is neither a fraction nor an exponent.
    pub(crate) integer: bool,
}

/// How the characters of a string are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// Nothing is escaped.
    Plain,
    /// As in canonical JSON, with escapes.
    Canonical,
    /// In another way.
    Other,
}

impl<'a> Lexer<'a> {
    /// Begins to read `document`.
    pub(crate) fn new(document: &'a [u8], max_bytes: usize) -> Result<Self, Error> {
        if document.len() > max_bytes {
            return Err(Error { kind: Kind::TooLong { limit: max_bytes }, offset: max_bytes });
        }
        let text = core::str::from_utf8(document).map_err(|e| Error { kind: Kind::Utf8, offset: e.valid_up_to() })?;
        Self::of_text(text)
    }

    /// Begins to read a document that is known to be UTF-8.
    pub(crate) fn of_text(text: &'a str) -> Result<Self, Error> {
        if text.starts_with('\u{feff}') {
            return Err(Error { kind: Kind::ByteOrderMark, offset: 0 });
        }
        Ok(Self::from_offset(text, 0))
    }

    /// Begins to read within a document, at the byte `at`.
    pub(crate) fn from_offset(text: &'a str, at: usize) -> Self {
        Self { text, at, blanks: 0 }
    }

    /// Goes on at the byte `at`, when what is before it was read in another way.
    pub(crate) fn go_on_at(&mut self, at: usize) {
        self.at = at;
    }

    /// How many bytes of white space were skipped.
    pub(crate) fn blanks(&self) -> usize {
        self.blanks
    }

    /// The offset of the next byte.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// After `{` or `[`: how many more levels may be entered, when it was `levels` before.
    #[inline]
    pub(crate) fn enter(&self, levels: usize) -> Result<usize, Error> {
        levels.checked_sub(1).ok_or(Error { kind: Kind::Depth, offset: self.at - 1 })
    }

    /// Reads the beginning of a value.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Token<'a>, Error> {
        match self.next_solid() {
            Some(b'"') => self.step(Token::String),
            Some(b'{') => self.step(Token::Object),
            Some(b'[') => self.step(Token::Array),
            Some(b'-' | b'0'..=b'9') => self.number().map(Token::Number),
            Some(b't') => self.word("true", Token::Bool(true)),
            Some(b'f') => self.word("false", Token::Bool(false)),
            Some(b'n') => self.word("null", Token::Null),
            _ => Err(self.unexpected()),
        }
    }

    /// After `{`: reads the opening `"` of the first name, or `}` and says that there is none.
    #[inline]
    pub(crate) fn first_member(&mut self) -> Result<bool, Error> {
        match self.next_solid() {
            Some(b'"') => self.step(true),
            Some(b'}') => self.step(false),
            _ => Err(self.unexpected()),
        }
    }

    /// After a member: reads `,` and the opening `"` of the next name, or `}` and says that there is none.
    #[inline]
    pub(crate) fn next_member(&mut self) -> Result<bool, Error> {
        match self.next_solid() {
            Some(b',') => {
                self.at += 1;
                match self.next_solid() {
                    Some(b'"') => self.step(true),
                    _ => Err(self.unexpected()),
                }
            }
            Some(b'}') => self.step(false),
            _ => Err(self.unexpected()),
        }
    }

    /// After a name: reads `:`.
    #[inline]
    pub(crate) fn colon(&mut self) -> Result<(), Error> {
        match self.next_solid() {
            Some(b':') => self.step(()),
            _ => Err(self.unexpected()),
        }
    }

    /// After `[`: whether there is an item; if not, `]` was read.
    #[inline]
    pub(crate) fn first_item(&mut self) -> Result<bool, Error> {
        match self.next_solid() {
            Some(b']') => self.step(false),
            _ => Ok(true),
        }
    }

    /// After an item: reads `,`, or `]` and says that there is no other item.
    #[inline]
    pub(crate) fn next_item(&mut self) -> Result<bool, Error> {
        match self.next_solid() {
            Some(b',') => self.step(true),
            Some(b']') => self.step(false),
            _ => Err(self.unexpected()),
        }
    }

    /// After the document's value: nothing may follow.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        match self.next_solid() {
            None => Ok(()),
            Some(_) => Err(self.error(Kind::Trailing)),
        }
    }

    /// Reads the rest of a string without its characters, and says how they are written.
    #[inline]
    pub(crate) fn pass_string(&mut self) -> Result<Spelling, Error> {
        self.at = end_of_plain(self.text.as_bytes(), self.at);
        if self.peek() == Some(b'"') { self.step(Spelling::Plain) } else { self.pass_escapes() }
    }

    /// Goes on where a string does not end.
    #[cold]
    fn pass_escapes(&mut self) -> Result<Spelling, Error> {
        let mut spelling = Spelling::Canonical;
        loop {
            let start = self.at;
            let (plain, escaped) = self.stretch()?;
            match escaped {
                None => return Ok(spelling),
                Some('"' | '\\') if self.at == start + plain.len() + 2 => {}
                Some(_) => spelling = Spelling::Other,
            }
        }
    }

    /// Reads on in a string: characters that stand for themselves, then one that was escaped, or `None` for the closing `"`.
    #[inline]
    pub(crate) fn stretch(&mut self) -> Result<(&'a str, Option<char>), Error> {
        let start = self.at;
        self.at = end_of_plain(self.text.as_bytes(), start);
        let plain = self.slice(start)?;
        match self.peek() {
            Some(b'"') => self.step((plain, None)),
            Some(b'\\') => Ok((plain, Some(self.escape()?))),
            Some(_) => Err(self.error(Kind::Control)),
            None => Err(self.error(Kind::End)),
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        let start = self.at;
        self.at += 1;
        let simple = match self.peek() {
            Some(b'u') => return self.unicode_escape(start),
            Some(found @ (b'"' | b'\\' | b'/')) => char::from(found),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(_) => return Err(Error { kind: Kind::Escape, offset: start }),
            None => return Err(self.error(Kind::End)),
        };
        self.step(simple)
    }

    /// Reads `uXXXX`, and its low half where it is the high half of a pair. The backslash is at `start`.
    fn unicode_escape(&mut self, start: usize) -> Result<char, Error> {
        let lone = Error { kind: Kind::Surrogate, offset: start };
        let first = self.code_unit(start)?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or(lone);
        }
        if self.peek() != Some(b'\\') || self.text.as_bytes().get(self.at + 1) != Some(&b'u') {
            return Err(lone);
        }
        let second_start = self.at;
        self.at += 1;
        let second = self.code_unit(second_start)?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(lone);
        }
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(lone)
    }

    /// Reads `uXXXX` of the escape that begins at `start`.
    fn code_unit(&mut self, start: usize) -> Result<u32, Error> {
        self.at += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().ok_or_else(|| self.error(Kind::End))?;
            let digit = char::from(digit).to_digit(16).ok_or(Error { kind: Kind::Escape, offset: start })?;
            unit = unit << 4 | digit;
            self.at += 1;
        }
        Ok(unit)
    }

    #[inline]
    fn number(&mut self) -> Result<Numeral<'a>, Error> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let first = self.at;
        self.digits(start)?;
        let leading_zero = self.text.as_bytes().get(first) == Some(&b'0') && self.at > first + 1;
        if leading_zero {
            return Err(Error { kind: Kind::Number, offset: start });
        }
        let mut integer = true;
        if self.peek() == Some(b'.') {
            integer = false;
            self.at += 1;
            self.digits(start)?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            integer = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits(start)?;
        }
        Ok(Numeral { text: self.slice(start)?, integer })
    }

    /// Reads one digit or more of the number that begins at `start`.
    #[inline]
    fn digits(&mut self, start: usize) -> Result<(), Error> {
        let first = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        match self.peek() {
            _ if self.at > first => Ok(()),
            Some(_) => Err(Error { kind: Kind::Number, offset: start }),
            None => Err(self.error(Kind::End)),
        }
    }

    fn word(&mut self, word: &str, token: Token<'a>) -> Result<Token<'a>, Error> {
        for expected in word.bytes() {
            if self.peek() != Some(expected) {
                return Err(self.unexpected());
            }
            self.at += 1;
        }
        Ok(token)
    }

    /// Skips white space; the byte that follows.
    #[inline]
    fn next_solid(&mut self) -> Option<u8> {
        loop {
            let byte = self.peek()?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
            self.blanks += 1;
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn step<T>(&mut self, result: T) -> Result<T, Error> {
        self.at += 1;
        Ok(result)
    }

    /// What was read since `start`.
    #[inline]
    pub(crate) fn slice(&self, start: usize) -> Result<&'a str, Error> {
        self.text.get(start..self.at).ok_or(Error { kind: Kind::Utf8, offset: start })
    }

    fn unexpected(&self) -> Error {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) => self.error(Kind::Unexpected(found)),
            None => self.error(Kind::End),
        }
    }

    fn error(&self, kind: Kind) -> Error {
        Error { kind, offset: self.at }
    }
}

/// Where, from `at` on, the first `"`, `\` or control character stands, or else the end.
#[inline]
pub(crate) fn end_of_plain(bytes: &[u8], mut at: usize) -> usize {
    // Most strings are short.
    if let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        match first_special(*eight) {
            Some(place) => return at + place,
            None => at += 8,
        }
    }
    end_of_long_plain(bytes, at)
}

#[inline(never)]
fn end_of_long_plain(bytes: &[u8], mut at: usize) -> usize {
    // Sixteen bytes at a time, in operations that compilers have vector instructions for: the least of the three is zero for what is
    // looked for.
    for sixteen in bytes.get(at..).unwrap_or_default().as_chunks::<16>().0 {
        if sixteen.iter().fold(false, |found, byte| found | ((byte ^ b'"').min(byte ^ b'\\').min(byte.saturating_sub(0x1f)) == 0)) {
            break;
        }
        at += 16;
    }
    for eight in bytes.get(at..).unwrap_or_default().as_chunks().0 {
        match first_special(*eight) {
            Some(place) => return at + place,
            None => at += 8,
        }
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|b| matches!(b, 0..0x20 | b'"' | b'\\')).unwrap_or(rest.len())
}

/// Where, in eight bytes, the first `"`, `\` or control character stands.
#[inline]
fn first_special(eight: [u8; 8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // Each term has the high bit set in the bytes that it looks for; a borrow can set more of them, but only above a true one, so the
    // lowest is exact ("Bit Twiddling Hacks", "Determine if a word has a byte less than n").
    let word = u64::from_le_bytes(eight);
    let below = |bytes: u64, limit: u64| bytes.wrapping_sub(ONES * limit) & !bytes;
    let quote = below(word ^ (ONES * 0x22), 1);
    let backslash = below(word ^ (ONES * 0x5c), 1);
    let found = (below(word, 0x20) | quote | backslash) & HIGH;
    (found != 0).then(|| usize::try_from(found.trailing_zeros() / 8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::end_of_plain;
    use alloc::vec::Vec;

    #[test]
    fn the_word_scan_agrees_with_the_byte_scan() {
        // Every byte value at every place of a word, after every other value that could disturb it by a borrow.
        for before in [0x1f, 0x20, 0x21, 0x22, 0x23, 0x5b, 0x5c, 0x5d, 0x7f, 0x80, 0xa2, 0xdc, 0xff, b'a'] {
            for byte in 0..=255 {
                for place in 0..40 {
                    let mut bytes: Vec<u8> = alloc::vec![b'a'; 45];
                    if let Some(slot) = bytes.get_mut(place + 1) {
                        *slot = before;
                    }
                    if let Some(slot) = bytes.get_mut(place) {
                        *slot = byte;
                    }
                    let expected = bytes.iter().position(|b| *b < 0x20 || *b == b'"' || *b == b'\\').unwrap_or(bytes.len());
                    assert_eq!(end_of_plain(&bytes, 0), expected, "{bytes:?}");
                }
            }
        }
    }
}
