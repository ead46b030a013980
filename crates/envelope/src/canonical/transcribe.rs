//! Received bytes to canonical bytes, in one pass.
//!
//! Every value is copied to the output as it is read. An object whose members turn out to be out of order is put in order when it ends:
//! a small one by moving its members about in the output; for a large one their order is only noted, and followed when the output is
//! handed out, so that nothing large is held twice.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::marker::PhantomData;
use core::ops::Range;

use crate::sorted;

use super::dialect::{Dialect, Securesystemslib};
use super::order::{Named, sort};
use super::{Error, Sink, check_number};
use crate::json::MAX_DEPTH;
use crate::json::lexer::{Lexer, Token};

/// The canonical form of a document of at most `max_bytes` bytes.
///
/// # Errors
/// The document is not strict JSON ([`json::parse`](crate::json::parse)), or holds a number that canonical JSON does not have.
pub fn to_vec(document: &[u8], max_bytes: usize) -> Result<Vec<u8>, Error> {
    to_vec_in::<Securesystemslib>(document, max_bytes)
}

/// As [`to_vec`], in one dialect or the other.
pub(super) fn to_vec_in<D: Dialect>(document: &[u8], max_bytes: usize) -> Result<Vec<u8>, Error> {
    let transcript = Transcript::of::<D>(document, max_bytes)?;
    if transcript.postponed.is_empty() {
        return Ok(transcript.out);
    }
    let mut out = Vec::with_capacity(transcript.out.len());
    transcript.hand_out(&mut out);
    Ok(out)
}

/// Hands the canonical form of a document of at most `max_bytes` bytes to `sink`, once all of it is known to be good.
///
/// # Errors
/// The document is not strict JSON ([`json::parse`](crate::json::parse)), or holds a number that canonical JSON does not have.
pub fn stream(document: &[u8], max_bytes: usize, sink: &mut impl Sink) -> Result<(), Error> {
    Transcript::of::<Securesystemslib>(document, max_bytes)?.hand_out(sink);
    Ok(())
}

/// An object is put in order in its place up to this many bytes, which stay in the processor's cache.
const SMALL: usize = 1 << 15;

/// The canonical form of a document, but for the order of the members of some objects.
struct Transcript {
    out: Vec<u8>,
    /// The objects whose members are still to be put in order, the outer before the inner.
    postponed: Vec<Postponed>,
}

/// The members of an object, out of order in the output.
struct Postponed {
    /// Where in the output all of them stand, and the `{` before them.
    range: Range<usize>,
    /// Where each of them stands, in order.
    members: Box<[Range<usize>]>,
}

/// Where a member stands.
struct Member<D> {
    /// In the document: its name's opening quotation mark.
    source: usize,
    /// In the output: its name's opening quotation mark.
    start: usize,
    /// In the output: its name's closing quotation mark.
    name_end: usize,
    /// In the output: the end of its value.
    end: usize,
    /// What is noted when it is put in order.
    head: u64,
    dialect: PhantomData<D>,
}

impl<D> Member<D> {
    /// Its name as it stands in the output, with its quotation marks.
    fn quoted<'a>(&self, out: &'a [u8]) -> &'a [u8] {
        out.get(self.start..=self.name_end).unwrap_or_default()
    }
}

impl<D: Dialect> Named for Member<D> {
    type Text = [u8];

    fn name<'a>(&self, out: &'a [u8]) -> Cow<'a, [u8]> {
        D::sorted_by(self.quoted(out))
    }

    #[inline]
    fn compare(&self, other: &Self, out: &[u8]) -> Ordering {
        D::compare(self.quoted(out), other.quoted(out))
    }

    fn source(&self) -> usize {
        self.source
    }

    fn head(&self) -> u64 {
        self.head
    }

    fn note(&mut self, head: u64) {
        self.head = head;
    }
}

impl Transcript {
    fn of<D: Dialect>(document: &[u8], max_bytes: usize) -> Result<Self, Error> {
        let lexer = Lexer::new(document, max_bytes)?;
        // Canonical JSON is never longer than what it is made of, unless it is normalised.
        let out = Vec::with_capacity(document.len());
        let mut transcriber = Transcriber::<D> { lexer, out, members: Vec::new(), moved: Vec::new(), postponed: Vec::new() };
        transcriber.value(MAX_DEPTH)?;
        transcriber.lexer.end()?;
        let Transcriber { out, mut postponed, .. } = transcriber;
        sorted::sort_by(&mut postponed, |one, other| one.range.start.cmp(&other.range.start));
        Ok(Self { out, postponed })
    }

    fn hand_out(&self, sink: &mut impl Sink) {
        self.hand_out_range(0..self.out.len(), sink);
    }

