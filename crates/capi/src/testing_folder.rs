//! Folders and buffers for the tests of what reads and writes files.

use crate::buffer::{touchmark_buffer, touchmark_buffer_bytes};
use crate::testing::{Owned, Seen, text};

/// What a buffer has, as text.
pub(crate) fn buffer(buffer: Result<Owned<touchmark_buffer>, Seen>) -> Result<String, Seen> {
    // SAFETY: the library gave the buffer, and it is freed after this.
    buffer.map(|buffer| text(unsafe { touchmark_buffer_bytes(buffer.0) }))
}

/// A folder that is removed when dropped.
pub(crate) struct Folder(std::path::PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("touchmark-capi-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The path of something in it, as text.
    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).into_os_string().into_string().unwrap()
    }

    /// Writes a file, with the folders above it, and gives its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self.path(name)
    }

    /// Copies a folder.
    pub(crate) fn copy(&self, from: &std::path::Path, name: &str) -> String {
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{name}/{}", entry.file_name().into_string().unwrap());
            if entry.file_type().unwrap().is_dir() {
                std::fs::create_dir_all(self.0.join(&name)).unwrap();
                self.copy(&entry.path(), &name);
            } else {
                self.file(&name, std::fs::read(entry.path()).unwrap());
            }
        }
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
