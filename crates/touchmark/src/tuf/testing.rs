//! Folders for the tests of this module, removed when dropped, and a source that never ends.

use core::cell::Cell;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use touchmark_tuf::Failure;

use super::fetch::Fetch;

/// Gives content without an end, and counts what was asked for and given.
#[derive(Default)]
pub(super) struct Endless {
    pub(super) asked: Cell<u32>,
    pub(super) given: Cell<u64>,
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

/// A new, empty folder.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("touchmark-tuf-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(super) fn root(&self) -> &Path {
        &self.0
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file, with the folders above it.
    pub(super) fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
