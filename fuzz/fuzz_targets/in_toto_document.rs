//! Layouts, links and statements: as they come, and as what is signed in either envelope.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchmark_envelope::dsse::{Envelope, IN_TOTO};
use touchmark_envelope::threshold::Signature;
use touchmark_in_toto::name::{is_artifact_name, is_item_name};
use touchmark_in_toto::{Document, DocumentKind, Limits, Parameters, Side};

fuzz_target!(|data: &[u8]| {
    read(data.to_vec());
    let mut legacy = b"{\"signed\":".to_vec();
    legacy.extend_from_slice(data);
    legacy.extend_from_slice(b",\"signatures\":[]}");
    read(legacy);
    let signatures = vec![Signature { keyid: None, bytes: vec![0] }];
    read(Envelope { payload: data.to_vec(), payload_type: IN_TOTO.into(), signatures }.to_json());
});

fn read(bytes: Vec<u8>) {
    let Ok(document) = Document::parse(bytes, &Limits::default()) else { return };
    let document = document.into_untrusted();
    document.is_signed_by_gpg();
    let kind = document.kind();
    if let Ok(link) = document.link() {
        assert!(matches!(kind, Ok(DocumentKind::Link | DocumentKind::Statement)));
        for artifacts in [Side::Materials, Side::Products].map(|side| link.artifacts(side)) {
            let names: Vec<&str> = artifacts.iter().map(|artifact| artifact.name).collect();
            assert!(names.is_sorted_by(|first, second| first < second) && names.iter().all(|name| is_artifact_name(name)));
            for artifact in artifacts.iter() {
                assert!(artifact.digests.iter().count() > 0);
                assert_eq!(artifacts.get(artifact.name), Some(artifact.digests));
            }
        }
    }
    let mut parameters = Parameters::new();
    parameters.insert("a", "*").expect("a name");
    for parameters in [Parameters::new(), parameters] {
        if let Ok(layout) = document.layout(&parameters) {
            assert!(matches!(kind, Ok(DocumentKind::Layout)));
            assert!(layout.steps.iter().all(|step| is_item_name(&step.name) && step.threshold > 0));
            assert!(layout.inspections.iter().all(|inspection| is_item_name(&inspection.name) && !inspection.run.is_empty()));
        }
    }
}
