//! Supply chains in a folder, made with a crypto and a JSON writer of the tests' own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::{Place, Ran};

/// The time of the verifications, at which the layouts have not expired.
pub const AT: &str = "2026-11-28T00:00:00Z";

/// The two envelopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Dsse,
    Legacy,
}

pub const FORMS: [Form; 2] = [Form::Dsse, Form::Legacy];

/// A key, one for each name.
pub struct Key(SigningKey);

impl Key {
    pub fn of(name: &str) -> Self {
        Self(SigningKey::from_bytes(&Sha256::digest(name).into()))
    }

    fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// The KEY object of a layout.
    pub fn object(&self) -> Value {
        json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": hex(&self.public())}})
    }

    /// The keyid that the reference implementation computes.
    pub fn keyid(&self) -> String {
        hex(&Sha256::digest(self.object().to_string()))
    }

    /// Touchmark's own identifier.
    pub fn own_id(&self) -> String {
        hex(&Sha256::digest(self.spki()))
    }

    fn spki(&self) -> Vec<u8> {
        let head = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        head.into_iter().chain(self.public()).collect()
    }

    pub fn pem(&self) -> String {
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(self.spki()))
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A document signed by the keys of these names. What is signed here has no character that canonical JSON writes in its own way.
pub fn sign(document: &Value, signers: &[&str], form: Form) -> String {
    let text = document.to_string();
    match form {
        Form::Dsse => {
            let kind = "application/vnd.in-toto+json";
            let message = format!("DSSEv1 {} {kind} {} {text}", kind.len(), text.len());
            let signatures: Vec<Value> = signers
                .iter()
                .map(|name| Key::of(name))
                .map(|key| json!({"keyid": key.keyid(), "sig": STANDARD.encode(key.0.sign(message.as_bytes()).to_bytes())}))
                .collect();
            json!({"payload": STANDARD.encode(&text), "payloadType": kind, "signatures": signatures}).to_string()
        }
        Form::Legacy => {
            let signatures: Vec<Value> = signers
                .iter()
                .map(|name| Key::of(name))
                .map(|key| json!({"keyid": key.keyid(), "sig": hex(&key.0.sign(text.as_bytes()).to_bytes())}))
                .collect();
            json!({"signed": document, "signatures": signatures}).to_string()
        }
    }
}

/// The file of a link of this step by the key of this name.
pub fn file(step: &str, signer: &str) -> String {
    format!("{step}.{}.link", &Key::of(signer).keyid()[..8])
}

/// Artifacts of these names, each with itself as its content.
pub fn artifacts(names: &[&str]) -> Value {
    names.iter().map(|name| (name.to_string(), json!({"sha256": hex(&Sha256::digest(name))}))).collect::<serde_json::Map<_, _>>().into()
}

pub fn link(step: &str, materials: &[&str], products: &[&str]) -> Value {
    json!({"_type": "link", "name": step, "command": ["make"], "byproducts": {}, "environment": {},
        "materials": artifacts(materials), "products": artifacts(products)})
}

/// Rules, each of words with a space between them.
pub fn rules(rules: &[&str]) -> Value {
    rules.iter().map(|rule| rule.split(' ').collect::<Vec<_>>()).collect::<Vec<_>>().into()
}

pub fn step(name: &str, by: &[&str], materials: &[&str], products: &[&str]) -> Value {
    let keyids: Vec<String> = by.iter().map(|name| Key::of(name).keyid()).collect();
    json!({"_type": "step", "name": name, "threshold": 1, "pubkeys": keyids, "expected_command": ["make"],
        "expected_materials": rules(materials), "expected_products": rules(products)})
}

pub fn inspection(name: &str, run: &str, materials: &[&str]) -> Value {
    json!({"_type": "inspection", "name": name, "run": run.split(' ').collect::<Vec<_>>(),
        "expected_materials": rules(materials), "expected_products": []})
}

pub fn layout(keys: &[&str], steps: Vec<Value>, inspections: Vec<Value>) -> Value {
    let keys: serde_json::Map<String, Value> = keys.iter().map(|name| Key::of(name)).map(|key| (key.keyid(), key.object())).collect();
    json!({"_type": "layout", "expires": "2030-01-01T00:00:00Z", "readme": "", "keys": keys, "steps": steps, "inspect": inspections})
}

/// Bob builds `app`, carol packs it into `app.tar`; dora's key is listed, and may do nothing.
pub struct Chain {
    pub place: Place,
    pub form: Form,
    pub layout: Value,
}

impl Chain {
    pub fn new(form: Form) -> Self {
        let steps = vec![
            step("build", &["bob"], &["DISALLOW *"], &["CREATE app", "DISALLOW *"]),
            step("pack", &["carol"], &["MATCH app WITH PRODUCTS FROM build", "DISALLOW *"], &["CREATE app.tar", "ALLOW app", "DISALLOW *"]),
        ];
        let chain = Self { place: Place::new(), form, layout: layout(&["bob", "carol", "dora"], steps, Vec::new()) };
        for name in ["owner", "bob", "carol", "dora"] {
            chain.place.file(&format!("{name}.pub"), Key::of(name).pem());
        }
        chain.link("links", &link("build", &[], &["app"]), "bob");
        chain.link("links", &link("pack", &["app"], &["app", "app.tar"]), "carol");
        chain
    }

    /// Writes a link, or what stands for one, to the file that its name and its signer's key say.
    pub fn link(&self, folder: &str, link: &Value, signer: &str) {
        self.put(folder, link["name"].as_str().unwrap(), link, signer);
    }

    /// The same, for any step.
    pub fn put(&self, folder: &str, step: &str, document: &Value, signer: &str) {
        self.place.file(&format!("{folder}/{}", file(step, signer)), sign(document, &[signer], self.form));
    }

    /// Adds an inspection to the layout.
    pub fn inspect(&mut self, inspection: Value) {
        self.layout["inspect"].as_array_mut().unwrap().push(inspection);
    }

    /// Verifies the layout as it is now, signed by the owner.
    pub fn verify(&self, more: &str) -> Ran {
        self.place.file("root.layout", sign(&self.layout, &["owner"], self.form));
        let at = if more.contains("--at") { String::new() } else { format!("--at {AT}") };
        self.place.run(&format!("in-toto verify --layout root.layout --layout-key owner.pub --links links {at} {more}"))
    }

    /// Verifies, asserts the exit, and gives the one result.
    #[track_caller]
    pub fn result(&self, code: i32, more: &str) -> Value {
        self.verify(&format!("{more} --format json")).is(code).json()["results"][0].clone()
    }

    /// Asserts the exit, and gives the codes of the reasons.
    #[track_caller]
    pub fn reasons(&self, code: i32, more: &str) -> Vec<String> {
        let result = self.result(code, more);
        result["report"]["layouts"][0]["reasons"]
            .as_array()
            .unwrap()
            .iter()
            .map(|reason| reason["code"].as_str().unwrap().to_owned())
            .collect()
    }
}
