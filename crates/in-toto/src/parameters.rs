//! Parameters of a layout: `{name}` in its rules and commands, given by whoever verifies.
//!
//! The specification has none; the reference implementation fills them in with a format language, and a value with a `*` is a pattern
//! there. Here `{name}` is all there is, any other brace is an error, and a value stands for itself. Without parameters braces are
//! ordinary characters, as they are for every implementation.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::error::Error;

/// Values by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<String, String>);

/// A part of a text.
pub(crate) enum Part<'a> {
    Written(&'a str),
    Value(&'a str),
}

impl Parameters {
    /// No parameters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the parameter `name` a value.
    ///
    /// # Errors
    /// [`Error::ParameterName`] if the name has other characters than `A-Z`, `a-z`, `0-9`, `_` and `-`, or none;
    /// [`Error::ParameterEmpty`] if the value is empty; [`Error::ParameterTwice`] if it has one already.
    pub fn insert(&mut self, name: &str, value: &str) -> Result<(), Error> {
        if !is_name(name) {
            return Err(Error::ParameterName { name: name.to_owned() });
        }
        if value.is_empty() {
            return Err(Error::ParameterEmpty { name: name.to_owned() });
        }
        match self.0.insert(name.to_owned(), value.to_owned()) {
            None => Ok(()),
            Some(_) => Err(Error::ParameterTwice { name: name.to_owned() }),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The parts of `text`: with no parameters it is all as written.
    ///
    /// # Errors
    /// A brace that is not of a `{name}`, or a name without a value.
    pub(crate) fn parts<'a>(&'a self, text: &'a str) -> Result<Vec<Part<'a>>, Error> {
        if self.is_empty() {
            return Ok(alloc::vec![Part::Written(text)]);
        }
        let malformed = || Error::Braces { text: text.to_owned() };
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some(place) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(place);
            let (name, after) = brace.strip_prefix('{').and_then(|inside| inside.split_once('}')).ok_or_else(malformed)?;
            if !is_name(name) {
                return Err(malformed());
            }
            let value = self.0.get(name).ok_or_else(|| Error::ParameterMissing { name: name.to_owned() })?;
            parts.extend([Part::Written(before), Part::Value(value)]);
            rest = after;
        }
        parts.push(Part::Written(rest));
        Ok(parts)
    }

    /// `text` with the values in it.
    ///
    /// # Errors
    /// As for [`parts`](Self::parts).
    pub(crate) fn fill(&self, text: &str) -> Result<String, Error> {
        let parts = self.parts(text)?.into_iter();
        Ok(parts.map(|(Part::Written(text) | Part::Value(text))| text).collect())
    }
}

/// The names that stand in `text` as `{name}`.
pub(crate) fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|behind| behind.split_once('}')).map(|(name, _)| name).filter(|name| is_name(name))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> Parameters {
        let mut parameters = Parameters::new();
        parameters.insert("A", "x").unwrap();
        parameters.insert("b-1_", "{A}").unwrap();
        parameters
    }

    #[test]
    fn names_in_braces_have_values_that_are_not_read_again() {
        for (text, filled) in [("", ""), ("a", "a"), ("{A}", "x"), ("{A}{A}/{b-1_}", "xx/{A}")] {
            assert_eq!(parameters().fill(text).as_deref(), Ok(filled));
        }
    }

    #[test]
    fn there_is_no_format_language() {
        for text in ["{", "}", "{}", "{{A}}", "{A.__class__}", "{A!r}", "{A:>9}", "{A[0]}", "{0 }", "{A", "A}", "{{", "}}", "{A}}"] {
            assert_eq!(parameters().fill(text), Err(Error::Braces { text: text.into() }), "{text}");
        }
    }

    #[test]
    fn what_looks_like_a_parameter_is_found() {
        assert_eq!(placeholders("{a}/{{b}}{ c}{}{d{e}}f}").collect::<Vec<_>>(), ["a", "b", "e"]);
    }

    #[test]
    fn a_missing_value_is_an_error() {
        assert_eq!(parameters().fill("{B}"), Err(Error::ParameterMissing { name: "B".into() }));
    }

    #[test]
    fn without_parameters_braces_are_characters() {
        assert_eq!(Parameters::new().fill("{A}{").as_deref(), Ok("{A}{"));
    }

    #[test]
    fn names_are_plain_and_given_once() {
        for name in ["", "a b", "é", "a.b", "{a}"] {
            assert_eq!(Parameters::new().insert(name, ""), Err(Error::ParameterName { name: name.into() }));
        }
        assert_eq!(Parameters::new().insert("A", ""), Err(Error::ParameterEmpty { name: "A".into() }));
        assert_eq!(parameters().insert("A", "y"), Err(Error::ParameterTwice { name: "A".into() }));
    }
}
