//! Signing and attesting in an OCI layout, and without one.
#![cfg(feature = "sign")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use touchmark::envelope::dsse::{self, Envelope};
use touchmark::envelope::key::{KeyAlgorithm, PublicKey};
use touchmark::envelope::manifest::{Descriptor, IMAGE_INDEX, IMAGE_MANIFEST};
use touchmark::envelope::sign::{PrivateKey, SignError, Signer};
use touchmark::oci::error::Class as StoreClass;
use touchmark::oci::layout::Layout;
use touchmark::oci::source::{Source as _, Store as _};
use touchmark::sign::{Claim, Lifetime, Repeat, Signed, SigningError, attest, co_sign, sign, sign_descriptor, with_children};
use touchmark::{Class, Digest, Policy, Rejected, Request, UnixTime, decide};

const DAY: i64 = 86_400;

/// An OCI layout of the test's own, removed at its end.
struct Home {
    path: PathBuf,
    layout: Layout,
}

impl Home {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("touchmark-signing-{name}-{}", std::process::id()));
        let layout = Layout::open_or_create(&path).unwrap();
        Self { path, layout }
    }

    /// An artifact whose one layer says `text`.
    fn artifact(&self, text: &str) -> Digest {
        self.layout.put_blob(None, &mut b"{}".as_slice()).unwrap();
        let layer = self.layout.put_blob(None, &mut text.as_bytes()).unwrap();
        let config = touchmark::envelope::digest::Algorithm::Sha256.digest(b"{}");
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"{IMAGE_MANIFEST}","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2}},"layers":[{{"mediaType":"text/plain","digest":"{}","size":{}}}]}}"#,
            layer.digest, layer.size
        );
        self.layout.put_manifest(manifest.as_bytes(), IMAGE_MANIFEST, None).unwrap().digest
    }

    fn index(&self, children: &[Digest]) -> Digest {
        let listed = children.iter().map(|child| {
            let size = self.layout.size(child).unwrap().unwrap();
            format!(r#"{{"mediaType":"{IMAGE_MANIFEST}","digest":"{child}","size":{size}}}"#)
        });
        let listed: Vec<String> = listed.collect();
        let index = format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[{}]}}"#, listed.join(","));
        self.layout.put_manifest(index.as_bytes(), IMAGE_INDEX, None).unwrap().digest
    }

    fn descriptor(&self, artifact: &Digest) -> Vec<u8> {
        self.layout.resolve(None, Some(artifact)).unwrap().to_json().to_vec()
    }

    fn referrers(&self, artifact: &Digest) -> Vec<Descriptor> {
        self.layout.referrers(artifact, 100, 1 << 20).unwrap().entries
    }

    fn verify(&self, artifact: &Digest, policy: Policy, now: UnixTime) -> Result<(), Rejected> {
        decide(&self.layout, Request::new(policy, *artifact, now)).map(|_| ())
    }

    fn sign(&self, artifact: &Digest, signers: &[Box<dyn Signer>], claim: &Claim, now: UnixTime) -> Signed {
        sign(&self.layout, artifact, signers, claim, Repeat::Skip, now).unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn key(byte: u8) -> PrivateKey {
    PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[byte; 32]).unwrap()
}

fn signers(keys: impl IntoIterator<Item = u8>) -> Vec<Box<dyn Signer>> {
    keys.into_iter().map(|byte| -> Box<dyn Signer> { Box::new(key(byte)) }).collect()
}

fn public(keys: impl IntoIterator<Item = u8>) -> Vec<PublicKey> {
    keys.into_iter().map(|byte| key(byte).public_key().clone()).collect()
}

fn at(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(seconds).unwrap()
}

fn named(name: &str) -> Claim {
    Claim { name: Some(name.parse().unwrap()), ..Claim::default() }
}

#[test]
fn what_is_signed_verifies_by_name_and_threshold() {
    let home = Home::new("verifies");
    let artifact = home.artifact("hello");
    let mut claim = named("acme/hello:1.0");
    claim.annotations = BTreeMap::from([("stage".to_owned(), "release".to_owned())]);
    let signed = home.sign(&artifact, &signers([1, 2]), &claim, at(0));
    assert_eq!(signed.signed_by, public([1, 2]));
    let attached = signed.attached.unwrap();
    assert_eq!(home.referrers(&artifact).iter().map(|entry| entry.digest).collect::<Vec<_>>(), [attached.descriptor.digest]);
    let policy = |needed| {
        let policy = Policy::keys(public([1, 2])).unwrap().threshold(needed).unwrap();
        policy.name("acme/hello:1.0".parse().unwrap()).annotation("stage", "release")
    };
    home.verify(&artifact, policy(2), at(0)).unwrap();
    let other = Policy::keys(public([3])).unwrap();
    assert_eq!(home.verify(&artifact, other, at(0)).unwrap_err().class(), Class::NotVerified);
    let other = policy(1).annotation("stage", "test");
    assert_eq!(home.verify(&artifact, other, at(0)).unwrap_err().class(), Class::NotVerified);
}

