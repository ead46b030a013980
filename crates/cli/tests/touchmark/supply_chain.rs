//! All three levels in one decision of the library, by what the command line attached: from a registry, an OCI layout and a tar, by the
//! blocking and by the asynchronous driver.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use touchmark::envelope::key::PublicKey;
use touchmark::oci::source::{Referrers, Source};
use touchmark::trust::{Failure, SupplyChainDemand};
use touchmark::{Artifact, AsyncSource, Class, Digest, Policy, Reference, Rejected, Request, UnixTime, decide, open, verify_async};
use touchmark_test_registry::Settings;

use crate::harness::digest;
use crate::in_toto::{AT, Chain, Form, Key, link, sign};
use crate::in_toto_attached::made;

/// A source that is read as if something had to be waited for.
struct Waiting(Box<dyn Source>);

fn failed(error: touchmark::oci::Error) -> Failure {
    Failure::Unavailable(error.to_string())
}

impl AsyncSource for Waiting {
    async fn manifest(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Failure> {
        self.0.manifest(digest, limit).map_err(failed)
    }

    fn readers(&self) -> usize {
        4
    }

    async fn blob(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Failure> {
        self.0.blobs(&[(*digest, limit)]).remove(0).map_err(failed)
    }

    async fn referrers(&self, subject: &Digest, entries: usize, bytes: u64) -> Result<Referrers, Failure> {
        self.0.referrers(subject, entries, bytes).map_err(failed)
    }

    async fn quick_referrers(&self, subject: &Digest, entries: usize, bytes: u64) -> Result<Referrers, Failure> {
        self.0.quick_referrers(subject, entries, bytes).map_err(failed)
    }

    async fn hash(&self, digest: &Digest, size: u64) -> Result<(Digest, u64), Failure> {
        self.0.hashes(&[(*digest, size)]).remove(0).map_err(failed)
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing of it waits"),
    }
}

fn public(name: &str) -> PublicKey {
    PublicKey::from_pem(Key::of(name).pem().as_bytes()).unwrap()
}

/// The places where the same artifact is, signed by `alice`, each with the path from here.
fn places(chain: &Chain, registry: &str) -> Vec<String> {
    chain.place.key("alice");
    let pin = chain.place.pack("oci:release:one", "first");
    let places = vec!["oci:release:one".to_owned(), "oci-archive:release.tar:one".to_owned(), format!("{registry}/acme/app:one")];
    for place in &places[1..] {
        chain.place.ok(&format!("copy {pin} {place}"));
    }
    for place in &places {
        chain.place.ok(&format!("sign {place} --key alice --quiet"));
    }
    places
}

/// The reference from the folder that the test runs in.
fn reference(chain: &Chain, place: &str) -> Reference {
    let absolute = match place.split_once(':') {
        Some((scheme @ ("oci" | "oci-archive"), path)) => format!("{scheme}:{}", chain.place.path(path).display()),
        _ => place.to_owned(),
    };
    absolute.parse().unwrap()
}

/// The decision by both drivers, whose reports are the same.
fn verify(chain: &Chain, place: &str, layout: &[u8]) -> Result<Artifact, Rejected> {
    let reference = reference(chain, place);
    let alice = PublicKey::from_pem(&chain.place.read("alice.pub")).unwrap();
    let demand = SupplyChainDemand::new(layout.to_vec(), [public("owner")]).unwrap();
    let policy = Policy::keys([alice]).unwrap().supply_chain(demand);
    let source = open(&reference).unwrap();
    let artifact = source.resolve(reference.tag(), reference.digest()).unwrap().digest;
    let request = || Request::new(policy.clone(), artifact, UnixTime::parse_rfc3339(AT).unwrap()).deep();
    let blocking = decide(source.as_ref(), request());
    let waiting = block_on(verify_async(&Waiting(source), request()));
    match (blocking, waiting) {
        (Ok(blocking), Ok(waiting)) => {
            assert_eq!(blocking.get().to_json(), waiting.get().to_json(), "{place}");
            Ok(blocking.into_inner())
        }
        (Err(blocking), Err(waiting)) => {
            assert_eq!((blocking.class(), blocking.to_json()), (waiting.class(), waiting.to_json()), "{place}");
            Err(blocking)
        }
        (blocking, waiting) => panic!("{place}: {blocking:?} {waiting:?}"),
    }
}

#[test]
fn a_layout_holds_by_what_was_attached_in_a_registry_an_oci_layout_and_a_tar_alike() {
    for settings in [Settings::default(), Settings { referrers_api: false, ..Settings::default() }] {
        let mut chain = Chain::new(Form::Dsse);
        let registry = chain.place.registry(settings);
        let places = places(&chain, &registry.host());
        let pin = chain.place.ok(&format!("resolve {}", places[0]));
        made(&mut chain, &pin);
        let layout = chain.place.read("root.layout");
        let mut reports = Vec::new();
        for place in &places {
            let refused = verify(&chain, place, &layout).unwrap_err();
            assert_eq!((refused.class(), refused.fault().code()), (Class::NotVerified, "supply-chain"), "{place}: {refused}");
            chain.place.ok(&format!("in-toto attach {place} --links links"));
            let artifact = verify(&chain, place, &layout).unwrap_or_else(|rejected| panic!("{place}: {rejected}"));
            assert_eq!(artifact.descriptor().digest.to_string(), digest(&pin));
            assert_eq!(artifact.accepted().len(), 1, "alice signed");
            let report = artifact.to_json().get("supply_chain").cloned().unwrap();
            assert_eq!(report.get("verified").and_then(|verified| verified.as_bool()), Some(true));
            reports.push(report);
        }
        assert!(reports.windows(2).all(|two| two[0] == two[1]), "the same is told of every place");
        // What is told is what `in-toto verify` tells of the same links.
        let line = format!("in-toto verify --layout root.layout --layout-key owner.pub --links {} --at {AT} --format json", places[0]);
        let told = chain.place.run(&line).is(0).json()["results"][0]["report"].clone();
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&reports[0].to_vec()).unwrap(), told);
    }
}

