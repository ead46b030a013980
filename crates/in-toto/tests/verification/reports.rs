//! The explanation, as a value and as JSON.

use touchmark_envelope::json::{Value, parse};
use touchmark_in_toto::Detail;

use crate::chain::{Chain, Form, Layout, file, link, public, step};

fn path<'a>(value: &'a Value<'_>, path: &[&str]) -> &'a Value<'a> {
    path.iter().fold(value, |value, step| match step.parse::<usize>() {
        Ok(place) => &value.as_array().unwrap()[place],
        Err(_) => value.get(step).unwrap_or_else(|| panic!("{step}")),
    })
}

#[test]
fn a_report_says_which_rule_consumed_each_artifact() {
    let mut chain = Chain::demo(Form::Dsse);
    let report = chain.verify().unwrap().report;
    let text = report.to_json(Detail::Artifacts).to_vec();
    let json = parse(&text, text.len()).unwrap();
    assert_eq!((path(&json, &["verified"]).as_bool(), path(&json, &["class"])), (Some(true), &Value::Null));
    let json = path(&json, &["layouts", "0"]);
    assert_eq!(path(json, &["signed_by", "0"]).as_str(), Some(public(crate::chain::OWNER).key_id().as_str()));
    assert_eq!(path(json, &["steps", "1", "counted", "0"]).as_str(), Some(public(2).key_id().as_str()));
    let products = path(json, &["steps", "1", "products"]);
    assert_eq!(path(products, &["artifacts", "0", "name"]).as_str(), Some("foo.py"));
    assert_eq!(path(products, &["artifacts", "0", "consumed_by"]).as_u64(), Some(1));
    assert_eq!(path(products, &["artifacts", "1", "consumed_by"]).as_u64(), Some(0));
    assert_eq!(path(products, &["rules", "0", "rule", "1"]).as_str(), Some("foo.tgz"));
    assert_eq!(path(products, &["rules", "2", "left"]).as_u64(), Some(0));
    assert!(path(&report.to_json(Detail::Rules), &["layouts", "0", "steps", "1", "products"]).get("artifacts").is_none());
}

#[test]
fn a_report_of_a_refusal_has_every_reason_file_and_key() {
    let mut chain = Chain::demo(Form::Dsse);
    chain.layout.steps[0].pubkeys.push("00000000aa".into());
    chain.files.insert(file("write", 1), b"{".to_vec());
    chain.put("package", 2, &[], &[("x", "1")]);
    let rejected = chain.rejected();
    let text = rejected.report.to_json(Detail::Rules).to_vec();
    let json = parse(&text, text.len()).unwrap();
    assert_eq!((path(&json, &["verified"]).as_bool(), path(&json, &["class"]).as_str()), (Some(false), Some("not-verified")));
    let json = path(&json, &["layouts", "0"]);
    assert_eq!(path(json, &["reasons", "0", "code"]).as_str(), Some("in-toto-threshold"));
    assert_eq!(path(json, &["reasons", "1", "code"]).as_str(), Some("in-toto-disallowed"));
    assert_eq!(path(json, &["steps", "0", "files", "0", "path"]).as_str(), Some(file("write", 1).as_str()));
    assert_eq!(path(json, &["steps", "0", "files", "0", "refused", "code"]).as_str(), Some("json-truncated"));
    assert_eq!(path(json, &["steps", "0", "unusable", "0", "keyid"]).as_str(), Some("00000000aa"));
    assert_eq!(path(json, &["steps", "1", "products", "rules", "2", "failure", "disallowed", "0"]).as_str(), Some("x"));
    assert_eq!(path(json, &["steps", "1", "products", "rules", "0", "failure"]), &Value::Null);
    assert!(rejected.to_string().lines().count() >= 2);
}

#[test]
fn reports_of_sublayouts_stand_side_by_side_at_any_depth() {
    let layout = Layout::of(&[1], vec![step("s", &[1], &[], &["ALLOW x", "DISALLOW *"])]);
    let mut chain = Chain::new(Form::Dsse, layout.clone());
    let mut place = String::new();
    for number in 0..8 {
        let path = format!("{place}{}", file("s", 1));
        // One sublayout stands for one step.
        let layout = Layout { expires: format!("203{number}-01-01T00:00:00Z"), ..layout.clone() };
        chain.put_signed(&path, &layout.to_json(), &[1]);
        place = path.replace(".link", "/");
    }
    chain.put_signed(&format!("{place}{}", file("s", 1)), &link("s", &[], &[("x", "1")]), &[1]);
    let text = chain.verify().unwrap().report.to_json(Detail::Artifacts).to_vec();
    let json = parse(&text, text.len()).unwrap();
    let layouts = json.get("layouts").and_then(Value::as_array).unwrap();
    assert_eq!(layouts.len(), 9);
    for pair in layouts.windows(2) {
        assert_eq!(path(&pair[0], &["steps", "0", "files", "0", "sublayout"]), pair[1].get("folder").unwrap());
    }
}
