//! Path patterns of delegations (TUF 1.0, 4.5, PATHPATTERN).
//!
//! `*` stands for any number of characters and `?` for one, neither for `/`. Every other character stands for itself, `[` and `\` too:
//! the specification names these two wildcards alone, and implementations that take more from their platform part ways there. A
//! character is a Unicode scalar value. The outcome is the same on every platform, and case matters.

/// Whether `pattern` matches the whole of `path`, in time proportional to the product of their lengths at worst.
pub fn matches(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut segments) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), segments.next()) {
            (None, None) => return true,
            (Some(pattern), Some(segment)) if matches_segment(pattern, segment) => {}
            _ => return false,
        }
    }
}

/// Both without `/`. After a mismatch only the last `*` is tried with one more character: an earlier one cannot help.
fn matches_segment(pattern: &str, segment: &str) -> bool {
    let (mut pattern, mut rest) = (pattern.chars(), segment.chars());
    let mut retry: Option<(core::str::Chars<'_>, core::str::Chars<'_>)> = None;
    loop {
        let before = rest.clone();
        match (pattern.next(), rest.next()) {
            (Some('*'), _) => {
                rest = before;
                retry = Some((pattern.clone(), rest.clone()));
                continue;
            }
            (None, None) => return true,
            (Some('?'), Some(_)) => continue,
            (Some(wanted), Some(found)) if wanted == found => continue,
            _ => {}
        }
        let Some((after_star, taken)) = &mut retry else { return false };
        if taken.next().is_none() {
            return false;
        }
        (pattern, rest) = (after_star.clone(), taken.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_never_cross_a_slash() {
        for (pattern, yes, no) in [
            ("targets/*.tgz", &["targets/foo.tgz", "targets/.tgz"][..], &["targets/foo.txt", "targets/a/b.tgz", "foo.tgz"][..]),
            ("foo-version-?.tgz", &["foo-version-2.tgz", "foo-version-é.tgz"], &["foo-version-alpha.tgz", "foo-version-.tgz"]),
            ("*.tgz", &["foo.tgz", ".tgz"], &["targets/foo.tgz", "foo.tgz/"]),
            ("foo.tgz", &["foo.tgz"], &["Foo.tgz", "foo.tgz ", "xfoo.tgz"]),
            ("*", &["a", ""], &["a/b", "/"]),
            ("*/*", &["a/b", "/"], &["a", "a/b/c"]),
            ("?/b", &["a/b"], &["//b", "/b"]),
            ("a*b*c", &["abc", "aXbYc", "abbbcc"], &["acb", "ab/c"]),
            ("", &[""], &["a", "/"]),
            ("**", &["abc"], &["a/b"]),
            ("*a", &["a", "aa", "ba"], &["ab", ""]),
            ("[ab]", &["[ab]"], &["a", "b"]),
            (r"\*", &[r"\x", r"\"], &["*"]),
        ] {
            for path in yes {
                assert!(matches(pattern, path), "{pattern} {path}");
            }
            for path in no {
                assert!(!matches(pattern, path), "{pattern} {path}");
            }
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let pattern = "a*".repeat(2_000) + "b";
        assert!(!matches(&pattern, &"a".repeat(10_000)));
    }
}
