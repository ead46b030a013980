//! What `touchmark in-toto verify --write-summary` signs, and what it keeps silent about.

use base64::Engine as _;
use serde_json::{Value, json};

use crate::in_toto::{AT, Chain, Form, file, hex, inspection, sign};

/// A chain whose product is `app.tar`, in `out`, and a key for the summary.
fn chain() -> Chain {
    let mut chain = Chain::new(Form::Dsse);
    chain.inspect(inspection("product", "true", &["MATCH * WITH PRODUCTS FROM pack", "DISALLOW *"]));
    chain.place.file("out/app.tar", "app.tar");
    chain.place.key("verifier");
    chain
}

const VSA: &str = "--write-summary vsa --summary-key verifier --verifier-id https://example.com/verifier --resource-uri pkg:generic/app \
                   --policy-uri https://example.com/root.layout --summary-out summary.json";

fn statement(chain: &Chain) -> Value {
    let envelope: Value = serde_json::from_slice(&chain.place.read("summary.json")).unwrap();
    assert_eq!(envelope["signatures"].as_array().unwrap().len(), 1);
    serde_json::from_slice(&base64::engine::general_purpose::STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap()).unwrap()
}

fn sha256(bytes: &[u8]) -> Value {
    json!({"sha256": hex(&<sha2::Sha256 as sha2::Digest>::digest(bytes))})
}

#[test]
fn a_verification_that_passed_is_summed_up_with_what_it_went_by() {
    let chain = chain();
    let result = chain.result(0, &format!("--products out {VSA}"));
    assert_eq!(result["summary"], json!({"type": "https://slsa.dev/verification_summary/v1", "file": "summary.json"}));
    let statement = statement(&chain);
    assert_eq!(statement["subject"], json!([{"name": "app.tar", "digest": sha256(b"app.tar")}]));
    let predicate = &statement["predicate"];
    assert_eq!(predicate["verifier"]["id"], "https://example.com/verifier");
    assert_eq!(predicate["resourceUri"], "pkg:generic/app");
    assert_eq!(predicate["policy"], json!({"uri": "https://example.com/root.layout", "digest": sha256(&chain.place.read("root.layout"))}));
    assert_eq!((&predicate["verificationResult"], &predicate["timeVerified"]), (&json!("PASSED"), &json!(AT)));
    let inputs: Vec<Value> = [file("build", "bob"), file("pack", "carol")]
        .iter()
        .map(|name| json!({"name": name, "digest": sha256(&chain.place.read(&format!("links/{name}")))}))
        .collect();
    assert_eq!(predicate["inputAttestations"], json!(inputs));
}

#[test]
fn a_verification_that_failed_is_said_to_have_failed() {
    let chain = chain();
    chain.place.file("out/app.tar", "tampered");
    chain.result(1, &format!("--products out {VSA}"));
    let statement = statement(&chain);
    assert_eq!(statement["predicate"]["verificationResult"], "FAILED");
    assert_eq!(statement["predicate"]["verifiedLevels"], json!(["FAILED"]));
    assert_eq!(statement["subject"][0]["digest"], sha256(b"tampered"));
}

#[test]
fn what_could_not_be_found_out_and_a_layout_of_nobody_are_no_result() {
    let chain = chain();
    let none = |code, more: &str| {
        let result = chain.result(code, &format!("--products out {VSA} {more}"));
        assert!(result["summary"].is_null() && !chain.place.path("summary.json").exists(), "{result:#}");
    };
    none(4, "--max-work 1");
    none(5, "--layout-key bob.pub");
    none(5, "--at 2040-01-01T00:00:00Z");
    // A simple result has words for what was found alone.
    chain.place.file("out/app.tar", "tampered");
    let svr = VSA.replace("vsa", "svr");
    assert!(chain.result(1, &format!("--products out {svr}"))["summary"].is_null());
    assert!(!chain.place.path("summary.json").exists());
}

#[test]
fn a_simple_result_names_the_layout_and_the_property() {
    let chain = chain();
    let svr = "--write-summary svr --summary-key verifier --verifier-id https://example.com/verifier --summary-out summary.json";
    chain.verify(&format!("--products out {svr}")).is(0);
    let statement = statement(&chain);
    assert_eq!(statement["predicateType"], "https://in-toto.io/attestation/svr/v0.2");
    assert_eq!(statement["predicate"]["properties"], json!(["TOUCHMARK_IN_TOTO_VERIFIED"]));
    assert_eq!(statement["predicate"]["verifier"]["policies"], json!([{"digest": sha256(&chain.place.read("root.layout"))}]));
}

#[test]
fn a_summary_is_attached_to_the_artifact_and_verifies_there() {
    let mut chain = chain();
    let pin = chain.place.pack("oci:release:one", "x");
    let hex = crate::harness::digest(&pin).strip_prefix("sha256:").unwrap().to_owned();
    let mut made = crate::in_toto::link("pack", &["app"], &["app"]);
    made["products"][format!("blobs/sha256/{hex}")] = json!({"sha256": hex});
    chain.link("links", &made, "carol");
    chain.layout["steps"][1]["expected_products"] = json!([["ALLOW", "*"]]);
    chain.layout["inspect"] = json!([inspection("product", "true", &["MATCH blobs/* WITH PRODUCTS FROM pack"])]);
    chain.place.file("root.layout", sign(&chain.layout, &["owner"], chain.form));
    chain.place.ok("in-toto attach oci:release:one --links links --layout root.layout");
    let vsa = VSA.replace("--summary-out summary.json", "--attach-summary");
    chain.place.ok(&format!("in-toto verify --layout-key owner.pub --links oci:release:one --at {AT} {vsa}"));
    let printed =
        chain.place.ok("verify oci:release:one --key verifier.pub --type https://slsa.dev/verification_summary/v1 --print predicate");
    let predicate: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(predicate["verificationResult"], "PASSED");
    assert_eq!(predicate["inputAttestations"].as_array().unwrap().len(), 2);
}

#[test]
fn what_a_summary_needs_is_asked_for_before_anything_is_verified() {
    let chain = chain();
    for (without, says) in [
        ("--summary-key verifier", "summary-key"),
        ("--verifier-id https://example.com/verifier", "verifier-id"),
        ("--resource-uri pkg:generic/app", "--resource-uri"),
        ("--policy-uri https://example.com/root.layout", "--policy-uri"),
        ("--summary-out summary.json", "--summary-out"),
    ] {
        let ran = chain.verify(&format!("--products out {}", VSA.replace(without, ""))).is(2).says(says);
        assert_eq!(ran.stdout, "");
    }
    chain.verify(VSA).is(2).says("final product");
    chain.verify(&format!("--products out {}", VSA.replace("https://example.com/verifier", "nobody"))).is(2);
    chain.verify(&format!("--products out {}", VSA.replace("--summary-out summary.json", "--attach-summary"))).is(2);
    chain.verify(&format!("--products out {}", VSA.replace("verifier ", "owner.pub "))).is(2);
    chain.place.file("summary.json", "mine");
    chain.verify(&format!("--products out {VSA}")).is(2).says("is there already");
    assert_eq!(chain.place.read("summary.json"), b"mine");
}
