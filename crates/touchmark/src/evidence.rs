use std::collections::HashMap;
use std::io::Read as _;
use std::ops::ControlFlow;

use touchmark_envelope::dsse::{self, Envelope};
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::manifest::{Descriptor, Manifest};
use touchmark_envelope::signature::{self, Signature};
use touchmark_envelope::statement::Statement;
use touchmark_envelope::threshold::KeySet;
use touchmark_envelope::{Digest, UnixTime, Unverified};
use touchmark_oci::error::{Class, Error};
use touchmark_oci::source::{Finding, FindingKind, Source};
use touchmark_trust::Limits;

/// A referrer that carries an envelope: a signature or an attestation. It is what somebody attached; [`decide`](crate::decide)
/// says what it is worth.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The referrer's manifest: type, digest and size from its bytes, artifact type from its content.
    pub referrer: Descriptor,
    /// What it refers to.
    pub subject: Digest,
    /// The envelope, byte for byte.
    pub bytes: Vec<u8>,
    /// The envelope, read.
    pub envelope: Unverified<Envelope>,
    /// What its statement says; `None` if its payload is no Statement v1.
    pub claims: Option<Unverified<Claims>>,
}

/// What a statement says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Its predicate type.
    pub predicate_type: String,
    /// The name that it gives the artifact.
    pub name: Option<String>,
    /// When it says that it was signed.
    pub issued: Option<UnixTime>,
    /// When it stops counting.
    pub expires: Option<UnixTime>,
}

/// What is attached to an artifact.
#[derive(Clone, Debug, Default)]
pub struct Attachments {
    /// Signatures and attestations, in the order in which they are listed.
    pub evidence: Vec<Evidence>,
    /// Referrers that say they are one, and could not be read.
    pub findings: Vec<Finding>,
    /// Whether these are all: nothing was left out, and each referrer could be read or is malformed.
    pub complete: bool,
}

/// So many bytes of envelopes and payloads are held at once; what is attached beyond them is left out, and that is said.
const MAX_HELD: usize = 128 << 20;
/// A manifest that is read together with others has at most this many bytes.
const AHEAD_MANIFEST: u64 = 64 << 10;
/// Envelopes that are read together have at most so many.
const AHEAD_BLOBS: u64 = 4 << 20;

/// Reads the signatures and attestations that are attached to `subject`, some 128 MiB of them at most.
///
/// # Errors
/// The source cannot be read. A referrer that cannot be is a finding.
pub fn attachments(source: &dyn Source, subject: &Digest) -> Result<Attachments, Error> {
    let limits = Limits::default();
    let listed = source.referrers(subject, limits.referrers, limits.referrers_bytes)?;
    let mut found = Attachments { evidence: Vec::new(), findings: listed.findings, complete: listed.complete };
    let mut held = 0_usize;
    let referrers: Vec<Digest> = listed.entries.iter().map(|entry| entry.digest).collect();
    each_evidence(source, &referrers, |digest, evidence| {
        if held > MAX_HELD {
            let detail = format!("the envelopes take more than {MAX_HELD} bytes; the rest was not read");
            found.findings.push(Finding { kind: FindingKind::Stopped, digest: None, detail });
            found.complete = false;
            return ControlFlow::Break(());
        }
        match evidence {
            Ok(Some(evidence)) if evidence.subject == *subject => {
                held = held.saturating_add(evidence.bytes.len()).saturating_add(evidence.envelope.untrusted().payload.len());
                found.evidence.push(evidence);
            }
            Ok(_) => {}
            Err(error) => {
                let kind = match error.class() {
                    Class::NotFound => FindingKind::Dangling,
                    Class::WrongDigest => FindingKind::WrongDigest,
                    Class::Malformed => FindingKind::Malformed,
                    Class::Cap => FindingKind::TooLarge,
                    _ => FindingKind::Unreadable,
                };
                // What is malformed was looked at; anything else may be a signature.
                found.complete &= kind == FindingKind::Malformed;
                found.findings.push(Finding { kind, digest: Some(*digest), detail: error.to_string() });
            }
        }
        ControlFlow::Continue(())
    });
    Ok(found)
}

