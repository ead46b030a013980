//! Artifacts from files: which files there are, what they are called, and their digests.

use std::collections::BTreeMap;
use std::fs::{DirEntry, File, FileType};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use touchmark_envelope::Digest;
use touchmark_envelope::digest::{Algorithm, Hasher};
use touchmark_in_toto::Artifacts;
use touchmark_in_toto::name::is_artifact_name;
use touchmark_oci::error::Error as StoreError;
use touchmark_oci::files;
use touchmark_oci::parallel::map_with;

use super::error::RecordError;
use super::exclude::Exclusion;

/// So many files and folders are looked at.
pub const MAX_FILES: usize = 1 << 20;
/// So many names of what is excluded are told.
pub const MAX_EXCLUDED: usize = 32;
/// So many bytes are read at once.
const CHUNK: usize = 1 << 18;
/// So many files are hashed at once, where there are as many processors.
const MAX_THREADS: usize = 8;

/// What becomes of symbolic links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolicLinks {
    /// For what is to be verified: one that leads to a file below the base folder is recorded as that file, under its own name. Any other
    /// is an error, as is whatever else is neither file nor folder: what is not recorded is disallowed by no rule.
    Within,
    /// For evidence, as the reference implementation records it: one that leads to a file or a folder, wherever that is, is recorded as
    /// that, under its own name. One that leads to nothing, or to a folder that it is in, and whatever else is neither file nor folder is
    /// left out.
    Followed,
}

/// Records files below a folder: their names from there, with `/` between the parts, and their SHA-256, which is what every
/// implementation records. Rules compare whole sets of digests, so that one more would match none of theirs.
#[derive(Clone, Debug)]
pub struct Recorder {
    base: PathBuf,
    exclusions: Vec<Exclusion>,
    secrets: Vec<Secret>,
    links: SymbolicLinks,
    limit: usize,
}

/// A file that is not recorded, whatever it is called: a hard link is another name of it.
#[derive(Clone, Debug)]
struct Secret {
    path: PathBuf,
    /// Its file system, and its number there.
    #[cfg(unix)]
    inode: Option<(u64, u64)>,
}

impl Secret {
    /// The file at `path`; `None` if there is none, which then is met nowhere.
    fn new(path: &Path) -> Option<Self> {
        let path = path.canonicalize().ok()?;
        Some(Self {
            #[cfg(unix)]
            inode: inode(&path),
            path,
        })
    }

    /// Whether the file at `other` is this one.
    fn is(&self, other: &Path) -> bool {
        #[cfg(unix)]
        if self.inode.is_some() && self.inode == inode(other) {
            return true;
        }
        self.path.file_name() == other.file_name() && other.canonicalize().is_ok_and(|other| other == self.path)
    }
}

#[cfg(unix)]
fn inode(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// What was recorded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recorded {
    /// The files.
    pub artifacts: Artifacts,
    /// What was not recorded, and is not excluded.
    pub left_out: Vec<LeftOut>,
    /// What is excluded.
    pub excluded: Excluded,
}

/// What patterns left out: files and folders by their names, as far as they are told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Excluded {
    /// The first [`MAX_EXCLUDED`] that were met, of a folder its name alone.
    pub names: Vec<String>,
    /// How many there are besides.
    pub more: usize,
}

/// What was not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it is.
    pub path: PathBuf,
    /// Why.
    pub why: &'static str,
    /// Whether it is a path that was named, and nothing is there.
    pub is_missing: bool,
}

impl Recorder {
    /// Of files below `base`.
    pub fn new(base: impl Into<PathBuf>, links: SymbolicLinks) -> Self {
        Self { base: base.into(), exclusions: Vec::new(), secrets: Vec::new(), links, limit: MAX_FILES }
    }

    /// The same, without what the patterns match.
    #[must_use]
    pub fn without(mut self, exclusions: impl IntoIterator<Item = Exclusion>) -> Self {
        self.exclusions.extend(exclusions);
        self
    }

    /// The same, without these files, by whatever name and link they are met: private keys and passphrases, whose digests, and whose very
    /// being there, are nobody else's business. They are told among what is left out.
    #[must_use]
    pub fn without_secrets(mut self, files: impl IntoIterator<Item = PathBuf>) -> Self {
        self.secrets.extend(files.into_iter().filter_map(|file| Secret::new(&file)));
        self
    }

