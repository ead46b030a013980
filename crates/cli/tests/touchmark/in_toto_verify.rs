//! What `touchmark in-toto verify` accepts, what it refuses, and what it says.

use serde_json::json;

use crate::harness::Place;
use crate::in_toto::{AT, Chain, FORMS, Form, Key, file, inspection, layout, link, rules, sign, step};

#[test]
fn an_honest_chain_is_verified_in_both_envelopes() {
    for form in FORMS {
        let chain = Chain::new(form);
        let ran = chain.verify("").is(0);
        let (bob, carol) = (Key::of("bob").own_id(), Key::of("carol").own_id());
        assert_eq!(ran.stdout, format!("step build {bob}\nstep pack {carol}\n"));
        assert_eq!(ran.stderr, "note: no final product was given, so that nothing at hand was held against what the steps made\n");
        let result = chain.result(0, "");
        assert_eq!(result["report"]["verified"], true);
        assert_eq!(result["report"]["layouts"][0]["signed_by"], json!([Key::of("owner").own_id()]));
        assert_eq!(result["report"]["layouts"][0]["steps"][1]["materials"]["rules"][0]["consumed"], 1);
    }
}

#[test]
fn each_tampering_is_refused_and_named() {
    type Tamper = fn(&mut Chain);
    let cases: [(&str, i32, &str, Tamper); 10] = [
        ("a link by a key that may not do the step", 1, "in-toto-threshold", |chain| {
            std::fs::remove_file(chain.place.path("links").join(file("build", "bob"))).unwrap();
            chain.link("links", &link("build", &[], &["app"]), "dora");
        }),
        ("such a link under the name of one who may", 1, "in-toto-threshold", |chain| {
            let name = format!("links/{}", file("build", "bob"));
            chain.place.file(&name, sign(&link("build", &[], &["app"]), &["dora"], chain.form));
        }),
        ("the link of another step", 1, "in-toto-threshold", |chain| chain.put("links", "build", &link("pack", &[], &["app"]), "bob")),
        ("a layout in place of a link whose own links are missing", 1, "in-toto-threshold", |chain| {
            let below = layout(&["bob"], vec![step("build", &["bob"], &[], &[])], Vec::new());
            chain.put("links", "build", &below, "bob");
        }),
        ("a product that nobody allows", 1, "in-toto-disallowed", |chain| {
            chain.link("links", &link("build", &[], &["app", "backdoor"]), "bob");
        }),
        ("a material that no step made", 1, "in-toto-disallowed", |chain| {
            chain.link("links", &link("pack", &["app", "other"], &["app", "app.tar"]), "carol");
        }),
        ("a product out of its folder", 1, "in-toto-threshold", |chain| {
            chain.link("links", &link("build", &[], &["app/../../x"]), "bob");
        }),
        ("a layout without an expiry", 5, "in-toto-no-expiry", |chain| chain.layout["expires"] = "".into()),
        ("a rule that is none", 5, "in-toto-rule", |chain| chain.layout["steps"][0]["expected_products"] = json!([[]])),
        ("a step that could lead out of the folder", 5, "in-toto-item-name", |chain| chain.layout["steps"][0]["name"] = "../build".into()),
    ];
    for (what, code, reason, tamper) in cases {
        for form in FORMS {
            let mut chain = Chain::new(form);
            tamper(&mut chain);
            assert_eq!(chain.reasons(code, ""), [reason], "{what}, {form:?}");
        }
    }
}

#[test]
fn a_layout_counts_only_with_the_signature_of_every_key_and_until_it_expires() {
    let chain = Chain::new(Form::Dsse);
    assert_eq!(chain.reasons(5, "--layout-key carol.pub"), ["in-toto-layout-signature"]);
    assert_eq!(chain.reasons(5, "--at 2030-01-01T00:00:00Z"), ["in-toto-expired"]);
    chain.verify("--at 2029-12-31T23:59:59Z").is(0);
    // A byte of what is signed.
    let text = sign(&chain.layout, &["owner"], Form::Legacy).replace("2030", "2031");
    chain.place.file("changed.layout", text);
    let line = format!("in-toto verify --layout changed.layout --layout-key owner.pub --links links --at {AT}");
    chain.place.run(&line).is(5).says("the layout is not signed by the key");
}

