//! Writes the files of an artifact to a folder, under the names that the artifact gives them (SPEC.md, section 17).
//!
//! All is written to a staging folder first and every digest checked; only then do the files get their names. A folder that is
//! not there yet appears with all of its files at once.

use std::collections::HashSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Hasher;
use touchmark_envelope::manifest::{Descriptor, Kind, Manifest};

use crate::error::Error;
use crate::failpoint::{self, Step};
use crate::platform;
use crate::source::Source;
use crate::staging::{self, Staging, pour};
use crate::temporary::{self, Durability, Temporary};

pub use touchmark_envelope::manifest::TITLE;

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and nothing is written at all.
    Refuse,
    /// It is replaced, and the report says so.
    Replace,
}

/// What [`unpack`] wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// The files, in the order of the layers.
    pub files: Vec<File>,
    /// Layers without a name, which were passed over.
    pub unnamed: Vec<Digest>,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// Its content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Whether another file was there before.
    pub replaced: bool,
}

/// Writes the named layers of the image manifest `artifact` to `folder`, which is made if it is not there.
///
/// # Errors
/// The manifest is an index or names no files; a name leads out of the folder, is there twice or is none; a file is there already; a
/// digest or size is another than the manifest says. Nothing was written then.
pub fn unpack(source: &dyn Source, artifact: &Digest, folder: &Path, existing: Existing) -> Result<Unpacked, Error> {
    let bytes = source.manifest(artifact, crate::scan::MAX_MANIFEST)?;
    let malformed = |reason: String| Error::Malformed { location: source.location(), what: artifact.to_string(), reason };
    let manifest = Manifest::parse(&bytes).map_err(|error| malformed(error.to_string()))?;
    let Kind::Image { layers, .. } = manifest.kind else {
        return Err(Error::NoFiles { location: source.location(), digest: *artifact, found: "an index" });
    };
    let mut named = Vec::new();
    let mut unpacked = Unpacked::default();
    for layer in layers {
        match layer.annotations.get(TITLE) {
            Some(title) => {
                let path = relative(title, RULES).map_err(|reason| malformed(format!("the file name {title:?} {reason}")))?;
                named.push((path, layer));
            }
            None => unpacked.unnamed.push(layer.digest),
        }
    }
    if named.is_empty() {
        return Err(Error::NoFiles { location: source.location(), digest: *artifact, found: "an artifact whose layers have no names" });
    }
    let mut names = HashSet::new();
    if let Some((twice, _)) = named.iter().find(|(path, _)| !names.insert(path.clone())) {
        return Err(malformed(format!("it names the file {:?} twice", twice.display())));
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    unpacked.files = if is_folder(folder)? {
        // What made the folder may have been killed just then. Where that cannot be seen, nothing is to be done.
        let _ = staging::sweep(parent);
        let staging = Staging::create(folder).map_err(|error| Error::writing(folder, error))?;
        stage(source, &named, staging.content())?;
        place_each(&named, staging.content(), folder, existing)?
    } else {
        let made = missing_folders(parent);
        let placed = std::fs::create_dir_all(parent)
            .and_then(|()| Staging::create(parent))
            .map_err(|error| Error::writing(parent, error))
            .and_then(|staging| {
                stage(source, &named, staging.content())?;
                place_all(staging.content(), parent, folder)
            });
        if let Err(error) = placed {
            // The folders above it that were made for it, as far as nobody else uses them.
            let _ = made.iter().try_for_each(std::fs::remove_dir);
            return Err(error);
        }
        written(&named, folder, &HashSet::new())
    };
    Ok(unpacked)
}

/// Whether the folder is there. What else is there, be it a link, is the caller's mistake: `folder` is its choice.
fn is_folder(folder: &Path) -> Result<bool, Error> {
    platform::is_folder(folder).map_err(|error| match Error::writing(folder, error) {
        Error::Irregular { path, found, .. } => Error::NotAFolder { path, found },
        other => other,
    })
}

/// The folders that must be made for `folder` to be there, the innermost first.
fn missing_folders(folder: &Path) -> Vec<PathBuf> {
    let named = folder.ancestors().filter(|ancestor| !ancestor.as_os_str().is_empty());
    named.take_while(|ancestor| ancestor.symlink_metadata().is_err()).map(Path::to_owned).collect()
}

/// Writes every layer below `content`, or fails.
fn stage(source: &dyn Source, named: &[(PathBuf, Descriptor)], content: &Path) -> Result<(), Error> {
    for (name, layer) in named {
        let target = content.join(name);
        let parent = make_parents(content, name)?;
        // Names that differ for us may be one for the file system, such as in upper and lower case.
        if platform::file_size(&target).map_err(|error| Error::writing(&target, error))?.is_some() {
            let reason = format!("two of its files are both {:?} here", name.display());
            return Err(Error::Malformed { location: source.location(), what: layer.digest.to_string(), reason });
        }
        let failed = |error| Error::writing(&target, error);
        let mut file = Temporary::create(&parent).map_err(failed)?;
        let location = source.location();
        let mut reader: Box<dyn Read + '_> = match inlined(layer) {
            Some(data) => Box::new(data),
            None => source.unhashed_blob(&layer.digest)?.1,
        };
        let (found, size) = pour(&mut reader, &mut file, &target, Hasher::new(layer.digest.algorithm()))?;
        if found != layer.digest {
            return Err(Error::WrongDigest { location, expected: layer.digest, found });
        }
        if size != layer.size {
            return Err(Error::WrongSize { location, digest: layer.digest, expected: layer.size, found: size });
        }
        file.sync(Durability::Synced).map_err(failed)?;
        file.publish(&target).map_err(failed)?;
    }
    Ok(())
}

