//! Whether a value meets a constraint.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt::Write as _;

use touchmark_envelope::json::{Number, Object, Value};

use crate::work::{OutOfWork, Work};

use super::number::Exact;
use super::pointer::escaped;
use super::unmet::{MAX_UNMET, Unmet, Verdict};
use super::{Constraint, Node, Test};

/// What came of a test (the logic is Kleene's).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    Holds,
    Fails,
    /// The value is not there, or of a kind that the test says nothing of.
    Open,
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Truth::Holds } else { Truth::Fails }
    }
}

impl Truth {
    fn not(self) -> Self {
        match self {
            Truth::Holds => Truth::Fails,
            Truth::Fails => Truth::Holds,
            Truth::Open => Truth::Open,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Truth::Fails, _) | (_, Truth::Fails) => Truth::Fails,
            (Truth::Open, _) | (_, Truth::Open) => Truth::Open,
            (Truth::Holds, Truth::Holds) => Truth::Holds,
        }
    }

    fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }
}

impl Constraint {
    /// Whether `value` meets it. The work is one unit for each test of a value, each part of a value that is compared, each member of an
    /// object that is looked through and each character that a pattern is tried with.
    ///
    /// # Errors
    /// It takes more than `work`.
    pub fn check(&self, value: &Value<'_>, work: &mut Work) -> Result<Verdict, OutOfWork> {
        let mut run = Run { work, unmet: Vec::new() };
        match run.check(&self.0, value, &Place::Root)? {
            Truth::Holds => Ok(Verdict::Met),
            Truth::Fails | Truth::Open => Ok(Verdict::Unmet(run.unmet)),
        }
    }
}

/// Where a value that is looked at is.
#[derive(Clone, Copy)]
enum Place<'a> {
    Root,
    At(&'a Place<'a>, &'a str),
    Member(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn write(&self, out: &mut String) {
        match self {
            Place::Root => {}
            Place::At(place, pointer) => {
                place.write(out);
                out.push_str(pointer);
            }
            Place::Member(place, name) => {
                place.write(out);
                out.push('/');
                out.push_str(&escaped(name));
            }
            Place::Item(place, number) => {
                place.write(out);
                // Writing to a text does not fail.
                let _ = write!(out, "/{number}");
            }
        }
    }
}

struct Run<'w> {
    work: &'w mut Work,
    unmet: Vec<Unmet>,
}

