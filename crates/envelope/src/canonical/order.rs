//! The order of members: by the bytes of their unescaped names.

use core::cmp::Ordering;

/// Where a member stands.
pub(super) struct Member {
    /// In the document: its name's opening quotation mark.
    pub(super) source: usize,
    /// In the output: its name's opening quotation mark.
    pub(super) start: usize,
    /// In the output: its name's closing quotation mark.
    pub(super) name_end: usize,
    /// In the output: the end of its value.
    pub(super) end: usize,
    /// What [`note_heads`] noted.
    pub(super) head: u64,
}

impl Member {
    /// Its name as it stands in the output.
    pub(super) fn name<'a>(&self, out: &'a [u8]) -> &'a [u8] {
        out.get(self.start + 1..self.name_end).unwrap_or_default()
    }
}

/// Sorts members by name, and those of one name by their order in the document.
pub(super) fn sort(members: &mut [Member], out: &[u8]) {
    // Names that agree in so many heads are long, and comparing them costs more than finding them.
    sort_by_heads(members, out, 4);
}

fn sort_by_heads(members: &mut [Member], out: &[u8], rounds: usize) {
    /// So few are compared in no time.
    const FEW: usize = 16;
    if members.len() <= FEW || rounds == 0 || !note_heads(members, out) {
        members.sort_unstable_by(|a, b| compare_names(a.name(out), b.name(out)).then(a.source.cmp(&b.source)));
        return;
    }
    members.sort_unstable_by_key(|member| member.head);
    for alike in members.chunk_by_mut(|a, b| a.head == b.head) {
        sort_by_heads(alike, out, rounds - 1);
    }
}

/// Notes of each name the eight bytes behind what all begin with. They mostly decide, and are at hand, while names lie far apart in the
/// output. Says whether it did: escapes would have to be undone.
fn note_heads(members: &mut [Member], out: &[u8]) -> bool {
    let Some(first) = members.first().map(|member| member.name(out)) else { return false };
    let mut common = first.len();
    for member in members.iter() {
        let name = member.name(out);
        if name.contains(&b'\\') {
            return false;
        }
        common = name.iter().zip(first).take(common).take_while(|(a, b)| a == b).count();
    }
    for member in members {
        // Filled up with zeros, which puts no name before another that it does not precede.
        let mut head = [0; 8];
        for (to, from) in head.iter_mut().zip(member.name(out).iter().skip(common)) {
            *to = *from;
        }
        member.head = u64::from_be_bytes(head);
    }
    true
}

/// Compares two names as they stand in canonical JSON, where `\` escapes only `"` and itself, by what they stand for.
#[inline]
pub(super) fn compare_names(a: &[u8], b: &[u8]) -> Ordering {
    let plain = a.cmp(b);
    if plain.is_eq() || !(a.contains(&b'\\') || b.contains(&b'\\')) { plain } else { unescaped(a).cmp(unescaped(b)) }
}

fn unescaped(name: &[u8]) -> impl Iterator<Item = u8> {
    let mut bytes = name.iter().copied();
    core::iter::from_fn(move || match bytes.next() {
        Some(b'\\') => bytes.next(),
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_count_as_what_they_stand_for() {
        // `"` is 0x22 and `\` 0x5c, and both are written with a 0x5c before them.
        let ascending: [&[u8]; 8] = [b"", b"!", b"\\\"", b"\\\"a", b"A", b"\\\\", b"\\\\\\\"", b"a"];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(compare_names(a, b), i.cmp(&j), "{i} {j}");
            }
        }
    }
}
