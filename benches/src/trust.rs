//! Verifying by a trust root: as a registry does that keeps it in memory, and what the verifier is measured with.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Command;
use std::task::{Context, Poll, Waker};

use touchmark::envelope::digest::Algorithm;
use touchmark::envelope::dsse::{Envelope, Limits};
use touchmark::envelope::json::Value;
use touchmark::envelope::key::PublicKey;
use touchmark::envelope::manifest::{Descriptor, EMPTY_CONFIG, IMAGE_MANIFEST};
use touchmark::envelope::sign::{SignError, Signer};
use touchmark::oci::layout::Layout;
use touchmark::oci::source::{Referrers, Source as _, Store as _};
use touchmark::sign::{Claim, Repeat, sign};
use touchmark::trust::Failure as Unfetched;
use touchmark::trust_root::{StateSettings, StoreChoice, TrustSettings, TrustState};
use touchmark::tuf::{AsyncFetch, Failure as TufFailure};
use touchmark::{AsyncSource, Digest, Name, Policy, Request, UnixTime, verify_async};
use touchmark_test_tuf_repository::{Delegation, Fetched, Key, NOW, Repository};

use crate::Failure;
use crate::stopwatch::paired;

/// Artifacts that are verified in turn.
const ARTIFACTS: usize = 16;
/// The repository of the benches: so many publishers, with so many names each.
const PUBLISHERS: usize = 200;
const NAMES: usize = 50;
/// Processes in which the rate is measured, as for envelopes.
const PROCESSES: usize = 25;
/// The publisher that signs.
const PUBLISHER: &str = "publisher-100";

