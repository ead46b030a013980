//! The order of members: by the bytes of their unescaped names.

use alloc::borrow::Cow;
use core::cmp::Ordering;

/// A member that is put in order with others.
pub(crate) trait Named {
    /// The document that its name stands in.
    type Text: ?Sized;

    /// Its unescaped name.
    fn name<'a>(&self, text: &'a Self::Text) -> Cow<'a, [u8]>;

    /// Compares unescaped names.
    fn compare(&self, other: &Self, text: &Self::Text) -> Ordering {
        self.name(text).cmp(&other.name(text))
    }

    /// Where in the document it stands.
    fn source(&self) -> usize;

    /// What was noted of its name.
    fn head(&self) -> u64;

    /// Notes something of its name.
    fn note(&mut self, head: u64);
}

/// Sorts members by their unescaped names, and those of one name by their order in the document. What it returns is the document's
/// first member that repeats a name.
#[must_use]
pub(crate) fn sort<'a, T: Named>(members: &'a mut [T], text: &T::Text) -> Option<&'a T> {
    // Names that agree in so many heads are long, and comparing them costs more than finding them.
    sort_by_heads(members, text, 4);
    let repeated = members.windows(2).filter_map(|pair| match pair {
        [first, second] if first.compare(second, text).is_eq() => Some(second),
        _ => None,
    });
    repeated.min_by_key(|member| member.source())
}

fn sort_by_heads<T: Named>(members: &mut [T], text: &T::Text, rounds: usize) {
    /// So few are compared in no time.
    const FEW: usize = 16;
    if members.len() <= FEW || rounds == 0 {
        members.sort_unstable_by(|a, b| a.compare(b, text).then(a.source().cmp(&b.source())));
        return;
    }
    note_heads(members, text);
    members.sort_unstable_by_key(Named::head);
    for alike in members.chunk_by_mut(|a, b| a.head() == b.head()) {
        sort_by_heads(alike, text, rounds - 1);
    }
}

/// Notes of each name the eight bytes behind what all begin with. They mostly decide, and are at hand, while names lie far apart.
fn note_heads<T: Named>(members: &mut [T], text: &T::Text) {
    let Some(first) = members.first().map(|member| member.name(text)) else { return };
    let mut common = first.len();
    for member in members.iter() {
        common = member.name(text).iter().zip(first.iter()).take(common).take_while(|(a, b)| a == b).count();
    }
    for member in members {
        // Filled up with zeros, which puts no name before another that it does not precede.
        let mut head = [0; 8];
        for (to, from) in head.iter_mut().zip(member.name(text).iter().skip(common)) {
            *to = *from;
        }
        member.note(u64::from_be_bytes(head));
    }
}
