//! TUF 1.0, 4.5, PATHPATTERN: which targets a delegation is for.

use touchmark_tuf::pattern::matches;

/// Pattern, path, whether it matches. The specification's own examples first.
const TABLE: &[(&str, &str, bool)] = &[
    ("targets/*.tgz", "targets/foo.tgz", true),
    ("targets/*.tgz", "targets/bar.tgz", true),
    ("targets/*.tgz", "targets/foo.txt", false),
    ("foo-version-?.tgz", "foo-version-2.tgz", true),
    ("foo-version-?.tgz", "foo-version-a.tgz", true),
    ("foo-version-?.tgz", "foo-version-alpha.tgz", false),
    ("*.tgz", "foo.tgz", true),
    ("*.tgz", "bar.tgz", true),
    ("*.tgz", "targets/foo.tgz", false),
    ("foo.tgz", "foo.tgz", true),
    ("foo.tgz", "foo.tgz2", false),
    ("foo.tgz", "afoo.tgz", false),
    // A wildcard never stands for a separator.
    ("*", "a/b", false),
    ("a*b", "a/b", false),
    ("a?b", "a/b", false),
    ("a/*", "a/b/c", false),
    ("a/*/c", "a/b/c", true),
    ("a/*/c", "a/b/b/c", false),
    ("*/*", "a/b", true),
    ("*/*", "a", false),
    ("**", "a/b", false),
    ("**/b", "a/b", true),
    ("**/c", "a/b/c", false),
    ("?", "/", false),
    // A star stands for nothing too, and a question mark does not.
    ("a*", "a", true),
    ("*a", "a", true),
    ("a/*", "a/", true),
    ("a?", "a", false),
    ("?", "", false),
    ("*", "", true),
    ("", "", true),
    ("", "a", false),
    // Names that begin with a dot are names.
    ("*", ".hidden", true),
    ("?hidden", ".hidden", true),
    // Case matters, everywhere.
    ("A", "a", false),
    ("*.TGZ", "foo.tgz", false),
    // No other character is special.
    ("[ab]", "a", false),
    ("[ab]", "[ab]", true),
    ("[!a]", "b", false),
    ("[", "[", true),
    ("{a,b}", "a", false),
    (r"\*", "*", false),
    (r"\*", r"\x", true),
    (r"a\b", "a/b", false),
    ("a.b", "axb", false),
    ("a+", "aa", false),
    ("^a$", "a", false),
    ("a\nb", "a\nb", true),
    ("a*b", "a\nb", true),
    // One character is one code point.
    ("?", "é", true),
    ("?", "😀", true),
    ("??", "e\u{301}", true),
    ("?", "e\u{301}", false),
    ("caf?", "café", true),
    // Backtracking.
    ("*a*b*c*", "xxaxxbxxcxx", true),
    ("*a*b*c*", "xxaxxcxxbxx", false),
    ("a*a*a*a", "aaa", false),
    ("a*a*a*a", "aaaa", true),
    ("*ab", "aab", true),
    ("*?b", "b", false),
    ("?*", "a", true),
    ("*?", "", false),
];

#[test]
fn patterns_match_what_the_specification_says() {
    for (pattern, path, expected) in TABLE {
        assert_eq!(matches(pattern, path), *expected, "{pattern:?} {path:?}");
    }
}

/// By the definition, slowly: a star takes any number of characters that are no separator.
fn by_definition(pattern: &[char], path: &[char]) -> bool {
    match pattern {
        [] => path.is_empty(),
        ['*', rest @ ..] => {
            let longest = path.iter().take_while(|character| **character != '/').count();
            (0..=longest).any(|taken| by_definition(rest, &path[taken..]))
        }
        ['?', rest @ ..] => path.split_first().is_some_and(|(first, path)| *first != '/' && by_definition(rest, path)),
        [literal, rest @ ..] => path.split_first().is_some_and(|(first, path)| first == literal && by_definition(rest, path)),
    }
}

#[test]
fn patterns_match_what_the_definition_says_for_all_short_texts() {
    let texts = |alphabet: &[char], longest: usize| {
        let mut all = vec![Vec::new()];
        let mut last = all.clone();
        for _ in 0..longest {
            last = last.iter().flat_map(|text| alphabet.iter().map(|letter| [text.as_slice(), &[*letter]].concat())).collect();
            all.extend(last.clone());
        }
        all
    };
    let paths = texts(&['a', 'b', '/'], 4);
    for pattern in texts(&['a', '*', '?', '/'], 4) {
        let text: String = pattern.iter().collect();
        for path in &paths {
            let path_text: String = path.iter().collect();
            assert_eq!(matches(&text, &path_text), by_definition(&pattern, path), "{text:?} {path_text:?}");
        }
    }
}

#[test]
fn no_pattern_takes_exponential_time() {
    for (pattern, path) in [
        ("*a".repeat(1_000), "a".repeat(999)),
        ("*?".repeat(1_000), "a".repeat(999)),
        ("*".repeat(100_000) + "b", "a".repeat(1_000)),
        ("a*".repeat(1_000) + "b", "a".repeat(5_000)),
        ("*/".repeat(10_000), "a/".repeat(9_999)),
    ] {
        assert!(!matches(&pattern, &path));
    }
}
