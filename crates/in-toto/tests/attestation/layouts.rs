//! What a layout over attestations must be, and who must have signed it.

use touchmark_envelope::digest::hex;
use touchmark_envelope::sign::Signer as _;
use touchmark_in_toto::{Class, Document, Error, Limits, Parameters, Reason, Rejected};

use crate::world::{OWNER, World, key, sign};

fn refused_by(rejected: &Rejected) -> &'static str {
    assert_eq!(rejected.report.reasons.len(), 1, "{rejected}");
    assert!(rejected.report.steps.is_empty(), "nothing more of it is read");
    rejected.report.reasons[0].code()
}

#[test]
fn a_layout_that_nobody_or_another_signed_is_refused() {
    let world = World::demo();
    assert!(world.verify().is_ok());
    let text = world.to_json();
    let rejected = world.verify_document(sign(&text, &[1])).unwrap_err();
    assert_eq!((refused_by(&rejected), rejected.class()), ("in-toto-layout-signature", Class::UntrustedMetadata));
    // The layout itself, as its author works on it.
    assert_eq!(refused_by(&world.verify_document(text.clone().into_bytes()).unwrap_err()), "in-toto-envelope");
    // One byte of it, under the signature of another.
    let mut signed = sign(&text, &[OWNER]);
    let place = signed.windows(11).position(|window| window == br#""payload":""#).unwrap() + 40;
    signed[place] = if signed[place] == b'A' { b'B' } else { b'A' };
    assert_eq!(refused_by(&world.verify_document(signed).unwrap_err()), "in-toto-layout-signature");
}

#[test]
fn a_layout_in_the_older_envelope_is_refused() {
    let world = World::demo();
    let text = world.to_json();
    let message = touchmark_envelope::canonical::to_vec(text.as_bytes(), text.len()).unwrap();
    let signature = hex(&key(OWNER).sign(&message).unwrap());
    let document = format!(r#"{{"signed":{text},"signatures":[{{"keyid":"","sig":"{signature}"}}]}}"#);
    assert_eq!(refused_by(&world.verify_document(document.into_bytes()).unwrap_err()), "in-toto-type");
}

#[test]
fn a_layout_that_has_expired_or_never_does_is_refused() {
    let world = World::demo();
    let with = |expires: &str| {
        let text = world.to_json().replace(r#""expires":"2030-01-01T00:00:00Z""#, expires);
        world.verify_document(sign(&text, &[OWNER])).map(|_| ()).unwrap_err()
    };
    for expires in [r#""expires":"2028-12-31T23:59:59Z""#, r#""expires":"2029-01-01T00:00:00Z""#] {
        assert_eq!(with(expires).report.reasons[0].code(), "in-toto-expired", "{expires}");
    }
    for expires in [r#""expires":"""#, r#""expires":null"#, r#""expires":"2030-01-01""#, r#""readme":"never""#] {
        assert_eq!(refused_by(&with(expires)), "in-toto-no-expiry", "{expires}");
    }
}

/// Where a reader would ignore what it does not know, it would ignore a demand.
#[test]
fn a_member_that_is_not_known_is_refused_and_never_ignored() {
    let text = World::demo().to_json();
    for (from, to) in [
        (r#""subjects":[]"#, r#""subjects":[],"inspect":[]"#),
        (r#""name":"clone""#, r#""name":"clone","expectedAttributes":[]"#),
        // ITE-11 has rules for products beside each predicate.
        (r#""threshold":1"#, r#""threshold":1,"expectedProducts":[["DISALLOW","*"]]"#),
        (r#""threshold":1"#, r#""threshold":1,"warn":true"#),
        (
            r#""inspections":[]"#,
            r#""inspections":[{"name":"i","command":["true"],"expectedMaterials":[],"expectedProducts":[],"predicates":["x"]}]"#,
        ),
        (r#""inspections":[]"#, r#""inspections":[{"name":"i","subject":["*"],"expectedAttributes":[]}]"#),
        (r#""subjects":[]"#, r#""subjects":[{"name":"s","subject":["*"],"expectedPredicates":[],"productOf":["build"]}]"#),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        let document = Document::parse(sign(&changed, &[OWNER]), &Limits::default()).unwrap().into_untrusted();
        assert!(matches!(document.layout(&Parameters::new()), Err(Error::UnknownMember { .. })), "{to}");
    }
}

#[test]
fn what_a_layout_must_have_must_be_there() {
    let world = {
        let mut world = World::demo();
        world.subjects.push(r#"{"name":"s","subject":["*"],"productsOf":["build"],"expectedPredicates":[]}"#.into());
        world.inspections.push(r#"{"name":"i","command":["true"],"expectedMaterials":[],"expectedProducts":[]}"#.into());
        world
    };
    let text = world.to_json();
    let read = |text: &str| Document::parse(sign(text, &[OWNER]), &Limits::default()).unwrap().into_untrusted().layout(&Parameters::new());
    assert!(read(&text).is_ok());
    for (from, to) in [
        (r#""functionaries":{"#, r#""readme":{"#),
        (r#""subjects":["#, r#""readme":["#),
        (r#""steps":[{"#, r#""steps":[null,{"#),
        (r#""name":"clone""#, r#""name":"../clone""#),
        (r#""name":"clone""#, r#""name":"test""#),
        (r#""name":"s""#, r#""name":"build""#),
        (r#""name":"i""#, r#""name":"s""#),
        (r#""threshold":1"#, r#""threshold":0"#),
        (r#""threshold":1"#, r#""threshold":1.0"#),
        (r#""threshold":1,"#, ""),
        (r#""expectedAttributes":[]"#, r#""expectedAttributes":null"#),
        (r#","expectedAttributes":[]"#, ""),
        (r#""functionaries":["key-1"],"#, ""),
        (r#""predicateType":"https://in-toto.io/attestation/link/v0.3""#, r#""predicateType":"""#),
        // Rules are lists of words. A text with spaces in it says two things of a path with one.
        (r#"["DISALLOW","*"]"#, r#""DISALLOW *""#),
        (r#"["DISALLOW","*"]"#, r#"["DISALLOW *"]"#),
        (r#"["DISALLOW","*"]"#, r#"["DISALLOW","./x"]"#),
        (r#""subject":["*"]"#, r#""subject":[]"#),
        (r#""subject":["*"]"#, r#""subject":["x/"]"#),
        (r#""subject":["*"]"#, r#""subject":"*""#),
        (r#""productsOf":["build"]"#, r#""productsOf":[]"#),
        (r#""productsOf":["build"]"#, r#""productsOf":["nothing"]"#),
        (r#","productsOf":["build"]"#, ""),
        (r#""command":["true"]"#, r#""command":[]"#),
        (r#""command":["true"]"#, r#""command":"true""#),
        (r#"{"at":"/result","equals":"PASSED"}"#, r#""result == 'PASSED'""#),
        (r#"{"at":"/result","equals":"PASSED"}"#, r#"{"rule":"predicate.result == 'PASSED'","allowIfNoClaim":true}"#),
        (r#"{"at":"/result","equals":"PASSED"}"#, r#"{"at":"/result","equals":"PASSED","warn":true}"#),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert!(read(&changed).is_err(), "{to}");
    }
    // A step without predicates, two of one type, and nothing at all.
    let start = text.find(r#""expectedPredicates":["#).unwrap() + r#""expectedPredicates":["#.len();
    let end = start + text[start..].find("]}]").unwrap() + 2;
    let (before, one, after) = (&text[..start], &text[start..end], &text[end..]);
    assert!(read(&format!("{before}{one}{after}")).is_ok());
    assert!(matches!(read(&format!("{before}{after}")), Err(Error::Item { .. })));
    assert!(matches!(read(&format!("{before}{one},{one}{after}")), Err(Error::Item { .. })));
    assert_eq!(read(&World::new(&[]).to_json()).unwrap_err(), Error::NoItem);
}

#[test]
fn what_is_wrong_with_a_constraint_names_the_step() {
    let text = World::demo().to_json().replace(r#"{"at":"/result","equals":"PASSED"}"#, r#""result == 'PASSED'""#);
    let rejected = World::demo().verify_document(sign(&text, &[OWNER])).unwrap_err();
    let Reason::Layout(error) = &rejected.report.reasons[0] else { panic!("{rejected}") };
    assert_eq!(error.code(), "in-toto-constraint");
    assert!(error.to_string().starts_with("`test`, expectedAttributes: ") && error.to_string().contains("CEL"), "{error}");
}

#[test]
fn parameters_stand_in_rules() {
    let mut world = World::demo();
    world.steps[2] = world.steps[2].replace("bin/foo", "{dir}/foo");
    world.settings.parameters.insert("dir", "bin").unwrap();
    assert!(world.verify().unwrap().report.warnings.is_empty());
    world.settings.parameters = Parameters::new();
    world.settings.parameters.insert("dir", "*").unwrap();
    assert_eq!(world.refused(), ["in-toto-disallowed"]);
    world.settings.parameters = Parameters::new();
    world.settings.parameters.insert("other", "bin").unwrap();
    assert_eq!(world.rejected().class(), Class::Usage);
}
