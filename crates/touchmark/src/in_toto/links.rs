//! Where links are.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use touchmark_in_toto::name::is_link;
use touchmark_in_toto::{Answer, Failure, Names};
use touchmark_oci::error::Error as StoreError;
use touchmark_oci::files;

use super::error::RecordError;
use crate::segment::below;

/// A place with links and sublayouts.
pub trait Links {
    /// What the file at `path` has, which is one that a verification asked for, if that is at most `limit` bytes.
    fn read(&self, path: &str, limit: u64) -> Answer;

    /// The names of the files in `folder` that are `STEP.XXXXXXXX.link` for this step, with eight of `0-9a-f`: the first ones in their
    /// order, if there are more than `limit`. A verification asks for those of a step that takes certificates, and for no others.
    ///
    /// A place that cannot tell says that it could not be found out.
    fn names(&self, _folder: &str, _step: &str, _limit: usize) -> Answer {
        Answer::Failed(Failure::Unavailable("links by certificates cannot be looked for here".into()))
    }
}

/// So many entries of a folder are looked at. More leave it open what else there is.
const MAX_ENTRIES: usize = 1 << 17;

/// A folder with links. Only files that a verification asks for are opened, however many others there are. It is listed for steps that
/// take certificates, and for no others.
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

    fn names(&self, folder: &str, step: &str, limit: usize) -> Answer {
        let place = match folder.strip_suffix('/') {
            None => Ok(Some(self.root.clone())),
            // What is asked for below it shows whether it is a folder, and none that a link leads to.
            Some(_) => below(&self.root, &format!("{folder}x")).map(|place| place.and_then(|place| place.parent().map(Path::to_owned))),
        };
        let place = match place {
            Ok(Some(place)) => place,
            Ok(None) => return Answer::Absent,
            Err(error @ StoreError::Irregular { .. }) => return Answer::Failed(Failure::NoFile(error.to_string())),
            Err(error) => return Answer::Failed(Failure::Unavailable(error.to_string())),
        };
        match listed(&place, step, limit) {
            Ok(names) => Answer::Names(names),
            Err(error) => Answer::Failed(Failure::Unavailable(format!("{}: {error}", place.display()))),
        }
    }
}

/// The first names of links of a step, in their order.
fn listed(place: &Path, step: &str, limit: usize) -> io::Result<Names> {
    let (mut names, mut is_complete) = (BTreeSet::new(), true);
    for (number, entry) in std::fs::read_dir(place)?.enumerate() {
        if number == MAX_ENTRIES {
            is_complete = false;
            break;
        }
        // A name that is no Unicode is none of a link.
        let Ok(name) = entry?.file_name().into_string() else { continue };
        if is_link(&name, step) {
            names.insert(name);
            if names.len() > limit {
                names.pop_last();
                is_complete = false;
            }
        }
    }
    Ok(Names { names: names.into_iter().collect(), is_complete })
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

    fn names(answer: Answer) -> (Vec<String>, bool) {
        match answer {
            Answer::Names(Names { names, is_complete }) => (names, is_complete),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_names_of_a_step_s_links_are_told_and_no_others() {
        let folder = Folder::new();
        let of_step = ["in/a.00000000.link", "in/a.0123abcd.link", "in/a.ffffffff.link"];
        let others =
            ["in/a.FFFFFFFF.link", "in/a.0000000.link", "in/a.0000000g.link", "in/a.b.00000000.link", "in/ab.00000000.link", "in/a.link"];
        of_step.iter().chain(&others).for_each(|path| folder.file(path, "x"));
        folder.file("in/sub.00000000/a.11111111.link", "x");
        folder.file("a.22222222.link", "x");
        let links = LinkFolder::open(folder.path("in")).unwrap();
        assert_eq!(names(links.names("", "a", 3)), (of_step.map(|path| path[3..].to_owned()).to_vec(), true));
        assert_eq!(names(links.names("", "a", 2)), (vec!["a.00000000.link".into(), "a.0123abcd.link".into()], false));
        assert_eq!(names(links.names("", "*", 9)), (vec![], true));
        assert_eq!(names(links.names("sub.00000000/", "a", 9)), (vec!["a.11111111.link".into()], true));
        for none in ["none/", "../", "/", "sub.00000000/../../"] {
            assert!(matches!(links.names(none, "a", 9), Answer::Absent), "{none}");
        }
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
        assert!(matches!(links.names("folder/", "a", 9), Answer::Failed(Failure::NoFile(_))));
        // The folder itself is the user's word.
        symlink(folder.path("in"), folder.path("reached")).unwrap();
        assert!(bytes(LinkFolder::open(folder.path("reached")).unwrap().read("sub/a.link", 100)).is_some());
    }
}