    /// The recursion goes no deeper than the document, to [`MAX_DEPTH`].
    fn hand_out_range(&self, range: Range<usize>, sink: &mut impl Sink) {
        let mut at = range.start;
        while let Some(object) = self.postponed.get(self.postponed_before(at)).filter(|object| object.range.start < range.end) {
            sink.write(self.bytes(at..object.range.start + 1));
            for (i, member) in object.members.iter().enumerate() {
                if i > 0 {
                    sink.write(b",");
                }
                self.hand_out_range(member.clone(), sink);
            }
            at = object.range.end;
        }
        sink.write(self.bytes(at..range.end));
    }

    /// How many of the postponed objects begin before `at`.
    fn postponed_before(&self, at: usize) -> usize {
        self.postponed.partition_point(|object| object.range.start < at)
    }

    fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.out.get(range).unwrap_or_default()
    }
}

struct Transcriber<'a, D> {
    lexer: Lexer<'a>,
    out: Vec<u8>,
    /// The members, so far, of all objects that have not ended.
    members: Vec<Member<D>>,
    /// Where members stand while they are moved about; kept to be used again.
    moved: Vec<u8>,
    /// As in [`Transcript`], the inner before the outer.
    postponed: Vec<Postponed>,
}

impl<D: Dialect> Transcriber<'_, D> {
    /// `levels` is how many more arrays and objects may be entered, which also bounds the recursion.
    fn value(&mut self, levels: usize) -> Result<(), Error> {
        match self.lexer.value()? {
            Token::String => self.string()?,
            Token::Number(numeral) => {
                check_number(numeral.text, numeral.integer)?;
                self.out.extend_from_slice(numeral.text.as_bytes());
            }
            Token::Object => self.object(self.lexer.enter(levels)?)?,
            Token::Array => self.array(self.lexer.enter(levels)?)?,
            Token::Bool(true) => self.out.extend_from_slice(b"true"),
            Token::Bool(false) => self.out.extend_from_slice(b"false"),
            Token::Null => self.out.extend_from_slice(b"null"),
        }
        Ok(())
    }

    #[inline]
    fn string(&mut self) -> Result<(), Error> {
        self.out.push(b'"');
        D::string(&mut self.lexer, &mut self.out)?;
        self.out.push(b'"');
        Ok(())
    }

    fn array(&mut self, levels: usize) -> Result<(), Error> {
        self.out.push(b'[');
        let mut more = self.lexer.first_item()?;
        while more {
            self.value(levels)?;
            more = self.lexer.next_item()?;
            if more {
                self.out.push(b',');
            }
        }
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self, levels: usize) -> Result<(), Error> {
        self.out.push(b'{');
        let first = self.members.len();
        let mut in_order = true;
        let mut more = self.lexer.first_member()?;
        while more {
            let source = self.lexer.at() - 1;
            let start = self.out.len();
            self.string()?;
            let member = Member { source, start, name_end: self.out.len() - 1, end: 0, head: 0, dialect: PhantomData };
            if in_order && let Some(before) = self.members.get(first..).unwrap_or_default().last() {
                in_order = match before.compare(&member, &self.out) {
                    Ordering::Less => true,
                    Ordering::Equal => return Err(D::repeated(member.quoted(&self.out), source)),
                    Ordering::Greater => false,
                };
            }
            let place = self.members.len();
            self.members.push(member);
            self.lexer.colon()?;
            self.out.push(b':');
            self.value(levels)?;
            if let Some(member) = self.members.get_mut(place) {
                member.end = self.out.len();
            }
            more = self.lexer.next_member()?;
            if more {
                self.out.push(b',');
            }
        }
        if !in_order {
            self.put_in_order(first)?;
        }
        self.members.truncate(first);
        self.out.push(b'}');
        Ok(())
    }

    /// Puts the members from the one at `first` on, which are the end of the output, in order, or notes their order.
    #[inline(never)]
    fn put_in_order(&mut self, first: usize) -> Result<(), Error> {
        let members = self.members.get_mut(first..).unwrap_or_default();
        let start = members.first().map_or(self.out.len(), |member| member.start);
        let out = &self.out;
        if let Some(second) = sort(members, out) {
            return Err(D::repeated(second.quoted(out), second.source));
        }
        if self.out.len() - start > SMALL {
            let members = members.iter().map(|member| member.start..member.end).collect();
            self.postponed.push(Postponed { range: start - 1..self.out.len(), members });
            return Ok(());
        }
        self.moved.clear();
        self.moved.extend_from_slice(self.out.get(start..).unwrap_or_default());
        self.out.truncate(start);
        for (i, member) in members.iter().enumerate() {
            if i > 0 {
                self.out.push(b',');
            }
            self.out.extend_from_slice(self.moved.get(member.start - start..member.end - start).unwrap_or_default());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::write_unrestricted;
    use crate::digest::{Algorithm, Hasher};
    use crate::json::parse;
    use alloc::format;
    use alloc::string::{String, ToString};

    fn canonical(document: &str) -> String {
        String::from_utf8(to_vec(document.as_bytes(), usize::MAX).expect("canonical")).expect("UTF-8")
    }

    #[test]
    fn known_forms() {
        for (document, expected) in [
            (" { \"b\" : [ 1 , -2 , true , false , null ] , \"a\" : { } }\n", r#"{"a":{},"b":[1,-2,true,false,null]}"#),
            (r#"{"foo bar":2,"foo":1}"#, r#"{"foo":1,"foo bar":2}"#),
            (r#"{"!":2," ":3,"":1}"#, r#"{"":1," ":3,"!":2}"#),
            (r#"{"aA":2,"a\"":1}"#, r#"{"a\"":1,"aA":2}"#),
            (r#"{"\\":1,"Z":2,"a":3,"\"":4}"#, r#"{"\"":4,"Z":2,"\\":1,"a":3}"#),
            (r#"{"\ufb33":1,"\ud83d\ude00":2,"z":3}"#, "{\"z\":3,\"\u{fb33}\":1,\"\u{1f600}\":2}"),
            (r#""\/\b\f\n\r\t\u0000\u2028\u007f""#, "\"/\u{8}\u{c}\n\r\t\0\u{2028}\u{7f}\""),
            (r#"["cafe\u0301","\u212a","e\"\u0301"]"#, "[\"cafe\u{301}\",\"\u{212a}\",\"e\\\"\u{301}\"]"),
            ("9007199254740991", "9007199254740991"),
            ("-9007199254740991", "-9007199254740991"),
            ("0", "0"),
        ] {
            assert_eq!(canonical(document), expected);
        }
    }

    #[test]
    fn numbers_that_are_not_agreed_on_are_refused() {
        for number in ["1.0", "1e3", "1E3", "-1.5", "0.0", "-0.0", "0e0"] {
            assert_eq!(to_vec(number.as_bytes(), 100), Err(Error::NotInteger { number: number.to_string() }));
        }
        assert_eq!(to_vec(b"[-0]", 100), Err(Error::NegativeZero));
        for number in ["9007199254740992", "-9007199254740992", "18446744073709551616", "99999999999999999999999999999999"] {
            assert_eq!(to_vec(number.as_bytes(), 100), Err(Error::Range { number: number.to_string() }));
        }
    }

    #[test]
    fn the_reader_s_refusals_are_this_one_s() {
        let deep = "[".repeat(MAX_DEPTH + 1);
        for document in [
            "",
            "{",
            "[1,]",
            "\u{feff}1",
            "1 1",
            r#""\ud800""#,
            "\"\n\"",
            r#"{"a":1,"a":2}"#,
            r#"{"z":{"\u000a":1,"\n":2}}"#,
            deep.as_str(),
        ] {
            let expected = parse(document.as_bytes(), 1000).expect_err("refused");
            assert_eq!(to_vec(document.as_bytes(), 1000), Err(Error::Json(expected)), "{document}");
        }
        assert_eq!(to_vec(b"{}", 1).map_err(|e| e.code()), Err("json-too-long"));
    }

    #[test]
    fn duplicates_out_of_order_are_refused_where_they_are() {
        for document in [r#"{"b":1,"a":2,"b":3,"a":4}"#, r#"{"c\"\\\n":1,"a":2,"c\"\\\u000a":3}"#] {
            let expected = parse(document.as_bytes(), 1000).expect_err("refused");
            assert_eq!(to_vec(document.as_bytes(), 1000), Err(Error::Json(expected)), "{document}");
        }
    }

    /// Objects within objects, all out of order, many of them too large to be put in order in their place.
    fn unordered(levels: usize, members: usize, size: usize) -> String {
        let members = (0..members).rev().map(|i| {
            let name = i * 7 % 10;
            let value = if levels == 0 { format!("\"{}\"", "x".repeat(size)) } else { unordered(levels - 1, members, size) };
            format!("\"{name}{i}\": [{value}, {{\"b\": {i}, \"a\": {i}}}]")
        });
        format!("{{{}}}", members.collect::<alloc::vec::Vec<_>>().join(", "))
    }

    #[test]
    fn large_objects_out_of_order_are_handed_out_in_order() {
        for (levels, members, size) in [(0, 2, SMALL), (0, 3, SMALL / 3 - 20), (2, 4, SMALL / 4), (3, 5, 2000), (5, 3, 300), (1, 2, 1)] {
            let document = unordered(levels, members, size);
            let value = parse(document.as_bytes(), usize::MAX).expect("valid");
            let expected = write_unrestricted(&value).expect("canonical");
            assert!(to_vec(document.as_bytes(), usize::MAX) == Ok(expected.clone()), "{levels} {members} {size}");

            let mut hasher = Hasher::new(Algorithm::Sha256);
            stream(document.as_bytes(), usize::MAX, &mut hasher).expect("canonical");
            assert!(hasher.finish().matches(&expected));
        }
    }

    #[test]
    fn nothing_is_handed_out_of_a_bad_document() {
        let mut out = Vec::new();
        assert!(stream(br#"{"a":1} x"#, 100, &mut out).is_err());
        assert!(out.is_empty());
    }
}
