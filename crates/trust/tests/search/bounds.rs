//! What a source can make the search do, remember and repeat.

use crate::shelf::{Inline, Shelf, key, policy, request, sealed, time};
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::dsse::{self, Envelope};
use touchmark_envelope::json::Value;
use touchmark_envelope::manifest::{Descriptor, IMAGE_MANIFEST};
use touchmark_envelope::signature::{self, Signature};
use touchmark_trust::{Answer, Class, Limits, Need, Outcome, Reason, Rejected, Request, Search, Step};

fn json(rejected: &Rejected) -> String {
    String::from_utf8(Value::from(rejected.to_json()).to_vec()).unwrap()
}

#[test]
fn the_work_is_bounded_however_often_one_envelope_is_named() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let mut envelope = Envelope::sign(dsse::IN_TOTO, vec![b' '; 100_000], &[&key(2)]).unwrap();
    let one = envelope.signatures[0].clone();
    envelope.signatures = vec![one; 20];
    let blob = envelope.to_json();
    let layer = Descriptor::new(dsse::MEDIA_TYPE, shelf.put(&blob), blob.len() as u64);
    for n in 0..50_usize {
        let mut layer = layer.clone();
        layer.annotations.insert("n".into(), n.to_string());
        shelf.attach_layers(image, signature::ARTIFACT_TYPE, &[layer]);
    }
    let limits = Limits { work: 10 << 20, ..Limits::default() };
    let rejected = shelf.verify(request(image, &[&key(0)], 1).limits(limits)).unwrap_err();
    assert_eq!(rejected.class(), Class::Unknown);
    assert!(rejected.to_string().contains("--max-work"), "{rejected}");
    // Each takes some 3.5 MB of work.
    assert!(rejected.candidates().len() <= 4, "{}", rejected.candidates().len());
}

#[test]
fn the_work_is_bounded_of_envelopes_that_the_caller_gives_too() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let mut hopeless = Envelope::sign(dsse::IN_TOTO, vec![b' '; 100_000], &[&key(2)]).unwrap();
    let one = hopeless.signatures[0].clone();
    hopeless.signatures = vec![one; 20];
    let envelopes = vec![hopeless.to_json(); 50];
    let limits = Limits { work: 10 << 20, ..Limits::default() };
    let rejected = shelf.verify(request(image, &[&key(0)], 1).envelopes(envelopes).limits(limits)).unwrap_err();
    assert_eq!(rejected.class(), Class::Unknown);
    assert!(rejected.to_string().contains("--max-work"), "{rejected}");
    assert!(rejected.candidates().len() <= 4, "{}", rejected.candidates().len());
}

