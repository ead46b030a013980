//! Texts with `$1` to `$9` in them, for what a reference's captures are.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A text in which `$1` to `$9` stand for captures, and `$$` for a dollar sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Written(String),
    /// A capture, counted from 0.
    Capture(usize),
}

/// Why a text is no template for a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateFault {
    /// A `$` that nothing known follows.
    #[error("has a `$` that is followed neither by a digit from 1 to 9 nor by another `$`")]
    Dollar,
    /// There are not so many captures.
    #[error("has ${number}, and the reference has {captures} captures")]
    Number {
        /// The capture, counted from 1.
        number: usize,
        /// How many there are.
        captures: usize,
    },
}

impl Template {
    /// Reads a text for a rule with so many captures.
    ///
    /// # Errors
    /// A `$` that stands for nothing.
    pub fn new(text: &str, captures: usize) -> Result<Self, TemplateFault> {
        let (mut parts, mut written) = (Vec::new(), String::new());
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            if character != '$' {
                written.push(character);
                continue;
            }
            match characters.next() {
                Some('$') => written.push('$'),
                Some(digit @ '1'..='9') => {
                    let number = digit.to_digit(10).and_then(|digit| usize::try_from(digit).ok()).ok_or(TemplateFault::Dollar)?;
                    if number > captures {
                        return Err(TemplateFault::Number { number, captures });
                    }
                    parts.push(Part::Written(core::mem::take(&mut written)));
                    parts.push(Part::Capture(number - 1));
                }
                _ => return Err(TemplateFault::Dollar),
            }
        }
        parts.push(Part::Written(written));
        Ok(Self { text: text.to_owned(), parts })
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether there is a capture in it.
    pub fn has_captures(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Capture(_)))
    }

    /// The text with `captures` in it.
    pub fn fill(&self, captures: &[String]) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Written(written) => text.push_str(written),
                Part::Capture(number) => text.push_str(captures.get(*number).map(String::as_str).unwrap_or_default()),
            }
        }
        text
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
