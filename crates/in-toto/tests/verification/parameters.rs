//! Parameters, which whoever verifies gives values.

use touchmark_in_toto::{Class, Inheritance, Parameters, Warning};

use crate::chain::{Chain, Form, Layout, file, step};

fn parameters(values: &[(&str, &str)]) -> Parameters {
    let mut parameters = Parameters::new();
    for (name, value) in values {
        parameters.insert(name, value).unwrap();
    }
    parameters
}

/// One step that may make `app-{VERSION}`.
fn chain() -> Chain {
    let mut build = step("build", &[1], &[], &["CREATE app-{VERSION}", "DISALLOW *"]);
    build.command = vec!["make".into(), "{VERSION}".into()];
    Chain::new(Form::Dsse, Layout::of(&[1], vec![build]))
}

#[test]
fn a_value_stands_for_itself_and_is_no_pattern() {
    let mut chain = chain();
    for (value, product, verified) in
        [("1.2", "app-1.2", true), ("1.2", "app-1.3", false), ("*", "app-1.2", false), ("*", "app-*", true), ("[0-9]", "app-1", false)]
    {
        chain.settings.parameters = parameters(&[("VERSION", value)]);
        chain.put("build", 1, &[], &[(product, "1")]);
        assert_eq!(chain.verify().is_ok(), verified, "{value} {product}");
    }
}

#[test]
fn a_missing_parameter_or_a_format_language_is_a_mistake_of_the_caller() {
    let mut chain = chain();
    chain.put("build", 1, &[], &[("app-1.2", "1")]);
    chain.settings.parameters = parameters(&[("OTHER", "1")]);
    assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-parameter-missing"], Class::Usage));
    for text in ["{VERSION.__class__}", "{VERSION!r}", "{VERSION[0]}", "{{VERSION}}", "{", "{}"] {
        let mut chain = chain.clone();
        chain.settings.parameters = parameters(&[("VERSION", "1.2")]);
        assert!(chain.verify().is_ok());
        chain.layout.steps[0].command = vec![text.into()];
        assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-parameter-braces"], Class::Usage), "{text}");
    }
}

#[test]
fn without_parameters_braces_are_characters() {
    let mut chain = chain();
    chain.put("build", 1, &[], &[("app-{VERSION}", "1")]);
    assert!(chain.verify().is_ok());
    chain.put("build", 1, &[], &[("app-1.2", "1")]);
    assert_eq!(chain.refused(), ["in-toto-disallowed"]);
}

#[test]
fn braces_without_parameters_and_parameters_without_a_use_are_warned_of() {
    let warned = |chain: &mut Chain| {
        let report = chain.verify().unwrap().report;
        let below = report.steps[0].files[0].sublayout.as_ref().map(|report| report.warnings.clone()).unwrap_or_default();
        [report.warnings, below].map(|warnings| warnings.iter().map(Warning::code).collect::<Vec<_>>())
    };
    let none: Vec<&str> = Vec::new();
    let mut chain = chain();
    chain.layout.steps[0].products = vec!["DISALLOW {dir}/*".into()];
    chain.put("build", 1, &[], &[("secret/key", "1")]);
    assert_eq!(warned(&mut chain), [vec!["in-toto-braces"], none.clone()]);
    // In a command alone, and where there is no name, they are nothing to warn of.
    chain.layout.steps[0].products = vec!["DISALLOW {}*".into(), "DISALLOW {a.b}".into()];
    assert_eq!(warned(&mut chain), [none.clone(), none.clone()]);
    chain.settings.parameters = parameters(&[("VERSION", "1.2"), ("OTHER", "1")]);
    chain.layout.steps[0].products = vec!["ALLOW *".into()];
    assert_eq!(warned(&mut chain), [vec!["in-toto-parameter-unused"], none.clone()]);
    // A sublayout without them, and one that uses what the layout does not.
    chain.layout.steps[0].command.clear();
    let sublayout = Layout::of(&[1], vec![step("inner", &[1], &[], &["ALLOW app-{VERSION}", "ALLOW {OTHER}"])]);
    chain.put_signed(&file("build", 1), &sublayout.to_json(), &[1]);
    let folder = file("build", 1).replace(".link", "/");
    chain.put_signed(&format!("{folder}{}", file("inner", 1)), &crate::chain::link("inner", &[], &[("x", "1")]), &[1]);
    assert_eq!(warned(&mut chain), [vec!["in-toto-parameter-unused"; 2], vec!["in-toto-braces"]]);
    chain.settings.inheritance = Inheritance::All;
    assert_eq!(warned(&mut chain), [none.clone(), none]);
}

#[test]
fn a_sublayout_has_them_only_if_said() {
    let mut chain = chain();
    let sublayout = chain.layout.to_json();
    chain.layout.steps[0].products = vec!["ALLOW app-1.2".into(), "DISALLOW *".into()];
    chain.settings.parameters = parameters(&[("VERSION", "1.2")]);
    chain.put_signed(&file("build", 1), &sublayout, &[1]);
    let folder = file("build", 1).replace(".link", "/");
    chain.put_signed(&format!("{folder}{}", file("build", 1)), &crate::chain::link("build", &[], &[("app-1.2", "1")]), &[1]);
    assert_eq!(chain.refused(), ["in-toto-threshold"]);
    chain.settings.inheritance = Inheritance::All;
    assert!(chain.verify().is_ok());
}
