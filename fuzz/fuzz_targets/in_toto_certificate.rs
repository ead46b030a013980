//! Certificates of functionaries, of whatever bytes: a link that is signed by the key of its certificate counts only with the one that the
//! layout's authority made.
//!
//! The first byte of the input says where the rest is a certificate: beside the signature of the link, or as another authority of the layout.
#![no_main]

use std::sync::LazyLock;

use base64::Engine as _;
use libfuzzer_sys::fuzz_target;
use touchmark_envelope::canonical;
use touchmark_envelope::digest::hex;
use touchmark_envelope::key::KeyAlgorithm;
use touchmark_envelope::pem;
use touchmark_envelope::sign::{PrivateKey, Signer};
use touchmark_envelope::threshold::KeySet;
use touchmark_in_toto::{Answer, Names, Need, Settings, UnixTime, Verification};

const ROOT: &str = include_str!("../../testdata/in-toto/x509/p256-sha384.root.pem");
const HONEST: &str = include_str!("../../testdata/in-toto/x509/p256-sha384.pem");

static OWNER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[1; 32]).expect("a key"));
/// The one that the certificates of testdata/in-toto/x509 are for.
static FUNCTIONARY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[50; 32]).expect("a key"));

fn sign(payload: &str, key: &PrivateKey, certificate: &str) -> Vec<u8> {
    let signature = key.sign(&canonical::to_vec(payload.as_bytes(), payload.len()).expect("canonical")).expect("signed");
    format!(r#"{{"signed":{payload},"signatures":[{{"keyid":"","sig":"{}","cert":"{certificate}"}}]}}"#, hex(&signature)).into_bytes()
}

/// A certificate as a text in JSON.
fn text(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\\n{}\\n-----END CERTIFICATE-----\\n", base64::engine::general_purpose::STANDARD.encode(der))
}

fn is_verified(leaf: &str, other: &str) -> bool {
    let any = r#"{"common_name":"*","dns_names":["*"],"emails":["*"],"organizations":["*"],"roots":["r"],"uris":["*"]}"#;
    let layout = format!(
        r#"{{"_type":"layout","expires":"2030-01-01T00:00:00Z","keys":{{}},"inspect":[],
        "rootcas":{{"r":{{"keyval":{{"public":"{}"}}}}}},"intermediatecas":{{"i":{{"keyval":{{"public":"{other}"}}}}}},
        "steps":[{{"_type":"step","name":"build","threshold":1,"pubkeys":[],"cert_constraints":[{any}],"expected_materials":[],"expected_products":[]}}]}}"#,
        ROOT.replace('\n', "\\n")
    );
    let link = r#"{"_type":"link","name":"build","materials":{},"products":{}}"#;
    let keys = KeySet::new([OWNER.public_key().clone()]);
    let at = UnixTime::parse_signed("2027-06-01T00:00:00Z").expect("a time");
    let mut verification = Verification::new(sign(&layout, &OWNER, ""), &keys, Settings::default(), at);
    while let Some(need) = verification.need() {
        let answer = match need {
            Need::Names { .. } => Answer::Names(Names { names: vec!["build.00000000.link".into()], is_complete: true }),
            Need::File { .. } => Answer::Bytes(sign(link, &FUNCTIONARY, leaf)),
            _ => Answer::Absent,
        };
        verification.answer(answer);
    }
    verification.finish().is_ok()
}

fuzz_target!(|data: &[u8]| {
    let Some((place, der)) = data.split_first() else { return };
    let honest = HONEST.replace('\n', "\\n");
    if place % 2 == 0 {
        // Bytes may differ where nothing is signed: in the encoding of the signature.
        let made = pem::one("CERTIFICATE", HONEST.as_bytes()).expect("a certificate");
        let signed = made.get(4..).and_then(|rest| rest.get(..usize::from(u16::from_be_bytes([rest[2], rest[3]])) + 4)).expect("signed");
        let is_made = || der.windows(signed.len()).any(|window| window == signed);
        assert!(!is_verified(&text(der), "") || is_made());
    } else {
        // Whatever else is listed, the honest certificate counts.
        assert!(is_verified(&honest, &text(der)));
    }
});
