//! That hostile metadata ends in a clear outcome, within limits.

use touchmark_in_toto::{Class, Warning};

use crate::chain::{Chain, FORMS, Form, Layout, file, key_object, keyid, link, link_of, public, step, verdicts};

#[test]
fn a_command_that_nobody_expects_is_told_once_and_cut() {
    let mut layout = Layout::of(&[1, 2, 3], vec![step("s", &[1, 2, 3], &[], &[])]);
    layout.steps[0].command = vec!["é".repeat(100_000); 10];
    let mut chain = Chain::new(Form::Dsse, layout);
    for number in 1..=3 {
        chain.put_signed(&file("s", number), &link_of("s", &["x"; 10_000], &[], &[]), &[number]);
    }
    let report = chain.verify().unwrap().report;
    let [Warning::Command { file: path, more: 2, found, expected }] = report.steps[0].warnings.as_slice() else {
        panic!("{:?}", report.steps[0].warnings)
    };
    assert_eq!(*path, file("s", 1));
    for told in [found, expected] {
        assert!(told.len() <= 512 && told.ends_with('…'), "{told}");
    }
}

#[test]
fn files_that_are_asked_for_are_bounded() {
    let mut chain = Chain::demo(Form::Dsse);
    let needed = {
        chain.verify().unwrap();
        u32::try_from(chain.asked.len()).unwrap()
    };
    chain.settings.limits.requests = needed;
    assert!(chain.verify().is_ok());
    chain.settings.limits.requests = needed - 1;
    let rejected = chain.rejected();
    assert_eq!((rejected.report.reasons[0].code(), rejected.class()), ("in-toto-limit", Class::Unknown));
}

#[test]
fn bytes_are_bounded_a_file_and_together() {
    let mut chain = Chain::demo(Form::Dsse);
    let sizes: Vec<u64> = chain.files.values().map(|bytes| u64::try_from(bytes.len()).unwrap()).collect();
    chain.settings.limits.files = sizes.iter().sum();
    assert!(chain.verify().is_ok());
    chain.settings.limits.files -= 1;
    assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-limit"], Class::Unknown));
    let mut chain = Chain::demo(Form::Dsse);
    let largest = u64::try_from(chain.document().len()).unwrap();
    chain.settings.limits.file = largest;
    assert!(chain.verify().is_ok());
    // A layout that is larger, and a driver that gives more than was asked for.
    chain.settings.limits.file = largest - 1;
    assert_eq!(chain.refused(), ["in-toto-too-large"]);
    let big = link("write", &[], &[("foo.py", "1")])
        .replace("\"environment\":{}", &format!("\"environment\":{{\"x\":\"{}\"}}", "y".repeat(5000)));
    chain.settings.limits.file = largest;
    chain.put_signed(&file("write", 1), &big, &[1]);
    assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-threshold"], Class::Unknown));
}

#[test]
fn work_for_patterns_is_bounded() {
    // A functionary's sublayout, or a layout, with patterns and names that take long.
    let costly = format!("ALLOW *{}b*c", "a".repeat(2000));
    let mut chain = Chain::new(Form::Dsse, Layout::of(&[1], vec![step("s", &[1], &[], &[costly.as_str(); 50])]));
    let names: Vec<String> = (0..50).map(|number| format!("{}{number}", "a".repeat(4000))).collect();
    chain.put("s", 1, &[], &names.iter().map(|name| (name.as_str(), "1")).collect::<Vec<_>>());
    chain.settings.limits.work = 1 << 22;
    assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-limit"], Class::Unknown));
    // What is not asked for then makes nothing worse of it.
    let inspection = crate::chain::Inspection { name: "i".into(), run: vec!["x".into()], materials: vec![], products: vec![] };
    chain.layout.inspections.push(inspection);
    assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-limit", "in-toto-inspection-not-reached"], Class::Unknown));
}

#[test]
fn ten_thousand_links_are_verified() {
    let steps: Vec<_> =
        (0..100).map(|number| step(&format!("s{number}"), &(1..=99).collect::<Vec<u8>>(), &[], &["ALLOW x", "DISALLOW *"])).collect();
    let mut layout = Layout::of(&(1..=99).collect::<Vec<u8>>(), steps);
    for step in &mut layout.steps {
        step.threshold = 99;
    }
    let mut chain = Chain::new(Form::Dsse, layout);
    for number in 0..100 {
        let payload = link(&format!("s{number}"), &[], &[("x", "1")]);
        for by in 1..=99 {
            chain.put_signed(&file(&format!("s{number}"), by), &payload, &[by]);
        }
    }
    assert_eq!(chain.files.len(), 9900);
    let report = chain.verify().unwrap().report;
    assert!(report.steps.iter().all(|step| step.counted.len() == 99));
}

