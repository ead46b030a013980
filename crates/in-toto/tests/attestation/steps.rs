//! What counts as evidence for a step, and what does not.

use touchmark_envelope::sign::Signer as _;
use touchmark_in_toto::attestation::{MAX_STATEMENTS, Offered};
use touchmark_in_toto::predicate::{link, provenance, test_result};
use touchmark_in_toto::{Answered, Class, Parameters, Reason, Refusal};

use crate::world::{BUILDER, World, built, digest, expects, file, key, keyid, linked, sign, statement, step, tested};

#[test]
fn a_supply_chain_of_statements_is_verified() {
    let chain = World::demo().verify().unwrap();
    for (step, number) in chain.report.steps.iter().zip(1..) {
        assert_eq!((step.answer, step.counted.as_slice()), (Answered::Signed, &[key(number).public_key().clone()][..]));
        assert_eq!(step.predicates.len(), 1);
        assert_eq!(step.predicates[0].counted, step.counted);
    }
    let summary = chain.summary.unwrap();
    assert_eq!((summary.name.as_str(), summary.materials.len(), summary.products.len()), ("build", 0, 1));
    // What was tested is what the test began and ended with.
    let test = chain.report.steps[1].link.as_ref().unwrap();
    assert_eq!((&test.materials, test.materials.len()), (&test.products, 1));
}

#[test]
fn a_missing_statement_is_refused_and_the_rest_is_told() {
    for missing in ["clone", "test", "build"] {
        let mut world = World::demo();
        world.files.retain(|name, _| !name.starts_with(missing));
        let rejected = world.rejected();
        assert_eq!(rejected.class(), Class::NotVerified);
        let [Reason::Predicate { item, needed: 1, found: 0, unavailable: false, .. }] = rejected.report.reasons.as_slice() else {
            panic!("{rejected}")
        };
        assert_eq!(item, missing);
    }
}

