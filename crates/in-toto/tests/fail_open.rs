//! What other verifiers let through, as far as no other test has it, each beside what is honest and passes. `fail_open.md` is the list of all
//! such findings with the test of each.

#[cfg(test)]
#[allow(dead_code, reason = "these tests use a part of it")]
#[path = "verification/chain.rs"]
mod chain;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use touchmark_envelope::digest::hex;
    use touchmark_envelope::json::Value;
    use touchmark_in_toto::{Class, Unusable};

    use crate::chain::{Chain, FORMS, Form, Inspection, Layout, file, key, keyid, link, public, rules, sign, step, verdicts};

    /// One step by key 1, with these rules for its products.
    fn one_step(products: &[&str]) -> Chain {
        Chain::new(Form::Dsse, Layout::of(&[1], vec![step("s", &[1], &[], products)]))
    }

    fn inspection(products: &[&str]) -> Inspection {
        Inspection { name: "look".into(), run: vec!["sh".into()], materials: vec![], products: rules(products) }
    }

    /// Go cleans names, so that two become one and the rules see either.
    #[test]
    fn one_file_under_two_names_is_refused() {
        let mut chain = one_step(&["ALLOW foo", "DISALLOW *"]);
        chain.put("s", 1, &[], &[("foo", "1")]);
        assert!(chain.verify().is_ok());
        for other in ["./foo", "x/../foo", "foo/.", "/foo"] {
            chain.put("s", 1, &[], &[("foo", "1"), (other, "2")]);
            assert_eq!(verdicts(&chain.rejected().report.steps[0].files), ["in-toto-artifact-name"], "{other}");
        }
    }

    /// Go takes both, and the rules for the one see the other's artifacts.
    #[test]
    fn a_step_and_an_inspection_of_one_name_are_refused() {
        let mut chain = Chain::demo(Form::Dsse);
        chain.layout.inspections.push(Inspection { name: "write".into(), ..inspection(&[]) });
        chain.run("write", 0, &[], &[]);
        assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-item-twice"], Class::UntrustedMetadata));
        chain.layout.inspections[0].name = "look".into();
        chain.run("look", 0, &[], &[]);
        assert!(chain.verify().is_ok());
    }

    /// Go looks at the rules of an inspection when its command has been run.
    #[test]
    fn a_malformed_rule_of_an_inspection_is_refused_before_its_command_is_asked_for() {
        let mut chain = Chain::demo(Form::Dsse);
        chain.run("look", 0, &[], &[]);
        for rule in ["MATCH * WITH PRODUCT FROM write", "MATCH * WITH BYPRODUCTS FROM write", "ALLOW", "PERMIT *"] {
            chain.layout.inspections = vec![inspection(&[rule])];
            assert_eq!(chain.refused(), ["in-toto-rule"], "{rule}");
            assert!(chain.asked_to_run.is_empty());
        }
        chain.layout.inspections = vec![inspection(&["ALLOW *"])];
        assert!(chain.verify().is_ok());
        assert_eq!(chain.asked_to_run, ["look"]);
    }

    /// An empty list ends Go's process, also from a sublayout, which any functionary may hand in; and the rule is skipped where it is not reached.
    #[test]
    fn an_empty_rule_of_a_layout_or_a_sublayout_is_refused_and_ends_nothing() {
        let empty = |layout: &Layout| layout.to_json().replace(r#"["ALLOW","x"]"#, "[]");
        let mut chain = one_step(&["ALLOW x"]);
        chain.put("s", 1, &[], &[("x", "1")]);
        assert!(chain.verify().is_ok());
        let bad = sign(&empty(&chain.layout), &[&key(crate::chain::OWNER)], chain.form);
        assert_eq!(chain.verify_document(bad).unwrap_err().report.reasons[0].code(), "in-toto-rule");
        let inner = chain.layout.clone();
        let inside = file("s", 1).replace(".link", "/");
        chain.put_signed(&format!("{inside}{}", file("s", 1)), &link("s", &[], &[("x", "1")]), &[1]);
        chain.put_signed(&file("s", 1), &inner.to_json(), &[1]);
        assert!(chain.verify().is_ok());
        chain.put_signed(&file("s", 1), &empty(&inner), &[1]);
        assert_eq!(verdicts(&chain.rejected().report.steps[0].files), ["in-toto-rule"]);
    }

    /// Python and Go take the last of two.
    #[test]
    fn a_link_that_says_its_products_twice_is_refused() {
        for form in FORMS {
            let mut chain = Chain::demo(form);
            let honest = link("write", &[], &[("foo.py", "1")]);
            let twice = honest.replacen('{', r#"{"products":{"evil":{"sha256":"00"}},"#, 1);
            chain.put_signed(&file("write", 1), &honest, &[1]);
            assert!(chain.verify().is_ok());
            let signed = sign(&honest, &[&key(1)], form);
            let bytes = match form {
                Form::Dsse => sign(&twice, &[&key(1)], form),
                // There is no canonical form of it that could be signed.
                Form::Legacy => String::from_utf8(signed).unwrap().replace(&honest, &twice).into_bytes(),
            };
            chain.files.insert(file("write", 1), bytes);
            assert_eq!(verdicts(&chain.rejected().report.steps[0].files), ["json-duplicate-member"]);
        }
    }

    /// Of which a signature that holds for every message can be made without a private key.
    #[test]
    fn a_listed_key_of_small_order_signs_nothing() {
        for point in ["01", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"] {
            let point = format!("{point:0<64}");
            let mut chain = Chain::demo(Form::Legacy);
            let object = format!(r#"{{"keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{point}"}}}}"#);
            chain.layout.keys.push(("deadbeef00".into(), object));
            chain.layout.steps[0].pubkeys = vec!["deadbeef00".into()];
            let forged = format!("01{}", "0".repeat(126));
            let payload = link("write", &[], &[("foo.py", "1")]);
            let document = format!(r#"{{"signed":{payload},"signatures":[{{"keyid":"deadbeef00","sig":"{forged}"}}]}}"#);
            chain.files.insert("write.deadbeef.link".into(), document.into_bytes());
            let rejected = chain.rejected();
            assert_eq!(rejected.report.reasons[0].code(), "in-toto-unreachable-threshold", "{point}");
            assert_eq!(rejected.report.steps[0].unusable, [("deadbeef00".to_owned(), Unusable::Malformed)]);
            chain.layout.steps[0].pubkeys.push(keyid(1));
            assert!(chain.verify().is_ok());
        }
    }

    /// The same digits, with the group's order added to the scalar.
    #[test]
    fn a_signature_with_a_scalar_that_is_not_reduced_is_refused() {
        const ORDER: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0x10,
        ];
        let mut chain = Chain::demo(Form::Legacy);
        let text = String::from_utf8(chain.files[&file("write", 1)].clone()).unwrap();
        let start = text.find(r#""sig":""#).unwrap() + 7;
        let scalar: Vec<u8> = (0..32).map(|place| u8::from_str_radix(&text[start + 64 + 2 * place..][..2], 16).unwrap()).collect();
        let mut carry = 0;
        let sum: Vec<u8> = scalar
            .iter()
            .zip(ORDER)
            .map(|(one, other)| {
                let sum = u16::from(*one) + u16::from(other) + carry;
                carry = sum >> 8;
                u8::try_from(sum & 0xff).unwrap()
            })
            .collect();
        let changed = format!("{}{}{}", &text[..start + 64], hex(&sum), &text[start + 128..]);
        assert_eq!(changed.len(), text.len());
        assert!(chain.verify().is_ok());
        chain.files.insert(file("write", 1), changed.into_bytes());
        assert_eq!(verdicts(&chain.rejected().report.steps[0].files), ["in-toto-link-signature"]);
    }

    /// Two names that look alike are two, as are two that differ in the end of a line.
    #[test]
    fn names_that_look_alike_are_not_one() {
        for (one, other) in [("caf\u{e9}", "cafe\u{301}"), ("a\r\nb", "a\nb"), ("a", "A"), ("a", "\u{430}"), ("a ", "a")] {
            let make = step("make", &[1], &[], &[]);
            let take = step("take", &[1], &["MATCH * WITH PRODUCTS FROM make", "DISALLOW *"], &[]);
            let mut chain = Chain::new(Form::Dsse, Layout::of(&[1], vec![make, take]));
            chain.put("make", 1, &[], &[(one, "1")]);
            chain.put("take", 1, &[(one, "1")], &[]);
            assert!(chain.verify().is_ok());
            chain.put("take", 1, &[(other, "1")], &[]);
            assert_eq!(chain.refused(), ["in-toto-disallowed"], "{one:?} {other:?}");
        }
    }

    /// A keyid is text: in capitals it is another, and never a second functionary.
    #[test]
    fn a_keyid_in_capitals_is_no_second_functionary() {
        let mut chain = one_step(&[]);
        chain.layout.steps[0].threshold = 2;
        let capitals = keyid(1).to_uppercase();
        let object = chain.layout.keys[0].1.clone();
        chain.layout.keys.push((capitals.clone(), object));
        chain.layout.steps[0].pubkeys = vec![keyid(1), capitals.clone()];
        let payload = link("s", &[], &[]);
        for name in [&keyid(1), &capitals] {
            chain.put_signed(&format!("s.{}.link", &name[..8]), &payload, &[1]);
        }
        assert_eq!(chain.refused(), ["in-toto-unreachable-threshold"]);
        chain.layout.steps[0].threshold = 1;
        assert_eq!(chain.verify().unwrap().report.steps[0].counted, [public(1)]);
    }

    /// The digests of a MATCH are compared as wholes: an algorithm less, or another case, is no equal.
    #[test]
    fn a_match_of_some_of_the_digests_consumes_nothing() {
        let make = step("make", &[1], &[], &[]);
        let take = step("take", &[1], &["MATCH * WITH PRODUCTS FROM make", "DISALLOW *"], &[]);
        let mut chain = Chain::new(Form::Dsse, Layout::of(&[1], vec![make, take]));
        let of = |name: &str, side: &str, digests: &str| {
            let value = touchmark_envelope::json::parse(digests.as_bytes(), digests.len()).unwrap();
            let artifacts = Value::object([("x", value)]).to_vec();
            link(name, &[], &[]).replace(&format!("\"{side}\":{{}}"), &format!("\"{side}\":{}", String::from_utf8(artifacts).unwrap()))
        };
        let both = r#"{"sha256":"aa","sha512":"bb"}"#;
        chain.put_signed(&file("make", 1), &of("make", "products", both), &[1]);
        for (digests, verified) in [
            (both, true),
            (r#"{"sha512":"bb","sha256":"aa"}"#, true),
            (r#"{"sha256":"aa"}"#, false),
            (r#"{"sha256":"aa","sha512":"bb","md5":"cc"}"#, false),
            (r#"{"sha256":"AA","sha512":"bb"}"#, false),
            (r#"{"sha256":"aa","sha512":"cc"}"#, false),
        ] {
            chain.put_signed(&file("take", 1), &of("take", "materials", digests), &[1]);
            assert_eq!(chain.verify().is_ok(), verified, "{digests}");
        }
    }

    /// What Go answers depends on the order of a map.
    #[test]
    fn fifty_verifications_of_one_chain_end_alike() {
        let mut chain = one_step(&["ALLOW log", "DISALLOW *"]);
        chain.layout = Layout::of(&[1, 2, 3], chain.layout.steps);
        chain.layout.steps[0].pubkeys = vec![keyid(1), keyid(2), keyid(3)];
        chain.layout.steps[0].threshold = 2;
        for (by, content) in [(1, "1"), (2, "1"), (3, "2")] {
            chain.put("s", by, &[], &[("log", content)]);
        }
        let first = format!("{:?}", chain.rejected().report);
        for _ in 0..50 {
            assert_eq!(format!("{:?}", chain.rejected().report), first);
        }
        chain.files.remove(&file("s", 3));
        for _ in 0..50 {
            assert!(chain.verify().is_ok());
        }
    }

    /// Python's tool for functionaries compares what is there with the products of a link; here the rules of the step do, and at the end.
    #[test]
    fn a_step_that_took_what_no_link_vouches_for_is_refused() {
        let mut chain = Chain::demo(Form::Dsse);
        assert!(chain.verify().is_ok());
        chain.put("package", 2, &[("foo.py", "1"), ("smuggled", "1")], &[("foo.py", "1"), ("foo.tgz", "2")]);
        assert_eq!(chain.refused(), ["in-toto-disallowed"]);
    }

    #[test]
    fn every_test_that_the_list_names_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut named = 0;
        for line in include_str!("fail_open.md").lines().filter(|line| line.starts_with('|')) {
            for name in line.split('`').filter(|name| name.contains(".rs::")) {
                let (file, test) = name.split_once("::").unwrap();
                let text = std::fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
                let function = test.rsplit("::").next().unwrap();
                assert!(text.contains(&format!("fn {function}(")), "{file} has no test {function}");
                named += 1;
            }
        }
        assert!(named > 50, "{named}");
    }
}
