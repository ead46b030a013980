//! OCI layouts in folders (OCI image spec 1.1, image-layout.md; SPEC.md, section 14).

mod attach;
mod detach;
mod rebuild;
mod repair;
mod write;

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::{self, Value};
use touchmark_envelope::manifest::Descriptor;
use touchmark_envelope::{Digest, name};

use crate::content::{self, Content};
use crate::error::Error;
use crate::index::{self, Fault, Index};
use crate::lock::{LOCK_FILE, Lock};
use crate::source::{AllReferrers, Attached, Referrers, RepairReport, Source, Store, Upkeep};
use crate::temporary::Durability;
use crate::{platform, referrers, scan, survey, temporary, union};

/// The file that makes a folder an OCI layout.
const MARKER_FILE: &str = "oci-layout";
const MARKER: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
/// The only version there is.
const VERSION: &str = "1.0.0";
/// At most this many bytes of it are read.
const MAX_MARKER: u64 = 64 << 10;
const INDEX_FILE: &str = "index.json";
const BLOBS: &str = "blobs";
/// How many blobs are written at the same time: each may have to come over a network.
const WRITERS: usize = 4;
/// How often a malformed `index.json` is read again: another program may be writing it in place. In all some 150 ms.
/// Fuzz targets write it themselves, and mostly malformed.
const INDEX_ATTEMPTS: u32 = if cfg!(fuzzing) { 1 } else { 12 };

/// An OCI layout in a folder.
///
/// Any number of processes and threads may read and write it at once: writers wait for one another, and readers for nobody.
/// Reading needs no right to write.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
    /// What messages call it, if that is not its folder.
    name: Option<String>,
    durability: Durability,
    /// The first `index.json` that was read, for tests that switch merging off.
    #[cfg(feature = "failpoint")]
    first: std::sync::Arc<std::sync::OnceLock<Vec<u8>>>,
}

