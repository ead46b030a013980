//! Targets from files, folders and lists.

use std::io::{BufRead, Read as _};
use std::path::{Path, PathBuf};

use touchmark_envelope::Digest;
use touchmark_envelope::digest::{Algorithm, Hasher};
use touchmark_envelope::json::Value;
use touchmark_oci::files::{self, Pending};
use touchmark_tuf::TargetPath;
use touchmark_tuf::repository::{EditError, NewTarget, TargetChanges};

use super::router::Router;
use super::{Repository, RepositoryError};

const CHUNK: usize = 1 << 20;
const MAX_LINE: u64 = 64 << 10;
/// A private key is looked for in so many bytes at the beginning of a file.
const MAX_KEY_FILE: u64 = 64 << 10;
/// How deep a folder of targets may be.
const MAX_DEPTH: usize = 64;

/// What is in a folder of targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilesBelow {
    /// Its files, in order, with their paths relative to it, with `/`.
    pub files: Vec<(String, PathBuf)>,
    /// Files and folders whose names begin with a dot. They are left out: nobody sees them who adds a folder.
    pub hidden: Vec<PathBuf>,
}

impl Repository {
    /// Asserts that `role`, or one of its hash bins, may list targets of these paths: before their files are copied, and then added by
    /// [`change_targets`](Self::change_targets).
    ///
    /// # Errors
    /// No such role; a target that no client would look for there.
    pub fn assert_routed(&self, role: &str, paths: &[TargetPath]) -> Result<(), RepositoryError> {
        let mut state = self.state()?;
        let router = Router::new(&mut state, role)?;
        paths.iter().try_for_each(|path| router.role(&mut state, path).map(|_| ()))
    }

    /// Copies a file to the published targets, as `dir/HASH.name` for each of the algorithms (TUF 1.0, 6.2.1), and gives what is to be said
    /// of it. No client asks for it until a role lists it.
    ///
    /// # Errors
    /// The file cannot be read, is no regular file, or changes meanwhile; the copy cannot be written.
    pub fn take_file(
        &self,
        file: &Path,
        path: &TargetPath,
        algorithms: &[Algorithm],
        custom: Option<&Value<'static>>,
    ) -> Result<NewTarget, RepositoryError> {
        if cfg!(windows) && path.as_str().contains([':', '\\', '<', '>', '"', '|', '?', '*']) {
            let reason = format!("{path} would be no name of a file on Windows; make the repository elsewhere");
            return Err(RepositoryError::Input { file: file.to_owned(), reason });
        }
        let (folders, name) = path.as_str().rsplit_once('/').unwrap_or(("", path.as_str()));
        let mut folder = self.folders.targets();
        files::create_folders(&folder)?;
        // One by one: a link on the way would lead elsewhere.
        for below in folders.split('/').filter(|below| !below.is_empty()) {
            folder.push(below);
            files::create_folders(&folder)?;
        }
        files::sweep(&folder)?;
        let mut known: Option<(u64, Vec<Digest>)> = None;
        for (place, _) in algorithms.iter().enumerate() {
            let mut pending = Pending::create(&folder.join(name))?;
            let found = copy(file, algorithms, &mut pending)?;
            if known.as_ref().is_some_and(|known| *known != found) {
                return Err(RepositoryError::Input { file: file.to_owned(), reason: "it changed while it was read".to_owned() });
            }
            if let Some(digest) = found.1.get(place) {
                pending.publish_as(&folder.join(format!("{}.{name}", digest.hex())))?;
            }
            known = Some(found);
        }
        let (length, hashes) =
            known.ok_or_else(|| EditError::Target { path: path.as_str().to_owned(), reason: "no hash is chosen".to_owned() })?;
        Ok(NewTarget { length, hashes, custom: custom.cloned() })
    }
}

/// Copies all of a file, and gives its length and its digests.
fn copy(file: &Path, algorithms: &[Algorithm], to: &mut Pending) -> Result<(u64, Vec<Digest>), RepositoryError> {
    let missing = || RepositoryError::Input { file: file.to_owned(), reason: "there is no such file".to_owned() };
    let mut from = files::open(file)?.ok_or_else(missing)?;
    let mut hashers: Vec<Hasher> = algorithms.iter().map(|algorithm| Hasher::new(*algorithm)).collect();
    let mut chunk = vec![0; CHUNK];
    let mut length = 0;
    loop {
        let count = from.read(&mut chunk).map_err(|source| touchmark_oci::Error::Io { action: "read", path: file.to_owned(), source })?;
        let read = chunk.get(..count).unwrap_or_default();
        if read.is_empty() {
            return Ok((length, hashers.into_iter().map(Hasher::finish).collect()));
        }
        hashers.iter_mut().for_each(|hasher| hasher.update(read));
        to.write(read)?;
        length += u64::try_from(count).unwrap_or_default();
    }
}

/// Asserts that a file holds no private key in PEM: what is added is published.
///
/// # Errors
/// It does; it is not there, or cannot be read.
pub fn assert_no_private_key(file: &Path) -> Result<(), RepositoryError> {
    let refused = |reason: &str| RepositoryError::Input { file: file.to_owned(), reason: reason.to_owned() };
    let from = files::open(file)?.ok_or_else(|| refused("there is no such file"))?;
    let failed = |source| touchmark_oci::Error::Io { action: "read", path: file.to_owned(), source };
    let mut head = Vec::new();
    from.take(MAX_KEY_FILE).read_to_end(&mut head).map_err(failed)?;
    let begins = |line: &[u8]| {
        let line = line.trim_ascii();
        line.starts_with(b"-----BEGIN ") && line.ends_with(b"PRIVATE KEY-----")
    };
    match head.split(|byte| matches!(byte, b'\n' | b'\r')).any(begins) {
        true => Err(refused("it holds a private key, and what is added is published")),
        false => Ok(()),
    }
}

