//! `touchmark in-toto new`, `lint` and `sign`: from a template to a layout that links are verified against.

use serde_json::Value;

use crate::harness::Place;
use crate::in_toto::{AT, Chain, FORMS, Form, file, link, sign};

/// The keys of an owner and two functionaries, and a template for the latter.
fn template() -> Place {
    let place = Place::new();
    for name in ["owner", "bob", "carol"] {
        place.key(name);
    }
    place.ok("in-toto new --functionary bob.pub --functionary carol.pub --expires 2027-01-01T00:00:00Z --out my.layout");
    place
}

/// The codes of what is found, the level first.
fn findings(place: &Place, layout: &str, code: i32) -> Vec<String> {
    let document = place.json(&format!("in-toto lint {layout} --at {AT}"), code);
    let found = document["results"][0]["findings"].as_array().unwrap().clone();
    found.iter().map(|finding| format!("{} {}", finding["level"].as_str().unwrap(), finding["code"].as_str().unwrap())).collect()
}

#[test]
fn a_template_is_without_mistakes_and_is_signed_as_it_is() {
    let place = template();
    let text = String::from_utf8(place.read("my.layout")).unwrap();
    assert!(text.starts_with("// An in-toto layout"), "{text}");
    assert_eq!(findings(&place, "my.layout", 0), [""; 0]);
    for envelope in ["dsse", "legacy"] {
        let out = format!("{envelope}.layout");
        let line = format!("in-toto sign my.layout --key owner --envelope {envelope} --out {out} --at {AT}");
        assert_eq!(place.run(&line).is(0).stdout, format!("{out}\n"));
        // It holds, and nobody did the steps.
        let verify = format!("in-toto verify --layout {out} --layout-key owner.pub --links . --at {AT} --format json");
        let result: Value = place.run(&verify).is(1).json()["results"][0].clone();
        assert_eq!(result["report"]["layouts"][0]["signed_by"].as_array().unwrap().len(), 1);
        assert_eq!(result["error"]["code"], "in-toto-threshold");
    }
    // To standard output, and never over a file.
    assert!(place.ok("in-toto new").contains("\"pubkeys\": []"));
    place.run("in-toto new --out my.layout").is(2);
    assert_eq!(String::from_utf8(place.read("my.layout")).unwrap(), text);
}

#[test]
fn a_layout_with_a_private_key_is_not_signed() {
    let chain = Chain::new(Form::Dsse);
    chain.place.key("signer");
    let sign = |layout: &Value, code: i32| {
        chain.place.file("x.layout", layout.to_string());
        let ran = chain.place.run(&format!("in-toto sign x.layout --key signer --out {code}.layout --at {AT}")).is(code);
        assert_eq!(chain.place.path(&format!("{code}.layout")).exists(), code == 0);
        ran
    };
    let with = |member: &str, value: Value| {
        let mut layout = chain.layout.clone();
        let keys = layout["keys"].as_object_mut().unwrap();
        // One that no step names.
        let mut key = keys.values().next().unwrap().clone();
        key["keyval"][member] = value;
        keys.insert("ab".repeat(32), key);
        layout
    };
    let pem = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for layout in [with("private", "00".repeat(32).into()), with("private", pem.into()), with("public", pem.into())] {
        sign(&layout, 2).says("it has the private key of abab");
    }
    let mut odd = with("private", "00".into());
    odd["keys"]["ab".repeat(32)]["keytype"] = Value::Null;
    sign(&odd, 2);
    // Older tools write an empty one.
    sign(&with("private", "".into()), 0);
}

#[test]
fn a_second_owner_signs_the_same_bytes_and_both_are_needed() {
    for envelope in ["dsse", "legacy"] {
        let place = template();
        place.ok(&format!("in-toto sign my.layout --key owner --envelope {envelope} --out root.layout --at {AT}"));
        let verify = format!("in-toto verify --layout root.layout --layout-key owner.pub --layout-key bob.pub --links . --at {AT}");
        place.run(&verify).is(5).says("not signed by the key");
        // In its own place.
        place.ok(&format!("in-toto sign root.layout --key bob --at {AT}"));
        place.run(&verify).is(1);
        let before = place.read("root.layout");
        place.run(&format!("in-toto sign root.layout --key bob --at {AT}")).is(0).says("has signed it already");
        assert_eq!(place.read("root.layout"), before);
        let other = if envelope == "dsse" { "legacy" } else { "dsse" };
        place.run(&format!("in-toto sign root.layout --key carol --envelope {other}")).is(2).says("other envelope");
        assert_eq!(place.read("root.layout"), before);
    }
}

