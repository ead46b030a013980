//! What a command prints under `--format json` is valid by `testdata/schema/output.schema.json`.
//!
//! This reads the keywords of JSON Schema 2020-12 that the schema uses, and refuses any other. Each document is also left in a
//! file, for `tests/peers/python/validate_json.py` to check all of them with a foreign validator.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

/// Asserts that the document is valid, and records it.
#[track_caller]
pub fn assert_valid(document: &Value) {
    record(document);
    if let Err(why) = check(schema(), document, "$") {
        panic!("not valid by the schema: {why}\n{document:#}");
    }
}

fn record(document: &Value) {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("json-output");
    std::fs::create_dir_all(&folder).unwrap();
    let file = format!("{}-{}.json", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    std::fs::write(folder.join(file), document.to_string()).unwrap();
}

fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| serde_json::from_str(include_str!("../../../../testdata/schema/output.schema.json")).unwrap())
}

fn check(rule: &Value, value: &Value, at: &str) -> Result<(), String> {
    let rule = match rule {
        Value::Bool(true) => return Ok(()),
        Value::Bool(false) => return Err(format!("{at}: nothing is allowed here")),
        rule => rule.as_object().unwrap(),
    };
    for (keyword, wanted) in rule {
        let held = match keyword.as_str() {
            // `if` is read with `then`; patterns are left to the foreign validator.
            "$schema" | "$id" | "$defs" | "$comment" | "title" | "description" | "if" | "pattern" => true,
            "$ref" => {
                let pointer = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                check(schema().pointer(pointer).unwrap(), value, at)?;
                true
            }
            "type" => match wanted {
                Value::Array(types) => types.iter().any(|one| is_of(one, value)),
                one => is_of(one, value),
            },
            "const" => value == wanted,
            "enum" => wanted.as_array().unwrap().contains(value),
            "minimum" => value.as_u64().is_none_or(|number| number >= wanted.as_u64().unwrap()),
            "maximum" => value.as_u64().is_none_or(|number| number <= wanted.as_u64().unwrap()),
            "minItems" => value.as_array().is_none_or(|items| items.len() >= usize::try_from(wanted.as_u64().unwrap()).unwrap()),
            "required" => value
                .as_object()
                .is_none_or(|object| wanted.as_array().unwrap().iter().all(|name| object.contains_key(name.as_str().unwrap()))),
            "properties" => {
                for (name, member) in value.as_object().into_iter().flatten() {
                    if let Some(rule) = wanted.get(name) {
                        check(rule, member, &format!("{at}.{name}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = rule.get("properties").and_then(Value::as_object);
                for (name, member) in value.as_object().into_iter().flatten() {
                    if !known.is_some_and(|known| known.contains_key(name)) {
                        check(wanted, member, &format!("{at}.{name}"))?;
                    }
                }
                true
            }
            "items" => {
                for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(wanted, item, &format!("{at}[{place}]"))?;
                }
                true
            }
            "allOf" => {
                for rule in wanted.as_array().unwrap() {
                    check(rule, value, at)?;
                }
                true
            }
            "oneOf" => {
                let verdicts: Vec<_> = wanted.as_array().unwrap().iter().map(|rule| check(rule, value, at)).collect();
                if verdicts.iter().filter(|verdict| verdict.is_ok()).count() != 1 {
                    return Err(format!("{at}: not exactly one of the alternatives: {verdicts:?}"));
                }
                true
            }
            "then" => {
                if check(&rule["if"], value, at).is_ok() {
                    check(wanted, value, at)?;
                }
                true
            }
            other => panic!("the schema uses {other}, which this does not know"),
        };
        if !held {
            return Err(format!("{at}: {keyword} {wanted} does not hold"));
        }
    }
    Ok(())
}

fn is_of(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "null" => value.is_null(),
        other => panic!("the schema uses the type {other}, which this does not know"),
    }
}

#[test]
fn wrong_documents_are_refused() {
    let error = serde_json::json!({"code": "usage", "message": "no key", "hint": null, "retryable": false});
    let good = serde_json::json!({"schema": "urn:touchmark:output:v1", "command": "verify",
        "results": [{"exit_code": 2, "outcome": "usage", "error": error}]});
    assert_eq!(check(schema(), &good, "$"), Ok(()));
    for (pointer, wrong) in [
        ("/schema", serde_json::json!("urn:touchmark:output:v2")),
        ("/command", serde_json::json!("verifi")),
        ("/results", serde_json::json!({})),
        ("/results/0/exit_code", serde_json::json!(7)),
        ("/results/0/exit_code", serde_json::json!(0)),
        ("/results/0/outcome", serde_json::json!("fine")),
        ("/results/0/error", serde_json::json!({"code": "usage", "message": "no key", "hint": null})),
        ("/results/0/error/retryable", serde_json::json!("no")),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = wrong;
        assert!(check(schema(), &bad, "$").is_err(), "{bad}");
    }
}
