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
    // Another reader sees the same, but for numbers that it cannot hold and ours keeps as text.
    let other = match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(other) => other,
        Err(error) => return assert!(error.to_string().starts_with("number out of range"), "{error}"),
    };
    let other = other["tags"].as_array().into_iter().flatten().filter_map(|tag| tag.as_str()).filter(|tag| is_version(tag));
    assert!(other.eq(tags.iter().map(String::as_str)));
});
