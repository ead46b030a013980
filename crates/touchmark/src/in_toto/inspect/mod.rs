//! Inspections that the user allows by name: each is run in a folder of its own, and what that had before and has after is its outcome.
//!
//! in-toto 1.0, 5.2, item 6, says that the verifier runs every inspection, in the folder that it verifies. Whoever signs a layout then runs
//! what they like where the user works. Here nothing is run that the user did not name, nothing of a sublayout ever, and a command sees a
//! copy of the product, no secret of the environment and no terminal. It is no sandbox: what it runs has the user's rights.

#[cfg(unix)]
mod process;
mod scratch;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use touchmark_in_toto::{Answer, Artifacts, Failure, Inspected, Inspection};

use self::scratch::Scratch;
use super::artifacts::{Recorder, SymbolicLinks};
use super::error::RecordClass;
use super::verify::Inspector;

/// An inspection may take so long, unless told otherwise.
pub const DEFAULT_INSPECTION_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs the inspections of a layout that are named, each once however often it is asked for, and no others.
#[derive(Debug)]
pub struct NamedInspections {
    names: BTreeSet<String>,
    product: Option<(Recorder, Artifacts)>,
    timeout: Duration,
    told: RefCell<Vec<Told>>,
    /// What came of those that were run, by their names and commands.
    answers: RefCell<BTreeMap<(String, Vec<String>), Answer>>,
}

/// What an inspection that was run said, for people to read. Nothing is decided by it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Told {
    /// Its name.
    pub name: String,
    /// What its command returned; nothing if it was ended or could not be run.
    pub returned: Option<i64>,
    /// What it printed, at most 32 KiB of it, in the order in which it was read.
    pub output: Vec<u8>,
}

impl NamedInspections {
    /// Those of these names, each in an empty folder, for at most [`DEFAULT_INSPECTION_TIMEOUT`].
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let names = names.into_iter().collect();
        Self { names, product: None, timeout: DEFAULT_INSPECTION_TIMEOUT, told: RefCell::default(), answers: RefCell::default() }
    }

    /// The same, where each folder begins with a copy of what `product` records. If that is not what `recorded` has, which was recorded
    /// before, the command is not run: what it said would be said of other files.
    #[must_use]
    pub fn with_product(self, product: Recorder, recorded: Artifacts) -> Self {
        Self { product: Some((product, recorded)), ..self }
    }

    /// The same, where a command that has not ended by itself after this time is ended, with all that it left running in its process group.
    #[must_use]
    pub fn within(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// What those that were run said.
    pub fn told(&self) -> Vec<Told> {
        self.told.borrow().clone()
    }

    fn run(&self, inspection: &Inspection) -> Result<Inspected, Failure> {
        let scratch = Scratch::new().map_err(|error| unavailable(&format_args!("its folder cannot be made: {error}")))?;
        if let Some((product, _)) = &self.product {
            scratch.fill(product).map_err(|error| unavailable(&error))?;
        }
        let materials = record(&scratch)?;
        if self.product.as_ref().is_some_and(|(_, recorded)| *recorded != materials) {
            return Err(unavailable(&"the product was changed while it was verified"));
        }
        let (ended, output) = process::run(&inspection.run, &scratch, self.timeout);
        let returned = ended.as_ref().ok().copied();
        self.told.borrow_mut().push(Told { name: inspection.name.clone(), returned, output });
        let return_value = ended?;
        Ok(Inspected { return_value, materials, products: record(&scratch)? })
    }
}

impl Inspector for NamedInspections {
    fn inspect(&self, inspection: &Inspection) -> Answer {
        if !self.names.contains(&inspection.name) {
            return Answer::Absent;
        }
        // It may be asked for again with other links, which are nothing to it. Who attaches many sets must not have it run as often.
        let command = (inspection.name.clone(), inspection.run.clone());
        if let Some(answer) = self.answers.borrow().get(&command) {
            return answer.clone();
        }
        let answer = match self.run(inspection) {
            Ok(inspected) => Answer::Inspected(inspected),
            Err(failure) => Answer::Failed(failure),
        };
        self.answers.borrow_mut().insert(command, answer.clone());
        answer
    }
}

/// All that is in the folder. What cannot be recorded, such as a link that leads out of it, fails the inspection: no rule would see it.
fn record(scratch: &Scratch) -> Result<Artifacts, Failure> {
    let recorded = Recorder::new(scratch.work(), SymbolicLinks::Within).record(&["."], &|_| {});
    recorded.map(|recorded| recorded.artifacts).map_err(|error| match error.class() {
        RecordClass::Malformed => Failure::NoFile(error.to_string()),
        _ => unavailable(&error),
    })
}

/// Elsewhere nothing could end what a command leaves running.
#[cfg(not(unix))]
mod process {
    use super::{Duration, Failure, Scratch, unavailable};

    pub(super) fn run(_: &[String], _: &Scratch, _: Duration) -> (Result<i64, Failure>, Vec<u8>) {
        (Err(unavailable(&"inspections are run on Unix alone")), Vec::new())
    }
}

fn unavailable(why: &dyn std::fmt::Display) -> Failure {
    Failure::Unavailable(why.to_string())
}