#[test]
fn a_statement_with_another_predicate_does_not_count() {
    let mut world = World::demo();
    world.put("build", 3, &linked("build", &[("foo", "source")], &[("bin/foo", "binary")]));
    assert_eq!((world.refused(), world.verdicts(2)), (vec!["in-toto-predicate-threshold"], vec!["in-toto-predicate"]));
    world.put("build", 3, &built(&[("foo", "source")], &[("bin/foo", "binary")]).replace("provenance/v1", "provenance/v0.2"));
    assert_eq!(world.verdicts(2), ["in-toto-predicate"]);
    // A link of in-toto 1.0, and a layout, are no statements.
    world.put("clone", 1, r#"{"_type":"link","name":"clone","materials":{},"products":{}}"#);
    assert_eq!(world.verdicts(0), ["in-toto-type"]);
    world.put("clone", 1, &World::demo().to_json());
    assert_eq!(world.verdicts(0), ["in-toto-type"]);
    let sublayout = r#"{"_type":"layout","expires":"2030-01-01T00:00:00Z","keys":{},"steps":[],"inspect":[]}"#;
    world.put("clone", 1, sublayout);
    assert_eq!(world.verdicts(0), ["in-toto-type"]);
}

#[test]
fn a_statement_of_another_functionary_does_not_count() {
    let mut world = World::demo();
    let honest = built(&[("foo", "source")], &[("bin/foo", "binary")]);
    // Of a stranger, and of a functionary of another step, under the name of the one who may.
    for number in [7, 1] {
        world.files.insert(file("build", 3, "json"), sign(&honest, &[number]));
        assert_eq!((world.refused(), world.verdicts(2)), (vec!["in-toto-predicate-threshold"], vec!["in-toto-link-signature"]));
    }
    // Who may vouch for one predicate of a step may not for another.
    world.steps[2] = step("build", &[], &[], &[expects(provenance::TYPE, &[3], 1, ""), expects(test_result::TYPE, &[4], 1, "")]);
    world.files.insert(file("build", 3, "json"), sign(&honest, &[3]));
    world.files.insert(file("build", 4, "json"), sign(&tested("PASSED", &[("x", "binary")]), &[4]));
    assert!(world.verify().is_ok());
    world.files.insert(file("build", 3, "intoto.jsonl"), world.files[&file("build", 4, "json")].clone());
    world.files.insert(file("build", 4, "json"), sign(&tested("PASSED", &[("x", "binary")]), &[3]));
    world.files.remove(&file("build", 3, "intoto.jsonl"));
    assert_eq!((world.refused(), world.verdicts(2)), (vec!["in-toto-predicate-threshold"], vec!["counts", "in-toto-link-signature"]));
}

#[test]
fn a_link_of_another_step_does_not_count() {
    let mut world = World::demo();
    world.put("clone", 1, &linked("checkout", &[], &[("foo", "source")]));
    assert_eq!((world.refused(), world.verdicts(0)), (vec!["in-toto-predicate-threshold"], vec!["in-toto-link-name"]));
}

#[test]
fn each_predicate_is_vouched_for_by_its_own_statements() {
    let mut world = World::demo();
    world.steps[2] = step("build", &[], &[], &[expects(provenance::TYPE, &[3], 1, ""), expects(test_result::TYPE, &[3], 1, "")]);
    // Who may vouch for both vouched for one.
    assert_eq!(world.refused(), ["in-toto-predicate-threshold"]);
    let tested = tested("PASSED", &[("x", "binary")]);
    let both = [world.files[&file("build", 3, "json")].as_slice(), &sign(&tested, &[3])].join(&b'\n');
    world.files.insert(file("build", 3, "intoto.jsonl"), both);
    assert!(world.verify().is_ok());
}

#[test]
fn a_threshold_is_one_of_distinct_public_keys() {
    let mut world = World::demo();
    let honest = tested("PASSED", &[("foo", "source")]);
    world.steps[1] = step("test", &[], &[], &[expects(test_result::TYPE, &[1, 2], 2, "")]);
    let rejected = world.rejected();
    assert!(matches!(rejected.report.reasons[0], Reason::Predicate { needed: 2, found: 1, .. }), "{rejected}");
    world.put("test", 1, &honest);
    assert_eq!(world.verify().unwrap().report.steps[1].counted.len(), 2);
    // One envelope with both signatures is as good.
    world.files.remove(&file("test", 1, "json"));
    world.files.insert(file("test", 2, "json"), sign(&honest, &[1, 2]));
    assert!(world.verify().is_ok());
    // One key under two names, or under its keyid too, is one functionary.
    world.functionaries = vec![("key-1".into(), 1), ("key-2".into(), 2), ("key-3".into(), 3), ("again".into(), 2)];
    world.steps[1] = step("test", &[], &[], &[expects(test_result::TYPE, &[2], 2, "").replace(r#""key-2""#, r#""key-2","again""#)]);
    assert_eq!(world.refused(), ["in-toto-unreachable-threshold"]);
    world.steps[1] = world.steps[1].replace("again", &keyid(2));
    assert_eq!(world.refused(), ["in-toto-unreachable-threshold"]);
    world.steps[1] = world.steps[1].replace(r#""threshold":2"#, r#""threshold":1"#);
    assert!(world.verify().is_ok());
    world.steps[1] = world.steps[1].replace(r#""key-2""#, r#""nobody""#).replace(&keyid(2), "none");
    assert_eq!(world.refused(), ["in-toto-unreachable-threshold"]);
}

#[test]
fn statements_that_contradict_each_other_are_refused_whatever_the_threshold() {
    let mut world = World::demo();
    world.steps[2] = step("build", &["ALLOW *"], &["ALLOW *"], &[expects(provenance::TYPE, &[3, 4], 1, "")]);
    world.put("build", 4, &built(&[("foo", "source")], &[("bin/foo", "binary")]));
    assert!(world.verify().is_ok());
    for other in [
        built(&[("foo", "source")], &[("bin/foo", "other")]),
        built(&[("foo", "other")], &[("bin/foo", "binary")]),
        built(&[], &[("bin/foo", "binary")]),
        built(&[("foo", "source")], &[("bin/foo", "binary"), ("bin/bar", "binary")]),
    ] {
        world.put("build", 4, &other);
        assert_eq!(world.refused(), ["in-toto-disagreement"]);
    }
    // Links and provenance of one step say the same, or it is two steps.
    let mut world = World::demo();
    world.steps[2] = step("build", &[], &[], &[expects(provenance::TYPE, &[3], 1, ""), expects(link::TYPE, &[4], 1, "")]);
    world.put("build", 4, &linked("build", &[("foo", "source")], &[("bin/foo", "binary")]));
    assert!(world.verify().is_ok());
    world.put("build", 4, &linked("build", &[("foo", "source")], &[("bin/foo", "other")]));
    assert_eq!(world.refused(), ["in-toto-disagreement"]);
    // So do those who test.
    let mut world = World::demo();
    world.steps[1] = step("test", &[], &[], &[expects(test_result::TYPE, &[2, 4], 1, "")]);
    world.put("test", 4, &tested("PASSED", &[("foo", "source"), ("bar", "source")]));
    assert_eq!(world.refused(), ["in-toto-disagreement"]);
}

#[test]
fn two_statements_of_one_functionary_and_type_are_refused() {
    let mut world = World::demo();
    let (passed, failed) = (tested("PASSED", &[("foo", "source")]), tested("FAILED", &[("foo", "source")]));
    // The same statement twice is one.
    world.files.insert(file("test", 2, "link"), sign(&passed, &[2]));
    world.offer("again", &passed, &[2]);
    assert!(world.verify().is_ok());
    // Which of two is meant nobody knows: neither the later file, nor the better result.
    world.files.insert(file("test", 2, "link"), sign(&failed, &[2]));
    let rejected = world.rejected();
    let [Reason::Twice { step, first, other, .. }] = rejected.report.reasons.as_slice() else { panic!("{rejected}") };
    assert_eq!((step.as_str(), first, other), ("test", &file("test", 2, "json"), &file("test", 2, "link")));
    assert!(rejected.report.steps[1].link.is_none(), "nothing is taken of the step");
    world.files.remove(&file("test", 2, "link"));
    world.offer("rerun", &failed, &[2]);
    assert_eq!(world.refused(), ["in-toto-twice"]);
}

/// A statement does not say which step it is of, so that one that was signed for a step could be copied to the name of another.
#[test]
fn one_statement_is_evidence_for_one_step() {
    let mut world = World::demo();
    let by_bob = [expects(test_result::TYPE, &[2], 1, "")];
    world.steps = vec![step("unit", &[], &[], &by_bob), step("whole", &[], &[], &by_bob)];
    world.files.clear();
    let (unit, whole) = (tested("PASSED", &[("foo", "source")]), tested("PASSED", &[("foo", "source")]).replace("[]", "[ ]"));
    world.put("unit", 2, &unit);
    world.put("whole", 2, &whole);
    assert!(world.verify().is_ok());
    world.put("whole", 2, &unit);
    assert_eq!(world.refused(), ["in-toto-one-for-two", "in-toto-predicate-threshold"]);
    let report = world.rejected().report;
    assert!(report.steps.iter().all(|step| step.link.is_none() && step.counted.is_empty()), "it counts for neither");
    assert_eq!(world.verdicts(0), ["in-toto-one-for-two"]);
    // So it is where it is offered for both.
    world.files.clear();
    world.offer("unit", &unit, &[2]);
    assert_eq!(world.refused(), ["in-toto-one-for-two", "in-toto-predicate-threshold"]);
    // What one step does not take is free for the other.
    world.steps[0] = step("unit", &[], &[], &[expects(test_result::TYPE, &[2], 1, r#"{"at":"/kind","equals":"unit"}"#)]);
    world.put("unit", 2, &unit.replace(r#""result""#, r#""kind":"unit","result""#));
    world.steps[1] = step("whole", &[], &[], &[expects(test_result::TYPE, &[2], 1, r#"{"at":"/kind","present":false}"#)]);
    assert_eq!(world.refused(), ["in-toto-twice"]);
    world.offered.clear();
    world.put("whole", 2, &unit);
    assert!(world.verify().is_ok());
}

/// What is offered is looked at for every step, whichever it is of: only that which counts for two is taken for a copy.
#[test]
fn a_statement_about_what_another_step_made_takes_nothing_from_that_step() {
    let both = |name| step(name, &[], &[], &[expects(link::TYPE, &[1], 1, ""), expects(test_result::TYPE, &[2, 4], 1, "")]);
    let mut world = World::new(&[both("client"), both("server")]);
    for (name, number) in [("client", 2), ("server", 4)] {
        world.offer(name, &linked(name, &[], &[("out", name)]), &[1]);
        world.offer(&format!("test of {name}"), &tested("PASSED", &[("out", name)]), &[number]);
    }
    let chain = world.verify().unwrap();
    let counted: Vec<usize> = chain.report.steps.iter().map(|step| step.counted.len()).collect();
    assert_eq!(counted, [2, 2]);
    let (count, made, other) = ("counts", "in-toto-other-subject", "in-toto-link-name");
    assert_eq!((world.verdicts(0), world.verdicts(1)), (vec![count, count, other, made], vec![other, made, count, count]));
    // Two steps made the same: then a test of one is one of the other, and stands for neither. A third step has its own.
    let mut world = World::new(&[both("docs"), both("client"), both("server")]);
    for (name, content) in [("docs", "text"), ("client", "same"), ("server", "same")] {
        world.offer(name, &linked(name, &[], &[("out", content)]), &[1]);
    }
    world.offer("test", &tested("PASSED", &[("out", "same")]), &[2]);
    world.offer("test of docs", &tested("PASSED", &[("out", "text")]), &[4]);
    assert_eq!(world.refused(), ["in-toto-one-for-two", "in-toto-predicate-threshold"]);
    let holds = |step: &touchmark_in_toto::ItemReport| step.link.is_some() && !step.counted.is_empty();
    assert_eq!(world.rejected().report.steps.iter().map(holds).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!((world.verdicts(1)[3], world.verdicts(2)[3]), ("in-toto-one-for-two", "in-toto-one-for-two"));
}

#[test]
fn a_statement_that_does_not_meet_a_constraint_does_not_count_and_hides_none_that_does() {
    let mut world = World::demo();
    world.put("test", 2, &tested("FAILED", &[("foo", "source")]));
    let rejected = world.rejected();
    assert_eq!(world.verdicts(1), ["in-toto-unmet"]);
    let shown = rejected.to_string();
    assert!(shown.contains(r#"`/result` is "FAILED" and must equal "PASSED""#), "{shown}");
    let missing = statement(test_result::TYPE, &[("foo", "source")], r#"{"result":"PASSED","configuration":[]}"#);
    world.put("test", 2, &missing);
    let Some(Refusal::Unmet(unmet)) = &world.rejected().report.steps[1].files[0].refusal.clone() else { panic!() };
    assert_eq!((unmet.len(), unmet[0].at.as_str(), unmet[0].found.as_ref()), (1, "/failedTests", None));
    world.steps[1] = world.steps[1].replace(r#"["key-2"]"#, r#"["key-2","key-4"]"#);
    world.put("test", 4, &tested("PASSED", &[("foo", "source")]));
    assert!(world.verify().is_ok());
    // Another builder than the one that is trusted.
    let mut world = World::demo();
    world.put("build", 3, &built(&[("foo", "source")], &[("bin/foo", "binary")]).replace(BUILDER, "https://builder.example/v2"));
    assert_eq!((world.refused(), world.verdicts(2)), (vec!["in-toto-predicate-threshold"], vec!["in-toto-unmet"]));
}

#[test]
fn a_predicate_that_is_not_what_its_specification_says_does_not_count() {
    let mut world = World::demo();
    let good = built(&[("foo", "source")], &[("bin/foo", "binary")]);
    for (from, to) in [
        (r#""builder":{"id":"https://builder.example/v1"}"#, r#""builder":{}"#),
        (r#""buildType":"https://builder.example/make","#, ""),
        (r#""name":"foo""#, r#""name":"../foo""#),
        (r#""name":"bin/foo""#, r#""name":"bin//foo""#),
        (r#""runDetails":{"#, r#""runDetails":{"metadata":1,"#),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        world.put("build", 3, &bad);
        assert_eq!(world.refused(), ["in-toto-predicate-threshold"], "{to}");
        assert!(matches!(world.rejected().report.steps[2].files[0].refusal, Some(Refusal::Malformed(_))), "{to}");
    }
}

/// The subjects of a step are its products, and MATCH goes by their digests: what vouches for another artifact of the same name is left over.
#[test]
fn a_predicate_about_another_artifact_does_not_count_for_this_one() {
    let mut world = World::demo();
    world.put("test", 2, &tested("PASSED", &[("foo", "other")]));
    assert_eq!(world.refused(), ["in-toto-disallowed", "in-toto-disallowed"]);
    world.put("test", 2, &tested("PASSED", &[("bar", "source")]));
    assert_eq!(world.refused(), ["in-toto-disallowed", "in-toto-disallowed", "in-toto-disallowed"]);
    // By digests of which two things can be made, or that nobody can compare.
    let weak = tested("PASSED", &[("foo", "source")]).replace(&digest("source"), r#"{"sha1":"00"}"#);
    world.put("test", 2, &weak);
    assert!(world.refused().contains(&"in-toto-disallowed"));
    world.put("test", 2, &tested("PASSED", &[("foo", "source")]).replace(&digest("source"), r#"{"arn":"arn:x"}"#));
    assert_eq!(world.verdicts(1), ["in-toto-artifact-digest"]);
}

#[test]
fn beside_a_link_a_predicate_counts_only_if_it_is_about_what_the_step_made() {
    let mut world = World::demo();
    let both = [expects(provenance::TYPE, &[3], 1, ""), expects(test_result::TYPE, &[4], 1, "")];
    world.steps[2] = step("build", &[], &["CREATE bin/foo", "DISALLOW *"], &both);
    // Whatever it is called there, and if it is called nothing.
    for name in ["bin/foo", "registry.example/foo", "../x"] {
        world.put("build", 4, &tested("PASSED", &[(name, "binary")]));
        assert!(world.verify().is_ok(), "{name}");
    }
    // One of another release, which anybody may bring, takes nothing from a good one by the same key; one that is of this, too, does.
    world.put("build", 4, &tested("PASSED", &[("bin/foo", "binary")]));
    world.offer("older", &tested("FAILED", &[("bin/foo", "older")]), &[4]);
    assert!(world.verify().is_ok());
    assert_eq!(world.verdicts(2), ["counts", "counts", "in-toto-other-subject"]);
    for failed in [&[("bin/foo", "binary")][..], &[("bin/foo", "older"), ("bin/foo2", "binary")]] {
        world.offer("failed", &tested("FAILED", failed), &[4]);
        assert_eq!(world.refused(), ["in-toto-twice"]);
        world.offered.pop();
    }
    world.offered.clear();
    for other in [&[("bin/foo", "other")][..], &[("bin/foo", "binary"), ("bin/foo2", "other")], &[("foo", "source")]] {
        world.put("build", 4, &tested("PASSED", other));
        assert_eq!((world.refused(), world.verdicts(2)), (vec!["in-toto-predicate-threshold"], vec!["counts", "in-toto-other-subject"]));
    }
}

#[test]
fn statements_are_found_in_bundles_and_among_what_is_offered() {
    let mut world = World::demo();
    let bundle = |world: &mut World, name: &str| world.files.remove(name).unwrap();
    let (link, test) = (bundle(&mut world, &file("clone", 1, "json")), bundle(&mut world, &file("test", 2, "json")));
    // Lines that are no envelopes, and those of others, are ignored, and told.
    let lines = [b"".as_slice(), &link, b"  ", b"{\"payload\":1}", b"junk", &sign("{}", &[1]), b""].join(&b'\n');
    world.files.insert(file("clone", 1, "intoto.jsonl"), lines);
    world.offered = vec![
        Offered { name: "junk".into(), bytes: b"junk".to_vec() },
        Offered { name: "all.jsonl".into(), bytes: [link.as_slice(), b"x", test.as_slice()].join(&b'\n') },
    ];
    let chain = world.verify().unwrap();
    let files = &chain.report.steps[0].files;
    let paths: Vec<&str> = files.iter().map(|file| file.path.split_once(".jsonl").unwrap().1).collect();
    assert_eq!(paths, [":2", ":4", ":5", ":6", ":1"]);
    assert_eq!(files.iter().filter(|file| file.refusal.is_none()).count(), 2);
    assert_eq!(chain.report.steps[1].files[0].path, "all.jsonl:3");
    let warned: Vec<String> = chain.report.warnings.iter().map(ToString::to_string).collect();
    assert!(warned.len() == 2 && warned[0].starts_with("junk: ") && warned[1].starts_with("all.jsonl:2: "), "{warned:?}");
    // What is offered is signed by whoever must, like everything else.
    world.offered[1].bytes = sign(&tested("PASSED", &[("foo", "source")]), &[1]);
    world.offered[1].name = "one".into();
    assert_eq!((world.refused(), world.verdicts(1)), (vec!["in-toto-predicate-threshold"], vec!["in-toto-link-signature"]));
}

#[test]
fn bounds_end_in_could_not_find_out() {
    let mut world = World::demo();
    world.files.remove(&file("clone", 1, "json"));
    world.files.insert(file("clone", 1, "intoto.jsonl"), b"x\n".repeat(MAX_STATEMENTS + 1));
    assert_eq!(world.rejected().class(), Class::Unknown);
    let mut world = World::demo();
    world.offered = vec![Offered { name: "many.jsonl".into(), bytes: b"x\n".repeat(MAX_STATEMENTS + 1) }];
    assert_eq!((world.refused(), world.rejected().class()), (vec!["in-toto-limit"], Class::Unknown));
    for set in [
        |world: &mut World| world.settings.limits.work = 10,
        |world: &mut World| world.settings.limits.requests = 3,
        |world: &mut World| world.settings.limits.files = 100,
    ] {
        let mut world = World::demo();
        set(&mut world);
        assert!(world.refused().contains(&"in-toto-limit"));
        assert_eq!(world.rejected().class(), Class::Unknown);
    }
    // Every line of a bundle counts as a file, so that many short ones are not told of at length.
    let mut world = World::demo();
    world.files.insert(file("clone", 1, "intoto.jsonl"), b"x\n".repeat(40));
    assert!(world.verify().is_ok());
    world.settings.limits.requests = 40;
    assert_eq!((world.refused(), world.rejected().class()), (vec!["in-toto-limit"], Class::Unknown));
    assert!(world.rejected().report.steps[0].files.len() < 40);
    // Sets of digests are compared at the price of their bytes: one of a statement may be as long as that.
    let (mut digests, mut world) = (digest("binary"), World::demo());
    (0..2000).for_each(|number| digests.insert_str(1, &format!("\"x{number}\":\"y\",")));
    let both = [expects(provenance::TYPE, &[3], 1, ""), expects(test_result::TYPE, &[4], 1, "")];
    world.steps[2] = step("build", &[], &[], &both);
    world.put("build", 4, &tested("PASSED", &[("foo", "binary")]).replace(&digest("binary"), &digests));
    world.settings.limits.work = 10_000;
    assert_eq!((world.refused(), world.rejected().class()), (vec!["in-toto-limit"], Class::Unknown));
    world.settings.limits.work = 100_000;
    assert!(world.verify().is_ok());
    // What is offered counts each time that it is looked at.
    let mut world = World::demo();
    let files = std::mem::take(&mut world.files);
    world.offered = files.into_iter().map(|(name, bytes)| Offered { name, bytes }).collect();
    assert!(world.verify().is_ok());
    world.settings.limits.files = 800;
    assert_eq!(world.rejected().class(), Class::Unknown);
}

#[test]
fn a_command_that_is_not_expected_is_a_warning() {
    let mut world = World::demo();
    world.steps[0] = world.steps[0].replace(r#""name":"clone""#, r#""name":"clone","command":["make"]"#);
    assert!(world.verify().unwrap().report.steps[0].warnings.is_empty());
    world.steps[0] = world.steps[0].replace(r#"["make"]"#, r#"["git","clone"]"#);
    assert_eq!(world.verify().unwrap().report.steps[0].warnings[0].code(), "in-toto-command");
    // Provenance has none.
    world.steps[2] = world.steps[2].replace(r#""name":"build""#, r#""name":"build","command":["make"]"#);
    assert!(world.verify().unwrap().report.steps[2].warnings.is_empty());
}

#[test]
fn provenance_vouches_for_no_step_of_a_layout_of_in_toto_1_0() {
    let public = touchmark_envelope::digest::hex(key(3).public_key().as_raw());
    let layout = format!(
        r#"{{"_type":"layout","expires":"2030-01-01T00:00:00Z","keys":{{"{0}":{{"keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{public}"}}}}}},"steps":[{{"_type":"step","name":"build","threshold":1,"pubkeys":["{0}"],"expected_materials":[],"expected_products":[]}}],"inspect":[]}}"#,
        keyid(3)
    );
    let mut world = World::demo();
    let statement = built(&[("foo", "source")], &[("bin/foo", "binary")]);
    world.files.insert(file("build", 3, "link"), sign(&statement, &[3]));
    world.offer("offered", &statement, &[3]);
    let document = sign(&layout, &[crate::world::OWNER]);
    let rejected = world.verify_document(document.clone()).unwrap_err();
    assert_eq!(crate::world::verdicts(&rejected.report.steps[0].files), ["in-toto-predicate"]);
    world.files.insert(file("build", 3, "link"), sign(&linked("build", &[], &[("x", "x")]), &[3]));
    assert!(world.verify_document(document.clone()).is_ok());
    // Nor is a layout over attestations a sublayout of one.
    world.files.insert(file("build", 3, "link"), sign(&World::demo().to_json(), &[3]));
    let rejected = world.verify_document(document).unwrap_err();
    assert_eq!(crate::world::verdicts(&rejected.report.steps[0].files), ["in-toto-type"]);
    assert!(Parameters::new().is_empty());
}
