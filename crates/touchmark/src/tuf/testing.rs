//! Sources for the tests of this module.

use core::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::path::Path;

use touchmark_test_tuf_repository::{Fetched, Repository};
use touchmark_tuf::Failure;

use super::fetch::Fetch;
pub(crate) use crate::testing::Folder;

/// A repository in memory, and what was asked of it.
pub(crate) struct Served {
    pub(crate) repository: Repository,
    pub(crate) asked: RefCell<Vec<String>>,
}

impl Served {
    pub(crate) fn new(repository: Repository) -> Self {
        Self { repository, asked: RefCell::default() }
    }
}

impl Fetch for Served {
    fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        self.asked.borrow_mut().push(path.to_owned());
        // The one below the other, as a trust repository has them.
        let fetched = match path.strip_prefix("targets/") {
            Some(target) => self.repository.fetch_target(target, limit),
            None => self.repository.fetch(path, limit),
        };
        match fetched {
            Fetched::File(bytes) => Ok(Some(bytes)),
            Fetched::Absent => Ok(None),
            Fetched::TooLong => Err(Failure::TooLarge { limit }),
            Fetched::Failed => Err(Failure::Unavailable("a test".to_owned())),
        }
    }

    fn location(&self) -> String {
        "a test".to_owned()
    }
}

/// The names of what is in a folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Gives content without an end, and counts what was asked for and given.
#[derive(Default)]
pub(crate) struct Endless {
    pub(crate) asked: Cell<u32>,
    pub(crate) given: Cell<u64>,
}

impl Fetch for Endless {
    fn fetch(&self, _: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        Err(Failure::TooLarge { limit })
    }

    fn read(&self, _: &str, _: u64) -> Result<Option<Box<dyn Read + '_>>, Failure> {
        self.asked.set(self.asked.get() + 1);
        Ok(Some(Box::new(self)))
    }

    fn location(&self) -> String {
        "a test".to_owned()
    }
}

impl Read for &Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(b'x');
        self.given.set(self.given.get() + u64::try_from(buffer.len()).unwrap());
        Ok(buffer.len())
    }
}
