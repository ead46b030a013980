//! The patterns of artifact rules (in-toto 1.0, 4.3.3), as the reference implementation reads them: Python's `fnmatch.fnmatchcase`.
//!
//! `*` stands for any characters and `?` for one, the slash, a leading dot and a newline included; `[…]` for one of a set, `[!…]` for one
//! that is not in it. There is no escape character. A character is a Unicode scalar value, case matters, and the outcome is the same on
//! every platform. What other implementations read differently is in SPEC.md.

use alloc::string::String;
use alloc::vec::Vec;

use crate::name::is_artifact_name;
use crate::work::{OutOfWork, Work};

/// A pattern, compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What every match begins with.
    head: String,
    /// What follows it.
    tail: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Character(char),
    /// `?`
    One,
    /// `*`
    Any,
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// A character of a pattern's text: one that may mean something, or one that stands for itself whatever it is, since it comes from the
/// value of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Written(char),
    Value(char),
}

/// What names a pattern can match, as far as that spares trying them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The head alone.
    Literal,
    /// Whatever begins with the head.
    Prefix,
    /// Some of what begins with the head.
    Other,
}

/// A parameter stands within `[…]`, where its value would be part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ValueInSet;

impl Pattern {
    /// Compiles a pattern. Every text is one: what would be malformed elsewhere stands for itself.
    pub fn new(text: &str) -> Self {
        // Without values there is nothing to refuse.
        Self::of(text.chars().map(Element::Written)).unwrap_or(Self { head: String::new(), tail: Vec::new() })
    }

    pub(crate) fn of(elements: impl IntoIterator<Item = Element>) -> Result<Self, ValueInSet> {
        let elements: Vec<Element> = elements.into_iter().collect();
        let (mut pattern, mut rest) = (Self { head: String::new(), tail: Vec::new() }, elements.as_slice());
        // Once one `[` is not closed none behind it is.
        let mut sets = true;
        while let [first, behind @ ..] = rest {
            rest = behind;
            let token = match first {
                Element::Value(character) => Token::Character(*character),
                Element::Written('?') => Token::One,
                Element::Written('*') => Token::Any,
                Element::Written('[') if sets => match end_of_set(behind) {
                    Some(end) => {
                        let (inside, after) = behind.split_at(end);
                        rest = after.get(1..).unwrap_or_default();
                        set(inside)?
                    }
                    None => {
                        sets = false;
                        Token::Character('[')
                    }
                },
                Element::Written(character) => Token::Character(*character),
            };
            match token {
                Token::Character(character) if pattern.tail.is_empty() => pattern.head.push(character),
                Token::Any if pattern.tail.last() == Some(&Token::Any) => {}
                token => pattern.tail.push(token),
            }
        }
        Ok(pattern)
    }

    /// Whether it can match the name of an artifact, or what follows a prefix in one. A part between slashes without anything wild stands
    /// in every match as it is, and no part of a name is empty, `.` or `..`.
    pub(crate) fn can_match_name(&self) -> bool {
        let tail = self.tail.iter().map(|token| match token {
            Token::Character(character) => Some(*character),
            _ => None,
        });
        let (mut part, mut is_wild) = (String::new(), false);
        for character in self.head.chars().map(Some).chain(tail).chain([Some('/')]) {
            match character {
                None => is_wild = true,
                Some('/') if !is_wild && !is_artifact_name(&part) => return false,
                Some('/') => (part, is_wild) = (String::new(), false),
                Some(character) => part.push(character),
            }
        }
        true
    }

    /// What every match begins with.
    pub(crate) fn head(&self) -> &str {
        &self.head
    }

    pub(crate) fn shape(&self) -> Shape {
        match self.tail.as_slice() {
            [] => Shape::Literal,
            [Token::Any] => Shape::Prefix,
            _ => Shape::Other,
        }
    }

    /// Whether the whole of `name` matches, in time proportional to the product of their lengths at worst.
    pub fn matches(&self, name: &str) -> bool {
        let rest = name.strip_prefix(self.head.as_str());
        rest.is_some_and(|rest| self.matches_behind(rest, &mut Work::new(u64::MAX)) == Ok(true))
    }

    /// Whether the whole of `text` matches, for a unit of `work` a character tried.
    pub(crate) fn matches_within(&self, text: &str, work: &mut Work) -> Result<bool, OutOfWork> {
        match text.strip_prefix(self.head.as_str()) {
            Some(rest) => self.matches_behind(rest, work),
            None => Ok(false),
        }
    }

