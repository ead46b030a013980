//! Patterns for tags.

/// Whether `text` matches `pattern`. Steps are bounded by the product of their lengths.
pub(super) fn matches(mut pattern: &[u8], mut text: &[u8]) -> bool {
    // Where to go on if what follows the last `*` does not match: that star takes one character more.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern.split_first(), text.split_first()) {
            (Some((b'*', rest)), _) => {
                retry = Some((rest, text));
                pattern = rest;
            }
            (Some((wanted, rest)), Some((found, after))) if wanted == found || *wanted == b'?' => {
                pattern = rest;
                text = after;
            }
            (None, None) => return true,
            _ => match retry {
                Some((rest, [_, after @ ..])) => {
                    retry = Some((rest, after));
                    pattern = rest;
                    text = after;
                }
                _ => return false,
            },
        }
    }
}
