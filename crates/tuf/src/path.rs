//! Names of roles and paths of targets, and what files they are kept and asked for as.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::{Digest, Name};

use crate::encoding::encode;

/// The names that a delegated role must not have: the files of the top-level roles have them.
const TOP_LEVEL: [&str; 4] = ["root", "timestamp", "snapshot", "targets"];

/// So many characters of an encoded role name are the name of its file; file systems take 255.
const MAX_FILE_STEM: usize = 200;

/// The name of a role that signs targets: `targets`, or of a delegated role (TUF 1.0, 4.5, ROLENAME).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(String);

impl RoleName {
    /// The top-level targets role.
    pub fn targets() -> Self {
        Self("targets".to_owned())
    }

    /// A delegated role: any name but the empty one, those of the top-level roles, and `N.root`, which without consistent snapshots would be
    /// asked for as the next root is.
    pub fn delegated(name: &str) -> Option<Self> {
        let root = name.strip_suffix(".root").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
        (!name.is_empty() && !root && !TOP_LEVEL.contains(&name)).then(|| Self(name.to_owned()))
    }

    /// A bin of a succinct delegation, whose name has a hyphen in it and so is no top-level role's.
    pub(crate) fn bin(name: String) -> Self {
        Self(name)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name under which snapshots list it (4.4, METAPATH).
    pub fn metapath(&self) -> String {
        format!("{}.json", self.0)
    }

    /// The path under the metadata URL, of the version if there is one in names of files: one segment, whatever the name holds.
    pub fn fetch_path(&self, version: Option<u64>) -> String {
        let mut path = version.map(|version| format!("{version}.")).unwrap_or_default();
        encode(&self.0, &mut path);
        path + ".json"
    }

    /// The file of the local store: the encoded name, which stays in its folder.
    ///
    /// A name as long as a file system's limit is cut and its digest added. A name that differs from a top-level role's in case alone has
    /// its first letter encoded, for file systems that do not see the difference, and so has that of a device of Windows, where `con.json`
    /// is one too. Whatever is read back is verified as if it had been
    /// fetched, so that a collision would be no more than a file that is fetched again.
    pub fn file(&self) -> String {
        self.stem() + ".json"
    }

    /// The file beside it that an index is kept in.
    pub(crate) fn index_file(&self) -> String {
        self.stem() + ".index"
    }

    fn stem(&self) -> String {
        let mut stem = String::new();
        encode(&self.0, &mut stem);
        if stem.len() > MAX_FILE_STEM {
            let digest = Algorithm::Sha256.digest(self.0.as_bytes()).hex();
            stem = format!("{}~{digest}", stem.get(..MAX_FILE_STEM - 65).unwrap_or_default());
        }
        let reserved = TOP_LEVEL.iter().any(|name| name.eq_ignore_ascii_case(&stem)) || is_device(&stem);
        match self.0.bytes().next().filter(|_| reserved && self.0 != "targets") {
            Some(first) => format!("%{first:02X}{}", stem.get(1..).unwrap_or_default()),
            None => stem,
        }
    }
}

/// Whether Windows takes a file whose name begins like this for a device, whatever follows the first dot.
fn is_device(stem: &str) -> bool {
    let first = stem.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = first.strip_prefix("com").or_else(|| first.strip_prefix("lpt"));
    matches!(first.as_str(), "con" | "prn" | "aux" | "nul") || numbered.is_some_and(|number| number.len() == 1)
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The path of a target that a caller wants (4.5, TARGETPATH).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetPath(String);

impl From<&Name> for TargetPath {
    /// The target path of a name: the name itself, whose grammar has no empty segment, no dots alone and no control character.
    fn from(name: &Name) -> Self {
        Self(name.to_string())
    }
}

impl TargetPath {
    /// Takes a path that can be looked up and asked for: relative, of segments that are not empty, `.` or `..`, without control characters.
    ///
    /// # Errors
    /// What of this it is not.
    pub fn new(path: &str) -> Result<Self, TargetPathError> {
        if path.is_empty() {
            return Err(TargetPathError::Empty);
        }
        if let Some(segment) = path.split('/').find(|segment| matches!(*segment, "" | "." | "..")) {
            return Err(TargetPathError::Segment(segment.to_owned()));
        }
        if path.chars().any(|character| character.is_control()) {
            return Err(TargetPathError::Control);
        }
        Ok(Self(path.to_owned()))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The SHA-256 of the path, which hash-bin delegations go by (4.5, `path_hash_prefixes`; TAP 15).
    pub fn hash(&self) -> Digest {
        Algorithm::Sha256.digest(self.0.as_bytes())
    }

    /// The path under the targets URL, each segment percent-encoded: `dir/HASH.name` with the digest of a consistent snapshot (TUF 1.0,
    /// 6.2.1), else `dir/name`.
    pub fn fetch_path(&self, digest: Option<&Digest>) -> String {
        let mut path = String::new();
        let mut segments = self.0.split('/').peekable();
        while let Some(segment) = segments.next() {
            if segments.peek().is_some() {
                encode(segment, &mut path);
                path.push('/');
                continue;
            }
            if let Some(digest) = digest {
                path.push_str(&digest.hex());
                path.push('.');
            }
            encode(segment, &mut path);
        }
        path
    }

    /// The whole path percent-encoded, as the name of one file.
    pub fn file(&self) -> String {
        let mut file = String::new();
        encode(&self.0, &mut file);
        file
    }
}

impl fmt::Display for TargetPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no target path that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetPathError {
    /// There is nothing.
    #[error("a target path is not empty")]
    Empty,
    /// A segment that URLs and file systems would resolve, or that is empty, as before a leading `/`.
    #[error("a target path is relative and has no segment {0:?}")]
    Segment(String),
    /// A control character.
    #[error("a target path has no control characters")]
    Control,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn role(name: &str) -> RoleName {
        RoleName::delegated(name).unwrap()
    }

    #[test]
    fn role_names_become_one_segment_and_one_file() {
        for (name, path, file) in [
            ("a", "7.a.json", "a.json"),
            ("a/b", "7.a%2Fb.json", "a%2Fb.json"),
            ("../x", "7...%2Fx.json", "..%2Fx.json"),
            ("..", "7....json", "...json"),
            ("/abs", "7.%2Fabs.json", "%2Fabs.json"),
            ("a\\b", "7.a%5Cb.json", "a%5Cb.json"),
            ("C:", "7.C%3A.json", "C%3A.json"),
            ("nul\0", "7.nul%00.json", "nul%00.json"),
            ("ROOT", "7.ROOT.json", "%52OOT.json"),
            ("Targets", "7.Targets.json", "%54argets.json"),
            ("CON", "7.CON.json", "%43ON.json"),
            ("com1.x", "7.com1.x.json", "%63om1.x.json"),
            ("console", "7.console.json", "console.json"),
        ] {
            assert_eq!((role(name).fetch_path(Some(7)).as_str(), role(name).file().as_str()), (path, file), "{name}");
        }
        assert_eq!(role("a").fetch_path(None), "a.json");
        assert_eq!(RoleName::targets().file(), "targets.json");
        for name in ["", "root", "timestamp", "snapshot", "targets", "2.root", "10.root"] {
            assert_eq!(RoleName::delegated(name), None);
        }
    }

    #[test]
    fn long_role_names_have_files_of_their_own() {
        let [one, two] = ["a", "b"].map(|last| role(&("x".repeat(300) + last)).file());
        assert!(one != two && one.len() <= 205, "{one}");
        assert!(role(&"é".repeat(100)).file().len() <= 205);
    }

    #[test]
    fn target_paths_stay_below_their_url() {
        for bad in ["", "/a", "a/", "a//b", ".", "a/../b", "..", "a\nb", "a\0"] {
            assert!(TargetPath::new(bad).is_err(), "{bad:?}");
        }
        let path = TargetPath::new("dir a/b?#%/c:1").unwrap();
        assert_eq!(path.fetch_path(None), "dir%20a/b%3F%23%25/c%3A1");
        let digest = Algorithm::Sha256.digest(b"");
        assert_eq!(path.fetch_path(Some(&digest)), ["dir%20a/b%3F%23%25/", &digest.hex(), ".c%3A1"].concat());
        assert_eq!(path.file(), "dir%20a%2Fb%3F%23%25%2Fc%3A1");
        assert_eq!(path.to_string(), "dir a/b?#%/c:1");
    }
}
