//! The graph of what belongs to an artifact, to be compared between the places where it is.

use serde_json::Value;

use crate::harness::Place;

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
