//! Files that are there whole or not at all: written under a temporary name, synced, then renamed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::failpoint::{self, Step};
use crate::platform;

/// How the name of a temporary file begins and ends, with 16 hexadecimal digits between.
const PREFIX: &str = ".touchmark-";
const SUFFIX: &str = ".tmp";

/// Whether what is written has to outlive a loss of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It is synced.
    Synced,
    /// Not longer than its process: it is in a [staging folder](crate::staging).
    Scratch,
}

/// A file that is being written. Unless it is published, it is removed when dropped.
///
/// Its writer holds a lock on it, which ends with the process: one that nobody has locked was left by a writer that was
/// killed, and [`sweep`] removes it.
pub(crate) struct Temporary {
    file: File,
    path: PathBuf,
    published: bool,
}

impl Temporary {
    /// Makes a new one in `folder`, which must be on the file system of its later place.
    pub(crate) fn create(folder: &Path) -> io::Result<Self> {
        Self::create_by(folder, platform::create)
    }

    /// As [`create`](Self::create), for nobody but its owner to read.
    #[cfg(feature = "registry")]
    pub(crate) fn create_private(folder: &Path) -> io::Result<Self> {
        Self::create_by(folder, platform::create_private)
    }

    fn create_by(folder: &Path, create: impl Fn(&Path) -> io::Result<File>) -> io::Result<Self> {
        loop {
            let path = folder.join(fresh_name()?);
            failpoint::reach(Step::Create, &path)?;
            let file = create(&path)?;
            let temporary = Self { file, path, published: false };
            // A file system without locks leaves these files to its user: nothing can lock them, so nothing removes them.
            let _ = temporary.file.lock();
            // Before it was locked a sweep may have taken it for a left one.
            if platform::file_size(&temporary.path)?.is_some() {
                return Ok(temporary);
            }
        }
    }

    /// Appends `bytes`.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        use io::Write;
        if !cfg!(feature = "failpoint") {
            return self.file.write_all(bytes);
        }
        let (first, second) = bytes.split_at_checked(bytes.len() / 2).unwrap_or((bytes, &[]));
        failpoint::reach(Step::Write, &self.path)?;
        self.file.write_all(first)?;
        failpoint::reach(Step::HalfWritten, &self.path)?;
        self.file.write_all(second)
    }

    /// Gives it the permissions of `target`, which it is to replace or to be a copy of, if that is there.
    pub(crate) fn keep_permissions(&self, target: &Path) -> io::Result<()> {
        match std::fs::metadata(target) {
            Ok(metadata) => self.file.set_permissions(metadata.permissions()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Gives it the owner and the group of `target`, as far as the system lets this process do so: what the superuser rewrites stays
    /// the user's.
    #[cfg(feature = "registry")]
    pub(crate) fn keep_owner(&self, target: &Path) {
        if let Ok(metadata) = std::fs::metadata(target) {
            platform::give_to_owner(&self.file, &metadata);
        }
    }

    /// Takes back what was written after the first `length` bytes.
    pub(crate) fn cut(&mut self, length: u64) -> io::Result<()> {
        use io::Seek;
        failpoint::reach(Step::Write, &self.path)?;
        self.file.set_len(length)?;
        self.file.seek(io::SeekFrom::Start(length)).map(|_| ())
    }

    /// Makes the content durable. Nothing may be written after that.
    pub(crate) fn sync(&self, durability: Durability) -> io::Result<()> {
        if durability == Durability::Scratch {
            return Ok(());
        }
        failpoint::reach(Step::Sync, &self.path)?;
        self.file.sync_all()
    }

    /// Gives a synced file its name, replacing what had it. The folder is not synced yet: see [`sync_folder`].
    pub(crate) fn publish(mut self, target: &Path) -> io::Result<()> {
        failpoint::reach(Step::Rename, target)?;
        std::fs::rename(&self.path, target)?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.published {
            // Failing that, the next writer's sweep removes it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Writes a whole file: the old content or the new is there, never a part.
pub(crate) fn write_file(folder: &Path, target: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    let mut temporary = Temporary::create(folder)?;
    temporary.write(bytes)?;
    temporary.sync(durability)?;
    temporary.publish(target)
}

/// As [`write_file`], with the permissions that `model` has.
pub(crate) fn write_file_like(model: &Path, folder: &Path, target: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    let mut temporary = Temporary::create(folder)?;
    temporary.keep_permissions(model)?;
    temporary.write(bytes)?;
    temporary.sync(durability)?;
    temporary.publish(target)
}

/// Makes the names in `folder` durable.
pub(crate) fn sync_folder(folder: &Path, durability: Durability) -> io::Result<()> {
    if durability == Durability::Scratch {
        return Ok(());
    }
    failpoint::reach(Step::SyncFolder, folder)?;
    platform::sync_folder(folder)
}

/// Gives a finished file another name, replacing what had it.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    failpoint::reach(Step::Rename, to)?;
    std::fs::rename(from, to)
}

/// Removes a file; that it is not there is no error.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    failpoint::reach(Step::Remove, path)?;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Makes a folder; that it is there already is no error.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    if platform::is_folder(path)? {
        return Ok(());
    }
    failpoint::reach(Step::Create, path)?;
    match std::fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && platform::is_folder(path)? => Ok(()),
        created => created,
    }
}

/// Whether a file of this name is one of ours and not part of what a folder holds.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_suffix(SUFFIX))
        .is_some_and(|middle| middle.len() == 16 && middle.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Removes the temporary files in `folder` whose writers are gone. Files that cannot be removed stay.
pub(crate) fn sweep(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().to_str().is_some_and(is_temporary) {
            continue;
        }
        // One that a writer has locked is in use; one that went away in between was.
        if let Ok(file) = platform::open(&entry.path())
            && file.try_lock().is_ok()
        {
            let _ = remove(&entry.path());
        }
    }
    Ok(())
}

/// A name for a temporary file or folder that nothing has.
pub(crate) fn fresh_name() -> io::Result<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(format!("{PREFIX}{}{SUFFIX}", touchmark_envelope::digest::hex(&random)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    fn names(folder: &Folder) -> Vec<String> {
        std::fs::read_dir(folder.root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_dropped_one_leaves_nothing_and_a_published_one_is_whole() {
        let folder = Folder::new();
        let mut dropped = Temporary::create(folder.root()).unwrap();
        dropped.write(b"half").unwrap();
        drop(dropped);
        assert!(names(&folder).is_empty());
        write_file(folder.root(), &folder.path("a"), b"one", Durability::Synced).unwrap();
        write_file(folder.root(), &folder.path("a"), b"two", Durability::Synced).unwrap();
        assert_eq!(std::fs::read(folder.path("a")).unwrap(), b"two");
        assert_eq!(names(&folder), ["a"]);
    }

    #[test]
    fn a_sweep_takes_what_a_dead_writer_left_and_nothing_else() {
        let folder = Folder::new();
        let left = format!("{PREFIX}0123456789abcdef{SUFFIX}");
        for name in [left.as_str(), ".touchmark-x.tmp", ".touchmark.lock", "index.json"] {
            std::fs::write(folder.path(name), b"").unwrap();
        }
        let living = Temporary::create(folder.root()).unwrap();
        sweep(folder.root()).unwrap();
        let mut found = names(&folder);
        found.sort();
        let mut expected = vec![
            ".touchmark-x.tmp".to_owned(),
            ".touchmark.lock".to_owned(),
            "index.json".to_owned(),
            living.path.file_name().unwrap().to_str().unwrap().to_owned(),
        ];
        expected.sort();
        assert_eq!(found, expected);
    }
}
