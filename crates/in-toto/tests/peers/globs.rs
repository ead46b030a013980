//! Patterns, beside Python's `fnmatchcase`: the edge cases first, then random ones.

use touchmark_envelope::json::Value;
use touchmark_in_toto::glob::Pattern;

use crate::python::{Peer, Random};

/// Patterns in which readers part ways, each with names that tell them apart.
const EDGES: [(&str, &[&str]); 44] = [
    ("*", &["", "a", "a/b", ".a", "\n", "é"]),
    ("**", &["", "a/b"]),
    ("a/**/c", &["a/c", "a//c", "a/b/c"]),
    ("?", &["", "/", ".", "\n", "é", "e\u{301}", "😀"]),
    ("*/", &["a/", "a", "/"]),
    ("./*", &["./a", "a"]),
    ("", &["", "a"]),
    ("[", &["["]),
    ("[]", &["[]", "]"]),
    ("[!", &["[!", "a"]),
    ("[!]", &["[!]", "a", "]"]),
    ("[]]", &["]", "[]]"]),
    ("[!]]", &["]", "a"]),
    ("[]a]", &["]", "a", "[]a]"]),
    ("[!]a]", &["]", "a", "b"]),
    ("[]-a]", &["]", "^", "_", "a", "-", "b"]),
    ("[a-]", &["a", "-", "b"]),
    ("[-a]", &["a", "-", "b"]),
    ("[!-a]", &["a", "-", "b"]),
    ("[!a-]", &["a", "-", "b"]),
    ("[-]", &["-", "a"]),
    ("[!-]", &["-", "a"]),
    ("[--]", &["-", "a"]),
    ("[---]", &["-", "a"]),
    ("[--0]", &["-", ".", "/", "0", "1", ","]),
    ("[+--]", &["+", ",", "-", "."]),
    ("[a-c-e]", &["a", "b", "c", "-", "d", "e"]),
    ("[a--c]", &["a", "-", "c", "b"]),
    ("[c-a]", &["a", "b", "c", "-"]),
    ("[!c-a]", &["a", "b", "c", "-", "\n"]),
    ("[xc-ay]", &["x", "y", "a", "c", "-"]),
    ("[b-a!c]", &["a", "b", "c", "!", "d"]),
    ("[c-b!-z]", &["a", "z", "-", "!", "c"]),
    ("[z-ab-ax]", &["x", "z", "a", "b"]),
    ("[b-a]", &["a", "b", ""]),
    ("x[b-a]*", &["x", "xa"]),
    ("[^a]", &["^", "a", "b"]),
    ("[!^a]", &["^", "a", "b"]),
    (r"[\]", &[r"\", "]"]),
    (r"\*", &[r"\a", "*", r"\"]),
    (r"[a\-z]", &["a", r"\", "-", "b", "y"]),
    ("[[a]", &["[", "a", "[[a]"]),
    ("[a&&b||c~~d]", &["a", "&", "|", "~", "e"]),
    ("[a/b]c", &["ac", "/c"]),
];

const CASES: usize = 20_000;

/// A pattern of characters that mean something, mostly.
fn pattern(random: &mut Random) -> String {
    let mut pattern = String::new();
    for _ in 0..1 + random.below(4) {
        match random.below(6) {
            0 => pattern.push('*'),
            1 => pattern.push('?'),
            2 => pattern.push(character(random)),
            _ => {
                pattern.push('[');
                if random.often(1, 4) {
                    pattern.push('!');
                }
                for _ in 0..random.below(7) {
                    pattern.push(if random.often(1, 3) { '-' } else { character(random) });
                }
                if random.often(7, 8) {
                    pattern.push(']');
                }
            }
        }
    }
    pattern
}

fn character(random: &mut Random) -> char {
    *random.pick(&['a', 'b', 'c', 'd', 'e', '!', '^', ']', '[', '-', '/', '.', '\\', '\n', '&', 'é', '😀', '0'])
}

#[test]
fn patterns_are_fnmatchcase_s() {
    let Some(mut peer) = Peer::start() else { return };
    let mut cases: Vec<(String, String)> =
        EDGES.iter().flat_map(|(pattern, names)| names.iter().map(|name| ((*pattern).to_owned(), (*name).to_owned()))).collect();
    let edges = cases.len();
    let mut random = Random::seeded(6);
    while cases.len() < edges + CASES {
        let pattern = pattern(&mut random);
        for _ in 0..4 {
            cases.push((pattern.clone(), (0..random.below(5)).map(|_| character(&mut random)).collect()));
        }
    }
    let listed = cases.iter().map(|(pattern, name)| Value::from(vec![Value::from(pattern.as_str()), Value::from(name.as_str())]));
    let answer = peer.ask(&Value::object([("op", Value::from("globs")), ("cases", Value::from(listed.collect::<Vec<_>>()))]));
    let theirs: Vec<bool> = answer.as_array().unwrap().iter().map(|matches| matches.as_bool().unwrap()).collect();
    assert_eq!(theirs.len(), cases.len());
    for ((pattern, name), theirs) in cases.iter().zip(&theirs) {
        assert_eq!(Pattern::new(pattern).matches(name), *theirs, "{pattern:?} {name:?}");
    }
    let matching = theirs.iter().filter(|matches| **matches).count();
    assert!(matching > CASES / 10 && matching < CASES * 9 / 10, "{matching}");
    println!("{} patterns and names, {matching} of them matching, are judged alike", cases.len());
}
