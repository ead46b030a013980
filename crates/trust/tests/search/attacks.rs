//! What the search accepts and refuses, attack by attack.

use crate::shelf::{Inline, Shelf, key, policy, public, request, sealed, time};
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::dsse::{self, Envelope};
use touchmark_envelope::manifest::{Descriptor, IMAGE_MANIFEST};
use touchmark_envelope::signature::{self, Signature};
use touchmark_envelope::threshold::Signature as Bytes;
use touchmark_trust::{Class, Failure, Fault, Limits, Need, Outcome, Policy, Reason, Rejected, Request, Scope};

const SLSA: &str = "https://slsa.dev/provenance/v1";

fn class(result: Result<touchmark_trust::Artifact, Rejected>) -> Class {
    result.expect_err("it must be refused").class()
}

/// The code of the one candidate's reason.
fn reason(result: Result<touchmark_trust::Artifact, Rejected>) -> &'static str {
    let rejected = result.expect_err("it must be refused");
    match rejected.candidates() {
        [one] => match &one.outcome {
            Outcome::Failed(reason) | Outcome::Unknown(reason) => reason.code(),
            other => panic!("{other:?}"),
        },
        all => panic!("{} candidates", all.len()),
    }
}

fn attestation(shelf: &Shelf, digest: touchmark_envelope::Digest, predicate_type: &str) -> Vec<u8> {
    let statement = Signature::of(&shelf.contents[&digest], IMAGE_MANIFEST, time(1)).to_json();
    let text = String::from_utf8(statement).unwrap().replace(signature::PREDICATE_TYPE, predicate_type);
    sealed(text.as_bytes(), &[&key(0)])
}

#[test]
fn a_signed_artifact_is_accepted_with_three_requests() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    shelf.sign(image, &[&key(0)], |s| s.name = Some("acme/x:1".parse().unwrap()));
    let artifact = shelf.verify(request(image, &[&key(0)], 1)).unwrap();
    assert_eq!(artifact.descriptor().digest, image);
    assert_eq!(artifact.accepted()[0].said().name.as_ref().unwrap().to_string(), "acme/x:1");
    assert_eq!(artifact.accepted()[0].keys(), [public(&key(0))]);
    assert!(matches!(shelf.asked.as_slice(), [Need::Manifest { .. }, Need::Referrers { .. }, Need::Manifest { .. }]));
}

#[test]
fn an_unsigned_artifact_is_unsigned() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    assert_eq!(class(shelf.verify(request(image, &[&key(0)], 1))), Class::Unsigned);
    let sbom = shelf.attach(image, "application/spdx+json", b"{}", Inline::Yes);
    assert_eq!(class(shelf.verify(request(image, &[&key(0)], 1))), Class::Unsigned);
    assert!(shelf.asked.contains(&Need::Manifest { digest: sbom, limit: 4 << 20 }), "hints about types are not believed");
}

#[test]
fn another_key_is_not_verified() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    shelf.sign(image, &[&key(0)], |_| ());
    assert_eq!(reason(shelf.verify(request(image, &[&key(2)], 1))), "no-key");
    assert_eq!(class(shelf.verify(request(image, &[&key(2)], 1))), Class::NotVerified);
}

#[test]
fn a_signature_of_another_artifact_is_refused() {
    let mut shelf = Shelf::default();
    let (image, other) = (shelf.image("x"), shelf.image("y"));
    let envelope = shelf.envelope(other, &[&key(0)], |_| ());
    shelf.attach(image, signature::ARTIFACT_TYPE, &envelope, Inline::No);
    assert_eq!(reason(shelf.verify(request(image, &[&key(0)], 1))), "other-artifact");
    // Nor does it help to list the other's own, good signature.
    let mut shelf = Shelf::default();
    let (image, other) = (shelf.image("x"), shelf.image("y"));
    let good = shelf.sign(other, &[&key(0)], |_| ());
    shelf.list(image, good, Some(signature::ARTIFACT_TYPE));
    assert_eq!(reason(shelf.verify(request(image, &[&key(0)], 1))), "other-artifact");
    // Nor a manifest that refers to the other and carries a statement about this one.
    let mut shelf = Shelf::default();
    let (image, other) = (shelf.image("x"), shelf.image("y"));
    let envelope = shelf.envelope(image, &[&key(0)], |_| ());
    let elsewhere = shelf.attach(other, signature::ARTIFACT_TYPE, &envelope, Inline::Yes);
    shelf.list(image, elsewhere, Some(signature::ARTIFACT_TYPE));
    assert_eq!(reason(shelf.verify(request(image, &[&key(0)], 1))), "other-artifact");
}