    /// Asserts that `paths` can be recorded as far as their text tells, before there is anything at them.
    ///
    /// # Errors
    /// [`RecordError::Outside`], [`RecordError::Name`].
    pub fn assert_below<P: AsRef<Path>>(paths: &[P]) -> Result<(), RecordError> {
        paths.iter().try_for_each(|path| parts(path.as_ref()).map(drop))
    }

    /// Records the files and folders at `paths`, each from the base folder; `.` is all of it. `hashed` is told how many bytes more were
    /// hashed, from any thread.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn record<P: AsRef<Path>>(&self, paths: &[P], hashed: &(dyn Fn(u64) + Sync)) -> Result<Recorded, RecordError> {
        let walk = self.walk(paths)?;
        let files: Vec<(String, PathBuf)> = walk.files.into_iter().collect();
        let digests = hash_all(&files, hashed)?;
        let hex: Vec<String> = digests.iter().map(Digest::hex).collect();
        let pairs = files.iter().zip(&hex).map(|((name, _), hex)| (name.as_str(), [(Algorithm::Sha256.name(), hex.as_str())]));
        Ok(Recorded { artifacts: Artifacts::new(pairs)?, left_out: walk.left_out, excluded: walk.excluded })
    }

    /// The names of what would be recorded, and where to read each.
    pub(super) fn files<P: AsRef<Path>>(&self, paths: &[P]) -> Result<BTreeMap<String, PathBuf>, RecordError> {
        Ok(self.walk(paths)?.files)
    }

    fn walk<P: AsRef<Path>>(&self, paths: &[P]) -> Result<Walk<'_>, RecordError> {
        let canonical = self.base.canonicalize().map_err(|source| RecordError::Folder { path: self.base.clone(), source })?;
        let (files, excluded) = (BTreeMap::new(), Excluded::default());
        let mut walk = Walk { recorder: self, canonical, seen: 0, folders: Vec::new(), files, left_out: Vec::new(), excluded };
        for path in paths {
            walk.begin(path.as_ref())?;
        }
        Ok(walk)
    }

    /// Whether this, or a folder on the way to it, is excluded.
    fn excludes(&self, name: &str, is_folder: bool) -> bool {
        let excluded = |name: &str, is_folder| self.exclusions.iter().any(|exclusion| exclusion.matches(name, is_folder));
        let above = name.match_indices('/').filter_map(|(place, _)| name.get(..place));
        excluded(name, is_folder) || above.into_iter().any(|folder| excluded(folder, true))
    }
}

/// The search for files.
struct Walk<'a> {
    recorder: &'a Recorder,
    /// The base folder, without links on the way.
    canonical: PathBuf,
    seen: usize,
    /// Folders whose entries were not looked at.
    folders: Vec<Unseen>,
    /// Files by name, and where to read them.
    files: BTreeMap<String, PathBuf>,
    left_out: Vec<LeftOut>,
    excluded: Excluded,
}

/// A folder that is to be looked at.
struct Unseen {
    name: String,
    place: PathBuf,
    /// Where the links on the way to it are, and where they lead.
    by: Rc<[PathBuf]>,
}

/// What a link leads to.
enum Target {
    File(PathBuf),
    Folder(Rc<[PathBuf]>),
}

