//! The index.json of an OCI layout: every question that can be asked of it has an answer or an error.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use touchmark_envelope::digest::Algorithm;
use touchmark_oci::{Layout, Source as _};

/// A layout with one blob, the empty object, which an index.json may list.
static LAYOUT: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = std::env::temp_dir().join(format!("touchmark-fuzz-index-{}", std::process::id()));
    let blobs = path.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).expect("a folder");
    std::fs::write(path.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("a file");
    std::fs::write(blobs.join(Algorithm::Sha256.digest(b"{}").hex()), "{}").expect("a file");
    path
});

fuzz_target!(|data: &[u8]| {
    std::fs::write(LAYOUT.join("index.json"), data).expect("a file");
    let Ok(layout) = Layout::open(LAYOUT.as_path()) else { return };
    let _ = layout.resolve(None, None);
    let _ = layout.resolve(Some("latest"), None);
    let empty = Algorithm::Sha256.digest(b"{}");
    let _ = layout.resolve(None, Some(&empty));
    if let Ok(referrers) = layout.referrers(&empty, 8, 1 << 16) {
        assert!(referrers.entries.len() <= 8);
    }
    let _ = layout.roots();
    if let Ok(tags) = layout.tags() {
        for (tag, _) in tags {
            let _ = layout.resolve(Some(&tag), None);
        }
    }
});
