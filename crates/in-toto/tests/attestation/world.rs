//! A supply chain with statements: a layout, who signs it, and the files and offers that it is verified with.

use std::collections::BTreeMap;

use touchmark_envelope::Verified;
use touchmark_envelope::digest::{Algorithm, hex};
use touchmark_envelope::dsse::{Envelope, IN_TOTO};
use touchmark_envelope::key::KeyAlgorithm;
use touchmark_envelope::sign::{PrivateKey, Signer};
use touchmark_envelope::threshold::KeySet;
use touchmark_in_toto::attestation::{LAYOUT_TYPE, Offered};
use touchmark_in_toto::predicate::{link, provenance, test_result};
use touchmark_in_toto::{Answer, FileReport, Need, Product, Rejected, Settings, SupplyChain, UnixTime, Verification};

/// The key of whoever signs the layout.
pub(crate) const OWNER: u8 = 9;

pub(crate) fn key(number: u8) -> PrivateKey {
    PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[number; 32]).unwrap()
}

pub(crate) fn keyid(number: u8) -> String {
    key(number).public_key().key_ids()[2].as_str().to_owned()
}

/// The file of a step that a key's statement is in.
pub(crate) fn file(step: &str, number: u8, end: &str) -> String {
    format!("{step}.{}.{end}", &keyid(number)[..8])
}

pub(crate) fn sign(payload: &str, keys: &[u8]) -> Vec<u8> {
    let keys: Vec<PrivateKey> = keys.iter().map(|number| key(*number)).collect();
    let signers: Vec<&dyn Signer> = keys.iter().map(|key| -> &dyn Signer { key }).collect();
    Envelope::sign(IN_TOTO, payload.into(), &signers).unwrap().to_json()
}

/// The digest of what has this content.
pub(crate) fn digest(content: &str) -> String {
    format!(r#"{{"sha256":"{}"}}"#, Algorithm::Sha256.digest(content.as_bytes()).hex())
}

/// Descriptors of names, each with its content.
pub(crate) fn descriptors(all: &[(&str, &str)]) -> String {
    all.iter().map(|(name, content)| format!(r#"{{"name":"{name}","digest":{}}}"#, digest(content))).collect::<Vec<_>>().join(",")
}

pub(crate) fn statement(predicate_type: &str, subjects: &[(&str, &str)], predicate: &str) -> String {
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{}],"predicateType":"{predicate_type}","predicate":{predicate}}}"#,
        descriptors(subjects)
    )
}

