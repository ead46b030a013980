//! Rules between the steps of a layout (in-toto 1.0, 4.3.3 and 5.2, item 5). What each rule does is in tests/rules.rs.

use touchmark_in_toto::engine::RuleFailure;
use touchmark_in_toto::{Class, Reason};

use crate::chain::{Chain, FORMS, Form, Layout, step};

#[test]
fn a_material_that_no_step_made_is_refused() {
    for form in FORMS {
        let mut chain = Chain::demo(form);
        chain.put("package", 2, &[("foo.py", "tampered")], &[("foo.py", "tampered"), ("foo.tgz", "2")]);
        assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-disallowed"], Class::NotVerified));
        assert_eq!(chain.told(), "`package`, materials, rule 2, DISALLOW *: disallows 1 that no rule before it consumed: `foo.py`");
    }
}

#[test]
fn all_reasons_are_told_and_not_the_first() {
    let mut chain = Chain::demo(Form::Dsse);
    chain.layout.expires = "2020-01-01T00:00:00Z".into();
    chain.layout.steps[0].products.insert(0, "REQUIRE README".into());
    chain.put("write", 1, &[("x", "1")], &[("foo.py", "1")]);
    chain.put("package", 2, &[("foo.py", "other"), ("y", "1")], &[("foo.tgz", "2"), ("z", "1")]);
    assert_eq!(chain.refused(), ["in-toto-expired", "in-toto-disallowed", "in-toto-required", "in-toto-disallowed", "in-toto-disallowed"]);
    let rejected = chain.rejected();
    let Reason::Rule { failure: RuleFailure::Disallowed { names, found: 2 }, .. } = &rejected.report.reasons[3] else {
        panic!("{rejected}")
    };
    assert_eq!(names, &["foo.py", "y"]);
    // 5 is worse than 1.
    assert_eq!(rejected.class(), Class::UntrustedMetadata);
}

#[test]
fn rules_about_a_step_that_does_not_hold_add_no_reasons_of_their_own() {
    let mut chain = Chain::demo(Form::Dsse);
    chain.files.remove(&crate::chain::file("write", 1));
    assert_eq!(chain.refused(), ["in-toto-threshold"]);
    let report = chain.rejected().report;
    assert!(report.steps[1].materials.is_none() && report.steps[1].products.is_some());
}

#[test]
fn a_malformed_rule_anywhere_is_refused_before_anything_is_looked_for() {
    // Go notices it when it comes to it, and not at all in a DISALLOW.
    for rule in ["MATCH * WITH BYPRODUCTS FROM write", "DISALOW *", "ALLOW a b", "REQUIRE ../x"] {
        let mut chain = Chain::demo(Form::Dsse);
        chain.layout.steps[1].products.push(rule.into());
        assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-rule"], Class::UntrustedMetadata), "{rule}");
        assert!(chain.asked.is_empty());
    }
}

#[test]
fn a_disallow_that_could_never_refuse_anything_is_refused_itself() {
    for pattern in ["./secret/*", "secret//*", "/secret/*", "secret/../secret/*", "secret/"] {
        let mut chain = Chain::new(Form::Dsse, Layout::of(&[1], vec![step("s", &[1], &[], &[])]));
        chain.put("s", 1, &[], &[("secret/key", "1")]);
        assert!(chain.verify().is_ok());
        chain.layout.steps[0].products = vec![format!("DISALLOW {pattern}")];
        assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-rule"], Class::UntrustedMetadata), "{pattern}");
    }
}

#[test]
fn patterns_that_peers_skip_disallow() {
    // Go's matcher finds these malformed and skips the rule.
    for (pattern, name) in [("[-a]x", "ax"), ("[]a]x", "ax"), ("[a", "[a"), ("a\\b", "a\\b"), ("x**", "xy")] {
        let mut chain = Chain::new(Form::Dsse, Layout::of(&[1], vec![step("s", &[1], &[], &[])]));
        chain.layout.steps[0].products = vec![format!("DISALLOW {pattern}")];
        chain.put("s", 1, &[], &[("b", "1")]);
        assert!(chain.verify().is_ok(), "{pattern}");
        chain.put("s", 1, &[], &[("b", "1"), (name, "1")]);
        assert_eq!(chain.refused(), ["in-toto-disallowed"], "{pattern}");
    }
}

#[test]
fn a_path_out_of_an_allowed_folder_is_refused() {
    // CVE-2021-41087: python passes it today.
    let mut chain = Chain::new(Form::Dsse, Layout::of(&[1], vec![step("s", &[1], &[], &["ALLOW safe/*", "DISALLOW *"])]));
    for (name, verified) in [("safe/x", true), ("safe/../../etc/passwd", false), ("safe/./x", false), ("safe//x", false)] {
        chain.put("s", 1, &[], &[(name, "1")]);
        assert_eq!(chain.verify().is_ok(), verified, "{name}");
    }
}

#[test]
fn match_does_not_reach_out_of_its_prefix_or_its_pattern() {
    // Go consumes what is outside the source prefix; in-toto-rs ignores the pattern of a MATCH.
    let make = step("make", &[1], &[], &[]);
    let pack = step("pack", &[1], &["MATCH *.c IN lib WITH PRODUCTS IN src FROM make", "DISALLOW *"], &[]);
    let mut chain = Chain::new(Form::Dsse, Layout::of(&[1], vec![make, pack]));
    chain.put("make", 1, &[], &[("src/a.c", "1"), ("src/a.h", "1"), ("x.c", "1"), ("lib/a.c", "1"), ("srca.c", "1")]);
    for (materials, verified) in [
        (&[("lib/a.c", "1")][..], true),
        (&[("lib/a.c", "2")], false),
        (&[("lib/a.h", "1")], false),
        (&[("x.c", "1")], false),
        (&[("a.c", "1")], false),
        (&[("libra.c", "1")], false),
        (&[("lib/b.c", "1")], false),
    ] {
        chain.put("pack", 1, materials, &[]);
        assert_eq!(chain.verify().is_ok(), verified, "{materials:?}");
    }
}
