//! Which files count as evidence for a step (in-toto 1.0, 4.4 and 5.2, item 4).

use touchmark_envelope::digest::hex;
use touchmark_envelope::dsse::Envelope;
use touchmark_envelope::threshold::Signature;
use touchmark_in_toto::{Class, Failure, Found, Unusable};

use crate::chain::{Chain, FORMS, Form, file, key, key_object, keyid, link, link_of, other_keyid, public, sign, step, verdicts};

#[test]
fn a_link_by_a_key_that_may_sign_another_step_only_is_refused() {
    // in-toto-rs takes any key of the layout for any step.
    for form in FORMS {
        let mut chain = Chain::demo(form);
        chain.files.remove(&file("write", 1));
        chain.put("write", 2, &[], &[("foo.py", "1")]);
        assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-threshold"], Class::NotVerified));
        assert!(!chain.asked.contains(&file("write", 2)));
        // Nor under the name of the key that may.
        let bytes = chain.files.remove(&file("write", 2)).unwrap();
        chain.files.insert(file("write", 1), bytes);
        let rejected = chain.rejected();
        assert_eq!(verdicts(&rejected.report.steps[0].files), ["in-toto-link-signature"]);
        // Once it may, it counts, whatever name the file has.
        chain.layout.steps[0].pubkeys.push(keyid(2));
        assert!(chain.verify().is_ok());
    }
}

#[test]
fn a_link_that_nobody_signed_or_somebody_else_is_refused() {
    for form in FORMS {
        let mut chain = Chain::demo(form);
        let payload = link("write", &[], &[("foo.py", "1")]);
        chain.files.insert(file("write", 1), sign(&payload, &[&key(66)], form));
        assert_eq!(chain.refused(), ["in-toto-threshold"]);
        let text = String::from_utf8(sign(&payload, &[&key(1)], form)).unwrap();
        let unsigned = text.replace("\"sig\":\"", "\"sig\":\"00");
        chain.files.insert(file("write", 1), unsigned.into_bytes());
        assert_eq!(chain.refused(), ["in-toto-threshold"]);
    }
}