#[test]
fn all_reasons_are_told_and_one_decides() {
    let mut chain = Chain::new(Form::Dsse);
    chain.link("links", &link("build", &[], &["app", "backdoor"]), "bob");
    chain.link("links", &link("pack", &["app"], &["app.tar", "b"]), "carol");
    chain.layout["steps"].as_array_mut().unwrap().push(step("test", &["dora"], &[], &[]));
    let ran = chain.verify("").is(1);
    for reason in ["step `test`: 0 of 1", "backdoor", "`pack`, products, rule 3, DISALLOW *", "not verified, for 3 reasons"] {
        assert!(ran.stderr.contains(reason), "{reason}: {ran:#?}");
    }
    assert_eq!(ran.stdout, "");
    let result = chain.result(1, "");
    assert_eq!(result["report"]["layouts"][0]["reasons"].as_array().unwrap().len(), 3);
    assert_eq!(result["error"]["code"], "in-toto-threshold");
    assert_eq!(result["report"]["layouts"][0]["steps"].as_array().unwrap().len(), 3);
}

#[test]
fn an_inspection_that_nobody_answers_is_not_verified_and_named_and_not_run() {
    for form in FORMS {
        let mut chain = Chain::new(form);
        chain.inspect(inspection("untar", "touch run-by-the-layout", &["ALLOW *"]));
        let ran = chain.verify("").is(1).says("inspection `untar`: it was not run").says("--inspection-key");
        assert_eq!(ran.stdout, "");
        assert_eq!(chain.reasons(1, ""), ["in-toto-inspection-unanswered"]);
        // One of a sublayout is what any functionary can write.
        let below =
            layout(&["bob"], vec![step("build", &["bob"], &[], &[])], vec![inspection("x", "touch run-by-a-functionary", &["ALLOW *"])]);
        let mut chain = Chain::new(form);
        chain.put("links", "build", &below, "bob");
        let folder = format!("links/build.{}", &Key::of("bob").keyid()[..8]);
        chain.link(&folder, &link("build", &[], &["app"]), "bob");
        let result = chain.result(1, "");
        let sublayout = &result["report"]["layouts"][1];
        assert_eq!(sublayout["reasons"][0]["code"], "in-toto-inspection-unanswered", "{result:#}");
        assert!(!chain.place.path("run-by-a-functionary").exists() && !chain.place.path("run-by-the-layout").exists());
        // Without the inspection the same sublayout holds.
        chain.put("links", "build", &layout(&["bob"], vec![step("build", &["bob"], &[], &[])], Vec::new()), "bob");
        chain.layout["steps"][0]["expected_command"] = json!(["make"]);
        chain.verify("").is(0);
    }
}

#[test]
fn a_signed_link_answers_an_inspection_by_the_inspector_s_key_alone() {
    let mut chain = Chain::new(Form::Dsse);
    chain.inspect(inspection("untar", "tar xf app.tar", &["MATCH app.tar WITH PRODUCTS FROM pack", "DISALLOW *"]));
    chain.link("links", &link("untar", &["app.tar"], &["app"]), "dora");
    chain.place.file("out/app.tar", "app.tar");
    assert_eq!(chain.reasons(1, ""), ["in-toto-inspection-unanswered"]);
    assert_eq!(chain.reasons(1, "--products out --inspection-key carol.pub").first().unwrap(), "in-toto-inspection-unanswered");
    let ran = chain.verify("--products out --inspection-key dora.pub").is(0);
    assert!(ran.stdout.ends_with(&format!("inspection untar {}\n", Key::of("dora").own_id())), "{ran:#?}");
    assert_eq!(ran.stderr, "");
    chain.link("links", &link("untar", &["app.tar", "x"], &["app"]), "dora");
    assert_eq!(chain.reasons(1, "--products out --inspection-key dora.pub"), ["in-toto-disallowed"]);
}