    /// Whether what follows the head of a name matches.
    ///
    /// After a mismatch only the last `*` is tried with one more character: an earlier one cannot help.
    pub(crate) fn matches_behind(&self, name: &str, work: &mut Work) -> Result<bool, OutOfWork> {
        let (mut tokens, mut rest) = (self.tail.iter(), name.chars());
        let mut retry: Option<(core::slice::Iter<'_, Token>, core::str::Chars<'_>)> = None;
        loop {
            work.spend(1)?;
            let before = rest.clone();
            match (tokens.next(), rest.next()) {
                (Some(Token::Any), _) => {
                    if tokens.as_slice().is_empty() {
                        return Ok(true);
                    }
                    rest = before;
                    retry = Some((tokens.clone(), rest.clone()));
                    continue;
                }
                (None, None) => return Ok(true),
                (Some(token), Some(found)) if token.is(found) => continue,
                _ => {}
            }
            let Some((after_star, taken)) = &mut retry else { return Ok(false) };
            if taken.next().is_none() {
                return Ok(false);
            }
            (tokens, rest) = (after_star.clone(), taken.clone());
        }
    }
}

impl Token {
    fn is(&self, found: char) -> bool {
        match self {
            Token::Character(wanted) => *wanted == found,
            Token::One => true,
            Token::Any => false,
            Token::Set { negated, ranges } => ranges.iter().any(|(low, high)| (*low..=*high).contains(&found)) != *negated,
        }
    }
}

/// Where, behind a `[`, the `]` stands that closes the set. The first character in a set does not close it, nor does one behind `!`.
fn end_of_set(behind: &[Element]) -> Option<usize> {
    let mut first = 0;
    if behind.first() == Some(&Element::Written('!')) {
        first = 1;
    }
    if behind.get(first) == Some(&Element::Written(']')) {
        first += 1;
    }
    let rest = behind.get(first..)?;
    rest.iter().position(|element| *element == Element::Written(']')).map(|place| first + place)
}

/// What stands between `[` and `]`.
fn set(inside: &[Element]) -> Result<Token, ValueInSet> {
    let written = inside.iter().map(|element| match element {
        Element::Written(character) => Ok(*character),
        Element::Value(_) => Err(ValueInSet),
    });
    let written: Vec<char> = written.collect::<Result<_, _>>()?;
    let mut chunks = chunks(&written);
    // A range from a greater to a lesser character holds nothing, and is taken out. What is around it then stands together, from the
    // last such range to the first.
    for right in (1..chunks.len()).rev() {
        let (Some(low), Some(high)) = (last(&chunks, right - 1), first(&chunks, right)) else { continue };
        if low > high {
            let removed = chunks.remove(right);
            if let Some(left) = chunks.get_mut(right - 1) {
                left.pop();
                left.extend(removed.into_iter().skip(1));
            }
        }
    }
    // As for Python, it is what is left that says whether the set is negated.
    let negated = first(&chunks, 0) == Some('!');
    if let Some(left) = chunks.first_mut().filter(|_| negated) {
        left.remove(0);
    }
    let mut ranges = Vec::new();
    for (place, chunk) in chunks.iter().enumerate() {
        // The last character of a chunk is the beginning of a range to the first of the next; without one, the hyphen between them
        // stands for itself.
        let joined = chunks.get(place + 1);
        let (singles, low) = match (chunk.split_last(), joined) {
            (Some((low, singles)), Some(_)) => (singles, Some(*low)),
            (None, Some(_)) => {
                ranges.push(('-', '-'));
                (&[][..], None)
            }
            (_, None) => (chunk.as_slice(), None),
        };
        // Its first character was the end of the range before, if there was one.
        ranges.extend(singles.iter().map(|character| (*character, *character)));
        if let (Some(low), Some(high)) = (low, joined.and_then(|next| next.first())) {
            ranges.push((low, *high));
        }
    }
    Ok(Token::Set { negated, ranges })
}

/// The parts of a set between the hyphens that make ranges: not one that comes first, or last, or right behind a range.
fn chunks(written: &[char]) -> Vec<Vec<char>> {
    let mut chunks: Vec<Vec<char>> = Vec::new();
    let mut start = 0;
    let mut from = if written.first() == Some(&'!') { 2 } else { 1 };
    while let Some(found) = written.get(from..).and_then(|rest| rest.iter().position(|character| *character == '-')) {
        let hyphen = from + found;
        chunks.push(written.get(start..hyphen).unwrap_or_default().to_vec());
        (start, from) = (hyphen + 1, hyphen + 3);
    }
    match (written.get(start..).filter(|rest| !rest.is_empty()), chunks.last_mut()) {
        (Some(rest), _) => chunks.push(rest.to_vec()),
        (None, Some(last)) => last.push('-'),
        (None, None) => {}
    }
    chunks
}

fn first(chunks: &[Vec<char>], place: usize) -> Option<char> {
    chunks.get(place)?.first().copied()
}

