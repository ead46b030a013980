//! What the tests of OCI layouts share: folders that are removed, and small artifacts.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::{self, Value};
use touchmark_envelope::manifest::{Descriptor, IMAGE_MANIFEST};
use touchmark_oci::{Source, Store};

/// A new, empty folder, removed when dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("touchmark-layout-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn root(&self) -> &Path {
        &self.0
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The manifest of an image whose one layer is `content`, and its blobs.
pub fn image_manifest(content: &str) -> (String, [Vec<u8>; 2]) {
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
pub fn image(store: &dyn Store, content: &str, tag: Option<&str>) -> Descriptor {
    let (manifest, blobs) = image_manifest(content);
    for blob in blobs {
        store.put_blob(None, &mut blob.as_slice()).unwrap();
    }
    store.put_manifest(manifest.as_bytes(), IMAGE_MANIFEST, tag).unwrap()
}

/// The digests of the referrers of `subject`, all of them, with nothing wrong.
pub fn listed(source: &dyn Source, subject: &Digest) -> Vec<Digest> {
    let referrers = source.referrers(subject, 100_000, u64::MAX).unwrap();
    assert!(referrers.complete && referrers.findings.is_empty(), "{:?}", referrers.findings);
    referrers.entries.iter().map(|entry| entry.digest).collect()
}

/// The digests that `index.json` has without a tag, and those in the list under the subject's tag: no orphans.
#[allow(dead_code)] // not every test program asks
pub fn lists(folder: &Path, subject: &Digest) -> (Vec<String>, Vec<String>) {
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
#[allow(dead_code)]
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() { copy(&entry.path(), &target) } else { drop(std::fs::copy(entry.path(), target).unwrap()) }
    }
}

/// The names of temporary files in a folder.
#[allow(dead_code)]
pub fn temporaries(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".tmp")).collect()
}
