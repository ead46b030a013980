//! What a policy may demand besides: what accepts, which role decides, and attestations with signers and constraints of their own.

use touchmark_envelope::dsse;
use touchmark_envelope::key::{KeyAlgorithm, PublicKey};
use touchmark_envelope::signature;
use touchmark_envelope::{Digest, UnixTime};
use touchmark_in_toto::constraint::Constraint;
use touchmark_test_tuf_repository::NOW;
use touchmark_trust::{Accepted, AcceptedKind, Attested, Class, Fault, Limits, Need, Outcome, Policy, Reason, Request};

use crate::shelf::{Inline, Shelf, key, policy, public, sealed, time};
use crate::world::World;

const SCAN: &str = "https://example.com/scan/v1";

/// A statement about an artifact.
fn statement(digest: Digest, predicate_type: &str, predicate: &str) -> Vec<u8> {
    let text = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}}}}],"predicateType":"{predicate_type}","predicate":{predicate}}}"#,
        digest.hex()
    );
    text.into_bytes()
}

/// Attaches an attestation.
fn attest(shelf: &mut Shelf, digest: Digest, predicate_type: &str, predicate: &str, by: &[u8]) {
    let keys: Vec<_> = by.iter().map(|number| key(*number)).collect();
    let envelope = sealed(&statement(digest, predicate_type, predicate), &keys.iter().collect::<Vec<_>>());
    shelf.attach(digest, dsse::IN_TOTO, &envelope, Inline::Yes);
}

/// An image that key 0 signed.
fn signed() -> (Shelf, Digest) {
    let mut shelf = Shelf::default();
    let image = shelf.image("app");
    shelf.sign(image, &[&key(0)], |_| {});
    (shelf, image)
}

fn keys(numbers: &[u8]) -> Vec<PublicKey> {
    numbers.iter().map(|number| public(&key(*number))).collect()
}