/// The regular files below a folder, but for those that are hidden.
///
/// # Errors
/// Something else than files and folders; a name that is no UTF-8.
pub fn files_below(folder: &Path) -> Result<FilesBelow, RepositoryError> {
    let mut found = FilesBelow::default();
    collect(folder, "", MAX_DEPTH, &mut found)?;
    found.files.sort();
    found.hidden.sort();
    Ok(found)
}

fn collect(folder: &Path, above: &str, levels: usize, found: &mut FilesBelow) -> Result<(), RepositoryError> {
    let failed = |source| touchmark_oci::Error::Io { action: "list", path: folder.to_owned(), source };
    let refused = |file: PathBuf, reason: &str| RepositoryError::Input { file, reason: reason.to_owned() };
    let Some(levels) = levels.checked_sub(1) else { return Err(refused(folder.to_owned(), "it is too deep")) };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else { return Err(refused(entry.path(), "its name is no UTF-8")) };
        let kind = entry.file_type().map_err(failed)?;
        let path = format!("{above}{name}");
        if name.starts_with('.') {
            found.hidden.push(entry.path());
        } else if kind.is_dir() {
            collect(&entry.path(), &format!("{path}/"), levels, found)?;
        } else if kind.is_file() {
            found.files.push((path, entry.path()));
        } else {
            return Err(refused(entry.path(), "it is neither a file nor a folder"));
        }
    }
    Ok(())
}

/// Reads targets from lines of the form `PATH LENGTH ALGORITHM:HEX [ALGORITHM:HEX…]`, one at a time; empty lines and such that begin with
/// `#` are passed over. The files themselves may be anywhere.
///
/// # Errors
/// The first line that is of another form.
pub fn read_list(lines: impl BufRead, custom: Option<&Value<'static>>, changes: &mut TargetChanges) -> Result<(), RepositoryError> {
    each_line(lines, |text| {
        let mut words: Vec<&str> = text.split_ascii_whitespace().collect();
        let mut hashes: Vec<Digest> = Vec::new();
        while let Some(digest) = words.last().and_then(|word| word.contains(':').then(|| word.parse::<Digest>())) {
            hashes.insert(0, digest.map_err(|error| error.to_string())?);
            words.pop();
        }
        let [path, length] = words.as_slice() else { return Err("it is not PATH LENGTH ALGORITHM:HEX".to_owned()) };
        let path = TargetPath::new(path).map_err(|error| error.to_string())?;
        let length = length.parse().map_err(|_| format!("{length:?} is no length in bytes"))?;
        if hashes.iter().any(|digest| hashes.iter().filter(|other| other.algorithm() == digest.algorithm()).count() > 1) {
            return Err("it has two hashes by one algorithm".to_owned());
        }
        changes.add(&path, &NewTarget { length, hashes, custom: custom.cloned() }).map_err(|error| error.to_string())
    })
}

/// Reads paths of targets that are to be removed, one a line.
///
/// # Errors
/// A line that cannot be read.
pub fn read_removals(lines: impl BufRead, changes: &mut TargetChanges) -> Result<(), RepositoryError> {
    each_line(lines, |text| {
        changes.remove(text);
        Ok(())
    })
}

fn each_line(mut lines: impl BufRead, mut take: impl FnMut(&str) -> Result<(), String>) -> Result<(), RepositoryError> {
    let mut bytes = Vec::new();
    for line in 1_u64.. {
        let failed = |reason: String| RepositoryError::List { line, reason };
        bytes.clear();
        let read = lines.by_ref().take(MAX_LINE).read_until(b'\n', &mut bytes).map_err(|error| failed(error.to_string()))?;
        if read == 0 {
            break;
        }
        if bytes.last() != Some(&b'\n') && u64::try_from(read).unwrap_or(u64::MAX) == MAX_LINE {
            return Err(failed("it is too long".to_owned()));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| failed("it is no UTF-8".to_owned()))?.trim_end_matches(['\n', '\r']);
        if !text.trim().is_empty() && !text.starts_with('#') {
            take(text).map_err(failed)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<Vec<String>, String> {
        let mut changes = TargetChanges::new();
        read_list(text.as_bytes(), None, &mut changes).map_err(|error| error.to_string())?;
        Ok(changes.paths().map(str::to_owned).collect())
    }

    #[test]
    fn a_list_is_read_line_by_line_and_says_which_line_is_wrong() {
        let hex = "00".repeat(32);
        let good = format!("# files\n\nb/c 12 sha256:{hex}\r\na 0 sha256:{hex} sha512:{}", "11".repeat(64));
        assert_eq!(list(&good), Ok(vec!["a".to_owned(), "b/c".to_owned()]));
        for (line, reason) in [
            ("a".to_owned(), "not PATH LENGTH"),
            (format!("a b 1 sha256:{hex}"), "not PATH LENGTH"),
            (format!("a x sha256:{hex}"), "no length"),
            ("a 1".to_owned(), "no hash"),
            ("a 1 sha256:00".to_owned(), "hexadecimal digits"),
            (format!("a 1 md5:{hex}"), "neither sha256 nor sha512"),
            (format!("../a 1 sha256:{hex}"), "segment"),
            (format!("a 1 sha256:{hex} sha256:{hex}"), "two hashes"),
        ] {
            let error = list(&format!("ok 1 sha256:{hex}\n{line}\n")).unwrap_err();
            assert!(error.starts_with("line 2: ") && error.contains(reason), "{error}");
        }
    }
}
