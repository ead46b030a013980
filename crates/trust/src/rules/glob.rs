//! Patterns with `*`, whose reach ends at separators: matching, captures, and what is known of two patterns.
//!
//! All three are one table over the pattern's elements and the text's, filled from their ends, in time and memory of the product of both
//! lengths.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// What a run of characters does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Neither `/`, `:` nor `@`.
    Part,
    /// No `/`.
    Component,
    /// Anything.
    Rest,
}

impl Reach {
    fn takes(self, character: char) -> bool {
        match self {
            Reach::Part => !matches!(character, '/' | ':' | '@'),
            Reach::Component => character != '/',
            Reach::Rest => true,
        }
    }

    /// Whether whatever `other` reaches this does.
    fn includes(self, other: Self) -> bool {
        matches!((self, other), (Reach::Rest, _) | (Reach::Component, Reach::Component | Reach::Part) | (Reach::Part, Reach::Part))
    }
}

/// An element of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    /// This character.
    Character(char),
    /// Any number of characters, also none.
    Run { reach: Reach, captured: bool },
}

impl Element {
    /// Whether a run of `reach` takes all that this stands for.
    fn is_within(self, by: Reach) -> bool {
        match self {
            Element::Character(character) => by.takes(character),
            Element::Run { reach, .. } => by.includes(reach),
        }
    }
}

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob(pub(crate) Vec<Element>);

impl Glob {
    /// How many of its runs are captured.
    pub(crate) fn captures(&self) -> usize {
        self.0.iter().filter(|element| matches!(element, Element::Run { captured: true, .. })).count()
    }

    /// What its captured runs are if the whole of `text` matches. Where it matches in several ways, each run from the left is as long as it
    /// can be.
    pub(crate) fn matches(&self, text: &str) -> Option<Vec<String>> {
        let text: Vec<Element> = text.chars().map(Element::Character).collect();
        let table = self.covered(&text);
        if !table.at(0, 0) {
            return None;
        }
        let (mut captures, mut j) = (Vec::new(), 0);
        for (i, element) in self.0.iter().enumerate() {
            let Element::Run { reach, captured } = element else {
                j += 1;
                continue;
            };
            let start = j;
            // One character more, as long as what follows still matches then.
            while text.get(j).is_some_and(|symbol| symbol.is_within(*reach)) && table.at(i, j + 1) {
                j += 1;
            }
            if *captured {
                let taken = text.get(start..j).unwrap_or_default().iter();
                captures.push(taken.filter_map(|symbol| if let Element::Character(found) = symbol { Some(found) } else { None }).collect());
            }
        }
        Some(captures)
    }

    /// Whether it surely matches whatever `other` does: a run of the other is taken by a run alone that reaches as far.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        self.covered(&other.0).at(0, 0)
    }

    fn covered(&self, text: &[Element]) -> Table {
        Table::fill(&self.0, text, |table, element, symbol, i, j| match (element, symbol) {
            (None, None) => true,
            (Some(Element::Character(wanted)), Some(Element::Character(found))) => wanted == found && table.at(i + 1, j + 1),
            (Some(Element::Run { reach, .. }), symbol) => {
                table.at(i + 1, j) || symbol.is_some_and(|symbol| symbol.is_within(reach)) && table.at(i, j + 1)
            }
            _ => false,
        })
    }

    /// Whether there may be something that both match.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let table = Table::fill(&self.0, &other.0, |table, element, symbol, i, j| match (element, symbol) {
            (None, None) => true,
            (Some(Element::Character(wanted)), Some(Element::Character(found))) => wanted == found && table.at(i + 1, j + 1),
            (Some(Element::Run { reach, .. }), symbol) => {
                let taken = |symbol: Element| symbol.is_within(reach) || matches!(symbol, Element::Run { .. });
                table.at(i + 1, j) || symbol.is_some_and(taken) && table.at(i, j + 1)
            }
            (Some(Element::Character(wanted)), Some(Element::Run { reach, .. })) => {
                table.at(i, j + 1) || reach.takes(wanted) && table.at(i + 1, j)
            }
            (None, Some(Element::Run { .. })) => table.at(i, j + 1),
            _ => false,
        });
        table.at(0, 0)
    }
}

