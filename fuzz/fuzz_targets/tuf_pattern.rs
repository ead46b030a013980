//! Paths, patterns and names of TUF: patterns against a matcher by the definition, and what becomes of names in URLs and folders.
//!
//! The input is a pattern and a path, divided by the first newline.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchmark_tuf::{RoleName, TargetPath, pattern};

/// Whether the pattern matches, by a table: row after row for the characters of the pattern, a column for each place in the path.
fn by_definition(pattern: &str, path: &str) -> bool {
    let path: Vec<char> = path.chars().collect();
    let mut row = vec![false; path.len() + 1];
    row[0] = true;
    for wanted in pattern.chars() {
        let mut next = vec![false; row.len()];
        for at in 0..row.len() {
            next[at] = match wanted {
                '*' => row[at] || (at > 0 && next[at - 1] && path[at - 1] != '/'),
                '?' => at > 0 && row[at - 1] && path[at - 1] != '/',
                literal => at > 0 && row[at - 1] && path[at - 1] == literal,
            };
        }
        row = next;
    }
    row[path.len()]
}

/// The text that percent-encoding made this of.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let escape = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = escape.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).expect("text")
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (pattern, path) = text.split_once('\n').unwrap_or((text, text));
    if pattern.len() * path.len() < 1 << 20 {
        assert_eq!(pattern::matches(pattern, path), by_definition(pattern, path));
    }
    if let Ok(target) = TargetPath::new(path) {
        let asked = target.fetch_path(None);
        assert_eq!(decoded(&asked), path);
        assert_eq!(decoded(&target.file()), path);
        assert!(!asked.starts_with('/') && asked.split('/').all(|part| !matches!(part, "" | "." | "..")));
        assert!(asked.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%/".contains(&byte)));
    }
    let names = [pattern, path].map(RoleName::delegated);
    for name in names.iter().flatten() {
        let file = name.file();
        assert!(file.len() < 256 && file.ends_with(".json"));
        assert!(file.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
        for top_level in ["root.json", "timestamp.json", "snapshot.json", "targets.json"] {
            assert!(!file.eq_ignore_ascii_case(top_level));
        }
    }
    if let [Some(one), Some(other)] = &names {
        assert_eq!(one.file() == other.file(), one == other);
    }
});
