//! `touchmark in-toto` on a layout over attestations: signed, looked over and verified from files, and what is refused.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::{Place, Ran};
use crate::in_toto::{AT, Form, Key, hex, rules, sign};

const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
const BUILDER: &str = "https://builder.example/v1";

fn subjects(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"name": name, "digest": {"sha256": hex(&Sha256::digest(name))}})).collect()
}

fn statement(predicate_type: &str, of: &[&str], predicate: &Value) -> Value {
    json!({"_type": "https://in-toto.io/Statement/v1", "subject": subjects(of), "predicateType": predicate_type, "predicate": predicate})
}

fn tested(result: &str, of: &[&str]) -> Value {
    statement(TEST_RESULT, of, &json!({"result": result, "configuration": []}))
}

fn built(builder: &str, from: &[&str], of: &[&str]) -> Value {
    let build = json!({"buildType": "https://builder.example/make", "externalParameters": {}, "resolvedDependencies": subjects(from)});
    statement(PROVENANCE, of, &json!({"buildDefinition": build, "runDetails": {"builder": {"id": builder}}}))
}

/// Bob tests `source`, carol builds `app` from it, and `app` is what is delivered.
struct Delivery {
    place: Place,
    layout: Value,
}

impl Delivery {
    fn new() -> Self {
        let expects = |kind: &str, by: &str, attributes: Value| json!([{"predicateType": kind, "functionaries": [by], "threshold": 1, "expectedAttributes": attributes}]);
        let passed = json!([{"at": "/result", "equals": "PASSED"}]);
        let builder = json!([{"at": "/runDetails/builder/id", "equals": BUILDER}]);
        let layout = json!({
            "_type": "urn:touchmark:in-toto:attestation-layout:v1",
            "expires": "2027-01-01T00:00:00Z",
            "functionaries": {"bob": Key::of("bob").object(), "carol": Key::of("carol").object()},
            "steps": [
                {"name": "test", "expectedMaterials": rules(&["ALLOW source", "DISALLOW *"]), "expectedProducts": rules(&["ALLOW source", "DISALLOW *"]),
                    "expectedPredicates": expects(TEST_RESULT, "bob", passed)},
                {"name": "build", "expectedMaterials": rules(&["MATCH source WITH PRODUCTS FROM test", "DISALLOW *"]), "expectedProducts": rules(&["CREATE app", "DISALLOW *"]),
                    "expectedPredicates": expects(PROVENANCE, "carol", builder)},
            ],
            "subjects": [{"name": "delivered", "subject": ["*"], "productsOf": ["build"], "expectedPredicates": []}],
            "inspections": [],
        });
        let delivery = Self { place: Place::new(), layout };
        delivery.place.key("owner");
        delivery.place.file("product/app", "app");
        delivery.put("test", "bob", &tested("PASSED", &["source"]));
        delivery.put("build", "carol", &built(BUILDER, &["source"], &["app"]));
        delivery
    }

    fn put(&self, step: &str, signer: &str, statement: &Value) {
        let name = format!("links/{step}.{}.json", &Key::of(signer).keyid()[..8]);
        self.place.file(&name, sign(statement, &[signer], Form::Dsse));
    }

    /// Verifies the layout as it is now, signed by the owner on the command line.
    fn verify(&self, more: &str) -> Ran {
        self.place.file("my.layout", format!("// For reviewers.\n{:#}", self.layout));
        if self.place.path("root.layout").exists() {
            std::fs::remove_file(self.place.path("root.layout")).unwrap();
        }
        self.place.ok(&format!("in-toto sign my.layout --key owner --out root.layout --at {AT}"));
        self.place
            .run(&format!("in-toto verify --layout root.layout --layout-key owner.pub --links links --products product --at {AT} {more}"))
    }

