//! Canonical JSON: the documents of `testdata/cjson`, whose expectations were compared with three other implementations.

use touchmark_envelope::json::{Value, parse};

use super::{Case, Vectors, coded, ok, testdata_file};

pub(super) fn add(vectors: &mut Vectors) {
    let text = testdata_file("cjson/vectors.json");
    let listed = parse(&text, text.len()).expect("the vectors of canonical JSON");
    for vector in listed.as_array().expect("a list") {
        let text = |name| vector.get(name).and_then(Value::as_str);
        let name = text("name").expect("a name");
        let id = vectors.id("canonical", name);
        let document = match (text("document"), text("document_hex")) {
            (Some(document), _) => document.as_bytes().to_vec(),
            (None, Some(hex)) => super::unhex(hex),
            (None, None) => panic!("{name} has no document"),
        };
        let expect = match (text("canonical"), text("error")) {
            (Some(canonical), _) => ok().with("output", vectors.input(&format!("json/{id}.canonical.json"), canonical)),
            (None, Some(code)) => coded("MALFORMED_JSON", code),
            (None, None) => panic!("{name} expects nothing"),
        };
        let document = vectors.input(&format!("json/{id}.json"), document);
        vectors.add(Case::new("canonical-json", &id, name, "3").with("document", document).expect(expect));
    }
}