#[test]
fn many_keys_and_steps_are_refused_when_the_layout_is_read() {
    let mut chain = Chain::demo(Form::Dsse);
    chain.layout.keys.extend((0..1023).map(|number| (format!("{number:08}"), key_object(&public(1)))));
    assert_eq!(chain.refused(), ["in-toto-too-many"]);
    let mut chain = Chain::demo(Form::Dsse);
    chain.layout.steps[0].pubkeys = vec![keyid(1); 1025];
    assert_eq!(chain.refused(), ["in-toto-too-many"]);
    let mut chain = Chain::demo(Form::Dsse);
    chain.layout.steps.extend((0..4095).map(|number| step(&format!("s{number}"), &[], &[], &[])));
    assert_eq!(chain.refused(), ["in-toto-too-many"]);
    let mut chain = Chain::demo(Form::Dsse);
    chain.layout.steps.extend((0..17).map(|number| step(&format!("s{number}"), &[1; 1000], &[], &[])));
    assert_eq!(chain.refused(), ["in-toto-too-many"]);
}

#[test]
fn a_tree_of_sublayouts_is_bounded() {
    // Each layout has steps that are sublayouts again: the files asked for are bounded, not the tree.
    let steps: Vec<_> = (0..4).map(|number| step(&format!("s{number}"), &[1], &[], &[])).collect();
    let layout = Layout::of(&[1], steps);
    let mut chain = Chain::new(Form::Dsse, layout.clone());
    let bytes = crate::chain::sign(&layout.to_json(), &[&crate::chain::key(1)], Form::Dsse);
    let mut places = vec![String::new()];
    for _ in 0..5 {
        places = places
            .iter()
            .flat_map(|place| (0..4).map(move |number| format!("{place}{}", file(&format!("s{number}"), 1))))
            .inspect(|path| {
                chain.files.insert(path.clone(), bytes.clone());
            })
            .map(|path| path.replace(".link", "/"))
            .collect();
    }
    chain.settings.limits.requests = 500;
    let rejected = chain.rejected();
    assert_eq!((rejected.report.reasons[0].code(), rejected.class()), ("in-toto-limit", Class::Unknown));
    assert_eq!(chain.asked.len(), 500);
}

#[test]
fn a_file_of_more_signatures_than_the_limit_leaves_it_open() {
    for form in FORMS {
        let mut chain = Chain::demo(form);
        chain.settings.limits.signatures = 2;
        chain.put_signed(&file("write", 1), &link("write", &[], &[("foo.py", "1")]), &[1, 2, 3]);
        let report = chain.rejected().report;
        assert!(report.steps[0].files[0].refusal.as_ref().is_some_and(touchmark_in_toto::Refusal::is_unknown));
        assert_eq!(report.class(), Some(Class::Unknown));
        chain.put_signed(&file("write", 1), &link("write", &[], &[("foo.py", "1")]), &[1, 2]);
        assert!(chain.verify().is_ok());
    }
}

#[test]
fn a_file_whose_signatures_take_more_checks_than_are_made_leaves_it_open() {
    let mut chain = Chain::demo(Form::Dsse);
    let keys: Vec<u8> = (1..40).collect();
    chain.layout = Layout::of(&keys, vec![step("write", &keys, &[], &["CREATE foo.py", "DISALLOW *"])]);
    // Signatures over something else, each of which could be by any of the keys.
    let strangers: Vec<u8> = (120..220).collect();
    chain.put_signed(&file("write", 1), &link("write", &[], &[("foo.py", "1")]), &strangers);
    let report = chain.rejected().report;
    assert_eq!(verdicts(&report.steps[0].files), ["in-toto-too-many-checks"]);
    assert_eq!(report.class(), Some(Class::Unknown));
    chain.put_signed(&file("write", 1), &link("write", &[], &[("foo.py", "1")]), &strangers[..1]);
    assert_eq!(verdicts(&chain.rejected().report.steps[0].files), ["in-toto-link-signature"]);
}
