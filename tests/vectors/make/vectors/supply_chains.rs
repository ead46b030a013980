//! in-toto layouts: of other implementations, and our own with everything that can be wrong in them.

use std::collections::BTreeMap;

use touchmark_envelope::digest::hex;
use touchmark_envelope::dsse::IN_TOTO;
use touchmark_envelope::json::Value;
use touchmark_test_tuf_repository::{Key, NOW, assemble, json, remove, set};

use super::envelopes::{key, key_file, sign};
use super::{Case, Expect, Files, Vectors, list, ok, refused, testdata};

mod attestations;
mod steps;

pub(super) fn add(vectors: &mut Vectors) {
    golang(vectors);
    rust(vectors);
    honest(vectors);
    layouts(vectors);
    steps::add(vectors);
    attestations::add(vectors);
}

fn not_verified() -> Expect {
    refused("SUPPLY_CHAIN_NOT_VERIFIED")
}

fn untrusted() -> Expect {
    refused("UNTRUSTED_METADATA")
}

/// Those of in-toto-golang.
fn golang(vectors: &mut Vectors) {
    let files: Files = testdata("in-toto/golang");
    let file = |name: &str| files.get(name).unwrap_or_else(|| panic!("no {name}")).clone();
    let key = vectors.file("in-toto/golang.alice.pub", file("alice.pub"));
    let all: Files = files.iter().filter(|(name, _)| name.ends_with(".link")).map(|(name, link)| (name.clone(), link.clone())).collect();
    let links = vectors.folder("in-toto/golang", all.clone());
    for (id, layout, expect, why) in [
        ("golang-dsse", "dsse-only.root.layout", ok(), "made by in-toto-golang 0.11.0, in DSSE, with RSA keys"),
        ("golang-inspection", "demo.layout", not_verified(), "an inspection is not run, and nobody answers it"),
        ("golang-inspection-dsse", "demo.dsse.layout", not_verified(), "the same, in DSSE"),
    ] {
        let layout = vectors.file(&format!("in-toto/{id}.layout"), file(layout));
        let case = Case::new("supply-chain", &format!("supply-chain-{id}"), why, "22.3").with("layout", layout);
        vectors.add(case.with("keys", list([key.clone()])).with("links", links.clone()).with("at", NOW).expect(expect));
    }
    let layout = vectors.file("in-toto/golang-dsse.layout", file("dsse-only.root.layout"));
    let mut fewer = all.clone();
    fewer.retain(|name, _| !name.starts_with("package-dsse"));
    let mut changed = all;
    let link = changed.get_mut("package-dsse.2f89b927.link").expect("a link");
    *link = String::from_utf8(link.clone())
        .expect("text")
        .replacen("\"sig\": \"", "\"sig\": \"AAAA", 1)
        .replacen("\"sig\":\"", "\"sig\":\"AAAA", 1)
        .into_bytes();
    for (id, files, why) in [("link-missing", fewer, "a link is missing"), ("link-changed", changed, "a link's signature was changed")] {
        let links = vectors.folder(&format!("in-toto/golang-{id}"), files);
        let case = Case::new("supply-chain", &format!("supply-chain-golang-{id}"), why, "22.3").with("layout", layout.clone());
        vectors.add(case.with("keys", list([key.clone()])).with("links", links).with("at", NOW).expect(not_verified()));
    }
}

/// What in-toto-rs made.
fn rust(vectors: &mut Vectors) {
    let mut files = testdata("in-toto/rust/made");
    let layout = files.remove("root.layout").expect("a layout");
    let links = vectors.folder("in-toto/rust", files);
    let layout = vectors.file("in-toto/rust.layout", layout);
    let owner = super::unhex("302a300506032b65700321003ac4144268e255bccc6d07ccb2bd364485f8c8a9a151b968b87ab99a889cd503");
    let keys = list([vectors.input("keys/in-toto-rs-owner", owner)]);
    let case = Case::new("supply-chain", "supply-chain-rust", "made by in-toto-rs 0.4.0", "22.10").with("layout", layout);
    vectors.add(case.with("keys", keys).with("links", links).with("at", NOW).expect(ok()));
}

