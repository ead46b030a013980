//! Who signed the layout, and whether it is still to be trusted (in-toto 1.0, 5.2, items 1 and 2).

use touchmark_envelope::digest::hex;
use touchmark_envelope::dsse::Envelope;
use touchmark_envelope::key::KeyAlgorithm;
use touchmark_envelope::sign::{PrivateKey, Signer as _};
use touchmark_envelope::threshold::KeySet;
use touchmark_in_toto::{Answer, Class, Need, Settings, UnixTime, Verification};

use crate::chain::{Chain, FORMS, Form, NOW, OWNER, key, key_object, link, public, sign};

#[test]
fn an_honest_supply_chain_is_verified_in_both_forms() {
    for form in FORMS {
        let chain = Chain::demo(form).verify().unwrap();
        let summary = chain.summary.unwrap();
        assert!(summary.materials.is_empty() && summary.products.get("foo.tgz").is_some());
        assert_eq!(chain.report.signed_by, [public(OWNER)]);
    }
}

#[test]
fn every_given_key_must_have_signed_the_layout() {
    for form in FORMS {
        let mut chain = Chain::demo(form);
        chain.trusted = vec![OWNER, 101];
        assert_eq!(chain.refused(), ["in-toto-layout-signature"]);
        assert_eq!(chain.class(), Class::UntrustedMetadata);
        assert!(chain.told().contains(public(101).key_id().as_str()));
        // Nothing that an unsigned layout names is looked for.
        assert!(chain.asked.is_empty());
        chain.owners = vec![101, 7, OWNER];
        assert!(chain.verify().is_ok());
    }
}

#[test]
fn without_a_key_nothing_is_verified() {
    let mut chain = Chain::demo(Form::Dsse);
    chain.trusted = vec![];
    assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-no-key"], Class::Usage));
}

