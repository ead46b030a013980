//! Inspections (in-toto 1.0, 4.3.2 and 5.2, items 6 and 7), which nothing here runs.

use touchmark_envelope::threshold::KeySet;
use touchmark_in_toto::{Answer, Answered, Class, Failure};

use crate::chain::{Chain, FORMS, Form, Inspection, Layout, file, link, public, rules, verdicts};

const INSPECTOR: u8 = 50;

/// The demo with an inspection that unpacks the package.
fn chain(form: Form) -> Chain {
    let mut chain = Chain::demo(form);
    chain.layout.inspections.push(Inspection {
        name: "untar".into(),
        run: vec!["tar".into(), "xzf".into(), "foo.tgz".into()],
        materials: rules(&["MATCH foo.tgz WITH PRODUCTS FROM package", "DISALLOW *"]),
        products: rules(&["MATCH foo.py WITH PRODUCTS FROM write", "ALLOW foo.tgz", "DISALLOW *"]),
    });
    chain
}

#[test]
fn an_unanswered_inspection_is_not_verified() {
    for form in FORMS {
        let mut chain = chain(form);
        assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-inspection-unanswered"], Class::NotVerified));
        assert!(chain.told().contains("`untar`"));
        assert_eq!(chain.asked_to_run, ["untar"]);
    }
}

#[test]
fn an_inspection_that_was_run_is_held_against_its_rules() {
    let mut chain = chain(Form::Dsse);
    chain.run("untar", 0, &[("foo.tgz", "2")], &[("foo.tgz", "2"), ("foo.py", "1")]);
    assert_eq!(chain.verify().unwrap().report.inspections[0].answer, Answered::Run);
    chain.run("untar", 0, &[("foo.tgz", "other")], &[("foo.tgz", "2"), ("foo.py", "tampered")]);
    assert_eq!(chain.refused(), ["in-toto-disallowed", "in-toto-disallowed"]);
    // in-toto-rs ignores what the command returns.
    chain.run("untar", 1, &[("foo.tgz", "2")], &[("foo.tgz", "2"), ("foo.py", "1")]);
    assert_eq!(chain.refused(), ["in-toto-inspection-failed"]);
    for answer in [Answer::Failed(Failure::Unavailable("no such command".into())), Answer::Bytes(vec![])] {
        chain.runs.insert("untar".into(), answer);
        assert_eq!(chain.refused(), ["in-toto-inspection-not-run"]);
    }
}

#[test]
fn a_command_that_could_not_be_run_or_did_not_end_says_nothing_of_the_chain() {
    let mut chain = chain(Form::Dsse);
    chain.runs.insert("untar".into(), Answer::Failed(Failure::Unavailable("it did not end".into())));
    assert!(chain.verify().is_err());
    assert_eq!(chain.class(), Class::Unknown);
    chain.run("untar", 1, &[("foo.tgz", "2")], &[("foo.tgz", "2"), ("foo.py", "1")]);
    assert!(chain.verify().is_err());
    assert_eq!(chain.class(), Class::NotVerified);
}

#[test]
fn nothing_is_asked_to_be_run_once_something_failed() {
    let mut chain = chain(Form::Dsse);
    chain.run("untar", 0, &[("foo.tgz", "2")], &[("foo.tgz", "2"), ("foo.py", "1")]);
    chain.put("package", 2, &[("foo.py", "tampered")], &[("foo.tgz", "2")]);
    assert_eq!(chain.refused(), ["in-toto-disallowed", "in-toto-inspection-not-reached"]);
    assert!(chain.asked_to_run.is_empty());
    // Nor the second after the first.
    let mut chain = self::chain(Form::Dsse);
    let second = Inspection { name: "second".into(), ..chain.layout.inspections[0].clone() };
    chain.layout.inspections.push(second);
    assert_eq!(chain.refused(), ["in-toto-inspection-unanswered", "in-toto-inspection-not-reached"]);
    assert_eq!(chain.asked_to_run, ["untar"]);
}