    #[track_caller]
    fn reasons(&self, code: i32) -> Vec<String> {
        let document = self.verify("--format json").is(code).json();
        let reasons = document["results"][0]["report"]["layouts"][0]["reasons"].as_array().unwrap().clone();
        reasons.iter().map(|reason| reason["code"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_layout_over_attestations_is_signed_and_verified_from_files() {
    let delivery = Delivery::new();
    let (bob, carol) = (Key::of("bob").own_id(), Key::of("carol").own_id());
    let ran = delivery.verify("").is(0);
    assert_eq!(ran.stdout, format!("step test {bob}\nstep build {carol}\nsubject delivered nobody\n"));
    let explained = delivery.verify("--explain").is(0);
    assert!(explained.stdout.contains(&format!("{PROVENANCE}: needs 1 of {carol}, has {carol}")), "{explained:#?}");
    let document = delivery.verify("--format json").is(0).json();
    let layout = &document["results"][0]["report"]["layouts"][0];
    assert_eq!(layout["steps"][1]["predicates"][0]["counted"], json!([carol]));
    assert_eq!(layout["subjects"][0]["name"], "delivered");
    let found = delivery.place.json(&format!("in-toto lint my.layout --at {AT}"), 0);
    let codes: Vec<&str> = found["results"][0]["findings"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["lint-one-key"; 2]);
}

#[test]
fn each_tampering_with_attestations_is_refused_and_named() {
    type Tamper = fn(&Delivery);
    let cases: [(&str, &str, Tamper); 6] = [
        ("a test that failed", "in-toto-predicate-threshold", |one| one.put("test", "bob", &tested("FAILED", &["source"]))),
        ("a test of something else", "in-toto-disallowed", |one| one.put("test", "bob", &tested("PASSED", &["other"]))),
        ("a builder who is not trusted", "in-toto-predicate-threshold", |one| {
            one.put("build", "carol", &built("https://builder.example/v2", &["source"], &["app"]));
        }),
        ("provenance by the key of another", "in-toto-predicate-threshold", |one| {
            let name = format!("links/build.{}.json", &Key::of("carol").keyid()[..8]);
            one.place.file(&name, sign(&built(BUILDER, &["source"], &["app"]), &["bob"], Form::Dsse));
        }),
        ("a build from what nobody tested", "in-toto-disallowed", |one| {
            one.put("build", "carol", &built(BUILDER, &["source", "x"], &["app"]))
        }),
        ("another product", "in-toto-subject-unproduced", |one| {
            one.place.file("product/app", "backdoor");
        }),
    ];
    for (what, reason, tamper) in cases {
        let delivery = Delivery::new();
        tamper(&delivery);
        let reasons = delivery.reasons(1);
        assert!(reasons.iter().all(|found| found == reason) && !reasons.is_empty(), "{what}: {reasons:?}");
    }
}

#[test]
fn what_nobody_signed_or_could_mean_is_no_layout_over_attestations() {
    let mut delivery = Delivery::new();
    delivery.verify("").is(0);
    let line = format!("in-toto verify --layout my.layout --layout-key owner.pub --links links --products product --at {AT}");
    delivery.place.file("my.layout", delivery.layout.to_string());
    delivery.place.run(&line).is(5);
    // Signed by another; and in the envelope in which nothing of the kind is signed.
    delivery.place.key("other");
    delivery.place.ok(&format!("in-toto sign my.layout --key other --out other.layout --at {AT}"));
    delivery.place.run(&line.replace("my.layout", "other.layout")).is(5).says("not signed by the key");
    delivery.place.run(&format!("in-toto sign my.layout --key owner --envelope legacy --out x --at {AT}")).is(2).says("DSSE");
    // A member that could be a demand, and a constraint in another language.
    delivery.layout["steps"][0]["expectedAttribute"] = json!([]);
    delivery.place.file("my.layout", delivery.layout.to_string());
    delivery.place.run(&format!("in-toto sign my.layout --key owner --out x --at {AT}")).is(6).says("expectedAttribute");
    let mut delivery = Delivery::new();
    delivery.layout["steps"][0]["expectedPredicates"][0]["expectedAttributes"] = json!(["predicate.result == 'PASSED'"]);
    delivery.place.file("my.layout", delivery.layout.to_string());
    delivery.place.run(&format!("in-toto lint my.layout --at {AT}")).is(6).says("CEL");
}