/// For each place in the pattern and in the text, whether what is left of the one goes with what is left of the other.
struct Table {
    cells: Vec<bool>,
    width: usize,
}

impl Table {
    fn fill(pattern: &[Element], text: &[Element], goes: impl Fn(&Self, Option<Element>, Option<Element>, usize, usize) -> bool) -> Self {
        let width = text.len() + 1;
        let mut table = Self { cells: vec![false; width.saturating_mul(pattern.len() + 1)], width };
        for i in (0..=pattern.len()).rev() {
            for j in (0..width).rev() {
                let goes = goes(&table, pattern.get(i).copied(), text.get(j).copied(), i, j);
                if let Some(cell) = table.cells.get_mut(i * width + j) {
                    *cell = goes;
                }
            }
        }
        table
    }

    fn at(&self, i: usize, j: usize) -> bool {
        j < self.width && self.cells.get(i * self.width + j).copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All lists of up to `length` of `items`.
    fn lists<T: Clone>(items: &[T], length: usize) -> Vec<Vec<T>> {
        let mut all = vec![Vec::new()];
        let mut last = all.clone();
        for _ in 0..length {
            let longer =
                |list: &Vec<T>| items.iter().map(|item| [list.as_slice(), core::slice::from_ref(item)].concat()).collect::<Vec<_>>();
            last = last.iter().flat_map(longer).collect();
            all.extend(last.iter().cloned());
        }
        all
    }

    /// As slow and as simple as it can be.
    fn matches(pattern: &[Element], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [Element::Character(wanted), rest @ ..] => text.first() == Some(wanted) && matches(rest, &text[1..]),
            [Element::Run { reach, .. }, rest @ ..] => {
                let taken = text.iter().take_while(|found| reach.takes(**found)).count();
                (0..=taken).any(|taken| matches(rest, &text[taken..]))
            }
        }
    }

    #[test]
    fn all_short_patterns_match_include_and_meet_as_their_texts_do() {
        let run = |reach| Element::Run { reach, captured: true };
        let elements = [
            Element::Character('a'),
            Element::Character('/'),
            Element::Character(':'),
            run(Reach::Part),
            run(Reach::Component),
            run(Reach::Rest),
        ];
        let (patterns, texts) = (lists(&elements, 3), lists(&['a', '/', ':', 'b'], 4));
        let matched: Vec<Vec<bool>> = patterns.iter().map(|pattern| texts.iter().map(|text| matches(pattern, text)).collect()).collect();
        for (pattern, matched) in patterns.iter().zip(&matched) {
            let glob = Glob(pattern.clone());
            for (text, matched) in texts.iter().zip(matched) {
                let captures = glob.matches(&text.iter().collect::<String>());
                assert_eq!(captures.is_some(), *matched, "{pattern:?} {text:?}");
            }
        }
        let (mut included, mut apart) = (0, 0);
        for (one, by_one) in patterns.iter().zip(&matched) {
            for (other, by_other) in patterns.iter().zip(&matched) {
                let (glob, another) = (Glob(one.clone()), Glob(other.clone()));
                if glob.includes(&another) {
                    included += 1;
                    assert!(by_one.iter().zip(by_other).all(|(one, other)| *one || !*other), "{one:?} {other:?}");
                }
                if !glob.meets(&another) {
                    apart += 1;
                    assert!(!by_one.iter().zip(by_other).any(|(one, other)| *one && *other), "{one:?} {other:?}");
                }
            }
        }
        assert!(included > 1000 && apart > 1000, "{included} {apart}");
    }

    #[test]
    fn captures_are_what_the_text_is_made_of_and_the_first_is_the_longest() {
        let run = |captured| Element::Run { reach: Reach::Part, captured };
        for (pattern, text, captures) in [
            (vec![run(true), run(true)], "ab", vec!["ab", ""]),
            (vec![run(true), Element::Character('-'), run(true)], "a-b-c", vec!["a-b", "c"]),
            (vec![run(false), Element::Character('-'), run(true)], "a-b-c", vec!["c"]),
            (vec![run(true), Element::Character('/'), run(true)], "a/", vec!["a", ""]),
        ] {
            assert_eq!(Glob(pattern).matches(text).unwrap(), captures, "{text}");
        }
    }
}