fn passed() -> Constraint {
    Constraint::parse(br#"{"at": "/result", "equals": "PASSED"}"#).unwrap()
}

fn request(wanted: impl IntoIterator<Item = Attested>, image: Digest) -> Request {
    Request::new(wanted.into_iter().fold(policy(&[&key(0)], 1), Policy::attested), image, time(2_000))
}

/// The class and the code of a refusal.
fn refused(shelf: &mut Shelf, request: Request) -> (Class, &'static str) {
    let rejected = shelf.verify(request).unwrap_err();
    (rejected.class(), rejected.fault().code())
}

#[test]
fn an_attestation_is_wanted_beside_the_signature() {
    let (mut shelf, image) = signed();
    let wanted = || [Attested::new(SCAN).signed_by(keys(&[2]), 1).unwrap()];
    assert_eq!(refused(&mut shelf, request(wanted(), image)), (Class::Unsigned, "unsigned"));
    attest(&mut shelf, image, SCAN, "{}", &[2]);
    let artifact = shelf.verify(request(wanted(), image)).unwrap();
    let mut types: Vec<&str> = artifact.accepted().iter().map(|one| one.said().predicate_type.as_str()).collect();
    types.sort_unstable();
    assert_eq!(types, [SCAN, signature::PREDICATE_TYPE]);
    // The attestation alone is no signature.
    let mut shelf = Shelf::default();
    let image = shelf.image("app");
    attest(&mut shelf, image, SCAN, "{}", &[2, 0]);
    assert_eq!(refused(&mut shelf, request(wanted(), image)), (Class::Unsigned, "unsigned"));
}

#[test]
fn predicate_by_a_stranger_does_not_count() {
    // By nobody, by whom the policy trusts for something else, and by whom another predicate is wanted of.
    for by in [8, 0, 4] {
        let (mut shelf, image) = signed();
        let other = "https://example.com/other/v1";
        let wanted = || [Attested::new(SCAN).signed_by(keys(&[2]), 1).unwrap(), Attested::new(other).signed_by(keys(&[4]), 1).unwrap()];
        attest(&mut shelf, image, SCAN, "{}", &[by]);
        attest(&mut shelf, image, other, "{}", &[4]);
        let rejected = shelf.verify(request(wanted(), image)).unwrap_err();
        assert_eq!(rejected.class(), Class::NotVerified);
        assert!(rejected.candidates().iter().any(|one| matches!(one.outcome, Outcome::Failed(Reason::NoKey))), "{by}");
        attest(&mut shelf, image, SCAN, "{}", &[2]);
        assert!(shelf.verify(request(wanted(), image)).is_ok());
    }
    // Nor may who attests sign.
    let mut shelf = Shelf::default();
    let image = shelf.image("app");
    shelf.sign(image, &[&key(2)], |_| {});
    attest(&mut shelf, image, SCAN, "{}", &[2]);
    let wanted = [Attested::new(SCAN).signed_by(keys(&[2]), 1).unwrap()];
    assert_eq!(refused(&mut shelf, request(wanted, image)), (Class::NotVerified, "threshold"));
}

#[test]
fn without_signers_of_its_own_an_attestation_is_by_those_whom_the_policy_trusts() {
    let (mut shelf, image) = signed();
    attest(&mut shelf, image, SCAN, "{}", &[2]);
    assert_eq!(refused(&mut shelf, request([Attested::new(SCAN)], image)).0, Class::NotVerified);
    attest(&mut shelf, image, SCAN, "{}", &[0]);
    assert!(shelf.verify(request([Attested::new(SCAN)], image)).is_ok());
}

#[test]
fn each_predicate_has_a_threshold_of_its_own() {
    let (mut shelf, image) = signed();
    let wanted = || [Attested::new(SCAN).signed_by(keys(&[2, 4, 6]), 2).unwrap()];
    attest(&mut shelf, image, SCAN, "{}", &[2]);
    attest(&mut shelf, image, SCAN, r#"{"again":1}"#, &[2]);
    let rejected = shelf.verify(request(wanted(), image)).unwrap_err();
    assert!(matches!(rejected.fault(), Fault::Threshold { needed: 2, found: 1, .. }), "{rejected}");
    attest(&mut shelf, image, SCAN, "{}", &[6]);
    assert!(shelf.verify(request(wanted(), image)).is_ok());
    for (numbers, needed) in [(&[2_u8][..], 0), (&[2], 2), (&[2, 2], 2), (&[], 1)] {
        assert!(Attested::new(SCAN).signed_by(keys(numbers), needed).is_err());
    }
}

#[test]
fn constraint_unmet_is_told() {
    let (mut shelf, image) = signed();
    let wanted = || [Attested::new(SCAN).signed_by(keys(&[2]), 1).unwrap().constraint(passed())];
    attest(&mut shelf, image, SCAN, r#"{"result":"FAILED"}"#, &[2]);
    let rejected = shelf.verify(request(wanted(), image)).unwrap_err();
    assert_eq!((rejected.class(), rejected.fault().code()), (Class::NotVerified, "threshold"));
    assert!(rejected.to_string().contains(r#"`/result` is "FAILED" and must equal "PASSED""#), "{rejected}");
    let reason = rejected.candidates().iter().find_map(|one| match &one.outcome {
        Outcome::Failed(reason @ Reason::Unmet { .. }) => Some(reason),
        _ => None,
    });
    assert_eq!(reason.map(|reason| (reason.code(), reason.keys())), Some(("unmet", &keys(&[2])[..])));
    // What a stranger's says is not told.
    attest(&mut shelf, image, SCAN, r#"{"result":"their words"}"#, &[8]);
    assert!(!shelf.verify(request(wanted(), image)).unwrap_err().to_string().contains("their words"));
    attest(&mut shelf, image, SCAN, r#"{"result":"PASSED"}"#, &[2]);
    assert!(shelf.verify(request(wanted(), image)).is_ok());
}

#[test]
fn predicates_and_signature_are_not_assembled_from_two_statements() {
    let (mut shelf, image) = signed();
    let other = shelf.image("other");
    let twice = || {
        let critical = Constraint::parse(br#"{"at": "/critical", "equals": 0}"#).unwrap();
        [Attested::new(SCAN).signed_by(keys(&[2]), 1).unwrap().constraint(passed()).constraint(critical)]
    };
    // Each meets one constraint; one meets both, of another artifact; one meets both, and is by a stranger.
    attest(&mut shelf, image, SCAN, r#"{"result":"PASSED","critical":9}"#, &[2]);
    attest(&mut shelf, image, SCAN, r#"{"result":"FAILED","critical":0}"#, &[2]);
    attest(&mut shelf, image, SCAN, r#"{"result":"PASSED","critical":0}"#, &[8]);
    let envelope = sealed(&statement(other, SCAN, r#"{"result":"PASSED","critical":0}"#), &[&key(2)]);
    shelf.attach(image, dsse::IN_TOTO, &envelope, Inline::Yes);
    assert_eq!(refused(&mut shelf, request(twice(), image)), (Class::NotVerified, "threshold"));
    // Two keys of a threshold, of which one meets the constraint.
    let two = || [Attested::new(SCAN).signed_by(keys(&[2, 4]), 2).unwrap().constraint(passed())];
    attest(&mut shelf, image, SCAN, r#"{"result":"FAILED"}"#, &[4]);
    assert_eq!(refused(&mut shelf, request(two(), image)), (Class::NotVerified, "threshold"));
    attest(&mut shelf, image, SCAN, r#"{"result":"PASSED"}"#, &[4]);
    assert!(shelf.verify(request(two(), image)).is_ok());
    attest(&mut shelf, image, SCAN, r#"{"result":"PASSED","critical":0}"#, &[2]);
    assert!(shelf.verify(request(twice(), image)).is_ok());
}

#[test]
fn one_statement_may_be_what_several_demands_want() {
    let (mut shelf, image) = signed();
    let wanted = || {
        [Attested::new(SCAN).signed_by(keys(&[2]), 1).unwrap().constraint(passed()), Attested::new(SCAN).signed_by(keys(&[4]), 1).unwrap()]
    };
    attest(&mut shelf, image, SCAN, r#"{"result":"PASSED"}"#, &[2]);
    assert!(shelf.verify(request(wanted(), image)).is_err());
    attest(&mut shelf, image, SCAN, r#"{"result":"FAILED"}"#, &[4, 2]);
    assert!(shelf.verify(request(wanted(), image)).is_ok());
}

#[test]
fn the_work_for_constraints_is_bounded_by_the_search_s() {
    let (mut shelf, image) = signed();
    let long = format!(r#"{{"result":"{}"}}"#, "a".repeat(1 << 16));
    attest(&mut shelf, image, SCAN, &long, &[2]);
    let limits = Limits { work: 1 << 20, ..Limits::default() };
    let wanted = |patterns: usize| {
        let pattern = Constraint::parse(br#"{"at": "/result", "matches": "*b"}"#).unwrap();
        let wanted = Attested::new(SCAN).signed_by(keys(&[2]), 1).unwrap();
        (0..patterns).fold(wanted, |wanted, _| wanted.constraint(pattern.clone()))
    };
    assert!(shelf.verify(request([wanted(0)], image).limits(limits)).is_ok());
    assert_eq!(refused(&mut shelf, request([wanted(64)], image)), (Class::NotVerified, "threshold"));
    let rejected = shelf.verify(request([wanted(64)], image).limits(limits)).unwrap_err();
    assert_eq!(rejected.class(), Class::Unknown);
    assert!(rejected.to_string().contains("--max-work"), "{rejected}");
}

#[test]
fn annotations_are_asked_of_signatures_and_not_of_what_is_attested_beside_them() {
    let mut shelf = Shelf::default();
    let image = shelf.image("app");
    shelf.sign(image, &[&key(0)], |statement| drop(statement.annotations.insert("env".into(), "prod".into())));
    attest(&mut shelf, image, SCAN, "{}", &[2]);
    let with = |value: &str| {
        let wanted = Attested::new(SCAN).signed_by(keys(&[2]), 1).unwrap();
        Request::new(policy(&[&key(0)], 1).annotation("env", value).attested(wanted), image, time(2_000))
    };
    assert!(shelf.verify(with("prod")).is_ok());
    assert_eq!(shelf.verify(with("test")).unwrap_err().class(), Class::NotVerified);
}

/// A world where `acme/tool` is accepted by this kind.
fn accepted_by(kind: AcceptedKind) -> (World, Digest) {
    let mut world = World::new();
    let image = world.shelf.image("app");
    match kind {
        AcceptedKind::Entry => world.enter("acme", "acme/tool", image),
        AcceptedKind::Seal => world.seal("acme", "acme/tool", &[image]),
        AcceptedKind::Envelopes => world.sign(image, "acme", "acme/tool"),
    }
    (world, image)
}

fn at() -> UnixTime {
    UnixTime::from_seconds(NOW).unwrap()
}

#[test]
fn nothing_but_the_kinds_that_the_policy_names_accepts() {
    for kind in AcceptedKind::ALL {
        for wanted in AcceptedKind::ALL {
            let (mut world, image) = accepted_by(kind);
            let policy = Policy::trust(world.standing("acme/tool").unwrap()).accept_only([wanted]);
            let verdict = world.shelf.verify(Request::new(policy, image, at()));
            assert_eq!(verdict.is_ok(), kind == wanted, "{kind:?} {wanted:?}");
            if let Err(rejected) = verdict {
                assert_eq!((rejected.class(), rejected.fault().code()), (Class::NotVerified, "accepted-by"));
            }
        }
        let (mut world, image) = accepted_by(kind);
        let standing = world.standing("acme/tool").unwrap();
        let any = Policy::trust(standing.clone()).accept_only(AcceptedKind::ALL);
        assert!(world.shelf.verify(Request::new(any, image, at())).is_ok());
        // Two that have nothing in common, and none.
        let none = [
            Policy::trust(standing.clone()).accept_only([AcceptedKind::Entry]).accept_only([AcceptedKind::Seal]),
            Policy::trust(standing).accept_only([]),
        ];
        for policy in none {
            assert_eq!(world.shelf.verify(Request::new(policy, image, at())).unwrap_err().fault().code(), "accepted-by");
        }
    }
    // Signatures of a caller's keys are envelopes.
    let (mut shelf, image) = signed();
    for (wanted, holds) in [(AcceptedKind::Envelopes, true), (AcceptedKind::Entry, false)] {
        let request = Request::new(policy(&[&key(0)], 1).accept_only([wanted]), image, time(2_000));
        assert_eq!(shelf.verify(request).is_ok(), holds);
    }
}

#[test]
fn entry_required_envelopes_do_not_suffice() {
    let (mut world, image) = accepted_by(AcceptedKind::Envelopes);
    let policy = Policy::trust(world.standing("acme/tool").unwrap()).accept_only([AcceptedKind::Entry, AcceptedKind::Seal]);
    let rejected = world.shelf.verify(Request::new(policy, image, at())).unwrap_err();
    let wanted = vec![AcceptedKind::Entry, AcceptedKind::Seal];
    assert_eq!(rejected.fault(), &Fault::AcceptedBy { found: AcceptedKind::Envelopes, wanted });
    assert_eq!(rejected.class(), Class::NotVerified);
    assert_eq!(rejected.to_string(), "envelopes would have to accept it, and the policy takes an entry or a seal alone");
    // Nothing was searched for needlessly.
    assert_eq!(world.shelf.asked.len(), 1);
    assert!(matches!(world.shelf.asked[0], Need::Manifest { .. }));
}

#[test]
fn role_other_than_the_policy_names_is_rejected() {
    for kind in AcceptedKind::ALL {
        let (mut world, image) = accepted_by(kind);
        let standing = world.standing("acme/tool").unwrap();
        for (role, holds) in [("acme", true), ("targets", false), ("acme+team", false), ("", false)] {
            let policy = Policy::trust(standing.clone()).by_role(role);
            world.shelf.asked.clear();
            let verdict = world.shelf.verify(Request::new(policy, image, at()));
            assert_eq!(verdict.is_ok(), holds, "{kind:?} {role}");
            if let Err(rejected) = verdict {
                let fault = Fault::OtherRole { found: Some("acme".into()), wanted: role.into() };
                assert_eq!((rejected.class(), rejected.fault()), (Class::NotVerified, &fault));
                assert_eq!(world.shelf.asked.len(), 1);
            }
        }
    }
    // An entry of the role above is not one of the role that is named.
    let (mut world, image) = accepted_by(AcceptedKind::Envelopes);
    world.enter("targets", "acme/tool", image);
    let standing = world.standing("acme/tool").unwrap();
    assert_eq!(
        world.shelf.verify(Request::new(Policy::trust(standing.clone()).by_role("acme"), image, at())).unwrap_err().fault().code(),
        "other-role"
    );
    assert!(world.shelf.verify(Request::new(Policy::trust(standing).by_role("targets"), image, at())).is_ok());
    // Keys are no role.
    let (mut shelf, image) = signed();
    let rejected = shelf.verify(Request::new(policy(&[&key(0)], 1).by_role("acme"), image, time(2_000))).unwrap_err();
    assert_eq!(rejected.fault(), &Fault::OtherRole { found: None, wanted: "acme".into() });
}

#[test]
fn under_an_entry_an_attestation_is_by_its_own_signers_or_by_the_role_that_may_sign() {
    let (mut world, image) = accepted_by(AcceptedKind::Entry);
    attest(&mut world.shelf, image, SCAN, "{}", &[2]);
    let standing = world.standing("acme/tool").unwrap();
    // The statement does not name the artifact as is wanted.
    let own = || Attested::new(SCAN).signed_by(keys(&[2]), 1).unwrap();
    let policy = Policy::trust(standing.clone()).attested(own());
    assert_eq!(world.shelf.verify(Request::new(policy.clone(), image, at())).unwrap_err().class(), Class::NotVerified);
    let named = String::from_utf8(statement(image, SCAN, "{}")).unwrap().replace(r#"[{"digest""#, r#"[{"name":"acme/tool","digest""#);
    let envelope = sealed(named.as_bytes(), &[&key(2)]);
    world.shelf.attach(image, dsse::IN_TOTO, &envelope, Inline::Yes);
    let artifact = world.shelf.verify(Request::new(policy, image, at())).unwrap();
    assert_eq!((artifact.accepted_by().code(), artifact.accepted().len(), artifact.needed()), ("entry", 1, 0));
    let by: Vec<PublicKey> = artifact.accepted().iter().flat_map(Accepted::keys).cloned().collect();
    assert_eq!(by, keys(&[2]));
    // By the role's keys, unless it names its own.
    let policy = Policy::trust(standing).attested(Attested::new(SCAN));
    assert_eq!(world.shelf.verify(Request::new(policy, image, at())).unwrap_err().class(), Class::NotVerified);
    // An entry of a role above leaves nobody who may sign; whom the policy names may.
    let mut world = World::new();
    let image = world.shelf.image("app");
    world.enter("targets", "acme/tool", image);
    world.shelf.attach(image, dsse::IN_TOTO, &sealed(&named_statement(image), &[&key(2)]), Inline::Yes);
    let standing = world.standing("acme/tool").unwrap();
    let policy = Policy::trust(standing.clone()).attested(Attested::new(SCAN));
    assert_eq!(world.shelf.verify(Request::new(policy, image, at())).unwrap_err().fault().code(), "no-signers");
    assert!(world.shelf.verify(Request::new(Policy::trust(standing).attested(own()), image, at())).is_ok());
}

#[test]
fn an_entry_stands_for_the_publishers_signature_and_not_for_one_that_is_wanted_of_others() {
    for kind in [AcceptedKind::Entry, AcceptedKind::Seal] {
        let (mut world, image) = accepted_by(kind);
        let wanted = Attested::new(signature::PREDICATE_TYPE).signed_by(keys(&[2]), 1).unwrap();
        let policy = Policy::trust(world.standing("acme/tool").unwrap()).attested(wanted);
        let refused = world.shelf.verify(Request::new(policy.clone(), image, at())).unwrap_err();
        assert_eq!(refused.class(), Class::Unsigned);
        // Nor is it the publisher's.
        world.sign(image, "acme", "acme/tool");
        assert_eq!(world.shelf.verify(Request::new(policy.clone(), image, at())).unwrap_err().class(), Class::NotVerified);
        world.shelf.sign(image, &[&key(2)], |statement| statement.name = Some("acme/tool".parse().unwrap()));
        assert!(world.shelf.verify(Request::new(policy, image, at())).is_ok());
    }
}

fn named_statement(image: Digest) -> Vec<u8> {
    String::from_utf8(statement(image, SCAN, "{}")).unwrap().replace(r#"[{"digest""#, r#"[{"name":"acme/tool","digest""#).into_bytes()
}

/// The key in the other encoding: the point compressed, as some tools write it.
fn compressed(key: &PublicKey) -> PublicKey {
    let raw = key.as_raw();
    let (x, y) = raw[1..].split_at(32);
    let point = [&[2 + (y[31] & 1)], x].concat();
    // SubjectPublicKeyInfo of a key on P-256: 51 bytes, as its point is 33.
    let head = [0x30, 0x39, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    let curve = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x22, 0x00];
    let der = [&head[..], &curve, &point].concat();
    PublicKey::from_spki_der(&der).unwrap()
}

#[test]
fn compressed_and_uncompressed_key_count_once() {
    let twice = || [public(&key(1)), compressed(&public(&key(1)))];
    assert_eq!(twice()[0].algorithm(), KeyAlgorithm::EcdsaP256);
    assert!(Policy::keys(twice()).unwrap().threshold(2).is_err(), "one key is no two");
    let policy = || Policy::keys(twice().into_iter().chain([public(&key(3))])).unwrap().threshold(2).unwrap();
    let mut shelf = Shelf::default();
    let image = shelf.image("app");
    // Signed twice by one key, in two envelopes and twice in one, under the keyids of both encodings.
    shelf.sign(image, &[&key(1)], |_| {});
    shelf.sign(image, &[&key(1), &key(1)], |statement| drop(statement.annotations.insert("second".into(), "one".into())));
    let rejected = shelf.verify(Request::new(policy(), image, time(2_000))).unwrap_err();
    assert!(matches!(rejected.fault(), Fault::Threshold { needed: 2, found: 1, .. }), "{rejected}");
    // Of an attestation's own signers it is the same.
    attest(&mut shelf, image, SCAN, "{}", &[1]);
    attest(&mut shelf, image, SCAN, r#"{"again":1}"#, &[1]);
    let wanted = Attested::new(SCAN).signed_by(twice().into_iter().chain([public(&key(3))]), 2).unwrap();
    let by_one = Policy::keys([compressed(&public(&key(1)))]).unwrap();
    let rejected = shelf.verify(Request::new(by_one.clone().attested(wanted), image, time(2_000))).unwrap_err();
    assert!(matches!(rejected.fault(), Fault::Threshold { needed: 2, found: 1, .. }), "{rejected}");
    assert!(shelf.verify(Request::new(by_one, image, time(2_000))).is_ok());
    shelf.sign(image, &[&key(3)], |_| {});
    assert!(shelf.verify(Request::new(policy(), image, time(2_000))).is_ok());
}
