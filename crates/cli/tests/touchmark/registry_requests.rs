//! How many requests a verification of an artifact in a registry takes, and how many of them wait for one another: counted by the
//! registry.

use std::time::Duration;

use touchmark::UnixTime;
use touchmark::envelope::digest::Algorithm;
use touchmark::envelope::dsse::{self, Envelope};
use touchmark::envelope::key::KeyAlgorithm;
use touchmark::envelope::manifest::{Descriptor, IMAGE_MANIFEST};
use touchmark::envelope::sign::{PrivateKey, Signer as _};
use touchmark::envelope::signature::Signature;
use touchmark::oci::referrer::{self, Role};
use touchmark::oci::{Access, Registry, Source, Store};
use touchmark_test_registry::{Settings, TestRegistry};

use crate::harness::{Place, digest};

fn registry(referrers_api: bool) -> TestRegistry {
    TestRegistry::start(Settings { referrers_api, oci_subject: referrers_api, ..Settings::default() })
}

/// What was asked, as method and path behind the repository, in order.
fn asked(registry: &TestRegistry) -> Vec<String> {
    let line = |logged: &touchmark_test_registry::Logged| format!("{} {}", logged.method, logged.path.replace("/v2/acme/app/", ""));
    registry.log().iter().map(line).collect()
}

#[test]
fn one_good_signature_takes_three_requests_and_four_without_the_referrers_api() {
    for api in [true, false] {
        let registry = registry(api);
        let place = Place::new();
        place.key("alice");
        let pin = place.pack(&format!("{}/acme/app:v1", registry.host()), "content");
        place.ok(&format!("sign {pin} --key alice --name acme/app:1"));
        // Others, of which none is needed, whose hints say that they are something else.
        for n in 0..5 {
            place.file("sbom.json", format!("{{\"n\":{n}}}"));
            place.ok(&format!("attest {pin} --key alice --type spdx --predicate sbom.json"));
        }
        for reference in [pin.clone(), format!("{}/acme/app:v1", registry.host())] {
            registry.clear_log();
            place.verify_is(0, &format!("{reference} --key alice.pub --name acme/app:1"));
            let asked = asked(&registry);
            // Each of the two programs ran twice.
            let runs: Vec<&[String]> = asked.chunks(asked.len() / 4).collect();
            let name = if reference == pin { digest(&pin) } else { "v1" };
            let list = format!("{}-{}", "sha256", digest(&pin).trim_start_matches("sha256:"));
            let mut wanted = vec![format!("GET manifests/{name}"), format!("GET referrers/{}", digest(&pin))];
            if !api {
                wanted.push(format!("GET manifests/{list}"));
            }
            for run in &runs {
                assert_eq!(run.len(), if api { 3 } else { 4 }, "{run:#?}");
                assert_eq!(run[..wanted.len()], wanted);
                assert!(run[wanted.len()].starts_with("GET manifests/sha256:"), "the signature's manifest: {run:#?}");
            }
            assert_eq!(runs.len(), 4);
        }
    }
}

/// Signatures of `count` keys, an artifact's, in one repository; the arguments that name all of the keys.
fn signed_by_many(registry: &TestRegistry, place: &Place, count: u8, padding: usize) -> (String, String) {
    let store = Registry::new(format!("{}/acme/app", registry.host()).parse().unwrap(), &Access::default()).unwrap();
    let pin = place.pack(&format!("{}/acme/app:v1", registry.host()), "content");
    let subject = digest(&pin).parse().unwrap();
    let bytes = store.manifest(&subject, 1 << 20).unwrap();
    let descriptor = Descriptor::new(IMAGE_MANIFEST, subject, bytes.len() as u64);
    let (mut manifests, mut arguments) = (Vec::new(), String::new());
    for n in 0..count {
        let key = PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[n + 1; 32]).unwrap();
        place.file(&format!("{n}.pub"), key.public_key().to_pem());
        arguments.push_str(&format!(" --key {n}.pub"));
        let mut statement = Signature::of(&bytes, IMAGE_MANIFEST, UnixTime::from_seconds(1_000_000).unwrap());
        statement.annotations.insert("padding".to_owned(), "x".repeat(padding));
        let envelope = Envelope::sign(dsse::IN_TOTO, statement.to_json(), &[&key]).unwrap().to_json();
        // One that is not inlined is stored as a blob.
        store.put_blob(None, &mut envelope.as_slice()).unwrap();
        manifests.push(referrer::manifest(&descriptor, &envelope, &Role::Signature));
    }
    store.put_blob(None, &mut b"{}".as_slice()).unwrap();
    let manifests: Vec<&[u8]> = manifests.iter().map(Vec::as_slice).collect();
    store.attach_as(Algorithm::Sha256, &manifests).unwrap();
    (pin, arguments)
}

/// Longer than on any network that is fit for use: a slow machine must not look like a long chain.
const ROUND_TRIP: Duration = Duration::from_millis(250);

#[test]
fn a_hundred_signatures_take_a_chain_of_at_most_nine_requests() {
    for api in [true, false] {
        let registry = registry(api);
        let place = Place::new();
        let (pin, keys) = signed_by_many(&registry, &place, 100, 0);
        registry.change(|settings| settings.delay = ROUND_TRIP);
        registry.clear_log();
        place.ok(&format!("verify {pin} --threshold 100{keys}"));
        let (chain, requests) = (registry.longest_chain(), registry.log().len());
        println!("referrers API: {api}; {requests} requests, longest chain {chain}");
        assert_eq!(requests, if api { 102 } else { 103 });
        assert!(chain <= 9, "{chain}");
        // No more than are needed for a smaller threshold.
        registry.clear_log();
        place.ok(&format!("verify {pin} --threshold 3{keys}"));
        assert_eq!(registry.log().len(), if api { 5 } else { 6 });
    }
}

#[test]
fn envelopes_that_are_not_inlined_are_fetched_at_the_same_time_too() {
    let registry = registry(true);
    let place = Place::new();
    let (pin, keys) = signed_by_many(&registry, &place, 20, 9_000);
    registry.change(|settings| settings.delay = ROUND_TRIP);
    registry.clear_log();
    place.ok(&format!("verify {pin} --threshold 20{keys}"));
    assert_eq!(registry.log().len(), 2 + 20 + 20);
    assert!(registry.longest_chain() <= 5, "{}", registry.longest_chain());
}
