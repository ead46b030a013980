//! The one pass over a document.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;

use super::index::offset;
use super::{Index, MAX_MEMBERS, Member, Options, SignedError};
use crate::canonical::{Named, check_number, end_of_value, sort};
use crate::json::lexer::{Lexer, Spelling, Token, end_of_plain};
use crate::json::read::{distinct, name_at, string};
use crate::json::{self, MAX_DEPTH};
use crate::threshold::Signature;

/// What a document has, and where.
pub(super) struct Found {
    pub(super) signed: Part,
    pub(super) signatures: Vec<Signature>,
}

/// The value of `signed`.
pub(super) struct Part {
    /// Where it stands.
    pub(super) range: Range<usize>,
    /// Whether it stands there in canonical form.
    pub(super) canonical: bool,
    pub(super) members: Vec<Member>,
    pub(super) index: Option<Index>,
}

pub(super) struct Scanner<'a> {
    text: &'a str,
    pub(super) lexer: Lexer<'a>,
    /// Where the members, so far, begin of all objects that have not ended.
    starts: Vec<u32>,
    /// Whether it is in `signed`, where canonical JSON has no other numbers than integers.
    in_signed: bool,
    /// Whether all that was read of `signed` is in canonical form, white space apart.
    canonical: bool,
}

impl<'a> Scanner<'a> {
    /// Reads the document that is `text`.
    pub(super) fn scan(text: &'a str, options: &Options<'_>) -> Result<Found, SignedError> {
        let mut scanner = Self { text, lexer: Lexer::of_text(text)?, starts: Vec::new(), in_signed: false, canonical: true };
        let Token::Object = scanner.lexer.value()? else { return Err(SignedError::Member("signed")) };
        let levels = scanner.lexer.enter(MAX_DEPTH)?;
        let (mut signed, mut signatures, mut names) = (None, None, Vec::new());
        let mut more = scanner.lexer.first_member()?;
        while more {
            if names.len() == MAX_MEMBERS {
                return Err(SignedError::TooManyMembers);
            }
            let start = scanner.lexer.at() - 1;
            let name = string(&mut scanner.lexer)?;
            scanner.lexer.colon()?;
            match name.as_ref() {
                "signed" => signed = Some(scanner.signed(levels, options)?),
                "signatures" => signatures = Some(scanner.signatures(levels, options.max_signatures)?),
                _ => scanner.value(levels)?,
            }
            names.push((name, start));
            more = scanner.lexer.next_member()?;
        }
        scanner.lexer.end()?;
        // Before one of two of a name is taken for the one.
        distinct(&names)?;
        let signed = signed.ok_or(SignedError::Member("signed"))?;
        let signatures = signatures.ok_or(SignedError::Member("signatures"))?;
        Ok(Found { signed, signatures })
    }

    /// Reads the value of `signed`.
    fn signed(&mut self, levels: usize, options: &Options<'_>) -> Result<Part, SignedError> {
        let Token::Object = self.lexer.value()? else { return Err(SignedError::Member("signed")) };
        let (start, blanks) = (self.lexer.at() - 1, self.lexer.blanks());
        (self.in_signed, self.canonical) = (true, true);
        let levels = self.lexer.enter(levels)?;
        let (mut members, mut index) = (Vec::new(), None);
        let mut order = Order::new(self.starts.len());
        let mut more = self.lexer.first_member()?;
        while more {
            if members.len() == MAX_MEMBERS {
                return Err(SignedError::TooManyMembers);
            }
            let at = self.name(&mut order)?;
            let name = name_at(self.text, at)?.0.into_owned();
            self.lexer.colon()?;
            let before = self.lexer.at();
            if options.index == Some(name.as_str()) {
                index = self.indexed(levels)?;
            } else {
                self.quick_value(levels)?;
            }
            let text = self.lexer.slice(before)?;
            let value = self.lexer.at() - text.trim_ascii_start().len()..self.lexer.at();
            members.push(Member { name, value });
            more = self.lexer.next_member()?;
        }
        self.end_object(&order)?;
        self.starts.truncate(order.first);
        self.in_signed = false;
        let canonical = self.canonical && self.lexer.blanks() == blanks;
        Ok(Part { range: start..self.lexer.at(), canonical, members, index })
    }

    /// Reads the value that is indexed if it is an object.
    fn indexed(&mut self, levels: usize) -> Result<Option<Index>, SignedError> {
        let token = self.lexer.value()?;
        if !matches!(token, Token::Object) {
            self.rest(token, levels)?;
            return Ok(None);
        }
        // A list of its own becomes the index without being copied.
        let outer = core::mem::take(&mut self.starts);
        self.members(levels, Self::quick_value)?;
        let mut starts = core::mem::replace(&mut self.starts, outer);
        starts.shrink_to_fit();
        Ok(Some(Index::from_starts(starts)))
    }

    /// Reads a value, at once if it is in canonical form. Within a value that is not, no other is tried so: each byte is looked at twice
    /// at most.
    #[inline]
    fn quick_value(&mut self, levels: usize) -> Result<(), SignedError> {
        match end_of_value(self.text.as_bytes(), self.lexer.at(), levels) {
            Some(end) => {
                self.lexer.go_on_at(end);
                Ok(())
            }
            None => self.value(levels),
        }
    }

