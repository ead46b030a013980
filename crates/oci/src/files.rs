//! Files of folders that are no OCI layout, such as a trust repository and the store of a TUF client: there whole or not at all, one
//! writer at a time, no link followed.
//!
//! ```
//! use touchmark_oci::files;
//!
//! # let folder = std::env::temp_dir().join(format!("touchmark-files-example-{}", std::process::id()));
//! files::create_folders(&folder)?;
//! let lock = files::Lock::take(&folder)?;
//! files::write(&folder.join("root.json"), b"{}")?;
//! drop(lock);
//! assert_eq!(files::read(&folder.join("root.json"), 1024)?.as_deref(), Some(&b"{}"[..]));
//! assert_eq!(files::read(&folder.join("other.json"), 1024)?, None);
//! # std::fs::remove_dir_all(folder).unwrap();
//! # Ok::<(), touchmark_oci::Error>(())
//! ```

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Error;
use crate::temporary::{self, Durability, Temporary};
use crate::{lock, platform};

/// So many bytes are copied or compared at once.
const CHUNK: usize = 1 << 18;

/// The name of the file that [`Lock`] locks. It is no content of its folder.
pub const LOCK_FILE: &str = lock::LOCK_FILE;

/// The exclusive right to write to a folder, among those who ask for it. It ends when it is dropped, and with the process.
pub struct Lock {
    _lock: lock::Lock,
}

impl Lock {
    /// Waits for the lock of `folder`, which is there, at most two minutes.
    ///
    /// # Errors
    /// [`Error::Locked`] after that; [`Error::NotWritable`].
    pub fn take(folder: &Path) -> Result<Self, Error> {
        Self::take_within(folder, lock::PATIENCE)
    }

    /// As [`take`](Self::take), waiting no longer than this; not at all for zero.
    ///
    /// # Errors
    /// The same.
    pub fn take_within(folder: &Path, patience: Duration) -> Result<Self, Error> {
        Ok(Self { _lock: lock::Lock::take_within(folder, patience)? })
    }
}

impl std::fmt::Debug for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lock")
    }
}

/// Opens a regular file for reading; `None` if nothing is there.
///
/// # Errors
/// [`Error::Irregular`] for a link, folder or pipe; [`Error::Io`].
pub fn open(path: &Path) -> Result<Option<File>, Error> {
    match platform::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::reading(path, error)),
    }
}

/// Reads a regular file of at most `limit` bytes; `None` if nothing is there.
///
/// # Errors
/// As for [`open`]; [`Error::TooLarge`].
pub fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    let Some(file) = open(path)? else { return Ok(None) };
    let failed = |error| Error::reading(path, error);
    let too_large = |size| Error::TooLarge { location: path.display().to_string(), what: "the file".to_owned(), size, limit };
    let size = file.metadata().map_err(failed)?.len();
    if size > limit {
        return Err(too_large(size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    // It may grow while it is read.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if size > limit { Err(too_large(size)) } else { Ok(Some(bytes)) }
}

/// The size in bytes of a regular file; `None` if nothing is there.
///
/// # Errors
/// As for [`open`].
pub fn size(path: &Path) -> Result<Option<u64>, Error> {
    platform::file_size(path).map_err(|error| Error::reading(path, error))
}

/// Writes a file and makes it durable: the old content or the new is there, never a part.
///
/// # Errors
/// [`Error::NotWritable`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut pending = Pending::create(path)?;
    pending.write(bytes)?;
    pending.publish()
}

/// A file that is being written beside its later place. Unless it is published it is removed when dropped.
pub struct Pending {
    temporary: Temporary,
    target: PathBuf,
}

impl Pending {
    /// Begins what will be the file `target`; its folder is there.
    ///
    /// # Errors
    /// [`Error::NotWritable`].
    pub fn create(target: &Path) -> Result<Self, Error> {
        let temporary = Temporary::create(parent(target)).map_err(|error| Error::writing(target, error))?;
        Ok(Self { temporary, target: target.to_owned() })
    }

    /// Appends `bytes`.
    ///
    /// # Errors
    /// [`Error::NotWritable`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.temporary.write(bytes).map_err(|error| Error::writing(&self.target, error))
    }

    /// Makes it durable and gives it its name, replacing the regular file that has it.
    ///
    /// # Errors
    /// [`Error::NotWritable`]; [`Error::Irregular`] if the name is that of a link or folder.
    pub fn publish(self) -> Result<(), Error> {
        let target = self.target.clone();
        self.publish_as(&target)
    }

    /// As [`publish`](Self::publish), under another name on the same file system, which was not known before all was written.
    ///
    /// # Errors
    /// The same.
    pub fn publish_as(self, target: &Path) -> Result<(), Error> {
        let failed = |error| Error::writing(target, error);
        platform::file_size(target).map_err(failed)?;
        self.temporary.sync(Durability::Synced).map_err(failed)?;
        self.temporary.publish(target).map_err(failed)?;
        temporary::sync_folder(parent(target), Durability::Synced).map_err(failed)
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").field("target", &self.target).finish_non_exhaustive()
    }
}

