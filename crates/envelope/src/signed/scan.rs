//! The one pass over a document.

use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;

use super::{Index, MAX_MEMBERS, Member, Options, SignedError, signatures};
use crate::canonical::check_number;
use crate::json::lexer::{Lexer, Token};
use crate::json::read::{distinct, name_at, skip, string};
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
    lexer: Lexer<'a>,
    /// Where the members, so far, begin of all objects in `signed` that have not ended.
    starts: Vec<u32>,
    /// Whether all that was read of `signed` is in canonical form, white space apart.
    canonical: bool,
}

impl<'a> Scanner<'a> {
    /// Reads the document that is `text`.
    pub(super) fn scan(text: &'a str, options: &Options<'_>) -> Result<Found, SignedError> {
        let mut scanner = Self { text, lexer: Lexer::of_text(text)?, starts: Vec::new(), canonical: true };
        let Token::Object = scanner.lexer.value()? else { return Err(SignedError::Member("signed")) };
        let levels = scanner.lexer.enter(MAX_DEPTH)?;
        let (mut signed, mut signatures, mut names) = (None, None, Vec::new());
        let mut more = scanner.lexer.first_member()?;
        while more {
            let start = scanner.lexer.at() - 1;
            let name = string(&mut scanner.lexer)?;
            scanner.lexer.colon()?;
            match name.as_ref() {
                "signed" => signed = Some(scanner.signed(levels, options)?),
                "signatures" => signatures = Some(signatures::read(&mut scanner.lexer, levels, options.max_signatures)?),
                _ => skip(&mut scanner.lexer, levels)?,
            }
            names.push((name, start));
            more = scanner.lexer.next_member()?;
        }
        scanner.lexer.end()?;
        // Before one of two is taken for the one.
        distinct(names)?;
        let signed = signed.ok_or(SignedError::Member("signed"))?;
        let signatures = signatures.ok_or(SignedError::Member("signatures"))?;
        Ok(Found { signed, signatures })
    }

    /// Reads the value of `signed`.
    fn signed(&mut self, levels: usize, options: &Options<'_>) -> Result<Part, SignedError> {
        let Token::Object = self.lexer.value()? else { return Err(SignedError::Member("signed")) };
        let (start, blanks) = (self.lexer.at() - 1, self.lexer.blanks());
        let levels = self.lexer.enter(levels)?;
        let (mut members, mut index) = (Vec::new(), None);
        let first = self.starts.len();
        let mut order = Order::default();
        let mut more = self.lexer.first_member()?;
        while more {
            self.name(&mut order)?;
            if members.len() == MAX_MEMBERS {
                return Err(SignedError::TooManyMembers);
            }
            let name = self.last_name()?;
            self.lexer.colon()?;
            let before = self.lexer.at();
            match self.lexer.value()? {
                Token::Object if options.index == Some(name.as_str()) => {
                    let outer = core::mem::take(&mut self.starts);
                    self.object(self.lexer.enter(levels)?, Keep::Starts)?;
                    let mut starts = core::mem::replace(&mut self.starts, outer);
                    starts.shrink_to_fit();
                    index = Some(Index::from_starts(starts));
                }
                token => self.rest(token, levels)?,
            }
            let text = self.lexer.slice(before)?;
            let value = self.lexer.at() - text.trim_ascii_start().len()..self.lexer.at();
            members.push(Member { name, value });
            more = self.lexer.next_member()?;
        }
        self.end_object(first, order, Keep::Nothing)?;
        let canonical = self.canonical && self.lexer.blanks() == blanks;
        Ok(Part { range: start..self.lexer.at(), canonical, members, index })
    }

    /// Reads the rest of the value that `token` begins.
    fn rest(&mut self, token: Token<'a>, levels: usize) -> Result<(), SignedError> {
        match token {
            Token::Null | Token::Bool(_) => {}
            Token::Number(numeral) => check_number(numeral.text, numeral.integer)?,
            Token::String => {
                self.string()?;
            }
            Token::Array => {
                let levels = self.lexer.enter(levels)?;
                let mut more = self.lexer.first_item()?;
                while more {
                    let token = self.lexer.value()?;
                    self.rest(token, levels)?;
                    more = self.lexer.next_item()?;
                }
            }
            Token::Object => self.object(self.lexer.enter(levels)?, Keep::Nothing)?,
        }
        Ok(())
    }

