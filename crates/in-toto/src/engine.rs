//! Rules, applied to what a step or an inspection began or ended with (in-toto 1.0, 4.3.3.1 to 4.3.3.3).
//!
//! The queue holds the names of the materials or of the products. Each rule sees what the former ones left: CREATE, DELETE, MODIFY,
//! ALLOW and MATCH take out what they are for; DISALLOW fails if what it is for is still there; REQUIRE fails if it is not. What is left
//! at the end is allowed. A rule looks at nothing but what can match it: one artifact for a name, a range of them for what begins with a
//! text, since names are sorted; two sorted lists are walked side by side. So a list of rules of these kinds takes time in proportion to
//! the artifacts.

use alloc::string::String;
use alloc::vec::Vec;

use crate::artifacts::{Artifacts, Digests};
use crate::error::shortened;
use crate::glob::{Pattern, Shape};
use crate::link::{Link, Origin};
use crate::queue::Queue;
use crate::rule::{Kind, Match, Rule, Side};
pub use crate::work::{OutOfWork, Work};

/// So many names of disallowed artifacts are kept for a rule, as long as there are fewer than 4096 of them for all; how many there are is
/// always told.
pub const MAX_NAMES: usize = 32;
/// Bytes of the name of an artifact that a failure tells.
pub const MAX_NAME: usize = 256;

/// What became of one list of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    rules: Vec<Outcome>,
    consumed_by: Vec<u32>,
}

/// What became of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How many artifacts it consumed.
    pub consumed: usize,
    /// How many it left.
    pub left: usize,
    /// Why it failed, if it did.
    pub failure: Option<RuleFailure>,
}

/// Why a rule failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleFailure {
    /// Artifacts that no rule before it consumed.
    #[error("disallows {found} that no rule before it consumed{}", listed(names, *found))]
    Disallowed {
        /// Their names, at most [`MAX_NAMES`] of them, each cut to [`MAX_NAME`] bytes.
        names: Vec<String>,
        /// How many there are.
        found: usize,
    },
    /// The artifact is not there, or a rule before it consumed it.
    #[error("requires `{}`, which {}", name.escape_debug(), if *consumed { "a rule before it consumed" } else { "is not there" })]
    Required {
        /// Its name, cut to [`MAX_NAME`] bytes.
        name: String,
        /// Whether it was there once.
        consumed: bool,
    },
}

impl Applied {
    /// The outcome of each rule, in their order. All are applied, whatever fails.
    pub fn rules(&self) -> &[Outcome] {
        &self.rules
    }

    /// Which rule consumed each artifact, counted from 0, by the artifacts' names; `None` for what was left, and allowed.
    pub fn consumed_by(&self) -> impl Iterator<Item = Option<usize>> {
        self.consumed_by.iter().map(|rule| usize::try_from(*rule).ok().filter(|_| *rule != NOBODY))
    }

    /// Whether no rule failed.
    pub fn is_passed(&self) -> bool {
        self.rules.iter().all(|rule| rule.failure.is_none())
    }
}

const NOBODY: u32 = u32::MAX;

/// Applies `rules` to one side of `item`. `others` has the links that a MATCH may name.
///
/// # Errors
/// It takes more than `work`.
pub fn apply<'a>(
    rules: &[Rule],
    side: Side,
    item: &'a Link,
    others: impl Fn(&str) -> Option<&'a Link>,
    work: &mut Work,
) -> Result<Applied, OutOfWork> {
    let artifacts = item.artifacts(side);
    let consumed_by = alloc::vec![NOBODY; artifacts.len()];
    let mut run = Run { artifacts, queue: Queue::new(artifacts.len()), consumed_by, rule: 0, work };
    let mut changes = None;
    let mut outcomes = Vec::with_capacity(rules.len());
    for (number, rule) in rules.iter().enumerate() {
        run.rule = u32::try_from(number).unwrap_or(NOBODY);
        let before = run.queue.left();
        let mut failure = None;
        match rule.kind() {
            Kind::Allow(pattern) => run.consume("", pattern, |_, _, _| Ok(true))?,
            Kind::Create(pattern) | Kind::Delete(pattern) | Kind::Modify(pattern) => {
                if changes.is_none() {
                    run.work.spend(units(item.materials.len() + item.products.len()))?;
                }
                let changes = changes.get_or_insert_with(|| changes_of(item, side));
                if let Some(wanted) = Change::of(rule.kind(), side) {
                    run.consume("", pattern, |place, _, _| Ok(changes.get(place) == Some(&wanted)))?;
                }
            }
            Kind::Match(rule) => {
                if let Some(other) = others(&rule.from) {
                    run.consume_matching(rule, other.artifacts(rule.side), item.origin.and(other.origin))?;
                }
            }
            Kind::Disallow(pattern) => {
                let (mut names, mut found) = (Vec::new(), 0_usize);
                run.consume("", pattern, |_, name, work| {
                    found += 1;
                    if names.len() < MAX_NAMES && work.keeps_name() {
                        names.push(shortened(name, MAX_NAME));
                    }
                    Ok(false)
                })?;
                failure = (found > 0).then_some(RuleFailure::Disallowed { names, found });
            }
            Kind::Require(name) => {
                let place = artifacts.place(name);
                if !place.is_some_and(|place| run.queue.has(place)) {
                    failure = Some(RuleFailure::Required { name: shortened(name, MAX_NAME), consumed: place.is_some() });
                }
            }
        }
        let left = run.queue.left();
        outcomes.push(Outcome { consumed: before - left, left, failure });
    }
    Ok(Applied { rules: outcomes, consumed_by: run.consumed_by })
}

