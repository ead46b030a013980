use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::fmt;

use touchmark_envelope::UnixTime;
use touchmark_envelope::json::{Object, Value};
use touchmark_envelope::sorted;
#[cfg(feature = "supply-chain")]
use touchmark_in_toto::{Detail, Report};

use super::{Class, Fault};
use crate::candidate::{Candidate, Outcome};

/// A refusal, with every reason for it.
#[derive(Clone, Debug)]
pub struct Rejected {
    pub(crate) inner: Box<Inner>,
}

#[derive(Clone, Debug)]
pub(crate) struct Inner {
    pub(crate) class: Class,
    pub(crate) fault: Fault,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) at: UnixTime,
    #[cfg(feature = "supply-chain")]
    pub(crate) supply_chain: Option<Box<Report>>,
}

impl Rejected {
    pub(crate) fn new(class: Class, fault: Fault, candidates: Vec<Candidate>, at: UnixTime) -> Self {
        let inner = Inner {
            class,
            fault,
            candidates,
            at,
            #[cfg(feature = "supply-chain")]
            supply_chain: None,
        };
        Self { inner: Box::new(inner) }
    }

    #[cfg(feature = "supply-chain")]
    pub(crate) fn with_supply_chain(mut self, report: Option<Box<Report>>) -> Self {
        self.inner.supply_chain = report;
        self
    }

    /// The refusal of a reference that a source could not resolve.
    pub fn unresolved(class: Class, code: &'static str, message: String, at: UnixTime) -> Self {
        Self::new(class, Fault::Unresolved { message, code }, Vec::new(), at)
    }

    /// The kind of refusal.
    pub fn class(&self) -> Class {
        self.inner.class
    }

    /// What decided it.
    pub fn fault(&self) -> &Fault {
        &self.inner.fault
    }

    /// All the evidence that was looked at.
    pub fn candidates(&self) -> &[Candidate] {
        &self.inner.candidates
    }

    /// What was found of the supply chain, if that is what does not hold.
    #[cfg(feature = "supply-chain")]
    pub fn supply_chain(&self) -> Option<&Report> {
        self.inner.supply_chain.as_deref()
    }

    /// The refusal as JSON: `{at, candidates}`, and `supply_chain` where that does not hold; class and fault are the error's `code` and `message`.
    pub fn to_json(&self) -> Object<'static> {
        let mut object = Object::new();
        object.insert("at", Value::from(self.inner.at.to_string()));
        object.insert("candidates", Value::from(self.inner.candidates.iter().map(Candidate::to_json).collect::<Vec<_>>()));
        #[cfg(feature = "supply-chain")]
        if let Some(report) = &self.inner.supply_chain {
            object.insert("supply_chain", report.to_json(Detail::Rules));
        }
        object
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner.fault, f)
    }
}

impl core::error::Error for Rejected {}

/// Why the candidates do not count, in a line: the distinct reasons, the three most frequent ones.
pub(crate) fn reasons(candidates: &[Candidate], unknown: bool) -> String {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for candidate in candidates {
        let reason = match &candidate.outcome {
            Outcome::Failed(reason) if !unknown => reason,
            Outcome::Unknown(reason) if unknown => reason,
            _ => continue,
        };
        *counted.entry(reason.to_string()).or_default() += 1;
    }
    let mut counted: Vec<(String, usize)> = counted.into_iter().collect();
    sorted::sort_by(&mut counted, |(text, times), (other, others)| (Reverse(times), text).cmp(&(Reverse(others), other)));
    let line = |(text, times): &(String, usize)| match times {
        1 => text.clone(),
        _ => alloc::format!("{text} ({times} times)"),
    };
    let lines: Vec<String> = counted.iter().take(3).map(line).collect();
    lines.join("; ")
}
