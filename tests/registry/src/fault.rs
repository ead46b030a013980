//! Faults: what goes wrong, and with which requests.

use std::sync::Mutex;
use std::time::Duration;

use crate::lock::lock;
use crate::random::Random;

/// Something that goes wrong with some requests.
///
/// ```
/// use touchmark_test_registry::{Action, Fault};
///
/// // The third request for a list of referrers is told to come back later.
/// let fault = Fault::new(Action::status(429).with("Retry-After", "1")).get().path("/referrers/").nth(3);
/// # let _ = fault;
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    /// Requests of this method alone.
    pub method: Option<String>,
    /// Requests alone whose path and query contain this.
    pub path: Option<String>,
    /// Which of those.
    pub when: When,
    /// What happens to them.
    pub action: Action,
}

/// Which of the requests that match.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// Each.
    Always,
    /// The n-th alone, counted from 1.
    Nth(u64),
    /// The first n.
    First(u64),
    /// The n-th and each after it.
    From(u64),
    /// Each k-th: the k-th, the 2k-th, and so on.
    Every(u64),
    /// Each by chance: the probability, and the seed of the chances.
    Chance(f64, u64),
}

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Action {
    /// It is not carried out, and answered with this status, these headers and this body.
    Status(u16, Vec<(String, String)>, Vec<u8>),
    /// It is carried out, and then answered with this status nonetheless.
    Carried(u16),
    /// It is not carried out, and the connection is reset.
    Reset,
    /// It is carried out, and the connection is reset before an answer.
    Lost,
    /// The connection is reset after that many bytes of the answer's body.
    ResetBody(u64),
    /// The connection is closed in order after that many bytes of the answer's body.
    Truncate(u64),
    /// The answer's body comes as one byte each such while.
    Drip(Duration),
    /// Nothing ever comes.
    Hang,
    /// The answer comes that much later.
    Late(Duration),
    /// The answer has this body in place of its own.
    Body(Vec<u8>),
    /// The answer, which is a 200, has this beginning and then one byte again and again up to this length; endless without one.
    Fill(Vec<u8>, u8, Option<u64>),
    /// The answer has this header, in place of its own of that name; or lacks it.
    Header(String, Option<String>),
    /// A redirect, 307, to this URL.
    Redirect(String),
    /// A manifest is answered as if this reference, a tag or a digest, had been asked for.
    Manifest(String),
}

impl Action {
    /// This status with an error by the specification.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status(status, Vec::new(), Vec::new())
    }

    /// Adds a header to a status.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Status(_, headers, _) = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

impl Fault {
    /// Each request.
    #[must_use]
    pub fn new(action: Action) -> Self {
        Self { method: None, path: None, when: When::Always, action }
    }

    /// Requests of this method alone.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Requests alone that read.
    #[must_use]
    pub fn get(self) -> Self {
        self.method("GET")
    }

    /// Requests alone whose path and query contain this.
    #[must_use]
    pub fn path(mut self, part: &str) -> Self {
        self.path = Some(part.to_owned());
        self
    }

    /// Those of the matching requests alone.
    #[must_use]
    pub fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    /// The n-th of the matching requests alone, counted from 1.
    #[must_use]
    pub fn nth(self, n: u64) -> Self {
        self.when(When::Nth(n))
    }

    fn matches(&self, method: &str, target: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path.as_deref().is_none_or(|part| target.contains(part))
    }
}

/// The faults of a server, and how often each matched.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Armed>>);

#[derive(Debug)]
struct Armed {
    fault: Fault,
    matched: u64,
    random: Random,
}

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        let seed = if let When::Chance(_, seed) = fault.when { seed } else { 0 };
        lock(&self.0).push(Armed { fault, matched: 0, random: Random::seeded(seed) });
    }

    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }

    /// What happens to this request: what the first fault says that strikes. Every fault that matches counts it.
    pub(crate) fn strike(&self, method: &str, target: &str) -> Option<Action> {
        let mut action = None;
        for armed in lock(&self.0).iter_mut().filter(|armed| armed.fault.matches(method, target)) {
            armed.matched += 1;
            let strikes = match armed.fault.when {
                When::Always => true,
                When::Nth(n) => armed.matched == n,
                When::First(n) => armed.matched <= n,
                When::From(n) => armed.matched >= n,
                When::Every(k) => k > 0 && armed.matched.is_multiple_of(k),
                When::Chance(probability, _) => armed.random.chance() < probability,
            };
            if strikes && action.is_none() {
                action = Some(armed.fault.action.clone());
            }
        }
        action
    }
}
