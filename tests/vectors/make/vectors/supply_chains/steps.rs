//! Links, rules, thresholds, parameters and layouts in the place of links.

use touchmark_test_tuf_repository::{Key, json, set};

use super::super::{Vectors, ok, refused};
use super::{Artifacts, Chain, Form, file, link, not_verified, signed};

pub(super) fn add(vectors: &mut Vectors) {
    links(vectors);
    rules(vectors);
    thresholds(vectors);
    parameters(vectors);
    sublayouts(vectors);
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
