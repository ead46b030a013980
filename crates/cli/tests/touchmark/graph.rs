//! The graph of what belongs to an artifact, to be compared between the places where it is.

use serde_json::Value;

use crate::harness::Place;

/// The pins of an index and of its two children, tagged `all`, `amd` and `arm` in `repository`, a place without a tag. Each is
/// signed by alice and attested by bob, and the signature itself is attested.
pub fn signed_index(place: &Place, repository: &str) -> [String; 3] {
    place.key("alice");
    place.key("bob");
    place.file("sbom.json", r#"{"spdxVersion":"SPDX-2.3"}"#);
    let amd = place.pack(&format!("{repository}:amd"), "for amd64");
    let arm = place.pack(&format!("{repository}:arm"), "for arm64");
    let index = place.ok(&format!("index {amd} {arm} --to {repository}:all --platform linux/amd64 --platform linux/arm64"));
    for pin in [&index, &amd, &arm] {
        place.ok(&format!("sign {pin} --key alice --name acme/app:1.0"));
        place.ok(&format!("attest {pin} --key bob --type spdx --predicate sbom.json"));
        let list = place.json(&format!("signature list {pin} --signed-by alice.pub"), 0);
        let signature = list["results"][0]["signatures"][0]["pin"].as_str().unwrap().to_owned();
        place.ok(&format!("attest {signature} --key bob --type https://example.com/witness/v1 --predicate sbom.json"));
    }
    [index, amd, arm]
}

/// The graph that `tree` shows, without the places where it was read.
pub fn graph(place: &Place, reference: &str) -> Value {
    let mut document = place.json(&format!("tree {reference} --key alice.pub --key bob.pub"), 0);
    let result = document["results"][0].as_object_mut().unwrap();
    result.remove("reference");
    result.remove("findings");
    let mut graph = Value::Object(result.clone());
    // Only what was named was tagged on the way.
    untag(&mut graph);
    graph
}

fn untag(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("tags");
            members.values_mut().for_each(untag);
        }
        Value::Array(items) => items.iter_mut().for_each(untag),
        _ => {}
    }
}

/// How many objects in `value` have this member.
pub fn count(value: &Value, predicate: &dyn Fn(&serde_json::Map<String, Value>) -> bool) -> usize {
    match value {
        Value::Object(members) => usize::from(predicate(members)) + members.values().map(|value| count(value, predicate)).sum::<usize>(),
        Value::Array(items) => items.iter().map(|value| count(value, predicate)).sum(),
        _ => 0,
    }
}
