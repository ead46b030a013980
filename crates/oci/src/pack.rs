//! Makes artifacts from files, and indexes of artifacts (SPEC.md, section 17; OCI image spec, "Guidelines for Artifact Usage").

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::path::PathBuf;

use touchmark_envelope::Digest;
use touchmark_envelope::json::{self, Object, Value};
use touchmark_envelope::manifest::{Descriptor, IMAGE_INDEX, IMAGE_MANIFEST, Kind, Manifest, Platform};

use crate::copy::{self, CopyReport, Item};
use crate::error::Error;
use crate::source::{Source, Store, put_empty_config};
use crate::unpack::TITLE;

/// The artifact type of what was packed without one.
pub const UNKNOWN_ARTIFACT: &str = "application/vnd.unknown.artifact.v1";
/// The media type of a packed file.
pub const FILE: &str = "application/octet-stream";
/// At most this many bytes of an image's config are read for its platform.
const MAX_CONFIG: u64 = 4 << 20;

/// What a new artifact or index says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The artifact type; for an artifact, [`UNKNOWN_ARTIFACT`] without one.
    pub artifact_type: Option<String>,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
}

/// Packs `files` into an artifact of one layer each, titled with the file's name, in the order given. Each file is read once. The
/// manifest has neither times nor paths: the same files make the same digest. `progress` is told from time to time how many bytes
/// were read, of how many.
///
/// # Errors
/// No file at all, a folder, two files of one name, a file that cannot be read, or the store cannot be written.
pub fn pack(files: &[PathBuf], to: &dyn Store, about: &About, tag: Option<&str>, progress: &dyn Fn(u64, u64)) -> Result<Descriptor, Error> {
    let (inputs, total) = inputs(files)?;
    let mut layers = Vec::new();
    let mut done = 0;
    for (path, title) in inputs {
        // A pipe is as good as a file: whatever is read is what is stored.
        let file = std::fs::File::open(path).map_err(|error| Error::reading(path, error))?;
        let mut watched = Watched { file, done, total, progress };
        let stored = to.put_blob(None, &mut watched)?;
        done = watched.done;
        let mut layer = Descriptor::new(FILE, stored.digest, stored.size);
        layer.annotations.insert(TITLE.to_owned(), title);
        layers.push(layer.to_json());
    }
    let config = put_empty_config(to)?;
    let mut manifest = head(IMAGE_MANIFEST);
    manifest.insert("artifactType", about.artifact_type.as_deref().unwrap_or(UNKNOWN_ARTIFACT));
    manifest.insert("config", config.to_json());
    manifest.insert("layers", layers);
    finish(manifest, IMAGE_MANIFEST, to, about, tag)
}

/// A file, and the name that it gets.
pub(crate) type Titled<'a> = (&'a PathBuf, String);

/// The files with their names, and how many bytes they have together.
pub(crate) fn inputs(files: &[PathBuf]) -> Result<(Vec<Titled<'_>>, u64), Error> {
    let mut titles = HashSet::new();
    let mut inputs = Vec::new();
    let mut total = 0_u64;
    for path in files {
        let refused = |reason| Error::Input { path: path.clone(), reason };
        let title = path.file_name().ok_or(refused("it names no file"))?;
        let title = title.to_str().ok_or(refused("its name is not UTF-8"))?.to_owned();
        if title.chars().any(char::is_control) {
            return Err(refused("its name contains a control character"));
        }
        if !titles.insert(title.clone()) {
            return Err(refused("another file of that name is packed with it, and both would be unpacked to one place"));
        }
        let metadata = std::fs::metadata(path).map_err(|error| Error::reading(path, error))?;
        if metadata.is_dir() {
            return Err(refused("it is a folder"));
        }
        total = total.saturating_add(metadata.len());
        inputs.push((path, title));
    }
    if inputs.is_empty() {
        return Err(Error::Input { path: PathBuf::new(), reason: "no file was named" });
    }
    Ok((inputs, total))
}

/// A file that says how much of it was read.
pub(crate) struct Watched<'a> {
    pub(crate) file: std::fs::File,
    pub(crate) done: u64,
    pub(crate) total: u64,
    pub(crate) progress: &'a dyn Fn(u64, u64),
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.done = self.done.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        (self.progress)(self.done, self.total);
        Ok(count)
    }
}

/// An artifact that becomes part of an index.
pub struct Child<'a> {
    /// Where it is.
    pub from: &'a dyn Source,
    /// The artifact.
    pub descriptor: Descriptor,
    /// What it is for; without one, what its config says.
    pub platform: Option<Platform>,
}

