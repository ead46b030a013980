//! The files that metadata vouches for (TUF 1.0, 5.7).

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Hasher;
use touchmark_oci::error::Error as StoreError;
use touchmark_oci::files::{self, Pending};
use touchmark_tuf::metadata::Target;
use touchmark_tuf::{Failure, TargetPath};

use super::error::{UpdateError, failure};
use super::fetch::Fetch;

/// Bytes that are moved at a time.
const CHUNK: usize = 128 << 10;

/// Bytes of a file's name that every common file system takes.
const MAX_NAME: usize = 255;

/// A target that is there, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// The file.
    pub path: PathBuf,
    /// Whether it was fetched; it was there already otherwise.
    pub fetched: bool,
}

/// Fetches `target` from `source` as the file at `path`, in a folder that is there. Its length and all of its digests, one at least, are
/// checked while it comes.
pub(super) fn fetch(source: &dyn Fetch, target: &TargetPath, listed: &Target, consistent: bool, path: &Path) -> Result<(), UpdateError> {
    // TUF 1.0, 6.2.1: with consistent snapshots there is a copy for each digest listed. One suffices.
    let digests: Vec<Option<&Digest>> = if consistent { listed.hashes.iter().map(Some).collect() } else { vec![None] };
    for digest in digests {
        match source.read(&target.fetch_path(digest), listed.length) {
            Ok(Some(content)) => return write(content, target, listed, path),
            Ok(None) => {}
            Err(failure) => return Err(refused(target, listed, failure)),
        }
    }
    Err(UpdateError::TargetMissing { target: target.clone(), location: source.location() })
}

/// As [`fetch`], into memory, of files that are below `prefix` in `source`.
pub(crate) fn fetch_bytes(
    source: &dyn Fetch,
    prefix: &str,
    target: &TargetPath,
    listed: &Target,
    consistent: bool,
) -> Result<Vec<u8>, UpdateError> {
    for path in target_paths(target, listed, consistent)? {
        match source.fetch(&format!("{prefix}{path}"), listed.length) {
            Ok(Some(bytes)) => return check_bytes(&bytes, target, listed).map(|()| bytes),
            Ok(None) => {}
            Err(failure) => return Err(refused(target, listed, failure)),
        }
    }
    Err(UpdateError::TargetMissing { target: target.clone(), location: source.location() })
}

/// Where a target may be.
pub(crate) fn target_paths(target: &TargetPath, listed: &Target, consistent: bool) -> Result<Vec<String>, UpdateError> {
    if listed.hashes.is_empty() {
        return Err(UpdateError::NoDigest { target: target.clone() });
    }
    Ok(match consistent {
        true => listed.hashes.iter().map(|digest| target.fetch_path(Some(digest))).collect(),
        false => vec![target.fetch_path(None)],
    })
}

/// Whether these bytes are what is listed.
pub(crate) fn check_bytes(bytes: &[u8], target: &TargetPath, listed: &Target) -> Result<(), UpdateError> {
    let mut check = Check::new(listed);
    check.update(bytes);
    check.finish().map_err(|wrong| wrong.told(target, listed))
}

/// The name of a target's file.
pub(super) fn file_name(target: &TargetPath) -> Result<String, UpdateError> {
    let name = target.file();
    let bad = |reason| UpdateError::BadTargetName { target: target.clone(), reason };
    if name.len() > MAX_NAME {
        return Err(bad("more than 255 bytes, percent-encoded"));
    }
    if files::is_ours(&name) {
        return Err(bad("that of a temporary file"));
    }
    if cfg!(windows) && is_device(&name) {
        return Err(bad("that of a device of Windows"));
    }
    Ok(name)
}

/// Names that Windows takes for devices in every folder, with any extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let numbered = |kind| stem.strip_prefix(kind).is_some_and(|rest| matches!(rest.as_bytes(), [b'1'..=b'9']));
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

