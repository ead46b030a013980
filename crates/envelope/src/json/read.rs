//! Bytes to [`Value`].

use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::MAX_DEPTH;
use super::error::{Error, Kind};
use super::lexer::{Lexer, Token};
use super::value::{Number, Object, Value};

/// Reads one JSON document of at most `max_bytes` bytes. Strings without escapes borrow from it.
///
/// # Errors
/// Anything that RFC 8259 does not allow, and what readers disagree about: see [`Kind`].
pub fn parse(bytes: &[u8], max_bytes: usize) -> Result<Value<'_>, Error> {
    parse_bounded(bytes, max_bytes, usize::MAX)
}

/// As [`parse`], for a document of at most `max_values` values: a value takes many times the memory of the two bytes that it
/// may be written in, so that bytes alone do not bound what a stranger's document takes.
///
/// # Errors
/// As for [`parse`], and [`Kind::TooManyValues`].
pub fn parse_bounded(bytes: &[u8], max_bytes: usize, max_values: usize) -> Result<Value<'_>, Error> {
    let mut lexer = Lexer::new(bytes, max_bytes)?;
    let mut room = Room { left: max_values, limit: max_values };
    let value = value(&mut lexer, MAX_DEPTH, &mut room)?;
    lexer.end()?;
    Ok(value)
}

/// How many more values may be built.
struct Room {
    left: usize,
    limit: usize,
}

impl Room {
    #[inline]
    fn take(&mut self, offset: usize) -> Result<(), Error> {
        self.left = self.left.checked_sub(1).ok_or(Error { kind: Kind::TooManyValues { limit: self.limit }, offset })?;
        Ok(())
    }
}

/// The members of the one object that a document of at most `max_bytes` bytes is, each with the text of its value, which is
/// read as strictly as by [`parse`] but not built: a caller that wants few members of a large document has no tree of the rest.
///
/// # Errors
/// As for [`parse`]; a document that is no object is [`Kind::Unexpected`].
pub fn members(bytes: &[u8], max_bytes: usize) -> Result<Vec<(Cow<'_, str>, &str)>, Error> {
    let mut lexer = Lexer::new(bytes, max_bytes)?;
    if !matches!(lexer.value()?, Token::Object) {
        return Err(Error { kind: Kind::Unexpected(bytes.first().copied().map_or(' ', char::from)), offset: 0 });
    }
    let levels = lexer.enter(MAX_DEPTH)?;
    let (mut members, mut names) = (Vec::new(), Vec::new());
    let mut more = lexer.first_member()?;
    while more {
        let start = lexer.at() - 1;
        let name = string(&mut lexer)?;
        lexer.colon()?;
        let value = lexer.at();
        skip(&mut lexer, levels)?;
        names.push((name.clone(), start));
        members.push((name, lexer.slice(value)?.trim_ascii_start()));
        more = lexer.next_member()?;
    }
    lexer.end()?;
    distinct(&names)?;
    Ok(members)
}

/// The member whose name's opening quotation mark is the byte `start` of `text`: its name, and the text of its value, which is
/// read as strictly as by [`parse`] but not built.
///
/// Nothing before the name and nothing behind the value is looked at: whoever noted `start` vouches for what the member is one of.
///
/// # Errors
/// There is no member at `start`, or one that [`parse`] would not take.
pub fn member_at(text: &str, start: usize) -> Result<(Cow<'_, str>, &str), Error> {
    let (name, mut lexer) = name_at(text, start)?;
    lexer.colon()?;
    let value = lexer.at();
    skip(&mut lexer, MAX_DEPTH)?;
    Ok((name, lexer.slice(value)?.trim_ascii_start()))
}

/// The name whose opening quotation mark is the byte `start` of `text`, and the lexer behind it.
pub(crate) fn name_at(text: &str, start: usize) -> Result<(Cow<'_, str>, Lexer<'_>), Error> {
    match text.get(start..).and_then(|rest| rest.chars().next()) {
        Some('"') => {}
        Some(found) => return Err(Error { kind: Kind::Unexpected(found), offset: start }),
        None => return Err(Error { kind: Kind::End, offset: start }),
    }
    let mut lexer = Lexer::from_offset(text, start + 1);
    Ok((string(&mut lexer)?, lexer))
}

