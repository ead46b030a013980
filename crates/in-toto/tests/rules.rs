//! What each rule consumes, leaves and refuses (in-toto 1.0, 4.3.3), and in how much time.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, and helpers outside of #[test] functions are not seen as test code")]

use touchmark_in_toto::engine::{self, Applied, MAX_NAME, MAX_NAMES, OutOfWork, RuleFailure, Work};
use touchmark_in_toto::{Artifacts, Link, Origin, Parameters, Rule, Side};

fn artifacts(all: &[(&str, &str)]) -> Artifacts {
    Artifacts::new(all.iter().map(|(name, digest)| (*name, [("sha256", *digest)]))).unwrap()
}

fn link(materials: &[(&str, &str)], products: &[(&str, &str)]) -> Link {
    Link { name: "it".into(), command: vec![], materials: artifacts(materials), products: artifacts(products), origin: Origin::Link }
}

fn rules(rules: &[&str]) -> Vec<Rule> {
    rules.iter().map(|rule| Rule::new(&rule.split(' ').collect::<Vec<_>>(), &Parameters::new()).unwrap()).collect()
}

/// Applies rules to an item, where `other` is another step.
fn applied(list: &[&str], side: Side, item: &Link, other: &Link) -> Applied {
    let others = |name: &str| match name {
        "it" => Some(item),
        "other" => Some(other),
        _ => None,
    };
    engine::apply(&rules(list), side, item, others, &mut Work::new(1 << 20)).unwrap()
}

/// What is left, if no rule failed.
fn left(list: &[&str], side: Side, item: &Link, other: &Link) -> Option<Vec<String>> {
    let applied = applied(list, side, item, other);
    let names = item.artifacts(side).iter().zip(applied.consumed_by());
    applied.is_passed().then(|| names.filter(|(_, rule)| rule.is_none()).map(|(artifact, _)| artifact.name.to_owned()).collect())
}

#[test]
fn create_delete_and_modify_are_about_the_difference_of_both_sides() {
    let item = link(&[("same", "00"), ("mod", "00"), ("old", "00")], &[("same", "00"), ("mod", "01"), ("new", "00")]);
    let none = link(&[], &[]);
    for (rule, materials, products) in [
        ("CREATE *", &["mod", "old", "same"][..], &["mod", "same"][..]),
        ("DELETE *", &["mod", "same"], &["mod", "new", "same"]),
        ("MODIFY *", &["old", "same"], &["new", "same"]),
        ("ALLOW *", &[], &[]),
        ("CREATE m*", &["mod", "old", "same"], &["mod", "new", "same"]),
        ("MODIFY mod", &["old", "same"], &["new", "same"]),
        ("ALLOW s?m[e]", &["mod", "old"], &["mod", "new"]),
    ] {
        assert_eq!(left(&[rule], Side::Materials, &item, &none).unwrap(), materials, "{rule}");
        assert_eq!(left(&[rule], Side::Products, &item, &none).unwrap(), products, "{rule}");
    }
}

#[test]
fn disallow_refuses_what_is_still_there_and_only_that() {
    let item = link(&[("a", "00"), ("b", "00")], &[]);
    let none = link(&[], &[]);
    assert_eq!(left(&["DISALLOW a"], Side::Materials, &item, &none), None);
    assert_eq!(left(&["ALLOW a", "DISALLOW a"], Side::Materials, &item, &none).unwrap(), ["b"]);
    assert_eq!(left(&["DISALLOW c*"], Side::Materials, &item, &none).unwrap(), ["a", "b"]);
    assert_eq!(left(&["DISALLOW *"], Side::Products, &item, &none).unwrap(), [""; 0]);
    // It consumes nothing: what follows is applied to the same queue, and all failures are told.
    let applied = applied(&["DISALLOW a", "DISALLOW *", "ALLOW *", "DISALLOW *"], Side::Materials, &item, &none);
    let failed: Vec<bool> = applied.rules().iter().map(|rule| rule.failure.is_some()).collect();
    assert_eq!(failed, [true, true, false, false]);
    assert_eq!(applied.consumed_by().collect::<Vec<_>>(), [Some(2), Some(2)]);
}

#[test]
fn require_is_a_name_that_no_rule_before_it_consumed() {
    let item = link(&[("a*", "00"), ("ab", "00")], &[]);
    let none = link(&[], &[]);
    assert_eq!(left(&["REQUIRE a*", "REQUIRE ab"], Side::Materials, &item, &none).unwrap(), ["a*", "ab"]);
    for (list, consumed) in [(&["REQUIRE a?"][..], false), (&["ALLOW ab", "REQUIRE ab"], true)] {
        let failure = applied(list, Side::Materials, &item, &none).rules().last().unwrap().failure.clone();
        assert!(matches!(failure, Some(RuleFailure::Required { consumed: found, .. }) if found == consumed), "{list:?}");
    }
    assert_eq!(left(&["REQUIRE ab"], Side::Products, &item, &none), None);
}

