//! Layouts over attestations (SPEC.md, "Layouts over attestations").

use std::collections::BTreeMap;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::dsse::IN_TOTO;
use touchmark_envelope::json::Value;
use touchmark_test_tuf_repository::{NOW, json, set};

use super::super::envelopes::{key, key_file, sign};
use super::super::{Case, Expect, Vectors, list, ok};
use super::{Artifacts, Form, not_verified, signed, untrusted};

const LINK: &str = "https://in-toto.io/attestation/link/v0.3";
const TEST: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// A layout that `owner` signs, and statements.
struct World {
    layout: Value<'static>,
    form: Form,
    files: BTreeMap<String, Vec<u8>>,
}

impl World {
    /// `cloner` makes `foo`, and `tester` says that it passes.
    fn demo() -> Self {
        let mut layout = json(
            r#"{"_type":"urn:touchmark:in-toto:attestation-layout:v1","expires":"2030-01-01T00:00:00Z","functionaries":{},"steps":[
                {"name":"clone","expectedMaterials":[["DISALLOW","*"]],"expectedProducts":[["CREATE","foo"],["DISALLOW","*"]],"expectedPredicates":[
                    {"predicateType":"https://in-toto.io/attestation/link/v0.3","functionaries":["cloner"],"threshold":1,"expectedAttributes":[]}]},
                {"name":"test","expectedMaterials":[["MATCH","foo","WITH","PRODUCTS","FROM","clone"],["DISALLOW","*"]],"expectedProducts":[],"expectedPredicates":[
                    {"predicateType":"https://in-toto.io/attestation/test-result/v0.1","functionaries":["tester"],"threshold":1,"expectedAttributes":[{"at":"/result","equals":"PASSED"}]}]}
                ],"subjects":[],"inspections":[]}"#,
        );
        for name in ["cloner", "tester"] {
            set(&mut layout, &format!("/functionaries/{name}"), key(name).json().clone());
        }
        let mut world = Self { layout, form: Form::Dsse, files: BTreeMap::new() };
        world.put("clone", "cloner", &link(&[("foo", "1")]), "cloner");
        world.put("test", "tester", &tested("PASSED", &[("foo", "1")]), "tester");
        world
    }

    /// Puts a statement there in the place of a functionary, signed by a key.
    fn put(&mut self, step: &str, of: &str, payload: &str, by: &str) {
        let path = format!("{step}.{}.json", &key(of).keyid()[..8]);
        self.files.insert(path, sign(IN_TOTO, payload.as_bytes(), &[by]).to_json());
    }

    fn change(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn case(self, vectors: &mut Vectors, id: &str, why: &str, expect: Expect) {
        let id = format!("attestations-{id}");
        let layout = vectors.file(&format!("in-toto/{id}.layout"), signed(self.form, &self.layout, &["owner"]));
        let links = vectors.folder(&format!("in-toto/{id}"), self.files);
        let keys = list([key_file(vectors, "owner")]);
        let case = Case::new("supply-chain", &format!("supply-chain-{id}"), why, "22.14").with("layout", layout);
        vectors.add(case.with("keys", keys).with("links", links).with("at", NOW).expect(expect));
    }
}

/// Descriptors of names, each with its content.
fn descriptors(all: Artifacts<'_>) -> String {
    let one = |(name, content): &(&str, &str)| {
        format!(r#"{{"name":"{name}","digest":{{"sha256":"{}"}}}}"#, Algorithm::Sha256.digest(content.as_bytes()).hex())
    };
    all.iter().map(one).collect::<Vec<_>>().join(",")
}

fn statement(predicate_type: &str, subjects: Artifacts<'_>, predicate: &str) -> String {
    let subjects = descriptors(subjects);
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{subjects}],"predicateType":"{predicate_type}","predicate":{predicate}}}"#
    )
}

fn link(products: Artifacts<'_>) -> String {
    statement(LINK, products, r#"{"name":"clone","command":["make"],"materials":[],"byproducts":{"return-value":0}}"#)
}

fn tested(result: &str, subjects: Artifacts<'_>) -> String {
    statement(TEST, subjects, &format!(r#"{{"result":"{result}","configuration":[]}}"#))
}

pub(super) fn add(vectors: &mut Vectors) {
    let demo = World::demo;
    let made: Artifacts<'_> = &[("foo", "1")];
    demo().case(vectors, "demo", "two steps, each with its predicate", ok());
    let failed = demo().change(|world| world.put("test", "tester", &tested("FAILED", made), "tester"));
    failed.case(vectors, "constraint", "a predicate that does not meet its constraint", not_verified());
    let other = demo().change(|world| world.put("test", "tester", &tested("PASSED", &[("foo", "2")]), "tester"));
    other.case(vectors, "other-artifact", "another artifact was tested", not_verified());
    let stranger = demo().change(|world| world.put("test", "tester", &tested("PASSED", made), "mallory"));
    stranger.case(vectors, "stranger", "a statement by a stranger", not_verified());
    let cloner = demo().change(|world| world.put("test", "tester", &tested("PASSED", made), "cloner"));
    cloner.case(vectors, "another-functionary", "a statement by a functionary of another step", not_verified());
    let linked = demo().change(|world| world.put("test", "tester", &link(made), "tester"));
    linked.case(vectors, "other-predicate", "a statement with another predicate", not_verified());
    demo().change(|world| world.files.retain(|name, _| name.starts_with("test"))).case(
        vectors,
        "missing",
        "a statement is missing",
        not_verified(),
    );
    let provenance =
        demo().change(|world| world.put("test", "tester", r#"{"_type":"link","name":"test","materials":{},"products":{}}"#, "tester"));
    provenance.case(vectors, "older-link", "a link of in-toto 1.0 is no statement", not_verified());
    demo().change(|world| world.form = Form::Legacy).case(vectors, "older-envelope", "such a layout is signed in DSSE alone", untrusted());
    for (id, pointer, value, why) in [
        ("unknown-member", "/steps/0/warn", "[]", "a member that is not known, which may be a demand"),
        ("rule-as-text", "/steps/0/expectedProducts/0", "\"CREATE foo\"", "a rule that is a text"),
        ("threshold-0", "/steps/0/expectedPredicates/0/threshold", "0", "a threshold of zero"),
        ("no-predicates", "/steps/0/expectedPredicates", "[]", "a step that expects nothing"),
    ] {
        demo().change(|world| set(&mut world.layout, pointer, json(value))).case(vectors, id, why, untrusted());
    }
}