/// Shows each of `referrers` as [`evidence`] gives it, in their order, until `see` has enough. As many as the source reads at the same
/// time are read at once.
pub(crate) fn each_evidence(
    source: &dyn Source,
    referrers: &[Digest],
    mut see: impl FnMut(&Digest, Result<Option<Evidence>, Error>) -> ControlFlow<()>,
) {
    for batch in referrers.chunks(source.readers().max(1)) {
        if let [alone] = batch {
            if see(alone, evidence(source, alone)).is_break() {
                return;
            }
            continue;
        }
        let read = source.manifests(batch, AHEAD_MANIFEST).into_iter().zip(batch).map(|(bytes, referrer)| match bytes {
            // Larger than what is read ahead: read when its turn comes.
            Err(error) if error.class() == Class::Cap => None,
            bytes => Some(bytes.and_then(|bytes| Carrier::read(source, referrer, &bytes))),
        });
        let read: Vec<Option<Result<Option<Carrier>, Error>>> = read.collect();
        let mut left = AHEAD_BLOBS;
        let carriers = read.iter().flatten().filter_map(|read| read.as_ref().ok()?.as_ref());
        let small = |carrier: &&Carrier| {
            let size = carrier.layer.size;
            let fits = carrier.layer.data.is_none() && size <= carrier.limit.min(left);
            left = left.saturating_sub(if fits { size } else { 0 });
            fits
        };
        let wanted: Vec<(Digest, u64)> = carriers.filter(small).map(|carrier| (carrier.layer.digest, carrier.layer.size)).collect();
        let blobs = source.blobs(&wanted).into_iter().zip(&wanted).filter_map(|(blob, (digest, _))| Some((*digest, blob.ok()?)));
        let blobs: HashMap<Digest, Vec<u8>> = blobs.collect();
        for (referrer, read) in batch.iter().zip(read) {
            let evidence = match read {
                None => evidence(source, referrer),
                Some(read) => read.and_then(|carrier| {
                    let envelope = |carrier: Carrier| {
                        let fetched = blobs.get(&carrier.layer.digest);
                        carrier.envelope(source, fetched)
                    };
                    carrier.map(envelope).transpose()
                }),
            };
            if see(referrer, evidence).is_break() {
                return;
            }
        }
    }
}

/// Reads one referrer; `None` if it is something else than a signature or an attestation.
///
/// # Errors
/// Its manifest or its envelope is not to be had, or malformed.
pub fn evidence(source: &dyn Source, referrer: &Digest) -> Result<Option<Evidence>, Error> {
    let bytes = source.manifest(referrer, Limits::default().manifest)?;
    Carrier::read(source, referrer, &bytes)?.map(|carrier| carrier.envelope(source, None)).transpose()
}

/// The manifest of a referrer that carries an envelope.
struct Carrier {
    referrer: Descriptor,
    subject: Digest,
    layer: Descriptor,
    /// At most this many bytes of the envelope are read.
    limit: u64,
}