impl Layout {
    /// Opens the OCI layout in the folder `path`.
    ///
    /// # Errors
    /// There is none, it is of another version, or it cannot be read.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let layout = Self::at(path.into());
        layout.check_marker()?;
        layout.check_index()?;
        Ok(layout)
    }

    /// Opens the OCI layout in the folder `path`; a folder that is empty or not there is made one.
    ///
    /// # Errors
    /// The folder holds something else, the OCI layout is of another version, or it cannot be read or made.
    pub fn open_or_create(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let layout = Self::at(path.into());
        if layout.path(MARKER_FILE).symlink_metadata().is_err() {
            layout.create()?;
        }
        layout.check_marker()?;
        layout.check_index()?;
        Ok(layout)
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The same, as the unpacked form of something else: called `name` in messages, and gone with this process.
    pub(crate) fn scratch(self, name: String) -> Self {
        Self { name: Some(name), durability: Durability::Scratch, ..self }
    }

    fn at(root: PathBuf) -> Self {
        Self {
            root,
            name: None,
            durability: Durability::Synced,
            #[cfg(feature = "failpoint")]
            first: std::sync::Arc::default(),
        }
    }

    /// Makes what is missing, the marker last: a folder without it is unfinished and made again.
    fn create(&self) -> Result<(), Error> {
        let failed = |source| Error::writing(&self.root, source);
        self.check_unused()?;
        std::fs::create_dir_all(&self.root).map_err(failed)?;
        let _lock = Lock::take(&self.root)?;
        temporary::sweep(&self.root).map_err(failed)?;
        if platform::file_size(&self.path(MARKER_FILE)).map_err(failed)?.is_some() {
            return Ok(());
        }
        self.create_blob_folder(Algorithm::Sha256).map_err(failed)?;
        if platform::file_size(&self.path(INDEX_FILE)).map_err(failed)?.is_none() {
            temporary::write_file(&self.root, &self.path(INDEX_FILE), &Index::new().to_vec(), self.durability).map_err(failed)?;
        }
        temporary::write_file(&self.root, &self.path(MARKER_FILE), MARKER, self.durability).map_err(failed)?;
        temporary::sync_folder(&self.root, self.durability).map_err(failed)
    }

    /// Refuses a folder that holds anything but the beginning of an OCI layout.
    fn check_unused(&self) -> Result<(), Error> {
        let entries = match std::fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(Error::Io { action: "list", path: self.root.clone(), source }),
        };
        for entry in entries {
            let name = entry.map_err(|source| Error::reading(&self.root, source))?.file_name();
            let known = |name: &str| [LOCK_FILE, INDEX_FILE, BLOBS, MARKER_FILE].contains(&name) || temporary::is_temporary(name);
            if !name.to_str().is_some_and(known) {
                let reason = format!("it has no `{MARKER_FILE}`, and is not empty");
                return Err(Error::NotALayout { path: self.root.clone(), reason });
            }
        }
        Ok(())
    }

    fn check_marker(&self) -> Result<(), Error> {
        let path = self.path(MARKER_FILE);
        let bytes = match self.read_file(MARKER_FILE, MAX_MARKER) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                if !self.root.is_dir() {
                    // No such artifact, rather than a wrong question.
                    return Err(Error::Io { action: "open", path: self.root.clone(), source });
                }
                return Err(Error::NotALayout { path: self.root.clone(), reason: format!("there is no `{MARKER_FILE}`") });
            }
            read => read?,
        };
        check_version(&path, &self.place(), &bytes)
    }

    fn check_index(&self) -> Result<(), Error> {
        #[cfg(feature = "failpoint")]
        if crate::failpoint::is_off(crate::failpoint::Guard::Merge) {
            let bytes = self.index()?.to_vec();
            self.first.get_or_init(|| bytes);
        }
        match platform::file_size(&self.path(INDEX_FILE)).map_err(|source| Error::reading(&self.path(INDEX_FILE), source))? {
            Some(_) => Ok(()),
            None => Err(Error::NotALayout { path: self.root.clone(), reason: format!("there is no `{INDEX_FILE}`") }),
        }
    }

    fn malformed(&self, what: &str, reason: String) -> Error {
        Error::Malformed { location: self.place(), what: what.to_owned(), reason }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The folder of a digest algorithm's blobs. That neither it nor `blobs` is a link is checked each time.
    fn blob_folder(&self, algorithm: Algorithm) -> io::Result<Option<PathBuf>> {
        let blobs = self.path(BLOBS);
        let folder = blobs.join(algorithm.name());
        Ok((platform::is_folder(&blobs)? && platform::is_folder(&folder)?).then_some(folder))
    }

    /// Where a blob is, if it is there. A digest has nothing but hexadecimal digits, so this never leads elsewhere.
    fn blob_path(&self, digest: &Digest) -> io::Result<Option<PathBuf>> {
        Ok(self.blob_folder(digest.algorithm())?.map(|folder| folder.join(digest.hex())))
    }

    fn create_blob_folder(&self, algorithm: Algorithm) -> io::Result<PathBuf> {
        let blobs = self.path(BLOBS);
        let folder = blobs.join(algorithm.name());
        if self.blob_folder(algorithm)?.is_none() {
            temporary::create_folder(&blobs)?;
            temporary::create_folder(&folder)?;
            temporary::sync_folder(&blobs, self.durability)?;
            temporary::sync_folder(&self.root, self.durability)?;
        }
        Ok(folder)
    }

    /// A file beside the blobs.
    fn read_file(&self, name: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let path = self.path(name);
        let failed = |source| Error::reading(&path, source);
        let file = platform::open(&path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
        let size = scan::length(&bytes);
        if size > limit {
            return Err(Error::TooLarge { location: self.place(), what: name.to_owned(), size, limit });
        }
        Ok(bytes)
    }
}

impl Content for Layout {
    fn place(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("oci:{}", self.root.display()))
    }

    fn index_bytes(&self) -> Result<Vec<u8>, Error> {
        self.read_file(INDEX_FILE, index::MAX_BYTES)
    }

    fn index(&self) -> Result<Index, Error> {
        read_whole(|| self.index_bytes())?.map_err(|fault| content::index_error(&self.place(), INDEX_FILE, fault))
    }

    fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        let failed = |source| Error::reading(&self.root, source);
        match self.blob_path(digest).map_err(failed)? {
            Some(path) => platform::file_size(&path).map_err(|source| Error::reading(&path, source)),
            None => Ok(None),
        }
    }

    fn open_blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        let missing = || Error::NoSuchBlob { location: self.place(), digest: *digest };
        let path = self.blob_path(digest).map_err(|source| Error::reading(&self.root, source))?.ok_or_else(missing)?;
        let file = match platform::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && error.get_ref().is_none() => return Err(missing()),
            opened => opened.map_err(|source| Error::reading(&path, source))?,
        };
        let size = file.metadata().map_err(|source| Error::reading(&path, source))?.len();
        Ok((size, Box::new(file)))
    }

    fn each_blob(&self, see: &mut dyn FnMut(Digest, u64) -> ControlFlow<()>) -> Result<(), Error> {
        for algorithm in Algorithm::ALL {
            let Some(folder) = self.blob_folder(algorithm).map_err(|source| Error::reading(&self.root, source))? else { continue };
            let failed = |source| Error::Io { action: "list", path: folder.clone(), source };
            for entry in std::fs::read_dir(&folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let name = entry.file_name();
                let Some(digest) = name.to_str().and_then(|name| Digest::from_hex(algorithm, name).ok()) else { continue };
                // What is no regular file has no size here: opening it tells.
                let size = entry.metadata().ok().filter(std::fs::Metadata::is_file).map_or(0, |metadata| metadata.len());
                if see(digest, size).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

impl Source for Layout {
    fn location(&self) -> String {
        self.place()
    }

    fn resolve(&self, tag: Option<&str>, digest: Option<&Digest>) -> Result<Descriptor, Error> {
        union::resolve(self, tag, digest)
    }

    fn manifest(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error> {
        self.read(digest, limit)
    }

    fn blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        self.open_hashed(digest)
    }

    fn unhashed_blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        self.open_blob(digest)
    }

    fn size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        self.blob_size(digest)
    }

    fn referrers(&self, subject: &Digest, max_entries: usize, max_bytes: u64) -> Result<Referrers, Error> {
        referrers::referrers(self, subject, max_entries, max_bytes)
    }

    fn all_referrers(&self, max_entries: usize, max_bytes: u64) -> Result<Option<AllReferrers>, Error> {
        survey::survey(self, max_entries, max_bytes).map(Some)
    }

    fn tags(&self) -> Result<Vec<(String, Descriptor)>, Error> {
        union::tags(self)
    }

    fn roots(&self) -> Result<Vec<Descriptor>, Error> {
        union::roots(self)
    }
}

impl Store for Layout {
    fn put_blob(&self, expected: Option<&Descriptor>, content: &mut dyn Read) -> Result<Descriptor, Error> {
        self.write_blob(expected, content)
    }

    fn put_manifest_as(&self, algorithm: Algorithm, bytes: &[u8], media_type: &str, tag: Option<&str>) -> Result<Descriptor, Error> {
        self.write_manifest(algorithm, bytes, media_type, tag)
    }

    fn attach_as(&self, algorithm: Algorithm, manifests: &[&[u8]]) -> Result<Vec<Attached>, Error> {
        self.attach_manifests(algorithm, manifests)
    }

    fn writers(&self) -> usize {
        WRITERS
    }
}

impl Upkeep for Layout {
    fn detach(&self, subject: &Digest, referrer: &Digest) -> Result<(), Error> {
        self.detach_manifest(subject, referrer)
    }

    fn repair(&self, dry_run: bool, subject: Option<&Digest>) -> Result<RepairReport, Error> {
        self.repair_lists(dry_run, subject)
    }
}

/// An index from bytes that another program may be writing: cut off ones are read again, within bounds.
fn read_whole(mut read: impl FnMut() -> Result<Vec<u8>, Error>) -> Result<Result<Index, Fault>, Error> {
    let mut wait = Duration::from_millis(1);
    for _ in 1..INDEX_ATTEMPTS {
        match Index::parse(read()?) {
            Err(Fault::CutOff) => std::thread::sleep(wait),
            parsed => return Ok(parsed),
        }
        wait = wait.saturating_mul(2).min(Duration::from_millis(16));
    }
    Ok(Index::parse(read()?))
}

/// Reads `oci-layout`, which is at `path`.
pub(crate) fn check_version(path: &Path, location: &str, bytes: &[u8]) -> Result<(), Error> {
    let malformed = |reason| Error::Malformed { location: location.to_owned(), what: MARKER_FILE.to_owned(), reason };
    let value = json::parse(bytes, bytes.len()).map_err(|error| malformed(error.to_string()))?;
    match value.get("imageLayoutVersion").and_then(Value::as_str) {
        Some(VERSION) => Ok(()),
        Some(found) => Err(Error::LayoutVersion { path: path.to_owned(), found: found.chars().take(64).collect() }),
        None => Err(malformed("it has no imageLayoutVersion".to_owned())),
    }
}

/// Refuses what cannot be a tag of an OCI layout (annotations.md, `org.opencontainers.image.ref.name`) or is kept for lists.
fn check_tag(tag: &str) -> Result<(), Error> {
    let refuse = |reason| Err(Error::BadTag { tag: tag.to_owned(), reason });
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:@/+".contains(&byte);
    if union::is_list_tag(tag) {
        return refuse("such tags are kept for lists of referrers");
    }
    if name::is_version(tag)
        || (tag.starts_with(|first: char| first.is_ascii_alphanumeric()) && tag.len() <= 255 && tag.bytes().all(allowed))
    {
        return Ok(());
    }
    refuse("it has characters that tags do not have, or too many")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_off_index_is_read_again_but_not_for_ever() {
        let mut reads = 0;
        let parsed = read_whole(|| {
            reads += 1;
            Ok(if reads < 4 { b"{\"manif".to_vec() } else { b"{\"manifests\":[]}".to_vec() })
        });
        assert!(parsed.unwrap().is_ok());
        assert_eq!(reads, 4);
        let mut reads = 0;
        let parsed = read_whole(|| {
            reads += 1;
            Ok(Vec::new())
        });
        assert!(parsed.unwrap().is_err());
        assert_eq!(reads, INDEX_ATTEMPTS);
    }

    #[test]
    fn tags_are_those_of_the_specification_and_no_lists() {
        let list = union::list_tag(&Algorithm::Sha512.digest(b""));
        assert_eq!(list.len(), 7 + 64);
        for bad in [list.as_str(), &format!("{list}.0123456789ab"), "", "a b", "a\n", "../x", "é", &"a".repeat(256)] {
            assert!(check_tag(bad).is_err(), "{bad:?}");
        }
        for good in ["v1", "docker.io/library/x:latest", "1.2.3-a+b", &format!("{list}.sig")] {
            assert!(check_tag(good).is_ok(), "{good:?}");
        }
    }
}
