//! A source in memory, with everything that a hostile one could do.

use std::collections::BTreeMap;

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::dsse::{self, Envelope};
use touchmark_envelope::json::Value;
use touchmark_envelope::key::{KeyAlgorithm, PublicKey};
use touchmark_envelope::manifest::{Descriptor, EMPTY_CONFIG, IMAGE_INDEX, IMAGE_MANIFEST};
use touchmark_envelope::sign::{PrivateKey, Signer};
use touchmark_envelope::signature::{self, Signature};
use touchmark_envelope::{Digest, UnixTime};
use touchmark_trust::{Answer, Artifact, Failure, Need, Policy, Rejected, Request, Search, Step};

/// Manifests, blobs and lists, and the searches' needs in order.
#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) contents: BTreeMap<Digest, Vec<u8>>,
    pub(crate) referrers: BTreeMap<Digest, Vec<Descriptor>>,
    /// What is answered instead, for a digest.
    pub(crate) failures: BTreeMap<Digest, Failure>,
    /// Whether the source says that its list is not all.
    pub(crate) incomplete: bool,
    pub(crate) asked: Vec<Need>,
    /// Referrers that only a thorough question finds.
    pub(crate) hidden: BTreeMap<Digest, Vec<Descriptor>>,
    /// What a thorough question is answered instead.
    pub(crate) thorough_failure: Option<Failure>,
}

impl Shelf {
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Digest {
        let digest = Algorithm::Sha256.digest(bytes);
        self.contents.insert(digest, bytes.to_vec());
        digest
    }

    /// An image with one layer.
    pub(crate) fn image(&mut self, layer: &str) -> Digest {
        let (config, layer) = (self.put(b"{}"), self.blob(layer));
        let config = Descriptor::new(EMPTY_CONFIG, config, 2);
        let manifest = Value::object([
            ("schemaVersion", Value::from(2_u64)),
            ("mediaType", Value::from(IMAGE_MANIFEST)),
            ("config", config.to_json()),
            ("layers", Value::from(vec![layer.to_json()])),
        ]);
        self.put(&manifest.to_vec())
    }

    pub(crate) fn blob(&mut self, text: &str) -> Descriptor {
        let digest = self.put(text.as_bytes());
        Descriptor::new("text/plain", digest, text.len() as u64)
    }

    pub(crate) fn index(&mut self, manifests: &[Descriptor]) -> Digest {
        let manifest = Value::object([
            ("schemaVersion", Value::from(2_u64)),
            ("mediaType", Value::from(IMAGE_INDEX)),
            ("manifests", Value::from(manifests.iter().map(Descriptor::to_json).collect::<Vec<_>>())),
        ]);
        self.put(&manifest.to_vec())
    }

    /// The descriptor of a manifest on the shelf.
    pub(crate) fn describe(&self, digest: Digest, media_type: &str) -> Descriptor {
        Descriptor::new(media_type, digest, self.contents[&digest].len() as u64)
    }

    /// Attaches an envelope as a referrer of `subject`, inlined or as a blob of its own.
    pub(crate) fn attach(&mut self, subject: Digest, artifact_type: &str, envelope: &[u8], inline: Inline) -> Digest {
        let layer = self.put(envelope);
        let mut layer = Descriptor::new(dsse::MEDIA_TYPE, layer, envelope.len() as u64);
        if inline == Inline::Yes {
            layer.data = Some(envelope.to_vec());
        }
        self.attach_layers(subject, artifact_type, &[layer])
    }

    pub(crate) fn attach_layers(&mut self, subject: Digest, artifact_type: &str, layers: &[Descriptor]) -> Digest {
        let config = self.put(b"{}");
        let size = self.contents.get(&subject).map_or(0, Vec::len) as u64;
        let manifest = Value::object([
            ("schemaVersion", Value::from(2_u64)),
            ("mediaType", Value::from(IMAGE_MANIFEST)),
            ("artifactType", Value::from(artifact_type)),
            ("config", Descriptor::new(EMPTY_CONFIG, config, 2).to_json()),
            ("layers", Value::from(layers.iter().map(Descriptor::to_json).collect::<Vec<_>>())),
            ("subject", Descriptor::new(IMAGE_MANIFEST, subject, size).to_json()),
        ]);
        let digest = self.put(&manifest.to_vec());
        self.list(subject, digest, Some(artifact_type));
        digest
    }

    /// Lists `referrer` among the referrers of `subject`, with a hint that may lie.
    pub(crate) fn list(&mut self, subject: Digest, referrer: Digest, artifact_type: Option<&str>) {
        let size = self.contents.get(&referrer).map_or(1, Vec::len) as u64;
        let mut entry = Descriptor::new(IMAGE_MANIFEST, referrer, size);
        entry.artifact_type = artifact_type.map(str::to_owned);
        self.referrers.entry(subject).or_default().push(entry);
    }