impl Carrier {
    /// Reads the manifest of `referrer`, which was hashed; `None` if it is something else than a signature or an attestation.
    fn read(source: &dyn Source, referrer: &Digest, bytes: &[u8]) -> Result<Option<Self>, Error> {
        let limits = Limits::default();
        let malformed = |reason: String| Error::Malformed { location: source.location(), what: referrer.to_string(), reason };
        let manifest = Manifest::parse(bytes).map_err(|error| malformed(error.to_string()))?;
        let artifact_type = manifest.artifact_type().map(str::to_owned);
        let limit = match artifact_type.as_deref() {
            Some(signature::ARTIFACT_TYPE) => limits.signature,
            Some(dsse::IN_TOTO) => limits.attestation,
            _ => return Ok(None),
        };
        let Some(subject) = &manifest.subject else { return Ok(None) };
        let [layer] = layers(&manifest) else { return Err(malformed("it does not have exactly one layer".to_owned())) };
        if layer.media_type != dsse::MEDIA_TYPE {
            return Err(malformed(format!("its layer is no envelope but `{}`", layer.media_type.escape_debug())));
        }
        let mut descriptor = Descriptor::new(&manifest.media_type, *referrer, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        descriptor.artifact_type = artifact_type;
        Ok(Some(Self { referrer: descriptor, subject: subject.digest, layer: layer.clone(), limit }))
    }

    /// Reads the envelope, which may have been fetched already.
    fn envelope(self, source: &dyn Source, fetched: Option<&Vec<u8>>) -> Result<Evidence, Error> {
        let what = self.referrer.digest.to_string();
        let malformed = |reason: String| Error::Malformed { location: source.location(), what, reason };
        let bytes = match (self.layer.data, fetched) {
            (Some(data), _) if self.layer.digest.matches(&data) => data,
            (Some(_), _) => return Err(malformed("the envelope inlined in it is not the one that its digest names".to_owned())),
            (None, Some(fetched)) => fetched.clone(),
            (None, None) => blob(source, &self.layer.digest, self.limit)?,
        };
        let signatures = Limits::default().signatures;
        let reading = dsse::Limits { bytes: usize::try_from(self.limit).unwrap_or(usize::MAX), signatures };
        let envelope = Envelope::parse(&bytes, reading).map_err(|error| malformed(error.to_string()))?;
        let claims = claims(envelope.untrusted());
        Ok(Evidence { referrer: self.referrer, subject: self.subject, bytes, envelope, claims })
    }
}

impl Evidence {
    /// The keys of `keys` whose signature over the payload is valid, whatever the payload says.
    pub fn signed_by(&self, keys: &KeySet) -> Vec<PublicKey> {
        let envelope = self.envelope.untrusted();
        keys.signers(&envelope.signed_bytes(), &envelope.signatures).keys().to_vec()
    }

    /// How many of its signatures none of `keys` made: others did, or nobody.
    pub fn signatures_by_others(&self, keys: &KeySet) -> usize {
        let envelope = self.envelope.untrusted();
        let message = envelope.signed_bytes();
        let by_others = |signature: &&_| keys.signers(&message, core::slice::from_ref(*signature)).keys().is_empty();
        envelope.signatures.iter().filter(by_others).count()
    }

    /// The key ids that the envelope hints at; nothing vouches for them.
    pub fn hints(&self) -> Vec<String> {
        self.envelope.untrusted().signatures.iter().filter_map(|signature| signature.keyid.clone()).collect()
    }
}

/// What the statement in an envelope says.
fn claims(envelope: &Envelope) -> Option<Unverified<Claims>> {
    if envelope.payload_type != dsse::IN_TOTO {
        return None;
    }
    let statement = Statement::parse(&envelope.payload).ok()?;
    let signature = Signature::from_statement(&statement).ok();
    let (issued, expires) = signature.map_or((None, None), |signature| (Some(signature.issued), signature.expires));
    let name = statement.subjects.first().and_then(|subject| subject.name.clone());
    Some(Unverified::new(Claims { predicate_type: statement.predicate_type, name, issued, expires }))
}

fn layers(manifest: &Manifest) -> &[Descriptor] {
    match &manifest.kind {
        touchmark_envelope::manifest::Kind::Image { layers, .. } => layers,
        touchmark_envelope::manifest::Kind::Index { .. } => &[],
    }
}

fn blob(source: &dyn Source, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error> {
    let (size, content) = source.blob(digest)?;
    if size > limit {
        return Err(Error::TooLarge { location: source.location(), what: digest.to_string(), size, limit });
    }
    let mut bytes = Vec::new();
    let read = content.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| {
        Error::carried(error).unwrap_or_else(|source_error| Error::Content { location: source.location(), source: source_error })
    })?;
    Ok(bytes)
}