#[test]
fn another_name_or_version_is_refused_and_said() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    shelf.sign(image, &[&key(0)], |s| s.name = Some("acme/x:1.2.0".parse().unwrap()));
    let with =
        |shelf: &mut Shelf, name: &str| shelf.verify(Request::new(policy(&[&key(0)], 1).name(name.parse().unwrap()), image, time(2_000)));
    for other in ["acme/x:1.2.1", "acme/y:1.2.0", "acme/x", "acme/y:*", "other/x:1.2.0"] {
        assert_eq!(reason(with(&mut shelf, other)), "name", "{other}");
    }
    for right in ["acme/x:1.2.0", "acme/x:*"] {
        assert!(with(&mut shelf, right).is_ok(), "{right}");
    }
    let message = with(&mut shelf, "acme/x").unwrap_err().to_string();
    assert!(message.contains("signed as acme/x:1.2.0, wanted acme/x; try --any-version"), "{message}");
}

#[test]
fn nothing_is_said_of_what_no_given_key_signed() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    shelf.sign(image, &[&key(4)], |s| s.name = Some("evil/x:1".parse().unwrap()));
    let request = Request::new(policy(&[&key(0)], 1).name("acme/x".parse().unwrap()), image, time(2_000));
    let rejected = shelf.verify(request).unwrap_err();
    let json = String::from_utf8(touchmark_envelope::json::Value::from(rejected.to_json()).to_vec()).unwrap();
    assert!(!json.contains("evil") && !rejected.to_string().contains("evil"), "{json}");
}

#[test]
fn changed_media_type_size_or_digest_is_refused() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let mut refused = |code: &str, change: fn(&mut Signature)| {
        let mut shelf2 = Shelf { contents: shelf.contents.clone(), ..Shelf::default() };
        shelf2.sign(image, &[&key(0)], change);
        assert_eq!(reason(shelf2.verify(request(image, &[&key(0)], 1))), code);
        shelf = shelf2;
    };
    refused("media-type", |s| s.media_type = "application/vnd.oci.image.index.v1+json".into());
    refused("size", |s| s.size += 1);
    refused("other-artifact", |s| s.digests.push(Algorithm::Sha512.digest(b"other")));
    refused("other-artifact", |s| s.digests.clear());
    refused("expired", |s| s.expires = Some(time(2_000)));
}

#[test]
fn an_attestation_offered_as_a_signature_is_refused() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let verdict = attestation(&shelf, image, "https://example.com/scan-verdict/v1");
    shelf.attach(image, signature::ARTIFACT_TYPE, &verdict, Inline::Yes);
    assert_eq!(reason(shelf.verify(request(image, &[&key(0)], 1))), "predicate-type");
    // As what it is, it is no signature at all.
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    shelf.attach(image, dsse::IN_TOTO, &verdict, Inline::Yes);
    assert_eq!(class(shelf.verify(request(image, &[&key(0)], 1))), Class::Unsigned);
}

#[test]
fn another_payload_type_is_refused() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let statement = Signature::of(&shelf.contents[&image], IMAGE_MANIFEST, time(1)).to_json();
    let envelope = Envelope::sign("text/plain", statement, &[&key(0)]).unwrap();
    shelf.attach(image, signature::ARTIFACT_TYPE, &envelope.to_json(), Inline::Yes);
    assert_eq!(reason(shelf.verify(request(image, &[&key(0)], 1))), "payload-type");
}

