//! One writer at a time: an exclusive lock on a file of the OCI layout, held by the operating system for the open file, so that
//! it ends with the process and is never left behind. Readers take none.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::error::Error;
use crate::failpoint::{self, Guard};
use crate::platform;

/// The file that is locked. It stays there: if it were removed, two writers could hold two locks.
pub(crate) const LOCK_FILE: &str = ".touchmark.lock";

/// The lock, held until dropped.
pub(crate) struct Lock {
    // Closing the file unlocks it.
    _file: Option<File>,
}

impl Lock {
    /// Waits for the lock of the OCI layout at `root`.
    pub(crate) fn take(root: &Path) -> Result<Self, Error> {
        let path = root.join(LOCK_FILE);
        let file = platform::open_for_lock(&path).map_err(|error| Error::writing(&path, error))?;
        if failpoint::is_off(Guard::Lock) {
            return Ok(Self { _file: None });
        }
        loop {
            match file.lock() {
                Ok(()) => return Ok(Self { _file: Some(file) }),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(Error::Io { action: "lock", path, source }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn two_handles_never_hold_it_together() {
        let folder = Folder::new();
        let inside = AtomicBool::new(false);
        let rounds = Mutex::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let _lock = Lock::take(folder.root()).unwrap();
                        assert!(!inside.swap(true, Ordering::SeqCst));
                        *rounds.lock().unwrap() += 1;
                        inside.store(false, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(*rounds.lock().unwrap(), 400);
    }

    #[test]
    fn it_is_free_again_when_dropped() {
        let folder = Folder::new();
        let lock = Lock::take(folder.root()).unwrap();
        let other = platform::open_for_lock(&folder.path(LOCK_FILE)).unwrap();
        assert!(other.try_lock().is_err());
        drop(lock);
        assert!(other.try_lock().is_ok());
    }
}