/// The content that the manifest itself holds; it is hashed like any other.
fn inlined(layer: &Descriptor) -> Option<&[u8]> {
    layer.data.as_deref().filter(|data| layer.digest.matches(data))
}

/// Makes the folders above `name` within `root`, none of which may be a link. Returns the last one.
fn make_parents(root: &Path, name: &Path) -> Result<PathBuf, Error> {
    let mut folder = root.to_owned();
    for component in name.parent().into_iter().flat_map(Path::components) {
        folder.push(component);
        temporary::create_folder(&folder).map_err(|error| Error::writing(&folder, error))?;
    }
    Ok(folder)
}

/// Gives the whole folder its name.
fn place_all(content: &Path, parent: &Path, folder: &Path) -> Result<(), Error> {
    let failed = |error| Error::writing(folder, error);
    failpoint::reach(Step::Rename, folder).map_err(failed)?;
    std::fs::rename(content, folder).map_err(failed)?;
    temporary::sync_folder(parent, Durability::Synced).map_err(failed)
}

/// Gives each file its name in a folder that is there; if that fails for one, those that were not there before are removed again.
fn place_each(named: &[(PathBuf, Descriptor)], content: &Path, folder: &Path, existing: Existing) -> Result<Vec<File>, Error> {
    let mut replaced = HashSet::new();
    for (name, _) in named {
        let target = folder.join(name);
        if platform::file_size(&target).map_err(|error| Error::writing(&target, error))?.is_some() {
            if existing == Existing::Refuse {
                return Err(Error::Exists { path: target });
            }
            replaced.insert(name.clone());
        }
    }
    let mut placed: Vec<&Path> = Vec::new();
    for (name, _) in named {
        let existing = if replaced.contains(name) { Existing::Replace } else { Existing::Refuse };
        if let Err(error) = place(name, content, folder, existing) {
            for name in placed.into_iter().filter(|name| !replaced.contains(*name)) {
                let _ = std::fs::remove_file(folder.join(name));
            }
            return Err(error);
        }
        placed.push(name);
    }
    Ok(written(named, folder, &replaced))
}

/// Gives one file its name. One that was not there when all were looked at may have appeared since; it is not replaced either.
fn place(name: &Path, content: &Path, folder: &Path, existing: Existing) -> Result<(), Error> {
    let target = folder.join(name);
    let parent = make_parents(folder, name)?;
    let failed = |error| Error::writing(&target, error);
    failpoint::reach(Step::Rename, &target).map_err(failed)?;
    let from = content.join(name);
    // A link fails where a name is taken, which a rename does not; the other name goes with the folder that it is in.
    let linked = if existing == Existing::Refuse { std::fs::hard_link(&from, &target) } else { std::fs::rename(&from, &target) };
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(Error::Exists { path: target }),
        // A file system without hard links.
        Err(_) if existing == Existing::Refuse => {
            if platform::file_size(&target).map_err(failed)?.is_some() {
                return Err(Error::Exists { path: target });
            }
            std::fs::rename(&from, &target).map_err(failed)?;
        }
        done => done.map_err(failed)?,
    }
    temporary::sync_folder(&parent, Durability::Synced).map_err(failed)
}