#[test]
fn two_subjects_are_refused() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let statement = String::from_utf8(Signature::of(&shelf.contents[&image], IMAGE_MANIFEST, time(1)).to_json()).unwrap();
    let start = statement.find("[{").unwrap() + 1;
    let end = statement.find("}]").unwrap() + 1;
    let two = statement.replacen(&statement[start..end], &format!("{0},{0}", &statement[start..end]), 1);
    shelf.attach(image, signature::ARTIFACT_TYPE, &sealed(two.as_bytes(), &[&key(0)]), Inline::Yes);
    assert_eq!(reason(shelf.verify(request(image, &[&key(0)], 1))), "subjects");
}

#[test]
fn attestations_are_found_by_their_type() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let (slsa, vex) = (attestation(&shelf, image, SLSA), attestation(&shelf, image, "https://openvex.dev/ns/v0.2.0"));
    shelf.attach(image, dsse::IN_TOTO, &vex, Inline::Yes);
    let wants = |types: &[&str]| {
        let policy = types.iter().fold(policy(&[&key(0)], 1), |policy, wanted| policy.predicate_type(*wanted));
        Request::new(policy, image, time(2_000))
    };
    assert_eq!(class(shelf.verify(wants(&[SLSA]))), Class::Unsigned);
    shelf.attach(image, dsse::IN_TOTO, &slsa, Inline::No);
    assert_eq!(shelf.verify(wants(&[SLSA])).unwrap().accepted()[0].said().predicate_type, SLSA);
    assert_eq!(class(shelf.verify(wants(&[SLSA, signature::PREDICATE_TYPE]))), Class::Unsigned);
    shelf.sign(image, &[&key(0)], |_| ());
    assert_eq!(shelf.verify(wants(&[SLSA, signature::PREDICATE_TYPE])).unwrap().accepted().len(), 2);
}

#[test]
fn a_threshold_counts_distinct_keys() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    shelf.sign(image, &[&key(0), &key(0)], |_| ());
    shelf.sign(image, &[&key(0)], |s| s.issued = time(3));
    assert_eq!(class(shelf.verify(request(image, &[&key(0), &key(1)], 2))), Class::NotVerified);
    shelf.sign(image, &[&key(1)], |_| ());
    assert_eq!(shelf.verify(request(image, &[&key(0), &key(1)], 2)).unwrap().needed(), 2);
    assert!(Policy::keys([public(&key(0)), public(&key(0))]).unwrap().threshold(2).is_err());
    assert!(Policy::keys([]).is_err() && policy(&[&key(0)], 1).threshold(0).is_err());
}

#[test]
fn two_statements_that_only_together_say_what_was_asked_are_refused() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    shelf.sign(image, &[&key(0)], |s| s.name = Some("acme/x".parse().unwrap()));
    shelf.sign(image, &[&key(0)], |s| drop(s.annotations.insert("stage".into(), "release".into())));
    let policy = policy(&[&key(0)], 1).name("acme/x".parse().unwrap()).annotation("stage", "release");
    assert_eq!(class(shelf.verify(Request::new(policy, image, time(2_000)))), Class::NotVerified);
}

#[test]
fn with_any_version_keys_are_counted_for_each_version_alone() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let request = || Request::new(policy(&[&key(0), &key(1)], 2).name("acme/x:*".parse().unwrap()), image, time(2_000));
    shelf.sign(image, &[&key(0)], |s| s.name = Some("acme/x:1".parse().unwrap()));
    shelf.sign(image, &[&key(1)], |s| s.name = Some("acme/x:2".parse().unwrap()));
    assert_eq!(class(shelf.verify(request())), Class::NotVerified);
    shelf.sign(image, &[&key(0)], |s| s.name = Some("acme/x:2".parse().unwrap()));
    let artifact = shelf.verify(request()).unwrap();
    assert!(artifact.accepted().iter().all(|a| a.said().name.as_ref().unwrap().version() == Some("2")));
}