#[test]
fn a_second_run_adds_nothing() {
    let home = Home::new("again");
    let artifact = home.artifact("hello");
    let claim = Claim { lifetime: Some(Lifetime::Seconds(90 * DAY)), ..named("acme/hello:1.0") };
    let first = home.sign(&artifact, &signers([1]), &claim, at(0)).attached.unwrap().descriptor.digest;
    let second = home.sign(&artifact, &signers([1]), &claim, at(DAY));
    assert!(second.attached.is_none() && second.signed_by.is_empty());
    assert_eq!(second.already, [(public([1])[0].clone(), first)]);
    // Another key has not said it.
    let third = home.sign(&artifact, &signers([1, 2]), &claim, at(DAY));
    assert_eq!((third.signed_by, third.already.len()), (public([2]), 1));
    assert_eq!(home.referrers(&artifact).len(), 2);
    // It said something else, or it is asked for another all the same, or half of the time is over.
    assert!(home.sign(&artifact, &signers([1]), &named("acme/hello:1.0"), at(DAY)).attached.is_some());
    assert!(sign(&home.layout, &artifact, &signers([1]), &claim, Repeat::Again, at(2 * DAY)).unwrap().attached.is_some());
    assert!(home.sign(&artifact, &signers([2]), &claim, at(60 * DAY)).attached.is_some());
    assert_eq!(home.referrers(&artifact).len(), 5);
}

#[test]
fn a_signature_by_nobody_does_not_count_as_said() {
    let home = Home::new("forged");
    let artifact = home.artifact("hello");
    let claim = named("acme/hello:1.0");
    let signed = home.sign(&artifact, &signers([1]), &claim, at(0));
    // The same payload and keyid, and another signature; and the statement of one artifact attached to another.
    let mut forged = Envelope::parse(&signed.envelope.clone().unwrap(), dsse::Limits::default()).unwrap().into_untrusted();
    forged.signatures[0].keyid = Some(key(2).public_key().key_id().into_string());
    forged.signatures[0].bytes = vec![7; 64];
    let role = touchmark::oci::referrer::Role::Signature;
    touchmark::oci::referrer::attach(&home.layout, &signed.subject, &forged.to_json(), &role).unwrap();
    let other = home.artifact("other");
    let (subject, envelope) = (home.layout.resolve(None, Some(&other)).unwrap(), signed.envelope.unwrap());
    touchmark::oci::referrer::attach(&home.layout, &subject, &envelope, &role).unwrap();
    assert!(home.sign(&artifact, &signers([2]), &claim, at(0)).attached.is_some());
    assert!(home.sign(&other, &signers([1]), &claim, at(0)).attached.is_some());
}

#[test]
fn an_index_is_signed_with_all_its_children() {
    let home = Home::new("index");
    let children = [home.artifact("amd64"), home.artifact("arm64")];
    let index = home.index(&[children[0], children[1], children[0]]);
    assert_eq!(with_children(&home.layout, &index).unwrap(), [index, children[0], children[1]]);
    assert_eq!(with_children(&home.layout, &children[0]).unwrap(), [children[0]]);
    for artifact in with_children(&home.layout, &index).unwrap() {
        home.sign(&artifact, &signers([1]), &named("acme/hello:1.0"), at(0));
        home.verify(&artifact, Policy::keys(public([1])).unwrap(), at(0)).unwrap();
    }
}

