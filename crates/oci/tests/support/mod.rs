//! What the tests of OCI layouts share: folders that are removed, and small artifacts.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
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