#[test]
fn bad_referrers_hide_no_good_one_in_any_order() {
    for good_at in [0, 60, 120] {
        let mut shelf = Shelf::default();
        let image = shelf.image("x");
        for n in 0..=120 {
            if n == good_at {
                shelf.sign(image, &[&key(0)], |_| ());
            }
            match n % 5 {
                0 => drop(shelf.attach(image, signature::ARTIFACT_TYPE, format!("no JSON {n}").as_bytes(), Inline::Yes)),
                1 => {
                    let bogus = shelf.put(format!("no manifest {n}").as_bytes());
                    shelf.list(image, bogus, Some(signature::ARTIFACT_TYPE));
                }
                2 => shelf.list(image, Algorithm::Sha256.digest(&[n]), None),
                3 => drop(shelf.attach_layers(image, signature::ARTIFACT_TYPE, &[])),
                _ => drop(shelf.sign(image, &[&key(2)], |s| s.size = u64::from(n))),
            }
        }
        assert!(shelf.verify(request(image, &[&key(0)], 1)).is_ok(), "the good one is number {good_at}");
    }
}

#[test]
fn a_listed_signature_that_is_not_to_be_had_is_unknown() {
    for failure in [Failure::NotFound, Failure::Unavailable("503".into()), Failure::WrongDigest] {
        let mut shelf = Shelf::default();
        let image = shelf.image("x");
        let signed = shelf.sign(image, &[&key(0)], |_| ());
        shelf.failures.insert(signed, failure);
        assert_eq!(class(shelf.verify(request(image, &[&key(0)], 1))), Class::Unknown);
    }
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let envelope = shelf.envelope(image, &[&key(0)], |_| ());
    shelf.attach(image, signature::ARTIFACT_TYPE, &envelope, Inline::No);
    shelf.contents.insert(Algorithm::Sha256.digest(&envelope), b"other".to_vec());
    assert_eq!(reason(shelf.verify(request(image, &[&key(0)], 1))), "wrong-digest");
}

#[test]
fn lists_that_lie_or_end_early() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let signed = shelf.sign(image, &[&key(0)], |_| ());
    shelf.referrers.clear();
    shelf.list(image, signed, Some("application/spdx+json"));
    assert!(shelf.verify(request(image, &[&key(0)], 1)).is_ok(), "a lying artifactType hides nothing");
    shelf.referrers.clear();
    shelf.incomplete = true;
    assert_eq!(class(shelf.verify(request(image, &[&key(0)], 1))), Class::Unknown);
}

#[test]
fn the_cap_on_referrers_is_unknown_and_names_its_option() {
    let limits = Limits { referrers: 20, ..Limits::default() };
    for (others, accepted) in [(19, true), (20, false)] {
        let mut shelf = Shelf::default();
        let image = shelf.image("x");
        for n in 0..others {
            shelf.attach(image, signature::ARTIFACT_TYPE, format!("{n}").as_bytes(), Inline::No);
        }
        shelf.sign(image, &[&key(0)], |_| ());
        let result = shelf.verify(request(image, &[&key(0)], 1).limits(limits));
        assert_eq!(result.is_ok(), accepted);
        if let Err(rejected) = result {
            assert_eq!(rejected.class(), Class::Unknown);
            assert!(rejected.to_string().contains("--max-referrers"), "{rejected}");
        }
    }
}

#[test]
fn no_more_referrers_are_looked_at_than_were_asked_for() {
    use touchmark_trust::{Answer, Search, Step};
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    for n in 0..5 {
        shelf.attach(image, signature::ARTIFACT_TYPE, format!("{n}").as_bytes(), Inline::Yes);
    }
    let limits = Limits { referrers: 3, ..Limits::default() };
    let mut search = Search::new(request(image, &[&key(0)], 1).limits(limits));
    let mut fetched = 0;
    while let Step::Need(need) = search.next() {
        fetched += 1;
        search.answer(match need {
            Need::Referrers { subject, .. } => {
                Answer::Referrers { entries: shelf.referrers[&subject].clone(), complete: true, more: false, why: None }
            }
            need => shelf.fetch(&need),
        });
    }
    assert_eq!((fetched, class(search.finish().map(touchmark_envelope::Verified::into_inner))), (2 + 3, Class::Unknown));
}

