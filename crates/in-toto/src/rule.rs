//! Artifact rules (in-toto 1.0, 4.3.3), read.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::error::{Error, RuleFault};
use crate::glob::{Element, Pattern};
use crate::name::{is_artifact_name, is_item_name};
use crate::parameters::{Parameters, Part};

/// One rule of a step or an inspection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The words that it was read from, with the values of parameters in them.
    words: Vec<String>,
    kind: Kind,
}

/// What a rule asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Consumes products that are no materials.
    Create(Pattern),
    /// Consumes materials that are no products.
    Delete(Pattern),
    /// Consumes what is both and has other digests.
    Modify(Pattern),
    /// Consumes.
    Allow(Pattern),
    /// Fails if anything that matches is still there.
    Disallow(Pattern),
    /// Fails if the artifact of this name is not there any more.
    Require(String),
    /// Consumes what another item has, too.
    Match(Match),
}

/// `MATCH pattern [IN source] WITH side [IN destination] FROM item`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Matches what follows the source prefix.
    pub pattern: Pattern,
    /// What names begin with: nothing, or a path and a slash.
    pub source: String,
    /// Whether materials or products of the other item are looked at.
    pub side: Side,
    /// What the other item's names begin with: nothing, or a path and a slash.
    pub destination: String,
    /// The name of the other step or inspection.
    pub from: String,
}

/// What a step began with, or ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What it began with.
    Materials,
    /// What it ended with.
    Products,
}

impl Side {
    /// The word in metadata.
    pub const fn name(self) -> &'static str {
        match self {
            Side::Materials => "materials",
            Side::Products => "products",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Rule {
    /// Reads a rule. Key words are of any case and never come from a parameter.
    ///
    /// # Errors
    /// [`Error::Rule`], and those of the parameters in it.
    pub fn new<S: AsRef<str>>(words: &[S], parameters: &Parameters) -> Result<Self, Error> {
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        let malformed = |fault| Error::Rule { words: words.iter().map(|word| (*word).to_owned()).collect(), fault };
        let pattern = |text: &str| {
            let pattern = compile(text, parameters)?.ok_or_else(|| malformed(RuleFault::ParameterInSet))?;
            // It would do nothing, whatever is there, and a DISALLOW that does nothing allows.
            if pattern.can_match_name() { Ok(pattern) } else { Err(malformed(RuleFault::Pattern)) }
        };
        let [keyword, subject, rest @ ..] = words.as_slice() else { return Err(malformed(RuleFault::Length)) };
        let kind = if is(keyword, "MATCH") {
            let clauses = Clauses::of(rest).ok_or_else(|| malformed(RuleFault::Match))?;
            let prefix = |text: &str| {
                let text = parameters.fill(text)?;
                prefix(text).ok_or_else(|| malformed(RuleFault::Prefix))
            };
            let from = parameters.fill(clauses.from)?;
            if !is_item_name(&from) {
                return Err(malformed(RuleFault::Item));
            }
            Kind::Match(Match {
                pattern: pattern(subject)?,
                source: prefix(clauses.source)?,
                side: clauses.side,
                destination: prefix(clauses.destination)?,
                from,
            })
        } else {
            if !rest.is_empty() && KEYWORDS.iter().any(|known| is(keyword, known)) {
                return Err(malformed(RuleFault::Length));
            }
            match keyword {
                word if is(word, "CREATE") => Kind::Create(pattern(subject)?),
                word if is(word, "DELETE") => Kind::Delete(pattern(subject)?),
                word if is(word, "MODIFY") => Kind::Modify(pattern(subject)?),
                word if is(word, "ALLOW") => Kind::Allow(pattern(subject)?),
                word if is(word, "DISALLOW") => Kind::Disallow(pattern(subject)?),
                word if is(word, "REQUIRE") => {
                    let name = parameters.fill(subject)?;
                    if !is_artifact_name(&name) {
                        return Err(malformed(RuleFault::Name));
                    }
                    Kind::Require(name)
                }
                _ => return Err(malformed(RuleFault::Keyword)),
            }
        };
        let filled = words.iter().enumerate().map(|(place, word)| match place {
            0 => Ok((*word).to_owned()),
            _ => parameters.fill(word),
        });
        Ok(Self { words: filled.collect::<Result<_, _>>()?, kind })
    }

    /// What it asks for.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Its words, with the values of parameters in them.
    pub fn words(&self) -> &[String] {
        &self.words
    }
}

/// The words, with a space between them.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, word) in self.words.iter().enumerate() {
            write!(f, "{}{}", if place == 0 { "" } else { " " }, word.escape_debug())?;
        }
        Ok(())
    }
}

/// Rules of a keyword and one more word.
const KEYWORDS: [&str; 6] = ["CREATE", "DELETE", "MODIFY", "ALLOW", "DISALLOW", "REQUIRE"];

