//! Manifests and indexes: descriptors are the same when they are written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchmark_envelope::manifest::{Descriptor, Manifest};

fuzz_target!(|data: &[u8]| {
    let Ok(manifest) = Manifest::parse(data) else { return };
    let _ = manifest.artifact_type();
    for descriptor in manifest.subject.iter().chain(manifest.children()).chain(manifest.blobs()) {
        assert_eq!(Descriptor::from_json(&descriptor.to_json()).as_ref(), Ok(descriptor));
    }
});