#[test]
fn many_signatures_need_few_checks() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let statement = Signature::of(&shelf.contents[&image], IMAGE_MANIFEST, time(1)).to_json();
    let mut envelope = Envelope::sign(dsse::IN_TOTO, statement, &[&key(0)]).unwrap();
    let good = envelope.signatures.remove(0);
    let mut bad = good.clone();
    bad.bytes[40] ^= 1;
    envelope.signatures = vec![bad.clone(); 10_000];
    envelope.signatures.push(good.clone());
    let message = envelope.signed_bytes();
    let keys = touchmark_envelope::threshold::KeySet::new([public(&key(0)), public(&key(1))]);
    let signers = keys.signers(&message, &envelope.signatures);
    assert_eq!(signers.keys(), [public(&key(0))]);
    assert!(signers.checks() <= 10_003, "{}", signers.checks());
    shelf.attach(image, signature::ARTIFACT_TYPE, &envelope.to_json(), Inline::No);
    assert_eq!(reason(shelf.verify(request(image, &[&key(0)], 1))), "limit");
    let raised = Limits { signature: 64 << 20, signatures: 20_000, ..Limits::default() };
    assert!(shelf.verify(request(image, &[&key(0)], 1).limits(raised)).is_ok());
    // Without hints the search for the key ends, and says so.
    for signature in &mut envelope.signatures {
        signature.keyid = None;
    }
    let keys = touchmark_envelope::threshold::KeySet::new((2..8).map(|n| public(&key(n))));
    let signers = keys.signers(&message, &envelope.signatures);
    assert!(signers.gave_up() && signers.checks() <= 10_001 + 6);
}

#[test]
fn keys_that_may_have_signed_beyond_the_bound_are_unknown_not_refused() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let statement = Signature::of(&shelf.contents[&image], IMAGE_MANIFEST, time(1)).to_json();
    let mut envelope = Envelope::sign(dsse::IN_TOTO, statement, &[&key(0), &key(9)]).unwrap();
    let last = envelope.signatures.pop().unwrap();
    envelope.signatures.extend((0..100).map(|n| Bytes { keyid: None, bytes: vec![n; 64] }));
    envelope.signatures.push(Bytes { keyid: None, ..last });
    shelf.attach(image, signature::ARTIFACT_TYPE, &envelope.to_json(), Inline::No);
    let keys: Vec<_> = (0..10).map(key).collect();
    let keys: Vec<_> = keys.iter().collect();
    let rejected = shelf.verify(request(image, &keys, 2)).unwrap_err();
    assert_eq!(rejected.class(), Class::Unknown, "{rejected}");
    assert!(shelf.verify(request(image, &keys, 1)).is_ok());
}