pub(crate) fn linked(name: &str, materials: &[(&str, &str)], products: &[(&str, &str)]) -> String {
    let predicate =
        format!(r#"{{"name":"{name}","command":["make"],"materials":[{}],"byproducts":{{"return-value":0}}}}"#, descriptors(materials));
    statement(link::TYPE, products, &predicate)
}

pub(crate) const BUILDER: &str = "https://builder.example/v1";

pub(crate) fn built(materials: &[(&str, &str)], products: &[(&str, &str)]) -> String {
    let predicate = format!(
        r#"{{"buildDefinition":{{"buildType":"https://builder.example/make","externalParameters":{{"ref":"v1"}},"resolvedDependencies":[{}]}},"runDetails":{{"builder":{{"id":"{BUILDER}"}}}}}}"#,
        descriptors(materials)
    );
    statement(provenance::TYPE, products, &predicate)
}

pub(crate) fn tested(result: &str, subjects: &[(&str, &str)]) -> String {
    statement(test_result::TYPE, subjects, &format!(r#"{{"result":"{result}","configuration":[],"failedTests":[]}}"#))
}

/// A predicate that a step or a subject expects.
pub(crate) fn expects(predicate_type: &str, by: &[u8], threshold: u64, constraints: &str) -> String {
    let by: Vec<String> = by.iter().map(|number| format!("\"key-{number}\"")).collect();
    format!(
        r#"{{"predicateType":"{predicate_type}","functionaries":[{}],"threshold":{threshold},"expectedAttributes":[{constraints}]}}"#,
        by.join(",")
    )
}

fn rules(rules: &[&str]) -> String {
    let words = |rule: &&str| format!("[{}]", rule.split(' ').map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(","));
    rules.iter().map(words).collect::<Vec<_>>().join(",")
}

pub(crate) fn step(name: &str, materials: &[&str], products: &[&str], predicates: &[String]) -> String {
    format!(
        r#"{{"name":"{name}","expectedMaterials":[{}],"expectedProducts":[{}],"expectedPredicates":[{}]}}"#,
        rules(materials),
        rules(products),
        predicates.join(",")
    )
}

pub(crate) fn inspection(name: &str, command: &str, materials: &[&str]) -> String {
    format!(r#"{{"name":"{name}","command":["{command}"],"expectedMaterials":[{}],"expectedProducts":[]}}"#, rules(materials))
}

pub(crate) fn subject(name: &str, more: &str, predicates: &[String]) -> String {
    format!(r#"{{"name":"{name}","subject":["*"]{more},"expectedPredicates":[{}]}}"#, predicates.join(","))
}

/// A layout, and what it is verified with.
pub(crate) struct World {
    pub(crate) functionaries: Vec<(String, u8)>,
    pub(crate) steps: Vec<String>,
    pub(crate) subjects: Vec<String>,
    pub(crate) inspections: Vec<String>,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) offered: Vec<Offered>,
    pub(crate) settings: Settings,
}

impl World {
    pub(crate) fn new(steps: &[String]) -> Self {
        Self {
            functionaries: (1..=4).map(|number| (format!("key-{number}"), number)).collect(),
            steps: steps.to_vec(),
            subjects: Vec::new(),
            inspections: Vec::new(),
            files: BTreeMap::new(),
            offered: Vec::new(),
            settings: Settings::default(),
        }
    }

    /// Sources are cloned by one, tested by a second, and built from by a third.
    pub(crate) fn demo() -> Self {
        let passed = r#"{"at":"/result","equals":"PASSED"},{"at":"/failedTests","equals":[]}"#;
        let builder = format!(r#"{{"at":"/runDetails/builder/id","equals":"{BUILDER}"}}"#);
        let mut world = Self::new(&[
            step("clone", &["DISALLOW *"], &["CREATE foo", "DISALLOW *"], &[expects(link::TYPE, &[1], 1, "")]),
            step(
                "test",
                &["MATCH foo WITH PRODUCTS FROM clone", "DISALLOW *"],
                &["ALLOW foo", "DISALLOW *"],
                &[expects(test_result::TYPE, &[2], 1, passed)],
            ),
            step(
                "build",
                &["MATCH foo WITH PRODUCTS FROM test", "DISALLOW *"],
                &["CREATE bin/foo", "DISALLOW *"],
                &[expects(provenance::TYPE, &[3], 1, &builder)],
            ),
        ]);
        world.put("clone", 1, &linked("clone", &[], &[("foo", "source")]));
        world.put("test", 2, &tested("PASSED", &[("foo", "source")]));
        world.put("build", 3, &built(&[("foo", "source")], &[("bin/foo", "binary")]));
        world
    }

    pub(crate) fn put(&mut self, step: &str, number: u8, payload: &str) {
        self.files.insert(file(step, number, "json"), sign(payload, &[number]));
    }

    pub(crate) fn offer(&mut self, name: &str, payload: &str, keys: &[u8]) {
        self.offered.push(Offered { name: name.into(), bytes: sign(payload, keys) });
    }

    pub(crate) fn for_oci(&mut self, manifest: &str) {
        self.settings.product = Some(Product::oci(manifest.as_bytes()).unwrap());
    }

    pub(crate) fn to_json(&self) -> String {
        let keys: Vec<String> = self
            .functionaries
            .iter()
            .map(|(name, number)| {
                let public = hex(key(*number).public_key().as_raw());
                format!(r#""{name}":{{"keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{public}"}}}}"#)
            })
            .collect();
        format!(
            r#"{{"_type":"{LAYOUT_TYPE}","expires":"2030-01-01T00:00:00Z","functionaries":{{{}}},"steps":[{}],"subjects":[{}],"inspections":[{}]}}"#,
            keys.join(","),
            self.steps.join(","),
            self.subjects.join(","),
            self.inspections.join(",")
        )
    }

    pub(crate) fn verify(&self) -> Result<SupplyChain, Rejected> {
        self.verify_document(sign(&self.to_json(), &[OWNER]))
    }

    pub(crate) fn verify_document(&self, document: Vec<u8>) -> Result<SupplyChain, Rejected> {
        let mut settings = self.settings.clone();
        settings.attestations.clone_from(&self.offered);
        let at = UnixTime::parse_signed("2029-01-01T00:00:00Z").unwrap();
        let keys = KeySet::new([key(OWNER).public_key().clone()]);
        let mut verification = Verification::new(document, &keys, settings, at);
        while let Some(need) = verification.need() {
            let answer = match need {
                Need::File { path, .. } => self.files.get(path).map_or(Answer::Absent, |bytes| Answer::Bytes(bytes.clone())),
                _ => Answer::Absent,
            };
            verification.answer(answer);
        }
        verification.finish().map(Verified::into_inner)
    }

    pub(crate) fn rejected(&self) -> Rejected {
        self.verify().map(|_| ()).unwrap_err()
    }

    /// The codes of all reasons.
    pub(crate) fn refused(&self) -> Vec<&'static str> {
        self.rejected().report.reasons.iter().map(|reason| reason.code()).collect()
    }

    /// What became of the files of the step of this number.
    pub(crate) fn verdicts(&self, step: usize) -> Vec<&'static str> {
        let report = match self.verify() {
            Ok(chain) => chain.report,
            Err(rejected) => rejected.report,
        };
        verdicts(&report.steps[step].files)
    }
}

pub(crate) fn verdicts(files: &[FileReport]) -> Vec<&'static str> {
    files.iter().map(|file| file.refusal.as_ref().map_or("counts", |refusal| refusal.code())).collect()
}
