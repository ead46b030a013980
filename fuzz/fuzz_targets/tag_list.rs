//! Lists of tags: what is read can be asked for, and is read again from a list that has nothing else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchmark_envelope::name::is_version;
use touchmark_oci::registry::tags;

fuzz_target!(|body: &[u8]| {
    let Ok(tags) = tags::parse(body) else { return };
    assert!(tags.iter().all(|tag| is_version(tag)));
    let list = serde_json::json!({ "name": "acme/app", "tags": tags }).to_string();
    assert_eq!(tags::parse(list.as_bytes()).as_ref(), Ok(&tags));
    // Another reader sees the same.
    let other: serde_json::Value = serde_json::from_slice(body).expect("a document");
    let other = other["tags"].as_array().into_iter().flatten().filter_map(|tag| tag.as_str()).filter(|tag| is_version(tag));
    assert!(other.eq(tags.iter().map(String::as_str)));
});
