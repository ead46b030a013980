//! A folder for what is not finished yet, next to where it will be; it goes away with whoever made it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use touchmark_envelope::digest::{Digest, Hasher};

use crate::error::Error;
use crate::failpoint::{self, Step};
use crate::platform;
use crate::temporary::{self, Temporary};

/// The lock that says that its maker lives.
const LOCK: &str = "lock";
/// The folder for the content, so that no name in it can be the lock's.
const CONTENT: &str = "content";
/// Bytes that are moved at a time.
const CHUNK: usize = 128 << 10;

/// The folder. It is removed when dropped.
pub(crate) struct Staging {
    root: PathBuf,
    content: PathBuf,
    lock: Option<File>,
}

impl Staging {
    /// Makes one in `parent`, after removing those whose makers are gone.
    pub(crate) fn create(parent: &Path) -> io::Result<Self> {
        sweep(parent)?;
        loop {
            let root = parent.join(temporary::fresh_name()?);
            failpoint::reach(Step::Create, &root)?;
            platform::create_private_folder(&root)?;
            let mut staging = Self { content: root.join(CONTENT), root, lock: None };
            let lock = match platform::open_for_lock(&staging.root.join(LOCK)) {
                // A sweep took it for one that was left.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened?,
            };
            // A file system without locks leaves these folders to its user: nothing can lock them, so nothing removes them.
            let _ = lock.lock();
            staging.lock = Some(lock);
            failpoint::reach(Step::Create, &staging.content)?;
            match std::fs::create_dir(&staging.content) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                made => return made.map(|()| staging),
            }
        }
    }

    /// The folder for the content; empty at first.
    pub(crate) fn content(&self) -> &Path {
        &self.content
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Windows removes no file that is open.
        self.lock = None;
        // Failing that, the next sweep removes it.
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

/// Removes the folders in `parent` whose makers were killed, and the files.
pub(crate) fn sweep(parent: &Path) -> io::Result<()> {
    temporary::sweep(parent)?;
    for entry in std::fs::read_dir(parent)? {
        let entry = entry?;
        let root = entry.path();
        if !entry.file_name().to_str().is_some_and(temporary::is_temporary) || !platform::is_folder(&root).unwrap_or(false) {
            continue;
        }
        // Only an empty one is removed so, and whoever is about to use it makes another.
        if std::fs::remove_dir(&root).is_ok() {
            continue;
        }
        if let Ok(lock) = platform::open(&root.join(LOCK))
            && lock.try_lock().is_ok()
        {
            drop(lock);
            failpoint::reach(Step::Remove, &root)?;
            let _ = std::fs::remove_dir_all(&root);
        }
    }
    Ok(())
}

/// Writes all that `content` gives to `file`, which is to become `target`, and hashes it. Returns the digest and the number of
/// bytes.
pub(crate) fn pour(content: &mut dyn Read, file: &mut Temporary, target: &Path, mut hasher: Hasher) -> Result<(Digest, u64), Error> {
    let mut buffer = vec![0; CHUNK];
    let mut size = 0_u64;
    loop {
        let count = match content.read(&mut buffer) {
            Ok(0) => return Ok((hasher.finish(), size)),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Error::content(&target.display().to_string(), error)),
        };
        let read = buffer.get(..count).unwrap_or_default();
        hasher.update(read);
        file.write(read).map_err(|error| Error::writing(target, error))?;
        size = size.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    fn names(folder: &Path) -> usize {
        std::fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn it_goes_away_with_its_maker_and_after_its_death() {
        let folder = Folder::new();
        let living = Staging::create(folder.root()).unwrap();
        std::fs::write(living.content().join("a"), b"x").unwrap();
        assert_eq!(names(folder.root()), 1);
        // What a killed process leaves: the folder, and a lock that nobody holds.
        let left = folder.path(&temporary::fresh_name().unwrap());
        std::fs::create_dir_all(left.join(CONTENT)).unwrap();
        std::fs::write(left.join(LOCK), b"").unwrap();
        std::fs::write(left.join(CONTENT).join("b"), b"x").unwrap();
        let other = Staging::create(folder.root()).unwrap();
        assert!(!left.exists());
        assert!(living.content().join("a").exists());
        drop(other);
        drop(living);
        assert_eq!(names(folder.root()), 0);
    }
}