#[test]
fn nothing_of_a_stranger_s_text_is_repeated() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let evil = "EVIL".repeat(1_000);
    shelf.attach(image, signature::ARTIFACT_TYPE, format!(r#"{{"{evil}":1,"{evil}":2}}"#).as_bytes(), Inline::No);
    shelf.attach(image, signature::ARTIFACT_TYPE, &sealed(evil.as_bytes(), &[&key(2)]), Inline::No);
    let manifests =
        [format!(r#"{{"schemaVersion":2,"mediaType":"{evil}","config":1}}"#), format!(r#"{{"{evil}":1,"{evil}":1}}"#), evil.clone()];
    for manifest in manifests {
        let digest = shelf.put(manifest.as_bytes());
        shelf.list(image, digest, Some(signature::ARTIFACT_TYPE));
    }
    let rejected = shelf.verify(request(image, &[&key(0)], 1)).unwrap_err();
    assert_eq!(rejected.candidates().len(), 5);
    assert!(!json(&rejected).contains("EVIL") && !rejected.to_string().contains("EVIL"), "{rejected}");
    shelf.sign(image, &[&key(0)], |_| ());
    let accepted = shelf.verify(request(image, &[&key(0)], 1)).unwrap();
    assert!(!String::from_utf8(Value::from(accepted.to_json()).to_vec()).unwrap().contains("EVIL"));
}

#[test]
fn a_replayed_envelope_is_kept_once() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let envelope = shelf.envelope(image, &[&key(0)], |s| drop(s.annotations.insert("long".into(), "x".repeat(10_000))));
    let layer = Descriptor::new(dsse::MEDIA_TYPE, shelf.put(&envelope), envelope.len() as u64);
    for n in 0..40_usize {
        let mut layer = layer.clone();
        layer.annotations.insert("n".into(), n.to_string());
        shelf.attach_layers(image, signature::ARTIFACT_TYPE, &[layer]);
    }
    let limits = Limits { reported: 30_000, ..Limits::default() };
    let rejected = shelf.verify(request(image, &[&key(0), &key(1)], 2).limits(limits)).unwrap_err();
    assert_eq!(rejected.class(), Class::NotVerified, "the limit on what is kept is not reached: {rejected}");
    shelf.sign(image, &[&key(1)], |_| ());
    let accepted = shelf.verify(request(image, &[&key(0), &key(1)], 2).limits(limits)).unwrap();
    assert_eq!(accepted.accepted().len(), 2);
    // What does not fit is not counted, and that is said.
    let limits = Limits { reported: 5_000, ..Limits::default() };
    let rejected = shelf.verify(request(image, &[&key(0)], 1).limits(limits)).unwrap_err();
    assert_eq!(rejected.class(), Class::Unknown);
    assert!(rejected.to_string().contains("--max-reported"), "{rejected}");
}

#[test]
fn an_envelope_is_of_the_size_that_its_manifest_says() {
    for (inline, wrong) in [(Inline::Yes, -1), (Inline::Yes, 1), (Inline::No, -1), (Inline::No, 1)] {
        let mut shelf = Shelf::default();
        let image = shelf.image("x");
        let envelope = shelf.envelope(image, &[&key(0)], |_| ());
        let size = (envelope.len() as u64).checked_add_signed(wrong).unwrap();
        let mut layer = Descriptor::new(dsse::MEDIA_TYPE, shelf.put(&envelope), size);
        layer.data = (inline == Inline::Yes).then_some(envelope);
        shelf.attach_layers(image, signature::ARTIFACT_TYPE, &[layer]);
        let rejected = shelf.verify(request(image, &[&key(0)], 1)).unwrap_err();
        assert!(matches!(rejected.candidates()[0].outcome, Outcome::Failed(Reason::OtherEnvelope)), "{wrong}");
    }
}

#[test]
fn more_bytes_than_asked_for_are_refused_from_any_driver() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    shelf.sign(image, &[&key(0)], |_| ());
    let limits = Limits { manifest: 10, ..Limits::default() };
    let mut search = Search::new(request(image, &[&key(0)], 1).limits(limits));
    while let Step::Need(need) = search.next() {
        search.answer(match need {
            Need::Manifest { digest, .. } => Answer::Bytes(shelf.contents[&digest].clone()),
            need => shelf.fetch(&need),
        });
    }
    let rejected = search.finish().unwrap_err();
    assert_eq!(rejected.class(), Class::Unknown);
    assert!(rejected.to_string().contains("--max-manifest-size"), "{rejected}");
}

#[test]
fn one_version_is_signed_and_attested() {
    const SLSA: &str = "https://slsa.dev/provenance/v1";
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let attest = |shelf: &mut Shelf, name: &str| {
        let mut statement = Signature::of(&shelf.contents[&image], IMAGE_MANIFEST, time(1));
        statement.name = Some(name.parse().unwrap());
        let text = String::from_utf8(statement.to_json()).unwrap().replace(signature::PREDICATE_TYPE, SLSA);
        let envelope = sealed(text.as_bytes(), &[&key(0)]);
        shelf.attach(image, dsse::IN_TOTO, &envelope, Inline::Yes);
    };
    let ask = || {
        let policy = policy(&[&key(0)], 1).name("acme/x:*".parse().unwrap());
        Request::new(policy.predicate_type(SLSA).predicate_type(signature::PREDICATE_TYPE), image, time(2_000))
    };
    shelf.sign(image, &[&key(0)], |s| s.name = Some("acme/x:1".parse().unwrap()));
    attest(&mut shelf, "acme/x:2");
    let rejected = shelf.verify(ask()).unwrap_err();
    assert_eq!(rejected.class(), Class::NotVerified);
    assert!(rejected.to_string().contains("different versions"), "{rejected}");
    attest(&mut shelf, "acme/x:1");
    let artifact = shelf.verify(ask()).unwrap();
    assert!(artifact.accepted().iter().all(|a| a.said().name.as_ref().unwrap().version() == Some("1")));
}

#[test]
fn a_signature_among_attestations_is_none() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let envelope = shelf.envelope(image, &[&key(0)], |_| ());
    shelf.attach(image, dsse::IN_TOTO, &envelope, Inline::Yes);
    let statement = Signature::of(&shelf.contents[&image], IMAGE_MANIFEST, time(1)).to_json();
    let attestation = String::from_utf8(statement).unwrap().replace(signature::PREDICATE_TYPE, "p");
    shelf.attach(image, dsse::IN_TOTO, &sealed(attestation.as_bytes(), &[&key(0)]), Inline::Yes);
    let both = policy(&[&key(0)], 1).predicate_type("p").predicate_type(signature::PREDICATE_TYPE);
    assert_eq!(shelf.verify(Request::new(both, image, time(2_000))).unwrap_err().class(), Class::Unsigned);
}