    /// Reads an object, whose `{` was read.
    fn object(&mut self, levels: usize, keep: Keep) -> Result<(), SignedError> {
        let first = self.starts.len();
        let mut order = Order::default();
        let mut more = self.lexer.first_member()?;
        while more {
            self.name(&mut order)?;
            self.lexer.colon()?;
            let token = self.lexer.value()?;
            self.rest(token, levels)?;
            more = self.lexer.next_member()?;
        }
        self.end_object(first, order, keep)
    }

    /// Reads a name, whose opening quotation mark was read, and compares it with the one before it in its object.
    fn name(&mut self, order: &mut Order) -> Result<(), SignedError> {
        let start = self.lexer.at() - 1;
        let plain = self.string()?;
        if let Some(before) = order.last.filter(|_| order.kept) {
            let (before, name) = (name_at(self.text, before)?.0, name_at(self.text, start)?.0);
            match before.cmp(&name) {
                Ordering::Less => {}
                Ordering::Equal => return Err(json::Error::duplicate(&name, start).into()),
                Ordering::Greater => order.kept = false,
            }
        }
        let _ = plain;
        order.last = Some(start);
        self.starts.push(u32::try_from(start).map_err(|_| SignedError::TooLarge { limit: usize::MAX, found: self.text.len() })?);
        Ok(())
    }

    /// Reads a string, whose opening quotation mark was read, and says whether nothing in it is escaped.
    fn string(&mut self) -> Result<bool, SignedError> {
        let mut plain = true;
        loop {
            let start = self.lexer.at();
            let (stretch, escaped) = self.lexer.stretch()?;
            let Some(character) = escaped else { return Ok(plain) };
            plain = false;
            // Canonical JSON escapes two characters, and these by a backslash.
            let short = self.lexer.at() - start - stretch.len() == 2;
            self.canonical &= short && matches!(character, '"' | '\\');
        }
    }

    /// After `}`: sees to it that the object's members, from the one at `first` on, are distinct, and sorts or drops them.
    fn end_object(&mut self, first: usize, order: Order, keep: Keep) -> Result<(), SignedError> {
        if !order.kept {
            self.canonical = false;
            let starts = self.starts.get_mut(first..).unwrap_or_default();
            sort(self.text, starts)?;
        }
        if let Keep::Nothing = keep {
            self.starts.truncate(first);
        }
        Ok(())
    }

    fn last_name(&self) -> Result<alloc::string::String, SignedError> {
        let start = self.starts.last().copied().unwrap_or_default();
        Ok(name_at(self.text, usize::try_from(start).unwrap_or(usize::MAX))?.0.to_string())
    }
}

/// Whether the starts of an object's members are still of use when it has ended.
#[derive(Clone, Copy)]
enum Keep {
    Starts,
    Nothing,
}

/// In which order an object's members stand.
struct Order {
    /// Whether each is behind those of lesser names.
    kept: bool,
    /// Where the last one begins.
    last: Option<usize>,
}

impl Default for Order {
    fn default() -> Self {
        Self { kept: true, last: None }
    }
}

/// Sorts members by name, and refuses the first repetition in the document.
fn sort(text: &str, starts: &mut [u32]) -> Result<(), json::Error> {
    let name = |start: &u32| name_at(text, usize::try_from(*start).unwrap_or(usize::MAX)).map(|(name, _)| name).unwrap_or_default();
    starts.sort_unstable_by(|a, b| name(a).cmp(&name(b)).then(a.cmp(b)));
    let repeated = starts.windows(2).filter_map(|pair| match pair {
        [first, second] if name(first) == name(second) => Some(second),
        _ => None,
    });
    match repeated.min() {
        Some(second) => Err(json::Error::duplicate(&name(second), usize::try_from(*second).unwrap_or(usize::MAX))),
        None => Ok(()),
    }
}