/// Gives a file that is whole and durable the name `to` on the same file system, replacing what had it.
///
/// # Errors
/// [`Error::NotWritable`]; [`Error::Irregular`] if `to` is a link or folder.
pub fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    let failed = |error| Error::writing(to, error);
    platform::file_size(to).map_err(failed)?;
    temporary::rename(from, to).map_err(failed)?;
    temporary::sync_folder(parent(to), Durability::Synced).map_err(failed)
}

/// Whether a regular file holds exactly these bytes.
///
/// # Errors
/// As for [`open`].
pub fn holds(path: &Path, content: &[u8]) -> Result<bool, Error> {
    if size(path)? != u64::try_from(content.len()).ok() {
        return Ok(false);
    }
    let Some(mut file) = open(path)? else { return Ok(false) };
    let mut chunk = vec![0; CHUNK];
    let mut rest = content;
    loop {
        let count = file.read(&mut chunk).map_err(|error| Error::reading(path, error))?;
        let read = chunk.get(..count).unwrap_or_default();
        if read.is_empty() {
            return Ok(rest.is_empty());
        }
        match rest.strip_prefix(read) {
            Some(after) => rest = after,
            None => return Ok(false),
        }
    }
}

/// Removes a file, durably; that it is not there is no error.
///
/// # Errors
/// [`Error::NotWritable`].
pub fn remove(path: &Path) -> Result<(), Error> {
    let failed = |error| Error::writing(path, error);
    temporary::remove(path).map_err(failed)?;
    // Also if it was not there: whoever removed it may have been killed before this.
    match temporary::sync_folder(parent(path), Durability::Synced) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        synced => synced.map_err(failed),
    }
}

/// Makes a folder and those above it that are missing. A link is followed only above the last of them.
///
/// # Errors
/// [`Error::NotWritable`]; [`Error::Irregular`] if something else is there.
pub fn create_folders(path: &Path) -> Result<(), Error> {
    if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty())
        && !above.is_dir()
    {
        create_folders(above)?;
    }
    temporary::create_folder(path).map_err(|error| Error::writing(path, error))
}

/// Whether a folder is there. A link to one is none.
///
/// # Errors
/// [`Error::Irregular`] if something else is there; [`Error::Io`].
pub fn is_folder(path: &Path) -> Result<bool, Error> {
    platform::is_folder(path).map_err(|error| Error::reading(path, error))
}

/// Removes what writers that were killed left in `folder`.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be read.
pub fn sweep(folder: &Path) -> Result<(), Error> {
    temporary::sweep(folder).map_err(|error| Error::reading(folder, error))
}

/// Whether a file of this name belongs to a writer or to [`Lock`], and is no content of its folder.
pub fn is_ours(name: &str) -> bool {
    name == LOCK_FILE || temporary::is_temporary(name)
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    #[test]
    fn what_is_larger_than_the_limit_is_refused() {
        let folder = Folder::new();
        let path = folder.path("file");
        write(&path, b"12345").unwrap();
        assert_eq!(read(&path, 5).unwrap().unwrap(), b"12345");
        assert!(matches!(read(&path, 4), Err(Error::TooLarge { size: 5, limit: 4, .. })));
        assert_eq!(size(&path).unwrap(), Some(5));
    }

    #[test]
    fn a_file_begun_and_dropped_leaves_the_old_one() {
        let folder = Folder::new();
        let path = folder.path("file");
        write(&path, b"old").unwrap();
        let mut pending = Pending::create(&path).unwrap();
        pending.write(b"ne").unwrap();
        drop(pending);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        let mut pending = Pending::create(&path).unwrap();
        pending.write(b"new").unwrap();
        pending.publish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.root()).unwrap().count(), 1);
    }

    #[test]
    fn whether_a_file_holds_these_bytes() {
        let folder = Folder::new();
        let path = folder.path("file");
        write(&path, b"first").unwrap();
        assert!(holds(&path, b"first").unwrap());
        assert!(!holds(&path, b"First").unwrap() && !holds(&path, b"first!").unwrap() && !holds(&folder.path("none"), b"").unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_neither_read_nor_replaced() {
        let folder = Folder::new();
        write(&folder.path("file"), b"precious").unwrap();
        std::os::unix::fs::symlink(folder.path("file"), folder.path("link")).unwrap();
        assert!(matches!(read(&folder.path("link"), 100), Err(Error::Irregular { .. })));
        assert!(matches!(write(&folder.path("link"), b"new"), Err(Error::Irregular { .. })));
        assert!(matches!(rename(&folder.path("file"), &folder.path("link")), Err(Error::Irregular { .. })));
        assert_eq!(std::fs::read(folder.path("file")).unwrap(), b"precious");
    }

    #[test]
    fn folders_are_made_with_those_above() {
        let folder = Folder::new();
        create_folders(&folder.path("a/b/c")).unwrap();
        create_folders(&folder.path("a/b/c")).unwrap();
        assert!(is_folder(&folder.path("a/b/c")).unwrap());
        write(&folder.path("a/file"), b"").unwrap();
        assert!(matches!(create_folders(&folder.path("a/file")), Err(Error::Irregular { .. })));
    }
}
