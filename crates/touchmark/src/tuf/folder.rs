//! Metadata and targets in a folder, as a web server would serve it.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use touchmark_oci::error::Error as StoreError;
use touchmark_oci::files;
use touchmark_tuf::Failure;

use super::error::failure;
use super::fetch::Fetch;
use crate::segment::below;

/// A folder. Links in it are not followed.
#[derive(Clone, Debug)]
pub struct FolderSource {
    root: PathBuf,
}

impl FolderSource {
    /// The folder at `root`. Whether it is there shows when something is fetched.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The file at `path`, with its size.
    fn open(&self, path: &str) -> Result<Option<(PathBuf, File, u64)>, StoreError> {
        // A folder that is not there must not pass for one that lacks a file.
        std::fs::read_dir(&self.root).map_err(|source| StoreError::Io { action: "open", path: self.root.clone(), source })?;
        // As a web server finds it, which decodes first; or under the very name, which is how an encoded `/` can be in one.
        let decoded = decoded(path).unwrap_or_default();
        for path in [decoded.as_str(), path] {
            if let Some(path) = below(&self.root, path)?
                && let Some(file) = files::open(&path)?
            {
                let size = file.metadata().map_err(|source| StoreError::Io { action: "read", path: path.clone(), source })?.len();
                return Ok(Some((path, file, size)));
            }
        }
        Ok(None)
    }
}

impl Fetch for FolderSource {
    fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        let Some((path, _, _)) = self.open(path).map_err(|error| failure(&error))? else { return Ok(None) };
        files::read(&path, limit).map_err(|error| failure(&error))
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Box<dyn Read + '_>>, Failure> {
        match self.open(path).map_err(|error| failure(&error))? {
            Some((_, _, size)) if size > limit => Err(Failure::TooLarge { limit }),
            Some((_, file, _)) => Ok(Some(Box::new(file))),
            None => Ok(None),
        }
    }

    fn location(&self) -> String {
        self.root.display().to_string()
    }
}

/// RFC 3986, 2.1. `None` if what is encoded is no text, or is not encoded rightly.
pub(crate) fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                bytes.push(digit(*high)? << 4 | digit(*low)?);
                rest = after;
            }
            (b'%', _) => return None,
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuf::testing::Folder;

    fn read(source: &FolderSource, path: &str) -> Option<String> {
        source.fetch(path, 100).unwrap().map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn files_are_found_as_web_servers_find_them_and_by_their_very_name() {
        let folder = Folder::new();
        folder.file("in/a b/c", "decoded");
        folder.file("in/1.x%2Fy.json", "as it is");
        folder.file("secret", "not below it");
        let source = FolderSource::new(folder.path("in"));
        assert_eq!(read(&source, "a%20b/c").as_deref(), Some("decoded"));
        assert_eq!(read(&source, "1.x%2Fy.json").as_deref(), Some("as it is"));
        for none in ["a", "a b/d", "../secret", "%2e%2e/secret", "..%2Fsecret", "a%20b/../../secret", "/etc/passwd", "", "a%", "a%zz", "c/"]
        {
            assert!(source.fetch(none, 100).is_ok_and(|found| found.is_none()), "{none}");
        }
    }

    #[cfg(not(windows))]
    #[test]
    fn names_have_the_characters_that_they_may_have_here() {
        let folder = Folder::new();
        folder.file("in/acme/nm:stable", "a colon");
        folder.file("in/acme/a\\b", "a backslash");
        let source = FolderSource::new(folder.path("in"));
        assert_eq!(read(&source, "acme/nm%3Astable").as_deref(), Some("a colon"));
        assert_eq!(read(&source, "acme/nm:stable").as_deref(), Some("a colon"));
        assert_eq!(read(&source, "acme/a%5Cb").as_deref(), Some("a backslash"));
        for none in ["acme/%00", "acme/..", "acme%2F%2Fnm:stable", "%2E%2E/in/acme/nm:stable"] {
            assert_eq!(read(&source, none), None, "{none}");
        }
    }

    #[test]
    fn what_is_larger_than_the_limit_is_refused_before_it_is_read() {
        let folder = Folder::new();
        folder.file("in/file", "12345");
        let source = FolderSource::new(folder.path("in"));
        assert_eq!(source.fetch("file", 4), Err(Failure::TooLarge { limit: 4 }));
        assert!(matches!(source.read("file", 4), Err(Failure::TooLarge { limit: 4 })));
        assert!(source.read("file", 5).unwrap().is_some());
    }

    #[test]
    fn a_folder_that_is_not_there_lacks_no_file() {
        let folder = Folder::new();
        folder.file("file", "x");
        for none in ["none", "file"] {
            assert!(matches!(FolderSource::new(folder.path(none)).fetch("2.root.json", 9), Err(Failure::Unavailable(_))), "{none}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_and_pipes_are_refused_without_waiting() {
        let folder = Folder::new();
        folder.file("in/sub/file", "x");
        folder.file("secret", "not below it");
        std::os::unix::fs::symlink(folder.path("secret"), folder.path("in/link")).unwrap();
        std::os::unix::fs::symlink(folder.path("in/sub"), folder.path("in/folder")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(folder.path("in/pipe")).status().unwrap().success());
        let source = FolderSource::new(folder.path("in"));
        for name in ["link", "folder/file", "pipe", "sub"] {
            assert!(matches!(source.fetch(name, 100), Err(Failure::Malformed(_))), "{name}");
        }
    }
}