#[test]
fn what_does_not_hold_is_refused_alike_everywhere() {
    let mut chain = Chain::new(Form::Legacy);
    let registry = chain.place.registry(Settings::default());
    let places = places(&chain, &registry.host());
    let other = chain.place.pack("oci:other:one", "second");
    // The links of another artifact, validly signed.
    made(&mut chain, &other);
    let layout = chain.place.read("root.layout");
    chain.layout["expires"] = "2020-01-01T00:00:00Z".into();
    let expired = sign(&chain.layout, &["owner"], chain.form);
    let by_mallory = sign(&chain.layout, &["mallory"], chain.form);
    for place in &places {
        chain.place.ok(&format!("in-toto attach {place} --links links"));
        let refused = verify(&chain, place, &layout).unwrap_err();
        assert_eq!((refused.class(), refused.fault().code()), (Class::NotVerified, "supply-chain"), "{place}: {refused}");
        for untrusted in [&expired, &by_mallory] {
            let refused = verify(&chain, place, untrusted.as_bytes()).unwrap_err();
            assert_eq!((refused.class(), refused.fault().code()), (Class::UntrustedMetadata, "supply-chain"), "{place}: {refused}");
        }
    }
    // With the right ones beside them it holds.
    let pin = chain.place.ok(&format!("resolve {}", places[0]));
    let hex = digest(&pin).strip_prefix("sha256:").unwrap();
    let mut packed = link("pack", &["app"], &["app"]);
    packed["products"][format!("blobs/sha256/{hex}")] = serde_json::json!({"sha256": hex});
    chain.link("links", &packed, "carol");
    for place in &places {
        chain.place.ok(&format!("in-toto attach {place} --links links"));
        assert!(verify(&chain, place, &layout).is_ok(), "{place}");
    }
}
