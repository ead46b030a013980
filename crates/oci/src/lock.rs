//! One writer at a time: an exclusive lock on a file of the OCI layout, held by the operating system for the open file, so that
//! it ends with the process and is never left behind. Readers take none.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::failpoint::{self, Guard};
use crate::platform;

/// The file that is locked. It stays there: if it were removed, two writers could hold two locks.
pub(crate) const LOCK_FILE: &str = ".touchmark.lock";

/// How long a writer waits for others. They hold the lock for the time of some small writes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// The lock, held until dropped.
pub(crate) struct Lock {
    // Closing the file unlocks it.
    _file: Option<File>,
}

impl Lock {
    /// Waits for the lock of the OCI layout at `root`.
    pub(crate) fn take(root: &Path) -> Result<Self, Error> {
        Self::take_within(root, PATIENCE)
    }

    /// Waits for it no longer than this.
    pub(crate) fn take_within(root: &Path, patience: Duration) -> Result<Self, Error> {
        let path = root.join(LOCK_FILE);
        let file = platform::open_for_lock(&path).map_err(|error| Error::writing(&path, error))?;
        if failpoint::is_off(Guard::Lock) {
            return Ok(Self { _file: None });
        }
        wait_for(&file, &path, patience)?;
        Ok(Self { _file: Some(file) })
    }
}

/// Locks `file`, at `path`, waiting for other writers for so long.
pub(crate) fn wait_for(file: &File, path: &Path, patience: Duration) -> Result<(), Error> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if begun.elapsed() >= patience => return Err(Error::Locked { path: path.to_owned() }),
            Err(TryLockError::WouldBlock) => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(TryLockError::Error(source)) => return Err(Error::Io { action: "lock", path: path.to_owned(), source }),
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
    fn patience_ends() {
        let folder = Folder::new();
        let _held = Lock::take(folder.root()).unwrap();
        let path = folder.path(LOCK_FILE);
        let other = platform::open_for_lock(&path).unwrap();
        assert!(matches!(wait_for(&other, &path, Duration::from_millis(5)), Err(Error::Locked { .. })));
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
