//! How many must vouch for a step, and that they say the same (in-toto 1.0, 4.3.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use touchmark_envelope::dsse::{Envelope, IN_TOTO};
use touchmark_envelope::key::KeyAlgorithm;
use touchmark_envelope::sign::{PrivateKey, Signer as _};
use touchmark_envelope::threshold::Signature;
use touchmark_in_toto::Class;

use crate::chain::{Chain, FORMS, Form, Layout, file, key, key_object, keyid, link, other_keyid, public, sign, step};

/// One step that two of three must vouch for, and all three do.
fn two_of_three(form: Form) -> Chain {
    let mut test = step("test", &[1, 2, 3], &[], &["ALLOW log", "DISALLOW *"]);
    test.threshold = 2;
    let mut chain = Chain::new(form, Layout::of(&[1, 2, 3], vec![test]));
    for number in 1..=3 {
        chain.put("test", number, &[], &[("log", "ok")]);
    }
    chain
}

#[test]
fn distinct_keys_are_counted() {
    for form in FORMS {
        let mut chain = two_of_three(form);
        assert_eq!(chain.verify().unwrap().report.steps[0].counted, [public(1), public(2), public(3)]);
        chain.files.remove(&file("test", 1));
        assert!(chain.verify().is_ok());
        chain.files.remove(&file("test", 3));
        assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-threshold"], Class::NotVerified));
        assert!(chain.told().starts_with("step `test`: 1 of 2 required keys vouch for it"), "{}", chain.told());
    }
}

#[test]
fn one_key_under_two_keyids_is_no_threshold_of_two() {
    // Python and Go count it twice.
    for form in FORMS {
        let mut chain = two_of_three(form);
        chain.layout.keys = vec![(keyid(1), key_object(&public(1))), (other_keyid(1), key_object(&public(1)))];
        chain.layout.steps[0].pubkeys = vec![keyid(1), other_keyid(1)];
        let bytes = chain.files[&file("test", 1)].clone();
        chain.files.insert(format!("test.{}.link", &other_keyid(1)[..8]), bytes);
        assert_eq!(chain.refused(), ["in-toto-unreachable-threshold"]);
        // With a second key it is the second that is missing.
        chain.layout.keys.push((keyid(2), key_object(&public(2))));
        chain.layout.steps[0].pubkeys.push(keyid(2));
        chain.files.remove(&file("test", 2));
        assert_eq!(chain.refused(), ["in-toto-threshold"]);
        chain.put("test", 2, &[], &[("log", "ok")]);
        assert!(chain.verify().is_ok());
    }
}

/// Signatures without keyids are tried with every key, until there are too many: who might have signed it is not found out.
#[test]
fn a_signer_behind_too_many_hopeless_signatures_is_not_denied() {
    for (strangers, refused) in [(20, vec![]), (126, vec!["in-toto-threshold"])] {
        let mut chain = two_of_three(Form::Dsse);
        (2..=3).for_each(|number| drop(chain.files.remove(&file("test", number))));
        let payload = link("test", &[], &[("log", "ok")]);
        let mut envelope = Envelope { payload: payload.into(), payload_type: IN_TOTO.into(), signatures: Vec::new() };
        let message = envelope.signed_bytes();
        let signature = |number| Signature { keyid: None, bytes: key(number).sign(&message).unwrap() };
        envelope.signatures.push(signature(1));
        envelope.signatures.extend(vec![signature(50); strangers]);
        envelope.signatures.push(signature(2));
        chain.files.insert(file("test", 1), envelope.to_json());
        match refused.as_slice() {
            [] => assert_eq!(chain.verify().unwrap().report.steps[0].counted, [public(1), public(2)]),
            refused => assert_eq!((chain.refused(), chain.class()), (refused.to_vec(), Class::Unknown)),
        }
    }
}

#[test]
fn one_key_in_two_encodings_is_no_threshold_of_two() {
    // A P-256 key with a compressed and an uncompressed point has two files, two digests and two keyids.
    let functionary = PrivateKey::from_raw(KeyAlgorithm::EcdsaP256, &[9; 32]).unwrap();
    let object = key_object(functionary.public_key());
    let mut chain = two_of_three(Form::Dsse);
    let uncompressed = functionary.public_key().to_spki_der();
    let point = &uncompressed[27..];
    let prefix = if point[63] & 1 == 0 { 2 } else { 3 };
    let mut compressed = vec![0x30, 0x39, 0x30, 0x13];
    compressed.extend_from_slice(&uncompressed[4..23]);
    compressed.extend_from_slice(&[0x03, 0x22, 0x00, prefix]);
    compressed.extend_from_slice(&point[..32]);
    assert_eq!(touchmark_envelope::key::PublicKey::from_spki_der(&compressed).as_ref(), Ok(functionary.public_key()));
    let base64 = STANDARD.encode(&compressed);
    let again = format!(
        r#"{{"keytype":"ecdsa","scheme":"ecdsa-sha2-nistp256","keyval":{{"public":"-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n"}}}}"#
    );
    chain.layout.keys = vec![("aaaaaaaa00".into(), object), ("bbbbbbbb00".into(), again)];
    chain.layout.steps[0].pubkeys = vec!["aaaaaaaa00".into(), "bbbbbbbb00".into()];
    let bytes = sign(&link("test", &[], &[("log", "ok")]), &[&functionary], Form::Dsse);
    chain.files.insert("test.aaaaaaaa.link".into(), bytes.clone());
    chain.files.insert("test.bbbbbbbb.link".into(), bytes);
    assert_eq!(chain.refused(), ["in-toto-unreachable-threshold"]);
    chain.layout.steps[0].threshold = 1;
    assert!(chain.verify().is_ok());
}