#[test]
fn match_consumes_what_the_other_step_has_with_the_same_digests() {
    let item = link(&[("a", "00"), ("b", "01"), ("lib/a", "00"), ("lib/x/a", "00"), ("liba", "00")], &[]);
    let other = link(&[("liba", "00")], &[("a", "00"), ("b", "00"), ("out/a", "00"), ("out/x/a", "00")]);
    for (rule, expected) in [
        ("MATCH * WITH PRODUCTS FROM other", &["b", "lib/a", "lib/x/a", "liba"][..]),
        ("MATCH * WITH MATERIALS FROM other", &["a", "b", "lib/a", "lib/x/a"]),
        ("MATCH * WITH PRODUCTS FROM missing", &["a", "b", "lib/a", "lib/x/a", "liba"]),
        ("MATCH * WITH PRODUCTS FROM Other", &["a", "b", "lib/a", "lib/x/a", "liba"]),
        ("MATCH * IN lib WITH PRODUCTS FROM other", &["a", "b", "lib/x/a", "liba"]),
        ("MATCH * IN lib WITH PRODUCTS IN out FROM other", &["a", "b", "liba"]),
        ("MATCH x/* IN lib/ WITH PRODUCTS IN out/ FROM other", &["a", "b", "lib/a", "liba"]),
        ("MATCH *a IN lib/x WITH PRODUCTS IN out FROM other", &["a", "b", "lib/a", "liba"]),
        ("MATCH lib/* IN lib WITH PRODUCTS IN out FROM other", &["a", "b", "lib/a", "lib/x/a", "liba"]),
        ("MATCH a WITH PRODUCTS IN out FROM other", &["b", "lib/a", "lib/x/a", "liba"]),
        ("MATCH * WITH MATERIALS FROM it", &[]),
    ] {
        assert_eq!(left(&[rule], Side::Materials, &item, &other).unwrap(), expected, "{rule}");
    }
}

#[test]
fn names_of_what_is_disallowed_are_few_and_all_are_counted() {
    let names: Vec<String> = (0..1000).map(|number| format!("{number:04}")).collect();
    let item = link(&names.iter().map(|name| (name.as_str(), "00")).collect::<Vec<_>>(), &[]);
    let applied = applied(&["ALLOW 00*", "DISALLOW *"], Side::Materials, &item, &link(&[], &[]));
    let Some(RuleFailure::Disallowed { names, found: 900 }) = &applied.rules()[1].failure else { panic!("{applied:?}") };
    assert_eq!((names.len(), names[0].as_str()), (MAX_NAMES, "0100"));
}

#[test]
fn no_names_as_long_as_a_stranger_likes_are_kept_for_each_rule_that_fails() {
    let names: Vec<String> = (0..32).map(|number| format!("{}{number}", "é".repeat(10_000))).collect();
    let item = link(&names.iter().map(|name| (name.as_str(), "00")).collect::<Vec<_>>(), &[]);
    let list = rules(&["DISALLOW *"; 1000]);
    let applied = engine::apply(&list, Side::Materials, &item, |_| None, &mut Work::new(1 << 20)).unwrap();
    let failures: Vec<&RuleFailure> = applied.rules().iter().map(|rule| rule.failure.as_ref().unwrap()).collect();
    let kept: Vec<&String> = failures
        .iter()
        .flat_map(|failure| match failure {
            RuleFailure::Disallowed { names, found: 32 } => names,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(kept.len(), 4096);
    assert!(kept.iter().all(|name| name.len() <= MAX_NAME && name.ends_with("é…")));
    assert_eq!(failures[999].to_string(), "disallows 32 that no rule before it consumed");
    let long = "x".repeat(1000);
    let missing = engine::apply(&rules(&[&format!("REQUIRE {long}")]), Side::Products, &item, |_| None, &mut Work::new(9)).unwrap();
    assert!(matches!(&missing.rules()[0].failure, Some(RuleFailure::Required { name, .. }) if name.len() == MAX_NAME));
}

/// Whether these rules for 100 folders of 100 files take no more than so many units of work.
fn fit(list: &[String], units: u64) -> bool {
    let names: Vec<String> = (0..10_000).map(|number| format!("dir{:02}/file{:02}", number / 100, number % 100)).collect();
    let all: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "00")).collect();
    let (item, other) = (link(&all, &all), link(&all, &all));
    let list = rules(&list.iter().map(String::as_str).collect::<Vec<_>>());
    engine::apply(&list, Side::Products, &item, |_| Some(&other), &mut Work::new(units)) != Err(OutOfWork)
}

#[test]
fn names_and_folders_take_work_in_proportion_to_the_artifacts() {
    // A rule for each of 100 folders, ten times over: what one consumed no other looks at.
    let folders = |rule: &str| -> Vec<String> {
        (0..1000).map(|number| rule.replace("DIR", &format!("dir{:02}", number % 100))).chain(["DISALLOW *".to_owned()]).collect()
    };
    let allow = folders("ALLOW DIR/*");
    assert!(fit(&allow, 10_000) && !fit(&allow, 9_999));
    assert!(fit(&folders("CREATE DIR/*"), 40_000 + 1000 * 100 + 10_000));
    assert!(fit(&folders("MATCH DIR/* WITH PRODUCTS FROM other"), 40_000));
    assert!(fit(&folders("MATCH * IN DIR WITH PRODUCTS IN DIR FROM other"), 40_000));
    // A rule for each name.
    let names = |rule: &str| -> Vec<String> {
        (0..10_000).map(|number| rule.replace("NAME", &format!("dir{:02}/file{:02}", number / 100, number % 100))).collect()
    };
    assert!(fit(&names("MATCH NAME WITH PRODUCTS FROM other"), 40_000));
    assert!(fit(&names("REQUIRE NAME"), 0));
}