#[test]
fn a_missing_child_or_artifact_is_not_passed_over() {
    let home = Home::new("missing");
    let absent = touchmark::envelope::digest::Algorithm::Sha256.digest(b"absent");
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[{{"mediaType":"{IMAGE_MANIFEST}","digest":"{absent}","size":6}}]}}"#
    );
    let stored = home.layout.put_blob(None, &mut index.as_bytes()).unwrap().digest;
    assert_eq!(with_children(&home.layout, &stored).unwrap_err().class(), StoreClass::NotFound);
    let refused = sign(&home.layout, &absent, &signers([1]), &Claim::default(), Repeat::Skip, at(0)).unwrap_err();
    assert_eq!(refused.class(), StoreClass::NotFound);
    let refused = sign(&home.layout, &stored, &signers([]), &Claim::default(), Repeat::Skip, at(0)).unwrap_err();
    assert!(matches!(refused, SigningError::NoSigner));
    let text = home.layout.put_blob(None, &mut b"no manifest".as_slice()).unwrap().digest;
    let refused = sign(&home.layout, &text, &signers([1]), &Claim::default(), Repeat::Skip, at(0)).unwrap_err();
    assert_eq!((refused.class(), refused.code()), (StoreClass::Malformed, "malformed"));
}

/// Says that it is one key and returns nonsense.
struct Broken(PublicKey);

impl Signer for Broken {
    fn public_key(&self) -> &PublicKey {
        &self.0
    }

    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(vec![0; 64])
    }
}

#[test]
fn nothing_is_attached_if_one_key_fails() {
    let home = Home::new("broken");
    let artifact = home.artifact("hello");
    let mut keys = signers([1]);
    keys.push(Box::new(Broken(public([2])[0].clone())));
    let refused = sign(&home.layout, &artifact, &keys, &Claim::default(), Repeat::Skip, at(0)).unwrap_err();
    assert!(matches!(refused, SigningError::Signer(SignError::NotBySigner)));
    assert!(home.referrers(&artifact).is_empty());
}

#[test]
fn two_people_sign_one_envelope_without_the_artifact() {
    let home = Home::new("offline");
    let artifact = home.artifact("hello");
    let descriptor = home.descriptor(&artifact);
    let claim = Claim { lifetime: Some(Lifetime::Seconds(30 * DAY)), ..named("acme/hello:1.0") };
    let first = sign_descriptor(&descriptor, &signers([1]), &claim, at(1000)).unwrap();
    // The second signs a day later, and again by mistake.
    let second = co_sign(&first, &descriptor, &signers([2]), &claim, at(1000 + DAY)).unwrap();
    assert_eq!((second.signed_by, second.already), (public([2]), vec![]));
    let third = co_sign(&second.envelope, &descriptor, &signers([1, 2]), &claim, at(1000 + DAY)).unwrap();
    assert_eq!((third.signed_by, third.already), (vec![], public([1, 2])));
    assert_eq!(third.envelope, second.envelope);
    let subject = home.layout.resolve(None, Some(&artifact)).unwrap();
    touchmark::oci::referrer::attach(&home.layout, &subject, &second.envelope, &touchmark::oci::referrer::Role::Signature).unwrap();
    let policy = || Policy::keys(public([1, 2])).unwrap().threshold(2).unwrap().name("acme/hello:1.0".parse().unwrap());
    home.verify(&artifact, policy(), at(2000 + DAY)).unwrap();
    assert!(home.verify(&artifact, policy(), at(1000 + 30 * DAY)).is_err(), "expired 30 days after the first signer's time");
}