#[test]
fn what_would_be_lost_or_is_no_layout_is_not_signed() {
    let place = template();
    place.run("in-toto sign my.layout --key owner").is(2).says("comments").says("--out");
    place.run("in-toto sign my.layout --key owner --out bob").is(2);
    place.run("in-toto sign my.layout --key owner.pub --out x").is(2);
    place.run("in-toto sign none --key owner --out x").is(2);
    place.run("in-toto sign owner.pub --key owner --out x").is(6).says("no in-toto layout");
    place.file("never.layout", String::from_utf8(place.read("my.layout")).unwrap().replace("2027-01-01T00:00:00Z", ""));
    place.run("in-toto sign never.layout --key owner --out x").is(6).says("expires");
    place.run("in-toto lint never.layout").is(6);
    let twice = place.touchmark("in-toto sign - --key - --out x").output().unwrap();
    assert_eq!(twice.status.code(), Some(2));
    assert!(!place.path("x").exists());
    let input = place.read("my.layout");
    place.run_with_input("in-toto sign - --key owner --out x", &input).is(0);
    place.run_with_input("in-toto sign - --key owner", &input).is(2).says("--out");
}

#[test]
fn what_is_signed_here_verifies_with_links_of_others() {
    for form in FORMS {
        let chain = Chain::new(form);
        chain.place.key("boss");
        chain.place.file("plain.layout", chain.layout.to_string());
        let envelope = if form == Form::Dsse { "dsse" } else { "legacy" };
        chain.place.ok(&format!("in-toto sign plain.layout --key boss --envelope {envelope} --at {AT}"));
        let verify =
            |key: &str| chain.place.run(&format!("in-toto verify --layout plain.layout --layout-key {key} --links links --at {AT}"));
        verify("boss.pub").is(0);
        verify("owner.pub").is(5);
        // A signature of ours beside one of theirs.
        chain.place.file("theirs.layout", sign(&chain.layout, &["owner"], form));
        chain.place.ok(&format!("in-toto sign theirs.layout --key boss --at {AT}"));
        let line = format!("in-toto verify --layout theirs.layout --layout-key boss.pub --layout-key owner.pub --links links --at {AT}");
        chain.place.run(&line).is(0);
        // And the tampered neighbour.
        chain.place.file(&format!("links/{}", file("build", "bob")), sign(&link("build", &[], &["app", "x"]), &["bob"], form));
        chain.place.run(&line).is(1);
    }
}

#[test]
fn rules_without_effect_fail_the_lint_and_what_may_be_meant_does_not() {
    let mut chain = Chain::new(Form::Dsse);
    // Keys as the reference implementation lists them, and none that no step names.
    let steps = chain.layout["steps"].to_string();
    let keys = chain.layout["keys"].as_object_mut().unwrap();
    keys.retain(|keyid, _| steps.contains(keyid.as_str()));
    keys.iter_mut().for_each(|(keyid, key)| key["keyid"] = keyid.clone().into());
    let mut lint = |change: &dyn Fn(&mut Value), code: i32| {
        let before = chain.layout.clone();
        change(&mut chain.layout);
        chain.place.file("x.layout", chain.layout.to_string());
        chain.layout = before;
        findings(&chain.place, "x.layout", code)
    };
    let usual = ["warning lint-far-expiry", "warning lint-one-key", "warning lint-one-key"];
    assert_eq!(lint(&|_| (), 0), usual);
    let with = |more: &str, place: usize| {
        let mut all: Vec<&str> = usual.to_vec();
        all.insert(place, more);
        all.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let rules = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    let unreachable =
        |layout: &mut Value| layout["steps"][0]["expected_products"] = rules(r#"[["ALLOW", "app"], ["ALLOW", "app"], ["DISALLOW", "*"]]"#);
    assert_eq!(lint(&unreachable, 1), with("error lint-idle-rule", 2));
    let nameless = |layout: &mut Value| {
        let keys = layout["keys"].as_object_mut().unwrap();
        keys.values_mut().take(1).for_each(|key| key["keyid"] = Value::Null);
    };
    assert_eq!(lint(&nameless, 0), with("warning lint-no-keyid", 1));
    let nothing = |layout: &mut Value| layout["steps"][0]["expected_products"] = rules(r#"[["ALLOW", "*"], ["DISALLOW", "*"]]"#);
    assert_eq!(lint(&nothing, 1), with("error lint-idle-rule", 2));
    let open = |layout: &mut Value| layout["steps"][1]["expected_materials"] = rules(r#"[["ALLOW", "app"]]"#);
    assert_eq!(lint(&open, 0), with("warning lint-no-final-disallow", 3));
    let escaped = |layout: &mut Value| layout["steps"][0]["expected_materials"] = rules(r#"[["DISALLOW", "a\\b"], ["DISALLOW", "*"]]"#);
    assert_eq!(lint(&escaped, 0), with("warning lint-dialect", 2));
    // Signed or not, as text too; what a layout says steers no terminal.
    chain.layout["steps"][0]["name"] = "b\u{1b}[2J".into();
    chain.place.file("signed.layout", sign(&chain.layout, &[], Form::Legacy));
    let ran = chain.place.run(&format!("in-toto lint signed.layout --at {AT}")).is(1);
    assert!(ran.stdout.contains("error lint-idle-rule: `pack`, materials, rule 1"), "{ran:#?}");
    assert!(!ran.stdout.contains('\u{1b}'), "{ran:#?}");
}
