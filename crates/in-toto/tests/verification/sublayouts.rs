//! Sublayouts (in-toto 1.0, 4.5): a layout in the place of a link.

use touchmark_in_toto::{Class, Failure, Refusal, Report, Warning};

use crate::chain::{Chain, FORMS, Form, Inspection, Layout, OWNER, file, keyid, link, public, rules, step, verdicts};

/// Where the links of the sublayout of a step by a key are.
fn folder(step: &str, number: u8) -> String {
    file(step, number).replace(".link", "/")
}

/// A step `upstream` that key 1 may do, who has it done by keys 3 and 4 in two steps; then `pack` by key 2.
fn chain(form: Form) -> (Chain, Layout) {
    let upstream = step("upstream", &[1], &["ALLOW in", "DISALLOW *"], &["ALLOW out", "DISALLOW *"]);
    let pack = step("pack", &[2], &["MATCH out WITH PRODUCTS FROM upstream", "DISALLOW *"], &[]);
    let mut chain = Chain::new(form, Layout::of(&[1, 2], vec![upstream, pack]));
    let first = step("first", &[3], &[], &["CREATE mid", "ALLOW in", "DISALLOW *"]);
    let last = step("last", &[4], &["MATCH mid WITH PRODUCTS FROM first", "DISALLOW *"], &["CREATE out", "DISALLOW *"]);
    let sublayout = Layout::of(&[3, 4], vec![first, last]);
    chain.put_signed(&file("upstream", 1), &sublayout.to_json(), &[1]);
    let inside = folder("upstream", 1);
    chain.put_signed(&format!("{inside}{}", file("first", 3)), &link("first", &[("in", "0")], &[("in", "0"), ("mid", "1")]), &[3]);
    chain.put_signed(&format!("{inside}{}", file("last", 4)), &link("last", &[("mid", "1")], &[("out", "2")]), &[4]);
    chain.put("pack", 2, &[("out", "2")], &[]);
    (chain, sublayout)
}

fn sublayout_of(report: &Report) -> &Report {
    report.steps[0].files[0].sublayout.as_ref().unwrap()
}

#[test]
fn a_sublayout_stands_for_its_first_materials_and_last_products() {
    for form in FORMS {
        let (mut chain, _) = chain(form);
        let report = chain.verify().unwrap().report;
        let link = report.steps[0].link.as_ref().unwrap();
        assert_eq!((link.materials.len(), link.products.len()), (1, 1));
        assert!(link.materials.get("in").is_some() && link.products.get("out").is_some());
        assert_eq!(sublayout_of(&report).folder, folder("upstream", 1));
        // The rules of the step are for that.
        chain.layout.steps[0].products = rules(&["DISALLOW out"]);
        assert_eq!(chain.refused(), ["in-toto-disallowed"]);
    }
}

#[test]
fn a_sublayout_by_a_key_that_may_not_do_the_step_is_refused() {
    // in-toto-rs takes it from any key of the layout.
    for signer in [2, 66, OWNER] {
        let (mut chain, sublayout) = chain(Form::Dsse);
        chain.put_signed(&file("upstream", 1), &sublayout.to_json(), &[signer]);
        let rejected = chain.rejected();
        assert_eq!(verdicts(&rejected.report.steps[0].files), ["in-toto-link-signature"]);
        assert!(!chain.asked.iter().any(|path| path.contains('/')));
    }
}

#[test]
fn a_sublayout_whose_steps_do_not_hold_is_refused_with_its_reasons() {
    for form in FORMS {
        let (mut chain, _) = chain(form);
        let path = format!("{}{}", folder("upstream", 1), file("last", 4));
        chain.put_signed(&path, &link("last", &[("mid", "tampered")], &[("out", "2")]), &[4]);
        let rejected = chain.rejected();
        assert_eq!(rejected.report.steps[0].files[0].refusal, Some(Refusal::Sublayout(Class::NotVerified)));
        assert_eq!(sublayout_of(&rejected.report).reasons[0].code(), "in-toto-disallowed");
        // By a key of the upper layout that the sublayout does not name.
        chain.put_signed(&path, &link("last", &[("mid", "1")], &[("out", "2")]), &[2]);
        assert_eq!(sublayout_of(&chain.rejected().report).reasons[0].code(), "in-toto-threshold");
        // In the upper folder it is not looked for.
        let (mut chain, _) = self::chain(form);
        let bytes = chain.files.remove(&path).unwrap();
        chain.files.insert(file("last", 4), bytes);
        assert_eq!(sublayout_of(&chain.rejected().report).reasons[0].code(), "in-toto-threshold");
    }
}

