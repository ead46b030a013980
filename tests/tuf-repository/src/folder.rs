//! The repository as files on disk.

use std::fs;
use std::io;
use std::path::Path;

use crate::{Repository, Served};

impl Repository {
    /// Writes what is served to the folders `metadata` and `targets` in `folder`, which are made anew.
    ///
    /// # Errors
    /// When a file cannot be written, as that of a target whose path leads elsewhere.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        for (name, files) in [("metadata", self.metadata()), ("targets", self.targets())] {
            let folder = folder.join(name);
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => fs::create_dir_all(&folder)?,
            }
            for (path, served) in files {
                let Served::File(bytes) = served else { continue };
                if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, path.clone()));
                }
                let file = folder.join(path);
                file.parent().map_or(Ok(()), fs::create_dir_all)?;
                fs::write(file, bytes)?;
            }
        }
        Ok(())
    }
}