    pub(super) fn value(&mut self, levels: usize) -> Result<(), SignedError> {
        let token = self.lexer.value()?;
        self.rest(token, levels)
    }

    /// Reads the rest of the value that `token` begins.
    fn rest(&mut self, token: Token<'a>, levels: usize) -> Result<(), SignedError> {
        match token {
            Token::Null | Token::Bool(_) => {}
            Token::Number(numeral) if self.in_signed => check_number(numeral.text, numeral.integer)?,
            Token::Number(_) => {}
            Token::String => {
                let spelling = self.lexer.pass_string()?;
                self.canonical &= spelling != Spelling::Other;
            }
            Token::Array => {
                let levels = self.lexer.enter(levels)?;
                let mut more = self.lexer.first_item()?;
                while more {
                    self.value(levels)?;
                    more = self.lexer.next_item()?;
                }
            }
            Token::Object => {
                let first = self.starts.len();
                self.members(levels, Self::value)?;
                self.starts.truncate(first);
            }
        }
        Ok(())
    }

    /// Reads the rest of an object, each value by `value`, and leaves the starts of its members, by name.
    fn members(&mut self, levels: usize, value: impl Fn(&mut Self, usize) -> Result<(), SignedError>) -> Result<(), SignedError> {
        let levels = self.lexer.enter(levels)?;
        let mut order = Order::new(self.starts.len());
        let mut more = self.lexer.first_member()?;
        while more {
            self.name(&mut order)?;
            self.lexer.colon()?;
            value(self, levels)?;
            more = self.lexer.next_member()?;
        }
        self.end_object(&order)
    }

    /// Reads a name, whose opening quotation mark was read and stands where this says, and compares it with the one before it.
    #[inline]
    fn name(&mut self, order: &mut Order) -> Result<usize, SignedError> {
        let start = self.lexer.at() - 1;
        let spelling = self.lexer.pass_string()?;
        self.canonical &= spelling != Spelling::Other;
        let name = Name { start, end: self.lexer.at() - 1, plain: spelling == Spelling::Plain };
        if let Some(before) = order.last.replace(name)
            && order.kept
        {
            match self.compare(&before, &name)? {
                Ordering::Less => {}
                Ordering::Equal => return Err(json::Error::duplicate(&name_at(self.text, start)?.0, start).into()),
                Ordering::Greater => order.kept = false,
            }
        }
        // The document is no longer than this reaches.
        self.starts.push(u32::try_from(start).unwrap_or(u32::MAX));
        Ok(start)
    }

    #[inline]
    fn compare(&self, a: &Name, b: &Name) -> Result<Ordering, json::Error> {
        let written = |name: &Name| self.text.as_bytes().get(name.start + 1..name.end).unwrap_or_default();
        if a.plain && b.plain {
            return Ok(written(a).cmp(written(b)));
        }
        Ok(name_at(self.text, a.start)?.0.cmp(&name_at(self.text, b.start)?.0))
    }

    /// After `}`: sees to it that the object's members are distinct, and sorts their starts.
    #[inline]
    fn end_object(&mut self, order: &Order) -> Result<(), SignedError> {
        if order.kept {
            return Ok(());
        }
        self.canonical = false;
        Ok(put_in_order(self.text, self.starts.get_mut(order.first..).unwrap_or_default())?)
    }
}

/// In which order an object's members stand.
struct Order {
    /// How many starts are those of other objects.
    first: usize,
    /// Whether each is behind those of lesser names.
    kept: bool,
    /// The last one's name.
    last: Option<Name>,
}

impl Order {
    fn new(first: usize) -> Self {
        Self { first, kept: true, last: None }
    }
}

/// Where a name stands: its quotation marks.
#[derive(Clone, Copy)]
struct Name {
    start: usize,
    end: usize,
    /// Whether nothing in it is escaped.
    plain: bool,
}

/// A member that is put in order.
struct Start {
    head: u64,
    /// Where its name's opening quotation mark stands.
    at: u32,
}

impl Named for Start {
    type Text = str;

    fn name<'a>(&self, text: &'a str) -> Cow<'a, [u8]> {
        let (bytes, first) = (text.as_bytes(), self.source() + 1);
        let end = end_of_plain(bytes, first);
        if bytes.get(end) == Some(&b'"') {
            return Cow::Borrowed(bytes.get(first..end).unwrap_or_default());
        }
        // It was read before, so that it is not missed.
        Cow::Owned(name_at(text, self.source()).map(|(name, _)| name.into_owned().into_bytes()).unwrap_or_default())
    }

    fn source(&self) -> usize {
        offset(self.at)
    }

    fn head(&self) -> u64 {
        self.head
    }

    fn note(&mut self, head: u64) {
        self.head = head;
    }
}

/// Sorts the starts of members by name, and refuses the document's first repetition.
#[inline(never)]
fn put_in_order(text: &str, starts: &mut [u32]) -> Result<(), json::Error> {
    let mut members: Vec<Start> = starts.iter().map(|at| Start { head: 0, at: *at }).collect();
    if let Some(second) = sort(&mut members, text) {
        return Err(json::Error::duplicate(&name_at(text, second.source())?.0, second.source()));
    }
    for (start, member) in starts.iter_mut().zip(members) {
        *start = member.at;
    }
    Ok(())
}