#[test]
fn an_expired_or_malformed_sublayout_is_refused() {
    let (mut chain, sublayout) = chain(Form::Dsse);
    let expired = Layout { expires: "2020-01-01T00:00:00Z".into(), ..sublayout.clone() };
    chain.put_signed(&file("upstream", 1), &expired.to_json(), &[1]);
    assert_eq!(sublayout_of(&chain.rejected().report).reasons[0].code(), "in-toto-expired");
    // Its expiry is not that of the layout: the step is not vouched for.
    assert_eq!(chain.class(), Class::NotVerified);
    for (from, to, code) in [
        (r#"["CREATE","out"]"#, "[]", "in-toto-rule"),
        (r#""expires":"2030-01-01T00:00:00Z""#, r#""expires":"""#, "in-toto-no-expiry"),
        (r#""name":"first""#, r#""name":"../first""#, "in-toto-item-name"),
    ] {
        let bad = sublayout.to_json().replace(from, to);
        assert_ne!(bad, sublayout.to_json());
        chain.put_signed(&file("upstream", 1), &bad, &[1]);
        assert_eq!(verdicts(&chain.rejected().report.steps[0].files), [code]);
    }
}

#[test]
fn a_sublayout_and_a_link_must_agree_and_a_broken_sublayout_hides_no_link() {
    let (mut chain, sublayout) = chain(Form::Dsse);
    chain.layout.steps[0].pubkeys.push(keyid(2));
    chain.put("upstream", 2, &[("in", "0")], &[("out", "2")]);
    chain.layout.steps[0].threshold = 2;
    assert!(chain.verify().is_ok());
    chain.put("upstream", 2, &[("in", "0")], &[("out", "3")]);
    assert_eq!(chain.refused(), ["in-toto-disagreement"]);
    chain.put("upstream", 2, &[("in", "0")], &[("out", "2")]);
    let broken = Layout { expires: "2020-01-01T00:00:00Z".into(), ..sublayout };
    chain.put_signed(&file("upstream", 1), &broken.to_json(), &[1]);
    assert_eq!(chain.refused(), ["in-toto-threshold"]);
    chain.layout.steps[0].threshold = 1;
    assert!(chain.verify().is_ok());
}

#[test]
fn inspections_of_a_sublayout_are_answered_by_its_signer_alone() {
    for form in FORMS {
        let (mut chain, mut sublayout) = chain(form);
        let inspect = Inspection {
            name: "check".into(),
            run: vec!["rm".into(), "-rf".into()],
            materials: rules(&["MATCH out WITH PRODUCTS FROM last", "DISALLOW *"]),
            products: vec![],
        };
        sublayout.inspections.push(inspect);
        chain.put_signed(&file("upstream", 1), &sublayout.to_json(), &[1]);
        // Nobody says anything.
        assert_eq!(sublayout_of(&chain.rejected().report).reasons[0].code(), "in-toto-inspection-unanswered");
        assert_eq!(chain.asked_to_run, [format!("{}check", folder("upstream", 1))]);
        // Neither a functionary of the sublayout, nor another of the layout, nor its owner or an inspector of the layout itself.
        let payload = link("check", &[("out", "2")], &[]);
        chain.settings.inspectors = touchmark_envelope::threshold::KeySet::new([crate::chain::public(OWNER)]);
        for signer in [3, 4, 2, OWNER] {
            let mut chain = chain.clone();
            for place in [signer, 1] {
                chain.put_signed(&format!("{}{}", folder("upstream", 1), file("check", place)), &payload, &[signer]);
            }
            assert_eq!(chain.refused(), ["in-toto-threshold"], "{signer}");
        }
        let path = format!("{}{}", folder("upstream", 1), file("check", 1));
        chain.put_signed(&path, &payload, &[1]);
        assert!(chain.verify().is_ok());
        assert!(chain.asked_to_run.is_empty());
        // Its rules are applied, and its name must be the inspection's.
        chain.put_signed(&path, &link("check", &[("out", "3")], &[]), &[1]);
        assert_eq!(sublayout_of(&chain.rejected().report).reasons[0].code(), "in-toto-disallowed");
        chain.put_signed(&path, &link("last", &[("out", "2")], &[]), &[1]);
        assert_eq!(sublayout_of(&chain.rejected().report).reasons[0].code(), "in-toto-inspection-unanswered");
        // A layout is no answer.
        chain.put_signed(&path, &sublayout.to_json(), &[1]);
        assert_eq!(sublayout_of(&chain.rejected().report).reasons[0].code(), "in-toto-inspection-unanswered");
    }
}

#[test]
fn one_signer_of_a_sublayout_who_answers_its_inspection_does_not_count_for_the_others() {
    for form in FORMS {
        let (mut chain, mut sublayout) = chain(form);
        chain.layout.steps[0].pubkeys.push(keyid(2));
        chain.layout.steps[0].threshold = 2;
        for name in ["audit", "scan"] {
            let materials = rules(&["MATCH out WITH PRODUCTS FROM last", "DISALLOW *"]);
            sublayout.inspections.push(Inspection { name: name.into(), run: vec!["audit.sh".into()], materials, products: vec![] });
        }
        chain.put_signed(&file("upstream", 1), &sublayout.to_json(), &[1, 2]);
        let answer = |chain: &mut Chain, name: &str, by: &[u8]| {
            chain.put_signed(&format!("{}{}", folder("upstream", 1), file(name, 1)), &link(name, &[("out", "2")], &[]), by);
        };
        // Both inspections by one of two.
        answer(&mut chain, "audit", &[1]);
        answer(&mut chain, "scan", &[1]);
        assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-threshold"], Class::NotVerified));
        assert!(chain.told().contains("1 of 2 required keys"), "{}", chain.told());
        assert_eq!(
            chain.rejected().report.steps[0].warnings.iter().map(Warning::code).collect::<Vec<_>>(),
            ["in-toto-inspection-by-another"]
        );
        // What the other says may be where it could not be had.
        let path = format!("{}{}", folder("upstream", 1), file("scan", 2));
        chain.failing.insert(path, Failure::Unavailable("the disk is gone".into()));
        assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-threshold"], Class::Unknown));
        chain.failing.clear();
        // One of them by both, and one each: then nobody answers all.
        answer(&mut chain, "audit", &[1, 2]);
        assert_eq!(chain.refused(), ["in-toto-threshold"]);
        answer(&mut chain, "audit", &[2]);
        assert_eq!(verdicts(&chain.rejected().report.steps[0].files), ["in-toto-sublayout-inspections"]);
        // Who did all of it counts, alone or with a link of the other.
        chain.layout.steps[0].threshold = 1;
        assert_eq!(chain.refused(), ["in-toto-threshold"]);
        answer(&mut chain, "audit", &[1]);
        assert_eq!(chain.verify().unwrap().report.steps[0].counted, [public(1)]);
        chain.layout.steps[0].threshold = 2;
        answer(&mut chain, "audit", &[1, 2]);
        answer(&mut chain, "scan", &[1, 2]);
        let step = &chain.verify().unwrap().report.steps[0];
        assert_eq!((step.counted.as_slice(), step.warnings.len()), (&[public(1), public(2)][..], 0));
    }
}

#[test]
fn a_sublayout_without_a_step_stands_for_nothing() {
    let (mut chain, mut sublayout) = chain(Form::Dsse);
    sublayout.steps.clear();
    sublayout.inspections.push(Inspection { name: "i".into(), run: vec!["true".into()], materials: vec![], products: vec![] });
    chain.put_signed(&file("upstream", 1), &sublayout.to_json(), &[1]);
    chain.run(&format!("{}i", folder("upstream", 1)), 0, &[], &[]);
    assert_eq!(sublayout_of(&chain.rejected().report).reasons[0].code(), "in-toto-no-step");
}

#[test]
fn sublayouts_are_bounded_in_depth() {
    // A functionary who may do one step nests layouts in it; the last has a link.
    let nested = |depth: usize| {
        let layout = Layout::of(&[1], vec![step("s", &[1], &[], &["ALLOW x", "DISALLOW *"])]);
        let mut chain = Chain::new(Form::Dsse, layout.clone());
        let mut place = String::new();
        for number in 0..depth {
            // One sublayout stands for one step.
            let layout = Layout { expires: format!("203{number}-01-01T00:00:00Z"), ..layout.clone() };
            chain.put_signed(&format!("{place}{}", file("s", 1)), &layout.to_json(), &[1]);
            place.push_str(&folder("s", 1));
        }
        chain.put_signed(&format!("{place}{}", file("s", 1)), &link("s", &[], &[("x", "1")]), &[1]);
        chain
    };
    assert!(nested(8).verify().is_ok());
    assert_eq!((nested(9).refused(), nested(9).class()), (vec!["in-toto-threshold"], Class::Unknown));
    let mut deeper = nested(9);
    deeper.settings.limits.depth = 9;
    assert!(deeper.verify().is_ok());
}

/// Two steps, `one` and `two`, that key 1 may do, each by a sublayout with the step `work` by key 3.
fn two_steps(form: Form, sublayouts: [&Layout; 2]) -> Chain {
    let steps = ["one", "two"].map(|name| step(name, &[1], &[], &["ALLOW out", "DISALLOW *"]));
    let mut chain = Chain::new(form, Layout::of(&[1], steps.to_vec()));
    for (name, sublayout) in ["one", "two"].into_iter().zip(sublayouts) {
        chain.put_signed(&file(name, 1), &sublayout.to_json(), &[1]);
        chain.put_signed(&format!("{}{}", folder(name, 1), file("work", 3)), &link("work", &[], &[("out", "1")]), &[3]);
    }
    chain
}

#[test]
fn one_sublayout_is_no_evidence_for_two_steps() {
    let work = || Layout::of(&[3], vec![step("work", &[3], &[], &["CREATE out", "DISALLOW *"])]);
    let other = Layout { expires: "2031-01-01T00:00:00Z".into(), ..work() };
    for form in FORMS {
        assert!(two_steps(form, [&work(), &other]).verify().is_ok());
        let mut chain = two_steps(form, [&work(), &work()]);
        assert_eq!(chain.refused(), ["in-toto-one-for-two", "in-toto-threshold"]);
        let report = chain.rejected().report;
        for step in &report.steps {
            assert_eq!(verdicts(&step.files), ["in-toto-one-for-two"]);
            assert!(step.link.is_none() && step.counted.is_empty());
        }
        assert_eq!(report.class(), Some(Class::NotVerified));
        // Other evidence for one of the steps does not tell which of the two it was signed for.
        chain.layout.steps[1].pubkeys.push(keyid(2));
        chain.layout.keys.push((keyid(2), crate::chain::key_object(&public(2))));
        chain.put("two", 2, &[], &[("out", "1")]);
        assert_eq!(chain.refused(), ["in-toto-one-for-two"]);
        // A copy that does not hold stands for nothing, and takes nothing away.
        chain.files.remove(&format!("{}{}", folder("two", 1), file("work", 3)));
        assert!(chain.verify().is_ok());
    }
}

#[test]
fn one_sublayout_of_two_signers_is_evidence_for_one_step() {
    let work = Layout::of(&[3], vec![step("work", &[3], &[], &["CREATE out", "DISALLOW *"])]);
    let mut only = step("one", &[1, 2], &[], &["ALLOW out", "DISALLOW *"]);
    only.threshold = 2;
    let mut chain = Chain::new(Form::Dsse, Layout::of(&[1, 2], vec![only]));
    for number in [1, 2] {
        chain.put_signed(&file("one", number), &work.to_json(), &[number]);
        chain.put_signed(&format!("{}{}", folder("one", number), file("work", 3)), &link("work", &[], &[("out", "1")]), &[3]);
    }
    assert_eq!(chain.verify().unwrap().report.steps[0].counted.len(), 2);
}

#[test]
fn a_sublayout_within_itself_is_no_evidence_for_its_own_step() {
    let inner = step("one", &[1], &[], &["ALLOW out", "DISALLOW *"]);
    let recursive = Layout::of(&[1], vec![inner.clone()]);
    let mut chain = Chain::new(Form::Dsse, Layout::of(&[1], vec![inner]));
    let (path, within) = (file("one", 1), folder("one", 1));
    chain.put_signed(&path, &recursive.to_json(), &[1]);
    chain.put_signed(&format!("{within}{path}"), &link("one", &[], &[("out", "1")]), &[1]);
    assert!(chain.verify().is_ok());
    chain.put_signed(&format!("{within}{path}"), &recursive.to_json(), &[1]);
    chain.put_signed(&format!("{within}{within}{path}"), &link("one", &[], &[("out", "1")]), &[1]);
    assert!(chain.refused().contains(&"in-toto-one-for-two"));
}