/// One list of rules that is being applied.
struct Run<'a, 'w> {
    artifacts: &'a Artifacts,
    queue: Queue,
    consumed_by: Vec<u32>,
    rule: u32,
    work: &'w mut Work,
}

impl<'a> Run<'a, '_> {
    /// Takes out of the queue what begins with `source`, goes on as `pattern` says, and `accept` agrees to: it is given the place, and
    /// the name behind `source`.
    fn consume(
        &mut self,
        source: &str,
        pattern: &Pattern,
        mut accept: impl FnMut(usize, &'a str, &mut Work) -> Result<bool, OutOfWork>,
    ) -> Result<(), OutOfWork> {
        let head = joined(source, pattern.head());
        let shape = pattern.shape();
        let places = match shape {
            Shape::Literal => self.artifacts.place(&head).map_or(0..0, |place| place..place + 1),
            Shape::Prefix | Shape::Other => self.artifacts.places(&head),
        };
        let mut place = self.queue.first(places.start);
        while place < places.end {
            self.work.spend(1)?;
            let name = self.artifacts.name(place);
            let behind = |length: usize| name.get(length..).unwrap_or_default();
            let matches = shape != Shape::Other || pattern.matches_behind(behind(head.len()), self.work)?;
            if matches && accept(place, behind(source.len()), self.work)? {
                self.queue.take(place);
                if let Some(slot) = self.consumed_by.get_mut(place) {
                    *slot = self.rule;
                }
            }
            place = self.queue.first(place + 1);
        }
        Ok(())
    }

    /// Takes out what `rule` matches and `others` has with the same digests (4.3.3.2).
    fn consume_matching(&mut self, rule: &Match, others: &Artifacts, origin: Origin) -> Result<(), OutOfWork> {
        let places = others.places(&joined(&rule.destination, rule.pattern.head()));
        let (prefix, artifacts) = (rule.destination.len(), self.artifacts);
        let behind = |place: usize| others.name(place).get(prefix..).unwrap_or_default();
        // Both are sorted, and stay so behind their prefixes: what was passed is not looked at again.
        let mut at = places.start;
        self.consume(&rule.source, &rule.pattern, |place, wanted, work| {
            at = seek(at, places.end, |other| behind(other) < wanted, work)?;
            Ok(at < places.end && behind(at) == wanted && same(others.digests(at), artifacts.digests(place), origin))
        })
    }
}

/// The first place from `start` on, and before `end`, that is not `before`, found with steps that double first.
fn seek(start: usize, end: usize, before: impl Fn(usize) -> bool, work: &mut Work) -> Result<usize, OutOfWork> {
    let (mut low, mut step) = (start, 1_usize);
    let mut high = low;
    while high < end && before(high) {
        work.spend(1)?;
        low = high + 1;
        high = high.saturating_add(step);
        step = step.saturating_mul(2);
    }
    high = high.min(end);
    while low < high {
        work.spend(1)?;
        let middle = low.midpoint(high);
        if before(middle) { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}

/// How an artifact of one side stands to the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// The other side does not have it.
    Only,
    /// The other side has it, with other digests.
    Differs,
    /// The other side has it, and nothing says that it differs: it is the same, or cannot be compared.
    Other,
}

impl Change {
    /// What a rule consumes; nothing if it is for what the side cannot have.
    fn of(rule: &Kind, side: Side) -> Option<Self> {
        match (rule, side) {
            (Kind::Create(_), Side::Products) | (Kind::Delete(_), Side::Materials) => Some(Change::Only),
            (Kind::Modify(_), _) => Some(Change::Differs),
            _ => None,
        }
    }
}

/// How each artifact of one side stands to the other: both lists are sorted, and walked side by side.
fn changes_of(item: &Link, side: Side) -> Vec<Change> {
    let (these, others) = match side {
        Side::Materials => (&item.materials, &item.products),
        Side::Products => (&item.products, &item.materials),
    };
    let mut other = others.iter().peekable();
    let change = |this: crate::artifacts::Artifact<'_>| {
        while other.next_if(|other| other.name < this.name).is_some() {}
        match other.next_if(|other| other.name == this.name) {
            None => Change::Only,
            Some(other) if differ(other.digests, this.digests, item.origin) => Change::Differs,
            Some(_) => Change::Other,
        }
    };
    these.iter().map(change).collect()
}

/// Whether two artifacts are one, by the rule for what they were read from.
fn same(one: Option<Digests<'_>>, other: Option<Digests<'_>>, origin: Origin) -> bool {
    match (one, other, origin) {
        (Some(one), Some(other), Origin::Link) => one == other,
        (Some(one), Some(other), Origin::Statement) => one.match_as_sets(other),
        _ => false,
    }
}

/// Whether two artifacts are surely not one. In statements, digests by different algorithms do not say, and equal ones that are weak do not.
fn differ(one: Digests<'_>, other: Digests<'_>, origin: Origin) -> bool {
    match origin {
        Origin::Link => one != other,
        Origin::Statement => one.contradict(other),
    }
}

fn joined(first: &str, second: &str) -> String {
    let mut joined = String::with_capacity(first.len() + second.len());
    joined.push_str(first);
    joined.push_str(second);
    joined
}

fn units(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn listed(names: &[String], found: usize) -> String {
    let mut out = String::new();
    for (place, name) in names.iter().take(3).enumerate() {
        out.push_str(if place == 0 { ": `" } else { ", `" });
        out.extend(name.chars().take(128).flat_map(char::escape_debug));
        out.push('`');
    }
    if !names.is_empty() && found > names.len().min(3) {
        out.push_str(", …");
    }
    out
}
