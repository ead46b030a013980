//! Values read one after another, as the caller asks for them.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::MAX_DEPTH;
use super::error::{Error, Kind};
use super::lexer::{Lexer, Token};
use super::read::{distinct, skip, string};

/// Reads a document as strictly as [`parse`](super::parse), and hands its values to the caller, who knows what they must be, without a
/// tree of them: a list of a hundred thousand artifacts goes from its text to where it is kept.
///
/// ```
/// use touchmark_envelope::json::{Error, Reader};
///
/// let mut reader = Reader::new(br#"{"a": "x", "b": ["y", "z"]}"#, 1024)?;
/// let mut found = Vec::new();
/// reader.object(|reader, name| match name.as_ref() {
///     "a" => reader.string().map(|text| found.push(text)),
///     _ => reader.array(|reader| reader.string().map(|text| found.push(text))),
/// })?;
/// reader.end()?;
/// assert_eq!(found, ["x", "y", "z"]);
/// # Ok::<(), Error>(())
/// ```
pub struct Reader<'a> {
    lexer: Lexer<'a>,
    levels: usize,
}

impl<'a> Reader<'a> {
    /// Begins to read a document of at most `max_bytes` bytes.
    ///
    /// # Errors
    /// It is longer, no UTF-8, or begins with a byte order mark.
    pub fn new(document: &'a [u8], max_bytes: usize) -> Result<Self, Error> {
        Ok(Self { lexer: Lexer::new(document, max_bytes)?, levels: MAX_DEPTH })
    }

    /// Reads an object: `member` is given each member's name and reads exactly its value.
    ///
    /// # Errors
    /// The next value is no object, two of its members have one name, or an error of `member`.
    pub fn object<E: From<Error>>(&mut self, mut member: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), E>) -> Result<(), E> {
        let (token, start) = self.token()?;
        let Token::Object = token else { return Err(self.other(start).into()) };
        let outer = self.levels;
        self.levels = self.lexer.enter(outer)?;
        let mut names = Vec::new();
        let mut more = self.lexer.first_member()?;
        while more {
            let start = self.lexer.at() - 1;
            let name = string(&mut self.lexer)?;
            self.lexer.colon()?;
            names.push((name.clone(), start));
            member(self, name)?;
            more = self.lexer.next_member()?;
        }
        self.levels = outer;
        Ok(distinct(&names)?)
    }

    /// Reads an array: `item` reads exactly one value each time.
    ///
    /// # Errors
    /// The next value is no array, or an error of `item`.
    pub fn array<E: From<Error>>(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), E>) -> Result<(), E> {
        let (token, start) = self.token()?;
        let Token::Array = token else { return Err(self.other(start).into()) };
        let outer = self.levels;
        self.levels = self.lexer.enter(outer)?;
        let mut more = self.lexer.first_item()?;
        while more {
            item(self)?;
            more = self.lexer.next_item()?;
        }
        self.levels = outer;
        Ok(())
    }

    /// Reads a string.
    ///
    /// # Errors
    /// The next value is no string.
    pub fn string(&mut self) -> Result<Cow<'a, str>, Error> {
        match self.token()? {
            (Token::String, _) => string(&mut self.lexer),
            (_, start) => Err(self.other(start)),
        }
    }

    /// Reads any value, and gives its text.
    ///
    /// # Errors
    /// The next value is none that [`parse`](super::parse) would take.
    pub fn text(&mut self) -> Result<&'a str, Error> {
        let before = self.lexer.at();
        skip(&mut self.lexer, self.levels)?;
        Ok(self.lexer.slice(before)?.trim_ascii_start())
    }

    /// After the document's value: nothing may follow.
    ///
    /// # Errors
    /// Something does.
    pub fn end(mut self) -> Result<(), Error> {
        self.lexer.end()
    }

    /// The beginning of the next value, and the byte at which it stands, or a byte of white space before it.
    fn token(&mut self) -> Result<(Token<'a>, usize), Error> {
        let before = self.lexer.at();
        Ok((self.lexer.value()?, before))
    }

    /// The error of a value of another type, which begins at `start` or behind white space there.
    fn other(&self, start: usize) -> Error {
        let text = self.lexer.slice(start).unwrap_or_default();
        let solid = text.trim_ascii_start();
        let found = solid.chars().next().unwrap_or(' ');
        Error { kind: Kind::Unexpected(found), offset: start + (text.len() - solid.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;

    fn objects(document: &str) -> Result<Vec<String>, Error> {
        let mut reader = Reader::new(document.as_bytes(), 1 << 20)?;
        let mut found = Vec::new();
        reader.object(|reader, name| reader.text().map(|text| found.push(format!("{name}={text}"))))?;
        reader.end()?;
        Ok(found)
    }

    #[test]
    fn members_come_in_their_order_with_their_text() {
        assert_eq!(objects(r#" {"b": [1, {}] , "\u0061":"x" } "#), Ok(alloc::vec!["b=[1, {}]".into(), "a=\"x\"".into()]));
        assert_eq!(objects("{}"), Ok(Vec::new()));
    }

    #[test]
    fn what_parse_refuses_is_refused() {
        for (document, kind, offset) in [
            (r#"{"a":1,"b":2,"\u0061":3}"#, Kind::Duplicate("a".into()), 13),
            (r#"{"a":{"x":1,"x":2}}"#, Kind::Duplicate("x".into()), 12),
            (r#"{"a":1} 2"#, Kind::Trailing, 8),
            (r#"{"a":1"#, Kind::End, 6),
            ("  [1]", Kind::Unexpected('['), 2),
            ("7", Kind::Unexpected('7'), 0),
        ] {
            assert_eq!(objects(document), Err(Error { kind, offset }), "{document}");
        }
        assert_eq!(objects(&format!(r#"{{"a":{}1{}}}"#, "[".repeat(32), "]".repeat(32))).map_err(|error| error.kind), Err(Kind::Depth));
        assert!(objects(&format!(r#"{{"a":{}1{}}}"#, "[".repeat(31), "]".repeat(31))).is_ok());
    }

    #[test]
    fn depth_is_that_of_the_place_and_not_of_what_was_read_before() {
        let read = |document: &str| -> Result<(), Error> {
            let mut reader = Reader::new(document.as_bytes(), 1 << 20)?;
            reader.array(|reader| reader.array(|reader| reader.text().map(|_| ())))?;
            reader.end()
        };
        let deep = format!("{}1{}", "[".repeat(30), "]".repeat(30));
        assert_eq!(read(&format!("[[{deep}],[{deep}],[{deep}]]")), Ok(()));
        assert_eq!(read(&format!("[[[{deep}]]]")).map_err(|error| error.kind), Err(Kind::Depth));
    }

    #[test]
    fn a_caller_that_reads_no_value_or_two_gets_an_error() {
        let mut reader = Reader::new(br#"{"a": 1}"#, 100).unwrap();
        assert!(reader.object::<Error>(|_, _| Ok(())).is_err());
        let mut reader = Reader::new(br#"["a", "b"]"#, 100).unwrap();
        assert!(reader.array::<Error>(|reader| reader.string().and_then(|_| reader.string()).map(|_| ())).is_err());
    }

    #[test]
    fn strings_are_strings_only() {
        for (document, text) in [(r#""a\n""#, Some("a\n")), ("1", None), ("null", None), ("[]", None)] {
            let mut reader = Reader::new(document.as_bytes(), 100).unwrap();
            assert_eq!(reader.string().ok().as_deref(), text);
        }
    }
}
