//! Constraints on what a predicate says: a small language in JSON (SPEC.md, "Constraints").
//!
//! A constraint looks at a value and holds, fails or stays open, and only one that holds is met. It has no variables, no loops but over
//! what is there, no arithmetic and no time, so that it always ends, and the work that it takes is bounded and the same everywhere. Nothing
//! is converted: a text is no number. What is not there, or of a kind that a test says nothing of, leaves the test open, and the opposite of
//! what is open is open: nobody meets a constraint by leaving a member out, unless it says so.
//!
//! ```
//! use touchmark_envelope::json::parse;
//! use touchmark_in_toto::constraint::{Constraint, Verdict};
//! use touchmark_in_toto::engine::Work;
//!
//! let text = br#"{"all": [{"at": "/result", "equals": "PASSED"}, {"at": "/failedTests", "equals": []}]}"#;
//! let constraint = Constraint::parse(text)?;
//! let predicate = parse(br#"{"result": "FAILED", "failedTests": []}"#, 100)?;
//! let Verdict::Unmet(why) = constraint.check(&predicate, &mut Work::new(1000))? else { panic!() };
//! assert_eq!(why[0].to_string(), r#"`/result` is "FAILED" and must equal "PASSED""#);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod check;
mod number;
mod pointer;
mod unmet;

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use touchmark_envelope::json::{self, Number, Value};
use touchmark_envelope::sorted;

use crate::error::{Error, shortened};
use crate::glob::Pattern;
use crate::predicate;
use crate::work::{OutOfWork, Work};

use self::number::Exact;
use self::pointer::Pointer;
pub use self::unmet::{MAX_UNMET, Unmet, Verdict};

/// Constraints within each other.
pub const MAX_DEPTH: usize = 12;
/// Constraints and JSON values in one constraint, itself included.
pub const MAX_NODES: usize = 1024;
/// Bytes of a constraint that [`Constraint::parse`] reads.
pub const MAX_BYTES: usize = 1 << 20;

/// A constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint(Node);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    /// What the pointer leads to is as the test says.
    At(Pointer, Test),
    /// All of these hold.
    All(Vec<Node>),
    /// At least one of these holds.
    Any(Vec<Node>),
    /// This fails.
    Not(Box<Node>),
}

/// What a value must be.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    /// This value.
    Equals(Value<'static>),
    /// One of these values.
    OneOf(Vec<Value<'static>>),
    /// A text that this pattern (in-toto 1.0, 4.3.3) matches as a whole.
    Matches(String, Pattern),
    /// There, or not there.
    Present(bool),
    /// A number not less than this one.
    AtLeast(Number<'static>),
    /// A number not greater than this one.
    AtMost(Number<'static>),
    /// An object without other members than these.
    Only(Vec<String>),
    /// A list or an object with items that are all so.
    Every(Box<Node>),
    /// A list or an object with an item that is so.
    Some(Box<Node>),
}

/// What is wrong with a constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConstraintFault {
    /// It is no object.
    Shape,
    /// It is an expression of another language, such as ITE-11's.
    Expression,
    /// It has a member that no constraint has.
    Member,
    /// It is neither a test of what is `at` a place nor one of `all`, `any` and `not`, or several of these.
    Kind,
    /// Its `at` is no JSON pointer, or leads deeper than values go.
    Pointer,
    /// What a test compares with is not what the test takes.
    Operand,
    /// Constraints stand within each other more than [`MAX_DEPTH`] deep.
    Depth,
    /// It has more than [`MAX_NODES`] parts.
    Nodes,
}

impl fmt::Display for ConstraintFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ConstraintFault::Shape => "is no object",
            ConstraintFault::Expression => {
                "is an expression of another language, such as CEL: what is taken is `at` and one test, `all`, `any` or `not`"
            }
            ConstraintFault::Member => "has a member that no constraint has",
            ConstraintFault::Kind => "is not exactly one of `at` and one test, `all`, `any` and `not`",
            ConstraintFault::Pointer => "has an `at` that is no JSON pointer, or leads deeper than values go",
            ConstraintFault::Operand => "compares with what its test does not take",
            ConstraintFault::Depth => "has constraints too deep within each other",
            ConstraintFault::Nodes => "has too many parts",
        })
    }
}