/// Reads a value and keeps nothing of it.
pub(crate) fn skip(lexer: &mut Lexer<'_>, levels: usize) -> Result<(), Error> {
    match lexer.value()? {
        Token::Null | Token::Bool(_) | Token::Number(_) => {}
        Token::String => {
            lexer.pass_string()?;
        }
        Token::Array => {
            let levels = lexer.enter(levels)?;
            let mut more = lexer.first_item()?;
            while more {
                skip(lexer, levels)?;
                more = lexer.next_item()?;
            }
        }
        Token::Object => {
            let levels = lexer.enter(levels)?;
            let mut names = Vec::new();
            let mut more = lexer.first_member()?;
            while more {
                let start = lexer.at() - 1;
                names.push((string(lexer)?, start));
                lexer.colon()?;
                skip(lexer, levels)?;
                more = lexer.next_member()?;
            }
            distinct(&names)?;
        }
    }
    Ok(())
}

/// Refuses the first repetition among names, each with its place in the document.
pub(crate) fn distinct(names: &[(Cow<'_, str>, usize)]) -> Result<(), Error> {
    // Most writers of large objects sort them.
    if names.is_sorted_by(|(first, _), (second, _)| first < second) {
        return Ok(());
    }
    distinct_in_order(names.iter().map(|(name, start)| (name.as_ref(), *start)).collect())
}

/// The same once they are in order. Of equal names the one that stands first in the document is no repetition.
fn distinct_in_order(mut names: Vec<(&str, usize)>) -> Result<(), Error> {
    names.sort_unstable();
    let repeated = names.windows(2).filter_map(|pair| match pair {
        [first, second] if first.0 == second.0 => Some(*second),
        _ => None,
    });
    match repeated.min_by_key(|(_, start)| *start) {
        Some((name, start)) => Err(Error::duplicate(name, start)),
        None => Ok(()),
    }
}

/// `levels` is how many more arrays and objects may be entered, which also bounds the recursion.
fn value<'a>(lexer: &mut Lexer<'a>, levels: usize, room: &mut Room) -> Result<Value<'a>, Error> {
    room.take(lexer.at())?;
    Ok(match lexer.value()? {
        Token::Null => Value::Null,
        Token::Bool(value) => Value::Bool(value),
        Token::Number(numeral) => Value::Number(Number::from_numeral(numeral.text)),
        Token::String => Value::String(string(lexer)?),
        Token::Array => array(lexer, lexer.enter(levels)?, room)?,
        Token::Object => object(lexer, lexer.enter(levels)?, room)?,
    })
}

/// Reads the rest of a string, whose opening quotation mark was read.
pub(crate) fn string<'a>(lexer: &mut Lexer<'a>) -> Result<Cow<'a, str>, Error> {
    let (plain, mut escaped) = lexer.stretch()?;
    if escaped.is_none() {
        return Ok(Cow::Borrowed(plain));
    }
    let mut text = plain.to_string();
    while let Some(character) = escaped {
        text.push(character);
        let plain;
        (plain, escaped) = lexer.stretch()?;
        text.push_str(plain);
    }
    Ok(Cow::Owned(text))
}

fn array<'a>(lexer: &mut Lexer<'a>, levels: usize, room: &mut Room) -> Result<Value<'a>, Error> {
    let mut items = Vec::new();
    let mut more = lexer.first_item()?;
    while more {
        items.push(value(lexer, levels, room)?);
        more = lexer.next_item()?;
    }
    Ok(Value::Array(items))
}

fn object<'a>(lexer: &mut Lexer<'a>, levels: usize, room: &mut Room) -> Result<Value<'a>, Error> {
    let mut members = Vec::new();
    let mut names = Names::default();
    let mut more = lexer.first_member()?;
    while more {
        let start = lexer.at() - 1;
        let name = string(lexer)?;
        lexer.colon()?;
        names.add(&members, &name, start)?;
        members.push((name, value(lexer, levels, room)?));
        more = lexer.next_member()?;
    }
    names.end(&members)?;
    Ok(Value::Object(Object::from_distinct(members)))
}

/// Sees to it that no two members of an object have one name, in less than quadratic time.
#[derive(Default)]
struct Names {
    /// Where the names of the members after the first few begin.
    starts: Vec<usize>,
}

impl Names {
    /// So many members are each compared with all before them.
    const FEW: usize = 16;

    fn add(&mut self, members: &[(Cow<'_, str>, Value<'_>)], name: &str, start: usize) -> Result<(), Error> {
        if members.len() >= Self::FEW {
            self.starts.push(start);
        } else if members.iter().any(|(other, _)| other == name) {
            return Err(Error::duplicate(name, start));
        }
        Ok(())
    }