#[test]
fn a_co_signer_signs_only_what_its_own_command_line_says() {
    let home = Home::new("differs");
    let (artifact, other) = (home.artifact("hello"), home.artifact("other artifact"));
    let descriptor = home.descriptor(&artifact);
    let claim = Claim { lifetime: Some(Lifetime::Seconds(30 * DAY)), ..named("acme/hello:1.0") };
    let envelope = sign_descriptor(&descriptor, &signers([1]), &claim, at(1000)).unwrap();
    let refused =
        |envelope: &[u8], descriptor: &[u8], claim: &Claim, now| co_sign(envelope, descriptor, &signers([2]), claim, at(now)).unwrap_err();
    let what = |descriptor: &[u8], claim: &Claim| match refused(&envelope, descriptor, claim, 1000) {
        SigningError::Differs { what, .. } => what,
        other => panic!("{other}"),
    };
    assert_eq!(what(&home.descriptor(&other), &claim), "the digest");
    let text = String::from_utf8(descriptor.clone()).unwrap();
    assert_eq!(what(text.replace(IMAGE_MANIFEST, IMAGE_INDEX).as_bytes(), &claim), "the media type");
    assert_eq!(what(text.replace("\"size\":", "\"size\":1").as_bytes(), &claim), "the size");
    assert_eq!(what(&descriptor, &Claim { name: None, ..claim.clone() }), "the name");
    assert_eq!(what(&descriptor, &Claim { lifetime: Some(Lifetime::Seconds(31 * DAY)), ..claim.clone() }), "the expiry");
    assert_eq!(what(&descriptor, &Claim { lifetime: None, ..claim.clone() }), "the expiry");
    let annotations = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
    assert_eq!(what(&descriptor, &Claim { annotations, ..claim.clone() }), "the annotations");
    // A first signer who says that it is later than it is gets no lifetime that ends later.
    let ahead = sign_descriptor(&descriptor, &signers([1]), &claim, at(1000 + DAY)).unwrap();
    assert!(matches!(refused(&ahead, &descriptor, &claim, 1000), SigningError::IssuedInFuture { .. }));
    // A member that nobody asked for, hidden in the payload.
    let mut hidden = Envelope::parse(&envelope, dsse::Limits::default()).unwrap().into_untrusted();
    let payload = String::from_utf8(hidden.payload.clone()).unwrap();
    hidden.payload = payload.replacen('{', r#"{"deploy":"now","#, 1).into_bytes();
    assert!(matches!(
        refused(&hidden.to_json(), &descriptor, &claim, 1000),
        SigningError::Differs { what: "the form of the statement", .. }
    ));
    hidden.payload = payload.replace("urn:touchmark:predicate:signature:v1", "https://example.com/malware").into_bytes();
    assert!(matches!(refused(&hidden.to_json(), &descriptor, &claim, 1000), SigningError::NotASignature(_)));
    hidden.payload_type = "text/plain".to_owned();
    assert!(matches!(refused(&hidden.to_json(), &descriptor, &claim, 1000), SigningError::Differs { what: "its payload type", .. }));
    assert!(matches!(refused(b"{}", &descriptor, &claim, 1000), SigningError::Envelope(_)));
}

#[test]
fn only_descriptors_of_manifests_are_signed() {
    let refused = |descriptor: &str| sign_descriptor(descriptor.as_bytes(), &signers([1]), &Claim::default(), at(0)).unwrap_err();
    assert!(matches!(refused("{}"), SigningError::Descriptor(_)));
    assert!(matches!(refused("x"), SigningError::Descriptor(_)));
    let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let layer = format!(r#"{{"mediaType":"text/plain","digest":"{digest}","size":0}}"#);
    assert!(matches!(refused(&layer), SigningError::NotAManifest { .. }));
}

#[test]
fn an_attestation_is_verified_by_its_type_and_is_no_signature() {
    let home = Home::new("attest");
    let artifact = home.artifact("hello");
    let slsa = "https://slsa.dev/provenance/v1";
    let attested = attest(&home.layout, &artifact, &signers([1]), slsa, br#"{"score":9.80}"#, None).unwrap();
    assert_eq!(home.referrers(&artifact)[0].artifact_type.as_deref(), Some(dsse::IN_TOTO));
    home.verify(&artifact, Policy::keys(public([1])).unwrap().predicate_type(slsa), at(0)).unwrap();
    assert!(home.verify(&artifact, Policy::keys(public([1])).unwrap(), at(0)).is_err(), "an attestation is no signature");
    // The same again is the same.
    let again = attest(&home.layout, &artifact, &signers([1]), slsa, br#"{"score":9.80}"#, None).unwrap();
    assert_eq!(again.attached.as_ref().map(|attached| attached.already), Some(true));
    assert_eq!(again.attached.map(|a| a.descriptor.digest), attested.attached.map(|a| a.descriptor.digest));
    assert_eq!(home.referrers(&artifact).len(), 1);
    let type_of_signatures = "urn:touchmark:predicate:signature:v1";
    let refused = attest(&home.layout, &artifact, &signers([1]), type_of_signatures, b"{}", None).unwrap_err();
    assert!(matches!(refused, SigningError::SignatureType));
    // 31 levels are JSON as it is read here, and one more, in the statement, is too deep.
    let deep = |levels: usize| format!("{}{}", r#"{"a":"#.repeat(levels - 1), "{}") + &"}".repeat(levels - 1);
    assert!(attest(&home.layout, &artifact, &signers([1]), slsa, deep(31).as_bytes(), None).is_ok());
    assert!(attest(&home.layout, &artifact, &signers([1]), slsa, deep(32).as_bytes(), None).is_err());
}
