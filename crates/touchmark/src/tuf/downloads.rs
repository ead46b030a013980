//! The folder that targets are downloaded to: no part of a store, one file for each target.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use touchmark_oci::error::Error as StoreError;
use touchmark_oci::files;
use touchmark_tuf::TargetPath;
use touchmark_tuf::metadata::Target;

use super::download::{self, Downloaded};
use super::error::UpdateError;
use super::fetch::Fetch;
use super::store::MetadataStore;

/// Bytes of a target that is downloaded, unless [`Downloads::limit`] says otherwise: 16 GiB.
pub const MAX_TARGET: u64 = 16 << 30;

/// The downloads of one run into one folder.
#[derive(Debug)]
pub struct Downloads {
    folder: PathBuf,
    limit: u64,
    /// The targets that have a file here, by its name as the least discerning file system has it.
    taken: BTreeMap<String, TargetPath>,
}

impl Downloads {
    /// Begins downloads to `folder`, which is made if it is not there. What earlier runs left that were killed is removed.
    ///
    /// # Errors
    /// [`UpdateError::InStore`] if `folder` is the one of `store` or lies in it, by whatever path: a target could replace the trusted root
    /// there. A folder around the store is none of these, since a target is one file that is directly in `folder`.
    /// The folder cannot be made or read.
    pub fn begin(folder: impl Into<PathBuf>, store: &MetadataStore) -> Result<Self, UpdateError> {
        let folder = folder.into();
        // Before it is made, lest it is made in the store; and after it, since what is not there yet may lead anywhere.
        refuse_inside(&folder, store.folder())?;
        if !folder.is_dir() {
            files::create_folders(&folder)?;
        }
        refuse_inside(&folder, store.folder())?;
        files::sweep(&folder)?;
        Ok(Self { folder, limit: MAX_TARGET, taken: BTreeMap::new() })
    }

    /// Fetches no target of more than `limit` bytes.
    #[must_use]
    pub fn limit(self, limit: u64) -> Self {
        Self { limit, ..self }
    }

    /// Fetches `target` from `source` as the file that [`TargetPath::file`] names: the percent-encoded path, one file that is in no
    /// other folder. `consistent` says whether the repository has
    /// [consistent snapshots](super::Updater::has_consistent_snapshots).
    ///
    /// Length and every digest listed are checked while it comes, and no more than one byte beyond the length is read. The file is there
    /// whole or not at all. One that is there already with that content is not fetched again.
    ///
    /// # Errors
    /// It is not to be had, is larger than the limit, is not what is listed, or cannot be written. No digest is listed. A link or a folder
    /// has its name, which is left as it is; or another target of this run has, but for the case of letters.
    pub fn fetch(&mut self, source: &dyn Fetch, target: &TargetPath, listed: &Target, consistent: bool) -> Result<Downloaded, UpdateError> {
        if listed.hashes.is_empty() {
            return Err(UpdateError::NoDigest { target: target.clone() });
        }
        let name = download::file_name(target)?;
        let other = self.taken.entry(folded(&name)).or_insert_with(|| target.clone());
        if other != target {
            return Err(UpdateError::SameFile { target: target.clone(), other: other.clone() });
        }
        let path = self.folder.join(name);
        if download::is_there(&path, listed)? {
            return Ok(Downloaded { path, fetched: false });
        }
        if listed.length > self.limit {
            return Err(UpdateError::TargetTooLarge { target: target.clone(), length: listed.length, limit: self.limit });
        }
        download::fetch(source, target, listed, consistent, &path)?;
        Ok(Downloaded { path, fetched: true })
    }
}

