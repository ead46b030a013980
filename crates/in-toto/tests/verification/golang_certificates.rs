//! Certificates by in-toto-golang, as a library (testdata/in-toto/golang-x509).

use std::path::Path;

use touchmark_envelope::key::{KeyAlgorithm, PublicKey};
use touchmark_envelope::threshold::KeySet;
use touchmark_in_toto::{Answer, Names, Need, Rejected, Settings, SupplyChain, UnixTime, Verification};

use crate::chain::verdicts;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/in-toto/golang-x509")
}

fn read(name: &str) -> Option<Vec<u8>> {
    std::fs::read(folder().join(name)).ok()
}

/// The names of the files there, which those of the links are among.
fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn verify(at: &str, change: impl Fn(&str, String) -> String) -> Result<SupplyChain, Rejected> {
    let owner = PublicKey::from_pem(&read("owner.pub").unwrap()).unwrap();
    let at = UnixTime::parse_signed(at).unwrap();
    let mut verification = Verification::new(read("root.layout").unwrap(), &KeySet::new([owner]), Settings::default(), at);
    while let Some(need) = verification.need() {
        let answer = match need {
            Need::File { path, .. } => {
                read(path).map_or(Answer::Absent, |bytes| Answer::Bytes(change(path, String::from_utf8(bytes).unwrap()).into_bytes()))
            }
            Need::Names { .. } => Answer::Names(Names { names: names(), is_complete: true }),
            other => panic!("{other:?}"),
        };
        verification.answer(answer);
    }
    verification.finish().map(|chain| chain.into_inner())
}

const NOW: &str = "2026-11-28T00:00:00Z";

#[test]
fn certificates_by_in_toto_golang_are_taken() {
    let report = verify(NOW, |_, text| text).unwrap_or_else(|rejected| panic!("{rejected}")).report;
    let algorithms: Vec<KeyAlgorithm> = report.steps.iter().map(|step| step.counted[0].algorithm()).collect();
    assert_eq!(algorithms, [KeyAlgorithm::EcdsaP256, KeyAlgorithm::RsaPssSha256]);
    let subjects: Vec<&str> = report.steps.iter().map(|step| step.files[0].certified[0].subject.as_str()).collect();
    assert_eq!(subjects[0], "CN=builder");
    assert!(subjects[1].contains("CN=packager") && subjects[1].contains("O=Example Packages"));
}

#[test]
fn certificates_by_in_toto_golang_are_refused_before_their_time() {
    let report = verify("2025-12-31T23:59:59Z", |_, text| text).unwrap_err().report;
    for step in &report.steps {
        assert_eq!(verdicts(&step.files), ["in-toto-certificate-time"]);
    }
}

#[test]
fn certificates_by_in_toto_golang_count_for_nothing_that_they_did_not_sign() {
    let certificate = |text: &str| {
        let (_, after) = text.split_once("\"cert\": \"").unwrap();
        after.split_once('"').unwrap().0.to_owned()
    };
    let of = |step: &str| {
        let name = names().into_iter().find(|name| name.starts_with(step)).unwrap();
        certificate(&String::from_utf8(read(&name).unwrap()).unwrap())
    };
    let (build, package) = (of("build."), of("package."));
    let swapped = verify(NOW, |path, text| match path.starts_with("build.") {
        true => text.replace(&build, &package),
        false => text.replace(&package, &build),
    });
    for step in &swapped.unwrap_err().report.steps {
        assert_eq!(verdicts(&step.files), ["in-toto-certificate-signature"]);
    }
    let tampered = verify(NOW, |_, text| text.replacen("6161", "6162", 1)).unwrap_err().report;
    for step in &tampered.steps {
        assert_eq!(verdicts(&step.files), ["in-toto-certificate-signature"]);
    }
}