/// Whether the file is there with that content.
pub(super) fn is_there(path: &Path, listed: &Target) -> Result<bool, UpdateError> {
    let Some(file) = files::open(path)? else { return Ok(false) };
    let failed = |source| StoreError::Io { action: "read", path: path.to_owned(), source };
    if file.metadata().map_err(failed)?.len() != listed.length {
        return Ok(false);
    }
    let mut check = Check::new(listed);
    let mut buffer = vec![0; CHUNK];
    let mut file = file.take(listed.length.saturating_add(1));
    loop {
        match read(&mut file, &mut buffer).map_err(failed)? {
            0 => return Ok(check.finish() == Ok(())),
            count => check.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

/// Writes what comes, if it is what is listed.
fn write(content: Box<dyn Read + '_>, target: &TargetPath, listed: &Target, path: &Path) -> Result<(), UpdateError> {
    let broken = |error: io::Error| {
        let failure = match StoreError::carried(error) {
            Ok(error) => failure(&error),
            Err(error) => Failure::Unavailable(error.to_string()),
        };
        UpdateError::TargetFetch { target: target.clone(), failure }
    };
    let mut pending = Pending::create(path)?;
    let mut check = Check::new(listed);
    let mut buffer = vec![0; CHUNK];
    // The byte beyond shows that there are more.
    let mut content = content.take(listed.length.saturating_add(1));
    loop {
        let count = read(&mut content, &mut buffer).map_err(broken)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        check.update(bytes);
        if count == 0 || check.length > listed.length {
            break;
        }
        pending.write(bytes)?;
    }
    match check.finish() {
        Ok(()) => Ok(pending.publish()?),
        Err(wrong) => Err(wrong.told(target, listed)),
    }
}

/// What a source that could not give the target is told as.
pub(crate) fn refused(target: &TargetPath, listed: &Target, failure: Failure) -> UpdateError {
    let target = target.clone();
    match failure {
        Failure::TooLarge { .. } => UpdateError::TargetLength { target, expected: listed.length, found: listed.length.saturating_add(1) },
        failure => UpdateError::TargetFetch { target, failure },
    }
}

fn read(from: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// Length and digests of what comes, against those listed.
struct Check<'a> {
    listed: &'a Target,
    hashers: Vec<Hasher>,
    length: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum Wrong {
    Length(u64),
    Digest(Digest),
}

impl Wrong {
    fn told(self, target: &TargetPath, listed: &Target) -> UpdateError {
        match self {
            Wrong::Length(found) => UpdateError::TargetLength { target: target.clone(), expected: listed.length, found },
            Wrong::Digest(digest) => UpdateError::TargetHash { target: target.clone(), algorithm: digest.algorithm() },
        }
    }
}

impl<'a> Check<'a> {
    fn new(listed: &'a Target) -> Self {
        Self { listed, hashers: listed.hashes.iter().map(|digest| Hasher::new(digest.algorithm())).collect(), length: 0 }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.length = self.length.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.hashers.iter_mut().for_each(|hasher| hasher.update(bytes));
    }

    /// 5.7.1 and 5.7.2: the length, and every digest.
    fn finish(self) -> Result<(), Wrong> {
        if self.length != self.listed.length {
            return Err(Wrong::Length(self.length));
        }
        let found = self.hashers.into_iter().map(Hasher::finish);
        let wrong = self.listed.hashes.iter().zip(found).find(|(listed, found)| *listed != found);
        wrong.map_or(Ok(()), |(listed, _)| Err(Wrong::Digest(*listed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuf::testing::{Endless, Folder};
    use touchmark_envelope::digest::Algorithm;

    #[test]
    fn no_more_than_one_byte_beyond_the_length_is_read() {
        let folder = Folder::new();
        for length in [0, 1, 1 << 20] {
            let source = Endless::default();
            let listed = Target { length, hashes: vec![Algorithm::Sha256.digest(b"")], custom: None };
            let refused = fetch(&source, &TargetPath::new("a").unwrap(), &listed, false, &folder.path("a"));
            assert!(matches!(refused, Err(UpdateError::TargetLength { .. })), "{refused:?}");
            assert_eq!(source.given.get(), length + 1);
        }
        assert_eq!(std::fs::read_dir(folder.root()).unwrap().count(), 0);
    }

    #[test]
    fn devices_of_windows_are_known_with_any_extension() {
        for device in ["con", "NUL.tar.gz", "Com1", "lpt9.txt"] {
            assert!(is_device(device), "{device}");
        }
        assert!(!is_device("console") && !is_device("com10") && !is_device("com0") && !is_device(""));
    }
}