/// A name as a file system has it that sees neither the case of letters nor dots at the end. All else is percent-encoded.
fn folded(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Refuses a folder that is the store's or in it. Of one that is not there, the nearest one above it is judged.
fn refuse_inside(folder: &Path, store: &Path) -> Result<(), UpdateError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| StoreError::Io { action: "open", path, source }
    };
    let store = store.canonicalize().map_err(failed(store))?;
    let there = folder.ancestors().find_map(|above| match above.as_os_str().is_empty() {
        true => Path::new(".").canonicalize().ok(),
        false => above.canonicalize().ok(),
    });
    match there {
        Some(there) if there.starts_with(&store) => Err(UpdateError::InStore { folder: folder.to_owned(), store }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuf::testing::{Endless, Folder};
    use crate::tuf::{FolderSource, UpdateClass};
    use touchmark_envelope::digest::Algorithm;

    fn listed(content: &[u8]) -> Target {
        let length = u64::try_from(content.len()).unwrap();
        Target { length, hashes: vec![Algorithm::Sha256.digest(content)], custom: None }
    }

    fn path(text: &str) -> TargetPath {
        TargetPath::new(text).unwrap()
    }

    /// A store, and folders around it and in it.
    fn place() -> (Folder, MetadataStore) {
        let folder = Folder::new();
        folder.file("around/store/root.json", "the trusted root");
        std::fs::create_dir(folder.path("around/store/in")).unwrap();
        let store = MetadataStore::open(folder.path("around/store")).unwrap();
        (folder, store)
    }

    #[test]
    fn the_folder_of_the_store_is_refused_by_whatever_path_and_nothing_is_made_in_it() {
        let (folder, store) = place();
        for inside in
            ["around/store", "around/./store/", "around/store/in", "around/store/new/er", "around/new/../store", "around/store/in/.."]
        {
            let refused = Downloads::begin(folder.path(inside), &store).unwrap_err();
            assert_eq!((refused.code(), refused.class()), ("target-dir-in-store", UpdateClass::Usage), "{inside}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.path("around/store"), folder.path("link")).unwrap();
            for inside in ["link", "link/in", "link/new"] {
                assert_eq!(Downloads::begin(folder.path(inside), &store).unwrap_err().code(), "target-dir-in-store", "{inside}");
            }
        }
        let mut names: Vec<_> = std::fs::read_dir(store.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["in", "root.json"]);
    }

    #[test]
    fn a_target_in_a_folder_around_the_store_does_not_reach_into_it() {
        let (folder, store) = place();
        folder.file("source/store/root.json", "evil");
        folder.file("source/root.json", "evil");
        let source = FolderSource::new(folder.path("source"));
        let mut downloads = Downloads::begin(folder.path("around"), &store).unwrap();
        for target in ["store/root.json", "root.json"] {
            downloads.fetch(&source, &path(target), &listed(b"evil"), false).unwrap();
        }
        // And one of the very name of the store's folder is an error.
        assert_eq!(downloads.fetch(&source, &path("store"), &listed(b"evil"), false).unwrap_err().code(), "irregular-file");
        assert_eq!(std::fs::read(folder.path("around/store/root.json")).unwrap(), b"the trusted root");
        assert_eq!(std::fs::read(folder.path("around/store%2Froot.json")).unwrap(), b"evil");
    }

    #[test]
    fn targets_that_are_one_file_to_some_file_systems_do_not_replace_each_other() {
        let (folder, store) = place();
        for (name, content) in [("a.TXT", "one"), ("A.txt", "two"), ("a.txt.", "three"), ("b", "four")] {
            folder.file(&format!("source/{name}"), content);
        }
        let source = FolderSource::new(folder.path("source"));
        let mut downloads = Downloads::begin(folder.path("out"), &store).unwrap();
        let mut fetch = |target: &str, content: &str| downloads.fetch(&source, &path(target), &listed(content.as_bytes()), false);
        assert!(fetch("a.TXT", "one").unwrap().fetched);
        for (target, content) in [("A.txt", "two"), ("a.txt.", "three")] {
            let refused = fetch(target, content).unwrap_err();
            assert_eq!((refused.code(), refused.class()), ("target-same-file", UpdateClass::Usage));
            assert!(refused.to_string().contains("a.TXT"), "{refused}");
        }
        // The same target again is no other one.
        assert!(!fetch("a.TXT", "one").unwrap().fetched && fetch("b", "four").unwrap().fetched);
        assert_eq!(std::fs::read(folder.path("out/a.TXT")).unwrap(), b"one");
        assert_eq!(std::fs::read_dir(folder.path("out")).unwrap().count(), 2);
    }

    #[test]
    fn what_killed_downloads_left_is_removed_and_nothing_else() {
        let (folder, store) = place();
        folder.file("out/.touchmark-0123456789abcdef.tmp", "left");
        folder.file("out/.touchmark-mine.tmp", "the user's");
        Downloads::begin(folder.path("out"), &store).unwrap();
        assert!(!folder.path("out/.touchmark-0123456789abcdef.tmp").exists() && folder.path("out/.touchmark-mine.tmp").exists());
    }

    #[test]
    fn a_target_of_which_no_digest_is_listed_is_refused() {
        let (folder, store) = place();
        folder.file("source/a", "x");
        let mut downloads = Downloads::begin(folder.path("out"), &store).unwrap();
        let unlisted = Target { hashes: Vec::new(), ..listed(b"x") };
        for consistent in [false, true] {
            let refused = downloads.fetch(&FolderSource::new(folder.path("source")), &path("a"), &unlisted, consistent);
            assert_eq!(refused.unwrap_err().code(), "target-no-digest");
        }
        assert_eq!(std::fs::read_dir(folder.path("out")).unwrap().count(), 0);
    }

    #[test]
    fn a_target_that_is_listed_as_larger_than_the_limit_is_not_asked_for() {
        let (folder, store) = place();
        let source = Endless::default();
        for (limit, length) in [(None, 1 << 60), (None, MAX_TARGET + 1), (Some(4), 5)] {
            let downloads = Downloads::begin(folder.path("out"), &store).unwrap();
            let mut downloads = match limit {
                Some(limit) => downloads.limit(limit),
                None => downloads,
            };
            let refused = downloads.fetch(&source, &path("a"), &Target { length, ..listed(b"") }, true).unwrap_err();
            assert_eq!((refused.code(), refused.class()), ("target-too-large", UpdateClass::Unknown));
        }
        assert_eq!(source.asked.get(), 0);
        assert_eq!(std::fs::read_dir(folder.path("out")).unwrap().count(), 0);
        // One that is there already is as good as ever.
        folder.file("out/a", "12345");
        let mut downloads = Downloads::begin(folder.path("out"), &store).unwrap().limit(4);
        assert!(!downloads.fetch(&source, &path("a"), &listed(b"12345"), true).unwrap().fetched);
    }
}