#[test]
fn a_changed_layout_is_refused() {
    let chain = Chain::demo(Form::Legacy);
    let text = String::from_utf8(chain.document()).unwrap();
    for (from, to) in [
        ("foo.tgz", "bar.tgz"),
        (r#""readme":"""#, r#""readme":"x""#),
        // Members that nobody knows are under the signature: python and others drop them before they check it.
        (r#""readme":"""#, r#""readme":"","injected":1"#),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        let rejected = chain.clone().verify_document(changed.into_bytes()).unwrap_err();
        assert_eq!(rejected.report.reasons[0].code(), "in-toto-layout-signature", "{to}");
    }
    let dsse = Chain::demo(Form::Dsse);
    let mut envelope = Envelope::parse(&dsse.document(), Default::default()).unwrap().into_untrusted();
    envelope.payload.push(b' ');
    let rejected = dsse.clone().verify_document(envelope.to_json()).unwrap_err();
    assert_eq!(rejected.report.reasons[0].code(), "in-toto-layout-signature");
}

#[test]
fn what_is_signed_is_what_was_received_in_whatever_key_form() {
    // Old python writes empty private keys, Go and python 3 do not; python 3 has no keyid_hash_algorithms. Peers write their own form
    // again and refuse the others'.
    for extra in [r#","keyid_hash_algorithms":["sha256","sha512"]"#, r#","keyid":"x""#, ""] {
        for private in [r#""private":"","#, ""] {
            let mut chain = Chain::demo(Form::Legacy);
            for (_, object) in &mut chain.layout.keys {
                *object = object.replace(r#""public""#, &format!("{private}\"public\""));
                object.truncate(object.len() - 1);
                object.push_str(&format!("{extra}}}"));
            }
            assert!(chain.verify().is_ok(), "{extra} {private}");
        }
    }
}

#[test]
fn keyids_of_signatures_are_hints() {
    let chain = Chain::demo(Form::Dsse);
    for keyid in [None, Some(""), Some("wrong")] {
        let mut envelope = Envelope::parse(&chain.document(), Default::default()).unwrap().into_untrusted();
        envelope.signatures[0].keyid = keyid.map(Into::into);
        assert!(chain.clone().verify_document(envelope.to_json()).is_ok(), "{keyid:?}");
    }
}

#[test]
fn url_safe_base64_is_read_and_another_payload_type_is_not() {
    let chain = Chain::demo(Form::Dsse);
    let text = String::from_utf8(chain.document()).unwrap();
    let url_safe = text.replace('+', "-").replace("application/vnd.in-toto-json", "application/vnd.in-toto+json");
    assert!(chain.clone().verify_document(url_safe.into_bytes()).is_ok());
    let payload = chain.layout.to_json().into_bytes();
    let envelope = Envelope::sign("application/json", payload, &[&key(OWNER)]).unwrap();
    let rejected = chain.clone().verify_document(envelope.to_json()).unwrap_err();
    assert_eq!(rejected.report.reasons[0].code(), "in-toto-payload-type");
}

#[test]
fn a_link_given_as_a_layout_is_refused() {
    for form in FORMS {
        let mut chain = Chain::demo(form);
        let rejected = chain.verify_document(sign(&link("write", &[], &[]), &[&key(OWNER)], form)).unwrap_err();
        assert_eq!((rejected.report.reasons[0].code(), rejected.class()), ("in-toto-type", Class::UntrustedMetadata));
    }
}

#[test]
fn an_expired_layout_is_refused_from_the_second_of_its_expiry_on() {
    for (at, verified) in [(NOW - 1, true), (NOW, false), (NOW + 1, false)] {
        let mut chain = Chain::demo(Form::Dsse);
        chain.layout.expires = UnixTime::from_seconds(NOW).unwrap().to_string();
        chain.at = at;
        assert_eq!(chain.verify().is_ok(), verified, "{at}");
        if !verified {
            assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-expired"], Class::UntrustedMetadata));
        }
    }
}

#[test]
fn a_layout_without_an_expiry_never_holds() {
    for form in FORMS {
        for expires in ["", "never", "2030-01-01", "2030-01-01T00:00:00+00:00"] {
            let mut chain = Chain::demo(form);
            chain.layout.expires = expires.into();
            assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-no-expiry"], Class::UntrustedMetadata), "{expires}");
        }
    }
}

#[test]
fn a_second_member_under_another_case_or_escape_overrides_nothing() {
    // Go takes "EXPIRES" for "expires", and the last of two.
    let mut chain = Chain::demo(Form::Dsse);
    chain.layout.expires = "2020-01-01T00:00:00Z".into();
    let expired = chain.layout.to_json();
    let upper = expired.replacen('{', r#"{"EXPIRES":"2030-01-01T00:00:00Z","#, 1);
    let rejected = chain.verify_document(sign(&upper, &[&key(OWNER)], Form::Dsse)).unwrap_err();
    assert_eq!(rejected.report.reasons[0].code(), "in-toto-expired");
    let twice = expired.replacen('{', r#"{"\u0065xpires":"2030-01-01T00:00:00Z","#, 1);
    let rejected = chain.verify_document(sign(&twice, &[&key(OWNER)], Form::Dsse)).unwrap_err();
    assert_eq!(rejected.report.reasons[0].code(), "json-duplicate-member");
}

#[test]
fn what_is_neither_envelope_or_both_is_refused() {
    let chain = Chain::demo(Form::Dsse);
    let text = String::from_utf8(chain.document()).unwrap();
    let both = text.replacen('{', r#"{"signed":{},"#, 1);
    for (document, code) in [
        (both.as_str(), "in-toto-envelope"),
        ("{}", "in-toto-envelope"),
        ("[]", "json-syntax"),
        ("", "json-truncated"),
        (r#"{"payload":"","payloadType":"application/vnd.in-toto+json","signatures":[]}"#, "in-toto-dsse"),
    ] {
        let rejected = chain.clone().verify_document(document.as_bytes().to_vec()).unwrap_err();
        assert_eq!(rejected.report.reasons[0].code(), code, "{document}");
    }
}

#[test]
fn two_signatures_by_one_key_under_two_keyids_are_one() {
    let mut chain = Chain::demo(Form::Dsse);
    let mut envelope = Envelope::parse(&chain.document(), Default::default()).unwrap().into_untrusted();
    let mut again = envelope.signatures[0].clone();
    again.keyid = Some(public(101).key_id().into_string());
    envelope.signatures.push(again);
    chain.trusted = vec![OWNER, 101];
    let rejected = chain.verify_document(envelope.to_json()).unwrap_err();
    assert_eq!(rejected.report.reasons[0].code(), "in-toto-layout-signature");
}

#[test]
fn ecdsa_functionaries_count_in_both_forms() {
    let functionary = PrivateKey::from_raw(KeyAlgorithm::EcdsaP256, &[9; 32]).unwrap();
    for form in FORMS {
        let mut chain = Chain::demo(form);
        let id = functionary.public_key().key_ids()[3].as_str().to_owned();
        chain.layout.keys.push((id.clone(), key_object(functionary.public_key())));
        chain.layout.steps[0].pubkeys = vec![id.clone()];
        assert_eq!(chain.refused(), ["in-toto-threshold"]);
        let payload = link("write", &[], &[("foo.py", "1")]);
        chain.files.insert(format!("write.{}.link", &id[..8]), sign(&payload, &[&functionary], form));
        assert!(chain.verify().is_ok());
    }
}

#[test]
fn a_verification_that_is_given_up_is_none() {
    let chain = Chain::demo(Form::Dsse);
    let at = UnixTime::from_seconds(NOW).unwrap();
    let mut verification = Verification::new(chain.document(), &KeySet::new([public(OWNER)]), Settings::default(), at);
    let first = verification.need().cloned();
    assert!(matches!(first, Some(Need::File { .. })));
    assert_eq!(verification.need().cloned(), first);
    // What nobody asked for is no answer.
    verification.answer(Answer::Absent);
    verification.answer(Answer::Bytes(hex(b"x").into_bytes()));
    let rejected = verification.finish().unwrap_err();
    assert!(rejected.report.reasons.iter().any(|reason| reason.code() == "in-toto-unfinished"));
    assert_eq!(rejected.class(), Class::Unknown);
    assert_eq!(rejected.report.signed_by, [public(OWNER)]);
    assert_eq!(rejected.report.steps[0].name, "write");
}