fn last(chunks: &[Vec<char>], place: usize) -> Option<char> {
    chunks.get(place)?.last().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned;

    #[test]
    fn patterns_match_as_python_s_fnmatchcase_does() {
        for (pattern, yes, no) in [
            ("*", &["", "a", "a/b", ".a", "a\nb"][..], &[][..]),
            ("?", &["a", "/", ".", "\n", "é", "😀"], &["", "ab", "e\u{301}"]),
            ("src/*.c", &["src/a.c", "src/a/b.c", "src/.c"], &["src/a.h", "a.c"]),
            ("a*b*c", &["abc", "aXbYc", "abbbcc", "ab/c"], &["acb", "abcd"]),
            ("foo", &["foo"], &["Foo", "foo ", "xfoo"]),
            ("", &[""], &["a"]),
            (r"a\*", &[r"a\", r"a\x"], &["a*"]),
            ("[ab]x", &["ax", "bx"], &["cx", "[ab]x"]),
            ("[!ab]x", &["cx", "/x", "\nx"], &["ax"]),
            ("[^a]", &["^", "a"], &["b"]),
            ("[a", &["[a"], &["a"]),
            ("[]", &["[]"], &["]"]),
            ("[!]", &["[!]"], &["a"]),
            ("[]a]", &["]", "a"], &["[]a]"]),
            ("[!]a]", &["b"], &["]", "a"]),
            ("[a-c]", &["a", "b", "c"], &["-", "d"]),
            ("[-a]", &["-", "a"], &["b"]),
            ("[a-]", &["-", "a"], &["b"]),
            ("[!-a]", &["b"], &["-", "a"]),
            ("[--0]", &["-", ".", "/", "0"], &["1", ","]),
            ("[a-c-e]", &["a", "b", "c", "-", "e"], &["d"]),
            ("[c-a]", &[], &["a", "b", "c", "-"]),
            ("[!c-a]", &["a", "b", "c", "-", "\n"], &[""]),
            ("[xc-ay]", &["x", "y"], &["a", "b", "c", "-"]),
            // What is left of a reversed range may begin with `!`.
            ("[b-a!c]", &["a", "b", "d"], &["c"]),
            ("[c-b!-z]", &["c", "b", "a", "!"], &["-", "z"]),
            (r"[\]", &[r"\"], &[r"[\]"]),
            ("[[a]", &["[", "a"], &["[[a]"]),
            ("[a&&b]", &["a", "&", "b"], &["c"]),
            ("**", &["", "a/b"], &[]),
            ("a/**/c", &["a/b/c", "a//c"], &["a/c"]),
        ] {
            for name in yes {
                assert!(Pattern::new(pattern).matches(name), "{pattern} {name}");
            }
            for name in no {
                assert!(!Pattern::new(pattern).matches(name), "{pattern} {name}");
            }
        }
    }

    #[test]
    fn many_stars_and_many_brackets_take_no_quadratic_time() {
        let pattern = Pattern::new(&("a*".repeat(2_000) + "b"));
        let mut work = Work::new(30_000);
        assert_eq!(pattern.matches_behind(&"a".repeat(9_999), &mut work), Ok(false));
        let costly = Pattern::new(&("*".to_owned() + &"a".repeat(1_000) + "b*"));
        assert_eq!(costly.matches_behind(&"a".repeat(9_999), &mut work), Err(OutOfWork));
        assert!(!Pattern::new(&"[".repeat(1_000_000)).matches("["));
    }

    #[test]
    fn a_value_stands_for_itself_and_never_within_a_set() {
        let of = |before: &str, value: &str, after: &str| {
            let written = |text: &str| text.chars().map(Element::Written).collect::<Vec<_>>();
            let value = value.chars().map(Element::Value);
            Pattern::of(written(before).into_iter().chain(value).chain(written(after)))
        };
        let pattern = of("a/", "*?[x]", "/*").unwrap();
        assert!(pattern.matches("a/*?[x]/b") && !pattern.matches("a/yyx/b"));
        assert_eq!(pattern.shape(), Shape::Prefix);
        // Neither opens nor closes a set.
        assert!(of("a[", "x]", "").unwrap().matches("a[x]"));
        assert!(of("a", "[x", "]").unwrap().matches("a[x]"));
        assert_eq!(of("[", "a-z", "]"), Err(ValueInSet));
    }

    #[test]
    fn heads_and_shapes_are_told() {
        for (text, head, shape) in [
            ("a/b", "a/b", Shape::Literal),
            ("a/*", "a/", Shape::Prefix),
            ("*", "", Shape::Prefix),
            ("a/***", "a/", Shape::Prefix),
            ("a/*.c", "a/", Shape::Other),
            ("a[", "a[", Shape::Literal),
            ("a?", "a", Shape::Other),
        ] {
            let pattern = Pattern::new(text);
            assert_eq!((pattern.head(), pattern.shape()), (head, shape), "{text}");
        }
    }
}