#[test]
fn one_file_with_two_signatures_counts_for_both() {
    for form in FORMS {
        let mut chain = two_of_three(form);
        chain.files.clear();
        chain.put_signed(&file("test", 1), &link("test", &[], &[("log", "ok")]), &[1, 2]);
        assert!(chain.verify().is_ok());
        // A second signature by the same key is no second key.
        chain.put_signed(&file("test", 1), &link("test", &[], &[("log", "ok")]), &[1, 1]);
        assert_eq!(chain.refused(), ["in-toto-threshold"]);
    }
}

#[test]
fn links_that_differ_contradict_each_other_whatever_the_threshold() {
    // Python takes the first for a threshold of 1, in-toto-rs any.
    for threshold in [1, 2] {
        for (materials, products) in
            [(&[][..], &[("log", "other")][..]), (&[("in", "1")], &[("log", "ok")]), (&[], &[]), (&[], &[("log", "ok"), ("x", "1")])]
        {
            let mut chain = two_of_three(Form::Dsse);
            chain.layout.steps[0].threshold = threshold;
            chain.put("test", 3, materials, products);
            assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-disagreement"], Class::NotVerified));
            assert!(chain.told().contains(&file("test", 3)), "{}", chain.told());
        }
    }
    // One key that says two things, too.
    let mut chain = two_of_three(Form::Dsse);
    chain.put_signed(&format!("test.{}.link", &other_keyid(1)[..8]), &link("test", &[], &[("log", "other")]), &[1]);
    assert_eq!(chain.refused(), ["in-toto-disagreement"]);
    // What does not count contradicts nothing.
    let mut chain = two_of_three(Form::Dsse);
    chain.files.insert(file("test", 3), sign(&link("test", &[], &[("log", "other")]), &[&key(66)], Form::Dsse));
    assert!(chain.verify().is_ok());
}

#[test]
fn commands_and_byproducts_may_differ() {
    let mut chain = two_of_three(Form::Legacy);
    let other = link("test", &[], &[("log", "ok")]).replace(r#""return-value":0"#, r#""return-value":1,"stdout":"x""#);
    chain.put_signed(&file("test", 2), &other, &[2]);
    assert!(chain.verify().is_ok());
}

#[test]
fn a_threshold_above_the_keys_that_can_sign_never_holds() {
    for (threshold, pubkeys) in
        [(4, vec![keyid(1), keyid(2), keyid(3)]), (u64::MAX, vec![keyid(1)]), (1, vec![]), (1, vec!["00000000ff".into()])]
    {
        let mut chain = two_of_three(Form::Dsse);
        (chain.layout.steps[0].threshold, chain.layout.steps[0].pubkeys) = (threshold, pubkeys);
        assert_eq!(chain.refused(), ["in-toto-unreachable-threshold"]);
    }
    let mut chain = two_of_three(Form::Dsse);
    chain.layout.steps[0].threshold = 0;
    assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-item"], Class::UntrustedMetadata));
}

#[test]
fn two_keys_with_one_beginning_share_a_file_with_a_clear_outcome() {
    // The keyids of the layout begin alike, so that there is one file for both.
    let mut chain = two_of_three(Form::Dsse);
    chain.files.clear();
    chain.layout.keys = vec![("0123456789".into(), key_object(&public(1))), ("0123456700".into(), key_object(&public(2)))];
    chain.layout.steps[0].pubkeys = vec!["0123456789".into(), "0123456700".into()];
    let payload = link("test", &[], &[("log", "ok")]);
    chain.put_signed("test.01234567.link", &payload, &[1]);
    assert_eq!(chain.refused(), ["in-toto-threshold"]);
    assert_eq!(chain.asked.iter().filter(|path| *path == "test.01234567.link").count(), 1);
    // Both signatures in it, or the second file under another form of the second key's identifier.
    chain.put_signed("test.01234567.link", &payload, &[1, 2]);
    assert!(chain.verify().is_ok());
    chain.put_signed("test.01234567.link", &payload, &[1]);
    chain.put_signed(&file("test", 2), &payload, &[2]);
    assert!(chain.verify().is_ok());
}

#[test]
fn the_outcome_does_not_depend_on_the_order_of_keys() {
    let orders = [[1, 2, 3], [3, 2, 1], [2, 3, 1]];
    for differs in [false, true] {
        let outcomes = orders.map(|order| {
            let mut chain = two_of_three(Form::Dsse);
            if differs {
                chain.put("test", 2, &[], &[("log", "other")]);
            }
            chain.layout.steps[0].pubkeys = order.iter().map(|number| keyid(*number)).collect();
            chain.verify().map(|_| ()).map_err(|rejected| rejected.report.reasons[0].code())
        });
        assert_eq!(outcomes, [if differs { Err("in-toto-disagreement") } else { Ok(()) }; 3]);
    }
}
