//! Policy documents, and which rule decides: the documents and questions of `testdata/policy`.

use touchmark_envelope::json::{Value, parse};

use super::{Case, Vectors, coded, ok, testdata_file};

pub(super) fn add(vectors: &mut Vectors) {
    let text = testdata_file("policy/vectors.json");
    let listed = parse(&text, text.len()).expect("the vectors of policies");
    for vector in listed.get("documents").and_then(Value::as_array).expect("documents") {
        let name = vector.get("case").and_then(Value::as_str).expect("a name");
        let bytes = document(vector);
        for origin in ["local", "signed"] {
            let expect = match vector.get(origin).expect("an outcome") {
                Value::String(_) => ok(),
                error => coded("MALFORMED_POLICY", error.get("code").and_then(Value::as_str).expect("a code")),
            };
            let id = vectors.id(&format!("policy-{origin}"), name);
            let document = vectors.input(&format!("policy/{id}.json"), bytes.clone());
            let case = Case::new("policy-document", &id, name, "24.1").with("document", document).with("origin", origin.to_owned());
            vectors.add(case.expect(expect));
        }
    }
}

/// The bytes of a vector's document.
fn document(vector: &Value<'_>) -> Vec<u8> {
    match vector.get("text").and_then(Value::as_str) {
        Some(text) => text.as_bytes().to_vec(),
        None => vector.get("document").expect("a document").to_vec(),
    }
}
