use touchmark_envelope::json::{Object, Value, parse};
use touchmark_envelope::name::Wanted;
use touchmark_trust::rules::{Matched, NormalReference, Origin, PolicyDocument, Question, RuleError, RuleFault};

const VECTORS: &[u8] = include_bytes!("../../../../testdata/policy/vectors.json");

fn vectors() -> Value<'static> {
    parse(VECTORS, VECTORS.len()).unwrap()
}

fn items<'v>(value: &'v Value<'v>, name: &str) -> &'v [Value<'v>] {
    let items = value.get(name).and_then(Value::as_array).unwrap();
    assert!(!items.is_empty(), "{name}");
    items
}

fn text<'v>(value: &'v Value<'_>, name: &str) -> Option<&'v str> {
    value.get(name).map(|value| value.as_str().unwrap())
}

/// The bytes of a vector's document.
fn document(vector: &Value<'_>) -> Vec<u8> {
    match text(vector, "text") {
        Some(text) => text.as_bytes().to_vec(),
        None => vector.get("document").unwrap().to_vec(),
    }
}

/// A document that is good; nothing if this build verifies no supply chains and it demands one.
fn good(vector: &Value<'_>, origin: Origin) -> Option<PolicyDocument> {
    match PolicyDocument::parse(&document(vector), origin) {
        Err(error) if is_for_other_builds(vector, &error) => None,
        document => Some(document.unwrap()),
    }
}

/// Whether this build verifies no supply chains, and refuses the document since it demands one.
fn is_for_other_builds(vector: &Value<'_>, error: &RuleError) -> bool {
    let refused = error.fault == RuleFault::NoSupplyChains;
    assert!(!refused || !cfg!(feature = "supply-chain") && has_layout(vector), "{error}");
    refused
}

fn has_layout(vector: &Value<'_>) -> bool {
    let rules = vector.get("document").and_then(|document| document.get("rules")?.as_array());
    rules.is_some_and(|rules| rules.iter().any(|rule| rule.get("in_toto").is_some()))
}

fn error(error: &RuleError) -> Value<'static> {
    Value::object([("at", Value::from(error.at.clone())), ("code", Value::from(error.code()))])
}

#[test]
fn documents_are_read_or_refused_where_the_vectors_say() {
    let vectors = vectors();
    let mut refused = 0;
    for vector in items(&vectors, "documents") {
        let case = text(vector, "case").unwrap();
        let bytes = document(vector);
        for (origin, member) in [(Origin::Local, "local"), (Origin::Signed, "signed")] {
            let found = match PolicyDocument::parse(&bytes, origin) {
                Ok(_) => {
                    assert!(cfg!(feature = "supply-chain") || !has_layout(vector), "{case}");
                    Value::from("ok")
                }
                Err(found) if is_for_other_builds(vector, &found) => {
                    refused += 1;
                    continue;
                }
                Err(found) => {
                    assert!(!found.to_string().is_empty(), "{case}");
                    error(&found)
                }
            };
            assert_eq!(Some(&found), vector.get(member), "{case}, {member}");
        }
    }
    assert!(cfg!(feature = "supply-chain") || refused > 5, "{refused}");
}

#[test]
fn what_is_written_is_read_as_the_same() {
    let vectors = vectors();
    let mut read = 0;
    for vector in items(&vectors, "documents") {
        for origin in [Origin::Local, Origin::Signed] {
            let Ok(document) = PolicyDocument::parse(&document(vector), origin) else { continue };
            let again = PolicyDocument::parse(&document.to_json().to_pretty(), origin);
            assert_eq!(again.as_ref(), Ok(&document), "{:?}", text(vector, "case"));
            read += 1;
        }
    }
    assert!(read > 50, "{read}");
}

#[test]
fn weaknesses_are_found_where_the_vectors_say() {
    let vectors = vectors();
    let mut checked = 0;
    for vector in items(&vectors, "documents").iter().filter(|vector| vector.get("findings").is_some()) {
        let Some(document) = good(vector, Origin::Local) else { continue };
        let found = document.check().into_iter().map(|finding| {
            assert!(!finding.to_string().is_empty() && !finding.weakness.hint().is_empty());
            let json = finding.to_json();
            let told = ["level", "at", "code", "message", "hint"].map(|name| text(&json, name).unwrap());
            assert_eq!(told, ["warning", &finding.at, finding.weakness.code(), &finding.weakness.to_string(), finding.weakness.hint()]);
            Value::object([("at", Value::from(finding.at)), ("code", Value::from(finding.weakness.code()))])
        });
        assert_eq!(Value::from(found.collect::<Vec<_>>()), *vector.get("findings").unwrap(), "{:?}", text(vector, "case"));
        checked += 1;
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn questions_are_answered_as_the_vectors_say() {
    let vectors = vectors();
    for vector in items(&vectors, "questions") {
        let origin = if text(vector, "origin") == Some("signed") { Origin::Signed } else { Origin::Local };
        let Some(document) = good(vector, origin) else { continue };
        let reference = text(vector, "reference").map(|text| NormalReference::new(text).unwrap());
        let name: Option<Wanted> = text(vector, "name").map(|text| text.parse().unwrap());
        let question = Question { reference: reference.as_ref(), name: name.as_ref() };
        let outcome = match document.decide(&question) {
            Ok(Some(matched)) => {
                assert_eq!(written(&matched.to_json()), written(&told(&matched)));
                outcome(&matched)
            }
            Ok(None) => Value::object([("rejected", true)]),
            Err(found) => Value::object([("error", error(&found))]),
        };
        assert_eq!(Some(&outcome), vector.get("outcome"), "{:?} {:?}", text(vector, "reference"), text(vector, "name"));
    }
}

/// What is told of a rule that decides (SPEC.md, "Which rule decides").
fn told(matched: &Matched<'_>) -> Object<'static> {
    let mut told = Object::new();
    told.insert("rule", Value::from(u64::try_from(matched.index + 1).unwrap()));
    told.insert("pattern", matched.pattern.to_owned());
    told.insert("expected_name", matched.expected.as_ref().map_or(Value::Null, |name| Value::from(name.to_string())));
    told.insert("captures", Value::from(matched.captures.iter().cloned().map(Value::from).collect::<Vec<_>>()));
    told.insert("parameters", Value::object(matched.parameters.clone()));
    told.insert("demands", matched.rule.to_json());
    told
}

fn written(object: &Object<'static>) -> Vec<u8> {
    Value::Object(object.clone()).to_vec()
}

/// What a rule that decides comes to; what there is none of is left out.
fn outcome(matched: &Matched<'_>) -> Value<'static> {
    let mut outcome =
        vec![("rule", Value::from(u64::try_from(matched.index).unwrap())), ("pattern", Value::from(matched.pattern.to_owned()))];
    if let Some(expected) = &matched.expected {
        outcome.push(("expected", Value::from(expected.to_string())));
    }
    if !matched.captures.is_empty() {
        outcome.push(("captures", Value::from(matched.captures.iter().cloned().map(Value::from).collect::<Vec<_>>())));
    }
    if !matched.parameters.is_empty() {
        outcome.push(("parameters", Value::object(matched.parameters.clone())));
    }
    Value::object(outcome)
}
