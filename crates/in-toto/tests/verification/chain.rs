//! A supply chain in memory, that is honest or anything else: a layout, links and sublayouts, and a driver of a verification.

use std::collections::BTreeMap;

use touchmark_envelope::canonical;
use touchmark_envelope::digest::hex;
use touchmark_envelope::dsse::{Envelope, IN_TOTO};
use touchmark_envelope::json::{Value, parse};
use touchmark_envelope::key::{KeyAlgorithm, PublicKey};
use touchmark_envelope::sign::{PrivateKey, Signer as _};
use touchmark_envelope::threshold::{KeySet, Signature};
use touchmark_in_toto::{
    Answer, Class, Failure, FileReport, Found, Inspected, Names, Need, Reason, Rejected, Settings, SupplyChain, UnixTime, Verification,
};

/// The time of the verifications: 2026-11-28T00:00:00Z.
pub(crate) const NOW: i64 = 1_795_824_000;
/// The key of the layout's owner.
pub(crate) const OWNER: u8 = 100;
/// No verification of these tests takes more; one that does does not end.
const MAX_NEEDS: usize = 200_000;

/// The envelopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Dsse,
    Legacy,
}

pub(crate) const FORMS: [Form; 2] = [Form::Dsse, Form::Legacy];

/// An Ed25519 key, one for each number.
pub(crate) fn key(number: u8) -> PrivateKey {
    PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[number; 32]).unwrap()
}

pub(crate) fn public(number: u8) -> PublicKey {
    key(number).public_key().clone()
}

/// The keyid that the reference implementation computes of a key.
pub(crate) fn keyid(number: u8) -> String {
    public(number).key_ids()[2].as_str().to_owned()
}

/// The keyid that in-toto-golang and in-toto-rs compute.
pub(crate) fn other_keyid(number: u8) -> String {
    public(number).key_ids()[3].as_str().to_owned()
}

/// The file of a link by this key.
pub(crate) fn file(step: &str, number: u8) -> String {
    format!("{step}.{}.link", &keyid(number)[..8])
}

/// The KEY object of a key.
pub(crate) fn key_object(key: &PublicKey) -> String {
    let (keytype, scheme, public) = match key.algorithm() {
        KeyAlgorithm::Ed25519 => ("ed25519", "ed25519", hex(key.as_raw())),
        KeyAlgorithm::EcdsaP256 => ("ecdsa", "ecdsa-sha2-nistp256", key.to_pem().replace('\n', "\\n")),
        other => panic!("{other}"),
    };
    format!(r#"{{"keytype":"{keytype}","scheme":"{scheme}","keyval":{{"public":"{public}"}}}}"#)
}

/// Signs a payload.
pub(crate) fn sign(payload: &str, signers: &[&PrivateKey], form: Form) -> Vec<u8> {
    match form {
        Form::Dsse => {
            let mut envelope = Envelope { payload: payload.into(), payload_type: IN_TOTO.into(), signatures: Vec::new() };
            let message = envelope.signed_bytes();
            for signer in signers {
                let keyid = Some(signer.public_key().key_ids()[2].as_str().to_owned());
                envelope.signatures.push(Signature { keyid, bytes: signer.sign(&message).unwrap() });
            }
            envelope.to_json()
        }
        Form::Legacy => {
            let message = canonical::to_vec(payload.as_bytes(), payload.len()).unwrap();
            let signatures = signers.iter().map(|signer| {
                format!(r#"{{"keyid":"{}","sig":"{}"}}"#, signer.public_key().key_ids()[2], hex(&signer.sign(&message).unwrap()))
            });
            format!(r#"{{"signed":{payload},"signatures":[{}]}}"#, signatures.collect::<Vec<_>>().join(",")).into_bytes()
        }
    }
}

/// A list of rules, each of words with a space between them.
pub(crate) type Rules = Vec<String>;

pub(crate) fn rules(rules: &[&str]) -> Rules {
    rules.iter().map(|rule| (*rule).to_owned()).collect()
}

fn rules_json(rules: &Rules) -> Value<'static> {
    let words = |rule: &String| Value::from(rule.split(' ').map(|word| Value::from(word.to_owned())).collect::<Vec<_>>());
    Value::from(rules.iter().map(words).collect::<Vec<_>>())
}

fn strings(words: &[String]) -> Value<'static> {
    Value::from(words.iter().cloned().map(Value::from).collect::<Vec<_>>())
}

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) threshold: u64,
    pub(crate) pubkeys: Vec<String>,
    pub(crate) command: Vec<String>,
    /// Constraints of certificates, as JSON.
    pub(crate) cert_constraints: Vec<String>,
    pub(crate) materials: Rules,
    pub(crate) products: Rules,
}

