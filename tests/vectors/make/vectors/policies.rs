//! Policy documents, and which rule decides: the documents and questions of `testdata/policy`.

use touchmark_envelope::json::{Object, Value, parse};

use super::{Case, Expect, Vectors, coded, list, ok, refused, testdata_file};

pub(super) fn add(vectors: &mut Vectors) {
    let text = testdata_file("policy/vectors.json");
    let listed = parse(&text, text.len()).expect("the vectors of policies").into_owned();
    let items = |name| listed.get(name).and_then(Value::as_array).expect("a list");
    for vector in items("documents") {
        let name = vector.get("case").and_then(Value::as_str).expect("a name");
        let bytes = document(vector);
        for origin in ["local", "signed"] {
            let expect = match vector.get(origin).expect("an outcome") {
                Value::String(_) => ok(),
                error => coded("MALFORMED_POLICY", error.get("code").and_then(Value::as_str).expect("a code")),
            };
            let id = vectors.id(&format!("policy-{origin}"), name);
            case(vectors, &id, name, "24.1", &bytes, origin, expect, vec![]);
        }
    }
    // All questions to one document are one case.
    let mut asked: Vec<(Vec<u8>, &str, Vec<Value<'static>>)> = Vec::new();
    for vector in items("questions") {
        let origin = vector.get("origin").and_then(Value::as_str).unwrap_or("local");
        let (bytes, question) = (document(vector), question(vector));
        match asked.iter_mut().find(|(known, of, _)| *known == bytes && *of == origin) {
            Some((_, _, questions)) => questions.push(question),
            None => asked.push((bytes, origin, vec![question])),
        }
    }
    for (number, (bytes, origin, questions)) in (1..).zip(asked) {
        let (id, why) = (format!("policy-decides-{number}"), "which rule decides what is asked");
        case(vectors, &id, why, "24.4", &bytes, origin, ok(), questions);
    }
    strange(vectors);
}

#[expect(clippy::too_many_arguments, reason = "a case has as many parts")]
fn case(
    vectors: &mut Vectors,
    id: &str,
    why: &str,
    spec: &str,
    bytes: &[u8],
    origin: &str,
    expect: Expect,
    questions: Vec<Value<'static>>,
) {
    let document = vectors.input(&format!("policy/{id}.json"), bytes);
    let case = Case::new("policy-document", id, why, spec).with("document", document).with("origin", origin.to_owned());
    let case = if questions.is_empty() { case } else { case.with("questions", list(questions)) };
    vectors.add(case.expect(expect));
}

/// Questions that are none.
fn strange(vectors: &mut Vectors) {
    let document = br#"{"version":1,"rules":[{"names":"acme/**","keys":"a.pub"}]}"#;
    let ask = |member: &'static str, text: &str, expect: Expect| {
        Value::object([(member, Value::from(text.to_owned())), ("expect", expect.into())])
    };
    let questions = vec![
        ask("reference", "no host", refused("INVALID_REFERENCE")),
        ask("reference", "Registry.example/x:1", refused("INVALID_REFERENCE")),
        ask("name", "acme", refused("INVALID_NAME")),
        ask("name", "acme/x:", refused("INVALID_NAME")),
        ask("name", "other/x:1", coded("POLICY_REJECTED", "no-rule")),
    ];
    case(vectors, "policy-questions-that-are-none", "a reference and names that are none", "24.4", document, "local", ok(), questions);
}

/// A question, with what is expected: the outcome that `testdata/policy` has.
fn question(vector: &Value<'static>) -> Value<'static> {
    let outcome = vector.get("outcome").expect("an outcome");
    let expect = match (outcome.get("error"), outcome.get("rule").and_then(Value::as_u64)) {
        (Some(error), _) => {
            let code = error.get("code").and_then(Value::as_str).expect("a code");
            // A rule that rejects is an answer. All others say that the question does not go with the rule.
            coded(if code == "policy-rejects" { "POLICY_REJECTED" } else { "INVALID_ARGUMENT" }, code)
        }
        (None, None) => coded("POLICY_REJECTED", "no-rule"),
        (None, Some(rule)) => {
            let member = |name, none: Value<'static>| outcome.get(name).cloned().unwrap_or(none);
            let decision = Value::object([
                ("rule", Value::from(rule + 1)),
                ("pattern", member("pattern", Value::Null)),
                ("expected_name", member("expected", Value::Null)),
                ("captures", member("captures", list([]))),
                ("parameters", member("parameters", Value::Object(Object::new()))),
                ("demands", demands(vector, rule)),
            ]);
            ok().with("rule", decision)
        }
    };
    let mut question = Object::new();
    for name in ["reference", "name"] {
        if let Some(text) = vector.get(name) {
            question.insert(name, text.clone());
        }
    }
    question.insert("expect", expect);
    Value::Object(question)
}

/// The rule of this number, as it is written: a list of one is what is in it, and what holds anyhow is not said.
fn demands(vector: &Value<'static>, number: u64) -> Value<'static> {
    let rules = vector.get("document").and_then(|document| document.get("rules")).and_then(Value::as_array).expect("rules");
    let rule = rules.get(usize::try_from(number).expect("a small number")).expect("a rule");
    let Value::Object(rule) = rule else { panic!("a rule is an object") };
    let mut written = Object::new();
    for (name, value) in rule.iter() {
        let value = match (name, value) {
            ("names" | "reference" | "keys" | "accepted_by", Value::Array(items)) if items.len() == 1 => {
                items.first().expect("one").clone()
            }
            ("in_toto", Value::Object(in_toto)) => in_toto_of(in_toto),
            ("threshold", value) if value.as_u64() == Some(1) => continue,
            ("children", value) if value.as_str() == Some("deny") => continue,
            (_, value) => value.clone(),
        };
        written.insert(name.to_owned(), value);
    }
    Value::Object(written)
}

fn in_toto_of(in_toto: &Object<'static>) -> Value<'static> {
    let mut written = Object::new();
    for (name, value) in in_toto.iter() {
        let value = match value {
            Value::Array(items) if items.len() == 1 => items.first().expect("one").clone(),
            value => value.clone(),
        };
        written.insert(name.to_owned(), value);
    }
    Value::Object(written)
}

/// The bytes of a vector's document.
fn document(vector: &Value<'_>) -> Vec<u8> {
    match vector.get("text").and_then(Value::as_str) {
        Some(text) => text.as_bytes().to_vec(),
        None => vector.get("document").expect("a document").to_vec(),
    }
}