#[test]
fn the_keys_of_all_demands_are_the_evidence() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    shelf.sign(image, &[&key(0)], |_| ());
    let statement = Signature::of(&shelf.contents[&image], IMAGE_MANIFEST, time(1)).to_json();
    let text = String::from_utf8(statement).unwrap().replace(signature::PREDICATE_TYPE, "p");
    shelf.attach(image, dsse::IN_TOTO, &sealed(text.as_bytes(), &[&key(1)]), Inline::Yes);
    let both = policy(&[&key(0), &key(1)], 1).predicate_type("p").predicate_type(signature::PREDICATE_TYPE);
    let mut search = Search::new(Request::new(both, image, time(2_000)));
    while let Step::Need(need) = search.next() {
        search.answer(shelf.fetch(&need));
    }
    assert_eq!(search.finish().unwrap().evidence().keys().len(), 2);
}

#[test]
fn deep_follows_everything_or_says_that_it_cannot() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let strange = shelf.put(b"{}");
    let odd = shelf.index(&[Descriptor::new("application/vnd.example.manifest.v9+json", strange, 2)]);
    let (listed, mut twice) = (shelf.describe(image, IMAGE_MANIFEST), shelf.describe(image, IMAGE_MANIFEST));
    twice.size += 1;
    let contradicting = shelf.index(&[listed.clone(), twice.clone()]);
    let reversed = shelf.index(&[twice, listed]);
    for (index, class) in [(odd, Class::Unknown), (contradicting, Class::Malformed), (reversed, Class::Malformed)] {
        shelf.sign(index, &[&key(0)], |_| ());
        assert!(shelf.verify(request(index, &[&key(0)], 1)).is_ok());
        assert_eq!(shelf.verify(request(index, &[&key(0)], 1).deep()).unwrap_err().class(), class);
    }
}

#[test]
fn many_entries_of_one_index_are_compared_by_digests_computed_once() {
    let mut shelf = Shelf::default();
    let image = shelf.image(&"x".repeat(1 << 20));
    let entry = shelf.describe(image, IMAGE_MANIFEST);
    let other = Descriptor::new(IMAGE_MANIFEST, Algorithm::Sha256.digest(b"other"), entry.size);
    let mut entries = vec![other; 10_000];
    entries.push(entry);
    let index = shelf.index(&entries);
    shelf.sign(index, &[&key(0)], |_| ());
    let ask = request(image, &[&key(0)], 1).scope(touchmark_trust::Scope::CoveredBy(index));
    assert!(shelf.verify(ask).is_ok());
}
