//! One set: its manifest, written and read.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::{Object, Value};
use touchmark_envelope::manifest::{Descriptor, EMPTY, IMAGE_MANIFEST, Kind, Manifest, ManifestError, TITLE};

use super::{ARTIFACT_TYPE, LAYOUT, MAX_FILES, MEDIA_TYPE};
use crate::name::is_segment;

/// Which files a set has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Set {
    /// The digest of its manifest.
    pub referrer: Digest,
    /// Its files by their paths: the digest and the size in bytes of each.
    pub files: BTreeMap<String, (Digest, u64)>,
}

/// Why a referrer that says it is a set is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetFault {
    /// It is no manifest.
    #[error("{0}")]
    Manifest(#[from] ManifestError),
    /// It is no set, or one of another artifact.
    #[error("it is no set of links of this artifact")]
    Other,
    /// A layer has no path, or one that is no link's and no layout's.
    #[error("a layer has no path of a link or a layout")]
    Path,
    /// Two layers have one path.
    #[error("two layers have one path")]
    Twice,
    /// It has more files than [`MAX_FILES`].
    #[error("it has more than {MAX_FILES} files")]
    TooMany,
}

impl Set {
    /// Reads the manifest of `referrer`, whose bytes these are, as a set of an artifact that `is_subject` is said of.
    ///
    /// # Errors
    /// It is none, one of another artifact, or one that is malformed.
    pub fn read(referrer: Digest, is_subject: impl Fn(&Digest) -> bool, bytes: &[u8]) -> Result<Self, SetFault> {
        Self::of(referrer, is_subject, &Manifest::parse(bytes)?)
    }

    /// The same of a manifest that was read.
    ///
    /// # Errors
    /// The same.
    pub fn of(referrer: Digest, is_subject: impl Fn(&Digest) -> bool, manifest: &Manifest) -> Result<Self, SetFault> {
        let is_of_subject = manifest.subject.as_ref().is_some_and(|found| is_subject(&found.digest));
        let Kind::Image { layers, .. } = &manifest.kind else { return Err(SetFault::Other) };
        if manifest.artifact_type() != Some(ARTIFACT_TYPE) || !is_of_subject {
            return Err(SetFault::Other);
        }
        if layers.len() > MAX_FILES {
            return Err(SetFault::TooMany);
        }
        let mut files = BTreeMap::new();
        for layer in layers {
            let path = layer.annotations.get(TITLE).filter(|path| is_path(path)).ok_or(SetFault::Path)?;
            if files.insert(path.clone(), (layer.digest, layer.size)).is_some() {
                return Err(SetFault::Twice);
            }
        }
        Ok(Self { referrer, files })
    }

    /// How many bytes its files are said to have.
    pub(crate) fn size(&self) -> u64 {
        self.files.values().fold(0, |sum: u64, (_, size)| sum.saturating_add(*size))
    }
}

/// Whether this is the path of a layout or a link, from the folder of the links.
pub fn is_path(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_file = name.ends_with(".link") || [".json", ".intoto.jsonl"].iter().any(|end| name.strip_suffix(end).is_some_and(has_keyid));
    path == LAYOUT || (path.len() <= 4096 && is_file && path.split('/').all(is_segment))
}

/// Whether the name of a statement's file ends in the beginning of a keyid (SPEC.md, 22.14).
fn has_keyid(name: &str) -> bool {
    let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.rsplit_once('.').is_some_and(|(_, keyid)| keyid.len() == 8 && keyid.bytes().all(hex))
}

/// The bytes of the manifest of a set: from its files alone, with no time and nothing random in it, so that the same set is the same
/// manifest.
pub fn manifest(subject: &Descriptor, files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let config = Descriptor { data: Some(EMPTY.to_vec()), ..Descriptor::empty_config() };
    let layers = files.iter().map(|(path, bytes)| {
        let mut layer = layer(bytes);
        layer.annotations.insert(TITLE.to_owned(), path.clone());
        layer.to_json()
    });
    let mut document = Object::new();
    document.insert("schemaVersion", 2_u64);
    document.insert("mediaType", IMAGE_MANIFEST);
    document.insert("artifactType", ARTIFACT_TYPE);
    document.insert("config", config.to_json());
    document.insert("layers", layers.collect::<Vec<_>>());
    document.insert("subject", Descriptor::new(&subject.media_type, subject.digest, subject.size).to_json());
    Value::from(document).to_vec()
}

/// The descriptor of a file.
pub fn layer(bytes: &[u8]) -> Descriptor {
    Descriptor::new(MEDIA_TYPE, Algorithm::Sha256.digest(bytes), u64::try_from(bytes.len()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::{format, vec::Vec};

    use super::*;

    fn subject() -> Descriptor {
        Descriptor::new(IMAGE_MANIFEST, Algorithm::Sha256.digest(b"subject"), 7)
    }

    fn text(files: &[(&str, &str)]) -> String {
        let files = files.iter().map(|(path, content)| ((*path).to_owned(), content.as_bytes().to_vec())).collect();
        String::from_utf8(manifest(&subject(), &files)).unwrap()
    }

    fn read(text: &str) -> Result<Set, SetFault> {
        Set::read(Algorithm::Sha256.digest(text.as_bytes()), |found| *found == subject().digest, text.as_bytes())
    }

    #[test]
    fn a_set_is_read_as_it_was_written() {
        let names = ["a.00000000.intoto.jsonl", "a.00000000.json", "a.00000000.link", "a.00000000/b.00000000.link", "root.layout"];
        let set = read(&text(&names.map(|name| (name, "l")))).unwrap();
        assert_eq!(set.files.keys().collect::<Vec<_>>(), names);
        assert_eq!(set.files["root.layout"], (Algorithm::Sha256.digest(b"l"), 1));
    }

    #[test]
    fn a_path_that_leads_elsewhere_or_is_there_twice_is_no_set() {
        let one = text(&[("a.link", "a"), ("b.link", "b")]);
        for path in [
            "../a.link",
            "/a.link",
            "a//a.link",
            "x/../a.link",
            "a\\\\a.link",
            "c:a.link",
            "a",
            "",
            "a.json",
            "a.0000000x.json",
            "x/root.layout",
            "..",
        ] {
            assert_eq!(read(&one.replace("\"a.link\"", &format!("\"{path}\""))), Err(SetFault::Path), "{path}");
        }
        assert_eq!(read(&one.replace("b.link", "a.link")), Err(SetFault::Twice));
        assert_eq!(read(&one.replace("\"org.opencontainers.image.title\"", "\"title\"")), Err(SetFault::Path));
    }

    #[test]
    fn a_set_of_another_artifact_or_type_is_none() {
        let one = text(&[("a.link", "a")]);
        let other = Algorithm::Sha256.digest(b"other").to_string();
        assert_eq!(read(&one.replace(&subject().digest.to_string(), &other)), Err(SetFault::Other));
        assert_eq!(read(&one.replace(ARTIFACT_TYPE, "application/vnd.example")), Err(SetFault::Other));
        assert!(matches!(read("{}"), Err(SetFault::Manifest(_))));
    }

    #[test]
    fn a_set_of_too_many_files_is_none() {
        let names: Vec<String> = (0..=MAX_FILES).map(|number| format!("{number}.link")).collect();
        let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
        assert_eq!(read(&text(&files)), Err(SetFault::TooMany));
        assert!(read(&text(&files[1..])).is_ok());
    }
}
