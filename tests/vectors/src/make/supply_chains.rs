//! in-toto layouts: of other implementations, and our own with everything that can be wrong in them.

use std::collections::BTreeMap;

use touchmark_envelope::digest::hex;
use touchmark_envelope::dsse::IN_TOTO;
use touchmark_envelope::json::Value;
use touchmark_test_tuf_repository::{Key, NOW, assemble, json, remove, set};

use super::envelopes::{key, key_file, sign};
use super::{Case, Expect, Files, Vectors, list, ok, refused, testdata};

pub(super) fn add(vectors: &mut Vectors) {
    golang(vectors);
    rust(vectors);
    honest(vectors);
    layouts(vectors);
    links(vectors);
    rules(vectors);
    thresholds(vectors);
    parameters(vectors);
    sublayouts(vectors);
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

fn links(vectors: &mut Vectors) {
    let demo = || Chain::demo(Form::Legacy);
    let of_write = || link("write", &[], &[("foo.py", "1")]);
    let path = file("write", "writer");
    let replaced = |bytes: Vec<u8>| demo().change(|chain| drop(chain.files.insert(path.clone(), bytes)));
    let good = String::from_utf8(signed(Form::Legacy, &of_write(), &["writer"])).expect("text");
    for (id, bytes, why) in [
        ("changed", good.replacen("foo.py", "bar.py", 1), "changed after it was signed"),
        ("empty", String::new(), "nothing"),
        ("no-json", "link".to_owned(), "no JSON"),
        ("trailing", format!("{good}x"), "something behind it"),
        ("duplicate-member", good.replacen("\"name\":\"write\"", "\"name\":\"write\",\"name\":\"write\"", 1), "one member twice"),
    ] {
        replaced(bytes.into_bytes()).case(vectors, &format!("link-{id}"), why, not_verified());
    }
    for (id, payload, why) in [
        ("of-another-step", link("package", &[], &[("foo.py", "1")]), "the link of another step"),
        (
            "without-products",
            json(r#"{"_type":"link","name":"write","command":[],"materials":{},"byproducts":{},"environment":{}}"#),
            "without products",
        ),
        (
            "products-list",
            json(r#"{"_type":"link","name":"write","command":[],"materials":{},"products":[],"byproducts":{},"environment":{}}"#),
            "products that are no object",
        ),
    ] {
        demo().change(|chain| chain.put(&path, payload, &["writer"])).case(vectors, &format!("link-{id}"), why, not_verified());
    }
    let more = demo().change(|chain| {
        chain.files.insert(file("write", "mallory"), signed(Form::Legacy, &link("write", &[], &[("foo.py", "evil")]), &["mallory"]));
        chain.files.insert("write.link".to_owned(), b"nothing".to_vec());
        chain.files.insert("../README".replace("../", "x/"), b"nothing".to_vec());
    });
    more.case(vectors, "link-strangers-beside", "files of strangers hide no good one", ok());
    let both_signed = demo().change(|chain| chain.put(&path, of_write(), &["mallory", "writer"]));
    both_signed.case(vectors, "link-signed-by-stranger-too", "a stranger signed it, too", ok());
    let dsse = demo().change(|chain| drop(chain.files.insert(path.clone(), signed(Form::Dsse, &of_write(), &["writer"]))));
    dsse.case(vectors, "link-in-the-other-envelope", "a link in DSSE for a layout that is not", ok());
}

fn rules(vectors: &mut Vectors) {
    let one = |rules: &[&str], products: Artifacts<'_>| {
        let mut chain = Chain::of(Form::Dsse, &["writer"]);
        chain.step("s", &["writer"], &[], rules);
        chain.link("s", "writer", &[("old", "1"), ("same", "1"), ("changed", "1")], products);
        chain
    };
    let products: Artifacts<'_> = &[("same", "1"), ("changed", "2"), ("new", "1")];
    for (id, rules, holds) in [
        ("create", ["CREATE new", "ALLOW *"].as_slice(), true),
        ("create-disallow-rest", &["CREATE new", "DISALLOW new"], true),
        ("create-of-old", &["CREATE same", "DISALLOW same"], false),
        ("modify", &["MODIFY changed", "DISALLOW changed"], true),
        ("modify-of-same", &["MODIFY same", "DISALLOW same"], false),
        ("require", &["REQUIRE new"], true),
        ("require-missing", &["REQUIRE gone"], false),
        ("allow-all", &["ALLOW *", "DISALLOW *"], true),
        ("disallow-all", &["DISALLOW *"], false),
        ("disallow-one", &["DISALLOW new", "ALLOW *"], false),
        ("order", &["ALLOW new", "DISALLOW new"], true),
        ("question", &["ALLOW ne?", "DISALLOW new"], true),
        ("set", &["ALLOW [mn]ew", "DISALLOW new"], true),
        ("case", &["ALLOW NEW", "DISALLOW new"], false),
        ("no-rules", &[], true),
    ] {
        one(rules, products).case(
            vectors,
            &format!("rule-{id}"),
            "an artifact rule (in-toto 1.0, 4.3.3)",
            if holds { ok() } else { not_verified() },
        );
    }
    for (id, name, holds) in [
        ("inside", "safe/x", true),
        ("outside", "safe/../../etc/passwd", false),
        ("dot", "safe/./x", false),
        ("two-slashes", "safe//x", false),
    ] {
        let chain = one(&["ALLOW safe/*", "DISALLOW *"], &[(name, "1")]);
        chain.case(
            vectors,
            &format!("rule-path-{id}"),
            "a path out of an allowed folder (CVE-2021-41087)",
            if holds { ok() } else { not_verified() },
        );
    }
    for (id, pattern, name) in
        [("bracket", "[-a]x", "ax"), ("open-bracket", "[a", "[a"), ("backslash", "a\\b", "a\\b"), ("two-stars", "x**", "xy")]
    {
        let rule = format!("DISALLOW {pattern}");
        one(&[&rule], &[(name, "1")]).case(
            vectors,
            &format!("rule-pattern-{id}"),
            "a pattern that others find malformed, and skip the rule",
            not_verified(),
        );
        one(&[&rule], &[("b", "1")]).case(vectors, &format!("rule-pattern-{id}-else"), "and which disallows nothing else", ok());
    }
    let matching = |materials: Artifacts<'_>| {
        let mut chain = Chain::of(Form::Dsse, &["writer", "packer"]);
        chain.step("make", &["writer"], &[], &[]);
        chain.step("pack", &["packer"], &["MATCH *.c IN lib WITH PRODUCTS IN src FROM make", "DISALLOW *"], &[]);
        chain.link("make", "writer", &[], &[("src/a.c", "1"), ("src/a.h", "1"), ("x.c", "1"), ("lib/a.c", "2")]);
        chain.link("pack", "packer", materials, &[]);
        chain
    };
    for (id, name, content, holds) in [
        ("same", "lib/a.c", "1", true),
        ("other-content", "lib/a.c", "2", false),
        ("other-pattern", "lib/a.h", "1", false),
        ("outside-prefix", "x.c", "1", false),
        ("without-prefix", "a.c", "1", false),
        ("prefix-is-no-folder", "libra.c", "1", false),
        ("no-such-product", "lib/b.c", "1", false),
    ] {
        matching(&[(name, content)]).case(
            vectors,
            &format!("rule-match-{id}"),
            "a MATCH does not reach out of its prefix or its pattern",
            if holds { ok() } else { not_verified() },
        );
    }
}

fn thresholds(vectors: &mut Vectors) {
    let two = || {
        let mut chain = Chain::of(Form::Legacy, &["a", "b", "c"]);
        chain.step("s", &["a", "b", "c"], &[], &[]);
        set(&mut chain.layout, "/steps/0/threshold", 2_u64);
        chain
    };
    let products: Artifacts<'_> = &[("x", "1")];
    let by = |keys: &[&str]| two().change(|chain| keys.iter().for_each(|key| chain.link("s", key, &[], products)));
    by(&["a", "b"]).case(vectors, "threshold-two", "two of three keys", ok());
    by(&["a", "b", "c"]).case(vectors, "threshold-three", "three of three", ok());
    by(&["a"]).case(vectors, "threshold-one", "one of two that are needed", not_verified());
    let copied = by(&["a"]).change(|chain| {
        let link = chain.files.get(&file("s", "a")).expect("a link").clone();
        chain.files.insert(file("s", "b"), link);
    });
    copied.case(vectors, "threshold-one-key-in-two-files", "one key's link under two names", not_verified());
    let both = two().change(|chain| chain.put(&file("s", "a"), link("s", &[], products), &["a", "b"]));
    both.case(vectors, "threshold-two-signatures-in-one-file", "two keys signed one link", ok());
    let differ = by(&["a"]).change(|chain| chain.link("s", "b", &[], &[("x", "2")]));
    differ.case(vectors, "threshold-links-differ", "links that say different things contradict each other", not_verified());
    let third = by(&["a", "b"]).change(|chain| chain.link("s", "c", &[], &[("x", "2")]));
    third.case(vectors, "threshold-third-differs", "also where two agree", not_verified());
    let high = by(&["a", "b", "c"]).change(|chain| set(&mut chain.layout, "/steps/0/threshold", 4_u64));
    high.case(vectors, "threshold-above-keys", "more keys than there are", not_verified());
    let one = Key::ed25519("a");
    let twice = Chain::of(Form::Legacy, &["a"]).change(|chain| {
        set(&mut chain.layout, "/keys/11111111", one.json().clone());
        chain.step("s", &["a"], &[], &[]);
        set(&mut chain.layout, "/steps/0/pubkeys/-", "11111111".to_owned());
        set(&mut chain.layout, "/steps/0/threshold", 2_u64);
        chain.link("s", "a", &[], products);
        let link = chain.files.get(&file("s", "a")).expect("a link").clone();
        chain.files.insert("s.11111111.link".to_owned(), link);
    });
    twice.case(vectors, "threshold-one-key-under-two-keyids", "one key under two keyids is no threshold of two", not_verified());
}

fn parameters(vectors: &mut Vectors) {
    let chain = |parameters: &[(&'static str, &'static str)]| {
        let mut chain = Chain::of(Form::Dsse, &["writer"]);
        chain.step("s", &["writer"], &[], &["CREATE tool-{VERSION}.tar", "DISALLOW *"]);
        chain.link("s", "writer", &[], &[("tool-1.2.tar", "1")]);
        chain.parameters = parameters.to_vec();
        chain
    };
    chain(&[("VERSION", "1.2")]).case(vectors, "parameter", "a parameter's value stands in a rule", ok());
    chain(&[("VERSION", "1.3")]).case(vectors, "parameter-other", "another value", not_verified());
    chain(&[("VERSION", "*")]).case(vectors, "parameter-star", "a value stands for itself, and is no pattern", not_verified());
    chain(&[]).case(vectors, "parameter-none", "without parameters braces are characters", not_verified());
    chain(&[("OTHER", "1")]).case(vectors, "parameter-missing", "a parameter that is not given", refused("INVALID_ARGUMENT"));
}

/// A layout in the place of a link (in-toto 1.0, 4.5).
fn sublayouts(vectors: &mut Vectors) {
    let build = |by: &'static str, inner: &dyn Fn(&mut Chain)| {
        let mut chain = Chain::of(Form::Legacy, &["writer", "packer"]);
        chain.step("build", &["writer"], &[], &["CREATE foo", "DISALLOW *"]);
        let mut sub = Chain::of(Form::Legacy, &["packer"]);
        sub.step("compile", &["packer"], &[], &["CREATE foo", "DISALLOW *"]);
        sub.link("compile", "packer", &[], &[("foo", "1")]);
        inner(&mut sub);
        chain.put(&file("build", "writer"), sub.layout.clone(), &[by]);
        let folder = file("build", "writer").replace(".link", "");
        for (name, link) in sub.files {
            chain.files.insert(format!("{folder}/{name}"), link);
        }
        chain
    };
    build("writer", &|_| ()).case(vectors, "sublayout", "a layout by a functionary stands for its step", ok());
    build("packer", &|_| ()).case(vectors, "sublayout-by-another", "by a key that may not do the step", not_verified());
    build("writer", &|sub| sub.files.clear()).case(vectors, "sublayout-link-missing", "a link of it is missing", not_verified());
    build("writer", &|sub| sub.link("compile", "packer", &[], &[("evil", "1")])).case(
        vectors,
        "sublayout-rule",
        "a rule of it does not hold",
        not_verified(),
    );
    build("writer", &|sub| set(&mut sub.layout, "/expires", "2020-01-01T00:00:00Z".to_owned())).case(
        vectors,
        "sublayout-expired",
        "it has expired",
        not_verified(),
    );
}