#[test]
fn a_signed_inspection_of_no_product_is_a_mistake_and_a_success_without_one_says_so() {
    let mut chain = Chain::new(Form::Dsse);
    chain.verify("").is(0).says("no final product was given");
    let result = chain.result(0, "");
    assert!(result["product"].is_null() && result["products"].is_null());
    chain.inspect(inspection("scan", "scan app.tar", &["MATCH app.tar WITH PRODUCTS FROM pack", "DISALLOW *"]));
    chain.link("links", &link("scan", &["other"], &[]), "dora");
    chain.verify("--inspection-key dora.pub").is(2).says("--product");
    // With one, the link must be of it.
    chain.place.file("out/app.tar", "app.tar");
    let refused = chain.result(1, "--products out --inspection-key dora.pub");
    assert_eq!(refused["report"]["layouts"][0]["inspections"][0]["files"][0]["refused"]["code"], "in-toto-other-product");
    chain.link("links", &link("scan", &["app.tar"], &[]), "dora");
    assert_eq!(chain.result(0, "--products out --inspection-key dora.pub")["products"], "out");
}

#[test]
fn parameters_are_values_and_none_may_be_missing() {
    let mut chain = Chain::new(Form::Dsse);
    chain.layout["steps"][1]["expected_products"] = rules(&["CREATE {name}.tar", "ALLOW app", "DISALLOW *"]);
    chain.verify("--param name=app").is(0);
    assert_eq!(chain.reasons(1, "--param name=other"), ["in-toto-disallowed"]);
    // A value is no pattern, and without parameters a brace is a brace.
    assert_eq!(chain.reasons(1, "--param name=*"), ["in-toto-disallowed"]);
    assert_eq!(chain.reasons(1, ""), ["in-toto-disallowed"]);
    chain.verify("--param other=app").is(2).says("--param name=VALUE");
    for wrong in ["--param name", "--param name=", "--param a.b=c", "--param name=a --param name=b", "--pass-params"] {
        chain.verify(wrong).is(2);
    }
}

#[test]
fn a_forgotten_parameter_and_one_that_nothing_uses_are_warned_of() {
    let mut chain = Chain::new(Form::Dsse);
    chain.layout["steps"][1]["expected_products"] = rules(&["DISALLOW {dir}/*"]);
    chain.link("links", &link("pack", &["app"], &["secret/key"]), "carol");
    chain.verify("").is(0).says("warning: a rule of `pack` has {dir}, and without parameters braces are only braces");
    assert_eq!(chain.result(0, "")["report"]["layouts"][0]["warnings"][0]["code"], "in-toto-braces");
    chain.verify("--param dir=secret").is(1);
    chain.verify("--param dir=").is(2).says("the value of the parameter `dir` is empty");
    // With a slash too many the rule would do nothing.
    chain.verify("--param dir=secret/").is(5).says("matches no artifact's name");
    let ran = chain.verify("--param dir=else --param other=x").is(0);
    assert!(
        ran.stderr.contains("warning: the parameter `other` is given, and nothing uses it") && !ran.stderr.contains("`dir`"),
        "{ran:#?}"
    );
    // A sublayout has none unless they are passed.
    let below = layout(&["carol"], vec![step("inner", &["carol"], &[], &["ALLOW {dir}/*"])], Vec::new());
    chain.put("links", "pack", &below, "carol");
    let folder = format!("links/pack.{}", &Key::of("carol").keyid()[..8]);
    chain.link(&folder, &link("inner", &["app"], &["secret/key"]), "carol");
    let ran = chain.verify("--param dir=else").is(0);
    assert!(ran.stderr.contains("a rule of `inner` has {dir}"), "{ran:#?}");
    assert!(!chain.verify("--param dir=else --pass-params").is(0).stderr.contains("has {dir}"));
}

