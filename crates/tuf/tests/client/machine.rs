//! A client with a store in memory, driven against a repository in memory.

use std::collections::{BTreeMap, BTreeSet};

use touchmark_test_tuf_repository::{Fetched, NOW, Repository};
use touchmark_tuf::{Answer, Client, Error, Failure, LookUp, Settings, Step, TargetPath, UnixTime};

/// No honest or hostile repository of these tests takes more steps; one that does is a client that does not end.
const MAX_STEPS: usize = 20_000;

/// What survives from one run of a client to the next, and what it asked.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// The local store.
    pub(crate) store: BTreeMap<String, Vec<u8>>,
    /// The time of the next run, in Unix seconds.
    pub(crate) at: i64,
    pub(crate) settings: Settings,
    /// Every step of the last run but the last, `Done`: `load root.json`, `fetch 2.root.json`, `store root.json` and so on.
    pub(crate) steps: Vec<String>,
    /// The limits of the last run's steps that have one.
    pub(crate) limits: BTreeMap<String, u64>,
    /// Steps that fail, such as `store root.json`.
    pub(crate) failing: BTreeSet<String>,
}

impl Machine {
    /// One that has never run, and trusts the first root of `repository`.
    pub(crate) fn new(repository: &Repository) -> Self {
        Self::trusting(repository.file("1.root.json"))
    }

    /// One that has never run, and trusts this root.
    pub(crate) fn trusting(root: &[u8]) -> Self {
        Self {
            store: BTreeMap::from([("root.json".to_owned(), root.to_vec())]),
            at: NOW,
            settings: Settings::default(),
            steps: Vec::new(),
            limits: BTreeMap::new(),
            failing: BTreeSet::new(),
        }
    }

    /// One that has run once against `repository`, and found nothing wrong with it.
    pub(crate) fn refreshed(repository: &Repository) -> Self {
        let mut machine = Self::new(repository);
        machine.refresh(repository).expect("an honest repository");
        machine
    }

    /// Runs an update.
    pub(crate) fn refresh(&mut self, repository: &Repository) -> Result<Client, Error> {
        self.steps.clear();
        self.limits.clear();
        let mut client = Client::new(self.settings, UnixTime::from_seconds(self.at).expect("a time"));
        self.drive(&mut client, repository)?;
        Ok(client)
    }

    /// Runs an update and looks a target up.
    pub(crate) fn find(&mut self, repository: &Repository, target: &str) -> Result<LookUp, Error> {
        let mut client = self.refresh(repository)?;
        self.look_up(&mut client, repository, target)
    }

    /// Looks a target up with a client that is up to date.
    pub(crate) fn look_up(&mut self, client: &mut Client, repository: &Repository, target: &str) -> Result<LookUp, Error> {
        client.look_up(&TargetPath::new(target).expect("a target path"))?;
        self.drive(client, repository)?;
        Ok(client.found().expect("a search that is over has an outcome"))
    }

    /// Does what the client says until it is done.
    pub(crate) fn drive(&mut self, client: &mut Client, repository: &Repository) -> Result<(), Error> {
        for _ in 0..MAX_STEPS {
            if self.step(client, repository)? {
                return Ok(());
            }
        }
        panic!("more than {MAX_STEPS} steps: {:?}", self.steps.last());
    }

    /// Does what the client says once, and says whether it is done.
    pub(crate) fn step(&mut self, client: &mut Client, repository: &Repository) -> Result<bool, Error> {
        let answer = match client.step()? {
            Step::Done => return Ok(true),
            step => self.answer(&step, repository),
        };
        client.answer(answer);
        Ok(false)
    }

    /// What was fetched in the last run, in its order.
    pub(crate) fn fetched(&self) -> Vec<&str> {
        self.all("fetch ")
    }

    /// What was stored in the last run, in its order.
    pub(crate) fn stored(&self) -> Vec<&str> {
        self.all("store ")
    }

    /// The version of a stored document.
    pub(crate) fn version(&self, file: &str) -> Option<u64> {
        let document = touchmark_envelope::json::parse(self.store.get(file)?, usize::MAX).expect("JSON in the store");
        document.get("signed")?.get("version")?.as_u64()
    }

    fn all(&self, verb: &str) -> Vec<&str> {
        self.steps.iter().filter_map(|step| step.strip_prefix(verb)).collect()
    }

    fn answer(&mut self, step: &Step<'_>, repository: &Repository) -> Answer {
        let (verb, name, limit) = match step {
            Step::Load { file, limit } => ("load", *file, Some(*limit)),
            Step::Hash { file, limit, .. } => ("hash", *file, Some(*limit)),
            Step::Read { file, length, .. } => ("read", *file, Some(*length)),
            Step::Fetch { path, limit } => ("fetch", *path, Some(*limit)),
            Step::Store { file, .. } => ("store", *file, None),
            Step::Remove { file } => ("remove", *file, None),
            other => panic!("{other:?}"),
        };
        let line = format!("{verb} {name}");
        // Whatever a repository says, the client names nothing but files beside each other.
        assert!(!name.contains(['/', '\\', '\0', ':']) && [".json", ".index"].iter().any(|end| name.ends_with(end)), "{line}");
        // And no file that a file system could not hold.
        assert!(name.len() <= 255 || verb == "fetch", "{line}");
        if let Some(limit) = limit {
            self.limits.insert(line.clone(), limit);
        }
        let failing = self.failing.contains(&line);
        self.steps.push(line);
        if failing {
            return Answer::Failed(Failure::Unavailable("not today".into()));
        }
        match step {
            Step::Load { file, limit } => match self.store.get(*file) {
                None => Answer::Absent,
                Some(bytes) if bytes.len() as u64 > *limit => Answer::Failed(Failure::TooLarge { limit: *limit }),
                Some(bytes) => Answer::Bytes(bytes.clone()),
            },
            Step::Hash { file, algorithms, .. } => self.store.get(*file).map_or(Answer::Absent, |bytes| Answer::Hashed {
                length: bytes.len() as u64,
                digests: algorithms.iter().map(|algorithm| algorithm.digest(bytes)).collect(),
            }),
            Step::Read { file, start, length } => self.store.get(*file).map_or(Answer::Absent, |bytes| {
                let end = bytes.len().min((*start + *length) as usize);
                Answer::Bytes(bytes.get(*start as usize..end).unwrap_or_default().to_vec())
            }),
            Step::Fetch { path, limit } => match repository.fetch(path, *limit) {
                Fetched::File(bytes) => Answer::Bytes(bytes),
                Fetched::Absent => Answer::Absent,
                Fetched::Failed => Answer::Failed(Failure::Unavailable("no answer".into())),
                Fetched::TooLong => Answer::Failed(Failure::TooLarge { limit: *limit }),
            },
            Step::Store { file, bytes } => {
                self.store.insert((*file).to_owned(), bytes.to_vec());
                Answer::Done
            }
            Step::Remove { file } => {
                self.store.remove(*file);
                Answer::Done
            }
            other => panic!("{other:?}"),
        }
    }
}