#[test]
fn a_changed_link_is_refused() {
    let mut chain = Chain::demo(Form::Legacy);
    let good = String::from_utf8(chain.files[&file("write", 1)].clone()).unwrap();
    for (from, to) in [
        ("foo.py", "bar.py"),
        (r#""environment":{}"#, r#""environment":{},"injected":true"#),
        (r#""return-value":0"#, r#""return-value":1"#),
    ] {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good);
        chain.files.insert(file("write", 1), changed.into_bytes());
        assert_eq!(chain.refused(), ["in-toto-threshold"], "{to}");
    }
}

#[test]
fn a_link_of_one_step_under_the_name_of_another_is_refused() {
    // No peer compares the name (GHSA-p86f-xmg6-9q4x): what a functionary signed for one step would pass for another.
    for form in FORMS {
        let mut chain = Chain::demo(form);
        chain.layout.steps[1].pubkeys = vec![keyid(1)];
        chain.layout.steps[1].materials = vec![];
        chain.layout.steps[1].products = vec![];
        let bytes = chain.files[&file("write", 1)].clone();
        chain.files.insert(file("package", 1), bytes);
        let rejected = chain.rejected();
        assert_eq!(verdicts(&rejected.report.steps[1].files), ["in-toto-link-name"]);
        assert!(rejected.to_string().contains("it is a link of `write`"), "{rejected}");
        chain.put("package", 1, &[], &[]);
        assert!(chain.verify().is_ok());
    }
}

#[test]
fn every_form_of_a_keyid_finds_the_link_and_names_the_key() {
    // A layout by python with a link that in-toto-golang named, and the other way about.
    for (listed, named) in [
        (keyid(1), other_keyid(1)),
        (other_keyid(1), keyid(1)),
        ("0123456789ab".into(), keyid(1)),
        (keyid(1), public(1).key_id().into_string()),
    ] {
        let mut chain = Chain::demo(Form::Dsse);
        let bytes = chain.files.remove(&file("write", 1)).unwrap();
        chain.files.insert(format!("write.{}.link", &named[..8]), bytes);
        chain.layout.keys[0].0 = listed.clone();
        for pubkeys in [&listed, &keyid(1), &other_keyid(1)] {
            chain.layout.steps[0].pubkeys = vec![pubkeys.clone()];
            assert!(chain.verify().is_ok(), "{listed} {named} {pubkeys}");
        }
    }
}

#[test]
fn a_broken_or_hostile_file_hides_no_good_one() {
    let mut chain = Chain::demo(Form::Dsse);
    chain.layout.keys.push((keyid(3), key_object(&public(3))));
    chain.layout.steps[0].pubkeys = vec![keyid(3), keyid(1)];
    let bad = file("write", 3);
    for bytes in [&b""[..], b"{", b"\xff\xfe", b"null", br#"{"signed":{},"signatures":[]}"#, &b"[".repeat(100_000)] {
        chain.files.insert(bad.clone(), bytes.to_vec());
        let report = chain.verify().unwrap().report;
        assert_eq!(report.steps[0].files.len(), 2);
        assert!(report.steps[0].files[0].refusal.is_some());
    }
    for failure in [Failure::Unavailable("denied".into()), Failure::TooLarge { limit: 1 }, Failure::NoFile("a pipe".into())] {
        chain.failing.insert(bad.clone(), failure);
        assert!(chain.verify().is_ok());
    }
    // Without the good one it is the reason.
    chain.files.remove(&file("write", 1));
    for (failure, class) in [
        (Failure::Unavailable("denied".into()), Class::Unknown),
        (Failure::TooLarge { limit: 1 }, Class::Unknown),
        (Failure::NoFile("a pipe".into()), Class::NotVerified),
    ] {
        chain.failing.insert(bad.clone(), failure.clone());
        assert_eq!(chain.class(), class);
        assert!(chain.told().contains(&failure.to_string()), "{}", chain.told());
    }
}

#[test]
fn a_signed_link_that_is_malformed_is_refused() {
    for form in FORMS {
        for (payload, code) in [
            (link("write", &[], &[("../foo.py", "1")]), "in-toto-artifact-name"),
            (link("write", &[], &[("a//foo.py", "1")]), "in-toto-artifact-name"),
            (link("write", &[], &[("foo.py", "")]), "in-toto-artifact-digest"),
            (link("write", &[], &[]).replace(r#""_type":"link""#, r#""_type":"lnik""#), "in-toto-type"),
            (link("write", &[], &[]).replace(r#""_type":"link""#, r#""_type":1"#), "in-toto-malformed"),
            (link("write", &[], &[]).replace(r#""materials""#, r#""Materials""#), "in-toto-malformed"),
        ] {
            let mut chain = Chain::demo(form);
            chain.put_signed(&file("write", 1), &payload, &[1]);
            let rejected = chain.rejected();
            assert_eq!(verdicts(&rejected.report.steps[0].files), [code], "{payload}");
        }
    }
}

#[test]
fn names_with_a_backslash_or_a_newline_are_ordinary() {
    for form in FORMS {
        let mut chain = Chain::demo(form);
        let name = "a\\n\n b\\..\\c";
        chain.put("write", 1, &[], &[(name, "1")]);
        chain.layout.steps[0].products = vec![format!("CREATE {}", "a?n?*"), "DISALLOW *".into()];
        chain.put("package", 2, &[], &[]);
        assert!(chain.verify().is_ok());
    }
}

#[test]
fn gpg_is_refused_with_words_that_say_so() {
    // As securesystemslib writes the key and the signature.
    let mut chain = Chain::demo(Form::Legacy);
    let fingerprint = "8465a1e2e0fb2b40adb2478e18fb3f537e0c8a17";
    let gpg = format!(
        r#"{{"type":"rsa","method":"pgp+rsa-pkcsv1.5","hashes":["pgp+SHA2"],"keyid":"{fingerprint}","creation_time":1,"keyval":{{"private":"","public":{{"e":"010001","n":"00"}}}}}}"#
    );
    chain.layout.keys.push((fingerprint.into(), gpg));
    chain.layout.steps[0].pubkeys = vec![fingerprint.into()];
    let payload = link("write", &[], &[("foo.py", "1")]);
    let document =
        format!(r#"{{"signed":{payload},"signatures":[{{"keyid":"{fingerprint}","other_headers":"04","signature":"{}"}}]}}"#, hex(b"x"));
    chain.files.insert("write.8465a1e2.link".into(), document.clone().into_bytes());
    let rejected = chain.rejected();
    assert_eq!(rejected.report.steps[0].unusable, [(fingerprint.to_owned(), Unusable::Gpg)]);
    assert_eq!(verdicts(&rejected.report.steps[0].files), ["in-toto-gpg"]);
    assert!(rejected.to_string().contains("GPG"), "{rejected}");
    // Beside a key that counts it does no harm.
    chain.layout.steps[0].pubkeys.push(keyid(1));
    assert!(chain.verify().is_ok());
}

#[test]
fn a_link_with_its_signature_among_strangers_counts() {
    let mut chain = Chain::demo(Form::Dsse);
    let good = Envelope::parse(&chain.files[&file("write", 1)], Default::default()).unwrap().into_untrusted();
    let mut crowded = good.clone();
    crowded.signatures = vec![Signature { keyid: Some(keyid(1)), bytes: vec![0; 64] }; 100];
    crowded.signatures.push(Signature { keyid: None, ..good.signatures[0].clone() });
    chain.files.insert(file("write", 1), crowded.to_json());
    assert!(chain.verify().is_ok());
    // More than are read is a file that cannot be judged.
    crowded.signatures = vec![Signature { keyid: None, bytes: vec![0; 64] }; 129];
    chain.files.insert(file("write", 1), crowded.to_json());
    assert_eq!(verdicts(&chain.rejected().report.steps[0].files), ["in-toto-dsse"]);
}

#[test]
fn another_command_is_a_warning_and_no_refusal() {
    let mut chain = Chain::demo(Form::Dsse);
    chain.layout.steps[0].command = vec!["vi".into(), "foo.py".into()];
    let warnings = |chain: &mut Chain| chain.verify().unwrap().report.steps[0].warnings.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(warnings(&mut chain).len(), 1);
    // As lists: joined with a space they would be equal.
    let linked = |command: &[&str]| link_of("write", command, &[], &[("foo.py", "1")]);
    chain.put_signed(&file("write", 1), &linked(&["vi foo.py"]), &[1]);
    assert_eq!(warnings(&mut chain).len(), 1);
    chain.put_signed(&file("write", 1), &linked(&["vi", "foo.py"]), &[1]);
    assert_eq!(warnings(&mut chain), [""; 0]);
}

#[test]
fn a_key_that_the_layout_gives_away_signs_nothing() {
    let mut chain = Chain::demo(Form::Dsse);
    chain.layout.keys[0].1 = chain.layout.keys[0].1.replace(r#""public""#, r#""private":"00","public""#);
    let rejected = chain.rejected();
    assert_eq!(rejected.report.reasons[0].code(), "in-toto-unreachable-threshold");
    assert_eq!(rejected.report.steps[0].unusable, [(keyid(1), Unusable::Private)]);
}

#[test]
fn the_name_of_a_step_is_no_pattern_for_files() {
    // in-toto-golang looks for links with a glob of the step's name.
    let mut chain = Chain::new(Form::Dsse, crate::chain::Layout::of(&[1], vec![step("wr?te[x]", &[1], &[], &[])]));
    chain.put("wr?te[x]", 1, &[], &[]);
    assert!(chain.verify().is_ok());
    let bytes = chain.files.remove(&file("wr?te[x]", 1)).unwrap();
    chain.files.insert(file("writex", 1), bytes);
    assert_eq!(chain.refused(), ["in-toto-threshold"]);
}

#[test]
fn of_several_files_of_a_name_each_is_looked_at_and_told() {
    let found = |from: &str, file| Found { from: from.to_owned(), file };
    let mut chain = Chain::demo(Form::Dsse);
    let good = chain.files.remove(&file("write", 1)).unwrap();
    let other = chain.files[&file("package", 2)].clone();
    let gone = Failure::Unavailable("gone".into());
    let all = vec![found("a", Ok(b"{}".to_vec())), found("b", Ok(other)), found("c", Err(gone.clone())), found("d", Ok(good.clone()))];
    chain.several.insert(file("write", 1), all);
    let report = chain.verify().unwrap().report;
    let files: Vec<(Option<&str>, bool)> =
        report.steps[0].files.iter().map(|file| (file.from.as_deref(), file.refusal.is_none())).collect();
    assert_eq!(files, [(Some("a"), false), (Some("b"), false), (Some("c"), false), (Some("d"), true)]);
    // Without the good one it is open what the one had that could not be had.
    chain.several.insert(file("write", 1), vec![found("a", Ok(b"{}".to_vec())), found("c", Err(gone))]);
    assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-threshold"], Class::Unknown));
    chain.several.insert(file("write", 1), vec![found("a", Ok(b"{}".to_vec()))]);
    assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-threshold"], Class::NotVerified));
    // Each counts as one that was asked for.
    chain.several.insert(file("write", 1), vec![found("d", Ok(good)); 100]);
    assert!(chain.verify().is_ok());
    chain.settings.limits.requests = 50;
    assert_eq!(chain.refused(), ["in-toto-limit"]);
}
