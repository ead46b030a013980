//! Layouts and links by in-toto-rs, and by an older python in-toto, whose keys are RSA (feature `rsa`).

use std::path::Path;

use touchmark_envelope::key::{KeyAlgorithm, PublicKey};
use touchmark_envelope::threshold::KeySet;
use touchmark_in_toto::{Answer, Need, Rejected, Settings, SupplyChain, UnixTime, Verification};
#[cfg(feature = "rsa")]
use touchmark_in_toto::{Artifacts, Inspected};

fn read(name: &str) -> Option<Vec<u8>> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/in-toto/rust").join(name)).ok()
}

/// The digest of what is packaged.
#[cfg(feature = "rsa")]
const PACKAGE: &str = "2989659e6836c941e9015bf38af3cb045365520dbf80460d8a44b2c5b6677fd9";

#[cfg(feature = "rsa")]
fn verify(layout: &str, key: PublicKey, at: &str, unpacked: Option<&str>) -> Result<SupplyChain, Rejected> {
    let at = UnixTime::parse_signed(at).unwrap();
    let mut verification = Verification::new(read(layout).unwrap(), &KeySet::new([key]), Settings::default(), at);
    while let Some(need) = verification.need() {
        let answer = match (need, unpacked) {
            (Need::File { path, .. }, _) => read(path).map_or(Answer::Absent, Answer::Bytes),
            (_, None) => Answer::Absent,
            (_, Some(unpacked)) => {
                let artifacts =
                    |all: &[(&str, &str)]| Artifacts::new(all.iter().map(|(name, digest)| (*name, [("sha256", *digest)]))).unwrap();
                let there = [("demo-project.tar.gz", PACKAGE), ("alice.pub", "00"), ("root.layout", "00")];
                let after = [there[0], there[1], there[2], ("demo-project/.git/HEAD", "00"), ("demo-project/foo.py", unpacked)];
                Answer::Inspected(Inspected { return_value: 0, materials: artifacts(&there), products: artifacts(&after) })
            }
        };
        verification.answer(answer);
    }
    verification.finish().map(|chain| chain.into_inner())
}

#[cfg(feature = "rsa")]
fn codes(outcome: Result<SupplyChain, Rejected>) -> Vec<&'static str> {
    outcome.map_or_else(|rejected| rejected.report.reasons.iter().map(|reason| reason.code()).collect(), |_| vec![])
}

#[cfg(feature = "rsa")]
#[test]
fn the_demo_by_an_older_python_is_verified() {
    let owner = || PublicKey::rsa_from_pem(&read("alice.pub").unwrap()).unwrap();
    let link = String::from_utf8(read("update-version.776a00e2.link").unwrap()).unwrap();
    let products = link.split_once("\"products\"").unwrap().1;
    let foo_py = products.split_once("\"sha256\": \"").unwrap().1.get(..64).unwrap();
    let then = "2022-11-15T00:00:00Z";
    assert_eq!(codes(verify("root.layout", owner(), then, Some(foo_py))), [""; 0]);
    assert_eq!(codes(verify("root.layout", owner(), then, Some(&"0".repeat(64)))), ["in-toto-disallowed"]);
    assert_eq!(codes(verify("root.layout", owner(), then, None)), ["in-toto-inspection-unanswered"]);
    // in-toto-rs takes the refusal of this very layout for the test's success.
    assert_eq!(
        codes(verify("root.layout", owner(), "2022-12-02T18:41:07Z", Some(foo_py))),
        ["in-toto-expired", "in-toto-inspection-not-reached"]
    );
}

#[test]
fn layouts_and_links_by_in_toto_rs_are_verified() {
    let raw = "3ac4144268e255bccc6d07ccb2bd364485f8c8a9a151b968b87ab99a889cd503";
    let raw: Vec<u8> = (0..32).map(|place| u8::from_str_radix(&raw[2 * place..2 * place + 2], 16).unwrap()).collect();
    let owner = || PublicKey::from_raw(KeyAlgorithm::Ed25519, &raw).unwrap();
    let (then, made) = ("2026-11-28T00:00:00Z", |_: &str, bytes| bytes);
    let report = verify_in("made", "root.layout", owner(), then, made).unwrap().report;
    assert_eq!(
        report.steps.iter().map(|step| step.counted[0].algorithm()).collect::<Vec<_>>(),
        [KeyAlgorithm::Ed25519, KeyAlgorithm::EcdsaP256]
    );
    for (file, from, to) in
        [("root.layout", "2030", "2031"), ("write.e0294a3f.link", "6161", "6162"), ("package.562b12b3.link", "foo.tar", "bar.tar")]
    {
        let change = |name: &str, bytes: Vec<u8>| match name == file {
            true => String::from_utf8(bytes).unwrap().replacen(from, to, 1).into_bytes(),
            false => bytes,
        };
        assert!(verify_in("made", "root.layout", owner(), then, change).is_err(), "{file}");
    }
}

/// Verifies a layout without inspections with the links beside it.
fn verify_in(
    folder: &str,
    layout: &str,
    key: PublicKey,
    at: &str,
    change: impl Fn(&str, Vec<u8>) -> Vec<u8>,
) -> Result<SupplyChain, Rejected> {
    let read = |name: &str| read(&format!("{folder}/{name}")).map(|bytes| change(name, bytes));
    let at = UnixTime::parse_signed(at).unwrap();
    let mut verification = Verification::new(read(layout).unwrap(), &KeySet::new([key]), Settings::default(), at);
    while let Some(need) = verification.need() {
        let Need::File { path, .. } = need else { panic!("{need:?}") };
        let answer = read(path).map_or(Answer::Absent, Answer::Bytes);
        verification.answer(answer);
    }
    verification.finish().map(|chain| chain.into_inner())
}
