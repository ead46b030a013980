//! Lists of referrers: no entry hides another, and what is read of one is read again from what is written of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchmark_envelope::manifest::Descriptor;
use touchmark_oci::registry::referrers;

fuzz_target!(|body: &[u8]| {
    let Ok(entries) = referrers::parse(body.to_vec()) else { return };
    let read: Vec<&Descriptor> = entries.iter().flatten().collect();
    let written: Vec<String> =
        read.iter().map(|entry| String::from_utf8(entry.to_json().to_vec()).expect("text")).chain(["{}".to_owned()]).collect();
    let list = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, written.join(","));
    let again = referrers::parse(list.into_bytes()).expect("a list");
    assert!(again.iter().flatten().eq(read.iter().copied()));
    assert!(again.len() == read.len() + 1);
});