impl Walk<'_> {
    /// Looks at a path that the user named, and at all that is below it.
    fn begin(&mut self, path: &Path) -> Result<(), RecordError> {
        let parts = parts(path)?;
        let (name, place) = (parts.join("/"), parts.iter().fold(self.recorder.base.clone(), |place, part| place.join(part)));
        if parts.is_empty() {
            self.folders.push(Unseen { name, place, by: Rc::default() });
        } else {
            match std::fs::symlink_metadata(&place) {
                Ok(metadata) => self.take(name, place, metadata.file_type(), &Rc::default())?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.left_out.push(LeftOut { path: place, why: "there is nothing of this name", is_missing: true });
                }
                Err(error) => return Err(read(&place, error)),
            }
        }
        while let Some(folder) = self.folders.pop() {
            let failed = |source| RecordError::Folder { path: folder.place.clone(), source };
            for entry in std::fs::read_dir(&folder.place).map_err(failed)? {
                self.entry(&folder, &entry.map_err(failed)?)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, folder: &Unseen, entry: &DirEntry) -> Result<(), RecordError> {
        let place = entry.path();
        let file_name = entry.file_name();
        let part = file_name.to_str().ok_or_else(|| RecordError::Name { path: place.clone() })?;
        let name = if folder.name.is_empty() { part.to_owned() } else { format!("{}/{part}", folder.name) };
        let kind = entry.file_type().map_err(|error| read(&place, error))?;
        self.take(name, place, kind, &folder.by)
    }

    fn take(&mut self, name: String, place: PathBuf, kind: FileType, by: &Rc<[PathBuf]>) -> Result<(), RecordError> {
        self.seen += 1;
        if self.seen > self.recorder.limit {
            return Err(RecordError::TooMany { path: self.recorder.base.clone(), limit: self.recorder.limit });
        }
        if self.recorder.excludes(&name, kind.is_dir()) {
            self.exclude(name);
            return Ok(());
        }
        if !is_artifact_name(&name) {
            return Err(RecordError::Name { path: place });
        }
        if kind.is_dir() {
            self.folders.push(Unseen { name, place, by: Rc::clone(by) });
        } else if kind.is_file() {
            self.file(name, place.clone(), place);
        } else if kind.is_symlink() {
            match self.followed(&place, by) {
                Ok(Target::File(target)) => self.file(name, place, target),
                // Whatever matches folders alone matches it now.
                Ok(Target::Folder(_)) if self.recorder.excludes(&name, true) => self.exclude(name),
                Ok(Target::Folder(by)) => self.folders.push(Unseen { name, place, by }),
                Err(what) => self.odd(place, what)?,
            }
        } else {
            self.odd(place, "it is neither a file nor a folder")?;
        }
        Ok(())
    }

    /// Takes the file `target`, which is met at `place`.
    fn file(&mut self, name: String, place: PathBuf, target: PathBuf) {
        if self.recorder.secrets.iter().any(|secret| secret.is(&target)) {
            let why = "it is the private key or the passphrase of who signs";
            self.left_out.push(LeftOut { path: place, why, is_missing: false });
        } else {
            self.files.insert(name, target);
        }
    }

    fn exclude(&mut self, name: String) {
        if self.excluded.names.len() < MAX_EXCLUDED {
            self.excluded.names.push(name);
        } else {
            self.excluded.more += 1;
        }
    }

    /// What a link leads to, which is met on the way by other links.
    fn followed(&self, link: &Path, by: &[PathBuf]) -> Result<Target, &'static str> {
        // A loop is an error of the system's.
        let target = link.canonicalize().map_err(|_| "it is a link that leads nowhere")?;
        match std::fs::symlink_metadata(&target) {
            Ok(found) if found.is_dir() && self.recorder.links == SymbolicLinks::Within => Err("it is a link to a folder"),
            Ok(found) if found.is_dir() => {
                let above = link.parent().unwrap_or(link).canonicalize().map_err(|_| "it is a link that leads nowhere")?;
                let by: Rc<[PathBuf]> = by.iter().cloned().chain([above]).collect();
                // It would be entered again and again.
                if by.iter().any(|place| place.starts_with(&target)) {
                    return Err("it is a link to a folder that it is in");
                }
                Ok(Target::Folder(by.iter().cloned().chain([target]).collect()))
            }
            Ok(found) if !found.is_file() => Err("it is a link to what is neither a file nor a folder"),
            Ok(_) if self.recorder.links == SymbolicLinks::Within && !target.starts_with(&self.canonical) => {
                Err("it is a link that leads out of the folder")
            }
            Ok(_) => Ok(Target::File(target)),
            Err(_) => Err("it is a link that leads nowhere"),
        }
    }

    fn odd(&mut self, path: PathBuf, what: &'static str) -> Result<(), RecordError> {
        match self.recorder.links {
            SymbolicLinks::Within => Err(RecordError::Irregular { path, what }),
            SymbolicLinks::Followed => {
                self.left_out.push(LeftOut { path, why: what, is_missing: false });
                Ok(())
            }
        }
    }
}

