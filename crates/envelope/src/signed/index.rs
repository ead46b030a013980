//! Where the members of one object stand: four bytes for each.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::json::read::name_at;
use crate::json::{self, member_at};

/// Where the members of one object of a document stand, by name.
///
/// It holds no names: whoever looks one up gives the document's text again, and every name and value is read from there, strictly. An
/// index that was stored and does not belong to the text finds nothing, or something else in it, or an error, but never what the text
/// does not have. Which object the offsets are in is what the index itself says, so it is stored where the document is, and bound to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    starts: Vec<u32>,
}

impl Index {
    /// The index whose [`starts`](Self::starts) were stored.
    pub fn from_starts(starts: Vec<u32>) -> Self {
        Self { starts }
    }

    /// The offset in the document of each member's opening quotation mark, in the order of the unescaped names' bytes.
    pub fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The text of the value of the member `name`, in the document that is `text`.
    ///
    /// # Errors
    /// The index does not belong to the text.
    pub fn find<'a>(&self, text: &'a str, name: &str) -> Result<Option<&'a str>, json::Error> {
        match self.place(text, name)?.ok().and_then(|place| self.starts.get(place)) {
            Some(start) => member_at(text, offset(*start)).map(|(_, value)| Some(value)),
            None => Ok(None),
        }
    }

    /// The place of the member `name` in [`starts`](Self::starts), or, within [`Err`], the place where it would be.
    ///
    /// # Errors
    /// The index does not belong to the text.
    pub fn place(&self, text: &str, name: &str) -> Result<Result<usize, usize>, json::Error> {
        let mut within = 0..self.starts.len();
        while !within.is_empty() {
            let middle = within.start.midpoint(within.end);
            let Some(start) = self.starts.get(middle).map(|start| offset(*start)) else { break };
            match name_at(text, start)?.0.as_ref().cmp(name) {
                Ordering::Less => within.start = middle + 1,
                Ordering::Greater => within.end = middle,
                Ordering::Equal => return Ok(Ok(middle)),
            }
        }
        Ok(Err(within.start))
    }

    /// The members, by name, in the document that is `text`: the name, and the text of the value; or an error for an offset at which
    /// the text has no member.
    pub fn iter<'a>(&self, text: &'a str) -> impl Iterator<Item = Result<(Cow<'a, str>, &'a str), json::Error>> {
        self.starts.iter().map(move |start| member_at(text, offset(*start)))
    }
}

/// Where a pointer has fewer than 32 bits, no document reaches what does not fit.
pub(super) fn offset(start: u32) -> usize {
    usize::try_from(start).unwrap_or(usize::MAX)
}