/// Why a predicate, which is a statement's or nothing, does not meet these: nothing if it does.
///
/// # Errors
/// The predicate is no JSON, or has more values than are read. The inner one: it takes more than `work`.
pub fn unmet(predicate: Option<&str>, constraints: &[Constraint], work: &mut Work) -> Result<Result<Vec<Unmet>, OutOfWork>, Error> {
    let mut unmet = Vec::new();
    if constraints.is_empty() {
        return Ok(Ok(unmet));
    }
    let value = predicate::value(predicate)?;
    for constraint in constraints {
        match constraint.check(&value, work) {
            Ok(Verdict::Met) => {}
            Ok(Verdict::Unmet(why)) => unmet.extend(why),
            Err(out) => return Ok(Err(out)),
        }
    }
    Ok(Ok(unmet))
}

/// The tests, by the names of their members.
const TESTS: [&str; 9] = ["equals", "one_of", "matches", "present", "at_least", "at_most", "only", "every", "some"];

impl Constraint {
    /// Reads a constraint from a document of its own, of at most [`MAX_BYTES`] bytes.
    ///
    /// # Errors
    /// No JSON, and as for [`read`](Self::read).
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        Self::read(&json::parse_bounded(text, MAX_BYTES, MAX_NODES.saturating_mul(4))?)
    }

    /// As it is written.
    pub fn to_json(&self) -> Value<'static> {
        self.0.to_json()
    }

    /// Reads a constraint. A member that none has is an error, since it could be a demand.
    ///
    /// # Errors
    /// [`Error::Constraint`] with what is wrong with it.
    pub fn read(value: &Value<'_>) -> Result<Self, Error> {
        let mut nodes = MAX_NODES;
        Node::read(value, MAX_DEPTH, &mut nodes).map(Self)
    }
}

impl Node {
    /// As it is written.
    fn to_json(&self) -> Value<'static> {
        let list = |nodes: &[Node]| Value::from(nodes.iter().map(Self::to_json).collect::<Vec<_>>());
        match self {
            Node::All(nodes) => Value::object([("all", list(nodes))]),
            Node::Any(nodes) => Value::object([("any", list(nodes))]),
            Node::Not(node) => Value::object([("not", node.to_json())]),
            Node::At(pointer, test) => {
                let (name, operand) = match test {
                    Test::Equals(value) => ("equals", value.clone()),
                    Test::OneOf(values) => ("one_of", Value::from(values.clone())),
                    Test::Matches(text, _) => ("matches", Value::from(text.clone())),
                    Test::Present(present) => ("present", Value::from(*present)),
                    Test::AtLeast(number) => ("at_least", Value::Number(number.clone())),
                    Test::AtMost(number) => ("at_most", Value::Number(number.clone())),
                    Test::Only(names) => ("only", Value::from(names.iter().cloned().map(Value::from).collect::<Vec<_>>())),
                    Test::Every(node) => ("every", node.to_json()),
                    Test::Some(node) => ("some", node.to_json()),
                };
                Value::object([("at", Value::from(pointer.as_str().to_owned())), (name, operand)])
            }
        }
    }

    fn read(value: &Value<'_>, depth: usize, nodes: &mut usize) -> Result<Self, Error> {
        let malformed = |fault| fault_in(value, fault);
        let Some(object) = value.as_object() else {
            return Err(malformed(if value.as_str().is_some() { ConstraintFault::Expression } else { ConstraintFault::Shape }));
        };
        if object.contains("rule") || object.contains("language") {
            return Err(malformed(ConstraintFault::Expression));
        }
        let depth = depth.checked_sub(1).ok_or_else(|| malformed(ConstraintFault::Depth))?;
        take(nodes, value)?;
        let within = |value: &Value<'_>, nodes: &mut usize| Self::read(value, depth, nodes);
        let list = |value: &Value<'_>, nodes: &mut usize| {
            let items = value.as_array().filter(|items| !items.is_empty()).ok_or_else(|| malformed(ConstraintFault::Operand))?;
            items.iter().map(|item| Self::read(item, depth, nodes)).collect::<Result<Vec<_>, _>>()
        };
        let known = |name: &str| matches!(name, "at" | "all" | "any" | "not") || TESTS.contains(&name);
        if !object.iter().all(|(name, _)| known(name)) {
            return Err(malformed(ConstraintFault::Member));
        }
        let mut members: Vec<(&str, &Value<'_>)> = object.iter().collect();
        sorted::sort_by(&mut members, |(one, _), (other, _)| (*one != "at").cmp(&(*other != "at")));
        match members.as_slice() {
            [("all", value)] => Ok(Node::All(list(value, nodes)?)),
            [("any", value)] => Ok(Node::Any(list(value, nodes)?)),
            [("not", value)] => Ok(Node::Not(Box::new(within(value, nodes)?))),
            [("at", at), (name, operand)] if TESTS.contains(name) => {
                let pointer = at.as_str().and_then(Pointer::new).ok_or_else(|| malformed(ConstraintFault::Pointer))?;
                let test = match *name {
                    "every" => Test::Every(Box::new(within(operand, nodes)?)),
                    "some" => Test::Some(Box::new(within(operand, nodes)?)),
                    name => {
                        take_all(nodes, operand)?;
                        Test::read(name, operand).ok_or_else(|| malformed(ConstraintFault::Operand))?
                    }
                };
                Ok(Node::At(pointer, test))
            }
            _ => Err(malformed(ConstraintFault::Kind)),
        }
    }
}