#[test]
fn every_file_rule_and_artifact_is_explained_also_where_it_fails() {
    let chain = Chain::new(Form::Legacy);
    let explained = chain.verify("--explain").is(0).stdout;
    for line in [
        "layout: verified\n",
        &format!("    needs 1 of {}\n", Key::of("bob").own_id()),
        &format!("    file {}: signed by", file("pack", "carol")),
        "      1. MATCH app WITH PRODUCTS FROM build: consumed 1, left 0\n",
        "      app.tar: rule 1\n",
    ] {
        assert!(explained.contains(line), "{line}: {explained}");
    }
    chain.link("links", &link("build", &[], &["app", "backdoor"]), "bob");
    let refused = chain.verify("--explain").is(1);
    assert!(refused.stdout.contains("2. DISALLOW *: consumed 0, left 1; disallows 1"), "{refused:#?}");
    let artifacts = &chain.result(1, "--explain")["report"]["layouts"][0]["steps"][1]["products"]["artifacts"];
    assert_eq!((&artifacts[1]["name"], &artifacts[1]["consumed_by"]), (&json!("app.tar"), &json!(0)));
}

#[test]
fn what_other_implementations_wrote_is_verified_by_their_rsa_keys_and_a_byte_less_is_not() {
    let place = Place::new();
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/in-toto/golang");
    for entry in std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap()) {
        place.file(&format!("go/{}", entry.file_name().to_str().unwrap()), std::fs::read(entry.path()).unwrap());
    }
    let verify = |layout: &str| place.run(&format!("in-toto verify --layout go/{layout} --layout-key go/alice.pub --links go --at {AT}"));
    assert_eq!(verify("dsse-only.root.layout").is(0).stdout.lines().count(), 3);
    // Its one inspection unpacks an archive, and nothing is run here.
    verify("demo.layout").is(1).says("inspection `untar`: it was not run");
    verify("demo.dsse.layout").is(1).says("inspection `untar`: it was not run");
    let mut link: serde_json::Value = serde_json::from_slice(&place.read("go/package-dsse.2f89b927.link")).unwrap();
    link["payload"] = link["payload"].as_str().unwrap().replacen('a', "b", 1).into();
    place.file("go/package-dsse.2f89b927.link", link.to_string());
    verify("dsse-only.root.layout").is(1).says("step `package-dsse`: 0 of 1");
    // No artifact is verified by such a key, nor does anything else take it.
    place.run("key show go/alice.pub").is(2);
}

#[test]
fn another_command_than_the_expected_one_is_a_warning() {
    let mut chain = Chain::new(Form::Dsse);
    chain.layout["steps"][0]["expected_command"] = json!(["make", "-j"]);
    chain.verify("").is(0).says("warning: `build`");
}

#[test]
fn what_the_command_line_lacks_is_a_mistake_and_what_is_not_there_could_not_be_found_out() {
    let chain = Chain::new(Form::Dsse);
    chain.verify("").is(0);
    let line = |words: &str| chain.place.run(&format!("in-toto verify --layout root.layout {words}"));
    line("--links links").is(2);
    line("--layout-key owner.pub").is(2);
    line("--layout-key none.pub --links links").is(2);
    line("--layout-key root.layout --links links").is(2);
    line("--layout-key - --layout - --links links").is(2);
    line("--layout-key owner.pub --links none").is(4).says("none");
    line("--layout-key owner.pub --links owner.pub").is(4);
    chain.place.run("in-toto verify --layout none --layout-key owner.pub --links links").is(2);
    chain.place.key("private");
    line("--layout-key private --links links").is(2);
}

#[test]
fn functionaries_with_certificates_are_found_in_the_folder_and_verified_at_the_time_that_is_given() {
    let place = Place::new();
    let made = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/in-toto/golang-x509");
    for entry in std::fs::read_dir(made).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        place.file(&format!("links/{name}"), std::fs::read(entry.path()).unwrap());
    }
    let verify =
        |more: &str| place.run(&format!("in-toto verify --layout links/root.layout --layout-key links/owner.pub --links links {more}"));
    let ran = verify(&format!("--at {AT} --explain")).is(0);
    for told in ["or a certificate that meets its constraint", "by the certificate of `CN=builder`, under the root"] {
        assert!(ran.stdout.contains(told), "{ran:#?}");
    }
    verify(&format!("--at {AT} --format json")).is(0);
    let ran = verify("--at 2025-12-31T00:00:00Z").is(1);
    assert!(ran.stderr.contains("a certificate is valid only from 2026-01-01T00:00:00Z"), "{ran:#?}");
}
