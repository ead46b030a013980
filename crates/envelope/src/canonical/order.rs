//! The order of members: by the bytes of their unescaped names.

use core::cmp::Ordering;

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