fn written(named: &[(PathBuf, Descriptor)], folder: &Path, replaced: &HashSet<PathBuf>) -> Vec<File> {
    let file = |(name, layer): &(PathBuf, Descriptor)| File {
        path: folder.join(name),
        digest: layer.digest,
        size: layer.size,
        replaced: replaced.contains(name),
    };
    named.iter().map(file).collect()
}

/// Whose rules a name keeps besides everybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rules {
    #[cfg_attr(windows, allow(dead_code, reason = "for the tests there"))]
    Unix,
    #[cfg_attr(not(windows), allow(dead_code, reason = "for the tests here"))]
    Windows,
}

#[cfg(windows)]
const RULES: Rules = Rules::Windows;
#[cfg(not(windows))]
const RULES: Rules = Rules::Unix;

/// The path within a folder that a title names, or why it is none.
fn relative(title: &str, rules: Rules) -> Result<PathBuf, &'static str> {
    if title.is_empty() {
        return Err("is empty");
    }
    if title.len() > 1024 {
        return Err("is longer than 1024 bytes");
    }
    if title.chars().any(char::is_control) {
        return Err("contains a control character");
    }
    if title.starts_with('/') {
        return Err("is absolute");
    }
    let mut path = PathBuf::new();
    for component in title.split('/') {
        match component {
            "" => return Err("has an empty part"),
            "." | ".." => return Err("contains `.` or `..`"),
            long if long.len() > 255 => return Err("has a part longer than 255 bytes"),
            ours if temporary::is_temporary(ours) => return Err("is that of a temporary file"),
            bad if rules == Rules::Windows => windows(bad)?,
            _ => {}
        }
        path.push(component);
    }
    Ok(path)
}

/// Windows, "Naming Files, Paths, and Namespaces".
fn windows(component: &str) -> Result<(), &'static str> {
    if component.contains(['\\', ':', '<', '>', '"', '|', '?', '*']) {
        return Err("contains a character that Windows reserves");
    }
    if component.ends_with(['.', ' ']) {
        return Err("has a part that ends in a dot or a space, which Windows drops");
    }
    let stem = component.split('.').next().unwrap_or(component).trim_end().to_ascii_uppercase();
    let numbered = |device: &str| {
        stem.strip_prefix(device)
            .is_some_and(|number| matches!(number, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"))
    };
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") || numbered("COM") || numbered("LPT") {
        return Err("is a device on Windows");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_stay_in_the_folder() {
        for title in ["a", "a/b/c.txt", "..a", "a..", "...", " ", "-rf", "a b", "é", "~", "a:b", "a\\b", "CON", ".git/config"] {
            assert_eq!(relative(title, Rules::Unix), Ok(PathBuf::from(title)), "{title}");
        }
    }

    #[test]
    fn names_that_lead_out_of_it() {
        let long = "a/".repeat(600) + "b";
        let long_part = "a".repeat(256);
        let temporary = temporary::fresh_name().unwrap();
        for title in [
            "",
            "/",
            "/a",
            "..",
            "../a",
            "a/../b",
            "a/..",
            ".",
            "./a",
            "a/.",
            "a//b",
            "a/",
            "a\0b",
            "a\nb",
            "\u{1b}[2J",
            &long,
            &long_part,
            &temporary,
        ] {
            assert!(relative(title, Rules::Unix).is_err(), "{title:?}");
            assert!(relative(title, Rules::Windows).is_err(), "{title:?}");
        }
    }

    #[test]
    fn names_that_windows_reads_otherwise() {
        for title in [
            "a\\b",
            "..\\a",
            "C:",
            "C:a",
            "C:/a",
            "a:stream",
            "CON",
            "con",
            "nul.txt",
            "aux.tar.gz",
            "COM1",
            "lpt9.x",
            "COM¹",
            "a.",
            "a ",
            "a./b",
            "a?",
            "a*",
            "<a",
            "\\\\host\\share",
            "CONIN$",
        ] {
            assert!(relative(title, Rules::Windows).is_err(), "{title:?}");
        }
        for title in ["a", "a/b.txt", "CONSOLE", "COM10", "COMMON", ".a"] {
            assert!(relative(title, Rules::Windows).is_ok(), "{title:?}");
        }
    }
}