impl Run<'_> {
    fn check(&mut self, node: &Node, value: &Value<'_>, place: &Place<'_>) -> Result<Truth, OutOfWork> {
        self.work.spend(1)?;
        match node {
            Node::All(nodes) => nodes.iter().try_fold(Truth::Holds, |all, node| Ok(all.and(self.check(node, value, place)?))),
            Node::Any(nodes) => {
                let (mut any, told) = (Truth::Fails, self.unmet.len());
                for node in nodes {
                    any = any.or(self.check(node, value, place)?);
                    if any == Truth::Holds {
                        // What the others lack is no matter.
                        self.unmet.truncate(told);
                        break;
                    }
                }
                Ok(any)
            }
            Node::Not(node) => {
                let told = self.unmet.len();
                let truth = self.check(node, value, place)?.not();
                match truth {
                    Truth::Holds => self.unmet.truncate(told),
                    // Who wants to know why it is open is told where.
                    Truth::Open => {}
                    Truth::Fails => {
                        self.unmet.truncate(told);
                        self.tell(place, || node.opposite(), Some(value));
                    }
                }
                Ok(truth)
            }
            Node::At(pointer, test) => {
                let found = pointer.find(value, self.work)?;
                let place = Place::At(place, pointer.as_str());
                match found {
                    Some(found) => self.test(test, found, &place),
                    None => {
                        let truth = if let Test::Present(present) = test { Truth::from(!*present) } else { Truth::Open };
                        if truth != Truth::Holds {
                            self.tell(&place, || test.expected(), None);
                        }
                        Ok(truth)
                    }
                }
            }
        }
    }

    fn test(&mut self, test: &Test, value: &Value<'_>, place: &Place<'_>) -> Result<Truth, OutOfWork> {
        let told = self.unmet.len();
        let truth = match (test, value) {
            (Test::Equals(wanted), value) => self.equal(wanted, value)?,
            (Test::OneOf(wanted), value) => {
                let mut any = Truth::Fails;
                for wanted in wanted {
                    any = any.or(self.equal(wanted, value)?);
                }
                any
            }
            (Test::Matches(_, pattern), Value::String(text)) => Truth::from(pattern.matches_within(text, self.work)?),
            (Test::Present(present), _) => Truth::from(*present),
            (Test::AtLeast(least), Value::Number(number)) => self.compare(number, least, Ordering::is_ge)?,
            (Test::AtMost(most), Value::Number(number)) => self.compare(number, most, Ordering::is_le)?,
            (Test::Only(names), Value::Object(object)) => self.only(names, object)?,
            (Test::Every(node), Value::Array(_) | Value::Object(_)) => {
                let truth = self.items(node, value, place, Truth::Holds, Truth::and)?;
                // The items that are not so have been told.
                return Ok(truth);
            }
            (Test::Some(node), Value::Array(_) | Value::Object(_)) => self.items(node, value, place, Truth::Fails, Truth::or)?,
            _ => Truth::Open,
        };
        self.unmet.truncate(told);
        if truth != Truth::Holds {
            self.tell(place, || test.expected(), Some(value));
        }
        Ok(truth)
    }

    /// What comes of all items of a list, or all members of an object.
    fn items(
        &mut self,
        node: &Node,
        value: &Value<'_>,
        place: &Place<'_>,
        none: Truth,
        join: impl Fn(Truth, Truth) -> Truth,
    ) -> Result<Truth, OutOfWork> {
        let mut truth = none;
        match value {
            Value::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    truth = join(truth, self.check(node, item, &Place::Item(place, number))?);
                }
            }
            Value::Object(object) => {
                for (name, member) in object.iter() {
                    truth = join(truth, self.check(node, member, &Place::Member(place, name))?);
                }
            }
            _ => return Ok(Truth::Open),
        }
        Ok(truth)
    }

    fn only(&mut self, names: &[String], object: &Object<'_>) -> Result<Truth, OutOfWork> {
        self.work.spend(product(object.len(), names.len().max(1)))?;
        Ok(Truth::from(object.iter().all(|(name, _)| names.iter().any(|known| known == name))))
    }

    /// Whether both are one value: of one kind, numbers by what they are, members of objects in any order.
    fn equal(&mut self, one: &Value<'_>, other: &Value<'_>) -> Result<Truth, OutOfWork> {
        self.work.spend(1)?;
        Ok(match (one, other) {
            (Value::Number(one), Value::Number(other)) => self.compare(one, other, Ordering::is_eq)?,
            (Value::String(one), Value::String(other)) => {
                self.work.spend(u64::try_from(one.len()).unwrap_or(u64::MAX))?;
                Truth::from(one == other)
            }
            (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
                let mut all = Truth::Holds;
                for (one, other) in one.iter().zip(other) {
                    all = all.and(self.equal(one, other)?);
                }
                all
            }
            (Value::Object(one), Value::Object(other)) if one.len() == other.len() => {
                self.work.spend(product(one.len(), other.len()))?;
                let mut all = Truth::Holds;
                for (name, one) in one.iter() {
                    all = all.and(match other.get(name) {
                        Some(other) => self.equal(one, other)?,
                        None => Truth::Fails,
                    });
                }
                all
            }
            (Value::Null, Value::Null) => Truth::Holds,
            (Value::Bool(one), Value::Bool(other)) => Truth::from(one == other),
            _ => Truth::Fails,
        })
    }

    /// Whether two numbers stand as `wanted` says; open where one is beyond what is compared.
    fn compare(&mut self, one: &Number<'_>, other: &Number<'_>, wanted: impl Fn(Ordering) -> bool) -> Result<Truth, OutOfWork> {
        self.work.spend(u64::try_from(one.as_str().len().saturating_add(other.as_str().len())).unwrap_or(u64::MAX))?;
        let order = Exact::of(one).and_then(|one| Some(one.compare(&Exact::of(other)?)));
        Ok(order.map_or(Truth::Open, |order| Truth::from(wanted(order))))
    }

    fn tell(&mut self, place: &Place<'_>, expected: impl FnOnce() -> String, found: Option<&Value<'_>>) {
        if self.unmet.len() < MAX_UNMET {
            let mut at = String::new();
            place.write(&mut at);
            self.unmet.push(Unmet::new(&at, expected(), found));
        }
    }
}

fn product(one: usize, other: usize) -> u64 {
    u64::try_from(one.saturating_mul(other)).unwrap_or(u64::MAX)
}