impl Test {
    /// One that has no constraint within it. `None` if the operand is not what it takes.
    fn read(name: &str, operand: &Value<'_>) -> Option<Self> {
        let owned = |value: &Value<'_>| value.clone().into_owned();
        let several = || operand.as_array().filter(|items| !items.is_empty());
        Some(match (name, operand) {
            ("equals", value) if is_comparable(value) => Test::Equals(owned(value)),
            ("one_of", _) => {
                let values = several()?;
                values.iter().all(is_comparable).then(|| Test::OneOf(values.iter().map(owned).collect()))?
            }
            ("matches", Value::String(text)) => Test::Matches(text.as_ref().to_owned(), Pattern::new(text)),
            ("present", Value::Bool(present)) => Test::Present(*present),
            ("at_least" | "at_most", Value::Number(_)) if is_comparable(operand) => match (owned(operand), name) {
                (Value::Number(number), "at_least") => Test::AtLeast(number),
                (Value::Number(number), _) => Test::AtMost(number),
                _ => return None,
            },
            // An empty list is that of an object without members.
            ("only", Value::Array(names)) => {
                Test::Only(names.iter().map(|name| name.as_str().map(ToOwned::to_owned)).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }
}

/// Whether all numbers in it are such as can be compared.
fn is_comparable(value: &Value<'_>) -> bool {
    match value {
        Value::Number(number) => Exact::of(number).is_some(),
        Value::Array(items) => items.iter().all(is_comparable),
        Value::Object(object) => object.iter().all(|(_, value)| is_comparable(value)),
        _ => true,
    }
}

/// Takes a part off the number of those that there may be.
fn take(nodes: &mut usize, value: &Value<'_>) -> Result<(), Error> {
    *nodes = nodes.checked_sub(1).ok_or_else(|| fault_in(value, ConstraintFault::Nodes))?;
    Ok(())
}

/// Takes a value, and all that are in it, off the number of parts that there may be.
fn take_all(nodes: &mut usize, value: &Value<'_>) -> Result<(), Error> {
    take(nodes, value)?;
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| take_all(nodes, item)),
        Value::Object(object) => object.iter().try_for_each(|(_, member)| take_all(nodes, member)),
        _ => Ok(()),
    }
}

fn fault_in(value: &Value<'_>, fault: ConstraintFault) -> Error {
    Error::Constraint { text: shortened(&unmet::shown(value), 128), fault }
}