/// Makes an index of `children`, which are copied to `to` with all that belongs to them.
///
/// The report of each copy says what could not be copied; if that is part of a child itself, the index is not made.
///
/// # Errors
/// No child, one given twice, two for one platform, one that cannot be copied, or the store cannot be written.
pub fn index(children: &[Child<'_>], to: &dyn Store, about: &About, tag: Option<&str>) -> Result<(Descriptor, Vec<CopyReport>), Error> {
    let refused = |child: &Child<'_>, reason| Error::Input {
        path: PathBuf::from(format!("{}@{}", child.from.location(), child.descriptor.digest)),
        reason,
    };
    let mut digests = HashSet::new();
    let mut platforms = HashSet::new();
    let mut entries = Vec::new();
    for child in children {
        if !digests.insert(child.descriptor.digest) {
            return Err(refused(child, "it is given twice"));
        }
        let entry = entry(child)?;
        if let Some(platform) = &entry.platform
            && !platforms.insert(platform.clone())
        {
            return Err(refused(child, "another artifact is for the same platform"));
        }
        entries.push(entry);
    }
    if entries.is_empty() {
        return Err(Error::Input { path: PathBuf::new(), reason: "no artifact was named" });
    }
    let mut reports = Vec::new();
    for child in children {
        let item = Item { descriptor: child.descriptor.clone(), tag: None };
        let mut report = copy::copy(child.from, &[item], to, &copy::Options::default())?;
        let own = child.descriptor.digest;
        if let Some(place) = report.missing.iter().position(|missing| missing.digest == own || missing.needed_by == Some(own)) {
            return Err(report.missing.swap_remove(place).error);
        }
        reports.push(report);
    }
    let mut manifest = head(IMAGE_INDEX);
    if let Some(artifact_type) = &about.artifact_type {
        manifest.insert("artifactType", artifact_type.as_str());
    }
    manifest.insert("manifests", entries.iter().map(Descriptor::to_json).collect::<Vec<_>>());
    Ok((finish(manifest, IMAGE_INDEX, to, about, tag)?, reports))
}

/// The entry of a child, made from its bytes.
fn entry(child: &Child<'_>) -> Result<Descriptor, Error> {
    let digest = child.descriptor.digest;
    let bytes = child.from.manifest(&digest, crate::scan::MAX_MANIFEST)?;
    let malformed = |reason| Error::Malformed { location: child.from.location(), what: digest.to_string(), reason };
    let manifest = Manifest::parse(&bytes).map_err(|error| malformed(error.to_string()))?;
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let mut entry = Descriptor::new(&manifest.media_type, digest, size);
    entry.artifact_type = manifest.artifact_type.clone();
    entry.platform = match (&child.platform, &manifest.kind) {
        (Some(platform), _) => Some(platform.clone()),
        (None, Kind::Image { config, .. }) => platform(child.from, &digest, config)?,
        (None, Kind::Index { .. }) => None,
    };
    Ok(entry)
}

/// The platform in the config of a container image; an artifact has none.
fn platform(from: &dyn Source, image: &Digest, config: &Descriptor) -> Result<Option<Platform>, Error> {
    if !matches!(config.media_type.as_str(), "application/vnd.oci.image.config.v1+json" | "application/vnd.docker.container.image.v1+json")
    {
        return Ok(None);
    }
    let bytes = from.manifest(&config.digest, MAX_CONFIG)?;
    let read = json::parse(&bytes, bytes.len()).map_err(|error| Error::Malformed {
        location: from.location(),
        what: format!("the config of {image}"),
        reason: error.to_string(),
    })?;
    Ok(Platform::from_json(&read))
}

pub(crate) fn head(media_type: &'static str) -> Object<'static> {
    let mut manifest = Object::new();
    manifest.insert("schemaVersion", 2_u64);
    manifest.insert("mediaType", media_type);
    manifest
}

pub(crate) fn finish<'a>(
    mut manifest: Object<'a>,
    media_type: &str,
    to: &dyn Store,
    about: &'a About,
    tag: Option<&str>,
) -> Result<Descriptor, Error> {
    if !about.annotations.is_empty() {
        let pairs = about.annotations.iter().map(|(key, value)| (key.as_str(), Value::from(value.as_str())));
        manifest.insert("annotations", Value::object(pairs));
    }
    to.put_manifest(&Value::from(manifest).to_vec(), media_type, tag)
}