#[test]
fn a_signed_link_answers_only_from_keys_that_the_caller_names() {
    for form in FORMS {
        let mut chain = chain(form);
        let payload = link("untar", &[("foo.tgz", "2")], &[("foo.tgz", "2"), ("foo.py", "1")]);
        chain.put_signed(&file("untar", INSPECTOR), &payload, &[INSPECTOR]);
        // Nobody is named; functionaries and the owner are not.
        assert_eq!(chain.refused(), ["in-toto-inspection-unanswered"]);
        chain.settings.inspectors = KeySet::new([public(INSPECTOR), public(51)]);
        let report = chain.verify().unwrap().report;
        assert_eq!((report.inspections[0].answer, report.inspections[0].counted.as_slice()), (Answered::Signed, &[public(INSPECTOR)][..]));
        assert!(chain.asked_to_run.is_empty());
        for signer in [1, 2, crate::chain::OWNER] {
            chain.put_signed(&file("untar", INSPECTOR), &payload, &[signer]);
            assert_eq!(chain.refused(), ["in-toto-inspection-unanswered"]);
        }
        // Two who are named and differ contradict each other.
        chain.put_signed(&file("untar", INSPECTOR), &payload, &[INSPECTOR]);
        chain.put_signed(&file("untar", 51), &link("untar", &[], &[]), &[51]);
        assert_eq!(chain.refused(), ["in-toto-disagreement"]);
    }
}

#[test]
fn a_layout_is_no_answer_although_it_holds() {
    let mut chain = chain(Form::Dsse);
    chain.settings.inspectors = KeySet::new([public(INSPECTOR)]);
    // As a sublayout it would report just what the rules want.
    let step = crate::chain::step("s", &[INSPECTOR], &[], &[]);
    chain.put_signed(&file("untar", INSPECTOR), &Layout::of(&[INSPECTOR], vec![step]).to_json(), &[INSPECTOR]);
    let folder = file("untar", INSPECTOR).replace(".link", "/");
    let payload = link("s", &[("foo.tgz", "2")], &[("foo.tgz", "2"), ("foo.py", "1")]);
    chain.put_signed(&format!("{folder}{}", file("s", INSPECTOR)), &payload, &[INSPECTOR]);
    assert_eq!(chain.refused(), ["in-toto-inspection-unanswered"]);
    assert_eq!(verdicts(&chain.rejected().report.inspections[0].files), ["in-toto-type"]);
}

#[test]
fn rules_of_steps_see_no_inspection_and_rules_of_inspections_see_all() {
    let mut chain = chain(Form::Dsse);
    let answered = |chain: &mut Chain| chain.run("untar", 0, &[("foo.tgz", "2")], &[("foo.tgz", "2"), ("foo.py", "1")]);
    answered(&mut chain);
    chain.layout.steps[1].materials = rules(&["MATCH foo.py WITH PRODUCTS FROM untar", "DISALLOW *"]);
    assert_eq!(chain.refused(), ["in-toto-disallowed", "in-toto-inspection-not-reached"]);
    let mut chain = self::chain(Form::Dsse);
    answered(&mut chain);
    // The first one's rules see the second.
    let second = Inspection { name: "second".into(), materials: vec![], products: vec![], ..chain.layout.inspections[0].clone() };
    chain.layout.inspections[0].products = rules(&["MATCH * WITH MATERIALS FROM second", "DISALLOW *"]);
    chain.layout.inspections.push(second);
    chain.run("second", 0, &[("foo.tgz", "2"), ("foo.py", "1")], &[]);
    assert!(chain.verify().is_ok());
    chain.run("second", 0, &[("foo.tgz", "2")], &[]);
    assert_eq!(chain.refused(), ["in-toto-disallowed"]);
}

#[test]
fn an_inspection_without_a_command_or_with_a_path_for_a_name_is_refused() {
    let mut chain = chain(Form::Dsse);
    chain.layout.inspections[0].run.clear();
    assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-item"], Class::UntrustedMetadata));
    for (name, code) in [("../../escape", "in-toto-item-name"), ("/tmp/x", "in-toto-item-name"), ("write", "in-toto-item-twice")] {
        let mut chain = self::chain(Form::Dsse);
        chain.layout.inspections[0].name = name.into();
        assert_eq!(chain.refused(), [code]);
        assert!(chain.asked.is_empty() && chain.asked_to_run.is_empty());
    }
}
