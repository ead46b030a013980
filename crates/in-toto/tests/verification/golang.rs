//! Layouts and links by in-toto-golang, whose keys are RSA (feature `rsa`).

use std::path::Path;

use touchmark_envelope::key::PublicKey;
use touchmark_envelope::threshold::KeySet;
use touchmark_in_toto::{Answer, Artifacts, Inspected, Need, Rejected, Settings, SupplyChain, UnixTime, Verification};

use crate::chain::NOW;

fn read(name: &str) -> Option<Vec<u8>> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/in-toto/golang").join(name)).ok()
}

const FOO_PY: &str = "74dc3727c6e89308b39e4dfedf787e37841198b1fa165a27c013544a60502549";
const FOO_TAR_GZ: &str = "52947cb78b91ad01fe81cd6aef42d1f6817e92b9e6936c1e5aabb7c98514f355";

/// Verifies a layout with the links there; `change` may replace a file.
fn verify(layout: &str, unpacked: &str, change: impl Fn(&str, Vec<u8>) -> Vec<u8>) -> Result<SupplyChain, Rejected> {
    let owner = PublicKey::rsa_from_pem(&read("alice.pub").unwrap()).unwrap();
    let at = UnixTime::from_seconds(NOW).unwrap();
    let document = change(layout, read(layout).unwrap());
    let mut verification = Verification::new(document, &KeySet::new([owner]), Settings::default(), at);
    while let Some(need) = verification.need() {
        let answer = match need {
            Need::File { path, .. } => read(path).map_or(Answer::Absent, |bytes| Answer::Bytes(change(path, bytes))),
            // Its links name keys of the layout.
            Need::Names { .. } => Answer::Absent,
            // What `tar xfz foo.tar.gz` leaves there.
            Need::Inspection { inspection, .. } => {
                assert_eq!(inspection.run, ["tar", "xfz", "foo.tar.gz"]);
                let artifacts =
                    |all: &[(&str, &str)]| Artifacts::new(all.iter().map(|(name, digest)| (*name, [("sha256", *digest)]))).unwrap();
                let materials = artifacts(&[("foo.tar.gz", FOO_TAR_GZ)]);
                let products = artifacts(&[("foo.tar.gz", FOO_TAR_GZ), ("foo.py", unpacked)]);
                Answer::Inspected(Inspected { return_value: 0, materials, products })
            }
            other => panic!("{other:?}"),
        };
        verification.answer(answer);
    }
    verification.finish().map(|chain| chain.into_inner())
}

fn as_it_is(_: &str, bytes: Vec<u8>) -> Vec<u8> {
    bytes
}

#[test]
fn layouts_and_links_by_in_toto_golang_are_verified_in_every_envelope() {
    for (layout, steps) in [("demo.layout", 2), ("demo.dsse.layout", 2), ("dsse-only.root.layout", 3)] {
        let chain = verify(layout, FOO_PY, as_it_is).unwrap_or_else(|rejected| panic!("{layout}: {rejected}"));
        assert_eq!(chain.report.steps.len(), steps);
        assert!(chain.report.steps.iter().all(|step| step.counted.len() == 1));
    }
}

#[test]
fn tampered_ones_are_refused() {
    let zeros = "0".repeat(64);
    for layout in ["demo.layout", "demo.dsse.layout"] {
        let reasons = |rejected: Rejected| rejected.report.reasons.iter().map(|reason| reason.code()).collect::<Vec<_>>();
        assert_eq!(reasons(verify(layout, &zeros, as_it_is).unwrap_err()), ["in-toto-disallowed"]);
        let replaced = |name: &'static str, from: &'static str, to: &'static str| {
            move |file: &str, bytes: Vec<u8>| match file == name {
                true => String::from_utf8(bytes).unwrap().replacen(from, to, 1).into_bytes(),
                false => bytes,
            }
        };
        let link = replaced("write-code.b7d643de.link", "74dc3727", "74dc3728");
        assert!(reasons(verify(layout, FOO_PY, link).unwrap_err()).contains(&"in-toto-threshold"));
        let other_step =
            |file: &str, bytes: Vec<u8>| if file.starts_with("package") { read("write-code.b7d643de.link").unwrap() } else { bytes };
        assert!(reasons(verify(layout, FOO_PY, other_step).unwrap_err()).contains(&"in-toto-threshold"));
    }
    let legacy = |_: &str, bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replacen("2030-11-18", "2031-11-18", 1).into_bytes();
    assert_eq!(verify("demo.layout", FOO_PY, legacy).unwrap_err().report.reasons[0].code(), "in-toto-layout-signature");
}
