//! The large object of a document, `targets` or `meta`, as the text that it is.

use alloc::format;
use alloc::string::{String, ToString as _};

use touchmark_envelope::json;
use touchmark_envelope::signed::{Index, Signed};

use super::EditError;

/// Where the members of the large object of a document in the written form stand: in the order of the index, with a comma between any
/// two, and `}` after the last.
#[derive(Clone, Copy)]
pub(super) struct Large<'a> {
    text: &'a str,
    index: &'a Index,
    /// Where the `}` stands.
    end: usize,
}

impl<'a> Large<'a> {
    /// Of the member `name`, which the document was opened for.
    pub(super) fn of(document: &'a Signed, name: &str) -> Result<Self, EditError> {
        let malformed = || EditError::malformed(format!("`{name}`"));
        let (Some(index), Some(object)) = (document.index(), document.member(name)) else { return Err(malformed()) };
        let text = core::str::from_utf8(document.bytes()).map_err(|_| malformed())?;
        let end = object.as_ptr().addr() - text.as_ptr().addr() + object.len() - 1;
        Ok(Self { text, index, end })
    }

    /// How many members there are.
    pub(super) fn len(self) -> usize {
        self.index.len()
    }

    /// The place of a member, or, within [`Err`], the place where it would be.
    pub(super) fn place(self, name: &str) -> Result<Result<usize, usize>, EditError> {
        Ok(self.index.place(self.text, name)?)
    }

    /// The members from one place on up to another one, with the commas between them.
    pub(super) fn stretch(self, from: usize, to: usize) -> Option<&'a str> {
        let start = |place: usize| self.index.starts().get(place).map_or(Some(self.end), |start| usize::try_from(*start).ok());
        let (first, next) = (start(from)?, start(to)?);
        if from < to { self.text.get(first..if to < self.len() { next - 1 } else { next }) } else { None }
    }

    /// The member at a place, whole: name and value.
    pub(super) fn member(self, place: usize) -> Option<&'a str> {
        self.stretch(place, place + 1)
    }

    /// The name of the member at a place.
    pub(super) fn name(self, place: usize) -> Result<String, EditError> {
        let member = format!("{{{}}}", self.member(place).unwrap_or_default());
        let members = json::members(member.as_bytes(), member.len())?;
        Ok(members.first().map(|(name, _)| name.to_string()).unwrap_or_default())
    }
}
