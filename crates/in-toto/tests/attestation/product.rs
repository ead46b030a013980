//! The final product: inspections, subjects, and what ties it to what the steps made.

use touchmark_envelope::digest::{Algorithm, hex};
use touchmark_in_toto::predicate::{provenance, svr, test_result};
use touchmark_in_toto::{Answered, Artifacts, Class, Product};

use crate::world::{World, built, digest, expects, file, inspection, sign, statement, step, subject, tested};

const CONFIG: &str = r#"{"mediaType":"application/vnd.oci.empty.v1+json","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}"#;

fn manifest(label: &str) -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"x/{label}","config":{CONFIG},"layers":[{CONFIG}]}}"#
    )
}

fn name(manifest: &str) -> String {
    format!("blobs/sha256/{}", Algorithm::Sha256.digest(manifest.as_bytes()).hex())
}

/// A layout of one build, and an inspection of the final product.
fn oci(rules: &[&str]) -> World {
    let mut world = World::new(&[step("build", &[], &["ALLOW *"], &[expects(provenance::TYPE, &[3], 1, "")])]);
    let manifest = manifest("a");
    world.put("build", 3, &built(&[], &[(&name(&manifest), &manifest)]));
    world.inspections.push(inspection("look", "true", rules));
    world.for_oci(&manifest);
    world
}

#[test]
fn an_oci_artifact_is_verified_only_if_a_match_with_what_a_step_made_consumes_its_manifest() {
    let world = oci(&["MATCH * WITH PRODUCTS FROM build"]);
    let chain = world.verify().unwrap();
    assert_eq!(chain.report.inspections[0].answer, Answered::Product);
    // Another release's artifact, with this one's statements.
    let mut other = oci(&["MATCH * WITH PRODUCTS FROM build"]);
    other.for_oci(&manifest("b"));
    assert_eq!(other.refused(), ["in-toto-product-unmatched"]);
    for rules in [&["ALLOW *"][..], &[], &["ALLOW *", "MATCH * WITH PRODUCTS FROM build"], &["MATCH * WITH MATERIALS FROM build"]] {
        assert_eq!(oci(rules).refused(), ["in-toto-product-unmatched"], "{rules:?}");
    }
    // Nobody looks at it.
    let mut world = oci(&["MATCH * WITH PRODUCTS FROM build"]);
    world.inspections.clear();
    assert_eq!(world.refused(), ["in-toto-product-unmatched"]);
}

#[test]
fn an_inspection_is_answered_or_the_layout_is_not_verified() {
    let mut world = World::demo();
    world.inspections.push(inspection("audit", "rm", &["ALLOW *"]));
    assert_eq!(world.refused(), ["in-toto-inspection-unanswered"]);
    world.inspections[0] = inspection("audit", "true", &["ALLOW *"]);
    assert_eq!(world.refused(), ["in-toto-inspection-unanswered"]);
    let hash = Algorithm::Sha256.digest(b"binary").hex();
    world.settings.product = Some(Product::files(Artifacts::new([("bin/foo", [("sha256", hash.as_str())])]).unwrap()));
    assert_eq!(world.refused(), ["in-toto-product-unmatched"]);
    world.inspections[0] = inspection("audit", "true", &["MATCH * WITH PRODUCTS FROM build", "DISALLOW *"]);
    assert!(world.verify().is_ok());
    world.inspections.clear();
    assert_eq!(world.refused(), ["in-toto-product-ignored"]);
}

const PASSED: &str = r#"{"at":"/result","equals":"PASSED"}"#;

/// Nothing but what is said of the artifact itself.
fn about() -> World {
    let mut world = World::new(&[]);
    world.subjects.push(subject("image", "", &[expects(provenance::TYPE, &[3], 1, ""), expects(test_result::TYPE, &[1, 2], 2, PASSED)]));
    let manifest = manifest("a");
    // Builders call an image what they like: what counts is its digest.
    world.offer("provenance", &built(&[], &[("registry.example/acme/x", &manifest)]), &[3]);
    world.offer("test 1", &tested("PASSED", &[("_", &manifest)]), &[1]);
    world.files.insert(file("image", 2, "json"), sign(&tested("PASSED", &[("x", "x"), ("image", &manifest)]), &[2]));
    world.for_oci(&manifest);
    world
}