/// The parts of a path that the user named, from the base folder.
fn parts(path: &Path) -> Result<Vec<&str>, RecordError> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_str().ok_or_else(|| RecordError::Name { path: path.to_owned() })?),
            _ => return Err(RecordError::Outside { path: path.to_owned() }),
        }
    }
    Ok(parts)
}

/// The digests of files, in their order, computed by several threads.
fn hash_all(files: &[(String, PathBuf)], hashed: &(dyn Fn(u64) + Sync)) -> Result<Vec<Digest>, RecordError> {
    let failed = AtomicBool::new(false);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let digests = map_with(
        files,
        threads,
        || vec![0; CHUNK],
        |chunk, (_, path)| {
            // After a failure the others are of no use.
            let digest = (!failed.load(Ordering::Relaxed)).then(|| hash(path, chunk, hashed))?;
            failed.fetch_or(digest.is_err(), Ordering::Relaxed);
            Some(digest)
        },
    );
    digests.into_iter().flatten().collect()
}

/// The SHA-256 of a regular file. No more is read than it has at first, and a byte, so that one that grows ends.
fn hash(path: &Path, chunk: &mut [u8], hashed: &(dyn Fn(u64) + Sync)) -> Result<Digest, RecordError> {
    let file: File = files::open(path)?.ok_or_else(|| read(path, io::ErrorKind::NotFound.into()))?;
    let size = file.metadata().map_err(|error| read(path, error))?.len();
    let (mut file, mut hasher, mut count) = (file.take(size.saturating_add(1)), Hasher::new(Algorithm::Sha256), 0_u64);
    loop {
        let read = file.read(chunk).map_err(|error| read(path, error))?;
        let bytes = chunk.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        hasher.update(bytes);
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        count = count.saturating_add(read);
        hashed(read);
    }
    if count == size { Ok(hasher.finish()) } else { Err(RecordError::Changed { path: path.to_owned() }) }
}

