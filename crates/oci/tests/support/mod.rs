//! What the tests of OCI layouts share: folders that are removed, and small artifacts.
// Not every test program uses all of it, and outside of test functions clippy takes a panic for a mistake.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::{self, Value};
use touchmark_envelope::manifest::{Descriptor, IMAGE_MANIFEST};
use touchmark_oci::{Source, Store};

/// A new, empty folder, removed when dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("touchmark-layout-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.0
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The manifest of an image whose one layer is `content`, and its blobs.
pub(crate) fn image_manifest(content: &str) -> (String, [Vec<u8>; 2]) {
    let blobs = [b"{}".to_vec(), content.as_bytes().to_vec()];
    let describe = |media_type: &str, bytes: &[u8]| {
        format!(r#"{{"mediaType":"{media_type}","digest":"{}","size":{}}}"#, Algorithm::Sha256.digest(bytes), bytes.len())
    };
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE_MANIFEST}","config":{},"layers":[{}]}}"#,
        describe("application/vnd.oci.image.config.v1+json", &blobs[0]),
        describe("text/plain", &blobs[1])
    );
    (manifest, blobs)
}

/// Stores such an image.
pub(crate) fn image(store: &dyn Store, content: &str, tag: Option<&str>) -> Descriptor {
    let (manifest, blobs) = image_manifest(content);
    for blob in blobs {
        store.put_blob(None, &mut blob.as_slice()).unwrap();
    }
    store.put_manifest(manifest.as_bytes(), IMAGE_MANIFEST, tag).unwrap()
}

/// The digests of the referrers of `subject`, all of them, with nothing wrong.
pub(crate) fn listed(source: &dyn Source, subject: &Digest) -> Vec<Digest> {
    let referrers = source.referrers(subject, 100_000, u64::MAX).unwrap();
    assert!(referrers.complete && referrers.findings.is_empty(), "{:?}", referrers.findings);
    referrers.entries.iter().map(|entry| entry.digest).collect()
}

/// The digests that `index.json` has without a tag, and those in the list under the subject's tag: no orphans.
pub(crate) fn lists(folder: &Path, subject: &Digest) -> (Vec<String>, Vec<String>) {
    let read = |path: PathBuf| json::parse(&std::fs::read(path).unwrap(), 1 << 30).unwrap().into_owned();
    let entries = |value: &Value<'static>| value.get("manifests").unwrap().as_array().unwrap().to_vec();
    let digest = |entry: &Value<'_>| entry.get("digest").unwrap().as_str().unwrap().to_owned();
    let tag = |entry: &Value<'_>| entry.get("annotations")?.get("org.opencontainers.image.ref.name")?.as_str().map(str::to_owned);
    let index = entries(&read(folder.join("index.json")));
    let wanted = format!("{}-{}", subject.algorithm(), &subject.hex()[..64]);
    let list = index.iter().find(|entry| tag(entry).as_deref() == Some(wanted.as_str()));
    let listed = list.map_or_else(Vec::new, |entry| {
        let list: Digest = digest(entry).parse().unwrap();
        entries(&read(folder.join("blobs").join(list.algorithm().name()).join(list.hex())))
    });
    (index.iter().filter(|entry| tag(entry).is_none()).map(digest).collect(), listed.iter().map(digest).collect())
}

/// A copy of a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The names of temporary files in a folder.
pub(crate) fn temporaries(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".tmp")).collect()
}

/// The manifest of an artifact that refers to `subject`, with an artifact type and an annotation, as other tools make them; its
/// config and its layer are `{}`.
pub(crate) fn referrer_manifest(subject: &Descriptor, name: &str) -> String {
    let empty = format!(r#"{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{}","size":2}}"#, Algorithm::Sha256.digest(b"{}"));
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE_MANIFEST}","artifactType":"application/x-{name}","config":{empty},"layers":[{empty}],"subject":{},"annotations":{{"name":"{name}"}}}}"#,
        String::from_utf8(subject.to_json().to_vec()).unwrap()
    )
}

/// An OCI layout made by hand, as another tool would.
pub(crate) struct Foreign(pub(crate) PathBuf);

impl Foreign {
    pub(crate) fn new(root: PathBuf) -> Self {
        std::fs::create_dir_all(root.join("blobs/sha256")).unwrap();
        std::fs::write(root.join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
        Self(root)
    }

    pub(crate) fn blob(&self, bytes: impl AsRef<[u8]>) -> Digest {
        let digest = Algorithm::Sha256.digest(bytes.as_ref());
        std::fs::write(self.0.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
        digest
    }

    /// Stores a manifest and returns its descriptor.
    pub(crate) fn manifest(&self, media_type: &str, text: &str) -> Descriptor {
        Descriptor::new(media_type, self.blob(text), u64::try_from(text.len()).unwrap())
    }

    pub(crate) fn image(&self, content: &str) -> Descriptor {
        let (manifest, blobs) = image_manifest(content);
        for blob in blobs {
            self.blob(blob);
        }
        self.manifest(IMAGE_MANIFEST, &manifest)
    }

    pub(crate) fn index(&self, text: &str) {
        std::fs::write(self.0.join("index.json"), text).unwrap();
    }
}

/// A descriptor as JSON text, with more members.
pub(crate) fn entry(descriptor: &Descriptor, more: &str) -> String {
    let text = String::from_utf8(descriptor.to_json().to_vec()).unwrap();
    format!("{}{more}}}", text.strip_suffix('}').unwrap())
}