    fn end(self, members: &[(Cow<'_, str>, Value<'_>)]) -> Result<(), Error> {
        if self.starts.is_empty() {
            return Ok(());
        }
        let few = core::iter::repeat_n(0, Self::FEW);
        // Of two equal names the second is not among the few.
        distinct_in_order(members.iter().map(|(name, _)| name.as_ref()).zip(few.chain(self.starts)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;

    fn kind(document: &[u8]) -> (Kind, usize) {
        let error = parse(document, 1 << 20).expect_err("refused");
        (error.kind, error.offset)
    }

    #[test]
    fn values_are_read_as_written() {
        let document = br#" {"a": [null, true, false, -12, 1.50e+3, "x\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"], "\u0062": {}} "#;
        let value = parse(document, document.len()).expect("valid");
        let items = value.get("a").and_then(Value::as_array).expect("an array");
        assert_eq!(items[0], Value::Null);
        assert_eq!(items[1].as_bool(), Some(true));
        assert_eq!(items[2].as_bool(), Some(false));
        assert_eq!((items[3].as_i64(), items[3].as_u64()), (Some(-12), None));
        assert!(matches!(&items[4], Value::Number(n) if n.as_str() == "1.50e+3"));
        assert_eq!(items[5].as_str(), Some("x\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1f600}"));
        assert!(value.get("b").and_then(Value::as_object).is_some_and(Object::is_empty));
        assert_eq!(value.get("c"), None);
    }

    #[test]
    fn duplicates_are_refused_at_any_depth_and_however_escaped() {
        assert_eq!(kind(br#"{"a":1,"a":2}"#), (Kind::Duplicate("a".into()), 7));
        assert_eq!(kind(br#"[{"b":{"a":1,"\u0061":2}}]"#), (Kind::Duplicate("a".into()), 13));
        // One name in different objects is no duplicate.
        assert!(parse(br#"{"a":{"a":1},"b":{"a":1}}"#, 100).is_ok());
    }

    #[test]
    fn duplicates_among_many_members_are_refused_where_they_are() {
        for (first, second) in [(0, 1), (3, 15), (3, 16), (15, 16), (16, 17), (0, 999), (500, 501), (998, 999)] {
            let mut document = String::from("{");
            let mut expected = 0;
            for i in 0..1000 {
                if i == second {
                    expected = document.len();
                }
                let name = if i == second { first } else { i };
                document.push_str(&format!("\"{name}\":{i}{}", if i == 999 { "}" } else { "," }));
            }
            assert_eq!(kind(document.as_bytes()), (Kind::Duplicate(format!("{first}")), expected));
        }
    }

    #[test]
    fn an_object_with_very_many_members_is_fine() {
        let members: Vec<String> = (0..200_000).map(|i| format!("\"{}\":{i}", i ^ 0x15555)).collect();
        let document = format!("{{{}}}", members.join(","));
        let value = parse(document.as_bytes(), document.len()).expect("valid");
        assert_eq!(value.as_object().map(Object::len), Some(200_000));
    }

    #[test]
    fn depth_is_bounded() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested = |depth| format!("{}1{}", open.repeat(depth), close.repeat(depth));
            assert!(parse(nested(MAX_DEPTH).as_bytes(), 1000).is_ok());
            assert_eq!(kind(nested(MAX_DEPTH + 1).as_bytes()), (Kind::Depth, open.len() * MAX_DEPTH));
            assert_eq!(kind(open.repeat(100_000).as_bytes()).0, Kind::Depth);
        }
    }

    #[test]
    fn what_is_not_strict_json_is_refused() {
        let refused: [(&[u8], Kind, usize); 46] = [
            (b"", Kind::End, 0),
            (b"  ", Kind::End, 2),
            (b"\xef\xbb\xbf{}", Kind::ByteOrderMark, 0),
            (b"\xfe\xff\0{", Kind::Utf8, 0),
            (b"\"\xff\"", Kind::Utf8, 1),
            (b"\"\xed\xa0\x80\"", Kind::Utf8, 1),
            (b"\"\xc0\x80\"", Kind::Utf8, 1),
            (b"{} x", Kind::Trailing, 3),
            (b"{}{}", Kind::Trailing, 2),
            (b"{}\0", Kind::Trailing, 2),
            (b"1 2", Kind::Trailing, 2),
            (b"{", Kind::End, 1),
            (b"{\"a\"", Kind::End, 4),
            (b"{\"a\":", Kind::End, 5),
            (b"{\"a\":1", Kind::End, 6),
            (b"{\"a\":1,}", Kind::Unexpected('}'), 7),
            (b"{,}", Kind::Unexpected(','), 1),
            (b"{a:1}", Kind::Unexpected('a'), 1),
            (b"{'a':1}", Kind::Unexpected('\''), 1),
            (b"{\"a\" 1}", Kind::Unexpected('1'), 5),
            (b"[1,]", Kind::Unexpected(']'), 3),
            (b"[1 2]", Kind::Unexpected('2'), 3),
            (b"[1}", Kind::Unexpected('}'), 2),
            (b"]", Kind::Unexpected(']'), 0),
            (b"[//x\n1]", Kind::Unexpected('/'), 1),
            (b"tru", Kind::End, 3),
            (b"nul1", Kind::Unexpected('1'), 3),
            (b"NaN", Kind::Unexpected('N'), 0),
            (b"Infinity", Kind::Unexpected('I'), 0),
            ("\u{a0}1".as_bytes(), Kind::Unexpected('\u{a0}'), 0),
            (b"\"a", Kind::End, 2),
            (b"\"a\\", Kind::End, 3),
            (b"\"a\nb\"", Kind::Control, 2),
            (b"\"a\0b\"", Kind::Control, 2),
            (b"\"a\\x41\"", Kind::Escape, 2),
            (b"\"\\u12g4\"", Kind::Escape, 1),
            (b"\"\\u+123\"", Kind::Escape, 1),
            (b"\"\\u12", Kind::End, 5),
            (b"\"\\ud800\"", Kind::Surrogate, 1),
            (b"\"\\udc00\\ud800\"", Kind::Surrogate, 1),
            (b"\"\\ud800\\ud800\"", Kind::Surrogate, 1),
            (b"\"\\ud800\\n\"", Kind::Surrogate, 1),
            (b"01", Kind::Number, 0),
            (b"-", Kind::End, 1),
            (b"1.x", Kind::Number, 0),
            (b"1e+,", Kind::Number, 0),
        ];
        for (document, expected, offset) in refused {
            assert_eq!(kind(document), (expected, offset), "{}", String::from_utf8_lossy(document));
        }
        for number in ["+1", ".5", "-a", "-01", "00", "1.", "1.e5", "1e", "0x10", "1_000"] {
            assert!(parse(number.as_bytes(), 100).is_err(), "{number}");
        }
    }

    #[test]
    fn the_number_of_values_is_bounded() {
        let document = br#"{"a":[0,{"b":1}],"c":""}"#;
        assert!(parse_bounded(document, 100, 6).is_ok());
        assert_eq!(parse_bounded(document, 100, 5).expect_err("six").kind, Kind::TooManyValues { limit: 5 });
    }

    #[test]
    fn members_are_read_as_strictly_without_a_tree() {
        let document = br#" {"a" : [1, {"x":2}] , "\u0062":"\"" } "#;
        let found = members(document, document.len()).expect("valid");
        assert_eq!(found, [("a".into(), r#"[1, {"x":2}]"#), ("b".into(), r#""\"""#)]);
        assert_eq!(members(b"{}", 2).expect("valid"), []);
        for bad in [
            r#"[]"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":{"b":1,"c":2,"b":3}}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":1}x"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a"}"#,
            r#"{"a":01}"#,
            "",
        ] {
            let error = members(bad.as_bytes(), 100).expect_err(bad);
            if bad != "[]" {
                assert_eq!(Err(error), parse(bad.as_bytes(), 100).map(|_| ()), "{bad}");
            }
        }
        let deep = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        assert!(members(deep(MAX_DEPTH).as_bytes(), 1000).is_ok());
        assert_eq!(members(deep(MAX_DEPTH + 1).as_bytes(), 1000).expect_err("deep").kind, Kind::Depth);
        assert!(members(b"{}", 1).is_err());
    }

    #[test]
    fn length_is_bounded() {
        assert!(parse(b"[1]", 3).is_ok());
        assert_eq!(parse(b"[1]", 2).expect_err("too long"), Error { kind: Kind::TooLong { limit: 2 }, offset: 2 });
    }

    #[test]
    fn strings_without_escapes_borrow() {
        let document = b"[\"plain\", \"esc\\u0061ped\"]";
        let value = parse(document, 100).expect("valid");
        let items = value.as_array().expect("an array");
        assert!(matches!(&items[0], Value::String(Cow::Borrowed("plain"))));
        assert!(matches!(&items[1], Value::String(Cow::Owned(text)) if text == "escaped"));
    }
}