#[test]
fn what_is_both_image_and_index_is_malformed() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let text = String::from_utf8(shelf.contents[&image].clone()).unwrap();
    let both = shelf.put(text.replacen('{', r#"{"manifests":[],"#, 1).as_bytes());
    assert_eq!(class(shelf.verify(request(both, &[&key(0)], 1))), Class::Malformed);
    let twice = shelf.put(text.replacen('{', r#"{"schemaVersion":2,"#, 1).as_bytes());
    assert_eq!(class(shelf.verify(request(twice, &[&key(0)], 1))), Class::Malformed);
}

#[test]
fn an_artifact_that_is_not_what_was_asked_for_is_malformed_and_a_missing_one_unknown() {
    let mut shelf = Shelf::default();
    let (image, other) = (shelf.image("x"), shelf.image("y"));
    shelf.sign(image, &[&key(0)], |_| ());
    let bytes = shelf.contents[&other].clone();
    shelf.contents.insert(image, bytes);
    assert_eq!(class(shelf.verify(request(image, &[&key(0)], 1))), Class::Malformed);
    shelf.contents.remove(&image);
    assert_eq!(class(shelf.verify(request(image, &[&key(0)], 1))), Class::Unknown);
}

#[test]
fn given_envelopes_are_the_only_evidence() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    shelf.sign(image, &[&key(0)], |_| ());
    let (good, bad) = (shelf.envelope(image, &[&key(0)], |_| ()), shelf.envelope(image, &[&key(2)], |_| ()));
    assert!(shelf.verify(request(image, &[&key(0)], 1).envelopes(vec![bad.clone(), good])).is_ok());
    assert!(!shelf.asked.iter().any(|need| matches!(need, Need::Referrers { .. })));
    assert_eq!(class(shelf.verify(request(image, &[&key(0)], 1).envelopes(vec![bad]))), Class::NotVerified);
    assert_eq!(class(shelf.verify(request(image, &[&key(0)], 1).envelopes(vec![]))), Class::Unsigned);
}

#[test]
fn inline_data_of_another_digest_is_refused() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let envelope = shelf.envelope(image, &[&key(0)], |_| ());
    let mut layer = Descriptor::new(dsse::MEDIA_TYPE, Algorithm::Sha256.digest(b"other"), envelope.len() as u64);
    layer.data = Some(envelope);
    shelf.attach_layers(image, signature::ARTIFACT_TYPE, &[layer]);
    assert_eq!(reason(shelf.verify(request(image, &[&key(0)], 1))), "malformed");
}

struct Covered {
    shelf: Shelf,
    index: touchmark_envelope::Digest,
    amd64: touchmark_envelope::Digest,
}

fn covered(change: impl FnOnce(&mut Descriptor)) -> Covered {
    let mut shelf = Shelf::default();
    let (amd64, arm64) = (shelf.image("amd64"), shelf.image("arm64"));
    let mut entry = shelf.describe(amd64, IMAGE_MANIFEST);
    entry.platform = Some("linux/amd64".parse().unwrap());
    change(&mut entry);
    let mut other = shelf.describe(arm64, IMAGE_MANIFEST);
    other.platform = Some("linux/arm64/v8".parse().unwrap());
    let index = shelf.index(&[entry, other]);
    shelf.sign(index, &[&key(0)], |_| ());
    Covered { shelf, index, amd64 }
}

#[test]
fn a_signed_index_covers_its_images_only_when_it_is_named() {
    let Covered { mut shelf, index, amd64 } = covered(|_| ());
    let ask = |digest, scope| request(digest, &[&key(0)], 1).scope(scope);
    assert_eq!(class(shelf.verify(request(amd64, &[&key(0)], 1))), Class::Unsigned);
    let by_index = shelf.verify(ask(amd64, Scope::CoveredBy(index))).unwrap();
    let by_platform = shelf.verify(ask(index, Scope::Platform("linux/amd64".parse().unwrap()))).unwrap();
    for artifact in [by_index, by_platform] {
        assert_eq!(artifact.descriptor().digest, amd64);
        assert_eq!(artifact.covered_by().unwrap().digest, index);
    }
    let any_variant = shelf.verify(ask(index, Scope::Platform("linux/arm64".parse().unwrap())));
    assert!(any_variant.is_ok());
    let none = shelf.verify(ask(index, Scope::Platform("plan9/amd64".parse().unwrap())));
    assert!(matches!(none.unwrap_err().fault(), Fault::NoPlatform { .. }));
    assert_eq!(class(shelf.verify(ask(amd64, Scope::Platform("linux/amd64".parse().unwrap())))), Class::Unknown);
}

#[test]
fn an_index_does_not_cover_what_it_does_not_list_or_lists_otherwise() {
    let Covered { mut shelf, index, amd64 } = covered(|_| ());
    let ask = |digest, index| request(digest, &[&key(0)], 1).scope(Scope::CoveredBy(index));
    let stranger = shelf.image("stranger");
    assert_eq!(class(shelf.verify(ask(stranger, index))), Class::NotVerified);
    assert_eq!(class(shelf.verify(ask(amd64, stranger))), Class::NotVerified);
    let inner = shelf.describe(index, touchmark_envelope::manifest::IMAGE_INDEX);
    let outer = shelf.index(&[inner]);
    shelf.sign(outer, &[&key(0)], |_| ());
    assert_eq!(class(shelf.verify(ask(index, outer))), Class::NotVerified, "an index covers images only");
    assert_eq!(class(shelf.verify(ask(amd64, outer))), Class::NotVerified, "one level only");
    let changes: [fn(&mut Descriptor); 2] =
        [|entry| entry.size += 1, |entry| entry.media_type = touchmark_envelope::manifest::DOCKER_MANIFEST.into()];
    for change in changes {
        let Covered { mut shelf, index, amd64 } = covered(change);
        assert_eq!(class(shelf.verify(ask(amd64, index))), Class::NotVerified);
        let platform = Scope::Platform("linux/amd64".parse().unwrap());
        assert_eq!(class(shelf.verify(request(index, &[&key(0)], 1).scope(platform))), Class::NotVerified);
    }
}

#[test]
fn deep_hashes_everything_below() {
    let Covered { mut shelf, index, .. } = covered(|_| ());
    let deep = || request(index, &[&key(0)], 1).deep();
    // Two manifests, one shared config, two layers.
    assert_eq!(shelf.verify(deep()).unwrap().hashed(), Some(5));
    let layer = Algorithm::Sha256.digest(b"arm64");
    shelf.contents.insert(layer, b"evil!".to_vec());
    assert_eq!(class(shelf.verify(deep())), Class::Malformed);
    shelf.contents.remove(&layer);
    assert_eq!(class(shelf.verify(deep())), Class::Unknown);
    let capped = Limits { contents: 2, ..Limits::default() };
    assert_eq!(class(shelf.verify(deep().limits(capped))), Class::Unknown);
    assert!(shelf.verify(request(index, &[&key(0)], 1)).is_ok(), "without --deep, what is below is not looked at");
}

#[test]
fn sha512_references_are_verified_by_sha512() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let bytes = shelf.contents[&image].clone();
    let long = Algorithm::Sha512.digest(&bytes);
    shelf.contents.insert(long, bytes.clone());
    let envelope = shelf.envelope(image, &[&key(0)], |s| s.digests.push(long));
    shelf.attach(long, signature::ARTIFACT_TYPE, &envelope, Inline::Yes);
    assert_eq!(shelf.verify(request(long, &[&key(0)], 1)).unwrap().descriptor().digest, long);
}

#[test]
fn wrong_answers_are_unknown_never_accepted() {
    use touchmark_trust::{Answer, Search, Step};
    let digest = Algorithm::Sha256.digest(b"x");
    let answers = [
        Answer::Referrers { entries: vec![], complete: true, more: false, why: None },
        Answer::Hashed { digest, size: 1 },
        Answer::Failed(Failure::WrongAnswer),
    ];
    for answer in answers {
        let mut search = Search::new(request(digest, &[&key(0)], 1));
        search.answer(answer);
        assert!(matches!(search.next(), Step::Done));
        assert_eq!(search.finish().unwrap_err().class(), Class::Unknown);
    }
    let left = Search::new(request(digest, &[&key(0)], 1));
    assert_eq!(left.finish().unwrap_err().class(), Class::Unknown);
}

#[test]
fn a_refusal_names_its_reason() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    shelf.attach_layers(image, signature::ARTIFACT_TYPE, &[]);
    let rejected = shelf.verify(request(image, &[&key(0)], 1)).unwrap_err();
    assert!(matches!(rejected.candidates()[0].outcome, Outcome::Failed(Reason::Layers)));
    assert!(rejected.to_string().starts_with("0 of 1 required keys signed: its manifest does not have exactly one layer"), "{rejected}");
}