/// Which envelope documents are in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Dsse,
    Legacy,
}

/// A supply chain: a layout that `owner` signs, and links.
#[derive(Clone)]
struct Chain {
    form: Form,
    layout: Value<'static>,
    owners: Vec<&'static str>,
    trusted: Vec<&'static str>,
    files: BTreeMap<String, Vec<u8>>,
    parameters: Vec<(&'static str, &'static str)>,
    at: i64,
}

type Artifacts<'a> = &'a [(&'a str, &'a str)];

impl Chain {
    /// `write` by writer makes `foo.py`; `package` by packer makes `foo.tgz` of it.
    fn demo(form: Form) -> Self {
        let mut chain = Self::of(form, &["writer", "packer"]);
        chain.step("write", &["writer"], &["DISALLOW *"], &["CREATE foo.py", "DISALLOW *"]);
        chain.step(
            "package",
            &["packer"],
            &["MATCH foo.py WITH PRODUCTS FROM write", "DISALLOW *"],
            &["CREATE foo.tgz", "ALLOW foo.py", "DISALLOW *"],
        );
        chain.link("write", "writer", &[], &[("foo.py", "1")]);
        chain.link("package", "packer", &[("foo.py", "1")], &[("foo.py", "1"), ("foo.tgz", "2")]);
        chain
    }