/// Prints how many artifacts a second are verified, and how many bare checks of their signatures there are in that time.
pub(crate) fn compare() -> Result<(), Failure> {
    println!("an artifact verified as a registry does: the trust root of {} names in memory, every envelope read", PUBLISHERS * NAMES);
    let (mut bare, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..PROCESSES {
        let child = Command::new(std::env::current_exe()?).args(["trust", "here"]).output()?;
        let line = String::from_utf8(child.stdout)?;
        let (first, second) = line.trim().split_once(' ').ok_or("a process was not measured")?;
        bare.push(first.parse::<f64>()?);
        whole.push(second.parse::<f64>()?);
    }
    let (bare, whole) = (crate::envelope::median(&mut bare), crate::envelope::median(&mut whole));
    let (rate, ratio) = (1e6 / whole, bare / whole);
    println!(
        "  Ed25519 check alone {bare:>7.1} us, all {whole:>7.1} us: {rate:.0} artifacts a second, {:.1} % of the bare checks",
        ratio * 100.0
    );
    Ok(())
}

/// Measures it in this process, and prints both times for one artifact in microseconds.
pub(crate) fn measure() -> Result<(), Failure> {
    let folder = Scratch::new()?;
    let place = Place::fill(&folder.0)?;
    let repository = repository();
    let root = repository.file("1.root.json").to_vec();
    let settings = StateSettings::new(TrustSettings::new(StoreChoice::Nowhere));
    let state = TrustState::new(root, Served(repository), settings);
    let now = UnixTime::from_seconds(NOW).ok_or("a time")?;
    let verify = || {
        for (name, artifact) in &place.artifacts {
            let decided = done(async {
                let standing = state.standing(name, now).await.map_err(|error| error.to_string())?;
                verify_async(&place, Request::new(Policy::trust(standing), *artifact, now)).await.map_err(|error| error.to_string())
            });
            decided??;
        }
        Ok::<(), Failure>(())
    };
    verify()?;
    let check = || place.checks.iter().all(|check| check.key.verify(&check.message, &check.signature).is_ok());
    if !check() {
        return Err("a signature is not valid".into());
    }
    let (bare, whole) = paired(100, check, || verify().is_ok());
    let each = |time: std::time::Duration| time.as_secs_f64() * 1e6 / f64::from(u32::try_from(ARTIFACTS).unwrap_or(u32::MAX));
    println!("{} {}", each(bare), each(whole));
    Ok(())
}

/// Makes what benches/trust.py verifies: an artifact, signed and listed, its publisher's key, and trust repositories.
pub(crate) fn make(folder: &str) -> Result<(), Failure> {
    let folder = Path::new(folder);
    let place = Place::fill(&folder.join("layout"))?;
    let (_, artifact) = place.artifacts.first().ok_or("no artifact")?;
    std::fs::write(folder.join("digest"), artifact.to_string())?;
    std::fs::write(folder.join("key.pub"), signer().public().to_pem())?;
    let mut repository = repository();
    repository.write_to(&folder.join("signed"))?;
    std::fs::write(folder.join("root.json"), repository.file("1.root.json"))?;
    // The same, with an entry in place of the signature.
    let bytes = place.manifests.get(artifact).ok_or("no manifest")?;
    repository.add_target(PUBLISHER, &name(0)?.to_string(), bytes);
    repository.publish();
    repository.write_to(&folder.join("listed"))?;
    // And one of a single publisher.
    let mut alone = Repository::new();
    delegate(&mut alone, PUBLISHER);
    alone.publish();
    alone.write_to(&folder.join("alone"))?;
    Ok(std::fs::write(folder.join("alone.json"), alone.file("1.root.json"))?)
}

fn signer() -> Key {
    Key::ed25519(PUBLISHER)
}

/// The publisher, who signs.
struct Publisher(Key);

impl Signer for Publisher {
    fn public_key(&self) -> &PublicKey {
        self.0.public()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.0.private().sign(message)
    }
}

fn name(number: usize) -> Result<Name, Failure> {
    Ok(format!("{PUBLISHER}/signed:{number}").parse()?)
}

fn repository() -> Repository {
    let mut repository = Repository::new();
    for number in 0..PUBLISHERS {
        let publisher = format!("publisher-{number}");
        delegate(&mut repository, &publisher);
        for number in 0..NAMES {
            repository.add_target(&publisher, &format!("{publisher}/component-{number}:1.0.{number}"), publisher.as_bytes());
        }
    }
    repository.publish();
    repository
}

/// Delegates a publisher's names as `touchmark trust publisher add --names 'PUBLISHER/**'` does, envelopes included.
fn delegate(repository: &mut Repository, publisher: &str) {
    let patterns: Vec<String> = (1..8).map(|depth| format!("{publisher}{}", "/*".repeat(depth))).collect();
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    repository.delegate("targets", Delegation::new(publisher).paths(&patterns).keys(1, &[Key::ed25519(publisher)]).terminating());
    let known = repository.signed("targets").get("x-touchmark").and_then(|ours| ours.get("envelopes")).and_then(Value::as_array);
    let mut envelopes: Vec<Value<'static>> = known.map(<[_]>::to_vec).unwrap_or_default();
    envelopes.push(Value::from(publisher.to_owned()));
    repository.set("targets", "/x-touchmark", Value::object([("version", Value::from(1_u64)), ("envelopes", Value::from(envelopes))]));
}

/// A folder that goes with its owner.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("touchmark-benches-{}", std::process::id()));
        std::fs::create_dir(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// What a check of one signature needs, ready.
struct Check {
    key: PublicKey,
    message: Vec<u8>,
    signature: Vec<u8>,
}

/// Artifacts and their signatures, in memory.
struct Place {
    artifacts: Vec<(Name, Digest)>,
    manifests: HashMap<Digest, Vec<u8>>,
    referrers: HashMap<Digest, Vec<Descriptor>>,
    checks: Vec<Check>,
}

impl Place {
    /// Signs artifacts in an OCI layout, as `touchmark sign` does, and takes them into memory.
    fn fill(folder: &Path) -> Result<Self, Failure> {
        let layout = Layout::open_or_create(folder)?;
        let (now, key) = (UnixTime::from_seconds(NOW).ok_or("a time")?, signer());
        let config = layout.put_blob(None, &mut b"{}".as_slice())?;
        let mut place = Self { artifacts: Vec::new(), manifests: HashMap::new(), referrers: HashMap::new(), checks: Vec::new() };
        for number in 0..ARTIFACTS {
            let content = format!("the content of {number}");
            let mut layer = layout.put_blob(None, &mut content.as_bytes())?;
            layer.media_type = "application/octet-stream".to_owned();
            layer.annotations.insert("org.opencontainers.image.title".to_owned(), "component".to_owned());
            let manifest = Value::object([
                ("schemaVersion", Value::from(2_u64)),
                ("mediaType", Value::from(IMAGE_MANIFEST)),
                ("artifactType", Value::from("application/vnd.unknown.artifact.v1")),
                ("config", Descriptor::new(EMPTY_CONFIG, config.digest, config.size).to_json()),
                ("layers", Value::from(vec![layer.to_json()])),
            ])
            .to_vec();
            let artifact = layout.put_manifest(&manifest, IMAGE_MANIFEST, None)?.digest;
            let signers: Vec<Box<dyn Signer>> = vec![Box::new(Publisher(key.clone()))];
            let claim = Claim { name: Some(name(number)?), ..Claim::default() };
            sign(&layout, &artifact, &signers, &claim, Repeat::Skip, now)?;
            let listed = layout.referrers(&artifact, 10, 1 << 20)?.entries;
            for referrer in &listed {
                let bytes = layout.manifest(&referrer.digest, 1 << 20)?;
                place.manifests.insert(referrer.digest, bytes);
            }
            for evidence in touchmark::attachments(&layout, &artifact)?.evidence {
                let envelope = Envelope::parse(&evidence.bytes, Limits::default())?.into_untrusted();
                let signature = envelope.signatures.first().ok_or("no signature")?.bytes.clone();
                place.checks.push(Check { key: key.public().clone(), message: envelope.signed_bytes(), signature });
            }
            place.manifests.insert(Algorithm::Sha256.digest(&manifest), manifest);
            place.referrers.insert(artifact, listed);
            place.artifacts.push((name(number)?, artifact));
        }
        Ok(place)
    }
}

impl AsyncSource for Place {
    async fn manifest(&self, digest: &Digest, _: u64) -> Result<Vec<u8>, Unfetched> {
        self.manifests.get(digest).cloned().ok_or(Unfetched::NotFound)
    }

    async fn blob(&self, _: &Digest, _: u64) -> Result<Vec<u8>, Unfetched> {
        Err(Unfetched::NotFound)
    }

    async fn referrers(&self, subject: &Digest, _: usize, _: u64) -> Result<Referrers, Unfetched> {
        let entries = self.referrers.get(subject).cloned().unwrap_or_default();
        Ok(Referrers { entries, complete: true, ..Referrers::default() })
    }

    async fn hash(&self, _: &Digest, _: u64) -> Result<(Digest, u64), Unfetched> {
        Err(Unfetched::NotFound)
    }
}

struct Served(Repository);

impl AsyncFetch for Served {
    async fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, TufFailure> {
        match self.0.fetch(path, limit) {
            Fetched::File(bytes) => Ok(Some(bytes)),
            Fetched::Absent => Ok(None),
            _ => Err(TufFailure::Unavailable("not served".to_owned())),
        }
    }
}

/// Everything is in memory: nothing waits.
fn done<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Ok(done),
        Poll::Pending => Err("it waits".into()),
    }
}