fn read(path: &Path, source: io::Error) -> RecordError {
    RecordError::Store(StoreError::Io { action: "read", path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    fn recorded(recorder: &Recorder, paths: &[&str]) -> Result<Vec<(String, String)>, RecordError> {
        let recorded = recorder.record(paths, &|_| {})?;
        let name = |artifact: touchmark_in_toto::Artifact<'_>| {
            let digests: Vec<String> = artifact.digests.iter().map(|(algorithm, digest)| format!("{algorithm}:{digest}")).collect();
            (artifact.name.to_owned(), digests.join(","))
        };
        Ok(recorded.artifacts.iter().map(name).collect())
    }

    fn names(recorder: &Recorder, paths: &[&str]) -> Vec<String> {
        recorded(recorder, paths).unwrap().into_iter().map(|(name, _)| name).collect()
    }

    fn folder() -> Folder {
        let folder = Folder::new();
        for name in ["a", "sub/b", "sub/deep/c", ".git/config", "sub/x.pyc"] {
            folder.file(name, name);
        }
        folder
    }

    #[test]
    fn files_have_their_names_from_the_base_and_their_digests() {
        let folder = folder();
        let recorder = Recorder::new(folder.root(), SymbolicLinks::Within);
        let all = recorded(&recorder, &["."]).unwrap();
        for (name, digest) in &all {
            assert_eq!(*digest, Algorithm::Sha256.digest(name.as_bytes()).to_string());
        }
        let names_of = |paths: &[&str]| names(&recorder, paths);
        assert_eq!(names_of(&["."]), [".git/config", "a", "sub/b", "sub/deep/c", "sub/x.pyc"]);
        assert_eq!(names_of(&["./a", "sub//deep/", "sub/./deep"]), ["a", "sub/deep/c"]);
        assert_eq!(names_of(&[]), [""; 0]);
    }

    #[test]
    fn excluded_files_and_all_in_excluded_folders_are_not_recorded() {
        let folder = folder();
        let exclude = |patterns: &[&str]| {
            let patterns = patterns.iter().map(|pattern| Exclusion::new(pattern).unwrap());
            Recorder::new(folder.root(), SymbolicLinks::Within).without(patterns)
        };
        assert_eq!(names(&exclude(&[".git", "*.pyc"]), &["."]), ["a", "sub/b", "sub/deep/c"]);
        // Also where the user names what is in one.
        assert_eq!(names(&exclude(&["sub/"]), &["a", "sub/deep", "sub/b"]), ["a"]);
    }

    #[test]
    fn paths_out_of_the_base_name_no_artifact() {
        let folder = folder();
        let recorder = Recorder::new(folder.path("sub"), SymbolicLinks::Followed);
        for path in ["../a", "/etc/passwd", "deep/../../a"] {
            assert!(matches!(recorded(&recorder, &[path]), Err(RecordError::Outside { .. })), "{path}");
        }
        let recorded = recorder.record(&["none"], &|_| {}).unwrap();
        assert!(recorded.artifacts.is_empty() && recorded.left_out.len() == 1);
        assert!(matches!(
            Recorder::new(folder.path("none"), SymbolicLinks::Within).record(&["."], &|_| {}),
            Err(RecordError::Folder { .. })
        ));
    }

    #[test]
    fn more_files_than_the_limit_are_refused() {
        let folder = folder();
        let mut recorder = Recorder::new(folder.root(), SymbolicLinks::Within);
        recorder.limit = 8;
        assert!(recorded(&recorder, &["."]).is_ok());
        recorder.limit = 7;
        assert!(matches!(recorded(&recorder, &["."]), Err(RecordError::TooMany { limit: 7, .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_file_within_is_that_file_and_others_are_refused_or_left_out() {
        use std::os::unix::fs::symlink;
        let outside = folder();
        let link = |target: PathBuf| {
            let folder = Folder::new();
            folder.file("lib/so.1", "lib");
            symlink(target, folder.path("lib/so")).unwrap();
            folder
        };
        let within = link("so.1".into());
        for links in [SymbolicLinks::Within, SymbolicLinks::Followed] {
            let all = recorded(&Recorder::new(within.root(), links), &["."]).unwrap();
            assert_eq!(all[0], ("lib/so".into(), all[1].1.clone()));
        }
        for (target, followed) in [(outside.path("a"), true), ("..".into(), false), ("so".into(), false), ("none".into(), false)] {
            let folder = link(target.clone());
            let strict = recorded(&Recorder::new(folder.root(), SymbolicLinks::Within), &["."]);
            assert!(matches!(strict, Err(RecordError::Irregular { .. })), "{target:?}");
            let recorded = Recorder::new(folder.root(), SymbolicLinks::Followed).record(&["."], &|_| {}).unwrap();
            assert_eq!((recorded.artifacts.get("lib/so").is_some(), recorded.left_out.is_empty()), (followed, followed), "{target:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn folders_are_entered_by_links_where_these_are_followed_and_loops_end() {
        use std::os::unix::fs::symlink;
        let folder = Folder::new();
        folder.file("a/file", "x");
        folder.file("b/other", "y");
        symlink("../b", folder.path("a/to-b")).unwrap();
        symlink("../a", folder.path("b/to-a")).unwrap();
        let strict = recorded(&Recorder::new(folder.root(), SymbolicLinks::Within), &["."]);
        assert!(matches!(strict, Err(RecordError::Irregular { .. })));
        let followed = Recorder::new(folder.root(), SymbolicLinks::Followed);
        assert_eq!(names(&followed, &["."]), ["a/file", "a/to-b/other", "b/other", "b/to-a/file"]);
        assert_eq!(followed.record(&["."], &|_| {}).unwrap().left_out.len(), 2);
        let without = followed.without([Exclusion::new("to-b/").unwrap(), Exclusion::new("to-a").unwrap()]);
        assert_eq!(names(&without, &["."]), ["a/file", "b/other"]);
    }

    #[cfg(unix)]
    #[test]
    fn pipes_do_not_keep_it_waiting() {
        let folder = folder();
        assert!(std::process::Command::new("mkfifo").arg(folder.path("sub/pipe")).status().unwrap().success());
        assert!(matches!(recorded(&Recorder::new(folder.root(), SymbolicLinks::Within), &["."]), Err(RecordError::Irregular { .. })));
        let recorded = Recorder::new(folder.root(), SymbolicLinks::Followed).record(&["."], &|_| {}).unwrap();
        assert_eq!((recorded.artifacts.len(), recorded.left_out.len()), (5, 1));
    }
}
