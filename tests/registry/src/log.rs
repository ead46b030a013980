//! What was asked, and how long the chain of requests was that waited for each other.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::lock::lock;
use crate::wire::Head;

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Its method.
    pub method: String,
    /// Its path and query, as sent.
    pub path: String,
    /// The status it was answered; none if it was not (yet).
    pub status: Option<u16>,
    /// The `Authorization` that it carried.
    pub authorization: Option<String>,
    /// All headers.
    pub headers: Vec<(String, String)>,
    /// The connection it came over, counted from 1.
    pub connection: u64,
    /// When its head had come, since the registry's start.
    pub started: Duration,
    /// When its answer was about to be complete.
    pub finished: Option<Duration>,
    /// How many requests, this one included, waited for one another: one more than the deepest whose answer was finished before
    /// this one came.
    pub depth: u32,
}

impl Logged {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug)]
pub(crate) struct Log {
    began: Instant,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    logged: Vec<Logged>,
    /// The greatest depth of a finished request.
    deepest: u32,
    /// Counts how often the log was cleared: what began before is not finished in what came after.
    age: u64,
}

/// An entry that is not finished.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    index: usize,
    age: u64,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), entries: Mutex::default() }
    }

    pub(crate) fn arrive(&self, head: &Head, connection: u64) -> Entry {
        let mut entries = lock(&self.entries);
        let depth = entries.deepest + 1;
        entries.logged.push(Logged {
            method: head.method.clone(),
            path: head.target.clone(),
            status: None,
            authorization: head.header("authorization").map(str::to_owned),
            headers: head.headers.clone(),
            connection,
            started: self.began.elapsed(),
            finished: None,
            depth,
        });
        Entry { index: entries.logged.len() - 1, age: entries.age }
    }

    pub(crate) fn finish(&self, entry: Entry, status: Option<u16>) {
        let mut entries = lock(&self.entries);
        if entry.age != entries.age {
            return;
        }
        let now = self.began.elapsed();
        if let Some(logged) = entries.logged.get_mut(entry.index) {
            logged.status = status;
            logged.finished = Some(now);
            let depth = logged.depth;
            entries.deepest = entries.deepest.max(depth);
        }
    }

    pub(crate) fn entries(&self) -> Vec<Logged> {
        lock(&self.entries).logged.clone()
    }

    pub(crate) fn clear(&self) {
        let mut entries = lock(&self.entries);
        *entries = Entries { age: entries.age + 1, ..Entries::default() };
    }
}
