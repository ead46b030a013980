//! The folder that an inspection is run in.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use touchmark_oci::files;

use crate::in_toto::{RecordError, Recorder};

/// A new folder that nobody else reads, removed when dropped. Its own name is made here: nothing of a layout is in it.
#[derive(Debug)]
pub(super) struct Scratch {
    root: PathBuf,
    work: PathBuf,
    home: PathBuf,
}

impl Scratch {
    pub(super) fn new() -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let base = std::env::temp_dir().canonicalize()?;
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let root = base.join(format!("touchmark-inspection-{}-{number}", std::process::id()));
            match builder.create(&root) {
                // Somebody left it, or wants to be in the way.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => {
                    made?;
                    let scratch = Self { work: root.join("work"), home: root.join("home"), root };
                    builder.create(&scratch.work)?;
                    builder.create(&scratch.home)?;
                    return Ok(scratch);
                }
            }
        }
    }

    /// Where the command begins, and what is recorded.
    pub(super) fn work(&self) -> &Path {
        &self.work
    }

    /// What it has for its home and its temporary files, which are not recorded.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Puts a copy of each file there that `product` records, with its permissions.
    pub(super) fn fill(&self, product: &Recorder) -> Result<(), RecordError> {
        for (name, from) in product.files(&["."])? {
            // The names of artifacts lead nowhere else.
            let to = self.work.join(&name);
            copy(&from, &to).map_err(|source| RecordError::Folder { path: to, source })?;
        }
        Ok(())
    }
}

/// Copies a regular file to a new one.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(above) = to.parent() {
        fs::create_dir_all(above)?;
    }
    let mut file = files::open(from).map_err(io::Error::other)?.ok_or(io::ErrorKind::NotFound)?;
    let permissions = file.metadata()?.permissions();
    let mut copy = OpenOptions::new().write(true).create_new(true).open(to)?;
    io::copy(&mut file, &mut copy)?;
    copy.set_permissions(permissions)
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if fs::remove_dir_all(&self.root).is_err() {
            // A command may leave folders that cannot be entered.
            open_folders(&self.root);
            let _ = fs::remove_dir_all(&self.root);
        }
    }
}

/// Lets the owner enter and change every folder below this one. No link is followed.
fn open_folders(root: &Path) {
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        #[cfg(unix)]
        let _ = fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        folders.extend(entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()));
    }
}