#[test]
fn what_must_be_said_of_the_final_product_is_said_of_its_digest() {
    let chain = about().verify().unwrap();
    assert_eq!((chain.report.subjects.len(), chain.report.subjects[0].counted.len()), (1, 3));
    // Said of another artifact of the same name.
    let mut world = about();
    world.for_oci(&manifest("b"));
    let rejected = world.rejected();
    assert_eq!((world.refused(), rejected.class()), (vec!["in-toto-predicate-threshold"; 2], Class::NotVerified));
    assert_eq!(crate::world::verdicts(&rejected.report.subjects[0].files), ["in-toto-other-subject"; 3]);
    // Of one of two only.
    let mut world = about();
    world.offered.remove(1);
    assert_eq!(world.refused(), ["in-toto-predicate-threshold"]);
    // Said of no artifact that is there, and with nothing to hold it against.
    let mut world = about();
    world.subjects[0] = world.subjects[0].replace(r#""subject":["*"]"#, r#""subject":["*.tgz"]"#);
    assert_eq!(world.refused(), ["in-toto-subject-empty"]);
    world.settings.product = None;
    assert_eq!(world.refused(), ["in-toto-no-product"]);
}

#[test]
fn of_the_final_product_what_is_good_is_not_hidden_by_what_is_not() {
    let mut world = about();
    let manifest = manifest("a");
    // By the same key, later or earlier: a failed run, one of another artifact, and what is malformed.
    world.offer("failed", &tested("FAILED", &[("x", &manifest)]), &[1]);
    world.offer("other", &tested("PASSED", &[("x", "other")]), &[1]);
    world.offer("malformed", &tested("OTHER", &[("x", &manifest)]), &[1]);
    world.offer("stranger", &tested("FAILED", &[("x", &manifest)]), &[7]);
    let chain = world.verify().unwrap();
    let verdicts = crate::world::verdicts(&chain.report.subjects[0].files);
    assert_eq!(
        verdicts,
        ["counts", "counts", "counts", "in-toto-unmet", "in-toto-other-subject", "in-toto-predicate-malformed", "in-toto-link-signature"]
    );
    // They add up to nothing: one key is one key.
    world.offered.remove(1);
    assert_eq!(world.refused(), ["in-toto-predicate-threshold"]);
}

#[test]
fn no_two_statements_are_put_together() {
    // One names the digest and fails, another passes and names another digest.
    let mut world = about();
    let manifest = manifest("a");
    world.offered.remove(1);
    world.offer("failed", &tested("FAILED", &[("x", &manifest)]), &[1]);
    world.offer("other", &tested("PASSED", &[("x", "other")]), &[1]);
    assert_eq!(world.refused(), ["in-toto-predicate-threshold"]);
    // One digest of two is another's: it is about neither.
    let both = format!(r#"{{"sha256":"{}","sha512":"{}"}}"#, Algorithm::Sha256.digest(manifest.as_bytes()).hex(), hex(&[0; 64]));
    world.offer("both", &tested("PASSED", &[("x", "x")]).replace(&digest("x"), &both), &[1]);
    assert!(world.verify().is_ok(), "the artifact has one digest only, which it names");
}

#[test]
fn every_file_of_the_final_product_must_be_vouched_for() {
    let mut world = World::new(&[]);
    world.subjects.push(subject("files", "", &[expects(svr::TYPE, &[1], 1, r#"{"at":"/properties","some":{"at":"","equals":"OK"}}"#)]));
    let vouched = |subjects: &[(&str, &str)]| {
        let predicate =
            r#"{"verifier":{"id":"https://verifier.example","policies":[]},"timeCreated":"2028-01-01T00:00:00Z","properties":["OK"]}"#;
        statement(svr::TYPE, subjects, predicate)
    };
    let hash = |content: &str| Algorithm::Sha256.digest(content.as_bytes()).hex();
    let (a, b) = (hash("a"), hash("b"));
    world.settings.product =
        Some(Product::files(Artifacts::new([("a", [("sha256", a.as_str())]), ("b", [("sha256", b.as_str())])]).unwrap()));
    world.offer("a", &vouched(&[("a", "a")]), &[1]);
    let rejected = world.rejected();
    assert!(rejected.to_string().contains("`files`, `b`: 0 of 1 required keys"), "{rejected}");
    world.offer("b", &vouched(&[("whatever", "b")]), &[1]);
    assert!(world.verify().is_ok());
    // A file that no subject is about is told.
    world.subjects[0] = world.subjects[0].replace(r#"["*"]"#, r#"["a","c"]"#);
    world.offered.truncate(1);
    let warnings = world.verify().unwrap().report.warnings;
    assert_eq!((warnings.len(), warnings[0].code()), (1, "in-toto-product-unmatched"));
}

/// A product may have as many empty files as a statement has subjects that are one: each pair of them must be nobody's work, or memory.
#[test]
fn files_with_one_digest_are_looked_for_once() {
    let mut world = World::new(&[]);
    world.subjects.push(subject("files", "", &[expects(test_result::TYPE, &[1], 1, "")]));
    let hash = |content: &str| Algorithm::Sha256.digest(content.as_bytes()).hex();
    let (empty, other) = (hash(""), hash("other"));
    let names: Vec<String> = (0..1000).map(|number| format!("empty-{number:03}")).collect();
    let files = names.iter().map(|name| (name.as_str(), [("sha256", empty.as_str())]));
    world.settings.product = Some(Product::files(Artifacts::new(files.chain([("other", [("sha256", other.as_str())])])).unwrap()));
    let subjects: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    world.settings.limits.work = 1_000_000;
    world.offer("other", &tested("PASSED", &[("x", "other")]), &[1]);
    let rejected = world.rejected();
    assert!(rejected.to_string().contains("`files`, `empty-000` and 999 more: 0 of 1 required keys"), "{rejected}");
    world.offer("empty", &tested("PASSED", &subjects), &[1]);
    assert!(world.verify().is_ok());
}

#[test]
fn steps_of_another_release_do_not_vouch_for_an_artifact_that_its_subject_alone_is_about() {
    let manifest = manifest("a");
    let mut world = World::demo();
    world.subjects.push(subject("image", "", &[expects(test_result::TYPE, &[2], 1, PASSED)]));
    world.offer("test", &tested("PASSED", &[("x", &manifest)]), &[2]);
    world.for_oci(&manifest);
    // What is said of it is there, and the steps hold: but they are of something else. (The test is of no step's artifact either.)
    world.steps.remove(1);
    world.steps[1] = world.steps[1].replace("FROM\",\"test", "FROM\",\"clone");
    assert_eq!(world.refused(), ["in-toto-product-unmatched"]);
    world.subjects[0] = subject("image", r#","productsOf":["build"]"#, &[expects(test_result::TYPE, &[2], 1, PASSED)]);
    assert_eq!(world.refused(), ["in-toto-subject-unproduced"]);
    world.put("build", 3, &built(&[("foo", "source")], &[("bin/foo", &manifest)]));
    assert!(world.verify().is_ok());
    // A step that does not hold made nothing.
    world.files.remove(&file("build", 3, "json"));
    assert_eq!(world.refused(), ["in-toto-predicate-threshold"]);
}