    /// A layout without steps, with these keys.
    fn of(form: Form, keys: &[&str]) -> Self {
        let objects = Value::object(keys.iter().map(|name| (key(name).keyid().to_owned(), key(name).json().clone())));
        let mut layout = json(r#"{"_type":"layout","expires":"2030-01-01T00:00:00Z","readme":"","steps":[],"inspect":[]}"#);
        set(&mut layout, "/keys", objects);
        Self { form, layout, owners: vec!["owner"], trusted: vec!["owner"], files: BTreeMap::new(), parameters: vec![], at: NOW }
    }

    fn step(&mut self, name: &str, by: &[&str], materials: &[&str], products: &[&str]) {
        let rules = |rules: &[&str]| list(rules.iter().map(|rule| list(rule.split(' ').map(|word| Value::from(word.to_owned())))));
        let step = Value::object([
            ("_type", Value::from("step".to_owned())),
            ("name", Value::from(name.to_owned())),
            ("threshold", Value::from(1_u64)),
            ("pubkeys", list(by.iter().map(|name| Value::from(key(name).keyid().to_owned())))),
            ("expected_command", list([])),
            ("expected_materials", rules(materials)),
            ("expected_products", rules(products)),
        ]);
        set(&mut self.layout, "/steps/-", step);
    }

    /// Puts the link of a step there, by this key.
    fn link(&mut self, step: &str, by: &str, materials: Artifacts<'_>, products: Artifacts<'_>) {
        self.put(&file(step, by), link(step, materials, products), &[by]);
    }

    /// Puts a payload there, signed by these keys.
    fn put(&mut self, path: &str, payload: Value<'static>, by: &[&str]) {
        self.files.insert(path.to_owned(), signed(self.form, &payload, by));
    }

    fn change(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn case(self, vectors: &mut Vectors, id: &str, why: &str, expect: Expect) {
        let layout = signed(self.form, &self.layout, &self.owners);
        self.with_document(vectors, id, why, layout, expect);
    }

    fn with_document(self, vectors: &mut Vectors, id: &str, why: &str, layout: Vec<u8>, expect: Expect) {
        let layout = vectors.file(&format!("in-toto/{id}.layout"), layout);
        let mut files = self.files;
        // A folder is a folder only if something is in it.
        files.entry("README".to_owned()).or_insert_with(|| b"Links are here.\n".to_vec());
        let links = vectors.folder(&format!("in-toto/{id}"), files);
        let keys = list(self.trusted.iter().map(|name| key_file(vectors, name)).collect::<Vec<_>>());
        let case = Case::new("supply-chain", &format!("supply-chain-{id}"), why, "22.3")
            .with("layout", layout)
            .with("keys", keys)
            .with("links", links);
        let parameters = Value::object(self.parameters.iter().map(|(name, value)| (*name, *value)));
        let case = if self.parameters.is_empty() { case } else { case.with("parameters", parameters.into_owned()) };
        vectors.add(case.with("at", self.at).expect(expect));
    }
}

/// A document in one of the envelopes.
fn signed(form: Form, payload: &Value<'static>, by: &[&str]) -> Vec<u8> {
    match form {
        Form::Dsse => sign(IN_TOTO, &payload.to_vec(), by).to_json(),
        Form::Legacy => assemble(payload, &by.iter().map(|name| key(name)).collect::<Vec<Key>>()).to_vec(),
    }
}

/// What is signed in a link: artifacts are names, each with what its digest is made of.
fn link(step: &str, materials: Artifacts<'_>, products: Artifacts<'_>) -> Value<'static> {
    let artifacts = |all: Artifacts<'_>| {
        Value::object(all.iter().map(|(name, content)| ((*name).to_owned(), Value::object([("sha256", hex(content.as_bytes()))]))))
    };
    Value::object([
        ("_type", Value::from("link".to_owned())),
        ("name", Value::from(step.to_owned())),
        ("command", list([])),
        ("materials", artifacts(materials)),
        ("products", artifacts(products)),
        ("byproducts", json(r#"{"return-value":0}"#)),
        ("environment", json("{}")),
    ])
}

/// The file of a link by this key.
fn file(step: &str, by: &str) -> String {
    format!("{step}.{}.link", &key(by).keyid()[..8])
}

fn honest(vectors: &mut Vectors) {
    for (id, form) in [("dsse", Form::Dsse), ("legacy", Form::Legacy)] {
        let demo = || Chain::demo(form);
        demo().case(vectors, &format!("demo-{id}"), "two steps, whose artifacts fit", ok());
        demo().change(|chain| chain.link("package", "packer", &[("foo.py", "tampered")], &[("foo.tgz", "2")])).case(
            vectors,
            &format!("tampered-{id}"),
            "what was packed is not what was written",
            not_verified(),
        );
        demo().change(|chain| drop(chain.files.remove(&file("write", "writer")))).case(
            vectors,
            &format!("link-missing-{id}"),
            "a link is missing",
            not_verified(),
        );
        demo().change(|chain| chain.put(&file("write", "writer"), link("write", &[], &[("foo.py", "1")]), &["packer"])).case(
            vectors,
            &format!("link-by-another-{id}"),
            "a link by a key that may do another step only",
            not_verified(),
        );
        demo().change(|chain| chain.put(&file("write", "writer"), link("write", &[], &[("foo.py", "1")]), &["mallory"])).case(
            vectors,
            &format!("link-by-stranger-{id}"),
            "a link by a stranger under a functionary's name",
            not_verified(),
        );
        demo().change(|chain| chain.owners = vec!["mallory"]).case(
            vectors,
            &format!("layout-by-stranger-{id}"),
            "a layout that a stranger signed",
            untrusted(),
        );
        demo().change(|chain| chain.owners = vec![]).case(
            vectors,
            &format!("layout-unsigned-{id}"),
            "a layout that nobody signed",
            untrusted(),
        );
    }
    for (id, keys) in [("p256", ["carol", "craig"]), ("p384", ["dave", "carol"])] {
        let mut chain = Chain::of(Form::Dsse, &keys);
        chain.step("write", &keys[..1], &[], &["CREATE foo.py", "DISALLOW *"]);
        chain.link("write", keys[0], &[], &[("foo.py", "1")]);
        chain.case(vectors, &format!("demo-{id}"), "a functionary with an ECDSA key", ok());
    }
}

fn layouts(vectors: &mut Vectors) {
    let demo = || Chain::demo(Form::Legacy);
    demo().change(|chain| chain.trusted = vec!["owner", "second"]).case(
        vectors,
        "layout-one-of-two",
        "every key that is given must have signed the layout",
        untrusted(),
    );
    demo().change(|chain| (chain.trusted, chain.owners) = (vec!["owner", "second"], vec!["second", "owner"])).case(
        vectors,
        "layout-two-of-two",
        "both signed it",
        ok(),
    );
    demo().change(|chain| chain.owners = vec!["owner", "second"]).case(vectors, "layout-signed-by-more", "others signed it, too", ok());
    demo().change(|chain| chain.trusted = vec![]).case(vectors, "layout-no-key", "no key is given", refused("INVALID_ARGUMENT"));
    let expiring = |at: i64| {
        demo().change(|chain| {
            set(&mut chain.layout, "/expires", "2026-11-28T00:00:00Z".to_owned());
            chain.at = at;
        })
    };
    expiring(NOW - 1).case(vectors, "layout-before-expiry", "a second before it expires", ok());
    expiring(NOW).case(vectors, "layout-at-expiry", "the second at which it expires", untrusted());
    expiring(NOW + 1).case(vectors, "layout-after-expiry", "a second after", untrusted());
    for at in [0, -1] {
        demo().change(|chain| chain.at = at).case(
            vectors,
            if at == 0 { "time-zero" } else { "time-negative" },
            "a clock that says so is an error",
            refused("INVALID_TIME"),
        );
    }
    for (id, pointer, value, why) in [
        ("expires-null", "/expires", "null", "no time of expiry"),
        ("expires-offset", "/expires", "\"2030-01-01T00:00:00+00:00\"", "a time in another form"),
        ("steps-object", "/steps", "{}", "steps that are no list"),
        ("type", "/_type", "\"link\"", "a link in the place of the layout"),
        ("threshold-0", "/steps/0/threshold", "0", "a threshold of zero"),
        ("threshold-negative", "/steps/0/threshold", "-1", "a negative threshold"),
        ("name-twice", "/steps/0/name", "\"package\"", "two steps of one name"),
        ("name-path", "/steps/0/name", "\"../write\"", "a name that leads elsewhere"),
        ("rule-unknown", "/steps/0/expected_products/0/0", "\"DISALOW\"", "a rule that is not known"),
        ("rule-short", "/steps/0/expected_products/0", "[\"ALLOW\"]", "a rule without a pattern"),
        ("pubkey-unknown", "/steps/0/pubkeys/0", "\"00\"", "a key that the layout does not have"),
    ] {
        demo().change(|chain| set(&mut chain.layout, pointer, json(value))).case(
            vectors,
            &format!("layout-{id}"),
            why,
            if id == "pubkey-unknown" { not_verified() } else { untrusted() },
        );
    }
    demo().change(|chain| drop(remove(&mut chain.layout, "/expires"))).case(
        vectors,
        "layout-without-expiry",
        "a layout that never expires",
        untrusted(),
    );
    let document = signed(Form::Legacy, &demo().layout, &["owner"]);
    let text = String::from_utf8(document).expect("text");
    for (id, document, why) in [
        ("changed", text.replacen("CREATE", "ALLOW", 1), "changed after it was signed"),
        ("trailing", format!("{text}x"), "something behind it"),
        ("empty", String::new(), "nothing"),
        ("no-document", "{}".to_owned(), "no document"),
        (
            "duplicate-member",
            text.replacen("\"_type\":\"layout\"", "\"expires\":\"2040-01-01T00:00:00Z\",\"_type\":\"layout\"", 1),
            "one member twice",
        ),
    ] {
        demo().with_document(vectors, &format!("layout-{id}"), why, document.into_bytes(), untrusted());
    }
    let other_type = sign("application/json", &demo().layout.to_vec(), &["owner"]).to_json();
    demo().with_document(vectors, "layout-payload-type", "another payload type", other_type, untrusted());
}
