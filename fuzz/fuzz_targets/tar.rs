//! OCI layouts in tars: a tar of any bytes is refused or answers within its own bounds.
#![no_main]

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use touchmark_envelope::digest::Algorithm;
use touchmark_oci::{Archive, Source as _};

static FILE: LazyLock<PathBuf> = LazyLock::new(|| std::env::temp_dir().join(format!("touchmark-fuzz-{}.tar", std::process::id())));

fuzz_target!(|data: &[u8]| {
    std::fs::write(FILE.as_path(), data).expect("a file");
    let Ok(archive) = Archive::open(FILE.as_path()) else { return };
    let _ = archive.findings();
    let _ = archive.resolve(None, None);
    let _ = archive.roots();
    let listed = archive.tags().unwrap_or_default();
    let empty = Algorithm::Sha256.digest(b"{}");
    for digest in listed.iter().map(|(_, descriptor)| &descriptor.digest).chain([&empty]) {
        if let Ok(manifest) = archive.manifest(digest, 1 << 16) {
            assert!(digest.matches(&manifest));
        }
        if let Ok((size, mut content)) = archive.blob(digest) {
            let mut bytes = Vec::new();
            // The reader fails at its end unless the digest is right.
            if content.read_to_end(&mut bytes).is_ok() {
                assert!(digest.matches(&bytes));
                assert_eq!(u64::try_from(bytes.len()), Ok(size));
            }
        }
        let _ = archive.referrers(digest, 8, 1 << 16);
    }
});
