//! Where links are.

use std::io;
use std::path::{Path, PathBuf};

use touchmark_in_toto::{Answer, Failure};
use touchmark_oci::error::Error as StoreError;
use touchmark_oci::files;

use super::error::RecordError;
use crate::segment::below;

/// A place with links and sublayouts.
pub trait Links {
    /// What the file at `path` has, which is one that a verification asked for, if that is at most `limit` bytes.
    fn read(&self, path: &str, limit: u64) -> Answer;
}

/// A folder with links. It is never listed: only files that a verification asks for are opened, however many others there are.
///
/// Links of the file system are not followed in it, neither as files nor as folders of sublayouts, and nothing but a regular file is
/// opened: a pipe would keep a verifier waiting.
#[derive(Clone, Debug)]
pub struct LinkFolder {
    root: PathBuf,
}

impl LinkFolder {
    /// The folder at `root`, which may itself be reached by a link.
    ///
    /// # Errors
    /// [`RecordError::Folder`] if it is not there or no folder: one that is not there must not pass for one that lacks links.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, RecordError> {
        let root = root.into();
        match std::fs::read_dir(&root) {
            Ok(_) => Ok(Self { root }),
            Err(source) => Err(RecordError::Folder { path: root, source }),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.root
    }
}

impl Links for LinkFolder {
    fn read(&self, path: &str, limit: u64) -> Answer {
        let read = below(&self.root, path).and_then(|place| match place {
            Some(place) => files::read(&place, limit),
            None => Ok(None),
        });
        match read {
            Ok(Some(bytes)) => Answer::Bytes(bytes),
            Ok(None) => Answer::Absent,
            Err(StoreError::TooLarge { limit, .. }) => Answer::Failed(Failure::TooLarge { limit }),
            Err(error @ StoreError::Irregular { .. }) => Answer::Failed(Failure::NoFile(error.to_string())),
            // No file can have a name that its file system does not take.
            Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::InvalidFilename => Answer::Absent,
            Err(error) => Answer::Failed(Failure::Unavailable(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    fn bytes(answer: Answer) -> Option<Vec<u8>> {
        match answer {
            Answer::Bytes(bytes) => Some(bytes),
            Answer::Absent => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_path_out_of_the_folder_leads_to_nothing() {
        let folder = Folder::new();
        folder.file("in/a.00000000.link", "link");
        folder.file("in/sub.00000000/a.00000000.link", "below");
        folder.file("secret", "outside");
        let links = LinkFolder::open(folder.path("in")).unwrap();
        assert_eq!(bytes(links.read("a.00000000.link", 4)).unwrap(), b"link");
        assert_eq!(bytes(links.read("sub.00000000/a.00000000.link", 100)).unwrap(), b"below");
        for none in ["../secret", "sub.00000000/../../secret", "/etc/passwd", "", ".", "other/a.00000000.link"] {
            assert_eq!(bytes(links.read(none, 100)), None, "{none}");
        }
        assert!(matches!(links.read("a.00000000.link", 3), Answer::Failed(Failure::TooLarge { limit: 3 })));
        assert_eq!(bytes(links.read(&format!("{}.link", "x".repeat(300)), 100)), None);
    }

    #[test]
    fn a_folder_that_is_not_there_lacks_no_links() {
        let folder = Folder::new();
        folder.file("file", "x");
        for none in ["none", "file"] {
            assert!(matches!(LinkFolder::open(folder.path(none)), Err(RecordError::Folder { .. })), "{none}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_loops_and_pipes_are_refused_without_waiting() {
        use std::os::unix::fs::symlink;
        let folder = Folder::new();
        folder.file("in/sub/a.link", "x");
        folder.file("secret", "outside");
        symlink(folder.path("secret"), folder.path("in/file.link")).unwrap();
        symlink(folder.path("in/sub"), folder.path("in/folder")).unwrap();
        symlink(folder.path("in/loop"), folder.path("in/loop")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(folder.path("in/pipe.link")).status().unwrap().success());
        let links = LinkFolder::open(folder.path("in")).unwrap();
        for path in ["file.link", "folder/a.link", "loop", "loop/a.link", "pipe.link", "sub"] {
            assert!(matches!(links.read(path, 100), Answer::Failed(Failure::NoFile(_))), "{path}");
        }
        // The folder itself is the user's word.
        symlink(folder.path("in"), folder.path("reached")).unwrap();
        assert!(bytes(LinkFolder::open(folder.path("reached")).unwrap().read("sub/a.link", 100)).is_some());
    }
}