    /// Signs the manifest `subject`, as a change of the honest statement, and attaches that.
    pub(crate) fn sign(&mut self, subject: Digest, keys: &[&PrivateKey], change: impl FnOnce(&mut Signature)) -> Digest {
        let envelope = self.envelope(subject, keys, change);
        self.attach(subject, signature::ARTIFACT_TYPE, &envelope, Inline::Yes)
    }

    pub(crate) fn envelope(&self, subject: Digest, keys: &[&PrivateKey], change: impl FnOnce(&mut Signature)) -> Vec<u8> {
        let bytes = &self.contents[&subject];
        let manifest = touchmark_envelope::manifest::Manifest::parse(bytes).unwrap();
        let mut statement = Signature::of(bytes, &manifest.media_type, time(1_000));
        change(&mut statement);
        sealed(&statement.to_json(), keys)
    }

    /// Runs a search over the shelf.
    pub(crate) fn verify(&mut self, request: Request) -> Result<Artifact, Rejected> {
        let mut search = Search::new(request);
        while let Step::Need(need) = search.next() {
            let answer = self.fetch(&need);
            self.asked.push(need);
            search.answer(answer);
        }
        search.finish().map(touchmark_envelope::Verified::into_inner)
    }

    pub(crate) fn fetch(&self, need: &Need) -> Answer {
        match need {
            Need::Manifest { digest, limit } | Need::Blob { digest, limit } => match (self.failures.get(digest), self.contents.get(digest))
            {
                (Some(failure), _) => Answer::Failed(failure.clone()),
                (None, None) => Answer::Failed(Failure::NotFound),
                (None, Some(bytes)) if bytes.len() as u64 > *limit => Answer::Failed(Failure::TooLarge { limit: *limit, option: "--x" }),
                (None, Some(bytes)) => Answer::Bytes(bytes.clone()),
            },
            Need::Referrers { subject, entries, thorough, .. } => match (self.failures.get(subject), &self.thorough_failure) {
                (Some(failure), _) if self.contents.contains_key(subject) => Answer::Failed(failure.clone()),
                (_, Some(failure)) if *thorough => Answer::Failed(failure.clone()),
                _ => {
                    let mut all = self.referrers.get(subject).cloned().unwrap_or_default();
                    let hidden = self.hidden.get(subject).cloned().unwrap_or_default();
                    let more = !thorough && (!hidden.is_empty() || self.thorough_failure.is_some());
                    if *thorough {
                        all.extend(hidden);
                    }
                    let complete = all.len() <= *entries && !self.incomplete;
                    Answer::Referrers { entries: all.into_iter().take(*entries).collect(), complete, more, why: None }
                }
            },
            Need::Hash { digest, .. } => match self.contents.get(digest) {
                None => Answer::Failed(Failure::NotFound),
                Some(bytes) => Answer::Hashed { digest: digest.algorithm().digest(bytes), size: bytes.len() as u64 },
            },
            _ => Answer::Failed(Failure::WrongAnswer),
        }
    }
}

/// Whether an envelope is inlined in its manifest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inline {
    Yes,
    No,
}

/// An envelope over `payload` by `keys`.
pub(crate) fn sealed(payload: &[u8], keys: &[&PrivateKey]) -> Vec<u8> {
    let signers: Vec<&dyn Signer> = keys.iter().map(|key| *key as &dyn Signer).collect();
    Envelope::sign(dsse::IN_TOTO, payload.to_vec(), &signers).unwrap().to_json()
}

/// The `n`-th key: Ed25519 for even, P-256 for odd numbers.
pub(crate) fn key(n: u8) -> PrivateKey {
    let algorithm = if n.is_multiple_of(2) { KeyAlgorithm::Ed25519 } else { KeyAlgorithm::EcdsaP256 };
    PrivateKey::from_raw(algorithm, &[n + 1; 32]).unwrap()
}

pub(crate) fn public(key: &PrivateKey) -> PublicKey {
    key.public_key().clone()
}

pub(crate) fn time(seconds: i64) -> UnixTime {
    UnixTime::from_seconds(seconds).unwrap()
}

/// A request by keys with a threshold, at a time at which nothing has expired unless a test says so.
pub(crate) fn request(digest: Digest, keys: &[&PrivateKey], threshold: usize) -> Request {
    Request::new(policy(keys, threshold), digest, time(2_000))
}

pub(crate) fn policy(keys: &[&PrivateKey], threshold: usize) -> Policy {
    Policy::keys(keys.iter().map(|key| public(key))).unwrap().threshold(threshold).unwrap()
}
