//! in-toto layouts.

use touchmark_test_tuf_repository::NOW;

use super::{Case, Files, Vectors, list, ok, refused, testdata};

pub(super) fn add(vectors: &mut Vectors) {
    golang(vectors);
}

/// Those of in-toto-golang.
fn golang(vectors: &mut Vectors) {
    let files: Files = testdata("in-toto/golang");
    let file = |name: &str| files.get(name).unwrap_or_else(|| panic!("no {name}")).clone();
    let key = vectors.file("in-toto/golang.alice.pub", file("alice.pub"));
    let links: Files = files.iter().filter(|(name, _)| name.ends_with(".link")).map(|(name, link)| (name.clone(), link.clone())).collect();
    let links = vectors.folder("in-toto/golang", links);
    for (id, layout, expect, why) in [
        ("golang-dsse", "dsse-only.root.layout", ok(), "made by in-toto-golang 0.11.0, in DSSE, with RSA keys"),
        ("golang-inspection", "demo.layout", refused("SUPPLY_CHAIN_NOT_VERIFIED"), "an inspection is not run, and nobody answers it"),
        ("golang-inspection-dsse", "demo.dsse.layout", refused("SUPPLY_CHAIN_NOT_VERIFIED"), "the same, in DSSE"),
    ] {
        let layout = vectors.file(&format!("in-toto/{id}.layout"), file(layout));
        let case = Case::new("supply-chain", &format!("supply-chain-{id}"), why, "22.3").with("layout", layout);
        vectors.add(case.with("keys", list([key.clone()])).with("links", links.clone()).with("at", NOW).expect(expect));
    }
}