/// What follows the pattern of a MATCH.
struct Clauses<'a> {
    source: &'a str,
    side: Side,
    destination: &'a str,
    from: &'a str,
}

impl<'a> Clauses<'a> {
    /// The four forms, by where the key words stand: a prefix may itself be `WITH`.
    fn of(rest: &[&'a str]) -> Option<Self> {
        let (source, side, destination, from) = match *rest {
            [i, source, with, side, j, destination, f, from] if is(i, "IN") && is(with, "WITH") && is(j, "IN") && is(f, "FROM") => {
                (source, side, destination, from)
            }
            [i, source, with, side, f, from] if is(i, "IN") && is(with, "WITH") && is(f, "FROM") => (source, side, "", from),
            [with, side, i, destination, f, from] if is(with, "WITH") && is(i, "IN") && is(f, "FROM") => ("", side, destination, from),
            [with, side, f, from] if is(with, "WITH") && is(f, "FROM") => ("", side, "", from),
            _ => return None,
        };
        let side = match side {
            word if is(word, "MATERIALS") => Side::Materials,
            word if is(word, "PRODUCTS") => Side::Products,
            _ => return None,
        };
        Some(Self { source, side, destination, from })
    }
}

fn is(word: &str, keyword: &str) -> bool {
    word.eq_ignore_ascii_case(keyword)
}

/// A prefix with the slash that ends it, which may be missing: none, or a path in the one form that names have, since any other could
/// be that of no artifact.
fn prefix(mut text: String) -> Option<String> {
    if text.is_empty() {
        return Some(text);
    }
    if !text.ends_with('/') {
        text.push('/');
    }
    text.strip_suffix('/').is_some_and(is_artifact_name).then_some(text)
}

/// A pattern in which the values of parameters stand for themselves; `None` if one is within `[…]`.
pub(crate) fn compile(text: &str, parameters: &Parameters) -> Result<Option<Pattern>, Error> {
    let parts = parameters.parts(text)?;
    let elements = parts.iter().flat_map(|part| {
        let (text, element): (&str, fn(char) -> Element) = match part {
            Part::Written(text) => (text, Element::Written),
            Part::Value(text) => (text, Element::Value),
        };
        text.chars().map(element)
    });
    Ok(Pattern::of(elements).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Rule, Error> {
        Rule::new(words, &Parameters::new())
    }

    fn fault(words: &[&str]) -> RuleFault {
        match read(words) {
            Err(Error::Rule { fault, .. }) => fault,
            other => panic!("{words:?}: {other:?}"),
        }
    }

    #[test]
    fn every_form_of_match_is_read() {
        let with = |source: &str, side, destination: &str| {
            Kind::Match(Match {
                pattern: Pattern::new("*"),
                source: source.into(),
                side,
                destination: destination.into(),
                from: "b".into(),
            })
        };
        for (words, kind) in [
            (&["MATCH", "*", "WITH", "PRODUCTS", "FROM", "b"][..], with("", Side::Products, "")),
            (&["match", "*", "in", "x", "with", "materials", "from", "b"], with("x/", Side::Materials, "")),
            (&["Match", "*", "With", "Products", "In", "y/z/", "From", "b"], with("", Side::Products, "y/z/")),
            (&["MATCH", "*", "IN", "x/", "WITH", "PRODUCTS", "IN", "y", "FROM", "b"], with("x/", Side::Products, "y/")),
            (&["MATCH", "*", "IN", "", "WITH", "PRODUCTS", "IN", "", "FROM", "b"], with("", Side::Products, "")),
            // Key words are where they stand.
            (&["MATCH", "*", "IN", "WITH", "WITH", "PRODUCTS", "FROM", "b"], with("WITH/", Side::Products, "")),
        ] {
            assert_eq!(read(words).unwrap().kind(), &kind, "{words:?}");
        }
    }

    #[test]
    fn keywords_are_of_any_case_and_nothing_else_is() {
        assert_eq!(read(&["create", "A"]).unwrap().kind(), &Kind::Create(Pattern::new("A")));
        assert_eq!(read(&["reQuire", "A/b*"]).unwrap().kind(), &Kind::Require("A/b*".into()));
        for keyword in KEYWORDS {
            assert!(read(&[keyword, "x"]).is_ok());
        }
    }

    #[test]
    fn malformed_rules_are_refused() {
        for (words, expected) in [
            (&[][..], RuleFault::Length),
            (&["ALLOW"], RuleFault::Length),
            (&["ALLOW", "*", "x"], RuleFault::Length),
            (&["REQUIRE", "a", "b"], RuleFault::Length),
            (&["PERMIT", "*"], RuleFault::Keyword),
            (&["ALLOW ", "*"], RuleFault::Keyword),
            (&["ALLOW *", ""], RuleFault::Keyword),
            (&["MATCH", "*"], RuleFault::Match),
            (&["MATCH", "*", "WITH", "PRODUCT", "FROM", "b"], RuleFault::Match),
            (&["MATCH", "*", "WITH", "BYPRODUCTS", "FROM", "b"], RuleFault::Match),
            (&["MATCH", "*", "WITH", "PRODUCTS", "FROM"], RuleFault::Match),
            (&["MATCH", "*", "WITH", "PRODUCTS", "FROM", "b", "c"], RuleFault::Match),
            (&["MATCH", "*", "IN", "x", "WITH", "PRODUCTS", "IN", "FROM", "b"], RuleFault::Match),
            (&["MATCH", "*", "IN", "x", "IN", "y", "WITH", "PRODUCTS", "FROM", "b"], RuleFault::Match),
            (&["MATCH", "*", "WITH", "PRODUCTS", "FROM", "../b"], RuleFault::Item),
            (&["MATCH", "*", "WITH", "PRODUCTS", "FROM", ""], RuleFault::Item),
            (&["REQUIRE", "./a"], RuleFault::Name),
        ] {
            assert_eq!(fault(words), expected, "{words:?}");
        }
        for prefix in ["/", "/x", "x//", "./x", "x/../y", ".", ".."] {
            assert_eq!(fault(&["MATCH", "*", "IN", prefix, "WITH", "PRODUCTS", "FROM", "b"]), RuleFault::Prefix, "{prefix}");
            assert_eq!(fault(&["MATCH", "*", "WITH", "PRODUCTS", "IN", prefix, "FROM", "b"]), RuleFault::Prefix, "{prefix}");
        }
    }

    #[test]
    fn patterns_that_no_name_can_match_are_refused() {
        for pattern in [
            "",
            "/",
            "./secret/*",
            "secret//*",
            "/secret/*",
            "secret/../secret/*",
            "secret/",
            "*/",
            "..",
            "../*",
            "a/.",
            "*/./?",
            "[a]//b",
            "{dir}/",
        ] {
            for keyword in ["CREATE", "DELETE", "MODIFY", "ALLOW", "DISALLOW"] {
                assert_eq!(fault(&[keyword, pattern]), RuleFault::Pattern, "{keyword} {pattern}");
            }
            assert_eq!(fault(&["MATCH", pattern, "IN", "x", "WITH", "PRODUCTS", "FROM", "b"]), RuleFault::Pattern, "{pattern}");
        }
        for pattern in ["secret/*", ".*", "..*", "*/.[.]/x", "?", "*.", "...", "a/**", "[/]", "[.]", "a/?/b", ".git/*", "\\", "a[/]"] {
            assert!(read(&["DISALLOW", pattern]).is_ok(), "{pattern}");
        }
        // As it is with the values of parameters.
        let mut parameters = Parameters::new();
        for (name, value) in [("dir", "secret/"), ("up", ".."), ("star", "*"), ("good", "a/b")] {
            parameters.insert(name, value).unwrap();
        }
        for (pattern, good) in
            [("{dir}/*", false), ("{dir}*", true), ("{up}/*", false), ("{up}*", true), ("{star}/x", true), ("{good}/*", true)]
        {
            assert_eq!(Rule::new(&["DISALLOW", pattern], &parameters).is_ok(), good, "{pattern}");
        }
    }

    #[test]
    fn values_become_no_patterns_key_words_or_paths_out() {
        let mut parameters = Parameters::new();
        for (name, value) in [("star", "*"), ("up", ".."), ("allow", "ALLOW"), ("dir", "lib"), ("range", "a-z")] {
            parameters.insert(name, value).unwrap();
        }
        let rule = Rule::new(&["DISALLOW", "{star}/x"], &parameters).unwrap();
        assert!(matches!(rule.kind(), Kind::Disallow(pattern) if pattern.matches("*/x") && !pattern.matches("a/x")));
        assert_eq!(rule.words(), ["DISALLOW", "*/x"]);
        let rule = Rule::new(&["MATCH", "*", "IN", "{dir}", "WITH", "PRODUCTS", "FROM", "{dir}"], &parameters).unwrap();
        assert!(matches!(rule.kind(), Kind::Match(Match { source, from, .. }) if source == "lib/" && from == "lib"));
        let refused = |words: &[&str]| match Rule::new(words, &parameters) {
            Err(Error::Rule { fault, .. }) => fault,
            other => panic!("{words:?}: {other:?}"),
        };
        assert_eq!(refused(&["{allow}", "*"]), RuleFault::Keyword);
        assert_eq!(refused(&["MATCH", "*", "IN", "a/{up}", "WITH", "PRODUCTS", "FROM", "b"]), RuleFault::Prefix);
        assert_eq!(refused(&["REQUIRE", "{up}/x"]), RuleFault::Name);
        assert_eq!(refused(&["ALLOW", "[{range}]"]), RuleFault::ParameterInSet);
    }
}
