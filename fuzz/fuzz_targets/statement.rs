//! Statements, and signatures among them: a signature is the same when it is written and read again.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use touchmark_envelope::UnixTime;
use touchmark_envelope::digest::Digests;
use touchmark_envelope::signature::{Asked, Signature};
use touchmark_envelope::statement::Statement;

fuzz_target!(|data: &[u8]| {
    let Ok(statement) = Statement::parse(data) else { return };
    assert!(!statement.subjects.is_empty());
    let (annotations, manifest) = (BTreeMap::new(), Digests::of(b"{}"));
    let asked = Asked {
        predicate_type: &statement.predicate_type,
        manifest: &manifest,
        media_type: "application/vnd.oci.image.manifest.v1+json",
        name: None,
        annotations: &annotations,
        at: UnixTime::from_seconds(1_800_000_000).expect("a time"),
    };
    if asked.satisfied_by(&statement).is_ok() {
        assert!(statement.subjects.iter().any(|subject| subject.is_of(&manifest)));
    }
    if let Ok(signature) = Signature::from_statement(&statement) {
        let written = signature.to_json();
        let again = Statement::parse(&written).expect("a statement");
        assert_eq!(Signature::from_statement(&again), Ok(signature));
    }
});
