//! Why a constraint is not met, in few bytes, however much a predicate has.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use touchmark_envelope::json::Value;

use crate::error::shortened;

use super::{Node, Test};

/// So many reasons are told for a constraint.
pub const MAX_UNMET: usize = 8;
/// Bytes of a pointer, and of a value, that a reason tells.
const MAX_SHOWN: usize = 256;

/// What came of a constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Met,
    /// It fails or is open: why, at most [`MAX_UNMET`] times, and at least once.
    Unmet(Vec<Unmet>),
}

/// Where a value is not what a constraint wants.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unmet {
    /// Where it is, as a JSON pointer; at most 256 bytes of it.
    pub at: String,
    /// What it must do, such as `equal "PASSED"`; at most 256 bytes of what it is compared with.
    pub expected: String,
    /// What is there, as JSON, at most 256 bytes of it; nothing if nothing is.
    pub found: Option<String>,
}

/// In one line.
impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.as_str() {
            "" => f.write_str("it")?,
            at => write!(f, "`{}`", at.escape_debug())?,
        }
        match &self.found {
            Some(found) => write!(f, " is {found}")?,
            None => f.write_str(" is not there")?,
        }
        write!(f, " and must {}", self.expected)
    }
}

impl Unmet {
    pub(super) fn new(at: &str, expected: String, found: Option<&Value<'_>>) -> Self {
        Self { at: shortened(at, MAX_SHOWN), expected, found: found.map(shown) }
    }
}

impl Test {
    /// What a value must do, in words.
    pub(super) fn expected(&self) -> String {
        let with = |words: &str, operand: &Value<'_>| [words, &shown(operand)].concat();
        let list = |values: &[Value<'static>]| Value::from(values.to_vec());
        match self {
            Test::Equals(value) => with("equal ", value),
            Test::OneOf(values) => with("be one of ", &list(values)),
            Test::Matches(text, _) => with("be a text that matches ", &Value::from(text.as_str())),
            Test::Present(true) => "be there".into(),
            Test::Present(false) => "not be there".into(),
            Test::AtLeast(number) => ["be a number of at least ", &shortened(number.as_str(), MAX_SHOWN)].concat(),
            Test::AtMost(number) => ["be a number of at most ", &shortened(number.as_str(), MAX_SHOWN)].concat(),
            Test::Only(names) => {
                let names: Vec<Value<'static>> = names.iter().cloned().map(Value::from).collect();
                with("be an object with no other members than ", &list(&names))
            }
            Test::Every(node) => with("be a list or an object whose every item meets ", &node.to_json()),
            Test::Some(node) => with("be a list or an object with an item that meets ", &node.to_json()),
        }
    }
}

impl Node {
    /// What a value must do that this is the opposite of, in words.
    pub(super) fn opposite(&self) -> String {
        ["be such that this fails: ", &shown(&self.to_json())].concat()
    }
}

/// A value as JSON without white space, as much of it as [`MAX_SHOWN`] bytes hold, and in which nothing moves a terminal.
pub(super) fn shown(value: &Value<'_>) -> String {
    let mut out = String::new();
    write(value, &mut out);
    shortened(&out, MAX_SHOWN)
}

fn write(value: &Value<'_>, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(&shortened(number.as_str(), MAX_SHOWN)),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate().take_while(|(place, _)| *place <= MAX_SHOWN) {
                if place > 0 {
                    out.push(',');
                }
                if out.len() > MAX_SHOWN {
                    return;
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(object) => {
            out.push('{');
            for (place, (name, member)) in object.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                if out.len() > MAX_SHOWN {
                    return;
                }
                write_text(name, out);
                out.push(':');
                write(member, out);
            }
            out.push('}');
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    // More would be cut off.
    out.extend(text.chars().take(MAX_SHOWN).flat_map(char::escape_debug));
    out.push('"');
}