pub(crate) fn step(name: &str, by: &[u8], materials: &[&str], products: &[&str]) -> Step {
    let pubkeys = by.iter().map(|number| keyid(*number)).collect();
    Step {
        name: name.into(),
        threshold: 1,
        pubkeys,
        command: Vec::new(),
        cert_constraints: Vec::new(),
        materials: rules(materials),
        products: rules(products),
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Inspection {
    pub(crate) name: String,
    pub(crate) run: Vec<String>,
    pub(crate) materials: Rules,
    pub(crate) products: Rules,
}

#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) expires: String,
    /// KEY objects by keyid.
    pub(crate) keys: Vec<(String, String)>,
    /// Authorities by keyid, as KEY objects: roots, and others.
    pub(crate) authorities: [Vec<(String, String)>; 2],
    pub(crate) steps: Vec<Step>,
    pub(crate) inspections: Vec<Inspection>,
}

impl Layout {
    /// One with these keys, which expires in 2030.
    pub(crate) fn of(keys: &[u8], steps: Vec<Step>) -> Self {
        let keys = keys.iter().map(|number| (keyid(*number), key_object(&public(*number)))).collect();
        Self { expires: "2030-01-01T00:00:00Z".into(), keys, authorities: [Vec::new(), Vec::new()], steps, inspections: Vec::new() }
    }

    pub(crate) fn to_json(&self) -> String {
        let json = |text: &String| parse(text.as_bytes(), text.len()).unwrap().into_owned();
        let objects = |all: &[(String, String)]| Value::object(all.iter().map(|(id, key)| (id.clone(), json(key))));
        let steps = self.steps.iter().map(|step| {
            let constraints = step.cert_constraints.iter().map(json).collect::<Vec<_>>();
            let constraints = (!constraints.is_empty()).then(|| ("cert_constraints", Value::from(constraints)));
            Value::object(
                [
                    ("_type", Value::from("step")),
                    ("name", Value::from(step.name.clone())),
                    ("threshold", Value::from(step.threshold)),
                    ("pubkeys", strings(&step.pubkeys)),
                    ("expected_command", strings(&step.command)),
                    ("expected_materials", rules_json(&step.materials)),
                    ("expected_products", rules_json(&step.products)),
                ]
                .into_iter()
                .chain(constraints),
            )
        });
        let inspections = self.inspections.iter().map(|inspection| {
            Value::object([
                ("_type", Value::from("inspection")),
                ("name", Value::from(inspection.name.clone())),
                ("run", strings(&inspection.run)),
                ("expected_materials", rules_json(&inspection.materials)),
                ("expected_products", rules_json(&inspection.products)),
            ])
        });
        let [roots, others] = &self.authorities;
        let authorities = [("rootcas", roots), ("intermediatecas", others)].into_iter().filter(|(_, all)| !all.is_empty());
        let layout = Value::object(
            [
                ("_type", Value::from("layout")),
                ("expires", Value::from(self.expires.clone())),
                ("readme", Value::from("")),
                ("keys", objects(&self.keys)),
                ("steps", Value::from(steps.collect::<Vec<_>>())),
                ("inspect", Value::from(inspections.collect::<Vec<_>>())),
            ]
            .into_iter()
            .chain(authorities.map(|(member, all)| (member, objects(all)))),
        );
        String::from_utf8(layout.to_vec()).unwrap()
    }
}

/// What is signed in a link: artifacts are names, each with what its digest is made of.
pub(crate) fn link(name: &str, materials: &[(&str, &str)], products: &[(&str, &str)]) -> String {
    link_of(name, &[], materials, products)
}

pub(crate) fn link_of(name: &str, command: &[&str], materials: &[(&str, &str)], products: &[(&str, &str)]) -> String {
    let artifacts = |all: &[(&str, &str)]| {
        Value::object(
            all.iter().map(|(name, content)| ((*name).to_owned(), Value::object([("sha256", Value::from(hex(content.as_bytes())))]))),
        )
    };
    let link = Value::object([
        ("_type", Value::from("link")),
        ("name", Value::from(name.to_owned())),
        ("command", strings(&command.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())),
        ("materials", artifacts(materials)),
        ("products", artifacts(products)),
        ("byproducts", Value::object([("return-value", Value::from(0_u64))])),
        ("environment", Value::object::<String, Value<'_>>([])),
    ]);
    String::from_utf8(link.to_vec()).unwrap()
}

/// A supply chain, and what survives of its last verification.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) form: Form,
    pub(crate) layout: Layout,
    /// The keys that signed the layout.
    pub(crate) owners: Vec<u8>,
    /// The keys that must have.
    pub(crate) trusted: Vec<u8>,
    /// What is where links are looked for.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// What is there under names of which there are several.
    pub(crate) several: BTreeMap<String, Vec<Found>>,
    /// Files that are there and cannot be had.
    pub(crate) failing: BTreeMap<String, Failure>,
    /// What comes of inspections that are run, by folder and name.
    pub(crate) runs: BTreeMap<String, Answer>,
    pub(crate) settings: Settings,
    pub(crate) at: i64,
    /// Whether names are listed in whatever number.
    pub(crate) lists_all: bool,
    /// The files that were asked for.
    pub(crate) asked: Vec<String>,
    /// The inspections that were asked for, by folder and name.
    pub(crate) asked_to_run: Vec<String>,
}

impl Chain {
    /// `write` by key 1 makes `foo.py`; `package` by key 2 makes `foo.tgz` of it.
    pub(crate) fn demo(form: Form) -> Self {
        let write = step("write", &[1], &["DISALLOW *"], &["CREATE foo.py", "DISALLOW *"]);
        let package = step(
            "package",
            &[2],
            &["MATCH foo.py WITH PRODUCTS FROM write", "DISALLOW *"],
            &["CREATE foo.tgz", "ALLOW foo.py", "DISALLOW *"],
        );
        let mut chain = Self::new(form, Layout::of(&[1, 2], vec![write, package]));
        chain.put("write", 1, &[], &[("foo.py", "1")]);
        chain.put("package", 2, &[("foo.py", "1")], &[("foo.py", "1"), ("foo.tgz", "2")]);
        chain
    }

    pub(crate) fn new(form: Form, layout: Layout) -> Self {
        Self {
            form,
            layout,
            owners: vec![OWNER],
            trusted: vec![OWNER],
            files: BTreeMap::new(),
            several: BTreeMap::new(),
            failing: BTreeMap::new(),
            runs: BTreeMap::new(),
            settings: Settings::default(),
            at: NOW,
            lists_all: true,
            asked: Vec::new(),
            asked_to_run: Vec::new(),
        }
    }

    /// Puts the link of a step there, in the place and by the key of this number.
    pub(crate) fn put(&mut self, step: &str, by: u8, materials: &[(&str, &str)], products: &[(&str, &str)]) {
        self.put_signed(&file(step, by), &link(step, materials, products), &[by]);
    }

    /// Puts a payload there, signed.
    pub(crate) fn put_signed(&mut self, path: &str, payload: &str, by: &[u8]) {
        let signers: Vec<PrivateKey> = by.iter().map(|number| key(*number)).collect();
        self.files.insert(path.into(), sign(payload, &signers.iter().collect::<Vec<_>>(), self.form));
    }

    /// An inspection that is run and finds this.
    pub(crate) fn run(&mut self, name: &str, return_value: i64, materials: &[(&str, &str)], products: &[(&str, &str)]) {
        let artifacts = |all: &[(&str, &str)]| {
            let all: Vec<(&str, String)> = all.iter().map(|(name, content)| (*name, hex(content.as_bytes()))).collect();
            touchmark_in_toto::Artifacts::new(all.iter().map(|(name, digest)| (*name, [("sha256", digest.as_str())]))).unwrap()
        };
        let inspected = Inspected { return_value, materials: artifacts(materials), products: artifacts(products) };
        self.runs.insert(name.into(), Answer::Inspected(inspected));
    }

    /// The layout, signed.
    pub(crate) fn document(&self) -> Vec<u8> {
        let owners: Vec<PrivateKey> = self.owners.iter().map(|number| key(*number)).collect();
        sign(&self.layout.to_json(), &owners.iter().collect::<Vec<_>>(), self.form)
    }

    pub(crate) fn verify(&mut self) -> Result<SupplyChain, Rejected> {
        self.verify_document(self.document())
    }

    pub(crate) fn verify_document(&mut self, document: Vec<u8>) -> Result<SupplyChain, Rejected> {
        (self.asked, self.asked_to_run) = (Vec::new(), Vec::new());
        let keys = KeySet::new(self.trusted.iter().map(|number| public(*number)));
        let at = UnixTime::from_seconds(self.at).unwrap();
        let mut verification = Verification::new(document, &keys, self.settings.clone(), at);
        for _ in 0..MAX_NEEDS {
            let Some(need) = verification.need().cloned() else { return verification.finish().map(|chain| chain.into_inner()) };
            let answer = self.answer(&need);
            verification.answer(answer);
        }
        panic!("more than {MAX_NEEDS} needs");
    }

    fn answer(&mut self, need: &Need) -> Answer {
        match need {
            Need::File { path, limit } => {
                self.asked.push(path.clone());
                assert_eq!(*limit, self.settings.limits.file);
                if let Some(all) = self.several.get(path) {
                    return Answer::Files(all.clone());
                }
                match (self.failing.get(path), self.files.get(path)) {
                    (Some(failure), _) => Answer::Failed(failure.clone()),
                    (None, Some(bytes)) => Answer::Bytes(bytes.clone()),
                    (None, None) => Answer::Absent,
                }
            }
            Need::Names { folder, step, limit } => {
                let path = format!("{folder}{step}.*");
                self.asked.push(path.clone());
                if let Some(failure) = self.failing.get(&path) {
                    return Answer::Failed(failure.clone());
                }
                let within = self.files.keys().filter_map(|path| path.strip_prefix(folder.as_str())).filter(|name| !name.contains('/'));
                let names: Vec<String> = within.map(ToOwned::to_owned).collect();
                let is_complete = names.len() <= *limit || self.lists_all;
                Answer::Names(Names { names, is_complete })
            }
            Need::Inspection { folder, inspection } => {
                let name = format!("{folder}{}", inspection.name);
                self.asked_to_run.push(name.clone());
                self.runs.get(&name).cloned().unwrap_or(Answer::Absent)
            }
            other => panic!("{other:?}"),
        }
    }

    /// The reasons of a refusal, by their codes.
    pub(crate) fn refused(&mut self) -> Vec<&'static str> {
        self.rejected().report.reasons.iter().map(Reason::code).collect()
    }

    /// The one reason of a refusal, as it is told.
    pub(crate) fn told(&mut self) -> String {
        self.rejected().to_string()
    }

    pub(crate) fn rejected(&mut self) -> Rejected {
        match self.verify() {
            Ok(chain) => panic!("verified: {:#?}", chain.report),
            Err(rejected) => rejected,
        }
    }

    pub(crate) fn class(&mut self) -> Class {
        self.rejected().class()
    }
}

/// What was found of the files of a step, as the code of a refusal or `counted`.
pub(crate) fn verdicts(files: &[FileReport]) -> Vec<&'static str> {
    files.iter().map(|file| file.refusal.as_ref().map_or("counted", |refusal| refusal.code())).collect()
}
