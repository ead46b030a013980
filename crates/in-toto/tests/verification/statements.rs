//! Links as statements of the attestation framework (predicates/link.md), in the place of links of in-toto 1.0.

use touchmark_envelope::digest::hex;
use touchmark_in_toto::Origin;

use crate::chain::{Chain, Form, file, key, keyid, link, public, sign, step, verdicts};

/// A statement: artifacts are names, each with its digests by algorithm, made of what stands there.
fn statement(name: &str, materials: &[(&str, &[(&str, &str)])], products: &[(&str, &[(&str, &str)])]) -> String {
    let list = |all: &[(&str, &[(&str, &str)])]| {
        let one = |(name, digests): &(&str, &[(&str, &str)])| {
            let digests: Vec<String> =
                digests.iter().map(|(algorithm, content)| format!(r#""{algorithm}":"{}""#, hex(content.as_bytes()))).collect();
            format!(r#"{{"name":"{name}","digest":{{{}}}}}"#, digests.join(","))
        };
        all.iter().map(one).collect::<Vec<_>>().join(",")
    };
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://in-toto.io/attestation/link/v0.3","subject":[{}],"predicate":{{"name":"{name}","materials":[{}]}}}}"#,
        list(products),
        list(materials)
    )
}

const ONE: &[(&str, &str)] = &[("sha256", "1")];

#[test]
fn a_statement_with_a_link_vouches_for_its_step() {
    let mut chain = Chain::demo(Form::Dsse);
    chain.put_signed(&file("write", 1), &statement("write", &[], &[("foo.py", ONE)]), &[1]);
    let report = chain.verify().unwrap().report;
    assert_eq!(report.steps[0].link.as_ref().unwrap().origin, Origin::Statement);
    // Whose predicate is another one, or whose step, does not.
    let good = statement("write", &[], &[("foo.py", ONE)]);
    for (bad, code) in [
        (good.replace("attestation/link/v0.3", "provenance/v1"), "in-toto-predicate"),
        (good.replace("Statement/v1", "Statement/v0.1"), "in-toto-type"),
        (good.replace(r#""name":"write""#, r#""name":"package""#), "in-toto-link-name"),
        (good.replace("foo.py", "../foo.py"), "in-toto-artifact-name"),
    ] {
        chain.put_signed(&file("write", 1), &bad, &[1]);
        assert_eq!(verdicts(&chain.rejected().report.steps[0].files), [code], "{bad}");
    }
    chain.put_signed(&file("write", 1), &good, &[2]);
    assert_eq!(verdicts(&chain.rejected().report.steps[0].files), ["in-toto-link-signature"]);
    // A statement is signed as DSSE and in no other way, and is no layout.
    chain.files.insert(file("write", 1), sign(&good, &[&key(1)], Form::Legacy));
    assert_eq!(verdicts(&chain.rejected().report.steps[0].files), ["in-toto-type"]);
    let rejected = chain.verify_document(sign(&good, &[&key(crate::chain::OWNER)], Form::Dsse)).unwrap_err();
    assert_eq!(rejected.report.reasons[0].code(), "in-toto-type");
}

#[test]
fn digests_of_statements_are_compared_by_what_both_have() {
    // A link of in-toto 1.0 with one more algorithm is another artifact (4.3.3.2); a statement with one more is not.
    let both: &[(&str, &str)] = &[("sha256", "1"), ("sha512", "1")];
    let other: &[(&str, &str)] = &[("sha256", "1"), ("sha512", "2")];
    let weak: &[(&str, &str)] = &[("sha1", "1"), ("md5", "1")];
    let mut chain = Chain::demo(Form::Dsse);
    let package = |chain: &mut Chain, digests: &[(&str, &str)]| {
        let payload = statement("package", &[("foo.py", digests)], &[("foo.tgz", ONE)]);
        chain.put_signed(&file("package", 2), &payload, &[2]);
    };
    package(&mut chain, both);
    assert!(chain.verify().is_ok());
    package(&mut chain, &[("sha512", "1")]);
    assert_eq!(chain.refused(), ["in-toto-disallowed"]);
    chain.put_signed(&file("write", 1), &statement("write", &[], &[("foo.py", both)]), &[1]);
    assert!(chain.verify().is_ok());
    package(&mut chain, other);
    assert_eq!(chain.refused(), ["in-toto-disallowed"]);
    // One statement of the two suffices, on either side.
    chain.put("package", 2, &[("foo.py", "1")], &[("foo.py", "1"), ("foo.tgz", "2")]);
    assert!(chain.verify().is_ok());
    // Digests of which two things can be made are no evidence.
    chain.put_signed(&file("write", 1), &statement("write", &[], &[("foo.py", weak)]), &[1]);
    package(&mut chain, weak);
    assert_eq!(chain.refused(), ["in-toto-disallowed"]);
    // Two links of in-toto 1.0 are compared as ever.
    let text = link("package", &[("foo.py", "1")], &[("foo.tgz", "2")]);
    let more = text.replacen(r#"{"sha256":"31"}"#, r#"{"sha256":"31","sha512":"31"}"#, 1);
    assert_ne!(more, text);
    let mut chain = Chain::demo(Form::Dsse);
    chain.put_signed(&file("package", 2), &more, &[2]);
    assert_eq!(chain.refused(), ["in-toto-disallowed"]);
}

#[test]
fn modify_consumes_nothing_of_a_statement_that_is_not_shown_to_differ() {
    let both: &[(&str, &str)] = &[("sha256", "1"), ("sha512", "1")];
    let other: &[(&str, &str)] = &[("sha256", "1"), ("sha512", "2")];
    let weak: &[(&str, &str)] = &[("sha1", "1")];
    for (before, after, modified) in [
        (ONE, &[("sha256", "2")][..], true),
        (both, other, true),
        (weak, &[("sha1", "2")], true),
        (ONE, ONE, false),
        (ONE, both, false),
        (weak, weak, false),
        (ONE, &[("sha512", "1")], false),
    ] {
        let layout = crate::chain::Layout::of(&[1], vec![step("s", &[1], &["MODIFY x", "DISALLOW *"], &["MODIFY x", "DISALLOW *"])]);
        let mut chain = Chain::new(Form::Dsse, layout);
        chain.put_signed(&file("s", 1), &statement("s", &[("x", before)], &[("x", after)]), &[1]);
        assert_eq!(chain.verify().is_ok(), modified, "{before:?} {after:?}");
    }
}

#[test]
fn functionaries_agree_on_what_all_of_them_report() {
    let both: &[(&str, &str)] = &[("sha256", "1"), ("sha512", "1")];
    let agreed = |reports: [&[(&str, &str)]; 3], order: [u8; 3]| {
        let mut test = step("test", &order, &[], &["MATCH x WITH PRODUCTS FROM test", "DISALLOW *"]);
        test.threshold = 3;
        let mut chain = Chain::new(Form::Dsse, crate::chain::Layout::of(&[1, 2, 3], vec![test]));
        for (number, digests) in (1..).zip(reports) {
            chain.put_signed(&file("test", number), &statement("test", &[], &[("x", digests)]), &[number]);
        }
        let outcome = chain.verify().map(|chain| {
            let link = chain.report.steps[0].link.clone().unwrap();
            link.products.get("x").unwrap().iter().map(|(algorithm, _)| algorithm.to_owned()).collect::<Vec<_>>()
        });
        outcome.map_err(|rejected| rejected.report.reasons[0].code())
    };
    for order in [[1, 2, 3], [3, 2, 1], [2, 1, 3]] {
        // What only some report is vouched for by some only.
        assert_eq!(agreed([both, ONE, both], order), Ok(vec!["sha256".to_owned()]));
        assert_eq!(agreed([both, both, both], order), Ok(vec!["sha256".to_owned(), "sha512".to_owned()]));
        assert_eq!(agreed([both, ONE, &[("sha256", "1"), ("sha512", "2")]], order), Err("in-toto-disagreement"));
        assert_eq!(agreed([ONE, ONE, &[("sha512", "1")]], order), Err("in-toto-disagreement"));
        assert_eq!(agreed([both, ONE, &[("sha512", "1")]], order), Err("in-toto-disagreement"));
    }
    // Beside a link of in-toto 1.0, too; a threshold is one of keys, whatever they sign.
    let mut chain = Chain::demo(Form::Dsse);
    chain.layout.steps[0].pubkeys.push(keyid(2));
    chain.layout.steps[0].threshold = 2;
    chain.put_signed(&file("write", 2), &statement("write", &[], &[("foo.py", both)]), &[2]);
    assert_eq!(chain.verify().unwrap().report.steps[0].counted, [public(1), public(2)]);
    for products in [&[("bar.py", both)][..], &[("foo.py", both), ("x", both)], &[("a", both), ("foo.py", both)]] {
        chain.put_signed(&file("write", 2), &statement("write", &[], products), &[2]);
        assert_eq!(chain.refused(), ["in-toto-disagreement"]);
    }
    chain.put_signed(&file("write", 2), &statement("write", &[("x", both)], &[("foo.py", both)]), &[2]);
    assert_eq!(chain.refused(), ["in-toto-disagreement"]);
}
